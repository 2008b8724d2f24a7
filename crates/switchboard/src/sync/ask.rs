//! Servers asked what they offer: several at a time, each for as long as its owner allows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use switchboard_core::catalogue::Server;
use switchboard_core::name::ServerName;
use switchboard_gateway::Gateway;
use switchboard_gateway::offer::Offer;
use switchboard_gateway::trouble::{HINT, SAID_LAST, Trouble};
use switchboard_host::dirs::Env;
use switchboard_host::limits;

use super::Reason;
use crate::daemon::gateway;
use crate::daemon::inbox::Inbox;
use crate::fail::Failure;
use crate::home::Home;
use crate::remote;
use crate::ui::{Ui, plain};

/// So many servers are asked at the same time.
const AT_ONCE: usize = 16;

/// How long a server is waited for whose owner says nothing about it: some are downloaded first.
const LIMIT: Duration = Duration::from_secs(60);

/// The route by which the daemon asks a server of its own; behind it stand the name and the version.
pub(crate) const OFFER: &str = "/api/v1/offer";

/// How long the daemon waits for a server there: less than its own answer is waited for.
pub(crate) const OFFER_LIMIT: Duration = Duration::from_secs(110);

/// What the daemon answers there.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Offered {
    /// What the server offers.
    Offer(Box<RawValue>),
    /// Why that is not known.
    Trouble(String),
    /// It is not in service in this version.
    Unknown,
}

/// What servers offer, or why that is not known.
pub(super) type Offers = BTreeMap<ServerName, Result<Offer, Reason>>;

/// Asks all of these.
///
/// # Errors
/// The system does not let anybody be asked.
pub(super) fn all(home: &Home, ui: &Ui, servers: &[&Server]) -> Result<Offers, Failure> {
    limits::raise_open_files();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("ask servers what they offer").caused_by(&error))?;
    let progress = ui.progress("asking", servers.len());
    let offers = runtime.block_on(async {
        let gateway = gateway::open(runtime.handle(), &home.dirs, &home.env, &Inbox::default());
        let asked = stream::iter(servers.iter().map(|server| one(&gateway, &home.env, server)));
        let mut answers = asked.buffer_unordered(AT_ONCE);
        let mut offers = Offers::new();
        while let Some((name, answer)) = answers.next().await {
            progress.done(name.as_str());
            offers.insert(name, answer);
        }
        gateway.end(Duration::from_secs(5)).await;
        offers
    });
    progress.end();
    // What was learnt is kept for the daemon, too.
    runtime.shutdown_timeout(Duration::from_secs(5));
    Ok(offers)
}

/// Asks one: in the daemon, where it is in service there, so that it does not run twice; from here else.
async fn one(gateway: &Gateway, env: &Env, server: &Server) -> (ServerName, Result<Offer, Reason>) {
    let limit = server.timeout.unwrap_or(LIMIT);
    let version = gateway::version(server);
    let offer = if let Some(answer) = by_daemon(env, server, &version, limit).await {
        answer
    } else {
        let answer = gateway.discover(Arc::new(server.clone()), version, limit).await;
        answer.map(|offer| Offer::clone(&offer)).map_err(|trouble| in_words(&trouble))
    };
    (server.name.clone(), offer.map_err(|why| reason(&why)))
}

/// Has the daemon ask; `None` where there is none, or it has the server in another version.
async fn by_daemon(
    env: &Env,
    server: &Server,
    version: &str,
    limit: Duration,
) -> Option<Result<Offer, String>> {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("server", server.name.as_str())
        .append_pair("version", version)
        .append_pair("limit_ms", &limit.as_millis().to_string())
        .finish();
    let (env, route) = (env.clone(), format!("{OFFER}?{query}"));
    let answer = tokio::task::spawn_blocking(move || remote::get(&env, &route)).await.ok()??;
    match serde_json::from_str(&answer).ok()? {
        Offered::Offer(offer) => Offer::from_json(offer.get().as_bytes()).map(Ok),
        Offered::Trouble(why) => Some(Err(why)),
        Offered::Unknown => None,
    }
}

/// Returns what went wrong, as a fragment that fits after a colon.
pub(crate) fn in_words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Down(why) | Trouble::Lost(why) => why.clone(),
        trouble => format!("it {trouble}"),
    }
}

/// Takes a reason and the hint in it apart. What the server said last is told behind it, and no hint of ours.
fn reason(text: &str) -> Reason {
    let (own, last) = text.split_once(SAID_LAST).map_or((text, None), |(own, last)| (own, Some(last)));
    let (why, help) = own.rsplit_once(HINT).map_or((own, None), |(why, help)| (why, Some(help)));
    let last = last.map(|last| format!("{SAID_LAST}{last}")).unwrap_or_default();
    Reason { why: plain(&format!("{why}{last}")), help: help.map(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_never_a_hint_of_ours() {
        for (text, why, help) in [
            ("it ended", "it ended", None),
            ("it ended; hint: look", "it ended", Some("look")),
            ("no; hint: look; it said last: a; hint: b", "no; it said last: a; hint: b", Some("look")),
            ("no; it said last: \u{1b}[31mx", "no; it said last: \\u{1b}[31mx", None),
        ] {
            let reason = reason(text);
            assert_eq!((reason.why.as_str(), reason.help.as_deref()), (why, help), "{text}");
        }
    }
}
