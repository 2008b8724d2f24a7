//! The switchboard binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(unix)]
    if std::env::args_os().nth(1).is_some_and(|word| word == switchboard_host::child::GUARD) {
        return ExitCode::from(switchboard_host::child::guard());
    }
    ExitCode::SUCCESS
}
