//! What came of it: a matrix, and everything that did not come out as it must.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::EXCEPTIONS;
use super::cells::{Cell, Cells, Key, Path, Went};
use crate::exceptions::{Exception, Exceptions};

/// What came of it.
pub(crate) struct Report<'c> {
    cells: &'c Cells,
    wrong: Vec<String>,
    excepted: usize,
}

impl<'c> Report<'c> {
    /// Compares every visit through the gateway with the one without.
    pub(crate) fn new(cells: &'c Cells, exceptions: &Exceptions) -> Self {
        let (mut wrong, mut excepted) = (Vec::new(), 0);
        for (key, cell) in &cells.0 {
            let missed = missed(cells, key, cell);
            for (check, why) in &missed {
                if exceptions.0.iter().any(|exception| covers(exception, key, check)) {
                    excepted += 1;
                } else {
                    wrong.push(format!("{key}: {check}: {why}"));
                }
            }
            for exception in &exceptions.0 {
                let Exception { line, check, .. } = exception;
                if covers(exception, key, check) && !missed.iter().any(|(missed, _)| missed == check) {
                    wrong.push(format!("{EXCEPTIONS}:{line}: {key} passes {check}: leave it out"));
                }
            }
        }
        Self { cells, wrong, excepted }
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

/// Returns whether an exception is about this check. Its subject is spelt as a key, such as `ts1/stdio py2/http`, but
/// with several words where there is one, such as `ts1,py1/stdio */*`; `*` stands for any.
fn covers(exception: &Exception, key: &Key, check: &str) -> bool {
    let (named, key) = (exception.subject.replace('/', " "), key.to_string().replace('/', " "));
    let (named, key): (Vec<&str>, Vec<&str>) = (named.split(' ').collect(), key.split(' ').collect());
    let names = |named: &str, word: &str| named == "*" || named.split(',').any(|name| name == word);
    exception.check == check
        && named.len() == key.len()
        && named.iter().zip(key).all(|(named, word)| names(named, word))
}

/// What a visit must pass and does not: directly everything that was tried, otherwise all that passes directly, and with
/// the same being seen.
fn missed(cells: &Cells, key: &Key, cell: &Cell) -> Vec<(String, String)> {
    let failures = cell.checks.iter().filter_map(|(check, went)| match went {
        Went::Failed(why) => Some((check.clone(), why.clone())),
        _ => None,
    });
    let direct = Key { path: Path::Direct, ..key.clone() };
    let Some(measure) = cells.0.get(&direct).filter(|_| key.path != Path::Direct) else {
        return failures.collect();
    };
    let mut missed: BTreeMap<String, String> =
        failures.filter(|(check, _)| !matches!(measure.went(check), Some(Went::Failed(_)))).collect();
    for (check, went) in &measure.checks {
        let Went::Passed(directly) = went else { continue };
        match cell.went(check) {
            Some(Went::Passed(saw)) if saw == directly => {}
            Some(Went::Passed(saw)) => {
                missed.insert(check.clone(), format!("saw {saw:?}, directly {directly:?}"));
            }
            Some(Went::Failed(_)) => {}
            Some(Went::Skipped(_)) | None => {
                missed.insert(check.clone(), "was not made".to_owned());
            }
        }
    }
    missed.into_iter().collect()
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: BTreeSet<&str> = self.cells.0.keys().map(|key| key.server.as_str()).collect();
        write!(to, "\n{:<20}", "CLIENT")?;
        for server in &servers {
            write!(to, "{server:>12}")?;
        }
        writeln!(to)?;
        let rows: BTreeSet<(&str, Path)> = self.cells.0.keys().map(|key| (key.client, key.path)).collect();
        for (client, path) in rows {
            write!(to, "{:<20}", format!("{client}/{path}"))?;
            for server in &servers {
                let key =
                    self.cells.0.iter().find(|(key, _)| {
                        (key.client, key.path, key.server.as_str()) == (client, path, server)
                    });
                write!(to, "{:>12}", key.map(|(_, cell)| shown(cell)).unwrap_or_default())?;
            }
            writeln!(to)?;
        }
        writeln!(to, "\n(checks passed; - left out; ✗ failed; M: of the revision without a handshake)\n")?;
        for (why, checks) in self.left_out() {
            writeln!(to, "- {why}: {checks}")?;
        }
        for wrong in &self.wrong {
            writeln!(to, "✗ {}", wrong.replace('\n', " "))?;
        }
        let (cells, wrong, excepted) = (self.cells.0.len(), self.wrong.len(), self.excepted);
        writeln!(to, "{cells} visits, {wrong} did not come out as they must, {excepted} exceptions")
    }
}

impl Report<'_> {
    /// Which checks were left out how often, by the reason.
    fn left_out(&self) -> BTreeMap<&str, String> {
        let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for (check, went) in self.cells.0.values().flat_map(|cell| &cell.checks) {
            if let Went::Skipped(why) = went {
                *counts.entry(why).or_default().entry(check).or_default() += 1;
            }
        }
        let told = |checks: BTreeMap<&str, usize>| {
            let each: Vec<_> = checks.iter().map(|(check, count)| format!("{check} in {count}")).collect();
            each.join(", ")
        };
        counts.into_iter().map(|(why, checks)| (why, told(checks))).collect()
    }
}

