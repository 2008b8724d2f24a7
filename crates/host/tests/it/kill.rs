//! A file is the old one or the new one: the process killed at every system call, and every file call failing.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use switchboard_host::backup::Backups;
use switchboard_host::hash::Hash;

use crate::strace::{self, Point};

/// The last two also lead on the ways taken where names cannot be exchanged, and where a file is a mount.
const ERRORS: [&str; 10] =
    ["ENOSPC", "EIO", "EROFS", "EACCES", "EDQUOT", "EINTR", "EMFILE", "EPERM", "EINVAL", "EBUSY"];

/// What is being replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    /// A file behind two links, with an owner, a mode and an attribute of its own.
    Linked,
    /// No file yet.
    New,
    /// A file with two names, written in place with consent.
    TwoNames,
    /// As `Linked`, by a writer that truncates first.
    Broken,
}

/// A folder of its own with one scene in it.
struct Stage {
    folder: tempfile::TempDir,
    scene: Scene,
    old: Vec<u8>,
    new: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Old,
    New,
    Torn,
    Missing,
}

impl Stage {
    fn set(scene: Scene) -> Self {
        // Thousands of runs wait for the disk at each step; in memory the same calls fail in the same places.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        // Shorter where it is written in place, so that there is a moment between writing and cutting off.
        let size = if scene == Scene::TwoNames { 20_000 } else { 30_000 };
        let (old, new) = (vec![b'O'; 29_002], vec![b'N'; size]);
        let stage = Self { folder, scene, old, new };
        std::fs::create_dir(stage.path("real")).unwrap();
        std::fs::create_dir(stage.path("by")).unwrap();
        symlink("../real/mcp.json", stage.path("by/hop.json")).unwrap();
        symlink("by/hop.json", stage.path("link.json")).unwrap();
        std::fs::write(stage.path("new"), &stage.new).unwrap();
        if scene != Scene::New {
            std::fs::write(stage.real(), &stage.old).unwrap();
            std::fs::set_permissions(stage.real(), PermissionsExt::from_mode(0o640)).unwrap();
            let _ = std::os::unix::fs::chown(stage.real(), Some(1234), Some(4321));
            let _ = rustix::fs::setxattr(stage.real(), "user.kept", b"yes", rustix::fs::XattrFlags::empty());
        }
        if scene == Scene::TwoNames {
            std::fs::hard_link(stage.real(), stage.path("twin")).unwrap();
        }
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn real(&self) -> PathBuf {
        self.path("real/mcp.json")
    }

    /// By what path the file is asked for: a link to a file that is not there is refused, so a new one has none.
    fn asked(&self) -> PathBuf {
        if self.scene == Scene::New { self.real() } else { self.path("link.json") }
    }

    fn args(&self) -> Vec<PathBuf> {
        let flag = match self.scene {
            Scene::Linked | Scene::New => None,
            Scene::TwoNames => Some(PathBuf::from("--in-place")),
            Scene::Broken => Some(PathBuf::from("--broken")),
        };
        flag.into_iter().chain([self.asked(), self.path("new"), self.path("state")]).collect()
    }

    fn inject(&self, fault: &str, point: &Point) -> ExitStatus {
        let args = self.args();
        strace::inject(fault, point, &args.iter().map(PathBuf::as_path).collect::<Vec<_>>())
    }

    fn points(&self) -> Vec<Point> {
        let args = self.args();
        strace::points(&args.iter().map(PathBuf::as_path).collect::<Vec<_>>(), &self.path("trace"))
    }

    fn content(&self) -> Content {
        match std::fs::read(self.real()) {
            Ok(bytes) if bytes == self.new => Content::New,
            Ok(bytes) if bytes == self.old && self.scene != Scene::New => Content::Old,
            Ok(_) => Content::Torn,
            Err(_) if self.scene == Scene::New => Content::Old,
            Err(_) => Content::Missing,
        }
    }

    /// Returns what is not as it was besides the content.
    fn strayed(&self) -> Option<String> {
        for link in ["link.json", "by/hop.json"] {
            if !self.path(link).is_symlink() {
                return Some(format!("{link} is no link any more"));
            }
        }
        let Ok(meta) = self.real().metadata() else { return None };
        if self.scene == Scene::New {
            return (meta.mode() & 0o7777 != 0o600).then(|| format!("mode {:o}", meta.mode()));
        }
        let mut value = [0; 8];
        let kept = rustix::fs::getxattr(self.real(), "user.kept", &mut value[..]) == Ok(3);
        let owner = rustix::process::getuid().is_root().then_some((1234, 4321));
        let same =
            owner.is_none_or(|owner| owner == (meta.uid(), meta.gid())) && meta.mode() & 0o7777 == 0o640;
        (!same || !kept).then(|| format!("{}:{} {:o} {kept}", meta.uid(), meta.gid(), meta.mode()))
    }

    fn has_old_in_backups(&self) -> bool {
        Backups::new(self.path("state/backups")).has(Hash::of(&self.old))
    }

    /// Returns how many files are left that should not be.
    fn temps(&self) -> usize {
        let folders = ["real", "state/backups", "state/backups/objects"];
        let names = folders.iter().filter_map(|folder| self.path(folder).read_dir().ok()).flatten();
        let paths = names.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|end| end == "tmp" || end == "json")).count()
            - usize::from(self.real().exists())
    }

    /// Runs the example once more, unharmed, and returns what is wrong afterwards.
    fn next_run_fails(&self) -> Option<String> {
        let status = std::process::Command::new(strace::example()).args(self.args()).status().unwrap();
        let (content, temps) = (self.content(), self.temps());
        let well = status.success() && content == Content::New && temps == 0;
        (!well).then(|| format!("next run: {status}, {content:?}, {temps} files left"))
    }
}

