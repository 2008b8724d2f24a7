use crate::document::{Change, Document, Format, Step};
use crate::value::Value;

pub(super) fn revised(before: &str, changes: &[Change]) -> String {
    let document = Document::parse(before, Format::Yaml).unwrap();
    document.revised(changes).unwrap_or_else(|refusal| panic!("{refusal}\n{before}\n{changes:?}"))
}

/// Steps by a short spelling: `mcpServers/name=SQLite/env`.
pub(super) fn path(text: &str) -> Vec<Step> {
    text.split('/')
        .map(|part| match part.split_once('=') {
            Some((key, value)) => Step::item(key, value),
            None => Step::key(part),
        })
        .collect()
}

pub(super) fn set(at: &str, value: Value) -> Change {
    Change::set(path(at), value)
}

pub(super) fn remove(at: &str) -> Change {
    Change::remove(path(at))
}

fn server() -> Value {
    Value::Map(vec![
        ("command".into(), Value::text("npx")),
        ("args".into(), Value::texts(["-y", "time"])),
        ("env".into(), Value::text_map([("TZ", "UTC"), ("ON", "yes")])),
    ])
}

fn small() -> Value {
    Value::text_map([("command", "x")])
}

#[test]
fn changes_are_written_in_the_hand_of_the_file() {
    let cases: Vec<(&str, &str, Vec<Change>, &str)> = vec![
        (
            "a new entry goes behind the last one, in the steps of the file",
            "mcp_servers:\n    old: # one\n        command: a\n        args:\n        - b\n\n# the end\nother: 1\n",
            vec![set("mcp_servers/new", server())],
            "mcp_servers:\n    old: # one\n        command: a\n        args:\n        - b\n    new:\n        command: npx\n        args:\n        - \"-y\"\n        - time\n        env:\n            TZ: UTC\n            \"ON\": \"yes\"\n\n# the end\nother: 1\n",
        ),
        (
            "a missing container goes to the end, and a missing last line end stays missing",
            "theme: dark",
            vec![set("mcpServers/x", small())],
            "theme: dark\nmcpServers:\n  x:\n    command: x",
        ),
        (
            "the end of a document stays its end",
            "a: 1\n# c\n...\n---\nb: 2\n",
            vec![set("m/x", small())],
            "a: 1\nm:\n  x:\n    command: x\n# c\n...\n---\nb: 2\n",
        ),
        (
            "a named item",
            "mcpServers:\n  - name: A\n    command: a\n",
            vec![set("mcpServers/name=B", server())],
            "mcpServers:\n  - name: A\n    command: a\n  - name: B\n    command: npx\n    args:\n      - \"-y\"\n      - time\n    env:\n      TZ: UTC\n      \"ON\": \"yes\"\n",
        ),
        (
            "fields of a named item stand behind its dash",
            "s:\n-   name: A\n    command: a # c\n-   name: B\n",
            vec![
                set("s/name=A/env", Value::text_map([("K", "v")])),
                set("s/name=B/command", Value::text("b")),
            ],
            "s:\n-   name: A\n    command: a # c\n    env:\n      K: v\n-   name: B\n    command: b\n",
        ),
        (
            "comments deeper inside belong to what stands before them",
            "m:\n  a:\n    command: x\n    # more of a\n\n  # more of m\nz: 1\n",
            vec![set("m/b", small())],
            "m:\n  a:\n    command: x\n    # more of a\n  b:\n    command: x\n\n  # more of m\nz: 1\n",
        ),
        (
            "flow goes on in flow",
            "m: {a: {command: x}} # c\n",
            vec![set("m/b", server())],
            "m: {a: {command: x}, b: {command: npx, args: [\"-y\", time], env: {TZ: UTC, \"ON\": \"yes\"}}} # c\n",
        ),
        (
            "padding and trailing commas as found",
            "m: { a: { command: x }, }\n",
            vec![set("m/b", small())],
            "m: { a: { command: x }, b: { command: x }, }\n",
        ),
        (
            "flow over several lines",
            "m: {\n  a: {command: x} # one\n}\n",
            vec![set("m/b", small())],
            "m: {\n  a: {command: x}, # one\n  b: {command: x}\n}\n",
        ),
        (
            "empty brackets stay brackets",
            "m: {} # c\n",
            vec![set("m/b", small())],
            "m: {b: {command: x}} # c\n",
        ),
        (
            "removal takes the line and its comment, not the comment above",
            "m:\n  # above\n  a:\n    command: x # beside\n  b: {}\n",
            vec![remove("m/a")],
            "m:\n  # above\n  b: {}\n",
        ),
        (
            "the last member leaves brackets",
            "m: # c\n  a:\n    b: 1\nz: 1\n",
            vec![remove("m/a")],
            "m: {} # c\nz: 1\n",
        ),
        (
            "the last item leaves brackets",
            "m:\n- name: a\n  b: 1\nz: 1\n",
            vec![remove("m/name=a")],
            "m: []\nz: 1\n",
        ),
        ("the dash stays", "m:\n  - x: 1\n    name: a\n", vec![remove("m/name=a/x")], "m:\n  - name: a\n"),
        (
            "the dash stays, and so does a comment",
            "m:\n  - x: 1\n    # c\n    name: a\n",
            vec![remove("m/name=a/x")],
            "m:\n  -\n    # c\n    name: a\n",
        ),
        ("the root may become empty", "# c\na: 1\n# d\n", vec![remove("a")], "# c\n{}\n# d\n"),
        ("members at the top go", "a: 1\nb: 2\nc: 3\n", vec![remove("a"), remove("b")], "c: 3\n"),
        ("members at the end go", "a: 1\nb: 2\nc: 3", vec![remove("c"), remove("b")], "a: 1"),
        (
            "scalars change in place",
            "a: 'x'  # c\nb: >-\n  folded\n  text\nc:   # nothing\nd: |  # h\n  t\n\ne: 1\n",
            vec![
                set("a", Value::text("z")),
                set("b", Value::text("1.0")),
                set("c", Value::Bool(true)),
                set("d", Value::text("a\nb")),
            ],
            "a: z  # c\nb: \"1.0\"\nc: true   # nothing\nd: \"a\\nb\"  # h\n\ne: 1\n",
        ),
        (
            "a scalar gives way to a map, and back",
            "a: x # c\nb: # d\n  k: v # e\nz: 1\n",
            vec![set("a", Value::text_map([("k", "v")])), set("b", Value::text("x"))],
            "a: # c\n  k: v\nb: x # d\nz: 1\n",
        ),
        (
            "items that stay keep their comments",
            "args:\n  - a # one\n  - b # two\n  # three\n  - c\n",
            vec![set("args", Value::texts(["a", "x", "z", "c"]))],
            "args:\n  - a # one\n  - x # two\n  - z\n  # three\n  - c\n",
        ),
        (
            "flow lists stay flow",
            "args: [\"-y\", b]\n",
            vec![set("args", Value::texts(["-y", "b", "c, d"]))],
            "args: [\"-y\", b, \"c, d\"]\n",
        ),
        (
            "a list gives way to a map",
            "a:\n- x\nz: 1\n",
            vec![set("a", Value::text_map([("k", "v")]))],
            "a:\n  k: v\nz: 1\n",
        ),
        (
            "nested and outer additions at the same place",
            "m:\n  a:\n    command: x",
            vec![set("z", Value::text("1")), set("m/b", small()), set("m/a/cwd", Value::text("/"))],
            "m:\n  a:\n    command: x\n    cwd: /\n  b:\n    command: x\nz: \"1\"",
        ),
        (
            "blank with comments",
            "# mine\n---\n",
            vec![set("m/x", small())],
            "# mine\n---\nm:\n  x:\n    command: x\n",
        ),
        (
            "blank with an end",
            "\u{feff}---\r\n...\r\n",
            vec![set("m/x", small())],
            "\u{feff}---\r\nm:\r\n  x:\r\n    command: x\r\n...\r\n",
        ),
        (
            "blank lines do not become text of the scalar before them",
            "m:\n  - name: a\n    t: |+\n      x\n    u: 1\n\n\nz: 1\n",
            vec![remove("m/name=a/u"), set("m/name=b/t", Value::text("x"))],
            "m:\n  - name: a\n    t: |+\n      x\n  - name: b\n    t: x\nz: 1\n",
        ),
        (
            "merges and aliases beside the change",
            "d: &d\n  K: v\nm:\n  a:\n    env:\n      <<: *d\n",
            vec![set("m/a/env/T", Value::text("<<"))],
            "d: &d\n  K: v\nm:\n  a:\n    env:\n      <<: *d\n      T: \"<<\"\n",
        ),
    ];
    for (story, before, changes, after) in cases {
        assert_eq!(revised(before, &changes), after, "{story}");
        if !before.contains('\r') {
            let crlf = before.replace('\n', "\r\n");
            let wanted = if before.contains('\n') { after.replace('\n', "\r\n") } else { after.to_owned() };
            assert_eq!(revised(&crlf, &changes), wanted, "{story}, with CRLF");
        }
        assert_eq!(revised(after, &changes), after, "{story}, twice");
    }
}

