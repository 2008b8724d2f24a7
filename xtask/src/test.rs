//! `cargo xtask test`, and its smaller and larger kin.

use std::ffi::OsString;
use std::process::Command;

use crate::conformance;
use crate::interop;
use crate::needs;
use crate::real;
use crate::steps::{Steps, cargo, run, there_is};

/// Where tests find the real clients that they call as judges.
const TOOLS: &str = "SWITCHBOARD_TEST_TOOLS";
/// Asks tests for their heavy form.
const SOAK: &str = "SWITCHBOARD_SOAK";

/// Everything that can be checked on this machine.
///
/// # Errors
/// A step failed; the others were run all the same.
pub(crate) fn everything() -> Result<(), String> {
    let mut steps = Steps::default();
    steps.step("needs", needs::install);
    let tools = needs::tools();
    form(&mut steps);
    let runner = Runner::choose();
    println!("\ntests are run by {}", runner.name());
    steps.step("build", || run(&mut runner.build()));
    steps.step("tidy", || run(&mut runner.tidy()));
    steps.step("tests", || run(with_tools(&mut runner.all(), tools.as_ref())));
    steps.step("conformance", || conformance::run(&[]));
    steps.step("interop", || interop::run(&[]));
    steps.step("real", || real::run(&[]));
    steps.step("doctests", || run(&mut cargo(["test", "--workspace", "--doc", "--quiet"])));
    steps.step("docs", || {
        run(cargo(["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"])
            .env("RUSTDOCFLAGS", "-D warnings"))
    });
    deny(&mut steps);
    steps.finish()
}

/// The quick round.
///
/// # Errors
/// A step failed.
pub(crate) fn check() -> Result<(), String> {
    let mut steps = Steps::default();
    form(&mut steps);
    steps.step("core", || run(&mut cargo(["test", "-p", "switchboard-core", "--quiet"])));
    steps.finish()
}

/// The heavy forms: minutes to hours of generated cases.
///
/// # Errors
/// A step failed.
pub(crate) fn soak() -> Result<(), String> {
    let mut steps = Steps::default();
    steps.step("needs", needs::install);
    let tools = needs::tools();
    steps.step("laws", || {
        run(cargo(["test", "-p", "switchboard-core", "--release"]).env("PROPTEST_CASES", "20000"))
    });
    steps.step("soak", || {
        run(with_tools(&mut cargo(["test", "--workspace", "--release"]), tools.as_ref()).env(SOAK, "1"))
    });
    steps.finish()
}

/// Takes what the code says now as what the snapshots expect.
///
/// # Errors
/// The tests could not be built, or fail for another reason.
pub(crate) fn bless() -> Result<(), String> {
    if there_is("cargo-insta", "--version") {
        return run(&mut cargo(["insta", "test", "--workspace", "--accept"]));
    }
    println!("cargo-insta is not installed: snapshots in files are accepted,");
    println!("inline ones are left beside their test as `.NAME.pending-snap` to be copied by hand");
    run(cargo(["test", "--workspace"]).env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1"))
}

fn form(steps: &mut Steps) {
    steps.step("format", || run(&mut cargo(["fmt", "--all", "--check"])));
    steps.step("clippy", || {
        run(&mut cargo(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
    });
}

fn deny(steps: &mut Steps) {
    if there_is("cargo-deny", "--version") {
        // Advisories need a database from the network: they are for a scheduled run, not for every change.
        steps.step("deny", || run(&mut cargo(["deny", "check", "licenses", "bans", "sources"])));
    } else {
        steps
            .skip("deny", "cargo-deny is not installed, and compiling it takes minutes; the tidy test checked licences and sources");
    }
}

fn with_tools<'c>(command: &'c mut Command, tools: Option<&OsString>) -> &'c mut Command {
    match tools {
        Some(tools) => command.env(TOOLS, tools),
        None => command,
    }
}

/// What runs the tests: nextest where it is installed, for its speed and its summary.
#[derive(Clone, Copy)]
enum Runner {
    Nextest,
    Cargo,
}

impl Runner {
    fn choose() -> Self {
        if there_is("cargo-nextest", "--version") { Self::Nextest } else { Self::Cargo }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Nextest => "cargo nextest",
            Self::Cargo => "cargo test; with cargo-nextest installed it is faster",
        }
    }

    fn build(self) -> Command {
        match self {
            Self::Nextest => cargo(["nextest", "run", "--workspace", "--no-run"]),
            Self::Cargo => {
                cargo(["test", "--workspace", "--lib", "--bins", "--examples", "--tests", "--no-run"])
            }
        }
    }

    fn tidy(self) -> Command {
        match self {
            Self::Nextest => cargo(["nextest", "run", "--workspace", "--no-fail-fast", "-E", "binary(tidy)"]),
            Self::Cargo => cargo(["test", "--workspace", "--test", "tidy"]),
        }
    }

    fn all(self) -> Command {
        match self {
            Self::Nextest => {
                cargo(["nextest", "run", "--workspace", "--no-fail-fast", "-E", "not binary(tidy)"])
            }
            Self::Cargo => {
                cargo(["test", "--workspace", "--lib", "--bins", "--examples", "--tests", "--no-fail-fast"])
            }
        }
    }
}
