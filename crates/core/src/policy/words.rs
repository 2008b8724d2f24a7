//! The words of a name.

/// Returns the words of `name` in small letters: split at whatever is no letter or digit, and where the case changes.
///
/// `get_issue`, `getIssue`, `get-issue`, `Get.Issue` and `GETIssue` have the same two.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_alphanumeric() {
            let after_small = before.is_lowercase() || before.is_numeric();
            // `HTTPServer`: the last of several capital letters begins the next word.
            let ends_capitals =
                before.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase());
            if letter.is_uppercase() && (after_small || ends_capitals) && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.extend(letter.to_lowercase());
        } else {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        before = letter;
    }
    words.extend((!word.is_empty()).then_some(word));
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
