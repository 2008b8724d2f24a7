//! What is read out of the registry.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use switchboard_core::launch::Fingerprint;
use switchboard_core::registry::{Held, Kind};

use super::row::{Found, Item, Line, Server, State};
use super::words;
use crate::hash::Hash;

/// A word in a name counts as much as so many in a description; so does one in a title, and in the name of the server.
const WEIGHTS: &str = "bm25(words, 8.0, 4.0, 2.0, 1.0)";

/// The columns of a [`Line`].
const LINE: &str = "server.name, server.stale_why IS NOT NULL, item.name, item.title, item.brief, item.hash";

pub(super) fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Tool => 0,
        Kind::Prompt => 1,
        Kind::Resource => 2,
        Kind::Template => 3,
    }
}

pub(super) fn held(connection: &Connection) -> rusqlite::Result<Vec<Held>> {
    let sql = "SELECT name, fingerprint, stale_why IS NOT NULL FROM server ORDER BY place, id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Held { name: row.get(0)?, fingerprint: fingerprint(row, 1)?, stale: row.get(2)? })
    })?;
    rows.collect()
}

pub(super) fn servers(connection: &Connection) -> rusqlite::Result<Vec<Server>> {
    let sql =
        "SELECT name, fingerprint, seen, stale_since, stale_why, revision, capabilities, info, instructions,
        (SELECT count(*) FROM item WHERE item.server = server.id AND kind = 0),
        (SELECT count(*) FROM item WHERE item.server = server.id AND kind = 1),
        (SELECT count(*) FROM item WHERE item.server = server.id AND kind = 2),
        (SELECT count(*) FROM item WHERE item.server = server.id AND kind = 3)
        FROM server ORDER BY place, id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let since = moment(row, 3)?.unwrap_or_default();
        let why: Option<String> = row.get(4)?;
        Ok(Server {
            name: row.get(0)?,
            fingerprint: fingerprint(row, 1)?,
            seen: moment(row, 2)?,
            state: why.map_or(State::Fresh, |why| State::Stale { since, why }),
            revision: row.get(5)?,
            capabilities: row.get(6)?,
            info: row.get(7)?,
            instructions: row.get(8)?,
            counts: [count(row, 9)?, count(row, 10)?, count(row, 11)?, count(row, 12)?],
        })
    })?;
    rows.collect()
}

pub(super) fn list(connection: &Connection, kind: Kind, server: Option<&str>) -> rusqlite::Result<Vec<Line>> {
    let sql = format!(
        "SELECT {LINE} FROM server JOIN item ON item.server = server.id AND item.kind = :kind
        WHERE :server IS NULL OR server.name = :server ORDER BY server.place, server.id, item.place"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(named_params! { ":kind": kind_number(kind), ":server": server }, line)?;
    rows.collect()
}

pub(super) fn items(connection: &Connection, server: &str, kind: Kind) -> rusqlite::Result<Vec<Item>> {
    let sql = format!(
        "SELECT {LINE}, item.raw FROM server JOIN item ON item.server = server.id AND item.kind = :kind
        WHERE server.name = :server ORDER BY item.place"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(named_params! { ":kind": kind_number(kind), ":server": server }, item)?;
    rows.collect()
}

pub(super) fn show(
    connection: &Connection,
    server: &str,
    kind: Kind,
    name: &str,
) -> rusqlite::Result<Option<Item>> {
    let sql = format!(
        "SELECT {LINE}, item.raw FROM server JOIN item ON item.server = server.id
        WHERE server.name = :server AND item.kind = :kind AND item.name = :name ORDER BY item.place LIMIT 1"
    );
    let asked = named_params! { ":server": server, ":kind": kind_number(kind), ":name": name };
    connection.query_row(&sql, asked, item).optional()
}

pub(super) fn search(connection: &Connection, text: &str, limit: usize) -> rusqlite::Result<Vec<Found>> {
    let Some((all, any)) = words::asked(text) else { return Ok(Vec::new()) };
    // The best are chosen before anything else is read of them.
    let sql = format!(
        "SELECT {LINE}, fit.rank FROM
        (SELECT rowid, {WEIGHTS} AS rank FROM words WHERE words MATCH :asked ORDER BY 2 LIMIT :limit)
        AS fit JOIN item ON item.id = fit.rowid JOIN server ON server.id = item.server
        ORDER BY fit.rank, server.place, item.place"
    );
    let mut statement = connection.prepare(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    for asked in [&all, &any] {
        let asked = named_params! { ":asked": asked, ":limit": limit };
        let rows = statement
            .query_map(asked, |row| Ok(Found { line: line(row)?, score: -row.get::<_, f64>(6)? }))?;
        let found: Vec<Found> = rows.collect::<rusqlite::Result<_>>()?;
        if !found.is_empty() || all == any {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    Ok(Line {
        server: row.get(0)?,
        stale: row.get(1)?,
        name: row.get(2)?,
        title: row.get(3)?,
        brief: row.get(4)?,
        hash: Hash::from_bytes(bytes(row, 5)?),
    })
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item { line: line(row)?, raw: row.get(6)? })
}

fn fingerprint(row: &Row<'_>, column: usize) -> rusqlite::Result<Fingerprint> {
    bytes(row, column).map(Fingerprint)
}

fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; 32]> {
    row.get(column)
}

fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    let number: Option<i64> = row.get(column)?;
    number.map(|number| whole(number, column)).transpose()
}

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    whole(row.get(column)?, column)
}

fn whole(number: i64, column: usize) -> rusqlite::Result<u64> {
    u64::try_from(number)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}
