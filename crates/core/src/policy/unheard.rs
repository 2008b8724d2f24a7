//! Tables about tools that nobody has ever heard of: a slip of the pen in a name denies nothing.

use std::collections::{HashMap, HashSet};

use super::ToolPolicy;
use super::merge::{Base, Offered};
use crate::nearest::nearest;
use crate::place::Place;
use crate::problem::Problem;

/// So many are told at once.
const MOST: usize = 10;

/// Returns the tables of tools that their servers do not offer, or whose servers are not there, each with the name that
/// was probably meant.
///
/// A tool for which something was generated was there once, and may be again. Where it is not known what a server offers,
/// nothing is said of it.
pub fn unheard_of(policy: &ToolPolicy, base: &Base, offered: &[Offered<'_>]) -> Vec<Problem> {
    let strange = policy.rules().iter().filter(|rule| !base.knows(&rule.server, &rule.tool));
    let mut strange = strange.peekable();
    if strange.peek().is_none() {
        return Vec::new();
    }
    let names = |one: &Offered<'_>| Some(one.tools?.iter().map(|tool| tool.tool.clone()).collect());
    let servers: HashMap<&str, Option<HashSet<String>>> =
        offered.iter().map(|one| (one.server, names(one))).collect();
    let told = strange.filter_map(|rule| {
        let (what, near) = match servers.get(rule.server.as_str()) {
            None => (
                format!("there is no server `{}`", rule.server.escape_debug()),
                nearest(&rule.server, servers.keys().copied()),
            ),
            Some(Some(tools)) if !tools.contains(&rule.tool) => (
                format!("`{}` offers no tool `{}`", rule.server, rule.tool.escape_debug()),
                nearest(&rule.tool, tools.iter().map(String::as_str)),
            ),
            Some(_) => return None,
        };
        let help = match near {
            Some(near) => format!("did you mean `{}`?", near.escape_debug()),
            None => "see `switchboard tool list`, or remove the table".to_owned(),
        };
        let problem = Problem::warning(format!("{what}, so that its table has no effect"));
        Some(problem.at(Place { line: rule.line, column: 1 }).help(help))
    });
    told.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::unheard_of;
    use crate::policy::merge::{Base, Offered, merge};
    use crate::policy::stage::proposals;
    use crate::policy::{Decisions, parse};

    #[test]
    fn a_slip_of_the_pen_in_a_name_is_told() {
        let text = "[tools.k8.delete_pod]\n[tools.k8s.delte_pod]\n[tools.k8s.delete_pod]\n[tools.k8s.frob]\n[tools.off.x]\n";
        let tools = proposals("k8s", "delete_pod get_pod", Decisions::default());
        let offered =
            [Offered { server: "k8s", tools: Some(&tools) }, Offered { server: "off", tools: None }];
        let policy = parse(text).value;
        let told = unheard_of(&policy, &Base::default(), &offered);
        let told: Vec<String> = told
            .iter()
            .map(|problem| format!("{problem}: {}", problem.help.as_deref().unwrap_or_default()))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        1:1: there is no server `k8`, so that its table has no effect: did you mean `k8s`?
        2:1: `k8s` offers no tool `delte_pod`, so that its table has no effect: did you mean `delete_pod`?
        4:1: `k8s` offers no tool `frob`, so that its table has no effect: see `switchboard tool list`, or remove the table
        ");
        // A tool that is gone was there once.
        let merged = merge(None, &Base::default(), &offered, 0).unwrap();
        let gone = parse("[tools.k8s.get_pod]\n").value;
        assert_eq!(unheard_of(&gone, &merged.base, &[]), []);
    }
}
