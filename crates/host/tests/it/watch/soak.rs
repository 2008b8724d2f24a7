//! Nine files, many programs, thousands of saves: each content that is told was whole, and the last one is told.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use switchboard_host::watch::{Content, Seen};

use super::stage::{Stage, alone, is};

const FILES: usize = 9;
/// How many saves there are, and how many in a soak.
const SAVES: u32 = 2_000;
const SAVES_IN_A_SOAK: u32 = 100_000;
/// A hang, not a slow machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn pause(&mut self, most: u64) {
        std::thread::sleep(Duration::from_micros(self.below(most)));
    }
}

/// A file behind a link to its folder, as it is saved by one program after the other.
struct Saved {
    /// As it is asked for: `N/mcp.json`, where `N` is a link to `N.0` or `N.1`.
    path: PathBuf,
    link: PathBuf,
    /// Every content that it had as a whole since the one that was told last.
    whole: Vec<Content>,
    last: String,
}

impl Saved {
    fn new(stage: &Stage, number: usize) -> Self {
        let link = stage.path(&number.to_string());
        for side in [0, 1] {
            fs::create_dir(stage.path(&format!("{number}.{side}"))).unwrap();
        }
        symlink(format!("{number}.0"), &link).unwrap();
        let mut saved = Self { path: link.join("mcp.json"), link, whole: Vec::new(), last: String::new() };
        let text = saved.text(0);
        fs::write(&saved.path, text).unwrap();
        saved.whole.clear();
        saved
    }

    /// A new content, which no other one begins with.
    fn text(&mut self, save: u32) -> String {
        let text = format!("{{ \"save\": {save}, \"rest\": \"{}\" }}\n", "x".repeat(save as usize % 600));
        self.whole.push(is(&text));
        self.last.clone_from(&text);
        text
    }

    fn save(&mut self, save: u32, random: &mut Random) {
        let path = self.path.clone();
        let beside = |name: &str| path.with_extension(name);
        match random.below(12) {
            0..=2 => {
                fs::write(beside("temp"), self.text(save)).unwrap();
                fs::rename(beside("temp"), &path).unwrap();
            }
            3 => fs::write(&path, self.text(save)).unwrap(),
            4 | 5 => {
                let text = self.text(save);
                let (one, two) = text.split_at(text.len() / 2);
                let mut file = File::create(&path).unwrap();
                file.write_all(one.as_bytes()).unwrap();
                random.pause(30_000);
                file.write_all(two.as_bytes()).unwrap();
            }
            6 => {
                fs::rename(&path, beside("backup")).unwrap();
                random.pause(3_000);
                fs::write(&path, self.text(save)).unwrap();
            }
            7 => {
                fs::remove_file(&path).unwrap();
                random.pause(3_000);
                fs::write(&path, self.text(save)).unwrap();
            }
            8 => {
                fs::write(beside("temp"), self.text(save)).unwrap();
                renameat_with(CWD, beside("temp"), CWD, &path, RenameFlags::EXCHANGE).unwrap();
            }
            9 => self.swap(save),
            10 => {
                // The folder itself is renamed and made anew.
                let folder = fs::canonicalize(&self.link).unwrap();
                let old = folder.with_extension("old");
                fs::rename(&folder, &old).unwrap();
                fs::create_dir(&folder).unwrap();
                fs::write(old.join("mcp.json"), self.text(save)).unwrap();
                fs::rename(old.join("mcp.json"), folder.join("mcp.json")).unwrap();
                fs::remove_dir_all(old).unwrap();
            }
            _ => {
                fs::write(&path, &self.last).unwrap();
                File::options()
                    .write(true)
                    .open(&path)
                    .unwrap()
                    .set_modified(std::time::SystemTime::UNIX_EPOCH)
                    .unwrap();
            }
        }
    }

    /// Lets the link lead to the other folder, where the new content is.
    fn swap(&mut self, save: u32) {
        let now = fs::read_link(&self.link).unwrap();
        let [one, two] = [0, 1].map(|side| format!("{}.{side}", self.name()));
        let other = if now.ends_with(&one) { two } else { one };
        fs::write(self.link.with_file_name(&other).join("mcp.json"), self.text(save)).unwrap();
        let new = self.link.with_extension("new");
        symlink(other, &new).unwrap();
        fs::rename(new, &self.link).unwrap();
    }

    fn name(&self) -> String {
        self.link.file_name().unwrap().to_str().unwrap().to_owned()
    }
}

#[test]
fn thousands_of_saves_are_told_whole_and_the_last_one_always() {
    alone("watch::soak::thousands_of_saves_are_told_whole_and_the_last_one_always", soak);
}

fn soak() {
    let is_soak = std::env::var("SWITCHBOARD_SOAK").is_ok_and(|value| value == "1");
    let saves = if is_soak { SAVES_IN_A_SOAK } else { SAVES };
    let stage = Stage::set();
    let mut files: Vec<_> = (0..FILES).map(|number| Saved::new(&stage, number)).collect();
    let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
    stage.look_at(&paths);

    let mut random = Random(0x5eed);
    let (mut changes, mut used) = (0, None);
    for save in 1..=saves {
        let number = usize::try_from(random.below(FILES as u64)).unwrap();
        files[number].save(save, &mut random);
        let is_calm = random.below(5) == 0;
        random.pause(if is_calm { 40_000 } else { 5_000 });
        for seen in stage.so_far() {
            changes += 1;
            take(&mut files, &seen);
        }
        if save == saves / 10 {
            used = Some(usage());
        }
    }
    let (resident, descriptors) = used.unwrap();
    let now = usage();
    assert!(now.0 < resident + 5_000 && now.1 < descriptors + 5, "from {used:?} to {now:?}");

    let begun = Instant::now();
    while !files.iter().all(|file| file.whole.is_empty()) {
        assert!(begun.elapsed() < LONGEST, "{:?}", stage.health());
        let seen = stage.next();
        changes += 1;
        take(&mut files, &seen);
    }
    assert!(changes <= saves, "{changes} changes of {saves} saves");
    assert_eq!(stage.health().watched_folders, 1 + FILES);
}

/// Takes in what was told: a content that the file has had as a whole, after what was told before.
fn take(files: &mut [Saved], seen: &Seen) {
    let file = files.iter_mut().find(|file| file.path == seen.path).unwrap();
    let at = file.whole.iter().position(|content| *content == seen.content);
    let Some(at) = at else {
        panic!("{}: {:?} is a part, or told before", seen.path.display(), seen.content)
    };
    file.whole.drain(..=at);
}

/// The resident memory in KiB, and the number of open descriptors.
fn usage() -> (u64, usize) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let resident = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    (resident, fs::read_dir("/proc/self/fd").unwrap().count())
}