#[test]
fn texts_are_quoted_where_a_reader_could_see_something_else() {
    let quoted = [
        "",
        "yes",
        "No",
        "on",
        "y",
        "null",
        "~",
        "true",
        "12",
        "1.5",
        "0777",
        "0o17",
        "0x1f",
        "1:30",
        "1_000",
        "2026-01-31",
        "-y",
        "- x",
        "?x",
        ":x",
        "a: b",
        "a:",
        "a #b",
        " a",
        "a ",
        "[a",
        "{a",
        "#a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'a",
        "\"a",
        "%a",
        "@a",
        "`a",
        "<<",
        "=",
        "...",
        "1.2.3",
        "a\nb",
        "a\tb",
        "\u{7}",
        "\u{feff}a",
        "\u{85}",
        ".inf",
        "---",
    ];
    for text in quoted {
        let after =
            revised("k: old\nf: [old]\n", &[set("k", Value::text(text)), set("f", Value::texts([text]))]);
        assert!(after.starts_with("k: \"") || after.starts_with("k: '"), "{after}");
    }
    for text in ["a", "npx", "/usr/bin/x", "http://h:80/x#y", "a'b", "a,b", "${{ secrets.X }}", "é", "x=1"] {
        assert_eq!(revised("k: old\n", &[set("k", Value::text(text))]), format!("k: {text}\n"));
    }
    assert_eq!(
        revised("k: [o]\n", &[set("k", Value::texts(["${{ s }}", "a,b"]))]),
        "k: [\"${{ s }}\", \"a,b\"]\n"
    );
}

