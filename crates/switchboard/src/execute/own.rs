//! Files of Switchboard's own that a person edits too: written under the same rules as anybody's.

use std::path::Path;

use switchboard_host::file::{Options, Outcome, Snapshot, Target, replace};

use crate::fail::{Code, Failure};
use crate::home::Home;

/// Writes one of our own files that people edit: the catalogue, the settings or the policy.
///
/// # Errors
/// It changed meanwhile, or cannot be written; nothing was changed.
pub(crate) fn write_own(
    home: &Home,
    path: &Path,
    expected: Option<&Snapshot>,
    text: impl AsRef<[u8]>,
) -> Result<Snapshot, Failure> {
    let name = home.short(path);
    let failed = || Failure::failed(format!("write `{name}`"));
    let target = match expected {
        Some(snapshot) => snapshot.target.clone(),
        None => Target::resolve(path).map_err(|error| failed().caused_by(&error).hint(error.help()))?,
    };
    let options = Options::new("before it was edited");
    let outcome = replace(&target, expected, text.as_ref(), &home.backups(), &options)
        .map_err(|error| failed().caused_by(&error).hint(error.help()))?;
    match outcome {
        Outcome::Written(written) | Outcome::PublishedNotDurable { written, .. } => Ok(written.now),
        Outcome::Conflict { .. } => Err(Failure::new(Code::Conflict, format!("write `{name}`"))
            .because("it changed while switchboard was writing")
            .hint("run the command again")),
        Outcome::Displaced { theirs, written } => {
            // Whoever wrote it in that moment wins; our change is asked for again.
            let _ =
                replace(&written.now.target, Some(&written.now), &theirs.bytes, &home.backups(), &options);
            Err(Failure::new(Code::Conflict, format!("write `{name}`"))
                .because("another program wrote it in the same moment")
                .hint("run the command again"))
        }
    }
}
