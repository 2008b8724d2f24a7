//! Who is judged: the fixture by itself, and the gateway in front of it in every way.

#![expect(clippy::disallowed_methods, reason = "scratch files in the build folder")]

use std::fs;
use std::path::{Path, PathBuf};

use super::process::{Process, free_port};
use crate::steps::target;

/// Somebody who is judged.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    /// How the fixture is reached by the gateway; not at all where the fixture itself is judged.
    upstream: Option<Upstream>,
}

/// How the gateway reaches the fixture.
struct Upstream {
    transport: &'static str,
    era: &'static str,
}

/// The fixture by itself: what it passes is the measure.
pub(crate) const DIRECT: Subject = Subject { name: "direct", upstream: None };

/// The gateway, and what is behind it.
pub(crate) const GATEWAY: [Subject; 5] = [
    Subject { name: "stdio", upstream: Some(Upstream { transport: "stdio", era: "dual" }) },
    Subject { name: "stdio-legacy", upstream: Some(Upstream { transport: "stdio", era: "legacy" }) },
    Subject { name: "http-legacy", upstream: Some(Upstream { transport: "http", era: "legacy" }) },
    Subject { name: "http-modern", upstream: Some(Upstream { transport: "http", era: "modern" }) },
    Subject { name: "sse", upstream: Some(Upstream { transport: "sse", era: "legacy" }) },
];

/// A subject that runs; it ends when this is dropped.
pub(crate) struct Running {
    pub(crate) url: String,
    /// In the order in which they end: the gateway before what is behind it.
    _processes: Vec<Process>,
}

impl Subject {
    /// Starts it; `folder` is its own.
    ///
    /// # Errors
    /// Something does not start.
    pub(crate) fn start(&self, folder: &Path) -> Result<Running, String> {
        let fixture = program("testkit-fixture")?;
        let Some(Upstream { transport, era }) = &self.upstream else {
            let (process, url) = Process::fixture(&fixture, &["--transport", "http"])?;
            return Ok(Running { url, _processes: vec![process] });
        };
        let (server, behind) = if *transport == "stdio" {
            let server =
                format!("command = {:?}\nargs = [\"--era\", \"{era}\"]\n", fixture.display().to_string());
            (server, None)
        } else {
            let (process, url) = Process::fixture(&fixture, &["--transport", transport, "--era", era])?;
            let kind = if *transport == "sse" { "type = \"sse\"\n" } else { "" };
            (format!("url = \"{url}\"\n{kind}"), Some(process))
        };
        let port = free_port()?;
        let home = folder.join("home");
        write(
            &home,
            &[
                ("mcp-servers.toml", &format!("[servers.fixture]\n{server}")),
                ("switchboard.toml", &format!("[http]\nlisten = \"127.0.0.1:{port}\"\nauth = \"none\"\n")),
            ],
        )
        .map_err(|error| format!("{}: {error}", home.display()))?;
        let gateway = Process::gateway(&program("switchboard")?, &home, port)?;
        let url = format!("http://127.0.0.1:{port}/mcp/fixture");
        Ok(Running { url, _processes: std::iter::once(gateway).chain(behind).collect() })
    }
}

/// Makes a home anew, with these settings.
fn write(home: &Path, files: &[(&str, &str)]) -> std::io::Result<()> {
    if home.exists() {
        fs::remove_dir_all(home)?;
    }
    let config = home.join("config");
    fs::create_dir_all(&config)?;
    files.iter().try_for_each(|(name, text)| fs::write(config.join(name), text))
}

/// A program that was built.
fn program(name: &str) -> Result<PathBuf, String> {
    let path = target()?.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if path.exists() { Ok(path) } else { Err(format!("{} was not built", path.display())) }
}
