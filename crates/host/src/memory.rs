//! What this process keeps of the machine's memory.

use std::collections::HashMap;

/// Gives back to the system what only a moment of much work needed: memory that is free again but kept by the allocator,
/// and the pages of the program's own file. For moments in which nothing is expected: what is needed next has to be had
/// again, which takes some hundred microseconds in all.
///
/// A page of the file costs the machine nothing to have again while it is in its cache; but as long as it is mapped, it
/// counts as ours, and the system maps sixteen of them where one was asked for.
///
/// Where the system or its allocator has no way to do so, all is left as it is.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    trim();
    #[cfg(target_os = "linux")]
    file::let_go();
}

/// Which processes started which, at one moment. To look takes a while: a file is read for each process of the machine.
#[derive(Debug, Default)]
pub struct Families(HashMap<u32, Vec<u32>>);

impl Families {
    /// Looks at all processes. Where the system does not tell, there are none.
    pub fn look() -> Self {
        #[cfg(target_os = "linux")]
        return Self(family::children().unwrap_or_default());
        #[cfg(not(target_os = "linux"))]
        Self::default()
    }

    /// Returns the memory that a process and all that it started have in the machine, in KiB, each page counted for
    /// everybody who has it. `None` where the process is gone, or the system does not tell.
    pub fn resident(&self, root: u32) -> Option<u64> {
        let mut all = own(root)?;
        let mut parents = vec![root];
        while let Some(children) = parents.pop().map(|parent| self.0.get(&parent)) {
            for pid in children.into_iter().flatten() {
                all += own(*pid).unwrap_or(0);
                parents.push(*pid);
            }
        }
        Some(all)
    }
}

#[cfg(target_os = "linux")]
use family::own;

/// Returns nothing: this system is not asked yet.
#[cfg(not(target_os = "linux"))]
fn own(_pid: u32) -> Option<u64> {
    None
}

#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "/proc has no file of anybody's")]
mod family {
    use std::collections::HashMap;
    use std::fs;

    /// Returns the children of every process that has some.
    pub(super) fn children() -> Option<HashMap<u32, Vec<u32>>> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for entry in fs::read_dir("/proc").ok()?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some(parent) = parent(pid) {
                children.entry(parent).or_default().push(pid);
            }
        }
        Some(children)
    }

    /// Returns the memory of one process, in KiB.
    pub(super) fn own(pid: u32) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").trim().parse().ok()
    }

    fn parent(pid: u32) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator of GNU is not to be told so in any other way")]
