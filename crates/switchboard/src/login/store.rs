//! Where logins are kept: one file for each server below the state folder, mode 0600 from creation.

use std::time::Duration;

use switchboard_host::dirs::Dirs;
use switchboard_host::file::Stamp;
use switchboard_host::hash::Hash;
use switchboard_host::lock::{Lock, LockError};
use switchboard_host::secret::{FileSecrets, Secret, SecretStoreError, Secrets as _};

use super::record::Login;
use crate::approval::quoted;

/// The logins of a home.
#[derive(Clone, Debug)]
pub(crate) struct Logins {
    dirs: Dirs,
    files: FileSecrets,
}

/// Why a login cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginStoreError {
    /// What is kept is no login.
    #[error("the login at `{0}` cannot be read")]
    Damaged(String),
    /// The machine refused.
    #[error(transparent)]
    Store(#[from] SecretStoreError),
}

impl LoginStoreError {
    /// Returns what a person can do about it.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::Damaged(server) => format!("run `switchboard server login {}`", quoted(server)),
            Self::Store(_) => "make the state folder readable and writable for you".to_owned(),
        }
    }
}

impl Logins {
    /// Returns the logins of the home in `dirs`.
    pub(crate) fn new(dirs: &Dirs) -> Self {
        Self { dirs: dirs.clone(), files: FileSecrets::new(dirs.logins()) }
    }

    /// Returns the login at `server`, if there is one.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn load(&self, server: &str) -> Result<Option<Login>, LoginStoreError> {
        let Some(text) = self.files.get(&file_name(server))? else { return Ok(None) };
        let login: Login =
            serde_json::from_str(text.expose()).map_err(|_| LoginStoreError::Damaged(server.to_owned()))?;
        Ok((login.server == server).then_some(login))
    }

    /// Keeps a login in the place of the one that was there. Whoever changes one holds [`Logins::lock`].
    ///
    /// # Errors
    /// The old one stands.
    pub(crate) fn save(&self, login: &Login) -> Result<(), LoginStoreError> {
        let text = serde_json::to_string_pretty(login)
            .map_err(|_| LoginStoreError::Damaged(login.server.clone()))?;
        Ok(self.files.set(&file_name(&login.server), &Secret::from(text))?)
    }

    /// Forgets the login at `server`, and says whether there was one.
    ///
    /// # Errors
    /// It is still there.
    pub(crate) fn remove(&self, server: &str) -> Result<bool, LoginStoreError> {
        Ok(self.files.remove(&file_name(server))?)
    }

    /// Returns every login that can be read, in the order of the servers' names.
    pub(crate) fn list(&self) -> Vec<Login> {
        let names = self.files.list().unwrap_or_default();
        let texts = names.iter().filter_map(|name| self.files.get(name).ok().flatten());
        let mut logins: Vec<Login> =
            texts.filter_map(|text| serde_json::from_str(text.expose()).ok()).collect();
        logins.sort_by(|one, other| one.server.cmp(&other.server));
        logins
    }

    /// Returns what changes whenever the login at `server` does; `None` if there is none.
    pub(crate) fn stamp(&self, server: &str) -> Option<Stamp> {
        self.files.stamp(&file_name(server))
    }

    /// Takes the right to change the login at `server`.
    ///
    /// # Errors
    /// Somebody else did not let go in time.
    pub(crate) fn lock(&self, server: &str, wait: Duration) -> Result<Lock, LockError> {
        Lock::acquire_login(&self.dirs, &file_name(server), "switchboard server login", wait)
    }
}

/// Returns the file of a server's login: names of servers hold what names of files cannot, and not every file system
/// tells large letters from small ones.
fn file_name(server: &str) -> String {
    const SHOWN: usize = 40;
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let shown: String = server.chars().map(plain).take(SHOWN).collect();
    format!("{shown}-{}", &Hash::of(server.as_bytes()).to_string()[..16])
}

#[cfg(test)]
mod tests {
    use switchboard_core::reference::is_secret_name;

    use super::*;

    #[test]
    fn every_name_of_a_server_has_a_file_of_its_own() {
        let names = ["linear", "Linear", "a/b", "a b", "a-b", "ä", &"x".repeat(128), &"x".repeat(127)];
        let files: std::collections::BTreeSet<String> =
            names.iter().map(|name| file_name(name).to_lowercase()).collect();
        assert_eq!(files.len(), names.len());
        assert!(files.iter().all(|file| is_secret_name(file)), "{files:?}");
    }
}
