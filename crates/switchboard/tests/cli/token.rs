//! `token`.

use crate::home;

const TOKENS: &str = "switchboard/state/tokens.json";

#[test]
fn this_machine_has_a_token_of_its_own() {
    let home = home();
    let first = home.ok("token show").stdout;
    assert!(first.starts_with("sb_") && first.trim_end().len() == 3 + 64, "{first}");
    assert_eq!(home.ok("token show").stdout, first, "it stays the same");
    assert_eq!(home.ok("token show --json").json()["token"], first.trim_end());
    home.ok("token revoke local");
    assert_ne!(home.ok("token show").stdout, first, "a revoked one is gone for ever");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_tokens() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    home.ok("token show");
    let mode = std::fs::metadata(home.path(TOKENS)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_token_is_shown_once_and_then_only_named() {
    let home = home();
    let made = home.ok("token create ci --permission config:*:read --permission github:*:*");
    let secret = made.stdout.trim_end();
    assert!(secret.starts_with("sb_"), "{made}");
    assert!(made.stderr.contains("config:*:read, github:*:*"), "{made}");
    let kept = home.text(TOKENS);
    assert!(!kept.contains(secret), "{kept}");
    let list = home.ok("token list");
    assert!(!list.all().contains("sb_") && list.stdout.contains("config:*:read github:*:*"), "{list}");
    let list = home.ok("token list --json").json();
    assert_eq!(list[0]["permissions"], serde_json::json!(["config:*:read", "github:*:*"]));
    assert_eq!(list[0]["last_used"], serde_json::Value::Null);
    assert!(list[0].get("hash").is_none() && list[0].get("secret").is_none(), "{list}");
    let id = list[0]["id"].as_str().unwrap().to_owned();
    home.ok(&format!("token revoke {id}"));
    assert_eq!(home.ok("token list --json").json(), serde_json::json!([]));
}

#[test]
fn a_token_reads_when_nothing_else_is_said() {
    let home = home();
    let made = home.ok("token create ci --json").json();
    assert_eq!(made["permissions"], serde_json::json!(["config:*:read"]));
    assert_ne!(home.ok("token create other --json").json()["token"], made["token"]);
}

#[test]
fn what_cannot_be_a_token_is_refused() {
    let home = home();
    home.ok("token create ci");
    insta::assert_snapshot!(home.run("token create ci"), @"
    exit code: 2
    ----- stderr -----
    error: failed to create the token `ci`: there is one of that name
    hint: `switchboard token revoke ci` makes room for it
    ");
    insta::assert_snapshot!(home.run("token create x --permission read"), @"
    exit code: 2
    ----- stderr -----
    error: failed to understand the permission `read`
    hint: write it as server:resource:action, such as `config:*:read` or `*:*:*`
    ");
    insta::assert_snapshot!(home.run("token create local"), @"
    exit code: 2
    ----- stderr -----
    error: failed to call a token `local`
    hint: use letters, digits, `-`, `_` and `.`; `local` is this machine's own, and `client-..` are the clients'
    ");
    insta::assert_snapshot!(home.run("token revoke nobody"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find token `nobody`
    hint: see `switchboard token list`
    ");
    for wrong in ["a:b", "a:b:c:d", "::", "a: :c", "a:b:", "a:*b:c"] {
        let words = ["token", "create", "x", "--permission", wrong];
        assert_eq!(home.run_words(words).code, 2, "{wrong}");
    }
}
