//! The tokens that there are, renewed by one at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Url;
use switchboard_core::login::challenge;
use switchboard_core::login::lifetime::Freshness;
use switchboard_core::login::scopes::{More, Scopes, more};
use switchboard_host::dirs::Dirs;
use switchboard_host::file::Stamp;
use switchboard_host::lock::{Lock, LockError};
use switchboard_host::secret::Secret;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::endpoint::{Refusal, renew};
use super::http::Http;
use super::no_token::{NoToken, Why};
use super::record::Login;
use super::store::{LoginStoreError, Logins};
use crate::home::now;

/// How long another process may take to renew a token; it waits for an answer no longer than half a minute itself.
const TURN: Duration = Duration::from_secs(35);

/// Whoever could not be asked is left alone for so long, in seconds.
const PAUSE: u64 = 5;

/// A token that is refused before its time is renewed so often at most, in seconds.
const AGAIN: u64 = 60;

/// The tokens of a home: the one place from which servers get them.
///
/// Any number of callers, in any number of processes, may ask at the same time. A renewal that has begun goes on when the
/// one who asked has gone: the answer holds the only token that is good from then on.
#[derive(Clone, Debug)]
pub struct Tokens(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    logins: Logins,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    renewals: Mutex<JoinSet<()>>,
    /// Tells the time, in seconds since 1970.
    clock: fn() -> u64,
}

/// What is remembered of one server.
#[derive(Debug, Default)]
struct Slot {
    seen: Mutex<Seen>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The login, as it was when its file had this stamp.
    login: Option<(Stamp, Arc<Login>)>,
    /// When nobody could be asked, and why.
    failed: Option<(u64, String)>,
    /// When a token was renewed because it was refused.
    forced: Option<u64>,
}

/// What somebody who asks for a token needs it for.
#[derive(Clone)]
struct Need {
    server: String,
    url: String,
    /// The token that will not do.
    used: Option<Secret>,
    /// Whether it was refused, though its time is not over.
    refused: bool,
}

impl Tokens {
    /// Returns the tokens of the home in `dirs`.
    pub fn new(dirs: &Dirs) -> Self {
        Self::with_clock(dirs, now)
    }

