//! What is found by which words.

use super::*;

fn stage() -> Stage {
    let stage = Stage::new();
    let raw = |title: &str, description: &str| {
        serde_json::to_vec(&serde_json::json!({ "title": title, "description": description })).unwrap()
    };
    let texts = [
        ("listPods", raw("", "Lists the pods of a namespace")),
        ("list_deployments", raw("", "Lists deployments")),
        ("getHTTPRoute", raw("Route", "Gets one. Long text about pods and more pods, pods everywhere")),
        ("delete-namespace", raw("", "Removes everything")),
        ("rename.file", raw("Çalış", "Überträgt Dateien")),
    ];
    let items = texts.iter().map(|(name, raw)| tool(name, raw)).collect();
    let issue = raw("", "Creates an issue in a repository");
    let rows = [
        row("k8s", 1, Content::Seen(Seen { items, ..Seen::default() })),
        one("github", 2, "create_issue", &issue),
        one("files", 3, "删除", b"{}"),
    ];
    stage.open().replace(&rows, 1).unwrap();
    stage
}

#[test]
fn tools_are_found_by_the_words_that_people_see() {
    let stage = stage();
    let mut registry = stage.read();
    for (text, found) in [
        ("pods", vec!["listPods", "getHTTPRoute"]),
        ("PODS", vec!["listPods", "getHTTPRoute"]),
        ("po", vec!["listPods", "getHTTPRoute"]),
        ("listpods", vec!["listPods"]),
        ("list", vec!["list_deployments", "listPods"]),
        ("list pods", vec!["listPods"]),
        ("listDep", vec!["list_deployments"]),
        ("http route", vec!["getHTTPRoute"]),
        ("namespace", vec!["delete-namespace", "listPods"]),
        ("file", vec!["rename.file", "删除"]),
        ("uber", vec!["rename.file"]),
        ("ÜBERTRÄGT", vec!["rename.file"]),
        ("删", vec!["删除"]),
        ("github issue", vec!["create_issue"]),
        ("pods weather", vec!["listPods", "getHTTPRoute"]),
        ("weather", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(names(&registry.search(text, 10)), found, "{text}");
    }
    assert_eq!(registry.search("list", 1).len(), 1);
    let found = registry.search("pods", 10);
    assert!(found[0].score > found[1].score && found[1].score > 0.0);
}

#[test]
fn no_query_is_a_mistake() {
    let stage = stage();
    let mut registry = stage.read();
    for text in [
        "\"",
        "'",
        "\"pods",
        "pods\"",
        "pods*",
        "^pods",
        "name:pods",
        "pods AND",
        "OR",
        "NOT pods",
        "NEAR(pods list, 3)",
        "(",
        ")))",
        "{name title}: pods",
        "-name: pods",
        "pods + list",
        ";DROP TABLE server",
        "%",
        "_",
        "\\",
        "\0",
        "pods\0list",
        "\u{feff}pods",
        "² ½ Ⅷ",
        "a\u{301}",
        "🦀",
        "ﬁle",
        "\u{200d}",
        "１２",
        "१",
        "pods-",
        "--",
        "ǅ",
    ] {
        registry.search(text, 10);
        assert_eq!(registry.notes(), [], "{text:?}");
    }
    registry.search(&"x ".repeat(100_000), 10);
    registry.search(&"\"".repeat(100_000), 10);
    assert_eq!(registry.notes(), []);
    assert_eq!(names(&registry.search("NOT pods", 10)), ["listPods", "getHTTPRoute"]);
}

#[test]
fn odd_names_are_only_names() {
    let stage = Stage::new();
    let odd = ["", "a\0b", "' OR 1=1 --", "\u{1b}[31m", &"n".repeat(100_000)];
    let items = odd.iter().map(|name| tool(name, b"\xff not JSON")).collect();
    let mut registry = stage.open();
    registry.replace(&[row("odd", 1, Content::Seen(Seen { items, ..Seen::default() }))], 1).unwrap();
    let listed: Vec<String> = registry.list(Kind::Tool, None).into_iter().map(|line| line.name).collect();
    assert_eq!(listed, odd);
    assert_eq!(registry.show("odd", Kind::Tool, "a\0b").unwrap().raw, b"\xff not JSON");
}
