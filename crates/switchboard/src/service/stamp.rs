//! The line by which we know a unit of ours again, and whether somebody edited it since.

use switchboard_host::hash::Hash;

/// How the line begins.
const BEGINNING: &str = "# written by `switchboard service install`, sha256 ";

/// Whose a unit file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// As we wrote it.
    Ours,
    /// We wrote it, and somebody edited it since.
    Edited,
    /// Somebody else's.
    Foreign,
}

/// Returns the text with the line in front.
pub(crate) fn stamped(text: &str) -> String {
    format!("{BEGINNING}{}\n{text}", Hash::of(text.as_bytes()))
}

/// Returns whose a unit file with this text is.
pub(crate) fn whose(text: &str) -> Whose {
    let Some((line, rest)) = text.strip_prefix(BEGINNING).and_then(|rest| rest.split_once('\n')) else {
        return Whose::Foreign;
    };
    if Hash::parse(line.trim()) == Some(Hash::of(rest.as_bytes())) { Whose::Ours } else { Whose::Edited }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_unit_is_told_from_ours_and_from_others() {
        let ours = stamped("[Unit]\nDescription=x\n");
        assert_eq!(whose(&ours), Whose::Ours);
        assert_eq!(whose(&ours.replace("=x", "=y")), Whose::Edited);
        assert_eq!(whose(&format!("{ours}# more\n")), Whose::Edited);
        assert_eq!(whose("[Unit]\nDescription=x\n"), Whose::Foreign);
        assert_eq!(whose(""), Whose::Foreign);
    }
}
