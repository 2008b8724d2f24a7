//! Lines from the client, read by a thread of their own.

use std::io::{self, BufRead, BufReader};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::MESSAGE_LIMIT;

/// A line of the client's.
pub(super) enum Line {
    /// A message, or what should be one.
    Whole(Vec<u8>),
    /// A line longer than any message may be; it was thrown away.
    TooLong,
}

/// So many lines may wait to be sent.
const WAITING: usize = 4;

/// Starts reading. The channel closes at the end of input; from then on `gone` hears when our output has no reader.
pub(super) fn start(gone: Sender<()>) -> io::Result<Receiver<Line>> {
    let (send, lines) = channel(WAITING);
    std::thread::Builder::new().name("input".to_owned()).stack_size(128 << 10).spawn(move || {
        let mut stdin = BufReader::with_capacity(64 << 10, io::stdin());
        while let Ok(Some(line)) = next(&mut stdin, MESSAGE_LIMIT) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
        drop(send);
        watch_output();
        let _ = gone.blocking_send(());
    })?;
    Ok(lines)
}

/// Reads a line; `None` at the end. Empty lines are passed over. No more than `limit` bytes are kept.
fn next(input: &mut impl BufRead, limit: usize) -> io::Result<Option<Line>> {
    loop {
        let (mut line, mut too_long) = (Vec::new(), false);
        let ended = loop {
            let piece = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                piece => piece?,
            };
            let end = piece.iter().position(|&byte| byte == b'\n');
            let kept = &piece[..end.unwrap_or(piece.len())];
            too_long |= line.len() + kept.len() > limit;
            if too_long {
                line = Vec::new();
            } else {
                line.extend_from_slice(kept);
            }
            let used = kept.len() + usize::from(end.is_some());
            let ended = piece.is_empty();
            input.consume(used);
            if ended || end.is_some() {
                break ended;
            }
        };
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Line::Whole(line)));
        }
        if ended {
            return Ok(None);
        }
    }
}

/// Waits until nobody reads our standard output.
fn watch_output() {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, poll};
        let stdout = io::stdout();
        while poll(&mut [PollFd::new(&stdout, PollFlags::empty())], None) == Err(rustix::io::Errno::INTR) {}
    }
    #[cfg(not(unix))]
    std::thread::park();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded() {
        let mut input = BufReader::with_capacity(3, &b"a\n\n \r\nbcdef\nabcdefg\nxyz\r\nend"[..]);
        let mut seen = Vec::new();
        while let Some(line) = next(&mut input, 5).unwrap() {
            seen.push(match line {
                Line::Whole(line) => String::from_utf8(line).unwrap(),
                Line::TooLong => "too long".to_owned(),
            });
        }
        assert_eq!(seen, ["a", "bcdef", "too long", "xyz\r", "end"]);
    }
}
