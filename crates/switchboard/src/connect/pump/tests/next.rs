//! What passes from one daemon to the next.

use switchboard_gateway::serve::pipe::{KNOWN, LEAVING};

use super::*;

#[test]
fn a_daemon_that_leaves_answers_what_it_has_and_the_rest_is_for_the_next() {
    let mut stage = Stage::new();
    stage.greet();
    stage.client.say(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#);
    assert_eq!(stage.daemon.json()["id"], 1);
    stage.daemon.say(&format!(r#"{{"jsonrpc":"2.0","method":"{LEAVING}"}}"#));
    stage.daemon.say(r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage"}"#);
    assert_eq!(stage.client.json()["id"], 7);
    for line in [
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#,
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
    ] {
        stage.client.say(line);
    }
    assert_eq!(stage.daemon.json(), json!({ "jsonrpc": "2.0", "id": 7, "result": {} }), "what it asked");
    assert_eq!(stage.daemon.json()["params"]["requestId"], 1, "and what is in flight with it");
    assert!(stage.daemon.is_over(), "once nothing is, it is told that all was understood");
    stage.restart();
    stage.greet_again();
    assert_eq!(stage.daemon.json()["id"], 2, "it never went to the one before");
    assert_eq!(stage.daemon.json()["id"], 3);
    assert_eq!(stage.daemon.json()["params"]["requestId"], 3);
    stage.daemon.say(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
    assert_eq!(stage.client.json()["id"], 2);
    stage.end().unwrap();
}

#[test]
fn the_next_daemon_is_told_what_the_client_knows_and_tells_it_the_rest() {
    let mut stage = Stage::new();
    stage.greet();
    let lists = json!({ "lists": ["a", null, "b", "c"] });
    let leaving = json!({ "jsonrpc": "2.0", "method": LEAVING, "params": lists });
    stage.daemon.say(&leaving.to_string());
    assert!(stage.daemon.is_over());
    stage.restart();
    assert_eq!(stage.daemon.hear(), HELLO);
    stage.daemon.say(WELCOME);
    assert_eq!(stage.daemon.json(), json!({ "jsonrpc": "2.0", "method": KNOWN, "params": lists }));
    assert_eq!(stage.daemon.hear(), READY);
    stage.daemon.say(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
    assert_eq!(stage.client.json()["method"], "notifications/tools/list_changed", "that alone");
    // Of one that goes without a word nothing is known, so that anything may have changed.
    stage.restart();
    stage.greet_again();
    stage.end().unwrap();
}

#[test]
fn what_lasts_is_asked_of_the_next_daemon_again_and_its_answers_are_nobodys() {
    let ask = |id: u32, method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
    };
    let mut stage = Stage::new();
    stage.greet();
    for (id, method, params, answer) in [
        (1, "resources/subscribe", r#"{"uri":"x:\u0061"}"#, "\"result\":{}"),
        (2, "resources/subscribe", r#"{"uri":"x:b"}"#, "\"result\":{}"),
        (3, "resources/subscribe", r#"{"uri":"x:no"}"#, "\"error\":{}"),
        (4, "logging/setLevel", r#"{"level":"info"}"#, "\"result\":{}"),
        (5, "logging/setLevel", r#"{"level":"error"}"#, "\"result\":{}"),
        (6, "resources/unsubscribe", r#"{"uri":"x:b"}"#, "\"result\":{}"),
    ] {
        stage.client.say(&ask(id, method, params));
        stage.daemon.hear();
        stage.daemon.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},{answer}}}"#));
        assert_eq!(stage.client.json()["id"], id);
    }
    for _ in 0..2 {
        stage.restart();
        stage.greet_again();
        assert_eq!(stage.daemon.hear(), ask(1, "resources/subscribe", r#"{"uri":"x:\u0061"}"#));
        assert_eq!(stage.daemon.hear(), ask(5, "logging/setLevel", r#"{"level":"error"}"#));
        stage.daemon.say(r#"{"jsonrpc":"2.0","id":1,"error":{}}"#);
        stage.daemon.say(r#"{"jsonrpc":"2.0","id":5,"result":{}}"#);
        stage.daemon.say(r#"{"jsonrpc":"2.0","method":"notifications/resources/updated"}"#);
        assert_eq!(stage.client.json()["method"], "notifications/resources/updated");
    }
    stage.end().unwrap();
}

#[test]
fn a_handshake_that_nobody_answered_is_sent_again_and_the_answer_is_the_clients() {
    let mut stage = Stage::new();
    stage.client.say(HELLO);
    assert_eq!(stage.daemon.hear(), HELLO);
    stage.restart();
    assert_eq!(stage.daemon.hear(), HELLO);
    stage.daemon.say(WELCOME);
    assert_eq!(stage.client.hear(), WELCOME);
    // Not ready yet: only the question is asked again, and nothing has changed for the client.
    stage.restart();
    assert_eq!(stage.daemon.hear(), HELLO);
    stage.daemon.say(WELCOME);
    stage.client.say(READY);
    assert_eq!(stage.daemon.hear(), READY);
    stage.restart();
    stage.greet_again();
    assert_eq!(stage.end(), Ok(()));
}

#[test]
fn a_handshake_that_is_refused_when_it_is_replayed_is_tried_again() {
    let mut stage = Stage::new();
    stage.greet();
    stage.restart();
    assert_eq!(stage.daemon.hear(), HELLO);
    stage.daemon.say(r#"{"id":"h","error":{"code":-32603,"message":"not yet"}}"#);
    assert!(stage.daemon.is_over());
    stage.restart();
    stage.greet_again();
    assert_eq!(stage.end(), Ok(()));
}
