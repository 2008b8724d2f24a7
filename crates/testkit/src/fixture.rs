//! An MCP server for tests, of both eras and over every transport, that writes its messages itself.
//!
//! It offers what the official conformance suite asks a server for, and beside that what tests of a gateway need:
//! arguments that come back byte for byte, calls that take their time or end the process, lists that change. It shares
//! no code with the product, so that the two cannot be wrong in the same way.

mod answer;
mod call;
mod catalogue;
mod duplex;
mod frame;
mod header;
mod http;
mod log;
mod meta;
mod options;
mod outlet;
mod prompts;
mod reply;
mod resources;
mod seal;
mod server;
mod session;
mod sse;
mod stdio;
mod stream;
mod streamable;
mod tools;
mod version;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::rc::Rc;

use options::{Options, Transport};
use server::Server;

/// Serves as the words of a command line say, until the input or the process ends.
pub fn run(words: impl Iterator<Item = String>) -> ExitCode {
    let told = Options::read(words).and_then(|options| serve(options).map_err(|error| error.to_string()));
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "error: {why}");
            ExitCode::from(2)
        }
    }
}

fn serve(options: Options) -> io::Result<()> {
    if let Some(path) = &options.pid_file {
        let mut file = std::fs::File::create(path)?;
        file.write_all(std::process::id().to_string().as_bytes())?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let transport = options.transport;
    let server = Rc::new(Server::new(options)?);
    let ended = tokio::task::LocalSet::new().block_on(&runtime, async {
        match transport {
            Transport::Stdio => {
                stdio::serve(server).await;
                Ok(())
            }
            Transport::Http | Transport::Sse => http::serve(server).await,
        }
    });
    // What still runs is of no use to anybody: its way out is closed.
    runtime.shutdown_background();
    ended
}
