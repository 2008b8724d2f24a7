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

/// Returns whether somebody else than the owner and the administrator may read the file, as far as its own permissions
/// and those of the folders around it say.
///
/// A file that cannot be looked at counts as the owner's.
#[cfg(unix)]
pub fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let Ok(real) = path.canonicalize() else { return false };
    let all_have = |bit: u32| {
        let mode = |path: &Path| path.metadata().map_or(0, |meta| meta.mode());
        // To come to a file one needs leave to pass through each folder.
        mode(&real) & (bit << 2) != 0 && real.ancestors().skip(1).all(|folder| mode(folder) & bit != 0)
    };
    all_have(0o001) || all_have(0o010)
}

/// Returns whether somebody else may read the file: not told on this system, where the home folder is private.
#[cfg(not(unix))]
pub fn others_may_read(_path: &Path) -> bool {
    false
}

/// Returns whether somebody else may write the file: not told on this system, where the home folder is private.
#[cfg(not(unix))]
pub fn others_may_write(_path: &Path) -> bool {
    false
}
