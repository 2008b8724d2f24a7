//! The door of the daemon by which a pipe goes: asked for over the control socket, and then nothing but messages.

use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::head::{self, Head, Read};
use crate::web::part_of_path;

/// How long a daemon may take to answer at the door.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest refusal that is read, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// What a pipe leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One server.
    Server(String),
    /// Several servers, behind one: those of a profile, or all; with `search` three tools find, describe and call theirs.
    Joint { profile: Option<String>, search: bool },
}

/// Where to knock, and what to say.
pub(super) struct Door {
    socket: PathBuf,
    request: Vec<u8>,
}

/// What came of knocking.
pub(super) enum Knock {
    /// The pipe stands. What is in the vector is the beginning of what comes; the last is whether the daemon is an older one
    /// that may be replaced.
    Open(UnixStream, Vec<u8>, bool),
    /// Nobody is there, or nobody who is ready.
    Nobody,
    /// Somebody is there, and does not let us in.
    Refused(Refusal),
    /// The system does not let us near.
    Failed(io::Error),
}

/// Why one is not let in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status of HTTP.
    pub(crate) status: u16,
    /// The sentence.
    pub(crate) detail: Option<String>,
    /// What to do about it.
    pub(crate) hints: Vec<String>,
}

impl Door {
    /// Returns the door to `target` at this socket, for a client at work in the folder `root`.
    pub(super) fn new(socket: PathBuf, target: &Target, root: Option<&Path>) -> Self {
        Self { socket, request: request(target, root) }
    }

    /// Asks to be let in.
    pub(super) fn knock(&self) -> Knock {
        match self.ask() {
            // A daemon that has just begun does not know its servers yet; by now it may.
            Knock::Refused(_) => {
                if self.is_ready() {
                    self.ask()
                } else {
                    Knock::Nobody
                }
            }
            knock => knock,
        }
    }

    fn ask(&self) -> Knock {
        let mut stream = match UnixStream::connect(&self.socket) {
            Ok(stream) => stream,
            Err(error) if is_nobody(&error) => return Knock::Nobody,
            Err(error) => return Knock::Failed(error),
        };
        let limits = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.write_all(&self.request));
        let Ok(()) = limits else { return Knock::Nobody };
        let mut bytes = Vec::with_capacity(1024);
        let answer = match answer(&mut stream, &mut bytes) {
            // One that is about to end lets nobody in any more.
            Ok(None) | Err(_) => return Knock::Nobody,
            Ok(Some(answer)) => answer,
        };
        match answer.status {
            101 => match stream.set_nonblocking(true) {
                Ok(()) => {
                    bytes.drain(..answer.length);
                    Knock::Open(stream, bytes, answer.is_older)
                }
                Err(error) => Knock::Failed(error),
            },
            503 => Knock::Nobody,
            status => Knock::Refused(refusal(status, &body(&mut stream, bytes, answer))),
        }
    }

    /// Returns whether whoever is there has done what a start has to do.
    fn is_ready(&self) -> bool {
        let ask = || -> io::Result<bool> {
            let mut stream = UnixStream::connect(&self.socket)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: switchboard\r\nConnection: close\r\n\r\n")?;
            Ok(answer(&mut stream, &mut Vec::new())?.is_some_and(|head| head.status < 300))
        };
        ask().unwrap_or(false)
    }
}

/// Returns whether the error means that nobody listens there.
fn is_nobody(error: &io::Error) -> bool {
    // A socket is busy for want of room where all come at once.
    let kinds = [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused, io::ErrorKind::WouldBlock];
    kinds.contains(&error.kind())
}

/// Reads the head of an answer into `bytes`, with what came along; `None` where there is none.
fn answer(stream: &mut UnixStream, bytes: &mut Vec<u8>) -> io::Result<Option<Head>> {
    loop {
        if more(stream, bytes)? == 0 {
            return Ok(None);
        }
        match head::read(bytes) {
            Read::Whole(head) => return Ok(Some(head)),
            Read::Odd => return Ok(None),
            Read::Partly => {}
        }
    }
}

