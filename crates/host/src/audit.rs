//! The record of calls: lines that are only ever appended, in files that are put aside when they are full.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::system;

/// A file that has become so long, in bytes, is put aside.
const FULL: u64 = 8 << 20;

/// So many are kept of those that were put aside; the oldest goes.
const ASIDE: usize = 4;

/// A record of calls, readable for its owner only.
#[derive(Clone, Debug)]
pub struct AuditLog {
    path: PathBuf,
    full: u64,
}

impl AuditLog {
    /// Returns the record at this path, which need not be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), full: FULL }
    }

    /// Appends lines, each with its end. The file is put aside before it becomes too long.
    ///
    /// # Errors
    /// They are not written, or not all of them.
    pub fn append(&self, lines: &[u8]) -> io::Result<()> {
        let length = std::fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if length > 0 && length + lines.len() as u64 > self.full {
            self.put_aside()?;
        }
        system::open_to_append(&self.path)?.write_all(lines)
    }

    /// Returns what the files hold, each as a whole, the newest first; what cannot be read is left out. A file is read when
    /// its turn comes.
    pub fn newest_first(&self) -> impl Iterator<Item = Vec<u8>> {
        let most = self.full * 2;
        let aside = (1..=ASIDE).map(|number| self.aside(number));
        std::iter::once(self.path.clone()).chain(aside).filter_map(move |path| {
            let mut all = Vec::new();
            // What is no file of ours may have no end.
            std::fs::File::open(path).ok()?.take(most).read_to_end(&mut all).ok()?;
            Some(all)
        })
    }

    fn put_aside(&self) -> io::Result<()> {
        for number in (1..ASIDE).rev() {
            rename(&self.aside(number), &self.aside(number + 1))?;
        }
        rename(&self.path, &self.aside(1))
    }

    fn aside(&self, number: usize) -> PathBuf {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(format!(".{number}"));
        name.into()
    }
}

/// Renames a file where there is one.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match system::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_appended_and_the_oldest_files_go() {
        let home = tempfile::tempdir().unwrap();
        let log = AuditLog { path: home.path().join("audit.jsonl"), full: 100 };
        assert_eq!(log.newest_first().count(), 0);
        for number in 0..100 {
            log.append(format!("{{\"call\":{number:04}}}\n").as_bytes()).unwrap();
        }
        let mut numbers: Vec<u32> = Vec::new();
        for file in log.newest_first() {
            let lines = std::str::from_utf8(&file).unwrap().lines().rev();
            numbers.extend(lines.map(|line| line[8..12].parse::<u32>().expect("whole lines")));
        }
        assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1) && numbers.first() == Some(&99));
        assert!(numbers.len() > 25, "{}", numbers.len());
        let mut names: Vec<_> = std::fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected: Vec<_> = ["", ".1", ".2", ".3", ".4"].map(|end| format!("audit.jsonl{end}")).into();
        assert_eq!(names, expected);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempfile::tempdir().unwrap();
        let log = AuditLog::new(home.path().join("audit.jsonl"));
        log.append(b"{}\n").unwrap();
        let mode = std::fs::metadata(&log.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
