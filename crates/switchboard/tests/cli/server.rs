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
    insta::assert_snapshot!(add, @"
    exit code: 0
    ----- stdout -----
    ✓ server `github` added (revision 1)
    ");
    insta::assert_snapshot!(home.run("server add linear --url https://mcp.linear.app/mcp --header X-A:b"), @"
    exit code: 0
    ----- stdout -----
    ✓ server `linear` added (revision 2)
    ");
    insta::assert_snapshot!(home.text(CATALOGUE), @r#"
    #:schema ./mcp-servers.schema.json

    [servers.github]
    command = "npx"
    args = ["-y", "gh mcp"]
    env = { TOKEN = "${keyring:gh}" }
    description = "code"
    tags = ["dev"]

    [servers.linear]
    url = "https://mcp.linear.app/mcp"
    headers = { X-A = "b" }
    "#);
    insta::assert_snapshot!(home.run("server list"), @"
    exit code: 0
    ----- stdout -----
    SERVER  STATE    LAUNCH                      TAGS
    github  enabled  npx -y 'gh mcp'             dev
    linear  enabled  https://mcp.linear.app/mcp
    ");
    insta::assert_snapshot!(home.run("server show github"), @"
    exit code: 0
    ----- stdout -----
    github
    code
    runs   npx -y 'gh mcp'
    with   TOKEN
    tags   dev
    stands ~/switchboard/config/mcp-servers.toml:3:10
    ");
    insta::assert_snapshot!(home.run("server edit github --tag ops --cwd /srv"), @"
    exit code: 0
    ----- stdout -----
    ✓ server `github` changed (revision 3)
    ");
    insta::assert_snapshot!(home.run("server rename github gh"), @"
    exit code: 0
    ----- stdout -----
    ✓ server `github` is now called `gh` (revision 4)
    ");
    insta::assert_snapshot!(home.run("server disable gh"), @"
    exit code: 0
    ----- stdout -----
    ✓ server `gh` disabled (revision 5)
    ");
    insta::assert_snapshot!(home.run("server disable gh"), @"
    exit code: 0
    ----- stdout -----
    server `gh` is disabled already
    ");
    insta::assert_snapshot!(home.run("server remove linear"), @"
    exit code: 0
    ----- stdout -----
    ✓ server `linear` removed (revision 6)
    ");
    insta::assert_snapshot!(home.text(CATALOGUE), @r#"
    #:schema ./mcp-servers.schema.json

    [servers.gh]
    command = "npx"
    args = ["-y", "gh mcp"]
    env = { TOKEN = "${keyring:gh}" }
    description = "code"
    tags = ["ops"]
    cwd = "/srv"
    enabled = false
    "#);
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
    insta::assert_snapshot!(home.run("server list --json"), @r#"
    exit code: 0
    ----- stdout -----
    [
      {
        "args": [],
        "clients": [],
        "command": "npx",
        "cwd": null,
        "description": null,
        "enabled": true,
        "env": [
          "TOKEN"
        ],
        "fingerprint": "4ae59e26bda9edd491ea43943bdc9653e9ab44116780aa3b38547133051f5740",
        "name": "a",
        "tags": [],
        "type": "stdio"
      }
    ]
    "#);
}

#[test]
fn what_is_wrong_is_told_with_the_command_that_is_right() {
    let home = managed();
    insta::assert_snapshot!(home.run("server add new"), @"
    exit code: 2
    ----- stderr -----
    error: failed to add server `new`: neither a command nor a url was named
    hint: switchboard server add new -- npx -y some-mcp-server
    hint: switchboard server add new --url https://example.com/mcp
    ");
    insta::assert_snapshot!(home.run("server add files -- x"), @"
    exit code: 2
    ----- stderr -----
    error: failed to add server `files`: the catalogue has one of that name already
    hint: change it with `switchboard server edit files`, or choose another name
    ");
    insta::assert_snapshot!(home.run("server show fiels"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find server `fiels`
    hint: did you mean `files`?
    ");
    insta::assert_snapshot!(home.run("server rename files web"), @"
    exit code: 2
    ----- stderr -----
    error: failed to add server `web`: the catalogue has one of that name already
    hint: change it with `switchboard server edit web`, or choose another name
    ");
    insta::assert_snapshot!(home.run("server edit files"), @"
    exit code: 2
    ----- stderr -----
    error: failed to edit server `files`: nothing was named that should change
    hint: edit ~/switchboard/config/mcp-servers.toml by hand, or see `switchboard server edit --help`
    ");
}

#[test]
fn a_dry_run_shows_the_lines_with_values_hidden() {
    let home = home();
    home.run_words(["server", "add", "a", "--", "npx"]);
    insta::assert_snapshot!(home.run("server edit a --env TOKEN=hush --dry-run"), @r#"
    exit code: 0
    ----- stdout -----
    --- ~/switchboard/config/mcp-servers.toml
    +++ ~/switchboard/config/mcp-servers.toml
    @@ -2,3 +2,4 @@
     
     [servers.a]
     command = "npx"
    +env = { TOKEN = "***" }
    "#);
}

#[test]
fn a_server_of_the_catalogue_is_tried_without_a_question() {
    let home = cursor("{}");
    let program = env!("CARGO_BIN_EXE_switchboard");
    home.run_words(["server", "add", "hello", "--", program, "__demo-server", "greeter"]);
    let test = home.run_words(["server", "test", "hello", "--tool", "greet", "--args", r#"{"name": "you"}"#]);
    insta::assert_snapshot!(test, @"
    exit code: 0
    ----- stdout -----
    ✓ hello answers: greeter 0.1.0, protocol 2025-11-25, 1 tool, ready after [MS] ms, ping [MS] ms
    ✓ greet:
      Hello, you, from greeter!
    ");
    let test = home.ok("server test hello --json").json();
    assert_eq!(test["tools"][0]["name"], "greet");
    home.run_words(["server", "add", "gone", "--", "/no/such/program"]);
    insta::assert_snapshot!(home.run("server test gone"), @"
    exit code: 1
    ----- stderr -----
    error: failed to test `gone`: it ended with code 1:
        error: failed to connect to `gone`: could not start `gone`: `/no/such/program` does not exist
        hint: correct the path in the server's `command`
    ");
}
