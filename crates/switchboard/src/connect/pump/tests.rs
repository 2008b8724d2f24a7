//! The pump between a client and daemons that do as they are told here.

mod next;

use std::io::{BufRead as _, BufReader, PipeReader, Read, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::super::lane::ROOM;
use super::*;

/// Long enough for a loaded machine; nothing waits for it unless it fails.
const GUARD: Duration = Duration::from_secs(20);

const HELLO: &str = r#"{"jsonrpc":"2.0", "id":"h","method":"initialize","params":{"a":1.0}}"#;
const WELCOME: &str = r#"{"jsonrpc":"2.0","id":"h","result":{}}"#;
const READY: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"} "#;

/// Whoever is reached next, or that nobody ever will be.
struct Next(Receiver<Result<(UnixStream, Vec<u8>), &'static str>>);

impl Reach for Next {
    type Refused = &'static str;

    fn reach(&mut self) -> Result<Option<(UnixStream, Vec<u8>)>, &'static str> {
        self.0.try_recv().ok().transpose()
    }
}

/// The other end of a stream of lines.
struct Talk {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Talk {
    fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(GUARD)).unwrap();
        stream.set_write_timeout(Some(GUARD)).unwrap();
        Self { lines: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
        self.stream.write_all(b"\n").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the end came instead of a line: {line:?}");
        line.truncate(line.len() - 1);
        line
    }

    fn json(&mut self) -> Value {
        let line = self.hear();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:.200}"))
    }

    fn is_over(&mut self) -> bool {
        self.lines.fill_buf().unwrap().is_empty()
    }

    fn close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

/// A pump with both its ends.
struct Stage {
    client: Talk,
    daemon: Talk,
    next: Sender<Result<(UnixStream, Vec<u8>), &'static str>>,
    pump: JoinHandle<Result<(), &'static str>>,
}

impl Stage {
    fn new() -> Self {
        Self::within(Limits { patience: GUARD, farewell: GUARD })
    }

    fn within(limits: Limits) -> Self {
        let (client, ours) = UnixStream::pair().unwrap();
        Self::between(client, (ours.try_clone().unwrap().into(), ours.into()), limits)
    }

    fn between(client: UnixStream, ends: (OwnedFd, OwnedFd), limits: Limits) -> Self {
        let (daemon, link) = pair();
        let (next, reached) = channel();
        let pump = std::thread::spawn(move || {
            let fds = (ends.0.as_fd(), ends.1.as_fd());
            Pump::new(fds, (link, Vec::new()), Some("git".to_owned()), Next(reached)).within(limits).run()
        });
        Self { client: Talk::new(client), daemon: Talk::new(daemon), next, pump }
    }

    /// Another daemon takes the place of the one that is there. Returns what that one had still heard.
    fn restart(&mut self) {
        let (daemon, link) = pair();
        self.next.send(Ok((link, Vec::new()))).unwrap();
        self.daemon = Talk::new(daemon);
    }

    /// Has the handshake done.
    fn greet(&mut self) {
        self.client.say(HELLO);
        assert_eq!(self.daemon.hear(), HELLO);
        self.daemon.say(WELCOME);
        assert_eq!(self.client.hear(), WELCOME);
        self.client.say(READY);
        assert_eq!(self.daemon.hear(), READY);
    }

    /// The handshake is done again, with nothing of it seen by the client.
    fn greet_again(&mut self) {
        assert_eq!(self.daemon.hear(), HELLO);
        self.daemon.say(WELCOME);
        assert_eq!(self.daemon.hear(), READY);
        for list in ["tools", "prompts", "resources"] {
            let method = format!("notifications/{list}/list_changed");
            assert_eq!(self.client.json(), json!({ "jsonrpc": "2.0", "method": method }));
        }
    }

    fn end(self) -> Result<(), &'static str> {
        let Self { client, daemon, pump, .. } = self;
        client.close();
        drop((client, daemon));
        pump.join().unwrap()
    }
}

/// A connection, whose one end waits for nothing.
fn pair() -> (UnixStream, UnixStream) {
    let (daemon, link) = UnixStream::pair().unwrap();
    link.set_nonblocking(true).unwrap();
    (daemon, link)
}

fn error(id: &Value, reason: &str, retryable: bool) -> Value {
    json!({ "id": id, "code": -32603, "gateway": { "server": "git", "reason": reason, "retryable": retryable } })
}

/// Returns of an answer what [`error`] has.
fn told(answer: &Value) -> Value {
    let error = &answer["error"];
    json!({ "id": answer["id"], "code": error["code"], "gateway": error["data"]["gateway"] })
}

