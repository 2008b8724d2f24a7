//! How systemd wants paths and words written.
//!
//! `%` begins a specifier everywhere, `$` a variable in command lines alone, and words end at blanks unless quoted.

use std::path::Path;

use super::NotAUnit;

/// Returns a command line of these words, to stand behind `ExecStart=`.
///
/// # Errors
/// A word has characters that a unit file cannot hold.
pub(crate) fn command(words: &[String]) -> Result<String, NotAUnit> {
    // Of a program systemd wants more than of its arguments.
    if let Some(program) = words.first().filter(|program| program.contains(['"', '\'', '\\'])) {
        return Err(NotAUnit::Text(program.clone()));
    }
    let quoted = words.iter().map(|word| quoted(word)).collect::<Result<Vec<_>, _>>()?;
    // The colon keeps variables from being filled in. `$$` would do for arguments, but not for the program.
    let colon = if words.iter().any(|word| word.contains('$')) { ":" } else { "" };
    Ok(format!("{colon}{}", quoted.join(" ")))
}

/// Returns a variable, to stand behind `Environment=`.
///
/// # Errors
/// As [`command`].
pub(crate) fn variable(name: &str, value: &str) -> Result<String, NotAUnit> {
    quoted(&format!("{name}={value}"))
}

/// Returns a path that stands alone behind its key, where nothing is quoted.
///
/// # Errors
/// As [`command`].
pub(crate) fn lone(text: &str) -> Result<String, NotAUnit> {
    check(text)?;
    // A backslash at the end of a line would join the next one to it, blanks at either end are dropped.
    if text.ends_with('\\') || text.trim() != text || text.is_empty() {
        return Err(NotAUnit::Text(text.to_owned()));
    }
    Ok(text.replace('%', "%%"))
}

/// Returns a path as text.
///
/// # Errors
/// It is not UTF-8, which a unit file has to be.
pub(crate) fn path(path: &Path) -> Result<String, NotAUnit> {
    path.to_str().map(str::to_owned).ok_or_else(|| NotAUnit::Text(path.display().to_string()))
}

fn quoted(word: &str) -> Result<String, NotAUnit> {
    check(word)?;
    let text = word.replace('%', "%%");
    let plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%~?&".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(text);
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Control characters could end a line and begin another key.
fn check(text: &str) -> Result<(), NotAUnit> {
    if text.chars().any(char::is_control) {
        return Err(NotAUnit::Text(text.escape_debug().to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_they_were_once_systemd_has_read_them() {
        for (words, line) in [
            (&["/usr/bin/switchboard", "serve"][..], "/usr/bin/switchboard serve"),
            (&["/my programs/s b", "serve"], "\"/my programs/s b\" serve"),
            (&["/opt/100%/sb", "--x"], "/opt/100%%/sb --x"),
            (&["/opt/$HOME/sb", "a$b", "${file:~/t}"], ":\"/opt/$HOME/sb\" \"a$b\" \"${file:~/t}\""),
            (&["/sb", "a\"b\\c'd", ";", ""], "/sb \"a\\\"b\\\\c'd\" \";\" \"\""),
            (&["/sb", "http://h:1/x?a=b&c=d%20"], "/sb http://h:1/x?a=b&c=d%%20"),
            (&["/sb", "# no comment"], "/sb \"# no comment\""),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(command(&words).as_deref(), Ok(line), "{words:?}");
        }
        assert_eq!(variable("A", "b c%$\"").as_deref(), Ok("\"A=b c%%$\\\"\""));
        assert_eq!(lone("/run/my sb/100%.sock").as_deref(), Ok("/run/my sb/100%%.sock"));
    }

    #[test]
    fn what_would_break_a_line_is_refused() {
        for text in ["a\nExecStart=/bin/sh", "a\rb", "a\0b", "a\u{1b}[2K", "a\u{85}b"] {
            assert!(command(&[text.to_owned()]).is_err(), "{text:?}");
            assert!(variable("A", text).is_err() && lone(text).is_err(), "{text:?}");
        }
        for program in ["/a\"b", "/a'b", "/a\\b"] {
            assert!(command(&[program.to_owned()]).is_err(), "{program:?}");
        }
        for text in ["/a\\", " /a", ""] {
            assert!(lone(text).is_err(), "{text:?}");
        }
    }
}
