//! The machine losing its power: what the disk may hold then, worked out from the system calls of one real run.
//!
//! A write is on the disk for sure once its file was synced; a name, once its folder was. Until then each may be there
//! or not, whatever came later, and of a write a part may be there. That is weaker than any file system in use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use testkit::strace;
use testkit::tools::is_soak;

use crate::stage::{CLIENTS, Client, Flow, Stage};

/// More states than this of one moment are not looked at one by one.
const MOST: usize = 1 << 14;

type Inode = usize;

/// One step towards the disk.
#[derive(Clone, Debug)]
enum Op {
    /// Names of one folder come to mean these files, or nothing.
    Names(PathBuf, Vec<(PathBuf, Option<Inode>)>),
    /// A file has this in it from now on.
    Data(Inode, Vec<u8>),
    Sync(Inode),
    SyncFolder(PathBuf),
}

/// Files by their names.
#[derive(Clone, Debug, Default)]
struct Disk {
    names: BTreeMap<PathBuf, Inode>,
    data: BTreeMap<Inode, Vec<u8>>,
}

impl Disk {
    fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    let inode = disk.data.len();
                    disk.data.insert(inode, std::fs::read(entry.path()).unwrap());
                    disk.names.insert(entry.path(), inode);
                }
            }
        }
        disk
    }

    fn at(&self, path: &Path) -> Option<&[u8]> {
        self.data.get(self.names.get(path)?).map(Vec::as_slice)
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Names(_, names) => {
                for (name, inode) in names {
                    match inode {
                        Some(inode) => self.names.insert(name.clone(), *inode),
                        None => self.names.remove(name),
                    };
                }
            }
            Op::Data(inode, bytes) => drop(self.data.insert(*inode, bytes.clone())),
            Op::Sync(_) | Op::SyncFolder(_) => {}
        }
    }
}

/// A run, as the steps that it took.
struct Run {
    start: Disk,
    ops: Vec<Op>,
    end: Disk,
}

impl Run {
    /// Runs the command of a stage.
    fn record(stage: &Stage) -> Self {
        stage.reset();
        let start = Disk::of(&stage.live());
        let mut run = Self { end: start.clone(), start, ops: Vec::new() };
        for line in strace::recorded(&stage.command(), &stage.path("trace")) {
            if let Some((call, rest)) = line.split_once('(')
                && let Some((args, result)) = rest.rsplit_once(" = ")
                && !result.starts_with('-')
            {
                run.call(call, args, result, &stage.live());
            }
        }
        run
    }

    fn add(&mut self, op: Op) {
        self.end.apply(&op);
        self.ops.push(op);
    }

    fn names(&mut self, names: Vec<(PathBuf, Option<Inode>)>) {
        let folder = names[0].0.parent().unwrap().to_owned();
        self.add(Op::Names(folder, names));
    }

    fn call(&mut self, call: &str, args: &str, result: &str, live: &Path) {
        let texts = quoted(args);
        let paths: Vec<PathBuf> =
            texts.iter().map(|text| String::from_utf8_lossy(text).as_ref().into()).collect();
        let file = descriptor(args).filter(|path| path.starts_with(live));
        let inode = file.as_ref().and_then(|path| self.end.names.get(path).copied());
        match (call, paths.as_slice(), file, inode) {
            ("openat", ..) => {
                let Some(path) = descriptor(result).filter(|path| path.starts_with(live)) else { return };
                match self.end.names.get(&path).copied() {
                    Some(inode) if args.contains("O_TRUNC") => self.add(Op::Data(inode, Vec::new())),
                    None if args.contains("O_CREAT") => {
                        let inode = self.end.data.len();
                        self.end.data.insert(inode, Vec::new());
                        self.start.data.insert(inode, Vec::new());
                        self.names(vec![(path, Some(inode))]);
                    }
                    _ => {}
                }
            }
            ("write", .., Some(inode)) => {
                let mut data = self.end.data[&inode].clone();
                data.extend_from_slice(&texts[0]);
                self.add(Op::Data(inode, data));
            }
            ("ftruncate", .., Some(inode)) => self.add(Op::Data(inode, Vec::new())),
            ("fsync" | "fdatasync", .., Some(inode)) => self.add(Op::Sync(inode)),
            ("fsync", _, Some(folder), None) => self.add(Op::SyncFolder(folder)),
            ("rename" | "renameat" | "renameat2", [from, to], ..) if from.starts_with(live) => {
                let moved = self.end.names.get(from).copied();
                let other =
                    if args.contains("RENAME_EXCHANGE") { self.end.names.get(to).copied() } else { None };
                self.names(vec![(to.clone(), moved), (from.clone(), other)]);
            }
            ("unlink" | "unlinkat", [path], ..) if path.starts_with(live) => {
                self.names(vec![(path.clone(), None)]);
            }
            ("link" | "linkat", [from, to], ..) if from.starts_with(live) => {
                let inode = self.end.names.get(from).copied();
                self.names(vec![(to.clone(), inode)]);
            }
            _ => {}
        }
    }

