//! What is wrong changes nothing, and is told everywhere.

use std::fs;

use switchboard_host::dirs::Dirs;
use switchboard_host::lock::Lock;
use testkit::daemon::{Daemon, GUARD, Signal};

use crate::{CATALOGUE, CURSOR, SETTINGS, append, home, wait_for};

/// A way of being wrong, how it comes to be, and a word that it is told by.
type Case = (&'static str, fn(&std::path::Path), &'static str);

#[test]
fn a_catalogue_that_is_wrong_leaves_the_last_good_one_in_service() {
    let cases: &[Case] = &[
        (
            "half saved",
            |path| fs::write(path, "[servers.one]\ncommand = \"on").unwrap(),
            "mcp-servers.toml:2",
        ),
        ("emptied", |path| fs::write(path, "").unwrap(), "suddenly empty"),
        ("gone", |path| fs::remove_file(path).unwrap(), "gone"),
        (
            "a folder in its place",
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            "folder",
        ),
        ("not text", |path| fs::write(path, b"[servers.one]\ncommand = \"\xff\"\n").unwrap(), "UTF-8"),
    ];
    for (name, spoil, word) in cases {
        let home = home();
        let daemon = Daemon::start(&home);
        wait_for(&daemon, &home, CURSOR, "\"two\"");
        let (good, client) = (home.text(CATALOGUE), home.text(CURSOR));
        let path = home.path(CATALOGUE);
        spoil(&path);
        daemon.wait(name, || home.run("status").all().contains(word));
        daemon.wait(name, || daemon.log().contains(word.split(':').next().unwrap()));
        let (code, body) = daemon.get("/api/v1/status").unwrap();
        assert!(code == 200 && body.replace(' ', "").contains("\"last_good\":true"), "{name}: {body}");
        assert_eq!(home.text(CURSOR), client, "{name}: the client's file stays");
        // Mended, it counts again.
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        fs::write(&path, good).unwrap();
        append(&home, "three");
        wait_for(&daemon, &home, CURSOR, "\"three\"");
    }
}

#[test]
fn settings_that_are_wrong_leave_the_last_good_ones_in_force() {
    let cases: &[Case] = &[
        ("a wrong value", |path| fs::write(path, "[clients.cursor]\n").unwrap(), "clients"),
        ("not text", |path| fs::write(path, b"\xff\xfe").unwrap(), "UTF-8"),
        (
            "a folder in their place",
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            "folder",
        ),
    ];
    for (name, spoil, word) in cases {
        let home = home();
        let daemon = Daemon::start(&home);
        wait_for(&daemon, &home, CURSOR, "\"two\"");
        let (good, path) = (home.text(SETTINGS), home.path(SETTINGS));
        spoil(&path);
        daemon.wait_log("switchboard.toml");
        assert!(daemon.log().contains(word), "{name}: {}", daemon.log());
        append(&home, "three");
        wait_for(&daemon, &home, CURSOR, "\"three\"");
        let told = home.run("status");
        assert!(told.code == 3 && told.all().contains(word), "{name}: {told}");
        if path.is_dir() {
            fs::remove_dir(&path).unwrap();
        }
        fs::write(&path, good).unwrap();
        daemon.wait_log("in order again");
    }
}

#[test]
fn a_state_that_cannot_be_read_is_told_once_and_waited_for() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    // A folder where a record stood.
    let history = home.path("switchboard/state/history.json");
    let kept = fs::read(&history).unwrap();
    fs::remove_file(&history).unwrap();
    fs::create_dir(&history).unwrap();
    append(&home, "three");
    daemon.wait_log("history.json");
    let reads = || daemon.log().matches("tried again").count();
    daemon.wait("some tries", || reads() > 2);
    assert_eq!(daemon.log().matches("WARN").count(), 1, "{}", daemon.log());
    fs::remove_dir(&history).unwrap();
    fs::write(&history, kept).unwrap();
    wait_for(&daemon, &home, CURSOR, "\"three\"");
}

#[test]
fn a_state_that_is_lost_takes_no_revision_back_and_hides_no_change() {
    let home = home();
    for name in ["three", "four", "five"] {
        home.ok(&format!("server add {name} -- {name}"));
    }
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"five\"");
    let number = || home.ok("status --json").json()["revision"]["number"].as_u64();
    let before = number().unwrap();
    fs::remove_dir_all(home.path("switchboard/state")).unwrap();
    append(&home, "six");
    let served = || daemon.get("/api/mcp/_config").is_some_and(|(_, body)| body.contains("\"six\""));
    daemon.wait("the change is served", served);
    assert_eq!(number(), Some(before + 1));
    // What says the same as what is served is no news, and not older either.
    fs::remove_dir_all(home.path("switchboard/state")).unwrap();
    daemon.signal(Signal::HUP);
    daemon.wait("the same number", || number() == Some(before + 1));
    append(&home, "seven");
    daemon.wait("the next number", || number() == Some(before + 2));
}

