//! Revisions: a number that grows with every accepted change of the catalogue.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::catalogue::Catalogue;
use crate::launch::Launch;

/// One accepted state of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Grows by one with every accepted change; the first is 1.
    pub number: u64,
    /// The SHA-256 over the canonical content, as `sha256:` and 64 hexadecimal digits.
    pub hash: String,
    /// The hash of the revision before; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

impl Revision {
    /// Returns the revision that follows `last` with this content, or `None` when the content is the same.
    pub fn after(last: Option<&Revision>, catalogue: &Catalogue) -> Option<Self> {
        let hash = content_hash(catalogue);
        match last {
            Some(last) if last.hash == hash => None,
            Some(last) => Some(Self { number: last.number + 1, hash, parent: Some(last.hash.clone()) }),
            None => Some(Self { number: 1, hash, parent: None }),
        }
    }

    /// Returns the version that HTTP callers see: the middle number is the revision.
    pub fn version(&self) -> String {
        format!("1.{}.0", self.number)
    }
}

/// Returns the hash over what a catalogue says: comments, blank lines and the order of servers do not count, every
/// setting does.
pub fn content_hash(catalogue: &Catalogue) -> String {
    let mut servers: Vec<String> = catalogue
        .servers()
        .iter()
        .map(|server| {
            let launch: &Launch = &server.launch;
            // The place is where it stands, not what it says.
            let mut content = server.clone();
            content.place = crate::place::Place { line: 0, column: 0 };
            content.launch = Launch::stdio("", [""; 0]);
            format!("{}\0{content:?}\0{}", server.name, launch.fingerprint())
        })
        .collect();
    servers.sort();
    let mut hash = Sha256::new();
    for server in &servers {
        hash.update((server.len() as u64).to_be_bytes());
        hash.update(server.as_bytes());
    }
    hash.update(format!("{:?}", catalogue.profiles).as_bytes());
    let digest = hash.finalize();
    let mut text = String::from("sha256:");
    for byte in digest {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns the sentence that says what differs from one catalogue to the next: `server 'npm' added`.
///
/// One change is told in full; more are counted. The second value names the servers concerned, in order.
pub fn reason(before: &Catalogue, after: &Catalogue) -> (String, Vec<String>) {
    let mut told = Vec::new();
    let mut changed = Vec::new();
    for server in after.servers() {
        let name = server.name.as_str();
        match before.server(name) {
            None => told.push(format!("server '{name}' added")),
            Some(old) => match difference(old, server) {
                Some(what) => told.push(format!("server '{name}': {what}")),
                None => continue,
            },
        }
        changed.push(name.to_owned());
    }
    for server in before.servers() {
        if after.server(server.name.as_str()).is_none() {
            told.push(format!("server '{}' removed", server.name));
            changed.push(server.name.to_string());
        }
    }
    let sentence = match told.as_slice() {
        [] if before.profiles != after.profiles => "profiles changed".to_owned(),
        [] => "nothing changed".to_owned(),
        [one] => one.clone(),
        more => format!("{} servers changed", more.len()),
    };
    (sentence, changed)
}

fn difference(old: &crate::catalogue::Server, new: &crate::catalogue::Server) -> Option<String> {
    if old.enabled != new.enabled {
        return Some(if new.enabled { "enabled" } else { "disabled" }.to_owned());
    }
    let parts: Vec<&str> = match (&old.launch, &new.launch) {
        (
            Launch::Stdio { command, args, env, cwd },
            Launch::Stdio { command: new_command, args: new_args, env: new_env, cwd: new_cwd },
        ) => [
            (command != new_command, "command"),
            (args != new_args, "args"),
            (env != new_env, "env"),
            (cwd != new_cwd, "cwd"),
        ]
        .into_iter()
        .filter_map(|(differs, name)| differs.then_some(name))
        .collect(),
        (
            Launch::Remote { kind, url, headers },
            Launch::Remote { kind: new_kind, url: new_url, headers: new_headers },
        ) => [(kind != new_kind, "type"), (url != new_url, "url"), (headers != new_headers, "headers")]
            .into_iter()
            .filter_map(|(differs, name)| differs.then_some(name))
            .collect(),
        _ => vec!["transport"],
    };
    if !parts.is_empty() {
        return Some(format!("{} changed", parts.join(" and ")));
    }
    let mut as_old = new.clone();
    as_old.place = old.place;
    (as_old != *old).then(|| "settings changed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::parse;

    #[test]
    fn only_what_is_said_makes_a_revision() {
        let first = parse("[servers.a]\ncommand='x'\n[servers.b]\ncommand='y'\n").value;
        let same = parse("# hi\n[servers.b]\ncommand = \"y\"\n\n[servers.a]\ncommand = \"x\"\n").value;
        let other = parse("[servers.a]\ncommand='x'\n[servers.b]\ncommand='y'\ntags=['t']\n").value;
        let one = Revision::after(None, &first).unwrap();
        assert_eq!((one.number, one.parent.as_ref()), (1, None));
        assert_eq!(Revision::after(Some(&one), &same), None);
        let two = Revision::after(Some(&one), &other).unwrap();
        assert_eq!((two.number, two.parent.as_deref()), (2, Some(one.hash.as_str())));
        assert_eq!(two.version(), "1.2.0");
    }

    #[test]
    fn the_reason_is_a_sentence_for_people() {
        let base = "[servers.a]\ncommand='x'\n[servers.b]\nurl='https://b'\n";
        for (after, sentence) in [
            (
                "[servers.a]\ncommand='x'\n[servers.b]\nurl='https://b'\n[servers.npm]\ncommand='n'\n",
                "server 'npm' added",
            ),
            ("[servers.a]\ncommand='x'\n", "server 'b' removed"),
            ("[servers.a]\ncommand='x'\n[servers.b]\nurl='https://c'\n", "server 'b': url changed"),
            (
                "[servers.a]\ncommand='x'\nenabled=false\n[servers.b]\nurl='https://b'\n",
                "server 'a': disabled",
            ),
            ("[servers.a]\nurl='https://x'\n[servers.b]\nurl='https://b'\n", "server 'a': transport changed"),
            (
                "[servers.a]\ncommand='x'\ntags=['t']\n[servers.b]\nurl='https://b'\n",
                "server 'a': settings changed",
            ),
            ("[servers.c]\ncommand='x'\n", "3 servers changed"),
            (base, "nothing changed"),
        ] {
            assert_eq!(reason(&parse(base).value, &parse(after).value).0, sentence);
        }
    }
}