fn trim() {
    // SAFETY: any thread may call it at any time (its manual says MT-Safe). It gives back pages that are free as a whole, and
    // leaves alone what is in use.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "/proc has no file of anybody's")]
mod file {
    use std::ffi::c_void;
    use std::fs;
    use std::ops::Range;

    use rustix::mm::{Advice, madvise};

    /// Lets go of the pages of the program's own file that were only read.
    #[expect(unsafe_code, reason = "what is mapped where is the system's knowledge, not the compiler's")]
    pub(super) fn let_go() {
        let Ok(program) = fs::read_link("/proc/self/exe") else { return };
        let (Some(program), Ok(mappings)) = (program.to_str(), fs::read_to_string("/proc/self/smaps")) else {
            return;
        };
        for range in untouched(&mappings, program) {
            let start = std::ptr::with_exposed_provenance_mut::<c_void>(range.start);
            // SAFETY: the range is a mapping of the program's own file, which stands for as long as the process does, and of
            // which nobody wrote a page. So each page says what the file says, and is mapped again with that when it is
            // needed next. The system does the same by itself when memory is short: nobody can tell the difference.
            // An error leaves the pages where they are.
            let _ = unsafe { madvise(start, range.len(), Advice::LinuxDontNeed) };
        }
    }

    /// Returns the mappings of `program` that nobody can write, and nobody has written: they have no page of their own, in
    /// memory or swapped out.
    fn untouched(smaps: &str, program: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        // The mapping whose lines are read now, until it is known whether it is one.
        let mut candidate = None;
        for line in smaps.lines() {
            if let Some((range, may, path)) = head(line) {
                candidate =
                    (path == program && may.starts_with('r') && &may[1..2] == "-" && may.ends_with('p'))
                        .then_some((range, false));
                continue;
            }
            let Some((range, is_plain)) = &mut candidate else { continue };
            match line.split_once(':').map(|(what, value)| (what, value.trim())) {
                Some(("Anonymous", value)) => *is_plain = value == "0 kB",
                Some(("Swap", "0 kB")) if *is_plain => found.push(range.clone()),
                _ => {}
            }
        }
        found
    }

    /// Returns range, permissions and path of the line that a mapping begins with; `None` for other lines.
    fn head(line: &str) -> Option<(Range<usize>, &str, &str)> {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        let (may, rest) = rest.split_once(' ')?;
        // Offset, device, inode, blanks, and the path, which may have blanks in it.
        let path = rest.splitn(4, ' ').nth(3).unwrap_or_default().trim_start();
        (may.len() == 4).then_some((address(start)?..address(end)?, may, path))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// One mapping as the system tells it, as far as it matters here.
        fn mapping(range: &str, may: &str, path: &str, anonymous: u32, swap: u32) -> String {
            format!(
                "{range} {may} 0040c000 fe:00 1234                       {path}\nSize: 4 kB\nRss: 4 kB\n\
                 Anonymous:      {anonymous:8} kB\nAnonHugePages: 0 kB\nSwap:           {swap:8} kB\nSwapPss: 0 kB\n\
                 VmFlags: rd ex mr mw me\n"
            )
        }

        #[test]
        fn only_what_the_program_has_and_nobody_wrote_is_let_go_of() {
            let program = "/opt/my programs/switchboard";
            for (what, mapping, is_let_go) in [
                ("code", mapping("1000-3000", "r-xp", program, 0, 0), true),
                ("constants", mapping("1000-3000", "r--p", program, 0, 0), true),
                (
                    "tables that were filled in at the start",
                    mapping("1000-3000", "r--p", program, 4, 0),
                    false,
                ),
                ("the same, swapped out", mapping("1000-3000", "r--p", program, 0, 4), false),
                ("variables", mapping("1000-3000", "rw-p", program, 0, 0), false),
                ("shared with others", mapping("1000-3000", "r--s", program, 0, 0), false),
                ("a library's", mapping("1000-3000", "r-xp", "/usr/lib/libc.so.6", 0, 0), false),
                ("another program's", mapping("1000-3000", "r-xp", "/switchboard", 0, 0), false),
                (
                    "of no file",
                    "1000-3000 r-xp 00000000 00:00 0 \nAnonymous: 0 kB\nSwap: 0 kB\n".to_owned(),
                    false,
                ),
                ("the system's", mapping("1000-3000", "r-xp", "[vdso]", 0, 0), false),
                (
                    "cut off",
                    "1000-3000 r-xp 00000000 fe:00 1 /opt/my programs/switchboard\nRss: 4 kB\n".to_owned(),
                    false,
                ),
                ("nonsense", "Rss\nx-y r-xp\n1-2\n".to_owned(), false),
            ] {
                let between = [mapping_of_another(), mapping, mapping_of_another()].concat();
                let expected = is_let_go.then_some(0x1000..0x3000).into_iter().collect::<Vec<_>>();
                assert_eq!(untouched(&between, program), expected, "{what}");
            }
        }

        fn mapping_of_another() -> String {
            mapping("7f00-8f00", "r--p", "/usr/lib/libm.so.6", 0, 0)
        }
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
#[expect(clippy::disallowed_methods, reason = "/proc has no file of anybody's")]
mod tests {
    use super::*;

    #[test]
    fn memory_that_was_needed_for_a_moment_is_given_back() {
        const PIECES: usize = 64 * 1024;
        // What the system says of this process, in KiB.
        let anonymous = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
        };
        let mut pieces: Vec<Box<[u8; 1024]>> =
            (0..PIECES).map(|at| Box::new([at.to_le_bytes()[0]; 1024])).collect();
        let before = anonymous();
        assert!(before >= PIECES);
        // The last one stays, and keeps the allocator from giving back by itself what lies below.
        let last = pieces.pop();
        drop(pieces);
        give_back();
        let after = anonymous();
        assert!(after < before - PIECES / 2, "{before} KiB before, {after} KiB after");
        assert_eq!(last.map(|last| last[1023]), Some(0xff), "what is in use stays as it is");
    }
}
