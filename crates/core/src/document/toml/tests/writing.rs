//! Tables of edits: a document before, what is wanted, the document after.

use crate::document::{Change, Document, Format, Refusal, Step};
use crate::value::Value;

fn set(path: &str, value: Value) -> Change {
    Change::set(steps(path), value)
}

fn remove(path: &str) -> Change {
    Change::remove(steps(path))
}

/// Steps between slashes; `name=x` is the item of that name.
fn steps(path: &str) -> Vec<Step> {
    path.split('/')
        .map(|step| step.split_once('=').map_or(Step::key(step), |(key, value)| Step::item(key, value)))
        .collect()
}

fn command(name: &str) -> Value {
    Value::text_map([("command", name)])
}

#[track_caller]
fn check(story: &str, before: &str, changes: &[Change], after: &str) {
    let document = Document::parse(before, Format::Toml).unwrap();
    let found = document.revised(changes).unwrap_or_else(|error| panic!("{story}: {error}"));
    assert_eq!(found, after, "{story}");
}

const CODEX: &str = r#"# Settings
model = "best" # keep

[mcp_servers.docs]
command = "npx"
args = [
  "-y",
  "docs@1", # pinned
]
# cwd = "/srv"

  [mcp_servers.docs.env]
  LOG = "info"

[mcp_servers."far away"]
url = "https://x.example/mcp"
headers = { A = "1" } # from me

# The screen
[tui]
notifications = true
# end
"#;

#[test]
fn a_server_comes_behind_the_last_one() {
    let entry = Value::Map(vec![
        ("command".into(), Value::text("uvx")),
        ("args".into(), Value::texts(["a b", "c"])),
        ("env".into(), Value::text_map([("KEY", "v"), ("a.b", "\"")])),
    ]);
    let block = "\n[mcp_servers.time]\ncommand = \"uvx\"\nargs = [\"a b\", \"c\"]\nenv = { KEY = \"v\", \"a.b\" = \"\\\"\" }\n";
    let place = "headers = { A = \"1\" } # from me\n";
    check(
        "only the new lines are new",
        CODEX,
        &[set("mcp_servers/time", entry)],
        &CODEX.replace(place, &format!("{place}{block}")),
    );
}

#[test]
fn only_the_field_that_differs_is_touched() {
    check(
        "an array changes item by item",
        CODEX,
        &[set("mcp_servers/docs/args", Value::texts(["-y", "docs@2", "--fast"]))],
        &CODEX.replace("\"docs@1\", # pinned", "\"docs@2\", # pinned\n  \"--fast\","),
    );
    check(
        "a field comes behind the last one of its own table",
        CODEX,
        &[set("mcp_servers/docs/cwd", Value::text("/"))],
        &CODEX.replace("]\n# cwd", "]\ncwd = \"/\"\n# cwd"),
    );
    check(
        "a field and a server that come at the same place do not mix",
        "[s.a]\nk = 1\n",
        &[set("s/b", command("b")), set("s/a/l", Value::Bool(true))],
        "[s.a]\nk = 1\nl = true\n\n[s.b]\ncommand = \"b\"\n",
    );
    check(
        "a table of its own goes with its header",
        CODEX,
        &[remove("mcp_servers/docs/env")],
        &CODEX.replace("\n  [mcp_servers.docs.env]\n  LOG = \"info\"\n", ""),
    );
    check(
        "a key in a table of its own",
        CODEX,
        &[set("mcp_servers/docs/env/NEW", Value::text("1")), remove("mcp_servers/docs/env/LOG")],
        &CODEX.replace("LOG = \"info\"", "NEW = \"1\""),
    );
    check(
        "a key in braces",
        CODEX,
        &[set("mcp_servers/far away/headers/B", Value::text("2"))],
        &CODEX.replace("{ A = \"1\" }", "{ A = \"1\", B = \"2\" }"),
    );
}

