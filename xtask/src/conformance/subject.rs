//! Who is judged: the fixture by itself, and the gateway in front of it in every way.

use std::path::Path;
use std::process::Command;

use crate::home;
use crate::process::{Process, free_port};
use crate::steps::program;

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
            let (process, url) = Process::server(Command::new(&fixture).args(["--transport", "http"]))?;
            return Ok(Running { url, _processes: vec![process] });
        };
        let (server, behind) = if *transport == "stdio" {
            let server =
                format!("command = {:?}\nargs = [\"--era\", \"{era}\"]\n", fixture.display().to_string());
            (server, None)
        } else {
            let (process, url) =
                Process::server(Command::new(&fixture).args(["--transport", transport, "--era", era]))?;
            let kind = if *transport == "sse" { "type = \"sse\"\n" } else { "" };
            (format!("url = \"{url}\"\n{kind}"), Some(process))
        };
        let port = free_port()?;
        let home = folder.join("home");
        home::make(&home, &format!("[servers.fixture]\n{server}"), port, "auth = \"none\"\n")?;
        let gateway = Process::gateway(&program("switchboard")?, &home, port)?;
        let url = format!("http://127.0.0.1:{port}/mcp/fixture");
        Ok(Running { url, _processes: std::iter::once(gateway).chain(behind).collect() })
    }
}
