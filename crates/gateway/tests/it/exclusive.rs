//! A server that cannot run twice does not, whatever happens.

use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;

use crate::stage::{Count, House, Wire, mark, named, server};

fn one(mark: &str) -> Server {
    Server { exclusive: true, ..server("a", mark) }
}

/// A server that stays when its input ends, until it is ended.
async fn clinging(server: Server, wire: Wire) {
    wire.answers(&["who"], &mark(&server)).await;
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_version_waits_until_the_old_one_has_ended_and_calls_wait_with_it() {
    let house = House::new(clinging);
    house.serve(one("1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.outcome("1", "who", "{}").await, "1");
    for version in ["2", "3"] {
        house.serve(one(version)).await.unwrap();
        assert_eq!(client.outcome("1", "who", "{}").await, version);
    }
    assert_eq!(house.stage.running("a"), (1, 1));
    assert_eq!(house.stage.launches(), ["a 1", "a 2", "a 3"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_started_at_once_waits_too() {
    let house = House::new(clinging);
    let eager = |mark: &str| Server { idle_stop: Some(Duration::ZERO), ..one(mark) };
    house.serve(eager("1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.outcome("1", "who", "{}").await, "1");
    house.serve(eager("2")).await.unwrap();
    assert_eq!(client.outcome("1", "who", "{}").await, "2");
    assert_eq!(house.stage.running("a"), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn clients_of_all_kinds_share_its_one_process() {
    let house = House::new(clinging);
    house.serve(one("1")).await.unwrap();
    for capabilities in ["{}", r#"{"sampling":{}}"#, r#"{"elicitation":{},"roots":{}}"#] {
        let mut client = house.client(Face::server(named("a")), capabilities).await;
        assert_eq!(client.outcome("1", "who", "{}").await, "1", "{capabilities}");
    }
    assert_eq!(house.stage.launches(), ["a 1"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_falls_silent_is_started_again_when_it_has_ended() {
    let lives = Arc::new(Count::default());
    let house = House::new(move |_, mut wire: Wire| {
        let life = lives.up();
        async move {
            while let Some(heard) = wire.ordinary(&["who"]).await {
                if life == 0 {
                    // Its output ends, and it does not.
                    drop(wire);
                    return std::future::pending().await;
                }
                wire.say(heard.says("again")).await;
            }
        }
    });
    house.serve(one("1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    assert_eq!(client.outcome("1", "who", "{}").await, "!lost");
    assert_eq!(client.outcome("2", "who", "{}").await, "again");
    assert_eq!(house.stage.running("a"), (1, 1));
}
