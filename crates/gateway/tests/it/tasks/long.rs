//! A task goes on when the call that began it has its answer: its server stays for it, and its client hears of it.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;

use super::asked;
use super::office::{Office, RELATED};
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
