use std::path::Path;
use std::time::Duration;

use switchboard_core::catalogue;
use switchboard_core::launch::Launch;
use switchboard_gateway::offer::Sort;
use switchboard_host::dirs::{Dirs, Env};
use testkit::servers::feed::{Fault, FeedServer, announcement};

use super::*;

/// How long anything may take before the test counts as hanging. Nothing is measured by it.
const GUARD: Duration = Duration::from_secs(60);

/// A server in service with a feed, which is listened to.
struct Stage {
    feed: FeedServer,
    feeds: Feeds,
    gateway: Gateway,
    inbox: Inbox,
    seen: watch::Receiver<Arc<Standings>>,
    server: Server,
    /// The version of it that is in service.
    version: String,
}

impl Stage {
    /// Returns a stage on which nothing is listened to yet.
    fn new(timeout: Duration, retry_attempts: u64) -> Self {
        let feed = FeedServer::start().unwrap();
        let launch = Launch::stdio("no-such-program", [""; 0]);
        let mut server = Server::new(ServerName::parse("k8s").unwrap(), launch);
        server.feed = Some(catalogue::Feed { url: feed.url.clone(), timeout, retry_attempts });
        let (inbox, dirs) = (Inbox::default(), Dirs::below(Path::new("/nonexistent")));
        let gateway = crate::daemon::gateway::open(&Handle::current(), &dirs, &Env::default(), &inbox);
        let (standings, seen) = watch::channel(Arc::default());
        let feeds = Feeds::new(Handle::current(), gateway.clone(), inbox.clone(), standings);
        Self { feed, feeds, gateway, inbox, seen, server, version: String::new() }
    }

    /// Returns one that listens to these tools, and knows them.
    async fn with(names: &[&str]) -> Self {
        let mut stage = Self::new(GUARD, 0);
        stage.feed.announce(names);
        stage.serve("1");
        stage.until("the tools", |feed| feed.announced.is_some()).await;
        assert_eq!(stage.tools(), names);
        stage
    }

    /// Puts the server in service in this version.
    fn serve(&mut self, version: &str) {
        version.clone_into(&mut self.version);
        let served = [(Arc::new(self.server.clone()), version.to_owned())];
        self.gateway.start(Arc::clone(&served[0].0), version.to_owned(), |_| {});
        self.gateway.publish(&served, BTreeMap::new());
        self.feeds.follow(&served);
    }

    fn standing(&self) -> watch::Receiver<Feed> {
        self.seen.borrow()[&self.server.name].clone()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Feed) -> bool) {
        let mut standing = self.standing();
        let came = tokio::time::timeout(GUARD, standing.wait_for(|feed| is_so(feed))).await;
        assert!(matches!(came, Ok(Ok(_))), "{what}: never");
    }

    /// Waits until this is the matter.
    async fn until_told(&self, why: &str) {
        self.until(why, |feed| feed.trouble.as_ref().is_some_and(|told| told.why.contains(why))).await;
    }

    fn tools(&self) -> Vec<String> {
        let offer = self.gateway.offer(&self.server.name, &self.version);
        let offer = offer.iter().flat_map(|offer| offer.of(Sort::Tools));
        offer.map(|item| item.key.clone()).collect()
    }
}

#[tokio::test]
async fn what_is_announced_is_known_though_the_server_was_never_started() {
    let stage = Stage::with(&["a", "b"]).await;
    assert!(stage.inbox.take().offers.contains(&stage.server.name));
    stage.feed.announce(&["a", "b", "c"]);
    stage.until("three", |feed| feed.announced.as_ref().is_some_and(|said| said.tools == 3)).await;
    assert_eq!(
        (stage.tools(), stage.inbox.take().offers.len()),
        (vec!["a".into(), "b".into(), "c".into()], 1)
    );
    // The same once more is no news.
    stage.feed.announce(&["a", "b", "c"]);
    stage.feed.say("event: tools_list\ndata: end\n\n");
    stage.until_told("not JSON").await;
    assert!(stage.inbox.take().offers.is_empty());
    // That there is no tool any more is said in so many words.
    stage.feed.announce(&[]);
    stage.until("none", |feed| feed.announced.as_ref().is_some_and(|said| said.tools == 0)).await;
    assert_eq!((stage.tools().len(), stage.inbox.take().offers.len()), (0, 1));
    assert_eq!(stage.gateway.seen()[0].state, "idle");
}

