//! Sessions, what a server says of its own accord, and redirects.

use tokio::sync::Notify;

use super::server::{chunk, events, reply, status};
use super::*;

#[tokio::test]
async fn a_session_that_is_over_is_begun_anew_and_nothing_is_sent_twice() {
    for answer in ["404", "400"] {
        let server = Scripted::start(legacy(move |heard| {
            let over = heard.tool() == Some("over") && heard.header("mcp-session-id") == Some("s1");
            over.then(|| match answer {
                "404" => status(404),
                _ => reply(
                    400,
                    &[("Content-Type", "application/json")],
                    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}"#,
                ),
            })
        }))
        .await;
        let front = Front::to(&server);
        let upstream = front.wanted().await.unwrap();
        let trouble = call(&upstream, "over").await.unwrap_err();
        assert_eq!(trouble, Trouble::Down("its session is over".to_owned()), "{answer}");
        assert!(trouble.is_retryable());
        until(|| front.slot.ready().is_none_or(|now| !Arc::ptr_eq(&now, &upstream))).await;
        let next = front.wanted().await.unwrap();
        assert_eq!(call(&next, "t").await.unwrap(), r#"{"content":[]}"#);
        assert_eq!((server.count("initialize"), server.count("tools/call")), (2, 2), "{answer}");
    }
}

#[tokio::test]
async fn a_server_without_sessions_may_have_no_such_thing() {
    let server = Scripted::start(legacy(|heard| match heard.method() {
        "initialize" => {
            let hello = r#"{"protocolVersion":"2025-06-18","capabilities":{}}"#;
            Some(server::ok(&heard.result(hello)))
        }
        "tools/call" => Some(status(404)),
        _ => None,
    }))
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    assert_eq!(call(&upstream, "t").await, Err(Trouble::Status(404, String::new())));
    assert!(front.slot.ready().is_some_and(|now| Arc::ptr_eq(&now, &upstream)));
    upstream.link.close();
    assert_eq!(server.count("DELETE"), 0);
}

#[tokio::test]
async fn a_session_that_is_not_wanted_any_more_is_ended_with_all_that_is_under_way() {
    let server = Scripted::start(legacy(|heard| {
        let stays = heard.tool() == Some("stays") || heard.verb == "GET";
        stays.then(|| vec![Say::Bytes(events()), Say::Wait(Arc::default())])
    }))
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    until(|| server.count("GET") == 1).await;
    let calling = async { call(&upstream, "stays").await };
    let closing = async {
        until(|| server.count("tools/call") == 1).await;
        upstream.link.close();
        until(|| server.hung_up().len() == 2 && server.count("DELETE") == 1).await;
        upstream.fail_all(&Trouble::Drained);
    };
    assert_eq!(tokio::join!(calling, closing).0, Err(Trouble::Drained));
    let end = server.heard().into_iter().find(|heard| heard.verb == "DELETE").unwrap();
    assert_eq!(end.header("mcp-session-id"), Some("s1"));
    assert!(matches!(call(&upstream, "t").await, Err(Trouble::Lost(_))));
}

#[tokio::test]
async fn an_attempt_that_is_given_up_leaves_nothing_behind() {
    let server = Scripted::start(legacy(|heard| {
        (heard.method() == "tools/list").then(|| vec![Say::Wait(Arc::default())])
    }))
    .await;
    let front = Front::to(&server);
    let slot = Arc::clone(&front.slot);
    slot.tell(switchboard_core::upstream::Event::Wanted);
    until(|| server.count("tools/list") == 1).await;
    slot.tell(switchboard_core::upstream::Event::Retire);
    until(|| server.hung_up() == ["tools/list"] && server.count("DELETE") == 1).await;
}

