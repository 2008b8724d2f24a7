//! Assistants that live in editors as extensions or plug-ins.

use super::place::{EnvOverride, Place, Scope};
use super::{BASE, Evidence, Known, Reload, Status};
use crate::client::dialect::{
    COPILOT, Dialect, Kind, LIST, MAP_JSON, MAP_JSON_AUTO, MAP_JSONC, NotServers, PLAIN, PLAIN_AUTO,
    PLAIN_CWD, Shape, Spelling, Syntax, TRANSPORT_ALWAYS, TYPE,
};
use crate::document::Format;
use crate::launch::Remote;

const STREAMABLE: Kind = Kind { http: "streamable-http", ..TYPE };

/// An address alone is HTTP+SSE.
const CLINE: Dialect = Dialect {
    spelling: Spelling { kind: Kind { http: "streamableHttp", ..TYPE }, bare: Remote::Sse, ..PLAIN_CWD },
    ..MAP_JSON
};

const ROO: Dialect = Dialect { spelling: Spelling { kind: STREAMABLE, ..PLAIN_CWD }, ..MAP_JSON };

/// IBM Bob: an address alone is HTTP+SSE; its shell has a key for Streamable HTTP.
pub(super) const BOB: Dialect = Dialect {
    spelling: Spelling { kind: STREAMABLE, other_urls: &[&["httpURL"]], bare: Remote::Sse, ..PLAIN },
    ..MAP_JSON
};

const KILO: Dialect = Dialect { containers: &[&["mcp"]], spelling: LIST, ..MAP_JSONC };

/// A list of named entries; `uses` takes one from the hub.
const CONTINUE: Dialect = Dialect {
    format: Format::Yaml,
    shape: Shape::Items { name_key: "name" },
    spelling: Spelling {
        kind: STREAMABLE,
        headers: &["requestOptions", "headers"],
        other_headers: &[&["headers"]],
        not_servers: NotServers { kinds: &[], keys: &["uses"] },
        ..PLAIN_CWD
    },
    ..MAP_JSON
};

/// Files with the usual map, beside Continue's own.
const CONTINUE_JSON: Dialect = MAP_JSON;

/// The places of an extension in every build of VS Code: `globalStorage/<extension>/settings/<file>`.
macro_rules! in_hosts {
    ($path:literal $(, $more:expr)*) => {
        &[
            in_settings!("Code/User/globalStorage/", $path).named("user-code"),
            in_settings!("Code - Insiders/User/globalStorage/", $path).named("user-code-insiders"),
            in_settings!("VSCodium/User/globalStorage/", $path).named("user-vscodium"),
            in_settings!("Cursor/User/globalStorage/", $path).named("user-cursor"),
            in_settings!("Windsurf/User/globalStorage/", $path).named("user-windsurf"),
            Place::systems(&[concat!("{home}/.vscode-server/data/User/globalStorage/", $path)], &[], &[])
                .named("user-vscode-server"),
            $($more,)*
        ]
    };
}

