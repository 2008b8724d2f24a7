//! The project's own commands: `cargo xtask NAME`.

#![expect(clippy::print_stdout, reason = "a tool for developers speaks to them directly")]

mod bench;
mod clients;
mod conformance;
mod exceptions;
mod home;
mod interop;
mod needs;
mod npm;
mod process;
mod real;
mod steps;
mod test;
mod venv;

use std::process::ExitCode;

use steps::{cargo, run};

const HELP: &str = "\
cargo xtask NAME

  test            everything: installs what it needs, checks form and lints, runs all tests, builds the documentation
  check           the quick round: form, lints, the tests of core
  conformance     the official conformance suite, on the fixture server and through the gateway; `--direct`: the former
  interop         the official SDKs, as clients and as servers, with the gateway between them; CLIENT..: only those
  real            what is proposed for the tools of real servers, and real clients held to a policy; `--write`: the
                  former is kept in `docs`
  bench [PART]    the benchmarks
  soak            the heavy forms of the tests: many more cases, optimised
  bless           take what the code says now as what the snapshots expect
  demo            the whole product in a throw-away home
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = words.split_first().map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
    let done = match name {
        "test" => test::everything(),
        "check" => test::check(),
        "conformance" => conformance::run(rest),
        "interop" => interop::run(rest),
        "real" => real::run(rest),
        "bench" => bench::run(rest),
        "soak" => test::soak(),
        "bless" => test::bless(),
        "demo" => run(cargo(["run", "--release", "--", "demo"]).args(rest)),
        "" | "help" | "-h" | "--help" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            print!("there is no `{other}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Steps have said what failed themselves.
            if !why.is_empty() {
                println!("xtask: {why}");
            }
            ExitCode::FAILURE
        }
    }
}
