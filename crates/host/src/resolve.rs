//! Puts values in the place of references, at the moment a server starts and never before.
//!
//! What comes out is a [`Secret`] whatever it was made of. Errors name the reference, never the value.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use switchboard_core::launch::{Launch, Remote};
use switchboard_core::reference::{Field, Part, Reference, ReferenceError, parse};
use zeroize::Zeroizing;

use crate::secret::{Secret, SecretStoreError, Secrets};

#[cfg(unix)]
mod program;

/// A file that a reference names may be this long; tokens and keys are far shorter.
const FILE_LIMIT: u64 = 1 << 20;

/// A server's launch data with all values in place.
#[derive(Clone, Debug)]
pub enum Resolved {
    /// A child process.
    Stdio(ServerCommand),
    /// An HTTP endpoint.
    Remote {
        /// Which transport it speaks.
        kind: Remote,
        /// Its address.
        url: Secret,
        /// Headers sent with each request.
        headers: BTreeMap<String, Secret>,
    },
}

/// What to run, with all values in place.
#[derive(Clone, Debug, Default)]
pub struct ServerCommand {
    /// A name to be looked up in `PATH`, or a path.
    pub program: String,
    /// Its arguments.
    pub args: Vec<Secret>,
    /// Variables on top of the allow-listed environment.
    pub env: BTreeMap<String, Secret>,
    /// Its working directory.
    pub cwd: Option<PathBuf>,
}

/// What references are resolved from.
pub struct Resolver<'a> {
    /// The environment of this process, read once by the caller.
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// The home folder, for `${file:~/..}` and a `cwd` of `~/..`.
    pub home: Option<&'a Path>,
    /// The project of the client that asks, for `${root}`.
    pub root: Option<&'a Path>,
    /// Where `${keyring:NAME}` is kept.
    pub secrets: &'a dyn Secrets,
    /// Where doubts go that do not stop a server from starting, such as a secret that everybody can read.
    pub warn: &'a dyn Fn(&str),
}

/// Why launch data cannot be resolved.
#[derive(Debug, thiserror::Error)]
#[error("`{field}`: {what}")]
pub struct ResolveError {
    /// The field.
    pub field: Field,
    /// What is the matter with it.
    pub what: ResolveFailure,
}

/// Why a text cannot be resolved. Nothing here carries a value.
#[derive(Debug, thiserror::Error)]
pub enum ResolveFailure {
    /// The text itself is wrong.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The variable is not set.
    #[error("the variable `{0}` is not set")]
    NotSet(String),
    /// The variable or file is not UTF-8 text.
    #[error("{0} is not UTF-8 text")]
    NotText(Reference),
    /// The file cannot be read.
    #[error("could not read `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// What came is too long to be a value.
    #[error("{0} is longer than 1 MiB")]
    TooLong(Reference),
    /// Nothing is kept under this name.
    #[error("no secret is kept under the name `{0}`")]
    NoSecret(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] SecretStoreError),
    /// The program could not be run.
    #[error("could not run `{program}`: {source}")]
    Program {
        /// The program.
        program: String,
        /// What the machine said.
        source: io::Error,
    },
    /// The program failed.
    #[error("`{program}` ended with {status}")]
    ProgramFailed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The program took too long.
    #[error("`{0}` did not end within 10 s")]
    ProgramSlow(String),
    /// Programs cannot be run on this system.
    #[error("{0} is not supported on this system")]
    Unsupported(Reference),
    /// There is no project.
    #[error("`${{root}}` is not known here")]
    NoRoot,
}

impl ResolveError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> String {
        match &self.what {
            ResolveFailure::Reference(error) => error.help().to_owned(),
            ResolveFailure::NotSet(name) => format!(
                "set `{name}` and start the daemon again from there (`switchboard up --replace`), or give a default: \
                 `${{env:{name}:-default}}`"
            ),
            ResolveFailure::NoSecret(_) => "keep the secret first, or name one that is kept".to_owned(),
            ResolveFailure::NoRoot => {
                "`${root}` needs a client that says which project it works on".to_owned()
            }
            ResolveFailure::Program { program, .. }
            | ResolveFailure::ProgramFailed { program, .. }
            | ResolveFailure::ProgramSlow(program) => {
                format!("run `{program}` by hand with the same arguments; no shell is involved")
            }
            ResolveFailure::File { path, .. } => {
                format!("`{}` must be a readable file", path.display())
            }
            ResolveFailure::NotText(_)
            | ResolveFailure::TooLong(_)
            | ResolveFailure::Store(_)
            | ResolveFailure::Unsupported(_) => "name another source for the value".to_owned(),
        }
    }
}

