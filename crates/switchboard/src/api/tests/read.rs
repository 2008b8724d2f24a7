//! What followers read without a token.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use switchboard_core::name::ClientId;

use super::{BEGUN, Fake, request, with};
use crate::daemon::board::Board;
use crate::daemon::view::View;

const NPM: &str = "[servers.npm]\ncommand='npx'\nargs=['-y','npm-mcp']\n";
const TWO: &str = "[servers.npm]\ncommand='npx'\nargs=['-y','npm-mcp']\n[servers.api]\nurl='https://api/mcp'\n\
                   headers={ Authorization='Bearer ${env:API}' }\n[servers.off]\ncommand='x'\nenabled=false\n";

#[tokio::test]
async fn the_version_tells_what_changed_and_since_when() {
    let fake = Fake::new("");
    fake.announce(NPM);
    fake.announce(TWO);
    let told = fake.get("/api/mcp/_version").await;
    assert_eq!(told.status, StatusCode::OK);
    let version = told.json();
    assert_eq!(version["version"], "1.2.0");
    assert!(version["hash"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(version["last_modified"], crate::when::stamp(BEGUN + 2));
    assert_eq!(version["servers_count"], 2);
    assert_eq!(version["changed_servers"], json!(["api", "off"]));
    fake.announce("[servers.npm]\ncommand='npx'\n");
    for (since, changed) in [
        ("1.3.0", json!([])),
        ("1.2.0", json!(["npm", "api", "off"])),
        ("2", json!(["npm", "api", "off"])),
        ("1", json!(["api", "off", "npm"])),
        ("0", json!(["npm"])),
        ("9", json!(["npm"])),
        ("junk", json!(["npm"])),
        ("", json!(["npm"])),
    ] {
        let told = fake.get(&format!("/api/mcp/_version?since={since}")).await;
        assert_eq!(told.json()["changed_servers"], changed, "since {since}");
    }
}

#[tokio::test]
async fn all_servers_stand_in_one_document() {
    let fake = Fake::new("");
    fake.announce(TWO);
    let told = fake.get("/api/mcp/_config").await;
    assert_eq!(told.header("content-type"), "application/json");
    assert_eq!(
        told.json()["mcpServers"],
        json!({
            "npm": { "type": "stdio", "command": "npx", "args": ["-y", "npm-mcp"] },
            "api": { "type": "http", "url": "https://api/mcp", "headers": { "Authorization": "Bearer ${env:API}" } },
        })
    );
    let version = fake.get("/api/mcp/_version").await.json();
    for key in ["version", "hash", "last_modified"] {
        assert_eq!(told.json()[key], version[key]);
    }
}

#[tokio::test]
async fn who_has_it_already_need_not_get_it_again() {
    let fake = Fake::new("");
    fake.announce(NPM);
    for path in ["/api/mcp/_version", "/api/mcp/_config", "/api/mcp/_config/claude", "/api/mcp/_config/codex"]
    {
        let first = fake.get(path).await;
        let (tag, modified) = (first.header("etag"), first.header("last-modified"));
        assert!(tag.starts_with('"') && tag.len() == 66, "{tag}");
        assert_eq!(modified, crate::when::http(BEGUN + 1));
        assert_eq!(first.header("cache-control"), "no-cache");
        let other = "Thu, 01 Jan 1970 00:00:00 GMT";
        for (headers, same) in [
            (vec![("if-none-match", tag)], true),
            (vec![("if-none-match", &*format!("\"x\", W/{tag}"))], true),
            (vec![("if-none-match", "\"x\""), ("if-none-match", tag)], true),
            (vec![("if-none-match", "*")], true),
            (vec![("if-none-match", "\"x\"")], false),
            (vec![("if-modified-since", modified)], true),
            (vec![("if-modified-since", other)], false),
            (vec![("if-none-match", "\"x\""), ("if-modified-since", modified)], false),
            (vec![("if-none-match", tag), ("if-modified-since", other)], true),
        ] {
            let asked =
                headers.iter().fold(request("GET", path), |asked, (name, value)| with(asked, name, value));
            let told = fake.ask(asked).await;
            let status = if same { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            assert_eq!((told.status, told.body.is_empty()), (status, same), "{path} {headers:?}");
            assert_eq!(told.header("etag"), tag);
        }
        let head = fake.ask(request("HEAD", path)).await;
        assert_eq!((head.status, head.header("etag"), head.body.len()), (StatusCode::OK, tag, 0));
    }
    let tag = fake.get("/api/mcp/_config").await.header("etag").to_owned();
    fake.announce(TWO);
    let told = fake.ask(with(request("GET", "/api/mcp/_config"), "if-none-match", &tag)).await;
    assert_eq!(told.status, StatusCode::OK, "what changed is sent");
}

#[tokio::test]
async fn each_client_gets_its_whole_file() {
    let fake = Fake::new(
        "[[clients]]\nid='mine'\ndialect='cursor'\npath='~/x.json'\nservers=['api']\nvia='direct'\n",
    );
    fake.announce(TWO);
    for (client, kind, has) in [
        ("claude", "application/json", "\"connect\""),
        ("claude-desktop", "application/json", "\"mcpServers\""),
        ("codex", "application/toml", "[mcp_servers.npm]"),
        ("continue", "application/yaml", "mcpServers:"),
        ("mine", "application/json", "https://api/mcp"),
        ("cursor?via=direct", "application/json", "https://api/mcp"),
        ("cursor?via=bridge", "application/json", "\"connect\""),
    ] {
        let told = fake.get(&format!("/api/mcp/_config/{client}")).await;
        assert_eq!((told.status, told.header("content-type")), (StatusCode::OK, kind), "{client}");
        assert!(told.text().contains(has), "{client}: {}", told.text());
    }
    assert!(!fake.get("/api/mcp/_config/mine").await.text().contains("npm"), "its own selection counts");
    assert_eq!(fake.get("/api/mcp/_config/cursor?via=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(fake.get("/api/mcp/_config/cursor?via=http").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn who_is_not_known_is_told_the_known_ones() {
    let fake = Fake::new("[[clients]]\nid='mine'\ndialect='cursor'\npath='~/x.json'\n");
    fake.announce(NPM);
    let told = fake.get("/api/mcp/_config/cursr").await;
    assert_eq!(
        (told.status, told.header("content-type")),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
    let problem = told.json();
    assert_eq!(problem["hints"], json!(["did you mean `cursor`?"]));
    let known = problem["known"].as_array().unwrap();
    assert!(known.contains(&json!("cursor")) && known.contains(&json!("mine")) && known.len() > 60);
    let long = "a".repeat(4096);
    for hostile in [
        "..",
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c..",
        "%00",
        "a%00b",
        "%0d%0aSet-Cookie:x",
        "%1b%5b2J",
        "%e2%80%ae",
        "CON",
        "NUL",
        "__proto__",
        "$(id)",
        "%ff",
        "%",
        "%zz",
        "a/b",
        "cursor/",
        "cursor%2f",
        ".",
        "",
        " cursor",
        "Cursor",
        "*",
        "cursor%20",
        &long,
    ] {
        let Ok(uri) = format!("/api/mcp/_config/{hostile}").parse::<axum::http::Uri>() else { continue };
        let told = fake.get(&uri.to_string()).await;
        assert!(
            matches!(told.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST),
            "{hostile}: {}",
            told.status
        );
        let shown = told.json()["detail"].as_str().unwrap().to_owned();
        assert!(!shown.contains(char::is_control) && shown.len() < 500, "{hostile}: {shown:?}");
        for (name, value) in &told.headers {
            assert!(!value.as_bytes().iter().any(u8::is_ascii_control), "{hostile}: {name}");
        }
    }
}

#[tokio::test]
async fn the_settings_say_where_things_are_and_may_say_otherwise_at_any_time() {
    let fake =
        Fake::new("[client_sync]\npull_endpoint='/mine'\nversion_endpoint='/v'\nsse_endpoint='/mine/live'\n");
    fake.announce(NPM);
    for (path, status) in [
        ("/mine", StatusCode::OK),
        ("/mine/cursor", StatusCode::OK),
        ("/v", StatusCode::OK),
        ("/api/mcp/_config", StatusCode::NOT_FOUND),
        ("/api/mcp/_version", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(fake.get(path).await.status, status, "{path}");
    }
    let mut board = super::Board::clone(&fake.board.borrow());
    board.settings = std::sync::Arc::default();
    fake.board.send_replace(std::sync::Arc::new(board));
    assert_eq!(fake.get("/mine").await.status, StatusCode::NOT_FOUND);
    assert_eq!(fake.get("/api/mcp/_config").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_endpoint_that_would_be_in_the_way_counts_as_not_said() {
    for bad in [
        "",
        "x",
        "/",
        "//",
        "/a//b",
        "/a/",
        "/{x}",
        "/a b",
        "/../x",
        "/healthz",
        "/api/v1/status",
        "/mcp/x",
        "/ä",
    ] {
        let fake = Fake::new(&format!("[client_sync]\npull_endpoint={bad:?}\n"));
        fake.announce(NPM);
        assert_eq!(fake.get("/api/mcp/_config").await.status, StatusCode::OK, "{bad}");
        assert_eq!(fake.get("/healthz").await.text(), "alive\n");
    }
}

#[tokio::test]
async fn before_the_first_revision_nothing_is_claimed() {
    let fake = Fake::new("");
    assert_eq!(fake.get("/api/mcp/_config").await.json()["mcpServers"], json!({}));
    assert_eq!(fake.get("/api/mcp/_version").await.json()["version"], "1.0.0");
    assert_eq!(fake.get("/readyz").await.status, StatusCode::OK);
    let mut board = super::Board::clone(&fake.board.borrow());
    board.ready = false;
    fake.board.send_replace(std::sync::Arc::new(board));
    for path in ["/readyz", "/api/mcp/_config", "/api/mcp/_version", "/api/mcp/_config/cursor"] {
        let told = fake.get(path).await;
        assert_eq!(
            (told.status, told.header("retry-after")),
            (StatusCode::SERVICE_UNAVAILABLE, "1"),
            "{path}"
        );
    }
    assert_eq!(fake.get("/healthz").await.status, StatusCode::OK, "it is alive all the same");
}

#[tokio::test]
async fn the_measurements_are_told() {
    let fake = Fake::new("");
    let view = |file, lists: [&[&str]; 3]| {
        let [pending, drift, conflicts] =
            lists.map(|list| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        View { path: "/x".into(), file, pending, drift, conflicts, failed: None, hint: None }
    };
    let views = [
        view("read", [&[], &[], &[]]),
        view("missing", [&["x"], &[], &[]]),
        view("unreadable", [&[], &[], &[]]),
        view("wiped", [&[], &["y"], &[]]),
        view("read", [&["x"], &["y"], &["z"]]),
        view("read", [&[], &["y"], &[]]),
    ];
    let named = |(at, view)| (ClientId::parse(&format!("client-{at}")).unwrap(), view);
    let views = Arc::new(views.into_iter().enumerate().map(named).collect());
    fake.board.send_modify(|board| {
        let mut now = Board::clone(board);
        now.clients = views;
        *board = Arc::new(now);
    });
    fake.announce(TWO);
    fake.get("/api/mcp/_version").await;
    let told = fake.get("/metrics").await;
    assert!(told.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        "switchboard_revision 1",
        "switchboard_servers{state=\"enabled\"} 2",
        "switchboard_servers{state=\"disabled\"} 1",
        "switchboard_http_requests_total{method=\"GET\",route=\"/api/mcp/_version\",status=\"200\"}",
        "switchboard_build_info{version=",
        "switchboard_clients{state=\"in step\"} 1",
        "switchboard_clients{state=\"pending\"} 1",
        "switchboard_clients{state=\"drifted\"} 1",
        "switchboard_clients{state=\"conflict\"} 1",
        "switchboard_clients{state=\"unreadable\"} 2",
        "switchboard_http_request_duration_seconds_bucket{",
    ] {
        assert!(told.text().contains(line), "no {line} in\n{}", told.text());
    }
    assert!(fake.asked.lock().unwrap().is_empty(), "the files of clients are not read for those who ask");
}

#[tokio::test]
async fn no_secret_comes_out_of_any_door() {
    let fake = Fake::new("");
    fake.announce(
        "[servers.npm]\ncommand='npx'\nargs=['--token','canary-args']\nenv={ NPM_TOKEN='canary-env' }\n\
         [servers.api]\nurl='https://u:canary-url@api/mcp?key=canary-query'\n\
         headers={ Authorization='Bearer canary-header', X='ghp_canary0123456789' }\n",
    );
    let via = known_paths();
    assert!(via.len() > 100);
    for path in &via {
        let told = fake.get(path).await;
        assert!(!told.text().contains("canary"), "{path}: {}", told.text());
    }
    let stream = fake.api.answer(request("GET", "/api/mcp/_config/events")).await;
    let mut body = stream.into_body();
    for _ in 0..2 {
        let bytes = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap().into_data().unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    }
    let whole = fake.get("/api/mcp/_config").await.json();
    assert_eq!(
        whole["mcpServers"]["npm"]["env"]["NPM_TOKEN"], "${env:NPM_TOKEN}",
        "it says where one belongs"
    );
}

/// Every way to read what the servers are.
fn known_paths() -> Vec<String> {
    let clients = switchboard_core::client::known::all().map(|known| known.id);
    let files =
        clients.flat_map(|id| ["bridge", "direct"].map(|via| format!("/api/mcp/_config/{id}?via={via}")));
    let others =
        ["/api/mcp/_config", "/api/mcp/_version", "/metrics", "/healthz", "/readyz", "/api/mcp/_config/none"];
    files.chain(others.map(str::to_owned)).collect()
}
