//! The spellings that many clients share. A client's own one is such a base with what differs.

use super::{Dialect, EnvHeaders, Hand, HeaderHand, Kind, NotServers, Say, Shape, Spelling, Support, Switch};
use crate::document::Format;
use crate::launch::Remote;

/// The switches that one client or another has, all of them plain in meaning.
pub const SWITCHES: &[Switch] =
    &[Switch { key: "disabled", off: true }, Switch { key: "enabled", off: false }];

/// `type` says `http` or `sse` beside an address and may be left out beside a command.
pub const TYPE: Kind =
    Kind { key: &["type"], say: Say::ForUrls, stdio: Some("stdio"), http: "http", sse: "sse" };

/// `type` is understood, but the client finds out by itself.
pub const TYPE_WHEN_NEEDED: Kind = Kind { say: Say::WhenNeeded, ..TYPE };

/// `type` stands in every entry.
pub const TYPE_ALWAYS: Kind = Kind { say: Say::Always, ..TYPE };

/// `transport` stands in every entry.
pub const TRANSPORT_ALWAYS: Kind = Kind { key: &["transport"], say: Say::Always, ..TYPE };

/// The client looks at the command and the address alone.
pub const NO_KIND: Kind = Kind { say: Say::Never, ..TYPE };

/// The most usual spelling of all: `command`, `args`, `env`; `type`, `url`, `headers`.
pub const PLAIN: Spelling = Spelling {
    command: "command",
    hand: Hand::Text,
    args: "args",
    env: "env",
    cwd: None,
    nested_command: false,
    kind: TYPE,
    url: &["url"],
    http_url: None,
    other_urls: &[],
    bare: Remote::Http,
    headers: &["headers"],
    other_headers: &[],
    header_hand: HeaderHand::Map,
    env_headers: None,
    refused_headers: &[],
    http: Support::Yes,
    sse: Support::Yes,
    switches: SWITCHES,
    extras: &[],
    not_servers: NotServers { kinds: &[], keys: &[] },
    fatal_with_stdio: &[],
    fatal_with_url: &[],
};

/// [`PLAIN`], where an address alone will do.
pub const PLAIN_AUTO: Spelling = Spelling { kind: TYPE_WHEN_NEEDED, ..PLAIN };

/// [`PLAIN`] with `cwd`.
pub const PLAIN_CWD: Spelling = Spelling { cwd: Some("cwd"), ..PLAIN };

/// The command is a list, and `type` is `local` or `remote` (opencode, Kilo Code).
pub const LIST: Spelling = Spelling {
    hand: Hand::List,
    env: "environment",
    kind: Kind { key: &["type"], say: Say::Always, stdio: Some("local"), http: "remote", sse: "remote" },
    ..PLAIN
};

/// Strict JSON with a map `mcpServers`: what most clients have.
pub const MAP_JSON: Dialect = Dialect {
    format: Format::Json,
    containers: &[&["mcpServers"]],
    sections: &[],
    name_lists: &[],
    shape: Shape::Map,
    spelling: PLAIN,
};

/// [`MAP_JSON`], where an address alone will do.
pub const MAP_JSON_AUTO: Dialect = Dialect { spelling: PLAIN_AUTO, ..MAP_JSON };

/// JSON with comments and trailing commas, and a map `mcpServers`.
pub const MAP_JSONC: Dialect = Dialect { format: Format::Jsonc, ..MAP_JSON };

/// VS Code: JSONC with a map `servers`; `type` stands in every entry.
pub const VSCODE: Dialect = Dialect {
    containers: &[&["servers"]],
    spelling: Spelling { kind: TYPE_ALWAYS, cwd: Some("cwd"), ..PLAIN },
    ..MAP_JSONC
};

/// VS Code's `settings.json` of old.
pub const VSCODE_SETTINGS: Dialect = Dialect { containers: &[&["mcp", "servers"]], ..VSCODE };

/// GitHub Copilot outside VS Code: `servers`, with headers also under `requestInit`.
pub const COPILOT: Dialect = Dialect {
    containers: &[&["servers"]],
    spelling: Spelling { other_headers: &[&["requestInit", "headers"]], ..PLAIN },
    ..MAP_JSONC
};

/// opencode: JSONC with `mcp`, in its second layout `mcp.servers`.
pub const OPENCODE: Dialect =
    Dialect { containers: &[&["mcp"], &["mcp", "servers"]], spelling: LIST, ..MAP_JSONC };

/// Codex: TOML with `mcp_servers`, and no leftovers of the other transport.
pub const CODEX: Dialect = Dialect {
    format: Format::Toml,
    containers: &[&["mcp_servers"]],
    spelling: Spelling {
        cwd: Some("cwd"),
        kind: NO_KIND,
        headers: &["http_headers"],
        env_headers: Some(EnvHeaders { bearer: "bearer_token_env_var", map: "env_http_headers" }),
        sse: Support::No,
        fatal_with_stdio: &[
            "url",
            "http_headers",
            "env_http_headers",
            "bearer_token_env_var",
            "scopes",
            "oauth",
            "oauth_resource",
        ],
        fatal_with_url: &["command", "args", "env", "env_vars", "cwd"],
        ..PLAIN
    },
    ..MAP_JSON
};
