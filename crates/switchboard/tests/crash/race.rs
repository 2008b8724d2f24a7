//! Another program changes the same file all the time while pushes run: nothing that it wrote is lost for good.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::scratch::Scratch;

use crate::stage::scratch_folder;

/// How many pushes there are. The test ends by counts, not by time.
const PUSHES: usize = 40;
/// How many changes the other program makes at least.
const CHANGES: usize = 80;

type Write = fn(&Path, &[u8]);

fn by_rename(path: &Path, bytes: &[u8]) {
    let temp = path.with_extension("foreign");
    fs::write(&temp, bytes).unwrap();
    fs::rename(&temp, path).unwrap();
}

fn by_truncation(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

fn marker(number: usize) -> String {
    format!("marker-{number:04}-end")
}

/// Reads, changes and writes the file as clients do, and returns how often.
fn other_program(path: &Path, write: Write, done: &AtomicBool) -> usize {
    let mut seed = 0x5eed_u64;
    let mut number = 0;
    while number < CHANGES || !done.load(Ordering::Acquire) {
        let mut content: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        content[marker(number)] = json!(number);
        write(path, serde_json::to_string_pretty(&content).unwrap().as_bytes());
        number += 1;
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        thread::sleep(Duration::from_millis(5 + seed % 36));
    }
    number
}

fn catalogue(round: usize) -> String {
    format!(
        "[servers.always]\ncommand = \"always-{round}\"\n\n[servers.{}]\ncommand = \"other\"\n",
        ["odd", "even"][round % 2]
    )
}

fn race(story: &str, write: Write) {
    let begun = Instant::now();
    let folder = scratch_folder();
    let scratch = Scratch::new(folder.path(), env!("CARGO_BIN_EXE_switchboard"));
    let path = scratch.home().join(".claude.json");
    fs::copy(testkit::fixture("claude-code/.claude.json"), &path).unwrap();
    fs::write(scratch.catalogue(), catalogue(0)).unwrap();
    scratch.done(&["client", "link", "claude-code", "--manual"]);
    scratch.done(&["client", "push", "claude-code", "--yes"]);

    let done = AtomicBool::new(false);
    let mut written = 0;
    let changes = thread::scope(|scope| {
        let other = scope.spawn(|| other_program(&path, write, &done));
        for round in 1..=PUSHES {
            fs::write(scratch.catalogue(), catalogue(round)).unwrap();
            // What the other program put back by writing an old copy is put right as well.
            let verb = if round % 4 == 0 { "restore" } else { "push" };
            let outcome = scratch.run(&["client", verb, "claude-code", "--yes", "--json"]);
            assert_ne!(outcome.status.code(), Some(101), "{}", testkit::scratch::told(&outcome));
            written += usize::from(String::from_utf8_lossy(&outcome.stdout).contains("\"written\""));
        }
        done.store(true, Ordering::Release);
        other.join().unwrap()
    });

    let text = fs::read_to_string(&path).unwrap();
    serde_json::from_str::<Value>(&text).unwrap();
    let objects = scratch.switchboard().join("state/backups/objects");
    let kept: Vec<String> = fs::read_dir(objects)
        .unwrap()
        .map(|entry| String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned())
        .collect();
    let markers: Vec<String> = (0..changes).map(marker).collect();
    let (there, elsewhere): (Vec<_>, Vec<_>) = markers.iter().partition(|marker| text.contains(*marker));
    let lost: Vec<_> =
        elsewhere.iter().filter(|marker| !kept.iter().any(|text| text.contains(**marker))).collect();
    println!(
        "{story}: {written} of {PUSHES} pushes written, {changes} foreign changes: {} in the file, {} only in the backups, {} lost, {:.1} s",
        there.len(),
        elsewhere.len() - lost.len(),
        lost.len(),
        begun.elapsed().as_secs_f32(),
    );
    assert!(lost.is_empty(), "{story}: {lost:?}");
    assert!(written > PUSHES / 4, "{story}: too few writes to show anything");
    // Once nobody else writes, everything falls into place.
    scratch.run(&["client", "restore", "claude-code", "--yes"]);
    assert_eq!(scratch.status("claude-code")["in_step"], true);
    let left = fs::read_dir(scratch.home())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".switchboard-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn nothing_is_lost_to_a_program_that_renames() {
    race("renames", by_rename);
}

#[test]
fn nothing_is_lost_to_a_program_that_truncates() {
    race("truncates", by_truncation);
}
