//! Tasks behind a face of several servers (requirement C12): two of them give the same id, and still each task is asked
//! for, told of, cancelled and listed at its own server.

mod holders;
mod long;
mod office;

use serde_json::{Value, json};
use switchboard_gateway::face::Face;

use crate::client::Client;
use crate::stage::{named, server};
use office::{Office, RELATED, id, meta};

/// Returns the result, without which process of the server it came from; else the code of the error.
async fn asked(client: &mut Client, method: &str, params: Value) -> Value {
    let mut answer = whole(client, method, params).await;
    answer.as_object_mut().map(|answer| answer.remove("process"));
    answer
}

async fn whole(client: &mut Client, method: &str, params: Value) -> Value {
    client.ask("1", method, &params.to_string());
    let answer: Value = serde_json::from_str(&client.answer("1").await).unwrap();
    if answer["result"].is_object() { answer["result"].clone() } else { answer["error"]["code"].clone() }
}

#[tokio::test(start_paused = true)]
async fn tasks_of_two_servers_with_the_same_id_are_two() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy")]).await;
    let mut client = office.client(Face::all()).await;
    for name in ["a", "b"] {
        let call = json!({ "name": format!("{name}__work"), "task": { "ttl": 60000.0 }, "arguments": {} });
        let begun = asked(&mut client, "tools/call", call).await;
        assert_eq!(begun, json!({ "task": { "taskId": id(name), "status": "working" } }));
        let task = json!({ "taskId": id(name) });
        let got = asked(&mut client, "tasks/get", task.clone()).await;
        assert_eq!(got, json!({ "taskId": id(name), "status": "working", "statusMessage": name }));
        let result = asked(&mut client, "tasks/result", task.clone()).await;
        assert_eq!(result["content"][0]["text"], format!("done by {name}"));
        assert_eq!(result["_meta"][RELATED]["taskId"], id(name));
        let cancelled = asked(&mut client, "tasks/cancel", task).await;
        assert_eq!(cancelled, json!({ "taskId": id(name), "status": "cancelled", "statusMessage": name }));
    }
    for (name, heard) in ["a", "b"].into_iter().zip(office.heard()) {
        assert_eq!(
            heard,
            ["tools/call 60000.0", "tasks/get t.1", "tasks/result t.1", "tasks/cancel t.1"],
            "{name}"
        );
    }
    for nobodys in ["t.1", "c.t.1", "", "A.t.1"] {
        assert_eq!(asked(&mut client, "tasks/get", json!({ "taskId": nobodys })).await, -32602, "{nobodys}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_is_found_again_by_whoever_kept_its_id() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy")]).await;
    drop(office.client(Face::all()).await);
    // Another gateway, which knows of nothing, and in which nobody else has tasks.
    let office = Office::new(&[("b", "legacy")]).await;
    let mut client = office.client(Face::all()).await;
    let got = asked(&mut client, "tasks/get", json!({ "taskId": id("b") })).await;
    assert_eq!(got["statusMessage"], "b");
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_all_who_list_theirs_are_one_list() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy"), ("c", "unlisted"), ("d", "modern")]).await;
    let mut client = office.client(Face::all()).await;
    let listed = asked(&mut client, "tasks/list", json!({})).await;
    let ids: Vec<_> = listed["tasks"].as_array().unwrap().iter().map(|task| &task["taskId"]).collect();
    assert_eq!(ids, ["a.t.1", "a.t.2", "a.t.3", "b.t.1", "b.t.2", "b.t.3"], "every page of theirs");
    assert_eq!(listed["nextCursor"], Value::Null);
    assert_eq!(asked(&mut client, "tasks/list", json!({ "cursor": "next" })).await, -32602);
    // One that is not to be had is left out.
    office.house.serve(server("b", "absent")).await.unwrap_err();
    office.house.serve(server("b", "mute")).await.unwrap();
    let listed = asked(&mut client, "tasks/list", json!({})).await;
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 3);
    let office = Office::new(&[("c", "unlisted"), ("e", "none")]).await;
    let mut client = office.client(Face::all()).await;
    assert_eq!(asked(&mut client, "tasks/list", json!({})).await, -32601);
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_task_is_told_under_its_public_id_and_answered_under_its_own() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy")]).await;
    let mut client = office.house.client(Face::all(), r#"{"elicitation":{}}"#).await;
    client.ask(
        "1",
        "tools/call",
        r#"{"name":"b__ask","arguments":{},"task":{},"_meta":{"progressToken":"p"}}"#,
    );
    let told: Value = serde_json::from_str(&client.told("notifications/tasks/status").await).unwrap();
    assert_eq!(told["params"], json!({ "taskId": "b.t.1", "status": "working" }));
    for method in ["notifications/progress", "notifications/message", "elicitation/create"] {
        let told: Value = serde_json::from_str(&client.told(method).await).unwrap();
        assert_eq!(told["params"]["_meta"], json!({ RELATED: { "taskId": "b.t.1" } }), "{method}");
        if method == "elicitation/create" {
            let result = json!({ "action": "accept", "_meta": { RELATED: { "taskId": "b.t.1" } } });
            client.say(&json!({ "jsonrpc": "2.0", "id": told["id"], "result": result }).to_string());
        }
    }
    let answer = client.answer("1").await;
    assert!(answer.contains("answered of t.1"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn behind_its_own_face_a_task_is_what_the_server_says() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy")]).await;
    let mut client = office.client(Face::server(named("b"))).await;
    let begun = asked(&mut client, "tools/call", json!({ "name": "work", "task": {} })).await;
    assert_eq!(begun["task"]["taskId"], "t.1");
    let got = asked(&mut client, "tasks/get", json!({ "taskId": "t.1" })).await;
    assert_eq!(got["taskId"], "t.1");
    let listed = asked(&mut client, "tasks/list", json!({ "cursor": "next" })).await;
    assert_eq!(listed["tasks"][0]["taskId"], "t.3", "its own page");
}

#[tokio::test(start_paused = true)]
async fn a_face_declares_the_tasks_that_its_servers_do_each_to_callers_of_their_era() {
    let office = Office::new(&[("a", "legacy"), ("c", "unlisted"), ("d", "modern"), ("e", "none")]).await;
    let mut client = Client::new(office.house.gateway.session(Face::all(), None).unwrap());
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    let greeted = asked(&mut client, "initialize", hello).await;
    let tasks = json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } });
    assert_eq!(greeted["capabilities"]["tasks"], tasks);
    assert_eq!(greeted["capabilities"]["extensions"], json!({}));
    let mut client = Client::new(office.house.gateway.session(Face::all(), None).unwrap());
    let discovered = asked(&mut client, "server/discover", json!({ "_meta": meta(true) })).await;
    assert_eq!(discovered["capabilities"]["extensions"], json!({ office::EXTENSION: {} }));
    assert_eq!(discovered["capabilities"]["tasks"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn tasks_that_begin_by_themselves_are_for_those_who_know_them() {
    let office = Office::new(&[("a", "legacy"), ("b", "modern"), ("d", "modern")]).await;
    let mut client = Client::new(office.house.gateway.session(Face::all(), None).unwrap());
    for name in ["b", "d"] {
        let call = json!({ "name": format!("{name}__work"), "_meta": meta(true) });
        let begun = asked(&mut client, "tools/call", call).await;
        assert_eq!(begun, json!({ "resultType": "task", "taskId": id(name), "status": "working" }));
        let task = json!({ "taskId": id(name), "_meta": meta(true) });
        let got = asked(&mut client, "tasks/get", task.clone()).await;
        assert_eq!((&got["taskId"], &got["statusMessage"]), (&json!(id(name)), &json!(name)));
        for method in ["tasks/update", "tasks/cancel"] {
            assert_eq!(asked(&mut client, method, task.clone()).await["resultType"], "complete", "{method}");
        }
    }
    // Whoever does not know them could make nothing of one, and is told so.
    let call = json!({ "name": "b__work", "_meta": meta(false) });
    assert_eq!(asked(&mut client, "tools/call", call).await, -32603);
    let mut legacy = office.client(Face::all()).await;
    assert_eq!(asked(&mut legacy, "tools/call", json!({ "name": "b__work" })).await, -32603);
    // No task crosses from one era to the other.
    assert_eq!(asked(&mut legacy, "tasks/get", json!({ "taskId": id("b") })).await, -32602);
    let crossing = json!({ "taskId": id("a"), "_meta": meta(true) });
    assert_eq!(asked(&mut client, "tasks/get", crossing).await, -32602);
    assert_eq!(asked(&mut client, "tasks/list", json!({ "_meta": meta(true) })).await, -32601);
}
