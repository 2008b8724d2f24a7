//! Desktop applications.

use super::place::Place;
use super::{BASE, Evidence, Known, Reload, Status};
use crate::client::dialect::{
    Dialect, Extra, Kind, MAP_JSON, MAP_JSON_AUTO, NameList, Names, PLAIN, PLAIN_AUTO, Spelling, Support,
    Switch, TRANSPORT_ALWAYS, TYPE,
};

/// Commands only.
const CLAUDE_DESKTOP: Dialect =
    Dialect { spelling: Spelling { http: Support::No, sse: Support::No, ..PLAIN_AUTO }, ..MAP_JSON };

const IS_ACTIVE: &[Switch] = &[Switch { key: "isActive", off: false }];

pub(super) const ROWS: &[Known] = &[
    Known {
        id: "claude-desktop",
        aliases: &["claude"],
        name: "Claude Desktop",
        dialect: CLAUDE_DESKTOP,
        places: &[
            Place::systems(
                &[
                    "{xdg_config}/Claude/claude_desktop_config.json",
                    "{xdg_config}/claude/claude_desktop_config.json",
                ],
                &["{mac_support}/Claude/claude_desktop_config.json"],
                &["{appdata}/Claude/claude_desktop_config.json"],
            ),
            Place::systems(
                &[],
                &[],
                &["{localappdata}/Packages/Claude_*/LocalCache/Roaming/Claude/claude_desktop_config.json"],
            )
            .named("user-msix")
            .preferred(),
        ],
        reload: Reload::Restart,
        tool_name_limit: Some(64),
        tool_count_limit: Some(100),
        note: "commands only, remote servers are set up in the application; since 2026-02 packaged on Windows",
        ..BASE
    },
    Known {
        id: "lm-studio",
        aliases: &["lmstudio"],
        name: "LM Studio",
        dialect: MAP_JSON_AUTO,
        places: &[
            Place::user(&["{home}/.lmstudio/mcp.json"]),
            Place::user(&["{home}/.cache/lm-studio/mcp.json"]).legacy("user-cache"),
        ],
        reload: Reload::OnAction("save the file in LM Studio's own editor"),
        evidence: Evidence::Docs,
        ..BASE
    },
    Known {
        id: "jan",
        name: "Jan",
        dialect: Dialect {
            spelling: Spelling {
                switches: &[Switch { key: "active", off: false }],
                extras: &[("active", Extra::Bool(true))],
                ..PLAIN
            },
            ..MAP_JSON
        },
        places: &[in_settings!("Jan/data/mcp_config.json")],
        evidence: Evidence::Memory,
        ..BASE
    },
    Known {
        id: "5ire",
        name: "5ire",
        dialect: Dialect {
            spelling: Spelling {
                switches: IS_ACTIVE,
                extras: &[("key", Extra::Alias), ("isActive", Extra::Bool(true))],
                ..PLAIN_AUTO
            },
            ..MAP_JSON
        },
        places: &[in_settings!("5ire/mcp.json")],
        note: "older versions had a list `servers`",
        ..BASE
    },
    Known {
        id: "cherry-studio",
        aliases: &["cherry"],
        name: "Cherry Studio",
        status: Status::ImportOnly("keeps servers in a database of its own: export them there"),
        dialect: Dialect {
            spelling: Spelling {
                kind: Kind { http: "streamableHttp", ..TYPE },
                url: &["baseUrl"],
                other_urls: &[&["url"]],
                switches: IS_ACTIVE,
                ..PLAIN
            },
            ..MAP_JSON
        },
        evidence: Evidence::Memory,
        ..BASE
    },
    Known {
        id: "witsy",
        name: "Witsy",
        places: &[in_settings!("Witsy/settings.json")],
        note: "the map takes commands; addresses stand in a list `mcp.servers`, which is left alone",
        dialect: Dialect {
            name_lists: &[NameList { path: &["mcp", "disabledMcpServers"], names: Names::Hidden }],
            ..CLAUDE_DESKTOP
        },
        ..BASE
    },
    Known {
        id: "boltai",
        name: "BoltAI",
        dialect: MAP_JSON_AUTO,
        places: &[Place::systems(&[], &["{home}/.boltai/mcp.json"], &[])],
        ..BASE
    },
    Known {
        id: "tome",
        name: "Tome",
        dialect: MAP_JSON_AUTO,
        places: &[Place::user(&["{home}/.tome/mcp_config.json"])],
        ..BASE
    },
    Known {
        id: "amazon-bedrock-client",
        aliases: &["bedrock"],
        name: "Amazon Bedrock Client",
        dialect: MAP_JSON_AUTO,
        places: &[Place::user(&["{home}/Amazon Bedrock Client/mcp_config.json"])],
        ..BASE
    },
    Known {
        id: "raycast",
        name: "Raycast",
        dialect: Dialect { spelling: Spelling { http: Support::Unknown, ..PLAIN_AUTO }, ..MAP_JSON },
        places: &[Place::systems(
            &[],
            &["{home}/.config/raycast-x/extensions/model-context-protocol/mcp-config.json"],
            &[],
        )],
        evidence: Evidence::Memory,
        note: "the path is a guess",
        ..BASE
    },
    Known {
        id: "sema4",
        name: "Sema4.ai Studio",
        dialect: Dialect { spelling: Spelling { kind: TRANSPORT_ALWAYS, ..PLAIN }, ..MAP_JSON },
        places: &[Place::systems(
            &["{home}/.sema4ai/sema4ai-studio/mcp_servers.json"],
            &["{home}/.sema4ai/sema4ai-studio/mcp_servers.json"],
            &["{localappdata}/sema4ai/sema4ai-studio/mcp_servers.json"],
        )],
        ..BASE
    },
    Known {
        id: "enconvo",
        name: "Enconvo",
        dialect: MAP_JSON_AUTO,
        places: &[Place::systems(&[], &["{home}/.config/enconvo/mcp_config.json"], &[])],
        ..BASE
    },
];
