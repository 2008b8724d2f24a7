//! A remote server that is odd until it is mended, on each of the remote transports.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use switchboard_core::catalogue::Server;
use switchboard_core::launch::{Launch, Remote};
use switchboard_gateway::MESSAGE_LIMIT;
use switchboard_gateway::face::Face;
use tokio::sync::{Notify, watch};

use super::messages::{self, Out};
use super::{BACK_OFF, LIMIT, SLACK};
use crate::client::{Client, outcome};
use crate::rogue::{END, EVENTS, Head, Line, Rogue, json, piece, whole};
use crate::stage::{Count, Heard, House, Wire, named, ordinary, server};
use crate::still::{Still, rest};

/// The remote transports; the newer one in the two ways that make a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Streamable HTTP, with a handshake and a session.
    Legacy,
    /// Streamable HTTP, stateless.
    Modern,
    /// HTTP with server-sent events.
    Sse,
}

/// All of them.
pub(super) const WAYS: [Way; 3] = [Way::Legacy, Way::Modern, Way::Sse];

/// Which requests are answered oddly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// All, so that it does not come up.
    Always,
    /// Calls of tools.
    Calls,
    /// Questions which tools there are.
    Lists,
}

/// What a server does with a request that it answers oddly: the whole answer where it has the line, else what is
/// ordinary follows.
pub(super) type Door = fn(Story, Heard, Head, Line) -> BoxFuture<'static, Option<Line>>;

/// One way to misbehave.
#[derive(Clone)]
pub(super) struct Story(Arc<Inside>);

/// What its connections share.
pub(super) struct Inside {
    pub(super) way: Way,
    pub(super) how: &'static str,
    when: When,
    door: Door,
    odd: watch::Sender<bool>,
    /// Rings when something odd begins.
    caught: Notify,
    /// Has how many bytes somebody took of a flood, once it is over.
    pub(super) flooded: watch::Sender<Option<usize>>,
    /// Where it leads to, where it leads elsewhere.
    pub(super) elsewhere: Mutex<String>,
    /// How often something odd has begun.
    pub(super) times: Count,
    /// How many calls it was told to be given up.
    pub(super) cancelled: Count,
    /// A call that it answers when it is given up.
    pub(super) held: Mutex<Option<Heard>>,
    /// The stream of the transport of 2024; or what a server says of its own accord.
    stream: tokio::sync::Mutex<Option<Line>>,
    told: Told,
}

impl std::ops::Deref for Story {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

/// The answers to questions of the server's.
#[derive(Default)]
pub(super) struct Told {
    answers: Mutex<VecDeque<String>>,
    bell: Notify,
}

impl Told {
    fn put(&self, answer: String) {
        self.answers.lock().unwrap().push_back(answer);
        self.bell.notify_one();
    }

    /// Waits for the next.
    pub(super) async fn next(&self) -> String {
        loop {
            if let Some(answer) = self.answers.lock().unwrap().pop_front() {
                return answer;
            }
            self.bell.notified().await;
        }
    }
}

/// A server of this kind.
pub(super) struct Far {
    pub(super) rogue: Rogue,
    pub(super) story: Story,
}

impl Far {
    /// Returns one that misbehaves in this way from now on.
    pub(super) async fn start(way: Way, how: &'static str, when: When, door: Door) -> Self {
        let story = Story(Arc::new(Inside {
            way,
            how,
            when,
            door,
            odd: watch::Sender::new(true),
            caught: Notify::new(),
            flooded: watch::Sender::new(None),
            elsewhere: Mutex::default(),
            times: Count::default(),
            cancelled: Count::default(),
            held: Mutex::default(),
            stream: tokio::sync::Mutex::default(),
            told: Told::default(),
        }));
        let shared = story.clone();
        let rogue = Rogue::start(move |line| attend(shared.clone(), line)).await;
        Self { rogue, story }
    }

    /// Returns it as the catalogue has it. Its header is for nobody else.
    pub(super) fn server(&self) -> Server {
        let kind = if self.story.way == Way::Sse { Remote::Sse } else { Remote::Http };
        let headers = [("X-Secret".to_owned(), "s3cret".to_owned())].into();
        let launch = Launch::Remote { kind, url: self.rogue.url("/mcp"), headers };
        Server { timeout: Some(LIMIT), ..Server::new(named("odd"), launch) }
    }

    /// It is well from now on.
    pub(super) fn mend(&self) {
        self.story.odd.send_replace(false);
    }

