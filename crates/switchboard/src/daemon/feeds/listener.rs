//! One listener: the loop around the stream of one feed.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::header::HeaderMap;
use reqwest::{Client, Url};
use switchboard_core::feed::{Action, Announcement, Event, Listening, Phase, Source, Tool, announced, step};
use switchboard_core::name::ServerName;
use switchboard_gateway::events;
use switchboard_gateway::offer::Item;
use switchboard_gateway::{Announced, Gateway, MESSAGE_LIMIT};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::super::inbox::Inbox;
use crate::home::now;
use crate::live::{Feed, Told, Tools};
use crate::ui::{counted, plain};
use crate::web::{self, Lost, Sign, Stream};

/// Listens to one feed.
pub(super) struct Listener {
    pub(super) name: ServerName,
    pub(super) source: Source,
    pub(super) gateway: Gateway,
    pub(super) inbox: Inbox,
    /// Rings when somebody wants it tried again.
    pub(super) again: Arc<Notify>,
    /// How it stands, for those who look.
    pub(super) standing: watch::Sender<Feed>,
    /// What tells its pauses from those of others.
    pub(super) seed: u64,
}

/// The stream, as far as there is one.
enum Line {
    Shut,
    Opening(BoxFuture<'static, Result<Stream, Lost>>),
    Open(Box<Stream>),
}

/// What was heard.
enum Heard {
    Opened(Box<Stream>),
    Sign(Sign),
    Lost(String, Duration),
}

impl Listener {
    /// Listens until it is dropped.
    pub(super) async fn run(self) {
        let (client, url) = match self.way() {
            Ok(way) => way,
            Err(why) => {
                self.fails(&why);
                return self.standing.send_modify(|feed| "down".clone_into(&mut feed.state));
            }
        };
        let began = Instant::now();
        let mut line = Line::Shut;
        let (mut listening, actions) = Listening::begin(Duration::ZERO);
        self.act(&actions, &mut line, &client, &url);
        loop {
            let due = listening.due(&self.source.feed).map(|due| began + due);
            let event = tokio::select! {
                heard = line.heard() => self.heard(heard, &mut line),
                () = self.again.notified() => Event::Again,
                () = until(due) => Event::Time,
            };
            let before = listening.phase.word();
            let stepped = step(listening, event, began.elapsed(), &self.source.feed, self.seed);
            listening = stepped.0;
            self.act(&stepped.1, &mut line, &client, &url);
            if listening.phase.word() != before {
                self.show(&listening);
            }
        }
    }

    /// Returns by what to reach the feed.
    fn way(&self) -> Result<(Client, Url), String> {
        let url = Url::parse(&self.source.feed.url).ok().filter(Url::has_host);
        let url = url.ok_or_else(|| "its `url` is no web address".to_owned())?;
        let client = web::client(web::is_loopback(&url));
        Ok((client.map_err(|error| format!("could not prepare HTTP: {error}"))?, url))
    }

    fn act(&self, actions: &[Action], line: &mut Line, client: &Client, url: &Url) {
        for action in actions {
            match action {
                Action::Open => {
                    let (client, url) = (client.clone(), url.clone());
                    let open =
                        async move { Stream::open(&client, &url, HeaderMap::new(), MESSAGE_LIMIT).await };
                    *line = Line::Opening(Box::pin(open));
                }
                Action::Close => {
                    let timeout = self.source.feed.timeout;
                    self.fails(&match line {
                        Line::Open(_) => format!("nothing came for {} s", timeout.as_secs_f64()),
                        Line::Shut | Line::Opening(_) => Lost::Slow(timeout).to_string(),
                    });
                    *line = Line::Shut;
                }
            }
        }
    }

