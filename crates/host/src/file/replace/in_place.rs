//! Overwriting a file that cannot be replaced. Weaker: a crash half-way leaves a torn file until the next sweep puts
//! the old content back, and what another program writes in the same moment is overwritten.

use std::fs::File;
use std::io;

use super::{How, Outcome, Replacing, WriteError, Written};
use crate::file::Opened;
use crate::file::unfinished::{Unfinished, overwrite};
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
        let new = self.keep(self.bytes, "about to be written in place")?;
        let begun = Unfinished::begin(self.backups, self.real(), again.snapshot.hash, new)
            .map_err(self.io("write down what is begun"))?;
        if let Err(error) = overwrite(&file, self.bytes) {
            let error = self.put_back(&file, &again, error);
            if !matches!(error, WriteError::HalfWritten { .. }) {
                begun.end(self.backups);
            }
            return Err(error);
        }
        let synced = file.sync_all();
        if synced.is_ok() {
            begun.end(self.backups);
        }
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
