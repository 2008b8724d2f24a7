//! Where `${keyring:NAME}` is kept.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::PathBuf;

use switchboard_core::reference::is_secret_name;
use zeroize::Zeroizing;

use super::Secret;
use crate::file::Stamp;
use crate::own::{self, PublishError};
use crate::system;

/// A place that keeps secrets under names.
pub trait Secrets {
    /// Returns the secret kept under `name`; `None` if there is none.
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError>;
    /// Keeps `secret` under `name`, in the place of one that was there.
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError>;
    /// Forgets what is kept under `name`, and says whether there was anything.
    fn remove(&self, name: &str) -> Result<bool, SecretStoreError>;
    /// Returns the names in use, in order.
    fn list(&self) -> Result<Vec<String>, SecretStoreError>;
}

/// Why a secret cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretStoreError {
    /// The name cannot be one.
    #[error("`{0}` cannot be the name of a secret")]
    Name(String),
    /// The file is not one that a secret is kept in.
    #[error("the secret `{0}` is not UTF-8 text of at most 1 MiB")]
    Content(String),
    /// The machine refused.
    #[error("could not {doing} the secret `{name}` in `{}`", folder.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The secret.
        name: String,
        /// The folder of the store.
        folder: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
}

/// Secrets in files of their own, readable by their owner only: `state/secrets/NAME`, mode 0600 from creation.
///
/// This is the default store, because it works on servers and in containers as well. The keyring of the desktop is
/// to come as a feature beside it; the trait [`Secrets`] is the seam.
#[derive(Clone, Debug)]
pub struct FileSecrets {
    folder: PathBuf,
}

/// Secrets are keys and tokens; whatever is longer was put there by mistake.
const LIMIT: u64 = 1 << 20;

impl FileSecrets {
    /// Returns the store in `folder`, which is made when the first secret is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Returns what the file system says about the secret kept under `name`, without its content being read; `None` if
    /// there is none. Each secret is written into a file of its own, so one that was replaced has another stamp.
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        self.path(name).ok()?.metadata().ok().map(|meta| system::stamp(&meta))
    }

    fn path(&self, name: &str) -> Result<PathBuf, SecretStoreError> {
        if is_secret_name(name) {
            Ok(self.folder.join(name))
        } else {
            Err(SecretStoreError::Name(name.to_owned()))
        }
    }

    fn failed(&self, doing: &'static str, name: &str) -> impl FnOnce(io::Error) -> SecretStoreError {
        let (name, folder) = (name.to_owned(), self.folder.clone());
        move |source| SecretStoreError::Io { doing, name, folder, source }
    }
}

impl Secrets for FileSecrets {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        let file = match File::open(self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(self.failed("read", name))?,
        };
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(self.failed("read", name))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if bytes.len() as u64 <= LIMIT => Ok(Some(Secret::from(text))),
            _ => Err(SecretStoreError::Content(name.to_owned())),
        }
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        let path = self.path(name)?;
        if secret.expose().len() as u64 > LIMIT {
            return Err(SecretStoreError::Content(name.to_owned()));
        }
        // A reader sees the old secret or the new one; what is on its way begins with a dot, which no name of a secret does.
        system::make_folder(&self.folder)
            .and_then(|()| own::publish(&path, secret.expose().as_bytes()).map_err(PublishError::into_io))
            .map_err(self.failed("keep", name))
    }

    #[expect(clippy::disallowed_methods, reason = "a secret leaves no backup behind")]
    fn remove(&self, name: &str) -> Result<bool, SecretStoreError> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            gone => gone.map(|()| true).map_err(self.failed("remove", name)),
        }
    }

    fn list(&self) -> Result<Vec<String>, SecretStoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(self.failed("list", "*"))?,
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_secret_name(name))
            .collect();
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_kept_listed_and_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let store = FileSecrets::new(home.path().join("state/secrets"));
        assert!(store.list().unwrap().is_empty());
        assert!(store.get("a").unwrap().is_none());
        assert!(!store.remove("a").unwrap());
        store.set("b", &"two".into()).unwrap();
        store.set("a", &"one".into()).unwrap();
        store.set("a", &"1".into()).unwrap();
        assert_eq!(store.list().unwrap(), ["a", "b"]);
        assert_eq!(store.get("a").unwrap().unwrap().expose(), "1");
        assert!(store.remove("a").unwrap());
        assert_eq!(store.list().unwrap(), ["b"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_kept() {
        use std::os::unix::fs::MetadataExt as _;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("secrets");
        FileSecrets::new(&folder).set("a", &"one".into()).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(folder.join("a")).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let store = FileSecrets::new(home.path().join("secrets"));
        for name in ["", "..", "../a", "a/b", "/etc/passwd", ".new-x", "a\0b"] {
            assert!(matches!(store.get(name), Err(SecretStoreError::Name(_))), "{name}");
            assert!(matches!(store.set(name, &"x".into()), Err(SecretStoreError::Name(_))), "{name}");
            assert!(matches!(store.remove(name), Err(SecretStoreError::Name(_))), "{name}");
        }
        assert!(!home.path().join("secrets").exists());
    }
}
