//! What becomes of calls.

use std::time::Duration;

use proptest::prelude::*;

use super::{Denial, Rules, Usual, Verdict, Why};
use crate::policy::merge::{Base, Offered, merge};
use crate::policy::stage::{USUAL, proposals};
use crate::policy::{Decisions, Held, Permission, Rate, explain, parse};

fn rules(file: &str, usual: Usual) -> Rules {
    let parsed = parse(file);
    assert!(parsed.is_good(), "{:?}", parsed.problems);
    let tools = proposals("k8s", "delete_pod list_pods frob", Decisions::default());
    Rules::of(&parsed.value, [("k8s", tools.as_slice())], usual)
}

fn told(rules: &Rules, held: &str, tool: &str) -> String {
    let held = Held::parse(held.split_whitespace()).unwrap();
    match rules.decide(&held, "k8s", tool) {
        None => "not known".to_owned(),
        Some(Verdict::Deny(denial)) => denial.to_string(),
        Some(Verdict::Allow(terms)) => {
            format!("allow {} {:?} {:?}", terms.risk, terms.timeout, terms.cache_ttl)
        }
        Some(Verdict::Ask(terms)) => {
            format!("ask {} {:?} {:?}", terms.risk, terms.timeout, terms.hard_timeout)
        }
    }
}

#[test]
fn a_call_is_decided_by_the_file_then_by_what_is_proposed() {
    let on = "[tools.k8s.delete_pod]\n";
    for (file, held, tool, expected) in [
        ("", "*", "list_pods", "allow safe 30s Some(60s)"),
        ("", "", "list_pods", "allow safe 30s Some(60s)"),
        ("", "*", "delete_pod", "allow high 60s None"),
        ("", "k8s:*:delete", "delete_pod", "allow high 60s None"),
        (
            "",
            "k8s:pod",
            "delete_pod",
            "`delete_pod` of `k8s` was not called: it needs the permission `k8s:pod:delete`",
        ),
        ("", "*", "unheard_of", "not known"),
        ("decision = \"ask\"\ntimeout = \"90s\"\n", "*", "delete_pod", "ask high 90s 3600s"),
        ("decision = \"ask\"\nhard_timeout = \"10s\"\n", "*", "delete_pod", "ask high 60s 10s"),
        ("decision = \"ask\"\ntimeout = \"2h\"\n", "*", "delete_pod", "ask high 7200s 7200s"),
        (
            "decision = \"deny\"\n",
            "*",
            "delete_pod",
            "`delete_pod` of `k8s` was not called: the policy does not allow it",
        ),
        ("enabled = false\n", "*", "delete_pod", "`delete_pod` of `k8s` was not called: it is switched off"),
        (
            "permissions = [\"a:b\", \"c:d\"]\n",
            "a:*",
            "delete_pod",
            "`delete_pod` of `k8s` was not called: it needs the permission `c:d`",
        ),
        ("permissions = [\"a:b\", \"c:d\"]\n", "a:* c:d", "delete_pod", "allow high 60s None"),
        // Only results of safe tools are kept, whatever the file says.
        ("cache_ttl = \"5m\"\n", "*", "delete_pod", "allow high 60s None"),
        ("cache_ttl = \"5m\"\nrisk = \"safe\"\n", "*", "delete_pod", "allow safe 60s Some(300s)"),
        ("cache_ttl = \"0s\"\nrisk = \"safe\"\n", "*", "delete_pod", "allow safe 60s None"),
        // Lacking a permission comes before being asked.
        (
            "decision = \"ask\"\npermission = \"x:y\"\n",
            "a:b",
            "delete_pod",
            "`delete_pod` of `k8s` was not called: it needs",
        ),
    ] {
        let file =
            if file.is_empty() { String::new() } else { format!("{on}{}", file.trim_start_matches(on)) };
        let found = told(&rules(&file, USUAL), held, tool);
        assert!(found.starts_with(expected), "{file}{held} {tool}: {found}");
    }
    let uncached = rules("", Usual { cache: false, ..USUAL });
    assert_eq!(told(&uncached, "*", "list_pods"), "allow safe 30s None");
}

