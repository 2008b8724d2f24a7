//! `cargo xtask bench`: what was promised about speed, measured beside what others need in the same run.
//!
//! Nothing fails here: the machine decides how fast a machine is. A part alone is `documents`, `plan`, `process`,
//! `daemon` or `gateway`; `gateway` can be told more.

mod daemon;
mod divan;
mod gateway;
mod home;
mod proc;
mod process;
mod table;
mod timer;

use std::path::Path;
use std::process::Command;

use crate::steps::target;
use table::Table;

/// Runs the benchmarks that `args` name, or all, and prints one Markdown table.
///
/// # Errors
/// Something could not be built or run.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let parts = ["documents", "plan", "process", "daemon", "gateway"];
    let end = args.iter().position(|arg| arg.starts_with("--")).unwrap_or(args.len());
    let (named, told) = args.split_at(end);
    if let Some(wrong) = named.iter().find(|arg| !parts.contains(&arg.as_str())) {
        return Err(format!("there is no benchmark `{wrong}`: there are {}", parts.join(", ")));
    }
    let wanted = |part: &str| named.is_empty() || named.iter().any(|arg| arg == part);
    let told = gateway::Told::read(told)?;
    let mut table = Table::default();
    let machine = proc::machine();
    if wanted("documents") {
        divan::documents(&mut table)?;
    }
    if wanted("plan") {
        divan::plans(&mut table)?;
    }
    if wanted("process") {
        process::measure(&mut table)?;
    }
    if wanted("daemon") {
        daemon::measure(&mut table)?;
    }
    if wanted("gateway") {
        gateway::measure(&mut table, &told)?;
    }
    print(&format!("{table}\n{machine}"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what was asked for")]
fn print(text: &str) {
    println!("{text}");
}

/// Runs a command to its end and returns what it printed.
fn output(command: &mut Command) -> Result<String, String> {
    let named = format!("{command:?}");
    let done = command.output().map_err(|error| format!("{named}: {error}"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(format!("{named}: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr)))
}

/// Returns a command of the cargo that runs this one, in the workspace.
fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

/// Returns a port of this machine that nobody listens at.
fn free_port() -> Result<u16, String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
