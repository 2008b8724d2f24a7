//! Somebody else says which tools a server has.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use switchboard_gateway::Announced;
use switchboard_gateway::face::Face;
use switchboard_gateway::offer::{Item, Offer, Sort};

use crate::stage::{House, list, named, server, versioned};

fn tools(names: &[&str]) -> Arc<[Item]> {
    let item = |name: &&str| Item {
        key: (*name).to_owned(),
        raw: Bytes::from(format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#)),
    };
    names.iter().map(item).collect()
}

/// A server with one tool, which lists another instead once it was called.
fn house() -> House {
    House::new(|_, mut wire| async move {
        let mut own = ["one"];
        while let Some(heard) = wire.ordinary(&own).await {
            if heard.method == "tools/call" {
                own = ["two"];
                wire.say(heard.says("called")).await;
                wire.say(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#).await;
            }
        }
    })
}

fn offer(house: &House) -> Arc<Offer> {
    house.gateway.offer(&named("a"), &versioned(server("a", "1")).1).unwrap()
}

fn known(house: &House) -> Vec<String> {
    let offer = offer(house);
    offer.of(Sort::Tools).iter().map(|item| item.key.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_server_is_known_before_it_was_ever_started() {
    let house = house();
    house.serve(server("a", "1")).await.unwrap();
    let (_, version) = versioned(server("a", "1"));
    let (_, other) = versioned(server("a", "2"));
    let announce =
        |version: &str, names: &[&str]| house.gateway.announce(&named("a"), version, &tools(names));
    for (version, names, expected) in [
        (&version, &["x", "y"][..], Some(Announced { before: None, is_news: true })),
        (&version, &["x", "y"], Some(Announced { before: Some(2), is_news: false })),
        (&version, &["y", "x"], Some(Announced { before: Some(2), is_news: true })),
        (&other, &["z"], None),
        (&version, &[], Some(Announced { before: Some(2), is_news: true })),
        (&version, &["x"], Some(Announced { before: Some(0), is_news: true })),
    ] {
        assert_eq!(announce(version, names), expected, "{names:?}");
    }
    assert!(offer(&house).is_hearsay());
    assert_eq!((known(&house), house.gateway.seen()[0].tools), (vec!["x".to_owned()], Some(1)));
    assert!(house.stage.launches().is_empty());
    // What else it can do is not known, so that a client's handshake still asks the server itself.
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.tools().await, ["one"]);
    assert_eq!((known(&house), house.stage.launches().len()), (vec!["one".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn of_a_server_that_runs_the_last_word_counts_whoever_says_it() {
    let house = house();
    house.serve(server("a", "1")).await.unwrap();
    let (_, version) = versioned(server("a", "1"));
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.tools().await, ["one"]);
    let announced = house.gateway.announce(&named("a"), &version, &tools(&["one", "more"]));
    assert_eq!(announced, Some(Announced { before: Some(1), is_news: true }));
    client.told("notifications/tools/list_changed").await;
    assert_eq!(client.tools().await, ["one", "more"]);
    assert_eq!(client.outcome("7", "more", "{}").await, "called");
    client.told("notifications/tools/list_changed").await;
    assert_eq!(client.tools().await, ["two"]);
    let offer = offer(&house);
    assert!(!offer.is_hearsay() && offer.has("logging"));
    assert_eq!(
        list(&["two"]),
        format!(r#"{{"tools":[{}]}}"#, String::from_utf8_lossy(&offer.of(Sort::Tools)[0].raw))
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(client.rest(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn of_several_connections_the_one_that_told_last_counts() {
    let house = house();
    house.serve(server("a", "1")).await.unwrap();
    let mut clients = Vec::new();
    for capabilities in ["{}", r#"{"sampling":{}}"#, r#"{"roots":{}}"#, r#"{"elicitation":{}}"#] {
        let mut client = house.client(Face::server(named("a")), capabilities).await;
        assert_eq!(client.tools().await, ["one"], "{capabilities}");
        clients.push(client);
    }
    let mut last = clients.pop().unwrap();
    assert_eq!(last.outcome("3", "one", "{}").await, "called");
    last.told("notifications/tools/list_changed").await;
    assert_eq!(known(&house), ["two"], "though the other processes still have the other");
    for client in &mut clients {
        assert_eq!(client.tools().await, ["one"]);
    }
}