    fn with_clock(dirs: &Dirs, clock: fn() -> u64) -> Self {
        let (slots, renewals) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { logins: Logins::new(dirs), slots, renewals, clock }))
    }

    /// Returns a token for the server at this address; `None` if nobody has logged in there, or at another address only.
    ///
    /// One that is about to end is renewed first. As long as the old one is good, it is returned where that fails.
    ///
    /// # Errors
    /// There was a login, and it is over.
    pub async fn bearer(&self, server: &str, url: &str) -> Result<Option<Secret>, NoToken> {
        let slot = self.0.slot(server);
        let Some(login) = self.0.look(&slot, server, url)? else { return Ok(None) };
        let freshness = login.freshness((self.0.clock)());
        let stale = match freshness {
            Freshness::Fresh => return Ok(login.access.clone()),
            Freshness::Stale => login.access.clone(),
            Freshness::Over => None,
        };
        if stale.is_none() && !login.can_renew() {
            return Err(over(&login));
        }
        // Whoever renews it is at it already, or nobody can.
        if stale.is_some() && (slot.turn.try_lock().is_err() || !login.can_renew()) {
            return Ok(stale);
        }
        let need = Need {
            server: server.to_owned(),
            url: url.to_owned(),
            used: login.access.clone(),
            refused: false,
        };
        match self.renewed(slot, need).await {
            Err(_) if stale.is_some() => Ok(stale),
            renewed => renewed,
        }
    }

    /// Takes note that the server answered a request that carried the token `used` with 401 or 403, and returns the token
    /// to try once more with; `None` if that would come to the same.
    ///
    /// `challenges` are the values of the header `WWW-Authenticate`. Of those who are refused with the same token one
    /// renews it, and the others get what came of that.
    ///
    /// # Errors
    /// A person has to do something about it.
    pub async fn rejected<'h>(
        &self,
        server: &str,
        url: &str,
        used: &Secret,
        status: u16,
        challenges: impl IntoIterator<Item = &'h str>,
    ) -> Result<Option<Secret>, NoToken> {
        let slot = self.0.slot(server);
        let Some(login) = self.0.look(&slot, server, url)? else { return Ok(None) };
        let bearer = challenge::bearer(challenges).unwrap_or_default();
        if login.access.as_ref().is_some_and(|access| access != used)
            && login.freshness((self.0.clock)()) != Freshness::Over
        {
            // It was replaced while the request was under way.
            return Ok(login.access.clone());
        }
        if bearer.is_short_of_scopes() {
            return Err(self.0.wants_more(&login, bearer.scopes).await);
        }
        if status != 401 {
            return Ok(None);
        }
        let refused = login.freshness((self.0.clock)()) != Freshness::Over;
        if !login.can_renew() {
            return Err(if refused && login.ended.is_none() { refuses(server) } else { over(&login) });
        }
        if refused && slot.seen().forced.is_some_and(|at| (self.0.clock)().saturating_sub(at) < AGAIN) {
            return Err(refuses(server));
        }
        let need = Need { server: server.to_owned(), url: url.to_owned(), used: Some(used.clone()), refused };
        self.renewed(slot, need).await
    }

    /// Waits until no token is on its way, but no longer than `patience`: whoever ends before that may lose one.
    pub async fn settle(&self, patience: Duration) {
        let mut renewals = std::mem::take(&mut *self.0.renewals());
        let _ = tokio::time::timeout(patience, async { while renewals.join_next().await.is_some() {} }).await;
    }

    /// Has the token renewed in a task of its own, unless somebody else does so first, and waits for it.
    async fn renewed(&self, slot: Arc<Slot>, need: Need) -> Result<Option<Secret>, NoToken> {
        let (tell, told) = oneshot::channel();
        let server = need.server.clone();
        {
            let inner = Arc::clone(&self.0);
            let mut renewals = self.0.renewals();
            while renewals.try_join_next().is_some() {}
            renewals.spawn(async move {
                // Whoever asked may be gone; the token is kept all the same.
                let _ = tell.send(inner.renew(&slot, &need).await);
            });
        }
        told.await.unwrap_or_else(|_| Err(NoToken::Away { server, why: "this process is ending".to_owned() }))
    }
}

fn over(login: &Login) -> NoToken {
    let why = login.ended.clone().map_or(Why::Over, Why::Ended);
    NoToken::LoginNeeded { server: login.server.clone(), why }
}

fn refuses(server: &str) -> NoToken {
    NoToken::LoginNeeded { server: server.to_owned(), why: Why::Refused }
}

