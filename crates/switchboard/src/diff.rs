//! Two texts side by side, as people know it from `diff -u`.

use owo_colors::OwoColorize;
use similar::{ChangeTag, TextDiff};
use switchboard_core::document::Format;

use crate::mask::masked;

/// Lines of context around each change.
const CONTEXT: usize = 3;

/// Returns the lines of a unified diff of two documents in which values that may be secrets are hidden.
pub(crate) fn discreet(name: &str, before: &str, after: &str, format: Format) -> Vec<String> {
    unified(name, &masked(before, format), &masked(after, format))
}

/// Returns the lines of a unified diff, coloured where colour is wanted.
pub(crate) fn unified(name: &str, before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = vec![format!("--- {name}"), format!("+++ {name}")];
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(hunk.header().to_string().trim_end().cyan().to_string());
        for change in hunk.iter_changes() {
            let text = change.value().trim_end_matches(['\r', '\n']);
            lines.push(match change.tag() {
                ChangeTag::Delete => format!("-{text}").red().to_string(),
                ChangeTag::Insert => format!("+{text}").green().to_string(),
                ChangeTag::Equal => format!(" {text}"),
            });
        }
    }
    lines
}
