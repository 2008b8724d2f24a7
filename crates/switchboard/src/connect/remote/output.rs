//! Lines to the client, written by a thread of their own: each in one piece, in the order of arrival.

use std::io::{self, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};

/// So many lines may wait to be written; a client that does not read holds up its own calls only.
const WAITING: usize = 4;

/// A client that is ending may have stopped to read.
const PATIENCE: Duration = Duration::from_secs(2);

/// The thread that writes.
pub(super) struct Output {
    /// Where lines go, without their line break.
    pub(super) lines: Sender<Vec<u8>>,
    done: mpsc::Receiver<()>,
}

/// Starts writing; `gone` hears when nobody reads.
pub(super) fn start(gone: Sender<()>) -> io::Result<Output> {
    let (lines, receive) = channel(WAITING);
    let (finished, done) = mpsc::sync_channel(1);
    std::thread::Builder::new().name("output".to_owned()).stack_size(128 << 10).spawn(move || {
        if write(receive).is_err() {
            let _ = gone.blocking_send(());
        }
        let _ = finished.send(());
    })?;
    Ok(Output { lines, done })
}

fn write(mut lines: Receiver<Vec<u8>>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    while let Some(mut line) = lines.blocking_recv() {
        line.push(b'\n');
        stdout.write_all(&line)?;
        stdout.flush()?;
    }
    Ok(())
}

impl Output {
    /// Waits until everything is written, for a while.
    pub(super) fn finish(self) {
        drop(self.lines);
        let _ = self.done.recv_timeout(PATIENCE);
    }
}
