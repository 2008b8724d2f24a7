//! Measures how long it takes from a save to its being told: `watch_latency [RUNS]`, 200 by default.
//!
//! The time runs from the moment the save is complete (the rename returns, the file is closed) to the call of the sink.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use switchboard_host::watch::{Options, Watch};

type Save = fn(&Path, &str) -> io::Result<()>;

/// Longer than a file that was just told is taken for restless.
const CALM: Duration = Duration::from_millis(150);

#[expect(clippy::disallowed_methods, reason = "it makes the file that it watches")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runs: usize = std::env::args().nth(1).map_or(Ok(200), |arg| arg.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mcp.json");
    fs::write(&path, "old")?;
    let (told, seen) = sync_channel(1_000);
    let watch = Watch::start(Options::default(), move |_| {
        let _ = told.try_send(Instant::now());
    })?;
    watch.set(BTreeMap::from([(path.clone(), None)]));
    watch.wait(Duration::from_secs(20));
    let ways: [(&str, Save); 2] = [("renamed over it", by_rename), ("written in place", in_place)];
    for (name, save) in ways {
        let mut took = measure(runs, &path, save, &seen)?;
        took.sort();
        let at = |hundredths: usize| took.get((runs - 1) * hundredths / 100).copied().unwrap_or_default();
        writeln!(io::stdout(), "{name}: p50 {:?}, p99 {:?}, longest {:?}", at(50), at(99), at(100))?;
    }
    let health = watch.health();
    writeln!(io::stdout(), "{health:?}")?;
    Ok(())
}

fn measure(
    runs: usize,
    path: &Path,
    save: Save,
    seen: &Receiver<Instant>,
) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let mut took = Vec::new();
    for run in 0..runs {
        thread::sleep(CALM);
        save(path, &format!("{{ \"{save:p}\": {run} }}"))?;
        let begun = Instant::now();
        took.push(seen.recv_timeout(Duration::from_secs(10))?.saturating_duration_since(begun));
    }
    Ok(took)
}

#[expect(clippy::disallowed_methods, reason = "it plays an editor")]
fn by_rename(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path.with_extension("temp"), text)?;
    fs::rename(path.with_extension("temp"), path)
}

#[expect(clippy::disallowed_methods, reason = "it plays an editor")]
fn in_place(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)
}
