//! The tables of the registry, and what the database is told about how to keep them.

use rusqlite::{Connection, TransactionBehavior};

use super::place::PATIENCE;

/// What tells our database from those of other programs: `SwRg`.
const APPLICATION: i64 = 0x5377_5267;

/// The version of the tables. Another one is put aside: what is in it is discovered again.
const VERSION: i64 = 1;

/// The largest that the database may become, in pages of 4 KiB: one gibibyte.
const PAGES: i64 = 256 * 1024;

/// So many bytes of what was written lately are left beside the database at most.
const BESIDE: i64 = 4 * 1024 * 1024;

/// The columns that lists are made of stand before `raw`, so that whoever reads a list does not read what is long.
const TABLES: &str = "
CREATE TABLE server (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    name TEXT NOT NULL UNIQUE,
    fingerprint BLOB NOT NULL,
    seen INTEGER,
    stale_since INTEGER,
    stale_why TEXT,
    revision TEXT,
    capabilities TEXT,
    info TEXT,
    instructions TEXT
) STRICT;
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    server INTEGER NOT NULL REFERENCES server (id),
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    title TEXT,
    brief TEXT,
    hash BLOB NOT NULL,
    raw BLOB NOT NULL,
    UNIQUE (server, kind, place)
) STRICT;
CREATE INDEX item_name ON item (server, kind, name);
CREATE VIRTUAL TABLE words USING fts5 (
    name, title, server, description,
    content = '', contentless_delete = 1, prefix = '1 2 3',
    tokenize = 'unicode61 remove_diacritics 2'
);
";

/// Whose tables a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// It has none.
    None,
    /// These.
    Ours,
    /// Others; says which.
    Other(String),
}

/// Says how the connection behaves. Nothing is written.
pub(super) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")
}

/// Returns whose tables the database has, all as of one moment: somebody may be making them.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<Version> {
    if connection.is_autocommit() { look(&*connection.unchecked_transaction()?) } else { look(connection) }
}

fn look(connection: &Connection) -> rusqlite::Result<Version> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (number("application_id")?, number("user_version")?) {
        (APPLICATION, VERSION) if tables > 0 => Version::Ours,
        (APPLICATION, version) => Version::Other(format!("it is of version {version}, and not {VERSION}")),
        (0, 0) if tables == 0 => Version::None,
        _ => Version::Other("it belongs to another program".to_owned()),
    })
}

/// Makes the tables where there are none, and returns whose there were or are.
pub(super) fn make(connection: &mut Connection) -> rusqlite::Result<Version> {
    let found = version(connection)?;
    if let Version::Other(_) = found {
        return Ok(found);
    }
    // Where several processes cannot share memory, it stays as it was, and they wait for each other longer.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update_and_check(None, "journal_size_limit", BESIDE, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "max_page_count", PAGES, |_| Ok(()))?;
    if found == Version::Ours {
        return Ok(found);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Somebody else may have been faster.
    if version(&transaction)? == Version::None {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    version(connection)
}

/// Looks through the whole database.
///
/// # Errors
/// Something in it is damaged.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(code, Some(said)))
}

/// Has the main file hold everything that was written.
pub(super) fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
