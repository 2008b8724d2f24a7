//! The fast upstream of the benchmarks: `testkit-echo [--http ADDRESS] ..`.

use std::io::{self, Write as _};

use clap::Parser;
use testkit::upstream::{self, Options, Server};

/// The fast upstream of the benchmarks
#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn main() -> io::Result<()> {
    let Line { options } = Line::parse();
    let (address, slow) = (options.http, options.slow_ms > 0);
    let server = Server::new(options);
    let Some(address) = address else {
        let (from, to) = (io::stdin().lock(), io::stdout());
        return if slow {
            upstream::run_slow(&server, from, to)
        } else {
            upstream::run(&server, from, to.lock())
        };
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        writeln!(io::stdout(), "listening on http://{}/mcp", listener.local_addr()?)?;
        upstream::serve(server, listener).await
    })
}
