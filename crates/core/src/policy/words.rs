//! The words of a name.

/// Returns the words of `name` in small letters.
///
/// `get_issue`, `getIssue`, `get-issue`, `Get.Issue` and `GETIssue` have the same two.
pub(crate) fn words(name: &str) -> Vec<String> {
    split(name).into_iter().map(str::to_lowercase).collect()
}

/// Returns the words of `name` as they stand there: split at whatever is no letter or digit, and where the case changes.
pub(super) fn split(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut before = ' ';
    let mut letters = name.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let after_small = before.is_lowercase() || before.is_numeric();
        // `HTTPServer`: the last of several capital letters begins the next word.
        let ends_capitals =
            before.is_uppercase() && letters.peek().is_some_and(|(_, next)| next.is_lowercase());
        let begins = letter.is_uppercase() && (after_small || ends_capitals);
        let is_part = letter.is_alphanumeric();
        if begins || !is_part {
            words.extend(start.take().map(|start| &name[start..at]));
        }
        if is_part {
            start.get_or_insert(at);
        }
        before = letter;
    }
    words.extend(start.map(|start| &name[start..]));
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_split_at_signs_and_where_the_case_changes() {
        for (name, expected) in [
            ("list_pods", "list pods"),
            ("listPods", "list pods"),
            ("list-pods", "list pods"),
            ("k8s.listPods", "k8s list pods"),
            ("getHTTPServer", "get http server"),
            ("GMAIL_SEND_EMAIL", "gmail send email"),
            ("getS3Object", "get s3 object"),
            ("PATCHUser", "patch user"),
            ("browser/tab:new", "browser tab new"),
            ("删除", "删除"),
            ("__", ""),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }
}
