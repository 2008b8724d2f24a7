use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Dialect, EntryProblem, FieldChange, Unspeakable, apply};
use crate::client::known::all;
use crate::launch::{Launch, Remote};
use crate::value::Value;

/// Every dialect in the table, those of single places too.
fn dialects() -> Vec<Dialect> {
    let mut dialects: Vec<Dialect> = Vec::new();
    for known in all() {
        let of_places = known.places.iter().map(|place| known.dialect_at(place));
        for dialect in of_places.chain([known.dialect]) {
            if !dialects.contains(&dialect) {
                dialects.push(dialect);
            }
        }
    }
    dialects
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map("[A-Z][A-Za-z-]{0,3}", "[a-z1-9$ä]{0,4}", 0..3)
}

/// Headers, some of them from variables.
fn headers() -> impl Strategy<Value = BTreeMap<String, String>> {
    let name = prop_oneof![3 => "[A-Z][A-Za-z-]{0,3}", 1 => Just("Authorization".to_owned())];
    let value = prop_oneof![
        2 => "[a-z1-9$ä]{0,4}",
        1 => "[$][{]env:[A-Z]{1,2}[}]",
        1 => "Bearer [$][{]env:[A-Z]{1,2}[}]",
        1 => "Bearer [a-z]{1,2}",
    ];
    proptest::collection::btree_map(name, value, 0..4)
}

fn launches() -> impl Strategy<Value = Launch> {
    let args = proptest::collection::vec("[a-z0-9ä-]{0,4}", 0..3);
    let kind = prop_oneof![Just(Remote::Http), Just(Remote::Sse)];
    prop_oneof![
        ("[a-z/]{1,6}", args, texts(), proptest::option::of("/[a-z]{1,3}"))
            .prop_map(|(command, args, env, cwd)| Launch::Stdio { command, args, env, cwd }),
        (kind, "https://[a-z]{1,4}\\.example/mcp", headers())
            .prop_map(|(kind, url, headers)| Launch::Remote { kind, url, headers }),
    ]
}

/// Values that any key might hold.
fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Number("8080".into())),
        "[a-z]{0,3}".prop_map(Value::text),
        proptest::sample::select(vec![
            "http",
            "sse",
            "stdio",
            "local",
            "remote",
            "builtin",
            "streamableHttp"
        ])
        .prop_map(Value::text),
        Just(Value::text("https://a.example/mcp")),
        Just(Value::texts(["a", "b"])),
        Just(Value::texts(["A: b"])),
        Just(Value::List(Vec::new())),
        Just(Value::Map(Vec::new())),
        Just(Value::text_map([("A", "b")])),
        Just(Value::text_map([("path", "node"), ("extra", "x")])),
        Just(Value::Map(vec![
            ("type".into(), Value::text("http")),
            ("url".into(), Value::text("https://b.example/mcp")),
            ("headers".into(), Value::texts(["A: b"])),
        ])),
        Just(Value::Map(vec![("headers".into(), Value::text_map([("A", "b")])), ("t".into(), Value::Null)])),
    ]
}

/// Keys that some client or other knows, and keys that none knows.
const KEYS: &[&str] = &[
    "command",
    "cmd",
    "args",
    "env",
    "envs",
    "environment",
    "cwd",
    "type",
    "transport",
    "transportType",
    "url",
    "serverUrl",
    "httpUrl",
    "httpURL",
    "baseUrl",
    "uri",
    "headers",
    "http_headers",
    "env_http_headers",
    "bearer_token_env_var",
    "requestInit",
    "requestOptions",
    "disabled",
    "enabled",
    "timeout",
    "x-note",
    "name",
    "oauth",
];

/// What no dialect may touch.
const FOREIGN: &[&str] = &["disabled", "enabled", "timeout", "x-note", "name", "transportX"];

fn entries() -> impl Strategy<Value = Value> {
    let keys = proptest::sample::subsequence(KEYS, 0..8).prop_shuffle();
    keys.prop_flat_map(|keys| {
        let values = proptest::collection::vec(junk(), keys.len());
        values
            .prop_map(move |values| Value::Map(keys.iter().map(|&key| key.to_owned()).zip(values).collect()))
    })
}

