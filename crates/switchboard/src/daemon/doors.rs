//! The doors: where the daemon is reached.

use std::sync::Arc;

use switchboard_core::problem::Problem;
use switchboard_core::settings::Settings;
use switchboard_host::dirs::{Dirs, Env};
use tokio::runtime::Runtime;

use super::board::Board;
use super::desk::Desk;
use crate::cli::Serve;
use crate::fail::Failure;

/// What is open, and by which settings.
pub(crate) struct Doors {}

impl Doors {
    pub(crate) fn first(
        _r: &Runtime,
        _args: &Serve,
        _env: &Env,
        _dirs: &Dirs,
        _desk: Desk,
    ) -> Result<Self, Failure> {
        Ok(Self {})
    }
    pub(crate) fn open(&mut self, _settings: &Settings) {}
    pub(crate) fn announce(&mut self, _board: &Arc<Board>) {}
    pub(crate) fn problems(&self) -> Vec<(String, Problem)> {
        Vec::new()
    }
    pub(crate) fn close(&mut self) {}
}
