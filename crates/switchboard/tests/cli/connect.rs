//! `connect`: what a client runs, a pipe to the daemon, which is started where there is none.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::Value;
use testkit::daemon::{Daemon, Signal, send};
use testkit::home::FakeHome;

use crate::{CATALOGUE, home};

pub(crate) const HELLO: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
    "\n"
);

/// A home with a server, and no daemon.
fn with_server() -> FakeHome {
    let home = home();
    let program = env!("CARGO_BIN_EXE_switchboard");
    home.run_words(["server", "add", "hello", "--", program, "__demo-server", "greeter"]);
    home
}

/// Returns the daemon of a home, as `status` tells it.
fn daemon(home: &FakeHome) -> Value {
    home.run("status --json").json()["daemon"].clone()
}

#[test]
fn it_is_a_pipe_to_the_server() {
    let home = with_server();
    home.ok("profile add work hello");
    let _daemon = Daemon::start(&home);
    for words in [
        &["connect", "hello"][..],
        &["connect", "--all"],
        &["connect", "--profile", "work"],
        // Standard output is the client's, whatever else is asked for.
        &["connect", "hello", "--json"],
    ] {
        let output = home.run_with_input(words, HELLO);
        assert_eq!(output.code, 0, "{words:?} {output}");
        assert_eq!(output.json()["id"], 1, "{words:?}");
        assert!(output.json()["result"]["serverInfo"].is_object(), "{words:?} {output}");
    }
}

#[test]
fn where_there_is_no_daemon_one_is_started_for_all_who_come() {
    let home = with_server();
    // Its port may be taken: whoever comes by the control socket does not mind.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("[http]\nlisten = \"{}\"\n", taken.local_addr().unwrap());
    home.write("switchboard/config/switchboard.toml", listen);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let output = home.run_with_input(["connect", "hello"], HELLO);
                assert_eq!((output.code, &output.json()["id"]), (0, &1.into()), "{output}");
            });
        }
    });
    let passing = daemon(&home)["pid"].as_u64().unwrap();
    let log = home.text("switchboard/state/switchboard.log");
    assert_eq!(log.matches("INFO ready").count(), 1, "one was started:\n{log}");
    assert!(home.run("status").all().contains("failed to listen on"), "{}", home.run("status"));

    // One that is asked for by name takes its place; until then the other one answers.
    let stays = Daemon::start(&home);
    let begun = std::time::Instant::now();
    while daemon(&home)["pid"] != stays.pid() {
        assert!(begun.elapsed() < testkit::daemon::GUARD, "{}", stays.log());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_ne!(passing, u64::from(stays.pid()));
    assert_eq!(home.run("serve --listen 127.0.0.1:0").code, 1, "and keeps it");
}

#[test]
fn a_daemon_that_nobody_needs_goes() {
    let home = home();
    let output = home.run("serve --listen 127.0.0.1:0 --idle-exit 1ms");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stderr.contains("nobody has been here"), "{output}");
    assert_eq!(home.run("serve --idle-exit soon").code, 2);
}

#[test]
fn the_pipe_outlives_its_daemon() {
    let home = with_server();
    let mut first = Daemon::start(&home);
    let mut client =
        home.command(["connect", "hello"]).stdin(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut input = client.stdin.take().unwrap();
    let mut say = |text: &str| input.write_all(text.as_bytes()).unwrap();
    let mut hear = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    say(HELLO);
    assert_eq!(hear()["id"], 1);
    say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
    for round in 2..4 {
        say(&format!("{{\"jsonrpc\":\"2.0\",\"id\":{round},\"method\":\"tools/list\"}}\n"));
        let answer = loop {
            let heard = hear();
            if heard.get("id").is_some() {
                break heard;
            }
        };
        assert_eq!((&answer["id"], answer["result"]["tools"].is_array()), (&round.into(), true), "{answer}");
        if round == 2 {
            // The client starts the next one.
            first.signal(Signal::KILL);
            first.ended();
            assert!(hear()["method"].as_str().is_some_and(|method| method.ends_with("list_changed")));
        }
    }
    let pid = daemon(&home)["pid"].as_u64().unwrap();
    assert_ne!(pid, u64::from(first.pid()));
    drop(input);
    assert_eq!(client.wait().unwrap().code(), Some(0));
    send(u32::try_from(pid).unwrap(), Signal::TERM);
}

#[test]
fn errors_say_what_to_do_and_leave_standard_output_alone() {
    let home = home();
    let _daemon = Daemon::start(&home);
    for (words, code) in [
        (&["connect", "nobody"][..], 2),
        (&["connect", "a/../b"], 2),
        (&["connect", "--profile", "q"], 2),
        (&["connect"], 2),
        (&["connect", "nobody", "--all"], 2),
    ] {
        let output = home.run_words(words);
        assert_eq!((output.code, &*output.stdout), (code, ""), "{words:?} {output}");
    }
    insta::assert_snapshot!(home.run("connect nobody"), @"
    exit code: 2
    ----- stderr -----
    error: failed to connect to `nobody`: there is no server `nobody`
    hint: see `switchboard server list`
    ");
}

#[test]
fn a_server_that_cannot_be_started_says_so_in_its_answer() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    let ran = home.path("ran");
    home.write(
        CATALOGUE,
        format!(
            "[servers.gone]\ncommand = \"/no/such/program\"\n[servers.x]\ncommand = \"touch\"\nargs = [\"{}\"]\n",
            ran.display()
        ),
    );
    // What others may write is not started unless somebody approved it.
    std::fs::set_permissions(home.path(CATALOGUE), std::fs::Permissions::from_mode(0o666)).unwrap();
    let daemon = Daemon::start(&home);
    let output = home.run_with_input(["connect", "x"], HELLO);
    assert!(output.json()["error"]["message"].is_string() && !ran.exists(), "{output}");
    drop(daemon);
    std::fs::set_permissions(home.path(CATALOGUE), std::fs::Permissions::from_mode(0o600)).unwrap();
    let _daemon = Daemon::start(&home);
    let output = home.run_with_input(["connect", "gone"], HELLO);
    assert!(output.stdout.contains("/no/such/program"), "{output}");
}

#[test]
fn an_older_daemon_that_nobody_asked_for_by_name_makes_room_for_a_newer_one() {
    let home = with_server();
    let socket = home.path("switchboard/run/control.sock");
    std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
    let older = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mut client =
        home.command(["connect", "hello"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut pipe, _) = older.accept().unwrap();
    let mut head = BufReader::new(pipe.try_clone().unwrap()).lines();
    while !head.next().unwrap().unwrap().is_empty() {}
    let welcome = "HTTP/1.1 101 Switching Protocols\r\nSwitchboard-Version: 0.0.1\r\n\r\n";
    pipe.write_all(welcome.as_bytes()).unwrap();
    drop(older);
    std::fs::remove_file(&socket).unwrap();
    // It is there beside the older one, which says when it goes.
    let begun = std::time::Instant::now();
    while daemon(&home)["pid"].is_null() {
        assert!(begun.elapsed() < testkit::daemon::GUARD, "no newer one came");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let leaving = switchboard_gateway::serve::pipe::LEAVING;
    writeln!(pipe, r#"{{"jsonrpc":"2.0","method":"{leaving}"}}"#).unwrap();
    drop((pipe, head));
    let mut input = client.stdin.take().unwrap();
    input.write_all(HELLO.as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(client.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    assert!(answer.contains("\"serverInfo\""), "{answer}");
    drop(input);
    client.wait().unwrap();
    let log = home.text("switchboard/state/switchboard.log");
    assert_eq!(log.matches("INFO ready").count(), 1, "{log}");
}
