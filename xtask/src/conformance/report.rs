//! What came of it: a table, and everything that did not come out as it must.

use std::collections::BTreeSet;
use std::fmt;

use super::checks::{Checks, Key};
use super::subject::DIRECT;
use super::{EXCEPTIONS, REVISIONS, Results};
use crate::exceptions::{Exception, Exceptions};

/// What came of it.
pub(crate) struct Report<'r> {
    results: &'r Results,
    wrong: Vec<String>,
    excepted: usize,
}

impl<'r> Report<'r> {
    /// Compares every subject with what passes directly.
    pub(crate) fn new(results: &'r Results, exceptions: &Exceptions) -> Self {
        let mut wrong = Vec::new();
        let mut used = BTreeSet::new();
        for (&(subject, revision), checks) in results {
            for (key, why) in missed(results, subject, revision, checks) {
                let mut excepted = false;
                for exception in &exceptions.0 {
                    if covers(exception, subject, revision, &key) {
                        excepted = true;
                        used.insert(exception.line);
                    }
                }
                if !excepted {
                    wrong.push(format!("{subject} in {revision}: {key}: {why}"));
                }
            }
        }
        for exception in &exceptions.0 {
            let was_run = exception.subject.split_once('/').is_some_and(|named| {
                results.keys().any(|(subject, revision)| named == (*subject, *revision))
            });
            if was_run && !used.contains(&exception.line) {
                let (line, subject, check) = (exception.line, &exception.subject, &exception.check);
                wrong.push(format!("{EXCEPTIONS}:{line}: {subject} passes {check}: take it out"));
            }
        }
        Self { results, wrong, excepted: used.len() }
    }

    /// # Errors
    /// Something did not come out as it must.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        match self.wrong.len() {
            0 => Ok(()),
            many => Err(format!("{many} did not come out as they must")),
        }
    }
}

/// Returns whether an exception is about this check. Its subject is one of ours and a revision, such as `sse/2026-07-28`;
/// its check a scenario, or a scenario and one of its checks: `ping`, `tools-list:tools-name-format`.
fn covers(exception: &Exception, subject: &str, revision: &str, key: &Key) -> bool {
    exception.subject.split_once('/') == Some((subject, revision))
        && (exception.check == key.scenario || exception.check == key.to_string())
}

/// The checks that a subject must pass and does not: directly all that were made, otherwise all that pass directly.
fn missed(results: &Results, subject: &str, revision: &'static str, checks: &Checks) -> Vec<(Key, String)> {
    let measure = if subject == DIRECT.name { None } else { results.get(&(DIRECT.name, revision)) };
    let Some(measure) = measure else {
        let failed = checks.0.iter().filter(|(_, tally)| tally.failed > 0);
        return failed.map(|(key, tally)| (key.clone(), tally.why.clone())).collect();
    };
    let needed = measure.0.iter().filter(|(_, tally)| tally.has_passed()).map(|(key, _)| key);
    needed
        .filter_map(|key| match checks.0.get(key) {
            Some(tally) if tally.has_passed() => None,
            Some(tally) if tally.failed > 0 => Some((key.clone(), tally.why.clone())),
            _ => Some((key.clone(), "was not made".to_owned())),
        })
        .collect()
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scenarios: BTreeSet<&str> = self.results.values().flat_map(Checks::scenarios).collect();
        let width = scenarios.iter().map(|scenario| scenario.len()).max().unwrap_or_default() + 2;
        for revision in REVISIONS {
            let columns: Vec<_> = self.results.iter().filter(|((_, of), _)| *of == revision).collect();
            write!(to, "\n{revision:<width$}")?;
            for ((subject, _), _) in &columns {
                write!(to, "{subject:>13}")?;
            }
            writeln!(to)?;
            let mut sums = vec![(0, 0); columns.len()];
            for scenario in &scenarios {
                let counts: Vec<_> = columns.iter().map(|(_, checks)| checks.count(scenario)).collect();
                if counts.iter().all(Option::is_none) {
                    continue;
                }
                write!(to, "{scenario:<width$}")?;
                for (count, sum) in counts.iter().zip(&mut sums) {
                    write!(to, "{:>13}", count.map(shown).unwrap_or_default())?;
                    let (passed, failed) = count.unwrap_or_default();
                    *sum = (sum.0 + passed, sum.1 + failed);
                }
                writeln!(to)?;
            }
            write!(to, "{:<width$}", "all")?;
            for sum in sums {
                write!(to, "{:>13}", shown(sum))?;
            }
            writeln!(to)?;
        }
        writeln!(to)?;
        for wrong in &self.wrong {
            // What the suite says may have the whole message in it.
            let short: String = wrong.chars().take(400).collect();
            writeln!(to, "✗ {}", short.replace('\n', " "))?;
        }
        let (wrong, excepted) = (self.wrong.len(), self.excepted);
        writeln!(to, "{wrong} did not come out as they must, {excepted} exceptions")
    }
}

