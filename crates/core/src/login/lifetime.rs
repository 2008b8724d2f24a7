//! How long a token is good for.

use serde::{Deserialize, Serialize};

/// A token is renewed so long before its end, in seconds: a call that carries it takes a while to arrive.
const EARLY: u64 = 60;

/// A clock that stands so far before the moment at which the token came has been set back, in seconds.
const SET_BACK: u64 = 300;

/// When a token came and when it ends, in seconds since 1970. The clock of the wall counts: it goes on while the machine
/// sleeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    /// When it came.
    pub received: u64,
    /// When it ends; `None` if nobody has said.
    pub expires: Option<u64>,
}

/// What a token is worth at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It can be used.
    Fresh,
    /// It can be used, and should be renewed.
    Stale,
    /// It is of no use any more.
    Over,
}

impl Lifetime {
    /// Returns what the token is worth at `now`. One that lives for a short time is not renewed all the time.
    pub fn at(self, now: u64) -> Freshness {
        let Some(expires) = self.expires else { return Freshness::Fresh };
        let early = EARLY.min(expires.saturating_sub(self.received) / 4);
        if now >= expires {
            Freshness::Over
        } else if now.saturating_add(early) >= expires || now.saturating_add(SET_BACK) < self.received {
            Freshness::Stale
        } else {
            Freshness::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_before_its_end() {
        for (received, expires, now, worth) in [
            (1000, None, 0, Freshness::Fresh),
            (1000, None, 1_000_000, Freshness::Fresh),
            (1000, Some(4600), 1000, Freshness::Fresh),
            (1000, Some(4600), 4539, Freshness::Fresh),
            (1000, Some(4600), 4540, Freshness::Stale),
            (1000, Some(4600), 4599, Freshness::Stale),
            (1000, Some(4600), 4600, Freshness::Over),
            (1000, Some(1020), 1014, Freshness::Fresh),
            (1000, Some(1020), 1015, Freshness::Stale),
            (1000, Some(1000), 1000, Freshness::Over),
            // The machine slept, or the clock was set.
            (1000, Some(4600), 90_000, Freshness::Over),
            (1000, Some(4600), 800, Freshness::Fresh),
            (1000, Some(4600), 600, Freshness::Stale),
            (1000, Some(u64::MAX), u64::MAX - 1, Freshness::Stale),
        ] {
            assert_eq!(Lifetime { received, expires }.at(now), worth, "{received} {expires:?} {now}");
        }
    }
}
