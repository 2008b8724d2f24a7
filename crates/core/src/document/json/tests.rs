//! What is read, where problems are told, and what edits look like.

use super::super::{Change, Document, Footing, Format, NodeKind, Step, UnreadableReason};
use crate::value::Value;
use Format::{Json, Json5, JsonComments, Jsonc};

const ALL: [Format; 4] = [Json, JsonComments, Jsonc, Json5];

/// Reads a path as `a/b`; `name=x` is the item whose name is `x`.
fn path(path: &str) -> Vec<Step> {
    path.split('/')
        .map(|step| {
            step.split_once('=').map_or_else(|| Step::key(step), |(key, value)| Step::item(key, value))
        })
        .collect()
}

/// Reads a value from compact JSON.
fn value(text: &str) -> Value {
    Document::parse(text, Json5).unwrap().root().unwrap().value()
}

fn set(at: &str, to: &str) -> Change {
    Change::set(path(at), value(to))
}

fn remove(at: &str) -> Change {
    Change::remove(path(at))
}

fn server() -> Value {
    value(r#"{"command": "uvx", "args": ["mcp", "-v"], "env": {"A": "1"}}"#)
}

#[track_caller]
fn check(story: &str, before: &str, changes: &[Change], after: &str) {
    check_as(Jsonc, story, before, changes, after);
}

#[track_caller]
fn check_as(format: Format, story: &str, before: &str, changes: &[Change], after: &str) {
    let document = Document::parse(before, format).unwrap_or_else(|error| panic!("{story}: {error}"));
    let revised = document.revised(changes).unwrap_or_else(|error| panic!("{story}: {error}"));
    assert_eq!(revised, after, "{story}\n--- is\n{revised}\n--- should be\n{after}\n---");
}

#[test]
fn each_format_reads_what_its_clients_read() {
    for (text, formats) in [
        (r#"{"a": [1, -0, 0.5, 1e400, 1E+2, 12345678901234567890123], "b": {}}"#, &ALL[..]),
        (" \t\r\n[] \n", &ALL),
        ("\u{feff}{}", &ALL),
        ("\"\u{7f}\u{2028}\"", &ALL),
        (r#""\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\""#, &ALL),
        (r#""\ud800""#, &ALL),
        (r#""\ude00\ud83d""#, &ALL),
        (r#"{"": 1, "__proto__": 2, "\u0001": 3}"#, &ALL),
        ("{} // c", &[JsonComments, Jsonc, Json5]),
        ("/* a */ [1 /* b */, // c\r2]", &[JsonComments, Jsonc, Json5]),
        ("/***/[]", &[JsonComments, Jsonc, Json5]),
        ("[1,]", &[Jsonc, Json5]),
        ("{\"a\": 1, }", &[Jsonc, Json5]),
        ("{a: 1, $b_1: 2, 'c': 3, \\u0064é: 4, null: 5}", &[Json5]),
        ("[0x1F, 0XaB, +1, .5, 5., -.5e1, Infinity, -Infinity, +NaN, 5.e2]", &[Json5]),
        ("['it\\'s \"', '\\x41\\v\\0\\a', 'a\\\nb', 'a\\\r\nb', '\t']", &[Json5]),
        ("\u{a0}\u{feff}[\u{b}\u{c}\u{2003}\u{2029}]", &[Json5]),
        ("[// c\u{2028}1]", &[Json5]),
        // Not even JSON5:
        ("[,]", &[]),
        ("[1,,]", &[]),
        ("{,}", &[]),
        ("[1 2]", &[]),
        ("{\"a\" 1}", &[]),
        ("{\"a\": 1 \"b\": 2}", &[]),
        ("[01]", &[]),
        ("[-]", &[]),
        ("[1.e]", &[]),
        ("[1e]", &[]),
        ("[0x]", &[]),
        ("[.]", &[]),
        ("[--1]", &[]),
        ("[tru]", &[]),
        ("[nul]", &[]),
        ("\"a\nb\"", &[]),
        ("\"\\u12g4\"", &[]),
        ("'\\1'", &[]),
        ("# c\n1", &[]),
        ("1 2", &[]),
        ("{\"\\ud800\": 1}", &[]),
        ("{1a: 1}", &[]),
        ("[1}", &[]),
        ("[/]", &[]),
    ] {
        for format in ALL {
            let read = Document::parse(text, format);
            assert_eq!(read.is_ok(), formats.contains(&format), "{format:?} {text:?}: {read:?}");
        }
    }
}

#[test]
fn texts_are_decoded_and_numbers_kept_as_spelt() {
    for (text, expected) in [
        (r#""\u00e9\ud83d\ude00\/\u0041""#, Value::text("é😀/A")),
        (r#""plain""#, Value::text("plain")),
        ("'\\x41\\\r\nb\\'\\q\\0'", Value::text("Ab'q\0")),
        ("+0x1F", Value::Number("+0x1F".into())),
        ("1.50", Value::Number("1.50".into())),
        (r#""a\ud800b""#, Value::Other(r#""a\ud800b""#.into())),
        (
            "{a: 1, 'b\\n': null}",
            Value::Map(vec![("a".into(), Value::Number("1".into())), ("b\n".into(), Value::Null)]),
        ),
        ("{\\u0061b: true}", Value::Map(vec![("ab".into(), Value::Bool(true))])),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn spans_name_the_bytes_of_the_whole_text() {
    let text = "\u{feff}// c\n{\"k\" : [ 1 ]}";
    let document = Document::parse(text, Jsonc).unwrap();
    let member = &document.root().unwrap().as_map().unwrap().members[0];
    assert_eq!(&text[member.key_span.clone()], "\"k\"");
    assert_eq!(&text[member.node.span.clone()], "[ 1 ]");
    assert!(matches!(&member.node.kind, NodeKind::List(list) if &text[list.items[0].span.clone()] == "1"));
}

#[test]
fn texts_without_a_value_are_blank() {
    for (text, formats) in [
        ("", &ALL[..]),
        ("\u{feff}", &ALL),
        (" \r\n\t", &ALL),
        ("// nothing yet", &[JsonComments, Jsonc, Json5]),
        ("/* a */\n// b\n", &[JsonComments, Jsonc, Json5]),
    ] {
        for &format in formats {
            assert!(Document::parse(text, format).unwrap().is_blank(), "{format:?} {text:?}");
        }
    }
}

#[test]
fn problems_are_told_with_their_place() {
    for (format, text, offset, message) in [
        (Json, "{\"a\": 1", 0, "a map is never closed"),
        (Json, "{\"a\": [1, {\"b\": 2}", 6, "a list is never closed"),
        (Json, "{\"a\":", 0, "a map is never closed"),
        (Json, "{\"a\": \"b", 6, "a text is never closed"),
        (Json, "{\"a\": \"b\\", 6, "a text is never closed"),
        (Json, "{\"a\": \"b\\u00", 6, "a text is never closed"),
        (Jsonc, "{ /* c }", 2, "a comment is never closed"),
        (Json, "{} x", 3, "expected the end of the file, found `x`"),
        (Json, "{\"a\": 1 \"b\": 2}", 8, "expected `,` or `}`, found `\"`"),
        (Json, "[1 é]", 3, "expected `,` or `]`, found `é`"),
        (Json, "{a: 1}", 1, "expected a key in double quotes, found `a`"),
        (Json5, "{: 1}", 1, "expected a key, found `:`"),
        (Json, "{\"a\" 1}", 5, "expected `:`, found `1`"),
        (Json, "{\"a\": }", 6, "expected a value, found `}`"),
        (Json, "[01]", 1, "a number begins with a needless `0`"),
        (Json, "[-x]", 2, "expected a digit, found `x`"),
        (Json, "-", 1, "expected a digit, found the end of the file"),
        (Json, "[\"a\nb\"]", 3, "expected `\"` before the line end"),
        (Json, "[\"a\tb\"]", 3, "the character U+0009 stands unescaped in a text"),
        (Json, "[\"\\x\"]", 2, "a backslash stands before what it cannot escape"),
        (Json, "[\u{1}]", 1, "expected a value, found the character U+0001"),
        (Json, "{\"\\ud800\": 1}", 1, "a lone surrogate stands in a key"),
        (Json, "{} // c", 3, "a comment stands here, which this client does not accept"),
        (
            JsonComments,
            "[1 , /* c */ ]",
            3,
            "a trailing comma stands here, which this client does not accept",
        ),
        (Json, "{\"a\": {\"b\": 1, \"\\u0062\": 2}}", 15, "the key `b` stands twice"),
    ] {
        let error = Document::parse(text, format).unwrap_err();
        assert_eq!((error.offset, error.reason.to_string().as_str()), (offset, message), "{text:?}");
    }
}

#[test]
fn a_key_that_stands_twice_is_found_in_big_maps_too() {
    let members: Vec<String> = (0..20_000).map(|index| format!("\"key{index}\": 1")).collect();
    let text = format!("{{{}, \"key77\": 2}}", members.join(", "));
    let error = Document::parse(&text, Json).unwrap_err();
    assert_eq!(error.reason, UnreadableReason::DuplicateKey("key77".into()));
    assert_eq!(error.offset, text.rfind("\"key77\"").unwrap());
}

#[test]
fn nesting_is_read_to_a_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::parse(&nested(128), Json).is_ok());
    let error = Document::parse(&nested(129), Json).unwrap_err();
    assert_eq!((error.offset, error.reason), (128, UnreadableReason::TooDeep(128)));
    assert!(Document::parse(&"[".repeat(1_000_000), Json).is_err());
}

#[test]
fn a_new_member_follows_the_hand_of_its_neighbours() {
    let add = [set("m/b", "{\"x\": 1, \"y\": [1, 2]}")];
    for (story, before, after) in [
        (
            "two spaces",
            "{\n  \"m\": {\n    \"a\": {\n      \"x\": 1\n    }\n  }\n}\n",
            "{\n  \"m\": {\n    \"a\": {\n      \"x\": 1\n    },\n    \"b\": {\n      \"x\": 1,\n      \"y\": [1, 2]\n    }\n  }\n}\n",
        ),
        (
            "tabs, CRLF, a byte-order mark, trailing commas",
            "\u{feff}{\r\n\t\"m\": {\r\n\t\t\"a\": {\r\n\t\t\t\"x\": 1,\r\n\t\t},\r\n\t},\r\n}",
            "\u{feff}{\r\n\t\"m\": {\r\n\t\t\"a\": {\r\n\t\t\t\"x\": 1,\r\n\t\t},\r\n\t\t\"b\": {\r\n\t\t\t\"x\": 1,\r\n\t\t\t\"y\": [1, 2]\r\n\t\t},\r\n\t},\r\n}",
        ),
        (
            "three spaces and lone carriage returns",
            "{\r   \"m\": {\r      \"a\": 1\r   }\r}",
            "{\r   \"m\": {\r      \"a\": 1,\r      \"b\": {\r         \"x\": 1,\r         \"y\": [1, 2]\r      }\r   }\r}",
        ),
        ("minified", "{\"m\":{\"a\":{\"x\":1}}}", "{\"m\":{\"a\":{\"x\":1},\"b\":{\"x\":1,\"y\":[1,2]}}}"),
        (
            "one line",
            "{ \"m\": { \"a\": 1 } }",
            "{ \"m\": { \"a\": 1, \"b\": { \"x\": 1, \"y\": [1, 2] } } }",
        ),
        (
            "one line without padding",
            "{\"m\": {\"a\": 1}}",
            "{\"m\": {\"a\": 1, \"b\": {\"x\": 1, \"y\": [1, 2]}}}",
        ),
        (
            "one line per server",
            "{\n  \"m\": {\n    \"a\": { \"x\": 2 }\n  }\n}",
            "{\n  \"m\": {\n    \"a\": { \"x\": 2 },\n    \"b\": { \"x\": 1, \"y\": [1, 2] }\n  }\n}",
        ),
        (
            "lists in lines",
            "{\n  \"m\": {\n    \"a\": {\n      \"y\": [\n        1\n      ]\n    }\n  }\n}",
            "{\n  \"m\": {\n    \"a\": {\n      \"y\": [\n        1\n      ]\n    },\n    \"b\": {\n      \"x\": 1,\n      \"y\": [\n        1,\n        2\n      ]\n    }\n  }\n}",
        ),
        (
            "lines that differ in their ends: the nearest counts",
            "{\n  \"m\": {\r\n    \"a\": 1\r\n  }\n}\n",
            "{\n  \"m\": {\r\n    \"a\": 1,\r\n    \"b\": {\r\n      \"x\": 1,\r\n      \"y\": [1, 2]\r\n    }\r\n  }\n}\n",
        ),
    ] {
        check(story, before, &add, after);
    }
}

#[test]
fn a_new_member_finds_its_place_among_comments() {
    let add = [set("b", "2")];
    for (story, before, after) in [
        ("behind the last, no comma", "{\n  \"a\": 1 // c\n}", "{\n  \"a\": 1, // c\n  \"b\": 2\n}"),
        ("behind the last, comma", "{\n  \"a\": 1, // c\n}", "{\n  \"a\": 1, // c\n  \"b\": 2,\n}"),
        ("before the bracket", "{\n  \"a\": 1\n  // c\n}", "{\n  \"a\": 1,\n  \"b\": 2\n  // c\n}"),
        ("bracket on the same line", "{\n  \"a\": 1 }", "{\n  \"a\": 1,\n  \"b\": 2 }"),
        ("white space at line ends", "{\n  \"a\": 1  \n}", "{\n  \"a\": 1,  \n  \"b\": 2\n}"),
        ("one line, block comment", "{ \"a\": 1 /* c */ }", "{ \"a\": 1, /* c */ \"b\": 2 }"),
        ("one line, comma at the end", "{ \"a\": 1, }", "{ \"a\": 1, \"b\": 2, }"),
        ("one line, line comment", "{ \"a\": 1 // c\n}", "{ \"a\": 1, // c\n  \"b\": 2\n}"),
        (
            "comma on the next line",
            "{\n  \"a\": 1 // c\n  , // d\n}",
            "{\n  \"a\": 1 // c\n  , // d\n  \"b\": 2,\n}",
        ),
    ] {
        check(story, before, &add, after);
        check(&format!("{story}, and away"), after, &[remove("b")], before);
    }
}

#[test]
fn empty_brackets_are_filled() {
    for (story, before, at, after) in [
        ("alone", "{}", "b", "{\n  \"b\": 1\n}"),
        ("alone, padded", "{ }\n", "b", "{\n  \"b\": 1\n}\n"),
        ("alone, with a line", "{\r\n}\r\n", "b", "{\r\n  \"b\": 1\r\n}\r\n"),
        ("in lines", "{\n\t\"m\": {}\n}", "m/b", "{\n\t\"m\": {\n\t\t\"b\": 1\n\t}\n}"),
        ("on one line", "{ \"m\": {} }", "m/b", "{ \"m\": { \"b\": 1 } }"),
        ("on one line without padding", "{\"m\": {}}", "m/b", "{\"m\": {\"b\": 1}}"),
        ("minified", "{\"m\":{}}", "m/b", "{\"m\":{\"b\":1}}"),
        ("block comment", "{ /* c */ }", "b", "{ /* c */\n  \"b\": 1\n}"),
        ("line comment", "{ // c\n}", "b", "{ // c\n  \"b\": 1\n}"),
        ("comment with a line", "{\n    // c\n}", "b", "{\n    // c\n    \"b\": 1\n}"),
        ("comment on one line", "{\"m\": { /* c */ }}", "m/b", "{\"m\": { /* c */ \"b\": 1 }}"),
        ("missing container", "{\n  \"a\": 1\n}", "m/b", "{\n  \"a\": 1,\n  \"m\": {\n    \"b\": 1\n  }\n}"),
    ] {
        check(story, before, &[set(at, "1")], after);
        let mut container = path(at);
        container.pop();
        let footing = Document::parse(before, Jsonc).unwrap().footing(&container);
        let away = Change::Remove { path: path(at), footing: Some(footing) };
        check(&format!("{story}, and away"), after, &[away], before);
    }
}

#[test]
fn blank_documents_begin_and_end_as_such() {
    for (story, before, after) in [
        ("empty", "", "{\n  \"m\": {\n    \"b\": 1\n  }\n}\n"),
        ("a line end", "\r\n", "{\r\n  \"m\": {\r\n    \"b\": 1\r\n  }\r\n}\r\n"),
        ("a byte-order mark", "\u{feff}", "\u{feff}{\n  \"m\": {\n    \"b\": 1\n  }\n}\n"),
        ("a comment", "// c", "// c\n{\n  \"m\": {\n    \"b\": 1\n  }\n}\n"),
        ("lines of comments", "// c\n\n/* d */\n", "// c\n\n/* d */\n{\n  \"m\": {\n    \"b\": 1\n  }\n}\n"),
    ] {
        let footing = Document::parse(before, Jsonc).unwrap().footing(&path("m"));
        check(story, before, &[set("m/b", "1")], after);
        let away = Change::Remove { path: path("m/b"), footing: Some(footing) };
        check(&format!("{story}, and away"), after, &[away], before);
    }
}

#[test]
fn a_member_goes_with_its_comma_its_comment_and_its_line() {
    let lines =
        "{\n  // about a\n  \"a\": 1, // a\n\n  // about b\n  \"b\": 2, // b\n  \"c\": 3 // c\n  // end\n}";
    for (story, before, gone, after) in [
        (
            "first",
            lines,
            "a",
            "{\n  // about a\n\n  // about b\n  \"b\": 2, // b\n  \"c\": 3 // c\n  // end\n}",
        ),
        (
            "middle",
            lines,
            "b",
            "{\n  // about a\n  \"a\": 1, // a\n\n  // about b\n  \"c\": 3 // c\n  // end\n}",
        ),
        (
            "last",
            lines,
            "c",
            "{\n  // about a\n  \"a\": 1, // a\n\n  // about b\n  \"b\": 2 // b\n  // end\n}",
        ),
        ("first two", lines, "a b", "{\n  // about a\n\n  // about b\n  \"c\": 3 // c\n  // end\n}"),
        ("last two", lines, "b c", "{\n  // about a\n  \"a\": 1 // a\n\n  // about b\n  // end\n}"),
        ("ends", lines, "a c", "{\n  // about a\n\n  // about b\n  \"b\": 2 // b\n  // end\n}"),
        ("all, but not the comments", lines, "a b c", "{\n  // about a\n\n  // about b\n  // end\n}"),
        ("one line, first", "{ \"a\": 1, \"b\": 2 }", "a", "{ \"b\": 2 }"),
        ("one line, last", "{ \"a\": 1, \"b\": 2 }", "b", "{ \"a\": 1 }"),
        ("one line, middle", "{\"a\":1,\"b\":2,\"c\":3}", "b", "{\"a\":1,\"c\":3}"),
        ("one line, all but the middle", "{\"a\":1,\"b\":2,\"c\":3}", "a c", "{\"b\":2}"),
        ("the only one", "{\n  \"a\": 1\n}", "a", "{}"),
        ("the only one, comma at the end", "{ \"a\": 1, }", "a", "{}"),
        ("comma at the end stays", "{\n  \"a\": 1,\n  \"b\": 2,\n}", "b", "{\n  \"a\": 1,\n}"),
        ("comment of the next", "{ \"a\": 1, /* b */ \"b\": 2 }", "a", "{ /* b */ \"b\": 2 }"),
        ("commas in front", "{ \"a\": 1\n, \"b\": 2\n}", "b", "{ \"a\": 1\n}"),
        ("a line comment keeps its line end", "{ \"a\": 1, // a\n  \"b\": 2 }", "b", "{ \"a\": 1 // a\n   }"),
        (
            "a line comment above keeps its line end",
            "{\n  // c\n  \"a\": 1, /* b */ \"b\": 2\n}",
            "a",
            "{\n  // c\n  /* b */ \"b\": 2\n}",
        ),
    ] {
        let changes: Vec<Change> = gone.split(' ').map(remove).collect();
        check(story, before, &changes, after);
    }
}

#[test]
fn brackets_become_what_they_were_unless_somebody_wrote_there() {
    let away = |gap: &str| {
        let footing = Footing { depth: Some(0), gap: Some(gap.into()) };
        [Change::Remove { path: path("a"), footing: Some(footing) }]
    };
    check("blank lines", "{\n  \"a\": 1\n}", &away("\n\n"), "{\n\n}");
    check("a comment of before", "{ // c\n  \"a\": 1\n}", &away(" // c\n"), "{ // c\n}");
    check("a new comment", "{\n  // new\n  \"a\": 1\n}", &away(" "), "{\n  // new\n}");
    check("a comment that went", "{\n  \"a\": 1\n}", &away(" /* c */ "), "{}");
}

#[test]
fn a_value_is_replaced_in_the_hand_of_its_place() {
    for (story, before, change, after) in [
        ("a scalar", "{\"a\" : 1 /* c */}", set("a", "\"x\""), "{\"a\" : \"x\" /* c */}"),
        (
            "a list on one line",
            "{\n  \"a\": [ \"x\" ]\n}",
            set("a", "['y', 'z']"),
            "{\n  \"a\": [\"y\", \"z\"]\n}",
        ),
        (
            "a list in lines",
            "{\n  \"a\": [\n    \"x\"\n  ]\n}",
            set("a", "['y', 'z']"),
            "{\n  \"a\": [\n    \"y\",\n    \"z\"\n  ]\n}",
        ),
        (
            "a list in lines with a comma at the end",
            "{\n  \"a\": [\n    \"x\",\n  ],\n}",
            set("a", "['y', 'z']"),
            "{\n  \"a\": [\n    \"y\",\n    \"z\",\n  ],\n}",
        ),
        (
            "a scalar by a map",
            "{\n  \"a\": 1\n}",
            set("a", "{b: {}}"),
            "{\n  \"a\": {\n    \"b\": {}\n  }\n}",
        ),
        ("a scalar by a map on one line", "{ \"a\": 1 }", set("a", "{b: []}"), "{ \"a\": { \"b\": [] } }"),
        (
            "only what differs",
            "{\"a\": { \"b\":1, \"c\": 2 }}",
            set("a", "{c: 3, b: 1}"),
            "{\"a\": { \"b\":1, \"c\": 3 }}",
        ),
        (
            "last goes, another comes",
            "{\"a\": {\"b\": 1, \"c\": 2}}",
            set("a", "{b: 1, d: 3}"),
            "{\"a\": {\"b\": 1, \"d\": 3}}",
        ),
        (
            "all go, others come",
            "{\n  \"a\": {\n    \"b\": 1 // b\n  }\n}",
            set("a", "{c: 1, d: 2}"),
            "{\n  \"a\": {\n    \"c\": 1,\n    \"d\": 2\n  }\n}",
        ),
        (
            "an item of a list",
            "{\"l\": [\n  {\"name\": \"x\"},\n  {\"name\": \"y\"}\n]}",
            set("l/name=z", "{c: 1}"),
            "{\"l\": [\n  {\"name\": \"x\"},\n  {\"name\": \"y\"},\n  {\"name\": \"z\", \"c\": 1}\n]}",
        ),
    ] {
        check(story, before, &[change], after);
    }
}

#[test]
fn a_long_list_gets_lines() {
    let item = "a".repeat(60);
    let long = Value::texts([&*item, &*item]);
    let after = format!("{{\n  \"a\": [\n    \"{item}\",\n    \"{item}\"\n  ]\n}}");
    check("made", "{\n  \"a\": 1\n}", &[Change::set(path("a"), long.clone())], &after);
    let flat = format!("{{\n  \"a\": [\"{item}\", \"{item}\"]\n}}");
    check("kept on its line", "{\n  \"a\": [\"x\"]\n}", &[Change::set(path("a"), long)], &flat);
}

#[test]
fn texts_are_written_with_no_more_escapes_than_needed() {
    let value = Value::text("\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}\u{2028}é😀");
    let after = "{\"a\":\"\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\u{7f}\u{2028}é😀\"}";
    for format in ALL {
        check_as(format, "escapes", "{\"a\":1}", &[Change::set(path("a"), value.clone())], after);
    }
}

#[test]
fn what_the_format_cannot_say_is_refused() {
    for (format, value) in [
        (Json, Value::Number("0x1F".into())),
        (Jsonc, Value::Number("nan".into())),
        (Json5, Value::Number("1_000".into())),
        (Json5, Value::Other("1979-05-27".into())),
        (Json, Value::Other("\"no special text\"".into())),
    ] {
        let document = Document::parse("{\"a\": 1}", format).unwrap();
        let refusal = document.revised(&[Change::set(path("a"), value.clone())]).unwrap_err();
        assert!(refusal.to_string().contains("cannot say the"), "{refusal}");
    }
    for (format, value) in [(Json, Value::Other("\"\\ud800\"".into())), (Json5, Value::Number("0x1F".into()))]
    {
        let document = Document::parse("{\"a\": 1}", format).unwrap();
        assert!(document.revised(&[Change::set(path("a"), value)]).is_ok());
    }
}

#[test]
fn a_server_enters_and_leaves_files_as_people_keep_them() {
    for before in [
        "// Zed\n{\n  \"theme\": \"One\", // nice\n  \"context_servers\": {\n    // mine\n    \"m\": { \"command\": \"x\" },\n  },\n}\n",
        "{\"numStartups\":3,\"mcpServers\":{},\"projects\":{\"/home/x\":{\"mcpServers\":{\"m\":{}}}}}",
        "{\n    \"mcp\": {\n        \"inputs\": [],\n        \"m\": {\n            \"type\": \"stdio\"\n        }\n    }\n}",
        "{\r\n\t\"m\": {\r\n\t\t// \"old\": {},\r\n\t},\r\n}\r\n",
        "{}",
        "{ }",
        "",
        "{\n\n}\n",
        "// nothing yet\n",
        "[]",
    ] {
        let document = Document::parse(before, Jsonc).unwrap();
        for container in ["mcpServers", "m", "context_servers", "mcp", "projects//home/x/mcpServers"] {
            let container = path(container);
            let footing = document.footing(&container);
            let path = [&container[..], &[Step::key("new.server")]].concat();
            let Ok(added) = document.revised(&[Change::set(path.clone(), server())]) else {
                assert_eq!(before, "[]");
                continue;
            };
            check("away", &added, &[Change::Remove { path, footing: Some(footing) }], before);
        }
    }
}
