//! Scratch homes: a user's folder with clients' files in it, and a home of Switchboard's.
#![expect(clippy::disallowed_methods, reason = "the files of a scratch home belong to nobody else")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::output;

/// A scratch home; it goes when it is dropped.
pub(super) struct Home {
    pub(super) folder: PathBuf,
    program: PathBuf,
}

impl Home {
    /// Makes an empty one.
    pub(super) fn new(target: &Path, program: &Path, name: &str) -> Result<Self, String> {
        let folder = target.join("bench-homes").join(format!("{name}-{}", std::process::id()));
        let home = Self { folder, program: program.to_owned() };
        make_folder(&home.folder)?;
        Ok(home)
    }

    /// Returns a command of ours in this home, with nothing of the caller's own surroundings.
    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).env_clear().env("HOME", &self.folder).env("PATH", "/usr/bin:/bin");
        command.stdin(std::process::Stdio::null());
        command
    }

    /// Runs a command of ours and returns what it printed.
    pub(super) fn run(&self, args: &[&str]) -> Result<String, String> {
        output(&mut self.command(args))
    }

    /// Writes the catalogue.
    pub(super) fn catalogue(&self, text: &str) -> Result<(), String> {
        self.write(&self.folder.join(".config/switchboard/mcp-servers.toml"), text)
    }

    /// Writes a file, with the folders that lead to it.
    pub(super) fn write(&self, path: &Path, text: &str) -> Result<(), String> {
        make_folder(path.parent().unwrap_or(&self.folder))?;
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Links clients until there are `count`, gives each a file as it is after months of use, and pushes into it.
    pub(super) fn link(&self, count: usize) -> Result<(), String> {
        let listed = parse(&self.run(&["client", "list", "--all", "--json"])?)?;
        let known = listed["known"].as_array().cloned().unwrap_or_default();
        let mut linked = 0;
        for row in known.iter().filter(|row| row["status"] == "active") {
            let Some(id) = row["id"].as_str().filter(|_| linked < count) else { continue };
            // Some have no place on this system.
            linked += usize::from(self.run(&["client", "link", id, "--manual", "--yes"]).is_ok());
        }
        if linked < count {
            return Err(format!("only {linked} clients can be linked here"));
        }
        let status = parse(&self.run(&["status", "--json"])?)?;
        for client in status["clients"].as_array().into_iter().flatten() {
            let path = PathBuf::from(client["path"].as_str().unwrap_or_default());
            let size = if client["id"] == "claude-code" { 1_000_000 } else { 6_000 };
            if let Some(text) = filled(&path, size) {
                self.write(&path, &text)?;
            } else {
                make_folder(path.parent().unwrap_or(&self.folder))?;
            }
        }
        self.run(&["client", "push", "--all", "--yes"])?;
        Ok(())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns a catalogue of this many servers.
pub(super) fn servers(count: usize) -> String {
    let mut text = String::new();
    for at in 0..count {
        let _ = write!(
            text,
            "[servers.server-{at}]\ncommand = \"npx\"\nargs = [\"-y\", \"@example/server-{at}\"]\n\n"
        );
    }
    text
}

/// Returns what a client of this file has in it beside servers; `None` where nothing is put.
fn filled(path: &Path, size: usize) -> Option<String> {
    let mut text = String::new();
    match path.extension()?.to_str()? {
        "json" | "jsonc" => {
            text.push_str("{\n  \"notes\": {");
            for at in 0.. {
                let comma = if at == 0 { "" } else { "," };
                let _ = write!(
                    text,
                    "{comma}\n    \"/home/me/work/{at}\": {{\n      \"seen\": true,\n      \"title\": \"what was \\\"said\\\" at {at}\",\n      \"tools\": [\"a\", \"b\"]\n    }}"
                );
                if text.len() >= size {
                    break;
                }
            }
            text.push_str("\n  }\n}\n");
        }
        "toml" => {
            for at in 0.. {
                let _ = write!(text, "[notes.\"/home/me/work/{at}\"]\ntrust_level = \"trusted\"\n\n");
                if text.len() >= size {
                    break;
                }
            }
        }
        "yaml" | "yml" => {
            text.push_str("notes:\n");
            for at in 0.. {
                let _ = write!(text, "  note-{at}:\n    title: what was said\n    seen: true\n");
                if text.len() >= size {
                    break;
                }
            }
        }
        _ => return None,
    }
    Some(text)
}

fn parse(json: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(json).map_err(|error| format!("{error} in {json}"))
}

fn make_folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}
