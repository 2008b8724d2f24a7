//! Servers that are child processes, and what may be odd about those.

use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::Server;
use switchboard_gateway::Gateway;
use switchboard_gateway::face::Face;

use super::messages::{self, Out};
use super::{BACK_OFF, LIMIT, SLACK};
use crate::client::outcome;
use crate::stage::{Count, Heard, House, Wire, mark, named, server};

fn odd(how: &str) -> Server {
    Server { timeout: Some(LIMIT), ..server("odd", how) }
}

/// The server behaves oddly with the first call of its first life, and well from then on.
fn house() -> House {
    let lives = Arc::new(Count::default());
    House::new(move |server: Server, wire: Wire| {
        let life = if server.name.as_str() == "odd" { lives.up() } else { 1 };
        async move {
            match life {
                0 => misbehave(&mark(&server), wire).await,
                _ => wire.answers(&["echo"], "well").await,
            }
        }
    })
}

/// What comes of one way to misbehave.
const ROWS: &[(&str, &str)] = &[
    ("exit before the handshake", "well"),
    ("exit behind the handshake", "well"),
    ("exit in the middle", "!lost"),
    ("exit in the middle of a line", "!lost"),
    ("exit after the answer without a line end", "well"),
    ("exit with last words", "!lost"),
    ("closes its output alone", "!lost"),
    ("closes its input alone", "well"),
    ("never answers", "!timeout"),
    ("a line without end", "!timeout"),
    ("complains without end", "well"),
];

