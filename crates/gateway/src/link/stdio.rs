//! A server that is a child process: a message is a line.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::FutureExt as _;
use futures_util::future::FusedFuture as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::{Frame, Link, MESSAGE_LIMIT};
use crate::gateway::Tasks;
use crate::launch::Child;
use crate::scan::IdScan;
use crate::slot::Slot;
use crate::trouble::Trouble;
use crate::upstream::Upstream;

/// So many bytes may wait for a server that does not read.
const BACKLOG: usize = 32 << 20;

/// A server that is to end has this long after the end of its input, before it is ended.
const GRACE: Duration = Duration::from_secs(2);

/// What a server said at its end is on its way for so long at most, and so is how it ended.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A server that was ended is gone after so long, or never.
const GONE: Duration = Duration::from_secs(30);

/// So much is read at once: most messages come whole, and memory that is not written to costs nothing.
const PIECE: usize = 128 << 10;

/// The way to a child process.
pub(crate) struct Stdio {
    out: Arc<Out>,
    closing: CancellationToken,
    pid: Arc<OnceLock<u32>>,
}

struct Out {
    pipe: Mutex<Pipe>,
    /// Rings when something is left that could not be written at once.
    bell: Notify,
}

struct Pipe {
    /// `None` once it is closed.
    stdin: Option<Pin<Box<dyn AsyncWrite + Send>>>,
    waiting: BytesMut,
}

/// The other ends of a child process, to be attended once there is a connection over it.
pub(crate) struct Ends {
    child: Child,
    out: Arc<Out>,
    closing: CancellationToken,
}

impl Stdio {
    /// Returns the way to a child, and what is to be attended by [`Ends::attend`].
    pub(crate) fn new(mut child: Child) -> (Self, Ends) {
        let nothing: Pin<Box<dyn AsyncWrite + Send>> = Box::pin(tokio::io::sink());
        let stdin = std::mem::replace(&mut child.stdin, nothing);
        let pipe = Mutex::new(Pipe { stdin: Some(stdin), waiting: BytesMut::new() });
        let out = Arc::new(Out { pipe, bell: Notify::new() });
        let closing = CancellationToken::new();
        let link = Self { out: Arc::clone(&out), closing: closing.clone(), pid: Arc::clone(&child.pid) };
        (link, Ends { child, out, closing })
    }
}

impl Link for Stdio {
    fn send(&self, frame: Frame) -> Result<(), Trouble> {
        self.out.write(&frame.bytes)
    }

    fn cancel(&self, _id: u64, notice: Bytes) {
        // A server that cannot be told any more has nothing to cancel.
        let _ = self.out.write(&notice);
    }

    fn close(&self) {
        self.closing.cancel();
    }

    fn pid(&self) -> Option<u32> {
        self.pid.get().copied()
    }
}

/// A connection that was given up before it was made is closed, too.
impl Drop for Stdio {
    fn drop(&mut self) {
        self.close();
    }
}

impl Out {
    /// Writes a line, at once as far as the pipe takes it.
    fn write(&self, line: &[u8]) -> Result<(), Trouble> {
        let mut pipe = self.pipe();
        if pipe.stdin.is_none() {
            return Err(Trouble::Lost("its input is closed".to_owned()));
        }
        if pipe.waiting.len() + line.len() > BACKLOG && !pipe.waiting.is_empty() {
            return Err(Trouble::Busy);
        }
        let first = pipe.waiting.is_empty();
        pipe.waiting.extend_from_slice(line);
        pipe.waiting.extend_from_slice(b"\n");
        // Whoever writes first writes; while something waits, the writer is the only one to ask the pipe, because a pipe
        // remembers only one who is to be woken.
        if !first {
            return Ok(());
        }
        let flushed = pipe.flush(&mut Context::from_waker(Waker::noop()));
        drop(pipe);
        match flushed {
            Poll::Ready(Ok(())) => Ok(()),
            Poll::Pending => {
                self.bell.notify_one();
                Ok(())
            }
            // The line did not go out whole, so that nobody has acted on it. The writer hears of it, and ends.
            Poll::Ready(Err(error)) => {
                self.bell.notify_one();
                Err(Trouble::Lost(format!("it closed its input: {error}")))
            }
        }
    }

