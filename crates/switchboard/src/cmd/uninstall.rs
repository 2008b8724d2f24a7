//! `uninstall`: every client file back to what it was before the first push.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use similar::TextMerge;
use switchboard_core::client::reconcile::{Item, Verdict};
use switchboard_core::client::relation::{Relation, Standing, section_key};
use switchboard_core::client::scan::{entry_path, section_path};
use switchboard_core::document::{Change, Document, Step};
use switchboard_core::value::Value;
use switchboard_host::dirs::Env;
use switchboard_host::file;
use switchboard_host::hash::Hash;
use switchboard_host::lock::Lock;

use crate::execute::{hash_of, write, written};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::observe::{Linked, Look, Observer, linked, remembered};
use crate::ui::{Mark, Ui};

/// How long the daemon may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes ourselves out of every client's file, and removes our state. What others changed since stays.
///
/// # Errors
/// Nobody agreed; or a file cannot be put back, in which case our state stays, so that it can be tried again.
pub(crate) fn run(env: Env, ui: &Ui) -> Done {
    let mut home = Home::open(env, "switchboard uninstall", ui.dry_run)?;
    let mut clients = linked(&home)?;
    let gone = unlinked(&home, &clients);
    clients.extend(gone);
    let looks = Observer::new(&home)?.plan(&clients);
    let plans: Vec<(Look, Result<Back, String>)> = looks
        .into_iter()
        .filter(|look| home.relations.clients.contains_key(look.linked.id()))
        .map(|look| {
            let back = back(&home, &look);
            (look, back)
        })
        .collect();
    for (look, back) in &plans {
        let id = look.linked.id();
        match back {
            Ok(Back::Nothing) => ui.line(format!("{id}: nothing of ours is in it")),
            Ok(Back::Remove) => {
                ui.marked(Mark::Plan, format!("{id}: removed again, as it was not there before"));
            }
            Ok(Back::Bytes(_)) => {
                ui.marked(Mark::Plan, format!("{id}: as it was before the first push, to the byte"));
            }
            Ok(Back::Text(_)) => {
                ui.marked(
                    Mark::Plan,
                    format!("{id}: our entries as they were before; what others changed since stays"),
                );
            }
            Err(why) => ui.marked(Mark::Bad, format!("{id}: {why}")),
        }
    }
    ui.line(format!("removed: {}", home.dirs.state().display()));
    ui.line(format!("kept: {}", home.dirs.config().display()));
    for secrets in secrets_in_use(&home) {
        ui.line(format!("kept: {}, which the catalogue refers to", secrets.display()));
    }
    ui.json(
        &plans
            .iter()
            .map(|(look, back)| {
                json!({
                    "client": look.linked.id(), "path": look.linked.path, "possible": back.is_ok(),
                })
            })
            .collect::<Vec<_>>(),
    );
    if ui.dry_run {
        return Ok(());
    }
    ui.consent("Take Switchboard out of these files?", "uninstall")?;
    let mut failed = Vec::new();
    for (look, back) in plans {
        let id = look.linked.id().to_string();
        let outcome = match back {
            Ok(Back::Nothing) => Ok(()),
            Ok(Back::Remove) => look
                .file
                .as_ref()
                .map_or(Ok(()), |file| file::remove(file).map_err(|error| error.to_string())),
            Ok(Back::Bytes(bytes)) => put(&home, &look, &bytes),
            Ok(Back::Text(text)) => put(&home, &look, text.as_bytes()),
            Err(why) => Err(why),
        };
        match outcome {
            Ok(()) => ui.marked(Mark::Good, format!("{id}: done")),
            Err(why) => {
                ui.marked(Mark::Bad, format!("{id}: {why}"));
                failed.push(id);
            }
        }
    }
    if !failed.is_empty() {
        return Err(Failure::failed(format!("take Switchboard out of {}", failed.join(", ")))
            .hint("our state stays, so that you can run `switchboard uninstall` again"));
    }
    unlink_all(&mut home, ui)?;
    // It would go on to serve what is not there any more.
    let ended = Lock::end_daemon(&home.dirs, PATIENCE)
        .map_err(|error| Failure::failed("stop the daemon").caused_by(&error).hint(error.help()))?;
    if let Some(daemon) = ended {
        ui.marked(Mark::Good, format!("the daemon (process {}) is stopped", daemon.pid));
        ui.hint("if the system starts it, run `switchboard service uninstall` too");
    }
    let keep = secrets_in_use(&home);
    home.dirs
        .remove_state(&keep)
        .map_err(|error| Failure::failed("remove the state").caused_by(&error).hint(error.help()))?;
    ui.marked(Mark::Good, "Switchboard is out of every file; the catalogue stays yours");
    Ok(())
}

