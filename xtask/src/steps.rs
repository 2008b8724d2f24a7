//! Steps: programs run one after the other, each timed, all of them even when one fails.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Returns the folder that cargo builds into: this program stands in it.
///
/// # Errors
/// It cannot be known.
pub(crate) fn target() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder.ok_or("this program stands nowhere")?.to_owned())
}

/// Returns the path of a program of ours that was built.
///
/// # Errors
/// It was not.
pub(crate) fn program(name: &str) -> Result<PathBuf, String> {
    let path = target()?.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if path.exists() { Ok(path) } else { Err(format!("{} was not built", path.display())) }
}

/// Returns a call of the cargo that called us, in the root of the repository.
///
/// What cargo tells us of our own package is kept from it: there are build scripts that run again where that differs, so
/// that half of the tree would be compiled anew after every call of cargo by hand.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo says by these variables which cargo it is, and of which package"
)]
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Returns whether `program` can be run.
pub(crate) fn there_is(program: &str, version: &str) -> bool {
    works(program, &[version])
}

/// Returns whether a call of `program` succeeds.
pub(crate) fn works(program: &str, call: &[&str]) -> bool {
    Command::new(program).args(call).output().is_ok_and(|output| output.status.success())
}

/// Runs a program to its end; its output goes where ours goes.
///
/// # Errors
/// It could not be started, or did not succeed.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let words = words(command);
    println!("$ {words}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{words}` ended with {status}")),
        Err(error) => Err(format!("`{words}` could not be started: {error}")),
    }
}

/// The command line as one would type it.
fn words(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy();
            if word.contains([' ', '(']) { format!("'{word}'") } else { word.into_owned() }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

enum Went {
    Passed,
    Failed(String),
    Skipped(String),
}

/// A list of steps and how each of them went.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Went, Duration)>,
}

impl Steps {
    /// Runs a step; a failure is noted, and the next step may follow.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<(), String>) {
        println!("\n==> {name}");
        let start = Instant::now();
        let result = match work() {
            Ok(()) => Went::Passed,
            Err(why) => {
                println!("xtask: {why}");
                Went::Failed(why)
            }
        };
        self.done.push((name, result, start.elapsed()));
    }

    /// Notes that a step is left out, and why.
    pub(crate) fn skip(&mut self, name: &'static str, why: &str) {
        println!("\n==> {name}: left out: {why}");
        self.done.push((name, Went::Skipped(why.to_owned()), Duration::ZERO));
    }

    /// Prints how each step went; the last line counts them.
    ///
    /// # Errors
    /// A step failed.
    pub(crate) fn finish(self) -> Result<(), String> {
        println!("\n{:<13}{:<9}{:>8}", "STEP", "RESULT", "SECONDS");
        let (mut passed, mut failed) = (0, 0);
        for (name, result, time) in &self.done {
            let (word, why) = match result {
                Went::Passed => ("passed", ""),
                Went::Failed(why) => ("FAILED", why.as_str()),
                Went::Skipped(why) => ("left out", why.as_str()),
            };
            match result {
                Went::Passed => passed += 1,
                Went::Failed(_) => failed += 1,
                Went::Skipped(_) => {}
            }
            println!("{}", format!("{name:<13}{word:<9}{:>8.1}  {why}", time.as_secs_f64()).trim_end());
        }
        let all: Duration = self.done.iter().map(|(_, _, time)| *time).sum();
        println!("{:<22}{:>8.1}", "all", all.as_secs_f64());
        println!();
        println!("{passed} passed, {failed} failed");
        if failed == 0 { Ok(()) } else { Err(String::new()) }
    }
}