/// How many passed; and failed, if any did.
fn shown((passed, failed): (usize, usize)) -> String {
    if failed == 0 { passed.to_string() } else { format!("{passed}, {failed} ✗") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVISION: &str = REVISIONS[0];
    const GOOD: &str = "SUCCESS";
    const BAD: &str = "FAILURE";

    /// What is said directly and through, which checks are excepted, and what is wrong then.
    type Story = (&'static str, Said, Said, &'static [&'static str], &'static [&'static str]);

    /// Checks, each with its status.
    type Said = &'static [(&'static str, &'static str)];

    fn checks(of: Said) -> Checks {
        let mut checks = Checks::default();
        for (check, status) in of {
            let text = format!("[{{\"id\":\"{check}\",\"status\":\"{status}\",\"errorMessage\":\"why\"}}]");
            checks.add("s", &text).unwrap();
        }
        checks
    }

    fn wrong(direct: Said, through: Said, excepted: &[&str]) -> Vec<String> {
        let results: Results = [(("direct", REVISION), checks(direct)), (("sse", REVISION), checks(through))]
            .into_iter()
            .collect();
        let exceptions = excepted.iter().enumerate().map(|(at, check)| Exception {
            subject: format!("sse/{REVISION}"),
            check: (*check).to_owned(),
            reason: "so".to_owned(),
            line: at + 1,
        });
        Report::new(&results, &Exceptions(exceptions.collect())).wrong
    }

    #[test]
    fn what_passes_directly_must_pass_through() {
        let stories: [Story; 8] = [
            ("both pass", &[("a", GOOD)], &[("a", GOOD)], &[], &[]),
            ("only told directly", &[("a", "INFO")], &[], &[], &[]),
            ("fails through", &[("a", GOOD)], &[("a", BAD)], &[], &["sse in 2025-11-25: s:a: why"]),
            ("not made through", &[("a", GOOD)], &[], &[], &["sse in 2025-11-25: s:a: was not made"]),
            (
                "only told through",
                &[("a", GOOD)],
                &[("a", "INFO")],
                &[],
                &["sse in 2025-11-25: s:a: was not made"],
            ),
            ("an exception", &[("a", GOOD)], &[("a", BAD)], &["s:a"], &[]),
            (
                "an exception that is over",
                &[("a", GOOD)],
                &[("a", GOOD)],
                &["s"],
                &["conformance/exceptions.toml:1: sse/2025-11-25 passes s: take it out"],
            ),
            ("fails directly", &[("a", BAD)], &[("a", BAD)], &[], &["direct in 2025-11-25: s:a: why"]),
        ];
        for (story, direct, through, excepted, expected) in stories {
            assert_eq!(wrong(direct, through, excepted), expected, "{story}");
        }
    }

    #[test]
    fn an_exception_is_about_a_scenario_or_one_of_its_checks() {
        let key = Key { scenario: "s".to_owned(), check: "c".to_owned() };
        for (subject, check, covers) in [
            ("sse/r", "s", true),
            ("sse/r", "s:c", true),
            ("sse/r", "s:d", false),
            ("sse/r", "t", false),
            ("stdio/r", "s", false),
            ("sse/q", "s", false),
        ] {
            let exception =
                Exception { subject: subject.to_owned(), check: check.to_owned(), ..Exception::default() };
            assert_eq!(super::covers(&exception, "sse", "r", &key), covers, "{subject} {check}");
        }
    }
}