fn more(stream: &mut UnixStream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut piece = [0; 1024];
    let count = loop {
        match stream.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    bytes.extend_from_slice(&piece[..count]);
    Ok(count)
}

fn body(stream: &mut UnixStream, mut bytes: Vec<u8>, head: Head) -> Vec<u8> {
    let wanted = head.length + head.body.unwrap_or(0).min(LONGEST_BODY);
    while bytes.len() < wanted && more(stream, &mut bytes).is_ok_and(|count| count > 0) {}
    bytes.split_off(head.length)
}

fn refusal(status: u16, body: &[u8]) -> Refusal {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map(ToOwned::to_owned);
    let hints = problem["hints"].as_array().map_or(&[][..], Vec::as_slice);
    Refusal {
        status,
        detail: text(&problem["detail"]),
        hints: hints.iter().chain([&problem["hint"]]).filter_map(text).collect(),
    }
}

fn request(target: &Target, root: Option<&Path>) -> Vec<u8> {
    let mut request = b"GET /mcp".to_vec();
    let (before, name, search) = match target {
        Target::Server(name) => ("/", &**name, false),
        Target::Joint { profile: Some(name), search } => ("/@", &**name, *search),
        Target::Joint { profile: None, search } => ("", "", *search),
    };
    request.extend_from_slice(before.as_bytes());
    request.extend(part_of_path(name.as_bytes()).flat_map(str::bytes));
    if search {
        request.extend_from_slice(b"?tools=search");
    }
    request.extend_from_slice(b" HTTP/1.1\r\nHost: switchboard\r\nConnection: Upgrade\r\nUpgrade: mcp\r\n");
    if let Some(root) = root {
        request.extend_from_slice(b"Mcp-Root: ");
        for (at, part) in root.as_os_str().as_bytes().split(|byte| *byte == b'/').enumerate() {
            if at > 0 {
                request.push(b'/');
            }
            request.extend(part_of_path(part).flat_map(str::bytes));
        }
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_what_the_pipe_leads_to() {
        let joint =
            |profile: Option<&str>, search| Target::Joint { profile: profile.map(str::to_owned), search };
        for (target, root, first, last) in [
            (Target::Server("git".to_owned()), None, "GET /mcp/git HTTP/1.1", "Upgrade: mcp"),
            (joint(None, false), Some("/a b/ü"), "GET /mcp HTTP/1.1", "Mcp-Root: /a%20b/%C3%BC"),
            (joint(Some("work"), false), Some("/"), "GET /mcp/@work HTTP/1.1", "Mcp-Root: /"),
            (joint(Some("work"), true), None, "GET /mcp/@work?tools=search HTTP/1.1", "Upgrade: mcp"),
            (
                Target::Server("a/../b c\r\nX: %".to_owned()),
                None,
                "GET /mcp/a%2F..%2Fb%20c%0D%0AX%3A%20%25 HTTP/1.1",
                "Upgrade: mcp",
            ),
        ] {
            let text = String::from_utf8(request(&target, root.map(Path::new))).unwrap();
            let lines: Vec<_> = text.strip_suffix("\r\n\r\n").unwrap().split("\r\n").collect();
            assert_eq!((lines.first(), lines.last()), (Some(&first), Some(&last)));
            assert!(lines.contains(&"Host: switchboard") && lines.contains(&"Connection: Upgrade"));
        }
    }

    #[test]
    fn a_refusal_says_what_and_what_to_do() {
        for (body, detail, hints) in [
            (r#"{"detail":"no such server","hint":"look"}"#, Some("no such server"), &["look"][..]),
            (r#"{"detail":"no","hints":["a","b"]}"#, Some("no"), &["a", "b"]),
            ("not json", None, &[]),
            (r#"{"detail":1,"hints":[1]}"#, None, &[]),
        ] {
            let told = refusal(404, body.as_bytes());
            assert_eq!(
                (told.detail.as_deref(), &*told.hints),
                (detail, &*hints.iter().map(ToString::to_string).collect::<Vec<_>>()),
                "{body}"
            );
        }
    }
}
