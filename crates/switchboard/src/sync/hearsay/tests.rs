use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use switchboard_core::launch::Launch;
use switchboard_core::name::ServerName;
use switchboard_core::registry::{Choice, Outcome, Wanted, decide};
use switchboard_gateway::offer::Item as OfferItem;

use super::*;

fn server() -> Server {
    Server::new(ServerName::parse("k8s").unwrap(), Launch::stdio("k8s-mcp", [""; 0]))
}

/// Returns what is known of a server of which a feed says that it has these tools.
fn hearsay(names: &[&str]) -> Arc<Offer> {
    let gateway = crate::daemon::gateway_for_tests();
    let served = [(Arc::new(server()), "1".to_owned())];
    gateway.start(Arc::clone(&served[0].0), "1".to_owned(), |_| {});
    gateway.publish(&served, BTreeMap::new());
    let item = |name: &&str| OfferItem {
        key: (*name).to_owned(),
        raw: Bytes::from(format!(r#"{{"name":"{name}"}}"#)),
    };
    let tools: Arc<[OfferItem]> = names.iter().map(item).collect();
    gateway.announce(&served[0].0.name, "1", &tools).unwrap();
    gateway.offer(&served[0].0.name, "1").unwrap()
}

/// Puts what came of asking the server into the registry.
fn put(registry: &mut Registry, outcome: Outcome<Seen<'_>>) {
    let server = server();
    let wanted = Wanted { name: server.name.clone(), fingerprint: server.launch.fingerprint() };
    let sync = decide(&[wanted], &registry.held(), &Choice::All);
    registry.replace(&sync.fold(BTreeMap::from([(server.name, outcome)])), 1).unwrap();
}

#[tokio::test]
async fn other_tools_leave_the_rest_of_what_a_server_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(&folder.path().join("registry.db"));
    let (old, new) = (hearsay(&["old"]), hearsay(&["a", "b"]));
    assert!(Before::of(&mut registry, &server()).is_none());
    let prompt = SeenItem { kind: Kind::Prompt, name: "p", raw: br#"{"name":"p"}"# };
    let tool = SeenItem { kind: Kind::Tool, name: "old", raw: br#"{"name":"old"}"# };
    let said = Seen {
        revision: "2025-06-18",
        capabilities: r#"{"prompts":{},"tools":{"listChanged":true}}"#,
        info: Some(r#"{"name":"k8s"}"#),
        instructions: Some("\"look before you leap\""),
        items: vec![tool, prompt],
    };
    put(&mut registry, Ok(said.clone()));
    let before = Before::of(&mut registry, &server()).unwrap();
    assert!(before.has(&old) && !before.has(&new) && !before.has(&hearsay(&[])));
    put(&mut registry, Ok(before.with(&new)));

    let after = Before::of(&mut registry, &server()).unwrap();
    assert!(after.has(&new) && !after.has(&old));
    assert!(!after.has(&hearsay(&["b", "a"])), "their order is the server's");
    let whole = after.with(&new);
    assert_eq!(Seen { items: Vec::new(), ..whole.clone() }, Seen { items: Vec::new(), ..said });
    let names: Vec<_> = whole.items.iter().map(|item| (item.kind, item.name)).collect();
    assert_eq!(names, [(Kind::Tool, "a"), (Kind::Tool, "b"), (Kind::Prompt, "p")]);

    // What is known of a server that does not answer is as good as new once somebody says the same.
    put(&mut registry, Err("it is ill".to_owned()));
    assert!(!Before::of(&mut registry, &server()).unwrap().has(&new));
    // Launched otherwise it may be another one.
    let other = Server { launch: Launch::stdio("other", [""; 0]), ..server() };
    assert!(Before::of(&mut registry, &other).is_none());
}
