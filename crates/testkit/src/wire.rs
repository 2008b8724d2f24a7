//! HTTP/1.1 and events as far as a load generator and a fast upstream need them, on bytes, without a copy.

mod chunked;
mod events;
#[cfg(test)]
mod tests;

pub use chunked::{Broken, Chunked};
pub use events::Events;

/// The head of a request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'b> {
    /// The request line or status line.
    pub first: &'b str,
    lines: &'b str,
    /// How many bytes it takes, the blank line included.
    pub length: usize,
}

impl<'b> Head<'b> {
    /// Reads a head from the beginning of `bytes`; `None` while it is not whole, or if it is not text.
    pub fn read(bytes: &'b [u8]) -> Option<Self> {
        let mut from = 0;
        loop {
            let end = from + memchr::memchr(b'\n', &bytes[from..])?;
            if bytes[..end].ends_with(b"\r\n\r") {
                let text = std::str::from_utf8(&bytes[..end - 3]).ok()?;
                let (first, lines) = text.split_once("\r\n").unwrap_or((text, ""));
                return Some(Self { first, lines, length: end + 1 });
            }
            from = end + 1;
        }
    }

    /// Returns the value of a header; case does not matter for its name.
    pub fn header(&self, name: &str) -> Option<&'b str> {
        self.lines.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Returns whether a header has `word` in it; case does not matter.
    pub fn says(&self, name: &str, word: &str) -> bool {
        self.header(name)
            .is_some_and(|value| value.split([',', ';']).any(|part| part.trim().eq_ignore_ascii_case(word)))
    }

    /// Returns the status of a response.
    pub fn status(&self) -> Option<u16> {
        self.first.split(' ').nth(1)?.parse().ok()
    }

    /// Returns how the end of the body is known.
    pub fn body(&self) -> Body {
        if self.says("transfer-encoding", "chunked") {
            return Body::Chunked;
        }
        self.header("content-length")
            .and_then(|length| length.parse().ok())
            .map_or(Body::Unknown, Body::Length)
    }
}

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// So many bytes.
    Length(usize),
    /// Chunks, the last one empty.
    Chunked,
    /// Nothing is said: a request has none, a response goes on until the connection closes.
    Unknown,
}