    /// Waits until it has begun to misbehave.
    pub(super) async fn caught(&self) {
        self.story.caught.notified().await;
    }
}

impl Story {
    fn is_odd(&self, heard: Option<&Heard>) -> bool {
        *self.odd.borrow()
            && match self.when {
                When::Always => true,
                When::Calls => heard.is_some_and(|heard| heard.method == "tools/call"),
                When::Lists => heard.is_some_and(|heard| heard.method == "tools/list"),
            }
    }

    /// Waits until it is to be well.
    pub(super) async fn mended(&self) {
        let _ = self.odd.subscribe().wait_for(|odd| !odd).await;
    }

    /// Something odd begins.
    pub(super) fn begins(&self) {
        self.times.up();
        self.caught.notify_one();
    }
}

/// The way to misbehave that needs a stream of the server's own on every transport.
pub(super) const CHANGES: &str = "changes and changes";

/// By which a server says so.
pub(super) const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

/// Attends to one connection.
async fn attend(story: Story, mut line: Line) {
    while let Some(head) = line.head().await {
        // What is so large is there for this alone.
        if story.how == "never reads" && head.length() > 1 << 20 {
            story.begins();
            return std::future::pending().await;
        }
        let heard = if head.length() == 0 { None } else { line.message(&head).await };
        if story.is_odd(heard.as_ref()) {
            story.begins();
            let nothing = Heard::read("{}".to_owned());
            let said =
                (story.door)(story.clone(), heard.clone().unwrap_or(nothing), head.clone(), line).await;
            let Some(left) = said else { return };
            line = left;
            continue;
        }
        match (heard, story.way) {
            (None, Way::Sse) if head.verb == "GET" => {
                line.say(EVENTS).await;
                line.say(piece(b"event: endpoint\ndata: /post\n\n")).await;
                *story.stream.lock().await = Some(line);
                return;
            }
            (None, Way::Legacy) if head.verb == "GET" && story.how == CHANGES => {
                line.say(EVENTS).await;
                return story.speaks(line).await;
            }
            (Some(heard), Way::Modern) if heard.method == "subscriptions/listen" && story.how == CHANGES => {
                line.say(EVENTS).await;
                return story.speaks(line).await;
            }
            (None, _) => drop(line.say(whole(405, &[], "")).await),
            (Some(heard), _) if heard.id.is_empty() => {
                line.say(whole(202, &[], "")).await;
                if heard.method == "notifications/cancelled" {
                    story.cancelled.up();
                    let held = story.held.lock().unwrap().take();
                    if let Some(held) = held {
                        story.say(&held.says("late")).await;
                    }
                }
            }
            (Some(heard), _) if heard.method.is_empty() => {
                story.told.put(heard.line);
                line.say(whole(202, &[], "")).await;
            }
            (Some(heard), way) => {
                let answer = answer(way, &heard);
                if way == Way::Sse {
                    line.say(whole(202, &[], "")).await;
                    story.say(&answer).await;
                } else if heard.method == "initialize" {
                    let headers = [("Content-Type", "application/json"), ("Mcp-Session-Id", "s1")];
                    line.say(whole(200, &headers, &answer)).await;
                } else {
                    line.say(json(&answer)).await;
                }
            }
        }
    }
}

impl Story {
    /// Says from now on what it wants, and that its tools have changed.
    async fn speaks(&self, line: Line) {
        *self.stream.lock().await = Some(line);
        self.say(CHANGED).await;
    }

