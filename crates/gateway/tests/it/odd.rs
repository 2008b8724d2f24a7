//! Servers that do what no server should: only the caller concerned notices, and the next call finds it well.

use std::sync::Arc;
use std::time::Duration;

use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;
use switchboard_gateway::{Gateway, MESSAGE_LIMIT};

use crate::client::outcome;
use crate::stage::{Count, GREETING, Heard, House, Wire, mark, named, server};

/// A call of the odd server may take so long.
const LIMIT: Duration = Duration::from_secs(5);

fn odd(how: &str) -> Server {
    Server { timeout: Some(LIMIT), ..server("odd", how) }
}

/// The server behaves oddly in its first life, and well in all that follow, unless it is odd for ever.
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

/// Says something odd before, and the right answer after; or something else altogether.
async fn misbehave(how: &str, mut wire: Wire) {
    if how == "exit before the handshake" {
        return;
    }
    if how == "banner" {
        wire.say("Welcome to the odd server 1.0!").await;
        wire.say("\u{feff}{\"not\": \"a message\"}").await;
    }
    while let Some(heard) = wire.ordinary(&["echo"]).await {
        if heard.method != "tools/call" {
            continue;
        }
        let well = heard.says("well");
        let id = heard.id.as_str();
        match how {
            "garbage lines" => {
                for line in ["", "  ", "}{", "\"text\"", "7", "null", "true", "{", "[", "{}", "[[]]", "[]"] {
                    wire.say(line).await;
                }
            }
            "not utf-8" => wire.say(b"{\"jsonrpc\":\"2.0\",\"id\":\xff\xfe}").await,
            "not utf-8 within the answer" => {
                let mut line = heard.says("X").into_bytes();
                let at = line.iter().position(|&byte| byte == b'X').unwrap_or_default();
                line[at] = 0xff;
                wire.say(line).await;
                continue;
            }
            "nul" => wire.say_bytes(b"\0\0\n\0{}\0\n").await,
            "answers twice" => wire.say(heard.says("well")).await,
            "answers another id first" => {
                for other in ["999999", "0", "-1", "null", "1e9", "18446744073709551616"] {
                    wire.say(format!(r#"{{"jsonrpc":"2.0","id":{other},"result":{{}}}}"#)).await;
                }
            }
            "the id as a text" => {
                wire.say(format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{}}}}"#)).await;
                continue;
            }
            "the id as a fraction" => {
                wire.say(format!(r#"{{"jsonrpc":"2.0","id":{id}.0,"result":{{}}}}"#)).await;
                continue;
            }
            "an array of messages" => {
                wire.say(format!(r#"[{{"jsonrpc":"2.0","method":"notifications/x"}},{well}]"#)).await;
                continue;
            }
            "both a result and an error" => {
                wire.say(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"well"}}]}},"error":{{"code":1,"message":"x"}}}}"#)).await;
                continue;
            }
            "unsolicited requests" => {
                for at in 0..100 {
                    wire.say(format!(
                        r#"{{"jsonrpc":"2.0","id":"q{at}","method":"sampling/createMessage","params":{{}}}}"#
                    ))
                    .await;
                    let answer = wire.hear().await.map(|heard| heard.line).unwrap_or_default();
                    assert!(answer.contains("-32601"), "{answer}");
                }
            }
            "storm of notifications" => {
                for at in 0..20_000 {
                    wire.say(format!(r#"{{"jsonrpc":"2.0","method":"notifications/x{at}"}}"#)).await;
                }
            }
            "progress of nobody" => {
                for token in ["1", "999", "\"a\"", "null", "{}", "[1]"] {
                    wire.say(format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#)).await;
                }
            }
            "cancels what it is asked" => {
                wire.say(format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
                ))
                .await;
            }
            "one byte at a time" => {
                for byte in well.bytes().chain([b'\r', b'\n']) {
                    wire.say_bytes(&[byte]).await;
                    tokio::task::yield_now().await;
                }
                continue;
            }
            "crlf and a mark" => {
                wire.say_bytes(format!("\u{feff}{well}\r\n").as_bytes()).await;
                continue;
            }
            "deep" => {
                let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
                wire.say(format!(r#"{{"jsonrpc":"2.0","method":"notifications/x","params":{deep}}}"#)).await;
            }
            "too long a line" => {
                wire.say_bytes(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"text":""#).as_bytes())
                    .await;
                let piece = vec![b'x'; 1 << 20];
                for _ in 0..=(MESSAGE_LIMIT >> 20) {
                    wire.say_bytes(&piece).await;
                }
                wire.say_bytes(b"\"}}\n").await;
                continue;
            }
            "exit in the middle" => return,
            "exit in the middle of a line" => {
                wire.say_bytes(&well.as_bytes()[..well.len() / 2]).await;
                return;
            }
            "exit after the answer without a line end" => {
                wire.say_bytes(well.as_bytes()).await;
                return;
            }
            "exit with last words" => {
                wire.complain(b"out of luck\n").await;
                return;
            }
            "never answers" => continue,
            "closes its input" => wire.deafen(),
            "complains without end" => {
                for _ in 0..256 {
                    wire.complain(&[b'e'; 8192]).await;
                }
            }
            _ => {}
        }
        wire.say(&well).await;
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_caller_concerned_notices() {
    for (how, first) in [
        ("banner", "well"),
        ("exit before the handshake", "well"),
        ("garbage lines", "well"),
        ("not utf-8", "well"),
        ("not utf-8 within the answer", "!timeout"),
        ("nul", "well"),
        ("answers twice", "well"),
        ("answers another id first", "well"),
        ("the id as a text", "!timeout"),
        ("the id as a fraction", "!timeout"),
        ("an array of messages", "well"),
        ("both a result and an error", "well"),
        ("unsolicited requests", "well"),
        ("storm of notifications", "well"),
        ("progress of nobody", "well"),
        ("cancels what it is asked", "well"),
        ("one byte at a time", "well"),
        ("crlf and a mark", "well"),
        ("deep", "well"),
        ("too long a line", "!answer"),
        ("exit in the middle", "!lost"),
        ("exit in the middle of a line", "!lost"),
        ("exit after the answer without a line end", "well"),
        ("exit with last words", "!lost"),
        ("never answers", "!timeout"),
        ("closes its input", "well"),
        ("complains without end", "well"),
    ] {
        let house = house();
        house.serve(server("fine", "1")).await.unwrap();
        house.serve(odd(how)).await.unwrap();
        let mut client = house.client(Face::server(named("odd")), "{}").await;
        let mut other = house.client(Face::server(named("fine")), "{}").await;
        let begun = tokio::time::Instant::now();
        client.call("1", "echo", "{}");
        assert_eq!(other.outcome("1", "echo", "{}").await, "well", "{how}: the other server");
        let outcome = outcome(&client.answer("1").await);
        let took = begun.elapsed();
        assert_eq!(outcome, first, "{how}");
        assert!(took <= LIMIT + Duration::from_millis(100), "{how}: {took:?}");
        // Well again, by the back-off's longest delay at this point.
        if !first.starts_with('!') || first == "!lost" {
            assert_eq!(client.outcome("2", "echo", "{}").await, "well", "{how}: the next call");
        }
        assert_eq!(other.outcome("2", "echo", "{}").await, "well", "{how}: the other server, after");
        let rest: Vec<String> =
            client.rest().into_iter().filter(|line| !line.contains("\"method\":\"notifications/x")).collect();
        assert_eq!(rest, Vec::<String>::new(), "{how}");
        assert_eq!(other.rest(), Vec::<String>::new(), "{how}");
        assert_eq!(house.stage.running("fine"), (1, 1), "{how}");
    }
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
    assert!(took >= LIMIT && took <= LIMIT + Duration::from_millis(100), "{took:?}");
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

/// What a server lists, whatever it is asked.
async fn listing(mut wire: Wire, mut list: impl FnMut(usize) -> String) {
    let mut asked = 0;
    while let Some(heard) = wire.hear().await {
        let answer = match heard.method.as_str() {
            "initialize" => heard.result(GREETING),
            "tools/list" => {
                asked += 1;
                heard.result(&list(asked))
            }
            "tools/call" => heard.says("well"),
            _ if heard.id.is_empty() => continue,
            _ => format!(r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32601,"message":"no"}}}}"#, heard.id),
        };
        wire.say(answer).await;
    }
}

fn tools(count: usize, more: &str) -> String {
    let all: Vec<String> = (0..count).map(|at| format!(r#"{{"name":"t{at}","inputSchema":{{}}}}"#)).collect();
    format!(r#"{{"tools":[{}]{more}}}"#, all.join(","))
}

#[tokio::test(start_paused = true)]
async fn odd_lists_end() {
    type List = fn(usize) -> String;
    let lists: [(&str, List, usize); 6] = [
        ("ten thousand tools", |_| tools(10_000, ""), 10_000),
        ("the same cursor for ever", |_| tools(3, r#","nextCursor":"again""#), 3),
        ("another cursor for ever, and nothing new", |at| tools(1, &format!(r#","nextCursor":"{at}""#)), 1),
        (
            "two of one name",
            |_| {
                r#"{"tools":[{"name":"t0","description":"first"},{"name":"t0","description":"second"}]}"#
                    .into()
            },
            1,
        ),
        ("no names", |_| r#"{"tools":[{"name":7},{},[],null,{"name":"t0"}]}"#.into(), 1),
        ("no list", |_| r#"{"tools":{"a":1}}"#.into(), 0),
    ];
    for (what, list, count) in lists {
        let house = House::new(move |_, wire: Wire| listing(wire, list));
        house.serve(odd("1")).await.unwrap();
        let mut client = house.client(Face::server(named("odd")), "{}").await;
        let listed = client.tools().await;
        assert_eq!(listed.len(), count, "{what}");
        assert!(count == 0 || listed[0] == "t0", "{what}");
        assert_eq!(client.outcome("1", "t0", "{}").await, "well", "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_changes_and_changes_is_looked_at_at_growing_distances() {
    let asked = Arc::new(Count::default());
    let count = Arc::clone(&asked);
    let house = House::new(move |_, mut wire: Wire| {
        let count = Arc::clone(&count);
        async move {
            while let Some(heard) = wire.hear().await {
                let answer = match heard.method.as_str() {
                    "initialize" => heard.result(GREETING),
                    "tools/list" => {
                        let at = count.up();
                        heard.result(&format!(r#"{{"tools":[{{"name":"t{at}","inputSchema":{{}}}}]}}"#))
                    }
                    "tools/call" => heard.says("well"),
                    _ if heard.id.is_empty() => continue,
                    _ => format!(
                        r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32601,"message":"no"}}}}"#,
                        heard.id
                    ),
                };
                wire.say(answer).await;
                if heard.method == "tools/list" {
                    // Each look is followed by the word that there is something new.
                    wire.say(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#).await;
                }
            }
        }
    });
    house.serve(odd("1")).await.unwrap();
    let mut client = house.client(Face::server(named("odd")), "{}").await;
    let before = asked.now();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let looks = asked.now() - before;
    assert!((50..=70).contains(&looks), "about once a second: {looks}");
    assert_eq!(client.outcome("1", "t0", "{}").await, "well");
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