#[test]
fn what_hardly_anybody_writes_is_carried_on_or_refused_with_its_place() {
    let complex =
        "a key that is itself a map or a list stands here, beside which nothing can be written safely";
    let nameless = "a key without a text stands here, beside which nothing can be written safely";
    let tab = "a tab stands before this value, where a blank belongs";
    let early = "a tab stands before this part of the file, where YAML counts blanks";
    let entry = || set("m/x", small());
    type Outcome = Result<&'static str, (&'static str, &'static str)>;
    let cases: Vec<(&str, Change, Outcome)> = vec![
        ("m:\n  ? a\n  : b\n", entry(), Ok("m:\n  ? a\n  : b\n  x:\n    command: x\n")),
        ("m:\n  ? a\n  : b\n", set("m/a", Value::text("c")), Ok("m:\n  ? a\n  : c\n")),
        ("m:\t# none\n  a: b\t# c\n", entry(), Ok("m:\t# none\n  a: b\t# c\n  x:\n    command: x\n")),
        ("m:\n  ? ? a\n  : b\n", entry(), Err(("line 2, column 5", complex))),
        ("m:\n  ? - a\n  : b\n", entry(), Err(("line 2, column 5", complex))),
        ("? ? a\n", set("x", small()), Err(("line 1, column 3", complex))),
        ("m: {? , b: c}\n", entry(), Err(("line 1, column 9", nameless))),
        ("m:\n  a:\t\"b\"\n", set("m/a", Value::text("c")), Err(("line 2, column 6", tab))),
        ("m:\t{}\n", entry(), Err(("line 1, column 4", tab))),
        ("m:\n  a:\t[]\n", set("m/a", small()), Err(("line 2, column 6", tab))),
        ("? a\n:\t\"b\": c\n", set("a/x", small()), Err(("line 2, column 3", early))),
    ];
    for (before, change, wanted) in cases {
        let document =
            Document::parse(before, Format::Yaml).unwrap_or_else(|error| panic!("{error}\n{before}"));
        match (document.revised(&[change]), wanted) {
            (Ok(after), Ok(wanted)) => assert_eq!(after, wanted),
            (Err(refusal), Err((place, what))) => {
                assert_eq!(refusal.to_string(), format!("{place}: {what}"), "{before}");
            }
            (found, wanted) => panic!("{before}\n{found:?}\n{wanted:?}"),
        }
    }
}