/// How many checks of a visit passed, were left out, and failed.
fn shown(cell: &Cell) -> String {
    let count = |is: fn(&Went) -> bool| cell.checks.iter().filter(|(_, went)| is(went)).count();
    let passed = count(|went| matches!(went, Went::Passed(_)));
    let skipped = count(|went| matches!(went, Went::Skipped(_)));
    let failed = count(|went| matches!(went, Went::Failed(_)));
    let skipped = if skipped > 0 { format!("-{skipped}") } else { String::new() };
    let failed = if failed > 0 { format!("✗{failed}") } else { String::new() };
    let era = if cell.revision.as_str() >= "2026-07-28" { " M" } else { "" };
    format!("{passed}{skipped}{failed}{era}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(checks: &[(&str, Went)]) -> Cell {
        let checks = checks.iter().map(|(check, went)| ((*check).to_owned(), went.clone())).collect();
        Cell { revision: String::new(), checks }
    }

    fn key(path: Path) -> Key {
        Key { client: "ts1", path, server: "py2/http".to_owned() }
    }

    /// What is wrong where a check goes so directly, and so through the gateway, with these exceptions.
    fn wrong(direct: &Went, through: Option<&Went>, excepted: &[&str]) -> Vec<String> {
        let through: Vec<(&str, Went)> = through.map(|went| ("a", went.clone())).into_iter().collect();
        let cells = [(key(Path::Direct), cell(&[("a", direct.clone())])), (key(Path::Stdio), cell(&through))];
        let exceptions = excepted.iter().enumerate().map(|(at, subject)| Exception {
            subject: (*subject).to_owned(),
            check: "a".to_owned(),
            reason: "so".to_owned(),
            line: at + 1,
        });
        Report::new(&Cells(cells.into_iter().collect()), &Exceptions(exceptions.collect())).wrong
    }

    #[test]
    fn what_passes_directly_must_pass_through_and_look_the_same() {
        let good = Went::Passed("x".to_owned());
        let other = Went::Passed("y".to_owned());
        let bad = Went::Failed("no".to_owned());
        let out = Went::Skipped("so".to_owned());
        let nothing: [String; 0] = [];
        assert_eq!(wrong(&good, Some(&good), &[]), nothing);
        assert_eq!(wrong(&good, Some(&other), &[]), ["ts1/stdio py2/http: a: saw \"y\", directly \"x\""]);
        assert_eq!(wrong(&good, Some(&bad), &[]), ["ts1/stdio py2/http: a: no"]);
        assert_eq!(wrong(&good, Some(&out), &[]), ["ts1/stdio py2/http: a: was not made"]);
        assert_eq!(wrong(&good, None, &[]), ["ts1/stdio py2/http: a: was not made"]);
        assert_eq!(wrong(&good, Some(&bad), &["ts1/stdio py2/http"]), nothing);
        assert_eq!(wrong(&good, Some(&bad), &["*/stdio */*"]), nothing);
        assert_eq!(wrong(&good, Some(&bad), &["py1,ts1/http,stdio py2/*"]), nothing);
        assert_eq!(
            wrong(&good, Some(&good), &["*/stdio py2/http"]),
            ["conformance/interop.toml:1: ts1/stdio py2/http passes a: leave it out"]
        );
        assert_eq!(wrong(&out, Some(&good), &[]), nothing);
        assert_eq!(wrong(&out, Some(&bad), &[]), ["ts1/stdio py2/http: a: no"]);
        assert_eq!(wrong(&bad, Some(&good), &[]), ["ts1/direct py2/http: a: no"]);
        assert_eq!(wrong(&bad, Some(&bad), &["ts1/direct */*"]), nothing);
        assert_eq!(wrong(&bad, Some(&bad), &["ts1/direct */*", "rmcp/stdio */*"]), nothing);
    }
}
