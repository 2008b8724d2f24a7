//! The head of an answer over the control socket, as far as a pipe has to know it.

use crate::daemon::succession::{VERSION, is_newer};

/// The longest head that is read, in bytes.
pub(super) const LONGEST: usize = 16 * 1024;

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The status.
    pub(super) status: u16,
    /// How many bytes the head has, with the empty line at its end.
    pub(super) length: usize,
    /// How many bytes follow, where that is said.
    pub(super) body: Option<usize>,
    /// Whether it is of an older daemon than this program, which goes by itself when nobody needs it.
    pub(super) is_older: bool,
}

/// What the bytes so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// The head is whole.
    Whole(Head),
    /// There is more to come.
    Partly,
    /// This is no answer of a daemon's.
    Odd,
}

/// Reads the head of an answer, of which these bytes have come.
pub(super) fn read(bytes: &[u8]) -> Read {
    const START: &[u8] = b"HTTP/1.1 ";
    if !START.starts_with(&bytes[..bytes.len().min(START.len())]) {
        return Read::Odd;
    }
    let within = &bytes[..bytes.len().min(LONGEST)];
    let Some(end) = memchr::memmem::find(within, b"\r\n\r\n") else {
        return if bytes.len() > LONGEST { Read::Odd } else { Read::Partly };
    };
    let Ok(text) = std::str::from_utf8(&within[..end]) else { return Read::Odd };
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|first| first.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let Some(status) = status else { return Read::Odd };
    let (mut body, mut is_older) = (None, false);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            body = value.parse().ok();
        } else if name.eq_ignore_ascii_case(VERSION) {
            is_older = is_newer(env!("CARGO_PKG_VERSION"), value);
        }
    }
    Read::Whole(Head { status, length: end + 4, body, is_older })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_however_it_comes() {
        let whole = |status, length, body| Read::Whole(Head { status, length, body, is_older: false });
        let long = format!("HTTP/1.1 101 {}", "x".repeat(LONGEST));
        for (text, read_as) in [
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: mcp\r\n\r\n", whole(101, 50, None)),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n{\"id\":1}\n", whole(101, 36, None)),
            ("HTTP/1.1 404 Not Found\r\ncontent-LENGTH:  2 \r\n\r\n{}", whole(404, 47, Some(2))),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: many\r\n\r\n", whole(404, 48, None)),
            ("HTTP/1.1 200\r\n\r\n", whole(200, 16, None)),
            ("", Read::Partly),
            ("HTT", Read::Partly),
            ("HTTP/1.1 101 Switching Protocols\r\n", Read::Partly),
            ("HTTP/1.0 101 Switching Protocols\r\n\r\n", Read::Odd),
            ("HTTP/1.1 nothing\r\n\r\n", Read::Odd),
            ("SSH-2.0", Read::Odd),
            (&long, Read::Odd),
        ] {
            assert_eq!(read(text.as_bytes()), read_as, "{text:.60}");
        }
    }

    #[test]
    fn who_is_older_is_known_by_its_version() {
        for (version, is_older) in
            [("0.0.9", true), (env!("CARGO_PKG_VERSION"), false), ("99.0.0", false), ("?", false)]
        {
            let text = format!("HTTP/1.1 101 Switching Protocols\r\nSwitchboard-Version: {version}\r\n\r\n");
            let Read::Whole(head) = read(text.as_bytes()) else { panic!("{version}") };
            assert_eq!(head.is_older, is_older, "{version}");
        }
    }
}
