//! References to variables, from a client's syntax to ours.
//!
//! Ours are `${env:NAME}`, `${file:PATH}` and `${root}`. What a client knows and we do not stays as it is, with a
//! note for the person who imports it.

use std::fmt;

/// One form of reference that a client expands by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `$NAME`
    Dollar,
    /// `${NAME}`
    Braces,
    /// `${NAME:-default}`
    BracesOr,
    /// `${env:NAME}`
    BracesEnv,
    /// `$env:NAME`
    DollarEnv,
    /// `{env:NAME}`
    CurlyEnv,
    /// `{file:PATH}`
    CurlyFile,
    /// `${file:PATH}`
    BracesFile,
    /// `${workspaceFolder}`
    Folder,
    /// Any other `${…}` of the client's own: `${userHome}`, `${input:ID}`, `${pathSeparator}`.
    BracesOther,
    /// `${{ secrets.NAME }}`
    Secrets,
    /// `$(PROGRAM ARGS)`
    Shell,
    /// A header that is nothing but `${env:NAME}`, or `Bearer` and that: a key of the client's own says so.
    Header,
}

/// The forms of reference that a client expands by itself.
pub type Variables = &'static [Syntax];

/// What a person should know about a translated text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The client fills this in by itself and we cannot, so the text stays as it is.
    Kept(String),
    /// The client takes this literally, but to us it is a reference.
    ReferenceToUs(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(text) => {
                write!(f, "`{}` is filled in by the client alone and stays as it is", without_default(text))
            }
            Self::ReferenceToUs(text) => {
                write!(f, "`{}` is plain text to the client, but a reference here", without_default(text))
            }
        }
    }
}

/// Returns a reference without its default, which may be a secret.
pub fn without_default(reference: &str) -> String {
    match reference.split_once(":-") {
        Some((name, _)) => format!("{name}:-…}}"),
        None => reference.to_owned(),
    }
}

/// A piece of a text: what it becomes and how long it was.
struct Piece {
    length: usize,
    ours: String,
    note: Option<Note>,
}

