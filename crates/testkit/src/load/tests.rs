use std::time::Duration;

use super::Fault;
use super::check::{About, about, called, listed, whole};
use super::message::{Call, Era, list};
use super::tally::Tally;

#[test]
fn only_the_right_answer_is_right() {
    let right = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"so"}]}}"#;
    assert_eq!(called(right.as_bytes(), 7, "so"), Ok(()));
    let reordered =
        r#"{"result":{"x":1,"content":[{"text":"so","type":"text","y":[]}],"isError":false},"id":7}"#;
    assert_eq!(called(reordered.as_bytes(), 7, "so"), Ok(()));
    for (story, from, to, is_wrong) in [
        ("another text", "\"so\"", "\"no\"", true),
        ("a longer text", "\"so\"", "\"so \"", true),
        ("no text", "\"so\"", "null", true),
        ("another type", "\"text\",", "\"image\",", true),
        ("another id", "7", "8", true),
        ("the id as a text", "7", "\"7\"", true),
        ("no id", "\"id\":7,", "", true),
        ("two texts", "}]", "},{\"type\":\"text\",\"text\":\"so\"}]", true),
        ("no text at all", "{\"type\":\"text\",\"text\":\"so\"}", "", true),
        ("half of it", "}]}}", "}", true),
        ("an error of the tool", "\"content\"", "\"isError\":true,\"content\"", false),
        ("an error", "\"result\"", "\"error\"", false),
    ] {
        let answer = right.replace(from, to);
        let fault = called(answer.as_bytes(), 7, "so").expect_err(story);
        assert_eq!(matches!(fault, Fault::Wrong(_)), is_wrong, "{story}: {fault}");
    }
}

#[test]
fn only_a_whole_list_is_right() {
    let tool = |name: &str| format!(r#"{{"name":"{name}","inputSchema":{{}}}}"#);
    let answer = |tools: &[&str], more: &str| {
        let tools: Vec<_> = tools.iter().map(|name| tool(name)).collect();
        format!(r#"{{"id":1,"result":{{"tools":[{}]{more}}}}}"#, tools.join(","))
    };
    let check = |tools: &[&str], more: &str| {
        listed(answer(tools, more).as_bytes(), 1).and_then(|names| whole(&names, 3))
    };
    assert_eq!(check(&["echo", "big", "tool_0002"], ""), Ok(()));
    assert_eq!(check(&["a__echo", "a__big", "a__tool_0002"], ""), Ok(()));
    for (tools, more) in [
        (&["echo", "big"][..], ""),
        (&["echo", "big", "big"], ""),
        (&["echo", "big", "tool_0003"], ""),
        (&["echo", "big", "tool_0002", "tool_0003"], ""),
        (&["echo", "big", "tool_0002"], r#","nextCursor":"x""#),
    ] {
        assert!(matches!(check(tools, more), Err(Fault::Wrong(_))), "{tools:?} {more}");
    }
}

#[test]
fn whom_a_message_is_for_is_told_by_its_envelope() {
    for (message, expected) in [
        (r#"{"id":7,"result":{}}"#, About::Answer(Some(7))),
        (r#"{"id":"7","result":{}}"#, About::Answer(None)),
        (r#"{"id":"x","method":"ping"}"#, About::Request("ping".to_owned(), "\"x\"".to_owned())),
        (r#"{"method":"notifications/message"}"#, About::Notification("notifications/message".to_owned())),
    ] {
        assert_eq!(about(message.as_bytes()), Ok(expected), "{message}");
    }
}

#[test]
fn what_is_sent_is_json_of_its_era() {
    let (mut body, mut text) = (String::new(), String::new());
    for era in [Era::Legacy, Era::Modern] {
        let is_modern = era == Era::Modern;
        list(1, era, &mut body);
        let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(sent["params"]["_meta"].is_object(), is_modern);
        for big in [false, true] {
            Call { tool: "echo".to_owned(), bytes: 9, big }.write(2, "mark.", era, &mut body, &mut text);
            let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!((text.as_str(), &sent["id"]), ("mark.xxxx", &2.into()));
            assert_eq!(sent["params"]["_meta"].is_object(), is_modern);
            let arguments = &sent["params"]["arguments"];
            let expected = if big {
                serde_json::json!({ "mark": "mark.", "bytes": 9 })
            } else {
                serde_json::json!({ "text": text })
            };
            assert_eq!(arguments, &expected);
        }
    }
}

#[test]
fn a_tally_counts_what_was_right_apart() {
    let mut tally = Tally::default();
    assert!(!tally.is_right(), "nothing was measured");
    for micros in (1..=101).rev() {
        tally.add(&Ok(Duration::from_micros(micros)));
    }
    assert!(tally.is_right());
    let told = tally.told();
    assert_eq!([&told["min"], &told["p50"], &told["p99"], &told["max"]], [1_000, 51_000, 100_000, 101_000]);
    let mut other = Tally::default();
    other.add(&Err(Fault::Wrong("no".to_owned())));
    other.add(&Err(Fault::Lost));
    tally.join(other);
    let told = tally.told();
    assert_eq!([&told["calls"], &told["wrong"], &told["failed"]], [101, 1, 1]);
    assert!(!tally.is_right());
}
