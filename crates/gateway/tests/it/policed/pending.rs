//! Calls that wait for somebody to agree, where the client cannot ask, or asks by coming back.

use super::*;

fn high_asks(settings: &mut Settings) {
    settings.decisions.high = Decision::Ask;
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_word_and_the_same_call_is_passed_on_once() {
    let stage = Stage::new("", high_asks).await;
    let gateway = &stage.house.gateway;
    let mut client = stage.user().await;
    let mut calls = 0;
    let mut delete = async |arguments: &str| {
        calls += 1;
        client.call(&calls.to_string(), "delete_pod", arguments);
        text(&client.answer(&calls.to_string()).await)
    };
    let told = delete(r#"{"name":"web","force":true}"#).await;
    assert!(told.contains("the user has to agree first") && told.contains("policy approve 1"), "{told}");
    assert!(
        delete(r#"{"name":"web","force":true}"#).await.contains("policy approve 1"),
        "it is the same call"
    );
    assert!(delete(r#"{"name":"db"}"#).await.contains("policy approve 2"), "and this is another");
    let waiting = gateway.waiting();
    assert_eq!(waiting.iter().map(|call| call.number).collect::<Vec<_>>(), [1, 2]);
    let first = &waiting[0];
    assert_eq!((&*first.who, &*first.server, &*first.tool), ("me", "k8s", "delete_pod"));
    assert_eq!(first.arguments, r#"{"name":"web","force":true}"#);
    let decided = [(1, true), (2, false), (3, true)].map(|(number, agreed)| gateway.decide(number, agreed));
    assert_eq!(decided.map(|call| call.map(|call| call.number)), [Some(1), Some(2), None]);
    assert_eq!(gateway.waiting(), []);
    assert_eq!(delete(r#"{ "force": true, "name": "web" }"#).await, "delete_pod", "however it is written");
    assert!(delete(r#"{"name":"db"}"#).await.contains("did not agree"));
    assert!(
        delete(r#"{"name":"web","force":true}"#).await.contains("policy approve 3"),
        "a word counts once"
    );
    // Somebody else has to have a word of their own.
    gateway.decide(3, true);
    let mut other = stage.client("other", &["*"], Face::server(named("k8s")), "{}").await;
    other.call("1", "delete_pod", r#"{"name":"web","force":true}"#);
    assert!(text(&other.answer("1").await).contains("policy approve 4"));
    // What nobody uses is forgotten.
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert_eq!(gateway.waiting(), []);
    assert!(delete(r#"{"name":"web","force":true}"#).await.contains("policy approve 5"));
}

#[tokio::test(start_paused = true)]
async fn what_was_agreed_to_is_this_call_and_no_other_that_looks_like_it() {
    let stage = Stage::new("", high_asks).await;
    let mut client = stage.user().await;
    let agreed = r#"{"name":"web","id":10000000000000000000001}"#;
    client.call("0", "delete_pod", agreed);
    client.answer("0").await;
    stage.house.gateway.decide(1, true);
    for (id, other) in [
        ("1", r#"{"name":"web","id":10000000000000000000999}"#),
        ("2", r#"{"name":"db","name":"web","id":10000000000000000000001}"#),
        ("3", r#"{"name":"web","id":10000000000000000000001,"more":null}"#),
    ] {
        client.call(id, "delete_pod", other);
        assert!(text(&client.answer(id).await).contains("the user has to agree first"), "{other}");
    }
    client.call("4", "delete_pod", r#"{ "id" : 10000000000000000000001, "name" : "web" }"#);
    assert_eq!(text(&client.answer("4").await), "delete_pod");
}

#[tokio::test(start_paused = true)]
async fn only_what_goes_on_counts_for_the_rate() {
    let stage = Stage::new("[tools.k8s.delete_pod]\nrate = \"1/h\"\n", high_asks).await;
    let mut client = stage.user().await;
    assert!(call(&mut client, "1", "delete_pod").await.contains("policy approve 1"));
    stage.house.gateway.decide(1, true);
    assert_eq!(call(&mut client, "2", "delete_pod").await, "delete_pod");
    assert!(call(&mut client, "3", "delete_pod").await.contains("policy approve 2"));
    stage.house.gateway.decide(2, true);
    assert!(call(&mut client, "4", "delete_pod").await.contains("it may be called 1/h"));
}

#[tokio::test(start_paused = true)]
async fn there_is_an_end_to_what_waits() {
    let stage = Stage::new("", high_asks).await;
    let mut client = stage.user().await;
    for number in 0..300 {
        let id = number.to_string();
        client.call(&id, "delete_pod", &id);
        client.answer(&id).await;
    }
    let waiting = stage.house.gateway.waiting();
    assert_eq!((waiting.len(), waiting[0].number), (256, 45));
}

/// The params of a call of a stateless client that can ask its user, or not.
fn modern(arguments: &str, more: &str, capabilities: &str) -> String {
    modern_call("delete_pod", arguments, more, capabilities)
}

/// The same of another tool.
pub(super) fn modern_call(tool: &str, arguments: &str, more: &str, capabilities: &str) -> String {
    format!(
        r#"{{"name":"{tool}","arguments":{arguments}{more},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{capabilities},"io.modelcontextprotocol/clientInfo":{{"name":"c","version":"1"}}}}}}"#
    )
}

#[tokio::test(start_paused = true)]
async fn a_stateless_client_asks_its_user_and_comes_back() {
    let stage = Stage::new("", high_asks).await;
    let holder = Holder { who: "me".into(), held: Arc::new(Held::parse(["*"]).unwrap()) };
    let session = stage.house.gateway.session_of(Face::server(named("k8s")), None, holder).unwrap();
    let mut client = Client::new(session);
    let mut calls = 0;
    let mut delete = async |params: String| -> Value {
        calls += 1;
        client.ask(&calls.to_string(), "tools/call", &params);
        serde_json::from_str(&client.answer(&calls.to_string()).await).unwrap()
    };
    let asks = r#"{"elicitation":{"form":{}}}"#;
    for (answer, outcome) in [
        (r#""approve":{"action":"accept","content":{}}"#, "delete_pod"),
        (r#""approve":{"action":"decline"}"#, "did not agree"),
    ] {
        let asked = delete(modern(r#"{"name":"web"}"#, "", asks)).await;
        let result = &asked["result"];
        assert_eq!(result["resultType"], "input_required", "{asked}");
        let question = &result["inputRequests"]["approve"];
        assert_eq!(question["method"], "elicitation/create");
        assert!(question["params"]["message"].as_str().unwrap().contains("web"), "{asked}");
        let state = &result["requestState"];
        let back = format!(r#","requestState":{state},"inputResponses":{{{answer}}}"#);
        // What was agreed to is this call, and no other.
        let other = delete(modern(r#"{"name":"db"}"#, &back.replace("inputResponses", "x"), asks)).await;
        assert_eq!(other["result"]["resultType"], "input_required", "{other}");
        let said = delete(modern(r#"{"name":"web"}"#, &back, asks)).await;
        assert!(said["result"]["content"][0]["text"].as_str().unwrap().contains(outcome), "{said}");
        assert_eq!(said["result"]["resultType"], "complete");
    }
    let cannot = delete(modern(r#"{"name":"web"}"#, "", "{}")).await;
    assert!(cannot["result"]["content"][0]["text"].as_str().unwrap().contains("policy approve"), "{cannot}");
}
