//! Agents for the terminal, the widely used ones.

use super::place::{EnvOverride, Place, Scope};
use super::{BASE, Evidence, Known, Reload};
use crate::client::dialect::{
    CODEX, Dialect, Extra, Kind, LIST, MAP_JSON, MAP_JSON_AUTO, MAP_JSONC, NameList, Names, NotServers,
    OPENCODE, PLAIN, PLAIN_AUTO, PLAIN_CWD, Spelling, Support, Syntax, TRANSPORT_ALWAYS, TYPE, TYPE_ALWAYS,
    TYPE_WHEN_NEEDED,
};
use crate::document::Format;
use crate::launch::Remote;

/// Claude Code's own file also has servers for one user in one project each.
const CLAUDE_USER: Dialect = Dialect {
    sections: &[&["projects", "*", "mcpServers"]],
    name_lists: &[NameList { path: &["projects", "*", "disabledMcpServers"], names: Names::Hidden }],
    ..MAP_JSON
};

/// An address alone is HTTP+SSE, and `httpUrl` is still read.
const GEMINI: Dialect = Dialect {
    format: Format::JsonComments,
    name_lists: &[
        NameList { path: &["mcp", "allowed"], names: Names::Used },
        NameList { path: &["mcp", "excluded"], names: Names::Hidden },
    ],
    spelling: Spelling { other_urls: &[&["httpUrl"]], bare: Remote::Sse, ..PLAIN_CWD },
    ..MAP_JSON
};

/// The key of the address tells the transport.
const QWEN: Dialect = Dialect {
    spelling: Spelling {
        kind: TYPE_WHEN_NEEDED,
        http_url: Some(&["httpUrl"]),
        other_urls: &[],
        ..GEMINI.spelling
    },
    ..GEMINI
};

/// `type` is `local` for commands, and a list of allowed tools is asked for.
const COPILOT_CLI: Dialect = Dialect {
    spelling: Spelling {
        kind: Kind { stdio: Some("local"), ..TYPE_ALWAYS },
        extras: &[("tools", Extra::Texts(&["*"]))],
        ..PLAIN_CWD
    },
    ..MAP_JSONC
};

/// Extensions of several sorts, of which only some are MCP servers.
const GOOSE: Dialect = Dialect {
    format: Format::Yaml,
    containers: &[&["extensions"]],
    spelling: Spelling {
        command: "cmd",
        env: "envs",
        kind: Kind { http: "streamable_http", ..TYPE_ALWAYS },
        url: &["uri"],
        sse: Support::No,
        extras: &[("name", Extra::Alias), ("description", Extra::Text("")), ("enabled", Extra::Bool(true))],
        not_servers: NotServers { kinds: &["builtin", "platform", "frontend", "inline_python"], keys: &[] },
        ..PLAIN
    },
    ..MAP_JSON
};

const STREAMABLE_CAMEL: Kind = Kind { http: "streamableHttp", ..TYPE };