#[tokio::test]
async fn garbage_changes_nothing_and_is_told() {
    let stage = Stage::with(&["a", "b"]).await;
    let many: Vec<String> = (0..100_000).map(|number| format!("t{number}")).collect();
    let many = announcement(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let event = |data: &str| format!("event: tools_list\ndata: {data}\n\n").into_bytes();
    stage.inbox.take();
    for (said, why) in [
        (event("hello"), "it is not JSON"),
        (event("{}"), "not an object with a list of `tools`"),
        (event("[1]"), "not an object with a list of `tools`"),
        (event("{\"tools\":[{},7]}"), "none of its tools has a name"),
        (event("{\"tools\":[{\"name\":\"a\"}"), "it is not JSON"),
        (b"event: tools_list\ndata: {\"tools\":[{\"name\":\"\xff\"}]}\n\n".to_vec(), "it is not UTF-8"),
        (many.into_bytes(), "it has 100000 tools"),
        // From here on each ends the stream, which is opened again.
        (event(&"x".repeat(17 << 20)), "longer than 16 MiB"),
    ] {
        stage.feed.say(said);
        stage.until_told(why).await;
        assert_eq!(stage.tools(), ["a", "b"], "{why}");
    }
    stage.until("it is listened to again", |feed| feed.since.is_some() && feed.trouble.is_none()).await;
    assert!(stage.inbox.take().offers.is_empty());
    // What is no announcement is nobody's business.
    stage.feed.say("data: hello\n\n: and so on\nevent: ping\ndata: {\n\n");
    stage.feed.say(
        r#"data: {"type":"tools_list","data":{"tools":[{"name":"w"},{"name":"w"},{"x":1}]}}"#.to_owned()
            + "\n\n",
    );
    stage.until_told("2 tools left out: 1 without a name, 1 with that of another").await;
    assert_eq!(stage.tools(), ["w"]);
}

#[tokio::test]
async fn an_event_that_breaks_off_is_not_taken() {
    let stage = Stage::with(&["a"]).await;
    let whole = announcement(&["b"]);
    stage.feed.say(whole.trim_end());
    stage.feed.cut();
    until(|| stage.feed.opened() == 2).await;
    stage.until("it is heard again", |feed| feed.since.is_some() && feed.trouble.is_none()).await;
    assert_eq!((stage.tools(), stage.feed.most()), (vec!["a".to_owned()], 1));
}

#[tokio::test]
async fn a_feed_that_brings_nothing_is_given_up_until_somebody_wants_it() {
    let answers = |status, headers: &[(&'static str, &str)], body: &str| {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Fault::Answers(status, headers, body.to_owned())
    };
    let list = announcement(&["x"]);
    for (fault, why) in [
        (answers(404, &[], ""), "it answered 404 Not Found"),
        (answers(500, &[("content-type", "text/event-stream")], &list), "it answered 500"),
        (answers(200, &[("content-type", "text/html")], "<html>"), "no stream of events"),
        (answers(200, &[("content-type", "application/json")], "{\"tools\":[]}"), "no stream of events"),
        (answers(200, &[], &list), "no stream of events"),
        (answers(302, &[("location", "/events")], ""), "it redirects again and again"),
        (answers(302, &[("location", "http://elsewhere.example/")], ""), "which was not named"),
        (answers(200, &[("content-type", "text/event-stream")], ": hello\n\n"), "its stream ended"),
        (Fault::HangsUp, "the connection broke"),
        (Fault::Hangs, "it did not answer within 0.5 s"),
        (Fault::Silent, "nothing came for 0.5 s"),
        (Fault::Endless, "longer than 16 MiB"),
    ] {
        let mut stage = Stage::new(Duration::from_millis(500), 2);
        stage.feed.announce(&["x"]);
        stage.feed.fault(Some(fault));
        stage.serve("1");
        stage.until(why, Feed::is_down).await;
        stage.until_told(why).await;
        let feed = stage.standing().borrow().clone();
        assert_eq!((feed.barren, feed.failures, stage.tools().len()), (2, 2, 0), "{feed:?}");
        assert!(stage.inbox.take().feed_down);
        assert!(stage.feeds.problems()[0].1.what.contains(why));
        stage.feed.fault(None);
        stage.feeds.again();
        stage.until("it is listened to again", |feed| feed.announced.is_some()).await;
        assert_eq!((stage.tools(), stage.feeds.problems().len()), (vec!["x".to_owned()], 0));
    }
}

#[tokio::test]
async fn listeners_follow_what_is_in_service() {
    let mut stage = Stage::with(&["a"]).await;
    // The same once more: nothing happens.
    stage.serve("1");
    stage.feed.announce(&["b"]);
    stage.until("it is still listened to", |_| stage.tools() == ["b"]).await;
    assert_eq!(stage.feed.opened(), 1);
    // Another version may have other tools.
    stage.serve("2");
    until(|| (stage.feed.opened(), stage.feed.open()) == (2, 1)).await;
    stage.until("for the new version", |feed| feed.announced.is_some()).await;
    assert_eq!(stage.tools(), ["b"]);
    // Another feed.
    let other = FeedServer::start().unwrap();
    other.announce(&["other"]);
    if let Some(feed) = &mut stage.server.feed {
        feed.url.clone_from(&other.url);
    }
    stage.serve("2");
    stage.until("the other", |feed| feed.announced.is_some()).await;
    assert_eq!(stage.tools(), ["other"]);
    until(|| stage.feed.open() == 0).await;
    // None.
    stage.server.feed = None;
    stage.serve("2");
    assert!(stage.seen.borrow().is_empty());
    until(|| other.open() == 0).await;
}

#[tokio::test]
async fn listeners_end_with_the_daemon() {
    let Stage { feed, feeds, .. } = Stage::with(&["a"]).await;
    assert_eq!(feed.open(), 1);
    drop(feeds);
    until(|| feed.open() == 0).await;
}

/// Waits until something is so.
async fn until(is_so: impl Fn() -> bool) {
    let seen = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(GUARD, seen).await.is_ok(), "never");
}
