use super::super::{Dialect, Entry, EntryProblem, FieldChange, Unspeakable, apply};
use crate::client::known::find;
use crate::launch::{Launch, Remote};
use crate::value::Value;

fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(number.to_string()),
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::List(items.iter().map(value).collect()),
        Json::Object(members) => {
            Value::Map(members.iter().map(|(key, member)| (key.clone(), value(member))).collect())
        }
    }
}

fn entry(json: &str) -> Value {
    value(&serde_json::from_str(json).unwrap())
}

fn dialect(id: &str) -> Dialect {
    find(id).unwrap().dialect
}

fn read(id: &str, json: &str) -> Result<Entry, EntryProblem> {
    dialect(id).read_entry(&entry(json))
}

fn stdio(command: &str, args: &[&str], env: &[(&str, &str)]) -> Launch {
    Launch::Stdio {
        command: command.into(),
        args: args.iter().map(|&arg| arg.into()).collect(),
        env: env.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
        cwd: None,
    }
}

fn at(launch: Launch, folder: &str) -> Launch {
    match launch {
        Launch::Stdio { command, args, env, .. } => {
            Launch::Stdio { command, args, env, cwd: Some(folder.into()) }
        }
        launch @ Launch::Remote { .. } => launch,
    }
}

fn remote(kind: Remote, url: &str, headers: &[(&str, &str)]) -> Launch {
    let headers = headers.iter().map(|&(key, value)| (key.into(), value.into())).collect();
    Launch::Remote { kind, url: url.into(), headers }
}

fn http(headers: &[(&str, &str)]) -> Launch {
    remote(Remote::Http, "https://x.example/mcp", headers)
}

fn sse() -> Launch {
    remote(Remote::Sse, "https://x.example/mcp", &[])
}

