//! The description of the API, made from the table of routes and the types of the bodies, so that it cannot say
//! anything else.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::act::Action;
use super::config::{Version, Whole};
use super::problem::Problem;
use super::route::{Access, Route, Routes};
use super::v1;

/// Returns the document, in the form of `OpenAPI` 3.1.
pub(super) fn document(routes: &Routes) -> Value {
    let mut schemas = v1::schemas();
    v1::add::<Problem>(&mut schemas);
    v1::add::<Version>(&mut schemas);
    v1::add::<Whole>(&mut schemas);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in &routes.all {
        let method = route.method.as_str().to_ascii_lowercase();
        paths.entry(&route.path).or_default().insert(method, operation(route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One catalogue of MCP servers, kept in step with every AI client.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "`switchboard token show`" },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut value = json!({
        "operationId": id(route),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if !route.takes.is_empty() {
        let schema = json!({ "$ref": format!("#/components/schemas/{}", route.takes) });
        value["requestBody"] = json!({ "content": { "application/json": { "schema": schema } } });
    }
    match &route.access {
        Access::Anybody => value["security"] = json!([]),
        Access::Readers(needed) => {
            value["security"] = json!([{}, { "token": [] }]);
            value["description"] =
                format!("On loopback no token is needed; elsewhere one with `{needed}`.").into();
        }
        Access::Holders(needed) => {
            value["security"] = json!([{ "token": [] }]);
            value["description"] = format!("Needs a token with `{needed}`.").into();
        }
        Access::Control => {
            value["security"] = json!([]);
            value["description"] = "On the control socket only.".into();
        }
    }
    value
}

/// A name for programs: `get_servers_name`.
fn id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let words: Vec<&str> = path.split('_').filter(|word| !word.is_empty()).collect();
    format!("{}_{}", route.method.as_str().to_ascii_lowercase(), words.join("_"))
}

fn parameters(route: &Route) -> Vec<Value> {
    let open = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut all: Vec<Value> = open
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mut query = |name: &str, kind: &str, description: &str| {
        all.push(json!({
            "name": name, "in": "query", "description": description, "schema": { "type": kind },
        }));
    };
    match route.action {
        Action::Version => query("since", "string", "A version: what changed since"),
        Action::ClientConfig => query("via", "string", "What an entry says: `bridge` or `direct`"),
        Action::Events => {
            query(
                "last_event_id",
                "integer",
                "The revision that was seen last, for those who cannot send the header",
            );
        }
        Action::Run(..) if route.method != Method::GET => {
            query("dry_run", "boolean", "Tell what would be done, and change nothing");
            query("yes", "boolean", "Agree to every question beforehand");
            query("agreed", "string", "The key of a question that a person answered with yes");
        }
        Action::Run(..) if route.path == "/api/v1/clients" => {
            query("all", "boolean", "Also list every client that is known");
        }
        _ => {}
    }
    all
}

fn responses(route: &Route) -> Value {
    let (status, kind, schema) = match route.action {
        Action::Version => {
            (StatusCode::OK, "application/json", json!({ "$ref": "#/components/schemas/Version" }))
        }
        Action::Config => {
            (StatusCode::OK, "application/json", json!({ "$ref": "#/components/schemas/Whole" }))
        }
        Action::Events | Action::Watch => (StatusCode::OK, "text/event-stream", json!({ "type": "string" })),
        Action::Mcp(_) if route.method == Method::GET => {
            (StatusCode::OK, "text/event-stream", json!({ "type": "string" }))
        }
        Action::Mcp(_) => (StatusCode::OK, "application/json", json!({})),
        Action::Health | Action::Ready | Action::Metrics => {
            (StatusCode::OK, "text/plain", json!({ "type": "string" }))
        }
        Action::ClientConfig => (StatusCode::OK, "*/*", json!({ "type": "string" })),
        #[cfg(unix)]
        Action::Succession => (StatusCode::SWITCHING_PROTOCOLS, "*/*", json!({})),
        Action::Run(_, done) => (done, "application/json", json!({})),
        Action::Sync
        | Action::Live
        | Action::Offer
        | Action::Pending
        | Action::Word
        | Action::Listen
        | Action::Command
        | Action::Reload
        | Action::OpenApi => (StatusCode::OK, "application/json", json!({})),
    };
    let problem = json!({
        "description": "Why it was not done",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    json!({
        status.as_str(): { "description": "Done", "content": { kind: { "schema": schema } } },
        "default": problem,
    })
}
