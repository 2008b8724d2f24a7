//! What a client is told: the story, and where the servers are.

#![expect(clippy::disallowed_methods, reason = "scratch files in the build folder")]

use std::path::Path;

use serde_json::{Value, json};

use super::cells::Path as Way;
use super::sdk::story;
use super::stage::{Reach, Stage, Standing};
use crate::steps::program;

/// Writes a plan for a visit of all servers by these ways.
///
/// # Errors
/// The story cannot be read, or the plan not be written.
pub(crate) fn write(to: &Path, stage: &Stage, ways: &[Way]) -> Result<(), String> {
    let text = std::fs::read_to_string(story()).map_err(|error| error.to_string())?;
    let story: Value = serde_json::from_str(&text).map_err(|error| format!("the story: {error}"))?;
    let mut targets = Vec::new();
    for way in ways {
        for server in &stage.servers {
            targets.push(target(stage, server, *way)?);
        }
    }
    let plan = json!({ "story": story, "targets": targets });
    std::fs::write(to, plan.to_string()).map_err(|error| format!("{}: {error}", to.display()))
}

fn target(stage: &Stage, server: &Standing, way: Way) -> Result<Value, String> {
    let (name, entry) = (server.name, server.entry());
    let cell = format!("{way} {name}/{}", server.transport);
    let mut target = match (way, &server.reach) {
        (Way::Direct, Reach::Url(url)) => json!({ "url": url }),
        (Way::Direct, Reach::Words(words)) => json!({ "command": words[0], "args": words[1..], "env": {} }),
        (Way::Stdio, _) => json!({
            "command": program("switchboard")?,
            "args": ["connect", entry],
            "env": { "SWITCHBOARD_HOME": stage.home },
        }),
        (Way::Http, _) => json!({
            "url": format!("http://127.0.0.1:{}/mcp/{entry}", stage.port),
            "headers": { "Authorization": format!("Bearer {}", stage.token) },
        }),
    };
    target["cell"] = json!(cell);
    target["server"] = json!(name);
    // What tells the calls of this visit from others, and may be the name of a file.
    target["key"] = json!(format!("{way}-{entry}"));
    target["direct"] = json!(way == Way::Direct);
    Ok(target)
}
