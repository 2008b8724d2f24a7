//! Editors.

use super::place::{Place, Scope};
use super::{BASE, Evidence, Known, Reload, Status};
use crate::client::dialect::{
    COPILOT, Dialect, MAP_JSON, MAP_JSON_AUTO, MAP_JSONC, NO_KIND, PLAIN, PLAIN_AUTO, Spelling, Syntax,
    VSCODE, VSCODE_SETTINGS, Variables,
};
use crate::document::Format;

/// What VS Code and its kin expand.
const VSCODE_VARIABLES: Variables = &[Syntax::BracesEnv, Syntax::Folder, Syntax::BracesOther];

/// A dev container's file carries settings of VS Code.
const DEVCONTAINER: Dialect =
    Dialect { containers: &[&["customizations", "vscode", "mcp", "servers"]], ..VSCODE };

/// `serverUrl`, and `url` is read too.
const SERVER_URL: Dialect =
    Dialect { spelling: Spelling { url: &["serverUrl"], other_urls: &[&["url"]], ..PLAIN_AUTO }, ..MAP_JSON };

/// Settings with servers among them; very old entries have a map for a command.
const ZED: Dialect = Dialect {
    containers: &[&["context_servers"]],
    spelling: Spelling { nested_command: true, kind: NO_KIND, ..PLAIN },
    ..MAP_JSONC
};

/// What the builds of VS Code have in common.
const VSCODE_BASE: Known = Known {
    dialect: VSCODE,
    reload: Reload::ByItself,
    list_changed: Some(true),
    tool_name_limit: Some(64),
    tool_count_limit: Some(128),
    variables: VSCODE_VARIABLES,
    ..BASE
};

/// The places of a build of VS Code.
macro_rules! vscode_places {
    ($dir:literal $(, $more:expr)*) => {
        &[
            in_settings!($dir, "/User/mcp.json"),
            in_settings!($dir, "/User/profiles/*/mcp.json").named("profile"),
            Place::project(&["{project}/.vscode/mcp.json"]),
            in_settings!($dir, "/User/settings.json")
                .legacy("settings")
                .in_dialect(&VSCODE_SETTINGS)
                .only_read(),
            $($more,)*
        ]
    };
}

