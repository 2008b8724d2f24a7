//! `testkit-rmcp client PLAN [auto]`, `testkit-rmcp server stdio|http STORY CALLS`: the Rust SDK as a client and as a
//! server, for `cargo xtask interop`: what it is to others, with the gateway between them and without.
//!
//! The story is the same as in `conformance/interop/typescript` and `conformance/interop/python`.

#![expect(clippy::print_stdout, reason = "what it has to say goes there")]

mod calls;
mod client;
mod report;
mod server;
mod story;
mod visitor;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        runtime.block_on(async {
            match words[..] {
                ["client", plan] => client::visit(&read(plan)?, false).await,
                ["client", plan, "auto"] => client::visit(&read(plan)?, true).await,
                ["server", "stdio", story, calls] => server::stdio(read(story)?, Path::new(calls)).await,
                ["server", "http", story, calls] => server::http(read(story)?, Path::new(calls)).await,
                _ => Err("there are `client PLAN [auto]` and `server stdio|http STORY CALLS`".to_owned()),
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "error: {why}");
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
fn read(path: &str) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))
}