#[test]
fn a_server_goes_with_all_its_blocks() {
    let (head, rest) = CODEX.split_once("\n[mcp_servers.docs]").unwrap();
    let (_, tail) = rest.split_once("\n\n[mcp_servers.\"far").unwrap();
    check(
        "a comment below its lines stays",
        CODEX,
        &[remove("mcp_servers/docs")],
        &format!("{head}# cwd = \"/srv\"\n\n[mcp_servers.\"far{tail}"),
    );
    check(
        "what stands around it stays apart",
        "# mine\n[s.a]\nk = 1\n[t]\n",
        &[remove("s/a"), set("s/b", command("b"))],
        "# mine\n\n[s.b]\ncommand = \"b\"\n[t]\n",
    );
    check(
        "its comment does not slip to the next",
        "[r]\n# mine\n[s]\nk = 1\n[t]\n",
        &[remove("s")],
        "[r]\n# mine\n\n[t]\n",
    );
    check("nor at the end of the text", "[r]\n\n[s]\nk = 1", &[remove("s")], "[r]");
    check("the first block", "\n[s]\nk = 1\n\n[t]\nl = 1\n", &[remove("s")], "[t]\nl = 1\n");
    check("a container that was there stays", "[s.a]\nk = 1 # c\n\n[t]\n", &[remove("s/a")], "[s]\n\n[t]\n");
}

#[test]
fn a_missing_container_is_made_of_its_blocks() {
    check(
        "behind the last block",
        "[a]\nk = 1\n",
        &[set("s/x", command("c"))],
        "[a]\nk = 1\n\n[s.x]\ncommand = \"c\"\n",
    );
    check(
        "without a final line end",
        "k = 1",
        &[set("s/x", command("c"))],
        "k = 1\n\n[s.x]\ncommand = \"c\"",
    );
    check(
        "with CRLF",
        "[a]\r\n\r\n[b]\r\n",
        &[set("a/x", command("c"))],
        "[a]\r\n\r\n[a.x]\r\ncommand = \"c\"\r\n\r\n[b]\r\n",
    );
    check("several levels", "k = 1\n", &[set("t/m/x", Value::Map(vec![]))], "k = 1\n\n[t.m.x]\n");
    check("in an empty text", "", &[set("s/x", command("c"))], "[s.x]\ncommand = \"c\"\n");
    check(
        "below comments",
        "\u{feff}# mine\r\n",
        &[set("s/x", command("c")), set("k", Value::Bool(true))],
        "\u{feff}# mine\r\n\r\nk = true\r\n\r\n[s.x]\r\ncommand = \"c\"\r\n",
    );
}

#[test]
fn keys_of_the_root_come_before_the_first_header() {
    let key = [set("k", Value::text("v"))];
    check("behind the others", "a = 1 # c\n\n[t]\n", &key, "a = 1 # c\nk = \"v\"\n\n[t]\n");
    check(
        "above the comments of the header",
        "# head\n\n# of t\n[t]\n",
        &key,
        "# head\n\nk = \"v\"\n\n# of t\n[t]\n",
    );
    check("at the very top", "# of t\n[t]\n", &key, "k = \"v\"\n\n# of t\n[t]\n");
}

#[test]
fn each_way_to_write_a_container_is_gone_on_with() {
    let x = [set("s/x", command("c"))];
    check("an empty header", "[s] # c\n[t]\n", &x, "[s] # c\n\n[s.x]\ncommand = \"c\"\n[t]\n");
    check("braces", "s = {}\n", &x, "s = { x = { command = \"c\" } }\n");
    check("a header with braces", "[s]\na = {}\n", &x, "[s]\na = {}\n\n[s.x]\ncommand = \"c\"\n");
    check("dotted keys", "s.a.k = 1\nm = 1\n", &x, "s.a.k = 1\ns.x.command = \"c\"\nm = 1\n");
    check(
        "interleaved",
        "[s.a]\n[t]\n[s.b]\n[u]\n",
        &x,
        "[s.a]\n[t]\n[s.b]\n\n[s.x]\ncommand = \"c\"\n[u]\n",
    );
    check(
        "indented",
        "[s]\n  [s.a]\n    k = 1\n",
        &x,
        "[s]\n  [s.a]\n    k = 1\n\n  [s.x]\n    command = \"c\"\n",
    );
    check(
        "braces on many lines",
        "s = {\n  a = {}, # c\n}\n",
        &x,
        "s = {\n  a = {}, # c\n  x = { command = \"c\" },\n}\n",
    );
    check(
        "dotted keys in braces",
        "s = { a.k = 1 }\n",
        &[set("s/a/l", Value::Bool(true)), remove("s/a/k")],
        "s = { a.l = true }\n",
    );
    check("the last dotted key", "s.a.k = 1\n", &[remove("s/a/k")], "s.a = {}\n");
}

