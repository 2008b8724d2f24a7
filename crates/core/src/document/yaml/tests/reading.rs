use crate::document::{Document, Format, Node, NodeKind, UnreadableReason};
use crate::value::Value;

/// Every scalar, alias and key with the bytes that it came from; collections with their own.
fn spans(text: &str) -> Vec<String> {
    fn walk(text: &str, node: &Node<'_>, out: &mut Vec<String>) {
        let kind = match &node.kind {
            NodeKind::Null => "null",
            NodeKind::Bool(_) => "bool",
            NodeKind::Number(_) => "number",
            NodeKind::Text(_) => "text",
            NodeKind::Other(_) => "other",
            NodeKind::List(_) => "list",
            NodeKind::Map(_) => "map",
        };
        let anchored = if node.anchored { "&" } else { "" };
        out.push(format!("{anchored}{kind} {:?}", &text[node.span.clone()]));
        if let Some(map) = node.as_map() {
            for member in &map.members {
                out.push(format!("key {:?}", &text[member.key_span.clone()]));
                walk(text, &member.node, out);
            }
        } else {
            node.children().for_each(|child| walk(text, child, out));
        }
    }
    let document = Document::parse(text, Format::Yaml).unwrap();
    let mut out = Vec::new();
    walk(text, document.root().unwrap(), &mut out);
    out
}

#[test]
fn spans_hold_the_value_and_nothing_around_it() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("plain", "a: b # c\n", &["map \"a: b\"", "key \"a\"", "text \"b\""]),
        (
            "quotes end at the quote",
            "'a' : \"x\\\"y\"  # c\n",
            &["map \"'a' : \\\"x\\\\\\\"y\\\"\"", "key \"'a'\"", "text \"\\\"x\\\\\\\"y\\\"\""],
        ),
        (
            "characters of many bytes",
            "é: ü\nb: 'ß'\n",
            &["map \"é: ü\\nb: 'ß'\"", "key \"é\"", "text \"ü\"", "key \"b\"", "text \"'ß'\""],
        ),
        ("a byte-order mark is not content", "\u{feff}a: b\n", &["map \"a: b\"", "key \"a\"", "text \"b\""]),
        (
            "nothing stands behind the colon",
            "a:\nb:  # c\n",
            &["map \"a:\\nb:\"", "key \"a\"", "null \"\"", "key \"b\"", "null \"\""],
        ),
        (
            "a folded scalar begins at its header",
            "a: >-  # h\n  x\n\n  y\n\n# c\nb: 1\n",
            &[
                "map \"a: >-  # h\\n  x\\n\\n  y\\n\\n# c\\nb: 1\"",
                "key \"a\"",
                "text \">-  # h\\n  x\\n\\n  y\"",
                "key \"b\"",
                "number \"1\"",
            ],
        ),
        (
            "kept blank lines are content",
            "a: |+\n  x\n\n\nb: 1\n",
            &[
                "map \"a: |+\\n  x\\n\\n\\nb: 1\"",
                "key \"a\"",
                "text \"|+\\n  x\\n\\n\"",
                "key \"b\"",
                "number \"1\"",
            ],
        ),
        (
            "an empty block scalar is its header",
            "a: |\nb: 1\n",
            &["map \"a: |\\nb: 1\"", "key \"a\"", "text \"|\"", "key \"b\"", "number \"1\""],
        ),
        (
            "lists that are not indented",
            "l:\n- a\n-\n- - b\n  - c\n",
            &[
                "map \"l:\\n- a\\n-\\n- - b\\n  - c\"",
                "key \"l\"",
                "list \"- a\\n-\\n- - b\\n  - c\"",
                "text \"a\"",
                "null \"\"",
                "list \"- b\\n  - c\"",
                "text \"b\"",
                "text \"c\"",
            ],
        ),
        (
            "several lines of plain text",
            "a: b\n  c\nd: e\n",
            &["map \"a: b\\n  c\\nd: e\"", "key \"a\"", "text \"b\\n  c\"", "key \"d\"", "text \"e\""],
        ),
        (
            "anchors and aliases",
            "a: &x\n  k: v\nb:\n  <<: *x\n",
            &[
                "map \"a: &x\\n  k: v\\nb:\\n  <<: *x\"",
                "key \"a\"",
                "&map \"&x\\n  k: v\"",
                "key \"k\"",
                "text \"v\"",
                "key \"b\"",
                "map \"<<: *x\"",
                "key \"<<\"",
                "other \"*x\"",
            ],
        ),
        (
            "tags",
            "a: !x 1\nb: !!map {}\nc: !y |\n  t\n",
            &[
                "map \"a: !x 1\\nb: !!map {}\\nc: !y |\\n  t\"",
                "key \"a\"",
                "other \"!x 1\"",
                "key \"b\"",
                "&map \"!!map {}\"",
                "key \"c\"",
                "other \"!y |\\n  t\"",
            ],
        ),
        (
            "flow",
            "[ a , {b: 1, 'c': }, [] ] # c\n",
            &[
                "list \"[ a , {b: 1, 'c': }, [] ]\"",
                "text \"a\"",
                "map \"{b: 1, 'c': }\"",
                "key \"b\"",
                "number \"1\"",
                "key \"'c'\"",
                "null \"\"",
                "list \"[]\"",
            ],
        ),
        (
            "pairs without braces",
            "[a: 1, ? b : 2, {c}]\n",
            &[
                "list \"[a: 1, ? b : 2, {c}]\"",
                "map \"a: 1\"",
                "key \"a\"",
                "number \"1\"",
                "map \"? b : 2\"",
                "key \"b\"",
                "number \"2\"",
                "map \"{c}\"",
                "key \"c\"",
                "null \"\"",
            ],
        ),
        (
            "keys with a question mark",
            "? a\n: b\n? [c]\n: d\n",
            &["map \"? a\\n: b\\n? [c]\\n: d\"", "key \"a\"", "text \"b\"", "key \"[c]\"", "text \"d\""],
        ),
    ];
    for (story, text, wanted) in cases {
        assert_eq!(&spans(text), wanted, "{story}");
        if !text.contains('\r') {
            let crlf = text.replace('\n', "\r\n");
            let wanted: Vec<String> = wanted.iter().map(|line| line.replace("\\n", "\\r\\n")).collect();
            assert_eq!(spans(&crlf), wanted, "{story}, with CRLF");
        }
    }
}

