//! The load generator of the benchmarks: a client of any server or gateway, which checks every answer.
//!
//! It knows the protocol and nothing of who answers. What it measures it prints as one JSON object.

mod calls;
mod check;
mod connection;
mod first;
mod idle;
mod message;
mod options;
mod pipe;
mod session;
mod stream;
mod tally;
#[cfg(test)]
mod tests;
mod visible;
mod way;

pub use options::{Mode, Options};

use std::io;

/// Why something did not go as it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There was an answer, and it is not the right one.
    #[error("wrong: {0}")]
    Wrong(String),
    /// There was no answer, or an error.
    #[error("failed: {0}")]
    Failed(String),
    /// The server does not know the session any more.
    #[error("failed: the session is not known any more")]
    Lost,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Does what the command line says, gives what was measured to `say`, and returns whether every answer was right.
///
/// # Errors
/// It could not be measured.
pub async fn run(options: &Options, say: &mut dyn FnMut(serde_json::Value)) -> Result<bool, Fault> {
    match &options.mode {
        Mode::Calls(plan) => {
            let tally = calls::run(&options.target()?, plan).await?;
            say(tally.told());
            Ok(tally.is_right())
        }
        Mode::List(plan) => {
            let tally = calls::list(&options.target()?, plan).await?;
            say(tally.told());
            Ok(tally.is_right())
        }
        Mode::Sessions(plan) => idle::run(&options.target()?, plan, say).await,
        Mode::FirstList(plan) => {
            let tally = first::run(options, plan).await?;
            say(tally.told());
            Ok(tally.is_right())
        }
        Mode::Visible(plan) => {
            let tally = visible::run(&options.target()?, plan).await?;
            say(tally.told());
            Ok(tally.is_right())
        }
    }
}