#[test]
fn what_passes_comes_out_as_it_went_in() {
    let mut stage = Stage::new();
    let lines = [
        r#"{ "jsonrpc":"2.0","id":1e2,"method":"tools/call","params":{"x":1.0,"y":123456789012345678901234567890}}"#,
        r#"{"id":1,"id":2,"method":"\ud800","unknown":[[["}"]]]}"#,
        "",
        "no json at all \\\" {{{",
        r#"{"id":"\u0041","result":null}"#,
    ];
    // All in one read, and the last one in three.
    stage.client.say(&lines.join("\n"));
    stage.daemon.say(&lines.join("\n"));
    for line in lines {
        assert_eq!(stage.daemon.hear(), line);
        assert_eq!(stage.client.hear(), line);
    }
    for piece in ["{\"id\"", ":7,\"method\":", "\"x\"}\n"] {
        stage.client.stream.write_all(piece.as_bytes()).unwrap();
        std::thread::yield_now();
    }
    assert_eq!(stage.daemon.hear(), r#"{"id":7,"method":"x"}"#);
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn what_came_with_the_answer_at_the_door_is_the_clients() {
    let mut stage = Stage::new();
    stage.daemon.close();
    let (daemon, link) = pair();
    stage.next.send(Ok((link, b"{\"early\":1}\n{\"half\"".to_vec()))).unwrap();
    stage.daemon = Talk::new(daemon);
    assert_eq!(stage.client.hear(), r#"{"early":1}"#);
    stage.daemon.say(":2}");
    assert_eq!(stage.client.hear(), r#"{"half":2}"#);
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_client_with_nothing_more_to_say_hears_what_still_comes() {
    let mut stage = Stage::new();
    stage.client.stream.write_all(b"{\"id\":1,\"method\":\"x\"}\n{\"id\":2,\"method\":\"x\"}").unwrap();
    stage.client.close();
    assert_eq!(stage.daemon.hear(), r#"{"id":1,"method":"x"}"#);
    assert_eq!(stage.daemon.hear(), r#"{"id":2,"method":"x"}"#, "the last line needs no end");
    assert!(stage.daemon.is_over());
    stage.daemon.say(r#"{"id":1,"result":{}}"#);
    stage.daemon.stream.write_all(br#"{"id":2,"result":{}}"#).unwrap();
    stage.daemon.close();
    assert_eq!(stage.client.hear(), r#"{"id":1,"result":{}}"#);
    assert_eq!(stage.client.hear(), r#"{"id":2,"result":{}}"#);
    assert!(stage.client.is_over());
    assert_eq!(stage.pump.join().unwrap(), Ok(()));
}

#[test]
fn a_daemon_that_does_not_end_is_not_waited_for_for_ever() {
    let mut stage = Stage::within(Limits { patience: GUARD, farewell: Duration::ZERO });
    stage.client.say(r#"{"id":1,"method":"x"}"#);
    assert_eq!(stage.daemon.hear(), r#"{"id":1,"method":"x"}"#);
    stage.client.close();
    assert_eq!(told(&stage.client.json()), error(&json!(1), "restarting", false));
    assert!(stage.client.is_over());
    assert_eq!(stage.pump.join().unwrap(), Ok(()));
}

/// Lines of all lengths around those of the lanes and of the system's own buffers.
fn long_lines() -> Vec<String> {
    let lengths = [1, 4095, 4096, 4097, ROOM - 2, ROOM - 1, ROOM, ROOM + 1, 3 * ROOM + 7, 5 << 20, 12];
    let line = |(at, length): (usize, &usize)| format!("{at}{}", "abcdefg\\\"".repeat(length / 9 + 1));
    lengths.iter().enumerate().map(line).collect()
}

#[test]
fn long_lines_pass_in_pieces_both_ways_at_once() {
    let (client, input) = UnixStream::pair().unwrap();
    let (output, ours): (PipeReader, _) = std::io::pipe().unwrap();
    let stage =
        Stage::between(client, (input.into(), ours.into()), Limits { patience: GUARD, farewell: GUARD });
    let text = long_lines().join("\n") + "\n";
    let say = |stream: &UnixStream| {
        let (mut stream, text) = (stream.try_clone().unwrap(), text.clone());
        std::thread::spawn(move || {
            // Pieces that fit nothing.
            text.as_bytes().chunks(7919).for_each(|piece| stream.write_all(piece).unwrap());
        })
    };
    fn hear(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
        std::thread::spawn(move || {
            let (mut all, mut piece) = (Vec::new(), [0; 1021]);
            loop {
                match from.read(&mut piece).unwrap() {
                    0 => return String::from_utf8(all).unwrap(),
                    count => all.extend_from_slice(&piece[..count]),
                }
            }
        })
    }
    let client = hear(output);
    let daemon = hear(stage.daemon.stream.try_clone().unwrap());
    let saying = [say(&stage.client.stream), say(&stage.daemon.stream)];
    for thread in saying {
        thread.join().unwrap();
    }
    stage.client.close();
    assert!(daemon.join().unwrap() == text, "to the daemon");
    stage.daemon.close();
    assert!(client.join().unwrap() == text, "to the client");
    assert_eq!(stage.pump.join().unwrap(), Ok(()));
    drop(stage.daemon);
}

#[test]
fn an_end_that_does_not_read_stops_its_own_direction_only() {
    let mut stage = Stage::new();
    for back in [false, true] {
        let (from, to) = if back {
            (&mut stage.daemon, &mut stage.client)
        } else {
            (&mut stage.client, &mut stage.daemon)
        };
        // Far more than all buffers together: it comes to a stop.
        let line = format!("{}\n", "x".repeat(1000));
        from.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut written = 0;
        while let Ok(count) = from.stream.write(&line.as_bytes()[written % line.len()..]) {
            written += count;
            assert!(written < 64 << 20, "nothing stops it");
        }
        to.say("the other way");
        assert_eq!(from.hear(), "the other way");
        // And goes on where it was.
        let rest = line.len() - written % line.len();
        from.stream.set_write_timeout(Some(GUARD)).unwrap();
        let reading = {
            let mut lines = BufReader::new(to.stream.try_clone().unwrap());
            std::thread::spawn(move || {
                let mut whole = String::new();
                let mut count = 0;
                while count < written + rest {
                    whole.clear();
                    count += lines.read_line(&mut whole).unwrap();
                    assert_eq!(whole.len(), 1001);
                }
            })
        };
        from.stream.write_all(&line.as_bytes()[line.len() - rest..]).unwrap();
        reading.join().unwrap();
    }
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_call_that_was_given_up_is_not_answered_whatever_becomes_of_the_daemon() {
    let mut stage = Stage::new();
    stage.greet();
    for id in ["1", "\"two\"", "3"] {
        stage.client.say(&format!(r#"{{"id":{id},"method":"tools/call"}}"#));
        stage.daemon.hear();
    }
    for id in ["1", "\"two\""] {
        let params = format!(r#"{{"reason":"so","requestId": {id} }}"#);
        stage.client.say(&format!(r#"{{"method":"notifications/cancelled","params":{params}}}"#));
        stage.daemon.hear();
    }
    stage.restart();
    assert_eq!(told(&stage.client.json()), error(&json!(3), "restarting", false));
    stage.greet_again();
    stage.client.close();
    stage.daemon.close();
    assert!(stage.client.is_over(), "nor at the end");
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_restart_fails_what_is_in_flight_and_replays_the_handshake_alone() {
    let mut stage = Stage::new();
    stage.greet();
    for id in ["1", "\"two\"", "3"] {
        stage.client.say(&format!(r#"{{"id":{id},"method":"tools/call"}}"#));
        stage.daemon.hear();
    }
    stage.daemon.say(r#"{"id":1,"result":{}}"#);
    stage.daemon.say(r#"{"id":8,"method":"sampling/createMessage"}"#);
    stage.daemon.say(r#"{"id":9,"method":"roots/list"}"#);
    for _ in 0..3 {
        stage.client.hear();
    }
    stage.client.say(r#"{"id":9,"result":{}}"#);
    stage.daemon.hear();
    stage.daemon.stream.write_all(br#"{"id":3,"result":{"half"#).unwrap();

    stage.restart();
    assert_eq!(told(&stage.client.json()), error(&json!("two"), "restarting", false));
    assert_eq!(told(&stage.client.json()), error(&json!(3), "restarting", false));
    let cancelled = stage.client.json();
    assert_eq!(
        (&cancelled["method"], &cancelled["params"]["requestId"]),
        (&json!("notifications/cancelled"), &json!(8))
    );
    // What is said meanwhile waits until the handshake is done.
    stage.client.say(r#"{"id":4,"method":"tools/list"}"#);
    stage.greet_again();
    assert_eq!(stage.daemon.hear(), r#"{"id":4,"method":"tools/list"}"#);
    stage.daemon.say(r#"{"id":4,"result":{}}"#);
    assert_eq!(stage.client.hear(), r#"{"id":4,"result":{}}"#);

    // Once more, with nothing in flight.
    stage.restart();
    stage.greet_again();
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_client_that_does_not_introduce_itself_goes_on_as_if_nothing_was() {
    let mut stage = Stage::new();
    stage.client.say(r#"{"id":1,"method":"server/discover"}"#);
    stage.daemon.hear();
    stage.daemon.say(r#"{"id":1,"result":{}}"#);
    stage.client.hear();
    stage.restart();
    stage.client.say(r#"{"id":2,"method":"tools/list"}"#);
    assert_eq!(stage.daemon.hear(), r#"{"id":2,"method":"tools/list"}"#);
    stage.daemon.say(r#"{"id":2,"result":{}}"#);
    assert_eq!(stage.client.hear(), r#"{"id":2,"result":{}}"#);
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_long_line_that_breaks_off_ends_before_anything_else_is_said() {
    let mut stage = Stage::new();
    stage.client.say(r#"{"id":1,"method":"x"}"#);
    stage.daemon.hear();
    let long = format!(r#"{{"id":1,"result":"{}"#, "x".repeat(2 * ROOM));
    stage.daemon.stream.write_all(long.as_bytes()).unwrap();
    stage.restart();
    let broken = stage.client.hear();
    assert!(long.starts_with(&broken), "{broken:.50}");
    assert_eq!(told(&stage.client.json()), error(&json!(1), "restarting", false));
    stage.daemon.say("next");
    assert_eq!(stage.client.hear(), "next");
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_long_call_that_breaks_off_is_failed_and_its_rest_goes_nowhere() {
    let mut stage = Stage::new();
    let long = format!(r#"{{"method":"x","params":"{}","#, "x".repeat(2 * ROOM));
    stage.client.stream.write_all(long.as_bytes()).unwrap();
    let mut first = [0; 100];
    stage.daemon.lines.read_exact(&mut first).unwrap();
    stage.restart();
    stage.client.say(&format!(r#""id":5}}{}{{"id":6,"method":"y"}}"#, '\n'));
    assert_eq!(told(&stage.client.json()), error(&json!(5), "restarting", false));
    assert_eq!(stage.daemon.hear(), r#"{"id":6,"method":"y"}"#);
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn calls_are_refused_when_there_is_no_daemon_for_long_and_pass_again_when_there_is() {
    let mut stage = Stage::within(Limits { patience: Duration::ZERO, farewell: GUARD });
    stage.greet();
    stage.daemon.stream.shutdown(Shutdown::Both).unwrap();
    stage.client.say(&format!(
        "{{\"id\":1,\"method\":\"x\"}}\n{{\"method\":\"y\"}}\n{{\"id\":2,\"method\":\"{}\"}}",
        "x".repeat(ROOM)
    ));
    assert_eq!(told(&stage.client.json()), error(&json!(1), "unreachable", true));
    assert_eq!(told(&stage.client.json()), error(&json!(2), "unreachable", true));
    stage.restart();
    stage.greet_again();
    stage.client.say(r#"{"id":3,"method":"x"}"#);
    assert_eq!(stage.daemon.hear(), r#"{"id":3,"method":"x"}"#);
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_daemon_that_is_there_again_and_does_not_know_the_server_ends_the_pump() {
    let mut stage = Stage::new();
    stage.client.say(r#"{"id":1,"method":"x"}"#);
    stage.daemon.hear();
    stage.next.send(Err("no such server")).unwrap();
    stage.daemon.stream.shutdown(Shutdown::Both).unwrap();
    assert_eq!(told(&stage.client.json()), error(&json!(1), "restarting", false));
    assert!(stage.client.is_over());
    assert_eq!(stage.pump.join().unwrap(), Err("no such server"));
}

#[test]
fn the_pump_ends_with_its_client() {
    // While the daemon is there, and while it is away.
    for away in [false, true] {
        let stage = Stage::new();
        if away {
            stage.daemon.stream.shutdown(Shutdown::Both).unwrap();
        }
        let Stage { client, pump, daemon, .. } = stage;
        drop(client);
        assert_eq!(pump.join().unwrap(), Ok(()), "{away}");
        drop(daemon);
    }
}

#[test]
fn what_is_given_up_without_an_answer_is_forgotten_one_day() {
    let mut stage = Stage::new();
    for id in 0..2000 {
        stage.client.say(&format!(r#"{{"id":{id},"method":"x"}}"#));
        stage.daemon.hear();
    }
    stage.restart();
    let first = stage.client.json()["id"].as_u64().unwrap();
    assert_eq!(first, 2000 - 1024);
    assert_eq!(stage.end(), Ok(()));
}
