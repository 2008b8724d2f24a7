//! Sessions of clients that come by HTTP.

use std::time::Duration;

use bytes::Bytes;
use switchboard_gateway::Extra;
use switchboard_gateway::face::Face;
use switchboard_gateway::policy::Holder;
use switchboard_gateway::serve::http::{Asked, Reply, SESSION, Sessions};

use crate::stage::{House, named, server};

#[tokio::test(start_paused = true)]
async fn whoever_ends_a_session_is_not_kept_waiting_in_it() {
    let house = House::new(|_, mut wire| async move { while wire.ordinary(&["wait"]).await.is_some() {} });
    house.serve(server("a", "1")).await.unwrap();
    let sessions = Sessions::default();
    let asked = |headers| Asked {
        face: Face::server(named("a")),
        owner: "me",
        headers,
        extra: Extra::default(),
        root: None,
        holder: Holder::user("me"),
    };
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    let Reply::Whole { session: Some(id), .. } =
        sessions.post(&house.gateway, asked(&|_| None), &Bytes::from(hello)).await
    else {
        panic!("no session");
    };
    let headers = |name: &str| (name == SESSION).then_some(&*id);
    let call = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"wait"}}"#;
    let Reply::Events(mut events) = sessions.post(&house.gateway, asked(&headers), &Bytes::from(call)).await
    else {
        panic!("no stream");
    };
    while let Ok(Some(_)) = tokio::time::timeout(Duration::from_secs(1), events.next()).await {}
    assert!(matches!(sessions.delete(&asked(&headers)), Reply::Whole { status: 204, .. }));
    let end = tokio::time::timeout(Duration::from_secs(1), async { while events.next().await.is_some() {} });
    assert!(end.await.is_ok(), "the stream ends");
}
