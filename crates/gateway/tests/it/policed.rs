//! What callers may do with tools, held to at each call: allowed, asked about, refused, and written down.

mod cache;
mod pending;
mod pins;
mod ways;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use switchboard_core::policy::pins::Pins;
use switchboard_core::policy::{Decision, Held, parse};
use switchboard_core::settings::Policy as Settings;
use switchboard_gateway::face::Face;
use switchboard_gateway::policy::{Audit, Entry, Holder, Policy};

use crate::client::Client;
use crate::stage::{House, Wire, named, server};

#[derive(Default)]
struct Book(Mutex<Vec<Entry>>);

impl Audit for Book {
    fn note(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }
}

impl Book {
    /// Returns what was written down since the last look: who, what, what was decided, what came of it.
    fn lines(&self) -> Vec<String> {
        let entries = std::mem::take(&mut *self.0.lock().unwrap());
        let line = |entry: Entry| {
            assert_eq!(entry.server, "k8s");
            format!("{} {} {} {}", entry.who, entry.tool, entry.decision, entry.outcome)
        };
        entries.into_iter().map(line).collect()
    }
}

struct Stage {
    house: House,
    book: Arc<Book>,
}

const TOOLS: [&str; 7] = ["list_pods", "delete_pod", "scale", "describe_node", "hang", "count", "asks"];

impl Stage {
    /// A server whose tools answer with their names, but for one that never does, and one that counts its calls.
    async fn new(file: &str, settings: impl FnOnce(&mut Settings)) -> Self {
        let stage = Self::cold(file, settings);
        stage.house.serve(server("k8s", "1")).await.unwrap();
        stage
    }

    /// The same one, not in service yet.
    fn cold(file: &str, settings: impl FnOnce(&mut Settings)) -> Self {
        let house = House::new(|_, mut wire: Wire| async move {
            let mut count = 0;
            while let Some(heard) = wire.hear().await {
                let tool = |name| json!({ "name": name, "inputSchema": { "type": "object" } });
                let said = match heard.method.as_str() {
                    "initialize" => heard.result(
                        r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}"#,
                    ),
                    "tools/list" => heard.result(&json!({ "tools": TOOLS.map(tool) }).to_string()),
                    "tools/call" if heard.line.contains("\"hang\"") => continue,
                    "tools/call" if heard.line.contains("\"asks\"") => {
                        r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?"}}"#.to_owned()
                    }
                    "tools/call" if ["requestState", "inputResponses"].iter().any(|ours| heard.line.contains(ours)) => {
                        heard.says("what is between us and the client")
                    }
                    "tools/call" if heard.line.contains("\"count\"") => {
                        count += 1;
                        heard.says(&count.to_string())
                    }
                    "tools/call" => {
                        let call: Value = serde_json::from_str(&heard.line).unwrap();
                        heard.says(call["params"]["name"].as_str().unwrap())
                    }
                    _ if heard.id.is_empty() => continue,
                    _ => heard.error(r#"{"code":-32601,"message":"no such method"}"#),
                };
                wire.say(said).await;
            }
        });
        let stage = Self { house, book: Arc::default() };
        stage.rules(file, settings);
        stage
    }

    fn rules(&self, file: &str, settings: impl FnOnce(&mut Settings)) {
        self.rules_with(file, settings, Pins::default());
    }

    fn rules_with(&self, file: &str, settings: impl FnOnce(&mut Settings), pins: Pins) {
        let parsed = parse(file);
        assert!(parsed.is_good(), "{:?}", parsed.problems);
        let mut said = Settings::default();
        settings(&mut said);
        let policy =
            Policy { file: parsed.value, settings: said, pins: pins.into(), audit: self.book.clone() };
        self.house.gateway.set_policy(Some(&Arc::new(policy)));
    }

    async fn client(&self, who: &str, held: &[&str], face: Face, capabilities: &str) -> Client {
        let holder = Holder { who: who.into(), held: Arc::new(Held::parse(held.iter().copied()).unwrap()) };
        let session = self.house.gateway.session_of(face, None, holder).unwrap();
        let mut client = Client::new(session);
        client.greet(capabilities).await;
        client.tools().await;
        client
    }

    async fn user(&self) -> Client {
        self.client("me", &["*"], Face::server(named("k8s")), "{}").await
    }
}

/// Returns the text of an answer, with `?` before a refusal.
fn text(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let refused = if answer["result"]["isError"] == true { "?" } else { "" };
    format!("{refused}{}", answer["result"]["content"][0]["text"].as_str().unwrap_or_default())
}

async fn call(client: &mut Client, id: &str, tool: &str) -> String {
    client.call(id, tool, "{}");
    text(&client.answer(id).await)
}

#[tokio::test(start_paused = true)]
async fn what_is_allowed_passes_and_what_is_denied_is_an_answer_that_a_model_can_read() {
    let stage = Stage::new("[tools.k8s.delete_pod]\ndecision = \"deny\"\n", |_| {}).await;
    let mut client = stage.user().await;
    assert_eq!(call(&mut client, "1", "list_pods").await, "list_pods");
    let denied = call(&mut client, "2", "delete_pod").await;
    assert!(
        denied.starts_with("?`delete_pod` of `k8s` was not called: the policy does not allow it"),
        "{denied}"
    );
    assert_eq!(stage.book.lines(), ["me list_pods allow ok", "me delete_pod deny denied"]);
    // The rules are others from one call to the next.
    stage.rules("", |_| {});
    assert_eq!(call(&mut client, "3", "delete_pod").await, "delete_pod");
    stage.house.gateway.set_policy(None);
    assert_eq!(call(&mut client, "4", "delete_pod").await, "delete_pod");
    assert_eq!(stage.book.lines(), ["me delete_pod allow ok"]);
}

