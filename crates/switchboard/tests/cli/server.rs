//! `server`: the catalogue from the command line.

use crate::{CATALOGUE, cursor, home, managed};

#[test]
fn a_server_is_added_shown_changed_and_removed() {
    let home = home();
    let add = home.run_words([
        "server",
        "add",
        "github",
        "--env",
        "TOKEN=${keyring:gh}",
        "--tag",
        "dev",
        "--description",
        "code",
        "--",
        "npx",
        "-y",
        "gh mcp",
    ]);
    insta::assert_snapshot!(add, @"");
    insta::assert_snapshot!(home.run("server add linear --url https://mcp.linear.app/mcp --header X-A:b"), @"");
    insta::assert_snapshot!(home.text(CATALOGUE), @"");
    insta::assert_snapshot!(home.run("server list"), @"");
    insta::assert_snapshot!(home.run("server show github"), @"");
    insta::assert_snapshot!(home.run("server edit github --tag ops --cwd /srv"), @"");
    insta::assert_snapshot!(home.run("server rename github gh"), @"");
    insta::assert_snapshot!(home.run("server disable gh"), @"");
    insta::assert_snapshot!(home.run("server disable gh"), @"");
    insta::assert_snapshot!(home.run("server remove linear"), @"");
    insta::assert_snapshot!(home.text(CATALOGUE), @"");
}

#[test]
fn the_file_keeps_what_a_person_wrote_around_a_server() {
    let home = home();
    home.write(
        CATALOGUE,
        "# ours\n[servers.a] # first\ncommand = 'a' # why\n\n\n# second\n[servers.b]\ncommand = \"b\"\n",
    );
    home.ok("server edit b --tag x");
    home.ok("server disable a");
    home.ok("server enable a");
    home.ok("server remove b");
    assert_eq!(
        home.text(CATALOGUE).lines().take(3).collect::<Vec<_>>(),
        ["# ours", "[servers.a] # first", "command = 'a' # why"]
    );
}

#[test]
fn the_list_for_programs_has_no_values() {
    let home = home();
    home.run_words(["server", "add", "a", "--env", "TOKEN=hush", "--", "npx"]);
    insta::assert_snapshot!(home.run("server list --json"), @"");
}

#[test]
fn what_is_wrong_is_told_with_the_command_that_is_right() {
    let home = managed();
    insta::assert_snapshot!(home.run("server add new"), @"");
    insta::assert_snapshot!(home.run("server add files -- x"), @"");
    insta::assert_snapshot!(home.run("server show fiels"), @"");
    insta::assert_snapshot!(home.run("server rename files web"), @"");
    insta::assert_snapshot!(home.run("server edit files"), @"");
}

#[test]
fn a_dry_run_shows_the_lines_with_values_hidden() {
    let home = home();
    home.run_words(["server", "add", "a", "--", "npx"]);
    insta::assert_snapshot!(home.run("server edit a --env TOKEN=hush --dry-run"), @"");
}

#[test]
fn a_server_of_the_catalogue_is_tried_without_a_question() {
    let home = cursor("{}");
    let program = env!("CARGO_BIN_EXE_switchboard");
    home.run_words(["server", "add", "hello", "--", program, "__demo-server", "greeter"]);
    let test = home.run_words(["server", "test", "hello", "--tool", "greet", "--args", r#"{"name": "you"}"#]);
    insta::assert_snapshot!(test, @"");
    let test = home.ok("server test hello --json").json();
    assert_eq!(test["tools"][0]["name"], "greet");
    home.run_words(["server", "add", "gone", "--", "/no/such/program"]);
    insta::assert_snapshot!(home.run("server test gone"), @"");
}
