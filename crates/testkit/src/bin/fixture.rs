//! `testkit-fixture`: the MCP server of the tests; `--help` lists its options.

use std::process::ExitCode;

fn main() -> ExitCode {
    testkit::fixture::run(std::env::args().skip(1))
}
