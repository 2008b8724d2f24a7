//! A client at a pipe: every line is a message, in both directions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::link::MESSAGE_LIMIT;
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::scan::IdScan;
use crate::session::{Extra, Session};

/// So much is read at once.
const PIECE: usize = 64 << 10;

/// How long calls in flight are waited for once the client has said its last.
const DRAIN: Duration = Duration::from_secs(10);

/// The word at a pipe that we are about to leave: what the other end has sent until it has read this is still answered.
/// From then on it sends only what belongs to that, such as answers to what it is asked, and keeps the rest for whoever
/// comes after us; it says by closing its side that nothing more comes. Its `params` say which lists the client knows, for
/// [`KNOWN`].
pub const LEAVING: &str = "notifications/switchboard/leaving";

/// The word of a pipe that has had another daemon before, ahead of `notifications/initialized`: which lists its client
/// knows, by the `params` of [`LEAVING`] as they came. The client is told of those that are others now.
pub const KNOWN: &str = "notifications/switchboard/known";

/// So long the other end has to understand it.
const UNDERSTOOD: Duration = Duration::from_millis(500);

/// Converses with a client until either side has enough. `first` is what was read of the client already. Once `leaving`
/// is done, the other end is asked to send what it has to say elsewhere ([`LEAVING`]).
pub async fn converse(
    session: Arc<Session>,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    first: Bytes,
    leaving: impl Future<Output = ()>,
) {
    let mail = session.outlet();
    let leaves = AtomicBool::new(false);
    let leaving = async {
        leaving.await;
        leaves.store(true, Ordering::Relaxed);
        let known = session.known_lists();
        mail.put(Letter { bytes: message::notification(LEAVING, Some(&known)), last: false });
        // Somebody who does not know the word is left when nothing is in flight.
        tokio::time::sleep(UNDERSTOOD).await;
        session.quiet().await;
        mail.close();
        std::future::pending::<()>().await;
    };
    let reading = async {
        read(&session, &mail, input, first).await;
        // What is in flight is still answered, and the client may be there to hear it: for as long as we are, where it was
        // us who asked it to go elsewhere.
        let quiet = session.quiet();
        if leaves.load(Ordering::Relaxed) {
            quiet.await;
        } else {
            let _ = tokio::time::timeout(DRAIN, quiet).await;
        }
        mail.close();
    };
    let writing = write(&mail, output);
    tokio::pin!(reading, writing);
    tokio::select! {
        () = &mut reading => drop(writing.await),
        _ = &mut writing => {}
        () = leaving => {}
    }
    session.close();
}

/// Reads messages until the end of the input.
async fn read(session: &Arc<Session>, mail: &Arc<Mailbox>, mut input: impl AsyncRead + Unpin, first: Bytes) {
    let mut buffer = BytesMut::from(&first[..]);
    let mut seen = 0;
    let mut too_long: Option<Box<IdScan>> = None;
    loop {
        while let Some(end) = memchr::memchr(b'\n', &buffer[seen..]) {
            let line = buffer.split_to(seen + end).freeze();
            buffer.advance(1);
            seen = 0;
            match too_long.take() {
                None => take(session, mail, &line),
                Some(mut scan) => {
                    scan.read(&line);
                    refuse(mail, *scan);
                }
            }
        }
        seen = buffer.len();
        if seen > MESSAGE_LIMIT || too_long.is_some() {
            too_long.get_or_insert_default().read(&buffer);
            buffer.clear();
            seen = 0;
        } else if seen == 0 && buffer.capacity() > 4 * PIECE {
            buffer = BytesMut::new();
        }
        buffer.reserve(if seen == 0 { PIECE / 8 } else { PIECE.max(seen / 2) });
        let read = input.read_buf(&mut buffer).await;
        if !matches!(read, Ok(1..)) {
            if !buffer.is_empty() {
                take(session, mail, &buffer.freeze());
            }
            return;
        }
    }
}

fn take(session: &Arc<Session>, mail: &Arc<Mailbox>, line: &Bytes) {
    let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    if !text.is_empty() {
        session.receive(&line.slice_ref(text), mail, &Extra::default());
    }
}

/// Requirement E6: whoever sent too much is told, not left waiting.
fn refuse(mail: &Mailbox, scan: IdScan) {
    let bytes = super::too_long(scan.request_id().as_deref(), MESSAGE_LIMIT);
    mail.put(Letter { bytes, last: true });
}

/// Writes what comes, several messages at once where there are several.
async fn write(mail: &Mailbox, mut output: impl AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut out = BytesMut::new();
    while let Some(letter) = mail.next().await {
        out.extend_from_slice(&letter.bytes);
        out.extend_from_slice(b"\n");
        while out.len() < PIECE
            && let Some(letter) = mail.take()
        {
            out.extend_from_slice(&letter.bytes);
            out.extend_from_slice(b"\n");
        }
        output.write_all(&out).await?;
        if out.capacity() > 4 * PIECE {
            out = BytesMut::new();
        }
        out.clear();
    }
    output.shutdown().await
}