#[tokio::test(start_paused = true)]
async fn each_caller_may_do_what_it_holds() {
    let stage = Stage::new("", |_| {}).await;
    let face = || Face::server(named("k8s"));
    let mut reader = stage.client("reader", &["gateway:mcp:use"], face(), "{}").await;
    let mut scaler = stage.client("scaler", &["k8s:*:scale"], face(), "{}").await;
    assert_eq!(call(&mut reader, "1", "list_pods").await, "list_pods");
    let lacks = call(&mut reader, "2", "scale").await;
    assert!(lacks.starts_with('?') && lacks.contains("needs the permission `k8s:"), "{lacks}");
    assert_eq!(call(&mut scaler, "3", "scale").await, "scale");
    assert!(call(&mut scaler, "4", "delete_pod").await.starts_with('?'));
    assert_eq!(
        stage.book.lines(),
        [
            "reader list_pods allow ok",
            "reader scale deny denied",
            "scaler scale allow ok",
            "scaler delete_pod deny denied"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_person_is_asked_where_the_client_can_ask_one() {
    let ask = |settings: &mut Settings| settings.decisions.high = Decision::Ask;
    let stage = Stage::new("", ask).await;
    let mut client = stage.client("me", &["*"], Face::server(named("k8s")), r#"{"elicitation":{}}"#).await;
    for (id, answer, outcome) in [
        ("1", r#""result":{"action":"accept","content":{}}"#, "delete_pod"),
        (
            "2",
            r#""result":{"action":"decline"}"#,
            "?`delete_pod` of `k8s` was not called: the user did not agree",
        ),
        (
            "3",
            r#""error":{"code":-1,"message":"no"}"#,
            "?`delete_pod` of `k8s` was not called: the user has to agree",
        ),
    ] {
        client.call(id, "delete_pod", r#"{"name":"web"}"#);
        let asked: Value = serde_json::from_str(&client.told("elicitation/create").await).unwrap();
        let message = asked["params"]["message"].as_str().unwrap();
        assert!(
            message.contains("`delete_pod` of `k8s` (risk: high)") && message.contains("web"),
            "{message}"
        );
        client.say(&format!(r#"{{"jsonrpc":"2.0","id":{},{answer}}}"#, asked["id"]));
        let said = text(&client.answer(id).await);
        assert!(said.starts_with(outcome), "{said}");
    }
    // Nobody is asked about what is safe.
    assert_eq!(call(&mut client, "4", "list_pods").await, "list_pods");
    let mut other = stage.user().await;
    assert!(call(&mut other, "5", "delete_pod").await.contains("switchboard policy approve 2"));
    assert_eq!(
        stage.book.lines(),
        [
            "me delete_pod ask ok",
            "me delete_pod ask denied",
            "me delete_pod ask pending",
            "me list_pods allow ok",
            "me delete_pod ask pending"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_has_the_time_and_the_rate_of_its_tool() {
    let file = "[tools.k8s.hang]\ntimeout = \"5s\"\n[tools.k8s.list_pods]\nrate = \"2/min\"\n";
    let stage = Stage::new(file, |_| {}).await;
    let mut client = stage.user().await;
    let begun = tokio::time::Instant::now();
    client.call("1", "hang", "{}");
    let answer = client.answer("1").await;
    assert!(answer.contains("timeout") && begun.elapsed() < Duration::from_secs(7), "{answer}");
    for id in ["2", "3"] {
        assert_eq!(call(&mut client, id, "list_pods").await, "list_pods");
    }
    let often = call(&mut client, "4", "list_pods").await;
    assert!(often.starts_with('?') && often.contains("Try again in"), "{often}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(call(&mut client, "5", "list_pods").await, "list_pods");
    let lines = stage.book.lines();
    assert_eq!(lines[0], "me hang allow timeout");
    assert_eq!(lines[3], "me list_pods deny denied");
}

#[tokio::test(start_paused = true)]
async fn no_face_is_a_way_around() {
    let off = "[tools.k8s.delete_pod]\ndecision = \"deny\"\n[tools.k8s.scale]\nenabled = false\n";
    let stage = Stage::new(off, |_| {}).await;
    let mut joint = stage.client("me", &["*"], Face::all(), "{}").await;
    assert!(call(&mut joint, "1", "k8s__delete_pod").await.starts_with('?'));
    assert!(call(&mut joint, "2", "delete_pod").await.starts_with('?'), "views call without a prefix");
    let tools = joint.tools().await;
    assert!(tools.contains(&"k8s__list_pods".to_owned()) && !tools.contains(&"k8s__scale".to_owned()));
    let search = Face { search: true, ..Face::all() };
    let mut finder = stage.client("me", &["*"], search, "{}").await;
    finder.call("3", "tool_call", r#"{"name":"k8s__delete_pod","arguments":{}}"#);
    assert!(text(&finder.answer("3").await).starts_with('?'));
    // What is not offered is not there, by its own address either.
    let mut direct = stage.user().await;
    direct.call("4", "scale", "{}");
    assert!(direct.answer("4").await.contains("Unknown tool"));
    assert!(!direct.tools().await.contains(&"scale".to_owned()));
}
