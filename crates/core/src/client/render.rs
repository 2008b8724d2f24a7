//! Verdicts into changes of the document: only our six fields, under the alias that the client uses.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::client::dialect::{Dialect, Unspeakable, apply};
use crate::client::reconcile::{Item, Verdict, Wanted};
use crate::client::relation::{ClientRecord, Relation, Standing, section_key};
use crate::client::scan::{Found, entry_path, section_footing, section_path};
use crate::document::{Change, Document, Refusal, Step};
use crate::launch::Launch;
use crate::problem::Problem;
use crate::value::Value;

/// Why an entry cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The client's file cannot say such a server, and nothing else was to be written.
    #[error("`{alias}`: {why}")]
    Unspeakable {
        /// The entry.
        alias: String,
        /// Why not.
        why: Unspeakable,
    },
    /// The file cannot be edited without touching something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A file's new text, and the record that is true once it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text; the same as before when nothing was to be written.
    pub text: String,
    /// The record after the write.
    pub record: ClientRecord,
    /// The items that were left out, because the client cannot be told them.
    pub problems: Vec<Problem>,
}

/// Returns the text in which every pending item of `items` is done, and the record that is then true.
///
/// Items that are not pending touch nothing; of those in step the record is put right. What the client cannot be told
/// is left out and told as a problem.
///
/// # Errors
/// The file cannot be edited safely, or there was nothing but what the client cannot be told.
pub fn render(
    document: &Document<'_>,
    dialect: &Dialect,
    found: &[Found],
    items: &[Item],
    wanted: &Wanted,
    record: &ClientRecord,
) -> Result<Rendered, RenderError> {
    let mut ledger = Ledger::of(record);
    let mut footings = record.footings.clone();
    let entries: HashMap<Key<'_>, &Found> =
        found.iter().rev().map(|entry| ((entry.section.as_deref(), entry.alias.as_str()), entry)).collect();
    let mut paths: HashMap<Option<&str>, Vec<String>> = HashMap::new();
    let mut changes = Vec::new();
    let mut left_out = Vec::new();
    for item in items {
        let Some(server) = &item.server else { continue };
        let section = item.section.as_deref();
        let key = (section, item.alias.as_str());
        let entry = entries.get(&key).copied();
        let ours = wanted.get(server);
        let managed = |base: &Launch, origin: Option<Value>| Relation {
            section: item.section.clone(),
            alias: item.alias.clone(),
            server: server.clone(),
            standing: Standing::Managed { base: base.clone(), origin },
        };
        let origin = || match ledger.standing(key) {
            Some(Standing::Managed { origin, .. } | Standing::Stashed { origin, .. }) => origin.clone(),
            _ => None,
        };
        let path = &*paths.entry(section).or_insert_with(|| section_path(document, dialect, section));
        match (&item.verdict, ours) {
            (Verdict::InStep, Some(ours)) => {
                let relation = managed(ours, origin());
                ledger.put(key, relation);
            }
            (Verdict::Add, Some(ours)) => {
                let origin = origin();
                let value = match new_entry(dialect, record, item, ours) {
                    Ok(value) => value,
                    Err(why) => {
                        left_out.push((item, why));
                        continue;
                    }
                };
                footings.entry(section_key(section)).or_insert_with(|| section_footing(document, path));
                changes.push(Change::Set { path: entry_path(dialect, path, item.alias.as_str()), value });
                ledger.put(key, managed(ours, origin));
            }
            (Verdict::Update | Verdict::TakeOver, Some(ours)) => {
                let origin = match item.verdict {
                    Verdict::TakeOver => entry.map(|entry| entry.value.clone()),
                    _ => origin(),
                };
                match update(dialect, path, item, entry, ours) {
                    Ok(fields) => changes.extend(fields),
                    Err(why) => {
                        left_out.push((item, why));
                        continue;
                    }
                }
                ledger.put(key, managed(ours, origin));
            }
            (Verdict::Remove | Verdict::RemoveTwin, _) => {
                let footing = footings.get(&section_key(section)).cloned();
                changes
                    .push(Change::Remove { path: entry_path(dialect, path, item.alias.as_str()), footing });
                let standing = entry
                    .filter(|entry| item.verdict == Verdict::Remove && is_changed(dialect, entry))
                    .map(|entry| Standing::Stashed { entry: entry.value.clone(), origin: origin() });
                match standing {
                    Some(standing) => {
                        let (alias, server) = (item.alias.clone(), server.clone());
                        ledger.put(key, Relation { section: item.section.clone(), alias, server, standing });
                    }
                    None => ledger.forget(key),
                }
            }
            _ => {}
        }
    }
    // Something else may be done that changes no text: an entry that says already what it should becomes ours.
    let pending = items.iter().filter(|item| item.verdict.is_pending()).count();
    if let (true, Some((item, why))) = (pending == left_out.len(), left_out.first()) {
        return Err(RenderError::Unspeakable { alias: item.alias.to_string(), why: why.clone() });
    }
    let mut record = ClientRecord {
        path: record.path.clone(),
        relations: ledger.relations(),
        footings,
        seen: record.seen.clone(),
        before: record.before.clone(),
        revision: record.revision,
        at: record.at,
    };
    // What is added is there from now on.
    let added = items.iter().filter(|item| item.verdict == Verdict::Add);
    record.forget_renamed(found.iter().map(Found::key).chain(added.map(Item::key)));
    forget_footings(&mut record, items);
    let problems =
        left_out.iter().map(|(item, why)| Problem::warning(format!("`{}`: {why}", item.alias))).collect();
    Ok(Rendered { text: document.revised(&changes)?, record, problems })
}

