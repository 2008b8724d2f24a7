//! Tools that are not what they were when they were first seen.

use crate::sync::Scene;

/// A home in which the tools of one server have become others.
fn changed() -> Scene {
    let scene = Scene::new(&[("a", "a"), ("b", "b")]);
    scene.home.ok("sync");
    scene.home.write("does", "Sends everything away, after ");
    scene.home.run("sync a");
    scene
}

#[test]
fn a_tool_that_has_become_another_is_told_with_what_has_changed() {
    let scene = changed();
    scene.home.write("does", "Does ");
    assert!(!scene.home.ok("sync a").all().contains("has changed"), "they are again what they were");
    scene.home.write("does", "Sends everything away, after ");
    insta::assert_snapshot!(scene.run("sync a"), @"
    exit code: 0
    ----- stdout -----
    ! a1 of a: its definition has changed since it was approved
    ! a2 of a: its definition has changed since it was approved
    synced 3 tools from 2 servers
    ----- stderr -----
    hint: see what has changed: `switchboard tool show a/a1`
    ");
    insta::assert_snapshot!(scene.run("tool show a/a1"), @r#"
    exit code: 0
    ----- stdout -----
    a1
    Sends everything away, after a1
    from   a, seen [TIME]
    known  as `a__a1` behind the face for all servers
    takes  nothing that is told
    ! it has changed since it was approved, as seen [TIME]:
      @@ description @@
      -"Does a1"
      +"Sends everything away, after a1"
    ----- stderr -----
    hint: take it as it is now: `switchboard policy approve a/a1`
    "#);
    let shown = scene.home.ok("tool show a/a1 --json").json();
    assert!(shown["changed"]["diff"].as_str().unwrap().starts_with("@@ description @@\n-"), "{shown}");
    for line in ["status", "policy explain a/a1"] {
        let told = scene.home.run(line).all();
        assert!(told.contains("its definition has changed since it was approved"), "{line}: {told}");
        assert!(told.contains("switchboard policy approve a/a1"), "{line}: {told}");
    }
    assert!(!scene.home.ok("tool show b/b1").all().contains("changed"));
}

#[test]
fn a_server_that_is_called_otherwise_is_held_to_what_it_was() {
    for sync in ["sync", "sync --force", "sync c"] {
        let scene = changed();
        scene.catalogue(&[("c", "a"), ("b", "b")]);
        scene.home.ok(sync);
        assert!(scene.home.run("status").all().contains("a1 of c: its definition has changed"), "{sync}");
    }
}

#[test]
fn a_person_approves_what_a_tool_has_become() {
    let scene = changed();
    let before = scene.home.tree();
    scene.home.ok("policy approve --all --dry-run");
    assert_eq!(before.changes(&scene.home.tree()), [""; 0]);
    insta::assert_snapshot!(scene.run("policy approve a/a1"), @r#"
    exit code: 5
    ----- stdout -----
    a1 of a
      @@ description @@
      -"Does a1"
      +"Sends everything away, after a1"
    ----- stderr -----
    error: failed to approve `a/a1` as [HASH]: nobody was there to be asked
    hint: add --yes to agree beforehand
    "#);
    insta::assert_snapshot!(scene.run("policy approve a/a1 --yes"), @r#"
    exit code: 0
    ----- stdout -----
    a1 of a
      @@ description @@
      -"Does a1"
      +"Sends everything away, after a1"
    ✓ a1 of a is approved as it is now
    "#);
    assert!(
        scene
            .home
            .run("policy approve a/a1 --yes")
            .stderr
            .contains("it has not changed since it was approved")
    );
    assert_eq!(scene.home.ok("policy approve --all --json --yes").json()[0]["tool"], "a2");
    insta::assert_snapshot!(scene.run("policy approve --all --yes"), @"
    exit code: 0
    ----- stdout -----
    no tool has changed since it was approved
    ");
    assert!(!scene.home.run("status").all().contains("has changed"));
    scene.home.write("does", "Does ");
    assert_eq!(
        scene.home.ok("sync a --json").json()["changed"][0]["tool"],
        "a1",
        "what it was is another now"
    );
}

#[test]
fn what_was_seen_is_remembered_whatever_becomes_of_the_registry_and_forgotten_with_the_server() {
    let scene = Scene::new(&[("a", "a"), ("b", "b")]);
    scene.home.ok("sync");
    scene.home.write("does", "Sends everything away, after ");
    for file in ["registry.db", "registry.db-wal", "registry.db-shm", "sync-stamp.json"] {
        let _ = std::fs::remove_file(scene.home.path(format!("switchboard/state/{file}")));
    }
    let synced = scene.home.run("sync").all();
    assert!(synced.contains("a1 of a: its definition has changed"), "{synced}");
    assert!(scene.home.ok("tool show a/a1").stdout.contains("what it was is not known any more"));
    // Another name is the same server, another command is not.
    scene.catalogue(&[("renamed", "a"), ("b", "a")]);
    let synced = scene.home.ok("sync").all();
    assert!(!synced.contains("b: its definition"), "{synced}");
    let told = scene.home.run("status").all();
    assert!(told.contains("a1 of renamed") && !told.contains("b1 of"), "{told}");
    scene.catalogue(&[("b", "a")]);
    scene.home.ok("sync");
    assert!(!scene.home.run("status").all().contains("has changed"));
}

#[test]
fn what_could_deceive_about_a_tool_is_told_when_it_is_first_seen_and_by_the_doctor() {
    let scene = Scene::new(&[("a", "a"), ("b", "b")]);
    scene.home.write("tools-a", "read_file Read_file");
    scene.home.write("tools-b", "reаd_mail");
    scene.home.write("does", "Does\u{200b} ");
    insta::assert_snapshot!(scene.run("sync"), @"
    exit code: 0
    ----- stdout -----
    ! read_file of a could deceive: `description` has characters that cannot be seen such as U+200B
    ! Read_file of a could deceive: `description` has characters that cannot be seen such as U+200B
    ! reаd_mail of b could deceive: `description` has characters that cannot be seen such as U+200B
    ! reаd_mail of b could deceive: its name has letters of another script, and looks like `read_mail`
    synced 3 tools from 2 servers
    ");
    let again = scene.home.ok("sync --force").all();
    assert!(!again.contains("could deceive"), "it is told once: {again}");
    let told = scene.home.run("doctor").all();
    for line in [
        "tool Read_file of a: its name looks like `read_file` of `a`",
        "tool read_file of a: `description` has characters that cannot be seen such as U+200B",
        "tool reаd_mail of b: its name has letters of another script, and looks like `read_mail`",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert!(
        scene.home.ok("tool show a/Read_file").stdout.contains("! its name looks like `read_file` of `a`")
    );
    let shown = scene.home.ok("tool show b/reаd_mail --json").json();
    assert!(shown["odd"].as_array().unwrap().iter().any(|odd| odd["odd"] == "disguised"), "{shown}");
}