/// A client that stayed linked would be written again by the next change of the catalogue.
fn unlink_all(home: &mut Home, ui: &Ui) -> Done {
    let changes: Vec<Change> = home
        .settings
        .value
        .clients
        .iter()
        .map(|client| Change::remove([Step::key("clients"), Step::item("id", client.id.as_str())]))
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    crate::change::settings(home, &Ui { quiet: true, json: false, ..ui.clone() }, &changes)
}

/// Secrets that the catalogue refers to are the user's: without them the catalogue would be worth less than the files.
fn secrets_in_use(home: &Home) -> Vec<PathBuf> {
    if home.catalogue.text().contains("${keyring:") { vec![home.dirs.secrets()] } else { Vec::new() }
}

/// Clients that are not linked any more, whose files still have entries of ours.
fn unlinked(home: &Home, linked: &[Linked]) -> Vec<Linked> {
    home.relations
        .clients
        .iter()
        .filter(|(id, record)| record.has_managed() && linked.iter().all(|own| own.id() != *id))
        .filter_map(|(id, record)| remembered(home, id, record))
        .collect()
}

/// What becomes of one file.
enum Back {
    /// Nothing of ours is in it.
    Nothing,
    /// We made it, and nobody else wrote into it.
    Remove,
    /// The bytes that it had before the first push: nobody else wrote into it since.
    Bytes(Vec<u8>),
    /// Somebody else wrote into it: only our entries go back.
    Text(String),
}

fn back(home: &Home, look: &Look) -> Result<Back, String> {
    let Some(file) = &look.file else { return Ok(Back::Nothing) };
    let first = home.journal.entries.iter().find(|write| {
        write.client == *look.linked.id() && write.path == look.linked.path.to_string_lossy() && !write.undone
    });
    let last = home.journal.of(look.linked.id().as_str()).find(|write| !write.undone);
    if let (Some(first), Some(last)) = (first, last)
        && last.after == file.hash
        && hash_of(look.record.seen.as_ref()) == Some(file.hash)
        && untouched(home, look)
    {
        let bytes = first.before.map(|before| home.backups().load(before));
        match bytes {
            None => return Ok(Back::Remove),
            Some(Ok(bytes)) => return Ok(Back::Bytes(bytes)),
            // The backup has aged out: our entries can still be taken out one by one.
            Some(Err(_)) => {}
        }
    }
    match by_lines(home, look) {
        Some(text) if text == look.text() => Ok(Back::Nothing),
        Some(text) => Ok(Back::Text(text)),
        None => by_entry(look),
    }
}

/// The text without the lines that we wrote, and with those that others wrote since; `None` where one lies upon the
/// other, or where the outcome would not be exactly that.
fn by_lines(home: &Home, look: &Look) -> Option<String> {
    let backups = home.backups();
    let load = |hash: Hash| String::from_utf8(backups.load(hash).ok()?).ok();
    let mut text = look.text().to_owned();
    let path = look.linked.path.to_string_lossy();
    for write in
        home.journal.of(look.linked.id().as_str()).filter(|write| !write.undone && write.path == path)
    {
        let (before, after) = (load(write.before?)?, load(write.after)?);
        let merged = TextMerge::from_lines(&after, &before, &text);
        if merged.is_conflicted() {
            return None;
        }
        text = merged.to_string();
    }
    takes_out_ours_only(look, &text).then_some(text)
}

/// Whether `text` says of our entries what they were before, and of everything else what the file says now.
fn takes_out_ours_only(look: &Look, text: &str) -> bool {
    let dialect = &look.linked.dialect;
    let (Ok(now), Ok(then)) =
        (Document::parse(look.text(), dialect.format), Document::parse(text, dialect.format))
    else {
        return false;
    };
    let (mut now_rest, mut then_rest) = (whole(&now), whole(&then));
    for relation in &look.record.relations {
        let origin = match &relation.standing {
            Standing::Managed { origin, .. } | Standing::Stashed { origin, .. } => origin.as_ref(),
            Standing::Kept => continue,
        };
        let at = |document: &Document<'_>| {
            let section = section_path(document, dialect, relation.section.as_deref());
            entry_path(dialect, &section, relation.alias.as_str())
        };
        let there = then.resolved_at(&at(&then));
        if !there
            .as_ref()
            .map_or(origin.is_none(), |there| origin.is_some_and(|origin| there.same_as(origin)))
        {
            return false;
        }
        take_out(&mut now_rest, &at(&now));
        take_out(&mut then_rest, &at(&then));
    }
    now_rest.same_as(&then_rest)
}

