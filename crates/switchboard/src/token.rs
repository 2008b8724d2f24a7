//! Bearer tokens: who may ask for what over TCP.
//!
//! Of a token its hash is kept, and the token itself is shown once. Only the one for this machine's own use, and those that
//! are written into clients' files, are kept as they are, in the same file, which nobody else can read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use switchboard_core::name::ClientId;
use switchboard_host::file;
use switchboard_host::hash::Hash;
use switchboard_host::record::{self, Loaded};

use crate::fail::Failure;

/// How every token begins, so that it is known when it turns up where it should not.
const PREFIX: &str = "sb_";

/// What the token for this machine's own use is called.
pub(crate) const LOCAL: &str = "local";

/// How the tokens begin that clients have in their files.
pub(crate) const CLIENT: &str = "client-";

/// What somebody may do: `server:resource:action`, where `*` stands for anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Permission([String; 3]);

impl Permission {
    /// Returns a permission of these three words.
    pub(crate) fn of(server: &str, resource: &str, action: &str) -> Self {
        Self([server, resource, action].map(str::to_owned))
    }

    /// Returns the permission to do anything.
    pub(crate) fn everything() -> Self {
        Self::of("*", "*", "*")
    }

    /// Returns the permission that `text` is.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| {
            part == "*"
                || (!part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "-_.@+~/".contains(c)))
        };
        let parts: Vec<String> = text.split(':').map(str::to_owned).collect();
        let parts: [String; 3] = parts.try_into().ok()?;
        parts.iter().all(|part| plain(part)).then_some(Self(parts))
    }

    /// Returns whether who holds this may do what needs `needed`.
    pub(crate) fn covers(&self, needed: &Self) -> bool {
        self.0.iter().zip(&needed.0).all(|(held, needed)| held == "*" || held == needed)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(":"))
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.to_string()
    }
}

impl TryFrom<String> for Permission {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no permission"))
    }
}

/// One token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id: String,
    pub(crate) name: String,
    hash: Hash,
    pub(crate) permissions: Vec<Permission>,
    /// In seconds since 1970.
    pub(crate) created: u64,
    /// The token itself, where we have to write it again: it is for this machine's own use, or stands in a client's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// When tokens were last used, by their id, in seconds since 1970. It stands in a file of its own, which the daemon writes
/// now and then: in the file of the tokens it could bring back one that was revoked meanwhile.
pub(crate) type Uses = BTreeMap<String, u64>;

/// All tokens.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<Token>,
}

impl Tokens {
    /// Returns the tokens of a file, as far as it can be read: a token that is not found opens nothing.
    pub(crate) fn peek(path: &Path) -> Self {
        let bytes = file::read(path).map(|snapshot| snapshot.bytes).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Returns the token with this secret. The hashes are compared, so that the time it takes says nothing of the secret.
    pub(crate) fn find(&self, secret: &str) -> Option<&Token> {
        let hash = secret.starts_with(PREFIX).then(|| Hash::of(secret.as_bytes()))?;
        self.tokens.iter().find(|token| token.hash == hash)
    }

    /// Makes a token, and returns its secret.
    ///
    /// # Errors
    /// The name is taken, or the system has no randomness.
    pub(crate) fn create(
        &mut self,
        name: &str,
        permissions: Vec<Permission>,
        now: u64,
    ) -> Result<String, Failure> {
        if self.tokens.iter().any(|token| token.name == name) {
            return Err(Failure::usage(format!("create the token `{name}`: there is one of that name"))
                .hint(format!("`switchboard token revoke {name}` makes room for it")));
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| Failure::failed("create a token").because(error))?;
        let secret = random.iter().fold(PREFIX.to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let hash = Hash::of(secret.as_bytes());
        let id = hash.to_string()[..8].to_owned();
        let kept = (name == LOCAL || name.starts_with(CLIENT)).then(|| secret.clone());
        self.tokens.push(Token { id, name: name.to_owned(), hash, permissions, created: now, secret: kept });
        Ok(secret)
    }

    /// Returns the secret of the token for this machine's own use.
    pub(crate) fn local(&self) -> Option<&str> {
        self.tokens.iter().find(|token| token.name == LOCAL)?.secret.as_deref()
    }

    /// Returns the token of each client that has one in its file.
    pub(crate) fn of_clients(&self) -> BTreeMap<ClientId, String> {
        let of_client = |token: &Token| {
            Some((ClientId::parse(token.name.strip_prefix(CLIENT)?).ok()?, token.secret.clone()?))
        };
        self.tokens.iter().filter_map(of_client).collect()
    }

    /// Makes a token for a client, by which it may speak with servers and do nothing else; tells whether it had none.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn provide(&mut self, client: &ClientId, now: u64) -> Result<bool, Failure> {
        let name = format!("{CLIENT}{client}");
        if self.tokens.iter().any(|token| token.name == name && token.secret.is_some()) {
            return Ok(false);
        }
        // One of that name whose secret is not known opens nothing for us.
        self.revoke(&name);
        self.create(&name, vec![Permission::of("gateway", "mcp", "use")], now)?;
        Ok(true)
    }

    /// Takes a token out, by its name or id; tells whether there was one.
    pub(crate) fn revoke(&mut self, which: &str) -> bool {
        let before = self.tokens.len();
        self.tokens.retain(|token| token.name != which && token.id != which);
        self.tokens.len() < before
    }
}

/// Returns the file that says when the tokens of `tokens` were used.
pub(crate) fn uses_file(tokens: &Path) -> PathBuf {
    tokens.with_file_name("token-use.json")
}

/// Returns when the tokens of `tokens` were used, as far as that is known.
pub(crate) fn uses(tokens: &Path) -> Uses {
    match record::load(&uses_file(tokens)) {
        Ok(Loaded::Found(uses)) => uses,
        _ => Uses::default(),
    }
}
