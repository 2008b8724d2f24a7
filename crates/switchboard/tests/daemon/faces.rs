//! Clients that reach their servers by the gateway's address, or all of them by one entry.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use testkit::daemon::Daemon;
use testkit::home::FakeHome;

use crate::whole::curl;
use crate::{CURSOR, SETTINGS, client, home, wait_for};

pub(crate) const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

/// A home whose daemon has an address that stays.
fn addressed() -> (FakeHome, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = home();
    home.write(SETTINGS, format!("{}\n[http]\nlisten = \"127.0.0.1:{port}\"\n", home.text(SETTINGS)));
    fs::set_permissions(home.path(CURSOR), fs::Permissions::from_mode(0o600)).unwrap();
    (home, format!("http://127.0.0.1:{port}"))
}

fn entries(home: &FakeHome) -> Value {
    let text: String = home.text(CURSOR).lines().filter(|line| !line.trim().starts_with("//")).collect();
    serde_json::from_str::<Value>(&text).unwrap()["mcpServers"].take()
}

#[test]
fn a_client_speaks_with_its_servers_by_the_address_and_the_token_in_its_file() {
    let (home, address) = addressed();
    let daemon = Daemon::start_with(&home, &[]);
    wait_for(&daemon, &home, CURSOR, "\"connect\"");
    home.ok("client link cursor --auto --via http");
    wait_for(&daemon, &home, CURSOR, "/mcp/two");
    let entry = entries(&home)["one"].take();
    assert_eq!(entry["url"], format!("{address}/mcp/one"));
    let token = entry["headers"]["Authorization"].as_str().unwrap().to_owned();
    assert!(home.text(CURSOR).starts_with("{\n  // mine\n"), "{}", home.text(CURSOR));

    let json = ["-H", "Content-Type: application/json", "-H", "Accept: application/json, text/event-stream"];
    let post = |path: &str, headers: &[&str], body: &str| {
        let url = format!("{address}{path}");
        curl(&[&json[..], headers, &["-d", body, &url]].concat())
    };
    let held = format!("Authorization: {token}");
    assert_eq!(post("/mcp/one", &[], HELLO).0, 401);
    let (status, hello) = post("/mcp", &["-H", &held], HELLO);
    assert!(status == 200 && hello.contains("\"serverInfo\""), "{status} {hello}");
    // It opens the way to the servers, and nothing else.
    assert_eq!(post("/api/mcp/_sync", &["-H", &held], "{}").0, 403);
    let listed = home.ok("token list").all();
    assert!(listed.contains("client-cursor") && listed.contains("gateway:mcp:use"), "{listed}");
    // It stands in that file, in ours, which only the owner can read, and nowhere else.
    let secret = token.strip_prefix("Bearer ").unwrap();
    let (_, exported) = curl(&[&format!("{address}/api/mcp/_config/cursor")]);
    assert!(exported.contains("${env:SWITCHBOARD_TOKEN}") && !exported.contains(secret), "{exported}");
    for line in ["status --json", "client diff cursor", "client show cursor --json", "config export cursor"] {
        assert!(!home.ok(line).all().contains(secret), "{line}");
    }
    assert!(!daemon.log().contains(secret));
    for file in home.tree().holding(secret) {
        let mode = fs::metadata(home.path(&file)).unwrap().permissions().mode();
        assert!(file == CURSOR || mode.trailing_zeros() >= 6, "{file}: {mode:o}");
    }
}

