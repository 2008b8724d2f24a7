//! Agents and tools for the terminal, the less usual ones.

use super::place::{EnvOverride, Place};
use super::{BASE, Evidence, Known, Reload};
use crate::client::dialect::{
    Dialect, Hand, HeaderHand, Kind, MAP_JSON, MAP_JSON_AUTO, MAP_JSONC, PLAIN, PLAIN_AUTO, PLAIN_CWD, Say,
    Shape, Spelling, Support, Syntax, TRANSPORT_ALWAYS, TYPE,
};
use crate::document::Format;
use crate::launch::Remote;

/// Mistral Vibe: TOML tables in a list; what belongs to an address alone must not stand beside a command.
pub(super) const VIBE: Dialect = Dialect {
    format: Format::Toml,
    containers: &[&["mcp_servers"]],
    shape: Shape::Items { name_key: "name" },
    spelling: Spelling {
        kind: Kind { http: "streamable-http", ..TRANSPORT_ALWAYS },
        fatal_with_stdio: &["url", "headers", "api_key_env", "api_key_header", "api_key_format", "auth"],
        fatal_with_url: &["command", "args", "env"],
        ..PLAIN
    },
    ..MAP_JSON
};

/// An address stands inside `transport`, with its headers as lines.
const POOLSIDE: Dialect = Dialect {
    format: Format::Yaml,
    containers: &[&["mcp_servers"]],
    spelling: Spelling {
        kind: Kind { key: &["transport", "type"], say: Say::ForUrls, stdio: None, ..TYPE },
        url: &["transport", "url"],
        headers: &["transport", "headers"],
        header_hand: HeaderHand::Lines,
        ..PLAIN
    },
    ..MAP_JSON
};

