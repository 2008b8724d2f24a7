//! The wall clock jumps: it labels, and decides nothing.

use std::fs;
use std::path::Path;

use testkit::daemon::Daemon;

use crate::{CATALOGUE, CURSOR, append, home, wait_for};

/// Where Debian has the library that makes a program see another time.
const LIBRARIES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

#[test]
fn a_clock_that_jumps_takes_no_revision_back_and_holds_nothing_up() {
    let Some(library) = LIBRARIES.iter().find(|path| Path::new(path).exists()) else {
        eprintln!("not run: libfaketime is not installed, which `cargo xtask test` does");
        return;
    };
    let mut home = home();
    let clock = home.path("clock");
    let jump = |to: &str| fs::write(&clock, to).unwrap();
    jump("+0");
    home.set("LD_PRELOAD", library);
    home.set("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap());
    home.set("FAKETIME_NO_CACHE", "1");
    // What a machine does, too: the time since it was started does not jump.
    home.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");

    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let year = || {
        let (_, body) = daemon.get("/api/mcp/_version").unwrap();
        let version: serde_json::Value = serde_json::from_str(&body).unwrap();
        version["last_modified"].as_str().unwrap()[..4].parse::<i32>().unwrap()
    };
    let number = || home.ok("status --json").json()["revision"]["number"].as_u64().unwrap();
    let (now, mut newest) = (year(), number());
    for (at, (to, years)) in [("-3y", -3), ("+10y", 10), ("-20y", -20), ("+0", 0)].into_iter().enumerate() {
        jump(to);
        let name = format!("after{at}");
        if at % 2 == 0 {
            append(&home, &name);
        } else {
            home.ok(&format!("server add {name} -- {name}"));
        }
        wait_for(&daemon, &home, CURSOR, &format!("\"{name}\""));
        daemon.wait("a later revision", || number() == newest + 1);
        newest += 1;
        // Otherwise the clock did not jump, and nothing was shown.
        assert!((year() - now - years).abs() <= 1, "{to}: {} to {}", now, year());
        for word in ["one", "two"] {
            assert!(home.text(CURSOR).contains(&format!("\"{word}\"")), "{to}");
        }
    }
    // Every version that was replaced is still to be had, whatever its label says.
    let undone = home.text(CATALOGUE);
    home.ok("server remove after3");
    assert_ne!(home.text(CATALOGUE), undone);
    wait_for(&daemon, &home, CURSOR, "\"after2\"");
    daemon.wait("it is gone", || !home.text(CURSOR).contains("\"after3\""));
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}
