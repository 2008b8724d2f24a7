//! Overwriting a file that cannot be replaced. Weaker: a crash half-way leaves a torn file, whose old content is in
//! the backups by then.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use super::{How, Outcome, Replacing, WriteError, Written};
use crate::file::Opened;
use crate::system;

impl Replacing<'_> {
    /// Overwrites the file that was `found`. Its content is in the backups already.
    pub(super) fn write_in_place(&self, found: &Opened) -> Result<Outcome, WriteError> {
        let file = system::open_to_write(self.real()).map_err(self.io("open it for writing"))?;
        let again = self.current()?;
        let Some(again) = again.filter(|again| again.snapshot.hash == found.snapshot.hash) else {
            return Ok(Outcome::conflict(self.current()?));
        };
        let (open, named) = (file.metadata().map_err(self.io("look at it"))?, again.snapshot.stamp);
        if (system::stamp(&open).dev, system::stamp(&open).ino) != (named.dev, named.ino) {
            // Another file took the name since it was opened: its bytes are the same, but it is the one to write.
            return Ok(Outcome::conflict(Some(again)));
        }
        // Room for the new content first: running out half-way is what must not happen.
        system::reserve(&file, self.bytes.len() as u64).map_err(self.io("reserve room for it"))?;
        if let Err(error) = overwrite(&file, self.bytes) {
            return Err(self.put_back(&file, &again, error));
        }
        let synced = file.sync_all();
        let written = Written { now: self.snapshot(&file), how: How::InPlace };
        Ok(Outcome::published(written, synced))
    }

    fn put_back(&self, file: &File, old: &Opened, error: io::Error) -> WriteError {
        match overwrite(file, &old.snapshot.bytes).and_then(|()| file.sync_all()) {
            Ok(()) => self.io("overwrite it")(error),
            Err(_) => WriteError::HalfWritten {
                path: self.real().to_owned(),
                backup: old.snapshot.hash,
                source: error,
            },
        }
    }
}

/// Overwrites first and cuts off after, so that the file is never empty.
fn overwrite(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)
}
