//! Texts between quotation marks, with the escapes that all formats share.

/// Appends `text` in quotation marks. `escape` spells what else a format cannot hold as it is.
pub(crate) fn quote(text: &str, out: &mut String, escape: impl Fn(char) -> Option<String>) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => match escape(c) {
                Some(escape) => out.push_str(&escape),
                None => out.push(c),
            },
        }
    }
    out.push('"');
}
