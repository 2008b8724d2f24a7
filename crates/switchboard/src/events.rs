//! Server-sent events, read from bytes cut anywhere.

/// What came of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// An event with data.
    Data {
        /// Its kind; `message` where none is named.
        kind: String,
        /// Its data, lines joined by a line break.
        data: Vec<u8>,
    },
    /// An event longer than allowed; it was thrown away.
    TooLong,
}

/// A parser of one stream, bounded in what it keeps.
pub(crate) struct Events {
    limit: usize,
    /// The line so far; `None` once it is longer than the limit.
    line: Option<Vec<u8>>,
    after_cr: bool,
    begun: bool,
    kind: String,
    data: Option<Vec<u8>>,
    too_long: bool,
    /// The last id that the stream gave: where to continue after a break.
    pub(crate) last_id: Option<String>,
    /// How long the server asks to be left alone after a break, in milliseconds.
    pub(crate) retry: Option<u64>,
}

impl Events {
    /// Returns a parser that throws away events of more than `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Some(Vec::new()),
            after_cr: false,
            begun: false,
            kind: String::new(),
            data: None,
            too_long: false,
            last_id: None,
            retry: None,
        }
    }

    /// Reads on, and hands every event that is now complete to `found`.
    pub(crate) fn read(&mut self, mut bytes: &[u8], mut found: impl FnMut(Event)) {
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            self.keep(&bytes[..end.unwrap_or(bytes.len())]);
            let Some(end) = end else { return };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            found_in(self.end_line(), &mut found);
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        let limit = self.limit + "data: ".len();
        self.line = self.line.take().filter(|line| line.len() + piece.len() <= limit);
        if let Some(line) = &mut self.line {
            line.extend_from_slice(piece);
        }
    }

    fn end_line(&mut self) -> Option<Event> {
        let Some(mut line) = self.line.replace(Vec::new()) else {
            self.too_long = true;
            return None;
        };
        if !std::mem::replace(&mut self.begun, true) && line.starts_with("\u{feff}".as_bytes()) {
            line.drain(..3);
        }
        if line.is_empty() {
            return self.end_event();
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (field, value) = match colon {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (&line[..], &[][..]),
        };
        self.field(field, value.strip_prefix(b" ").unwrap_or(value));
        None
    }

    fn field(&mut self, field: &[u8], value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match field {
            b"data" => {
                let data = self.data.get_or_insert_default();
                if self.too_long || data.len() + value.len() > self.limit {
                    self.too_long = true;
                    self.data = None;
                    return;
                }
                if !data.is_empty() {
                    data.push(b'\n');
                }
                data.extend_from_slice(value);
            }
            b"event" => self.kind = text(),
            b"id" if !value.contains(&0) => self.last_id = Some(text()).filter(|id| !id.is_empty()),
            b"retry" => self.retry = text().parse().ok().or(self.retry),
            _ => {}
        }
    }

    fn end_event(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        let kind = if kind.is_empty() { "message".to_owned() } else { kind };
        let data = self.data.take();
        if std::mem::take(&mut self.too_long) {
            return Some(Event::TooLong);
        }
        data.map(|data| Event::Data { kind, data })
    }
}

fn found_in(event: Option<Event>, found: &mut impl FnMut(Event)) {
    if let Some(event) = event {
        found(event);
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
                    Event::TooLong => "too long".to_owned(),
                });
            });
        }
        (seen, events)
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let stream = "\u{feff}: hello\nevent: endpoint\ndata: /x\r\n\r\nid: 7\nretry: 50\ndata:\n\n\
                      data: {\"ä\":\ndata:1}\r\rdata\n\nevent: x\n\ndata:  two blanks\nunknown: z\n\n\
                      data: 0123456789\ndata: 0123456789\ndata: 0123\n\ndata: 012345678901234567890123456789\n\n\
                      data: fits\n\ndata: not ended\n";
        let expected = [
            "endpoint=/x",
            "message=",
            "message={\"ä\":\n1}",
            "message=",
            "message= two blanks",
            "too long",
            "too long",
            "message=fits",
        ];
        for size in 1..stream.len() {
            let (seen, events) = shown(stream.as_bytes(), size);
            assert_eq!(seen, expected, "in pieces of {size}");
            assert_eq!((events.last_id.as_deref(), events.retry), (Some("7"), Some(50)));
        }
    }
}
