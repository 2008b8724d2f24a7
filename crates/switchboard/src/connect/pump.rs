//! The pump: lines from the client to the daemon and back, by one thread that waits on three ends.
//!
//! What passes is looked at as little as it can be ([`Peek`](super::peek::Peek)). When the daemon goes, the pump stays:
//! what was in flight is failed, a daemon is reached again, and the client's own handshake is played to it.

use std::net::Shutdown;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::lane::{Lane, Line, ROOM, Verdict};
use super::out::Out;
use super::replay::{Ledger, News};

/// How long something is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The client's messages wait so long for a daemon that is away, before they are refused.
    pub(super) patience: Duration,
    /// The daemon may take so long to end once the client has nothing more to say.
    pub(super) farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10), farewell: Duration::from_secs(10) }
    }
}

/// How long to wait before trying again to reach a daemon: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A connection that stood for so long was a good one: the next one is tried for at once again.
const GOOD: Duration = Duration::from_secs(5);

/// How long the client is waited for until it has read that all is over.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a daemon is reached.
pub(super) trait Reach {
    /// What it is that will not get better by trying again.
    type Refused;

    /// Tries once. Returns the connection and what has come by it already; `None` where it is worth trying again.
    ///
    /// # Errors
    /// Trying again is of no use.
    fn reach(&mut self) -> Result<Option<(UnixStream, Vec<u8>)>, Self::Refused>;
}

/// The pump between a client and the daemon.
pub(super) struct Pump<'a, R> {
    input: BorrowedFd<'a>,
    out: Out<'a>,
    reach: R,
    /// What the client says.
    up: Lane,
    /// What the client has said that is for the next daemon, because this one is about to go.
    later: Vec<u8>,
    /// What the daemon says.
    down: Lane,
    /// What we have to say to the client, at the next end of a line.
    said: Vec<u8>,
    /// A part of that has been written.
    saying: bool,
    link: Option<Link>,
    ledger: Ledger,
    away: Away,
    limits: Limits,
    /// When the client's input ended.
    ended: Option<Instant>,
}

/// A connection to the daemon.
#[expect(clippy::struct_excessive_bools, reason = "each is about something else, and they come in any order")]
struct Link {
    stream: UnixStream,
    since: Instant,
    /// What is sent before anything of the client's: a handshake that is played again.
    first: Vec<u8>,
    /// The client's messages may pass.
    open: bool,
    /// The daemon has heard that nothing more comes.
    closed: bool,
    /// It takes nothing more; what it still says is heard.
    deaf: bool,
    /// The daemon is about to go: what is not about something that is in flight with it waits for the next.
    left: bool,
}

/// Since when there has been no daemon that takes messages, and when to look again.
struct Away {
    since: Option<Instant>,
    next: Instant,
    pause: Duration,
}

impl<'a, R: Reach> Pump<'a, R> {
    /// Returns the pump between `input` and `output` and a daemon that was reached; `came` is what it said already.
    pub(super) fn new(
        (input, output): (BorrowedFd<'a>, BorrowedFd<'a>),
        (stream, came): (UnixStream, Vec<u8>),
        server: Option<String>,
        reach: R,
    ) -> Self {
        let now = Instant::now();
        let mut down = Lane::new();
        down.room().extend_from_slice(&came);
        Self {
            input,
            out: Out::new(output),
            reach,
            up: Lane::new(),
            later: Vec::new(),
            down,
            said: Vec::new(),
            saying: false,
            link: Some(Link {
                stream,
                since: now,
                first: Vec::new(),
                open: true,
                closed: false,
                deaf: false,
                left: false,
            }),
            ledger: Ledger::new(server),
            away: Away { since: None, next: now, pause: PAUSE.0 },
            limits: Limits::default(),
            ended: None,
        }
    }

    /// Returns the pump with other limits.
    #[cfg(test)]
    fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Pumps until the client has gone, or has nothing more to say and has heard everything.
    ///
    /// # Errors
    /// The daemon was lost, is there again, and does not let the client in.
    pub(super) fn run(mut self) -> Result<(), R::Refused> {
        loop {
            if self.ended.is_some_and(|at| at.elapsed() >= self.limits.farewell) {
                self.last_words();
                return Ok(());
            }
            if self.link.is_none() && self.is_flushed() {
                if self.ended.is_some() && self.up.is_empty() {
                    return Ok(());
                }
                if Instant::now() >= self.away.next
                    && let Err(refused) = self.look_again()
                {
                    self.last_words();
                    return Err(refused);
                }
            }
            self.refuse();
            if self.flow().is_err() || self.turn().is_err() {
                return Ok(());
            }
        }
    }

