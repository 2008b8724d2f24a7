//! What a merge has done.

use std::fmt;

use serde::Serialize;

/// One thing that has changed in the policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct News {
    /// The server of the tool.
    pub server: String,
    /// The tool.
    pub tool: String,
    /// What has become of its table.
    pub what: What,
}

/// What has become of a tool's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It is new.
    Added,
    /// Values in it that nobody has changed follow the tool.
    Changed,
    /// It is a comment now, because the tool is not offered any more.
    Gone,
    /// It stands again as it was.
    Back,
    /// Its comment is gone too.
    Dropped,
}

impl News {
    fn of(server: &str, tool: &str, what: What) -> Self {
        Self { server: server.to_owned(), tool: tool.to_owned(), what }
    }

    pub(super) fn added(server: &str, tool: &str) -> Self {
        Self::of(server, tool, What::Added)
    }

    pub(super) fn changed(server: &str, tool: &str) -> Self {
        Self::of(server, tool, What::Changed)
    }

    pub(super) fn gone(server: &str, tool: &str) -> Self {
        Self::of(server, tool, What::Gone)
    }

    pub(super) fn back(server: &str, tool: &str) -> Self {
        Self::of(server, tool, What::Back)
    }

    pub(super) fn dropped(server: &str, tool: &str) -> Self {
        Self::of(server, tool, What::Dropped)
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, tool, what } = self;
        let tool = tool.escape_debug();
        match what {
            What::Added => write!(f, "add `{tool}` of `{server}`"),
            What::Changed => write!(f, "update `{tool}` of `{server}`"),
            What::Gone => write!(f, "comment out `{tool}` of `{server}`, which is not offered any more"),
            What::Back => write!(f, "bring back `{tool}` of `{server}` as it was"),
            What::Dropped => write!(f, "drop `{tool}` of `{server}`, which has been gone for long"),
        }
    }
}
