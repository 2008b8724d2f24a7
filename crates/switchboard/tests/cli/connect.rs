//! `connect`: what a client runs.

use crate::{CATALOGUE, home};

const HELLO: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
    "\n"
);

#[test]
fn it_is_a_pipe_to_the_server() {
    let home = home();
    let program = env!("CARGO_BIN_EXE_switchboard");
    home.run_words(["server", "add", "hello", "--", program, "__demo-server", "greeter"]);
    let output = home.run_with_input(["connect", "hello"], HELLO);
    assert_eq!(output.code, 0, "{output}");
    assert_eq!(output.json()["id"], 1);
    // Standard output is the client's, whatever else is asked for.
    let output = home.run_with_input(["connect", "hello", "--json"], HELLO);
    assert_eq!(output.json()["id"], 1);
}

#[test]
fn errors_say_what_to_do_and_leave_standard_output_alone() {
    let home = home();
    home.run_words(["server", "add", "gone", "--", "/no/such/program"]);
    home.run_words(["server", "add", "bare", "--", "no-such-program-anywhere"]);
    home.run_words(["server", "add", "secret", "--env", "A=${keyring:nothing}", "--", "cat"]);
    home.run_words(["server", "add", "unset", "--env", "A=${env:NOT_SET}", "--", "cat"]);
    home.run_words(["server", "add", "off", "--", "cat"]);
    home.ok("server disable off");
    for name in ["gone", "bare", "secret", "unset", "off", "nobody"] {
        let output = home.run_words(["connect", name]);
        assert_ne!(output.code, 0, "{name}");
        assert_eq!(output.stdout, "", "{name}");
        assert!(output.stderr.contains("hint: "), "{name}: {output}");
    }
    insta::assert_snapshot!(home.run("connect gone"), @"
    exit code: 1
    ----- stderr -----
    error: failed to connect to `gone`: could not start `gone`: `/no/such/program` does not exist
    hint: correct the path in the server's `command`
    ");
    insta::assert_snapshot!(home.run("connect nobody"), @"
    exit code: 2
    ----- stderr -----
    error: failed to connect to `nobody`: the catalogue has no such server
    hint: see `switchboard server list`
    ");
    insta::assert_snapshot!(home.run("connect off"), @"
    exit code: 1
    ----- stderr -----
    error: failed to connect to `off`: it is disabled
    hint: enable it with `switchboard server enable off`
    ");
}

#[test]
fn a_catalogue_that_others_may_write_needs_an_approval() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    home.write(
        CATALOGUE,
        format!("[servers.x]\ncommand = \"touch\"\nargs = [\"{}\"]\n", home.path("ran").display()),
    );
    std::fs::set_permissions(home.path(CATALOGUE), std::fs::Permissions::from_mode(0o666)).unwrap();
    let output = home.run("connect x");
    assert_eq!(output.code, 5, "{output}");
    assert!(!home.path("ran").exists());
    assert!(output.stderr.contains("chmod go-w"), "{output}");
}
