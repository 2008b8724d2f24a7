//! The words that say what a tool does.

mod table;

use std::collections::{HashMap, HashSet};

use super::Risk;

/// A word that says what a tool does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verb {
    /// How much harm it can do.
    pub risk: Risk,
    /// The word that stands for it and for all that mean the same: `delete` for `remove`, `rm` and `drop`.
    pub action: String,
    /// It is a noun as well: `run`, `update`, `set`.
    pub noun: bool,
    /// The settings say so, not the table.
    pub own: bool,
}

/// The table of verbs: ours, and what the settings add to it.
#[derive(Clone, Debug)]
pub struct Verbs {
    known: HashMap<String, Verb>,
}

impl Default for Verbs {
    fn default() -> Self {
        Self::with([])
    }
}

impl Verbs {
    /// Returns the table with these words added; where the table has one already, the settings count.
    ///
    /// Of one that is added twice the riskier counts. An added word is a verb wherever it stands.
    pub fn with<'w>(added: impl IntoIterator<Item = (Risk, &'w str)>) -> Self {
        let nouns: HashSet<&str> = table::NOUNS.split_whitespace().collect();
        let mut known = HashMap::new();
        for (risk, action, words) in table::VERBS {
            for word in words.split_whitespace() {
                let noun = nouns.contains(word);
                let verb = Verb { risk: *risk, action: (*action).to_owned(), noun, own: false };
                known.insert(word.to_owned(), verb);
            }
        }
        for (risk, word) in added {
            let word = word.to_lowercase();
            let before = known.get(&word);
            if before.is_some_and(|verb| verb.own && verb.risk >= risk) {
                continue;
            }
            let action = before.map_or_else(|| word.clone(), |verb| verb.action.clone());
            known.insert(word, Verb { risk, action, noun: false, own: true });
        }
        Self { known }
    }

    /// Returns what `word` does, if it is a verb. It is looked up as it is: `deletes` and `deleted` are none.
    pub fn get(&self, word: &str) -> Option<&Verb> {
        self.known.get(word)
    }
}

/// Behind one of these every word counts as a verb again: `get_and_run`.
pub(super) fn connects(word: &str) -> bool {
    matches!(word, "and" | "or" | "then" | "plus" | "n")
}

/// Verbs that only look at one thing, so that a word behind them that may be a noun is one: `get_workflow_run`.
pub(super) fn looks_at_one(word: &str) -> bool {
    matches!(word, "get" | "describe" | "read" | "fetch" | "retrieve" | "inspect" | "find")
}

/// Verbs that only look at many, so that such a word is one where many are named: `list_merge_requests`, but not
/// `list_update`, which may be the update of a list.
pub(super) fn looks_at_many(word: &str) -> bool {
    matches!(word, "list" | "search" | "count" | "browse")
}

/// Nouns that by themselves are the wish to see what they name: `status`, and `git_status` of the server `git`.
pub(super) fn is_sight(word: &str) -> bool {
    matches!(
        word,
        "status"
            | "diff"
            | "history"
            | "log"
            | "logs"
            | "tree"
            | "info"
            | "stats"
            | "version"
            | "health"
            | "help"
    )
}

/// Words that say nothing about what a tool deals with.
pub(super) fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "a" | "an"
            | "the"
            | "all"
            | "any"
            | "in"
            | "on"
            | "at"
            | "by"
            | "to"
            | "for"
            | "from"
            | "of"
            | "with"
    ) || connects(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_stands_twice_and_every_noun_is_a_verb() {
        let mut seen = std::collections::BTreeSet::new();
        for (_, action, words) in table::VERBS {
            assert!(words.split_whitespace().any(|word| word == *action), "{action} is not among its words");
            for word in words.split_whitespace() {
                assert!(seen.insert(word), "{word} stands twice");
            }
        }
        for noun in table::NOUNS.split_whitespace() {
            assert!(seen.contains(noun), "{noun} is no verb");
        }
    }

    #[test]
    fn the_settings_add_words_and_move_them() {
        let verbs = Verbs::with([
            (Risk::High, "Publish"),
            (Risk::Safe, "frobnicate"),
            (Risk::Safe, "remove"),
            (Risk::High, "x"),
            (Risk::Safe, "x"),
        ]);
        let told = |word| verbs.get(word).map(|verb| (verb.risk, verb.action.as_str(), verb.own));
        assert_eq!(told("publish"), Some((Risk::High, "send", true)));
        assert_eq!(told("frobnicate"), Some((Risk::Safe, "frobnicate", true)));
        assert_eq!(told("remove"), Some((Risk::Safe, "delete", true)));
        assert_eq!(told("x"), Some((Risk::High, "x", true)));
        assert_eq!(told("rm"), Some((Risk::High, "delete", false)));
        assert_eq!(told("deletes"), None);
    }
}
