//! The project's own commands.

mod bench;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let done = match args.next().as_deref() {
        Some("bench") => bench::run(&args.collect::<Vec<_>>()),
        _ => Err("usage: cargo xtask bench [documents|plan|process]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command of the project talks to whoever runs it")]
fn say(text: &str) {
    eprintln!("{text}");
}
