//! Any text as the policy file and as another application's: never a panic; a merge and an export refuse it, or give a
//! text that can be read, in which nothing is left to do.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use switchboard_core::policy::export::{ExportBase, ExportedTool, export};
use switchboard_core::policy::merge::{Base, Offered, merge, renamed};
use switchboard_core::policy::{
    Decisions, Proposal, Rules, Setting, Tool, ToolPolicy, Usual, Verbs, explain, inert, infer, parse,
};

const USUAL: Usual = Usual { hard_timeout: Duration::from_secs(3_600), cache: true };

fuzz_target!(|input: (&str, &str)| {
    let (text, other) = input;
    let verbs = Verbs::default();
    let setting =
        Setting { server: "a", trust: false, timeout: None, verbs: &verbs, decisions: Decisions::default() };
    let tools: Vec<Proposal> =
        ["get_x", "delete_x", "x.y"].into_iter().map(|tool| infer(&Tool::named(tool), &setting)).collect();
    let parsed = parse(text);
    let good = parsed.is_good();
    look(parsed.value, &Base::default(), &tools);
    let offered = [Offered { server: "a", tools: Some(&tools) }];
    if let Ok((after, _)) = renamed(text, &Base::default(), "a", "b") {
        assert!(!good || parse(&after).is_good(), "calling a server otherwise broke it: {after}");
    }
    if let Ok(merged) = merge(Some(text), &Base::default(), &offered, 0) {
        let after = merged.text.as_deref().unwrap_or(text);
        let parsed = parse(after);
        assert!(!good || parsed.is_good(), "the merge broke it: {:?}", parsed.problems);
        let policy = look(parsed.value, &merged.base, &tools);
        let again = merge(Some(after), &merged.base, &offered, 0).expect("what was written can be merged");
        assert_eq!(again.text, None, "a second merge would write again");
        // Everything goes, and comes back.
        if let Ok(gone) = merge(Some(after), &merged.base, &[], 0) {
            let left = parse(gone.text.as_deref().unwrap_or(after));
            assert!(!good || left.is_good(), "the merge broke it: {:?}", left.problems);
        }
        send(other, &policy, &tools);
    }
});

/// Asks everything that is asked of a policy.
fn look(policy: ToolPolicy, base: &Base, tools: &[Proposal]) -> ToolPolicy {
    let policy = policy.knowing(base);
    let _ = inert(&policy, base, USUAL);
    let _ = Rules::of(&policy, [("a", tools)], USUAL);
    tools.iter().for_each(|tool| drop(explain(&policy, base, "a", tool, USUAL).sentences()));
    policy
}

fn send(text: &str, policy: &ToolPolicy, tools: &[Proposal]) {
    let tools: Vec<ExportedTool> =
        tools.iter().map(|tool| ExportedTool::of(policy, "a", tool, "what it is for", USUAL)).collect();
    let Ok(sent) = export(Some(text), &ExportBase::default(), "a", &tools) else { return };
    let after = sent.text.as_deref().unwrap_or(text);
    let again = export(Some(after), &sent.base, "a", &tools).expect("what was written can be read");
    assert_eq!(again.text, None, "a second export would write again");
}
