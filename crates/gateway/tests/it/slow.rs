//! Servers that are slow to come up, or never do, and those who are beside them.

use std::time::Duration;

use serde_json::Value;
use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;
use tokio::time::Instant;

use crate::client::Client;
use crate::stage::{House, Wire, mark, named, server};

/// Plays a server that begins to read after so many seconds, or never answers.
fn house() -> House {
    House::new(|server: Server, mut wire: Wire| async move {
        match mark(&server).parse() {
            Ok(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            Err(_) => while wire.hear().await.is_some() {},
        }
        while wire.ordinary(&["echo"]).await.is_some() {}
    })
}

async fn took(client: &mut Client, id: &str, method: &str, params: &str) -> (Duration, Value) {
    let begun = Instant::now();
    client.ask(id, method, params);
    let answer = serde_json::from_str(&client.answer(id).await).unwrap();
    (begun.elapsed(), answer)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_comes_up_costs_those_beside_it_nothing_but_the_first_look() {
    let house = house();
    house.serve(server("well", "0")).await.unwrap();
    let hangs = Server { timeout: Some(Duration::from_secs(4)), ..server("hangs", "never") };
    house.serve(hangs).await.unwrap();
    let mut client = house.client(Face::all(), "{}").await;
    for method in ["tools/list", "prompts/list", "resources/list"] {
        let (time, answer) = took(&mut client, "1", method, "{}").await;
        assert!(answer["result"].is_object(), "{answer}");
        assert_eq!(time, Duration::ZERO, "{method}");
    }
    // Whose it could be is known by its name, and so is what is the matter.
    let (time, answer) = took(&mut client, "2", "tools/call", r#"{"name":"hangs__echo"}"#).await;
    assert_eq!(
        (&answer["error"]["data"]["gateway"]["server"], time),
        (&"hangs".into(), Duration::from_secs(4))
    );
    let (time, answer) = took(&mut client, "3", "tools/call", r#"{"name":"other__echo"}"#).await;
    assert_eq!((&answer["error"]["code"], time), (&(-32602).into(), Duration::ZERO));
    let mut next = house.client(Face::all(), "{}").await;
    assert_eq!(took(&mut next, "1", "tools/list", "{}").await.0, Duration::ZERO, "nor is it new to the next");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_slow_to_start_is_started_once_and_waited_for() {
    let house = house();
    house.serve(server("a", "8")).await.unwrap();
    let begun = Instant::now();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert!((8..10).contains(&begun.elapsed().as_secs()), "what it can do is told");
    assert_eq!(client.tools().await, ["echo"]);
    assert_eq!(house.stage.launches(), ["a 8"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_waits_no_longer_than_a_call() {
    let house = house();
    let hangs = Server { timeout: Some(Duration::from_secs(4)), ..server("a", "never") };
    house.serve(hangs).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    let (time, answer) = took(&mut client, "1", "tools/list", "{}").await;
    assert_eq!(
        (&answer["error"]["data"]["gateway"]["reason"], time),
        (&"timeout".into(), Duration::from_secs(4))
    );
}

#[tokio::test(start_paused = true)]
async fn who_takes_long_is_told_of_though_nothing_has_failed_yet() {
    let house = house();
    house.serve(server("a", "0")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    client.tools().await;
    let next = crate::stage::versioned(server("a", "never"));
    house.gateway.start(next.0, next.1, |_| {});
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(house.gateway.troubles(), []);
    tokio::time::sleep(Duration::from_secs(7)).await;
    let [(_, told)] = &house.gateway.troubles()[..] else { panic!("nothing is told") };
    assert!(told.contains("has not come up for 12 s") && told.contains("the version before"), "{told}");
    // What is not served any more is no unknown tool.
    house.remove("a");
    let (_, answer) = took(&mut client, "9", "tools/call", r#"{"name":"echo"}"#).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("not served any more"), "{answer}");
}

/// Plays a server that takes five seconds to start, and then answers these two questions so; `None` is no answer. A
/// process that was asked for a session is of no other use.
fn asked_late(discover: Option<&'static str>, initialize: Option<&'static str>) -> House {
    House::new(move |_, mut wire: Wire| async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut in_session = false;
        while let Some(heard) = wire.hear().await {
            let said = match heard.method.as_str() {
                "server/discover" if !in_session => discover,
                "initialize" => {
                    in_session = initialize.is_some();
                    initialize
                }
                "tools/list" if in_session => Some(r#"{"tools":[]}"#),
                "tools/list" => Some(
                    r#"{"tools":[{"name":"new","inputSchema":{"type":"object"}}],"resultType":"complete"}"#,
                ),
                _ => None,
            };
            match said {
                Some("no") => wire.say(heard.error(r#"{"code":-32601,"message":"a key is missing"}"#)).await,
                Some(said) => wire.say(heard.result(said)).await,
                None => {}
            }
        }
    })
}

const NEWER: &str =
    r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#;
const OLDER: &str =
    r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"a","version":"1"}}"#;

#[tokio::test(start_paused = true)]
async fn a_process_that_was_asked_in_both_ways_speaks_in_one() {
    for (what, discover, initialize, tools, launches) in [
        ("both: a fresh one speaks in the newer way", Some(NEWER), Some(OLDER), &["new"][..], 2),
        ("the newer alone", Some(NEWER), Some("no"), &["new"], 2),
        ("the older alone", Some("no"), Some(OLDER), &[], 1),
        ("the older, and nothing to what it does not know", None, Some(OLDER), &[], 1),
    ] {
        let house = asked_late(discover, initialize);
        house.serve(server("a", "1")).await.unwrap();
        let mut client = house.client(Face::server(named("a")), "{}").await;
        assert_eq!(client.tools().await, tools, "{what}");
        assert_eq!(house.stage.launches().len(), launches, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn why_a_slow_server_refuses_is_told() {
    let house = asked_late(None, Some("no"));
    house.serve(server("a", "1")).await.unwrap();
    let begun = Instant::now();
    let mut client = Client::new(house.gateway.session(Face::server(named("a")), None).unwrap());
    let (_, answer) = took(&mut client, "1", "tools/list", "{}").await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("a key is missing"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
