//! What a revision is brought to.

mod file;
mod given;
mod printer;
#[cfg(unix)]
mod program;

pub(super) use file::FileTarget;
pub(super) use printer::{Printer, plain};
#[cfg(unix)]
pub(super) use program::Program;

use super::news::News;
use super::wire::Trouble;
use crate::fail::Failure;

/// What a revision is brought to.
pub(super) enum Target {
    /// It is told.
    Print(Printer),
    /// A client's file gets its servers.
    File(Box<FileTarget>),
    /// A program is run.
    #[cfg(unix)]
    Program(Box<Program>),
}

/// Why a revision was not brought to its target.
#[derive(Debug)]
pub(super) enum Setback {
    /// It can be tried again.
    Later(Trouble),
    /// It is of no use to go on.
    Never(Failure),
}

impl Target {
    /// Whether the servers themselves are needed, or the version alone.
    pub(super) fn needs_servers(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// How often one revision is tried; `None` for as long as it takes.
    pub(super) fn tries(&self) -> Option<u32> {
        match self {
            #[cfg(unix)]
            Self::Program(_) => Some(program::TRIES),
            Self::Print(_) | Self::File(_) => None,
        }
    }

    /// Brings a revision to the target, and returns whether that is settled: it is not while a person has to
    /// decide, nor in a dry run.
    pub(super) async fn apply(&mut self, news: &News) -> Result<bool, Setback> {
        match self {
            Self::Print(printer) => {
                printer.print(news);
                Ok(!printer.ui.dry_run)
            }
            Self::File(file) => file.apply(news).await,
            #[cfg(unix)]
            Self::Program(program) => program.run(news).await.map(|()| !program.ui.dry_run),
        }
    }
}
