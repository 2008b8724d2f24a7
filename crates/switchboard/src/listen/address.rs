//! The address of another switchboard, and of its routes.

use reqwest::Url;

/// Where the routes are below the base.
const CONFIG: &str = "api/mcp/_config";
const VERSION: &str = "api/mcp/_version";

/// Another switchboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Ends in a slash; carries no query, so that it can be shown.
    base: Url,
}

/// Why a text is no address of a switchboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAnAddress {
    #[error("it is not a web address that begins with `http://` or `https://`")]
    Scheme,
    #[error("it has a user or a password in it, which programs that list processes would show")]
    Password,
}

impl Address {
    /// Reads the address of a switchboard, or of any route of it: `http://host:8080/api/mcp/_config/events`.
    ///
    /// # Errors
    /// It is no web address.
    pub(super) fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let mut base = Url::parse(text.trim()).map_err(|_| NotAnAddress::Scheme)?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(NotAnAddress::Scheme);
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(NotAnAddress::Password);
        }
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path();
        let below = match path.find("/api/mcp/") {
            Some(at) => &path[..at],
            None => path.strip_suffix("/api/mcp").unwrap_or(path),
        };
        let folder = format!("{}/", below.trim_end_matches('/'));
        base.set_path(&folder);
        Ok(Self { base })
    }

    /// The address as text, as a person would type it.
    pub(super) fn as_str(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Whether it is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        crate::web::is_loopback(&self.base)
    }

    /// The stream of events.
    pub(super) fn events(&self) -> Url {
        self.route(&format!("{CONFIG}/events"))
    }

    /// The version.
    pub(super) fn version(&self) -> Url {
        self.route(VERSION)
    }

    /// The servers.
    pub(super) fn config(&self) -> Url {
        self.route(CONFIG)
    }

    /// The whole file of a client.
    pub(super) fn client(&self, id: &str, via: Option<&str>) -> Url {
        let mut url = self.route(&format!("{CONFIG}/{id}"));
        if let Some(via) = via {
            url.query_pairs_mut().append_pair("via", via);
        }
        url
    }

    fn route(&self, path: &str) -> Url {
        // A path that is plain text can always be joined.
        self.base.join(path).unwrap_or_else(|_| self.base.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_or_any_route_of_it_will_do() {
        for (text, base) in [
            ("http://host:8080", "http://host:8080"),
            ("http://host:8080/", "http://host:8080"),
            ("http://host:8080/api/mcp", "http://host:8080"),
            ("http://host:8080/api/mcp/_config/events", "http://host:8080"),
            ("http://host:8080/api/mcp/_config/claude?via=direct#x", "http://host:8080"),
            ("https://team.example/switch/board/api/mcp/_version", "https://team.example/switch/board"),
            ("https://team.example/switch/", "https://team.example/switch"),
            ("http://[::1]:1", "http://[::1]:1"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.as_str(), base, "{text}");
            assert_eq!(address.events().as_str(), format!("{base}/api/mcp/_config/events"));
            assert_eq!(address.version().as_str(), format!("{base}/api/mcp/_version"));
            assert_eq!(
                address.client("cursor", Some("direct")).as_str(),
                format!("{base}/api/mcp/_config/cursor?via=direct")
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "host:8080", "ftp://host", "file:///etc/passwd", "http://", "/api/mcp"] {
            assert_eq!(Address::parse(text), Err(NotAnAddress::Scheme), "{text:?}");
        }
        assert_eq!(Address::parse("http://ann:s3cret@host"), Err(NotAnAddress::Password));
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for (text, loopback) in [
            ("http://localhost:8080", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:1", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_loopback(), loopback, "{text}");
        }
    }
}
