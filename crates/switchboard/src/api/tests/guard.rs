//! Nobody gets in who should not: every route, by every wrong way.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, Version};

use super::super::Peer;
use super::super::route::{Access, Route};
use super::super::table::routes;
use super::{Fake, local, request, with};

/// How many routes there are. A new one is counted here on purpose: is it clear who may ask for it?
const COUNT: usize = 80;

/// What is wrong with a request, the headers that it has, and the status that it gets.
type Variant<'v> = (&'v str, Vec<(&'static str, &'v str)>, u16);

/// Every route, with its open parts filled in.
fn every() -> Vec<(Route, String)> {
    let routes = routes(&switchboard_core::settings::Settings::default()).all;
    assert_eq!(routes.len(), COUNT);
    let fill = |route: Route| {
        let path =
            route.path.replace("{client}", "cursor").replace("{file}", "catalogue").replace("{tool}", "echo");
        let path = path
            .replace("{name}", "npm")
            .replace("{id}", "cursor")
            .replace("{server}", "npm")
            .replace("{number}", "1");
        (route, path)
    };
    routes.into_iter().map(fill).collect()
}

fn plain(method: &Method, path: &str) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method.clone();
    *request.uri_mut() = path.parse().unwrap();
    request.extensions_mut().insert(local());
    request
}

fn headed(method: &Method, path: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    headers.iter().fold(plain(method, path), |request, (name, value)| with(request, name, value))
}

#[tokio::test]
async fn no_route_answers_what_a_page_in_a_browser_could_send() {
    let fake = Fake::new("");
    fake.announce("[servers.npm]\ncommand='npx'\n");
    let token = format!("Bearer {}", fake.token("admin", "*:*:*"));
    let own = ("host", "localhost:8080");
    let mut tried = 0;
    for (route, path) in every() {
        let variants: Vec<Variant<'_>> = vec![
            ("another host", vec![("host", "evil.example")], 403),
            ("another host with our port", vec![("host", "evil.example:8080")], 403),
            ("a name that begins as ours", vec![("host", "127.0.0.1.evil.example:8080")], 403),
            ("a name that ends as ours", vec![("host", "evil-localhost:8080")], 403),
            ("another port", vec![("host", "localhost:8081")], 403),
            ("no port", vec![("host", "localhost")], 403),
            ("any address", vec![("host", "0.0.0.0:8080")], 403),
            ("a mapped address", vec![("host", "[::ffff:127.0.0.1]:8080")], 403),
            ("a trailing dot", vec![("host", "localhost.:8080")], 403),
            ("upper case", vec![("host", "LOCALHOST:8080")], 403),
            ("a number for an address", vec![("host", "2130706433:8080")], 403),
            ("somebody before the host", vec![("host", "localhost:8080@evil.example")], 403),
            ("no host", vec![], 400),
            ("two hosts", vec![own, own], 400),
            ("two hosts, one of them ours", vec![own, ("host", "evil.example")], 400),
            (
                "what a proxy says",
                vec![("host", "evil.example"), ("x-forwarded-host", "localhost:8080")],
                403,
            ),
            (
                "what a proxy forwards",
                vec![("host", "evil.example"), ("forwarded", "host=localhost:8080")],
                403,
            ),
            ("a page without an origin", vec![own, ("origin", "null")], 403),
            ("a page of another site", vec![own, ("origin", "http://evil.example")], 403),
            ("a page of a file", vec![own, ("origin", "file://")], 403),
            ("a page of another door", vec![own, ("origin", "http://localhost:3000")], 403),
            ("our name over another scheme", vec![own, ("origin", "https://localhost:8080")], 403),
            ("our other name", vec![own, ("origin", "http://127.0.0.1:8080")], 403),
            ("two origins", vec![own, ("origin", "http://localhost:8080"), ("origin", "http://evil")], 400),
            ("a link from another site", vec![own, ("sec-fetch-site", "cross-site")], 403),
            ("a link from a neighbour", vec![own, ("sec-fetch-site", "same-site")], 403),
            ("a web socket", vec![own, ("upgrade", "websocket"), ("connection", "upgrade")], 400),
        ];
        for (what, mut headers, status) in variants {
            headers.push(("authorization", &token));
            let told = fake.ask(headed(&route.method, &path, &headers)).await;
            assert_eq!(told.status.as_u16(), status, "{what}: {} {path}", route.method);
            assert!(!told.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{what}");
            tried += 1;
        }
        let proxied = format!("http://localhost:8080{path}");
        let told = fake.ask(headed(&route.method, &proxied, &[own, ("authorization", &token)])).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "a proxy's request: {path}");
        let preflight = headed(
            &Method::OPTIONS,
            &path,
            &[own, ("origin", "http://localhost:8080"), ("access-control-request-method", "POST")],
        );
        let told = fake.ask(preflight).await;
        assert_eq!(told.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(!told.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{path}");
        if route.method != Method::GET {
            for kind in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "",
                "application/jsonx",
            ] {
                let headers =
                    [own, ("authorization", &*token), ("content-type", kind), ("content-length", "2")];
                let told = fake.ask(headed(&route.method, &path, &headers)).await;
                assert_eq!(told.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}: {path}");
                tried += 1;
            }
            let headers = [own, ("authorization", &*token), ("transfer-encoding", "chunked")];
            let told = fake.ask(headed(&route.method, &path, &headers)).await;
            assert_eq!(told.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "no type: {path}");
        }
    }
    assert!(fake.asked.lock().unwrap().is_empty(), "nothing of this came to the desk");
    assert!(tried > COUNT * 20, "{tried}");
}

