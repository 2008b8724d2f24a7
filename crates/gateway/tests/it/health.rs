//! Servers that are asked whether they are well, and servers that do not get so far as to be asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::{Health, Server};
use switchboard_gateway::face::Face;

use crate::stage::{House, Wire, named, server, versioned};

/// A server that does one thing at a time: while it works, for three seconds, it hears nothing. It tells how far it is
/// as often in that time as it is asked to.
async fn busy(_: Server, mut wire: Wire) {
    while let Some(heard) = wire.ordinary(&["work"]).await {
        if heard.method != "tools/call" {
            continue;
        }
        let steps = if heard.line.contains("\"tells\"") { 30 } else { 1 };
        for step in 0..steps {
            tokio::time::sleep(Duration::from_secs(3) / steps).await;
            wire.say(format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":{step}}}}}"#
            ))
            .await;
        }
        wire.say(heard.says("done")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_anything_is_alive_though_it_does_not_answer() {
    for (argument, expected) in [("tells", "done"), ("keeps still", "!lost")] {
        let house = House::new(busy);
        let health =
            Health { every: Duration::from_secs(1), timeout: Duration::from_millis(500), failures: 2 };
        house.serve(Server { health: Some(health), ..server("a", "1") }).await.unwrap();
        let mut client = house.client(Face::server(named("a")), "{}").await;
        let told = client.outcome("1", "work", &format!(r#"{{"how":"{argument}"}}"#)).await;
        assert_eq!(told, expected, "{argument}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_in_time_is_no_empty_list() {
    let house = House::new(|_, mut wire: Wire| async move { while wire.hear().await.is_some() {} });
    let (one, version) = versioned(server("a", "1"));
    house.gateway.start(Arc::clone(&one), version.clone(), |_| ());
    house.gateway.publish(&[(one, version)], BTreeMap::new());
    let mut client = house.client(Face::server(named("a")), "{}").await;
    client.ask("1", "tools/list", "{}");
    let answer = client.answer("1").await;
    assert_eq!(crate::client::outcome(&answer), "!timeout", "{answer}");
}
