//! The policy's file, in force while it is saved, and the record of what was called.

use serde_json::Value;
use testkit::daemon::Daemon;

use crate::SETTINGS;
use crate::succession::{Client, stage};

const POLICY: &str = "switchboard/config/tool-policy.toml";
const AUDIT: &str = "switchboard/state/audit.jsonl";

#[test]
fn a_policy_that_is_damaged_while_nobody_serves_stays_as_it_was() {
    let Some((home, _)) = stage() else { return };
    home.write(POLICY, "[tools.slow.1]\ndecision = \"deny\"\n");
    drop(Daemon::start_with(&home, &[]));
    for damaged in ["[tools.slow.1]\ndecision = \"deni\"\n", "\n"] {
        home.write(POLICY, damaged);
        let _daemon = Daemon::start_with(&home, &[]);
        let mut client = Client::new(&home);
        client.call(1, "1");
        assert!(client.answer(1).contains("was not called"), "{damaged:?}");
        assert!(home.run("status").all().contains("the last good policy stays in force"));
    }
}

#[test]
fn whoever_takes_the_folder_away_allows_nothing_by_it() {
    for (gone, told) in [
        ("switchboard/config", "the policy is gone, and the catalogue with it"),
        ("switchboard", "the catalogue is gone, with all that was remembered of it"),
    ] {
        let Some((home, _)) = stage() else { return };
        home.write(POLICY, "[tools.slow.1]\ndecision = \"deny\"\n");
        let daemon = Daemon::start_with(&home, &[]);
        let mut client = Client::new(&home);
        std::fs::rename(home.path(gone), home.path("away")).unwrap();
        daemon.wait("it is noticed", || home.run("status").all().contains(told));
        client.call(1, "1");
        let said = client.answer(1);
        assert!(said.contains("was not called"), "{gone}: {said}");
    }
}

#[test]
fn a_slip_in_the_settings_opens_nothing_in_the_policy_file() {
    let Some((home, _)) = stage() else { return };
    home.edit(SETTINGS, "[http]", "[policy]\ndecisions = { medium = \"deny\" }\n\n[http]");
    home.ok("policy sync");
    let daemon = Daemon::start_with(&home, &[]);
    home.edit(SETTINGS, "\"deny\"", "\"denny\"");
    daemon.wait("the slip is told", || home.run("status").all().contains("\"denny\""));
    home.edit(POLICY, "[tools.slow.1]", "# mine\n[tools.slow.1]");
    daemon.wait("it was judged", || daemon.log().matches("the policy of the tools is in force").count() > 1);
    // Whoever asks for something that is the daemon's own is answered when all else is done.
    home.run("status");
    assert!(!home.text(POLICY).contains("decision = \"allow\""), "{}", home.text(POLICY));
    let mut client = Client::new(&home);
    client.call(1, "1");
    assert!(client.answer(1).contains("was not called"));
}

#[test]
fn what_is_set_while_it_serves_is_in_force_at_once() {
    let Some((home, _)) = stage() else { return };
    let daemon = Daemon::start_with(&home, &[]);
    let mut client = Client::new(&home);
    client.call(1, "1");
    assert!(client.answer(1).contains("\"text\": \"1\""));
    let (status, told) = daemon.post("/api/v1/policy/sync", "{}").unwrap();
    assert_eq!(status, 200, "{told}");
    assert!(home.text(POLICY).contains("[tools.slow.1]\n"), "{told}");
    home.ok("policy set slow/1 decision=deny");
    client.call(2, "1");
    assert!(client.answer(2).contains("was not called"));
    let (status, told) = daemon.post("/api/v1/policy/undo", "{}").unwrap();
    assert_eq!(status, 200, "{told}");
    client.call(3, "1");
    assert!(client.answer(3).contains("\"text\": \"1\""));
    // Somebody who wrote into the file meanwhile is asked for first.
    home.edit(POLICY, "decision = \"allow\"", "decision = \"allow\" # mine");
    assert_eq!(daemon.post("/api/v1/policy/undo", "{}").unwrap().0, 409);
}

#[test]
fn a_saved_policy_is_in_force_at_once_and_a_damaged_one_changes_nothing() {
    let Some((home, _)) = stage() else { return };
    let daemon = Daemon::start_with(&home, &[]);
    let mut client = Client::new(&home);
    client.call(1, "1");
    assert!(client.answer(1).contains("\"text\": \"1\""));
    assert_eq!(home.ok("tool call slow/1").stdout, "1\n");
    let in_force = |count: usize| {
        daemon.wait("the policy", || {
            daemon.log().matches("the policy of the tools is in force").count() == count
        });
    };
    home.ok("policy sync");
    in_force(1);
    home.edit(POLICY, "decision = \"allow\"", "decision = \"deny\"");
    in_force(2);
    client.call(2, "1");
    let denied = client.answer(2);
    assert!(denied.contains("was not called") && denied.contains("\"isError\":true"), "{denied}");
    let called = home.run("tool call slow/1");
    assert!(called.code == 1 && called.stderr.contains("the policy does not allow it"), "{called}");
    // A slip of the pen is told with its place, and what was denied stays so.
    home.edit(POLICY, "decision = \"deny\"", "decision = \"deni\"");
    daemon.wait("the problem", || home.run("status").all().contains("tool-policy.toml:7"));
    client.call(3, "1");
    assert!(client.answer(3).contains("was not called"));
    home.edit(POLICY, "decision = \"deni\"", "decision = \"allow\"");
    in_force(3);
    client.call(4, "1");
    assert!(client.answer(4).contains("\"text\": \"1\""));
    let lines = || -> Vec<Value> {
        let text = std::fs::read_to_string(home.path(AUDIT)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    daemon.wait("the record", || lines().len() == 6);
    let told: Vec<_> = lines()
        .iter()
        .map(|line| format!("{} {}", line["decision"], line["outcome"]).replace('"', ""))
        .collect();
    assert_eq!(told, ["allow ok", "allow ok", "deny denied", "deny denied", "deny denied", "allow ok"]);
    assert!(
        lines()
            .iter()
            .all(|line| line["server"] == "slow" && line["tool"] == "1" && line["who"] == "control")
    );
}
