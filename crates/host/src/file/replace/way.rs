//! By which way a file can be replaced, if by any.

use std::path::Path;

use super::HardLinks;
use crate::file::{Opened, Refusal, Target};
use crate::system;

/// Folders whose files are made by a package manager and never changed.
const STORES: [&str; 2] = ["/nix/store", "/gnu/store"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Exchange,
    InPlace,
}

/// Returns the safest way to replace the file that was `found`.
pub(super) fn choose(target: &Target, found: &Opened, hard_links: HardLinks) -> Result<Way, Refusal> {
    let path = target.real();
    refuse_store(path)?;
    if system::on_read_only_mount(path) {
        return Err(Refusal::ReadOnly { path: path.to_owned() });
    }
    if system::is_immutable(&found.file) {
        return Err(Refusal::Immutable { path: path.to_owned() });
    }
    refuse_immutable_folder(target.folder())?;
    match (system::links(&found.meta), hard_links) {
        (0 | 1, _) => {}
        (_, HardLinks::WriteInPlace) => return Ok(Way::InPlace),
        (names, HardLinks::Refuse) => return Err(Refusal::HardLink { path: path.to_owned(), names }),
    }
    if system::may_write(target.folder()) {
        return Ok(Way::Exchange);
    }
    if system::may_write(path) {
        return Ok(Way::InPlace);
    }
    Err(Refusal::NotWritable { path: path.to_owned() })
}

/// Refuses a folder in which no file can be made.
pub(super) fn check_new(target: &Target) -> Result<(), Refusal> {
    let path = target.real();
    refuse_store(path)?;
    if system::on_read_only_mount(target.folder()) {
        return Err(Refusal::ReadOnly { path: path.to_owned() });
    }
    refuse_immutable_folder(target.folder())?;
    if system::may_write(target.folder()) {
        return Ok(());
    }
    Err(Refusal::NotWritable { path: path.to_owned() })
}

fn refuse_store(path: &Path) -> Result<(), Refusal> {
    if STORES.iter().any(|store| path.starts_with(store)) {
        return Err(Refusal::Store { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(unix)]
fn refuse_immutable_folder(folder: &Path) -> Result<(), Refusal> {
    // A folder that cannot be opened may be searched all the same; making a file in it will tell.
    if system::open_folder(folder).is_ok_and(|folder| system::is_immutable(&folder)) {
        return Err(Refusal::Immutable { path: folder.to_owned() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_immutable_folder(_folder: &Path) -> Result<(), Refusal> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_store_are_left_alone() {
        for path in ["/nix/store/abc-home-manager-files/.cursor/mcp.json", "/gnu/store/x/mcp.json"] {
            let refusal = refuse_store(Path::new(path)).unwrap_err();
            assert!(refusal.help().contains("home-manager"), "{refusal}");
        }
        assert!(refuse_store(Path::new("/nix/storehouse/mcp.json")).is_ok());
    }
}
