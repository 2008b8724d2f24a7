//! Bad input: a sentence with a hint, nothing lost, everybody else served.

use std::process::Stdio;

use testkit::home::{FIXTURES, fixture};

use crate::{CATALOGUE, CURSOR, SETTINGS, TWO, cursor, home, managed};

#[test]
fn half_of_a_file_is_left_alone_wherever_it_is_cut() {
    // Formats in which half a file may be a whole one are judged by the record: see `a_file_cut_off_after_a_push`.
    for own in FIXTURES.iter().filter(|own| !own.place.ends_with("toml") && !own.place.ends_with("yaml")) {
        let whole = fixture(own.file);
        let home = home();
        home.write(".codex/config.toml", "");
        home.ok("client link codex");
        home.write(own.place, &whole);
        home.ok(&format!("client link {} --path {}", own.client, home.path(own.place).display()));
        home.run_words(["server", "add", "new", "--", "new-mcp"]);
        let id = own.client;
        // The first cut leaves the bracket, the last one takes it off.
        let end = String::from_utf8_lossy(&whole).trim_end().len();
        for cut in (0..10).map(|step| 1 + (end - 2) * step / 9) {
            home.write(own.place, &whole[..cut]);
            let text = home.read(own.place);
            if String::from_utf8_lossy(&text).trim().starts_with("//") && !text.contains(&b'{') {
                continue; // Only a comment: a whole file without servers.
            }
            for verb in ["scan", "push", "import"] {
                let output = home.run(&format!("client {verb} --all --yes"));
                assert_eq!(home.read(own.place), text, "{id} cut at {cut}: {verb} wrote\n{output}");
                let wanted = if verb == "import" { 0 } else { 3 };
                assert_eq!(output.code, wanted, "{id} cut at {cut}: {verb}\n{output}");
                assert!(output.all().contains(id), "{id} cut at {cut}: {verb} is silent\n{output}");
            }
        }
        assert!(home.text(".codex/config.toml").contains("connect"), "codex is served");
    }
}

#[test]
fn a_file_cut_off_after_a_push_is_left_alone() {
    for own in FIXTURES.iter().filter(|own| own.client != "gemini-cli") {
        let home = home();
        home.write(own.place, fixture(own.file));
        home.ok(&format!("client link {} --path {}", own.client, home.path(own.place).display()));
        home.ok("client import --all --yes");
        home.ok("client push --all --yes");
        let whole = home.read(own.place);
        home.run_words(["server", "add", "new", "--", "new-mcp"]);
        for cut in (1..10).map(|step| whole.len() * step / 10) {
            home.write(own.place, &whole[..cut]);
            let push = home.run("client push --all --yes");
            assert!(matches!(push.code, 3 | 5), "{} cut at {cut}: {push}", own.client);
            assert_eq!(home.read(own.place), whole[..cut], "{} cut at {cut}", own.client);
            home.run("client scan --all");
        }
        home.write(own.place, &whole);
        home.ok("client push --all --yes");
        assert!(String::from_utf8_lossy(&home.read(own.place)).contains("new"), "{}", own.client);
    }
}

