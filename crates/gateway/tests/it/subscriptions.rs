//! Who hears that a resource has changed (requirement C7): whoever asked for it, from the server asked once, across
//! everything that may happen to that server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;
use tokio::sync::broadcast;

use crate::client::Client;
use crate::stage::{Heard, House, Wire, mark, named, server};

/// Longer than a subscription is kept after the last one left it, and than any pause before a server is tried again.
const LATER: Duration = Duration::from_secs(2);

/// The resource that nobody may subscribe to; the server thinks about it for a while.
const REFUSED: &str = "x:no";

/// A server that says what it is told to say, and notes what it is asked.
struct Source {
    house: House,
    notes: Arc<Mutex<Vec<String>>>,
    says: broadcast::Sender<String>,
}

/// What a server is told to do that is not to say something.
const DIE: &str = "die";

impl Source {
    async fn new(is_modern: bool) -> Self {
        let (notes, says) = (Arc::<Mutex<Vec<String>>>::default(), broadcast::Sender::new(64));
        let (noted, told) = (Arc::clone(&notes), says.clone());
        let house = House::new(move |server: Server, wire: Wire| {
            play(is_modern, mark(&server), wire, told.subscribe(), Arc::clone(&noted))
        });
        house.serve(server("source", "1")).await.unwrap();
        Self { house, notes, says }
    }

    async fn client(&self) -> Client {
        self.house.client(Face::server(named("source")), "{}").await
    }

    /// Returns what the server was asked since the last look.
    async fn asked(&self) -> Vec<String> {
        tokio::time::sleep(LATER).await;
        std::mem::take(&mut *self.notes.lock().unwrap())
    }

    fn say(&self, what: &str) {
        self.says.send(what.to_owned()).expect("a server that hears");
    }

    fn changes(&self, uri: &str) {
        self.say(&updated(uri));
    }
}

fn updated(uri: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{{"uri":"{uri}"}}}}"#)
}

/// Two resources; what concerns subscriptions is noted.
async fn play(
    is_modern: bool,
    mark: String,
    mut wire: Wire,
    mut told: broadcast::Receiver<String>,
    notes: Arc<Mutex<Vec<String>>>,
) {
    let note = |what: String| notes.lock().unwrap().push(what);
    loop {
        let heard = tokio::select! {
            heard = wire.hear() => heard,
            say = told.recv() => match say.as_deref() {
                Ok(DIE) | Err(_) => return,
                Ok(say) => {
                    wire.say(say).await;
                    continue;
                }
            },
        };
        let Some(heard) = heard else { return };
        let message: Value = serde_json::from_str(&heard.line).expect("JSON");
        match heard.method.as_str() {
            "resources/subscribe" | "resources/unsubscribe" => {
                let uri = message["params"]["uri"].as_str().unwrap_or_default();
                note(format!("{mark}: {} {uri}", heard.method.trim_start_matches("resources/")));
            }
            "subscriptions/listen" => {
                let mut uris: Vec<_> = message["params"]["notifications"]["resourceSubscriptions"]
                    .as_array()
                    .map(|uris| uris.iter().filter_map(Value::as_str).collect())
                    .unwrap_or_default();
                uris.sort_unstable();
                note(format!("{mark}: listen {} as {}", uris.join(" "), heard.id));
            }
            "notifications/cancelled" => {
                note(format!("{mark}: cancelled {}", message["params"]["requestId"]));
            }
            _ => {}
        }
        if heard.line.contains(REFUSED) {
            tokio::time::sleep(LATER).await;
        }
        if let Some(answer) = answer(is_modern, &heard) {
            wire.say(answer).await;
        }
    }
}