#[test]
fn a_line_that_is_missing_counts_as_proposed_unless_a_person_took_it_out() {
    let tools = proposals("k8s", "delete_pod list_pods", Decisions::default());
    let offered = [Offered { server: "k8s", tools: Some(&tools) }];
    let generated = merge(None, &Base::default(), &offered, 0).unwrap();
    let without = |line: &str| generated.text.as_deref().unwrap().replacen(line, "", 1);
    let lacks = "`delete_pod` of `k8s` was not called: it needs the permission `k8s:pod:delete`";
    for (line, tool, nobody_knows, taken_out) in [
        ("risk = \"high\"\n", "delete_pod", lacks, lacks),
        ("timeout = \"60s\"\n", "delete_pod", lacks, lacks),
        ("permission = \"k8s:pod:delete\"\n", "delete_pod", lacks, "allow high 60s None"),
        ("cache_ttl = \"60s\"\n", "list_pods", "allow safe 30s Some(60s)", "allow safe 30s None"),
    ] {
        for (base, expected) in [(&Base::default(), nobody_knows), (&generated.base, taken_out)] {
            let policy = parse(&without(line)).value.knowing(base);
            let rules = Rules::of(&policy, [("k8s", tools.as_slice())], USUAL);
            let found = told(&rules, "", tool);
            assert!(found.starts_with(expected), "{line}: {found}");
            // Whoever asks is told the same, and a merge leaves the line out.
            let proposal = tools.iter().find(|proposal| proposal.tool == tool).unwrap();
            let explained = explain(&policy, base, "k8s", proposal, USUAL).sentences().join("\n");
            assert_eq!(explained.contains("you took it out"), base.knows("k8s", tool), "{line}: {explained}");
            let merged = merge(Some(&without(line)), base, &offered, 0).unwrap();
            assert_eq!(merged.text, None, "{line}");
        }
    }
}

#[test]
fn every_refusal_says_what_to_do() {
    let denial =
        |why| Denial { server: "k8s".to_owned(), tool: "delete\u{202e}pod".to_owned(), why }.to_string();
    let all = [
        Why::Off,
        Why::Denied,
        Why::Lacks(Permission::parse("k8s:pod:delete").unwrap()),
        Why::TooOften { rate: Rate::parse("10/min").unwrap(), wait: Duration::from_millis(5_001) },
        Why::Refused,
        Why::Waits(7),
        Why::Changed,
    ];
    let told: Vec<String> = all.into_iter().map(denial).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    `delete\u{202e}pod` of `k8s` was not called: it is switched off. Do without it.
    `delete\u{202e}pod` of `k8s` was not called: the policy does not allow it. Do without it, or ask the user to change the policy.
    `delete\u{202e}pod` of `k8s` was not called: it needs the permission `k8s:pod:delete`, which this client does not hold. Do without it, or ask the user.
    `delete\u{202e}pod` of `k8s` was not called: it may be called 10/min. Try again in 6 s.
    `delete\u{202e}pod` of `k8s` was not called: the user did not agree. Do not try again unless the user asks for it.
    `delete\u{202e}pod` of `k8s` was not called: the user has to agree first. Ask them to run `switchboard policy approve 7`, then call it again with the same arguments.
    `delete\u{202e}pod` of `k8s` was not called: its definition has changed since it was approved. Ask the user to look at the change, then try again.
    "#);
}

proptest! {
    #[test]
    fn whoever_holds_more_is_refused_no_more(
        few in prop::sample::subsequence(vec!["k8s:pod:delete", "k8s:*:delete", "k8s:frob:call", "x:*", "a:b"], 0..5),
        more in prop::sample::subsequence(vec!["*", "k8s:*", "k8s:frob:*", "a:*"], 0..4),
        decision in prop::sample::select(vec!["allow", "ask", "deny"]),
        tool in prop::sample::select(vec!["delete_pod", "list_pods", "frob"]),
    ) {
        let rules = rules(&format!("[tools.k8s.frob]\ndecision = \"{decision}\"\npermission = \"a:b\"\n"), USUAL);
        let some = Held::parse(few.iter().copied()).unwrap();
        let all = Held::parse(few.iter().chain(&more).copied()).unwrap();
        let refused = |held: &Held| matches!(rules.decide(held, "k8s", tool), Some(Verdict::Deny(_)));
        prop_assert!(refused(&some) || !refused(&all));
        prop_assert_eq!(refused(&Held::everything()), tool == "frob" && decision == "deny");
    }
}
