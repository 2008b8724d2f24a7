//! Servers that have tasks, which all give the same ids.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use switchboard_core::catalogue::Server;
use switchboard_core::policy::Held;
use switchboard_gateway::face::Face;
use switchboard_gateway::policy::Holder;

use crate::client::Client;
use crate::stage::{Count, Heard, House, Wire, mark, server};

/// The extension that has tasks in the modern era.
pub(super) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The member of `_meta` that names the task which a message belongs to.
pub(super) const RELATED: &str = "io.modelcontextprotocol/related-task";

/// Returns the id that clients of several servers know the first task of one by.
pub(super) fn id(server: &str) -> String {
    format!("{server}.t.1")
}

/// Returns the `_meta` of a modern request.
pub(super) fn meta(knows_tasks: bool) -> Value {
    let capabilities = if knows_tasks { json!({ "extensions": { EXTENSION: {} } }) } else { json!({}) };
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}

/// A gateway in front of such servers.
pub(super) struct Office {
    pub(super) house: House,
    heard: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

impl Office {
    /// Returns a gateway in front of servers of these names, each of this kind.
    pub(super) async fn new(servers: &[(&str, &str)]) -> Self {
        let heard = Arc::<Mutex<BTreeMap<String, Vec<String>>>>::default();
        let (noted, processes) = (Arc::clone(&heard), Count::default());
        let house = House::new(move |server: Server, wire: Wire| {
            play(server, wire, Arc::clone(&noted), processes.up())
        });
        for (name, kind) in servers {
            house.serve(server(name, kind)).await.unwrap();
        }
        Self { house, heard }
    }

    pub(super) async fn client(&self, face: Face) -> Client {
        self.house.client(face, "{}").await
    }

    /// Returns a client that may do anything with the tools of these servers, and nothing else.
    pub(super) async fn holder(&self, who: &str, servers: &[&str], face: Face) -> Client {
        let held: Vec<String> = servers.iter().map(|server| format!("{server}:*:*")).collect();
        let held = Arc::new(Held::parse(held.iter().map(String::as_str)).unwrap());
        let session = self.house.gateway.session_of(face, None, Holder { who: who.into(), held }).unwrap();
        let mut client = Client::new(session);
        client.greet("{}").await;
        client
    }

    /// Returns what each server heard of tasks, in the order of their names.
    pub(super) fn heard(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut *self.heard.lock().unwrap()).into_values().collect()
    }
}

