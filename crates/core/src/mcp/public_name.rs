//! The name by which a tool or prompt is known behind the face that shows several servers.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// What stands between the prefix and the name.
const BETWEEN: &str = "__";

/// So many hexadecimal digits tell names apart that had to be changed.
const DIGITS: usize = 8;

/// Returns the public name of `name`: `prefix__name`, or with an empty prefix the name alone, at most `limit` bytes long, of `A-Z a-z 0-9 _ - .` (SEP-986).
///
/// It depends on its arguments alone, so that it is the same whichever other servers there are. A name that is too long
/// or has other characters is changed and gets a hash of what it was, so that two of them stay two.
pub fn public_name(prefix: &str, name: &str, limit: usize) -> String {
    let whole = if prefix.is_empty() { name.to_owned() } else { format!("{}{BETWEEN}{name}", plain(prefix)) };
    let fits = whole.len() <= limit && whole.bytes().all(is_plain);
    if fits {
        return whole;
    }
    let hash = Sha256::digest(whole.as_bytes());
    let digits = hash.iter().take(DIGITS / 2).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let kept = plain(&whole);
    let room = limit.saturating_sub(DIGITS + 1).min(kept.len());
    format!("{}_{digits}", &kept[..room])
}

/// Returns the prefix of a server: what its owner says, or its name.
pub fn prefix<'a>(said: Option<&'a str>, server: &'a str) -> &'a str {
    said.unwrap_or(server)
}

/// Returns how the public names of a server's tools and prompts begin. Servers for which that is the same may hide each
/// other's.
pub fn public_prefix(said: Option<&str>, server: &str) -> String {
    let prefix = plain(prefix(said, server));
    if prefix.is_empty() { prefix } else { prefix + BETWEEN }
}

/// Some clients take no dots in names (and so no dots in ours), but those that a server gives are its own.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_prefixed_and_kept_within_what_clients_take() {
        for (prefix, name, public) in [
            ("k8s", "list_pods", "k8s__list_pods"),
            ("my server", "read.file", "my_server__read.file"),
            ("a.b", "x", "a_b__x"),
            ("", "list_pods", "list_pods"),
            ("", "a b", "a_b_c8687a08"),
            ("k8s", "删除", "k8s_____d86d061e"),
            ("k8s", "a b", "k8s__a_b_1ed45b71"),
        ] {
            // Clients keep these names in what they allow: they stay what they are, to the last digit.
            assert_eq!(public_name(prefix, name, 64), public);
        }
        let long = public_name("server", &"x".repeat(200), 64);
        assert_eq!(long.len(), 64);
        assert!(long.starts_with("server__xxx"), "{long}");
    }

    proptest! {
        #[test]
        fn a_public_name_always_fits_and_two_names_never_become_one(
            prefix in "[a-z .]{0,40}", one in ".{0,80}", other in ".{0,80}", limit in 24..128_usize,
        ) {
            let first = public_name(&prefix, &one, limit);
            prop_assert!(first.len() <= limit && first.bytes().all(is_plain), "{first}");
            prop_assert_eq!(&first, &public_name(&prefix, &one, limit));
            prop_assert_eq!(one == other, first == public_name(&prefix, &other, limit));
        }
    }
}
