//! An undo that keeps what somebody else changed since.

use switchboard_core::client::undo::undone;
use switchboard_host::file::Snapshot;
use switchboard_host::hash::Hash;

use crate::home::Home;
use crate::journal::Write;
use crate::observe::Linked;

/// Returns the text of a client's file without what `write` changed in it.
///
/// # Errors
/// Somebody else changed the same, or what is needed to tell is gone; why, as a fragment.
pub(crate) fn text(
    home: &Home,
    linked: &Linked,
    write: &Write,
    now: Option<&Snapshot>,
) -> Result<String, String> {
    let backups = home.backups();
    let load = |hash: Hash| {
        let bytes = backups.load(hash).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| "a backup is not UTF-8".to_owned())
    };
    let Some(now) = now else { return Err("somebody removed the file".to_owned()) };
    let now = std::str::from_utf8(&now.bytes).map_err(|_| "the file is not UTF-8".to_owned())?;
    let before = write.before.map(load).transpose()?.unwrap_or_default();
    undone(&before, &load(write.after)?, now, &linked.dialect).map_err(|conflict| conflict.to_string())
}