#[tokio::test]
async fn what_a_server_says_of_its_own_accord_is_heard_across_breaks() {
    let bell = Arc::new(Notify::new());
    let lists = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (ring, counted) = (Arc::clone(&bell), Arc::clone(&lists));
    let server = Scripted::start(legacy(move |heard| {
        if heard.method() == "tools/list" {
            let number = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let tools = format!(r#"{{"tools":[{{"name":"t{number}","inputSchema":{{"type":"object"}}}}]}}"#);
            return Some(server::ok(&heard.result(&tools)));
        }
        if heard.verb != "GET" {
            return None;
        }
        let changed = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n";
        let ping = "data: {\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\n\n";
        Some(match heard.header("last-event-id") {
            None => vec![
                Say::Bytes(events()),
                Say::Bytes(chunk("id: 5\nretry: 1\ndata:\n\n")),
                Say::Bytes(chunk(ping)),
                Say::Cut,
            ],
            _ => vec![Say::Bytes(events()), Say::Bytes(chunk(changed)), Say::Wait(Arc::clone(&ring))],
        })
    }))
    .await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    until(|| front.slot.own_offer().unwrap().of(crate::offer::Sort::Tools)[0].key == "t1").await;
    until(|| server.count("answer") == 1).await;
    let heard = server.heard();
    let gets: Vec<_> =
        heard.iter().filter(|heard| heard.verb == "GET").map(|heard| heard.header("last-event-id")).collect();
    assert_eq!(gets, [None, Some("5")]);
    let listening = heard.iter().find(|heard| heard.verb == "GET").unwrap();
    assert_eq!(listening.header("accept"), Some("text/event-stream"));
    assert_eq!(listening.header("mcp-session-id"), Some("s1"));
    assert!(
        front.slot.ready().is_some_and(|now| Arc::ptr_eq(&now, &upstream)),
        "the connection is what it was"
    );
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_origin_alone() {
    let elsewhere = Scripted::start(|_: &Heard| status(200)).await;
    let away = elsewhere.url("/mcp");
    let server = Scripted::start(move |heard: &Heard| {
        let to = |status: u16, at: &str| reply(status, &[("Location", at)], "");
        match heard.path.as_str() {
            "/307" => to(307, "/mcp"),
            "/308" => to(308, "307"),
            "/302" => to(302, "/mcp"),
            "/away" => to(307, &away),
            "/circle" => to(307, "/circle"),
            _ => legacy(|_| None)(heard),
        }
    })
    .await;
    let far = |path: &str| {
        let headers = vec![("Authorization".to_owned(), "secret".to_owned())];
        Front::new(Owner { url: server.url(path), headers, ..Owner::default() })
    };
    for path in ["/307", "/308"] {
        let front = far(path);
        let upstream = front.wanted().await.unwrap();
        assert_eq!(call(&upstream, "t").await.unwrap(), r#"{"content":[]}"#, "{path}");
    }
    for (path, expected) in [
        ("/302", "it answered 302 Found and leads to another address"),
        ("/away", "which must not see its headers"),
        ("/circle", "it redirects again and again"),
    ] {
        let trouble = far(path).wanted().await.err().unwrap();
        assert!(matches!(&trouble, Trouble::Down(why) if why.contains(expected)), "{path}: {trouble}");
    }
    assert_eq!(elsewhere.heard().len(), 0);
    assert_eq!(server.heard().iter().filter(|heard| heard.path == "/circle").count(), 6);
    let shown = server.heard().into_iter().filter(|heard| heard.header("authorization") == Some("secret"));
    assert_eq!(shown.count(), server.heard().len());
}

#[tokio::test]
async fn a_server_that_goes_away_is_noticed_by_the_next_call() {
    let server = Scripted::start(legacy(|_| None)).await;
    let front = Front::to(&server);
    let upstream = front.wanted().await.unwrap();
    drop(server);
    until_refused(&upstream).await;
    until(|| front.slot.ready().is_none()).await;
}

/// Calls until the connection cannot be made any more; those that were open may break before.
async fn until_refused(upstream: &Upstream) {
    for _ in 0..100 {
        match call(upstream, "t").await.unwrap_err() {
            Trouble::Lost(_) => {}
            trouble => {
                assert!(
                    matches!(&trouble, Trouble::Down(why) if why.contains("cannot be reached")),
                    "{trouble}"
                );
                return;
            }
        }
    }
    panic!("it was never refused");
}
