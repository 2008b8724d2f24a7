//! What the suite says of each check.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// What came of the checks of one run, by scenario and id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks(pub(crate) BTreeMap<Key, Tally>);

/// One check: its scenario, and its id there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) scenario: String,
    pub(crate) check: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}:{}", self.scenario, self.check)
    }
}

/// How often a check passed and failed: a scenario may make the same one several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    /// Failures and warnings: both say that something is not as the protocol has it.
    pub(crate) failed: usize,
    /// What the suite says of the first that failed.
    pub(crate) why: String,
}

impl Tally {
    /// It was made, and never failed. What was only told or left out has not passed.
    pub(crate) fn has_passed(&self) -> bool {
        self.passed > 0 && self.failed == 0
    }
}

impl Checks {
    /// Adds what one scenario says: a list of checks, as the suite writes it.
    ///
    /// # Errors
    /// It is no such list.
    pub(crate) fn add(&mut self, scenario: &str, text: &str) -> Result<(), String> {
        let checks: Vec<Value> =
            serde_json::from_str(text).map_err(|error| format!("{scenario} is not understood: {error}"))?;
        for check in checks {
            let word = |name: &str| check[name].as_str().unwrap_or_default();
            let key = Key { scenario: scenario.to_owned(), check: word("id").to_owned() };
            let tally = self.0.entry(key).or_default();
            match word("status") {
                "SUCCESS" => tally.passed += 1,
                "FAILURE" | "WARNING" => {
                    tally.failed += 1;
                    if tally.why.is_empty() {
                        word("errorMessage").clone_into(&mut tally.why);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes that the suite itself did not come to the end of a scenario.
    pub(crate) fn broke_off(&mut self, scenario: &str) {
        let key = Key { scenario: scenario.to_owned(), check: "results".to_owned() };
        self.0.insert(key, Tally { passed: 0, failed: 1, why: "the suite broke off".to_owned() });
    }

    /// How many passed and failed of a scenario.
    pub(crate) fn count(&self, scenario: &str) -> Option<(usize, usize)> {
        let mut of = self.0.iter().filter(|(key, _)| key.scenario == scenario).peekable();
        of.peek()?;
        Some(of.fold((0, 0), |(passed, failed), (_, tally)| (passed + tally.passed, failed + tally.failed)))
    }

    pub(crate) fn scenarios(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|key| key.scenario.as_str())
    }
}

/// The scenario of a folder of results: `server-NAME-2026-11-20T17-00-00-000Z`.
pub(crate) fn scenario(folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?.strip_prefix("server-")?;
    let (name, time) = name.split_at_checked(name.len().checked_sub("-2026-11-20T17-00-00-000Z".len())?)?;
    (time.starts_with("-2") && time.ends_with('Z')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_passes_if_it_passed_once_and_never_failed() {
        let mut checks = Checks::default();
        let text = r#"[
            {"id":"a","status":"SUCCESS"},{"id":"a","status":"SUCCESS"},
            {"id":"b","status":"SUCCESS"},{"id":"b","status":"FAILURE","errorMessage":"no"},
            {"id":"c","status":"WARNING","errorMessage":"hm"},
            {"id":"d","status":"INFO"},{"id":"e","status":"SKIPPED"}
        ]"#;
        checks.add("s", text).unwrap();
        let passed: Vec<&str> = checks
            .0
            .iter()
            .filter(|(_, tally)| tally.has_passed())
            .map(|(key, _)| key.check.as_str())
            .collect();
        assert_eq!(passed, ["a"]);
        assert_eq!(checks.count("s"), Some((3, 2)));
        assert_eq!(checks.count("t"), None);
    }

    #[test]
    fn folders_are_named_after_their_scenario() {
        for (folder, name) in [
            ("/x/server-ping-2026-11-20T17-00-00-000Z", Some("ping")),
            ("/x/server-server-initialize-2026-11-20T17-00-00-000Z", Some("server-initialize")),
            ("/x/client-ping-2026-11-20T17-00-00-000Z", None),
            ("/x/server-ping", None),
        ] {
            assert_eq!(scenario(Path::new(folder)).as_deref(), name, "{folder}");
        }
    }
}