    /// Writes what could not be written at once, until the pipe is closed.
    async fn run(&self) -> std::io::Result<()> {
        loop {
            self.bell.notified().await;
            std::future::poll_fn(|context| self.pipe().flush(context)).await?;
        }
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipe {
    fn flush(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let Some(stdin) = &mut self.stdin else {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        };
        while !self.waiting.is_empty() {
            match stdin.as_mut().poll_write(context, &self.waiting) {
                Poll::Ready(Ok(count @ 1..)) => self.waiting.advance(count),
                Poll::Ready(Ok(0)) => return self.broken(std::io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => return self.broken(error),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.waiting.capacity() > PIECE {
            self.waiting = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    fn broken(&mut self, error: std::io::Error) -> Poll<std::io::Result<()>> {
        self.stdin = None;
        self.waiting = BytesMut::new();
        Poll::Ready(Err(error))
    }
}

impl Ends {
    /// Attends to everything that the child says and to its end, until it is over.
    pub(crate) fn attend(self, upstream: &Arc<Upstream>, slot: &Weak<Slot>, tasks: &Tasks) {
        let Self { child, out, closing } = self;
        let Child { stdout, stderr, ended, hold, .. } = child;
        let mut ended = ended.fuse();
        let read = Reader { upstream: Arc::downgrade(upstream), tail: Tail::default() };
        let heard = closing.clone();
        tasks.spawn(listen(stderr, slot.clone(), closing.clone()));
        let this = Arc::downgrade(upstream);
        let slot = slot.clone();
        let process = slot.upgrade().map(|slot| slot.generation.process());
        tasks.spawn(async move {
            let why = {
                let writing = out.run();
                let mut reading = std::pin::pin!(read.run(stdout));
                tokio::select! {
                    biased;
                    () = heard.cancelled() => None,
                    how = &mut ended => {
                        // An answer may be in the pipe still.
                        let _ = tokio::time::timeout(LAST_WORDS, &mut reading).await;
                        Some(how)
                    }
                    () = &mut reading => Some("it closed its output".to_owned()),
                    error = writing => {
                        let why = error.err().map(|error| format!("it closed its input: {error}"));
                        if let (Some(why), Some(upstream)) = (&why, this.upgrade()) {
                            // It may live on, and nobody else is to speak to it.
                            upstream.ends(why);
                        }
                        why
                    }
                }
            };
            if let (Some(why), Some(slot)) = (&why, slot.upgrade()) {
                // What it said at its end may say why, and is still on its way.
                let how = if ended.is_terminated() {
                    why.clone()
                } else {
                    tokio::time::timeout(LAST_WORDS, &mut ended).await.unwrap_or_else(|_| why.clone())
                };
                slot.lost(&this, how.clone());
                // A connection that is still being made is not the slot's yet, and waits for an answer all the same.
                if let Some(upstream) = this.upgrade() {
                    upstream.fail_all(&Trouble::Lost(how));
                }
            }
            // The end of its input is the first sign, then the signals of the one that holds it.
            let stdin = out.pipe().stdin.take();
            drop(stdin);
            if why.is_none() && tokio::time::timeout(GRACE, &mut ended).await.is_err() {
                debug!("a server did not end at the end of its input");
            }
            drop(hold);
            if !ended.is_terminated() && tokio::time::timeout(GONE, &mut ended).await.is_err() {
                debug!("a server did not end when it was ended");
            }
            drop(process);
        });
    }
}

/// Reads what a server says.
struct Reader {
    upstream: Weak<Upstream>,
    tail: Tail,
}

/// What there is of a line whose end has not come.
#[derive(Default)]
enum Tail {
    #[default]
    None,
    /// A line longer than any message may be; it is thrown away, and only its id is looked for.
    TooLong(Box<IdScan>),
}

impl Reader {
    async fn run(mut self, mut stdout: Pin<Box<dyn AsyncRead + Send>>) {
        let mut buffer = BytesMut::with_capacity(PIECE);
        // So much of the buffer has been looked at and has no line end.
        let mut seen = 0;
        loop {
            // Behind what was read before there is seldom room for a long message. What nobody holds any more is used again,
            // so that this is no new memory.
            if buffer.is_empty() || buffer.capacity() - buffer.len() < PIECE / 4 {
                buffer.reserve(PIECE.max(buffer.len()));
            }
            match stdout.read_buf(&mut buffer).await {
                Ok(1..) => {}
                Ok(0) => return self.last(&buffer),
                Err(error) => {
                    debug!(%error, "a server's output cannot be read");
                    return;
                }
            }
            let Some(upstream) = self.upstream.upgrade() else { return };
            while let Some(end) = memchr::memchr(b'\n', &buffer[seen..]) {
                let line = buffer.split_to(seen + end).freeze();
                buffer.advance(1);
                seen = 0;
                self.line(&upstream, &line);
            }
            seen = buffer.len();
            if seen > MESSAGE_LIMIT || matches!(self.tail, Tail::TooLong(_)) {
                let mut scan = match std::mem::take(&mut self.tail) {
                    Tail::None => Box::default(),
                    Tail::TooLong(scan) => scan,
                };
                scan.read(&buffer);
                self.tail = Tail::TooLong(scan);
                buffer.clear();
                seen = 0;
            } else if seen == 0 && buffer.capacity() > 4 * PIECE {
                // A long message does not keep its memory.
                buffer = BytesMut::with_capacity(PIECE);
            }
        }
    }

    fn line(&mut self, upstream: &Upstream, line: &Bytes) {
        let tail = match std::mem::take(&mut self.tail) {
            Tail::None if line.len() > MESSAGE_LIMIT => Tail::TooLong(Box::default()),
            tail => tail,
        };
        if let Tail::TooLong(mut scan) = tail {
            scan.read(line);
            upstream.said_too_much();
            let what = Trouble::Answer(format!("more than {} MiB", MESSAGE_LIMIT >> 20));
            if let Some(id) = scan.id().and_then(|id| id.parse().ok()) {
                upstream.fail(id, what);
            }
            return;
        }
        // Some begin with a byte-order mark, some end lines with CR LF.
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if !text.is_empty() {
            upstream.receive(&line.slice_ref(text), None);
        }
    }

    /// A last line may come without its end.
    fn last(&mut self, rest: &[u8]) {
        if let Some(upstream) = self.upstream.upgrade().filter(|_| !rest.is_empty()) {
            self.line(&upstream, &Bytes::copy_from_slice(rest));
        }
    }
}

/// Keeps what a server says on its standard error, within bounds.
async fn listen(mut stderr: Pin<Box<dyn AsyncRead + Send>>, slot: Weak<Slot>, closing: CancellationToken) {
    let mut buffer = BytesMut::with_capacity(4096);
    loop {
        let read = tokio::select! {
            read = stderr.read_buf(&mut buffer) => read,
            () = closing.cancelled() => return,
        };
        let ended = !matches!(read, Ok(1..));
        let Some(slot) = slot.upgrade() else { return };
        while let Some(end) = memchr::memchr(b'\n', &buffer) {
            let line = buffer.split_to(end + 1);
            slot.generation.log.stderr(&line);
        }
        if ended || buffer.len() > crate::log::LONGEST {
            slot.generation.log.stderr(&buffer);
            buffer.clear();
        }
        if ended {
            return;
        }
    }
}
