//! What clients see by each face, and what they asked to be told.

use switchboard_core::catalogue::{Server, ToolFilter};
use switchboard_gateway::face::{Face, Scope};

use crate::client::outcome;
use crate::stage::{House, Wire, named, server};

#[tokio::test(start_paused = true)]
async fn names_are_prefixed_and_of_two_that_are_one_the_first_is_kept() {
    let house = House::new(|server: Server, wire: Wire| async move {
        wire.answers(&["echo", "x", "hidden"], server.name.as_str()).await;
    });
    let tools = ToolFilter { deny: vec!["hidden".to_owned()], ..ToolFilter::default() };
    let prefixed = |name: &str, prefix: &str| Server {
        prefix: Some(prefix.to_owned()),
        tools: tools.clone(),
        ..server(name, "1")
    };
    house.serve(prefixed("a", "p")).await.unwrap();
    house.serve(prefixed("b", "p")).await.unwrap();
    house.serve(prefixed("c", "q")).await.unwrap();
    let mut client = house.client(Face::all(), "{}").await;
    assert_eq!(client.tools().await, ["p__echo", "p__x", "q__echo", "q__x"]);
    assert_eq!(client.outcome("1", "p__echo", "{}").await, "a");
    assert_eq!(client.outcome("2", "q__x", "{}").await, "c");
    for unknown in ["q__hidden", "echo", "a__echo", "nothing"] {
        let refused = client.outcome("3", unknown, "{}").await;
        assert!(refused.contains("-32602"), "{unknown}: {refused}");
    }
    let mut alone = house.client(Face::server(named("b")), "{}").await;
    assert_eq!(alone.tools().await, ["echo", "x"]);
    assert_eq!(alone.outcome("1", "echo", "{}").await, "b");
}

#[tokio::test(start_paused = true)]
async fn three_tools_find_describe_and_call_all_others() {
    let house = House::new(|server: Server, wire: Wire| async move {
        wire.answers(&["echo", "weather"], server.name.as_str()).await;
    });
    house.serve(server("a", "1")).await.unwrap();
    house.serve(server("b", "1")).await.unwrap();
    let mut client = house.client(Face { scope: Scope::All, search: true }, "{}").await;
    assert_eq!(client.tools().await, ["tool_search", "tool_describe", "tool_call"]);
    let found = client.outcome("1", "tool_search", r#"{"query":"weather"}"#).await;
    assert!(found.contains("a__weather") && found.contains("b__weather"), "{found}");
    let described = client.outcome("2", "tool_describe", r#"{"name":"b__weather"}"#).await;
    assert_eq!(described, r#"{"name":"b__weather","inputSchema":{"type":"object"}}"#);
    let call = r#"{"name":"b__weather","arguments":{}}"#;
    assert_eq!(client.outcome("3", "tool_call", call).await, "b");
    for (tool, arguments) in
        [("tool_call", r#"{"name":"nothing"}"#), ("tool_describe", r#"{"name":"nothing"}"#)]
    {
        let refused = client.outcome("4", tool, arguments).await;
        assert!(refused.contains("-32602"), "{tool}: {refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_client_is_told_what_is_grave_enough_for_it() {
    let house = House::new(|_, mut wire: Wire| async move {
        while let Some(heard) = wire.ordinary(&["log"]).await {
            for level in ["debug", "warning", "alert"] {
                wire.say(format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"{level}","data":1}}}}"#
                ))
                .await;
            }
            wire.say(heard.says("done")).await;
        }
    });
    house.serve(server("a", "1")).await.unwrap();
    for (level, told) in [("debug", 3), ("info", 2), ("warning", 2), ("error", 1), ("emergency", 0)] {
        let mut client = house.client(Face::server(named("a")), "{}").await;
        client.ask("1", "logging/setLevel", &format!(r#"{{"level":"{level}"}}"#));
        assert!(client.answer("1").await.contains("\"result\":{}"), "{level}");
        client.call("2", "log", "{}");
        assert_eq!(outcome(&client.answer("2").await), "done");
        assert_eq!(client.rest().len(), told, "{level}");
    }
    let mut client = house.client(Face::server(named("a")), "{}").await;
    client.ask("1", "logging/setLevel", r#"{"level":"loud"}"#);
    assert!(client.answer("1").await.contains("-32602"));
}
