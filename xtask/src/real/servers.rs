//! The servers: how they get here, and how the catalogue has them started.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::clients::write;
use crate::npm::Folder;
use crate::venv::Venv;

const NPM: Folder = Folder {
    name: "npm-real",
    packages: &[
        ("@modelcontextprotocol/server-everything", "2026.8.31", "a real server, to be judged"),
        ("@modelcontextprotocol/server-filesystem", "2026.8.31", "a real server, to be judged"),
        ("@modelcontextprotocol/server-memory", "2026.8.31", "a real server, to be judged"),
        ("kubernetes-mcp-server", "0.0.67", "a real server, to be judged"),
    ],
};

const PIP: Venv = Venv {
    name: "pip-real",
    packages: &[
        ("mcp-server-git", "2026.10.19", "a real server, to be judged"),
        ("mcp-server-time", "2026.10.19", "a real server, to be judged"),
    ],
};

/// A cluster that nobody answers for: the server wants to know one before it says what it offers.
const NOWHERE: &str = "\
apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{ name: nowhere, cluster: { server: \"http://127.0.0.1:1\" } }]
contexts: [{ name: nowhere, context: { cluster: nowhere, user: nobody } }]
users: [{ name: nobody, user: {} }]
";

/// Installs what is missing, and says so.
///
/// # Errors
/// npm or pip could not install it.
pub(super) fn install() -> Result<(), String> {
    NPM.install()?;
    PIP.install()
}

/// Returns the packages with their versions, in the order of their servers in the catalogue.
pub(super) fn packages() -> impl Iterator<Item = (&'static str, &'static str)> {
    NPM.packages.iter().chain(PIP.packages).map(|(name, version, _)| (*name, *version))
}

/// Returns the catalogue of all of them; what they want to have is in `folder`.
///
/// # Errors
/// They are not installed, or what they want cannot be written.
pub(super) fn catalogue(folder: &Path) -> Result<String, String> {
    let (npm, python) = NPM.programs().zip(PIP.python()).ok_or("the servers are not installed")?;
    let bin = python.parent().ok_or("the packages of Python are nowhere")?;
    let (cluster, memory) = (folder.join("cluster.yaml"), folder.join("memory.json"));
    write(&cluster, NOWHERE)?;
    let text = |path: &Path| path.display().to_string();
    let (files, cluster) = (text(folder), text(&cluster));
    let servers: [(&str, PathBuf, &[&str]); 6] = [
        ("everything", npm.join("mcp-server-everything"), &[]),
        ("filesystem", npm.join("mcp-server-filesystem"), &[&files]),
        ("memory", npm.join("mcp-server-memory"), &[]),
        (
            "kubernetes",
            npm.join("kubernetes-mcp-server"),
            &["--kubeconfig", &cluster, "--toolsets", "core,config,helm"],
        ),
        ("git", bin.join("mcp-server-git"), &[]),
        ("time", bin.join("mcp-server-time"), &["--local-timezone", "UTC"]),
    ];
    let mut catalogue = String::new();
    for (name, program, args) in &servers {
        // A text, and a list of texts, is spelt in TOML as it is in Rust.
        let _ = writeln!(catalogue, "[servers.{name}]\ncommand = {:?}\nargs = {args:?}", text(program));
        if *name == "memory" {
            let _ = writeln!(catalogue, "env = {{ MEMORY_FILE_PATH = {:?} }}", text(&memory));
        }
        catalogue.push('\n');
    }
    Ok(catalogue)
}
