//! `client link` and `unlink`.

use crate::{CURSOR, SETTINGS, TWO, cursor, home, managed};

#[test]
fn a_client_is_linked_by_name_or_by_path() {
    let home = home();
    home.write(CURSOR, TWO);
    insta::assert_snapshot!(home.run("client link cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor is linked (manual)
      file   ~/.cursor/mcp.json
      state  in step
    ");
    home.write("work/shop/.cursor/mcp.json", TWO);
    insta::assert_snapshot!(home.run("client link cursor --path work/shop/.cursor/mcp.json --auto"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor.shop is linked (auto)
      file   ~/work/shop/.cursor/mcp.json
      state  in step
    ");
    insta::assert_snapshot!(home.run("client link mine --dialect cursor --path mine.json --server files"), @"
    exit code: 0
    ----- stdout -----
    ✓ mine is linked (manual)
      file   ~/mine.json
      state  in step
    ");
    insta::assert_snapshot!(home.text(SETTINGS), @r#"
    #:schema ./switchboard.schema.json

    [[clients]]
    id = "cursor"
    path = "~/.cursor/mcp.json"
    mode = "manual"

    [[clients]]
    id = "cursor.shop"
    dialect = "cursor"
    path = "~/work/shop/.cursor/mcp.json"
    mode = "auto"

    [[clients]]
    id = "mine"
    dialect = "cursor"
    path = "~/mine.json"
    mode = "manual"
    servers = ["files"]
    "#);
}

#[test]
fn linking_alone_writes_no_client_file() {
    let home = home();
    home.write(CURSOR, TWO);
    let before = home.tree().without(&["switchboard"]);
    home.ok("client link cursor");
    assert_eq!(before.changes(&home.tree().without(&["switchboard"])), Vec::<String>::new());
}

#[test]
fn an_auto_client_gets_changes_at_once_and_a_manual_one_when_asked() {
    let home = cursor(TWO);
    home.write(".codex/config.toml", "model = 'x'\n");
    home.ok("client link codex --auto");
    insta::assert_snapshot!(home.run("server add new --url https://new.example/mcp"), @"
    exit code: 0
    ----- stdout -----
    ✓ codex: add `new`
    ✓ server `new` added (revision 1)
    ----- stderr -----
    hint: clients in manual mode get it with `switchboard client push --all`
    ");
    assert!(home.text(".codex/config.toml").contains("new"));
    assert_eq!(home.text(CURSOR), TWO);
    let status = home.ok("status --json").json();
    assert_eq!(status["clients"][0]["pending"], serde_json::json!(["add `new`"]));
    home.ok("server remove new");
    assert_eq!(home.text(".codex/config.toml"), "model = 'x'\n");
}

#[test]
fn a_client_takes_only_the_servers_that_it_is_given() {
    let home = home();
    home.write(CURSOR, "{}\n");
    home.ok("server add a --url https://a.example --tag x");
    home.ok("server add b --url https://b.example");
    home.ok("client link cursor --server tag:x");
    home.ok("client push cursor --yes");
    let text = home.text(CURSOR);
    assert!(text.contains("\"a\"") && !text.contains("\"b\""), "{text}");
    home.ok("client link cursor --server b");
    home.ok("client push cursor --yes");
    let text = home.text(CURSOR);
    assert!(text.contains("\"b\"") && !text.contains("\"a\""), "{text}");
}

#[test]
fn unlinking_leaves_the_file_and_linking_again_knows_it() {
    let home = managed();
    let text = home.text(CURSOR);
    insta::assert_snapshot!(home.run("client unlink cursor"), @"
    exit code: 0
    ----- stdout -----
    ✓ cursor is unlinked; ~/.cursor/mcp.json stays as it is
    ----- stderr -----
    hint: its 2 managed entries still reach their servers; to take them out, link it again and run `switchboard client undo cursor`
    ");
    assert_eq!(home.text(CURSOR), text);
    assert_eq!(home.run("client push cursor --yes").code, 2);
    home.ok("client link cursor");
    assert_eq!(home.ok("status --json").json()["clients"][0]["summary"], "in step");
    home.ok("client undo cursor");
    assert_eq!(home.text(CURSOR), TWO);
}

#[test]
fn a_client_that_is_not_known_needs_a_dialect() {
    insta::assert_snapshot!(home().run("client link my-own-thing --path x.json"), @"
    exit code: 2
    ----- stderr -----
    error: failed to link client `my-own-thing`: it is not known
    hint: see `switchboard client list --all` for those that are known
    hint: name one that writes its file alike: --dialect cursor --path FILE
    ");
    insta::assert_snapshot!(home().run("client link cursro"), @"
    exit code: 2
    ----- stderr -----
    error: failed to link client `cursro`: it is not known
    hint: did you mean `cursor`?
    ");
}
