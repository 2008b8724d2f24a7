//! stub
use super::ConnectError;
use std::collections::BTreeMap;
use switchboard_core::launch::Remote;
use switchboard_host::secret::Secret;
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// x
    #[error("x")]
    X,
}
impl RemoteError {
    pub fn help(&self) -> Option<String> {
        None
    }
}
pub(super) fn run(_: &str, _: Remote, _: &Secret, _: &BTreeMap<String, Secret>) -> Result<u8, ConnectError> {
    Ok(0)
}
