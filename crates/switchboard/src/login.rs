//! Logins at remote servers: how somebody logs in, and the tokens that come of it.
//!
//! ```text
//! server login ─> authorize ─> listener ─> authorize ─> Logins (one file each, 0600)
//!                 discovery,   the browser  code for                │
//!                 registration comes back   a token                 v
//! connect, gateway ────────── bearer, rejected ─────────────────> Tokens ─> endpoint: renew
//! ```
//!
//! A token goes to the address that it was given for and to no other. It is renewed by one at a time: within a process by
//! a turn for each server, across processes by a lock and by looking again under it, because an authorization server that
//! hands out a new refresh token each time takes the second use of an old one for a theft.

mod authorize;
mod browser;
mod door;
mod endpoint;
mod http;
mod listener;
mod no_token;
mod record;
mod store;
mod tokens;

pub(crate) use authorize::{AuthorizeError, Found, Identity, discover};
pub(crate) use browser::open as open_browser;
pub(crate) use door::Door;
pub(crate) use endpoint::{renew, revoke};
pub(crate) use http::Http;
pub(crate) use listener::{Listener, ListenerError};
pub use no_token::{NoToken, Why};
pub(crate) use record::{Grant, Login};
pub(crate) use store::{LoginStoreError, Logins};
pub use tokens::Tokens;
