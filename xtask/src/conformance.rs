//! `cargo xtask conformance`: the official suite, run on the fixture server, and on the gateway in front of it.
//!
//! It is a differential: what the fixture passes by itself, it must pass through the gateway too, over every transport
//! and in every revision. What cannot be so stands in `conformance/exceptions.toml`, with the reason, for as long as it
//! cannot.

mod checks;
mod judge;
mod report;
mod subject;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

pub(crate) use judge::{install, node};

use crate::exceptions::Exceptions;
use crate::steps::{cargo, root, run as run_step, target};
use checks::Checks;
use report::Report;
use subject::{DIRECT, GATEWAY, Subject};

/// Whether the gateway is among those that are judged.
const WITH_GATEWAY: bool = true;

/// The revisions that the suite is run for.
pub(crate) const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// How many runs go on at the same time: more, and they would wait for each other until they fail.
const AT_ONCE: usize = 2;

/// Where the exceptions stand, from the root.
const EXCEPTIONS: &str = "conformance/exceptions.toml";

/// Runs the suite; `--direct` leaves out the gateway, other words name subjects, such as `stdio`.
///
/// # Errors
/// Something could not be installed, built or started, or a check did not come out as it must.
pub(crate) fn run(words: &[String]) -> Result<(), String> {
    let gateway = GATEWAY.iter().map(|subject| subject.name).collect::<Vec<_>>();
    for word in words {
        if word != "--direct" && !gateway.contains(&word.as_str()) {
            return Err(format!("there is no `{word}`: there are --direct, {}", gateway.join(", ")));
        }
    }
    let is_direct = words.iter().any(|word| word == "--direct");
    let is_named = |subject: &Subject| words.iter().any(|word| word == subject.name);
    let is_wanted = |subject: &&Subject| {
        if is_direct || words.is_empty() { WITH_GATEWAY && !is_direct } else { is_named(subject) }
    };
    let subjects: Vec<&Subject> = std::iter::once(&DIRECT).chain(GATEWAY.iter().filter(is_wanted)).collect();

    judge::install()?;
    // Built as the tests are: with other features they would be other programs, and take minutes more.
    run_step(&mut cargo(["test", "--workspace", "--tests", "--bins", "--no-run", "--quiet"]))?;
    let exceptions = Exceptions::read(&root().join(EXCEPTIONS))?;
    let results = judge_all(&subjects)?;
    let report = Report::new(&results, &exceptions);
    print!("{report}");
    report.verdict()
}

/// What came of every run, by the name of the subject and the revision.
pub(crate) type Results = BTreeMap<(&'static str, &'static str), Checks>;

fn judge_all(subjects: &[&'static Subject]) -> Result<Results, String> {
    let mut runs: Vec<(&'static Subject, &'static str)> =
        subjects.iter().flat_map(|subject| REVISIONS.map(|revision| (*subject, revision))).collect();
    runs.reverse();
    let (runs, results) = (Mutex::new(runs), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((subject, revision)) = next(&runs) {
                    println!("{} is asked for {revision}", subject.name);
                    let checks = one(subject, revision)
                        .map_err(|why| format!("{} in {revision}: {why}", subject.name));
                    if let Ok(mut results) = results.lock() {
                        results.push(((subject.name, revision), checks));
                    }
                }
            });
        }
    });
    let results = results.into_inner().map_err(|_| "a run broke off".to_owned())?;
    results.into_iter().map(|(key, checks)| Ok((key, checks?))).collect()
}

fn next<T>(runs: &Mutex<Vec<T>>) -> Option<T> {
    runs.lock().ok()?.pop()
}

fn one(subject: &Subject, revision: &'static str) -> Result<Checks, String> {
    let folder = folder(subject.name, revision)?;
    let running = subject.start(&folder)?;
    judge::judge(&running.url, revision, &folder)
}

/// Where a run leaves what it says: the suite's own results, and the log of the gateway.
fn folder(subject: &str, revision: &str) -> Result<PathBuf, String> {
    Ok(target()?.join("conformance").join(format!("{subject}-{revision}")))
}