    /// The steps before `moment` that need not be on the disk then.
    fn pending(&self, moment: usize) -> Vec<usize> {
        let ops = &self.ops[..moment];
        let is_synced = |at: usize| {
            ops[at + 1..].iter().any(|later| match (&ops[at], later) {
                (Op::Names(folder, _), Op::SyncFolder(synced)) => folder == synced,
                (Op::Data(inode, _), Op::Sync(synced)) => inode == synced,
                _ => false,
            })
        };
        (0..moment).filter(|&at| matches!(ops[at], Op::Names(..) | Op::Data(..)) && !is_synced(at)).collect()
    }

    /// What the disk may hold when the power goes after `moment` steps.
    fn states(&self, moment: usize) -> Vec<Disk> {
        let pending = self.pending(moment);
        // Of what is not sure, each step may be there, be missing, or be there in part.
        let ways: usize = pending.iter().map(|at| self.ways(*at)).product();
        assert!(ways <= MOST, "{ways} states after step {moment}");
        (0..ways)
            .map(|mut way| {
                let mut disk = self.start.clone();
                for at in 0..moment {
                    let Ok(_) = pending.binary_search(&at) else {
                        disk.apply(&self.ops[at]);
                        continue;
                    };
                    let choice = way % self.ways(at);
                    way /= self.ways(at);
                    match (&self.ops[at], choice) {
                        (_, 0) => {}
                        (op, 1) => disk.apply(op),
                        (Op::Data(inode, bytes), _) => {
                            disk.apply(&Op::Data(*inode, bytes[..bytes.len() / 2].to_vec()));
                        }
                        (Op::Names(..) | Op::Sync(_) | Op::SyncFolder(_), _) => {}
                    }
                }
                disk
            })
            .collect()
    }

    fn ways(&self, at: usize) -> usize {
        if matches!(&self.ops[at], Op::Data(_, bytes) if !bytes.is_empty()) { 3 } else { 2 }
    }

    /// What each of these files has held, from before the run to its end.
    fn versions<'p>(
        &self,
        paths: impl Iterator<Item = &'p PathBuf>,
    ) -> Vec<(&'p PathBuf, BTreeSet<Option<Vec<u8>>>)> {
        let mut disk = self.start.clone();
        let mut versions: Vec<_> =
            paths.map(|path| (path, BTreeSet::from([disk.at(path).map(<[u8]>::to_vec)]))).collect();
        for op in &self.ops {
            disk.apply(op);
            for (path, versions) in &mut versions {
                versions.insert(disk.at(path).map(<[u8]>::to_vec));
            }
        }
        versions
    }

    /// Leaves out the steps that concern files of which nobody is promised anything.
    fn without(mut self, name: &str) -> Self {
        let inodes: BTreeSet<Inode> = self
            .end
            .names
            .iter()
            .filter(|(path, _)| path.file_name().is_some_and(|own| own == name))
            .map(|(_, inode)| *inode)
            .collect();
        self.ops.retain(|op| match op {
            Op::Names(_, names) => {
                !names.iter().any(|(path, _)| path.file_name().is_some_and(|own| own == name))
            }
            Op::Data(inode, _) | Op::Sync(inode) => !inodes.contains(inode),
            Op::SyncFolder(_) => true,
        });
        self
    }
}

/// The texts between quotation marks, as strace escapes them.
fn quoted(args: &str) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let mut bytes = args.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'"' {
            continue;
        }
        let mut text = Vec::new();
        while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
            if byte != b'\\' {
                text.push(byte);
                continue;
            }
            match bytes.next().unwrap() {
                b'n' => text.push(b'\n'),
                b't' => text.push(b'\t'),
                b'r' => text.push(b'\r'),
                b'f' => text.push(12),
                b'v' => text.push(11),
                digit @ b'0'..=b'7' => {
                    let mut code = u32::from(digit - b'0');
                    for _ in 0..2 {
                        let Some(next) = bytes.next_if(|next| (b'0'..=b'7').contains(next)) else { break };
                        code = code * 8 + u32::from(next - b'0');
                    }
                    text.push(u8::try_from(code).unwrap());
                }
                other => text.push(other),
            }
        }
        texts.push(text);
    }
    texts
}

/// The path that strace shows behind the first descriptor; of a file that has none any more, nothing.
fn descriptor(args: &str) -> Option<PathBuf> {
    let digits = args.len() - args.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = args[digits..].strip_prefix('<').filter(|_| digits > 0)?;
    let (path, behind) = rest.split_once('>')?;
    (!behind.starts_with("(deleted)")).then(|| PathBuf::from(path))
}

/// What was found: how many states, and what is wrong in some of them.
#[derive(Debug, Default)]
struct Found {
    states: usize,
    faults: BTreeSet<String>,
}

/// Our own files that say what was done.
const RECORDS: [&str; 3] = ["history.json", "journal.json", "relations.json"];

/// The backups, each with the hash that it is called by.
fn objects<'d>(disk: &'d Disk, state: &Path) -> impl Iterator<Item = (String, &'d PathBuf)> {
    let folder = state.join("backups/objects");
    let inside = disk.names.keys().filter(move |path| path.starts_with(&folder));
    inside.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path)))
}

