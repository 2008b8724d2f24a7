//! Lines of the policy file that have no effect as they stand.

use std::time::Duration;

use super::file::key;
use super::merge::{Base, spelt};
use super::{Risk, Rule, ToolPolicy, Usual};
use crate::place::Place;
use crate::problem::Problem;

/// Nobody calls so often, and it is no time that could be kept.
const INSTANT: Duration = Duration::from_micros(1);

/// One way in which a line of a tool's table can have no effect.
#[derive(Clone, Copy)]
enum Inert {
    /// Results are not kept at all.
    Uncached,
    /// Results of tools that are not safe are never kept.
    UncachedRisk,
    /// The hard limit comes first.
    Timeout,
    /// So many calls are never made.
    Rate,
}

impl Inert {
    const ALL: [Self; 4] = [Self::Uncached, Self::UncachedRisk, Self::Timeout, Self::Rate];

    /// Returns the line in which a rule says something to no effect.
    fn line(self, rule: &Rule, base: &Base, usual: Usual) -> Option<usize> {
        let is_ours = |ttl: Duration| {
            base.generated(&rule.server, &rule.tool, key::CACHE_TTL) == Some(spelt(ttl).as_str())
        };
        let cache_ttl = rule.cache_ttl.as_ref();
        // What was generated is nobody's wish.
        let cache_ttl = cache_ttl.filter(|ttl| !ttl.value.is_zero() && !is_ours(ttl.value));
        match self {
            Self::Uncached => cache_ttl.filter(|_| !usual.cache).map(|ttl| ttl.line),
            Self::UncachedRisk => {
                let is_risky = rule.risk.as_ref().is_some_and(|risk| risk.value > Risk::Safe);
                cache_ttl.filter(|_| usual.cache && is_risky).map(|ttl| ttl.line)
            }
            Self::Timeout => {
                let (timeout, hard) = (rule.timeout.as_ref()?, rule.hard_timeout.as_ref()?);
                (hard.value < timeout.value).then_some(timeout.line)
            }
            Self::Rate => {
                let rate = rule.rate.as_ref()?;
                (rate.value.per / rate.value.calls < INSTANT).then_some(rate.line)
            }
        }
    }

    /// Returns the key, why it has no effect, and what to do.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Uncached => (
                key::CACHE_TTL,
                "no results are kept",
                "write cache = true under `[policy]` in the settings, or remove the line",
            ),
            Self::UncachedRisk => (
                key::CACHE_TTL,
                "only results of safe tools are kept",
                "remove the line, or write risk = \"safe\"",
            ),
            Self::Timeout => {
                (key::TIMEOUT, "`hard_timeout` is shorter", "make `timeout` no longer than `hard_timeout`")
            }
            Self::Rate => (key::RATE, "nobody calls so often", "write fewer calls, such as \"10/min\""),
        }
    }
}

/// Returns what stands in the policy to no effect: each kind once, with the place of the first.
pub fn inert(policy: &ToolPolicy, base: &Base, usual: Usual) -> Vec<Problem> {
    let told = |inert: Inert| {
        let mut found = policy.rules().iter().filter_map(|rule| Some((rule, inert.line(rule, base, usual)?)));
        let (rule, line) = found.next()?;
        let (key, why, help) = inert.words();
        let others = match found.count() {
            0 => String::new(),
            1 => " and of another".to_owned(),
            count => format!(" and of {count} others"),
        };
        let tool = rule.tool.escape_debug();
        let what = format!("`{key}` of tool `{tool}`{others} has no effect: {why}");
        Some(Problem::warning(what).at(Place { line, column: 1 }).help(help))
    };
    Inert::ALL.into_iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::{Usual, inert};
    use crate::policy::merge::{Base, Offered, merge};
    use crate::policy::stage::{USUAL, proposals};
    use crate::policy::{Decisions, parse};

    fn told(text: &str, base: &Base, cache: bool) -> String {
        let parsed = parse(text);
        assert_eq!(parsed.problems, [], "{text}");
        let found = inert(&parsed.value, base, Usual { cache, ..USUAL });
        found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_line_without_effect_is_told_once_with_its_place() {
        for (cache, lines, expected) in [
            (true, "cache_ttl = \"5m\"", ""),
            (false, "cache_ttl = \"0s\"", ""),
            (false, "cache_ttl = \"5m\"", "2:1: `cache_ttl` of tool `a` has no effect: no results are kept"),
            (
                true,
                "cache_ttl = \"5m\"\nrisk = \"high\"",
                "2:1: `cache_ttl` of tool `a` has no effect: only results of safe tools are kept",
            ),
            (true, "cache_ttl = \"5m\"\nrisk = \"safe\"", ""),
            (true, "timeout = \"60s\"\nhard_timeout = \"60s\"", ""),
            (
                true,
                "hard_timeout = \"10s\"\ntimeout = \"1m\"",
                "3:1: `timeout` of tool `a` has no effect: `hard_timeout` is shorter",
            ),
            (true, "rate = \"1000000/s\"", ""),
            (true, "rate = \"1000001/s\"", "2:1: `rate` of tool `a` has no effect: nobody calls so often"),
            (
                false,
                "cache_ttl = \"5m\"\n[tools.k8s.b]\ncache_ttl = \"6m\"",
                "2:1: `cache_ttl` of tool `a` and of another has no effect: no results are kept",
            ),
        ] {
            let text = format!("[tools.k8s.a]\n{lines}\n");
            assert_eq!(told(&text, &Base::default(), cache), expected, "{text}");
        }
    }

    #[test]
    fn what_was_generated_is_nobodys_wish() {
        let tools = proposals("k8s", "get_a", Decisions::default());
        let offered = [Offered { server: "k8s", tools: Some(&tools) }];
        let merged = merge(None, &Base::default(), &offered, 0).unwrap();
        let text = merged.text.unwrap();
        assert!(text.contains("cache_ttl"));
        assert_eq!(told(&text, &merged.base, false), "");
        let raised = text.replace("\"safe\"", "\"high\"");
        assert_eq!(told(&raised, &merged.base, true), "");
    }
}