impl Resolver<'_> {
    /// Returns `launch` with all values in place.
    ///
    /// # Errors
    /// The first field that cannot be resolved; nothing has been started then.
    pub fn launch(&self, launch: &Launch) -> Result<Resolved, ResolveError> {
        let field = |field: Field, text: &str| self.text(text).map_err(|what| ResolveError { field, what });
        match launch {
            Launch::Stdio { command, args, env, cwd } => Ok(Resolved::Stdio(ServerCommand {
                program: field(Field::Command, command)?.expose().to_owned(),
                args: args
                    .iter()
                    .enumerate()
                    .map(|(index, arg)| field(Field::Arg(index), arg))
                    .collect::<Result<_, _>>()?,
                env: self.map(env, Field::Env)?,
                cwd: match cwd {
                    Some(cwd) => Some(self.path(field(Field::Cwd, cwd)?.expose())),
                    None => None,
                },
            })),
            Launch::Remote { kind, url, headers } => Ok(Resolved::Remote {
                kind: *kind,
                url: field(Field::Url, url)?,
                headers: self.map(headers, Field::Header)?,
            }),
        }
    }

    /// Returns `text` with values in the place of its references.
    pub fn text(&self, text: &str) -> Result<Secret, ResolveFailure> {
        let mut whole = Secret::default();
        for part in parse(text)?.parts {
            match part {
                Part::Text(text) => whole.push(&text),
                Part::Reference(reference) => whole.push(self.value(&reference)?.expose()),
            }
        }
        Ok(whole)
    }

    fn map(
        &self,
        texts: &BTreeMap<String, String>,
        field: fn(String) -> Field,
    ) -> Result<BTreeMap<String, Secret>, ResolveError> {
        let value = |(name, text): (&String, &String)| match self.text(text) {
            Ok(value) => Ok((name.clone(), value)),
            Err(what) => Err(ResolveError { field: field(name.clone()), what }),
        };
        texts.iter().map(value).collect()
    }

    fn value(&self, reference: &Reference) -> Result<Secret, ResolveFailure> {
        match reference {
            Reference::Env { name, default } => self.variable(reference, name, default.as_deref()),
            Reference::File { path } => self.file(reference, &self.path(path)),
            Reference::Keyring { name } => {
                self.secrets.get(name)?.ok_or_else(|| ResolveFailure::NoSecret(name.clone()))
            }
            Reference::Cmd { program, args } => self.printed(reference, program, args),
            Reference::Root => match self.root.map(|root| (root, root.to_str())) {
                Some((_, Some(root))) => Ok(Secret::from(root)),
                Some((_, None)) => Err(ResolveFailure::NotText(reference.clone())),
                None => Err(ResolveFailure::NoRoot),
            },
        }
    }

    fn variable(
        &self,
        reference: &Reference,
        name: &str,
        default: Option<&str>,
    ) -> Result<Secret, ResolveFailure> {
        let set = self.environment.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty());
        match (set, default) {
            (Some(value), _) => {
                value.to_str().map(Secret::from).ok_or_else(|| ResolveFailure::NotText(reference.clone()))
            }
            (None, Some(default)) => Ok(Secret::from(default)),
            (None, None) => Err(ResolveFailure::NotSet(name.to_owned())),
        }
    }

    fn file(&self, reference: &Reference, path: &Path) -> Result<Secret, ResolveFailure> {
        let failed = |source| ResolveFailure::File { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        if open_to_everybody(&file) {
            (self.warn)(&format!("`{}` can be read by every user of this machine", path.display()));
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > FILE_LIMIT {
            return Err(ResolveFailure::TooLong(reference.clone()));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| ResolveFailure::NotText(reference.clone()))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        Ok(Secret::from(text.strip_suffix('\r').unwrap_or(text)))
    }

    #[cfg(unix)]
    fn printed(
        &self,
        reference: &Reference,
        program: &str,
        args: &[String],
    ) -> Result<Secret, ResolveFailure> {
        program::printed(self.environment, reference, program, args, program::TIME_LIMIT)
    }

    #[cfg(not(unix))]
    fn printed(&self, reference: &Reference, _: &str, _: &[String]) -> Result<Secret, ResolveFailure> {
        Err(ResolveFailure::Unsupported(reference.clone()))
    }

    /// Returns `path` with a `~/` in front made the home folder.
    fn path(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.home) {
            (Some(below), Some(home)) => home.join(below),
            _ => PathBuf::from(path),
        }
    }
}

#[cfg(unix)]
fn open_to_everybody(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().is_ok_and(|about| about.is_file() && about.mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn open_to_everybody(_: &File) -> bool {
    false
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a home made by hand")]
mod tests;