/// Looks at every state that the disk may be in, after every step.
fn explore(run: &Run, stage: &Stage) -> Found {
    let mut found = Found::default();
    let client = stage.real();
    let catalogue = stage.scratch.catalogue();
    let state = stage.scratch.switchboard().join("state");
    let records = RECORDS.map(|name| state.join(name));
    let versions = run.versions(records.iter().chain([&client, &catalogue]));
    for moment in 0..=run.ops.len() {
        let done = moment == run.ops.len();
        for disk in run.states(moment) {
            found.states += 1;
            let mut fault = |path: &Path, what: &str| {
                found.faults.insert(format!("{} {what}", path.file_name().unwrap().to_string_lossy()));
            };
            for (path, versions) in &versions {
                let now = disk.at(path);
                if !versions.contains(&now.map(<[u8]>::to_vec)) {
                    fault(path, if now.is_none() { "is gone" } else { "is torn" });
                }
                if done && now != run.end.at(path) {
                    fault(path, "is old, and success was told");
                }
            }
            for path in &records {
                let text = String::from_utf8_lossy(disk.at(path).unwrap_or_default());
                let mut named = objects(&run.end, &state).filter(|(hash, _)| text.contains(hash));
                if named.any(|(_, object)| disk.at(object) != run.end.at(object)) {
                    fault(path, "names what is not in the backups");
                }
            }
            let is_new = |path: &Path| disk.at(path) != run.start.at(path);
            let changes = |path: &Path| run.end.at(path) != run.start.at(path);
            if is_new(&client) && !is_new(&state.join("journal.json")) {
                fault(&client, "was written before the journal");
            }
            if is_new(&client) && changes(&catalogue) && !is_new(&catalogue) {
                fault(&client, "was told before the catalogue");
            }
        }
    }
    found
}

fn recorded(client: &'static Client, flow: Flow) -> (Stage, Run) {
    let stage = Stage::set(client, flow);
    let run = Run::record(&stage).without("lock").without("index.jsonl");
    (stage, run)
}

#[test]
fn a_power_cut_leaves_old_files_or_new_ones() {
    if !strace::is_there() {
        return;
    }
    let mut states = 0;
    for client in &CLIENTS {
        for flow in [Flow::Push, Flow::Undo, Flow::Add, Flow::Import] {
            if (client.id, flow) == ("continue", Flow::Import) {
                // Its own entries have secrets that only the client fills in: there is nothing to import.
                continue;
            }
            let (stage, run) = recorded(client, flow);
            assert_eq!(run.end.at(&stage.real()), stage.after.client.as_deref(), "the trace was understood");
            let found = explore(&run, &stage);
            println!("{} {flow:?}: {} states after {} steps", client.id, found.states, run.ops.len());
            assert_eq!(found.faults, BTreeSet::new(), "{} {flow:?}", client.id);
            states += found.states;
        }
    }
    assert!(states > 1000, "{states} states");
}

#[test]
fn no_sync_of_a_push_can_be_left_out() {
    if !strace::is_there() {
        return;
    }
    for client in if is_soak() { &CLIENTS[..] } else { &CLIENTS[..2] } {
        let (stage, run) = recorded(client, Flow::Push);
        let mut missed = BTreeSet::new();
        for at in 0..run.ops.len() {
            // What has nothing to make sure of is not missed.
            if !is_sync(&run.ops[at]) || run.pending(at).len() == run.pending(at + 1).len() {
                continue;
            }
            let mut mutant = Run { start: run.start.clone(), ops: run.ops.clone(), end: run.end.clone() };
            let gone = mutant.ops.remove(at);
            let faults = explore(&mutant, &stage).faults;
            println!("{} without {gone:?}: {faults:?}", client.id);
            match gone {
                Op::SyncFolder(folder) if faults.is_empty() => {
                    let again = |op: &Op| matches!(op, Op::SyncFolder(own) if *own == folder);
                    // Of two syncs of one folder the second does for both.
                    assert!(run.ops[at + 1..].iter().any(again), "nobody misses {}", folder.display());
                }
                Op::SyncFolder(folder) => {
                    missed.insert(folder);
                }
                gone => assert!(!faults.is_empty(), "{}: nobody misses {gone:?}", client.id),
            }
        }
        let state = stage.scratch.switchboard().join("state");
        let folders = [stage.real().parent().unwrap().to_owned(), state.join("backups/objects"), state];
        assert_eq!(missed, BTreeSet::from(folders), "{}: folders whose sync is needed", client.id);
    }
}

fn is_sync(op: &Op) -> bool {
    matches!(op, Op::Sync(_) | Op::SyncFolder(_))
}

#[test]
fn a_writer_without_care_is_found_out_by_a_power_cut() {
    if !strace::is_there() {
        return;
    }
    let (stage, run) = recorded(&CLIENTS[0], Flow::Broken);
    let faults = explore(&run, &stage).faults;
    for fault in ["is torn", "is old, and success was told", "was written before the journal"] {
        assert!(faults.contains(&format!(".claude.json {fault}")), "{faults:?}");
    }
}
