//! Homes of a gateway that is judged, in the build folder.

#![expect(clippy::disallowed_methods, reason = "scratch files in the build folder")]

use std::fs;
use std::path::Path;

/// Makes a home anew, with this catalogue and a door at this port; `settings` are more of its settings.
///
/// # Errors
/// It cannot be written.
pub(crate) fn make(home: &Path, catalogue: &str, port: u16, settings: &str) -> Result<(), String> {
    let door = format!("[http]\nlisten = \"127.0.0.1:{port}\"\n{settings}");
    let write = || -> std::io::Result<()> {
        if home.exists() {
            fs::remove_dir_all(home)?;
        }
        let config = home.join("config");
        fs::create_dir_all(&config)?;
        fs::write(config.join("mcp-servers.toml"), catalogue)?;
        fs::write(config.join("switchboard.toml"), door)
    };
    write().map_err(|error| format!("{}: {error}", home.display()))
}