#[test]
fn files_that_are_no_map_are_refused_with_the_place() {
    for (text, says) in [
        ("{ \"mcpServers\": null }", "`mcpServers` is null, where a map belongs"),
        ("{ \"mcpServers\": [] }", "`mcpServers` is a list, where a map belongs"),
        ("{ \"mcpServers\": { \"a\": { \"command\": \"x\" }, \"a\": { \"command\": \"y\" } } }", "1:"),
        ("[]", "1:1"),
        ("{ \"mcpServers\": {} } x", "1:"),
        ("\u{0}", "1:1"),
    ] {
        let home = cursor(text);
        home.run_words(["server", "add", "new", "--", "new-mcp"]);
        let push = home.run("client push cursor --yes");
        assert_eq!(push.code, 3, "{text}: {push}");
        assert!(push.all().contains(says), "{text}: {push}");
        assert!(push.all().contains("hint:"), "{text}: {push}");
        assert_eq!(home.text(CURSOR), text);
    }
    let utf16: Vec<u8> = std::iter::once(0xFEFF_u16)
        .chain("{ \"mcpServers\": {} }".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let home = home();
    home.write(CURSOR, &utf16);
    home.ok("client link cursor");
    home.run_words(["server", "add", "new", "--", "new-mcp"]);
    let push = home.run("client push cursor --yes");
    assert_eq!(push.code, 3, "{push}");
    assert!(push.all().contains("UTF-16"), "{push}");
    assert_eq!(home.read(CURSOR), utf16);
}

#[test]
fn a_place_that_cannot_be_written_says_why() {
    let home = home();
    home.run_words(["server", "add", "new", "--", "new-mcp"]);
    // No folder.
    home.ok("client link cursor");
    insta::assert_snapshot!(home.run("client push cursor --yes"), @"
    exit code: 3
    ----- stdout -----
    ✗ cursor: not written: the folder `[HOME]/.cursor` does not exist
    ----- stderr -----
    hint: start the client once, or run `mkdir -p '[HOME]/.cursor'`
    error: failed to write `cursor`: the folder `[HOME]/.cursor` does not exist
    ");
    // A link that leads nowhere.
    std::fs::create_dir(home.path(".cursor")).unwrap();
    std::os::unix::fs::symlink(home.path("gone.json"), home.path(CURSOR)).unwrap();
    insta::assert_snapshot!(home.run("client push cursor --yes"), @"
    exit code: 3
    ----- stdout -----
    ✗ cursor: not written: the link `[HOME]/.cursor/mcp.json` leads to `[HOME]/gone.json`, which does not exist
    ----- stderr -----
    hint: make `[HOME]/gone.json`, or remove the link `[HOME]/.cursor/mcp.json`
    error: failed to write `cursor`: the link `[HOME]/.cursor/mcp.json` leads to `[HOME]/gone.json`, which does not exist
    ");
    // Not a regular file: nobody waits for a pipe that nobody writes.
    std::fs::remove_file(home.path(CURSOR)).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(home.path(CURSOR)).status().unwrap().success());
    insta::assert_snapshot!(home.run("client push cursor --yes"), @"
    exit code: 3
    ----- stdout -----
    ✗ cursor: not written: `[HOME]/.cursor/mcp.json` is a named pipe, not a file
    ----- stderr -----
    hint: move it away, or name a file in its place
    error: failed to write `cursor`: `[HOME]/.cursor/mcp.json` is a named pipe, not a file
    ");
    // A folder.
    std::fs::remove_file(home.path(CURSOR)).unwrap();
    std::fs::create_dir(home.path(CURSOR)).unwrap();
    insta::assert_snapshot!(home.run("client push cursor --yes"), @"
    exit code: 3
    ----- stdout -----
    ✗ cursor: not written: `[HOME]/.cursor/mcp.json` is a folder, not a file
    ----- stderr -----
    hint: move it away, or name a file in its place
    error: failed to write `cursor`: `[HOME]/.cursor/mcp.json` is a folder, not a file
    ");
}

#[test]
fn a_chain_of_links_stays_a_chain_of_links() {
    let home = home();
    home.write("dotfiles/real.json", TWO);
    std::fs::create_dir(home.path(".cursor")).unwrap();
    std::os::unix::fs::symlink("real.json", home.path("dotfiles/middle.json")).unwrap();
    std::os::unix::fs::symlink(home.path("dotfiles/middle.json"), home.path(CURSOR)).unwrap();
    home.ok("client link cursor");
    home.ok("client import cursor --yes");
    home.ok("client push cursor --yes");
    assert!(home.path(CURSOR).is_symlink() && home.path("dotfiles/middle.json").is_symlink());
    assert!(home.text("dotfiles/real.json").contains("connect"));
    home.ok("uninstall --yes");
    assert_eq!(home.text("dotfiles/real.json"), TWO);
}

#[test]
fn an_unknown_client_is_answered_with_the_nearest_one() {
    let home = cursor(TWO);
    for (line, hint) in [
        ("client link cursro", "did you mean `cursor`?"),
        ("client push cursr", "did you mean `cursor`?"),
        ("client show claude-desktop", "switchboard client link claude-desktop"),
        ("client show claude", "switchboard client link claude-desktop"),
        ("client scan nobody-at-all", "switchboard client list --all"),
        ("config export zedd", "did you mean `zed`?"),
    ] {
        let output = home.run(line);
        assert_eq!(output.code, 2, "{line}: {output}");
        assert!(output.stderr.starts_with("error: failed to "), "{line}: {output}");
        assert!(output.stderr.contains(hint), "{line}: {output}");
    }
}

#[test]
fn odd_names_are_refused_or_carried_whole() {
    let long = "x".repeat(4096);
    for (name, code) in [
        ("", 2),
        ("a\u{1b}[2Jb", 2),
        ("a\nb", 2),
        ("\u{202e}abc", 2),
        (long.as_str(), 2),
        ("__proto__", 0),
        ("a/b~c", 0),
        ("git hub", 0),
        ("häuser", 0),
        ("-dash", 2),
    ] {
        let home = cursor(TWO);
        let add = home.run_words(["server", "add", name, "--", "new-mcp"]);
        assert_eq!(add.code, code, "{name:?}: {add}");
        assert!(!add.all().contains('\u{1b}'), "{name:?}: {add}");
        if code != 0 {
            assert!(add.stderr.len() < 1000, "{name:?}: {add}");
            continue;
        }
        home.ok("client push cursor --yes");
        assert!(home.text(CURSOR).contains(&format!("\"{name}\": {{")), "{name:?}: {}", home.text(CURSOR));
        assert_eq!(home.ok("client diff cursor --json").json()[0]["pending"], serde_json::json!([]));
        let removed = home.run_words(["server", "remove", name]);
        assert_eq!(removed.code, 0, "{removed}");
        home.ok("client push cursor --yes");
        assert_eq!(home.text(CURSOR), TWO, "{name:?}");
    }
}

#[test]
fn odd_aliases_of_a_client_are_kept() {
    let entry = r#"{ "command": "x", "args": ["N"] }"#;
    let aliases = ["a\\u001bb", "__proto__", "a/b~c", "", "constructor", "ü"];
    let members: Vec<String> = aliases
        .iter()
        .enumerate()
        .map(|(n, alias)| format!("\"{alias}\": {}", entry.replace('N', &n.to_string())))
        .collect();
    let text = format!("{{ \"mcpServers\": {{ {} }} }}\n", members.join(", "));
    let home = cursor(&text);
    let import = home.ok("client import cursor --yes");
    assert!(!import.all().contains('\u{1b}'), "{import}");
    home.ok("client push cursor --yes");
    let shown = home.ok("client show cursor");
    assert!(!shown.all().contains('\u{1b}'), "{shown}");
    for alias in aliases {
        assert!(home.text(CURSOR).contains(&format!("\"{alias}\":")), "{alias}: {}", home.text(CURSOR));
    }
    home.ok("uninstall --yes");
    assert_eq!(home.text(CURSOR), text);
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_unread() {
    let home = home();
    home.write(CURSOR, "");
    std::fs::File::options().write(true).open(home.path(CURSOR)).unwrap().set_len(100 << 20).unwrap();
    home.run_words(["server", "add", "new", "--", "new-mcp"]);
    home.ok("client link cursor");
    let push = home.run("client push cursor --yes");
    insta::assert_snapshot!(push, @"
    exit code: 3
    ----- stdout -----
    ✗ cursor: not written: `[HOME]/.cursor/mcp.json` has 104857600 bytes, more than the 67108864 that are read
    ----- stderr -----
    hint: check the path: no config file is that large
    error: failed to write `cursor`: `[HOME]/.cursor/mcp.json` has 104857600 bytes, more than the 67108864 that are read
    ");
}

#[test]
fn thousands_of_servers_are_no_trouble() {
    const MANY: usize = 10_000;
    let home = home();
    let entries: Vec<String> = (0..MANY)
        .map(|n| format!("    \"s{n}\": {{ \"command\": \"npx\", \"args\": [\"-y\", \"mcp-{n}\"] }}"))
        .collect();
    home.write(CURSOR, format!("{{\n  \"mcpServers\": {{\n{}\n  }}\n}}\n", entries.join(",\n")));
    let original = home.text(CURSOR);
    home.ok("client link cursor");
    home.ok("client import cursor --yes");
    let push = home.ok("client push cursor --yes");
    assert!(push.stdout.contains("update 10000 entries"), "{push}");
    home.ok("status");
    home.ok("uninstall --yes");
    assert_eq!(home.text(CURSOR), original);
}

#[test]
fn a_typo_in_the_settings_is_told_with_the_nearest_name() {
    let home = cursor(TWO);
    home.edit(SETTINGS, "mode = ", "mdoe = ");
    let check = home.ok("config check");
    assert!(check.stderr.contains("did you mean `mode`?"), "{check}");
    home.edit(SETTINGS, "mdoe = \"manual\"", "mode = 5");
    for line in ["config check", "client push cursor --yes", "up --yes --no-serve"] {
        let output = home.run(line);
        assert_eq!(output.code, 3, "{line}: {output}");
        assert!(output.stderr.contains("switchboard.toml:"), "{line}: {output}");
    }
}

#[test]
fn where_the_last_good_catalogue_is_lost_with_the_file_nothing_is_taken_away() {
    let home = managed();
    let file = home.text(CURSOR);
    std::fs::remove_dir_all(home.path("switchboard/state/backups")).unwrap();
    for bad in [Some("[servers.x\n"), None] {
        match bad {
            Some(text) => home.write(CATALOGUE, text),
            None => std::fs::remove_file(home.path(CATALOGUE)).unwrap(),
        }
        for line in ["client push --all --yes", "status", "up --yes --no-serve"] {
            let output = home.run(line);
            assert!(output.code != 0 && output.stderr.contains("the last good revision"), "{line}: {output}");
        }
        assert_eq!(home.text(CURSOR), file);
    }
}

#[test]
fn a_broken_catalogue_changes_nothing_and_the_last_good_one_stays_in_service() {
    let home = managed();
    let good = home.text(CATALOGUE);
    let file = home.text(CURSOR);
    for (bad, says) in [
        (format!("{good}\n[servers.x\n"), "error:"),
        (String::new(), "suddenly empty"),
        ("# all gone\n".to_owned(), "suddenly empty"),
        (good.replace("command = ", "comand = "), "comand"),
    ] {
        home.write(CATALOGUE, &bad);
        let status = home.ok("status");
        assert!(status.all().contains(says), "{bad}: {status}");
        assert!(status.stdout.contains("2 servers"), "{bad}: {status}");
        let push = home.run("client push --all --yes");
        assert_eq!(push.code, 3, "{bad}: what was pushed is not the newest: {push}");
        assert_eq!(home.text(CURSOR), file, "{bad}: {push}");
        for line in [
            "server remove web",
            "server disable web",
            "profile add p web",
            "client import --all --yes",
            "up --yes --no-serve",
        ] {
            let output = home.run(line);
            assert_eq!(output.code, 3, "{line}: {output}");
            assert!(output.stderr.contains("hint:"), "{line}: {output}");
        }
        assert_eq!(home.run_words(["server", "add", "n", "--", "n"]).code, 3);
        assert_eq!(home.run("config check").code, 3);
        assert_eq!(home.text(CATALOGUE), bad, "it is the user's to mend");
        // What clients run goes on: `files-mcp` is not installed, which is as far as it gets.
        let daemon = testkit::daemon::Daemon::start(&home);
        let connect = home.run_with_input(["connect", "files"], crate::connect::HELLO);
        assert!(connect.stdout.contains("files-mcp"), "{bad}: {connect}");
        drop(daemon);
    }
    home.ok("config undo");
    assert_eq!(home.text(CATALOGUE), good);
}

#[test]
fn a_catalogue_that_is_gone_is_no_order_to_remove_everything() {
    let home = managed();
    let file = home.text(CURSOR);
    std::fs::remove_file(home.path(CATALOGUE)).unwrap();
    assert_eq!(home.run("client push --all --yes").code, 3);
    assert_eq!(home.text(CURSOR), file);
    home.ok("config undo");
    assert!(home.text(CATALOGUE).contains("[servers.files]"));
}

#[test]
fn thirty_two_at_once_all_get_their_turn() {
    let home = cursor(TWO);
    let running: Vec<_> = (0..32)
        .map(|n| {
            let name = format!("server-{n}");
            let mut command = home.command(["server", "add", &name, "--", "npx", &name]);
            command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
        })
        .collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(home.ok("server list --json").json().as_array().unwrap().len(), 32);
    assert_eq!(home.ok("config history --json").json().as_array().unwrap().len(), 32);
}