#[test]
fn whoever_sends_too_much_is_told_of_which_request() {
    let (home, _) = addressed();
    let daemon = Daemon::start(&home);
    let address = daemon.address();
    let token = home.ok("token show").stdout.trim().to_owned();
    let held = format!("Authorization: Bearer {token}");
    let long = |mib: usize| {
        let text = "x".repeat(mib << 20);
        home.write(
            "long.json",
            format!(
                r#"{{"jsonrpc":"2.0","params":{{"id":1,"text":"{text}"}},"method":"ping","id":"seven"}}"#
            ),
        );
        format!("@{}", home.path("long.json").display())
    };
    for mib in [20, 40] {
        for more in [
            &["-H", "Content-Type: application/json"][..],
            &["-H", "Content-Type: application/json", "-H", "Transfer-Encoding: chunked"],
        ] {
            let (status, told) = curl(
                &[more, &["-H", &held, "--data-binary", &long(mib), &format!("{address}/mcp")]].concat(),
            );
            let told: Value = serde_json::from_str(&told).unwrap();
            assert_eq!(
                (status, &told["id"], &told["error"]["code"]),
                (413, &"seven".into(), &(-32600).into()),
                "{mib}"
            );
        }
    }
}

#[test]
fn a_face_that_there_is_not_is_told() {
    let (home, _) = addressed();
    let daemon = Daemon::start(&home);
    let address = daemon.address();
    let token = home.ok("token show").stdout.trim().to_owned();
    let held = format!("Authorization: Bearer {token}");
    for (query, status) in [("", 200), ("?tools=full", 200), ("?tools=search", 200), ("?tools=foo", 400)] {
        let url = format!("{address}/mcp{query}");
        let json =
            ["-H", "Content-Type: application/json", "-H", "Accept: application/json, text/event-stream"];
        assert_eq!(curl(&[&json[..], &["-H", &held, "-d", HELLO, &url]].concat()).0, status, "{query}");
    }
}

#[test]
fn a_token_is_not_written_where_others_may_read_it() {
    let (home, _) = addressed();
    let mut folder = home.path(CURSOR);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o644)).unwrap();
    while folder.pop() && folder.starts_with(home.root()) {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let before = home.text(CURSOR);
    home.ok("client link cursor --manual --via http");
    let pushed = home.run("client push cursor --yes").all();
    assert!(pushed.contains("others on this machine can read the file"), "{pushed}");
    assert!(pushed.contains("chmod 600"), "{pushed}");
    assert_eq!(home.text(CURSOR), before);
    fs::set_permissions(home.path(CURSOR), fs::Permissions::from_mode(0o600)).unwrap();
    home.ok("client push cursor --yes");
    assert!(home.text(CURSOR).contains("Bearer sb_"), "{}", home.text(CURSOR));
    // Without tokens there is nothing to hide.
    fs::set_permissions(home.path(CURSOR), fs::Permissions::from_mode(0o644)).unwrap();
    home.edit(SETTINGS, "[http]\n", "[http]\nauth = \"none\"\n");
    home.ok("client push cursor --yes");
    assert!(!home.text(CURSOR).contains("Bearer") && home.text(CURSOR).contains("/mcp/one"));
}

#[test]
fn one_entry_leads_to_all_servers_and_is_taken_out_again() {
    let home = home();
    let before = home.text(CURSOR);
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    home.ok("client link cursor --auto --face single --tools search");
    wait_for(&daemon, &home, CURSOR, "--tools");
    let all = entries(&home);
    assert_eq!(all.as_object().unwrap().keys().collect::<Vec<_>>(), ["switchboard"]);
    let words: Vec<&str> =
        all["switchboard"]["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(words, ["connect", "--all", "--tools", "search"]);
    let list = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let spoken = home.run_with_input(words, &format!("{HELLO}\n{ready}\n{list}\n"));
    for tool in ["tool_search", "tool_describe", "tool_call"] {
        assert!(spoken.stdout.contains(tool), "{}", spoken.all());
    }
    // A new server changes nothing there: it is behind the same entry.
    let written = home.text(CURSOR);
    crate::append(&home, "three");
    daemon.wait("the third server", || home.ok("status --json").all().contains("\"three\""));
    assert_eq!(home.text(CURSOR), written);
    assert_eq!(client(&home, "cursor")["pending"], serde_json::json!([]));
    home.ok("uninstall --yes");
    assert_eq!(home.text(CURSOR), before);
}
