use super::*;

/// Shows what an event says: the names of the tools, and what was left out; or why nothing is taken.
fn shown(kind: &str, data: &[u8]) -> String {
    match announced(kind, data) {
        None => "other".to_owned(),
        Some(Err(garbage)) => garbage.to_string(),
        Some(Ok(Announcement { tools, nameless, repeated })) => {
            let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
            format!("[{}] {nameless} {repeated}", names.join(" "))
        }
    }
}

#[test]
fn tools_are_announced_in_more_than_one_way() {
    for (kind, data, expected) in [
        ("tools_list", r#"{"tools":[{"name":"a"},{"name":"b"}]}"#, "[a b] 0 0"),
        ("tools_list", "{\"tools\":\n [ ]\n}", "[] 0 0"),
        ("tools_list", r#"{"tools":[{"name":"a"}],"server":"k8s","time":1e400}"#, "[a] 0 0"),
        ("tools_list", r#"{"type":"tools_list","data":{"tools":[{"name":"a"}]}}"#, "[a] 0 0"),
        ("tools_list", r#"{"type":"anything","data":{"tools":[{"name":"a"}]}}"#, "[a] 0 0"),
        ("message", r#"{"type":"tools_list","data":{"tools":[{"name":"a"}]}}"#, "[a] 0 0"),
        ("message", r#"{"type":"tools_list","tools":[{"name":"a"}]}"#, "[a] 0 0"),
        ("message", r#"{"event":"tools\u005flist","tools":[{"name":"a"}]}"#, "[a] 0 0"),
        ("update", r#"{"event":"tools_list","data":{"tools":[]}}"#, "[] 0 0"),
        // Of other things nothing is said, whatever they are.
        ("message", r#"{"tools":[{"name":"a"}]}"#, "other"),
        ("message", r#"{"type":"pods_list","tools":[]}"#, "other"),
        ("message", "ping", "other"),
        ("ping", "", "other"),
        ("tools_list_changed", r#"{"tools":[]}"#, "other"),
    ] {
        assert_eq!(shown(kind, data.as_bytes()), expected, "{kind} {data}");
    }
}

#[test]
fn garbage_is_told_from_the_word_that_there_is_no_tool() {
    let shape = "it is not an object with a list of `tools`";
    for (data, expected) in [
        (&b""[..], "it is not JSON"),
        (b"hello", "it is not JSON"),
        (b"{\"tools\":[{\"name\":\"a\"}", "it is not JSON"),
        (b"{\"tools\":[]}{}", "it is not JSON"),
        (b"<html>", "it is not JSON"),
        (b"{\"tools\":[{\"name\":\"\xff\"}]}", "it is not UTF-8"),
        (b"{}", shape),
        (b"[]", shape),
        (b"7", shape),
        (b"null", shape),
        (b"{\"tools\":null}", shape),
        (b"{\"tools\":{}}", shape),
        (b"{\"tools\":\"[]\"}", shape),
        (b"{\"tools\":[],\"tools\":[]}", shape),
        (b"{\"data\":{}}", shape),
        (b"{\"data\":\"{\\\"tools\\\":[]}\"}", shape),
        (b"{\"tools\":[1,\"a\",null,{}]}", "none of its tools has a name"),
    ] {
        let name = String::from_utf8_lossy(data);
        assert_eq!(shown("tools_list", data), expected, "{name}");
    }
    let wrapped = br#"{"type":"tools_list","data":{"tools":3}}"#;
    assert_eq!(shown("message", wrapped), shape);
}

#[test]
fn bad_tools_are_left_out_and_counted() {
    let data = br#"{"tools":[{"name":"a","x":1},{"title":"A"},{"name":7},{"name":""},{"name":"\ud800"},
        {"name":"a","x":2},{"name":"b"}]}"#;
    assert_eq!(shown("tools_list", data), "[a b] 4 1");
    let first = announced("tools_list", data).unwrap().unwrap().tools.remove(0);
    assert!(first.raw.contains(r#""x":1"#), "{first:?}");
}

#[test]
fn a_tool_that_says_nothing_of_what_it_takes_takes_anything() {
    for (tool, expected) in [
        (
            r#"{"name":"a", "inputSchema": {"type":"object"}}"#,
            r#"{"name":"a", "inputSchema": {"type":"object"}}"#,
        ),
        (r#"{"name":"a" }"#, r#"{"name":"a" ,"inputSchema":{"type":"object"}}"#),
        (r#"{"name":"a","inputSchema":null}"#, r#"{"name":"a","inputSchema":null}"#),
    ] {
        let data = format!(r#"{{"tools":[{tool}]}}"#);
        let tools = announced("tools_list", data.as_bytes()).unwrap().unwrap().tools;
        assert_eq!(tools[0].raw, expected);
    }
}

#[test]
fn there_is_an_end_to_how_many_are_taken() {
    let of = |count: usize| {
        let tools: Vec<String> = (0..count).map(|number| format!(r#"{{"name":"t{number}"}}"#)).collect();
        format!(r#"{{"tools":[{}]}}"#, tools.join(","))
    };
    let many = of(MOST_TOOLS);
    assert_eq!(announced("tools_list", many.as_bytes()).unwrap().unwrap().tools.len(), MOST_TOOLS);
    let expected = "it has 100000 tools, and 50000 are taken of one server";
    assert_eq!(shown("tools_list", of(100_000).as_bytes()), expected);
}
