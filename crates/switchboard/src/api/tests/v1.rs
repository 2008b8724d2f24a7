//! What the command line can do, asked for over HTTP.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};
use switchboard_core::problem::Problem;

use super::super::Peer;
use super::super::table::routes;
use super::{Fake, Told, request, with};
use crate::ask::{Answer, Question};
use crate::cli::Command;
use crate::fail::{Code, Failure};
use crate::ui::Said;

impl Fake {
    /// Asks as somebody who may do anything.
    async fn does(&self, method: &str, path: &str, body: &Value) -> Told {
        let known = crate::token::Tokens::peek(&self.folder.path().join("tokens.json"));
        let name = format!("t{}", known.tokens.len());
        let bearer = format!("Bearer {}", self.token(&name, "*:*:*"));
        let asked = with(request(method, path), "authorization", &bearer);
        let asked = if body.is_null() { asked } else { with(asked, "content-type", "application/json") };
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.ask(asked.map(|_| body)).await
    }

    /// The last thing that came to the desk, as it is sent over the control socket.
    fn last(&self) -> Value {
        serde_json::to_value(self.asked.lock().unwrap().last().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn each_route_asks_for_its_command() {
    let fake = Fake::new("");
    let nothing = Value::Null;
    for (method, path, body, command) in [
        ("GET", "/status", nothing.clone(), json!("status")),
        ("GET", "/doctor", nothing.clone(), json!("doctor")),
        ("GET", "/servers", nothing.clone(), json!({ "server": "list" })),
        ("GET", "/servers/a%2Fb", nothing.clone(), json!({ "server": { "show": { "name": "a/b" } } })),
        ("DELETE", "/servers/npm", nothing.clone(), json!({ "server": { "remove": { "name": "npm" } } })),
        (
            "POST",
            "/servers/npm/rename",
            json!({ "to": "n" }),
            json!({ "server": { "rename": { "name": "npm", "to": "n" } } }),
        ),
        (
            "POST",
            "/servers/npm/enable",
            nothing.clone(),
            json!({ "server": { "enable": { "name": "npm" } } }),
        ),
        ("GET", "/clients?all=true", nothing.clone(), json!({ "client": { "list": { "all": true } } })),
        ("GET", "/clients/cursor", nothing.clone(), json!({ "client": { "show": { "id": "cursor" } } })),
        (
            "DELETE",
            "/clients/cursor/link",
            nothing.clone(),
            json!({ "client": { "unlink": { "id": "cursor" } } }),
        ),
        (
            "POST",
            "/clients/cursor/push",
            json!({ "servers": ["npm"] }),
            json!({ "client": { "push": { "which": { "ids": ["cursor"], "all": false }, "servers": ["npm"] } } }),
        ),
        (
            "POST",
            "/clients/push",
            nothing.clone(),
            json!({ "client": { "push": { "which": { "ids": [], "all": true }, "servers": [] } } }),
        ),
        (
            "POST",
            "/clients/cursor/adopt",
            json!({ "server": "npm" }),
            json!({ "client": { "adopt": { "id": "cursor", "server": "npm" } } }),
        ),
        (
            "POST",
            "/clients/undo",
            json!({ "force": true }),
            json!({ "client": { "undo": { "which": { "ids": [], "all": true }, "force": true } } }),
        ),
        (
            "PUT",
            "/profiles/ops",
            json!({ "servers": ["tag:ops"] }),
            json!({ "profile": { "add": { "name": "ops", "servers": ["tag:ops"] } } }),
        ),
        (
            "POST",
            "/config/undo",
            json!({ "revision": 3 }),
            json!({ "config": { "undo": { "revision": 3 } } }),
        ),
        (
            "GET",
            "/config/schema/settings",
            nothing.clone(),
            json!({ "config": { "schema": { "file": "settings" } } }),
        ),
        ("POST", "/sync", nothing.clone(), json!({ "sync": { "servers": [], "force": false } })),
        (
            "POST",
            "/sync",
            json!({ "servers": ["npm"], "force": true }),
            json!({ "sync": { "servers": ["npm"], "force": true } }),
        ),
        ("GET", "/policy?server=a", nothing.clone(), json!({ "policy": { "show": { "which": "a" } } })),
        (
            "PATCH",
            "/servers/k8s/tools/a%2Fb/policy",
            json!({ "risk": "high", "permissions": ["a:b", "c:d"], "enabled": false }),
            json!({ "policy": { "set": {
                "tool": "k8s/a/b", "values": ["risk=high", "permission=a:b,c:d", "enabled=false"],
            } } }),
        ),
        (
            "POST",
            "/policy/undo",
            json!({ "id": 3 }),
            json!({ "policy": { "undo": { "id": 3, "force": false } } }),
        ),
        (
            "POST",
            "/policy/approve",
            json!({ "tools": ["a/b"] }),
            json!({ "policy": { "approve": { "tools": ["a/b"], "all": false } } }),
        ),
        ("POST", "/policy/sync", nothing.clone(), json!({ "policy": "sync" })),
        ("GET", "/tools?server=a", nothing.clone(), json!({ "tool": { "list": { "servers": ["a"] } } })),
        (
            "GET",
            "/tools/search?words=list%20pods&limit=3",
            nothing.clone(),
            json!({ "tool": { "search": { "words": ["list pods"], "limit": 3 } } }),
        ),
        (
            "GET",
            "/servers/k8s/tools/a%2Fb",
            nothing.clone(),
            json!({ "tool": { "show": { "tool": ["k8s", "a/b"] } } }),
        ),
        ("GET", "/tokens", nothing.clone(), json!({ "token": "list" })),
        ("DELETE", "/tokens/ci", nothing.clone(), json!({ "token": { "revoke": { "name": "ci" } } })),
    ] {
        let told = fake.does(method, &format!("/api/v1{path}"), &body).await;
        assert_eq!(told.status, StatusCode::OK, "{method} {path}: {}", told.text());
        assert_eq!(fake.last()["command"], command, "{method} {path}");
        assert_eq!(fake.last()["wishes"]["json"], true);
    }
}

#[tokio::test]
async fn a_server_is_added_as_the_command_line_adds_it() {
    let fake = Fake::new("");
    let body = json!({
        "name": "gh", "command": "npx", "args": ["-y", "--x"], "env": { "A": "b=c" }, "cwd": "/srv", "tags": ["t"],
    });
    let told = fake.does("POST", "/api/v1/servers?yes=true", &body).await;
    assert_eq!(told.status, StatusCode::CREATED);
    let asked = fake.last();
    let added = &asked["command"]["server"]["add"];
    assert_eq!(added["command"], json!(["npx", "-y", "--x"]));
    assert_eq!((&added["env"], &added["cwd"]), (&json!(["A=b=c"]), &json!("/srv")));
    assert_eq!(asked["wishes"]["yes"], true);
    let body = json!({ "url": "https://x", "type": "sse", "headers": { "K": "v: w" } });
    let told = fake.does("PATCH", "/api/v1/servers/gh?dry_run=true", &body).await;
    assert_eq!(told.status, StatusCode::OK);
    let asked = fake.last();
    let edited = &asked["command"]["server"]["edit"];
    assert_eq!((&edited["name"], &edited["kind"]), (&json!("gh"), &json!("sse")));
    assert_eq!((&edited["headers"], &asked["wishes"]["dry_run"]), (&json!(["K: v: w"]), &json!(true)));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_the_desk() {
    let fake = Fake::new("");
    for (method, path, body) in [
        ("POST", "/servers", json!({})),
        ("POST", "/servers", json!({ "name": "a", "command": "x", "url": "https://x" })),
        ("POST", "/servers", json!({ "name": "a", "url": "https://x", "env": { "A": "b" } })),
        ("POST", "/servers", json!({ "name": "a", "command": "x", "headers": { "A": "b" } })),
        ("POST", "/servers", json!({ "name": "a", "args": ["x"] })),
        ("POST", "/servers", json!({ "name": "a", "command": "x", "type": "http" })),
        ("POST", "/servers", json!({ "name": "a", "url": "https://x", "type": "stdio" })),
        ("POST", "/servers", json!({ "name": "a", "command": "x", "env": { "A=B": "c" } })),
        ("POST", "/servers", json!({ "name": "a", "url": "https://x", "headers": { "A: b\r\nC": "d" } })),
        ("POST", "/servers", json!({ "name": "a", "comand": "x" })),
        ("POST", "/servers", json!([1])),
        ("PATCH", "/servers/a", json!({ "name": "b", "command": "x" })),
        ("POST", "/servers/a/rename", Value::Null),
        ("PUT", "/profiles/ops", Value::Null),
        ("PUT", "/clients/cursor/link", json!({ "mode": "sometimes" })),
        ("POST", "/clients/push?dry_run=perhaps", Value::Null),
    ] {
        let told = fake.does(method, &format!("/api/v1{path}"), &body).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{method} {path} {body}: {}", told.text());
        assert_eq!(told.header("content-type"), "application/problem+json");
    }
    let told = fake.does("GET", "/api/v1/config/schema/other", &Value::Null).await;
    assert_eq!(
        (told.status, &told.json()["known"]),
        (StatusCode::NOT_FOUND, &json!(["catalogue", "settings", "policy"]))
    );
    assert!(fake.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn how_a_command_ended_is_told_by_the_status() {
    let cases: [(fn() -> Answer, StatusCode); 8] = [
        (|| failed(Failure::usage("find server `x`")), StatusCode::NOT_FOUND),
        (|| failed(Failure::usage("call a server `x`")), StatusCode::BAD_REQUEST),
        (|| failed(Failure::new(Code::BadFile, "read")), StatusCode::UNPROCESSABLE_ENTITY),
        (|| failed(Failure::conflict("push")), StatusCode::CONFLICT),
        (|| failed(Failure::failed("write")), StatusCode::INTERNAL_SERVER_ERROR),
        (|| failed(Failure::new(Code::Unreachable, "ask the daemon")), StatusCode::SERVICE_UNAVAILABLE),
        (Answer::default, StatusCode::OK),
        (|| Answer { document: Some(json!([1])), ..Answer::default() }, StatusCode::OK),
    ];
    for (answer, status) in cases {
        let fake = Fake::answering("", move |_| answer());
        let told = fake.does("POST", "/api/v1/clients/push", &Value::Null).await;
        assert_eq!(told.status, status, "{}", told.text());
    }
    let whole = || {
        let problem = Problem::error("bad").help("mend it");
        let failure =
            Failure::new(Code::BadFile, "push").because("why").hint("do").with_problems("f.toml", [problem]);
        Answer { document: Some(json!([{ "client": "cursor" }])), ..failed(failure) }
    };
    let fake = Fake::answering("", move |_| whole());
    let told = fake.does("POST", "/api/mcp/_sync", &Value::Null).await;
    assert_eq!(
        told.json(),
        json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "detail": "failed to push: why",
            "causes": ["why"], "hints": ["do"],
            "problems": [{ "severity": "error", "what": "bad", "help": "mend it", "file": "f.toml" }],
            "document": [{ "client": "cursor" }],
        })
    );
    assert_eq!(fake.last()["wishes"]["yes"], true, "a sync asks nothing");
}

fn failed(failure: Failure) -> Answer {
    Answer { failure: Some(failure), ..Answer::default() }
}

#[tokio::test]
async fn a_question_comes_back_and_its_answer_is_taken() {
    let question = Question::new("Write this?", "write", &[Said::Line("x".to_owned())]);
    let key = question.key.clone();
    let fake = Fake::answering("", move |ask| {
        if ask.wishes.yes || ask.agreed.contains(&question.key) {
            return Answer { document: Some(json!("done")), ..Answer::default() };
        }
        Answer { question: Some(question.clone()), ..failed(Failure::conflict("write")) }
    });
    let told = fake.does("POST", "/api/v1/clients/push", &Value::Null).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert_eq!(told.json()["question"], json!({ "text": "Write this?", "what": "write", "key": key }));
    for query in ["yes=true".to_owned(), format!("agreed=x&agreed={key}")] {
        let told = fake.does("POST", &format!("/api/v1/clients/push?{query}"), &Value::Null).await;
        assert_eq!((told.status, told.json()), (StatusCode::OK, json!("done")), "{query}");
    }
}

#[tokio::test]
async fn a_document_that_was_printed_is_the_answer() {
    let fake = Fake::answering("", |_| Answer {
        said: vec![Said::Line("x".to_owned()), Said::Document("{\"title\": \"t\"}\n".to_owned())],
        ..Answer::default()
    });
    let told = fake.does("GET", "/api/v1/config/schema/catalogue", &Value::Null).await;
    assert_eq!(told.json(), json!({ "title": "t" }));
}

#[tokio::test]
async fn the_control_socket_takes_a_command_as_it_is() {
    let fake =
        Fake::answering("", |_| Answer { said: vec![Said::Line("hello".to_owned())], ..Answer::default() });
    let ask = json!({ "command": "status", "wishes": {}, "agreed": [] });
    let post = || {
        let asked = with(request("POST", "/api/v1/command"), "content-type", "application/json");
        asked.map(|_| Body::from(ask.to_string()))
    };
    assert_eq!(fake.ask(post()).await.status, StatusCode::NOT_FOUND, "on the network it is not there");
    for host in ["localhost", "switchboard"] {
        let mut asked = post();
        asked.extensions_mut().insert(Peer::Control);
        asked.headers_mut().insert("host", host.parse().unwrap());
        let told = fake.ask(asked).await;
        assert_eq!((told.status, &told.json()["said"]), (StatusCode::OK, &json!([{ "line": "hello" }])));
    }
    assert!(matches!(fake.asked.lock().unwrap()[0].command, Command::Status));
    let mut asked = post();
    asked.extensions_mut().insert(Peer::Control);
    assert_eq!(fake.ask(asked).await.status, StatusCode::FORBIDDEN, "not by a name of the network");
    let mut asked = with(post(), "origin", "http://localhost");
    asked.extensions_mut().insert(Peer::Control);
    asked.headers_mut().insert("host", "localhost".parse().unwrap());
    assert_eq!(fake.ask(asked).await.status, StatusCode::FORBIDDEN, "no page comes this way");
}

#[tokio::test]
async fn the_description_has_every_route_and_nothing_else() {
    let fake = Fake::new("");
    let document = fake.does("GET", "/api/v1/openapi.json", &Value::Null).await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((path.clone(), method.to_uppercase()));
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()));
            let open = path.matches('{').count();
            let named = operation["parameters"].as_array().unwrap().iter().filter(|own| own["in"] == "path");
            assert_eq!(named.count(), open, "{path}");
        }
    }
    let table: BTreeSet<_> = routes(&switchboard_core::settings::Settings::default())
        .all
        .iter()
        .map(|route| (route.path.clone(), route.method.to_string()))
        .collect();
    assert_eq!(described, table);
    let ids: BTreeSet<_> =
        operations(&document).map(|operation| operation["operationId"].to_string()).collect();
    assert_eq!(ids.len(), table.len(), "each has a name of its own");
    // Whatever is referred to is there.
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
    assert_eq!(
        document["paths"]["/api/v1/servers"]["post"]["requestBody"]["content"]["application/json"]["schema"]
            ["$ref"],
        "#/components/schemas/ServerBody"
    );
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
}
