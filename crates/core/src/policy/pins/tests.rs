use super::*;

fn tool(name: &str, description: &str) -> String {
    format!(r#"{{"name":"{name}","description":"{description}","inputSchema":{{"type":"object"}}}}"#)
}

/// Looks at one server that lists a tool with this description.
fn look(pins: &mut Pins, description: &str, before: Option<&str>, now: u64) -> Looked {
    let (raw, before) = (tool("t", description), before.map(|text| tool("t", text)));
    pins.look(("s", "1"), [("t", raw.as_str())], |_| before.clone(), now)
}

#[test]
fn a_tool_is_pinned_when_it_is_seen_and_told_when_it_becomes_another() {
    let mut pins = Pins::default();
    assert_eq!(look(&mut pins, "reads", None, 1), Looked { new: vec!["t".to_owned()], ..Looked::default() });
    assert_eq!(look(&mut pins, "reads", Some("reads"), 2), Looked::default());
    let changed = Looked { changed: vec!["t".to_owned()], ..Looked::default() };
    assert_eq!(look(&mut pins, "writes", Some("reads"), 3), changed);
    let diff = |pins: &Pins| pins.get("s", "t").unwrap().change.as_ref().unwrap().diff();
    assert_eq!(diff(&pins).unwrap(), "@@ description @@\n-\"reads\"\n+\"writes\"\n");
    assert_eq!(look(&mut pins, "writes", Some("writes"), 4), Looked::default(), "it is told once");
    assert_eq!(look(&mut pins, "erases", Some("writes"), 5), changed);
    assert_eq!(diff(&pins).unwrap(), "@@ description @@\n-\"reads\"\n+\"erases\"\n", "against the pin");
    assert!(
        pins.is_changed("s", "t", &tool("t", "erases")) && !pins.is_changed("s", "t", &tool("t", "reads"))
    );
    assert_eq!(
        pins.changed().map(|(server, tool, change)| (server, tool, change.at)).last(),
        Some(("s", "t", 5))
    );
    assert_eq!(look(&mut pins, "reads", Some("erases"), 6).back, ["t"]);
    assert_eq!(pins.changed().count(), 0);
}

#[test]
fn a_person_takes_it_as_what_it_has_become() {
    let mut pins = Pins::default();
    look(&mut pins, "reads", None, 1);
    assert!(!pins.approve("s", "t", 2) && !pins.approve("s", "other", 2) && !pins.approve("other", "t", 2));
    look(&mut pins, "writes", None, 2);
    assert_eq!(pins.get("s", "t").unwrap().change.as_ref().unwrap().diff(), None, "nobody knows what it was");
    assert!(pins.approve("s", "t", 3));
    assert_eq!((pins.changed().count(), pins.get("s", "t").unwrap().since), (0, 3));
    assert_eq!(look(&mut pins, "reads", Some("writes"), 4).changed, ["t"], "what it was is another now");
}

#[test]
fn what_is_launched_otherwise_is_another_server_and_what_is_called_otherwise_is_not() {
    let mut pins = Pins::default();
    look(&mut pins, "reads", None, 1);
    let now = |name: &str| [(name.to_owned(), "1".to_owned())].into();
    assert!(!pins.follow(&now("s")) && pins.follow(&now("r")));
    let raw = tool("t", "writes");
    assert_eq!(pins.look(("r", "1"), [("t", raw.as_str())], |_| None, 2).changed, ["t"]);
    assert_eq!(pins.look(("r", "2"), [("t", raw.as_str())], |_| None, 3).new, ["t"]);
    assert_eq!(pins.changed().count(), 0);
    // One that is gone for a moment is not forgotten.
    assert!(!pins.follow(&std::collections::BTreeMap::new()) && pins.knows("r"));
}

#[test]
fn a_tool_that_goes_and_comes_back_as_another_is_told_and_names_without_end_are_not_kept() {
    let mut pins = Pins::default();
    look(&mut pins, "reads", None, 1);
    assert_eq!(pins.look(("s", "1"), [], |_| None, 2), Looked::default());
    assert_eq!(look(&mut pins, "writes", None, 3).changed, ["t"]);
    for round in 0..5 {
        let names: Vec<String> = (0..500).map(|number| format!("{round}-{number}")).collect();
        pins.look(("s", "1"), names.iter().map(|name| (name.as_str(), "{}")), |_| None, 4);
    }
    assert!(pins.servers["s"].tools.len() <= MOST_GONE + 500);
}

#[test]
fn it_is_kept_as_it_is() {
    let mut pins = Pins::default();
    look(&mut pins, "reads", None, 1);
    look(&mut pins, "writes", Some("reads"), 2);
    let text = serde_json::to_string(&pins).unwrap();
    assert_eq!(serde_json::from_str::<Pins>(&text).unwrap(), pins, "{text}");
    // Of two tools with one name the first is meant.
    let (one, two) = (tool("t", "writes"), tool("t", "erases"));
    assert_eq!(
        pins.look(("s", "1"), [("t", one.as_str()), ("t", two.as_str())], |_| None, 3),
        Looked::default()
    );
}
