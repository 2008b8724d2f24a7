//! What is wrong with a file of the user's: every problem at once, each with its place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file says something that has no effect; the rest counts.
    Warning,
    /// The file does not count as a whole: the last good one stays in service.
    Error,
}

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands, when it stands anywhere.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What is wrong, as a sentence fragment.
    pub what: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// Returns an error without a place.
    pub fn error(what: impl Into<String>) -> Self {
        Self::of(Severity::Error, what)
    }

    /// Returns a warning without a place.
    pub fn warning(what: impl Into<String>) -> Self {
        Self::of(Severity::Warning, what)
    }

    /// Returns a problem without a place.
    pub(crate) fn of(severity: Severity, what: impl Into<String>) -> Self {
        Self { severity, place: None, what: what.into(), help: None }
    }

    /// Returns the problem with its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Returns the problem with a hint.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns whether the file does not count because of this.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// What reading a person's file gives: whatever could be read, and everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// What the file says where it can be understood.
    pub value: T,
    /// What is wrong, in the order of the text.
    pub problems: Vec<Problem>,
}

impl<T> Parsed<T> {
    /// Returns whether nothing forbids putting the value into service.
    pub fn is_good(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }
}
