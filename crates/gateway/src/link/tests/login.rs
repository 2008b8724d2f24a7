//! Servers that want to know who asks.

use std::sync::atomic::{AtomicBool, Ordering};

use switchboard_core::upstream::Event;

use super::server::{reply, status};
use super::*;

/// Returns a server that takes this token and no other.
async fn guarded(token: &'static str, refusal: u16) -> Scripted {
    Scripted::start(legacy(move |heard| {
        let shown = heard.header("authorization") == Some(token);
        (!shown).then(|| reply(refusal, &[("WWW-Authenticate", "Bearer scope=\"x\"")], ""))
    }))
    .await
}

fn owner(server: &Scripted, tokens: &[&'static str]) -> Owner {
    Owner { url: server.url("/mcp"), tokens: Mutex::new(tokens.to_vec()), ..Owner::default() }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_kept() {
    for refusal in [401, 403] {
        let server = guarded("Bearer new", refusal).await;
        let front = Front::new(owner(&server, &["new", "old"]));
        let upstream = front.wanted().await.unwrap();
        call(&upstream, "t").await.unwrap();
        let refusals = front.owner.refusals.lock().unwrap().clone();
        assert_eq!(refusals, [(refusal, Some("Bearer scope=\"x\"".to_owned()))]);
        assert_eq!(server.count("server/discover"), 2);
    }
}

#[tokio::test]
async fn a_server_that_wants_a_login_is_not_taken_for_one_of_another_era() {
    for tokens in [&[][..], &["wrong"], &["wrong", "old"]] {
        let server = guarded("Bearer right", 401).await;
        let front = Front::new(owner(&server, tokens));
        let trouble = front.wanted().await.err().unwrap();
        let Trouble::Login(sentence) = &trouble else { panic!("{trouble}") };
        assert!(sentence.contains("it answered 401 Unauthorized"), "{sentence}");
        assert!(sentence.contains("`switchboard server login far`"), "{sentence}");
        assert_eq!(server.count("initialize"), 0);
        assert!(server.count("server/discover") <= 2);
    }
}

#[tokio::test]
async fn a_server_that_wants_a_login_is_left_alone_until_somebody_has_logged_in() {
    let logged_in = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&logged_in);
    let server = Scripted::start(legacy(move |_| (!now.load(Ordering::Relaxed)).then(|| status(401)))).await;
    let front = Front::to(&server);
    front.wanted().await.err().unwrap();
    assert_eq!(front.slot.standing().phase.word(), "needs login");
    for trouble in futures_util::future::join_all((0..8).map(|_| front.wanted())).await {
        assert!(matches!(trouble.err().unwrap(), Trouble::Login(_)));
    }
    assert_eq!(server.count("server/discover"), 2, "those who call at once ask once");
    logged_in.store(true, Ordering::Relaxed);
    front.slot.tell(Event::Again);
    assert!(front.slot.answers().await);
}

#[tokio::test]
async fn what_a_server_says_beside_its_refusal_is_told() {
    let said = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Invalid Host"}}"#;
    let server =
        Scripted::start(move |_: &Heard| reply(403, &[("Content-Type", "application/json")], said)).await;
    let trouble = Front::to(&server).wanted().await.err().unwrap();
    assert!(trouble.to_string().contains("it answered 403 Forbidden (Invalid Host)"), "{trouble}");
}

#[tokio::test]
async fn what_the_catalogue_says_is_shown_and_nothing_else() {
    let server = guarded("Basic dTphIGI=", 401).await;
    let url = server.url("/mcp").replace("http://", "http://u:a%20b@");
    let front = Front::new(Owner { url, tokens: Mutex::new(vec!["token"]), ..Owner::default() });
    front.wanted().await.unwrap();
    let server = guarded("mine", 401).await;
    let headers = vec![("authorization".to_owned(), "mine".to_owned())];
    let front = Front::new(Owner { headers, ..owner(&server, &["token"]) });
    front.wanted().await.unwrap();
    assert!(front.owner.refusals.lock().unwrap().is_empty());
    let headers = vec![("X".to_owned(), "a\nb".to_owned())];
    let trouble = Front::new(Owner { headers, ..owner(&server, &[]) }).wanted().await.err().unwrap();
    assert!(trouble.to_string().contains("the header `X` cannot be sent"), "{trouble}");
}

#[tokio::test]
async fn many_calls_that_are_refused_at_once_renew_the_token_once() {
    let valid = Arc::new(Mutex::new("Bearer one"));
    let now = Arc::clone(&valid);
    let server = Scripted::start(legacy(move |heard| {
        (heard.header("authorization") != Some(*now.lock().unwrap())).then(|| status(401))
    }))
    .await;
    let front = Front::new(owner(&server, &["three", "two", "one"]));
    let upstream = front.wanted().await.unwrap();
    *valid.lock().unwrap() = "Bearer two";
    let calls = (0..20).map(|_| call(&upstream, "t"));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.unwrap(), r#"{"content":[]}"#);
    }
    assert_eq!(front.owner.refusals.lock().unwrap().len(), 1);
}
