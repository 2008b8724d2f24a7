//! What may be odd about messages, whatever carries them.

use switchboard_gateway::MESSAGE_LIMIT;

use super::far::Told;
use crate::rogue::{Line, piece};
use crate::stage::{Heard, Wire};

/// Where a server answers.
pub(super) enum Out<'l> {
    /// Its standard output.
    Pipe(&'l mut Wire),
    /// A stream of events, and what it is told meanwhile.
    Events(&'l mut Line, &'l Told),
}

impl Out<'_> {
    /// Says one message.
    pub(super) async fn say(&mut self, message: impl AsRef<[u8]>) {
        let framed = self.framed(message.as_ref());
        self.part(&framed).await;
    }

    /// Says a part of something.
    pub(super) async fn part(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::Pipe(wire) => {
                wire.say_bytes(bytes).await;
                true
            }
            Self::Events(line, _) => line.say(piece(bytes)).await,
        }
    }

    /// Returns a message with all that tells it from the next.
    fn framed(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Pipe(_) => [message, b"\n"].concat(),
            Self::Events(..) => [b"data: ", message, b"\n\n"].concat(),
        }
    }

    /// Returns the next answer to a question of the server's.
    async fn answer(&mut self) -> String {
        match self {
            Self::Pipe(wire) => wire.hear().await.map(|heard| heard.line).unwrap_or_default(),
            Self::Events(_, told) => told.next().await,
        }
    }
}

/// What comes of one way to misbehave: over a pipe, as the answer to a POST, on the stream of 2024.
type Row = (&'static str, [&'static str; 3]);

/// Everything that may be odd about messages.
pub(super) const ROWS: &[Row] = &[
    ("banner", ["well"; 3]),
    ("garbage", ["well"; 3]),
    ("not utf-8", ["well"; 3]),
    // A stream that ends without an answer says that none will come; a pipe says nothing of the kind.
    ("not utf-8 within the answer", ["!timeout", "!lost", "!timeout"]),
    ("nul", ["well"; 3]),
    ("answers twice", ["well"; 3]),
    ("answers another id first", ["well"; 3]),
    ("answers another id alone", ["!timeout", "!lost", "!timeout"]),
    ("the id as a text", ["!timeout", "!lost", "!timeout"]),
    ("the id as a fraction", ["!timeout", "!lost", "!timeout"]),
    ("the id as nothing", ["!timeout", "!lost", "!timeout"]),
    ("an array of messages", ["well"; 3]),
    ("both a result and an error", ["well"; 3]),
    ("unsolicited requests", ["well"; 3]),
    ("storm of notifications", ["well"; 3]),
    ("progress of nobody", ["well"; 3]),
    ("cancels what it is asked", ["well"; 3]),
    ("one byte at a time", ["well"; 3]),
    ("crlf and a mark", ["well"; 3]),
    ("deep", ["well"; 3]),
    ("a deep answer", ["well"; 3]),
    ("too long", ["!answer"; 3]),
    ("too long, and no answer", ["!timeout", "!answer", "!timeout"]),
];

