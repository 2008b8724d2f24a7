//! Words as a shell tells them apart, without anything else that a shell does.

/// Why a text cannot be split into words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A quote is opened and never closed.
    #[error("has a quote ({0}) that is never closed")]
    OpenQuote(char),
    /// The text ends with a backslash.
    #[error("ends with a backslash")]
    OpenEscape,
}

/// Splits `text` into words.
///
/// Blanks separate; single quotes keep everything; double quotes keep blanks, and a backslash in them takes `"`, `\`
/// and `$` literally; elsewhere a backslash takes the next character literally. There are no variables, globs or
/// operators: `$HOME` and `|` are text.
pub fn words(text: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' | '"' => quoted(c, &mut rest, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(rest.next().ok_or(WordsError::OpenEscape)?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn quoted(quote: char, rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    while let Some(c) = rest.next() {
        match c {
            c if c == quote => return Ok(()),
            '\\' if quote == '"' => match rest.next().ok_or(WordsError::OpenQuote(quote))? {
                c @ ('"' | '\\' | '$') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
    Err(WordsError::OpenQuote(quote))
}