#[tokio::test]
async fn an_old_request_without_a_host_is_refused_too() {
    let fake = Fake::new("");
    let mut old = plain(&Method::GET, "/healthz");
    *old.version_mut() = Version::HTTP_10;
    assert_eq!(fake.ask(old).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_page_of_our_own_may_ask() {
    let fake = Fake::new("");
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"] {
        let origin = format!("http://{host}");
        let headers = [("host", host), ("origin", &*origin), ("sec-fetch-site", "same-origin")];
        assert_eq!(
            fake.ask(headed(&Method::GET, "/healthz", &headers)).await.status,
            StatusCode::OK,
            "{host}"
        );
    }
}

#[tokio::test]
async fn only_who_holds_the_permission_gets_in() {
    let fake = Fake::new("");
    fake.announce("[servers.npm]\ncommand='npx'\n");
    let (admin, reader) = (fake.token("admin", "*:*:*"), fake.token("reader", "config:*:read"));
    let other = fake.token("other", "github:issues:read");
    let upper = admin.to_uppercase();
    let (cut, longer, long) =
        (&admin[..admin.len() - 1], format!("{admin}0"), format!("sb_{}", "a".repeat(1 << 20)));
    let hash = switchboard_host::hash::Hash::of(admin.as_bytes()).to_string();
    let cases: Vec<(&str, Vec<String>)> = vec![
        ("none", vec![]),
        ("empty", vec![String::new()]),
        ("scheme alone", vec!["Bearer".to_owned()]),
        ("nothing behind the scheme", vec!["Bearer ".to_owned()]),
        ("no scheme", vec![admin.clone()]),
        ("another scheme", vec![format!("Basic {admin}")]),
        ("two blanks", vec![format!("Bearer  {admin}")]),
        ("a tab", vec![format!("Bearer\t{admin}")]),
        ("two tokens", vec![format!("Bearer {admin}"), format!("Bearer {admin}")]),
        ("two in one", vec![format!("Bearer {admin}, Bearer {admin}")]),
        ("another case", vec![format!("Bearer {upper}")]),
        ("a letter short", vec![format!("Bearer {cut}")]),
        ("a letter long", vec![format!("Bearer {longer}")]),
        ("a megabyte", vec![format!("Bearer {long}")]),
        ("the hash", vec![format!("Bearer {hash}")]),
        ("the name", vec!["Bearer admin".to_owned()]),
        ("unsigned", vec!["Bearer eyJhbGciOiJub25lIn0.e30.".to_owned()]),
        ("a path", vec!["Bearer sb_../../tokens.json".to_owned()]),
        ("a query", vec![]),
    ];
    for (route, path) in every() {
        let read = matches!(&route.access, Access::Readers(_) | Access::Anybody);
        for (what, values) in &cases {
            let path = if *what == "a query" {
                format!("{path}?access_token={admin}&token={admin}")
            } else {
                path.clone()
            };
            let headers: Vec<(&'static str, &str)> = std::iter::once(("host", "localhost:8080"))
                .chain(values.iter().map(|value| ("authorization", value.as_str())))
                .collect();
            let told = fake.ask_head(headed(&route.method, &path, &headers)).await;
            match &route.access {
                Access::Control => assert_eq!(told.status, StatusCode::NOT_FOUND, "{what}: {path}"),
                _ if read => assert!(told.status.is_success(), "{what}: {path}: {}", told.status),
                _ => {
                    assert_eq!(told.status, StatusCode::UNAUTHORIZED, "{what}: {} {path}", route.method);
                    assert!(told.header("www-authenticate").starts_with("Bearer realm="), "{what}");
                }
            }
        }
        let Access::Holders(needed) = &route.access else { continue };
        let reads = needed.to_string().ends_with(":read");
        for (secret, may) in [(&admin, true), (&reader, reads), (&other, false)] {
            let bearer = format!("bearer {secret}");
            let headers = [("host", "localhost:8080"), ("authorization", &*bearer)];
            let told = fake.ask_head(headed(&route.method, &path, &headers)).await;
            assert_eq!(told.status != StatusCode::FORBIDDEN, may, "{} {path}: {}", route.method, told.status);
            assert_ne!(told.status, StatusCode::UNAUTHORIZED, "{path}");
        }
    }
}

#[tokio::test]
async fn from_the_network_a_token_is_needed_for_everything_but_a_sign_of_life() {
    let fake = Fake::new("");
    fake.announce("[servers.npm]\ncommand='npx'\n");
    let reader = format!("Bearer {}", fake.token("reader", "config:*:read"));
    let door = |at: &str| std::sync::Arc::new(super::Listen::new(at.parse().unwrap(), at));
    // Somebody elsewhere, and somebody here who came in by a door that is open to all.
    let peers = [("192.168.1.9:4000", "192.168.1.2:8080"), ("127.0.0.1:4000", "0.0.0.0:8080")];
    for (from, at) in peers {
        let to = at.replace("0.0.0.0", "127.0.0.1").parse().unwrap();
        let peer = Peer::Tcp { from: from.parse().unwrap(), to, door: door(at) };
        for (route, path) in every() {
            if route.access == Access::Control {
                continue;
            }
            let mut asked = headed(&route.method, &path, &[("host", "localhost:8080")]);
            asked.extensions_mut().insert(peer.clone());
            let told = fake.ask_head(asked).await;
            let status = if route.path == "/healthz" { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            assert_eq!(told.status, status, "{from} {path}");
            let mut asked =
                headed(&route.method, &path, &[("host", "localhost:8080"), ("authorization", &reader)]);
            asked.extensions_mut().insert(peer.clone());
            if matches!(route.access, Access::Readers(_)) {
                assert_eq!(fake.ask_head(asked).await.status, StatusCode::OK, "{from} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_opens_nothing_from_then_on() {
    let fake = Fake::new("");
    let secret = fake.token("ci", "*:*:*");
    let bearer = format!("Bearer {secret}");
    let asked = || with(request("GET", "/api/v1/openapi.json"), "authorization", &bearer);
    assert_eq!(fake.ask(asked()).await.status, StatusCode::OK);
    let path = fake.folder.path().join("tokens.json");
    let text = String::from_utf8(switchboard_host::file::read(&path).unwrap().bytes).unwrap();
    assert!(!text.contains(&secret), "only its hash is kept");
    let mut tokens = crate::token::Tokens::peek(&path);
    assert!(tokens.revoke("ci") && !tokens.revoke("ci"));
    switchboard_host::record::save(&path, &tokens).unwrap();
    assert_eq!(fake.ask(asked()).await.status, StatusCode::UNAUTHORIZED);
    fake.token("ci", "*:*:*");
    assert_eq!(fake.ask(asked()).await.status, StatusCode::UNAUTHORIZED, "one of the same name is another");
}

#[tokio::test]
async fn without_tokens_this_machine_may_do_everything_and_nobody_else() {
    let fake = Fake::new("[http]\nauth='none'\n");
    assert_eq!(fake.get("/api/v1/openapi.json").await.status, StatusCode::OK);
    let mut asked = request("GET", "/api/v1/openapi.json");
    let door = std::sync::Arc::new(super::Listen::new("0.0.0.0:8080".parse().unwrap(), "0.0.0.0:8080"));
    asked.extensions_mut().insert(Peer::Tcp {
        from: "127.0.0.1:4000".parse().unwrap(),
        to: "127.0.0.1:8080".parse().unwrap(),
        door,
    });
    assert_eq!(fake.ask(asked).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn bodies_and_addresses_have_bounds() {
    let fake = Fake::new("");
    let bearer = format!("Bearer {}", fake.token("admin", "*:*:*"));
    let post = |body: Body, length: Option<&str>| {
        let request = with(request("POST", "/api/v1/servers"), "authorization", &bearer);
        let request = with(request, "content-type", "application/json");
        let request =
            length.into_iter().fold(request, |request, length| with(request, "content-length", length));
        request.map(|_| body)
    };
    let told = fake.ask(post(Body::empty(), Some("1073741824"))).await;
    assert_eq!(told.status, StatusCode::PAYLOAD_TOO_LARGE, "it is not even begun to read");
    for bad in ["-1", "x", "1, 1", "99999999999999999999999"] {
        assert_eq!(fake.ask(post(Body::empty(), Some(bad))).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    let endless = futures_util::stream::repeat_with(|| {
        Ok::<_, std::io::Error>(super::Bytes::from(vec![b' '; 1 << 16]))
    });
    let told = fake.ask(post(Body::from_stream(endless), None)).await;
    assert_eq!(told.status, StatusCode::PAYLOAD_TOO_LARGE, "a body without end is not read to its end");
    let broken = futures_util::stream::iter([Err::<super::Bytes, _>(std::io::Error::other("gone"))]);
    assert_eq!(fake.ask(post(Body::from_stream(broken), None)).await.status, StatusCode::BAD_REQUEST);
    let long = format!("/healthz?{}", "x".repeat(9000));
    assert_eq!(fake.get(&long).await.status, StatusCode::URI_TOO_LONG);
    assert!(fake.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_not_waited_for() {
    let fake = Fake::new("");
    let bearer = format!("Bearer {}", fake.token("admin", "*:*:*"));
    let drip = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>(super::Bytes::from_static(b" ")), ()))
    });
    let asked = with(request("POST", "/api/v1/servers"), "authorization", &bearer);
    let asked = with(asked, "content-type", "application/json").map(|_| Body::from_stream(drip));
    assert_eq!(fake.ask(asked).await.status, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_from_what_cannot_be_done() {
    let fake = Fake::new("");
    for path in ["/nothing", "/api/v1/status/", "/api/v1", "//healthz", "/healthz/", "/api/v1/servers//test"]
    {
        assert_eq!(fake.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let told = fake.ask(request("DELETE", "/healthz")).await;
    assert_eq!((told.status, told.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
    let told = fake.ask(request("BREW", "/api/mcp/_sync")).await;
    assert_eq!((told.status, told.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
}

#[tokio::test]
async fn a_door_may_be_called_by_the_address_that_was_reached_and_by_the_name_that_a_person_wrote() {
    let fake = Fake::new("");
    for (at, written, host, may) in [
        ("0.0.0.0:8080", "0.0.0.0:8080", "192.168.1.2:8080", true),
        ("0.0.0.0:8080", "0.0.0.0:8080", "192.168.1.3:8080", false),
        ("0.0.0.0:8080", "0.0.0.0:8080", "box.example:8080", false),
        ("192.168.1.2:8080", "Box.example:8080", "box.example:8080", true),
        ("192.168.1.2:8080", "box.example:8080", "0.0.0.0:8080", false),
        ("192.168.1.2:80", "box.example:80", "box.example", true),
        ("[fe80::1]:8080", "[fe80::1]:8080", "[fe80::1]:8080", true),
    ] {
        let at: std::net::SocketAddr = at.parse().unwrap();
        let to = std::net::SocketAddr::new("192.168.1.2".parse().unwrap(), at.port());
        let door = std::sync::Arc::new(super::Listen::new(at, written));
        let mut asked = headed(&Method::GET, "/healthz", &[("host", host)]);
        asked.extensions_mut().insert(Peer::Tcp { from: "192.168.1.9:4000".parse().unwrap(), to, door });
        let status = if may { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(fake.ask(asked).await.status, status, "{host} at {at}");
    }
}

#[tokio::test]
async fn it_is_noted_when_a_token_was_used_but_not_each_time() {
    let fake = Fake::new("");
    let bearer = format!("Bearer {}", fake.token("ci", "*:*:*"));
    let path = fake.folder.path().join("tokens.json");
    let (before, id) = (
        switchboard_host::file::read(&path).unwrap().bytes,
        crate::token::Tokens::peek(&path).tokens[0].id.clone(),
    );
    let asked = || with(request("GET", "/api/v1/openapi.json"), "authorization", &bearer);
    assert_eq!(fake.ask(asked()).await.status, StatusCode::OK);
    let begun = std::time::Instant::now();
    while crate::token::uses(&path).is_empty() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it is not noted");
        tokio::task::yield_now().await;
    }
    assert!(crate::token::uses(&path)[&id] > super::BEGUN - 1_000_000_000);
    switchboard_host::record::save(&crate::token::uses_file(&path), &crate::token::Uses::new()).unwrap();
    for _ in 0..10 {
        assert_eq!(fake.ask(asked()).await.status, StatusCode::OK);
    }
    assert!(crate::token::uses(&path).is_empty());
    assert_eq!(
        switchboard_host::file::read(&path).unwrap().bytes,
        before,
        "the tokens themselves are left alone"
    );
}

#[tokio::test]
async fn nobody_gives_away_more_than_they_hold() {
    let fake = Fake::new("");
    for (held, status) in [
        ("config:*:*", StatusCode::FORBIDDEN),
        ("config:tokens:write", StatusCode::FORBIDDEN),
        ("*:tokens:*", StatusCode::FORBIDDEN),
        ("*:*:*", StatusCode::CREATED),
    ] {
        let bearer = format!("Bearer {}", fake.token(&held.replace([':', '*'], "-"), held));
        let asked = with(request("POST", "/api/v1/tokens"), "authorization", &bearer);
        let body = r#"{ "name": "mine", "permissions": ["*:*:*"] }"#;
        let asked = with(asked, "content-type", "application/json").map(|_| Body::from(body));
        assert_eq!(fake.ask(asked).await.status, status, "{held}");
    }
}
