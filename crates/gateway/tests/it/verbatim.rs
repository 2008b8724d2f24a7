//! What a client writes is what the server reads, byte for byte, and the other way round.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use switchboard_gateway::face::Face;

use crate::client::Client;
use crate::stage::{House, Wire, named, server};

/// A message of the client's and of the server's around a value, with members that nobody knows at every level.
fn call(id: &str, value: &str) -> String {
    format!(
        r#"{{"x-one":1.0,"jsonrpc":"2.0","id":{id},"params":{{"_meta":{{"x":[{value}]}},"arguments":{value},"name":"echo","x-two":{{"id":1.50}}}},"method":"tools/call","x-three":null}}"#
    )
}

fn answer(id: &str, value: &str) -> String {
    format!(r#"{{"result":{{"content":[],"x-one":{value}}},"x-two":1E5,"id":{id},"jsonrpc":"2.0"}}"#)
}

/// Returns a client of a server that keeps the calls that it hears, and answers each with its arguments.
async fn stage() -> (House, Client, Arc<Mutex<Vec<(String, String)>>>) {
    let heard = Arc::<Mutex<Vec<(String, String)>>>::default();
    let keep = Arc::clone(&heard);
    let house = House::new(move |_, mut wire: Wire| {
        let keep = Arc::clone(&keep);
        async move {
            while let Some(call) = wire.ordinary(&["echo"]).await {
                wire.say(answer(&call.id, &call.arguments)).await;
                keep.lock().unwrap().push((call.id, call.line));
            }
        }
    });
    house.serve(server("a", "1")).await.unwrap();
    let client = house.client(Face::server(named("a")), "{}").await;
    (house, client, heard)
}

async fn passes(client: &mut Client, heard: &Mutex<Vec<(String, String)>>, value: &str) {
    client.say(&call("\"mine\"", value));
    let came = client.next().await;
    // Line ends between tokens say nothing, and a message is a line.
    let line = value.replace(['\n', '\r'], " ");
    assert!(came == answer("\"mine\"", &line), "came back otherwise: {value:.200}");
    let (id, there) = heard.lock().unwrap().pop().expect("it was heard");
    assert!(there == call(&id, &line), "arrived otherwise: {value:.200}");
}

#[tokio::test(start_paused = true)]
async fn awkward_values_pass_as_they_are() {
    let (_house, mut client, heard) = stage().await;
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let long = format!("\"{}\"", "abcdefgh".repeat(5 << 17));
    for value in [
        "1",
        "1.0",
        "-0",
        "-0.0",
        "1e400",
        "1E+2",
        "123456789012345678901234567890",
        "0.1000000000000000055511151231257827",
        "9007199254740993",
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\ud83d\ude00""#,
        r#""😀""#,
        r#""\u0000""#,
        r#""\u00e9é\/""#,
        r#""\b\f\n\r\t\\\"""#,
        "\"\u{2028}\u{2029}\u{feff}\u{7f}\"",
        r#"{"a":1,"a":2,"":3,"":4}"#,
        r#"{"id":1,"method":"x","params":{},"result":{},"error":{},"jsonrpc":"1.0"}"#,
        r#"{"name":"other","arguments":{"name":"other"},"_meta":{"progressToken":7}}"#,
        r#"{"b":1,"a":2}"#,
        "{ \"a\" : [ 1 ,\t2 ] }",
        "{\r\n  \"a\": 1\n}",
        "[]",
        "{}",
        "null",
        "\"\"",
        &deep,
        &long,
    ] {
        passes(&mut client, &heard, value).await;
    }
}

/// Any JSON, in any spelling.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof!["[a-z \u{e9}\u{1f600}]{0,8}", r"(\\u[0-9a-fA-F]{4}|\\[nrtbf/]|x){0,4}",]
        .prop_map(|text| format!("\"{text}\""));
    let number = "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?";
    let leaf =
        prop_oneof![Just("null".to_owned()), Just("true".to_owned()), number.prop_map(|n| n), text.clone()];
    let space = prop_oneof![Just(""), Just(" "), Just("\t"), Just("\n")];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let member = (text.clone(), space.clone(), inner.clone())
            .prop_map(|(name, space, value)| format!("{space}{name}{space}:{space}{value}{space}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            proptest::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

#[tokio::test(start_paused = true)]
async fn any_value_passes_as_it_is() {
    let (_house, mut client, heard) = stage().await;
    let mut runner = TestRunner::deterministic();
    let any = json();
    for _ in 0..512 {
        let value = any.new_tree(&mut runner).unwrap().current();
        passes(&mut client, &heard, &value).await;
    }
}
