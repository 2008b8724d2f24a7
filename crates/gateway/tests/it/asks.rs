//! Servers ask their clients things: never is anybody asked who did not cause it.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use switchboard_core::catalogue::{Isolation, Server};
use switchboard_core::policy::Held;
use switchboard_gateway::face::Face;
use switchboard_gateway::policy::Holder;

use crate::client::{Client, id_of, outcome};
use crate::stage::{Heard, House, Wire, named, server};

const QUESTION: &str = r#"{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{"messages":[],"x":1.0,"_meta":{"progressToken":"t"}}}"#;

/// A server of the older era: `ask` asks the client and answers with what it said, `wait` is answered never, `back`
/// asks and takes the question back.
async fn asking(mut wire: Wire) {
    while let Some(heard) = wire.ordinary(&["ask", "ask_two", "wait", "back"]).await {
        match heard.tool.as_str() {
            "ask" => {
                wire.say(QUESTION).await;
                let said = answer(&mut wire, "\"q\"").await;
                wire.say(heard.says(&said)).await;
            }
            "ask_two" => {
                wire.say(QUESTION).await;
                wire.say(QUESTION.replace("\"q\"", "7")).await;
                let one = answer(&mut wire, "\"q\"").await;
                let two = answer(&mut wire, "7").await;
                wire.say(heard.says(&format!("{one} {two}"))).await;
            }
            "back" => {
                wire.say(QUESTION).await;
                wire.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q","reason":"enough"}}"#)
                    .await;
                wire.say(heard.says("taken back")).await;
            }
            _ => {}
        }
    }
}

/// Waits for the answer to a question, and returns its result or error as it is written.
async fn answer(wire: &mut Wire, id: &str) -> String {
    loop {
        let heard: Heard = wire.hear().await.expect("an answer");
        if heard.method.is_empty() && heard.id == id {
            let at =
                heard.line.find("\"result\"").or(heard.line.find("\"error\"")).expect("it says something");
            return heard.line[at..].to_owned();
        }
    }
}

