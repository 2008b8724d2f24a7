//! The demo's sample files: what people really have, in four formats.

use std::io;
use std::path::{Path, PathBuf};

const CURSOR: &str = r#"{
  // my servers
  "mcpServers": {
    "time": {
      "command": "PROGRAM",
      "args": ["__demo-server", "time"],
      "envFile": "${userHome}/.secrets/time.env", // not committed
    },
    /* added last week */
    "notes": { "command": "PROGRAM", "args": ["__demo-server", "notes"], "disabled": false },
  },
}
"#;

const CLAUDE_CODE: &str = r#"{
  "numStartups": 412,
  "bigNumber": 12345678901234567890,
  "floaty": 1.0,
  "mcpServers": {
    "clock": {
      "type": "stdio",
      "command": "PROGRAM",
      "args": [
        "__demo-server",
        "time"
      ],
      "env": {},
      "timeout": 120000
    }
  },
  "oauthAccount": {"id": "kept"}
}
"#;

const CODEX: &str = r#"# Codex
model = "gpt-5.5-codex"
approval_policy = "on-request"   # keep

[mcp_servers.docs]
command = "PROGRAM"
args = ["__demo-server", "docs"] # local
startup_timeout_sec = 20

[tui]
notifications = true
# trailing comment
"#;

const GOOSE: &str = r"# goose
GOOSE_MODEL: some-model
extensions:
  developer:
    type: builtin
    enabled: yes   # not an MCP server
  notes:
    type: stdio
    name: notes
    cmd: PROGRAM
    args: [__demo-server, notes]
    enabled: true
    timeout: 300
";

/// Writes the sample files below `home`, with this program as their server.
///
/// # Errors
/// The home cannot be written.
#[expect(clippy::disallowed_methods, reason = "the demo plays the clients that wrote these files")]
pub(crate) fn write(home: &Path, program: &Path) -> io::Result<Vec<PathBuf>> {
    let program = program.to_string_lossy();
    let samples = [
        (".cursor/mcp.json", CURSOR),
        (".claude.json", CLAUDE_CODE),
        (".codex/config.toml", CODEX),
        (".config/goose/config.yaml", GOOSE),
    ];
    let mut files = Vec::new();
    for (name, text) in samples {
        let path = home.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, text.replace("PROGRAM", &program))?;
        files.push(path);
    }
    Ok(files)
}