impl Slot {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn slot(&self, server: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(server.to_owned()).or_default())
    }

    fn renewals(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.renewals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the login at this address, read anew only if its file is another one.
    fn look(&self, slot: &Slot, server: &str, url: &str) -> Result<Option<Arc<Login>>, NoToken> {
        let Some(stamp) = self.logins.stamp(server) else {
            slot.seen().login = None;
            return Ok(None);
        };
        let known = slot.seen().login.clone().filter(|(seen, _)| *seen == stamp).map(|(_, login)| login);
        let login = match known {
            Some(login) => login,
            None => match self.logins.load(server).map_err(|error| unreadable(server, &error))? {
                None => return Ok(None),
                Some(login) => {
                    let login = Arc::new(login);
                    // A file that was replaced since has another stamp, and is read again the next time.
                    slot.seen().login = Some((stamp, Arc::clone(&login)));
                    login
                }
            },
        };
        Ok(login.is_for(server, url).then_some(login))
    }

    /// Renews the token, unless somebody else has done so.
    async fn renew(&self, slot: &Slot, need: &Need) -> Result<Option<Secret>, NoToken> {
        let Need { server, url, .. } = need;
        let away = |why: String| NoToken::Away { server: server.clone(), why };
        let _turn = slot.turn.lock().await;
        match self.look(slot, server, url)? {
            None => return Ok(None),
            Some(login) if need.is_met(&login, (self.clock)()) => return Ok(login.access.clone()),
            Some(_) => {}
        }
        if let Some((_, why)) =
            slot.seen().failed.clone().filter(|(at, _)| (self.clock)().saturating_sub(*at) < PAUSE)
        {
            return Err(away(why));
        }
        let _lock = self.lock(server).await.map_err(|error| away(error.to_string()))?;
        // Another process may have been quicker: under the lock its tokens are seen.
        let Some(login) = self.look(slot, server, url)? else { return Ok(None) };
        if need.is_met(&login, (self.clock)()) {
            return Ok(login.access.clone());
        }
        if !login.can_renew() {
            return Err(over(&login));
        }
        let mut login = Login::clone(&login);
        let http = Url::parse(url).ok().and_then(|url| Http::new(&url).ok());
        let asked = match &http {
            Some(http) => renew(http, &login).await,
            None => Err(Refusal::Later("there is no HTTP".to_owned())),
        };
        match asked {
            Ok(granted) => {
                login.take(granted, (self.clock)());
                let access = login.access.clone();
                self.keep(slot, login);
                let mut seen = slot.seen();
                seen.failed = None;
                if need.refused {
                    seen.forced = Some((self.clock)());
                }
                Ok(access)
            }
            Err(Refusal::Final(reason)) => {
                tracing::warn!(server, reason, "a login is over");
                login.ended = Some(reason.clone());
                login.refresh = None;
                self.keep(slot, login);
                Err(NoToken::LoginNeeded { server: server.clone(), why: Why::Ended(reason) })
            }
            Err(Refusal::Later(why)) => {
                slot.seen().failed = Some(((self.clock)(), why.clone()));
                Err(away(why))
            }
        }
    }

    /// Takes note of what the server wants beyond what the token is good for.
    async fn wants_more(&self, login: &Login, scopes: Scopes) -> NoToken {
        let server = login.server.clone();
        let scopes = match more(&scopes, &login.asked) {
            More::Denied(scopes) => return NoToken::Denied { server, scopes },
            More::Ask(scopes) => scopes,
        };
        // The next login asks for them. Where that cannot be noted, whoever logs in is told again.
        if !scopes.is_subset(&login.wanted)
            && let Ok(_lock) = self.lock(&server).await
            && let Ok(Some(mut login)) = self.logins.load(&server)
        {
            login.wanted.extend(scopes.iter().cloned());
            let _ = self.logins.save(&login);
        }
        NoToken::LoginNeeded { server, why: Why::Scopes(scopes) }
    }

    /// Keeps a login that was changed under the lock. In this process it counts from now on, whatever the disk says.
    fn keep(&self, slot: &Slot, login: Login) {
        if let Err(error) = self.logins.save(&login) {
            tracing::error!(server = login.server, %error, "a login could not be kept");
        }
        if let Some(stamp) = self.logins.stamp(&login.server) {
            slot.seen().login = Some((stamp, Arc::new(login)));
        }
    }

    async fn lock(&self, server: &str) -> Result<Lock, LockError> {
        let (logins, name) = (self.logins.clone(), server.to_owned());
        let waiting = tokio::task::spawn_blocking(move || logins.lock(&name, TURN));
        waiting.await.unwrap_or_else(|_| Err(LockError::Held { holder: None, path: server.into() }))
    }
}

impl Need {
    /// Returns whether a login has another token than the one that will not do.
    fn is_met(&self, login: &Login, now: u64) -> bool {
        login.access != self.used && login.freshness(now) == Freshness::Fresh
    }
}

fn unreadable(server: &str, error: &LoginStoreError) -> NoToken {
    let server = server.to_owned();
    match error {
        LoginStoreError::Damaged(_) => NoToken::LoginNeeded { server, why: Why::Damaged },
        LoginStoreError::Store(error) => NoToken::Away { server, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
