//! The entry that makes a client reach a server through us, and how to know it again.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::launch::{Launch, Remote};
use crate::name::{ClientId, ServerName};

/// The variable that names a home of its own.
pub const HOME_VARIABLE: &str = "SWITCHBOARD_HOME";

/// What the one entry is called that leads to all servers.
pub const SINGLE: &str = "switchboard";

/// Where a token belongs that is not known here: in a variable of whoever uses the entry.
pub const UNKNOWN_TOKEN: &str = "${env:SWITCHBOARD_TOKEN}";

/// What need not be escaped in one part of a path (RFC 3986, 2.3).
const OPEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Several servers behind one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joint {
    /// The profile whose servers they are; `None` for all.
    pub profile: Option<String>,
    /// Three tools that search, describe and call are offered in the place of theirs.
    pub search: bool,
}

/// Where the gateway is reached over HTTP, and by which tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The beginning of each address: `http://127.0.0.1:8080`.
    pub url: String,
    /// The token of each client, where tokens are asked for.
    pub tokens: Option<BTreeMap<ClientId, String>>,
}

impl Address {
    /// Returns the launch by which `client` reaches one server, or several as one.
    pub fn launch(&self, client: &ClientId, to: Result<&ServerName, &Joint>) -> Launch {
        let mut url = format!("{}/mcp", self.url);
        let name = |url: &mut String, before: &str, name: &str| {
            url.push_str(before);
            url.extend(utf8_percent_encode(name, OPEN));
        };
        match to {
            Ok(server) => name(&mut url, "/", server.as_str()),
            Err(Joint { profile, search }) => {
                if let Some(profile) = profile {
                    name(&mut url, "/@", profile);
                }
                url.push_str(if *search { "?tools=search" } else { "" });
            }
        }
        let mut headers = BTreeMap::new();
        if let Some(tokens) = &self.tokens {
            let token = tokens.get(client).map_or(UNKNOWN_TOKEN, String::as_str);
            headers.insert("Authorization".to_owned(), format!("Bearer {token}"));
        }
        Launch::Remote { kind: Remote::Http, url, headers }
    }

    /// Returns what stands behind our `/mcp` in an address; `None` where it is not ours.
    fn rest<'u>(&self, url: &'u str) -> Option<&'u str> {
        let rest = url.strip_prefix(self.url.as_str())?.strip_prefix("/mcp")?;
        (!self.url.is_empty() && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some(rest)
    }
}

/// How clients start us: the program, and the home that they must name when it is not the usual one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// The absolute path of the program: clients with a window have hardly anything in their `PATH`.
    pub program: String,
    /// The home to name; `None` for the usual one.
    pub home: Option<String>,
    /// Where we are reached over HTTP.
    pub address: Address,
}

impl Bridge {
    /// Returns a bridge that no entry reaches anything through.
    pub fn nobodys() -> Self {
        // No variable can have this value, so that no launch is known by it.
        Self { program: "\0".to_owned(), home: Some("\0".to_owned()), address: Address::default() }
    }

    /// Returns the launch that reaches `server` through us.
    pub fn launch(&self, server: &ServerName) -> Launch {
        self.connect(&[server.as_str()])
    }

    /// Returns the launch that reaches several servers as one through us.
    pub fn joint(&self, joint: &Joint) -> Launch {
        let mut words = match &joint.profile {
            Some(profile) => vec!["--profile", profile],
            None => vec!["--all"],
        };
        if joint.search {
            words.extend(["--tools", "search"]);
        }
        self.connect(&words)
    }

    fn connect(&self, words: &[&str]) -> Launch {
        let mut launch = Launch::stdio(&self.program, ["connect"].iter().chain(words).copied());
        if let (Launch::Stdio { env, .. }, Some(home)) = (&mut launch, &self.home) {
            env.insert(HOME_VARIABLE.to_owned(), home.clone());
        }
        launch
    }

    /// Returns this bridge without tokens, for those who are told no secrets.
    #[must_use]
    pub fn without_tokens(&self) -> Self {
        let tokens = self.address.tokens.as_ref().map(|_| BTreeMap::new());
        Self { address: Address { tokens, ..self.address.clone() }, ..self.clone() }
    }

    /// Returns whether `launch` leads to us, in whatever home and with whatever further words: taken into the
    /// catalogue, such a server would start or call itself for ever.
    pub fn leads_to_us(&self, launch: &Launch) -> bool {
        let (command, args) = match launch {
            Launch::Stdio { command, args, .. } => (command, args),
            Launch::Remote { url, .. } => return self.address.rest(url).is_some(),
        };
        let file = command.rsplit(['/', '\\']).next().unwrap_or(command);
        matches!(file, "switchboard" | "switchboard.exe")
            && args.first().is_some_and(|verb| verb == "connect")
    }

    /// Returns the server that `launch` reaches through us; entries of another home are not ours.
    ///
    /// The program is known by its path, and by its file name: an entry that an older version wrote from another folder
    /// is still ours.
    pub fn server_of(&self, launch: &Launch) -> Option<ServerName> {
        let (command, args, env) = match launch {
            Launch::Stdio { command, args, env, .. } => (command, args, env),
            Launch::Remote { url, .. } => {
                let name = self.address.rest(url)?.strip_prefix('/').filter(|name| !name.starts_with('@'))?;
                return ServerName::parse(&percent_decode_str(name).decode_utf8().ok()?).ok();
            }
        };
        let file = command.rsplit(['/', '\\']).next().unwrap_or(command);
        if !(*command == self.program || matches!(file, "switchboard" | "switchboard.exe"))
            || env.get(HOME_VARIABLE) != self.home.as_ref()
        {
            return None;
        }
        match args.as_slice() {
            [verb, name] if verb == "connect" && !name.starts_with("--") => ServerName::parse(name).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_renamed_knows_its_entries() {
        let renamed =
            Bridge { program: "/opt/sb-nightly".to_owned(), home: None, address: Address::default() };
        let name = ServerName::parse("x").unwrap();
        assert_eq!(renamed.server_of(&renamed.launch(&name)), Some(name));
    }

    #[test]
    fn our_own_entries_are_known_again_wherever_the_program_stands() {
        let usual =
            Bridge { program: "/usr/bin/switchboard".to_owned(), home: None, address: Address::default() };
        let scratch = Bridge {
            program: "/usr/bin/switchboard".to_owned(),
            home: Some("/tmp/s".to_owned()),
            address: Address::default(),
        };
        let name = ServerName::parse("git hub").unwrap();
        assert_eq!(usual.server_of(&usual.launch(&name)), Some(name.clone()));
        assert_eq!(scratch.server_of(&scratch.launch(&name)), Some(name.clone()));
        assert_eq!(usual.server_of(&scratch.launch(&name)), None, "another home's entry is not ours");
        for entry in [usual.launch(&name), scratch.launch(&name)] {
            assert_eq!(Bridge::nobodys().server_of(&entry), None);
        }
        for (launch, server) in [
            (Launch::stdio("C:\\bin\\switchboard.exe", ["connect", "x"]), Some("x")),
            (Launch::stdio("switchboard", ["connect", "x"]), Some("x")),
            (Launch::stdio("switchboard", ["status"]), None),
            (Launch::stdio("npx", ["connect", "x"]), None),
            (Launch::stdio("/opt/sb-nightly", ["connect", "x"]), None),
            (Launch::http("http://127.0.0.1:8080/mcp/x"), None),
        ] {
            assert_eq!(usual.server_of(&launch).as_ref().map(ServerName::as_str), server, "{launch:?}");
        }
    }
}
