//! Consent: what may be started, bound to the hash of exactly that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use switchboard_core::launch::Launch;
use switchboard_host::dirs::Dirs;
use switchboard_host::record::{self, Loaded};

use crate::fail::{Code, Failure};
use crate::home::{now, save};

/// The approved launches, by fingerprint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Approvals {
    #[serde(default)]
    approved: BTreeMap<String, Approval>,
}

/// One approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Approval {
    /// In seconds since 1970.
    at: u64,
    /// What it was called when it was approved.
    name: String,
}

impl Approvals {
    /// Loads the approvals; a damaged file means that nothing is approved.
    pub(crate) fn load(dirs: &Dirs) -> Self {
        match record::load(&dirs.approvals()) {
            Ok(Loaded::Found(approvals)) => approvals,
            _ => Self::default(),
        }
    }

    /// Returns whether exactly this launch was approved.
    pub(crate) fn has(&self, launch: &Launch) -> bool {
        self.approved.contains_key(&launch.fingerprint().to_string())
    }

    /// Takes note that this launch was shown and approved.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(crate) fn add(&mut self, name: &str, launch: &Launch, dirs: &Dirs) -> Result<(), Failure> {
        self.add_all([(name, launch)], dirs)
    }

    /// Takes note that these launches were shown and approved.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(crate) fn add_all<'l>(
        &mut self,
        launches: impl IntoIterator<Item = (&'l str, &'l Launch)>,
        dirs: &Dirs,
    ) -> Result<(), Failure> {
        for (name, launch) in launches {
            let approval = Approval { at: now(), name: name.to_owned() };
            self.approved.insert(launch.fingerprint().to_string(), approval);
        }
        save(&dirs.approvals(), self)
    }
}

/// Returns what would be started or reached, in full, for a person to approve: values of variables and headers are
/// not shown, since they may be secrets, but their names are.
pub(crate) fn in_full(launch: &Launch) -> Vec<String> {
    let names =
        |map: &BTreeMap<String, String>| map.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    match launch {
        Launch::Stdio { command, args, env, cwd } => {
            let words: Vec<String> = std::iter::once(command).chain(args).map(|word| quoted(word)).collect();
            lines.push(format!("runs   {}", words.join(" ")));
            if !env.is_empty() {
                lines.push(format!("with   {}", names(env)));
            }
            if let Some(cwd) = cwd {
                lines.push(format!("in     {}", quoted(cwd)));
            }
        }
        Launch::Remote { url, headers, .. } => {
            lines.push(format!("calls  {}", quoted(url)));
            if !headers.is_empty() {
                lines.push(format!("with   {}", names(headers)));
            }
        }
    }
    lines
}

/// A word of a command line as a shell would need it, with nothing in it that a terminal would obey.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%^~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("'");
    for c in word.chars() {
        match c {
            '\'' => text.push_str("'\\''"),
            c if c.is_control() => text.extend(c.escape_unicode()),
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}

/// Returns whether a server of the catalogue may be started. What stands in a catalogue that others may write was not
/// necessarily put there by its owner: it needs an approval.
///
/// # Errors
/// It has none.
pub(crate) fn may_start(dirs: &Dirs, name: &str, launch: &Launch) -> Result<(), Failure> {
    let path = dirs.catalogue();
    if !switchboard_host::file::others_may_write(&path) || Approvals::load(dirs).has(launch) {
        return Ok(());
    }
    Err(Failure::new(Code::Conflict, format!("connect to `{name}`: others may write the catalogue"))
        .because(in_full(launch).join(", "))
        .hint(format!("make it yours alone: chmod go-w {}", quoted(&path.to_string_lossy()))))
}
