//! `listen --exec`.

use std::time::Duration;

use serde_json::Value;
use testkit::servers::config::ConfigServer;

use crate::home;
use crate::listen::{Listener, PATIENCE, one, two};

#[test]
fn a_program_gets_each_revision_on_its_input() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    let script = "read -r line; echo \"$line\" >> events; \
                  echo \"got $SWITCHBOARD_VERSION $SWITCHBOARD_HASH ($SWITCHBOARD_REASON)\"";
    home.write("hook.sh", script);
    let mut listener =
        Listener::start(&home, &["listen", &server.origin, "--exec", "/bin/sh", "--", "hook.sh"]);
    listener.hears("got 1.1.0 sha256:a1 (it began)");
    server.change(two());
    listener.hears("got 1.2.0 sha256:a2 (change 2)");
    assert_eq!(listener.end(rustix::process::Signal::TERM).0, Some(0));
    let events: Vec<Value> =
        home.text("events").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[1]["new_config"]["mcpServers"], two());
    assert_eq!(events[0]["reason"], "it began");

    // In step: nothing is run. A failing program is told, and its revision stays to be done.
    let run = |program: &str| home.run_words(["listen", &server.origin, "--once", "--exec", program]);
    server.change(one());
    let failed = run("/bin/false");
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.stderr.contains("`/bin/false` ended with 1"), "{failed}");
    assert_eq!(run("/bin/true").code, 0);
    assert!(run("/bin/true").stdout.contains("in step"));
    // Its last words are heard, however many there are.
    home.write("long.sh", "i=0; while test $i -lt 20000; do echo $i; i=$((i + 1)); done; echo last");
    let long = home.run_words(["listen", &server.origin, "--once", "--exec", "/bin/sh", "--", "long.sh"]);
    assert!(long.stdout.ends_with("19999\nlast\n"), "{}", &long.stdout[long.stdout.len() - 50..]);
    let missing = run("/no/such/program");
    assert_eq!(missing.code, 1, "{missing}");
}

#[test]
fn a_program_that_takes_too_long_is_ended_with_all_that_it_started() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write("slow.sh", "sleep 1000 & echo \"pid $!\"; wait");
    let words =
        ["listen", &server.origin, "--once", "--exec-timeout", "1s", "--exec", "/bin/sh", "--", "slow.sh"];
    let output = home.run_words(words);
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stderr.contains("took longer than 1 s and was ended"), "{output}");
    let pid = output.stdout.lines().find_map(|line| line.strip_prefix("pid ")).unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{pid} still runs");
}

#[test]
fn a_slow_program_is_run_one_at_a_time_and_the_newest_wins() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    // It says when two of it run at once, and stays at the first revision until it may go on.
    home.write(
        "hook.sh",
        "mkdir busy || echo TWO; echo got $SWITCHBOARD_VERSION; while ! test -e go; do sleep 0.02; done; rmdir busy",
    );
    let mut listener =
        Listener::start(&home, &["listen", &server.origin, "--exec", "/bin/sh", "--", "hook.sh"]);
    listener.hears("got 1.1.0");
    for number in 2..50 {
        server.change(if number % 2 == 0 { two() } else { one() });
    }
    home.write("go", "");
    listener.hears("got 1.49.0");
    let (code, said) = listener.end(rustix::process::Signal::TERM);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("TWO"), "{said}");
    let runs: Vec<u32> = said
        .lines()
        .filter_map(|line| line.strip_prefix("got 1.")?.strip_suffix(".0")?.parse().ok())
        .collect();
    assert!(runs.windows(2).all(|pair| pair[0] < pair[1]), "{runs:?}");
}

#[test]
fn a_program_that_fails_is_run_again_and_one_under_way_ends_with_us() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write("hook.sh", "echo tried; mkdir first && exit 3; echo pid $$; exec sleep 1000");
    let mut listener =
        Listener::start(&home, &["listen", &server.origin, "--exec", "/bin/sh", "--", "hook.sh"]);
    listener.hears("`/bin/sh` ended with 3");
    let pid = listener.hears("pid ").replace("pid ", "");
    let (code, said) = listener.end(rustix::process::Signal::TERM);
    assert_eq!((code, said.matches("tried").count()), (Some(0), 2), "{said}");
    // The guard ends it once we are gone; it has no grace to ask for.
    let gone = || !std::path::Path::new(&format!("/proc/{pid}")).exists();
    let until = std::time::Instant::now() + PATIENCE;
    while !gone() && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(gone(), "{pid} still runs");
}