pub(super) const ROWS: &[Known] = &[
    Known {
        id: "cline",
        name: "Cline (extension)",
        dialect: CLINE,
        places: in_hosts!("saoudrizwan.claude-dev/settings/cline_mcp_settings.json"),
        reload: Reload::ByItself,
        tool_name_limit: Some(64),
        variables: &[Syntax::BracesEnv],
        evidence: Evidence::Source,
        ..BASE
    },
    Known {
        id: "roo-code",
        aliases: &["roo", "roo-cline"],
        name: "Roo Code",
        status: Status::Retired("archived on 2026-05-15"),
        dialect: ROO,
        places: in_hosts!(
            "rooveterinaryinc.roo-cline/settings/mcp_settings.json",
            Place::project(&["{project}/.roo/mcp.json"])
        ),
        reload: Reload::ByItself,
        variables: &[Syntax::BracesEnv, Syntax::Folder],
        ..BASE
    },
    Known {
        id: "kilo-code",
        aliases: &["kilo"],
        name: "Kilo Code (extension + CLI 7)",
        dialect: KILO,
        places: &[
            Place::user(&["{xdg_config}/kilo/kilo.jsonc", "{xdg_config}/kilo/kilo.json"]),
            Place::project(&[
                "{project}/kilo.jsonc",
                "{project}/.kilo/kilo.jsonc",
                "{project}/.kilo/kilo.json",
                "{project}/.kilocode/kilo.jsonc",
                "{project}/.kilocode/kilo.json",
                "{project}/kilo.json",
            ]),
            in_settings!("Code/User/globalStorage/kilocode.kilo-code/settings/mcp_settings.json")
                .legacy("legacy-extension")
                .in_dialect(&ROO),
            Place::user(&["{home}/.kilocode/cli/global/settings/mcp_settings.json"])
                .legacy("legacy-cli")
                .in_dialect(&ROO),
            Place::project(&["{project}/.kilocode/mcp.json"]).legacy("legacy-project").in_dialect(&ROO),
        ],
        variables: &[Syntax::CurlyEnv, Syntax::CurlyFile],
        note: "sources disagree whether a new file is kilo.jsonc or kilo.json",
        ..BASE
    },
    Known {
        id: "continue",
        name: "Continue",
        dialect: CONTINUE,
        places: &[
            Place::user(&["{home}/.continue/config.yaml"])
                .moved_by(&[EnvOverride::folder("CONTINUE_GLOBAL_DIR", "config.yaml")]),
            Place::user(&["{home}/.continue/mcpServers/*.json"])
                .named("user-json")
                .in_dialect(&CONTINUE_JSON),
            Place::project(&["{project}/.continue/mcpServers/*.yaml"]),
            Place::project(&["{project}/.continue/mcpServers/*.json"])
                .named("project-json")
                .in_dialect(&CONTINUE_JSON),
        ],
        reload: Reload::ByItself,
        variables: &[Syntax::Secrets],
        note: "one bad entry drops a whole JSON file",
        ..BASE
    },
    Known {
        id: "junie",
        name: "JetBrains Junie",
        places: &[
            Place::user(&["{home}/.junie/mcp/mcp.json"]),
            Place::project(&["{project}/.junie/mcp/mcp.json"]),
        ],
        ..BASE
    },
    Known {
        id: "jetbrains-ai",
        aliases: &["jetbrains"],
        name: "JetBrains AI Assistant",
        places: &[Place::user(&["{home}/.ai/mcp/mcp.json"]), Place::project(&["{project}/.ai/mcp/mcp.json"])],
        note: "older releases kept servers in the IDE's own options",
        ..BASE
    },
    Known {
        id: "copilot-jetbrains",
        name: "GitHub Copilot for JetBrains",
        dialect: COPILOT,
        places: &[Place::systems(
            &["{xdg_config}/github-copilot/intellij/mcp.json"],
            &["{home}/.config/github-copilot/intellij/mcp.json"],
            &["{localappdata}/github-copilot/intellij/mcp.json"],
        )],
        evidence: Evidence::Memory,
        ..BASE
    },
    Known {
        id: "copilot-eclipse",
        name: "GitHub Copilot for Eclipse",
        dialect: Dialect { format: Format::Json, ..COPILOT },
        places: &[
            Place::systems(
                &["{xdg_config}/github-copilot/eclipse/mcp.json"],
                &["{home}/.config/github-copilot/eclipse/mcp.json"],
                &["{appdata}/github-copilot/eclipse/mcp.json"],
            ),
            Place::project(&["{project}/.vscode/mcp.json"]),
        ],
        ..BASE
    },
    Known {
        id: "xcode-copilot",
        aliases: &["copilot-xcode"],
        name: "GitHub Copilot for Xcode",
        dialect: Dialect { format: Format::Json, ..COPILOT },
        places: &[Place::systems(&[], &["{home}/.config/github-copilot/xcode/mcp.json"], &[])],
        evidence: Evidence::Memory,
        ..BASE
    },
    Known {
        id: "amazon-q",
        aliases: &["q"],
        name: "Amazon Q Developer CLI / IDE",
        status: Status::Retired("superseded by Kiro CLI"),
        places: &[
            Place::user(&["{home}/.aws/amazonq/mcp.json"]),
            Place::user(&["{home}/.aws/amazonq/cli-agents/*.json"]).named("user-agents"),
            Place::project(&["{project}/.amazonq/mcp.json"]),
            Place::user(&["{home}/.aws/amazonq/default.json"]).named("ide"),
        ],
        variables: &[Syntax::BracesEnv],
        ..BASE
    },
    Known {
        id: "augment",
        aliases: &["auggie"],
        name: "Augment / Auggie",
        places: &[
            Place::user(&["{home}/.augment/settings.json"]),
            Place::project(&["{project}/.augment/settings.json"]),
            Place::project(&["{project}/.augment/settings.local.json"])
                .named("project-local")
                .of(Scope::Local),
        ],
        ..BASE
    },
    Known {
        id: "zencoder",
        name: "Zencoder",
        dialect: Dialect { containers: &[&["zencoder.mcpServers"]], spelling: PLAIN_AUTO, ..MAP_JSONC },
        places: &[in_settings!("Code/User/settings.json")],
        evidence: Evidence::Memory,
        note: "one key among the settings of VS Code",
        ..BASE
    },
    Known {
        id: "tabnine",
        name: "Tabnine CLI",
        dialect: Dialect { spelling: PLAIN_CWD, ..MAP_JSON },
        places: &[
            Place::user(&["{home}/.tabnine/agent/settings.json"]),
            Place::project(&["{project}/.tabnine/agent/settings.json"]),
        ],
        ..BASE
    },
    Known {
        id: "rovodev",
        aliases: &["rovo"],
        name: "Atlassian Rovo Dev CLI",
        dialect: Dialect { spelling: Spelling { kind: TRANSPORT_ALWAYS, ..PLAIN }, ..MAP_JSON },
        places: &[
            Place::user(&["{home}/.rovodev/mcp.json"]),
            Place::project(&["{project}/.rovodev/mcp.json"]),
        ],
        note: "servers are turned off in another file",
        ..BASE
    },
    Known {
        id: "command-code",
        name: "Command Code",
        dialect: Dialect { spelling: Spelling { kind: TRANSPORT_ALWAYS, ..PLAIN }, ..MAP_JSONC },
        places: &[Place::user(&["{home}/.commandcode/mcp.json"]), Place::project(&["{project}/.mcp.json"])],
        ..BASE
    },
    Known {
        id: "mastra-code",
        aliases: &["mastra"],
        name: "Mastra Code",
        dialect: MAP_JSON_AUTO,
        places: &[
            Place::user(&["{home}/.mastracode/mcp.json"]),
            Place::project(&["{project}/.mastracode/mcp.json"]),
        ],
        note: "also reads a project's .mcp.json",
        ..BASE
    },
];