#[test]
fn named_items_are_blocks_or_in_brackets_as_the_list_is() {
    let x = [set("s/name=x", command("c"))];
    let block = "[[s]]\nname = \"x\"\ncommand = \"c\"\n";
    check("a missing list", "k = 1\n", &x, &format!("k = 1\n\n{block}"));
    check(
        "a list of blocks",
        "[[s]]\nname = \"a\"\n[s.env]\n[t]\n",
        &x,
        &format!("[[s]]\nname = \"a\"\n[s.env]\n\n{block}[t]\n"),
    );
    check(
        "a list in brackets",
        "s = [{ name = \"a\" }]\n",
        &x,
        "s = [{ name = \"a\" }, { name = \"x\", command = \"c\" }]\n",
    );
    check(
        "an item goes",
        "[[s]]\nname = \"a\"\n\n[[s]]\nname = \"b\"\n",
        &[remove("s/name=b")],
        "[[s]]\nname = \"a\"\n",
    );
    check("the last item goes", "k = 1\n\n[[s]]\nname = \"b\"\n", &[remove("s/name=b")], "k = 1\ns = []\n");
    check("the last item below a table", "[[t.s]]\nname = \"b\"\n", &[remove("t/s/name=b")], "[t]\ns = []\n");
}

#[test]
fn one_kind_of_value_takes_the_place_of_another() {
    check(
        "a table becomes a text",
        "[s.a]\nk = 1\n[s.a.b]\n",
        &[set("s/a/b", Value::text("x"))],
        "[s.a]\nk = 1\nb = \"x\"\n",
    );
    check(
        "a text becomes a map",
        "[s]\nk = 'x' # c\n",
        &[set("s/k", command("c"))],
        "[s]\nk = { command = \"c\" } # c\n",
    );
    check("a table becomes empty", "[s]\nk = 1\n[s.t]\n", &[set("s", Value::Map(vec![]))], "[s]\n");
    check("the only key of a text goes", "k = 1\n", &[remove("k")], "");
}

#[test]
fn texts_are_escaped_where_they_must_be() {
    check(
        "control characters, quotes, backslashes",
        "[s]\n",
        &[set("s/a b", Value::text("q\"\\\u{7f}\n\u{1}é"))],
        "[s]\n\"a b\" = \"q\\\"\\\\\\u007F\\n\\u0001é\"\n",
    );
}

#[test]
fn what_toml_cannot_say_is_refused() {
    let number = |spelt: &str| Value::Number(spelt.to_owned());
    for value in [Value::Null, number(".5"), number("1\nx = 2"), Value::Other("*anchor".to_owned())] {
        for path in ["k", "s/k", "s/f/k", "new/k"] {
            let document = Document::parse("[s]\nf = {}\n", Format::Toml).unwrap();
            let refusal = document.revised(&[set(path, value.clone())]).unwrap_err();
            assert!(matches!(refusal, Refusal::Unwritable { .. }), "{refusal}");
        }
    }
}

#[test]
fn numbers_and_dates_are_written_as_spelt() {
    check(
        "numbers and dates",
        "[s]\n",
        &[
            set("s/a", Value::Number("1.50".to_owned())),
            set("s/b", Value::Number("0x1f".to_owned())),
            set("s/c", Value::Other("1979-05-27".to_owned())),
        ],
        "[s]\na = 1.50\nb = 0x1f\nc = 1979-05-27\n",
    );
}

#[test]
fn a_table_that_only_its_children_name_gets_a_header_for_its_lines() {
    check(
        "behind its children",
        "[s.a.env]\nX = 1\n\n[t]\n",
        &[set("s/a/command", Value::text("c"))],
        "[s.a.env]\nX = 1\n\n[s.a]\ncommand = \"c\"\n\n[t]\n",
    );
}
