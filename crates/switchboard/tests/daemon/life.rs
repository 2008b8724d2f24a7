//! How a daemon begins and ends.

use std::os::unix::fs::PermissionsExt as _;

use testkit::daemon::{Daemon, GUARD, Signal, send};

use crate::{CURSOR, SETTINGS, append, home, wait_for};

#[test]
fn a_home_has_one_daemon_and_the_second_is_told_which() {
    let home = home();
    let daemon = Daemon::start(&home);
    let second = home.run("serve --listen 127.0.0.1:0");
    assert_eq!(second.code, 1, "{second}");
    assert!(second.stderr.contains(&format!("process {}", daemon.pid())), "{second}");
    let up = home.run("up --yes --detach");
    assert!(
        up.stdout.contains(&format!("already served by `switchboard serve` (process {})", daemon.pid())),
        "{up}"
    );
}

#[test]
fn a_port_that_is_taken_is_told_with_the_flag_that_helps() {
    let home = home();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = home.run(&format!("serve --listen {address}"));
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stderr.contains(&address) && output.stderr.contains("--listen"), "{output}");
    assert!(!home.path("switchboard/run/control.sock").exists(), "nothing is left behind");
}

#[test]
fn it_ends_when_told_and_takes_its_socket_along() {
    let home = home();
    let mut daemon = Daemon::start(&home);
    let socket = home.path("switchboard/run/control.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.log());
    assert!(!socket.exists());
}

#[test]
fn one_that_was_killed_is_followed_by_another_without_ado() {
    let home = home();
    let mut daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    daemon.signal(Signal::KILL);
    daemon.ended();
    // Its socket is still there, and nobody behind it: commands do their work themselves.
    assert!(home.path("switchboard/run/control.sock").exists());
    home.ok("server add three -- three");
    assert!(home.text(CURSOR).contains("\"three\""));
    let daemon = Daemon::start(&home);
    append(&home, "four");
    wait_for(&daemon, &home, CURSOR, "\"four\"");
}

#[test]
fn in_the_background_it_is_ready_when_the_command_ends() {
    let home = home();
    let up = home.run("up --yes --detach --listen 127.0.0.1:0 --log-format json");
    assert_eq!(up.code, 0, "{up}");
    let log = home.text("switchboard/state/switchboard.log");
    assert!(log.lines().all(|line| line.starts_with('{')), "it logs as it was told:\n{log}");
    let status = home.ok("status --json").json();
    let pid = status["daemon"]["pid"].as_u64().unwrap_or_else(|| panic!("no daemon in {status}"));
    let pid = u32::try_from(pid).unwrap();
    append(&home, "three");
    let begun = std::time::Instant::now();
    while !home.text(CURSOR).contains("\"three\"") {
        assert!(begun.elapsed() < GUARD);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    send(pid, Signal::TERM);
}

#[test]
fn what_ends_at_once_in_the_background_says_why() {
    let home = home();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let up = home.run(&format!("up --yes --detach --listen {address}"));
    assert_eq!(up.code, 1, "{up}");
    assert!(up.stderr.contains(&format!("it failed to listen on {address}: Address already in use")), "{up}");
    assert!(up.stderr.contains("hint: take another one: `switchboard serve --listen"), "{up}");
}

#[test]
fn told_to_look_again_it_looks_again() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let reads = || daemon.log().matches("looked at everything").count();
    let before = reads();
    daemon.signal(Signal::HUP);
    daemon.wait("a look", || reads() > before);
    let (status, _) = daemon.post("/api/v1/reload", "{}").unwrap();
    assert_eq!(status, 200);
    daemon.wait("another look", || reads() > before + 1);
}

#[test]
fn uninstall_takes_the_daemon_along() {
    let home = home();
    let before = home.text(CURSOR);
    let mut daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let output = home.ok("uninstall --yes");
    assert!(output.stdout.contains(&format!("process {}", daemon.pid())), "{output}");
    assert_eq!(daemon.ended().code(), Some(0));
    assert_eq!(home.text(CURSOR), before);
    assert!(!home.path("switchboard/state").exists() && !home.path("switchboard/run").exists());
}

#[test]
fn the_service_manager_is_told_when_it_is_ready_and_when_it_ends() {
    let mut home = home();
    let path = home.path("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(GUARD)).unwrap();
    home.set("NOTIFY_SOCKET", path.to_str().unwrap());
    let mut daemon = Daemon::start(&home);
    let heard = |word: &str| {
        let mut buffer = [0; 4096];
        loop {
            let read = manager.recv(&mut buffer).unwrap_or_else(|error| panic!("no {word}: {error}"));
            let told = String::from_utf8_lossy(&buffer[..read]).into_owned();
            if told.lines().any(|line| line == word) {
                return told;
            }
        }
    };
    assert!(heard("READY=1").contains("STATUS=revision 1, http://127.0.0.1:"));
    daemon.signal(Signal::TERM);
    heard("STOPPING=1");
    daemon.ended();
}

#[test]
fn sockets_that_the_system_holds_are_taken_over() {
    let Some(activate) = testkit::tools::system("systemd-socket-activate") else { return };
    let home = home();
    // A port that was free a moment ago; the manager holds it from here on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let serve = home.command(["serve"]);
    let mut command = std::process::Command::new(activate);
    command.args(["-l", &format!("127.0.0.1:{port}")]);
    for (name, value) in serve.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|value| value.to_str())) {
            command.args(["-E", &format!("{name}={value}")]);
        }
    }
    command.arg(serve.get_program()).args(serve.get_args());
    let log = std::fs::File::create(home.path("log")).unwrap();
    let mut child = command.stdout(std::process::Stdio::null()).stderr(log).spawn().unwrap();
    let begun = std::time::Instant::now();
    // The first who comes has it started.
    let answer = loop {
        use std::io::{Read as _, Write as _};
        let mut answer = String::new();
        if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
            let request = format!("GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n");
            let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
            if sent.is_ok_and(|read| read > 0) {
                break answer;
            }
        }
        assert!(begun.elapsed() < GUARD, "{}", home.text("log"));
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    send(child.id(), Signal::TERM);
    child.wait().unwrap();
}

