//! The fast upstream of the benchmarks: a server that answers right away, with as little work as can be.
//!
//! It has the tools `echo` (the text that it is given) and `big` (a text of so many bytes), and as many others as it is
//! told to list. It speaks both eras of the protocol, over standard streams and over Streamable HTTP.

mod answer;
mod http;
mod stdio;
#[cfg(test)]
mod tests;
mod tools;

pub use answer::{Kind, Server};
pub use http::serve;
pub use stdio::{run, run_slow};

use std::net::SocketAddr;

/// What it is told on its command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// Serve Streamable HTTP at this address, under any path; without it, standard streams
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
    /// How many tools to list, `echo` and `big` among them
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub tools: usize,
    /// List one more tool, of this name
    #[arg(long, value_name = "NAME")]
    pub extra: Option<String>,
    /// Take so long for each call of a tool
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub slow_ms: u64,
    /// Speak only the era of sessions
    #[arg(long)]
    pub legacy: bool,
    /// Answer wrongly now and then, so that it can be seen that somebody notices
    #[arg(long, value_enum, value_name = "WHAT")]
    pub lie: Option<Lie>,
}

/// What is wrong with some of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lie {
    /// Another text than the one that was sent.
    Text,
    /// Another id than that of the request.
    Id,
    /// A text that is one byte too short.
    Size,
    /// A list without its last tool.
    Tools,
    /// An error instead of a result.
    Error,
}