/// Says something odd before, and the right answer after; or something else altogether.
pub(super) async fn misbehave(how: &str, heard: &Heard, out: &mut Out<'_>) {
    let well = heard.says("well");
    let id = heard.id.as_str();
    match how {
        "banner" => {
            let banner = "Welcome to the odd server 1.0!";
            match out {
                Out::Pipe(_) => out.say(banner).await,
                // Beside events, there are comments, and fields that nobody knows.
                Out::Events(..) => {
                    out.part(format!(": {banner}\n{banner}\n\nevent: hello\ndata: {banner}\n\n").as_bytes())
                        .await;
                }
            }
            out.say("\u{feff}{\"not\": \"a message\"}").await;
        }
        "garbage" => {
            for text in ["", "  ", "}{", "\"text\"", "7", "null", "true", "{", "[", "{}", "[[]]", "[]"] {
                out.say(text).await;
            }
        }
        "not utf-8" => out.say(b"{\"jsonrpc\":\"2.0\",\"id\":\xff\xfe}").await,
        "not utf-8 within the answer" => {
            let mut message = heard.says("X").into_bytes();
            let at = message.iter().position(|&byte| byte == b'X').unwrap_or_default();
            message[at] = 0xff;
            return out.say(message).await;
        }
        "nul" => {
            out.say(b"\0\0").await;
            out.say(b"\0{}\0").await;
        }
        "answers twice" => out.say(heard.says("well")).await,
        "answers another id first" => {
            for other in ["999999", "0", "-1", "null", "1e9", "18446744073709551616"] {
                out.say(format!(r#"{{"jsonrpc":"2.0","id":{other},"result":{{}}}}"#)).await;
            }
        }
        "answers another id alone" => {
            return out.say(r#"{"jsonrpc":"2.0","id":999999,"result":{}}"#).await;
        }
        "the id as a text" => {
            return out.say(format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{}}}}"#)).await;
        }
        "the id as a fraction" => {
            return out.say(format!(r#"{{"jsonrpc":"2.0","id":{id}.0,"result":{{}}}}"#)).await;
        }
        "the id as nothing" => {
            return out.say(r#"{"jsonrpc":"2.0","id":null,"result":{}}"#).await;
        }
        "an array of messages" => {
            return out.say(format!(r#"[{{"jsonrpc":"2.0","method":"notifications/x"}},{well}]"#)).await;
        }
        "both a result and an error" => {
            let result = r#"{"content":[{"type":"text","text":"well"}]}"#;
            let error = r#"{"code":1,"message":"x"}"#;
            return out
                .say(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result},"error":{error}}}"#))
                .await;
        }
        "unsolicited requests" => {
            for at in 0..30 {
                out.say(format!(
                    r#"{{"jsonrpc":"2.0","id":"q{at}","method":"sampling/createMessage","params":{{}}}}"#
                ))
                .await;
                let answer = out.answer().await;
                assert!(answer.contains("-32601") && answer.contains(&format!("\"q{at}\"")), "{answer}");
            }
        }
        "storm of notifications" => {
            let storm: Vec<Vec<u8>> = (0..1000)
                .map(|at| {
                    let message = format!(r#"{{"jsonrpc":"2.0","method":"notifications/x{at}"}}"#);
                    out.framed(message.as_bytes())
                })
                .collect();
            let storm = storm.concat();
            for _ in 0..crate::soak(20, 1000) {
                out.part(&storm).await;
            }
        }
        "progress of nobody" => {
            for token in ["1", "999", "\"a\"", "null", "{}", "[1]"] {
                let params = format!(r#"{{"progressToken":{token},"progress":1}}"#);
                out.say(format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#
                ))
                .await;
            }
        }
        "cancels what it is asked" => {
            let params = format!(r#"{{"requestId":{id}}}"#);
            out.say(format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#))
                .await;
        }
        "one byte at a time" => {
            for byte in out.framed(well.as_bytes()) {
                out.part(&[byte]).await;
                tokio::task::yield_now().await;
            }
            return;
        }
        "crlf and a mark" => {
            let end = if matches!(out, Out::Pipe(_)) { "\r\n" } else { "\r\n\r\n" };
            let start = if matches!(out, Out::Pipe(_)) { "\u{feff}" } else { "data: \u{feff}" };
            out.part(format!("{start}{well}{end}").as_bytes()).await;
            return;
        }
        "deep" => {
            out.say(format!(r#"{{"jsonrpc":"2.0","method":"notifications/x","params":{}}}"#, deep())).await;
        }
        "a deep answer" => {
            let result = format!(r#"{{"content":[{{"type":"text","text":"well"}}],"deep":{}}}"#, deep());
            return out.say(heard.result(&result)).await;
        }
        "too long" => return too_long(heard, out).await,
        "too long, and no answer" => {
            let nobody = Heard { id: "999999".to_owned(), ..heard.clone() };
            return too_long(&nobody, out).await;
        }
        _ => {}
    }
    out.say(&well).await;
}

/// Says a message that is longer than any may be.
async fn too_long(heard: &Heard, out: &mut Out<'_>) {
    let message = out.framed(heard.says("X").as_bytes());
    let at = message.iter().position(|&byte| byte == b'X').unwrap_or_default();
    out.part(&message[..at]).await;
    let text = vec![b'x'; 1 << 20];
    for _ in 0..=crate::soak(MESSAGE_LIMIT >> 20, 1024) {
        out.part(&text).await;
    }
    out.part(&message[at..]).await;
}

/// A hundred thousand lists, each in the one before.
fn deep() -> String {
    format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))
}
