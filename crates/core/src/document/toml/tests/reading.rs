//! What a text says, and where and why it cannot be read.

use crate::document::{Document, Form, Format, Node, NodeKind, UnreadableReason};
use crate::value::Value;

fn root(text: &str) -> Node<'_> {
    Document::parse(text, Format::Toml).unwrap_or_else(|error| panic!("{error}\n{text}")).tree.root.unwrap()
}

fn number(spelt: &str) -> Value {
    Value::Number(spelt.to_owned())
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.map(|(key, value)| (key.to_owned(), value)).to_vec())
}

#[test]
fn a_text_without_keys_is_blank() {
    for text in ["", "\u{feff}", "# nothing\n", " \t\r\n\n"] {
        assert!(Document::parse(text, Format::Toml).unwrap().is_blank(), "{text:?}");
    }
}

#[test]
fn values_are_decoded_and_numbers_keep_their_spelling() {
    for (spelt, value) in [
        (r#""a\tb\u00e9\"""#, Value::text("a\tbé\"")),
        (r"'a\tb'", Value::text(r"a\tb")),
        ("\"\"\"\none\\\n  two\n\"\"\"", Value::text("onetwo\n")),
        ("'''\none\n'''", Value::text("one\n")),
        ("1_000", number("1_000")),
        ("0xFF", number("0xFF")),
        ("45.50", number("45.50")),
        ("-inf", number("-inf")),
        ("true", Value::Bool(true)),
        ("1979-05-27", Value::Other("1979-05-27".to_owned())),
        ("07:32:00", Value::Other("07:32:00".to_owned())),
        ("[1, [\"a\"], {}]", Value::List(vec![number("1"), Value::texts(["a"]), map([])])),
        (
            "{ a.b = 1, \"c d\" = 2, a.e = 3, }",
            map([("a", map([("b", number("1")), ("e", number("3"))])), ("c d", number("2"))]),
        ),
        ("{\n  a = 1, # one\n  b = 2\n}", map([("a", number("1")), ("b", number("2"))])),
    ] {
        let text = format!("k = {spelt} # end");
        let root = root(&text);
        let node = root.get("k").unwrap();
        assert_eq!(node.value(), value, "{spelt}");
        assert_eq!(&text[node.span.clone()], spelt);
    }
}

#[test]
fn headers_dotted_keys_and_lists_of_tables_make_one_tree() {
    let text = "\u{feff}x.y = 1\n[a.b]\nc = 1\n[z]\n[a]\nd.e = 2\n[[l]]\nn = 1\n[l.m]\n[[l]]\n[a.b.f]\n";
    assert_eq!(
        root(text).value(),
        map([
            ("x", map([("y", number("1"))])),
            ("a", map([("b", map([("c", number("1")), ("f", map([]))])), ("d", map([("e", number("2"))]))])),
            ("z", map([])),
            ("l", Value::List(vec![map([("n", number("1")), ("m", map([]))]), map([])])),
        ])
    );
}

#[test]
fn tables_know_their_headers_and_the_ends_of_their_bodies() {
    let text = "top = 1\n[a.b] # c\nk = '''\nx''' # d\ns.t = 2\n[e]\n";
    let root = root(text);
    let table = |path: &[&str]| {
        let node = path.iter().fold(&root, |node, key| node.get(key).unwrap());
        let Form::Table(table) = &node.as_map().unwrap().form else { panic!("{path:?}") };
        let part = |range: Option<std::ops::Range<usize>>| range.map(|range| &text[range]);
        let last_line = table.body_end.map(|end| text[..end].lines().last().unwrap());
        (&text[node.span.clone()], part(table.header.clone()), table.dotted, last_line)
    };
    assert_eq!(table(&[]).3, Some("top = 1"));
    assert_eq!(table(&["a"]), ("a", None, false, None));
    assert_eq!(table(&["a", "b"]), ("[a.b]", Some("[a.b]"), false, Some("s.t = 2")));
    assert_eq!(table(&["a", "b", "s"]), ("s", None, true, Some("s.t = 2")));
    assert_eq!(table(&["e"]), ("[e]", Some("[e]"), false, Some("[e]")));
    let NodeKind::Map(map) = &root.kind else { panic!("no map") };
    let Form::Table(top) = &map.form else { panic!("no table") };
    assert_eq!((top.path.len(), top.dotted), (0, false));
}

#[test]
fn what_stands_twice_is_refused() {
    for (text, key, line, column) in [
        ("a = 1\na = 2\n", "a", 2, 1),
        ("a = 1\n\"a\" = 2\n", "a", 2, 1),
        ("[a]\n[b]\n[a]\n", "a", 3, 2),
        ("[a]\nb = 1\n[a.b]\n", "b", 3, 4),
        ("[a.b]\n[a]\nb.c = 1\n", "b", 3, 1),
        ("a.b = 1\n[a]\n", "a", 2, 2),
        ("[[a]]\n[a]\n", "a", 2, 2),
        ("a = []\n[[a]]\n", "a", 2, 3),
        ("x = { a = 1, a = 2 }\n", "a", 1, 14),
    ] {
        let error = Document::parse(text, Format::Toml).unwrap_err();
        assert_eq!(error.reason, UnreadableReason::DuplicateKey(key.to_owned()), "{text}");
        assert_eq!((error.place.line, error.place.column), (line, column), "{text}");
    }
}

#[test]
fn problems_are_named_with_their_place() {
    for (text, message) in [
        ("a = [1,\n", "line 1, column 5: a list is never closed"),
        ("a = { b = 1\n", "line 1, column 5: a map is never closed"),
        ("a = 'x\nb = 1\n", "line 1, column 5: a text is never closed"),
        ("b = 1\na = \"\"\"x\n\nb = 1", "line 2, column 5: a text is never closed"),
        ("a = \"x\\\"\nb = 1\n", "line 1, column 5: a text is never closed"),
        ("[a\nb = 1\n", "line 1, column 3: unclosed table, expected `]`"),
        ("a = nope\n", "line 1, column 5: the text `nope` needs quotes"),
        ("a = 1\n[a.b]\n", "line 2, column 2: `a` is a value already, so no table can be under it"),
        ("a = {}\na.b = 1\n", "line 2, column 1: `a` is a value already, so no table can be under it"),
        (
            "x = { a = {}, a.b = 2 }\n",
            "line 1, column 15: `a` is a value already, so no table can be under it",
        ),
    ] {
        let error = Document::parse(text, Format::Toml).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_before_it_overflows() {
    let dotted = vec!["a"; 100_000].join(".");
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}1{}", "[".repeat(200), "]".repeat(200)),
        format!("a = {}1{}", "{a=".repeat(200), "}".repeat(200)),
        format!("{dotted} = 1"),
        format!("[{dotted}]"),
        format!("[{}]\nb = {{ {} = 1 }}", vec!["a"; 100].join("."), vec!["a"; 100].join(".")),
    ] {
        let error = Document::parse(&text, Format::Toml).unwrap_err();
        assert!(matches!(error.reason, UnreadableReason::TooDeep(_)), "{error}");
    }
}