/// Returns whether an entry holds anything that a new one would not: then it is worth keeping.
fn is_changed(dialect: &Dialect, entry: &Found) -> bool {
    let fresh = entry.launch.as_ref().map(|launch| dialect.fresh_entry(entry.alias.as_str(), launch));
    !matches!(fresh, Some(Ok(fresh)) if fresh.same_as(&entry.value))
}

/// Where nothing of ours is left, what the section was like once says nothing about what it is like later.
fn forget_footings(record: &mut ClientRecord, items: &[Item]) {
    let ours = |key: &str| {
        record.relations.iter().any(|relation| {
            section_key(relation.section.as_deref()) == key
                && matches!(relation.standing, Standing::Managed { .. })
        })
    };
    let emptied: Vec<String> = items
        .iter()
        .filter(|item| matches!(item.verdict, Verdict::Remove | Verdict::RemoveTwin))
        .map(|item| section_key(item.section.as_deref()))
        .filter(|key| !ours(key))
        .collect();
    for key in &emptied {
        record.footings.remove(key);
    }
}

/// An entry: its section, and what the client calls it.
type Key<'k> = (Option<&'k str>, &'k str);

/// The relations of a record while they change, found by their entry.
struct Ledger<'k> {
    /// In order; those that were forgotten left a gap.
    relations: Vec<Option<Cow<'k, Relation>>>,
    at: HashMap<Key<'k>, usize>,
}

impl<'k> Ledger<'k> {
    fn of(record: &'k ClientRecord) -> Self {
        let relations: Vec<_> =
            record.relations.iter().map(|relation| Some(Cow::Borrowed(relation))).collect();
        let keys = record.relations.iter().map(|own| (own.section.as_deref(), own.alias.as_str()));
        Self { relations, at: keys.zip(0..).collect() }
    }

    fn standing(&self, key: Key<'_>) -> Option<&Standing> {
        let relation = self.relations.get(*self.at.get(&key)?)?.as_ref()?;
        Some(&relation.standing)
    }

    /// Puts a relation in the place of the one for the same entry, else behind the others: of two records of one server
    /// the first counts, so their order must not change.
    fn put(&mut self, key: Key<'k>, relation: Relation) {
        let relation = Some(Cow::Owned(relation));
        if let Some(&at) = self.at.get(&key) {
            self.relations[at] = relation;
        } else {
            self.at.insert(key, self.relations.len());
            self.relations.push(relation);
        }
    }

    fn forget(&mut self, key: Key<'k>) {
        if let Some(at) = self.at.remove(&key) {
            self.relations[at] = None;
        }
    }

    fn relations(self) -> Vec<Relation> {
        self.relations.into_iter().flatten().map(Cow::into_owned).collect()
    }
}

/// Returns the entry that an item is about.
pub(crate) fn entry_of<'f>(found: &'f [Found], item: &Item) -> Option<&'f Found> {
    found.iter().find(|entry| entry.section == item.section && entry.alias == item.alias)
}

/// The entry when it was taken out, so that what the client kept in it comes back.
fn stashed_entry(record: &ClientRecord, section: Option<&str>, alias: &str) -> Option<Value> {
    match &record.relation(section, alias)?.standing {
        Standing::Stashed { entry, .. } => Some(entry.clone()),
        _ => None,
    }
}

/// Returns an entry that is to be added: a fresh one, or the one that we took out before.
pub(crate) fn new_entry(
    dialect: &Dialect,
    record: &ClientRecord,
    item: &Item,
    ours: &Launch,
) -> Result<Value, Unspeakable> {
    let alias = item.alias.as_str();
    let fresh = dialect.fresh_entry(alias, ours)?;
    let Some(mut value) = stashed_entry(record, item.section.as_deref(), alias) else { return Ok(fresh) };
    let fields = dialect.write_entry(ours, Some(&value))?;
    apply(&mut value, &fields);
    Ok(value)
}

fn update(
    dialect: &Dialect,
    section: &[String],
    item: &Item,
    entry: Option<&Found>,
    ours: &Launch,
) -> Result<Vec<Change>, Unspeakable> {
    let path = entry_path(dialect, section, item.alias.as_str());
    let fields = dialect.write_entry(ours, entry.map(|entry| &entry.value))?;
    Ok(fields
        .into_iter()
        .map(|field| {
            let mut at = path.clone();
            at.extend(field.path.into_iter().map(Step::Key));
            match field.value {
                Some(value) => Change::Set { path: at, value },
                None => Change::remove(at),
            }
        })
        .collect())
}
