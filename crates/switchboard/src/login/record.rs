//! What is kept of a login.

use reqwest::Url;
use serde::{Deserialize, Serialize};
use switchboard_core::login::lifetime::{Freshness, Lifetime};
use switchboard_core::login::scopes::Scopes;
use switchboard_host::secret::Secret;

use super::endpoint::{Granted, said};

/// A login at one remote server: who we are there, and the tokens that it came to.
///
/// `Debug` shows no token, and no address: a query may hold a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Login {
    /// What the catalogue calls the server.
    pub(crate) server: String,
    /// The address that the tokens are for.
    #[serde(with = "kept::one")]
    pub(crate) url: Secret,
    /// What the address is called where tokens are asked for.
    #[serde(with = "kept::one")]
    pub(crate) resource: Secret,
    /// Who gave the tokens; what is kept here is of use with nobody else.
    pub(crate) issuer: Option<String>,
    pub(crate) token_endpoint: String,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) client: Client,
    pub(crate) grant: Grant,
    #[serde(with = "kept::maybe")]
    pub(crate) access: Option<Secret>,
    #[serde(with = "kept::maybe")]
    pub(crate) refresh: Option<Secret>,
    #[serde(flatten)]
    pub(crate) lifetime: Lifetime,
    /// What the tokens are good for, as far as that was said.
    pub(crate) scopes: Scopes,
    /// What was asked for at the login.
    pub(crate) asked: Scopes,
    /// What the server has asked for since, beyond that.
    #[serde(default)]
    pub(crate) wanted: Scopes,
    /// Why nothing can be renewed any more.
    #[serde(default)]
    pub(crate) ended: Option<String>,
}

/// Who we are to an authorization server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) id: String,
    #[serde(with = "kept::maybe")]
    pub(crate) secret: Option<Secret>,
    pub(crate) method: Method,
    /// Somebody gave us the id: the next login uses it too. Else it came by registration, which is done anew each time:
    /// one that the other side has forgotten would lead nowhere.
    pub(crate) given: bool,
}

/// How we say who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    /// By name alone.
    None,
    /// By name and secret in a header.
    Basic,
    /// By name and secret in the form.
    Post,
}

/// On whose behalf tokens are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grant {
    /// A person agreed in a browser.
    Person,
    /// The client itself, by its secret.
    Machine,
}

impl Login {
    /// Returns whether the tokens are for this address of this server.
    pub(crate) fn is_for(&self, server: &str, url: &str) -> bool {
        self.server == server && same_address(self.url.expose(), url)
    }

    /// Returns who gave the tokens, for people.
    pub(crate) fn giver(&self) -> String {
        said(self.issuer.as_deref().unwrap_or(&self.token_endpoint))
    }

    /// Returns what the access token is worth at `now`.
    pub(crate) fn freshness(&self, now: u64) -> Freshness {
        if self.access.is_none() { Freshness::Over } else { self.lifetime.at(now) }
    }

    /// Returns whether new tokens can be had without a person.
    pub(crate) fn can_renew(&self) -> bool {
        self.ended.is_none() && (self.refresh.is_some() || self.grant == Grant::Machine)
    }

    /// Returns whether a person has to log in anew, at `now`.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        self.freshness(now) == Freshness::Over && !self.can_renew()
    }

    /// Takes the tokens that came at `now`. A refresh token that is not replaced goes on being good.
    pub(crate) fn take(&mut self, granted: Granted, now: u64) {
        self.access = Some(granted.access);
        self.refresh = granted.refresh.or(self.refresh.take());
        self.lifetime = Lifetime {
            received: now,
            expires: granted.expires_in.map(|seconds| now.saturating_add(seconds)),
        };
        if let Some(scopes) = granted.scopes {
            self.scopes = scopes;
        }
        self.ended = None;
    }
}

/// Two ways to write an address may mean the same.
fn same_address(one: &str, other: &str) -> bool {
    one == other || matches!((Url::parse(one), Url::parse(other)), (Ok(one), Ok(other)) if one == other)
}

/// Secrets as text, for the one file that keeps them.
mod kept {
    pub(super) mod one {
        use serde::{Deserialize, Deserializer, Serializer};
        use switchboard_host::secret::Secret;

        pub(crate) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(secret.expose())
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
            String::deserialize(deserializer).map(Secret::from)
        }
    }

    pub(super) mod maybe {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};
        use switchboard_host::secret::Secret;

        #[expect(clippy::ref_option, reason = "the shape that serde calls")]
        pub(crate) fn serialize<S: Serializer>(
            secret: &Option<Secret>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            secret.as_ref().map(Secret::expose).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Secret>, D::Error> {
            Ok(Option::<String>::deserialize(deserializer)?.map(Secret::from))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_not_another() {
        for (one, other, same) in [
            ("https://x.example/mcp", "https://x.example/mcp", true),
            ("https://x.example", "https://X.example:443/", true),
            ("https://x.example/mcp", "https://x.example/mcp/", false),
            ("https://x.example/mcp", "http://x.example/mcp", false),
            ("https://x.example/mcp", "https://x.example.evil/mcp", false),
            ("https://x.example/mcp", "https://x.example/mcp?tenant=2", false),
            ("https://x.example:8443/mcp", "https://x.example/mcp", false),
        ] {
            assert_eq!(same_address(one, other), same, "{one} {other}");
        }
    }
}
