//! A server asked what it offers, by somebody who wants to know no more.

use std::time::Duration;

use switchboard_gateway::face::Face;
use switchboard_gateway::offer::Sort;
use switchboard_gateway::trouble::Trouble;

use crate::stage::{House, mark, named, server, versioned};

const LIMIT: Duration = Duration::from_secs(30);

fn house() -> House {
    House::new(|server, mut wire| async move {
        match mark(&server).as_str() {
            "silent" => {
                wire.complain(b"waiting for the moon\n").await;
                std::future::pending::<()>().await;
            }
            "broken" => wire.complain(b"no token\n").await,
            "open" => wire.complain(b"cannot use API_TOKEN=ghp_0123456789abcdefghij0123456789abcdef\n").await,
            version => wire.answers(&["one", version], version).await,
        }
    })
}

#[tokio::test(start_paused = true)]
async fn it_comes_up_for_that_alone_and_goes_again() {
    let house = house();
    for version in ["1", "2"] {
        let (asked, fingerprint) = versioned(server("a", version));
        let offer = house.gateway.discover(asked, fingerprint, LIMIT).await.unwrap();
        let names: Vec<&str> = offer.of(Sort::Tools).iter().map(|item| item.key.as_str()).collect();
        assert_eq!(names, ["one", version]);
        assert_eq!(house.stage.running("a").0, 0, "it is gone when the answer is there");
    }
    assert!(house.gateway.seen().is_empty(), "it was never in service");
}

#[tokio::test(start_paused = true)]
async fn why_it_did_not_come_up_is_told() {
    let house = house();
    for (version, why) in [
        ("absent", "there is no such program"),
        ("broken", "it said last: no token"),
        ("open", "it said last: cannot use API_TOKEN=***"),
        ("silent", "within 30 s; it said last: waiting for the moon"),
    ] {
        let (asked, fingerprint) = versioned(server("a", version));
        let trouble = house.gateway.discover(asked, fingerprint, LIMIT).await.unwrap_err();
        assert!(matches!(&trouble, Trouble::Down(text) if text.contains(why)), "{version}: {trouble}");
        assert_eq!(house.stage.running("a").0, 0, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_in_service_is_asked_where_it_is() {
    let house = house();
    house.serve(server("a", "1")).await.unwrap();
    let (_, version) = versioned(server("a", "1"));
    // Nobody has called it yet, so that it is started; then it is there.
    for _ in 0..2 {
        let offer = house.gateway.discover_served("a", &version, LIMIT).await.unwrap().unwrap();
        assert_eq!(offer.of(Sort::Tools).len(), 2);
    }
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.outcome("1", "one", "{}").await, "1");
    assert_eq!(house.stage.launches(), ["a 1"]);
    let (_, other) = versioned(server("a", "2"));
    assert!(house.gateway.discover_served("a", &other, LIMIT).await.is_none());
    assert!(house.gateway.discover_served("b", &version, LIMIT).await.is_none());
}
