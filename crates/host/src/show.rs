//! Paths in messages.

use std::path::Path;

/// Returns `path` for a message: control characters are escaped, so that a hostile file name can neither break a line
/// nor steer a terminal.
pub(crate) fn path(path: &Path) -> String {
    let mut shown = String::new();
    for character in path.to_string_lossy().chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(path(Path::new("/a\n\u{1b}[2J/é b")), "/a\\n\\u{1b}[2J/é b");
    }
}
