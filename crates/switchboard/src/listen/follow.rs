//! The loop: what the machine decides is done, and what comes of it goes back to the machine.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::news::News;
use super::phase::{Action, Event, Pace, STALE, Saying, State, Strategy};
use super::seen::{Judgement, Seen, judge};
use super::wire::{Heard as _, Sign, Trouble, Wire};

/// Between two looks at a revision that is lower than it was: one look may have met an echo.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Who wants the newest revision once waits so long when asked to.
const PATIENCE: Duration = Duration::from_secs(5);

/// The newest revision, for whoever applies it. What was not applied in time is passed over.
pub(super) type Newest = watch::Sender<Option<Arc<News>>>;

/// Follows another switchboard.
pub(super) struct Follower<'a, W: Wire> {
    pub(super) wire: &'a W,
    /// The last revision that was taken.
    pub(super) seen: Option<Seen>,
    /// Whether the servers are wanted, or the version alone.
    pub(super) servers: bool,
    /// Where sentences for the person go.
    pub(super) tell: &'a dyn Fn(&str),
}

impl<W: Wire> Follower<'_, W> {
    /// Follows for ever.
    pub(super) async fn follow(&mut self, pace: Pace, newest: &Newest) {
        let begun = Instant::now();
        let mut state = State::new(pace);
        let mut stream: Option<W::Stream> = None;
        let mut event = Event::Began;
        loop {
            let actions = state.step(event, begun.elapsed());
            event = Event::Due;
            for action in actions {
                event = match action {
                    Action::Say(saying) => {
                        (self.tell)(&sentence(&saying, pace));
                        continue;
                    }
                    Action::Wait(until) => {
                        stream = None;
                        sleep_until(begun + until).await;
                        Event::Due
                    }
                    Action::Do(Strategy::Events) => {
                        // Only one stream at a time.
                        drop(stream.take());
                        let last = self.seen.as_ref().map(|seen| seen.number);
                        match self.wire.open(last).await {
                            Ok(opened) => {
                                stream = Some(opened);
                                self.look_back(newest).await;
                                Event::Worked
                            }
                            Err(trouble) => failed(trouble),
                        }
                    }
                    Action::Do(strategy) => match self.ask(strategy, newest).await {
                        Ok(()) => Event::Worked,
                        Err(trouble) => failed(trouble),
                    },
                    Action::Read => match &mut stream {
                        Some(open) => self.read(open, newest).await,
                        None => Event::Broke(None),
                    },
                };
            }
        }
    }

    /// A stream that goes on behind our revision says nothing when the other side has begun anew at a lower one.
    ///
    /// The stream is open already, so that nothing is missed between the two. Whoever does not answer is not asked
    /// again: the stream is there.
    async fn look_back(&mut self, newest: &Newest) {
        if self.seen.is_none() {
            return;
        }
        let Ok(now) = self.wire.version().await else { return };
        if matches!(judge(self.seen.as_ref(), now.number, &now.hash), Judgement::Older | Judgement::Another) {
            let _ = self.take(now, newest).await;
        }
    }

    async fn ask(&mut self, strategy: Strategy, newest: &Newest) -> Result<(), Trouble> {
        let news = if strategy == Strategy::Pull {
            let etag = self.seen.as_ref().and_then(|seen| seen.etag.as_deref());
            self.wire.config(etag).await?
        } else {
            Some(self.wire.version().await?)
        };
        match news {
            Some(news) => self.take(news, newest).await,
            None => Ok(()),
        }
    }

    /// Reads a stream until it ends, falls silent or says nonsense.
    async fn read(&mut self, stream: &mut W::Stream, newest: &Newest) -> Event {
        loop {
            let sign = match timeout(STALE, stream.next()).await {
                Ok(Some(sign)) => sign,
                Ok(None) => return Event::Broke(stream.retry()),
                Err(_) => {
                    return failed(Trouble::new(format!(
                        "its stream has said nothing for {} s",
                        STALE.as_secs()
                    )));
                }
            };
            match sign {
                Sign::Alive => {}
                Sign::Event(Err(trouble)) => return failed(trouble),
                Sign::Event(Ok(news)) => {
                    if let Err(trouble) = self.take(news, newest).await {
                        return failed(trouble);
                    }
                }
            }
        }
    }

    async fn take(&mut self, news: News, newest: &Newest) -> Result<(), Trouble> {
        if let Some(news) = self.consider(news).await? {
            self.seen = Some(Seen::of(&news));
            newest.send_replace(Some(Arc::new(news)));
        }
        Ok(())
    }

    /// Returns the revision that is to be taken, if one is: never an earlier one than was taken before, unless the
    /// other side began anew, and never one that is empty without being meant so.
    ///
    /// # Errors
    /// What the other side says does not hold together.
    pub(super) async fn consider(&self, news: News) -> Result<Option<News>, Trouble> {
        let news = match judge(self.seen.as_ref(), news.number, &news.hash) {
            Judgement::Same => return Ok(None),
            Judgement::Newer => news,
            Judgement::Another => {
                (self.tell)(&format!(
                    "revision {} is another one than before: the other side began anew, and is taken whole",
                    news.number
                ));
                news
            }
            Judgement::Older => match self.where_it_stands(&news).await? {
                Some(news) => news,
                None => return Ok(None),
            },
        };
        let news = if self.servers && news.servers.is_none() { self.whole(news).await? } else { news };
        self.check_emptiness(&news).await?;
        Ok(Some(news))
    }

    /// An earlier revision came. Either it is an echo, or the other side has begun anew, and its history does not know
    /// our revision: then it stands at a lower one now, and goes on doing so.
    async fn where_it_stands(&self, older: &News) -> Result<Option<News>, Trouble> {
        let Some(seen) = &self.seen else { return Ok(None) };
        let mut now = self.version().await?;
        if judge(self.seen.as_ref(), now.number, &now.hash) == Judgement::Older {
            sleep(SECOND_LOOK).await;
            now = self.version().await?;
        }
        match judge(self.seen.as_ref(), now.number, &now.hash) {
            Judgement::Older | Judgement::Another => {
                (self.tell)(&format!(
                    "it stands at revision {} and knows nothing of {}: the other side began anew, and is taken \
                     whole",
                    now.number, seen.number
                ));
                Ok(Some(now))
            }
            Judgement::Same | Judgement::Newer => {
                (self.tell)(&format!(
                    "revision {} came after {}: it is passed over",
                    older.number, seen.number
                ));
                Ok(None)
            }
        }
    }

    /// Returns where the other side stands, by whichever route says so.
    async fn version(&self) -> Result<News, Trouble> {
        match self.wire.version().await {
            Ok(news) => Ok(news),
            Err(trouble) => match self.wire.config(None).await {
                Ok(Some(news)) => Ok(news),
                Ok(None) | Err(_) => Err(trouble),
            },
        }
    }

    /// Returns a revision with its servers.
    async fn whole(&self, version: News) -> Result<News, Trouble> {
        let none = || Trouble::new("it gives no servers");
        let mut news = self.wire.config(None).await?.ok_or_else(none)?;
        if news.number < version.number {
            return Err(Trouble::new(format!(
                "it announces revision {} and gives {}",
                version.number, news.number
            )));
        }
        if news.number == version.number {
            (news.reason, news.changed_servers) = (version.reason, version.changed_servers);
        }
        Ok(news)
    }

    /// Where there were servers and suddenly are none, its version must say the same.
    async fn check_emptiness(&self, news: &News) -> Result<(), Trouble> {
        let had = self.seen.as_ref().map_or(0, |seen| seen.servers);
        if news.count > 0 || had == 0 || news.servers.is_none() {
            return Ok(());
        }
        let version = self.wire.version().await?;
        if version.hash == news.hash && version.count == 0 {
            return Ok(());
        }
        Err(Trouble::new(format!(
            "it suddenly has none of its {had} servers, and its version does not say so; what there is stays"
        )))
    }

    /// Brings the newest revision, if there is one to be taken: by the version, else the servers, else an event.
    ///
    /// # Errors
    /// None of them answers, or it asks to be left alone for long; why the first one did not.
    pub(super) async fn once(&self) -> Result<Option<News>, Trouble> {
        let by_version = match self.wire.version().await {
            Ok(news) => self.consider(news).await,
            Err(trouble) => Err(trouble),
        };
        let first = match by_version {
            Ok(news) => return Ok(news),
            Err(trouble) => trouble,
        };
        match first.hold {
            // A daemon that is just being started says so.
            Some(hold) if hold <= PATIENCE => sleep(hold).await,
            Some(_) => return Err(first),
            None => {}
        }
        let by_servers = match self.wire.config(None).await {
            Ok(Some(news)) => self.consider(news).await,
            Ok(None) => Ok(None),
            Err(trouble) => Err(trouble),
        };
        if let Ok(news) = by_servers {
            return Ok(news);
        }
        match timeout(STALE, self.first_event()).await {
            Ok(Ok(news)) => self.consider(news).await.map_err(|_| first),
            Ok(Err(_)) | Err(_) => Err(first),
        }
    }

    async fn first_event(&self) -> Result<News, Trouble> {
        // Without a last event the first one is how things stand.
        let mut stream = self.wire.open(None).await?;
        while let Some(sign) = stream.next().await {
            if let Sign::Event(news) = sign {
                return news;
            }
        }
        Err(Trouble::new("its stream ended before it had said anything"))
    }
}

fn failed(trouble: Trouble) -> Event {
    Event::Failed { why: trouble.why, hold: trouble.hold }
}

fn sentence(saying: &Saying, pace: Pace) -> String {
    let every = |duration: Duration| format!("every {} s", duration.as_secs_f32());
    let (how, why) = match saying {
        Saying::Using(Strategy::Events, why) => ("by its events".to_owned(), why),
        Saying::Using(Strategy::Version, why) => {
            (format!("by asking for its version {}", every(pace.version)), why)
        }
        Saying::Using(Strategy::Pull, why) => {
            (format!("by asking for its servers {}", every(pace.pull)), why)
        }
        Saying::Away(why) => {
            return format!("it is away ({why}); what there is stays, and it is tried again");
        }
    };
    match why {
        Some(why) => format!("following {how} (its events: {why})"),
        None => format!("following {how}"),
    }
}

#[cfg(test)]
mod tests;
