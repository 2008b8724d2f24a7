//! One push taken back from a file that somebody else has changed since.
//!
//! What the push changed is found by comparing the file before it with the file after it, entry by entry. Of the
//! file as it is now only those entries are put back; everything else stays as whoever changed it has left it.

use std::collections::HashMap;

use crate::client::bridge::Bridge;
use crate::client::dialect::Dialect;
use crate::client::scan::{Found, entry_path, scan, section_footing, section_path};
use crate::document::{Change, Document, Refusal, Step, Unreadable};
use crate::name::Alias;
use crate::place::Place;
use crate::text::{TextEdit, splice};

/// Why a push cannot be taken back without losing what somebody else changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoConflict {
    /// One of the three texts cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Somebody else changed an entry that the push changed.
    #[error("{}`{alias}` was changed since by somebody else", place.map(|place| format!("{place}: ")).unwrap_or_default())]
    Touched {
        /// The entry.
        alias: Alias,
        /// Where it stands; nowhere when they took it out.
        place: Option<Place>,
    },
    /// The entries cannot be put back without touching something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// An entry: its section, and what the client calls it.
type Key<'f> = (Option<&'f str>, &'f str);

/// Returns the text of `now` without what changed from `before` to `after`.
///
/// Where `now` is `after`, that is `before` itself, to the byte.
///
/// # Errors
/// Somebody else changed the same entries, or they cannot be put back safely.
pub fn undone(before: &str, after: &str, now: &str, dialect: &Dialect) -> Result<String, UndoConflict> {
    if now == after {
        return Ok(before.to_owned());
    }
    let [was, wrote, is] = [before, after, now].map(|text| Document::parse(text, dialect.format));
    let (was, wrote, is) = (was?, wrote?, is?);
    let (was_found, wrote_found, is_found) =
        (entries(&was, dialect), entries(&wrote, dialect), entries(&is, dialect));
    let (old, ours, theirs) = (by_key(&was_found), by_key(&wrote_found), by_key(&is_found));
    let mut changes = Vec::new();
    let mut edits = Vec::new();
    let keys = was_found.iter().chain(&wrote_found).map(key);
    let mut met = std::collections::HashSet::new();
    for key in keys.filter(|key| met.insert(*key)) {
        let (old, ours, theirs) =
            (old.get(&key).copied(), ours.get(&key).copied(), theirs.get(&key).copied());
        if same(old, ours) || same(old, theirs) {
            continue;
        }
        if !same(ours, theirs) {
            let place = theirs.map(|entry| entry.place);
            return Err(UndoConflict::Touched { alias: Alias::new(key.1), place });
        }
        let (section, alias) = key;
        let path =
            |document: &Document<'_>| entry_path(dialect, &section_path(document, dialect, section), alias);
        let at = path(&is);
        let Some(old) = old else {
            let footing = Some(section_footing(&was, &section_path(&was, dialect, section)));
            changes.push(Change::Remove { path: at, footing });
            continue;
        };
        let change = Change::set(at, old.value.clone());
        match exchanged(&[(&was, path(&was)), (&wrote, path(&wrote)), (&is, path(&is))]) {
            Some(edit) => edits.push((edit, change)),
            None => changes.push(change),
        }
    }
    // The very bytes of an entry fit nearly always; where they do not, what they say is written anew.
    let in_bytes = taken_back(&is, &changes, &edits);
    if in_bytes.is_ok() || edits.is_empty() {
        return Ok(in_bytes?);
    }
    changes.extend(edits.into_iter().map(|(_, change)| change));
    Ok(is.revised(&changes)?)
}

fn taken_back(
    now: &Document<'_>,
    changes: &[Change],
    edits: &[(TextEdit, Change)],
) -> Result<String, Refusal> {
    let mut splices = now.edits(changes)?;
    splices.extend(edits.iter().map(|(edit, _)| edit.clone()));
    let text = splice(now.text(), &splices).map_err(|error| Refusal::Unverified(error.to_string()))?;
    let all: Vec<Change> = changes.iter().chain(edits.iter().map(|(_, change)| change)).cloned().collect();
    now.verified(&all, text)
}

fn entries(document: &Document<'_>, dialect: &Dialect) -> Vec<Found> {
    // Which entries reach our servers does not matter here.
    let nobody = Bridge { program: String::new(), ..Bridge::default() };
    scan(document, dialect, &nobody).found
}

fn key(found: &Found) -> Key<'_> {
    (found.section.as_deref(), found.alias.as_str())
}