fn answer(is_modern: bool, heard: &Heard) -> Option<String> {
    let capabilities = r#"{"resources":{"subscribe":true}}"#;
    Some(match heard.method.as_str() {
        "server/discover" if is_modern => heard.result(&format!(
            r#"{{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{capabilities}}}"#
        )),
        "initialize" => heard.result(&format!(
            r#"{{"protocolVersion":"2025-11-25","capabilities":{capabilities},"serverInfo":{{"name":"s","version":"1"}}}}"#
        )),
        "resources/list" => heard.result(r#"{"resources":[{"uri":"x:a","name":"a"},{"uri":"x:b","name":"b"},{"uri":"x:no","name":"no"}]}"#),
        "resources/templates/list" => heard.result(r#"{"resourceTemplates":[]}"#),
        "resources/subscribe" if heard.line.contains(REFUSED) => {
            heard.error(r#"{"code":-32000,"message":"that one is not watched"}"#)
        }
        "resources/subscribe" | "resources/unsubscribe" => heard.result("{}"),
        "subscriptions/listen" => return None,
        _ if heard.id.is_empty() => return None,
        _ => heard.error(r#"{"code":-32601,"message":"no such method"}"#),
    })
}

async fn subscribe(client: &mut Client, uri: &str) {
    client.ask("\"s\"", "resources/subscribe", &format!(r#"{{"uri":"{uri}"}}"#));
    let answer = client.answer("\"s\"").await;
    assert!(answer.contains("\"result\":{}"), "{answer}");
}

async fn unsubscribe(client: &mut Client, uri: &str) {
    client.ask("\"u\"", "resources/unsubscribe", &format!(r#"{{"uri":"{uri}"}}"#));
    client.answer("\"u\"").await;
}

#[tokio::test(start_paused = true)]
async fn fifty_clients_of_one_resource_are_one_subscription_until_the_last_has_left() {
    let source = Source::new(false).await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = source.client().await;
        subscribe(&mut client, "x:a").await;
        clients.push(client);
    }
    let mut other = source.client().await;
    subscribe(&mut other, "x:b").await;
    assert_eq!(source.asked().await, ["1: subscribe x:a", "1: subscribe x:b"]);
    source.changes("x:a");
    for client in &mut clients {
        assert_eq!(client.told("notifications/resources/updated").await, updated("x:a"));
    }
    assert_eq!(other.rest(), Vec::<String>::new());
    // One stays, and leaves without a word.
    let last = clients.pop().unwrap();
    for client in &mut clients {
        unsubscribe(client, "x:a").await;
    }
    assert_eq!(source.asked().await, Vec::<String>::new());
    source.changes("x:a");
    tokio::time::sleep(LATER).await;
    assert!(clients.iter_mut().all(|client| client.rest().is_empty()));
    drop(last);
    assert_eq!(source.asked().await, ["1: unsubscribe x:a"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_and_comes_back_at_once_was_never_gone() {
    let source = Source::new(false).await;
    let mut client = source.client().await;
    subscribe(&mut client, "x:a").await;
    unsubscribe(&mut client, "x:a").await;
    subscribe(&mut client, "x:a").await;
    let asked = source.asked().await;
    assert!(!asked.contains(&"1: unsubscribe x:a".to_owned()), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_refused_to_everybody_who_asked_meanwhile() {
    let source = Source::new(false).await;
    let (mut one, mut two) = (source.client().await, source.client().await);
    for client in [&one, &two] {
        client.ask("1", "resources/subscribe", r#"{"uri":"x:no"}"#);
    }
    for client in [&mut one, &mut two] {
        let answer = client.answer("1").await;
        assert!(answer.contains("that one is not watched"), "{answer}");
    }
    assert_eq!(source.asked().await, ["1: subscribe x:no"]);
    source.changes("x:no");
    tokio::time::sleep(LATER).await;
    assert!(one.rest().is_empty() && two.rest().is_empty());
    // Whoever asks later hears it from the server again.
    subscribe(&mut one, "x:a").await;
    two.ask("2", "resources/subscribe", r#"{"uri":"x:no"}"#);
    assert!(two.answer("2").await.contains("that one is not watched"));
    assert_eq!(source.asked().await, ["1: subscribe x:a", "1: subscribe x:no"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_word_of_a_client_that_waits_for_no_answer_is_what_stands() {
    for (words, stays) in
        [(&["subscribe", "unsubscribe", "subscribe"][..], true), (&["subscribe", "unsubscribe"], false)]
    {
        let source = Source::new(false).await;
        let mut client = source.client().await;
        for (at, word) in words.iter().enumerate() {
            client.ask(&at.to_string(), &format!("resources/{word}"), r#"{"uri":"x:a"}"#);
        }
        for at in 0..words.len() {
            let answer = client.answer(&at.to_string()).await;
            assert!(answer.contains("\"result\":{}"), "{words:?} {at}: {answer}");
        }
        let asked = source.asked().await;
        let last = asked.last().map(String::as_str);
        assert!(matches!(last, None | Some("1: unsubscribe x:a")) != stays, "{words:?}: {asked:?}");
        source.changes("x:a");
        tokio::time::sleep(LATER).await;
        assert_eq!(client.rest().len(), usize::from(stays), "{words:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stateless_server_is_asked_once_for_all_that_one_request_wants() {
    let source = Source::new(true).await;
    let session = source.house.gateway.session(Face::server(named("source")), None).unwrap();
    let mut client = Client::new(session);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    client.ask("\"list\"", "resources/list", &json!({ "_meta": meta }).to_string());
    client.answer("\"list\"").await;
    source.asked().await;
    let filter = json!({ "resourceSubscriptions": ["x:a", "x:b"] });
    client.ask("7", "subscriptions/listen", &json!({ "_meta": meta, "notifications": filter }).to_string());
    let asked = source.asked().await;
    let listens: Vec<_> = asked.iter().filter(|note| note.contains("listen")).collect();
    assert!(matches!(listens[..], [one] if one.starts_with("1: listen x:a x:b as ")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_is_asked_again_and_what_changed_meanwhile_is_told() {
    let source = Source::new(false).await;
    let mut client = source.client().await;
    subscribe(&mut client, "x:a").await;
    // Long enough that it would not be started again for nobody.
    tokio::time::sleep(Duration::from_secs(60)).await;
    source.asked().await;
    source.say(DIE);
    assert_eq!(source.asked().await, ["1: subscribe x:a"]);
    assert_eq!(client.rest(), [updated("x:a")]);
    source.changes("x:a");
    assert_eq!(client.told("notifications/resources/updated").await, updated("x:a"));
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_news_are_wanted_is_not_stopped_though_nobody_calls() {
    let source = Source::new(false).await;
    let mut client = source.client().await;
    subscribe(&mut client, "x:a").await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(source.house.stage.running("source").0, 1);
    unsubscribe(&mut client, "x:a").await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(source.house.stage.running("source").0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_version_of_a_server_is_asked_for_what_the_old_one_was() {
    let source = Source::new(false).await;
    let mut client = source.client().await;
    subscribe(&mut client, "x:a").await;
    source.asked().await;
    source.house.serve(server("source", "2")).await.unwrap();
    assert_eq!(source.asked().await, ["2: subscribe x:a"]);
    assert_eq!(client.rest(), [updated("x:a")]);
    source.changes("x:a");
    assert_eq!(client.told("notifications/resources/updated").await, updated("x:a"));
}

#[tokio::test(start_paused = true)]
async fn a_stateless_server_is_listened_to_anew_before_it_is_let_go() {
    let source = Source::new(true).await;
    let mut client = source.client().await;
    let asked = source.asked().await;
    let number = |note: &str| note.rsplit(' ').next().unwrap_or_default().to_owned();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with("1: listen  as "), "{asked:?}");
    let before = number(&asked[0]);
    subscribe(&mut client, "x:a").await;
    let asked = source.asked().await;
    assert!(asked[0].starts_with("1: listen x:a as "), "{asked:?}");
    assert_eq!(asked[1..], [format!("1: cancelled {before}")], "nothing falls between the two");
    source.changes("x:a");
    assert_eq!(client.told("notifications/resources/updated").await, updated("x:a"));
    // It ends the news by itself, and is asked again.
    source.say(&format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{"resultType":"complete"}}}}"#,
        number(&asked[0])
    ));
    let asked = source.asked().await;
    assert!(asked.len() == 1 && asked[0].starts_with("1: listen x:a as "), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn listening_is_no_use_of_a_server_and_no_call_to_wait_for() {
    let source = Source::new(true).await;
    let _client = source.client().await;
    source.house.serve(server("source", "2")).await.unwrap();
    source.asked().await;
    assert_eq!(
        source.house.stage.running("source").0,
        1,
        "the old version has gone, long before it would have to"
    );
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(source.house.stage.running("source").0, 0, "nobody used it");
}

#[tokio::test(start_paused = true)]
async fn a_stateless_server_that_ends_its_news_again_and_again_is_asked_more_and_more_rarely() {
    let house = House::new(|_, mut wire: Wire| async move {
        let mut asked = 0;
        while let Some(heard) = wire.hear().await {
            match heard.method.as_str() {
                "subscriptions/listen" => {
                    asked += 1;
                    wire.say(heard.result(r#"{"resultType":"complete"}"#)).await;
                }
                "tools/call" => wire.say(heard.says(&asked.to_string())).await,
                _ => {
                    if let Some(answer) = answer(true, &heard) {
                        wire.say(answer).await;
                    }
                }
            }
        }
    });
    house.serve(server("source", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("source")), "{}").await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    let asked: usize = client.outcome("1", "how often", "{}").await.parse().unwrap();
    assert!((3..60).contains(&asked), "not once a second for 300 s: {asked}");
}

#[tokio::test(start_paused = true)]
async fn a_stateless_client_hears_under_the_id_of_its_request_until_it_has_had_enough() {
    let source = Source::new(false).await;
    let session = source.house.gateway.session(Face::server(named("source")), None).unwrap();
    let mut client = Client::new(session);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    client.ask("\"list\"", "resources/list", &json!({ "_meta": meta }).to_string());
    client.answer("\"list\"").await;
    let filter =
        json!({ "toolsListChanged": true, "promptsListChanged": false, "resourceSubscriptions": ["x:a"] });
    for id in ["7", "\"7\""] {
        let params = json!({ "_meta": meta, "notifications": filter }).to_string();
        client.ask(id, "subscriptions/listen", &params);
        let told: Value =
            serde_json::from_str(&client.told("notifications/subscriptions/acknowledged").await).unwrap();
        let honoured = json!({ "toolsListChanged": true, "resourceSubscriptions": ["x:a"] });
        assert_eq!(told["params"]["notifications"], honoured);
        assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].to_string(), id);
    }
    assert_eq!(source.asked().await, ["1: subscribe x:a"]);
    source.changes("x:a");
    let mut tags = BTreeMap::new();
    for _ in 0..2 {
        let told: Value =
            serde_json::from_str(&client.told("notifications/resources/updated").await).unwrap();
        assert_eq!(told["params"]["uri"], "x:a");
        let tag = told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].to_string();
        *tags.entry(tag).or_insert(0) += 1;
    }
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("\"7\"".to_owned(), 1), ("7".to_owned(), 1)]);
    let cancel = |id| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"_meta":{meta}}}}}"#
        )
    };
    client.say(&cancel("7"));
    assert_eq!(source.asked().await, Vec::<String>::new(), "the other still wants it");
    client.say(&cancel("\"7\""));
    assert_eq!(source.asked().await, ["1: unsubscribe x:a"]);
}
