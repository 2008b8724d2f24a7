//! Tools that are not offered any more: their tables as comments.
//!
//! ```toml
//! #~ gone since 2026-11-28: the server does not offer it any more; it stands again as it was when it does
//! #~ [tools.k8s.delete_pod]
//! #~ risk = "high"
//! ```

use std::ops::Range;
use std::time::Duration;

use super::date;
use crate::document::{Document, Format, Node};
use crate::value::Value;

/// So long a table that nobody has written in is kept as a comment. One with a person's words in it is kept for ever.
pub(super) const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// What each line begins with. Plain comments are a person's.
pub(super) const MARK: &str = "#~";

/// What the first line goes on with.
const SINCE: &str = "#~ gone since ";

/// A table that is a comment.
pub(super) struct Gone {
    pub(super) server: String,
    pub(super) tool: String,
    /// Where it stands, from its first line to the end of its last.
    pub(super) range: Range<usize>,
    /// What it was.
    pub(super) body: String,
    /// What it said.
    pub(super) says: Value,
}

/// Returns the lines of a table as comments.
pub(super) fn commented(block: &str, now: u64) -> String {
    let line_end = if block.contains("\r\n") { "\r\n" } else { "\n" };
    let mut out = format!(
        "{SINCE}{}: the server does not offer it any more; it stands again as it was when it does{line_end}",
        date::day(now)
    );
    for line in block.split_inclusive('\n') {
        out.push_str(MARK);
        if !line.trim_end_matches(['\r', '\n']).is_empty() {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}

/// Returns the tables that are comments, in the order of the text.
pub(super) fn blocks(text: &str) -> Vec<Gone> {
    let mut found = Vec::new();
    if !text.contains(SINCE) {
        return found;
    }
    let mut open: Option<(usize, String)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let is_first = line.starts_with(SINCE);
        if (is_first || !line.starts_with(MARK))
            && let Some((start, body)) = open.take()
        {
            found.extend(read(start..at, body));
        }
        if is_first {
            open = Some((at, String::new()));
        } else if let Some((_, body)) = &mut open {
            let line = &line[MARK.len()..];
            body.push_str(line.strip_prefix(' ').unwrap_or(line));
        }
        at += line.len();
    }
    if let Some((start, body)) = open {
        found.extend(read(start..at, body));
    }
    found
}

/// A block counts when its body says one tool and nothing else.
fn read(range: Range<usize>, body: String) -> Option<Gone> {
    let document = Document::parse(&body, Format::Toml).ok()?;
    let only = |node: &Node<'_>| match node.as_map()?.members.as_slice() {
        [member] => Some(member.key.to_string()),
        _ => None,
    };
    let tools =
        document.root()?.get("tools").filter(|_| document.root().is_some_and(|root| only(root).is_some()))?;
    let server = only(tools)?;
    let tool = only(tools.get(&server)?)?;
    let says = tools.get(&server)?.get(&tool)?.value();
    Some(Gone { server, tool, range, body, says })
}

/// Returns the range with one of the blank lines around it, so that what is left stands as it stood.
pub(super) fn with_gap(text: &str, range: &Range<usize>) -> Range<usize> {
    let behind = &text[range.end..];
    let blank =
        |rest: &str| rest.split_inclusive('\n').next().filter(|line| line.trim().is_empty()).map(str::len);
    if let Some(blank) = blank(behind) {
        return range.start..range.end + blank;
    }
    let before = &text[..range.start];
    let gap = if before.ends_with("\n\r\n") { 2 } else { usize::from(before.ends_with("\n\n")) };
    range.start - gap..range.end
}
