//! What must be true after a fault, and after the next ordinary command.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use testkit::scratch::told;

use crate::stage::{Files, Flow, Stage};

/// What was found in one run or in many.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) runs: usize,
    /// How the run ended and what the client's file was then.
    pub(crate) states: BTreeMap<(String, &'static str), usize>,
    /// Files on their way that the run left behind, for the next one to clear away.
    pub(crate) leftovers: usize,
    pub(crate) faults: Vec<String>,
}

impl Findings {
    pub(crate) fn add(&mut self, other: Self) {
        self.runs += other.runs;
        other.states.into_iter().for_each(|(state, count)| *self.states.entry(state).or_default() += count);
        self.leftovers += other.leftovers;
        self.faults.extend(other.faults);
    }
}

/// Judges the files right after a run that ended with `status`, and what the next commands make of them.
pub(crate) fn judge(stage: &Stage, status: ExitStatus) -> Findings {
    let (files, before, after) = (stage.files(), &stage.before, &stage.after);
    let content = match &files.client {
        _ if files.client == after.client => "new",
        _ if files.client == before.client => "old",
        None => "missing",
        Some(_) => "torn",
    };
    let ended = status.code().map_or_else(|| format!("{:?}", status.signal()), |code| code.to_string());
    let mut faults = Vec::new();
    if matches!(content, "missing" | "torn") {
        faults.push(content.to_owned());
    }
    if status.success() && content != "new" {
        faults.push(format!("success, but the file is {content}"));
    }
    if status.code() == Some(101) {
        faults.push("panic".to_owned());
    }
    if files.catalogue != before.catalogue && files.catalogue != after.catalogue {
        faults.push("the catalogue is neither old nor new".to_owned());
    }
    if content == "new" && stage.flow == Flow::Add && files.catalogue != after.catalogue {
        faults.push("the client was told before the catalogue".to_owned());
    }
    if files.settings != before.settings {
        faults.push("the settings changed".to_owned());
    }
    if content != "missing" && stage.looks() != stage.look {
        faults.push(format!("{:?} became {:?}", stage.look, stage.looks()));
    }
    let leftovers = stage.temps().len();
    if stage.flow != Flow::Broken {
        faults.extend(aftermath(stage));
    }
    Findings { runs: 1, states: [((ended, content), 1)].into(), leftovers, faults }
}

/// Goes on as a person would, and returns what is wrong then.
fn aftermath(stage: &Stage) -> Option<String> {
    let (run, id) = (&stage.scratch, stage.client.id);
    if matches!(stage.flow, Flow::Add | Flow::Import) {
        let again = stage.again();
        // The server may be there already.
        let well = again.status.success() || (stage.flow == Flow::Add && again.status.code() == Some(2));
        if !well {
            return Some(format!("again: {}", told(&again)));
        }
    }
    let pushed = run.run(&["client", "push", id, "--yes"]);
    if !pushed.status.success() {
        return Some(format!("the next push: {}", told(&pushed)));
    }
    if let Some(other) = differs(&stage.files(), stage.pushed()) {
        return Some(format!("the next push leads to {other}"));
    }
    let temps = stage.temps();
    if !temps.is_empty() {
        return Some(format!("left behind: {temps:?}"));
    }
    let status = run.status(id);
    if status["in_step"] != true {
        return Some(format!("not in step: {status:#}"));
    }
    let undone = run.run(&["client", "undo", id]);
    if !undone.status.success() {
        return Some(format!("undo: {}", told(&undone)));
    }
    (stage.files().client != stage.undone().client)
        .then(|| "undo does not give back the old bytes".to_owned())
}

/// Returns the first file that is not as it should be, with what is in it.
fn differs(files: &Files, wanted: &Files) -> Option<String> {
    let pairs = [
        ("client's file", &files.client, &wanted.client),
        ("catalogue", &files.catalogue, &wanted.catalogue),
        ("settings", &files.settings, &wanted.settings),
    ];
    let (name, is, should) = pairs.into_iter().find(|(_, is, should)| is != should)?;
    let [is, should] =
        [is, should].map(|bytes| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()));
    Some(format!("another {name}:\n{is}\ninstead of\n{should}"))
}