    /// Returns whether the client has been written all that there is for it.
    fn is_flushed(&self) -> bool {
        self.said.is_empty() && self.down.ready().is_empty()
    }

    /// Returns whether the client's messages may pass.
    fn is_open(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.open)
    }

    /// Tries to reach a daemon again.
    fn look_again(&mut self) -> Result<(), R::Refused> {
        let reached = self.reach.reach()?;
        self.away.next = Instant::now() + self.away.pause;
        self.away.pause = (self.away.pause * 2).min(PAUSE.1);
        let Some((stream, came)) = reached else { return Ok(()) };
        self.down.room().extend_from_slice(&came);
        let (first, open) = match self.ledger.greeting() {
            Some((line, answered)) => (line.to_vec(), !answered),
            None => (Vec::new(), true),
        };
        if open {
            self.away.since = None;
        }
        self.link = Some(Link {
            stream,
            since: Instant::now(),
            first,
            open,
            closed: false,
            deaf: false,
            left: false,
        });
        Ok(())
    }

    /// Refuses what the client asks when there has been no daemon for too long.
    fn refuse(&mut self) {
        let late = self.away.since.is_some_and(|since| since.elapsed() >= self.limits.patience);
        if late && !self.is_open() && self.said.is_empty() {
            let Self { up, ledger, said, .. } = self;
            up.waste(|line| ledger.refuse(&line, said));
        }
    }

    /// Moves whatever can be moved without waiting.
    ///
    /// # Errors
    /// The client is gone.
    fn flow(&mut self) -> Result<(), Errno> {
        while self.flow_up() | self.flow_down()? {}
        Ok(())
    }

    /// Moves something towards the daemon; returns whether there may be more to move.
    fn flow_up(&mut self) -> bool {
        let Self { up, later, link: Some(link), ledger, said, ended, .. } = self else { return false };
        if link.deaf {
            return false;
        }
        if link.first.is_empty() && link.open && up.ready().is_empty() && later.len() < ROOM {
            let left = link.left;
            let pass = |line: Line<'_>| match line.bytes {
                Some(bytes) if left && !ledger.is_of_this_daemon(&line) => {
                    later.extend_from_slice(bytes);
                    Verdict::Drop
                }
                _ => {
                    ledger.sent(&line, said);
                    Verdict::Pass
                }
            };
            if left { up.admit_whole(pass) } else { up.admit(pass) }
        }
        let bytes = if link.first.is_empty() { up.ready() } else { &link.first };
        if bytes.is_empty() {
            let nothing_more = ended.is_some() && link.open && up.is_empty();
            // Whoever still waits for an answer may have to answer something itself before.
            let said_all = nothing_more || (link.left && !up.is_open() && !ledger.has_calls());
            if said_all && !link.closed {
                // Where it is gone already, reading says so.
                let _ = link.stream.shutdown(Shutdown::Write);
                link.closed = true;
            }
            return false;
        }
        match rustix::io::write(&link.stream, bytes) {
            Ok(count) if link.first.is_empty() => up.gone(count),
            Ok(count) => drop(link.first.drain(..count)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return false,
            // What it still has to say is heard first.
            Err(_) => {
                link.deaf = true;
                return false;
            }
        }
        true
    }

    /// Moves something towards the client; returns whether there may be more to move.
    fn flow_down(&mut self) -> Result<bool, Errno> {
        // Once the handshake has been played again, the client's own may go; a daemon that leaves is told that it may.
        let freed = self.down.ready().is_empty()
            && (self.said.is_empty() || self.down.is_open())
            && matches!(self.admit_down(), News::Again | News::Leaving);
        // Ours comes between two lines.
        let ours = self.saying || (self.down.ready().is_empty() && !self.down.is_open());
        let bytes = if ours { &*self.said } else { self.down.ready() };
        if bytes.is_empty() {
            return Ok(freed);
        }
        match self.out.write(bytes) {
            Ok(count) if ours => {
                self.said.drain(..count);
                self.saying = !self.said.is_empty();
            }
            Ok(count) => self.down.gone(count),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(freed),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Lets what the daemon says through, and does what follows from it.
    fn admit_down(&mut self) -> News {
        let Self { down, ledger, .. } = self;
        let mut news = News::Message;
        down.admit(|line| {
            let (verdict, new) = ledger.came(&line);
            if new != News::Message {
                news = new;
            }
            verdict
        });
        match (news, &mut self.link) {
            (News::Leaving, Some(link)) => link.left = true,
            (News::Again, Some(link)) => {
                let (daemon, client) = self.ledger.again();
                link.first.extend_from_slice(&daemon);
                self.said.extend_from_slice(client);
                link.open = true;
                self.away.since = None;
            }
            // The server may not be there yet.
            (News::Refused, Some(_)) => self.lost(),
            _ => {}
        }
        news
    }

    /// The daemon is gone.
    fn lost(&mut self) {
        let Some(link) = self.link.take() else { return };
        let now = Instant::now();
        self.admit_down();
        self.down.end(link.closed);
        self.admit_down();
        self.up.lose();
        self.up.put_back(&std::mem::take(&mut self.later));
        self.ledger.lost(link.left, &mut self.said);
        if link.closed && !link.left {
            // It does not come back for what it owes.
            self.ledger.give_up(&mut self.said);
        }
        if now - link.since >= GOOD {
            self.away.pause = PAUSE.0;
        }
        self.away.since.get_or_insert(now);
        self.away.next = now + self.away.pause;
    }

    /// Waits until something can be moved, and reads what there is.
    ///
    /// # Errors
    /// The client is gone.
    fn turn(&mut self) -> Result<(), Errno> {
        let (listens, speaks) = (self.ended.is_none() && self.up.has_room(), !self.is_flushed());
        let mut flags = PollFlags::empty();
        if let Some(link) = &self.link {
            let waits = !link.first.is_empty() || !self.up.ready().is_empty();
            let sends = waits && !link.deaf;
            flags.set(PollFlags::IN, self.down.has_room());
            flags.set(PollFlags::OUT, sends);
        }
        let client = self.out.poll(speaks);
        // Whoever is not waited for is left out, since the end of a stream is news for ever.
        let input =
            if listens { PollFd::from_borrowed_fd(self.input, PollFlags::IN) } else { self.out.poll(speaks) };
        let daemon = match &self.link {
            Some(link) if !flags.is_empty() => PollFd::new(&link.stream, flags),
            _ => self.out.poll(speaks),
        };
        let mut ends = [client, input, daemon];
        let timeout = self.due().map(|due| timespec(due.saturating_duration_since(Instant::now())));
        match poll(&mut ends, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error),
        }
        let [client, input, daemon] = ends.map(|end| end.revents());
        if client.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
            return Err(Errno::PIPE);
        }
        if !flags.is_empty() && !daemon.difference(PollFlags::OUT).is_empty() {
            self.hear();
        }
        if listens && !input.is_empty() {
            self.listen();
        }
        Ok(())
    }

    /// Returns when something is to be done even if nothing comes.
    fn due(&self) -> Option<Instant> {
        let looks = (self.link.is_none() && self.is_flushed()).then_some(self.away.next);
        let waits = !self.is_open() && !self.up.is_empty() && self.said.is_empty();
        let refuses = self.away.since.filter(|_| waits).map(|since| since + self.limits.patience);
        let leaves = self.ended.map(|at| at + self.limits.farewell);
        [looks, refuses, leaves].into_iter().flatten().min()
    }

    /// Reads from the daemon.
    fn hear(&mut self) {
        let Some(link) = self.link.as_ref().filter(|_| self.down.has_room()) else { return };
        match rustix::io::read(&link.stream, spare_capacity(self.down.room())) {
            Ok(0) => self.lost(),
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.lost(),
        }
    }

    /// Reads from the client.
    fn listen(&mut self) {
        match rustix::io::read(self.input, spare_capacity(self.up.room())) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(count) if count > 0 => {}
            // Nothing more comes, for whatever reason.
            _ => {
                self.up.end(true);
                self.ended = Some(Instant::now());
            }
        }
    }

    /// Fails whatever the client waits for, and gives it a while to read that.
    fn last_words(&mut self) {
        let Self { up, later, ledger, said, .. } = self;
        up.put_back(&std::mem::take(later));
        up.waste(|line| ledger.refuse(&line, said));
        ledger.give_up(said);
        self.link = None;
        self.down.end(false);
        let begun = Instant::now();
        while self.flow().is_ok() && !self.is_flushed() {
            let left = LAST_WORDS.saturating_sub(begun.elapsed());
            let waited = poll(&mut [self.out.poll(true)], Some(&timespec(left)));
            if left.is_zero() || waited.is_err() {
                return;
            }
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    // Whoever waits in vain for a part of a millisecond would only wait again.
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests;
