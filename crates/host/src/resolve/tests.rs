use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use switchboard_core::launch::Launch;

use super::{ResolveError, Resolved, Resolver};
use crate::secret::{FileSecrets, Secrets as _};

/// Resolves `text` in a home with some of everything; errors come as they are shown.
fn resolved(text: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("token"), "from-file\r\n").unwrap();
    fs::write(home.path().join("two"), "a\nb\n\n").unwrap();
    fs::write(home.path().join("big"), vec![b'x'; (1 << 20) + 1]).unwrap();
    fs::write(home.path().join("binary"), [0xff, 0xfe]).unwrap();
    let secrets = FileSecrets::new(home.path().join("secrets"));
    secrets.set("kept", &"from-keyring".into()).unwrap();
    let environment: BTreeMap<OsString, OsString> =
        [("A", "from-env"), ("EMPTY", ""), ("SECRET_X", "canary")]
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .chain(std::env::vars_os().filter(|(name, _)| name == "PATH"))
            .collect();
    let resolver = Resolver {
        environment: &environment,
        home: Some(home.path()),
        root: Some(Path::new("/project")),
        secrets: &secrets,
        warn: &|_| {},
    };
    match resolver.text(text) {
        Ok(secret) => secret.expose().to_owned(),
        Err(error) => format!("error: {error}").replace(&home.path().display().to_string(), "~"),
    }
}

#[test]
fn references_become_values() {
    for (text, expected) in [
        ("plain", "plain"),
        ("Bearer ${env:A}!", "Bearer from-env!"),
        ("${env:B:-fallback}", "fallback"),
        ("${env:EMPTY:-fallback}", "fallback"),
        ("${env:A:-fallback}", "from-env"),
        ("${file:~/token}", "from-file"),
        ("${file:~/two}", "a\nb\n"),
        ("${keyring:kept}", "from-keyring"),
        ("${root}/x", "/project/x"),
        ("$${env:A} ${workspaceFolder}", "${env:A} ${workspaceFolder}"),
        ("${env:NOPE}", "error: the variable `NOPE` is not set"),
        ("${env:EMPTY}", "error: the variable `EMPTY` is not set"),
        ("${file:~/none}", "error: could not read `~/none`: No such file or directory (os error 2)"),
        ("${file:~/big}", "error: ${file:~/big} is longer than 1 MiB"),
        ("${file:~/binary}", "error: ${file:~/binary} is not UTF-8 text"),
        ("${keyring:none}", "error: no secret is kept under the name `none`"),
        ("${env:A", "error: `${env:` is never closed with `}` at byte 0"),
    ] {
        assert_eq!(resolved(text), expected, "{text}");
    }
}

#[cfg(unix)]
#[test]
fn programs_are_run_without_a_shell() {
    for (text, expected) in [
        ("${cmd:printf ' %s \\n' 'a  $HOME;b'}", "a  $HOME;b"),
        ("${cmd:sh -c 'echo [$SECRET_X]'}", "[]"),
        ("${cmd:cat}", ""),
        ("${cmd:sh -c 'echo canary; exit 3'}", "error: `sh` ended with exit status: 3"),
        (
            "${cmd:no-such-program canary}",
            "error: could not run `no-such-program`: `no-such-program` is not in PATH",
        ),
        ("${cmd:sh -c 'exec head -c 2000000 /dev/zero'}", "error: ${cmd:sh} is longer than 1 MiB"),
    ] {
        assert_eq!(resolved(text), expected, "{text}");
    }
}

#[test]
fn errors_name_the_field_and_never_the_value() {
    let launch: Launch = serde_json::from_str(
        r#"{"stdio":{"command":"x","args":["hunter2"],"env":{"T":"hunter2${env:NO}"}}}"#,
    )
    .unwrap();
    let home = tempfile::tempdir().unwrap();
    let resolver = Resolver {
        environment: &BTreeMap::new(),
        home: None,
        root: None,
        secrets: &FileSecrets::new(home.path()),
        warn: &|_| {},
    };
    let error: ResolveError = resolver.launch(&launch).unwrap_err();
    assert_eq!(error.to_string(), "`env.T`: the variable `NO` is not set");
    assert!(!format!("{error:?}").contains("hunter2"));

    let launch: Launch =
        serde_json::from_str(r#"{"stdio":{"command":"x","args":["hunter2"],"cwd":"/"}}"#).unwrap();
    let resolved = resolver.launch(&launch).unwrap();
    assert!(!format!("{resolved:?}").contains("hunter2"));
    assert!(matches!(resolved, Resolved::Stdio(command) if command.args[0].expose() == "hunter2"));
}
