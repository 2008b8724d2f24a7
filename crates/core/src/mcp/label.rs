//! The name of a server where something else is named after it: in addresses, and in the ids of tasks.

use std::fmt::Write as _;

/// Stands before the two hexadecimal digits of a byte that cannot stand for itself.
const CODED: char = '~';

/// Returns the label of a server: its name, of `a-z 0-9 - _ ~` alone.
///
/// That is what a host of an address may consist of, and it survives readers that write hosts in lower case. There is no
/// dot in it, so that one may end it. Two names never have the same label.
pub(super) fn label(server: &str) -> String {
    let mut label = String::with_capacity(server.len());
    for byte in server.bytes() {
        if is_plain(byte) {
            label.push(char::from(byte));
        } else {
            let _ = write!(label, "{CODED}{byte:02x}");
        }
    }
    label
}

/// Returns the name that a label stands for; `None` where [`label`] makes no such label.
pub(super) fn server_of(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let taken = if next == CODED {
            let byte = u8::from_str_radix(rest.get(1..3)?, 16).ok()?;
            bytes.push(byte);
            3
        } else {
            bytes.push(u8::try_from(next).ok()?);
            1
        };
        rest = rest.get(taken..)?;
    }
    let server = String::from_utf8(bytes).ok()?;
    // What could be said otherwise as well is none of ours: each label is written in one way.
    (!server.is_empty() && label(&server) == text).then_some(server)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_stand_for_themselves_and_others_are_coded() {
        for (server, said) in [
            ("github", "github"),
            ("my-server_2", "my-server_2"),
            ("GitHub", "~47it~48ub"),
            ("a.b/c", "a~2eb~2fc"),
            ("é", "~c3~a9"),
        ] {
            assert_eq!(label(server), said);
        }
        for none in ["", "A", "a.b", "~", "~4", "~zz", "~61", "~ff", "~4E", "é", "~+f"] {
            assert_eq!(server_of(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn a_label_stands_for_one_name_and_a_name_has_one_label(server in ".{1,40}", other in ".{0,20}") {
            prop_assert_eq!(server_of(&label(&server)), Some(server));
            if let Some(read) = server_of(&other) {
                prop_assert_eq!(label(&read), other);
            }
        }
    }
}
