//! Why a change cannot be made.

use super::Document;
use crate::place::Place;

/// Why a change cannot be made without touching something else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A value stands where a container belongs; putting a container there would destroy it.
    #[error("line {}, column {}: `{key}` is {found}, where {wanted} belongs", place.line, place.column)]
    WrongKind {
        /// Where the value stands.
        place: Place,
        /// The key of the value; `the file` for the root.
        key: String,
        /// What stands there.
        found: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A YAML anchor stands on or inside what would be edited, so aliases elsewhere would change too.
    #[error("line {}, column {}: a YAML anchor stands here, so the edit would change other places too", place.line, place.column)]
    Anchored {
        /// Where the anchored node stands.
        place: Place,
    },
    /// What would be edited is a YAML alias or comes out of a merge key, so it stands elsewhere and others see it too.
    #[error("line {}, column {}: `{key}` comes from elsewhere through a YAML alias, so the edit would change other places too", place.line, place.column)]
    Aliased {
        /// Where the alias stands.
        place: Place,
        /// What was to be edited.
        key: String,
    },
    /// The format cannot say this here.
    #[error("line {}, column {}: {what}", place.line, place.column)]
    Unwritable {
        /// Where it would stand.
        place: Place,
        /// What cannot be said.
        what: String,
    },
    /// The result did not say what was intended: a defect of ours, caught before it reached the file.
    #[error("the edited text would not say what was intended ({0}); nothing was written")]
    Unverified(String),
}

impl Refusal {
    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::WrongKind { .. } => "replace it with an empty map or list, or remove the key",
            Self::Anchored { .. } => "write the entry out without the anchor",
            Self::Aliased { .. } => "write it out there without the alias",
            Self::Unwritable { .. } => "write this part of the file out in full",
            Self::Unverified(_) => "please report this with the file",
        }
    }

    pub(super) fn unwritable(document: &Document<'_>, offset: usize, what: impl Into<String>) -> Self {
        Self::Unwritable { place: Place::of(document.text(), offset), what: what.into() }
    }
}
