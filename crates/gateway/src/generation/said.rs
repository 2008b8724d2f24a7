//! What the catalogue says of a server.

use std::sync::Arc;
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use switchboard_core::catalogue::Server;
use switchboard_core::upstream::Rules;

/// What the catalogue says about a server.
pub(crate) struct Said {
    pub(crate) server: Arc<Server>,
    pub(crate) rules: Rules,
    allow: GlobSet,
    deny: GlobSet,
}

impl Said {
    pub(super) fn new(server: Arc<Server>, drain: Duration) -> Self {
        let (allow, deny) = (globs(&server.tools.allow), globs(&server.tools.deny));
        Self { rules: Rules::of(&server, drain), server, allow, deny }
    }

    /// Returns whether the server's owner offers this tool.
    pub(super) fn offers(&self, tool: &str) -> bool {
        self.allow.is_match(tool) && !self.deny.is_match(tool)
    }
}

fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in patterns.iter().filter_map(|pattern| Glob::new(pattern).ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}
