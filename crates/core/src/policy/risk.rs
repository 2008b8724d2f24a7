//! How much harm a tool can do, and what is decided about it.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much harm a call can do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// It only looks.
    Safe,
    /// It changes something, or nobody knows what it does.
    #[default]
    Medium,
    /// It makes, ends or runs something.
    High,
}

impl Risk {
    /// The words of a file, the harmless last.
    pub const WORDS: [(&'static str, Self); 3] =
        [("high", Self::High), ("medium", Self::Medium), ("safe", Self::Safe)];

    /// Returns how long a call may be silent.
    pub fn timeout(self) -> Duration {
        Duration::from_secs(if self == Self::Safe { 30 } else { 60 })
    }

    /// Returns how long a result may be given again; `None` for never.
    pub fn cache_ttl(self) -> Option<Duration> {
        (self == Self::Safe).then_some(Duration::from_secs(60))
    }

    /// Returns the word of the files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What becomes of a call that the caller's permissions allow.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It is passed on.
    #[default]
    Allow,
    /// A person is asked first.
    Ask,
    /// It is refused, with the reason.
    Deny,
}

impl Decision {
    /// The words of a file.
    pub const WORDS: [(&'static str, Self); 3] =
        [("allow", Self::Allow), ("ask", Self::Ask), ("deny", Self::Deny)];

    /// Returns the word of the files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What is decided on the tools of each risk, where nobody has decided on the tool itself.
///
/// Everything is allowed, unless the settings say otherwise: whoever installs Switchboard goes on working.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub struct Decisions {
    /// On tools that make, end or run something.
    #[schemars(default)]
    pub high: Decision,
    /// On tools that change something, or of which nobody knows what they do.
    #[schemars(default)]
    pub medium: Decision,
    /// On tools that only look.
    #[schemars(default)]
    pub safe: Decision,
}

impl Decisions {
    /// Returns what is decided on tools of this risk.
    pub fn on(self, risk: Risk) -> Decision {
        match risk {
            Risk::High => self.high,
            Risk::Medium => self.medium,
            Risk::Safe => self.safe,
        }
    }
}
