//! What stands here where there is no D-Bus.

use std::convert::Infallible;
use std::sync::Arc;

use super::{Asks, BusError, Options};

/// A place on a bus, in a build that has none.
#[derive(Debug)]
pub struct Bus(Infallible);

#[expect(clippy::unused_async, reason = "the same functions as where there is a bus")]
impl Bus {
    /// Says that there is none.
    ///
    /// # Errors
    ///
    /// Always [`BusError::NotBuilt`].
    pub async fn connect(_: &Options, _: &str, _: Arc<dyn Asks>) -> Result<Self, BusError> {
        Err(BusError::NotBuilt)
    }

    /// Cannot be called.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn announce(&self, _: &str) -> Result<(), BusError> {
        match self.0 {}
    }

    /// Cannot be called.
    pub async fn closed(&self) {
        match self.0 {}
    }
}
