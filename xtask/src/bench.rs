//! `cargo xtask bench`: the benchmarks.

use crate::steps::{self, cargo};

/// Runs the benchmarks of core; `args` go to them.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    steps::run(cargo(["bench", "-p", "switchboard-core", "--"]).args(args))
}
