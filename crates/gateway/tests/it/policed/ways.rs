//! Every way by which a call could come past the policy, or be lost to it.

use super::pending::modern_call;
use super::*;
use crate::stage::versioned;

const ASKING: &str = r#"{"elicitation":{}}"#;

fn high_asks(settings: &mut Settings) {
    settings.decisions.high = Decision::Ask;
}

impl Stage {
    /// A client that can ask a person.
    async fn asker(&self) -> Client {
        self.client("me", &["*"], Face::server(named("k8s")), ASKING).await
    }
}

impl Stage {
    /// A client that comes before anything is known of the server, and does not wait for its own greeting to be answered.
    fn early_client(&self, mark: &str) -> Client {
        let (server, version) = versioned(server("k8s", mark));
        // Nobody is there yet who would see it come up.
        self.house.gateway.start(Arc::clone(&server), version.clone(), |_| {});
        self.house.gateway.publish(&[(server, version)], std::collections::BTreeMap::new());
        let holder = Holder { who: "me".into(), held: Arc::new(Held::parse(["*"]).unwrap()) };
        let session = self.house.gateway.session_of(Face::server(named("k8s")), None, holder).unwrap();
        let client = Client::new(session);
        client.ask("0", "initialize", r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#);
        client
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_while_a_call_waits_for_its_server_counts() {
    let stage = Stage::new("", |_| {}).await;
    let mut client = stage.user().await;
    // The next version comes up when it likes; the first call has it wait.
    let (next, version) = versioned(server("k8s", "2"));
    stage.house.gateway.start(Arc::clone(&next), version.clone(), |_| {});
    stage.house.gateway.publish(&[(next, version)], std::collections::BTreeMap::new());
    client.call("1", "delete_pod", "{}");
    stage.rules("", |settings| settings.decisions.high = Decision::Deny);
    let answer = client.answer("1").await;
    assert!(text(&answer).starts_with('?'), "{answer}");
    // And what has to be asked about by then is.
    let stage = Stage::new("", |_| {}).await;
    let mut client = stage.asker().await;
    let (next, version) = versioned(server("k8s", "2"));
    stage.house.gateway.start(Arc::clone(&next), version.clone(), |_| {});
    stage.house.gateway.publish(&[(next, version)], std::collections::BTreeMap::new());
    client.call("1", "delete_pod", "{}");
    stage.rules("", high_asks);
    let question = asked(&mut client).await;
    client.say(&format!(r#"{{"jsonrpc":"2.0","id":{question},"result":{{"action":"accept"}}}}"#));
    assert_eq!(text(&client.answer("1").await), "delete_pod");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_a_call_set_aside_comes_back_to_no_other() {
    let stage = Stage::new("[tools.k8s.delete_pod]\ndecision = \"deny\"\n", |_| {}).await;
    let holder = Holder { who: "me".into(), held: Arc::new(Held::parse(["*"]).unwrap()) };
    let session = stage.house.gateway.session_of(Face::server(named("k8s")), None, holder).unwrap();
    let mut client = Client::new(session);
    client.ask("1", "tools/call", &modern_call("asks", "{}", "", ASKING));
    let aside: Value = serde_json::from_str(&client.answer("1").await).unwrap();
    let back = format!(r#","requestState":{}"#, aside["result"]["requestState"]);
    assert!(back.contains('"'), "{aside}");
    client.ask("2", "tools/call", &modern_call("delete_pod", "{}", &back, ASKING));
    let answer = client.answer("2").await;
    assert!(answer.contains("was not called: the policy does not allow it"), "{answer}");
}

/// Returns the number of the question that a client is asked.
async fn asked(client: &mut Client) -> Value {
    let asked: Value = serde_json::from_str(&client.told("elicitation/create").await).unwrap();
    asked["id"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_wants_no_answer_is_none() {
    let stage = Stage::new("", |_| {}).await;
    let mut client = stage.user().await;
    client.say(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete_pod"}}"#);
    assert_eq!(call(&mut client, "1", "list_pods").await, "list_pods");
    assert_eq!(stage.book.lines(), ["me list_pods allow ok"]);
    let dropped = stage.house.gateway.seen()[0].counts.dropped;
    assert_eq!(dropped, 0, "the server has not answered it");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_before_the_tools_are_known_is_judged_by_what_they_are() {
    let stage = Stage::cold("", |settings| settings.decisions.high = Decision::Deny);
    let mut client = stage.early_client("1");
    client.call("1", "delete_pod", "{}");
    client.call("2", "list_pods", "{}");
    let answer = client.answer("1").await;
    assert!(text(&answer).starts_with("?`delete_pod` of `k8s` was not called"), "{answer}");
    assert_eq!(text(&client.answer("2").await), "list_pods");
    assert_eq!(stage.book.lines(), ["me delete_pod deny denied", "me list_pods allow ok"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_takes_the_question_with_it() {
    let stage = Stage::new("", high_asks).await;
    let mut client = stage.asker().await;
    client.call("1", "delete_pod", "{}");
    let question = asked(&mut client).await;
    client.call("1", "list_pods", "{}");
    assert!(client.answer("1").await.contains("in flight already"));
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    let back: Value = serde_json::from_str(&client.told("notifications/cancelled").await).unwrap();
    assert_eq!(back["params"]["requestId"], question);
    // An answer that comes all the same is to nothing.
    client.say(&format!(r#"{{"jsonrpc":"2.0","id":{question},"result":{{"action":"accept"}}}}"#));
    assert_eq!(call(&mut client, "2", "list_pods").await, "list_pods");
    assert_eq!(client.rest(), Vec::<String>::new());
    assert_eq!(stage.book.lines().last().unwrap(), "me list_pods allow ok");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_without_end() {
    let stage = Stage::new("", high_asks).await;
    let mut client = stage.asker().await;
    client.call("1", "delete_pod", "{}");
    let question = asked(&mut client).await;
    assert!(text(&client.answer("1").await).starts_with('?'));
    let back: Value = serde_json::from_str(&client.told("notifications/cancelled").await).unwrap();
    assert_eq!(back["params"]["requestId"], question);
    assert_eq!(stage.book.lines(), ["me delete_pod ask pending"]);
    assert_eq!(stage.house.gateway.waiting()[0].tool, "delete_pod", "it waits for a word from elsewhere");
}

#[tokio::test(start_paused = true)]
async fn what_a_person_agreed_to_is_not_done_where_it_was_forbidden_meanwhile() {
    let stage = Stage::new("", high_asks).await;
    let mut client = stage.asker().await;
    client.call("1", "delete_pod", "{}");
    let question = asked(&mut client).await;
    stage.rules("[tools.k8s.delete_pod]\ndecision = \"deny\"\n", high_asks);
    client.say(&format!(r#"{{"jsonrpc":"2.0","id":{question},"result":{{"action":"accept"}}}}"#));
    assert!(text(&client.answer("1").await).starts_with('?'));
}

#[tokio::test(start_paused = true)]
async fn a_hard_limit_is_one() {
    let stage = Stage::new("[tools.k8s.hang]\ntimeout = \"50s\"\nhard_timeout = \"5s\"\n", |_| {}).await;
    let mut client = stage.user().await;
    let begun = tokio::time::Instant::now();
    client.call("1", "hang", "{}");
    assert!(client.answer("1").await.contains("timeout"));
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_did_not_reach_its_server_is_written_down() {
    let stage = Stage::cold("", |_| {});
    let mut client = stage.early_client("absent");
    client.call("1", "list_pods", "{}");
    let answer = client.answer("1").await;
    assert!(answer.contains("error"), "{answer}");
    let lines = stage.book.lines();
    assert!(lines.len() == 1 && lines[0] != "me list_pods allow ok", "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_there_twice_in_another_case_is_refused() {
    let stage = Stage::new("", |_| {}).await;
    let mut client = stage.user().await;
    for (id, twin) in [("1", "Name"), ("2", "NAME"), ("3", "N\\u0061me")] {
        client.ask(id, "tools/call", &format!(r#"{{"name":"list_pods","{twin}":"delete_pod"}}"#));
        assert!(client.answer(id).await.contains("error"), "{twin}");
    }
    // What is said in arguments is of no concern.
    client.call("4", "list_pods", r#"{"Name":"x","name":"y"}"#);
    assert_eq!(text(&client.answer("4").await), "list_pods");
    let mut reader = stage.client("reader", &["gateway:mcp:use"], Face::server(named("k8s")), "{}").await;
    reader.say(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_pods","Name":"delete_pod"}}"#,
    );
    let answer = reader.answer("1").await;
    assert!(answer.contains("error") && !answer.contains("delete_pod\""), "{answer}");
}
