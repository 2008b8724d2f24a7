//! The files of the registry: made for their owner alone, and put aside when they cannot be used.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::fault::{Fault, Note};
use super::schema;
use crate::system;

/// How long others are waited for, and how long between two looks.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// What the database keeps beside itself while it is open.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The right to change the registry together with what is kept beside it, such as the stamp. It ends with this value.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
    alive: Arc<()>,
}

impl Turn {
    pub(super) fn take(path: &Path) -> Option<Self> {
        let lock = system::open_to_append(&with(path, ".lock")).ok()?;
        let mut left = PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Some(Self { _lock: lock, alive: Arc::default() }),
                Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Interrupted => return None,
                // Whoever was stopped in the middle of it must not hold up everybody else: what may come of two at a time
                // is asking once more than needed.
                Err(_) if left.is_zero() => return None,
                Err(_) => {
                    let pause = left.min(PAUSE);
                    thread::sleep(pause);
                    left -= pause;
                }
            }
        }
    }
}

impl Turn {
    /// Returns what is there as long as this is.
    pub(super) fn alive(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }
}

/// Returns the path with something behind its last name.
fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(end);
    path.with_file_name(name)
}

/// Opens what is there to read; `None` where nothing is.
pub(super) fn open_to_read(path: &Path) -> Result<Option<Connection>, Fault> {
    if !is_file(path)? {
        return Ok(None);
    }
    // Whoever may only read leaves behind what a database keeps beside itself; who may write, and does not, takes it along.
    let writing = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match Connection::open_with_flags(path, writing).map_err(Fault::from).and_then(ready_to_read) {
        // Whoever may not write beside a database can read it only as one that nobody writes: so it is.
        Err(Fault::Refused(why)) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let uri = flags | OpenFlags::SQLITE_OPEN_URI;
            let still = Connection::open_with_flags(still(path), uri).map_err(Fault::from);
            still.and_then(ready_to_read).map_err(|_| Fault::Refused(why))
        }
        opened => opened,
    }
}

fn ready_to_read(connection: Connection) -> Result<Option<Connection>, Fault> {
    schema::set_up(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    match schema::version(&connection)? {
        schema::Version::Ours => Ok(Some(connection)),
        // Somebody is making it at this moment.
        schema::Version::None => Ok(None),
        schema::Version::Other(why) => Err(Fault::Damaged(why)),
    }
}

/// Returns the name by which a database is opened that nobody writes.
fn still(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => {
                let _ = write!(uri, "%{byte:02x}");
            }
        }
    }
    uri + "?immutable=1"
}

/// How often is looked again at a database that others put aside and make at the same time.
const LOOKS: usize = 20;

/// Opens the database to write, and makes it where there is none. What cannot be used is put aside, once.
pub(super) fn open_to_write(path: &Path, has_turn: bool) -> Result<(Connection, Option<Note>), Fault> {
    system::make_folder(path.parent().unwrap_or(path))?;
    let mut looks = 0;
    loop {
        let which = identity(path);
        let why = match which.map(|_| made(path)) {
            None => None,
            Some(Ok(connection)) => return Ok((connection, None)),
            Some(Err(Fault::Damaged(why))) => Some(why),
            Some(Err(Fault::Refused(why))) if is_anothers(path) => Some(why),
            Some(Err(fault)) => {
                looks += 1;
                if identity(path) != which && looks < LOOKS {
                    continue;
                }
                return Err(fault);
            }
        };
        return renew(path, which, why.as_deref(), has_turn);
    }
}

/// Puts a database aside that cannot be used, for this reason, and makes a new one. Only one does so at a time: what
/// another has made in the meantime is used as it is.
pub(super) fn renew(
    path: &Path,
    which: Identity,
    why: Option<&str>,
    has_turn: bool,
) -> Result<(Connection, Option<Note>), Fault> {
    let _turn = (!has_turn).then(|| Turn::take(path));
    let note = match why {
        Some(why) if identity(path) == which => Some(set_aside(path, why)?),
        _ => None,
    };
    Ok((made(path)?, note))
}

/// Returns whether the database alone is not for us to write, as one is that was made with another user's rights.
fn is_anothers(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    path.exists() && !system::may_write(path) && system::may_write(folder)
}

fn made(path: &Path) -> Result<Connection, Fault> {
    if !is_file(path)? {
        // The database itself would be made for whom the umask lets in, and so would what it keeps beside itself.
        match system::create_new(path, 0o600) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
    }
    owner_only(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    schema::set_up(&connection)?;
    let begun = Instant::now();
    loop {
        // Of several who make it at once, the database has some fail that would only have to wait.
        match schema::make(&mut connection).map_err(|error| Fault::of(&error)) {
            Ok(schema::Version::Other(why)) => return Err(Fault::Damaged(why)),
            Ok(_) => break,
            Err(Fault::Busy) if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Err(fault) => return Err(fault),
        }
    }
    if connection.is_readonly("main")? {
        return Err(Fault::Refused("it is not writable".to_owned()));
    }
    Ok(connection)
}

/// Returns whether there is a file; what is something else cannot be used.
fn is_file(path: &Path) -> Result<bool, Fault> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_file() => Ok(true),
        Ok(_) => Err(Fault::Damaged("it is not a file".to_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Keeps everybody but the owner out of the database and of what it keeps beside itself.
pub(super) fn owner_only(path: &Path) {
    for path in [path.to_owned(), with(path, BESIDE[0]), with(path, BESIDE[1])] {
        // One that is not there needs no care, and one that is another's is not ours to give.
        let _ = system::owner_only(&path);
    }
}

/// What tells the file at a place from another one that comes to be there.
pub(super) type Identity = Option<(u64, u64)>;

/// Returns which file is at this place.
pub(super) fn identity(path: &Path) -> Identity {
    let stamp = system::stamp(&std::fs::symlink_metadata(path).ok()?);
    Some((stamp.dev, stamp.ino))
}

/// Puts the database aside, in the place of the one that was put aside before. Whoever calls this has the turn.
fn set_aside(path: &Path, why: &str) -> Result<Note, Fault> {
    for end in BESIDE {
        // What was not written into the old database must not be taken for something of the new one.
        match system::remove(&with(path, end)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let mut aside = with(path, ".damaged");
    if system::rename(path, &aside).is_err() {
        // A folder lies in one of the two places.
        aside = elsewhere(path)?;
    }
    Ok(Note::Aside { aside, why: why.to_owned() })
}

fn elsewhere(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1_u32;
    loop {
        let aside = with(path, &format!(".damaged-{number}"));
        match system::rename_new(path, &aside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 1_000 => number += 1,
            outcome => return outcome.map(|()| aside),
        }
    }
}
