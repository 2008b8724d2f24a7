//! Server-sent events, read from bytes cut anywhere.

use crate::scan::IdScan;

/// What came of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// An event with data.
    Data {
        /// Its kind; `message` where none is named.
        kind: String,
        /// Its data, lines joined by a line break.
        data: Vec<u8>,
    },
    /// An event longer than allowed; it was thrown away.
    TooLong {
        /// The id of the message that it was, as it was written, where it had one.
        id: Option<String>,
    },
}

/// A parser of one stream, bounded in what it keeps.
pub struct Events {
    limit: usize,
    line: Line,
    after_cr: bool,
    begun: bool,
    kind: String,
    data: Data,
    /// The id of the event that is being read: it counts once the event is complete.
    next_id: Option<String>,
    /// The last id that the stream gave: where to continue after a break.
    pub last_id: Option<String>,
    /// How long the server asks to be left alone after a break, in milliseconds.
    pub retry: Option<u64>,
}

/// What there is of a line whose end has not come.
enum Line {
    Kept(Vec<u8>),
    /// It is longer than an event may be. What follows is looked through if it is data.
    TooLong {
        is_data: bool,
    },
}

/// The data of the event that is being read.
enum Data {
    None,
    Kept(Vec<u8>),
    TooLong(Box<IdScan>),
}

impl Events {
    /// Returns a parser that throws away events of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Line::Kept(Vec::new()),
            after_cr: false,
            begun: false,
            kind: String::new(),
            data: Data::None,
            next_id: None,
            last_id: None,
            retry: None,
        }
    }

    /// Returns a parser of what follows after a break.
    #[must_use]
    pub fn resumed(self) -> Self {
        let fresh = Self::new(self.limit);
        Self { next_id: self.last_id.clone(), last_id: self.last_id, retry: self.retry, ..fresh }
    }

    /// Returns whether an event is being thrown away because it is too long, and its end has not come.
    pub fn is_too_long(&self) -> bool {
        matches!(self.data, Data::TooLong(_)) || matches!(self.line, Line::TooLong { .. })
    }

    /// Reads on, and hands every event that is now complete to `found`.
    pub fn read(&mut self, mut bytes: &[u8], mut found: impl FnMut(Event)) {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else { return self.keep(bytes) };
            let piece = &bytes[..end];
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            let event = match &self.line {
                // A line that came whole needs no copy.
                Line::Kept(line) if line.is_empty() && piece.len() <= self.limit => self.whole_line(piece),
                _ => {
                    self.keep(piece);
                    match std::mem::replace(&mut self.line, Line::Kept(Vec::new())) {
                        Line::Kept(line) => self.whole_line(&line),
                        Line::TooLong { .. } => None,
                    }
                }
            };
            if let Some(event) = event {
                found(event);
            }
        }
    }

    /// Keeps a piece of a line whose end has not come.
    fn keep(&mut self, piece: &[u8]) {
        let limit = self.limit + "data: ".len();
        match &mut self.line {
            Line::Kept(line) if line.len() + piece.len() <= limit => line.extend_from_slice(piece),
            Line::Kept(line) => {
                let mut start = std::mem::take(line);
                let more = limit.saturating_sub(start.len()).min(piece.len());
                start.extend_from_slice(&piece[..more]);
                let value = start.strip_prefix(b"data:");
                self.scan(value.unwrap_or_default());
                self.scan(value.and(piece.get(more..)).unwrap_or_default());
                self.line = Line::TooLong { is_data: value.is_some() };
            }
            Line::TooLong { is_data: true } => self.scan(piece),
            Line::TooLong { is_data: false } => {}
        }
    }

    /// The event is too long: only its id is looked for.
    fn scan(&mut self, bytes: &[u8]) {
        let mut scan = match std::mem::replace(&mut self.data, Data::None) {
            Data::TooLong(scan) => scan,
            Data::Kept(data) => {
                let mut scan = Box::<IdScan>::default();
                scan.read(&data);
                scan
            }
            Data::None => Box::default(),
        };
        scan.read(bytes);
        self.data = Data::TooLong(scan);
    }

    fn whole_line(&mut self, mut line: &[u8]) -> Option<Event> {
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        self.field(field, value.strip_prefix(b" ").unwrap_or(value));
        None
    }

    fn field(&mut self, field: &[u8], value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match field {
            b"data" => self.more_data(value),
            b"event" => self.kind = text(),
            b"id" if !value.contains(&0) => self.next_id = Some(text()).filter(|id| !id.is_empty()),
            b"retry" => self.retry = text().parse().ok().or(self.retry),
            _ => {}
        }
    }

    fn more_data(&mut self, value: &[u8]) {
        match &mut self.data {
            Data::None if value.len() <= self.limit => self.data = Data::Kept(value.to_vec()),
            Data::Kept(data) if data.len() + 1 + value.len() <= self.limit => {
                if !data.is_empty() {
                    data.push(b'\n');
                }
                data.extend_from_slice(value);
            }
            _ => self.scan(value),
        }
    }

    fn end_event(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        self.last_id.clone_from(&self.next_id);
        match std::mem::replace(&mut self.data, Data::None) {
            Data::None => None,
            Data::Kept(data) => Some(Event::Data { kind, data }),
            Data::TooLong(scan) => Some(Event::TooLong { id: scan.id() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `stream` in pieces of `size` bytes and shows the events.
    fn shown(stream: &[u8], size: usize) -> (Vec<String>, Events) {
        let mut events = Events::new(20);
        let mut seen = Vec::new();
        for piece in stream.chunks(size) {
            events.read(piece, |event| {
                seen.push(match event {
                    Event::Data { kind, data } => format!("{kind}={}", String::from_utf8(data).unwrap()),
                    Event::TooLong { id } => format!("too long {}", id.unwrap_or_default()),
                });
            });
        }
        (seen, events)
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let stream = "\u{feff}: hello\nevent: endpoint\ndata: /x\r\n\r\nid: 7\nretry: 50\ndata:\n\n\
                      data: {\"ä\":\ndata:1}\r\rdata\n\nevent: x\n\ndata:  two blanks\nunknown: z\n\n\
                      data: 0123456789\ndata: 0123456789\ndata: 0123\n\ndata: {\"jsonrpc\":\"2.0\",\ndata:\"id\":12,\"result\":{}}\n\n\
                      unknown: 012345678901234567890123456789\ndata: x\n\n\
                      data: fits\n\nid: 8\ndata: not ended\n";
        let expected = [
            "endpoint=/x",
            "message=",
            "message={\"ä\":\n1}",
            "message=",
            "message= two blanks",
            "too long ",
            "too long 12",
            "too long ",
            "message=fits",
        ];
        for size in 1..stream.len() {
            let (seen, events) = shown(stream.as_bytes(), size);
            assert_eq!(seen, expected, "in pieces of {size}");
            assert_eq!((events.last_id.as_deref(), events.retry), (Some("7"), Some(50)));
        }
    }
}
