//! What binds a task to the one who began it, where not everybody may have it (requirement C12).
//!
//! The protocol has whoever serves several requestors bind tasks to each of them. Nothing is kept for that: the id that a
//! holder is given proves that it was given to them, and goes on to do so when everything between has begun anew.

use std::fmt::Write as _;
use std::sync::Arc;

use ring::hmac;

/// So many bytes of the code are in a mark: whoever guesses has to ask for each guess.
const LENGTH: usize = 8;

/// What a holder's tasks are marked with.
#[derive(Clone)]
pub(crate) struct Marker {
    key: hmac::Key,
    who: Arc<str>,
}

impl Marker {
    /// Returns what the tasks of this holder are marked with, under this secret.
    pub(crate) fn new(secret: &[u8; 32], who: &Arc<str>) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), who: Arc::clone(who) }
    }

    /// Returns the mark of one task of a server's.
    pub(crate) fn mark(&self, server: &str, id: &str) -> String {
        let mut code = hmac::Context::with_key(&self.key);
        for part in [&*self.who, server, id] {
            code.update(&(part.len() as u64).to_be_bytes());
            code.update(part.as_bytes());
        }
        let code = code.sign();
        code.as_ref().iter().take(LENGTH).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Returns whether this is the mark of a task. The time that it takes says nothing of the right one.
    pub(crate) fn is(&self, mark: &str, server: &str, id: &str) -> bool {
        let right = self.mark(server, id);
        right.len() == mark.len()
            && right.bytes().zip(mark.bytes()).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_holder_one_server_and_one_task() {
        let of = |secret: u8, who: &str| Marker::new(&[secret; 32], &Arc::from(who));
        let mark = of(1, "ci").mark("k8s", "t.1");
        assert_eq!(mark.len(), 2 * LENGTH);
        assert!(of(1, "ci").is(&mark, "k8s", "t.1"), "it is the same whenever it is made");
        for (marker, server, id) in [
            (of(2, "ci"), "k8s", "t.1"),
            (of(1, "c"), "ik8s", "t.1"),
            (of(1, "ci"), "k8", "st.1"),
            (of(1, "ci"), "k8s", "t.2"),
        ] {
            assert!(!marker.is(&mark, server, id), "{server} {id}");
        }
        assert!(!of(1, "ci").is("", "k8s", "t.1") && !of(1, "ci").is(&mark[1..], "k8s", "t.1"));
    }
}
