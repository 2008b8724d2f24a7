//! Runs the program of `${cmd:PROGRAM ARGS}` and takes what it prints.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, Signal, kill_process_group};
use switchboard_core::reference::Reference;
use zeroize::Zeroizing;

use super::{FILE_LIMIT, ResolveFailure};
use crate::child::{allowed, find};
use crate::limits;
use crate::secret::Secret;

/// Long enough for a person to touch a key or to type a password.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Returns what `program` prints, without the white space around it.
///
/// The program gets no input and the allow-listed environment; what it says on standard error goes to ours, because
/// that is where a password manager asks to be unlocked.
pub(super) fn printed(
    environment: &BTreeMap<OsString, OsString>,
    reference: &Reference,
    program: &str,
    args: &[String],
    limit: Duration,
) -> Result<Secret, ResolveFailure> {
    let failed = |source| ResolveFailure::Program { program: program.to_owned(), source };
    let environment = allowed(environment);
    let path = environment.get(std::ffi::OsStr::new("PATH")).map(OsString::as_os_str);
    let found = find(program, path, Path::new(".")).map_err(|error| failed(io::Error::other(error)))?;
    let mut command = Command::new(found);
    command.args(args).env_clear().envs(environment);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child = limits::leave_as_found(&mut command).spawn().map_err(failed)?;
    let deadline = Instant::now() + limit;
    let bytes = read_until(child.stdout.take(), deadline).map_err(failed);
    let end = bytes.as_ref().is_ok_and(Option::is_some).then(|| wait_until(&mut child, deadline));
    // Whatever the program left running goes with it.
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = Pid::from_raw(pid).map(|pid| kill_process_group(pid, Signal::KILL));
    }
    let _ = child.wait();
    let (Some(bytes), Some(Some(status))) = (bytes?, end) else {
        return Err(ResolveFailure::ProgramSlow(program.to_owned()));
    };
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(ResolveFailure::TooLong(reference.clone()));
    }
    if !status.success() {
        return Err(ResolveFailure::ProgramFailed { program: program.to_owned(), status });
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| ResolveFailure::NotText(reference.clone()))?;
    Ok(Secret::from(text.trim()))
}

/// Reads to the end, or one piece past the limit. `None`: the time is over.
fn read_until(stdout: Option<ChildStdout>, deadline: Instant) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let Some(mut stdout) = stdout else { return Ok(Some(bytes)) };
    let mut piece = Zeroizing::new([0; 4096]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let ready = rustix::event::poll(&mut [PollFd::new(&stdout, PollFlags::IN)], Some(&timeout));
        match ready {
            Ok(0) => return Ok(None),
            Err(error) if error != rustix::io::Errno::INTR => return Err(error.into()),
            _ => {}
        }
        let read = stdout.read(&mut piece[..])?;
        bytes.extend_from_slice(&piece[..read]);
        if read == 0 || bytes.len() as u64 > FILE_LIMIT {
            return Ok(Some(bytes));
        }
    }
}

/// Waits for the end of a program that has closed its output. `None`: the time is over.
fn wait_until(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_ended_with_all_it_started() {
        let environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        for script in ["sleep 100", "sleep 100 & echo left", "exec >&-; sleep 100"] {
            let args = ["-c".to_owned(), script.to_owned()];
            let started = Instant::now();
            let error =
                printed(&environment, &Reference::Root, "sh", &args, Duration::from_millis(100)).unwrap_err();
            assert_eq!(error.to_string(), "`sh` did not end within 10 s", "{script}");
            assert!(started.elapsed() < Duration::from_secs(5), "{script}");
        }
    }
}
