//! What a saved file leads to.

use testkit::daemon::Daemon;

use crate::{CATALOGUE, CURSOR, SETTINGS, ZED, append, client, home, wait_for};

#[test]
fn a_saved_catalogue_is_in_the_auto_client_and_pending_for_the_manual_one() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    append(&home, "three");
    wait_for(&daemon, &home, CURSOR, "\"three\"");
    let text = home.text(CURSOR);
    assert!(text.contains("// mine") && text.contains("\"theme\": \"dark\""), "{text}");
    assert_eq!(home.text(ZED), "{\n  \"ui_font_size\": 16\n}\n", "a manual client waits for a push");
    assert_eq!(client(&home, "zed")["pending"].as_array().map(Vec::len), Some(3));
    home.ok("client push zed --yes");
    assert!(home.text(ZED).contains("\"three\""));
}

#[test]
fn what_is_changed_in_a_clients_file_is_told_and_not_reverted() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    // A person adds a server of their own, and changes one of ours.
    let text = home.text(CURSOR);
    let changed = text.replace("\"connect\",\n", "\"connect\", \"--verbose\",\n");
    let changed =
        if changed == text { text.replace("[\"connect\"", "[\"--verbose\", \"connect\"") } else { changed };
    let changed = changed.replacen(
        "\"mcpServers\": {",
        "\"mcpServers\": {\n    \"mine\": { \"command\": \"mine\" },",
        1,
    );
    assert_ne!(changed, text);
    home.write(CURSOR, &changed);
    daemon.wait_log("drift");
    assert_eq!(home.text(CURSOR), changed, "their edit stands");
    // The next change of the catalogue goes in beside it.
    append(&home, "three");
    wait_for(&daemon, &home, CURSOR, "\"three\"");
    let text = home.text(CURSOR);
    assert!(text.contains("--verbose") && text.contains("\"mine\""), "{text}");
    assert_eq!(client(&home, "cursor")["drift"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_client_that_wipes_its_file_is_told_of_and_helped_when_asked() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    home.write(CURSOR, "{}\n");
    daemon.wait_log("wiped");
    append(&home, "three");
    daemon.wait_log("server 'three' added");
    assert_eq!(home.text(CURSOR), "{}\n", "nobody is fought");
    home.ok("client restore cursor");
    assert!(home.text(CURSOR).contains("\"three\""));
}

#[test]
fn a_changed_setting_counts_at_once() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    home.edit(SETTINGS, "manual", "auto");
    wait_for(&daemon, &home, ZED, "\"two\"");
    // A client that is not linked any more is left alone.
    home.ok("client unlink zed");
    let before = home.text(ZED);
    append(&home, "three");
    wait_for(&daemon, &home, CURSOR, "\"three\"");
    assert_eq!(home.text(ZED), before);
}

#[test]
fn writing_can_be_switched_off_as_a_whole() {
    let home = home();
    let settings = home.text(SETTINGS);
    home.write(SETTINGS, format!("{settings}\n[client_sync]\nauto_write_enabled = false\n"));
    let daemon = Daemon::start(&home);
    append(&home, "three");
    daemon.wait_log("server 'three' added");
    assert!(!home.text(CURSOR).contains("three"));
    home.edit(SETTINGS, "auto_write_enabled = false", "auto_write_enabled = true");
    wait_for(&daemon, &home, CURSOR, "\"three\"");
}

#[test]
fn saving_the_same_again_writes_nothing() {
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    daemon.wait("rest", || client(&home, "cursor")["in_step"] == true);
    let (before, revision) = (home.tree().without(&["log"]), daemon.log().matches("revision=").count());
    let text = home.text(CATALOGUE);
    home.write(CATALOGUE, &text);
    home.write(CATALOGUE, format!("# a remark\n{text}"));
    // Something that does count, afterwards: by then the others were looked at.
    append(&home, "three");
    wait_for(&daemon, &home, CURSOR, "\"three\"");
    assert_eq!(daemon.log().matches("revision=").count(), revision + 1, "{}", daemon.log());
    assert!(!before.changes(&home.tree()).is_empty());
}
