//! Everything that is below a folder at one moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What a home holds: for each path its kind, mode, inode, time and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    what: String,
    content: Vec<u8>,
}

impl Tree {
    /// Returns everything below a folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        let mut tree = BTreeMap::new();
        walk(root, root, &mut tree)?;
        Ok(Self(tree))
    }

    /// Returns the paths that are there in only one, or are not the same in both.
    pub fn changes(&self, after: &Self) -> Vec<String> {
        let paths = self.0.keys().chain(after.0.keys()).collect::<std::collections::BTreeSet<_>>();
        paths
            .into_iter()
            .filter(|path| self.0.get(*path) != after.0.get(*path))
            .map(|path| path.display().to_string())
            .collect()
    }

    /// Returns what is not below any of these folders.
    #[must_use]
    pub fn without(&self, folders: &[&str]) -> Self {
        let inside = |path: &Path| folders.iter().any(|folder| path.starts_with(folder));
        let kept = self.0.iter().filter(|(path, _)| !inside(path));
        Self(kept.map(|(path, node)| (path.clone(), node.clone())).collect())
    }

    /// Returns the files whose content holds `needle`.
    pub fn holding(&self, needle: &str) -> Vec<String> {
        let needle = needle.as_bytes();
        self.0
            .iter()
            .filter(|(_, node)| node.content.windows(needle.len()).any(|part| part == needle))
            .map(|(path, _)| path.display().to_string())
            .collect()
    }
}

#[cfg(unix)]
fn what(meta: &fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let (mode, inode) = (meta.mode(), meta.ino());
    // The time of a folder says only that something in it was made, which the tree says anyway.
    let time = if meta.is_dir() { String::new() } else { format!("{}.{}", meta.mtime(), meta.mtime_nsec()) };
    format!("{mode:o} {inode} {time}")
}

#[cfg(not(unix))]
fn what(meta: &fs::Metadata) -> String {
    format!("{:?} {:?}", meta.file_type(), meta.modified().ok())
}

/// Returns nothing for what is not there: a daemon works beside this, and puts files into place under other names.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn walk(root: &Path, folder: &Path, tree: &mut BTreeMap<PathBuf, Node>) -> io::Result<()> {
    for entry in there(fs::read_dir(folder))?.into_iter().flatten() {
        let path = entry?.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
        // Whoever looks whether something is to be changed holds the lock meanwhile.
        if name.ends_with("state/lock") {
            continue;
        }
        let Some(meta) = there(fs::symlink_metadata(&path))? else { continue };
        let kind = meta.file_type();
        let content = if kind.is_symlink() {
            there(fs::read_link(&path))?.map(|to| to.to_string_lossy().into_owned().into_bytes())
        } else if kind.is_file() {
            // One that may not be read has no content.
            there(fs::read(&path)).unwrap_or_else(|_| Some(Vec::new()))
        } else {
            Some(Vec::new())
        };
        let Some(content) = content else { continue };
        tree.insert(name, Node { what: what(&meta), content });
        if kind.is_dir() {
            walk(root, &path, tree)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn it_can_be_read_while_something_else_works_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("stays"), "as it is").expect("a file");
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                for number in 0..2_000 {
                    std::fs::write(at("new"), number.to_string()).expect("a file");
                    std::fs::rename(at("new"), at("file")).expect("it is put into place");
                    std::fs::create_dir(at("folder")).expect("a folder");
                    std::fs::remove_dir(at("folder")).expect("it goes");
                }
            });
            while !other.is_finished() {
                assert_eq!(Tree::of(folder.path()).expect("it can be read").holding("as it is"), ["stays"]);
            }
        });
    }
}