/// What was found at all points together.
#[derive(Debug, Default)]
struct Findings {
    injections: usize,
    states: BTreeMap<(Content, String), usize>,
    leftovers: usize,
    faults: Vec<String>,
}

/// Injects every fault at every point. Half of the time goes into waiting for the disk, so there are more threads than
/// processors.
fn run(scene: Scene, cases: &[(Point, String)]) -> Findings {
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Findings::default()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(4) * 2;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((point, fault)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    look(scene, point, fault, &findings);
                }
            });
        }
    });
    findings.into_inner().unwrap()
}

fn look(scene: Scene, point: &Point, fault: &str, findings: &Mutex<Findings>) {
    let stage = Stage::set(scene);
    let status = stage.inject(fault, point);
    let content = stage.content();
    let mut faults = Vec::new();
    let torn_in_place = scene == Scene::TwoNames
        && content == Content::Torn
        && fault == "signal=KILL"
        && stage.has_old_in_backups();
    if matches!(content, Content::Torn | Content::Missing) && !torn_in_place {
        faults.push(format!("{content:?}"));
    }
    if status.success() && content != Content::New {
        faults.push("success, but not written".to_owned());
    }
    if status.code() == Some(1) && content == Content::New {
        faults.push("failure, but written".to_owned());
    }
    if content == Content::New && scene != Scene::New && scene != Scene::Broken && !stage.has_old_in_backups()
    {
        faults.push("written without a backup".to_owned());
    }
    if status.code() == Some(101) {
        faults.push("panic".to_owned());
    }
    faults.extend(stage.strayed());
    let left = stage.temps();
    if torn_in_place {
        let backups = Backups::new(stage.path("state/backups"));
        switchboard_host::file::sweep(&[], &backups);
        faults.extend((stage.content() != Content::Old).then(|| "not mended by the sweep".to_owned()));
    }
    if scene != Scene::Broken {
        faults.extend(stage.next_run_fails());
    }
    let ended = status.code().map_or_else(|| format!("{:?}", status.signal()), |code| code.to_string());
    let mut findings = findings.lock().unwrap();
    findings.injections += 1;
    *findings.states.entry((content, ended)).or_default() += 1;
    findings.leftovers += left;
    findings.faults.extend(faults.into_iter().map(|what| format!("{scene:?} {point:?} {fault}: {what}")));
}

fn kill_everywhere(scene: Scene) -> Findings {
    let cases: Vec<_> =
        Stage::set(scene).points().into_iter().map(|point| (point, "signal=KILL".to_owned())).collect();
    let findings = run(scene, &cases);
    println!(
        "{scene:?}: killed at {} calls: {:?}, {} temps",
        cases.len(),
        findings.states,
        findings.leftovers
    );
    findings
}

fn fail_everywhere(scene: Scene) -> Findings {
    let points = strace::of_files(&Stage::set(scene).points());
    let cases: Vec<_> = points
        .iter()
        .flat_map(|point| ERRORS.map(|error| (point.clone(), format!("error={error}"))))
        .collect();
    let findings = run(scene, &cases);
    println!(
        "{scene:?}: {} errors at {} calls: {:?}, {} temps",
        cases.len(),
        points.len(),
        findings.states,
        findings.leftovers
    );
    findings
}

fn is_clean(findings: &Findings) {
    assert!(findings.injections > 0);
    assert!(
        findings.faults.is_empty(),
        "{} faults: {:#?}",
        findings.faults.len(),
        &findings.faults[..findings.faults.len().min(20)]
    );
}

#[test]
fn killed_at_any_system_call_a_file_is_old_or_new() {
    if strace::is_there() {
        is_clean(&kill_everywhere(Scene::Linked));
        is_clean(&kill_everywhere(Scene::New));
        is_clean(&kill_everywhere(Scene::TwoNames));
    }
}

#[test]
fn whatever_call_fails_a_file_is_old_or_new_and_the_answer_is_true() {
    if strace::is_there() {
        is_clean(&fail_everywhere(Scene::Linked));
        is_clean(&fail_everywhere(Scene::New));
        is_clean(&fail_everywhere(Scene::TwoNames));
    }
}

/// The harness counts only because it finds out a writer that truncates first.
#[test]
fn a_writer_that_truncates_first_is_found_out() {
    if strace::is_there() {
        let killed = kill_everywhere(Scene::Broken);
        assert!(killed.faults.iter().any(|fault| fault.ends_with("Torn")), "{killed:?}");
        let failed = fail_everywhere(Scene::Broken);
        assert!(failed.faults.iter().any(|fault| fault.ends_with("Torn")), "{failed:?}");
    }
}
