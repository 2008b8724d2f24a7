//! The lines of one table: which are ours, and what they should say.

use super::base::Generated;
use super::{spell, text_of};
use crate::document::{Document, Node};
use crate::policy::file::key;
use crate::policy::{Permission, Proposal};
use crate::value::Value;

/// What we write for a tool: each of our keys in order, with its value if it has one.
pub(super) fn wanted(proposal: &Proposal) -> [(&'static str, Option<String>); 5] {
    [
        (key::RISK, Some(proposal.risk.word().to_owned())),
        (key::DECISION, Some(proposal.decision.word().to_owned())),
        (key::TIMEOUT, Some(spell::duration(proposal.timeout))),
        (key::CACHE_TTL, proposal.cache_ttl.map(spell::duration)),
        (key::PERMISSION, proposal.permission.as_ref().map(Permission::to_string)),
    ]
}

/// The same as a document's value.
pub(super) fn value(proposal: &Proposal) -> Value {
    Value::text_map(wanted(proposal).into_iter().filter_map(|(key, value)| Some((key, value?))))
}

/// Decides on each of our keys in the table `node`; `change` gets those that change, with `None` for a line that goes.
pub(super) fn follow(
    document: &Document<'_>,
    node: &Node<'_>,
    generated: &mut Generated,
    proposal: &Proposal,
    known: bool,
    mut change: impl FnMut(&'static str, Option<String>),
) {
    for (key, want) in wanted(proposal) {
        // Both `permission` and `permissions` would contradict each other, and the latter is never ours.
        let there =
            node.get(key).or_else(|| (key == key::PERMISSION).then(|| node.get(key::PERMISSIONS)).flatten());
        let last = generated.keys.get(key);
        match (last, there, want) {
            // A table that was there before us is a person's as it is: also what it leaves out.
            (None, Some(_), Some(_)) => drop(generated.keys.insert(key.to_owned(), None)),
            (None, None, Some(_)) if !known => drop(generated.keys.insert(key.to_owned(), None)),
            (None, None, Some(want)) => {
                generated.keys.insert(key.to_owned(), Some(want.clone()));
                change(key, Some(want));
            }
            (Some(Some(last)), Some(there), want) if text_of(there) == Some(last) => match want {
                Some(want) if want == *last => {}
                Some(want) => {
                    generated.keys.insert(key.to_owned(), Some(want.clone()));
                    change(key, Some(want));
                }
                // A comment behind it is a person's word, and would go along.
                None if !has_comment(document, there) => {
                    generated.keys.remove(key);
                    change(key, None);
                }
                None => {}
            },
            _ => {}
        }
    }
}

/// Whether anything stands behind a value on its line.
fn has_comment(document: &Document<'_>, node: &Node<'_>) -> bool {
    let rest = document.text().get(node.span.end..).unwrap_or_default();
    rest.lines().next().is_some_and(|rest| !rest.trim().is_empty())
}
