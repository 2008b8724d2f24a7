//! A task goes on when the call that began it has its answer: its server stays for it, and its client hears of it.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_core::catalogue::{Isolation, Server};
use switchboard_gateway::face::Face;

use super::office::{Office, RELATED};
use super::{asked, whole};
use crate::stage::{named, server};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_server_is_not_stopped_while_it_works_on_a_task() {
    let office = Office::new(&[]).await;
    let idle = Server { idle_stop: Some(MINUTE), ..server("a", "legacy") };
    office.house.serve(idle).await.unwrap();
    let mut client = office.client(Face::server(named("a"))).await;
    let work = json!({ "name": "work", "task": { "ttl": 60_000 } });
    asked(&mut client, "tools/call", work.clone()).await;
    tokio::time::sleep(30 * MINUTE).await;
    assert_eq!(office.house.stage.running("a").0, 1);
    // Somebody has what came of it, so that nothing is kept for anybody.
    asked(&mut client, "tasks/result", json!({ "taskId": "t.1" })).await;
    tokio::time::sleep(2 * MINUTE).await;
    assert_eq!(office.house.stage.running("a").0, 0);
    // Nor does one that nobody asks for keep it for ever.
    asked(&mut client, "tools/call", work).await;
    tokio::time::sleep(3 * 60 * MINUTE).await;
    assert_eq!(office.house.stage.running("a").0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_asked_for_where_it_began_though_another_version_has_taken_over() {
    let office = Office::new(&[("a", "legacy")]).await;
    let mut client = office.client(Face::all()).await;
    asked(&mut client, "tools/call", json!({ "name": "a__work", "task": {} })).await;
    office.house.serve(server("a", "fresh")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(office.house.stage.running("a").0, 2, "it is waited for");
    let listed = asked(&mut client, "tasks/list", json!({})).await;
    assert_eq!(listed["tasks"][0]["taskId"], "a.t.1", "though the one that took over lists none: {listed}");
    // Another client of the same user's finds it there, too.
    let mut other = office.house.client(Face::all(), r#"{"sampling":{}}"#).await;
    for (client, method) in [(&mut other, "tasks/get"), (&mut client, "tasks/result")] {
        let got = asked(client, method, json!({ "taskId": "a.t.1" })).await;
        assert!(got.is_object(), "{method}: {got}");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(office.house.stage.running("a").0, 1, "and not for longer than that");
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_task_is_told_to_the_one_who_began_it() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy")]).await;
    let mut mine = office.house.client(Face::all(), r#"{"elicitation":{}}"#).await;
    let mut others = office.house.client(Face::all(), r#"{"elicitation":{}}"#).await;
    assert_eq!(
        asked(&mut others, "tools/call", json!({ "name": "b__work" })).await["content"][0]["text"],
        "done"
    );
    let later = json!({ "name": "b__later", "task": {}, "_meta": { "progressToken": "p" } });
    assert_eq!(asked(&mut mine, "tools/call", later).await["task"]["taskId"], "b.t.1");
    let told: Value = serde_json::from_str(&mine.told("notifications/tasks/status").await).unwrap();
    assert_eq!(told["params"]["taskId"], "b.t.1");
    let told: Value = serde_json::from_str(&mine.told("notifications/progress").await).unwrap();
    let related = json!({ RELATED: { "taskId": "b.t.1" } });
    assert_eq!((&told["params"]["progressToken"], &told["params"]["_meta"]), (&json!("p"), &related));
    mine.told("notifications/message").await;
    let question: Value = serde_json::from_str(&mine.told("elicitation/create").await).unwrap();
    let result = json!({ "action": "accept", "_meta": related });
    mine.say(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }).to_string());
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(office.heard()[0].last().unwrap(), "answered of t.1");
    assert_eq!(others.rest(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_tasks_that_is_given_up_has_no_answer() {
    let office = Office::new(&[("a", "mute"), ("b", "legacy")]).await;
    let mut client = office.client(Face::all()).await;
    client.ask("8", "tasks/list", "{}");
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}}"#);
    tokio::time::sleep(MINUTE).await;
    assert_eq!(client.rest(), [""; 0]);
    client.ask("8", "tasks/list", "{}");
    assert!(client.answer("8").await.contains("b.t.3"), "its id may be used again");
}

#[tokio::test(start_paused = true)]
async fn who_has_a_process_of_their_own_has_their_tasks_there() {
    let office = Office::new(&[]).await;
    let own = Server { isolation: Isolation::PerSession, ..server("a", "legacy") };
    office.house.serve(own).await.unwrap();
    let mut one = office.client(Face::all()).await;
    let mut other = office.client(Face::all()).await;
    let task = json!({ "taskId": "a.t.1" });
    for client in [&mut one, &mut other] {
        let begun = asked(client, "tools/call", json!({ "name": "a__work", "task": {} })).await;
        assert_eq!(begun["task"]["taskId"], "a.t.1", "both give the same");
    }
    let place = |got: Value| got["process"].clone();
    let places = [
        place(whole(&mut one, "tasks/get", task.clone()).await),
        place(whole(&mut other, "tasks/get", task.clone()).await),
    ];
    assert_ne!(places[0], places[1]);
    asked(&mut one, "tasks/result", task.clone()).await;
    assert_eq!(
        place(whole(&mut one, "tasks/get", task.clone()).await),
        places[0],
        "though it has its result"
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_of_a_task_goes_to_the_one_who_began_it_though_others_look_at_it() {
    let office = Office::new(&[("a", "slow")]).await;
    let able = r#"{"elicitation":{}}"#;
    let mut mine = office.house.client(Face::all(), able).await;
    let mut looks = office.house.client(Face::all(), able).await;
    let mut calls = office.house.client(Face::all(), able).await;
    asked(&mut mine, "tools/call", json!({ "name": "a__work", "task": {} })).await;
    looks.ask("9", "tasks/get", r#"{"taskId":"a.t.1"}"#);
    tokio::time::sleep(Duration::from_millis(1)).await;
    asked(&mut calls, "tools/call", json!({ "name": "a__tell" })).await;
    mine.told("elicitation/create").await;
    for other in [&mut looks, &mut calls] {
        assert_eq!(other.rest(), [""; 0]);
    }
    assert_eq!(office.house.stage.launches().len(), 1, "nobody has to be told apart");
}

#[tokio::test(start_paused = true)]
async fn who_came_back_is_asked_where_they_wait() {
    let office = Office::new(&[("a", "waits")]).await;
    let able = r#"{"elicitation":{}}"#;
    let mut before = office.house.client(Face::all(), able).await;
    asked(&mut before, "tools/call", json!({ "name": "a__work", "task": {} })).await;
    // The same user, in another session; the one before was never ended.
    let mut now = office.house.client(Face::all(), able).await;
    now.ask("5", "tasks/result", r#"{"taskId":"a.t.1"}"#);
    let question: Value = serde_json::from_str(&now.told("elicitation/create").await).unwrap();
    now.say(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "accept" } }).to_string());
    assert_eq!(before.rest(), [""; 0]);
}