fn without_cwd(launch: Launch) -> Launch {
    match launch {
        Launch::Stdio { command, args, env, .. } => Launch::Stdio { command, args, env, cwd: None },
        launch @ Launch::Remote { .. } => launch,
    }
}

fn told(dialect: &Dialect, launch: &Launch, entry: &Value) -> Result<(Value, Vec<FieldChange>), Unspeakable> {
    let changes = dialect.write_entry(launch, Some(entry))?;
    let mut after = entry.clone();
    apply(&mut after, &changes);
    Ok((after, changes))
}

fn check_existing(dialect: &Dialect, launch: &Launch, entry: &Value) -> Result<(), TestCaseError> {
    let Ok((after, changes)) = told(dialect, launch, entry) else { return Ok(()) };
    match dialect.read_entry(&after) {
        Ok(said) => {
            let heard = without_cwd(dialect.heard(launch));
            prop_assert_eq!(without_cwd(said.launch).fingerprint(), heard.fingerprint());
        }
        // The working folder is the user's own; when it cannot be read, neither can the entry.
        Err(EntryProblem::Malformed { what }) => prop_assert!(what.starts_with("`cwd`"), "{}", what),
        Err(problem) => return Err(TestCaseError::fail(problem.to_string())),
    }
    for key in FOREIGN {
        prop_assert_eq!(after.get(key), entry.get(key));
    }
    prop_assert!(changes.iter().all(|change| !change.path.is_empty()));
    let (_, again) = told(dialect, launch, &after).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(again, Vec::new());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_reads_back_and_nothing_else_changes(launch in launches(), entry in entries()) {
        for dialect in dialects() {
            check_existing(&dialect, &launch, &entry)
                .map_err(|error| TestCaseError::fail(format!("{dialect:#?}\n{error}")))?;
        }
    }

    #[test]
    fn entries_go_from_one_launch_to_another(first in launches(), second in launches()) {
        for dialect in dialects() {
            if let Ok(fresh) = dialect.fresh_entry("alias", &first) {
                check_existing(&dialect, &second, &fresh)
                    .map_err(|error| TestCaseError::fail(format!("{dialect:#?}\n{error}")))?;
            }
        }
    }

    #[test]
    fn a_fresh_entry_reads_back(launch in launches()) {
        for dialect in dialects() {
            if let Ok(fresh) = dialect.fresh_entry("alias", &launch) {
                let said = dialect.read_entry(&fresh).map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert!(said.enabled);
                prop_assert_eq!(said.launch.fingerprint(), dialect.heard(&launch).fingerprint());
                prop_assert_eq!(dialect.write_entry(&launch, Some(&fresh)), Ok(Vec::new()));
            }
        }
    }

    #[test]
    fn what_an_entry_says_already_is_no_change(entry in entries()) {
        for dialect in dialects() {
            let Ok(said) = dialect.read_entry(&entry) else { continue };
            let fatal = match said.launch {
                Launch::Stdio { .. } => dialect.spelling.fatal_with_stdio,
                Launch::Remote { .. } => dialect.spelling.fatal_with_url,
            };
            if let Ok(changes) = dialect.write_entry(&said.launch, Some(&entry)) {
                let expected = |change: &FieldChange| {
                    change.value.is_none() && fatal.contains(&change.path[0].as_str())
                };
                prop_assert!(changes.iter().all(expected), "{:#?}\n{:?}", dialect, changes);
            }
        }
    }
}

/// Found by the law above: an address for HTTP alone, beside the name of another transport.
#[test]
fn an_entry_that_contradicts_itself_stays_when_it_says_what_is_wanted() {
    let texts = [("httpURL", "https://x.example"), ("transport", "sse")];
    let entry = Value::Map(texts.map(|(key, text)| (key.to_owned(), Value::text(text))).to_vec());
    let mut read = 0;
    for dialect in dialects() {
        let Ok(said) = dialect.read_entry(&entry) else { continue };
        if let Ok(changes) = dialect.write_entry(&said.launch, Some(&entry)) {
            read += 1;
            assert_eq!(changes, [], "{dialect:#?}");
        }
    }
    assert!(read > 0);
}
