//! The load generator of the benchmarks: `testkit-load [--url URL] calls|list|sessions|first-list|visible ..`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use testkit::load::{self, Options};

/// The load generator of the benchmarks; it checks every answer
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let Line { options } = Line::parse();
    let mut say = |what: serde_json::Value| {
        // Whoever does not read it does not need it.
        let mut to = io::stdout();
        let _ = writeln!(to, "{what}").and_then(|()| to.flush());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done =
        runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(load::run(&options, &mut say)));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            let _ = writeln!(io::stderr(), "testkit-load: {fault}");
            ExitCode::from(3)
        }
    }
}
