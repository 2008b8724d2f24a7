//! How a watch is doing.

/// How a watch is doing: what `status` and metrics say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The thread of the watch runs. If not, nothing is told any more.
    pub running: bool,
    /// Every folder is watched by the system itself. If not, some changes are only found by looking.
    pub native: bool,
    /// How many files are watched.
    pub files: usize,
    /// How many folders the system watches for us.
    pub watched_folders: usize,
    /// How many folders it does not, so that their files are only looked at now and then.
    pub unwatched_folders: usize,
    /// Why not, in the words of the system.
    pub why: Option<String>,
    /// How often events were lost because too many came at once. Everything was looked at each time.
    pub overflows: u64,
    /// How many changes were found by looking alone, without an event.
    pub polled_changes: u64,
    /// How many changes were told.
    pub told: u64,
}
