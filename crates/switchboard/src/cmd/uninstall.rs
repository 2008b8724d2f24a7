//! `uninstall`: every client file back to what it was before the first push.

use serde_json::json;
use switchboard_core::client::reconcile::{Item, Verdict};
use switchboard_core::client::relation::{Relation, Standing, section_key};
use switchboard_core::client::scan::{entry_path, section_path};
use switchboard_core::document::{Change, Document};
use switchboard_host::dirs::Env;
use switchboard_host::file;

use crate::execute::{hash_of, write, written};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::observe::{Linked, Look, Observer, linked};
use crate::ui::{Mark, Ui};

/// Takes ourselves out of every client's file, and removes our state. What others changed since stays.
///
/// # Errors
/// Nobody agreed; or a file cannot be put back, in which case our state stays, so that it can be tried again.
pub(crate) fn run(env: Env, ui: &Ui) -> Done {
    let home = Home::open(env, "switchboard uninstall", ui.dry_run)?;
    let clients = linked(&home)?;
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
    home.dirs.remove_state().map_err(|error| Failure::failed("remove the state").caused_by(&error))?;
    ui.marked(Mark::Good, "Switchboard is out of every file; the catalogue stays yours");
    Ok(())
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
        return match first.before {
            None => Ok(Back::Remove),
            Some(before) => home.backups().load(before).map(Back::Bytes).map_err(|error| error.to_string()),
        };
    }
    by_entry(look)
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
    let now = document.value_at(&at);
    let footing = look.record.footings.get(&section_key(section)).cloned();
    match (&relation.standing, now) {
        (Standing::Managed { origin: None, .. }, Some(_)) => Ok(vec![Change::Remove { path: at, footing }]),
        (Standing::Managed { origin: Some(origin), base }, Some(now)) => {
            let entry = dialect.read_entry(&now).ok();
            if entry.is_some_and(|entry| !entry.launch.same_core(base)) {
                // They changed it: theirs stands.
                return Ok(Vec::new());
            }
            let launch = dialect.read_entry(origin).map_err(|error| error.to_string())?.launch;
            let fields = dialect.write_entry(&launch, Some(&now)).map_err(|error| error.to_string())?;
            Ok(fields
                .into_iter()
                .map(|field| {
                    let mut path = at.clone();
                    path.extend(field.path.into_iter().map(switchboard_core::document::Step::Key));
                    match field.value {
                        Some(value) => Change::Set { path, value },
                        None => Change::remove(path),
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