pub(super) const ROWS: &[Known] = &[
    Known {
        id: "claude-code",
        name: "Claude Code",
        places: &[
            Place::user(&["{home}/.claude.json"])
                .moved_by(&[EnvOverride::folder("CLAUDE_CONFIG_DIR", ".claude.json")])
                .in_dialect(&CLAUDE_USER),
            Place::project(&["{project}/.mcp.json"]),
            Place::systems(
                &["/etc/claude-code/managed-mcp.json"],
                &["/Library/Application Support/ClaudeCode/managed-mcp.json"],
                &["C:/Program Files/ClaudeCode/managed-mcp.json"],
            )
            .system(),
        ],
        reload: Reload::OnAction("start a new session, or reconnect the server with /mcp"),
        list_changed: Some(true),
        tool_name_limit: Some(64),
        variables: &[Syntax::Braces, Syntax::BracesOr],
        evidence: Evidence::Run,
        note: "a comment or trailing comma makes it start over with an empty user file; project servers need approval",
        ..BASE
    },
    Known {
        id: "codex",
        aliases: &["codex-cli"],
        name: "Codex CLI / IDE / desktop",
        dialect: CODEX,
        places: &[
            Place::user(&["{home}/.codex/config.toml"])
                .moved_by(&[EnvOverride::folder("CODEX_HOME", "config.toml")]),
            Place::project(&["{project}/.codex/config.toml"]),
            Place::systems(&["/etc/codex/config.toml"], &[], &[]).system(),
        ],
        reload: Reload::Restart,
        tool_name_limit: Some(64),
        variables: &[Syntax::Header],
        evidence: Evidence::Run,
        note: "one entry with fields of both transports keeps it from starting; project files count in trusted folders",
        ..BASE
    },
    Known {
        id: "gemini-cli",
        aliases: &["gemini"],
        name: "Gemini CLI",
        dialect: GEMINI,
        places: &[
            Place::user(&["{home}/.gemini/settings.json"])
                .moved_by(&[EnvOverride::folder("GEMINI_CLI_HOME", ".gemini/settings.json")]),
            Place::project(&["{project}/.gemini/settings.json"]),
            Place::systems(
                &["/etc/gemini-cli/settings.json"],
                &["/Library/Application Support/GeminiCli/settings.json"],
                &["C:/ProgramData/gemini-cli/settings.json"],
            )
            .moved_by(&[EnvOverride::file("GEMINI_CLI_SYSTEM_SETTINGS_PATH")])
            .system(),
        ],
        reload: Reload::OnAction("run /mcp refresh"),
        list_changed: Some(true),
        tool_name_limit: Some(64),
        variables: &[Syntax::Dollar, Syntax::Braces],
        evidence: Evidence::Run,
        note: "mcp.allowed and mcp.excluded name servers; ended for consumers on 2026-06-18",
        ..BASE
    },
    Known {
        id: "qwen-code",
        aliases: &["qwen"],
        name: "Qwen Code",
        dialect: QWEN,
        places: &[
            Place::user(&["{home}/.qwen/settings.json"])
                .moved_by(&[EnvOverride::folder("QWEN_HOME", "settings.json")]),
            Place::project(&["{project}/.qwen/settings.json"]),
            Place::systems(&["/etc/qwen-code/settings.json"], &[], &[])
                .moved_by(&[EnvOverride::file("QWEN_CODE_SYSTEM_SETTINGS_PATH")])
                .system(),
        ],
        list_changed: Some(true),
        variables: &[Syntax::Dollar, Syntax::Braces],
        evidence: Evidence::Run,
        note: "moves an unreadable file away and goes on with nothing; replaces links when it writes",
        ..BASE
    },
    Known {
        id: "copilot-cli",
        aliases: &["copilot"],
        name: "GitHub Copilot CLI",
        dialect: COPILOT_CLI,
        places: &[
            Place::user(&["{home}/.copilot/mcp-config.json"])
                .moved_by(&[EnvOverride::folder("COPILOT_HOME", "mcp-config.json")]),
            Place::project(&["{project}/.mcp.json", "{project}/.github/mcp.json"]),
        ],
        variables: &[Syntax::Braces, Syntax::Dollar],
        evidence: Evidence::Run,
        note: "drops comments and unknown keys when it writes; .github/mcp.json counts only without .mcp.json",
        ..BASE
    },
    Known {
        id: "opencode",
        name: "opencode",
        dialect: OPENCODE,
        places: &[
            Place::user(&[
                "{xdg_config}/opencode/opencode.jsonc",
                "{xdg_config}/opencode/opencode.json",
                "{xdg_config}/opencode/config.json",
            ])
            .moved_by(&[
                EnvOverride::file("OPENCODE_CONFIG"),
                EnvOverride::folder("OPENCODE_CONFIG_DIR", "opencode.jsonc"),
                EnvOverride::folder("OPENCODE_CONFIG_DIR", "opencode.json"),
            ]),
            Place::project(&[
                "{project}/opencode.jsonc",
                "{project}/opencode.json",
                "{project}/.opencode/opencode.jsonc",
                "{project}/.opencode/opencode.json",
            ]),
        ],
        reload: Reload::Restart,
        list_changed: Some(true),
        variables: &[Syntax::CurlyEnv, Syntax::CurlyFile],
        evidence: Evidence::Run,
        note: "a {file:} reference to a missing file makes the whole file invalid; two layouts are in use",
        ..BASE
    },
    Known {
        id: "goose",
        name: "Goose",
        dialect: GOOSE,
        places: &[Place::systems(
            &["{xdg_config}/goose/config.yaml"],
            &["{home}/.config/goose/config.yaml"],
            &["{appdata}/Block/goose/config/config.yaml"],
        )],
        variables: &[Syntax::Dollar],
        evidence: Evidence::Source,
        note: "some variables (PATH, HOME, ...) are not passed on; sources disagree on the folder on Windows",
        ..BASE
    },
    Known {
        id: "crush",
        name: "Crush",
        dialect: Dialect {
            format: Format::JsonComments,
            containers: &[&["mcp"]],
            spelling: Spelling { kind: TYPE_ALWAYS, ..PLAIN },
            ..MAP_JSON
        },
        places: &[
            Place::systems(
                &["{xdg_config}/crush/crush.json"],
                &["{home}/.config/crush/crush.json"],
                &["{localappdata}/crush/crush.json"],
            )
            .moved_by(&[EnvOverride::folder("CRUSH_GLOBAL_CONFIG", "crush.json")]),
            Place::project(&["{project}/crush.json", "{project}/.crush.json"]),
        ],
        variables: &[Syntax::Dollar, Syntax::Braces, Syntax::Shell],
        ..BASE
    },
    Known {
        id: "amp",
        name: "Amp",
        dialect: Dialect {
            containers: &[&["amp.mcpServers"], &["mcpServers"]],
            spelling: PLAIN_AUTO,
            ..MAP_JSONC
        },
        places: &[
            Place::systems(
                &["{xdg_config}/amp/settings.json", "{xdg_config}/amp/settings.jsonc"],
                &["{home}/.config/amp/settings.json", "{home}/.config/amp/settings.jsonc"],
                &["{appdata}/amp/settings.json", "{appdata}/amp/settings.jsonc"],
            ),
            Place::project(&["{project}/.amp/settings.json", "{project}/.amp/settings.jsonc"]),
        ],
        variables: &[Syntax::Braces],
        note: "the key holds a dot; servers of a project need approval",
        ..BASE
    },
    Known {
        id: "factory-droid",
        aliases: &["droid", "factory"],
        name: "Factory droid",
        dialect: Dialect { format: Format::JsonComments, ..MAP_JSON },
        places: &[
            Place::user(&["{home}/.factory/mcp.json"])
                .moved_by(&[EnvOverride::folder("FACTORY_HOME_OVERRIDE", ".factory/mcp.json")]),
            Place::project(&["{project}/.factory/mcp.json"]),
        ],
        reload: Reload::ByItself,
        variables: &[Syntax::Braces],
        evidence: Evidence::Run,
        note: "takes an unreadable file for an empty one and erases it at its next write",
        ..BASE
    },
    Known {
        id: "cline-cli",
        name: "Cline CLI / SDK",
        dialect: Dialect {
            spelling: Spelling { kind: STREAMABLE_CAMEL, bare: Remote::Sse, ..PLAIN_CWD },
            ..MAP_JSON
        },
        places: &[Place::user(&["{home}/.cline/data/settings/cline_mcp_settings.json"]).moved_by(&[
            EnvOverride::file("CLINE_MCP_SETTINGS_PATH"),
            EnvOverride::folder("CLINE_DATA_DIR", "settings/cline_mcp_settings.json"),
            EnvOverride::folder("CLINE_DIR", "data/settings/cline_mcp_settings.json"),
        ])],
        evidence: Evidence::Run,
        note: "newer versions of the extension share this file; replaces links when it writes",
        ..BASE
    },
    Known {
        id: "devin-cli",
        aliases: &["devin"],
        name: "Devin CLI / Devin Local",
        dialect: Dialect {
            spelling: Spelling { url: &["serverUrl"], other_urls: &[&["url"]], ..PLAIN_AUTO },
            ..MAP_JSON
        },
        places: &[
            Place::user(&["{home}/.config/devin/mcp_config.json"]),
            Place::project(&["{project}/.devin/mcp_config.json"]),
            Place::project(&["{project}/.devin/mcp_config.local.json"]).named("local").of(Scope::Local),
            Place::user(&["{home}/.config/devin/config.json"]).legacy("legacy"),
        ],
        ..BASE
    },
    Known {
        id: "warp",
        name: "Warp",
        dialect: Dialect { spelling: Spelling { cwd: Some("working_directory"), ..PLAIN_AUTO }, ..MAP_JSON },
        places: &[Place::user(&["{home}/.warp/.mcp.json"]), Place::project(&["{project}/.warp/.mcp.json"])],
        reload: Reload::ByItself,
        evidence: Evidence::Docs,
        note: "may also start servers that it finds in other clients' files",
        ..BASE
    },
    Known {
        id: "kimi-code",
        aliases: &["kimi"],
        name: "Kimi Code",
        dialect: Dialect { spelling: Spelling { kind: TRANSPORT_ALWAYS, ..PLAIN }, ..MAP_JSON },
        places: &[
            Place::user(&["{home}/.kimi-code/mcp.json"])
                .moved_by(&[EnvOverride::folder("KIMI_CODE_HOME", "mcp.json")]),
            Place::project(&["{project}/.kimi-code/mcp.json"]),
            Place::user(&["{home}/.kimi/mcp.json"]).legacy("legacy"),
        ],
        note: "project files count in trusted folders",
        ..BASE
    },
    Known {
        id: "mistral-vibe",
        aliases: &["vibe"],
        name: "Mistral Vibe",
        dialect: super::agents::VIBE,
        places: &[
            Place::user(&["{home}/.vibe/config.toml"])
                .moved_by(&[EnvOverride::folder("VIBE_HOME", "config.toml")]),
            Place::project(&["{project}/.vibe/config.toml"]),
        ],
        note: "two ways of authentication in one entry are an error",
        ..BASE
    },
    Known {
        id: "fx",
        name: "fx",
        dialect: Dialect {
            containers: &[&["mcp"]],
            spelling: Spelling {
                kind: Kind { stdio: Some("local"), ..TYPE_ALWAYS },
                refused_headers: &["authorization"],
                ..LIST
            },
            ..MAP_JSON
        },
        places: &[Place::user(&["{home}/.fx/mcp.json"])],
        reload: Reload::OnAction("run /mcp reload"),
        note: "takes secrets in headers only through the environment",
        ..BASE
    },
    Known {
        id: "grok-build",
        aliases: &["grok"],
        name: "Grok Build",
        dialect: Dialect { spelling: Spelling { kind: CODEX.spelling.kind, ..PLAIN }, ..CODEX },
        places: &[
            Place::user(&["{home}/.grok/config.toml"])
                .moved_by(&[EnvOverride::folder("GROK_HOME", "config.toml")]),
            Place::project(&["{project}/.grok/config.toml"]),
        ],
        ..BASE
    },
    Known {
        id: "iflow",
        name: "iFlow CLI",
        dialect: MAP_JSON_AUTO,
        places: &[
            Place::user(&["{home}/.iflow/settings.json"]),
            Place::project(&["{project}/.iflow/settings.json"]),
        ],
        ..BASE
    },
];