#[test]
fn the_door_moves_with_the_settings_and_what_kept_it_is_forgotten() {
    let home = home();
    let settings = home.text(SETTINGS);
    let listen =
        |address: &str| home.write(SETTINGS, format!("{settings}\n[http]\nlisten = \"{address}\"\n"));
    let problems = || {
        let status = home.ok("status --json").json();
        let problems = status["daemon"]["problems"].as_array().cloned().unwrap_or_default();
        problems.iter().filter(|problem| problem[0] == "[http]").count()
    };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    listen(&format!("127.0.0.1:{free}"));
    let daemon = Daemon::start_with(&home, &[]);
    // A port that is taken, and back.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let other = taken.local_addr().unwrap();
    listen(&other.to_string());
    daemon.wait("the problem", || problems() == 1);
    listen(&format!("127.0.0.1:{free}"));
    daemon.wait("nothing is wrong any more", || problems() == 0);
    // Taken, and free again by the time that somebody says so.
    listen(&other.to_string());
    daemon.wait("the problem", || problems() == 1);
    drop(taken);
    daemon.signal(Signal::HUP);
    daemon.wait_log(&format!("listening on http://{other}"));
    daemon.wait("nothing is wrong any more", || problems() == 0);
    // Its own port is not in its way.
    listen(&format!("0.0.0.0:{}", other.port()));
    daemon.wait_log(&format!("listening on http://0.0.0.0:{}", other.port()));
    assert_eq!(problems(), 0);
}

#[test]
fn at_rest_it_gives_back_what_only_the_work_needed() {
    let home = home();
    let daemon = Daemon::start(&home);
    let memory = |what: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("the line");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number")
    };
    daemon.wait("less than at the peak", || 10 * memory("VmRSS:") < 9 * memory("VmHWM:"));
    append(&home, "three");
    wait_for(&daemon, &home, CURSOR, "\"three\"");
}
