//! Replaces one file once, as the fault tests run it: `replace_once [--broken | --in-place] TARGET NEWFILE STATEDIR`.
//!
//! Exit codes: 0 written, 1 not written, 2 usage, 3 published but not durable, 4 conflict, 5 displaced. `--broken`
//! writes as many programs do, truncating first: the fault tests must find that out.

use std::path::Path;
use std::process::ExitCode;

use switchboard_host::backup::Backups;
use switchboard_host::file::{self, HardLinks, Options, Outcome, ReadError, Target};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let code = match args.as_slice() {
        ["--broken", target, new, _] => replace_brokenly(target, new),
        ["--in-place", target, new, state] => replace(target, new, state, HardLinks::WriteInPlace),
        [target, new, state] => replace(target, new, state, HardLinks::Refuse),
        _ => 2,
    };
    ExitCode::from(code)
}

fn replace(target: &str, new: &str, state: &str, hard_links: HardLinks) -> u8 {
    let backups = Backups::new(Path::new(state).join("backups"));
    let folder = Target::resolve(Path::new(target)).map(|target| target.folder().to_owned());
    file::sweep(&folder.into_iter().collect::<Vec<_>>(), &backups);
    file::sweep_own(&[], &backups);
    match try_replace(target, new, &backups, hard_links) {
        Ok(Outcome::Written(_)) => 0,
        Ok(Outcome::PublishedNotDurable { .. }) => 3,
        Ok(Outcome::Conflict { .. }) => 4,
        Ok(Outcome::Displaced { .. }) => 5,
        Err(_) => 1,
    }
}

fn try_replace(
    target: &str,
    new: &str,
    backups: &Backups,
    hard_links: HardLinks,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let bytes = file::read(Path::new(new))?.bytes;
    let options = Options { hard_links, ..Options::new("before a test") };
    match file::read(Path::new(target)) {
        Ok(old) => Ok(file::replace(&old.target, Some(&old), &bytes, backups, &options)?),
        Err(ReadError::Missing { .. }) => {
            let target = Target::resolve(Path::new(target))?;
            Ok(file::replace(&target, None, &bytes, backups, &options)?)
        }
        Err(error) => Err(error.into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is what must not be done")]
fn replace_brokenly(target: &str, new: &str) -> u8 {
    let written = std::fs::read(new).and_then(|bytes| std::fs::write(target, bytes));
    u8::from(written.is_err())
}
