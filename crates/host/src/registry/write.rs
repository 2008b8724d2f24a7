//! What is written into the registry. Whoever calls these has begun a transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use switchboard_core::launch::Fingerprint;
use switchboard_core::name::ServerName;
use switchboard_core::registry::{Content, Kind, Row};

use super::query::kind_number;
use super::row::Seen;
use super::words::{self, About, beginning};
use crate::hash::Hash;

/// The longest reason that is kept, in bytes.
const REASON: usize = 2_000;

pub(super) fn replace(
    connection: &Connection,
    rows: &[Row<Seen<'_>>],
    now: u64,
) -> rusqlite::Result<Vec<ServerName>> {
    let mut held = known(connection)?;
    let mut plan: Vec<(&Row<Seen<'_>>, Option<Known>)> = rows
        .iter()
        .map(|row| match &row.content {
            Content::Kept { from } | Content::Stale { from: Some(from), .. } => (row, held.remove(from)),
            Content::Seen(_) | Content::Stale { from: None, .. } => (row, None),
        })
        .collect();
    let mut lost = Vec::new();
    for (row, was) in plan.iter_mut().filter(|(_, was)| was.is_none()) {
        match &row.content {
            // What was known under its own name is replaced by what it says now.
            Content::Seen(_) => {}
            // Somebody else may have been faster, and has put it under its new name already.
            Content::Kept { .. } | Content::Stale { .. } => *was = held.remove(row.name.as_str()),
        }
        if was.is_none() && matches!(row.content, Content::Kept { .. }) {
            lost.push(row.name.clone());
        }
    }
    // What nobody keeps goes first; names that are exchanged have to be free before they are given.
    for server in held.into_values() {
        forget(connection, server.id)?;
    }
    for (row, was) in &plan {
        if let Some(was) = was.as_ref().filter(|was| was.name != row.name.as_str()) {
            // No server can be called so.
            let aside = format!("\0{}", was.id);
            connection.execute("UPDATE server SET name = ? WHERE id = ?", params![aside, was.id])?;
        }
    }
    for (place, (row, was)) in plan.into_iter().enumerate() {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        match (&row.content, was) {
            (Content::Seen(seen), _) => add(connection, place, row, seen, now)?,
            (Content::Stale { why, .. }, None) => {
                nothing(connection, place, row, why, now)?;
            }
            (Content::Kept { .. }, None) => {}
            (content, Some(was)) => {
                let name = row.name.as_str();
                connection.execute(
                    "UPDATE server SET name = ?, place = ? WHERE id = ?",
                    params![name, place, was.id],
                )?;
                if was.name != name {
                    index(connection, was.id, name)?;
                }
                if let Content::Stale { why, .. } = content {
                    connection.execute(
                        "UPDATE server SET stale_since = coalesce(stale_since, ?), stale_why = ? WHERE id = ?",
                        params![moment(now), beginning(why, REASON), was.id],
                    )?;
                }
            }
        }
    }
    Ok(lost)
}

pub(super) fn remove(connection: &Connection, server: &str) -> rusqlite::Result<bool> {
    let Some(id) = id(connection, server)? else { return Ok(false) };
    forget(connection, id)?;
    Ok(true)
}

pub(super) fn rename(connection: &Connection, server: &str, to: &ServerName) -> rusqlite::Result<bool> {
    let Some(own) = id(connection, server)? else { return Ok(false) };
    if server != to.as_str() {
        remove(connection, to.as_str())?;
        connection.execute("UPDATE server SET name = ? WHERE id = ?", params![to.as_str(), own])?;
        index(connection, own, to.as_str())?;
    }
    Ok(true)
}

struct Known {
    id: i64,
    name: String,
}

fn known(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Known>> {
    let mut statement = connection.prepare("SELECT id, name FROM server")?;
    let rows = statement.query_map([], |row| Ok(Known { id: row.get(0)?, name: row.get(1)? }))?;
    rows.map(|known| known.map(|known| (known.name.clone(), known))).collect()
}

fn id(connection: &Connection, server: &str) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT id FROM server WHERE name = ?", [server], |row| row.get(0)).optional()
}

fn forget(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM words WHERE rowid IN (SELECT id FROM item WHERE server = ? AND kind = 0)",
        [id],
    )?;
    connection.execute("DELETE FROM item WHERE server = ?", [id])?;
    connection.execute("DELETE FROM server WHERE id = ?", [id])?;
    Ok(())
}

/// Puts in a server that never said what it offers.
fn nothing(
    connection: &Connection,
    place: i64,
    row: &Row<Seen<'_>>,
    why: &str,
    now: u64,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO server (place, name, fingerprint, stale_since, stale_why) VALUES (?, ?, ?, ?, ?)",
        params![place, row.name.as_str(), row.fingerprint.0, moment(now), beginning(why, REASON)],
    )?;
    Ok(())
}

fn add(
    connection: &Connection,
    place: i64,
    row: &Row<Seen<'_>>,
    seen: &Seen<'_>,
    now: u64,
) -> rusqlite::Result<()> {
    let Fingerprint(fingerprint) = row.fingerprint;
    connection.execute(
        "INSERT INTO server (place, name, fingerprint, seen, revision, capabilities, info, instructions)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            place,
            row.name.as_str(),
            fingerprint,
            moment(now),
            seen.revision,
            seen.capabilities,
            seen.info,
            seen.instructions
        ],
    )?;
    let server = connection.last_insert_rowid();
    let mut item = connection.prepare(
        "INSERT INTO item (server, kind, place, name, title, brief, hash, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut words = connection.prepare(WORDS)?;
    let of_server = words::of_name(row.name.as_str());
    for (place, seen) in seen.items.iter().enumerate() {
        let about = About::read(seen.raw);
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let hash = Hash::of(seen.raw);
        item.execute(params![
            server,
            kind_number(seen.kind),
            place,
            seen.name,
            about.title.as_deref().map(|title| beginning(title, words::LINE)),
            about.brief(),
            hash.as_bytes(),
            seen.raw
        ])?;
        if seen.kind == Kind::Tool {
            let id = connection.last_insert_rowid();
            words.execute(params![
                id,
                words::of_name(seen.name),
                title(&about),
                of_server,
                description(&about)
            ])?;
        }
    }
    Ok(())
}

/// One tool among the words.
const WORDS: &str = "INSERT INTO words (rowid, name, title, server, description) VALUES (?, ?, ?, ?, ?)";

fn title(about: &About<'_>) -> String {
    words::of_text(about.title.as_deref().unwrap_or_default())
}

fn description(about: &About<'_>) -> String {
    words::of_text(about.description.as_deref().unwrap_or_default())
}

/// Has the tools of a server be found under its new name.
fn index(connection: &Connection, server: i64, name: &str) -> rusqlite::Result<()> {
    let mut tools = connection.prepare("SELECT id, name, raw FROM item WHERE server = ? AND kind = 0")?;
    let mut remove = connection.prepare("DELETE FROM words WHERE rowid = ?")?;
    let mut insert = connection.prepare(WORDS)?;
    let of_server = words::of_name(name);
    let mut rows = tools.query([server])?;
    while let Some(row) = rows.next()? {
        let (id, tool, raw): (i64, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let about = About::read(&raw);
        remove.execute([id])?;
        insert.execute(params![id, words::of_name(&tool), title(&about), of_server, description(&about)])?;
    }
    Ok(())
}

fn moment(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
