//! The switchboard binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    switchboard::run()
}
