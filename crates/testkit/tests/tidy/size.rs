//! Files stay small enough to be read at once.

use crate::{none, sources};

/// A file of more lines than this is a question.
const LIMIT: usize = 500;

/// Files over the limit, each with the answer.
const LARGER: &[(&str, &str)] = &[];

#[test]
fn no_file_is_too_long_to_be_read_at_once() {
    let mut found = Vec::new();
    let sources = sources();
    for (path, text) in &sources {
        let lines = text.lines().count();
        if lines > LIMIT && !LARGER.iter().any(|(larger, _)| larger == path) {
            found.push(format!("{path} has {lines} lines: split it, or say in tidy/size.rs why not"));
        }
    }
    for (larger, _) in LARGER {
        if !sources.iter().any(|(path, text)| path == larger && text.lines().count() > LIMIT) {
            found.push(format!("{larger} is no longer that long: take it out of tidy/size.rs"));
        }
    }
    none(&found);
}