#[test]
fn plain_scalars_are_typed_only_where_all_readers_agree() {
    let number = |text: &str| Value::Number(text.to_owned());
    let other = |text: &str| Value::Other(text.to_owned());
    let cases = [
        ("~", Value::Null),
        ("null", Value::Null),
        ("true", Value::Bool(true)),
        ("FALSE", Value::Bool(false)),
        ("12", number("12")),
        ("-1.5e3", number("-1.5e3")),
        ("0o17", number("0o17")),
        ("0xff", number("0xff")),
        (".inf", number(".inf")),
        ("1.", number("1.")),
        ("yes", other("yes")),
        ("Off", other("Off")),
        ("n", other("n")),
        ("0777", other("0777")),
        ("1_000", other("1_000")),
        ("0b11", other("0b11")),
        ("1:30", other("1:30")),
        ("2026-01-31", other("2026-01-31")),
        ("2026-01-31T10:00:00Z", other("2026-01-31T10:00:00Z")),
        ("1.0.0", Value::text("1.0.0")),
        ("localhost:80", Value::text("localhost:80")),
        ("-", Value::text("-")),
        ("'yes'", Value::text("yes")),
        ("\"12\"", Value::text("12")),
        ("\"a\\tb\\u00e9\"", Value::text("a\tbé")),
        ("'it''s'", Value::text("it's")),
        ("${{ secrets.X }}", Value::text("${{ secrets.X }}")),
    ];
    for (text, wanted) in cases {
        let text = format!("k: {text}\n");
        if text == "k: -\n" {
            continue;
        }
        let document = Document::parse(&text, Format::Yaml).unwrap();
        assert_eq!(document.root().unwrap().get("k").unwrap().value(), wanted, "{text}");
    }
}

#[test]
fn texts_without_a_value_are_blank() {
    for text in [
        "",
        "\u{feff}",
        "\n\n",
        "# c\n",
        "---\n",
        "%YAML 1.1\n---\n# c\n",
        "---\n...\n",
        "---\n---\na: 1\n",
        "...\n",
    ] {
        assert!(Document::parse(text, Format::Yaml).unwrap().is_blank(), "{text:?}");
    }
    assert!(!Document::parse("~\n", Format::Yaml).unwrap().is_blank());
}

#[test]
fn only_the_first_document_counts() {
    let document = Document::parse("a: 1\n---\nb: 2\n", Format::Yaml).unwrap();
    assert_eq!(document.root().unwrap().value(), Value::Map(vec![("a".into(), Value::Number("1".into()))]));
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let cases = [
        ("a: 1\na: 2\n", "line 2, column 1: the key `a` stands twice"),
        ("a:\n\tb: 1\n", "line 2, column 2: tabs disallowed within this context (block indentation)"),
        ("a: 1\nb: [x, y\n", "line 2, column 4: a list is never closed"),
        ("é: {x: 1\n", "line 1, column 4: a map is never closed"),
        ("a: \"x\n  y\n", "line 1, column 4: a text is never closed"),
        ("a: \"x\nb: 1\n", "line 1, column 4: invalid indentation in quoted scalar"),
        ("a: *x\n", "line 1, column 4: while parsing node, found unknown anchor"),
        ("m:\n  a:\tb\n", "line 2, column 5: a tab stands behind a colon, where a blank belongs"),
        ("a: b: c\n", "line 1, column 5: mapping values are not allowed in this context"),
        ("[a]\nb\n", "line 2, column 1: did not find expected <document start>"),
        ("a: x\0y\n", "line 1, column 5: found unprintable character"),
    ];
    for (text, wanted) in cases {
        let error = Document::parse(text, Format::Yaml).expect_err(text);
        assert_eq!(error.to_string(), wanted, "{text:?}");
    }
    for deep in ["[".repeat(5000), "- ".repeat(200), "[\n".repeat(200), "{a: ".repeat(200)] {
        let error = Document::parse(&deep, Format::Yaml).unwrap_err();
        assert_eq!(error.reason, UnreadableReason::TooDeep(128), "{deep}");
    }
}

#[test]
fn aliases_are_not_followed() {
    let mut text = String::from("a0: &a0 [x]\n");
    for n in 1..60 {
        let p = n - 1;
        text.extend([format!("a{n}: &a{n} [*a{p}, *a{p}, *a{p}]\n")]);
    }
    let document = Document::parse(&text, Format::Yaml).unwrap();
    assert_eq!(document.root().unwrap().children().count(), 60);
}
