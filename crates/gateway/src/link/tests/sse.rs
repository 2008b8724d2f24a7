//! The transport of 2024.

use tokio::sync::broadcast;

use super::server::{chunk, events, reply, status};
use super::*;

#[tokio::test]
async fn the_address_to_post_to_has_to_be_of_the_same_origin() {
    for (said, expected) in [
        ("event: endpoint\ndata: http://127.0.0.1:1/x\n\n", "must not see its headers"),
        ("event: endpoint\ndata: http://[\n\n", "an address to post to that is none"),
        ("data: {}\n\n", "its stream ended before it had named an address"),
    ] {
        let script = move |_: &Heard| vec![Say::Bytes(events()), Say::Bytes(chunk(said)), Say::Cut];
        let server = Scripted::start(script).await;
        let front =
            Front::new(Owner { kind: Some(Remote::Sse), url: server.url("/sse"), ..Owner::default() });
        let trouble = front.wanted().await.err().unwrap();
        assert!(trouble.to_string().contains(expected), "{trouble}");
        assert_eq!(server.story(), ["GET"]);
    }
    for (script, expected) in [
        (status as fn(u16) -> Vec<Say>, "answered with the status 404"),
        (|_| reply(200, &[("Content-Type", "text/html")], ""), "other than a stream of events"),
    ] {
        let server = Scripted::start(move |_: &Heard| script(404)).await;
        let front =
            Front::new(Owner { kind: Some(Remote::Sse), url: server.url("/sse"), ..Owner::default() });
        let trouble = front.wanted().await.err().unwrap();
        assert!(trouble.to_string().contains(expected), "{trouble}");
    }
}

/// Returns a server of this transport, and what is said on its stream.
async fn server(kept: Option<&'static str>) -> (Scripted, broadcast::Sender<String>) {
    let (says, _) = broadcast::channel::<String>(64);
    let said = says.clone();
    let server = Scripted::start(move |heard: &Heard| {
        let answer = |text: &str| drop(said.send(heard.result(text)));
        match (heard.verb.as_str(), heard.method()) {
            ("GET", _) => {
                return vec![
                    Say::Bytes(events()),
                    Say::Bytes(chunk("event: endpoint\ndata: post\n\n")),
                    Say::Follow(Arc::new(Mutex::new(Some(said.subscribe())))),
                ];
            }
            (_, "initialize") => answer(r#"{"protocolVersion":"2024-11-05","capabilities":{}}"#),
            (_, "tools/call") if heard.tool() == Some("refused") => return status(400),
            (_, "tools/call") if heard.tool() == Some("long") => {
                answer(&format!("\"{}\"", "x".repeat(crate::MESSAGE_LIMIT)));
            }
            (_, "tools/call") if heard.tool() == kept => {}
            (_, "tools/call") => answer("{\n\"content\":[]}"),
            _ => {}
        }
        reply(202, &[("Content-Type", "text/plain")], "Accepted")
    })
    .await;
    (server, says)
}

#[tokio::test]
async fn messages_are_posted_and_answers_come_on_the_stream() {
    let (server, says) = server(Some("kept")).await;
    let front = Front::new(Owner {
        kind: Some(Remote::Sse),
        url: server.url("/a/sse"),
        headers: vec![("X-Key".to_owned(), "k".to_owned())],
        ..Owner::default()
    });
    let upstream = front.wanted().await.unwrap();
    assert_eq!(call(&upstream, "t").await.unwrap(), "{ \"content\":[]}");
    assert_eq!(call(&upstream, "refused").await, Err(Trouble::Status(400, String::new())));
    assert_eq!(call(&upstream, "long").await, Err(Trouble::Answer("more than 16 MiB".to_owned())));
    let limit = Duration::from_millis(50);
    assert_eq!(call_for(&upstream, "kept", limit).await, Err(Trouble::Timeout(limit)));
    until(|| server.count("notifications/cancelled") == 1).await;
    says.send(r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#.to_owned()).unwrap();
    until(|| server.count("answer") == 1).await;
    assert_eq!(server.story()[..3], ["GET", "initialize", "notifications/initialized"]);
    for heard in server.heard() {
        let path = if heard.verb == "GET" { "/a/sse" } else { "/a/post" };
        assert_eq!((heard.path.as_str(), heard.header("x-key")), (path, Some("k")));
    }
}

#[tokio::test]
async fn the_end_of_the_stream_is_the_end_of_the_connection() {
    let (server, says) = server(Some("kept")).await;
    let front = Front::new(Owner { kind: Some(Remote::Sse), url: server.url("/sse"), ..Owner::default() });
    let upstream = front.wanted().await.unwrap();
    let ending = async {
        until(|| server.count("tools/call") == 1).await;
        says.send("end".to_owned()).unwrap();
    };
    let (answer, ()) = tokio::join!(call(&upstream, "kept"), ending);
    assert_eq!(answer, Err(Trouble::Lost("it closed its stream".to_owned())));
    until(|| front.slot.ready().is_none_or(|now| !Arc::ptr_eq(&now, &upstream))).await;
    let next = front.wanted().await.unwrap();
    assert_eq!(call(&next, "t").await.unwrap(), "{ \"content\":[]}");
}
