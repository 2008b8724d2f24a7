//! What differs between two texts.

/// Returns the parts in the middle of two texts that begin and end alike.
pub(crate) fn middles<'t>(before: &'t str, after: &'t str) -> (&'t str, &'t str) {
    let same = |pairs: &mut dyn Iterator<Item = (char, char)>| {
        pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum::<usize>()
    };
    let head = same(&mut before.chars().zip(after.chars()));
    let tail = same(&mut before[head..].chars().rev().zip(after[head..].chars().rev()));
    (&before[head..before.len() - tail], &after[head..after.len() - tail])
}

/// Checks that one text follows from the other by a change of these entries, and that every other byte is the same.
pub(crate) fn only_these_changed(before: &str, after: &str, ours: &[&str], others: &[&str]) {
    let (was, is) = middles(before, after);
    assert!(was != is, "nothing changed");
    for other in others {
        assert!(
            !was.contains(other) && !is.contains(other),
            "`{other}` is in the change from {was:?} to {is:?}"
        );
    }
    for name in ours {
        assert!(after.contains(name) || before.contains(name), "`{name}` is nowhere");
    }
}

/// Checks that one text is the other with something put in at one place, which tells of these entries.
pub(crate) fn only_put_in(before: &str, after: &str, ours: &[&str]) {
    let (was, is) = middles(before, after);
    assert_eq!(was, "", "bytes of others changed to {is:?}");
    for name in ours {
        assert!(is.contains(name), "`{name}` is not in {is:?}");
    }
}
