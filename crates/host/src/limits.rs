//! What the system lets one process have.

use std::process::Command;
#[cfg(unix)]
use std::sync::OnceLock;

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many files this process could have open before it asked for more; empty where it did not.
#[cfg(unix)]
static FOUND: OnceLock<Rlimit> = OnceLock::new();

/// Lets this process have as many files open as the system allows it at most. Ten thousand followers are ten thousand
/// files, and the usual bound is one thousand.
///
/// Where that is not to be had, the bound stays what it was.
#[cfg(unix)]
pub fn raise_open_files() {
    let found = getrlimit(Resource::Nofile);
    // Nothing depends on it but how many can come in.
    if found.current != found.maximum
        && setrlimit(Resource::Nofile, Rlimit { current: found.maximum, ..found }).is_ok()
    {
        // The first bound counts, should anybody ask twice.
        let _ = FOUND.set(found);
    }
}

/// Lets this process have as many files open as the system allows: here there is no bound to raise.
#[cfg(not(unix))]
pub fn raise_open_files() {}

/// Has a program that this process starts find the bound on open files that this process found: some programs close
/// every file up to it before they begin, and others take no number beyond the usual.
#[cfg(unix)]
#[expect(unsafe_code, reason = "only the new process itself can do it before the program begins")]
pub fn leave_as_found(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt as _;

    let Some(found) = FOUND.get().copied() else { return command };
    let lower = move || {
        // A bound that cannot be lowered keeps nothing from running.
        let _ = setrlimit(Resource::Nofile, found);
        Ok(())
    };
    // SAFETY: between fork and exec only that may be done which a signal handler may do. `lower` makes one system call and
    // nothing else: it allocates nothing, takes no lock and does not panic.
    unsafe { command.pre_exec(lower) }
}

/// Leaves the command as it is: here there is no bound to raise.
#[cfg(not(unix))]
pub fn leave_as_found(command: &mut Command) -> &mut Command {
    command
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_finds_the_bound_that_was_there_before_it_was_raised() {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let most = maximum.unwrap_or(1 << 20);
        // One less than the most at least, so that there is something to raise.
        let before = current.unwrap_or(most).min(most - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(before), maximum }).unwrap();
        let seen = |own: &mut Command| {
            let output = own.args(["-c", "ulimit -Sn"]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(
            seen(leave_as_found(&mut Command::new("sh"))),
            before.to_string(),
            "nothing was raised yet"
        );
        raise_open_files();
        assert_eq!(getrlimit(Resource::Nofile).current, maximum);
        assert_ne!(seen(&mut Command::new("sh")), before.to_string(), "it is passed on by itself");
        assert_eq!(seen(leave_as_found(&mut Command::new("sh"))), before.to_string());
        // Asked for again, it is still the first bound that counts.
        raise_open_files();
        assert_eq!(seen(leave_as_found(&mut Command::new("sh"))), before.to_string());
    }
}
