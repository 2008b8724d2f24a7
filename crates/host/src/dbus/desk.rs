//! Where questions of the same user are answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use zbus::fdo::{DBusProxy, Error};
use zbus::names::UniqueName;

use super::Asks;
use super::call::Question;

/// So many questions are answered at once; the others wait.
const AT_ONCE: usize = 8;
/// How long a caller waits: what libdbus and its kin do by default.
const PATIENCE: Duration = Duration::from_secs(25);

/// Knows who may ask, and whom to ask.
pub(super) struct Desk {
    asks: Arc<dyn Asks>,
    bus: DBusProxy<'static>,
    user: u32,
    places: Semaphore,
}

impl Desk {
    pub(super) fn new(asks: Arc<dyn Asks>, bus: DBusProxy<'static>) -> Self {
        let user = rustix::process::geteuid().as_raw();
        Self { asks, bus, user, places: Semaphore::new(AT_ONCE) }
    }

    /// Answers a question of `sender`'s, if it is of our user.
    pub(super) async fn answer(
        &self,
        sender: Option<UniqueName<'_>>,
        question: Question,
    ) -> Result<String, Error> {
        timeout(PATIENCE, async {
            self.check(sender).await?;
            let _place = self.places.acquire().await;
            let answer = match question {
                Question::Config { client } => self.asks.config(client).await,
                Question::Sync => self.asks.sync().await,
            };
            answer.map_err(|why| Error::Failed(why.replace('\0', "")))
        })
        .await
        .unwrap_or_else(|_| {
            Err(Error::TimedOut(format!("there was no answer within {} s", PATIENCE.as_secs())))
        })
    }

    /// The bus itself says who somebody is: it saw the credentials when they connected, and no name is given twice.
    /// Of one who has left already it says nothing, so that one is not heard.
    async fn check(&self, sender: Option<UniqueName<'_>>) -> Result<(), Error> {
        let refused = || Error::AccessDenied("only callers of the same user are answered".to_owned());
        let sender = sender.ok_or_else(refused)?;
        let user = self.bus.get_connection_unix_user(sender.into()).await.map_err(|_| refused())?;
        if user == self.user { Ok(()) } else { Err(refused()) }
    }
}
