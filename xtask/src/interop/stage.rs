//! What runs while clients visit: the servers that are reached over HTTP, and one gateway for all servers.

#![expect(clippy::disallowed_methods, reason = "scratch files in the build folder")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::sdk::SERVERS;
use crate::home;
use crate::process::{Process, free_port};
use crate::steps::{program, target};

/// Everything that runs; it ends when this is dropped.
pub(crate) struct Stage {
    /// Where everything is noted, and the home of the gateway is.
    pub(crate) folder: PathBuf,
    pub(crate) servers: Vec<Standing>,
    pub(crate) home: PathBuf,
    pub(crate) port: u16,
    /// What opens the gateway's door at this port.
    pub(crate) token: String,
    /// In the order in which they end: the gateway before what is behind it.
    _processes: Vec<Process>,
}

/// A server over one transport.
pub(crate) struct Standing {
    pub(crate) name: &'static str,
    pub(crate) transport: &'static str,
    pub(crate) reach: Reach,
}

/// How a server is reached.
pub(crate) enum Reach {
    Words(Vec<String>),
    Url(String),
}

impl Standing {
    /// What the catalogue calls it.
    pub(crate) fn entry(&self) -> String {
        format!("{}-{}", self.name, self.transport)
    }
}

impl Stage {
    /// Starts everything.
    ///
    /// # Errors
    /// Something does not start.
    pub(crate) fn set() -> Result<Self, String> {
        let folder = target()?.join("interop");
        let calls = folder.join("calls");
        anew(&calls).map_err(|error| format!("{}: {error}", calls.display()))?;
        let (mut servers, mut processes, mut catalogue) = (Vec::new(), Vec::new(), String::new());
        for server in &SERVERS {
            let words = server.words("stdio", &calls)?;
            servers.push(Standing { name: server.name, transport: "stdio", reach: Reach::Words(words) });
            let words = server.words("http", &calls)?;
            let mut command = Command::new(&words[0]);
            let log = fs::File::create(folder.join(format!("{}-http.log", server.name)));
            command.args(&words[1..]).stderr(log.map_or_else(|_| Stdio::null(), Stdio::from));
            let (process, url) = Process::server(&mut command)?;
            processes.push(process);
            servers.push(Standing { name: server.name, transport: "http", reach: Reach::Url(url) });
        }
        for server in &servers {
            // A list of texts is spelt in TOML as it is in Rust.
            let entry = match &server.reach {
                Reach::Words(words) => format!("command = {:?}\nargs = {:?}\n", words[0], &words[1..]),
                Reach::Url(url) => format!("url = {url:?}\n"),
            };
            let _ = writeln!(catalogue, "[servers.{}]\n{entry}", server.entry());
        }
        let (home, port) = (folder.join("home"), free_port()?);
        home::make(&home, &catalogue, port, "")?;
        let gateway = program("switchboard")?;
        processes.insert(0, Process::gateway(&gateway, &home, port)?);
        let token = Command::new(&gateway).args(["token", "show"]).env("SWITCHBOARD_HOME", &home).output();
        let token = token.map_err(|error| format!("{}: {error}", gateway.display()))?.stdout;
        let token = String::from_utf8_lossy(&token).trim().to_owned();
        Ok(Self { folder, servers, home, port, token, _processes: processes })
    }
}

fn anew(folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)
}