#[test]
fn a_client_that_cannot_be_written_does_not_keep_the_others_from_it() {
    let home = home();
    home.write(".codex/config.toml", "model = \"x\"\n");
    home.ok("client link codex --auto");
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, ".codex/config.toml", "two");
    home.write(CURSOR, "{ \"mcpServers\": { \"a\": [");
    append(&home, "three");
    wait_for(&daemon, &home, ".codex/config.toml", "three");
    assert_eq!(home.text(CURSOR), "{ \"mcpServers\": { \"a\": [", "what cannot be read is left alone");
    home.write(CURSOR, "{ \"mcpServers\": {} }\n");
    home.ok("client restore cursor");
    assert!(home.text(CURSOR).contains("\"three\""));
}

#[test]
fn a_home_that_another_process_holds_is_waited_for() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let dirs = Dirs::below(&home.path("switchboard"));
    let held = Lock::acquire(&dirs, "a test", GUARD).unwrap();
    append(&home, "three");
    daemon.wait_log("another process's hands");
    assert!(!home.text(CURSOR).contains("three"));
    drop(held);
    wait_for(&daemon, &home, CURSOR, "\"three\"");
}

#[test]
fn while_another_process_holds_the_home_commands_wait_and_everything_else_goes_on() {
    let home = home();
    let mut daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let dirs = Dirs::below(&home.path("switchboard"));
    let held = Lock::acquire(&dirs, "a test", GUARD).unwrap();
    std::thread::scope(|scope| {
        let home = &home;
        let commands: Vec<_> = ["three", "four", "five"]
            .map(|name| scope.spawn(move || home.run(&format!("server add {name} -- {name}"))))
            .into_iter()
            .collect();
        daemon.wait("they wait", || daemon.log().contains("wait for the home"));
        // `status` does not need the home, and does not wait behind those that do.
        let begun = std::time::Instant::now();
        assert!(home.ok("status --json").json()["daemon"].is_object());
        assert!(begun.elapsed() < std::time::Duration::from_secs(8), "it waited for somebody");
        drop(held);
        for command in commands {
            let output = command.join().unwrap();
            assert_eq!(output.code, 0, "{output}");
        }
    });
    for name in ["three", "four", "five"] {
        wait_for(&daemon, &home, CURSOR, &format!("\"{name}\""));
    }
    // It ends when it is told to, and whoever waits does without it.
    let held = Lock::acquire(&dirs, "a test", GUARD).unwrap();
    std::thread::scope(|scope| {
        let before = daemon.log().matches("wait for the home").count();
        let home = &home;
        let waits = scope.spawn(move || home.run("server add six -- six"));
        daemon.wait("it waits", || daemon.log().matches("wait for the home").count() > before);
        let begun = std::time::Instant::now();
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.ended().code(), Some(0));
        assert!(begun.elapsed() < std::time::Duration::from_secs(8), "it waited for somebody");
        drop(held);
        assert_eq!(waits.join().unwrap().code, 0);
    });
    assert!(home.text(CURSOR).contains("\"six\""));
}

#[test]
fn a_home_that_is_not_let_go_of_is_told_with_who_has_it() {
    let home = home();
    let _daemon = Daemon::start(&home);
    let dirs = Dirs::below(&home.path("switchboard"));
    let _held = Lock::acquire(&dirs, "a test", GUARD).unwrap();
    let output = home.run("server add three -- three");
    assert!(output.code != 0 && output.stderr.contains("`a test`"), "{output}");
}

#[test]
fn many_commands_at_once_are_all_done() {
    let home = home();
    let daemon = Daemon::start(&home);
    std::thread::scope(|scope| {
        let home = &home;
        let add = |at: usize| scope.spawn(move || home.run(&format!("server add s{at} -- s")));
        for command in (0..80).map(add).collect::<Vec<_>>() {
            let output = command.join().unwrap();
            assert_eq!(output.code, 0, "{output}");
        }
    });
    assert_eq!(home.text(CATALOGUE).matches("[servers.s").count(), 80);
    assert!((0..80).all(|at| home.text(CURSOR).contains(&format!("\"s{at}\""))), "{}", daemon.log());
}

#[test]
fn a_lock_that_cannot_be_made_is_told() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let lock = home.path("switchboard/state/lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    append(&home, "three");
    daemon.wait_log("cannot be taken");
    let told = home.run("status");
    assert!(told.all().contains("cannot be taken"), "{told}");
    fs::remove_dir(&lock).unwrap();
    wait_for(&daemon, &home, CURSOR, "\"three\"");
}