pub(super) const ROWS: &[Known] = &[
    Known {
        id: "qoder",
        name: "Qoder IDE / CLI",
        places: &[
            Place::systems(
                &["{home}/.qoder/mcp.json"],
                &["{home}/.qoder/mcp.json"],
                &["{appdata}/Qoder/SharedClientCache/mcp.json"],
            ),
            Place::user(&["{home}/.qoder.json"]).named("cli-user"),
            Place::project(&["{project}/.mcp.json"]),
        ],
        note: "sources disagree on the file of the terminal program",
        ..BASE
    },
    Known {
        id: "forge",
        name: "Forge",
        dialect: MAP_JSON_AUTO,
        places: &[Place::user(&["{home}/.forge/.mcp.json"]), Place::project(&["{project}/.mcp.json"])],
        ..BASE
    },
    Known {
        id: "deepagents",
        aliases: &["deep-agents"],
        name: "LangChain Deep Agents CLI",
        dialect: Dialect {
            spelling: Spelling {
                fatal_with_stdio: &["url", "headers"],
                fatal_with_url: &["command", "args", "env"],
                ..PLAIN
            },
            ..MAP_JSON
        },
        places: &[
            Place::user(&["{home}/.deepagents/.mcp.json"])
                .moved_by(&[EnvOverride::folder("DEEPAGENTS_HOME", ".mcp.json")]),
            Place::project(&["{project}/.deepagents/.mcp.json", "{project}/.mcp.json"]),
        ],
        note: "a server with both lists of tools, or an empty one, is dropped",
        ..BASE
    },
    Known {
        id: "pi",
        aliases: &["pi-mcp-adapter"],
        name: "Pi (pi-mcp-adapter)",
        dialect: MAP_JSON_AUTO,
        places: &[
            Place::user(&["{home}/.pi/agent/mcp.json"])
                .moved_by(&[EnvOverride::folder("PI_CODING_AGENT_DIR", "mcp.json")]),
            Place::project(&["{project}/.pi/mcp.json"]),
            Place::user(&["{home}/.config/mcp/mcp.json"]).named("shared"),
        ],
        reload: Reload::OnAction("run /reload"),
        note: "may import other clients' servers",
        ..BASE
    },
    Known {
        id: "mcporter",
        name: "MCPorter",
        dialect: Dialect {
            spelling: Spelling {
                hand: Hand::Either,
                url: &["baseUrl"],
                other_urls: &[&["url"]],
                ..PLAIN_AUTO
            },
            ..MAP_JSONC
        },
        places: &[
            Place::user(&["{home}/.mcporter/mcporter.json", "{home}/.mcporter/mcporter.jsonc"]),
            Place::project(&["{project}/config/mcporter.json"]),
        ],
        variables: &[Syntax::DollarEnv, Syntax::Braces, Syntax::BracesOr],
        note: "imports other clients' servers, so it may see one several times",
        ..BASE
    },
    Known {
        id: "hermes",
        name: "Hermes Agent (Nous)",
        dialect: Dialect { format: Format::Yaml, containers: &[&["mcp_servers"]], ..MAP_JSON_AUTO },
        places: &[Place::systems(
            &["{home}/.hermes/config.yaml"],
            &["{home}/.hermes/config.yaml"],
            &["{localappdata}/hermes/config.yaml"],
        )
        .moved_by(&[EnvOverride::folder("HERMES_HOME", "config.yaml")])],
        list_changed: Some(true),
        variables: &[Syntax::Braces],
        ..BASE
    },
    Known {
        id: "openclaw",
        name: "OpenClaw",
        dialect: Dialect {
            format: Format::Json5,
            containers: &[&["mcp", "servers"]],
            spelling: Spelling {
                kind: Kind {
                    key: &["transport"],
                    say: Say::ForUrls,
                    stdio: None,
                    http: "streamable-http",
                    ..TYPE
                },
                ..PLAIN
            },
            ..MAP_JSON
        },
        places: &[Place::user(&["{home}/.openclaw/openclaw.json"])
            .moved_by(&[EnvOverride::file("OPENCLAW_CONFIG_PATH")])],
        reload: Reload::ByItself,
        ..BASE
    },
    Known {
        id: "muse-code",
        aliases: &["muse"],
        name: "Meta Muse Code",
        dialect: Dialect {
            containers: &[&["mcp_servers"]],
            spelling: Spelling {
                kind: Kind { http: "streamable_http", ..TRANSPORT_ALWAYS },
                sse: Support::No,
                ..PLAIN
            },
            ..MAP_JSON
        },
        places: &[Place::user(&["{home}/.config/muse/settings.json"])],
        ..BASE
    },
    Known {
        id: "poolside",
        aliases: &["pool"],
        name: "Poolside Pool",
        dialect: POOLSIDE,
        places: &[
            Place::user(&["{home}/.config/poolside/settings.yaml"]),
            Place::project(&["{project}/.poolside/settings.yaml"]),
        ],
        ..BASE
    },
    Known {
        id: "reasonix",
        name: "DeepSeek Reasonix",
        dialect: Dialect {
            format: Format::Toml,
            containers: &[&["plugins"]],
            shape: Shape::Items { name_key: "name" },
            ..MAP_JSON
        },
        places: &[
            Place::user(&["{home}/.reasonix/config.toml"]),
            Place::project(&["{project}/reasonix.toml"]),
        ],
        ..BASE
    },
    Known {
        id: "librechat",
        name: "LibreChat",
        dialect: Dialect {
            format: Format::Yaml,
            spelling: Spelling {
                kind: Kind { http: "streamable-http", ..TYPE },
                bare: Remote::Sse,
                ..PLAIN_CWD
            },
            ..MAP_JSON
        },
        places: &[Place::project(&["{project}/librechat.yaml"])
            .named("server")
            .moved_by(&[EnvOverride::file("CONFIG_PATH")])],
        reload: Reload::Restart,
        variables: &[Syntax::Braces],
        evidence: Evidence::Memory,
        note: "a server program: the project is the folder that it runs in",
        ..BASE
    },
];
