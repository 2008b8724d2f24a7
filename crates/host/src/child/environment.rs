//! What of our environment a server sees: what programs need to work, and nothing else.
//!
//! A client's environment is full of other people's secrets. A server gets those that its catalogue entry names.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::secret::Secret;

/// Names that pass, compared without case where the system does.
const NAMES: &[&str] = &[
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
];

/// Beginnings of names that pass.
const PREFIXES: &[&str] = &["LC_", "XDG_"];

/// Names that pass on Windows, where programs do not start without most of them.
const WINDOWS: &[&str] = &[
    "ALLUSERSPROFILE",
    "APPDATA",
    "COMMONPROGRAMFILES",
    "COMPUTERNAME",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMW6432",
    "PUBLIC",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];

/// Returns what of `inherited` passes the allow-list.
pub fn allowed(inherited: &BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    inherited
        .iter()
        .filter(|(name, _)| name.to_str().is_some_and(passes))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Returns the environment of a server: the allow-listed part of `inherited`, and `own` on top of it.
pub fn environment(
    inherited: &BTreeMap<OsString, OsString>,
    own: &BTreeMap<String, Secret>,
) -> BTreeMap<OsString, OsString> {
    let mut environment = allowed(inherited);
    for (name, value) in own {
        if cfg!(windows) {
            environment.retain(|other, _| !other.eq_ignore_ascii_case(name));
        }
        environment.insert(name.into(), value.expose().into());
    }
    environment
}

fn passes(name: &str) -> bool {
    if cfg!(windows) {
        let upper = name.to_ascii_uppercase();
        return NAMES.contains(&&*upper) || WINDOWS.contains(&&*upper) || begins(&upper);
    }
    NAMES.contains(&name) || begins(name)
}

fn begins(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_need_passes_and_the_rest_does_not() {
        let inherited: BTreeMap<OsString, OsString> = [
            "HOME",
            "PATH",
            "LC_ALL",
            "XDG_RUNTIME_DIR",
            "https_proxy",
            "NO_PROXY",
            "SSL_CERT_FILE",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "LD_PRELOAD",
            "NODE_OPTIONS",
            "ANTHROPIC_API_KEY",
            "path",
        ]
        .into_iter()
        .map(|name| (name.into(), "inherited".into()))
        .collect();
        let own = [("PATH", "/own"), ("GITHUB_TOKEN", "own")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Secret::from(value)))
            .collect();
        let seen: Vec<String> = environment(&inherited, &own)
            .into_iter()
            .map(|(name, value)| format!("{}={}", name.display(), value.display()))
            .collect();
        assert_eq!(
            seen,
            [
                "GITHUB_TOKEN=own",
                "HOME=inherited",
                "LC_ALL=inherited",
                "NO_PROXY=inherited",
                "PATH=/own",
                "SSL_CERT_FILE=inherited",
                "XDG_RUNTIME_DIR=inherited",
                "https_proxy=inherited",
            ]
        );
    }
}
