//! References: the places in a catalogue where a value is named instead of written down.
//!
//! `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`, `${keyring:NAME}`, `${cmd:PROGRAM ARGS}` and `${root}` may
//! stand anywhere inside a text. A reference ends at the first `}`. `$${` is a literal `${`. Whatever else begins
//! with `${` belongs to somebody else's notation (`${workspaceFolder}`) and stays as it is, with a note.

use std::fmt;

use crate::launch::Launch;

mod field;
mod words;

pub use field::Field;
pub use words::{WordsError, words};

/// Where a value comes from when a server starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `${env:NAME}` or `${env:NAME:-default}`: a variable of the environment.
    Env {
        /// The variable.
        name: String,
        /// What stands in when the variable is not set, or empty.
        default: Option<String>,
    },
    /// `${file:PATH}`: the text of a file.
    File {
        /// The path, as written.
        path: String,
    },
    /// `${keyring:NAME}`: a secret that Switchboard keeps.
    Keyring {
        /// The name it is kept under.
        name: String,
    },
    /// `${cmd:PROGRAM ARGS}`: what a program prints. No shell is involved.
    Cmd {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// `${root}`: the project of the client that asks.
    Root,
}

/// Names the reference without what could be secret: no default, no arguments of a program.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env { name, .. } => write!(f, "${{env:{name}}}"),
            Self::File { path } => write!(f, "${{file:{path}}}"),
            Self::Keyring { name } => write!(f, "${{keyring:{name}}}"),
            Self::Cmd { program, .. } => write!(f, "${{cmd:{program}}}"),
            Self::Root => f.write_str("${root}"),
        }
    }
}

/// A piece of a parsed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stands for itself.
    Text(String),
    /// A reference to be resolved.
    Reference(Reference),
}

/// Something that looks like a reference and is not one of ours; it stays text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The byte at which its `$` stands.
    pub offset: usize,
    /// The text from `${` to `}`, or to the end where nothing closes it.
    pub text: String,
}

/// A text taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The pieces, in order; neighbouring text is one piece.
    pub parts: Vec<Part>,
    /// What looked like a reference and was left alone.
    pub notes: Vec<Note>,
}

impl Parsed {
    /// Returns the references in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Reference(reference) => Some(reference),
        })
    }

    fn text(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(before)) => before.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }
}

/// Why a text with references cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {offset}")]
pub struct ReferenceError {
    /// The byte at which the reference's `$` stands.
    pub offset: usize,
    /// What is wrong with it.
    pub what: Mistake,
}

/// What can be wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The closing brace is missing.
    #[error("`${{{0}:` is never closed with `}}`")]
    Unclosed(&'static str),
    /// Nothing is named.
    #[error("`${{{0}:}}` names nothing")]
    Empty(&'static str),
    /// The name cannot be one.
    #[error("`{1}` cannot be the name in `${{{0}:..}}`")]
    BadName(&'static str, String),
    /// The words of a command cannot be told apart.
    #[error("`${{cmd:..}}` {0}")]
    Words(#[from] WordsError),
}

impl ReferenceError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> &'static str {
        match self.what {
            Mistake::Unclosed(_) => "close it with `}`, or write `$${` for a literal `${`",
            Mistake::Empty(_) => {
                "put a name after the colon: `${env:NAME}`, `${file:PATH}`, `${keyring:NAME}`, `${cmd:PROGRAM}`"
            }
            Mistake::BadName("keyring", _) => {
                "a name in the keyring has at most 128 letters, digits, `.`, `_`, `-`, and no `.` in front"
            }
            Mistake::BadName(..) => "a name has no `=` and no control characters",
            Mistake::Words(_) => "close the quote",
        }
    }
}

/// Takes `text` apart.
pub fn parse(text: &str) -> Result<Parsed, ReferenceError> {
    let mut parsed = Parsed::default();
    let mut rest = 0;
    while let Some(found) = text[rest..].find("${") {
        let at = rest + found;
        let escaped = text[rest..at].ends_with('$');
        parsed.text(&text[rest..at - usize::from(escaped)]);
        let inside = at + 2;
        let length = text[inside..].find('}');
        rest = if escaped {
            parsed.text("${");
            inside
        } else if let Some(reference) = ours(&text[inside..], length, at)? {
            parsed.parts.push(Part::Reference(reference));
            inside + length.map_or(0, |length| length + 1)
        } else {
            parsed.text("${");
            let end = length.map_or(text.len(), |length| inside + length + 1);
            parsed.notes.push(Note { offset: at, text: text[at..end].to_owned() });
            inside
        };
    }
    parsed.text(&text[rest..]);
    Ok(parsed)
}

/// Returns the reference that `inside` begins with; `length` is where its brace closes. `None`: not one of ours.
fn ours(inside: &str, length: Option<usize>, offset: usize) -> Result<Option<Reference>, ReferenceError> {
    let Some(kind) = KINDS.iter().find(|kind| inside.strip_prefix(*kind).is_some_and(|s| s.starts_with(':')))
    else {
        return Ok((length.map(|length| &inside[..length]) == Some("root")).then_some(Reference::Root));
    };
    let mistake = |what| ReferenceError { offset, what };
    let length = length.ok_or_else(|| mistake(Mistake::Unclosed(kind)))?;
    named(kind, inside.get(kind.len() + 1..length).unwrap_or_default()).map(Some).map_err(mistake)
}

const KINDS: [&str; 4] = ["env", "file", "keyring", "cmd"];

fn named(kind: &'static str, body: &str) -> Result<Reference, Mistake> {
    let bad = |name: &str| Err(Mistake::BadName(kind, name.to_owned()));
    if body.trim().is_empty() {
        return Err(Mistake::Empty(kind));
    }
    match kind {
        "env" => {
            let (name, default) =
                body.split_once(":-").map_or((body, None), |(n, d)| (n, Some(d.to_owned())));
            match name {
                "" => Err(Mistake::Empty(kind)),
                name if name.contains(|c: char| c == '=' || c.is_control()) => bad(name),
                name => Ok(Reference::Env { name: name.to_owned(), default }),
            }
        }
        "file" if body.contains('\0') => bad(body),
        "file" => Ok(Reference::File { path: body.to_owned() }),
        "keyring" if !is_secret_name(body) => bad(body),
        "keyring" => Ok(Reference::Keyring { name: body.to_owned() }),
        _ => {
            let mut words = words(body)?.into_iter();
            let program = words.next().filter(|program| !program.is_empty()).ok_or(Mistake::Empty(kind))?;
            Ok(Reference::Cmd { program, args: words.collect() })
        }
    }
}

/// Says whether a secret can be kept under `name`: such a name is safe as a file name everywhere.
pub fn is_secret_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Returns every reference in `launch` with the field that it stands in.
///
/// # Errors
/// The first field with a reference that cannot be read.
pub fn references(launch: &Launch) -> Result<Vec<(Field, Reference)>, (Field, ReferenceError)> {
    let mut found = Vec::new();
    for (field, text) in field::texts(launch) {
        let parsed = parse(text).map_err(|error| (field.clone(), error))?;
        found.extend(parsed.references().map(|reference| (field.clone(), reference.clone())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
