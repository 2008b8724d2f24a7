//! Whoever may not do everything has the tasks that they began, and no others.

use serde_json::{Value, json};
use switchboard_gateway::face::Face;

use super::asked;
use super::office::{Office, id};
use crate::client::Client;
use crate::stage::named;

/// Begins a task as `who`, behind a face of one server or of all, and returns the id that they are given.
async fn begun(client: &mut Client, tool: &str) -> String {
    let begun = asked(client, "tools/call", json!({ "name": tool, "task": {}, "arguments": {} })).await;
    begun["task"]["taskId"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_task_is_had_by_whoever_began_it_and_by_nobody_else() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy")]).await;
    for (face, tool) in [(Face::all(), "a__work"), (Face::server(named("a")), "work")] {
        let mut ci = office.holder("ci", &["a", "b"], face.clone()).await;
        let mut dev = office.holder("dev", &["a", "b"], face.clone()).await;
        let mine = begun(&mut ci, tool).await;
        assert!(mine.starts_with("a+") && mine.ends_with(".t.1"), "{mine}");
        for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
            let task = json!({ "taskId": mine });
            let got = asked(&mut ci, method, task.clone()).await;
            assert!(got.is_object(), "{method}: {got}");
            assert_eq!(asked(&mut dev, method, task).await, -32602, "{method}");
        }
        // Nor by whoever knows what the server calls it, or has the mark of another one.
        let of_b = mine.replacen('a', "b", 1);
        let other = mine.replace("t.1", "t.2");
        for guess in ["t.1", "a.t.1", "a+.t.1", "a+0000000000000000.t.1", &of_b, &other] {
            assert_eq!(asked(&mut ci, "tasks/get", json!({ "taskId": guess })).await, -32602, "{guess}");
        }
        office.heard();
        // Another conversation of the same holder's finds it; the user of the machine has everybody's.
        let mut again = office.holder("ci", &["a"], face.clone()).await;
        assert_eq!(asked(&mut again, "tasks/get", json!({ "taskId": mine })).await["taskId"], json!(mine));
        let mut user = office.client(face.clone()).await;
        let own = if face.is_joint() { id("a") } else { "t.1".to_owned() };
        assert_eq!(asked(&mut user, "tasks/get", json!({ "taskId": own })).await["taskId"], json!(own));
        assert_eq!(office.heard()[0], ["tasks/get t.1", "tasks/get t.1"], "nothing else reached it");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_listed_the_tasks_of_others() {
    let office = Office::new(&[("a", "legacy"), ("b", "legacy")]).await;
    for face in [Face::all(), Face::server(named("a"))] {
        let mut ci = office.holder("ci", &["a", "b"], face.clone()).await;
        let tool = if face.is_joint() { "a__work" } else { "work" };
        let mine = begun(&mut ci, tool).await;
        for params in [json!({}), json!({ "taskId": mine }), json!({ "cursor": "next" })] {
            assert_eq!(asked(&mut ci, "tasks/list", params).await, -32601);
        }
        for (client, lists) in [(&mut ci, Value::Null), (&mut office.client(face.clone()).await, json!({}))] {
            let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
            let declared = asked(client, "initialize", hello).await["capabilities"]["tasks"].clone();
            assert_eq!((&declared["list"], &declared["cancel"]), (&lists, &json!({})));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_spelt_in_two_ways_is_refused() {
    let office = Office::new(&[("a", "legacy")]).await;
    let mut ci = office.holder("ci", &["a"], Face::server(named("a"))).await;
    let mine = begun(&mut ci, "work").await;
    office.heard();
    for params in [
        format!(r#"{{"taskId":"{mine}","taskid":"t.2"}}"#),
        format!(r#"{{"taskId":"{mine}","taskId":"t.2"}}"#),
        format!(r#"{{"taskId":"{mine}","task\u0049d":"t.2"}}"#),
    ] {
        ci.ask("7", "tasks/get", &params);
        let answer = ci.next().await;
        assert!(answer.contains("\"error\""), "{params}: {answer}");
    }
    assert_eq!(office.heard(), [[""; 0]; 0], "nothing reached it");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_of_the_tasks_of_others() {
    let office = Office::new(&[("a", "legacy")]).await;
    for face in [Face::all(), Face::server(named("a"))] {
        let tool = |name: &str| if face.is_joint() { format!("a__{name}") } else { name.to_owned() };
        let mut ci = office.holder("ci", &["a"], face.clone()).await;
        let mut dev = office.holder("dev", &["a"], face.clone()).await;
        let mine = begun(&mut ci, &tool("work")).await;
        // While it runs it is ci's; once it is cancelled too, and when ci is gone it is nobody's.
        for stage in ["runs", "is over", "is nobody's"] {
            let told = asked(&mut dev, "tools/call", json!({ "name": tool("tell"), "arguments": {} })).await;
            assert_eq!(told["content"][0]["text"], "told", "{stage}");
            assert_eq!(dev.rest(), [""; 0], "{stage}");
            if stage == "runs" {
                let told: Value = serde_json::from_str(&ci.told("notifications/tasks/status").await).unwrap();
                assert_eq!(told["params"]["taskId"], json!(mine));
                asked(&mut ci, "tasks/cancel", json!({ "taskId": mine })).await;
            } else if stage == "is over" {
                ci.session.close();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_is_nobodys_to_tell_or_to_hear_without_being_asked_for() {
    let office = Office::new(&[("a", "legacy")]).await;
    let mut ci = office.holder("ci", &["a"], Face::server(named("a"))).await;
    let mut user = office.client(Face::server(named("a"))).await;
    begun(&mut user, "work").await;
    office.heard();
    for client in [&mut ci, &mut user] {
        for method in ["tasks/cancel", "tasks/update"] {
            client.say(&format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{{"taskId":"t.1"}}}}"#));
        }
        // A stateless client has that, and says so with each message.
        let listen = json!({ "notifications": { "taskIds": ["t.1"] } });
        assert_eq!(asked(client, "subscriptions/listen", listen).await, -32601);
    }
    ci.say(r#"{"jsonrpc":"2.0","method":"com.example/cancel","params":{"taskId":"t.1"}}"#);
    assert_eq!(office.heard(), [[""; 0]; 0]);
}
