//! Servers of resources, all of the same addresses, each in the era that it is told.

use std::time::Duration;

use serde_json::{Value, json};
use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;
use tokio::sync::broadcast;

use crate::client::Client;
use crate::stage::{Heard, House, Wire, mark, server};

/// Longer than anything takes that is under way.
const LATER: Duration = Duration::from_secs(2);

/// What every server lists, and what fits the template that every server lists.
pub(super) const ADDRESSES: [&str; 2] = ["ui://clock", "x://7"];

/// How somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    Legacy,
    Modern,
}

impl Era {
    /// Returns servers and clients of all eras.
    pub(super) fn pairs() -> [(Self, Self); 4] {
        let all = [Self::Legacy, Self::Modern];
        [(all[0], all[0]), (all[0], all[1]), (all[1], all[0]), (all[1], all[1])]
    }

    /// Asks something as a client of this era does.
    pub(super) fn ask(self, client: &Client, id: &str, method: &str, mut params: Value) {
        if self == Self::Modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        client.ask(id, method, &params.to_string());
    }
}

/// Asks something, and returns the result.
pub(super) async fn asked(client: &mut Client, era: Era, method: &str, params: Value) -> Value {
    era.ask(client, "\"a\"", method, params);
    let answer = client.answer("\"a\"").await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["result"].is_object(), "{method}: {answer}");
    answer["result"].clone()
}

/// A gateway in front of such servers.
pub(super) struct Shelf {
    pub(super) house: House,
    says: broadcast::Sender<(String, String)>,
}

impl Shelf {
    pub(super) async fn new(era: Era, names: &[&str]) -> Self {
        let says = broadcast::Sender::new(64);
        let told: broadcast::Sender<(String, String)> = says.clone();
        let house = House::new(move |server: Server, wire: Wire| play(server, wire, told.subscribe()));
        for name in names {
            let mark = if era == Era::Modern { "modern" } else { "legacy" };
            house.serve(server(name, mark)).await.unwrap();
        }
        Self { house, says }
    }

    /// Returns a client of this era.
    pub(super) async fn client(&self, era: Era, face: Face) -> Client {
        match era {
            Era::Legacy => self.house.client(face, "{}").await,
            Era::Modern => Client::new(self.house.gateway.session(face, None).expect("room for a session")),
        }
    }

    /// Has a server tell that a resource has changed.
    pub(super) fn changes(&self, name: &str, uri: &str) {
        self.says.send((name.to_owned(), updated(uri))).expect("a server that hears");
    }

    /// Waits until nothing is under way.
    pub(super) async fn settled(&self) {
        tokio::time::sleep(LATER).await;
    }
}

pub(super) fn updated(uri: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{{"uri":"{uri}"}}}}"#)
}

/// Returns what a server's tool shows: two things that every server has, one that it alone has, and one of nobody's; with
/// members that nobody knows, oddly written.
pub(super) fn shown(name: &str, [clock, seven]: [&str; 2]) -> String {
    format!(
        r#"{{ "x":1.0, "content" : [{{"type":"resource_link","uri":"{clock}","name":"l", "uri2":"ui://clock2"}},{{"resource":{{"x":1e5,"uri":"{seven}","text":"t"}},"type":"resource"}},{{"type":"resource_link","uri":"https://example.com/","name":"h"}},{{"type":"resource_link","uri":"x:only-{name}","name":"o"}},{{"type":"text","text":"{{\"uri\":\"c\"}}","uri":"c"}}],"_meta":{{"ui":{{"resourceUri":"{clock}"}}}}}}"#
    )
}

async fn play(server: Server, mut wire: Wire, mut told: broadcast::Receiver<(String, String)>) {
    let (name, is_modern) = (server.name.to_string(), mark(&server) == "modern");
    loop {
        let heard = tokio::select! {
            heard = wire.hear() => heard,
            Ok((whose, say)) = told.recv() => {
                if whose == name {
                    wire.say(say).await;
                }
                continue;
            }
        };
        let Some(heard) = heard else { return };
        if let Some(answer) = answer(&name, is_modern, &heard) {
            wire.say(answer).await;
        }
    }
}

/// Returns what a server of this name answers.
pub(super) fn answer(name: &str, is_modern: bool, heard: &Heard) -> Option<String> {
    let capabilities =
        json!({ "tools": {}, "prompts": {}, "completions": {}, "resources": { "subscribe": true } });
    let message: Value = serde_json::from_str(&heard.line).expect("JSON");
    let params = &message["params"];
    // One that is alone with what it has, one that is itself a gateway, and all others.
    let [clock, template] = match name {
        "c" => [None, None],
        "z" => [Some("ui://switchboard~b/clock"), None],
        _ => [Some(ADDRESSES[0]), Some("x://{id}")],
    };
    let result = match heard.method.as_str() {
        "server/discover" if is_modern => json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": capabilities,
        }),
        "initialize" => json!({
            "protocolVersion": "2025-11-25", "capabilities": capabilities,
            "serverInfo": { "name": "shelf", "version": "1" },
        }),
        "tools/list" => json!({ "tools": [{
            "name": "show", "inputSchema": { "type": "object" },
            "_meta": { "ui": { "resourceUri": ADDRESSES[0], "x": 1 }, "ui/resourceUri": ADDRESSES[0] },
        }] }),
        "prompts/list" => json!({ "prompts": [{ "name": "tell" }] }),
        "resources/list" => {
            let uris = clock.map(str::to_owned).into_iter().chain([format!("x:only-{name}")]);
            json!({ "resources": uris.map(|uri| json!({ "uri": uri, "name": "r" })).collect::<Vec<_>>() })
        }
        "resources/templates/list" => {
            let templates = template.map(|template| json!({ "uriTemplate": template, "name": "t" }));
            json!({ "resourceTemplates": templates.into_iter().collect::<Vec<_>>() })
        }
        "tools/call" => return Some(heard.result(&shown(name, ADDRESSES))),
        "prompts/get" => {
            let resource = json!({ "uri": ADDRESSES[0], "text": "t" });
            let content = json!({ "type": "resource", "resource": resource });
            json!({ "messages": [{ "role": "user", "content": content }] })
        }
        "resources/read" => {
            let uri = &params["uri"];
            let text = format!("{name} has {}", uri.as_str().unwrap());
            json!({ "contents": [{ "uri": uri, "text": text }] })
        }
        "resources/directory/read" => json!({ "resources": [{ "uri": params["uri"], "name": name }] }),
        "completion/complete" => {
            let value = format!("{name} completes {}", params["ref"]["uri"].as_str().unwrap());
            json!({ "completion": { "values": [value] } })
        }
        "resources/subscribe" | "resources/unsubscribe" | "ping" => json!({}),
        "subscriptions/listen" => return None,
        _ if heard.id.is_empty() => return None,
        _ => return Some(heard.error(r#"{"code":-32601,"message":"no such method"}"#)),
    };
    Some(heard.result(&result.to_string()))
}