pub(super) const ROWS: &[Known] = &[
    Known {
        id: "cursor",
        name: "Cursor",
        dialect: Dialect { spelling: PLAIN_AUTO, ..MAP_JSONC },
        places: &[Place::user(&["{home}/.cursor/mcp.json"]), Place::project(&["{project}/.cursor/mcp.json"])],
        reload: Reload::OnAction("switch the server off and on in Cursor's settings"),
        tool_name_limit: Some(60),
        tool_count_limit: Some(40),
        variables: VSCODE_VARIABLES,
        note: "the limit of names counts the server's too; whether a server is on stands elsewhere",
        ..BASE
    },
    Known {
        id: "vscode",
        aliases: &["code", "vs-code"],
        name: "VS Code",
        places: vscode_places!(
            "Code",
            Place::systems(&["{home}/.vscode-server/data/User/mcp.json"], &[], &[]).named("remote-user"),
            Place::project(&["{project}/.devcontainer/devcontainer.json"])
                .named("devcontainer")
                .in_dialect(&DEVCONTAINER)
        ),
        evidence: Evidence::Docs,
        note: "new and changed servers ask for trust; may import other clients' servers by itself",
        ..VSCODE_BASE
    },
    Known {
        id: "vscode-insiders",
        aliases: &["code-insiders"],
        name: "VS Code Insiders",
        places: vscode_places!("Code - Insiders"),
        ..VSCODE_BASE
    },
    Known {
        id: "vscodium",
        aliases: &["codium"],
        name: "VSCodium",
        places: vscode_places!("VSCodium"),
        note: "paths by analogy; it needs a chat that speaks MCP",
        ..VSCODE_BASE
    },
    Known {
        id: "windsurf",
        aliases: &["devin-desktop"],
        name: "Windsurf / Devin Desktop (Cascade)",
        dialect: SERVER_URL,
        places: &[
            Place::user(&["{home}/.codeium/windsurf/mcp_config.json"]),
            Place::user(&["{home}/.codeium/windsurf-next/mcp_config.json"]).named("user-next"),
            Place::user(&["{home}/.codeium/mcp_config.json"]).named("jetbrains-plugin"),
            Place::project(&["{project}/.windsurf/mcp_config.json"]),
        ],
        reload: Reload::OnAction("press the refresh button of the server list"),
        tool_count_limit: Some(100),
        variables: &[Syntax::BracesEnv, Syntax::BracesFile],
        note: "the place in projects is known from one source only",
        ..BASE
    },
    Known {
        id: "zed",
        name: "Zed",
        dialect: ZED,
        places: &[
            Place::systems(
                &["{xdg_config}/zed/settings.json"],
                &["{home}/.config/zed/settings.json"],
                &["{appdata}/Zed/settings.json"],
            ),
            Place::project(&["{project}/.zed/settings.json"]),
        ],
        reload: Reload::ByItself,
        list_changed: Some(true),
        evidence: Evidence::Docs,
        note: "agent profiles and permissions name servers",
        ..BASE
    },
    Known {
        id: "kiro",
        aliases: &["kiro-cli"],
        name: "Kiro IDE + CLI",
        dialect: MAP_JSON_AUTO,
        places: &[
            Place::user(&["{home}/.kiro/settings/mcp.json"]),
            Place::project(&["{project}/.kiro/settings/mcp.json"]),
            Place::user(&["{home}/.kiro/agents/*.json"]).named("agent"),
        ],
        reload: Reload::ByItself,
        variables: &[Syntax::Braces],
        evidence: Evidence::Docs,
        ..BASE
    },
    Known {
        id: "antigravity",
        aliases: &["agy"],
        name: "Antigravity (app, IDE, CLI)",
        dialect: SERVER_URL,
        places: &[
            Place::user(&["{home}/.gemini/config/mcp_config.json"]),
            Place::project(&["{project}/.agents/mcp_config.json", "{project}/.agent/mcp_config.json"]),
            Place::user(&["{home}/.gemini/antigravity/mcp_config.json"]).legacy("legacy"),
            Place::user(&["{home}/.gemini/antigravity-cli/mcp_config.json"]).legacy("legacy-cli"),
        ],
        reload: Reload::OnAction("press the refresh button of the server list"),
        tool_count_limit: Some(100),
        note: "the application makes the file empty: no bytes at all",
        ..BASE
    },
    Known {
        id: "trae",
        name: "Trae",
        dialect: MAP_JSON_AUTO,
        places: &[
            in_settings!("Trae/User/mcp.json"),
            Place::systems(
                &[],
                &["{mac_support}/Trae CN/User/mcp.json"],
                &["{appdata}/Trae CN/User/mcp.json"],
            )
            .named("user-cn"),
            Place::project(&["{project}/.trae/mcp.json"]),
        ],
        ..BASE
    },
    Known {
        id: "void",
        name: "Void",
        status: Status::Retired("no longer maintained"),
        dialect: MAP_JSON_AUTO,
        places: &[Place::user(&["{home}/.void-editor/mcp.json"])],
        reload: Reload::ByItself,
        evidence: Evidence::Memory,
        ..BASE
    },
    Known {
        id: "visual-studio",
        aliases: &["vs"],
        name: "Visual Studio 2022 17.14+ / 2026",
        dialect: Dialect { format: Format::JsonComments, ..COPILOT },
        places: &[
            Place::systems(&[], &[], &["{home}/.mcp.json"]),
            Place::systems(&[], &[], &["{project}/.mcp.json"]).named("solution").of(Scope::Project),
            Place::systems(&[], &[], &["{project}/.vs/mcp.json"]).named("solution-vs").of(Scope::Local),
            Place::systems(&[], &[], &["{project}/.vscode/mcp.json"])
                .named("solution-vscode")
                .of(Scope::Project),
            Place::systems(&[], &[], &["{project}/.cursor/mcp.json"])
                .named("solution-cursor")
                .of(Scope::Project)
                .in_dialect(&MAP_JSONC),
        ],
        reload: Reload::ByItself,
        variables: &[Syntax::BracesOther],
        evidence: Evidence::Docs,
        note: "shares .mcp.json with terminal agents, under another key",
        ..BASE
    },
    Known {
        id: "mcphub-nvim",
        aliases: &["mcphub", "mcp-hub"],
        name: "MCPHub.nvim / mcp-hub",
        dialect: Dialect {
            format: Format::Json5,
            spelling: Spelling { cwd: Some("cwd"), ..PLAIN_AUTO },
            ..MAP_JSON
        },
        places: &[Place::user(&["{home}/.config/mcphub/servers.json"])],
        reload: Reload::ByItself,
        variables: &[Syntax::BracesEnv, Syntax::BracesOther],
        ..BASE
    },
    Known {
        id: "ibm-bob",
        aliases: &["bob"],
        name: "IBM Bob IDE / Shell",
        dialect: super::extensions::BOB,
        places: &[
            Place::user(&["{home}/.bob/settings/mcp_settings.json"]),
            Place::project(&["{project}/.bob/mcp.json"]),
        ],
        note: "the user's place is a guess",
        ..BASE
    },
    Known {
        id: "zcode",
        name: "ZCode (Z.ai)",
        dialect: Dialect { containers: &[&["mcp", "servers"]], spelling: PLAIN, ..MAP_JSON },
        places: &[
            Place::user(&["{home}/.zcode/cli/config.json"]),
            Place::project(&["{project}/.zcode/config.json"]),
        ],
        ..BASE
    },
];
