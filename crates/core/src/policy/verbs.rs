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
        for (risk, action, word) in rows() {
            let verb = Verb { risk, action: action.to_owned(), noun: nouns.contains(word), own: false };
            known.insert(word.to_owned(), verb);
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

/// Every verb of the table, with the word that stands for it.
fn rows() -> impl Iterator<Item = (Risk, &'static str, &'static str)> {
    let alike = table::VERBS
        .iter()
        .flat_map(|(risk, action, words)| words.split_whitespace().map(|word| (*risk, *action, word)));
    let alone = table::ALONE
        .iter()
        .flat_map(|(risk, words)| words.split_whitespace().map(|word| (*risk, word, word)));
    alike.chain(alone)
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

/// Returns the word that is to be seen, where a name is nothing but that and whose it is: `status`, `pods_log`,
/// `diff_staged`.
pub(super) fn sight(words: &[String]) -> Option<&str> {
    let last = words.iter().rposition(|word| !is_quality(word))?;
    let word = words[last].as_str();
    // `log_failed` may be the wish to have that written down.
    let is_clear = word != "log" || last + 1 == words.len();
    let all_things = words[..last].iter().all(|word| is_thing(word));
    (is_in(table::SIGHTS, word) && is_clear && all_things).then_some(word)
}

/// Words for what is another the next moment, though nobody changes it: `get_current_time`.
pub(super) fn is_fleeting(word: &str) -> bool {
    matches!(word, "current" | "now" | "random")
}

/// A word that only tells apart what is of one kind: `staged`, `deleted`.
fn is_quality(word: &str) -> bool {
    word.len() > 3 && word.ends_with("ed") && !word.ends_with("eed") && word != "embed"
}

/// A word that is no verb in any name: a plural, or one of the table.
fn is_thing(word: &str) -> bool {
    let is_plural =
        word.len() > 3 && word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    is_plural || is_in(table::THINGS, word)
}

fn is_in(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|one| one == word)
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
            assert!(is_in(words, action), "{action} is not among its words");
        }
        for (_, _, word) in rows() {
            assert!(seen.insert(word), "{word} stands twice");
        }
        for noun in table::NOUNS.split_whitespace() {
            assert!(seen.contains(noun), "{noun} is no verb");
        }
    }

    #[test]
    fn no_word_stands_for_what_undoes_it() {
        let verbs = Verbs::default();
        for (_, action, word) in rows() {
            // To unlink a file is to delete it.
            for undone in ["un", "dis", "de"].iter().filter_map(|undo| word.strip_prefix(undo)) {
                let other = verbs.get(undone).filter(|_| word != "unlink");
                assert!(
                    other.is_none_or(|other| other.action != action),
                    "{word} and {undone} are both {action}"
                );
            }
        }
        for (one, other) in [
            ("grant", "revoke"),
            ("pay", "refund"),
            ("approve", "reject"),
            ("start", "cancel"),
            ("close", "reopen"),
            ("archive", "restore"),
            ("join", "leave"),
            ("login", "logout"),
            ("push", "pull"),
            ("enable", "disable"),
        ] {
            let action = |word: &str| verbs.get(word).map(|verb| verb.action.clone());
            assert_ne!(action(one), action(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_to_be_seen_is_told_from_what_may_be_done() {
        for (name, seen) in [
            ("status", Some("status")),
            ("pods log", Some("log")),
            ("nodes stats summary", Some("summary")),
            ("directory tree", Some("tree")),
            ("diff unstaged", Some("diff")),
            ("log", Some("log")),
            ("log failed", None),
            ("status feed", None),
            ("status embed", None),
            ("flip status", None),
            ("process status", None),
            ("focus tree", None),
            ("status pods", None),
            ("pods", None),
            ("staged", None),
            ("", None),
        ] {
            let words: Vec<String> = name.split_whitespace().map(str::to_owned).collect();
            assert_eq!(sight(&words), seen, "{name}");
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