fn whole(document: &Document<'_>) -> Value {
    document.root().map_or(Value::Null, switchboard_core::document::Node::value)
}

/// Takes what stands at `path` out of `value`, and the maps and lists around it that are empty then.
fn take_out(value: &mut Value, path: &[Step]) {
    let Some((first, rest)) = path.split_first() else { return };
    let empty = |value: &Value| match value {
        Value::Map(members) => members.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    };
    match (value, first) {
        (Value::Map(members), Step::Key(key)) => members.retain_mut(|(name, inner)| {
            if name != key {
                return true;
            }
            take_out(inner, rest);
            !rest.is_empty() && !empty(inner)
        }),
        (Value::List(items), Step::Item { key, value }) => {
            items.retain(|item| item.get(key).and_then(Value::as_text) != Some(value));
        }
        _ => {}
    }
}

/// Between our writes nobody else wrote: each began from what the one before it had left.
fn untouched(home: &Home, look: &Look) -> bool {
    let mut writes: Vec<_> =
        home.journal.of(look.linked.id().as_str()).filter(|write| !write.undone).collect();
    writes.reverse();
    writes.windows(2).all(|pair| pair[1].before == Some(pair[0].after))
}

/// Puts each entry of ours back to what it was, and leaves everything else.
fn by_entry(look: &Look) -> Result<Back, String> {
    let Linked { dialect, .. } = &look.linked;
    let text = look.text();
    let document = Document::parse(text, dialect.format).map_err(|error| error.to_string())?;
    let mut changes = Vec::new();
    for relation in &look.record.relations {
        changes.extend(entry_back(look, &document, relation)?);
    }
    for item in stray(look) {
        let section = section_path(&document, dialect, item.section.as_deref());
        changes.push(Change::remove(entry_path(dialect, &section, item.alias.as_str())));
    }
    if changes.is_empty() {
        return Ok(Back::Nothing);
    }
    document.revised(&changes).map(Back::Text).map_err(|error| error.to_string())
}

/// Entries that reach our servers without a record.
fn stray(look: &Look) -> impl Iterator<Item = &Item> {
    look.plan.items.iter().filter(|item| {
        let section = item.section.as_deref();
        look.plan.found.iter().any(|found| {
            found.section.as_deref() == section && found.alias == item.alias && found.ours.is_some()
        }) && item.verdict != Verdict::Kept
            && look.record.relation(section, item.alias.as_str()).is_none()
    })
}

fn entry_back(look: &Look, document: &Document<'_>, relation: &Relation) -> Result<Vec<Change>, String> {
    let Linked { dialect, .. } = &look.linked;
    let section = relation.section.as_deref();
    let path = section_path(document, dialect, section);
    let at = entry_path(dialect, &path, relation.alias.as_str());
    let now = document.resolved_at(&at);
    let footing = look.record.footings.get(&section_key(section)).cloned();
    match (&relation.standing, now) {
        (Standing::Managed { origin: None, .. }, Some(_)) => Ok(vec![Change::Remove { path: at, footing }]),
        (Standing::Managed { origin: Some(origin), base }, Some(now)) => {
            let entry = dialect.read_entry(&now).ok();
            if entry.is_some_and(|entry| !entry.launch.same_fields(base)) {
                // They changed it: theirs stands.
                return Ok(Vec::new());
            }
            // What we wrote into the entry, the other way round; what else they keep in it stays.
            let fields = dialect.write_entry(base, Some(origin)).map_err(|error| error.to_string())?;
            Ok(fields
                .into_iter()
                .filter_map(|field| {
                    let was = field.path.iter().try_fold(origin, |value, key| value.get(key)).cloned();
                    let path: Vec<Step> =
                        at.iter().cloned().chain(field.path.into_iter().map(Step::Key)).collect();
                    match (was, document.value_at(&path)) {
                        (Some(was), Some(now)) if was == now => None,
                        (Some(was), _) => Some(Change::Set { path, value: was }),
                        (None, Some(_)) => Some(Change::remove(path)),
                        (None, None) => None,
                    }
                })
                .collect())
        }
        (Standing::Stashed { entry, origin }, None) => {
            let value = origin.clone().unwrap_or_else(|| entry.clone());
            Ok(if origin.is_some() { vec![Change::set(at, value)] } else { Vec::new() })
        }
        _ => Ok(Vec::new()),
    }
}

fn put(home: &Home, look: &Look, bytes: &[u8]) -> Result<(), String> {
    written(write(home, &look.linked, look.file.as_ref(), bytes, "before the uninstall")).map(|_| ())
}
