//! Real sockets: what a program on the other side sees.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use switchboard_core::settings::Http;
use tokio_util::task::TaskTracker;

use super::super::door::{self, Door};
use super::Fake;
use crate::ask::Answer;

/// How long a test waits for what must come at once; only a broken build waits for so long.
const LONG: Duration = Duration::from_secs(30);

/// A daemon whose doors are open.
struct Open {
    fake: Fake,
    at: SocketAddr,
    #[cfg(unix)]
    socket: std::path::PathBuf,
    tasks: TaskTracker,
}

fn http(listen: &str, auth: &str) -> Http {
    Http { listen: listen.to_owned(), auth: auth.to_owned() }
}

impl Open {
    fn new() -> Self {
        Self::of(Fake::answering("", |_| Answer {
            document: Some(serde_json::json!(["asked"])),
            ..Answer::default()
        }))
    }

    fn of(fake: Fake) -> Self {
        fake.announce("[servers.npm]\ncommand='npx'\n");
        let mut doors = door::open(&http("127.0.0.1:0", "token")).unwrap().doors;
        let at = doors[0].address().unwrap();
        #[cfg(unix)]
        let socket = fake.folder.path().join("run/control.sock");
        let tasks = TaskTracker::new();
        #[cfg(unix)]
        {
            let (control, kept) = switchboard_host::socket::ControlSocket::bind(&socket).unwrap();
            control.set_nonblocking(true).unwrap();
            doors.push(Door::Control(tokio::net::UnixListener::from_std(control).unwrap()));
            std::mem::forget(kept);
        }
        tasks.spawn(door::serve(
            doors,
            fake.api.clone(),
            fake.drain.clone(),
            door::Grace::new(Duration::from_millis(300)),
        ));
        Self {
            fake,
            at,
            #[cfg(unix)]
            socket,
            tasks,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Ends the daemon, and waits until it has.
    async fn end(self) {
        self.fake.drain.cancel();
        self.tasks.close();
        tokio::time::timeout(LONG, self.tasks.wait()).await.expect("the doors close");
    }
}

/// Runs something that blocks, while the doors are served.
async fn aside<T: Send + 'static>(what: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(what).await.unwrap()
}

async fn curl(words: &[&str]) -> Option<(String, String)> {
    if Command::new("curl").arg("--version").output().is_err() {
        testkit::tools::missing("curl", false);
        return None;
    }
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]).args(words);
    let output = aside(move || command.output().unwrap()).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&output.stdout), text(&output.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_what_the_book_says() {
    let open = Open::new();
    let Some((version, _)) = curl(&[&open.url("/api/mcp/_version")]).await else { return };
    assert_eq!(serde_json::from_str::<Value>(&version).unwrap()["version"], "1.1.0");
    let file = open.fake.folder.path().join("claude.json");
    let file = file.to_str().unwrap();
    let (code, error) =
        curl(&["-w", "%{http_code}", "-o", file, &open.url("/api/mcp/_config/claude")]).await.unwrap();
    assert_eq!((code.as_str(), error.as_str()), ("200", ""));
    let read =
        String::from_utf8(switchboard_host::file::read(std::path::Path::new(file)).unwrap().bytes).unwrap();
    assert!(read.contains("mcpServers"), "{read}");
    let (code, _) = curl(&["-w", "%{http_code}", "-X", "POST", &open.url("/api/mcp/_sync")]).await.unwrap();
    assert!(code.ends_with("401"), "{code}");
    let bearer = format!("Authorization: Bearer {}", open.fake.token("ci", "*:*:*"));
    let (told, _) = curl(&["-H", &bearer, "-X", "POST", &open.url("/api/mcp/_sync")]).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), serde_json::json!(["asked"]));
    open.end().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn curl_reaches_the_control_socket_without_a_token() {
    let open = Open::new();
    let socket = open.socket.to_str().unwrap().to_owned();
    let ask = r#"{"command":"status","wishes":{"json":true},"agreed":[]}"#;
    let words = ["--unix-socket", &socket, "--json", ask, "http://localhost/api/v1/command"];
    let Some((told, error)) = curl(&words).await else { return };
    assert_eq!(
        serde_json::from_str::<Value>(&told).unwrap()["document"],
        serde_json::json!(["asked"]),
        "{error}"
    );
    let (told, _) = curl(&["--unix-socket", &socket, "http://evil.example/api/v1/status"]).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["status"], 403);
    open.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_stream_is_the_stream_that_the_book_describes() {
    let open = Open::new();
    let mut stream = open.connect();
    let port = open.at.port();
    let mut stream = aside(move || {
        write!(stream, "GET /api/mcp/_config/events HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
        let text = until(&mut stream, "\n\nevent: config_updated\nid: 1\n");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        for line in [
            "content-type: text/event-stream\r\n",
            "connection: close\r\n",
            "cache-control: no-store\r\n",
            "date: ",
        ] {
            assert!(text.contains(line), "no {line:?} in {text}");
        }
        assert!(text.contains("\r\n\r\nretry: 2000\n\n"), "{text}");
        stream
    })
    .await;
    open.fake.announce("[servers.npm]\ncommand='other'\n");
    let mut stream = aside(move || {
        let text = until(&mut stream, "id: 2\n");
        (stream, text)
    })
    .await;
    open.end().await;
    let rest = aside(move || {
        let mut rest = String::new();
        stream.0.read_to_string(&mut rest).map(|_| stream.1 + &rest)
    });
    let rest = rest.await.expect("the stream ends, and is not cut off");
    assert!(rest.ends_with("}}\n\n"), "the last event is whole: {rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_may_be_asked_for_on_a_connection_that_was_used_before() {
    let open = Open::new();
    let (mut stream, port) = (open.connect(), open.at.port());
    aside(move || {
        write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
        until(&mut stream, "alive\n");
        write!(stream, "GET /api/mcp/_config/events HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
        let text = until(&mut stream, "id: 1\n");
        assert!(text.contains("connection: close"), "{text}");
    })
    .await;
    open.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_behind_what_was_answered_before_and_is_not_taken_yet() {
    const MANY: usize = 1500;
    let open = Open::new();
    let (mut stream, port) = (open.connect(), open.at.port());
    aside(move || {
        // Their answers are more than a connection holds: nobody reads before all is asked.
        let one = format!("GET /metrics HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
        let events = format!("GET /api/mcp/_config/events HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
        let (mut asks, all) = (stream.try_clone().unwrap(), one.repeat(MANY) + &events);
        let asking = std::thread::spawn(move || asks.write_all(all.as_bytes()).unwrap());
        let (mut read, mut part) = (Vec::new(), vec![0; 1 << 16]);
        while !read.ends_with(b"}\n\n") {
            let length = std::io::Read::read(&mut stream, &mut part).unwrap();
            assert!(length > 0, "it ended after {} bytes", read.len());
            read.extend_from_slice(&part[..length]);
            // Of an event in chunks, too, the data are the last that comes.
            while read.ends_with(b"\r\n") {
                read.truncate(read.len() - 2);
            }
        }
        asking.join().unwrap();
        let text = String::from_utf8(read).unwrap();
        assert!(text.contains("id: 1\n"));
        assert_eq!(text.matches("HTTP/1.1 200 OK").count(), MANY + 1);
        assert_eq!(text.matches("\nswitchboard_ready ").count(), MANY);
    })
    .await;
    open.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_frees_the_place() {
    let open = Open::new();
    let (mut stream, port) = (open.connect(), open.at.port());
    let stream = aside(move || {
        write!(stream, "GET /api/mcp/_config/events HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
        until(&mut stream, "id: 1\n");
        stream
    })
    .await;
    let count = || open.fake.api.0.streams.count();
    assert_eq!(count(), 1);
    drop(stream);
    let begun = Instant::now();
    while count() > 0 && begun.elapsed() < LONG {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(count(), 0);
    open.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_are_refused_at_once() {
    let open = Open::new();
    let host = format!("Host: localhost:{}\r\n", open.at.port());
    let bearer = format!("Authorization: Bearer {}\r\n", open.fake.token("admin", "*:*:*"));
    let json = "Content-Type: application/json\r\n";
    let (many, long) = ("X: y\r\n".repeat(200), format!("X: {}\r\n", "y".repeat(100_000)));
    let cases = [
        (
            format!(
                "POST /api/v1/servers HTTP/1.1\r\n{host}{bearer}{json}Content-Length: 1073741824\r\n\r\n"
            ),
            "413",
        ),
        (format!("GET /healthz HTTP/1.1\r\n{host}{many}\r\n"), "431"),
        (format!("GET /healthz HTTP/1.1\r\n{host}{long}\r\n"), "431"),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", "a".repeat(70_000)), "4"),
        ("GET /healthz HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("GET /healthz HTTP/1.0\r\n\r\n".to_owned(), "400"),
        (format!("GET /healthz HTTP/1.1\r\n{host}{host}\r\n"), "400"),
        (format!("GET http://localhost/healthz HTTP/1.1\r\n{host}\r\n"), "400"),
        (format!("CONNECT localhost:80 HTTP/1.1\r\n{host}\r\n"), "400"),
        (
            format!(
                "POST /api/mcp/_sync HTTP/1.1\r\n{host}{bearer}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"
            ),
            "400",
        ),
        (format!("POST /api/mcp/_sync HTTP/1.1\r\n{host}{bearer}{json}Transfer-Encoding: x\r\n\r\n"), "4"),
        ("\x16\x03\x01\x02\x00\x01\x00\x01".to_owned(), "400"),
    ];
    for (asked, status) in cases {
        let mut stream = open.connect();
        let (shown, length) = (asked.chars().take(80).collect::<String>(), asked.len());
        let told = aside(move || {
            // A refusal may come, and the connection close, before all is sent.
            let _ = stream.write_all(asked.as_bytes());
            let mut told = [0; 4096];
            let length = stream.read(&mut told).unwrap_or_default();
            String::from_utf8_lossy(&told[..length]).into_owned()
        })
        .await;
        // Where more was sent than is read, the answer may be lost with the connection.
        let cut_off = told.is_empty() && length > 60_000;
        let told = told.replace("HTTP/1.0", "HTTP/1.1");
        assert!(cut_off || told.starts_with(&format!("HTTP/1.1 {status}")), "{shown:?}: {told}");
    }
    open.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_in_chunks_are_not_kept() {
    let open = Open::new();
    let head = format!(
        "POST /api/v1/servers HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        open.at.port(),
        open.fake.token("admin", "*:*:*"),
    );
    let mut stream = open.connect();
    let (sent, told) = aside(move || {
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
        let sent = (0..100).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        (sent, String::from_utf8_lossy(&told).into_owned())
    })
    .await;
    assert!(sent < 100, "it was cut off, after {sent} MiB");
    assert!(told.is_empty() || told.starts_with("HTTP/1.1 413"), "{told}");
    open.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_is_cut_off_and_keeps_nobody_from_being_served() {
    let open = Open::new();
    let mut slow = open.connect();
    let dripping = std::thread::spawn(move || {
        let begun = Instant::now();
        slow.write_all(b"GET /healthz HTTP/1.1\r\nX: ").unwrap();
        slow.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut byte = [0];
        while begun.elapsed() < LONG {
            if slow.write_all(b"y").is_err() {
                break;
            }
            match slow.read(&mut byte) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                }
                _ => break,
            }
        }
        begun.elapsed()
    });
    for _ in 0..20 {
        let (mut stream, port) = (open.connect(), open.at.port());
        aside(move || {
            write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")
                .unwrap();
            until(&mut stream, "alive\n")
        })
        .await;
    }
    let took = aside(move || dripping.join().unwrap()).await;
    assert!(took < LONG, "it was let go on for {took:?}");
    open.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_ended_and_silent_connections_are_closed() {
    let open = Open::new();
    let (mut idle, silent, port) = (open.connect(), open.connect(), open.at.port());
    let mut idle = aside(move || {
        write!(idle, "GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
        until(&mut idle, "alive\n");
        idle
    })
    .await;
    open.end().await;
    for mut stream in [silent, idle.try_clone().unwrap()] {
        let read = aside(move || stream.read(&mut [0; 64])).await;
        assert!(!read.is_ok_and(|length| length > 0), "the daemon has gone");
    }
    let _ = idle.flush();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_whole_though_nobody_read_what_was_sent() {
    let open = Open::new();
    let port = open.at.port();
    for length in [2, 60_000, 300_000] {
        let mut stream = open.connect();
        let answer = aside(move || {
            let head = format!(
                "POST /nothing HTTP/1.0\r\nHost: localhost:{port}\r\nContent-Length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&vec![b'x'; length]).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        })
        .await;
        assert!(answer.as_ref().is_ok_and(|answer| answer.ends_with('}')), "{length}: {answer:?}");
    }
    open.end().await;
}

#[tokio::test]
async fn a_door_that_would_let_anybody_in_is_not_opened() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let failure = door::open(&http(listen, "none")).unwrap_err();
        assert!(failure.hints.iter().any(|hint| hint.contains("auth = \"token\"")), "{listen}: {failure:?}");
    }
    let opened = door::open(&http("127.0.0.1:0", "none")).unwrap();
    assert_eq!(opened.warnings.len(), 1, "it is told at each start");
    let opened = door::open(&http("0.0.0.0:0", "token")).unwrap();
    assert_eq!((opened.doors.len(), opened.warnings.len()), (1, 0));
    for wrong in ["", "8080", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "a b:1"] {
        assert!(door::open(&http(wrong, "token")).is_err(), "{wrong}");
    }
    let passed = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    assert!(door::given(vec![passed], &http("127.0.0.1:8080", "none")).is_err(), "nor one that was passed");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_with_what_to_type() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let failure = door::open(&http(&listen, "token")).unwrap_err();
    let hints = failure.hints.join("\n");
    assert!(hints.contains("switchboard serve --listen 127.0.0.1:"), "{hints}");
    assert!(hints.contains("ss -ltnp"), "{hints}");
}

/// Reads until this was read.
fn until(stream: &mut impl io::Read, end: &str) -> String {
    let mut read = Vec::new();
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part).unwrap_or_else(|error| {
            panic!("{error}, after {:?}", String::from_utf8_lossy(&read));
        });
        assert!(length > 0, "it ended after {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&read);
        if text.contains(end) {
            return text.into_owned();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_dropped() {
    // Time passes by itself here whenever nothing else happens.
    let open = Open::new();
    let (mut stream, port) = (open.connect(), open.at.port());
    write!(stream, "GET /api/mcp/_config/events HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
    let count = || open.fake.api.0.streams.count();
    let begun = tokio::time::Instant::now();
    while count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for number in 0..40 {
        let long = "x".repeat(1 << 20);
        open.fake.announce(&format!("[servers.npm]\ncommand='{number}{long}'\n"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while count() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(600), "it is still there");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(60), "it had its time");
    open.end().await;
}