/// Does what only a process can.
async fn misbehave(how: &str, mut wire: Wire) {
    match how {
        "exit before the handshake" => return,
        "exit behind the handshake" => return wire.comes_up(&["echo"]).await,
        _ => {}
    }
    let mut first = true;
    while let Some(heard) = wire.ordinary(&["echo"]).await {
        if heard.method != "tools/call" {
            continue;
        }
        if !std::mem::replace(&mut first, false) {
            if how == "a line without end" {
                // It ends at last.
                wire.say("").await;
            }
            wire.say(heard.says("well")).await;
            continue;
        }
        let well = heard.says("well");
        match how {
            "exit in the middle" => return,
            "exit in the middle of a line" => {
                return wire.say_bytes(&well.as_bytes()[..well.len() / 2]).await;
            }
            "exit after the answer without a line end" => return wire.say_bytes(well.as_bytes()).await,
            "exit with last words" => return wire.complain(b"out of luck\n").await,
            "closes its output alone" => {
                wire.fall_silent();
                std::future::pending::<()>().await;
            }
            "closes its input alone" => wire.deafen(),
            "never answers" => continue,
            "a line without end" => {
                for _ in 0..crate::soak(1, 1024) {
                    wire.say_bytes(&vec![b'x'; 1 << 20]).await;
                }
                continue;
            }
            "complains without end" => {
                for _ in 0..crate::soak(2, 1024) {
                    wire.complain(&vec![b'e'; 1 << 20]).await;
                }
            }
            _ => {
                messages::misbehave(how, &heard, &mut Out::Pipe(&mut wire)).await;
                continue;
            }
        }
        wire.say(&well).await;
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_caller_concerned_notices() {
    let of_messages = messages::ROWS.iter().map(|(how, [seen, ..])| (how, seen));
    for (&how, &first) in ROWS.iter().map(|(how, seen)| (how, seen)).chain(of_messages) {
        let house = house();
        house.serve(server("fine", "1")).await.unwrap();
        house.serve(odd(how)).await.unwrap();
        let mut client = house.client(Face::server(named("odd")), "{}").await;
        let mut other = house.client(Face::server(named("fine")), "{}").await;
        // What is over by now is known to be.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = tokio::time::Instant::now();
        client.call("1", "echo", "{}");
        assert_eq!(other.outcome("1", "echo", "{}").await, "well", "{how}: the other server");
        let outcome = outcome(&client.answer("1").await);
        let took = begun.elapsed();
        assert_eq!(outcome, first, "{how}");
        assert!(took <= LIMIT + SLACK, "{how}: {took:?}");
        // Well again, by the back-off's longest delay at this point.
        let begun = tokio::time::Instant::now();
        assert_eq!(client.outcome("2", "echo", "{}").await, "well", "{how}: the next call");
        let took = begun.elapsed();
        assert!(took <= BACK_OFF + SLACK, "{how}: {took:?}");
        assert_eq!(other.outcome("2", "echo", "{}").await, "well", "{how}: the other server, after");
        let rest: Vec<String> =
            client.rest().into_iter().filter(|line| !line.contains("\"method\":\"notifications/x")).collect();
        assert_eq!(rest, Vec::<String>::new(), "{how}");
        assert_eq!(other.rest(), Vec::<String>::new(), "{how}");
        assert_eq!(house.stage.running("fine"), (1, 1), "{how}");
    }
}

/// Nobody would wait for it for ever: that its input is closed is known as soon as something is to be said.
#[tokio::test(start_paused = true)]
async fn a_server_that_hears_nothing_more_and_stays_is_started_anew() {
    let lives = Arc::new(Count::default());
    let house = House::new(move |_, mut wire: Wire| {
        let first = lives.up() == 0;
        async move {
            while let Some(heard) = wire.ordinary(&["echo"]).await {
                if heard.method == "tools/call" {
                    if first {
                        wire.deafen();
                    }
                    wire.say(heard.says("well")).await;
                    if first {
                        std::future::pending::<()>().await;
                    }
                }
            }
        }
    });
    house.serve(odd("stays")).await.unwrap();
    let mut client = house.client(Face::server(named("odd")), "{}").await;
    assert_eq!(client.outcome("1", "echo", "{}").await, "well");
    let begun = tokio::time::Instant::now();
    client.call("2", "echo", "{}");
    let answer = client.answer("2").await;
    assert_eq!(outcome(&answer), "!down", "it did not hear the call, which can be made again: {answer}");
    assert!(answer.contains("closed its input") && begun.elapsed() < SLACK, "{answer}");
    // What is over by now is known to be.
    tokio::task::yield_now().await;
    assert_eq!(client.outcome("3", "echo", "{}").await, "well", "by another process");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_ends_in_time_and_the_late_answer_is_nobodys() {
    let house = House::new(|_, mut wire: Wire| async move {
        let mut held: Option<Heard> = None;
        while let Some(heard) = wire.ordinary(&["hold", "end"]).await {
            match heard.method.as_str() {
                "notifications/cancelled" => {
                    let held = held.as_ref().expect("a call is held");
                    assert!(heard.line.contains(&format!("\"requestId\":{}", held.id)), "{}", heard.line);
                    wire.say(held.says("late")).await;
                }
                _ if heard.tool == "hold" => held = Some(heard),
                _ => wire.say(heard.says("in time")).await,
            }
        }
    });
    house.serve(odd("1")).await.unwrap();
    let mut client = house.client(Face::server(named("odd")), "{}").await;
    let begun = tokio::time::Instant::now();
    assert_eq!(client.outcome("1", "hold", "{}").await, "!timeout");
    let took = begun.elapsed();
    assert!(took >= LIMIT && took <= LIMIT + SLACK, "{took:?}");
    assert_eq!(client.outcome("1", "end", "{}").await, "in time");
    // The client gives up by itself: no answer comes, not even a late one.
    client.call("2", "hold", "{}");
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#);
    assert_eq!(client.outcome("3", "end", "{}").await, "in time");
    tokio::time::sleep(LIMIT * 2).await;
    assert_eq!(client.rest(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_is_not_waited_for_and_holds_no_more_than_a_bound() {
    let house = House::new(|_, mut wire: Wire| async move {
        let _ = wire.ordinary(&["echo"]).await;
        std::future::pending::<()>().await;
    });
    house.serve(odd("1")).await.unwrap();
    let mut client = house.client(Face::server(named("odd")), "{}").await;
    client.call("0", "echo", "{}");
    let large = format!("\"{}\"", "x".repeat(4 << 20));
    for id in 1..=12 {
        client.call(&id.to_string(), "echo", &large);
    }
    let mut busy = 0;
    for id in 0..=12 {
        match outcome(&client.answer(&id.to_string()).await).as_str() {
            "!busy" => busy += 1,
            other => assert_eq!(other, "!timeout", "{id}"),
        }
    }
    assert!(busy >= 4, "no more than 32 MiB wait: {busy}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_comes_up_is_told_with_its_last_words_and_tried_at_growing_distances() {
    let house = House::new(|server: Server, mut wire: Wire| async move {
        if server.name.as_str() == "odd" {
            wire.complain(b"no licence\n").await;
        } else {
            wire.answers(&["echo"], "well").await;
        }
    });
    house.serve(server("fine", "1")).await.unwrap();
    house.serve(odd("1")).await.unwrap();
    let gateway: &Gateway = &house.gateway;
    let mut client = crate::client::Client::new(gateway.session(Face::server(named("odd")), None).unwrap());
    client.call("1", "echo", "{}");
    let answer = client.answer("1").await;
    assert_eq!(outcome(&answer), "!down");
    assert!(answer.contains("no licence"), "{answer}");
    let before = house.stage.launches().len();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let tried = house.stage.launches().len() - before;
    // Each attempt may take two processes: one for the question about the era, one for the handshake.
    assert!((10..=200).contains(&tried), "{tried}");
    let mut other = house.client(Face::server(named("fine")), "{}").await;
    assert_eq!(other.outcome("1", "echo", "{}").await, "well");
}