    /// Takes note of what was heard, and returns what it means.
    fn heard(&self, heard: Heard, line: &mut Line) -> Event {
        match heard {
            Heard::Opened(stream) => {
                *line = Line::Open(stream);
                Event::Opened
            }
            Heard::Sign(Sign::Event(events::Event::Data { kind, data })) => match announced(&kind, &data) {
                None => Event::Heard,
                Some(Ok(announcement)) => {
                    self.take(announcement);
                    Event::Announced
                }
                Some(Err(garbage)) => {
                    self.fails(&format!("what it announces is not to be understood: {garbage}"));
                    Event::Heard
                }
            },
            Heard::Sign(Sign::Event(events::Event::TooLong { .. })) => {
                // The rest may be as long; what was known stays.
                *line = Line::Shut;
                self.fails(&Lost::TooLong(MESSAGE_LIMIT).to_string());
                Event::Lost(Duration::ZERO)
            }
            Heard::Sign(Sign::Alive) => Event::Heard,
            Heard::Lost(why, hold) => {
                *line = Line::Shut;
                self.fails(&why);
                Event::Lost(hold)
            }
        }
    }

    /// Has the server have the tools that were announced.
    fn take(&self, announcement: Announcement<'_>) {
        let Announcement { tools, nameless, repeated } = announcement;
        let item = |Tool { name, raw }: Tool<'_>| Item { key: name, raw: Bytes::from(raw.into_owned()) };
        let tools: Arc<[Item]> = tools.into_iter().map(item).collect();
        let count = tools.len();
        let Some(Announced { before, is_news }) =
            self.gateway.announce(&self.name, &self.source.version, &tools)
        else {
            // Another version is about to take its place, and has a listener of its own.
            return;
        };
        let server = self.name.as_str();
        metrics::counter!("switchboard_feed_announcements_total", "server" => server.to_owned()).increment(1);
        if is_news {
            info!(server, before, after = count, "the feed announced {}", counted(count, "tool"));
        }
        if nameless + repeated > 0 {
            let why = format!(
                "{} left out: {nameless} without a name, {repeated} with that of another",
                counted(nameless + repeated, "tool"),
            );
            self.tells(&why);
        }
        self.standing.send_modify(|feed| {
            feed.announced = Some(Tools { at: now(), tools: count });
            if nameless + repeated == 0 {
                feed.trouble = None;
            }
        });
    }

    /// Something went wrong.
    fn fails(&self, why: &str) {
        let server = self.name.to_string();
        metrics::counter!("switchboard_feed_failures_total", "server" => server).increment(1);
        self.standing.send_modify(|feed| feed.failures += 1);
        self.tells(why);
    }

    /// Tells what is the matter, once in a row.
    fn tells(&self, why: &str) {
        let why = plain(why);
        let known = self.standing.borrow().trouble.as_ref().is_some_and(|trouble| trouble.why == why);
        let server = self.name.as_str();
        if known {
            debug!(server, error = why, "the feed is still no good");
        } else {
            warn!(server, error = why, "the feed is no good");
        }
        self.standing.send_modify(|feed| feed.trouble = Some(Told { at: now(), why }));
    }

    /// Shows where the listener stands.
    fn show(&self, listening: &Listening) {
        let server = self.name.as_str();
        match listening.phase {
            Phase::Open { .. } => info!(server, "listening to the feed"),
            Phase::Down => {
                warn!(
                    server,
                    attempts = listening.barren,
                    "the feed is given up; `switchboard sync` tries it again"
                );
                self.inbox.put(|waiting| waiting.feed_down = true);
            }
            Phase::Opening(_) | Phase::Waiting(_) => {}
        }
        self.standing.send_modify(|feed| {
            listening.phase.word().clone_into(&mut feed.state);
            feed.since = matches!(listening.phase, Phase::Open { .. }).then(now);
            feed.barren = listening.barren;
        });
    }
}

impl Line {
    /// Waits for something to be heard. Whoever stops waiting loses nothing.
    async fn heard(&mut self) -> Heard {
        match self {
            Self::Shut => pending().await,
            Self::Opening(opening) => match opening.await {
                Ok(stream) => Heard::Opened(Box::new(stream)),
                Err(lost) => Heard::Lost(lost.to_string(), lost.hold().unwrap_or_default()),
            },
            Self::Open(stream) => {
                let heard = stream.next().await;
                let hold = stream.retry().unwrap_or_default();
                match heard {
                    Ok(Some(sign)) => Heard::Sign(sign),
                    Ok(None) => Heard::Lost("its stream ended".to_owned(), hold),
                    Err(lost) => Heard::Lost(lost.to_string(), hold),
                }
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => pending().await,
    }
}
