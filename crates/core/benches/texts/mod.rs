//! Texts like those that clients leave behind after months of use.

use std::fmt::Write as _;

/// Returns a `~/.claude.json`: a few servers, and what each project left behind.
pub(crate) fn claude_code(size: usize) -> String {
    let mut text = String::from(
        "{\n  \"numStartups\": 412,\n  \"theme\": \"dark\",\n  \"mcpServers\": {\n    \"sqlite\": {\n      \"type\": \"stdio\",\n      \"command\": \"uvx\",\n      \"args\": [\"mcp-server-sqlite\", \"--db-path\", \"/home/me/a.db\"],\n      \"env\": {}\n    }\n  },\n  \"projects\": {",
    );
    for project in 0.. {
        let comma = if project == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n    \"/home/me/work/project-{project}\": {{\n      \"allowedTools\": [],\n      \"history\": ["
        );
        for line in 0..40 {
            let comma = if line == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}\n        {{\n          \"display\": \"please make number {line} of the tests pass; \\\"it\\\" fails with:\\n  left: 1\\n right: {line}\",\n          \"pastedContents\": {{}}\n        }}"
            );
        }
        let _ = write!(
            text,
            "\n      ],\n      \"mcpContextUris\": [],\n      \"mcpServers\": {{}},\n      \"hasTrustDialogAccepted\": true,\n      \"lastCost\": {project}.25,\n      \"exampleFiles\": [\"src/main.rs\", \"README.md\"]\n    }}"
        );
        if text.len() >= size {
            break;
        }
    }
    text.push_str("\n  }\n}\n");
    text
}

/// Returns a `~/.codex/config.toml`: a few servers and a table for each project.
pub(crate) fn codex(size: usize) -> String {
    let mut text = String::from(
        "model = \"o5\"\napproval_policy = \"on-request\" # asked each time\n\n[mcp_servers.sqlite]\ncommand = \"uvx\"\nargs = [\"mcp-server-sqlite\", \"--db-path\", \"/home/me/a.db\"]\n\n[mcp_servers.sqlite.env]\nTOKEN = \"x\"\n",
    );
    for project in 0.. {
        let _ = write!(
            text,
            "\n[projects.\"/home/me/work/project-{project}\"]\ntrust_level = \"trusted\"\nnotes = \"opened {project} times, last for a \\\"quick\\\" look\"\nwritable = [\"/tmp/{project}\", \"/home/me/cache\"]\nlimits = {{ turns = {project}, cost = 1.5 }}\n"
        );
        if text.len() >= size {
            break;
        }
    }
    text
}

/// Returns a goose `config.yaml`: a few extensions and a section of the user's own.
pub(crate) fn goose(size: usize) -> String {
    let mut text = String::from(
        "GOOSE_MODEL: gpt-5\nextensions:\n  sqlite:\n    enabled: true\n    type: stdio\n    name: sqlite\n    cmd: uvx\n    args:\n      - mcp-server-sqlite\n      - --db-path\n      - /home/me/a.db\n    envs: {}\n    timeout: 300\n# what each recipe was given\nrecipes:\n",
    );
    for recipe in 0.. {
        let _ = write!(
            text,
            "  recipe-{recipe}:\n    title: \"Recipe number {recipe}\"\n    description: makes what it makes {recipe} times\n    uses: {recipe}\n    settings: {{model: gpt-5, temperature: 0.5}}\n    steps:\n      - read the file\n      - 'write the other file'\n      - say: done\n"
        );
        if text.len() >= size {
            break;
        }
    }
    text
}
