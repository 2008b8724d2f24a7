//! Watches files and prints what is told, as the tests run it where the system has no watches left: `watch_files POLL
//! RETRY FILE...`, with both times in milliseconds.
//!
//! Each line begins with `told` or `native`: a change, or whether the system watches every folder. It ends with its
//! standard input.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use switchboard_host::watch::{Options, Watch};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut milliseconds = || args.next().and_then(|arg| arg.parse().ok()).map(Duration::from_millis);
    let (Some(poll), Some(retry)) = (milliseconds(), milliseconds()) else { return ExitCode::from(2) };
    let files = args.map(|arg| (PathBuf::from(arg), None)).collect();
    ExitCode::from(u8::from(watch(Options { native: true, poll, retry }, files).is_err()))
}

fn watch(
    options: Options,
    files: std::collections::BTreeMap<PathBuf, Option<switchboard_host::watch::Content>>,
) -> io::Result<()> {
    let watch = Watch::start(options, |seen| {
        let _ = writeln!(io::stdout(), "told {:?}", seen.content);
    })?;
    watch.set(files);
    watch.wait(Duration::from_secs(20));
    let mut line = String::new();
    loop {
        let health = watch.health();
        writeln!(io::stdout(), "native {} {:?}", health.native, health.why)?;
        line.clear();
        if io::stdin().read_line(&mut line)? == 0 {
            return Ok(());
        }
    }
}
