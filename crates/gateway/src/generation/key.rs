//! Who shares a connection to a server.

use std::path::PathBuf;

use crate::caller::Profile;

/// What tells the connections to one server apart: who may share one has the same key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// What those behind it can do.
    pub(crate) profile: Profile,
    /// The session, where it is not shared.
    pub(crate) session: Option<u64>,
    /// The project, where the launch data names `${root}`.
    pub(crate) root: Option<PathBuf>,
    /// One of several for stateless callers, so that each has one call at a time.
    pub(crate) lane: usize,
}
