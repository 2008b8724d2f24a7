//! Real clients, as programs that know nothing of this machine but a home of their own.

#![expect(clippy::disallowed_methods, reason = "scratch files in the build folder, and the path of programs")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::conformance;
use crate::interop::scripts;
use crate::needs;
use crate::npm::Folder;
use crate::process::Process;
use crate::steps::program;

const INSPECTOR: Folder = Folder {
    name: "npm-inspector",
    packages: &[("@modelcontextprotocol/inspector", "2.12.0", "the MCP Inspector, as a client")],
};

/// Installs what is missing, and says so. The applications are among what all tests need.
///
/// # Errors
/// npm could not install it.
pub(crate) fn install() -> Result<(), String> {
    INSPECTOR.install()?;
    conformance::install()?;
    needs::clients()
}

/// Starts a stand-in for the models of all clients, which has them call a tool `..echo` with this text, and returns its
/// address.
///
/// # Errors
/// It does not start.
pub(crate) fn model(says: &str) -> Result<(Process, String), String> {
    Process::server(Command::new("node").arg(scripts().join("apps/model.mjs")).arg(says))
}

/// Makes a home of a client's own in `folder`, anew.
///
/// # Errors
/// It cannot be written.
pub(crate) fn home(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let home = folder.join(name);
    let make = || -> std::io::Result<()> {
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        fs::create_dir_all(&home)
    };
    make().map_err(|error| format!("{}: {error}", home.display()))?;
    Ok(home)
}

/// Writes a file, with the folders that it is in.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        fs::write(path, text)
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns a server of the gateway as most clients have it in their file.
///
/// # Errors
/// The gateway was not built.
pub(crate) fn entry(server: &str, gateway: &Path) -> Result<Value, String> {
    Ok(json!({
        "command": program("switchboard")?,
        "args": ["connect", server],
        "env": { "SWITCHBOARD_HOME": gateway },
    }))
}

/// Returns a call of a program that is told nothing but its home and where programs are.
pub(crate) fn alone(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).current_dir(home);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Returns the program of an application.
///
/// # Errors
/// It is not installed.
pub(crate) fn app(name: &str) -> Result<PathBuf, String> {
    let tools = needs::tools().ok_or("the real clients are not installed: run `cargo xtask test`")?;
    Ok(PathBuf::from(tools).join(name))
}

/// Returns a call of the Inspector that asks a server of its file for a method.
///
/// # Errors
/// It is not installed.
pub(crate) fn inspector(home: &Path, file: &Path, server: &str, method: &str) -> Result<Command, String> {
    let node = conformance::node().ok_or("the Node of the suite is not installed")?;
    let mut command = alone(&node, home);
    command.arg(INSPECTOR.modules().join("@modelcontextprotocol/inspector/clients/launcher/build/index.js"));
    command.arg("--cli").arg("--config").arg(file).args(["--server", server, "--method", method]);
    Ok(command)
}

/// Returns a call of Claude Code whose model is at this address.
///
/// # Errors
/// It is not installed.
pub(crate) fn claude(home: &Path, model: &str) -> Result<Command, String> {
    let mut command = alone(&app("claude")?, home);
    command.env("ANTHROPIC_BASE_URL", model).env("ANTHROPIC_API_KEY", "none");
    command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1").env("DISABLE_AUTOUPDATER", "1");
    Ok(command)
}
