//! What may be odd about the answer to a request of HTTP, whatever it asks for.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::far::{Far, Scene, Story, Way, When, answer};
use crate::rogue::{END, EVENTS, Head, JSON, Line, Rogue, json, piece, whole};
use crate::stage::{Count, Heard};

/// A flood ends by itself after so many bytes: more than anybody should take.
pub(super) const FLOOD: usize = 128 << 20;

/// What comes of one way to misbehave: with sessions, stateless, in 2024; of a call, and of the handshake.
pub(super) struct Row {
    pub(super) how: &'static str,
    pub(super) call: [&'static str; 3],
    pub(super) handshake: [&'static str; 3],
}

const fn row(how: &'static str, call: [&'static str; 3], handshake: [&'static str; 3]) -> Row {
    Row { how, call, handshake }
}

/// There is no such thing.
const NONE: [&str; 3] = [""; 3];

/// In 2024 an answer to a POST says no more than whether the message was taken: its body is nobody's.
const BODY: [&str; 3] = ["!answer", "!answer", "!timeout"];

/// Everything that may be odd about an answer of HTTP.
pub(super) const ROWS: &[Row] = &[
    row("hangs up", ["!lost"; 3], ["!down"; 3]),
    row("breaks", ["!lost"; 3], ["!down"; 3]),
    row("breaks within the head", ["!lost"; 3], ["!down"; 3]),
    row("breaks within the body", ["!lost", "!lost", "!timeout"], ["!down", "!down", "!answer"]),
    row("a banner before the head", ["!lost"; 3], ["!down"; 3]),
    row("a head without end", ["!lost"; 3], ["!down"; 3]),
    row("a slow head", ["!timeout"; 3], ["!down"; 3]),
    row("heads of more to come", ["!timeout"; 3], ["!down"; 3]),
    row("stopped", ["!timeout"; 3], ["!down"; 3]),
    row("never answers", ["!timeout"; 3], NONE),
    row("never reads", ["!timeout"; 3], NONE),
    row("nothing", BODY, ["!answer"; 3]),
    row("html", BODY, ["!answer"; 3]),
    row("garbage", BODY, ["!answer"; 3]),
    row("not utf-8", BODY, ["!answer"; 3]),
    row("nul", BODY, ["!answer"; 3]),
    row("deep", BODY, ["!answer"; 3]),
    row("a body without end", BODY, ["!answer"; 3]),
    row("a dripping body", ["!timeout"; 3], ["!down", "!down", "!answer"]),
    row("a gzip bomb", BODY, ["!answer"; 3]),
    row("pieces of no size", ["!lost", "!lost", "!timeout"], ["!down", "!down", "!answer"]),
    row("a stream without end", ["!timeout"; 3], ["!down"; 3]),
    row("an event without end", BODY, ["!answer"; 3]),
    row("more than it said", ["well"; 3], NONE),
    row("hangs up after each answer", ["well"; 3], NONE),
    row("a circle of 301", ["!down"; 3], ["!down"; 3]),
    row("a circle of 307", ["!down"; 3], ["!down"; 3]),
    row("307 elsewhere", ["!down"; 3], ["!down"; 3]),
    row("401", ["!login"; 3], ["!login"; 3]),
    row("403", ["!login"; 3], ["!login"; 3]),
    row("404", ["!down", "!status", "!down"], ["!down", "!down", "!status"]),
    row("429", ["!status"; 3], ["!status"; 3]),
    row("500", ["!status"; 3], ["!status"; 3]),
    row("503", ["!status"; 3], ["!status"; 3]),
];

/// Answers a request in one of these ways.
pub(super) fn door(story: Story, heard: Heard, head: Head, line: Line) -> BoxFuture<'static, Option<Line>> {
    Box::pin(misbehave(story, heard, head, line))
}

async fn misbehave(story: Story, heard: Heard, head: Head, mut line: Line) -> Option<Line> {
    let of = |kind: &'static str| [("Content-Type", kind)];
    match story.how {
        "hangs up" => return None,
        "breaks" => {
            line.reset();
            return None;
        }
        "breaks within the head" => {
            line.say("HTTP/1.1 200 OK\r\nConte").await;
            return None;
        }
        "breaks within the body" => {
            let whole = json(&heard.says("well"));
            line.say(&whole[..whole.len() - 1]).await;
            return None;
        }
        "a banner before the head" => {
            line.say("Welcome to the odd server 1.0!\r\n").await;
            line.say(json(&heard.says("well"))).await;
        }
        "a head without end" => {
            line.say("HTTP/1.1 200 OK\r\n").await;
            let said = line.flood(b"X-More: and more and more and more\r\n", FLOOD).await;
            story.flooded.send_replace(Some(said));
            return None;
        }
        "a slow head" => {
            line.say("HTTP/1.1 200 OK\r\nX-Slow: ").await;
            return drip(&story, line, b'x').await;
        }
        "heads of more to come" => {
            let more = async {
                while line.say("HTTP/1.1 100 Continue\r\n\r\n").await {
                    crate::still::rest().await;
                }
            };
            tokio::select! {
                () = more => {}
                () = story.mended() => {}
            }
            return None;
        }
        "stopped" => {
            // As a process that was told to stop, and to go on: it answers what it was asked, late.
            story.mended().await;
            if heard.id.is_empty() {
                return None;
            }
            line.say(json(&answer(story.way, &heard))).await;
        }
        "answers late" if story.way == Way::Sse => {
            line.say(whole(202, &[], "")).await;
            *story.held.lock().unwrap() = Some(heard);
        }
        "answers late" => {
            line.left().await;
            line.say(json(&heard.says("late"))).await;
            return None;
        }
        "never answers" => return std::future::pending().await,
        "nothing" => drop(line.say(whole(200, &[], "")).await),
        "html" => drop(line.say(whole(200, &of("text/html"), "<html>it works</html>")).await),
        "garbage" => drop(line.say(json("}{")).await),
        "not utf-8" => {
            let body = heard.says("X").into_bytes();
            let at = body.iter().position(|&byte| byte == b'X').unwrap_or_default();
            line.say(JSON).await;
            line.say(piece(&[&body[..at], b"\xff", &body[at + 1..]].concat())).await;
            line.say(END).await;
        }
        "nul" => drop(line.say(json("\0\0")).await),
        "deep" => drop(line.say(json(&"[".repeat(100_000))).await),
        "a body without end" => {
            line.say(JSON).await;
            let said = line.flood(&piece(&[b' '; 16 << 10]), FLOOD).await;
            story.flooded.send_replace(Some(said));
            return None;
        }
        "a dripping body" => {
            line.say("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
                .await;
            return drip(&story, line, b' ').await;
        }
        "a gzip bomb" => {
            line.say(JSON.replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n")).await;
            let said = line.flood(&piece(&[0; 16 << 10]), FLOOD).await;
            story.flooded.send_replace(Some(said));
            return None;
        }
        "pieces of no size" => {
            line.say(JSON).await;
            line.say("none\r\nof your business\r\n").await;
        }
        "a stream without end" => {
            line.say(EVENTS.replace("Transfer-Encoding: chunked", "Connection: close")).await;
            return drip(&story, line, b'\n').await;
        }
        "an event without end" => {
            line.say(EVENTS).await;
            line.say(piece(b"data: ")).await;
            let said = line.flood(&piece(&[b'x'; 16 << 10]), FLOOD).await;
            story.flooded.send_replace(Some(said));
            return None;
        }
        "more than it said" => {
            if story.way == Way::Sse {
                line.say([whole(202, &[], ""), b"and more".to_vec()].concat()).await;
                story.say(&heard.says("well")).await;
            } else {
                line.say([json(&heard.says("well")), b"and more".to_vec()].concat()).await;
            }
        }
        "hangs up after each answer" => {
            if story.way == Way::Sse {
                line.say(whole(202, &[], "")).await;
                story.say(&heard.says("well")).await;
            } else {
                line.say(json(&heard.says("well"))).await;
            }
            return None;
        }
        "a circle of 301" => drop(line.say(whole(301, &[("Location", "/mcp")], "")).await),
        "a circle of 307" => drop(line.say(whole(307, &[("Location", "/mcp")], "")).await),
        "307 elsewhere" => {
            assert_eq!(head.header("x-secret"), Some("s3cret"));
            let to = story.elsewhere.lock().unwrap().clone();
            line.say(whole(307, &[("Location", &to)], "")).await;
        }
        "503" | "429" => {
            let status = story.how.parse().unwrap();
            line.say(whole(status, &[("Retry-After", "7")], "")).await;
        }
        status => drop(line.say(whole(status.parse().expect(status), &of("text/plain"), "no")).await),
    }
    Some(line)
}

/// Goes on byte by byte until it is to be well.
async fn drip(story: &Story, mut line: Line, byte: u8) -> Option<Line> {
    tokio::select! {
        () = line.drip(byte) => {}
        () = story.mended() => {}
    }
    None
}

/// Plays one row, where there is such a thing.
pub(super) async fn judge(way: Way, row: &Row, when: When, seen: &str) {
    if seen.is_empty() {
        return;
    }
    let strangers = Arc::new(Count::default());
    let count = Arc::clone(&strangers);
    let elsewhere = Rogue::start(move |mut line| {
        let count = Arc::clone(&count);
        async move {
            while line.head().await.is_some() {
                count.up();
            }
        }
    })
    .await;
    let far = Far::start(way, row.how, when, door).await;
    *far.story.elsewhere.lock().unwrap() = elsewhere.url("/mcp");
    let mut scene = Scene::set(&far).await;
    let arguments =
        if row.how == "never reads" { format!("\"{}\"", "x".repeat(8 << 20)) } else { "{}".to_owned() };
    scene.play(&far, seen, &arguments).await;
    if matches!(row.how, "a head without end" | "a body without end" | "a gzip bomb" | "an event without end")
    {
        scene.took_little(&far).await;
    }
    scene.recovers(&far).await;
    assert_eq!(strangers.now(), 0, "{way:?}: its headers are for nobody else");
}
