//! The SDKs: how they get here, and how their clients and servers are started.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::npm::Folder;
use crate::steps::{program, root};
use crate::venv::Venv;

/// Both versions of the TypeScript SDK: their packages have different names.
const TYPESCRIPT: Folder = Folder {
    name: "npm-interop",
    packages: &[
        ("@modelcontextprotocol/client", "2.4.0", "the TypeScript SDK 2, as a client"),
        ("@modelcontextprotocol/node", "2.1.2", "the TypeScript SDK 2, as a server over HTTP"),
        ("@modelcontextprotocol/sdk", "1.32.2", "the TypeScript SDK 1"),
        ("@modelcontextprotocol/server", "2.4.0", "the TypeScript SDK 2, as a server"),
        ("zod", "4.6.7", "what both describe values with"),
    ],
};

const PYTHON_1: Venv = Venv { name: "pip-mcp-1", packages: &[("mcp", "1.30.0", "the Python SDK 1")] };

const PYTHON_2: Venv = Venv { name: "pip-mcp-2", packages: &[("mcp", "2.3.0", "the Python SDK 2")] };

/// What runs a program of one SDK. That of Rust is built with the rest.
#[derive(Clone, Copy)]
enum Sdk {
    Node,
    Python(&'static Venv),
    Rust,
}

/// A client: an SDK in one of its ways.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    sdk: Sdk,
    /// The script or the role, and what comes after the plan.
    words: (&'static str, &'static [&'static str]),
}

/// By default the second version of TypeScript and Rust shake hands, and that of Python finds out first whether it need
/// to; each is asked for the other way, too.
pub(crate) const CLIENTS: [Client; 8] = [
    Client { name: "ts1", sdk: Sdk::Node, words: ("v1-client.mjs", &[]) },
    Client { name: "ts2", sdk: Sdk::Node, words: ("v2-client.mjs", &[]) },
    Client { name: "ts2-auto", sdk: Sdk::Node, words: ("v2-client.mjs", &["auto"]) },
    Client { name: "py1", sdk: Sdk::Python(&PYTHON_1), words: ("v1_client.py", &[]) },
    Client { name: "py2", sdk: Sdk::Python(&PYTHON_2), words: ("v2_client.py", &[]) },
    Client { name: "py2-legacy", sdk: Sdk::Python(&PYTHON_2), words: ("v2_client.py", &["legacy"]) },
    Client { name: "rmcp", sdk: Sdk::Rust, words: ("client", &[]) },
    Client { name: "rmcp-auto", sdk: Sdk::Rust, words: ("client", &["auto"]) },
];

/// A server, which is called as its SDK is.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    sdk: Sdk,
    script: &'static str,
}

/// One of each SDK.
pub(crate) const SERVERS: [Server; 5] = [
    Server { name: "ts1", sdk: Sdk::Node, script: "v1-server.mjs" },
    Server { name: "ts2", sdk: Sdk::Node, script: "v2-server.mjs" },
    Server { name: "py1", sdk: Sdk::Python(&PYTHON_1), script: "v1_server.py" },
    Server { name: "py2", sdk: Sdk::Python(&PYTHON_2), script: "v2_server.py" },
    Server { name: "rmcp", sdk: Sdk::Rust, script: "server" },
];

/// Installs what is missing, and says so.
///
/// # Errors
/// npm or pip could not install it.
pub(crate) fn install() -> Result<(), String> {
    TYPESCRIPT.install()?;
    PYTHON_1.install()?;
    PYTHON_2.install()?;
    // Modules of JavaScript look for packages above themselves, and nowhere else.
    let to = TYPESCRIPT.modules();
    let to = to.parent().ok_or("the packages of npm are nowhere")?;
    let scripts = scripts().join("typescript");
    let copy = || -> std::io::Result<()> {
        for entry in std::fs::read_dir(&scripts)? {
            let entry = entry?;
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        Ok(())
    };
    copy().map_err(|error| format!("{}: {error}", scripts.display()))
}

/// The story that is told.
pub(crate) fn story() -> PathBuf {
    scripts().join("story.json")
}

/// The folder of everything that is run.
pub(crate) fn scripts() -> PathBuf {
    root().join("conformance/interop")
}

impl Client {
    /// Returns the call that goes to the servers of a plan.
    ///
    /// # Errors
    /// Its SDK is not installed.
    pub(crate) fn command(&self, plan: &Path) -> Result<Command, String> {
        let (script, rest) = self.words;
        let mut words = self.sdk.words(script)?.into_iter();
        let mut command = Command::new(words.next().ok_or("nothing to run")?);
        command.args(words).arg(plan).args(rest);
        Ok(command)
    }
}

impl Server {
    /// Returns the words that start it over a transport, with a folder for what it knows of its calls.
    ///
    /// # Errors
    /// Its SDK is not installed.
    pub(crate) fn words(&self, transport: &str, calls: &Path) -> Result<Vec<String>, String> {
        let mut words = self.sdk.words(self.script)?;
        words.extend([transport.to_owned(), story().display().to_string(), calls.display().to_string()]);
        Ok(words)
    }
}

impl Sdk {
    fn words(self, script: &str) -> Result<Vec<String>, String> {
        let (program, script) = match self {
            Self::Node => {
                let packages = TYPESCRIPT.modules();
                let folder = packages.parent().ok_or("the packages of npm are nowhere")?;
                (PathBuf::from("node"), folder.join(script).display().to_string())
            }
            Self::Python(venv) => {
                let python = venv.python().ok_or("the packages of Python are not installed")?;
                (python, scripts().join("python").join(script).display().to_string())
            }
            Self::Rust => (program("testkit-rmcp")?, script.to_owned()),
        };
        Ok(vec![program.display().to_string(), script])
    }
}
