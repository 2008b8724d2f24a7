//! What the settings say, and what is wrong with them.

use super::{Face, Http, Mode, Via, parse};

fn told(text: &str) -> String {
    let parsed = parse(text);
    let mut lines: Vec<String> = parsed
        .value
        .clients
        .iter()
        .map(|client| {
            format!(
                "{} as {}: {:?} {:?} {:?} {:?}",
                client.id, client.known.id, client.mode, client.via, client.face, client.servers
            )
        })
        .collect();
    for problem in &parsed.problems {
        lines.push(format!("{problem}"));
        lines.extend(problem.help.iter().map(|help| format!("  hint: {help}")));
    }
    lines.join("\n")
}

#[test]
fn nothing_said_is_the_usual() {
    let settings = parse("").value;
    assert_eq!(settings.http, Http::default());
    assert_eq!(settings.http.listen, "127.0.0.1:8080");
    let client = &parse("[[clients]]\nid = \"cursor\"\n").value.clients[0];
    let said = (client.mode, client.via, client.face, client.servers.as_slice());
    assert_eq!(said, (Mode::Manual, Via::Bridge, Face::PerServer, &["*".to_owned()][..]));
}

#[test]
fn clients_are_known_by_id_alias_or_dialect() {
    insta::assert_snapshot!(told(
        "[[clients]]\nid = \"claude\"\nmode = \"auto\"\n\n[[clients]]\nid = \"shop\"\ndialect = \"cursor\"\npath = \"/w/x.json\"\nvia = \"direct\"\nservers = [\"git*\"]\n"
    ), @r#"
    claude-desktop as claude-desktop: Auto Bridge PerServer ["*"]
    shop as cursor: Manual Direct PerServer ["git*"]
    "#);
}

#[test]
fn what_is_wrong_is_told_and_the_rest_counts() {
    insta::assert_snapshot!(told(
        "[[clients]]\nid = \"cursr\"\n\n[[clients]]\nmode = \"auto\"\n\n[[clients]]\nid = \"zed\"\nvia = \"brigde\"\n\n[[clients]]\nid = \"zed\"\nsevers = []\n\n[[clients]]\nid = \"a b\"\ndialect = \"zed\"\n"
    ), @r#"
    zed as zed: Manual Bridge PerServer ["*"]
    zed as zed: Manual Bridge PerServer ["*"]
    client `zed` stands twice
      hint: give one of them another `id`, with `dialect` and `path`
    2:6: `cursr` is no known client
      hint: did you mean `cursor`?
    4:1: a client needs an `id`
      hint: add id = "cursor"
    9:7: `via` of `[[clients]]` is "brigde", not one of "bridge", "http", "direct"
      hint: did you mean "bridge"?
    13:1: `[[clients]]` has no setting `severs`
      hint: did you mean `servers`?
    16:6: "a b" is no client id: a client id holds only a-z, 0-9, `-`, `_` and `.`
    "#);
}
