//! The revisions of the protocol, and their two eras.

/// The revisions that begin with `initialize`, oldest first.
pub const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The stateless revisions, oldest first.
pub const MODERN: [&str; 1] = ["2026-07-28"];

/// The newest revision that begins with `initialize`.
pub const LATEST_LEGACY: &str = "2025-11-25";

/// The newest revision.
pub const LATEST: &str = "2026-07-28";

/// The only revision in which a message may be an array of messages.
pub const WITH_BATCHES: &str = "2025-03-26";

/// How a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// By a handshake and within a session: 2024-11-05 to 2025-11-25.
    Legacy,
    /// Stateless, with everything in each request: from 2026-07-28 on.
    Modern,
}

impl Era {
    /// Returns the era of a revision; `None` for one that is not known.
    pub fn of(revision: &str) -> Option<Self> {
        if LEGACY.contains(&revision) {
            Some(Self::Legacy)
        } else if MODERN.contains(&revision) {
            Some(Self::Modern)
        } else {
            None
        }
    }
}

/// Returns the revision that a handshake settles on: the one asked for where it is known, else the newest that has
/// handshakes (2025-11-25, basic/lifecycle, "Version Negotiation").
pub fn settled(asked: &str) -> &'static str {
    LEGACY.into_iter().find(|known| *known == asked).unwrap_or(LATEST_LEGACY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_settles_on_what_was_asked_for_or_on_the_newest() {
        for (asked, revision) in [
            ("2024-11-05", "2024-11-05"),
            ("2025-11-25", "2025-11-25"),
            ("2026-07-28", "2025-11-25"),
            ("1999-01-01", "2025-11-25"),
            ("", "2025-11-25"),
        ] {
            assert_eq!(settled(asked), revision, "{asked}");
        }
        assert_eq!(Era::of("2026-07-28"), Some(Era::Modern));
        assert_eq!(Era::of("2025-03-26"), Some(Era::Legacy));
        assert_eq!(Era::of("2027-01-01"), None);
    }
}