#[test]
fn a_daemon_that_breaks_off_leaves_it_open_what_was_done_and_says_so() {
    use std::io::Read as _;
    let home = home();
    let socket = home.path("switchboard/run/control.sock");
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let other = std::thread::spawn(move || listener.accept().unwrap().0.read(&mut [0; 1024]).unwrap());
    let output = home.run("server add three -- three");
    assert!(other.join().unwrap() > 0);
    assert!(output.code == 4 && output.stderr.contains("switchboard status"), "{output}");
}

#[test]
fn a_daemon_that_was_stopped_is_told_and_nothing_is_asked_of_it() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let before = home.text(CATALOGUE);
    daemon.signal(Signal::STOP);
    for line in ["server add three -- three", "status", "client push --all"] {
        let told = home.run(line);
        assert_eq!(told.code, 4, "{line}: {told}");
        for words in [&format!("`kill -CONT {}`", daemon.pid()), "is stopped", "nothing was done"] {
            assert!(told.stderr.contains(words), "{line}: no {words:?} in {told}");
        }
    }
    // What only reads needs nobody.
    home.ok("server list");
    daemon.signal(Signal::CONT);
    assert_eq!(home.text(CATALOGUE), before);
    home.ok("server add three -- three");
    assert!(home.text(CURSOR).contains("\"three\""));
}

#[test]
fn a_daemon_that_is_stopped_while_it_is_asked_leaves_it_open_what_was_done() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let held = Lock::acquire(&Dirs::below(&home.path("switchboard")), "a test", GUARD).unwrap();
    std::thread::scope(|scope| {
        let asks = scope.spawn(|| home.run("server add three -- three"));
        daemon.wait_log("wait for the home");
        daemon.signal(Signal::STOP);
        let told = asks.join().unwrap();
        assert_eq!(told.code, 4, "{told}");
        let hints = [&format!("`kill -CONT {}`", daemon.pid()), "`switchboard status`"];
        assert!(hints.iter().all(|hint| told.stderr.contains(*hint)), "{told}");
    });
    daemon.signal(Signal::CONT);
    drop(held);
    append(&home, "four");
    wait_for(&daemon, &home, CURSOR, "\"four\"");
}

#[test]
fn a_home_that_is_taken_away_while_it_is_served_is_served_again_when_it_is_back() {
    for (what, come_back) in [("moved away and back", true), ("removed, and made anew", false)] {
        let home = home();
        let daemon = Daemon::start(&home);
        wait_for(&daemon, &home, CURSOR, "\"two\"");
        let number = || daemon.get("/api/mcp/_version").map(|(_, body)| body);
        let (before, client) = (number(), home.text(CURSOR));
        let (folder, aside) = (home.path("switchboard"), home.path("aside"));
        if come_back {
            fs::rename(&folder, &aside).unwrap();
        } else {
            fs::remove_dir_all(&folder).unwrap();
        }
        daemon.wait_log("the control socket was taken away, and is there again");
        // The last good one is in service meanwhile, and nobody's file says less than before.
        assert_eq!(number(), before, "{what}");
        assert_eq!(home.text(CURSOR), client, "{what}");
        let told = home.run("status");
        assert!(told.all().contains("the catalogue is gone, with all"), "{what}: {told}");
        let second = home.run("serve --listen 127.0.0.1:0");
        assert!(second.stderr.contains(&format!("process {}", daemon.pid())), "{what}: {second}");
        if come_back {
            fs::remove_dir_all(&folder).unwrap();
            fs::rename(&aside, &folder).unwrap();
            append(&home, "three");
            wait_for(&daemon, &home, CURSOR, "\"three\"");
        } else {
            home.write(
                CATALOGUE,
                "[servers.one]\ncommand = \"one\"\n\n[servers.three]\ncommand = \"three\"\n",
            );
            let served =
                || daemon.get("/api/mcp/_config").is_some_and(|(_, body)| body.contains("\"three\""));
            daemon.wait("what is made anew is served", served);
            assert_eq!(home.text(CURSOR), client, "who is to have it is to be said again");
        }
    }
}

#[test]
fn a_home_that_another_daemon_has_taken_over_is_left_to_it() {
    let home = home();
    let mut daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    // Its socket and its lock are gone, and before it looks somebody else has come.
    daemon.signal(Signal::STOP);
    fs::remove_file(home.path("switchboard/run/control.sock")).unwrap();
    let lock = fs::read_dir(home.path("switchboard/state")).unwrap().map(|entry| entry.unwrap().path());
    lock.filter(|path| path.to_string_lossy().contains("daemon"))
        .for_each(|path| fs::remove_file(path).unwrap());
    let other = Daemon::start(&home);
    daemon.signal(Signal::CONT);
    append(&home, "three");
    assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.log());
    append(&home, "four");
    wait_for(&other, &home, CURSOR, "\"four\"");
    assert!(home.path("switchboard/run/control.sock").exists(), "the other's socket stays");
}
