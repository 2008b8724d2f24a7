//! What an event of the system means: a hint, never more.

use notify::EventKind;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};

use super::settle::Hint;
use crate::system;

/// What an event says of the names that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something changed.
    Change(Hint),
    /// Somebody opened the file, perhaps we.
    Opened,
    /// Nothing that concerns us.
    Nothing,
}

pub(super) fn meaning(kind: EventKind) -> Meaning {
    // Without events that tell of the end, the beginning of writing is no better than no event.
    let written = if system::TELLS_OPENING { Hint::Written } else { Hint::Unseen };
    Meaning::Change(match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Hint::Closed,
        EventKind::Access(AccessKind::Open(_)) => return Meaning::Opened,
        // An event of both names comes after one of each.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
            return Meaning::Nothing;
        }
        EventKind::Create(CreateKind::Folder) => Hint::Appeared,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => Hint::Removed,
        EventKind::Modify(ModifyKind::Name(_)) => Hint::Replaced,
        EventKind::Modify(ModifyKind::Metadata(_)) => Hint::Touched,
        EventKind::Create(_) | EventKind::Modify(_) => written,
        EventKind::Any | EventKind::Other => Hint::Unseen,
    })
}

/// Returns whether the system may have ended its watches of folders of that name.
pub(super) fn ends_watches(kind: EventKind) -> bool {
    matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
}
