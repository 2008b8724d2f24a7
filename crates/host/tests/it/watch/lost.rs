//! Events get lost, or there are none: every change is told all the same.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use switchboard_host::watch::{Content, Options, Watch};

use super::stage::{LIMIT, NEW, OLD, Stage, alone, is};

fn by_looking(poll: u64) -> Stage {
    Stage::with(Options { native: false, poll: Duration::from_millis(poll), ..Options::default() })
}

#[test]
fn without_any_event_every_change_is_found_by_looking() {
    let stage = by_looking(20);
    let path = stage.path("home/mcp.json");
    stage.look_at(&[&path]);
    let health = stage.health();
    assert!(!health.native && health.why.is_some() && health.unwatched_folders == 1, "{health:?}");

    fs::create_dir(stage.path("home")).unwrap();
    fs::write(&path, OLD).unwrap();
    assert_eq!(stage.next().content, is(OLD));
    // In two parts: only the stamp tells that somebody is still at it.
    let (one, two) = NEW.split_at(20);
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(one.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    file.write_all(two.as_bytes()).unwrap();
    assert_eq!(stage.next().content, is(NEW));
    fs::remove_dir_all(stage.path("home")).unwrap();
    assert_eq!(stage.next().content, Content::Missing);
    assert_eq!(stage.health().polled_changes, 3);
}

#[test]
fn whoever_asks_for_a_look_gets_one_at_once() {
    let stage = by_looking(LIMIT.as_secs() * 10_000);
    let path = stage.path("mcp.json");
    fs::write(&path, OLD).unwrap();
    stage.look_at(&[&path]);
    fs::write(&path, NEW).unwrap();
    stage.watch().look();
    assert_eq!(stage.next().content, is(NEW));
}

#[test]
fn what_no_event_told_of_is_told_within_two_seconds() {
    let stage = Stage::with(Options { native: false, ..Options::default() });
    let path = stage.path("mcp.json");
    fs::write(&path, OLD).unwrap();
    stage.look_at(&[&path]);
    let begun = Instant::now();
    fs::write(&path, NEW).unwrap();
    let told = stage.next();
    assert_eq!(told.content, is(NEW));
    let options = Options::default();
    assert!(options.poll + Duration::from_millis(500) <= Duration::from_secs(2));
    assert!(begun.elapsed() < LIMIT && told.since > begun);
}

#[test]
fn a_flood_of_events_hides_no_change() {
    let stage = Stage::set();
    let path = stage.path("mcp.json");
    fs::write(&path, OLD).unwrap();
    stage.look_at(&[&path]);
    // Some ten events each.
    for number in 0..5_000 {
        let noise = stage.path(&format!("noise.{number}"));
        fs::write(&noise, "noise").unwrap();
        fs::rename(&noise, stage.path("noise")).unwrap();
    }
    fs::write(stage.path("new"), NEW).unwrap();
    fs::rename(stage.path("new"), &path).unwrap();
    assert_eq!(stage.until(is(NEW)), [is(NEW)]);
}

/// The example, in a user namespace of its own, where a limit of the system can be lowered without harm to others.
struct Confined {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Confined {
    /// `None` if this machine lets nobody make a user namespace.
    fn start(limit: &str, value: u32, file: &Path) -> Option<Self> {
        let set = format!("echo {value} > /proc/sys/user/{limit}");
        let may = Command::new("unshare").args(["-Ur", "sh", "-c", &set]).stderr(Stdio::null()).status();
        if !may.is_ok_and(|status| status.success()) {
            println!("skipped: no user namespace can be made here");
            return None;
        }
        let example = std::env::current_exe().unwrap();
        let example = example.parent().unwrap().parent().unwrap().join("examples/watch_files");
        let mut command = Command::new("unshare");
        command.args(["-Ur", "sh", "-c", &format!("{set} && exec \"$@\""), "sh"]);
        command.arg(example).args(["20", "50"]).arg(file);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, input, lines: BufReader::new(output).lines() })
    }

    fn next(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn health(&mut self) -> String {
        self.input.write_all(b"\n").unwrap();
        self.next()
    }

    /// Gives the process what the limit kept from it.
    fn lift(&self, limit: &str) {
        let set = format!("echo 128 > /proc/sys/user/{limit}");
        let (pid, mut command) = (self.child.id().to_string(), Command::new("nsenter"));
        command.args(["-U", "--preserve-credentials", "-t", &pid, "sh", "-c", &set]);
        assert!(command.status().unwrap().success());
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn confined(limit: &str, value: u32) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("mcp.json");
    fs::write(&path, OLD).unwrap();
    let Some(mut watch) = Confined::start(limit, value, &path) else { return };
    let health = watch.next();
    assert!(health.starts_with("native false Some("), "{limit}: {health}");
    fs::write(&path, NEW).unwrap();
    assert_eq!(watch.next(), format!("told {:?}", is(NEW)), "{limit}");

    watch.lift(limit);
    let begun = Instant::now();
    while !watch.health().starts_with("native true") {
        assert!(begun.elapsed() < LIMIT, "{limit}: {}", watch.health());
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::write(&path, OLD).unwrap();
    assert_eq!(watch.next(), format!("told {:?}", is(OLD)), "{limit}");
}

#[test]
fn where_the_system_has_no_watches_left_files_are_looked_at_until_it_has_some() {
    confined("max_inotify_instances", 0);
    confined("max_inotify_watches", 0);
}

#[test]
fn a_watch_that_is_dropped_leaves_nothing_behind() {
    alone("watch::lost::a_watch_that_is_dropped_leaves_nothing_behind", start_and_drop);
}

fn start_and_drop() {
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    // More than the system has for one user, if each kept one.
    for _ in 0..150 {
        let stage = Stage::set();
        stage.look_at(&[&stage.path("mcp.json")]);
        assert!(stage.health().native, "{:?}", stage.health());
    }
    // The system's own thread closes its last things a moment later.
    let begun = Instant::now();
    while descriptors() > before {
        assert!(begun.elapsed() < LIMIT, "{} descriptors, {before} before", descriptors());
        std::thread::yield_now();
    }
}

#[test]
fn a_sink_that_panics_shows_in_the_health() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mcp.json");
    let watch = Watch::start(Options::default(), |_| panic!("the sink of this test")).unwrap();
    watch.set([(path.clone(), Some(Content::Missing))].into());
    assert!(watch.wait(LIMIT) && watch.health().running);
    fs::write(&path, NEW).unwrap();
    let begun = Instant::now();
    while watch.health().running {
        assert!(begun.elapsed() < LIMIT);
        std::thread::yield_now();
    }
}
