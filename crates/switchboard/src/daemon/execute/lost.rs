//! What a home has lost while it is served.

use switchboard_core::catalogue::Catalogue;
use switchboard_core::problem::Problem;

use super::Hands;
use crate::fail::Failure;
use crate::home::Home;

impl Hands {
    /// Returns what is in service where the home has lost everything that it said: somebody took it away, and meant it no
    /// more than one who empties the catalogue.
    pub(super) fn is_gone(&self, home: &Home) -> Option<(Catalogue, Problem)> {
        let is_new = home.history.last().is_none() && home.catalogue.catalogue.is_empty();
        let board = self.board.borrow();
        let now = board.now().filter(|now| is_new && !now.catalogue.is_empty())?;
        let what = "the catalogue is gone, with all that was remembered of it; the last good revision stays in service";
        let help = "bring the folder back, or save a catalogue again";
        Some((Catalogue::clone(&now.catalogue), Problem::error(what).help(help)))
    }

    /// Has the revision in service stand above all that were announced: where the history was lost while we run, it
    /// begins anew, and whoever follows would take what comes for old.
    pub(super) fn keep_up(&self, home: &mut Home) -> Result<(), Failure> {
        let Some(announced) = self.board.borrow().now().map(|now| now.entry.revision.clone()) else {
            return Ok(());
        };
        home.history.raise(&announced, &home.dirs)
    }
}
