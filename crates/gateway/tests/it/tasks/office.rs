//! Servers that have tasks, which all give the same ids.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;

use crate::client::Client;
use crate::stage::{Heard, House, Wire, mark, server};

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
        let noted = Arc::clone(&heard);
        let house = House::new(move |server: Server, wire: Wire| play(server, wire, Arc::clone(&noted)));
        for (name, kind) in servers {
            house.serve(server(name, kind)).await.unwrap();
        }
        Self { house, heard }
    }

    pub(super) async fn client(&self, face: Face) -> Client {
        self.house.client(face, "{}").await
    }

    /// Returns what each server heard of tasks, in the order of their names.
    pub(super) fn heard(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut *self.heard.lock().unwrap()).into_values().collect()
    }
}

async fn play(server: Server, mut wire: Wire, notes: Arc<Mutex<BTreeMap<String, Vec<String>>>>) {
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
            ("ask", _) => ask(&mut wire, &heard).await,
            (_, "tasks/list") if kind == "mute" => {}
            _ => {
                if let Some(answer) = answer(&name, &kind, &heard, params) {
                    wire.say(answer).await;
                }
            }
        }
    }
}

/// Tells and asks things that belong to a task, in the middle of a call.
async fn ask(wire: &mut Wire, call: &Heard) {
    let related = format!(r#""_meta":{{"{RELATED}":{{"taskId":"t.1"}}}}"#);
    let token = &call.token;
    for (id, method, params) in [
        ("", "notifications/tasks/status", r#""taskId":"t.1","status":"working""#.to_owned()),
        ("", "notifications/progress", format!(r#""progressToken":{token},"progress":1,{related}"#)),
        ("", "notifications/message", format!(r#""level":"info","data":1,{related}"#)),
        (r#""id":1,"#, "elicitation/create", format!(r#""message":"?",{related}"#)),
    ] {
        wire.say(format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{{{params}}}}}"#)).await;
    }
    let Some(answered) = wire.hear().await else { return };
    let answered: Value = serde_json::from_str(&answered.line).expect("JSON");
    let task = answered["result"]["_meta"][RELATED]["taskId"].as_str().unwrap_or_default().to_owned();
    wire.say(call.says(&format!("answered of {task}"))).await;
}

fn answer(name: &str, kind: &str, heard: &Heard, params: &Value) -> Option<String> {
    let is_modern = kind == "modern";
    let requests = json!({ "tools": { "call": {} } });
    let capabilities = match kind {
        "modern" => json!({ "tools": {}, "extensions": { EXTENSION: {} } }),
        "none" => json!({ "tools": {} }),
        "unlisted" => json!({ "tools": {}, "tasks": { "requests": requests } }),
        _ => json!({ "tools": {}, "tasks": { "list": {}, "cancel": {}, "requests": requests } }),
    };
    let task = |status: &str| json!({ "taskId": "t.1", "status": status, "statusMessage": name });
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
            json!({ "tools": [tool("work"), tool("ask")] })
        }
        "tools/call" if is_modern => json!({ "resultType": "task", "taskId": "t.1", "status": "working" }),
        "tools/call" if !params["task"].is_null() => {
            json!({ "task": { "taskId": "t.1", "status": "working" } })
        }
        "tools/call" => return Some(heard.says("done")),
        "tasks/update" | "tasks/cancel" if is_modern => json!({ "resultType": "complete" }),
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