async fn play(
    server: Server,
    mut wire: Wire,
    notes: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    process: usize,
) {
    let (name, kind) = (server.name.to_string(), mark(&server));
    while let Some(heard) = wire.hear().await {
        let message: Value = serde_json::from_str(&heard.line).expect("JSON");
        let params = &message["params"];
        let about = params["taskId"].as_str().map_or(params["task"]["ttl"].to_string(), str::to_owned);
        if heard.method == "tools/call" || heard.method.starts_with("tasks/") {
            let note = format!("{} {about}", heard.method);
            notes.lock().unwrap().entry(name.clone()).or_default().push(note);
        }
        match (heard.tool.as_str(), heard.method.as_str()) {
            ("ask", _) => {
                let task = tell(&mut wire, &heard.token).await;
                wire.say(heard.says(&format!("answered of {task}"))).await;
            }
            ("later", _) => {
                let begun = json!({ "task": { "taskId": "t.1", "status": "working" } });
                wire.say(heard.result(&begun.to_string())).await;
                let task = tell(&mut wire, &heard.token).await;
                notes.lock().unwrap().entry(name.clone()).or_default().push(format!("answered of {task}"));
            }
            // Both belong to the first task, whoever calls.
            ("tell", _) => {
                let task = r#""taskId":"t.1""#;
                for (id, method, params) in [
                    ("", "notifications/tasks/status", format!(r#"{task},"status":"working""#)),
                    (
                        "",
                        "notifications/message",
                        format!(r#""level":"info","data":1,"_meta":{{"{RELATED}":{{{task}}}}}"#),
                    ),
                    (
                        r#""id":7,"#,
                        "elicitation/create",
                        format!(r#""message":"?","_meta":{{"{RELATED}":{{{task}}}}}"#),
                    ),
                ] {
                    wire.say(format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{{{params}}}}}"#))
                        .await;
                }
                wire.say(heard.says("told")).await;
            }
            (_, "tasks/result") if kind == "waits" => drop(tell(&mut wire, "null").await),
            (_, "tasks/list") if kind == "mute" => {}
            (_, "tasks/get") if kind == "slow" => {}
            _ => {
                if let Some(answer) = answer((&name, process), &kind, &heard, params) {
                    wire.say(answer).await;
                }
            }
        }
    }
}

/// Tells and asks things that belong to a task, and returns of which task the answer is.
async fn tell(wire: &mut Wire, token: &str) -> String {
    let related = format!(r#""_meta":{{"{RELATED}":{{"taskId":"t.1"}}}}"#);
    for (id, method, params) in [
        ("", "notifications/tasks/status", r#""taskId":"t.1","status":"working""#.to_owned()),
        ("", "notifications/progress", format!(r#""progressToken":{token},"progress":1,{related}"#)),
        ("", "notifications/message", format!(r#""level":"info","data":1,{related}"#)),
        (r#""id":1,"#, "elicitation/create", format!(r#""message":"?",{related}"#)),
    ] {
        wire.say(format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{{{params}}}}}"#)).await;
    }
    let Some(answered) = wire.hear().await else { return String::new() };
    let answered: Value = serde_json::from_str(&answered.line).expect("JSON");
    answered["result"]["_meta"][RELATED]["taskId"].as_str().unwrap_or_default().to_owned()
}

fn answer((name, process): (&str, usize), kind: &str, heard: &Heard, params: &Value) -> Option<String> {
    let is_modern = kind == "modern";
    let requests = json!({ "tools": { "call": {} } });
    let capabilities = match kind {
        "modern" => json!({ "tools": {}, "extensions": { EXTENSION: {} } }),
        "none" => json!({ "tools": {} }),
        "unlisted" => json!({ "tools": {}, "tasks": { "requests": requests } }),
        _ => json!({ "tools": {}, "tasks": { "list": {}, "cancel": {}, "requests": requests } }),
    };
    let task = |status: &str| json!({ "taskId": "t.1", "status": status, "statusMessage": name, "process": process });
    let result = match heard.method.as_str() {
        "server/discover" if is_modern => json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": capabilities,
        }),
        "initialize" => json!({
            "protocolVersion": "2025-11-25", "capabilities": capabilities,
            "serverInfo": { "name": "office", "version": "1" },
        }),
        "tools/list" => {
            let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
            json!({ "tools": [tool("work"), tool("ask"), tool("later"), tool("tell")] })
        }
        "tools/call" if is_modern => json!({ "resultType": "task", "taskId": "t.1", "status": "working" }),
        "tools/call" if !params["task"].is_null() => {
            json!({ "task": { "taskId": "t.1", "status": "working" } })
        }
        "tools/call" => return Some(heard.says("done")),
        "tasks/update" | "tasks/cancel" if is_modern => json!({ "resultType": "complete" }),
        "tasks/list" if kind == "fresh" => json!({ "tasks": [] }),
        method if kind == "fresh" && method.starts_with("tasks/") => {
            return Some(heard.error(r#"{"code":-32602,"message":"no such task"}"#));
        }
        "tasks/get" => task("working"),
        "tasks/cancel" => task("cancelled"),
        "tasks/result" => json!({
            "content": [{ "type": "text", "text": format!("done by {name}") }],
            "_meta": { RELATED: { "taskId": params["taskId"] } },
        }),
        "tasks/list" if params["cursor"].is_null() => {
            json!({ "tasks": [{ "taskId": "t.1" }, { "taskId": "t.2" }], "nextCursor": "next" })
        }
        "tasks/list" => json!({ "tasks": [{ "taskId": "t.3" }] }),
        "ping" | "logging/setLevel" => json!({}),
        "subscriptions/listen" => return None,
        _ if heard.id.is_empty() => return None,
        _ => return Some(heard.error(r#"{"code":-32601,"message":"no such method"}"#)),
    };
    Some(heard.result(&result.to_string()))
}
