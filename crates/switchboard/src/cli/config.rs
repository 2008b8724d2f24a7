//! The command line of `config`.

use clap::{Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};

use crate::complete;

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Config {
    /// Check the catalogue, the settings and the policy
    Check,
    /// Print where the files are
    Path,
    /// Print the JSON Schema of a file
    Schema {
        #[arg(value_enum, default_value = "catalogue")]
        file: SchemaFile,
    },
    /// Print the whole file as a client wants it
    Export {
        #[arg(add = ArgValueCandidates::new(complete::known_clients))]
        client: String,
    },
    /// List the revisions of the catalogue
    History,
    /// Put the catalogue back to an earlier revision; the one before the last when not named
    Undo { revision: Option<u64> },
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SchemaFile {
    Catalogue,
    Settings,
    Policy,
}
