//! Who may write a file.

use std::path::Path;

/// Returns whether somebody else than the owner and the administrator may write the file, or somebody else owns it.
///
/// A file that cannot be looked at counts as the owner's: reading it will fail as well.
#[cfg(unix)]
pub fn others_may_write(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let Ok(meta) = path.metadata() else { return false };
    let strange = meta.uid() != 0 && meta.uid() != rustix::process::geteuid().as_raw();
    strange || meta.mode() & 0o022 != 0
}

/// Returns whether somebody else may write the file: not told on this system, where the home folder is private.
#[cfg(not(unix))]
pub fn others_may_write(_path: &Path) -> bool {
    false
}
