//! A server of HTTP that answers what a script says, byte by byte where that matters.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) verb: String,
    pub(super) path: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Value,
    /// Which connection it came on.
    pub(super) connection: usize,
}

impl Heard {
    pub(super) fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(super) fn is_answer(&self) -> bool {
        self.body.get("method").is_none() && self.body.get("id").is_some()
    }

    /// Returns the tool that is called.
    pub(super) fn tool(&self) -> Option<&str> {
        self.body["params"]["name"].as_str().filter(|_| self.method() == "tools/call")
    }

    /// Returns the answer to it.
    pub(super) fn result(&self, result: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.body["id"])
    }

    pub(super) fn error(&self, error: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, self.body["id"])
    }
}

/// What a script does with the connection, one after the other; at the end the next request is read from it.
#[derive(Clone)]
pub(super) enum Say {
    Bytes(Vec<u8>),
    /// Each byte on its own.
    Slowly(Vec<u8>),
    /// Until somebody rings, or the other side hangs up; then the connection is closed.
    Wait(Arc<Notify>),
    /// What others say, as events; `end` is the end.
    Follow(Arc<Mutex<Option<tokio::sync::broadcast::Receiver<String>>>>),
    /// The connection breaks.
    Cut,
}

type Script = dyn Fn(&Heard) -> Vec<Say> + Send + Sync;

/// A server that runs as long as this is kept.
pub(super) struct Scripted {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
    hung_up: Arc<Mutex<Vec<String>>>,
    _running: JoinSet<()>,
}

impl Scripted {
    pub(super) async fn start(script: impl Fn(&Heard) -> Vec<Say> + Send + Sync + 'static) -> Self {
        Self::on(0, script).await
    }

    async fn on(port: u16, script: impl Fn(&Heard) -> Vec<Say> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (heard, hung_up) = (Arc::<Mutex<Vec<Heard>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let mut running = JoinSet::new();
        let (all, gone, script) =
            (Arc::clone(&heard), Arc::clone(&hung_up), Arc::<Script>::from(Box::new(script) as Box<Script>));
        running.spawn(async move {
            let mut connections = JoinSet::new();
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let _ = stream.set_nodelay(true);
                connections.spawn(attend(
                    stream,
                    number,
                    Arc::clone(&script),
                    Arc::clone(&all),
                    Arc::clone(&gone),
                ));
            }
        });
        Self { port, heard, hung_up, _running: running }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Returns what was heard: verbs, and methods where there are some.
    pub(super) fn story(&self) -> Vec<String> {
        let told = |heard: &Heard| match (heard.method(), heard.is_answer()) {
            ("", false) => heard.verb.clone(),
            ("", true) => "answer".to_owned(),
            (method, _) => method.to_owned(),
        };
        self.heard().iter().map(told).collect()
    }

    pub(super) fn count(&self, what: &str) -> usize {
        self.story().iter().filter(|told| *told == what).count()
    }

    /// Returns what the client hung up on while it was waited.
    pub(super) fn hung_up(&self) -> Vec<String> {
        self.hung_up.lock().unwrap().clone()
    }
}

async fn attend(
    mut stream: TcpStream,
    connection: usize,
    script: Arc<Script>,
    all: Arc<Mutex<Vec<Heard>>>,
    gone: Arc<Mutex<Vec<String>>>,
) {
    let mut buffer = Vec::new();
    while let Some(heard) = read(&mut stream, &mut buffer, connection).await {
        let method = heard.method().to_owned();
        let said = script(&heard);
        all.lock().unwrap().push(heard);
        for say in said {
            let written = match say {
                Say::Bytes(bytes) => stream.write_all(&bytes).await,
                Say::Slowly(bytes) => slowly(&mut stream, &bytes).await,
                Say::Cut => return,
                Say::Follow(others) => {
                    let mut others = others.lock().unwrap().take().unwrap();
                    follow(&mut stream, &mut others).await
                }
                Say::Wait(bell) => {
                    let mut byte = [0];
                    tokio::select! {
                        () = bell.notified() => Ok(()),
                        _ = stream.read(&mut byte) => {
                            gone.lock().unwrap().push(method);
                            return;
                        }
                    }
                }
            };
            if written.is_err() {
                return;
            }
        }
    }
}

async fn follow(
    stream: &mut TcpStream,
    others: &mut tokio::sync::broadcast::Receiver<String>,
) -> std::io::Result<()> {
    while let Ok(said) = others.recv().await {
        if said == "end" {
            break;
        }
        let text = format!("data: {}\n\n", said.replace('\n', "\ndata: "));
        stream.write_all(&chunk(&text)).await?;
    }
    Err(std::io::ErrorKind::BrokenPipe.into())
}

async fn slowly(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_micros(50)).await;
    }
    Ok(())
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>, connection: usize) -> Option<Heard> {
    let end = loop {
        if let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(buffer.drain(..end + 4).collect()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (verb, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body: Vec<u8> = buffer.drain(..length).collect();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Some(Heard { verb, path, headers, body, connection })
}

/// Returns a whole answer.
pub(super) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<Say> {
    vec![Say::Bytes(whole(status, headers, body))]
}

pub(super) fn whole(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut lines = vec![format!("HTTP/1.1 {status} X"), format!("Content-Length: {}", body.len())];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
}

/// Returns an answer that is a message.
pub(super) fn ok(body: &str) -> Vec<Say> {
    reply(200, &[("Content-Type", "application/json")], body)
}

/// Returns an answer without a body.
pub(super) fn status(status: u16) -> Vec<Say> {
    reply(status, &[], "")
}

/// Returns the beginning of a stream of events.
pub(super) fn events() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()
}

/// Returns a piece of a stream.
pub(super) fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

/// The end of a stream.
pub(super) const END: &[u8] = b"0\r\n\r\n";

/// Returns a whole stream.
pub(super) fn stream(text: &str) -> Vec<u8> {
    [events(), chunk(text), END.to_vec()].concat()
}
