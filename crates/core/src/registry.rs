//! What servers offer, as last seen: who has to be asked again, and what becomes of what was known.
//!
//! The catalogue says which servers there are ([`Wanted`]), the registry what is known of them ([`Held`]). [`decide()`]
//! compares the two and gives a [`Sync`]: one [`Step`] for each server, and what goes. Asking is for others; [`Sync::fold`]
//! takes what came of it, and gives the [`Row`]s that the registry is to hold from then on.

mod decide;
mod fold;

pub use decide::{Choice, Held, Step, Sync, Wanted, Why, decide};
pub use fold::{Content, Outcome, Row};

/// The kinds of things that a server offers in lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Tools.
    Tool,
    /// Prompts.
    Prompt,
    /// Resources.
    Resource,
    /// Templates of resources.
    Template,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Prompt, Self::Resource, Self::Template];
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
