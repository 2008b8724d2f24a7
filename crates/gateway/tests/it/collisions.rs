//! Two servers of which each has a resource of the same address (requirement C3): clients of both can tell them apart, and
//! what they are told leads back to whoever said it. What does not collide passes as it is.

mod shelf;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use switchboard_core::catalogue::Server;
use switchboard_core::launch::{Launch, Remote};
use switchboard_core::policy::parse;
use switchboard_core::settings::Policy as Settings;
use switchboard_gateway::face::Face;
use switchboard_gateway::policy::{Audit, Entry, Policy};

use crate::client::Client;
use crate::rogue::{Rogue, json as message, whole};
use crate::stage::{named, server};
use shelf::{ADDRESSES, Era, Shelf, asked, shown};

/// The addresses of `b`, as clients of both know them.
const OF_B: [&str; 2] = ["ui://switchboard~b/clock", "x://switchboard~b/7"];

fn strings(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    items.iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_keeps_its_address_and_that_of_the_other_is_marked() {
    for (servers, clients) in Era::pairs() {
        let shelf = Shelf::new(servers, &["a", "b"]).await;
        let mut client = shelf.client(clients, Face::all()).await;
        let listed = asked(&mut client, clients, "resources/list", json!({})).await;
        let uris = strings(&listed["resources"], "uri");
        assert_eq!(uris, ["ui://clock", "x:only-a", OF_B[0], "x:only-b"], "{servers:?} {clients:?}");
        let listed = asked(&mut client, clients, "resources/templates/list", json!({})).await;
        let templates = strings(&listed["resourceTemplates"], "uriTemplate");
        assert_eq!(templates, ["x://{id}", "x://switchboard~b/{id}"]);
        let listed = asked(&mut client, clients, "tools/list", json!({})).await;
        for (at, uri) in [ADDRESSES[0], OF_B[0]].into_iter().enumerate() {
            let meta = &listed["tools"][at]["_meta"];
            assert_eq!(*meta, json!({ "ui": { "resourceUri": uri, "x": 1 }, "ui/resourceUri": uri }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_tool_or_prompt_links_to_is_read_at_the_server_that_said_it() {
    for (servers, clients) in Era::pairs() {
        let shelf = Shelf::new(servers, &["a", "b"]).await;
        let mut client = shelf.client(clients, Face::all()).await;
        for (name, [clock, seven]) in [("a", ADDRESSES), ("b", OF_B)] {
            let expected: Value = serde_json::from_str(&shown(name, [clock, seven])).unwrap();
            let call = json!({ "name": format!("{name}__show") });
            let told = asked(&mut client, clients, "tools/call", call).await;
            assert_eq!((&told["content"], &told["_meta"]), (&expected["content"], &expected["_meta"]));
            let prompt = json!({ "name": format!("{name}__tell") });
            let told = asked(&mut client, clients, "prompts/get", prompt).await;
            assert_eq!(told["messages"][0]["content"]["resource"]["uri"], clock);
            let only = format!("x:only-{name}");
            for (uri, own) in [(clock, ADDRESSES[0]), (seven, ADDRESSES[1]), (&only, &only)] {
                let read = asked(&mut client, clients, "resources/read", json!({ "uri": uri })).await;
                assert_eq!(read["contents"], json!([{ "uri": uri, "text": format!("{name} has {own}") }]));
            }
            let directory = json!({ "uri": seven });
            let read = asked(&mut client, clients, "resources/directory/read", directory).await;
            assert_eq!(read["resources"], json!([{ "uri": seven, "name": name }]));
            let template = if name == "a" { "x://{id}" } else { "x://switchboard~b/{id}" };
            let reference = json!({ "type": "ref/resource", "uri": template });
            let params = json!({ "ref": reference, "argument": { "name": "id", "value": "" } });
            let told = asked(&mut client, clients, "completion/complete", params).await;
            assert_eq!(told["completion"]["values"], json!([format!("{name} completes x://{{id}}")]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_subscribes_hears_of_the_one_that_was_meant() {
    for servers in [Era::Legacy, Era::Modern] {
        let shelf = Shelf::new(servers, &["a", "b"]).await;
        let mut both = shelf.client(Era::Legacy, Face::all()).await;
        let mut other = shelf.client(Era::Legacy, Face::all()).await;
        for uri in [ADDRESSES[0], OF_B[0], OF_B[1]] {
            let answer = asked(&mut both, Era::Legacy, "resources/subscribe", json!({ "uri": uri })).await;
            assert_eq!(answer, json!({}));
        }
        asked(&mut other, Era::Legacy, "resources/subscribe", json!({ "uri": ADDRESSES[0] })).await;
        shelf.settled().await;
        for (name, own, public) in
            [("b", ADDRESSES[0], OF_B[0]), ("b", ADDRESSES[1], OF_B[1]), ("a", ADDRESSES[0], ADDRESSES[0])]
        {
            shelf.changes(name, own);
            assert_eq!(both.told("notifications/resources/updated").await, shelf::updated(public));
        }
        assert_eq!(other.told("notifications/resources/updated").await, shelf::updated(ADDRESSES[0]));
        asked(&mut both, Era::Legacy, "resources/unsubscribe", json!({ "uri": OF_B[0] })).await;
        shelf.settled().await;
        shelf.changes("b", ADDRESSES[0]);
        shelf.settled().await;
        assert_eq!((both.rest(), other.rest()), (Vec::new(), Vec::new()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stateless_client_listens_to_the_one_that_was_meant() {
    for servers in [Era::Legacy, Era::Modern] {
        let shelf = Shelf::new(servers, &["a", "b"]).await;
        let mut client = shelf.client(Era::Modern, Face::all()).await;
        asked(&mut client, Era::Modern, "resources/list", json!({})).await;
        let filter = json!({ "resourceSubscriptions": [OF_B[0]] });
        Era::Modern.ask(&client, "7", "subscriptions/listen", json!({ "notifications": filter }));
        let told = client.told("notifications/subscriptions/acknowledged").await;
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["params"]["notifications"], filter);
        shelf.settled().await;
        shelf.changes("a", ADDRESSES[0]);
        shelf.changes("b", ADDRESSES[0]);
        let told = client.told("notifications/resources/updated").await;
        let told: Value = serde_json::from_str(&told).unwrap();
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": 7 });
        assert_eq!(told["params"], json!({ "uri": OF_B[0], "_meta": meta }));
        shelf.settled().await;
        assert_eq!(client.rest(), Vec::<String>::new());
    }
}

async fn call(client: &mut Client, tool: &str) -> String {
    client.call("1", tool, "{}");
    client.answer("1").await
}

/// Returns what is told of a call of the tool of this name's server, if it is of these addresses.
fn said(name: &str, addresses: [&str; 2]) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{}}}"#, shown(name, addresses))
}

#[tokio::test(start_paused = true)]
async fn what_does_not_collide_passes_byte_for_byte() {
    let shelf = Shelf::new(Era::Legacy, &["a", "b"]).await;
    let mut both = shelf.client(Era::Legacy, Face::all()).await;
    assert_eq!(call(&mut both, "a__show").await, said("a", ADDRESSES), "it was there first");
    assert_eq!(call(&mut both, "b__show").await, said("b", OF_B), "only the addresses differ");
    let mut alone = shelf.client(Era::Legacy, Face::server(named("b"))).await;
    assert_eq!(call(&mut alone, "show").await, said("b", ADDRESSES), "there is no other");
    // `c` has nothing that anybody else has.
    let shelf = Shelf::new(Era::Legacy, &["a", "c"]).await;
    let mut both = shelf.client(Era::Legacy, Face::all()).await;
    for name in ["a", "c"] {
        assert_eq!(call(&mut both, &format!("{name}__show")).await, said(name, ADDRESSES));
    }
    let listed = asked(&mut both, Era::Legacy, "resources/list", json!({})).await;
    assert_eq!(strings(&listed["resources"], "uri"), ["ui://clock", "x:only-a", "x:only-c"]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_given_again_has_the_addresses_of_the_face_that_it_is_for() {
    let shelf = Shelf::new(Era::Legacy, &["a", "b"]).await;
    let file = parse("[tools.b.show]\nrisk = \"safe\"\ncache_ttl = \"60s\"\n").value;
    let settings = Settings { cache: true, ..Settings::default() };
    let policy = Policy { file, settings, pins: Arc::default(), audit: Arc::new(Nobody) };
    shelf.house.gateway.set_policy(Some(&Arc::new(policy)));
    let mut both = shelf.client(Era::Legacy, Face::all()).await;
    let mut alone = shelf.client(Era::Legacy, Face::server(named("b"))).await;
    for _ in 0..2 {
        for (client, tool, addresses) in [(&mut both, "b__show", OF_B), (&mut alone, "show", ADDRESSES)] {
            client.call("1", tool, "{}");
            let told: Value = serde_json::from_str(&client.answer("1").await).unwrap();
            let expected: Value = serde_json::from_str(&said("b", addresses)).unwrap();
            assert_eq!(told, expected);
        }
    }
    let calls = shelf.house.gateway.seen().into_iter().find(|seen| seen.name == named("b")).unwrap().counts;
    assert_eq!(calls.cached, 2, "each was given again");
}

/// Writes nothing down.
struct Nobody;

impl Audit for Nobody {
    fn note(&self, _: Entry) {}
}

#[tokio::test(start_paused = true)]
async fn an_address_that_a_client_kept_leads_to_its_server_when_nobody_else_has_it_any_more() {
    let shelf = Shelf::new(Era::Legacy, &["a", "b"]).await;
    shelf.house.remove("a");
    let mut client = shelf.client(Era::Legacy, Face::all()).await;
    let listed = asked(&mut client, Era::Legacy, "resources/list", json!({})).await;
    assert_eq!(strings(&listed["resources"], "uri"), ["ui://clock", "x:only-b"]);
    for uri in [ADDRESSES[0], OF_B[0]] {
        let read = asked(&mut client, Era::Legacy, "resources/read", json!({ "uri": uri })).await;
        assert_eq!(read["contents"][0]["text"], "b has ui://clock");
    }
    // Of a server that is not there it is nobody's.
    client.ask("9", "resources/read", r#"{"uri":"odd:switchboard~a/clock"}"#);
    let answer = client.answer("9").await;
    assert!(answer.contains("b has odd:switchboard~a/clock"), "the only one may know it: {answer}");
    shelf.house.serve(server("a", "legacy")).await.unwrap();
    assert!(client.told("notifications/resources/list_changed").await.contains("resources"));
    let listed = asked(&mut client, Era::Legacy, "resources/list", json!({})).await;
    assert_eq!(strings(&listed["resources"], "uri"), ["ui://clock", "x:only-a", OF_B[0], "x:only-b"]);
    // Of several servers nobody knows it, and that has a code of its own in this era.
    for method in ["resources/read", "resources/subscribe"] {
        client.ask("10", method, r#"{"uri":"zz://none"}"#);
        let answer = client.answer("10").await;
        assert!(answer.contains(r#""code":-32002"#), "{method}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_looks_like_ours_is_never_taken_for_one() {
    // `z` is a gateway itself, and has a `b` of its own.
    let shelf = Shelf::new(Era::Legacy, &["b", "z"]).await;
    let mut client = shelf.client(Era::Legacy, Face::all()).await;
    let listed = asked(&mut client, Era::Legacy, "resources/list", json!({})).await;
    let marked = "ui://switchboard~z/switchboard~b/clock";
    assert_eq!(strings(&listed["resources"], "uri"), ["ui://clock", "x:only-b", marked, "x:only-z"]);
    for (uri, text) in [(marked, "z has ui://switchboard~b/clock"), (OF_B[0], "b has ui://clock")] {
        let read = asked(&mut client, Era::Legacy, "resources/read", json!({ "uri": uri })).await;
        assert_eq!(read["contents"][0]["text"], text);
    }
}

#[tokio::test(start_paused = true)]
async fn the_header_of_a_remote_server_repeats_its_own_address() {
    let shelf = Shelf::new(Era::Modern, &["a"]).await;
    let names = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&names);
    let rogue = Rogue::start(move |mut line| {
        let noted = Arc::clone(&noted);
        async move {
            while let Some(head) = line.head().await {
                let heard = line.message(&head).await;
                noted.lock().unwrap().extend(head.header("mcp-name").map(str::to_owned));
                let answer = heard.and_then(|heard| shelf::answer("b", true, &heard));
                line.say(answer.map_or_else(|| whole(202, &[], ""), |answer| message(&answer))).await;
            }
        }
    })
    .await;
    let launch = Launch::Remote { kind: Remote::Http, url: rogue.url("/mcp"), headers: BTreeMap::new() };
    shelf.house.serve(Server::new(named("b"), launch)).await.unwrap();
    for clients in [Era::Legacy, Era::Modern] {
        let mut client = shelf.client(clients, Face::all()).await;
        let read = asked(&mut client, clients, "resources/read", json!({ "uri": OF_B[0] })).await;
        assert_eq!(read["contents"], json!([{ "uri": OF_B[0], "text": "b has ui://clock" }]));
        assert_eq!(std::mem::take(&mut *names.lock().unwrap()), [ADDRESSES[0]]);
    }
}