fn reply(client: &Client, question: &str, what: &str) {
    client.say(&format!(r#"{{"jsonrpc":"2.0","id":{},{what}}}"#, id_of(question)));
}

const SAMPLING: &str = r#"{"sampling":{}}"#;

#[tokio::test(start_paused = true)]
async fn a_question_comes_to_the_one_whose_call_causes_it_and_the_answer_goes_back_as_it_is() {
    let house = House::new(|_, wire: Wire| asking(wire));
    house.serve(server("a", "1")).await.unwrap();
    let mut one = house.client(Face::server(named("a")), SAMPLING).await;
    let mut other = house.client(Face::server(named("a")), SAMPLING).await;
    one.call("1", "ask", "{}");
    let question = one.told("sampling/createMessage").await;
    let number = id_of(&question).to_owned();
    let wanted = QUESTION.replace("\"q\"", &number).replace("\"t\"", &number);
    assert_eq!(question, wanted, "the question as it is, under an id and a token of ours");
    // Somebody else's answer is nobody's.
    other.say(&format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{{"forged":true}}}}"#));
    reply(&one, &question, r#""result":{"role":"assistant","x":1.50}"#);
    assert_eq!(outcome(&one.answer("1").await), r#""result":{"role":"assistant","x":1.50}}"#);
    // A second answer is nobody's, too.
    reply(&one, &question, r#""result":{}"#);
    one.call("2", "ask", "{}");
    let question = one.told("sampling/createMessage").await;
    reply(&one, &question, r#""error":{"code":-1,"message":"no"}"#);
    assert_eq!(outcome(&one.answer("2").await), r#""error":{"code":-1,"message":"no"}}"#);
    one.call("3", "back", "{}");
    let question = one.told("sampling/createMessage").await;
    let back = one.told("notifications/cancelled").await;
    assert!(back.contains(&format!(r#""requestId":{},"reason":"enough""#, id_of(&question))), "{back}");
    assert_eq!(outcome(&one.answer("3").await), "taken back");
    assert_eq!(other.rest(), Vec::<String>::new(), "the other one hears nothing of it");
    let mut mute = house.client(Face::server(named("a")), "{}").await;
    let refused = mute.outcome("1", "ask", "{}").await;
    assert!(refused.contains("-32601"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn where_it_could_be_one_of_two_nobody_is_asked_and_from_then_on_each_has_a_process() {
    for (isolation, shared) in
        [(Isolation::Auto, true), (Isolation::Shared, true), (Isolation::PerSession, false)]
    {
        let house = House::new(|_, wire: Wire| asking(wire));
        house.serve(Server { isolation, ..server("a", "1") }).await.unwrap();
        let mut one = house.client(Face::server(named("a")), SAMPLING).await;
        let mut other = house.client(Face::server(named("a")), SAMPLING).await;
        one.call("1", "wait", "{}");
        other.call("1", "ask", "{}");
        if shared {
            let refused = outcome(&other.answer("1").await);
            assert!(refused.contains("-32603"), "{isolation:?}: {refused}");
            assert_eq!((one.rest(), other.rest()), (vec![], vec![]), "{isolation:?}: nobody was asked");
        }
        if isolation == Isolation::Shared {
            other.call("2", "ask", "{}");
            let refused = outcome(&other.answer("2").await);
            assert!(refused.contains("-32603"), "{isolation:?}: still shared: {refused}");
            continue;
        }
        for (client, id) in [(&mut one, "3"), (&mut other, "4")] {
            if shared || id == "3" {
                client.call(id, "ask", "{}");
            }
        }
        for (client, id) in [(&mut one, "3"), (&mut other, if shared { "4" } else { "1" })] {
            let question = client.told("sampling/createMessage").await;
            reply(client, &question, &format!(r#""result":{{"of":{id}}}"#));
            assert_eq!(outcome(&client.answer(id).await), format!(r#""result":{{"of":{id}}}}}"#));
        }
        let running = house.stage.running("a").0;
        assert!(running >= 2, "{isolation:?}: {running}");
        drop((one, other));
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(house.stage.running("a").0 < running, "{isolation:?}: they go with their sessions");
    }
}

/// Returns the parameters of a call of a client of the newer era.
fn modern(tool: &str, arguments: &str, more: &str) -> String {
    format!(
        r#"{{"name":"{tool}","arguments":{arguments}{more},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{"sampling":{{}}}},"io.modelcontextprotocol/clientInfo":{{"name":"c","version":"1"}}}}}}"#
    )
}

async fn ask_modern(client: &mut Client, id: &str, params: &str) -> Value {
    client.ask(id, "tools/call", params);
    serde_json::from_str(&client.answer(id).await).expect("JSON")
}

fn state(answer: &Value) -> String {
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    answer["result"]["requestState"].as_str().unwrap_or_else(|| panic!("no state in {answer}")).to_owned()
}

fn with(state: &str, responses: &str) -> String {
    format!(r#","requestState":"{state}","inputResponses":{responses}"#)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_be_asked_comes_back_with_the_answer() {
    let house = House::new(|_, wire: Wire| asking(wire));
    house.serve(server("a", "1")).await.unwrap();
    let mut client = Client::new(house.gateway.session(Face::server(named("a")), None).unwrap());
    let first = ask_modern(&mut client, "1", &modern("ask", "{\"n\":1}", "")).await;
    let question = &first["result"]["inputRequests"]["q1"];
    assert_eq!(question["method"], "sampling/createMessage", "{first}");
    let handle = state(&first);
    let forged = format!("{}0", &handle[..handle.len() - 1]);
    let forged = if forged == handle { format!("{}1", &handle[..handle.len() - 1]) } else { forged };
    let right = r#"{"q1":{"role":"assistant","x":1.50}}"#;
    for (what, params) in [
        ("another handle", modern("ask", "{\"n\":1}", &with(&forged, right))),
        ("another call", modern("ask", "{\"n\":2}", &with(&handle, right))),
        ("another tool", modern("wait", "{\"n\":1}", &with(&handle, right))),
        ("no text", modern("ask", "{\"n\":1}", r#","requestState":7,"inputResponses":{}"#)),
    ] {
        let refused = ask_modern(&mut client, "2", &params).await;
        assert_eq!(refused["error"]["code"], -32602, "{what}: {refused}");
    }
    // Nor is it somebody else's who knows all of it.
    let holder = Holder { who: "ci".into(), held: Arc::new(Held::parse(["a:*:*"]).unwrap()) };
    let mut ci = Client::new(house.gateway.session_of(Face::server(named("a")), None, holder).unwrap());
    let refused = ask_modern(&mut ci, "2", &modern("ask", "{\"n\":1}", &with(&handle, right))).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let missing = ask_modern(&mut client, "3", &modern("ask", "{\"n\":1}", &with(&handle, "{}"))).await;
    let fresh = state(&missing);
    assert_ne!(fresh, handle);
    let done = ask_modern(&mut client, "4", &modern("ask", "{\"n\":1}", &with(&fresh, right))).await;
    assert_eq!(outcome(&done.to_string()), r#""result":{"role":"assistant","x":1.50}}"#);
    for used in [handle, fresh] {
        let refused = ask_modern(&mut client, "5", &modern("ask", "{\"n\":1}", &with(&used, right))).await;
        assert_eq!(refused["error"]["code"], -32602, "a handle is good once: {refused}");
    }
    assert_eq!(client.rest(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn two_questions_of_one_call_are_both_answered() {
    let house = House::new(|_, wire: Wire| asking(wire));
    house.serve(server("a", "1")).await.unwrap();
    let mut client = Client::new(house.gateway.session(Face::server(named("a")), None).unwrap());
    let mut told = ask_modern(&mut client, "1", &modern("ask_two", "{}", "")).await;
    for round in 0..4 {
        if told["result"]["resultType"] != "input_required" {
            break;
        }
        let keys: Vec<String> =
            told["result"]["inputRequests"].as_object().unwrap().keys().cloned().collect();
        let responses: Vec<String> = keys.iter().map(|key| format!(r#""{key}":{{"x":1}}"#)).collect();
        let more = with(&state(&told), &format!("{{{}}}", responses.join(",")));
        told = ask_modern(&mut client, &format!("{}", 10 + round), &modern("ask_two", "{}", &more)).await;
    }
    assert_eq!(outcome(&told.to_string()), r#""result":{"x":1}} "result":{"x":1}}"#);
}

/// A server of the newer era that wants `rounds` answers before it does what it is asked.
async fn newer(mut wire: Wire, rounds: usize) {
    while let Some(heard) = wire.hear().await {
        let said: Value = serde_json::from_str(&heard.line).unwrap();
        let answer = match heard.method.as_str() {
            "server/discover" => heard.result(
                r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#,
            ),
            "tools/list" => heard.result(&crate::stage::list(&["ask"])),
            "tools/call" => {
                let state = said["params"]["requestState"].as_str().unwrap_or("0");
                let round: usize = state.parse().unwrap();
                if round < rounds {
                    heard.result(&format!(
                        r#"{{"resultType":"input_required","inputRequests":{{"k{round}":{{"method":"sampling/createMessage","params":{{"messages":[]}}}}}},"requestState":"{}"}}"#,
                        round + 1
                    ))
                } else {
                    heard.says(&said["params"]["inputResponses"].to_string())
                }
            }
            _ => continue,
        };
        wire.say(answer).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_of_the_older_era_is_asked_what_a_newer_server_needs() {
    for (rounds, ends) in [(1, true), (3, true), (10, true), (11, false)] {
        let house = House::new(move |_, wire: Wire| newer(wire, rounds));
        house.serve(server("a", "1")).await.unwrap();
        let mut client = house.client(Face::server(named("a")), SAMPLING).await;
        client.call("1", "ask", "{}");
        for round in 0..rounds.min(10) {
            let question = client.told("sampling/createMessage").await;
            reply(&client, &question, &format!(r#""result":{{"round":{round}}}"#));
        }
        let outcome = outcome(&client.answer("1").await);
        if ends {
            let last = rounds - 1;
            assert_eq!(outcome, format!(r#"{{"k{last}":{{"round":{last}}}}}"#), "{rounds}");
        } else {
            assert!(outcome.contains("again and again"), "{outcome}");
        }
        assert_eq!(client.rest(), Vec::<String>::new());
    }
    let house = House::new(|_, wire: Wire| newer(wire, 1));
    house.serve(server("a", "1")).await.unwrap();
    let mut mute = house.client(Face::server(named("a")), "{}").await;
    let refused = mute.outcome("1", "ask", "{}").await;
    assert!(refused.contains("cannot do"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn an_address_to_open_is_told_to_those_who_can_open_it() {
    let house = House::new(|_, mut wire: Wire| async move {
        while let Some(heard) = wire.ordinary(&["open"]).await {
            let data =
                r#"{"elicitations":[{"mode":"url","elicitationId":"1","url":"https://x","message":"?"}]}"#;
            wire.say(heard.error(&format!(r#"{{"code":-32042,"message":"open it","data":{data}}}"#))).await;
        }
    });
    house.serve(server("a", "1")).await.unwrap();
    let mut client = Client::new(house.gateway.session(Face::server(named("a")), None).unwrap());
    for (capabilities, can) in [
        ("{}", false),
        (r#"{"elicitation":{"form":{}}}"#, false),
        (r#"{"elicitation":{"form":{},"url":{}}}"#, true),
    ] {
        let params = modern("open", "{}", "").replace(SAMPLING, capabilities);
        let answer = ask_modern(&mut client, "1", &params).await;
        if can {
            assert_eq!(answer["result"]["inputRequests"]["url1"]["params"]["url"], "https://x", "{answer}");
        } else {
            assert_eq!(answer["error"]["code"], -32021, "{capabilities}: {answer}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_logs_what_the_most_talkative_of_those_wants_who_have_said_so() {
    let levels = Arc::<Mutex<Vec<String>>>::default();
    let heard = Arc::clone(&levels);
    let house = House::new(move |_, mut wire: Wire| {
        let heard = Arc::clone(&heard);
        async move {
            while let Some(asked) = wire.hear().await {
                let answer = match asked.method.as_str() {
                    "initialize" => asked.result(r#"{"protocolVersion":"2025-11-25","capabilities":{"logging":{}},"serverInfo":{"name":"a","version":"1"}}"#),
                    "logging/setLevel" => {
                        let said: Value = serde_json::from_str(&asked.line).unwrap();
                        heard.lock().unwrap().push(said["params"]["level"].as_str().unwrap().to_owned());
                        asked.result("{}")
                    }
                    _ if asked.id.is_empty() => continue,
                    _ => asked.error(r#"{"code":-32601,"message":"no"}"#),
                };
                wire.say(answer).await;
            }
        }
    });
    house.serve(server("a", "1")).await.unwrap();
    let _silent = house.client(Face::server(named("a")), "{}").await;
    let mut one = house.client(Face::server(named("a")), "{}").await;
    let mut other = house.client(Face::server(named("a")), "{}").await;
    for (client, level) in [(&mut one, "error"), (&mut other, "debug")] {
        client.ask("1", "logging/setLevel", &format!(r#"{{"level":"{level}"}}"#));
        client.answer("1").await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    other.session.close();
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(*levels.lock().unwrap(), ["error", "debug", "error"]);
}
