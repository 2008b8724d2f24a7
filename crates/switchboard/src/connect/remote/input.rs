//! Lines from the client, read by a thread of their own.

use std::io::{self, BufRead, BufReader};

use switchboard_gateway::scan::IdScan;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::MESSAGE_LIMIT;

/// A line of the client's.
pub(super) enum Line {
    /// A message, or what should be one.
    Whole(Vec<u8>),
    /// A line longer than any message may be; it was thrown away. Its id is kept if it was a request.
    TooLong(Option<String>),
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
        let mut line = Gathered::Line(Vec::new());
        let ended = loop {
            let piece = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                piece => piece?,
            };
            let end = piece.iter().position(|&byte| byte == b'\n');
            line = line.and(&piece[..end.unwrap_or(piece.len())], limit);
            let (ended, used) = (piece.is_empty(), end.map_or(piece.len(), |end| end + 1));
            input.consume(used);
            if ended || end.is_some() {
                break ended;
            }
        };
        match line {
            Gathered::TooLong(scan) => return Ok(Some(Line::TooLong(scan.request_id()))),
            Gathered::Line(line) if !line.trim_ascii().is_empty() => return Ok(Some(Line::Whole(line))),
            Gathered::Line(_) if ended => return Ok(None),
            Gathered::Line(_) => {}
        }
    }
}

/// What there is of a line.
enum Gathered {
    Line(Vec<u8>),
    TooLong(Box<IdScan>),
}

impl Gathered {
    fn and(self, piece: &[u8], limit: usize) -> Self {
        match self {
            Self::Line(mut line) if line.len() + piece.len() <= limit => {
                line.extend_from_slice(piece);
                Self::Line(line)
            }
            Self::Line(line) => {
                let mut scan = Box::<IdScan>::default();
                scan.read(&line);
                Self::TooLong(scan).and(piece, limit)
            }
            Self::TooLong(mut scan) => {
                scan.read(piece);
                Self::TooLong(scan)
            }
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
        let mut input =
            BufReader::with_capacity(3, &b"a\n\n \r\nbcdef\n{\"id\":7,\"method\":\"x\"}\nxyz\r\nend"[..]);
        let mut seen = Vec::new();
        while let Some(line) = next(&mut input, 5).unwrap() {
            seen.push(match line {
                Line::Whole(line) => String::from_utf8(line).unwrap(),
                Line::TooLong(id) => format!("too long {id:?}"),
            });
        }
        assert_eq!(seen, ["a", "bcdef", "too long Some(\"7\")", "xyz\r", "end"]);
    }
}
