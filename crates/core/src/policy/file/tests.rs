//! What a policy file says, and what is wrong with it.

use proptest::prelude::*;

use super::{Said, parse};
use crate::policy::{Decision, Risk};

const FILE: &str = r#"# ours
[tools.k8s.delete_pod]
risk = "high" # of course
decision = "ask"
timeout = "90s"
hard_timeout = "10m"
permission = "k8s:pod:delete"
rate = "10/min"

[tools.k8s."list.pods"]
risk = "safe"
cache_ttl = "60s"
permissions = []

[tools."my server"]
"删除" = { enabled = false, permissions = ["a:b:c", "d:e"] }
"#;

#[test]
fn a_rule_knows_its_lines() {
    let parsed = parse(FILE);
    assert_eq!(parsed.problems, []);
    let policy = parsed.value;
    assert_eq!(policy.rules().len(), 3);
    let rule = policy.rule("k8s", "delete_pod").unwrap();
    assert_eq!(rule.line, 2);
    assert_eq!(rule.risk, Some(Said { value: Risk::High, line: 3 }));
    assert_eq!(rule.decision, Some(Said { value: Decision::Ask, line: 4 }));
    assert_eq!(rule.timeout.as_ref().map(|said| (said.value.as_secs(), said.line)), Some((90, 5)));
    assert_eq!(rule.hard_timeout.as_ref().map(|said| said.value.as_secs()), Some(600));
    assert_eq!(rule.rate.as_ref().map(|said| said.value.to_string()), Some("10/min".to_owned()));
    assert_eq!((rule.enabled.as_ref(), rule.cache_ttl.as_ref()), (None, None));
    let rule = policy.rule("k8s", "list.pods").unwrap();
    assert_eq!(rule.permissions, Some(Said { value: vec![], line: 13 }));
    let rule = policy.rule("my server", "删除").unwrap();
    assert_eq!((rule.line, rule.permissions.as_ref().map(|said| said.value.len())), (16, Some(2)));
    assert!(policy.rule("k8s", "other").is_none() && policy.rule("other", "delete_pod").is_none());
}

#[test]
fn other_line_ends_and_a_mark_before_the_text_change_nothing() {
    let text = format!("\u{feff}{}", FILE.replace('\n', "\r\n"));
    assert_eq!(parse(&text), parse(FILE));
}

#[test]
fn what_is_wrong_is_told_all_at_once_with_its_place() {
    let text = "[tools.k8s.a]\nrisk = \"hihg\"\ndecison = \"ask\"\ntimeout = 60\nhard_timeout = \"0s\"\n\
                rate = \"10\"\npermission = \"k8s:*\"\n\n[tools.k8s.b]\npermission = \"a:b\"\n\
                permissions = [\"c d\", 1]\nenabled = \"no\"\ncache_ttl = \"60\"\n\n[tools]\nx = 1\n\n[tool.y.z]\n\n\
                [tools.q]\nrisk = \"high\"\n";
    let parsed = parse(text);
    assert!(!parsed.is_good());
    let told: Vec<String> = parsed
        .problems
        .iter()
        .map(|problem| {
            let help = problem.help.iter().map(|help| format!("\n  hint: {help}"));
            format!("{problem}{}", help.collect::<String>())
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    2:8: `risk` of tool `a` is "hihg", not one of "high", "medium", "safe"
      hint: did you mean "high"?
    3:1: tool `a` has no setting `decison`
      hint: did you mean `decision`?
    4:11: `timeout` of tool `a` is a number, not a duration such as "30s"
    5:16: `hard_timeout` is no time at all
      hint: remove the line, or write decision = "deny"
    6:8: `rate` is not how often: "10" has no `/`
      hint: write a number, `/` and s, min, h or day: "10/min"
    7:14: "k8s:*" is no permission: `*` may only stand in what a caller holds
      hint: write server:resource:action, such as "k8s:pod:delete"
    10:14: both `permission` and `permissions` say what a caller must hold
      hint: put all of it into `permissions`
    11:23: an item of `permissions` of tool `b` is a number, not a text
      hint: put it in quotation marks
    12:11: `enabled` of tool `b` is a text, not true or false
    13:13: `cache_ttl` of tool `b` is not a duration: "60" has no unit
      hint: write a number and ms, s, m or h, such as "30s"
    16:5: server `x` is a number, not a table
    18:2: the policy has no setting `tool`
      hint: did you mean `tools`?
    21:8: tool `risk` is a text, not a table
    "#);
}

#[test]
fn damage_has_a_place_and_makes_the_whole_file_bad() {
    for (text, place) in [
        ("[tools.k8s.a]\nrisk = \"high\n", "2:13"),
        ("[tools.k8s.a]\nrisk = \"high\"\n[tools.k8s.a]\n", "3:12"),
        ("[tools.k8s.a\n", "1:13"),
    ] {
        let parsed = parse(text);
        assert!(!parsed.is_good());
        let found = parsed.problems[0].place.unwrap();
        assert!(parsed.problems[0].help.is_some());
        assert_eq!(found.to_string(), place, "{text:?}: {:?}", parsed.problems);
    }
}

#[test]
fn a_slip_of_the_pen_makes_the_file_bad_wherever_it_is() {
    for (text, told) in [
        ("[tools.k8s.a]\ndesicion = \"deny\"\n", "2:1: did you mean `decision`?"),
        ("[tools.k8s.a]\nDecision = \"deny\"\n", "2:1: did you mean `decision`?"),
        ("[tools.k8s.a]\ndecision = \"Deny\"\n", "2:12: did you mean \"deny\"?"),
        ("[tools.k8s.a]\nrisk = \"hgih\"\n", "2:8: did you mean \"high\"?"),
        ("[tools.k8s.a]\npermision = \"a:b\"\n", "2:1: did you mean `permission`?"),
        ("[tool.k8s.a]\ndecision = \"deny\"\n", "1:2: did you mean `tools`?"),
        (
            "[tools.k8s.a]\nx = { decision = \"deny\" }\n",
            "2:1: known are enabled, risk, decision, timeout, hard_timeout, cache_ttl, rate, permission, permissions",
        ),
    ] {
        let parsed = parse(text);
        assert!(!parsed.is_good(), "{text}");
        let problem = &parsed.problems[0];
        let place = problem.place.map(|place| place.to_string()).unwrap_or_default();
        let help = problem.help.as_deref().unwrap_or_default();
        assert_eq!(format!("{place}: {help}"), told, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\[tools\\.[a-z\"]{1,4}\\.[a-z]{1,2}\\]|risk = |\"high\"|[a-z= \"\\[\\]{}.#\n]{0,6}){0,8}") {
        let parsed = parse(&text);
        prop_assert!(parsed.problems.iter().all(|problem| problem.place.is_some()));
    }
}
