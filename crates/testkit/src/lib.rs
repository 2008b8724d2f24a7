//! What the tests of all crates share.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that fails, or does nothing, says why"
)]

pub mod bus;
#[cfg(unix)]
pub mod daemon;
pub mod fixture;
#[cfg(unix)]
pub mod follower;
pub mod home;
pub mod load;
#[cfg(unix)]
pub mod scratch;
pub mod servers;
pub mod strace;
pub mod tools;
pub mod upstream;
pub mod wire;

use std::path::{Path, PathBuf};

/// Returns the path of a sample file of a client: `cursor/mcp.json`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients").join(name)
}

#[expect(clippy::disallowed_methods, clippy::panic, reason = "tests look at what was written")]
fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, clippy::panic, reason = "tests set their own stage")]
fn make_folder(path: &Path) {
    std::fs::create_dir_all(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
