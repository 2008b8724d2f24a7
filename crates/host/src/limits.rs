//! What the system lets one process have.

/// Lets this process have as many files open as the system allows it at most. Ten thousand followers are ten thousand
/// files, and the usual bound is one thousand.
///
/// Where that is not to be had, the bound stays what it was.
#[cfg(unix)]
pub fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Nothing depends on it but how many can come in.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// Lets this process have as many files open as the system allows: here there is no bound to raise.
#[cfg(not(unix))]
pub fn raise_open_files() {}
