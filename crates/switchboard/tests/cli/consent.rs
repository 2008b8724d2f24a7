//! Nothing found in a file is started because it was found.

use crate::{CURSOR, cursor};

/// A server that leaves a mark when it is started.
fn marking() -> testkit::home::FakeHome {
    let home = cursor("{}");
    let mark = home.path("started");
    home.write(
        CURSOR,
        format!(
            "{{ \"mcpServers\": {{ \"evil\": {{ \"command\": \"/bin/sh\", \"args\": [\"-c\", \"touch {}\"] }} }} }}",
            mark.display()
        ),
    );
    home
}

#[test]
fn looking_at_files_starts_nothing() {
    let home = marking();
    for line in [
        "status",
        "doctor",
        "client list",
        "client show cursor",
        "client scan cursor",
        "client diff cursor",
        "client import cursor --yes",
        "client push cursor --yes",
        "server list",
        "server show evil",
        "config export cursor",
        "client undo cursor",
        "uninstall --yes",
    ] {
        home.run(line);
        assert!(!home.path("started").exists(), "switchboard {line}");
    }
}

#[test]
fn an_entry_in_place_is_shown_and_asked_about_before_it_is_started() {
    let home = marking();
    insta::assert_snapshot!(home.run("server test evil --client cursor"), @"
    exit code: 5
    ----- stdout -----
    evil, as cursor would start it:
      runs   /bin/sh -c 'touch [HOME]/started'
    ----- stderr -----
    error: failed to test `evil`: nobody was there to be asked
    hint: add --yes to agree beforehand
    ");
    assert!(!home.path("started").exists());
    let connect = home.run("connect evil --client cursor");
    assert_eq!(connect.code, 5, "{connect}");
    assert!(!home.path("started").exists());
    home.run("server test evil --client cursor --yes --timeout 5");
    assert!(home.path("started").exists(), "approved, so it was started");
    // The approval is for exactly this launch.
    std::fs::remove_file(home.path("started")).unwrap();
    home.edit(CURSOR, "touch ", "touch -c ; touch ");
    assert_eq!(home.run("connect evil --client cursor").code, 5);
    assert!(!home.path("started").exists());
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_changed() {
    let home = marking();
    for line in ["client import cursor", "up --no-serve", "server test evil --client cursor"] {
        let before = home.tree();
        let output = home.run(line);
        assert_eq!(output.code, 5, "{line}: {output}");
        assert!(output.stderr.contains("hint: add --yes"), "{line}: {output}");
        assert_eq!(before.changes(&home.tree()), Vec::<String>::new(), "{line}");
    }
    home.ok("client import cursor --yes");
    for line in ["client push cursor", "client push --all", "uninstall"] {
        let before = home.tree();
        let output = home.run(line);
        assert_eq!(output.code, 5, "{line}: {output}");
        assert_eq!(before.changes(&home.tree()), Vec::<String>::new(), "{line}");
    }
}
