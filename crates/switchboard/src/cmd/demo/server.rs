//! The demo's own MCP server: one tool, over standard input and output.

use std::io::{BufRead, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

/// Answers until standard input ends.
pub(crate) fn serve() -> ExitCode {
    let name = std::env::args().nth(2).unwrap_or_else(|| "demo".to_owned());
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        let Some(id) = message.get("id") else { continue };
        let reply = match answer(&name, &message) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err((code, text)) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } })
            }
        };
        if writeln!(out, "{reply}").and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn answer(name: &str, message: &Value) -> Result<Value, (i64, String)> {
    match message["method"].as_str().unwrap_or_default() {
        "initialize" => Ok(json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": { "tools": {} },
            "serverInfo": { "name": name, "version": env!("CARGO_PKG_VERSION") },
        })),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": [{
            "name": "greet",
            "description": "Says hello to somebody",
            "inputSchema": {
                "type": "object",
                "properties": { "name": { "type": "string" } },
                "required": ["name"],
            },
            "annotations": { "readOnlyHint": true },
        }] })),
        "tools/call" if message["params"]["name"] == "greet" => {
            let whom = message["params"]["arguments"]["name"].as_str().unwrap_or("nobody");
            Ok(json!({ "content": [{ "type": "text", "text": format!("Hello, {whom}, from {name}!") }] }))
        }
        "tools/call" => Err((-32602, "there is no such tool".to_owned())),
        other => Err((-32601, format!("there is no method {other}"))),
    }
}