/// Returns `text` with the client's references in our syntax.
pub fn to_ours(text: &str, variables: Variables) -> (String, Vec<Note>) {
    let mut ours = String::with_capacity(text.len());
    let mut notes = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['$', '{']) {
        ours.push_str(&rest[..start]);
        rest = &rest[start..];
        if let Some(piece) = reference(rest, variables) {
            ours.push_str(&piece.ours);
            notes.extend(piece.note);
            rest = &rest[piece.length..];
        } else {
            // Both characters that a reference can begin with are one byte long.
            ours.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    ours.push_str(rest);
    (ours, notes)
}

/// Reads the reference that `text` begins with.
fn reference(text: &str, variables: Variables) -> Option<Piece> {
    if let Some(rest) = text.strip_prefix("${{") {
        let end = rest.find("}}")? + "${{}}".len();
        return variables.contains(&Syntax::Secrets).then(|| kept(&text[..end]));
    }
    if let Some(rest) = text.strip_prefix("${") {
        let inner = &rest[..rest.find('}')?];
        return braces(&text[..inner.len() + "${}".len()], inner, variables);
    }
    if let Some(rest) = text.strip_prefix("$(") {
        let end = rest.find(')')? + "$()".len();
        return variables.contains(&Syntax::Shell).then(|| kept(&text[..end]));
    }
    if let Some(rest) = text.strip_prefix("$env:").filter(|_| variables.contains(&Syntax::DollarEnv)) {
        return env("$env:".len(), leading_name(rest)?, 0);
    }
    if let Some(rest) = text.strip_prefix('$') {
        return variables.contains(&Syntax::Dollar).then(|| env(1, leading_name(rest)?, 0))?;
    }
    curly(text, variables)
}

fn braces(whole: &str, inner: &str, variables: Variables) -> Option<Piece> {
    let knows = |syntax| variables.contains(&syntax);
    if let Some(name) = inner.strip_prefix("env:").filter(|_| knows(Syntax::BracesEnv)) {
        return env("${env:".len(), name, 1);
    }
    if inner.starts_with("file:") && knows(Syntax::BracesFile) {
        return Some(Piece { length: whole.len(), ours: whole.to_owned(), note: None });
    }
    if inner == "workspaceFolder" && knows(Syntax::Folder) {
        return Some(Piece { length: whole.len(), ours: "${root}".to_owned(), note: None });
    }
    if is_ours(inner) {
        let note = if knows(Syntax::BracesOther) { kept(whole).note } else { None };
        let note = note.or_else(|| Some(Note::ReferenceToUs(whole.to_owned())));
        return Some(Piece { length: whole.len(), ours: whole.to_owned(), note });
    }
    if knows(Syntax::Braces) && is_name(inner) {
        return env("${".len(), inner, 1);
    }
    if let Some((name, default)) = inner.split_once(":-").filter(|_| knows(Syntax::BracesOr)) {
        let ours = format!("${{env:{name}:-{default}}}");
        return Some(Piece { length: whole.len(), ours, note: None });
    }
    knows(Syntax::BracesOther).then(|| kept(whole))
}

fn curly(text: &str, variables: Variables) -> Option<Piece> {
    let rest = text.strip_prefix('{')?;
    let inner = &rest[..rest.find('}')?];
    if let Some(name) = inner.strip_prefix("env:").filter(|_| variables.contains(&Syntax::CurlyEnv)) {
        return env("{env:".len(), name, 1);
    }
    let path = inner.strip_prefix("file:").filter(|_| variables.contains(&Syntax::CurlyFile))?;
    Some(Piece { length: inner.len() + 2, ours: format!("${{file:{path}}}"), note: None })
}

fn env(before: usize, name: &str, after: usize) -> Option<Piece> {
    let piece = Piece { length: before + name.len() + after, ours: format!("${{env:{name}}}"), note: None };
    (!name.is_empty()).then_some(piece)
}

fn kept(text: &str) -> Piece {
    Piece { length: text.len(), ours: text.to_owned(), note: Some(Note::Kept(text.to_owned())) }
}

/// Returns whether `${inner}` is a reference to us.
fn is_ours(inner: &str) -> bool {
    inner == "root" || ["env:", "file:", "keyring:", "cmd:"].iter().any(|prefix| inner.starts_with(prefix))
}

/// Returns the variable that `text` refers to and consists of.
pub(super) fn env_name(text: &str) -> Option<&str> {
    text.strip_prefix("${env:")?.strip_suffix('}').filter(|name| is_name(name))
}

/// Returns the value of a header with the client's references in our syntax.
pub fn header_to_ours(value: &str, variables: Variables) -> (String, Vec<Note>) {
    let whole = env_name(value.strip_prefix("Bearer ").unwrap_or(value)).is_some();
    if whole && variables.contains(&Syntax::Header) {
        return (value.to_owned(), Vec::new());
    }
    to_ours(value, variables)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && leading_name(text) == Some(text)
}

/// Returns the variable name that `text` begins with.
fn leading_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let name = &text[..end];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{Note, Syntax, Variables, to_ours};

    fn check(text: &str, variables: Variables, ours: &str, notes: &[Note]) {
        assert_eq!(to_ours(text, variables), (ours.to_owned(), notes.to_vec()), "{text}");
    }

    #[test]
    fn references_become_ours() {
        use Syntax::{Braces, BracesEnv, CurlyEnv, CurlyFile, Dollar, DollarEnv, Folder};
        check("a ${X}/b", &[Braces], "a ${env:X}/b", &[]);
        check("${env:X}", &[BracesEnv], "${env:X}", &[]);
        check("Bearer {env:X}.", &[CurlyEnv], "Bearer ${env:X}.", &[]);
        check("{file:~/k}", &[CurlyFile], "${file:~/k}", &[]);
        check("$A-$B $", &[Dollar], "${env:A}-${env:B} $", &[]);
        check("$env:A", &[DollarEnv], "${env:A}", &[]);
        check("${workspaceFolder}/x", &[Folder], "${root}/x", &[]);
    }

    #[test]
    fn what_the_client_takes_literally_stays_literal() {
        check("$X ${X} {env:X} {} ${ $", &[], "$X ${X} {env:X} {} ${ $", &[]);
        check("ä{ö}$ü", &[Syntax::Dollar, Syntax::CurlyEnv], "ä{ö}$ü", &[]);
    }

    #[test]
    fn what_cannot_be_carried_over_is_noted() {
        check("${A:-b}", &[Syntax::Braces, Syntax::BracesOr], "${env:A:-b}", &[]);
        check("${input:k}", &[Syntax::BracesOther], "${input:k}", &[Note::Kept("${input:k}".into())]);
        let secret = "${{ secrets.T }}";
        check(secret, &[Syntax::Secrets], secret, &[Note::Kept(secret.into())]);
        check("$(date) x", &[Syntax::Shell], "$(date) x", &[Note::Kept("$(date)".into())]);
        check("${env:A}", &[], "${env:A}", &[Note::ReferenceToUs("${env:A}".into())]);
    }
}
