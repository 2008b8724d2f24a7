//! What the settings say, and what is wrong with them.

use super::{Face, Http, Mode, OnChange, Via, parse};
use crate::policy::{Decision, Risk};

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

#[test]
fn the_policy_is_said_as_a_whole_or_not_at_all() {
    let usual = parse("").value.policy;
    assert!(usual.enforce && !usual.cache && usual.export.is_empty());
    assert_eq!((usual.on_change, usual.decisions.on(Risk::High)), (OnChange::Flag, Decision::Allow));
    let parsed = parse(
        "[policy]\nenforce = false\ncache = true\non_change = \"quarantine\"\ndecisions = { high = \"ask\" }\n\
         hard_timeout = \"10m\"\nverbs = { high = [\"publish\"], safe = [\"open\", \"删除\"] }\n\
         export = [{ path = \"config/mcp_config.json\", server = \"k8s\" }]\n",
    );
    assert_eq!(parsed.problems, []);
    let policy = parsed.value.policy;
    assert!(!policy.enforce && policy.cache);
    assert_eq!((policy.on_change, policy.hard_timeout.as_secs()), (OnChange::Quarantine, 600));
    assert_eq!(policy.decisions.on(Risk::High), Decision::Ask);
    assert_eq!(policy.decisions.on(Risk::Medium), Decision::Allow);
    assert_eq!(policy.verbs.get("publish").map(|verb| verb.risk), Some(Risk::High));
    assert_eq!(policy.verbs.get("删除").map(|verb| verb.risk), Some(Risk::Safe));
    assert_eq!(policy.export[0].server, "k8s");
}

#[test]
fn a_slip_of_the_pen_in_the_policy_leaves_the_last_good_settings_in_force() {
    for policy in ["enfroce = true", "decisions = { hihg = \"deny\" }", "verbs.hihg = [\"publish\"]"] {
        let parsed = parse(&format!("[policy]\n{policy}\n"));
        assert!(!parsed.is_good() && parsed.problems[0].help.is_some(), "{policy}: {:?}", parsed.problems);
    }
}

#[test]
fn what_has_no_effect_in_the_policy_is_warned_about() {
    for (policy, told) in [
        (
            "hard_timeout = \"0s\"",
            "2:16: `hard_timeout` is shorter than the 60s that a call may be silent, and ends none of these",
        ),
        (
            "verbs = { high = [\"open\"], safe = [\"Open\"] }",
            "2:36: \"Open\" has no effect here: it stands under `high` already",
        ),
    ] {
        let parsed = parse(&format!("[policy]\n{policy}\n"));
        assert!(parsed.is_good() && parsed.problems[0].help.is_some());
        assert_eq!(parsed.problems[0].to_string(), told);
    }
    // No name of a tool has such a word.
    assert!(!parse("[policy]\nverbs.high = [\"publishNow\"]\n").is_good());
}

#[test]
fn what_is_wrong_with_the_policy_is_told() {
    insta::assert_snapshot!(told(
        "[policy]\ncahce = true\non_change = \"flagg\"\ndecisions = { hihg = \"ask\", safe = \"no\" }\nverbs.high = [\"git push\"]\n\n[[policy.export]]\nserver = 1\n"
    ), @r#"
    2:1: `policy` of the settings has no setting `cahce`
      hint: did you mean `cache`?
    3:13: `on_change` of `policy` of the settings is "flagg", not one of "flag", "quarantine"
      hint: did you mean "flag"?
    4:15: `decisions` of `policy` of the settings has no setting `hihg`
      hint: did you mean `high`?
    4:36: `safe` of `decisions` of `policy` of the settings is "no", not one of "allow", "ask", "deny"
    5:15: "git push" is not one word of a tool's name
      hint: write letters and digits alone, such as "publish"
    7:1: an export needs a `path`
      hint: add path = "config/mcp_config.json"
    8:10: `server` of `[[export]]` is a number, not a text
    "#);
}
