//! Why a tool was judged as it was.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Risk;

/// One thing that spoke for or against a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Reason {
    /// A word of the name is a verb.
    Verb {
        /// The word.
        word: String,
        /// What the verb can do.
        risk: Risk,
        /// The settings say so.
        own: bool,
    },
    /// A word of the name could be a verb, but is what another verb looks at.
    Noun {
        /// The word.
        word: String,
        /// The verb before it.
        behind: String,
    },
    /// The name is nothing but what is to be seen: `status`, `pods_log`, or `git_status` of the server `git`.
    Sight {
        /// The word.
        word: String,
    },
    /// No word of the name is a verb that we know.
    Unknown,
    /// The name has characters that cannot be seen or look like others, so no word of it makes it safe.
    Disguised,
    /// What the server wrote of the tool cannot be read in one way alone.
    Unread,
    /// The tool takes something to run.
    TakesProgram {
        /// The parameter that it takes it in.
        parameter: String,
    },
    /// A parameter says what the tool is to do, and one of its values is a riskier verb.
    MayDo {
        /// The parameter.
        parameter: String,
        /// The value.
        value: String,
        /// What the value can do.
        risk: Risk,
    },
    /// The server says that the tool may destroy something.
    Destructive,
    /// The server says that the tool changes something.
    NotReadOnly,
    /// The server says that the tool only reads, and the catalogue trusts it.
    TrustedReadOnly,
    /// The server says that the tool only reads, which does not count by itself.
    ReadOnlyIgnored,
    /// A word of the name stands for what is another the next moment.
    Fleeting {
        /// The word.
        word: String,
    },
    /// The settings decide otherwise than usual on tools of this risk.
    DecisionOfSettings,
    /// The catalogue says how long a call to this server may take.
    TimeoutOfServer,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verb { word, risk, own: false } => write!(f, "`{word}` in its name is {risk}"),
            Self::Verb { word, risk, own: true } => {
                write!(f, "`{word}` in its name is {risk}, as `policy.verbs` of the settings says")
            }
            Self::Noun { word, behind } => write!(f, "`{word}` in its name is what `{behind}` looks at"),
            Self::Sight { word } => write!(f, "`{word}` in its name is something to see, and no verb is beside it"),
            Self::Unknown => f.write_str("no word of its name is a known verb, so it is medium"),
            Self::Disguised => {
                f.write_str("its name has characters that look like others or cannot be seen, so it is not safe")
            }
            Self::Unread => f.write_str("what the server says of it cannot be read with certainty, so it is high"),
            Self::TakesProgram { parameter } => write!(f, "it takes something to run in `{parameter}`"),
            Self::MayDo { parameter, value, risk } => {
                write!(f, "its `{parameter}` can be `{value}`, which is {risk}")
            }
            Self::Destructive => f.write_str("the server says that it may destroy something, so it is high"),
            Self::NotReadOnly => f.write_str("the server says that it changes something, so it is not safe"),
            Self::TrustedReadOnly => {
                f.write_str("the server says that it only reads, and `trust = true` stands in the catalogue")
            }
            Self::ReadOnlyIgnored => f.write_str(
                "the server says that it only reads, which does not count without `trust = true` in the catalogue",
            ),
            Self::Fleeting { word } => {
                write!(f, "`{word}` in its name is another thing the next moment, so no result is given again")
            }
            Self::DecisionOfSettings => f.write_str("`policy.decisions` of the settings decides on this risk"),
            Self::TimeoutOfServer => f.write_str("`timeout` of the server stands in the catalogue"),
        }
    }
}
