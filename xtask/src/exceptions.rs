//! What the gateway need not pass, and why: files such as `conformance/exceptions.toml`.

#![expect(clippy::disallowed_methods, reason = "a file of the project")]

use std::path::Path;

/// One thing that need not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exception {
    /// Who need not pass, in the words of the step that reads it.
    pub(crate) subject: String,
    /// What need not be passed.
    pub(crate) check: String,
    pub(crate) reason: String,
    /// The line that it begins on.
    pub(crate) line: usize,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exceptions(pub(crate) Vec<Exception>);

impl Exceptions {
    /// Reads the file; without one there are none.
    ///
    /// # Errors
    /// A line is not understood, or something is missing.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        Self::parse(&text).map_err(|why| format!("{}:{why}", path.display()))
    }

    /// Reads what of TOML such a file needs: tables called `exception`, with texts in them.
    fn parse(text: &str) -> Result<Self, String> {
        let mut all: Vec<Exception> = Vec::new();
        for (line, content) in text.lines().enumerate().map(|(at, content)| (at + 1, content.trim())) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if content == "[[exception]]" {
                all.push(Exception { line, ..Exception::default() });
                continue;
            }
            let (key, value) =
                content.split_once('=').ok_or(format!("{line}: `{content}` is not understood"))?;
            let value = value.trim().strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = value.filter(|value| !value.contains(['"', '\\']));
            let value = value.ok_or(format!("{line}: a text in quotes is missing, without quotes in it"))?;
            let last = all.last_mut().ok_or(format!("{line}: `[[exception]]` is missing before it"))?;
            let field = match key.trim() {
                "subject" => &mut last.subject,
                "check" => &mut last.check,
                "reason" => &mut last.reason,
                other => return Err(format!("{line}: there is no `{other}`: subject, check and reason")),
            };
            value.clone_into(field);
        }
        for Exception { subject, check, reason, line } in &all {
            if subject.is_empty() || check.is_empty() || reason.is_empty() {
                return Err(format!("{line}: subject, check and reason are needed"));
            }
        }
        Ok(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_read_as_they_are_written() {
        let text = "# why\n\n[[exception]]\nsubject = \"sse/2026-07-28\"\ncheck = \"a:b\"\nreason = \"so\"\n";
        let read = Exceptions::parse(text).unwrap().0;
        assert_eq!(
            read,
            [Exception {
                subject: "sse/2026-07-28".to_owned(),
                check: "a:b".to_owned(),
                reason: "so".to_owned(),
                line: 3,
            }]
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_with_its_line() {
        for (text, why) in [
            ("[[exception]]\nsubject = \"a/b\"\ncheck = \"c\"\n", "1: subject, check and reason are needed"),
            ("subject = \"a\"\n", "1: `[[exception]]` is missing before it"),
            ("[[exception]]\nsubject = a\n", "2: a text in quotes is missing, without quotes in it"),
            ("[[exception]]\nwho = \"a\"\n", "2: there is no `who`: subject, check and reason"),
            ("[exception]\n", "1: `[exception]` is not understood"),
        ] {
            assert_eq!(Exceptions::parse(text).unwrap_err(), why, "{text}");
        }
    }
}