    /// Says a message on its stream.
    pub(super) async fn say(&self, message: &str) {
        let mut stream = self.stream.lock().await;
        if let Some(line) = stream.as_mut() {
            Out::Events(line, &self.told).say(message).await;
        }
    }
}

/// Returns what a server that is well answers.
pub(super) fn answer(way: Way, heard: &Heard) -> String {
    match (way, heard.method.as_str()) {
        (_, "tools/call") => heard.says("well"),
        (Way::Modern, "server/discover") => heard.result(
            r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#,
        ),
        (Way::Modern, "subscriptions/listen") => heard.error(r#"{"code":-32601,"message":"no such method"}"#),
        _ => ordinary(heard, &["echo"]).unwrap_or_else(|| heard.error(r#"{"code":-32601,"message":"no"}"#)),
    }
}

/// Says what is odd about messages: as the answer to a POST, or on the stream.
pub(super) fn of_messages(
    story: Story,
    heard: Heard,
    _: Head,
    mut line: Line,
) -> BoxFuture<'static, Option<Line>> {
    Box::pin(async move {
        if story.way == Way::Sse {
            // Nothing more is heard on this connection, so that nobody may be left to use it again.
            line.say(whole(202, &[("Connection", "close")], "")).await;
            drop(line);
            let mut stream = story.stream.lock().await;
            let mut out = Out::Events(stream.as_mut()?, &story.told);
            messages::misbehave(story.how, &heard, &mut out).await;
            return None;
        }
        line.say(EVENTS).await;
        messages::misbehave(story.how, &heard, &mut Out::Events(&mut line, &story.told)).await;
        line.say(END).await;
        Some(line)
    })
}

/// So much the kernel may keep of a flood that nobody reads: what it gives a socket grows with the flood, on some systems
/// to 32 MiB and more.
const KERNEL: usize = 64 << 20;

/// Returns whether so many bytes are no more than one message, and what the kernel keeps between two ends.
pub(super) fn is_little(took: usize) -> bool {
    took <= MESSAGE_LIMIT + KERNEL
}

/// A gateway with a server that is well and one that is not, and a client of each.
pub(super) struct Scene {
    pub(super) still: Still,
    pub(super) house: House,
    pub(super) client: Client,
    pub(super) other: Client,
}

impl Scene {
    /// Returns the scene; both servers are up, unless the odd one cannot come up.
    pub(super) async fn set(far: &Far) -> Self {
        let what = format!("{:?}, {}", far.story.way, far.story.how);
        let still = Still::begin();
        let house = House::new(|_, wire: Wire| wire.answers(&["echo"], "well"));
        house.serve(server("fine", "1")).await.unwrap();
        house.serve(far.server()).await.unwrap();
        let other = still.at_once(&what, house.client(Face::server(named("fine")), "{}")).await;
        let client = if far.story.when == When::Always {
            Client::new(house.gateway.session(Face::server(named("odd")), None).unwrap())
        } else {
            still.at_once(&what, house.client(Face::server(named("odd")), "{}")).await
        };
        Self { still, house, client, other }
    }

    /// Plays one way to misbehave, which has to be seen as `first` by the caller concerned, and by nobody else.
    pub(super) async fn play(&mut self, far: &Far, first: &str, arguments: &str) {
        let Self { still, client, other, .. } = self;
        let what = format!("{:?}, {:?}, {}", far.story.way, far.story.when, far.story.how);
        client.call("1", "echo", arguments);
        still.at_once(&what, far.caught()).await;
        let fine = still.at_once(&what, other.outcome("1", "echo", "{}")).await;
        assert_eq!(fine, "well", "{what}: the other server");
        let answering = client.answer("1");
        let answer = match (far.story.when, first) {
            (When::Calls, "!timeout") => still.between(&what, LIMIT, LIMIT + SLACK, answering).await,
            (When::Calls | When::Lists, _) => still.at_once(&what, answering).await,
            // It may be tried more than once.
            (When::Always, _) => still.within(&what, LIMIT + SLACK, answering).await,
        };
        assert_eq!(outcome(&answer), first, "{what}: {answer}");
        let fine = still.at_once(&what, other.outcome("2", "echo", "{}")).await;
        assert_eq!(fine, "well", "{what}: the other server, after");
    }

    /// Whatever floods the gateway is left before it got rid of much more than one message, and what the kernel keeps.
    pub(super) async fn took_little(&self, far: &Far) {
        let mut flooded = far.story.flooded.subscribe();
        let what = format!("{:?}, {:?}, {}", far.story.way, far.story.when, far.story.how);
        let over = self.still.at_once(&what, flooded.wait_for(Option::is_some)).await;
        let took = over.ok().and_then(|took| *took).unwrap_or_default();
        assert!(is_little(took), "{what}: {took} bytes");
    }

    /// The fault is over: the next call finds the server well.
    pub(super) async fn recovers(&mut self, far: &Far) {
        let Self { still, client, other, house } = self;
        let what = format!("{:?}, {:?}, {}", far.story.way, far.story.when, far.story.how);
        far.mend();
        // An attempt that hung comes to its end.
        rest().await;
        // What has failed more than once waits longer.
        let pause = if far.story.when == When::Always { BACK_OFF * 4 } else { BACK_OFF };
        let next = still.within(&what, pause, client.outcome("2", "echo", "{}")).await;
        assert_eq!(next, "well", "{what}: the next call");
        let rest: Vec<String> =
            client.rest().into_iter().filter(|line| !line.contains("\"method\":\"notifications/")).collect();
        assert_eq!(rest, Vec::<String>::new(), "{what}");
        assert_eq!(other.rest(), Vec::<String>::new(), "{what}");
        assert_eq!(house.stage.running("fine"), (1, 1), "{what}");
    }

    /// Plays it whole.
    pub(super) async fn judge(far: &Far, first: &str) {
        let mut scene = Self::set(far).await;
        scene.play(far, first, "{}").await;
        scene.recovers(far).await;
    }
}