fn by_key(found: &[Found]) -> HashMap<Key<'_>, &Found> {
    found.iter().map(|entry| (key(entry), entry)).collect()
}

fn same(a: Option<&Found>, b: Option<&Found>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.value.same_as(&b.value),
        (None, None) => true,
        _ => false,
    }
}

/// The edit that puts the very bytes of an entry back, where it stands in the file as we wrote it and in one piece.
fn exchanged([was, wrote, is]: &[(&Document<'_>, Vec<Step>); 3]) -> Option<TextEdit> {
    let text = |(document, path): &(&Document<'_>, Vec<Step>)| {
        let node = document.at(path).filter(|node| document.is_whole(node))?;
        Some((node.span.clone(), document.text().get(node.span.clone())?.to_owned()))
    };
    let ((_, old), (_, ours), (span, theirs)) = (text(was)?, text(wrote)?, text(is)?);
    (ours == theirs).then(|| TextEdit::replace(span, old))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::known::find;
    use crate::value::Value;

    fn undo(id: &str, before: &str, after: &str, now: &str) -> Result<String, UndoConflict> {
        undone(before, after, now, &find(id).unwrap().dialect)
    }

    #[test]
    fn what_we_wrote_goes_and_what_they_wrote_stays() {
        let cases = [
            (
                "an entry that was added goes; their theme and their entry stay",
                "cursor",
                "{\n  \"mcpServers\": {},\n  \"theme\": \"dark\"\n}\n",
                "{\n  \"mcpServers\": {\n    \"a\": {\n      \"command\": \"us\"\n    }\n  },\n  \"theme\": \"dark\"\n}\n",
                "{\n  \"mcpServers\": {\n    \"a\": {\n      \"command\": \"us\"\n    },\n    \"b\": { \"command\": \"them\" }\n  },\n  \"theme\": \"light\"\n}\n",
                "{\n  \"mcpServers\": {\n    \"b\": { \"command\": \"them\" }\n  },\n  \"theme\": \"light\"\n}\n",
            ),
            (
                "an entry that was taken over has its own bytes again",
                "vscode",
                "{ \"servers\": { \"a\": { \"command\" : \"npx\", /* mine */ \"args\": [ 1 ] } } }\n",
                "{ \"servers\": { \"a\": { \"command\" : \"us\", /* mine */ \"args\": [ \"connect\" ] } } }\n",
                "// new\n{ \"servers\": { \"a\": { \"command\" : \"us\", /* mine */ \"args\": [ \"connect\" ] } }, \"inputs\": [] }\n",
                "// new\n{ \"servers\": { \"a\": { \"command\" : \"npx\", /* mine */ \"args\": [ 1 ] } }, \"inputs\": [] }\n",
            ),
            (
                "in another hand as well",
                "cursor",
                "{\"mcpServers\":{\"a\":{\"command\":\"npx\"}}}",
                "{\"mcpServers\":{\"a\":{\"command\":\"us\"}}}",
                "{\n  \"mcpServers\": {\n    \"a\": {\n      \"command\": \"us\"\n    }\n  }\n}\n",
                "{\n  \"mcpServers\": {\n    \"a\": {\n      \"command\": \"npx\"\n    }\n  }\n}\n",
            ),
            (
                "tables",
                "codex",
                "[mcp_servers.a]\ncommand = 'npx' # mine\n\n[mcp_servers.a.env]\nK = 'v'\n",
                "[mcp_servers.a]\ncommand = 'us' # mine\n",
                "model = 'x'\n\n[mcp_servers.a]\ncommand = 'us' # mine\n",
                "model = 'x'\n\n[mcp_servers.a]\ncommand = \"npx\" # mine\nenv = { K = \"v\" }\n",
            ),
            (
                "a file that we made keeps what they put into it",
                "codex",
                "",
                "[mcp_servers.a]\ncommand = \"us\"\n",
                "model = \"x\"\n\n[mcp_servers.a]\ncommand = \"us\"\n",
                "model = \"x\"\n",
            ),
            (
                "aliases come back as they stood",
                "continue",
                "e: &e {K: v}\nmcpServers:\n  - name: a\n    command: npx\n    env:\n      <<: *e # mine\n      L: w\n",
                "e: &e {K: v}\nmcpServers:\n  - name: a\n    command: us\n",
                "e: &e {K: v}\nmcpServers:\n  - name: a\n    command: us\n  - name: b\n    command: them\nmodels: []\n",
                "e: &e {K: v}\nmcpServers:\n  - name: a\n    command: npx\n    env:\n      <<: *e # mine\n      L: w\n  - name: b\n    command: them\nmodels: []\n",
            ),
            (
                "what they put back already is left to them",
                "cursor",
                "{\"mcpServers\":{\"a\":{\"command\":\"npx\"}}}",
                "{\"mcpServers\":{\"a\":{\"command\":\"us\"},\"b\":{\"command\":\"us\"}}}",
                "{\"mcpServers\":{\"a\":{\"command\": \"npx\"},\"b\":{\"command\":\"us\"}}}",
                "{\"mcpServers\":{\"a\":{\"command\": \"npx\"}}}",
            ),
        ];
        for (story, id, before, after, now, wanted) in cases {
            assert_eq!(undo(id, before, after, now).as_deref(), Ok(wanted), "{story}");
            assert_eq!(undo(id, before, after, after).as_deref(), Ok(before), "{story}, nobody else wrote");
        }
    }

    #[test]
    fn their_change_of_the_same_entry_is_a_conflict_with_its_place() {
        let before = "{\"mcpServers\":{\"a\":{\"command\":\"npx\"}}}";
        let after = "{\"mcpServers\":{\"a\":{\"command\":\"us\"}}}";
        for (now, wanted) in [
            (
                "{\"mcpServers\":{\n\"a\":{\"command\":\"us\",\"timeout\":1}}}",
                "2:1: `a` was changed since by somebody else",
            ),
            ("{\"mcpServers\":{}}", "`a` was changed since by somebody else"),
            ("{\"mcpServers\":{", "line 1, column 15: a map is never closed"),
        ] {
            assert_eq!(undo("cursor", before, after, now).unwrap_err().to_string(), wanted);
        }
    }

    /// A change of one entry: what becomes of its command.
    fn rewritten(dialect: &Dialect, text: &str, changes: &[(usize, Option<u8>)]) -> String {
        let document = Document::parse(text, dialect.format).unwrap();
        let section = section_path(&document, dialect, None);
        let changes: Vec<Change> = changes
            .iter()
            .map(|(alias, command)| {
                let at = entry_path(dialect, &section, ["a", "b", "c", "d", "e", "f"][*alias]);
                match command {
                    Some(command) => Change::set(at, Value::text_map([("command", format!("c{command}"))])),
                    None => Change::remove(at),
                }
            })
            .collect();
        document.revised(&changes).unwrap()
    }

    fn says(dialect: &Dialect, text: &str) -> HashMap<String, Value> {
        let document = Document::parse(text, dialect.format).unwrap();
        entries(&document, dialect).into_iter().map(|found| (found.alias.to_string(), found.value)).collect()
    }

    proptest! {
        #[test]
        fn taking_back_ours_is_as_if_only_they_had_written(
            id in prop::sample::select(vec!["cursor", "codex", "continue", "vscode", "gemini-cli"]),
            first in prop::collection::btree_map(0..4usize, any::<u8>().prop_map(Some), 0..4),
            ours in prop::collection::btree_map(0..3usize, prop::option::of(any::<u8>()), 0..3),
            theirs in prop::collection::btree_map(0..6usize, prop::option::of(any::<u8>()), 0..4),
        ) {
            let dialect = find(id).unwrap().dialect;
            let pairs = |map: std::collections::BTreeMap<usize, Option<u8>>| map.into_iter().collect::<Vec<_>>();
            let (ours, theirs) = (pairs(ours), pairs(theirs));
            let before = rewritten(&dialect, "", &pairs(first));
            let after = rewritten(&dialect, &before, &ours);
            let now = rewritten(&dialect, &after, &theirs);
            let alone = rewritten(&dialect, &before, &theirs);
            let apart = theirs.iter().all(|(alias, _)| ours.iter().all(|(own, _)| own != alias));
            match undone(&before, &after, &now, &dialect) {
                Ok(text) => {
                    if apart {
                        prop_assert_eq!(says(&dialect, &text), says(&dialect, &alone), "{}\n{}", now, text);
                    }
                    if now == after {
                        prop_assert_eq!(text, before);
                    }
                }
                Err(conflict) => {
                    prop_assert!(!apart, "{}\n{}", conflict, now);
                    prop_assert!(matches!(conflict, UndoConflict::Touched { .. }), "{}", conflict);
                }
            }
        }
    }
}
