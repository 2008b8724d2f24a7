//! Many clients with the same ids behind one process: every answer comes to the one who asked.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::Value;
use switchboard_core::catalogue::{Isolation, Server};
use switchboard_gateway::face::Face;
use tokio::task::JoinSet;

use crate::client::{Client, id_of, outcome};
use crate::soak;
use crate::stage::{House, Wire, named, server};

const CLIENTS: usize = 64;

/// So many calls of one client are in flight.
const WINDOW: usize = 32;

/// A server that holds a handful of calls and answers them in no order, each with what it was given.
async fn shuffling(_: Server, mut wire: Wire) {
    let mut held = VecDeque::new();
    let mut turn = 0_usize;
    loop {
        let heard = if held.is_empty() {
            Some(wire.ordinary(&["echo"]).await)
        } else {
            tokio::task::yield_now().await;
            wire.ordinary(&["echo"]).now_or_never()
        };
        match heard {
            Some(None) => return,
            Some(Some(call)) => held.push_back(call),
            None => {}
        }
        if heard_enough(held.len(), turn) {
            turn = turn.wrapping_mul(31).wrapping_add(7);
            if let Some(call) = held.remove(turn % held.len()) {
                wire.say(
                    call.result(&format!(r#"{{"content":[{{"type":"text","text":{}}}]}}"#, call.arguments)),
                )
                .await;
            }
        } else {
            turn += 1;
        }
    }
}

fn heard_enough(held: usize, turn: usize) -> bool {
    held >= 16 || turn.is_multiple_of(3)
}

async fn many(mut client: Client, number: usize, calls: usize) {
    let ask =
        |client: &Client, at: usize| client.call(&at.to_string(), "echo", &format!(r#""{number}/{at}""#));
    (0..WINDOW.min(calls)).for_each(|at| ask(&client, at));
    let mut answered = vec![false; calls];
    for next in WINDOW..calls + WINDOW {
        let line = client.next().await;
        let at: usize = id_of(&line).parse().unwrap_or_else(|_| panic!("no answer of ours: {line}"));
        assert!(!std::mem::replace(&mut answered[at], true), "answered twice: {line}");
        assert_eq!(outcome(&line), format!("{number}/{at}"));
        if next < calls {
            ask(&client, next);
        }
    }
    assert_eq!(client.rest(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_comes_to_anybody_else() {
    let calls = soak(200, 10_000);
    let house = House::new(shuffling);
    house.serve(server("a", "1")).await.unwrap();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = house.client(Face::server(named("a")), "{}").await;
        clients.spawn(many(client, number, calls));
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    assert_eq!(house.stage.launches(), ["a 1"], "they share one process");
}

#[tokio::test(start_paused = true)]
async fn an_id_comes_back_as_it_was_written() {
    let house = House::new(|_, wire: Wire| wire.answers(&["echo"], "yes"));
    house.serve(server("a", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    let ids = [
        "1",
        r#""1""#,
        "-1",
        "0",
        "-9223372036854775808",
        "9223372036854775807",
        "18446744073709551615",
        "123456789012345678901234567890",
        "1.0",
        "1e2",
        r#""""#,
        r#"" ""#,
        r#""a\u0062""#,
        r#""ab""#,
        r#""\ud83d\ude00""#,
        r#""\u0000""#,
        r#""\"id\":7""#,
        r#""007""#,
    ];
    // All at once, and none is taken for another.
    for id in ids {
        client.call(id, "echo", "{}");
    }
    for id in ids {
        assert_eq!(outcome(&client.answer(id).await), "yes", "{id}");
    }
    assert_eq!(client.rest(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_in_flight_is_refused_and_the_call_in_flight_is_not_disturbed() {
    let house = House::new(|_, mut wire: Wire| async move {
        let mut held = Vec::new();
        while let Some(heard) = wire.ordinary(&["hold", "end"]).await {
            let ends = heard.tool == "end";
            held.push(heard);
            if ends {
                for heard in held.drain(..) {
                    wire.say(heard.says(&heard.tool)).await;
                }
            }
        }
    });
    house.serve(server("a", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("a")), "{}").await;
    client.call("5", "end", "{}");
    assert_eq!(outcome(&client.answer("5").await), "end", "an id may be used again");
    client.call("5", "hold", "{}");
    client.call("5", "hold", "{}");
    let refused: Value = serde_json::from_str(&client.answer("5").await).unwrap();
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert_eq!(client.outcome("6", "end", "{}").await, "end");
    assert_eq!(outcome(&client.answer("5").await), "hold");
    assert_eq!(client.rest(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_process_of_a_session_ends_with_it_whatever_was_said_last() {
    let house =
        House::new(|_, mut wire: Wire| async move { while wire.ordinary(&["echo"]).await.is_some() {} });
    let own =
        Server { isolation: Isolation::PerSession, idle_stop: Some(Duration::ZERO), ..server("a", "1") };
    house.serve(own).await.unwrap();
    let before = house.stage.running("a").0;
    let mut client = Client::new(house.gateway.session(Face::server(named("a")), None).unwrap());
    let hello =
        r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}"#;
    client.ask("1", "initialize", hello);
    client.answer("1").await;
    client.ask("2", "tools/list", "{}");
    client.answer("2").await;
    assert!(house.stage.running("a").0 > before, "it has one of its own");
    let stateless = r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}"#;
    client.ask("3", "server/discover", stateless);
    client.answer("3").await;
    let all = house.stage.running("a").0;
    client.session.close();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(
        house.stage.running("a").0,
        all - 1,
        "what is asked without a session is asked of the common one"
    );
}