#[test]
fn entries_of_every_shape_are_read() {
    let cases = [
        (
            "claude-desktop",
            r#"{"command":"npx","args":["-y"],"env":{"A":"1"},"x-note":"kept"}"#,
            stdio("npx", &["-y"], &[("A", "1")]),
            "x-note",
        ),
        (
            "claude-code",
            r#"{"type":"http","url":"https://x.example/mcp","headersHelper":"/m"}"#,
            http(&[]),
            "headersHelper",
        ),
        ("claude-code", r#"{"type":"sse","url":"https://x.example/mcp"}"#, sse(), ""),
        (
            "cursor",
            r#"{"command":"uvx","envFile":".env","disabled":false}"#,
            stdio("uvx", &[], &[]),
            "envFile",
        ),
        ("cursor", r#"{"url":"https://x.example/mcp","auth":{}}"#, http(&[]), "auth"),
        ("vscode", r#"{"type":"stdio","command":"npx","dev":{}}"#, stdio("npx", &[], &[]), "dev"),
        ("windsurf", r#"{"serverUrl":"https://x.example/mcp","headers":{"K":"v"}}"#, http(&[("K", "v")]), ""),
        ("windsurf", r#"{"url":"https://x.example/mcp"}"#, http(&[]), ""),
        ("antigravity", r#"{"$typeName":"t","serverUrl":"https://x.example/mcp"}"#, http(&[]), "$typeName"),
        ("cline", r#"{"url":"https://x.example/mcp","timeout":3}"#, sse(), "timeout"),
        ("cline", r#"{"type":"streamableHttp","url":"https://x.example/mcp"}"#, http(&[]), ""),
        ("cline", r#"{"transportType":"http","url":"https://x.example/mcp"}"#, http(&[]), ""),
        (
            "roo-code",
            r#"{"command":"npx","cwd":"/w","watchPaths":[]}"#,
            at(stdio("npx", &[], &[]), "/w"),
            "watchPaths",
        ),
        (
            "kilo-code",
            r#"{"type":"local","command":["npx","-y","a"],"environment":{"L":"i"},"timeout":1}"#,
            stdio("npx", &["-y", "a"], &[("L", "i")]),
            "timeout",
        ),
        ("opencode", r#"{"type":"remote","url":"https://x.example/mcp","oauth":false}"#, http(&[]), "oauth"),
        (
            "continue",
            r#"{"name":"D","type":"streamable-http","url":"https://x.example/mcp",
            "requestOptions":{"headers":{"A":"b"},"timeout":1}}"#,
            http(&[("A", "b")]),
            "requestOptions",
        ),
        ("zed", r#"{"source":"custom","command":"uvx","args":[]}"#, stdio("uvx", &[], &[]), "source"),
        (
            "zed",
            r#"{"command":{"path":"node","args":["s.js"],"env":null},"settings":{}}"#,
            stdio("node", &["s.js"], &[]),
            "settings",
        ),
        (
            "codex",
            r#"{"command":"npx","env_vars":["T"],"cwd":"/d"}"#,
            at(stdio("npx", &[], &[]), "/d"),
            "env_vars",
        ),
        (
            "codex",
            r#"{"url":"https://x.example/mcp","http_headers":{"R":"e"},"scopes":[]}"#,
            http(&[("R", "e")]),
            "scopes",
        ),
        ("gemini-cli", r#"{"httpUrl":"https://x.example/mcp","trust":true}"#, http(&[]), "trust"),
        ("gemini-cli", r#"{"url":"https://x.example/mcp"}"#, sse(), ""),
        ("gemini-cli", r#"{"url":"https://x.example/mcp","type":"http"}"#, http(&[]), ""),
        ("qwen-code", r#"{"httpUrl":"https://x.example/mcp"}"#, http(&[]), ""),
        ("qwen-code", r#"{"url":"https://x.example/mcp"}"#, sse(), ""),
        ("copilot-cli", r#"{"type":"local","command":"npx","tools":["*"]}"#, stdio("npx", &[], &[]), "tools"),
        (
            "visual-studio",
            r#"{"type":"http","url":"https://x.example/mcp","requestInit":{"headers":{"A":"b"}}}"#,
            http(&[("A", "b")]),
            "",
        ),
        (
            "goose",
            r#"{"type":"stdio","cmd":"npx","args":["a"],"envs":{"P":8080,"D":true},"bundled":null}"#,
            stdio("npx", &["a"], &[("P", "8080"), ("D", "true")]),
            "bundled",
        ),
        ("goose", r#"{"type":"streamable_http","uri":"https://x.example/mcp"}"#, http(&[]), ""),
        (
            "jan",
            r#"{"type":"http","url":"https://x.example/mcp","command":"","args":[],"env":{},"active":true}"#,
            http(&[]),
            "",
        ),
        (
            "mcporter",
            r#"{"baseUrl":"https://x.example/mcp","lifecycle":"keep-alive"}"#,
            http(&[]),
            "lifecycle",
        ),
        ("kimi-code", r#"{"transport":"http","url":"https://x.example/mcp"}"#, http(&[]), ""),
        ("openclaw", r#"{"transport":"streamable-http","url":"https://x.example/mcp"}"#, http(&[]), ""),
        (
            "poolside",
            r#"{"transport":{"type":"http","url":"https://x.example/mcp","headers":["A: b:c"]}}"#,
            http(&[("A", "b:c")]),
            "",
        ),
        (
            "mistral-vibe",
            r#"{"name":"a","transport":"stdio","command":"npx","prompt":"p"}"#,
            stdio("npx", &[], &[]),
            "prompt",
        ),
        ("warp", r#"{"command":"npx","working_directory":"/w"}"#, at(stdio("npx", &[], &[]), "/w"), ""),
        ("5ire", r#"{"key":"f","command":"npx","isActive":true}"#, stdio("npx", &[], &[]), "key"),
        ("ibm-bob", r#"{"httpURL":"https://x.example/mcp"}"#, http(&[]), ""),
    ];
    for (id, json, launch, foreign) in cases {
        let said = read(id, json).unwrap_or_else(|problem| panic!("{id}: {json}: {problem}"));
        assert_eq!(said.launch.fingerprint(), launch.fingerprint(), "{id}: {json}: {:?}", said.launch);
        assert_eq!(said.foreign.join(" "), foreign, "{id}: {json}");
        assert!(said.enabled, "{id}: {json}");
        assert_eq!(
            dialect(id).write_entry(&launch, Some(&entry(json))).unwrap_or_default(),
            [],
            "{id}: {json}"
        );
    }
}

#[test]
fn switched_off_entries_are_told() {
    for (id, switch) in [
        ("cline", r#""disabled":true"#),
        ("kilo-code", r#""enabled":false"#),
        ("jan", r#""active":false"#),
        ("5ire", r#""isActive":false"#),
    ] {
        assert!(!read(id, &format!(r#"{{"command":"npx",{switch}}}"#)).unwrap().enabled, "{id}");
    }
}

#[test]
fn what_is_no_server_is_passed_over() {
    for (id, json) in [
        ("goose", r#"{"type":"builtin","name":"developer","enabled":true}"#),
        ("continue", r#"{"uses":"continuedev/filesystem-mcp"}"#),
        ("zed", r#"{"enabled":true,"remote":false,"settings":{"token":"t"}}"#),
        ("opencode", r#"{"enabled":false}"#),
    ] {
        assert_eq!(read(id, json), Err(EntryProblem::NotAServer), "{id}: {json}");
        let told = dialect(id).write_entry(&stdio("npx", &[], &[]), Some(&entry(json)));
        assert_eq!(told, Err(Unspeakable::NotAServer), "{id}: {json}");
    }
}

#[test]
fn malformed_entries_say_what_is_wrong() {
    for (json, what) in [
        (r#""npx""#, "the entry is a text, not a map"),
        (r#"{"command":"npx","args":{"a":1}}"#, "`args` is a map, not a list of texts"),
        (r#"{"command":"npx","args":["a",["b"]]}"#, "`args[1]` is a list, not a text"),
        (r#"{"command":"npx","env":{"A":{}}}"#, "`env.A` is a map, not a text"),
        (r#"{"command":5}"#, "`command` is a number, not a text"),
        (r#"{"command":[]}"#, ""),
        (r#"{"args":["a"]}"#, "neither `command` nor `url` is there"),
        (r#"{"type":"ws","url":"ws://x"}"#, "`type` is `ws`, which is no transport that we know"),
        (r#"{"type":"stdio","url":"https://x"}"#, "`command` is missing"),
        (r#"{"type":"http","command":"npx"}"#, "`url` is missing"),
        (r#"{"url":"https://x","headers":["a"]}"#, "`headers` has a line without a colon"),
    ] {
        match read("claude-code", json) {
            Err(EntryProblem::Malformed { what: said }) => assert_eq!(said, what, "{json}"),
            other => assert!(what.is_empty() && other == Err(EntryProblem::NotAServer), "{json}: {other:?}"),
        }
    }
}

/// The changes as `path=json`, removals as `-path`.
fn told(id: &str, json: &str, launch: &Launch) -> Vec<String> {
    let changes = dialect(id).write_entry(launch, Some(&entry(json))).unwrap();
    let show = |change: &FieldChange| match &change.value {
        None => format!("-{}", change.path.join(".")),
        Some(value) => format!("{}={value:?}", change.path.join(".")),
    };
    changes.iter().map(show).collect()
}

fn check(id: &str, json: &str, launch: &Launch, changes: &[&str]) {
    let texts = |text: &str| text.replace("Text(\"", "(\"");
    let said: Vec<String> = told(id, json, launch).iter().map(|change| texts(change)).collect();
    assert_eq!(said, changes, "{id}: {json}");
}

#[test]
fn only_what_differs_is_changed() {
    let npx = stdio("npx", &["a"], &[]);
    check("cursor", r#"{"command":"node","args":["a"],"env":{}}"#, &npx, &[r#"command=("npx")"#]);
    check("cursor", r#"{"command":"npx","args":["a"],"env":{"A":"1"}}"#, &npx, &["-env"]);
    check("cursor", r#"{"command":"npx","args":["a","b"]}"#, &npx, &[r#"args=List([("a")])"#]);
    check("claude-code", r#"{"command":"npx"}"#, &npx, &[r#"args=List([("a")])"#]);
    // Ours counts as said, however it is spelt.
    let port = stdio("npx", &["8080"], &[("P", "1"), ("Q", "2")]);
    check(
        "goose",
        r#"{"type":"stdio","cmd":"npx","args":[8080],"envs":{"P":1,"Q":3}}"#,
        &port,
        &[r#"envs=Map([("P", Number("1")), ("Q", ("2"))])"#],
    );
    check(
        "copilot-cli",
        r#"{"type":"stdio","command":"npx","args":["b"]}"#,
        &npx,
        &[r#"args=List([("a")])"#],
    );
    check(
        "zed",
        r#"{"command":{"path":"node","args":["a"],"env":null}}"#,
        &npx,
        &[r#"command.path=("npx")"#],
    );
    check("kilo-code", r#"{"type":"local","command":["npx"]}"#, &npx, &[r#"command=List([("npx"), ("a")])"#]);
    check(
        "gemini-cli",
        r#"{"httpUrl":"https://old"}"#,
        &http(&[]),
        &[r#"httpUrl=("https://x.example/mcp")"#],
    );
    check("windsurf", r#"{"url":"https://old"}"#, &http(&[]), &[r#"url=("https://x.example/mcp")"#]);
    check("mcporter", r#"{"command":["node","x"]}"#, &npx, &[r#"command=List([("npx"), ("a")])"#]);
    check(
        "visual-studio",
        r#"{"url":"https://x.example/mcp","requestInit":{"headers":{"A":"b"}}}"#,
        &http(&[("A", "c")]),
        &[r#"requestInit.headers=Map([("A", ("c"))])"#],
    );
}

#[test]
fn a_switch_of_transport_leaves_nothing_behind() {
    let npx = stdio("npx", &[], &[]);
    check(
        "codex",
        r#"{"url":"https://x","http_headers":{"A":"b"},"bearer_token_env_var":"T","oauth":{},"enabled":true}"#,
        &npx,
        &[r#"command=("npx")"#, "-url", "-http_headers", "-bearer_token_env_var", "-oauth"],
    );
    check(
        "codex",
        r#"{"command":"npx","args":[],"env":{"A":"b"},"cwd":"/w","env_vars":[]}"#,
        &http(&[]),
        &[r#"url=("https://x.example/mcp")"#, "-command", "-env", "-args", "-env_vars", "-cwd"],
    );
    check(
        "vscode",
        r#"{"type":"http","url":"https://x","headers":{"A":"b"},"gallery":"g"}"#,
        &npx,
        &[r#"type=("stdio")"#, r#"command=("npx")"#, "-url", "-headers"],
    );
    check(
        "cursor",
        r#"{"command":"npx","args":["a"],"envFile":"e"}"#,
        &http(&[]),
        &[r#"url=("https://x.example/mcp")"#, "-command", "-args"],
    );
    check(
        "poolside",
        r#"{"transport":{"type":"http","url":"https://x","headers":["A: b"]},"allow":[]}"#,
        &npx,
        &[r#"command=("npx")"#, "-transport"],
    );
    check(
        "qwen-code",
        r#"{"httpUrl":"https://x.example/mcp"}"#,
        &sse(),
        &["-httpUrl", r#"url=("https://x.example/mcp")"#],
    );
    check("cline", r#"{"url":"https://x.example/mcp"}"#, &http(&[]), &[r#"type=("streamableHttp")"#]);
}

#[test]
fn fresh_entries_have_what_their_client_asks_for() {
    let npx = stdio("npx", &["a"], &[("K", "v")]);
    for (id, launch, json) in [
        ("claude-desktop", &npx, r#"{"command":"npx","args":["a"],"env":{"K":"v"}}"#),
        ("vscode", &npx, r#"{"type":"stdio","command":"npx","args":["a"],"env":{"K":"v"}}"#),
        ("opencode", &npx, r#"{"type":"local","command":["npx","a"],"environment":{"K":"v"}}"#),
        (
            "goose",
            &npx,
            r#"{"name":"n","type":"stdio","cmd":"npx","args":["a"],"envs":{"K":"v"},"description":"","enabled":true}"#,
        ),
        ("continue", &npx, r#"{"name":"n","command":"npx","args":["a"],"env":{"K":"v"}}"#),
        (
            "copilot-cli",
            &npx,
            r#"{"type":"local","command":"npx","args":["a"],"env":{"K":"v"},"tools":["*"]}"#,
        ),
        (
            "poolside",
            &http(&[("A", "b")]),
            r#"{"transport":{"url":"https://x.example/mcp","headers":["A: b"],"type":"http"}}"#,
        ),
        ("codex", &http(&[("A", "b")]), r#"{"url":"https://x.example/mcp","http_headers":{"A":"b"}}"#),
        ("claude-code", &http(&[]), r#"{"type":"http","url":"https://x.example/mcp"}"#),
        ("cursor", &sse(), r#"{"type":"sse","url":"https://x.example/mcp"}"#),
        ("windsurf", &http(&[]), r#"{"serverUrl":"https://x.example/mcp"}"#),
        ("qwen-code", &http(&[]), r#"{"httpUrl":"https://x.example/mcp"}"#),
        (
            "mistral-vibe",
            &http(&[]),
            r#"{"name":"n","transport":"streamable-http","url":"https://x.example/mcp"}"#,
        ),
    ] {
        let fresh = dialect(id).fresh_entry("n", launch).unwrap();
        assert!(fresh.same_as(&entry(json)), "{id}: {fresh:?}");
    }
}

#[test]
fn what_a_client_cannot_be_told_is_refused() {
    let tell = |id: &str, launch: &Launch| dialect(id).fresh_entry("n", launch).unwrap_err();
    assert_eq!(tell("claude-desktop", &http(&[])), Unspeakable::NoUrl);
    assert_eq!(tell("codex", &sse()), Unspeakable::NoTransport(Remote::Sse));
    assert_eq!(tell("fx", &http(&[("Authorization", "t")])), Unspeakable::Header("Authorization".into()));
    assert_eq!(tell("cursor", &at(stdio("npx", &[], &[]), "/w")), Unspeakable::NoCwd);
    assert_eq!(
        Unspeakable::NoTransport(Remote::Sse).to_string(),
        "this client does not speak the `sse` transport"
    );
}

#[test]
fn the_layout_found_is_kept() {
    let container = |id: &str, json: &str| dialect(id).container(Some(&entry(json))).join("/");
    assert_eq!(dialect("opencode").container(None), ["mcp"]);
    assert_eq!(container("opencode", r#"{"mcp":{"a":{}}}"#), "mcp");
    assert_eq!(container("opencode", r#"{"mcp":{"servers":{"a":{}}}}"#), "mcp/servers");
    assert_eq!(container("opencode", r#"{"mcp":{"servers":{"type":"local","command":["x"]}}}"#), "mcp");
    assert_eq!(container("amp", r#"{"mcpServers":{}}"#), "mcpServers");
    assert_eq!(container("amp", r#"{"mcpServers":{},"amp.mcpServers":{}}"#), "amp.mcpServers");
}

#[test]
fn changes_apply_as_an_edit_would() {
    let mut value = entry(r#"{"a":{"b":1,"c":2}}"#);
    apply(
        &mut value,
        &[FieldChange::new(&["a", "b"], None), FieldChange::new(&["d", "e"], Some(Value::Null))],
    );
    assert!(value.same_as(&entry(r#"{"a":{"c":2},"d":{"e":null}}"#)));
}

#[test]
fn headers_from_variables_are_told_under_keys_of_their_own() {
    let figma = r#"{"url":"https://x.example/mcp","bearer_token_env_var":"T","http_headers":{"A":"b"},"env_http_headers":{"X-Org":"ORG"},"scopes":["a"]}"#;
    let said = read("codex", figma).unwrap();
    let all = [("Authorization", "Bearer ${env:T}"), ("A", "b"), ("X-Org", "${env:ORG}")];
    assert_eq!(said.launch, http(&all));
    assert_eq!(said.foreign, ["scopes"]);
    check("codex", figma, &http(&all), &[]);
    check(
        "codex",
        figma,
        &http(&[("Authorization", "Bearer ${env:U}"), ("A", "${env:B}"), ("X-Org", "${env:ORG}")]),
        &[
            r#"bearer_token_env_var=("U")"#,
            r#"env_http_headers=Map([("X-Org", ("ORG")), ("A", ("B"))])"#,
            "-http_headers",
        ],
    );
    check("codex", figma, &http(&[]), &["-bearer_token_env_var", "-env_http_headers", "-http_headers"]);
    // What is not the whole of a value cannot be told so, and stays a text.
    check(
        "codex",
        r#"{"url":"https://x.example/mcp"}"#,
        &http(&[("Authorization", "Token ${env:T}"), ("B", "Bearer ${env:T}")]),
        &[r#"http_headers=Map([("Authorization", ("Token ${env:T}")), ("B", ("Bearer ${env:T}"))])"#],
    );
    // Other clients have no such keys.
    check(
        "cursor",
        r#"{"url":"https://x.example/mcp"}"#,
        &http(&[("A", "${env:T}")]),
        &[r#"headers=Map([("A", ("${env:T}"))])"#],
    );
    assert!(read("codex", r#"{"url":"https://x","bearer_token_env_var":5}"#).is_err());
}
