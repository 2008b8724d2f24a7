//! Commands, with a daemon and without.

use std::collections::BTreeMap;

use testkit::daemon::Daemon;
use testkit::home::FakeHome;

use crate::{CATALOGUE, CURSOR, SETTINGS, ZED, home};

/// A day with the command line.
const DAY: &[&str] = &[
    "server add three -- three-mcp --flag",
    "server add three -- three-mcp",
    "server add web --url https://web.example/mcp --tag net",
    "server edit one --tag ops --env TOKEN=${env:TOKEN}",
    "server rename two deux",
    "server disable one",
    "server enable one",
    "server enable one",
    "server remove nothing",
    "profile add ops tag:ops",
    "client push zed",
    "client push zed --yes",
    "client scan --all",
    "client keep cursor",
    "client undo zed",
    "client push --all --yes",
    "client link codex --path .codex/config.toml --manual",
    "client unlink codex",
    "config undo",
    "server remove web --json",
    "server remove web --json",
    "status",
    "client push nobody",
];

/// Returns everything that a person would call the state of a home.
fn state(home: &FakeHome) -> BTreeMap<&'static str, String> {
    let program = home.path("").display().to_string();
    [CATALOGUE, SETTINGS, CURSOR, ZED]
        .into_iter()
        .map(|file| (file, home.text(file).replace(&program, "[HOME]/")))
        .collect()
}

#[test]
fn with_a_daemon_commands_say_and_do_the_same() {
    let (alone, served) = (home(), home());
    for home in [&alone, &served] {
        let settings = home.text(SETTINGS);
        home.write(SETTINGS, format!("{settings}\n[client_sync]\ndbus_notify = false\n"));
    }
    // Both begin in step.
    alone.ok("client push cursor --yes");
    served.ok("client push cursor --yes");
    let daemon = Daemon::start(&served);
    for line in DAY {
        let (here, there) = (alone.run(line), served.run(line));
        assert_eq!(
            here.to_string(),
            beside_the_daemon(&there.to_string()),
            "{line}\nthe daemon's log:\n{}",
            daemon.log()
        );
        assert_eq!(state(&alone), state(&served), "{line}");
    }
    assert!(
        daemon.log().matches("asked command=").count() >= DAY.len() - 2,
        "it was not the daemon: {}",
        daemon.log()
    );
}

/// Leaves out what `status` tells of the daemon, which the other home has not.
fn beside_the_daemon(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("served by")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_relative_path_is_meant_where_it_is_typed() {
    let home = home();
    let _daemon = Daemon::start(&home);
    home.write("work/api/.mcp.json", "{ \"mcpServers\": {} }\n");
    let mut command =
        home.command(["client", "link", "api", "--dialect", "claude-code", "--path", ".mcp.json"]);
    let output = command.current_dir(home.path("work/api")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(home.text(SETTINGS).contains("~/work/api/.mcp.json"), "{}", home.text(SETTINGS));
}

#[test]
fn a_command_is_done_when_it_has_ended() {
    let home = home();
    let _daemon = Daemon::start(&home);
    for at in 0..20 {
        home.ok(&format!("server add extra-{at} -- extra"));
        assert!(home.text(CURSOR).contains(&format!("\"extra-{at}\"")), "after {at}");
    }
}

#[test]
fn many_at_once_take_turns() {
    let home = home();
    let daemon = Daemon::start(&home);
    std::thread::scope(|scope| {
        for at in 0..16 {
            let home = &home;
            scope.spawn(move || home.ok(&format!("server add many-{at} -- many")));
        }
    });
    for at in 0..16 {
        let text = home.text(CURSOR);
        assert!(text.contains(&format!("\"many-{at}\"")), "{at}: {text}\n{}", daemon.log());
    }
}

#[test]
fn a_home_that_is_named_from_where_a_person_stands_is_the_one_that_is_meant() {
    let home = home();
    let daemon = Daemon::start(&home);
    let mut command = home.command(["server", "add", "three", "--", "three"]);
    let folder = home.path("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    let output = command.current_dir(&folder).env("SWITCHBOARD_HOME", "../switchboard").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(home.text(CATALOGUE).contains("[servers.three]"), "{}", daemon.log());
    assert!(daemon.log().contains("asked"), "the daemon ran it: {}", daemon.log());
}
