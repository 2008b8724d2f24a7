//! One direction of the pump: bytes that came and have not gone yet, looked at line by line.

use super::peek::Peek;

/// How many bytes wait in one direction at most. A longer line passes in pieces.
pub(super) const ROOM: usize = 64 * 1024;

/// Bytes on their way: those that were let through, then those that were not looked at yet.
///
/// Lines are let through whole, so that whatever happens to the other end, a line is there or it is not; only of one
/// that is longer than the lane the end may come to be missing.
pub(super) struct Lane {
    bytes: Vec<u8>,
    /// Where what has not gone yet begins.
    start: usize,
    /// Where what was let through ends.
    through: usize,
    /// The line at `through` began before it: a piece of it has been let through.
    open: bool,
    /// What is left of the line at `through` is thrown away.
    torn: bool,
    peek: Peek,
}

/// A line that has come whole.
pub(super) struct Line<'a> {
    /// What is known of it.
    pub(super) peek: &'a Peek,
    /// Its bytes with the end of the line, unless it was too long to be there at once.
    pub(super) bytes: Option<&'a [u8]>,
    /// Its end is thrown away, whatever the verdict: its beginning is lost.
    pub(super) is_torn: bool,
}

/// What becomes of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The line passes, and the next one is looked at.
    Pass,
    /// It is thrown away, unless a piece of it has passed already.
    Drop,
}

impl Lane {
    /// Returns an empty lane. Its memory is not touched before it is used.
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(ROOM),
            start: 0,
            through: 0,
            open: false,
            torn: false,
            peek: Peek::default(),
        }
    }

    /// Returns the vector to read into, as far as its capacity goes; what is read is put at its end.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            (self.start, self.through) = (0, 0);
        } else if self.bytes.len() >= ROOM && self.start > 0 {
            self.bytes.drain(..self.start);
            self.through -= self.start;
            self.start = 0;
        }
        &mut self.bytes
    }

    /// Returns whether something can be read.
    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() < ROOM || self.start > 0
    }

    /// Returns whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Returns whether a line was begun, and its end has not been let through.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Returns what was let through.
    pub(super) fn ready(&self) -> &[u8] {
        &self.bytes[self.start..self.through]
    }

    /// So many of the bytes that were let through have gone.
    pub(super) fn gone(&mut self, count: usize) {
        self.start += count;
    }

    /// Lets lines through as `judge` says.
    pub(super) fn admit(&mut self, judge: impl FnMut(Line<'_>) -> Verdict) {
        self.admit_lines(judge, true);
    }

    /// Lets lines through as `judge` says, and begins none that is not there whole.
    pub(super) fn admit_whole(&mut self, judge: impl FnMut(Line<'_>) -> Verdict) {
        self.admit_lines(judge, false);
    }

    /// Puts lines before those that were not looked at yet, none of which may have been begun.
    pub(super) fn put_back(&mut self, lines: &[u8]) {
        debug_assert!(lines.is_empty() || !self.open);
        self.bytes.splice(self.through..self.through, lines.iter().copied());
    }

    fn admit_lines(&mut self, mut judge: impl FnMut(Line<'_>) -> Verdict, begins: bool) {
        loop {
            let rest = &self.bytes[self.through..];
            let Some(length) = memchr::memchr(b'\n', rest) else {
                let full = begins && self.start == 0 && self.bytes.len() >= ROOM;
                if rest.is_empty() || !(self.open || self.torn || (full && self.through == 0)) {
                    return;
                }
                self.peek.read(rest);
                self.pass(self.bytes.len(), self.torn);
                self.open = true;
                return;
            };
            let end = self.through + length + 1;
            self.peek.read(&rest[..length]);
            let whole = (!self.open).then_some(&rest[..=length]);
            let verdict = judge(Line { peek: &self.peek, bytes: whole, is_torn: self.torn });
            self.peek.clear();
            self.pass(end, self.torn || (verdict == Verdict::Drop && !self.open));
            (self.open, self.torn) = (false, false);
        }
    }

    fn pass(&mut self, end: usize, dropped: bool) {
        if dropped {
            self.bytes.drain(self.through..end);
        } else {
            self.through = end;
        }
    }

    /// Throws away everything line by line; `judge` sees each. A line that is too long to be there at once is seen when
    /// its end is.
    pub(super) fn waste(&mut self, mut judge: impl FnMut(Line<'_>)) {
        self.lose();
        self.torn |= self.bytes.len() >= ROOM && !self.bytes.contains(&b'\n');
        self.admit(|line| {
            judge(line);
            Verdict::Drop
        });
    }

    /// The other end is gone: what was let through and has not gone yet never will, nor the rest of its last line.
    pub(super) fn lose(&mut self) {
        self.bytes.drain(..self.through);
        (self.start, self.through) = (0, 0);
        self.torn |= self.open;
    }

    /// Nothing more comes. A last line without an end is let through with one where it is `complete`; else it is thrown
    /// away, and gets an end only where a piece of it has gone.
    pub(super) fn end(&mut self, complete: bool) {
        if !complete {
            self.bytes.truncate(self.through);
            self.peek.clear();
        }
        let begun = self.open && (complete || !self.torn);
        if begun || self.bytes.len() > self.through {
            self.bytes.push(b'\n');
        }
        if !complete {
            self.through = self.bytes.len();
            (self.open, self.torn) = (false, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(lane: &mut Lane, bytes: &[u8]) {
        let room = lane.room();
        assert!(room.len() + bytes.len() <= ROOM);
        room.extend_from_slice(bytes);
    }

    /// Takes what was let through.
    fn take(lane: &mut Lane) -> String {
        let text = String::from_utf8(lane.ready().to_vec()).unwrap();
        lane.gone(text.len());
        text
    }

    #[test]
    fn lines_pass_whole_and_as_they_are() {
        let mut lane = Lane::new();
        let mut seen = Vec::new();
        for (piece, passed) in [
            (&b"{\"id\":1}\n{\"id\":"[..], "{\"id\":1}\n"),
            (b"2}", ""),
            (b"\n\r\n{\"id\":3}\n{", "{\"id\":2}\n\r\n{\"id\":3}\n"),
            (b"}\n", "{}\n"),
        ] {
            put(&mut lane, piece);
            lane.admit(|line| {
                seen.extend(line.peek.id().map(<[u8]>::to_vec));
                assert!(line.bytes.is_some_and(|bytes| bytes.ends_with(b"\n")));
                Verdict::Pass
            });
            assert_eq!(take(&mut lane), passed);
        }
        assert_eq!(seen, [b"1", b"2", b"3"]);
        assert!(lane.is_empty());
    }

    #[test]
    fn a_line_that_is_dropped_leaves_its_neighbours() {
        let mut lane = Lane::new();
        put(&mut lane, b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4");
        lane.admit(|line| if line.peek.id() == Some(b"2") { Verdict::Drop } else { Verdict::Pass });
        assert_eq!(take(&mut lane), "{\"id\":1}\n{\"id\":3}\n");
        put(&mut lane, b"}\n");
        lane.admit(|_| Verdict::Pass);
        assert_eq!(take(&mut lane), "{\"id\":4}\n");
    }

    /// A line longer than the lane, whose id stands at its end, in pieces as large as there is room.
    fn pass_long(lane: &mut Lane, judge: &mut impl FnMut(Line<'_>)) -> String {
        let line = format!("{{\"x\":\"{}\",\"id\":9}}\n", "x".repeat(3 * ROOM));
        let mut rest = line.as_bytes();
        let mut passed = String::new();
        while !rest.is_empty() {
            let room = ROOM - lane.room().len();
            let (piece, after) = rest.split_at(room.min(rest.len()));
            put(lane, piece);
            lane.admit(|line| {
                judge(line);
                Verdict::Pass
            });
            passed += &take(lane);
            rest = after;
        }
        passed
    }

    #[test]
    fn a_line_that_is_too_long_passes_in_pieces_and_is_known_at_its_end() {
        let mut lane = Lane::new();
        let mut seen = Vec::new();
        let passed =
            pass_long(&mut lane, &mut |line| seen.push((line.peek.id() == Some(b"9"), line.bytes.is_some())));
        assert_eq!(passed.len(), 3 * ROOM + "{\"x\":\"\",\"id\":9}\n".len());
        assert_eq!(seen, [(true, false)]);
        assert!(!lane.is_open());
    }

    #[test]
    fn what_a_lost_end_was_to_get_is_lost_with_the_rest_of_its_line() {
        let mut lane = Lane::new();
        put(&mut lane, b"{\"id\":1}\n{\"id\":2}\n{\"id\":3");
        lane.admit(|_| Verdict::Pass);
        lane.gone(4);
        lane.lose();
        put(&mut lane, b"}\n");
        lane.admit(|_| Verdict::Pass);
        assert_eq!(take(&mut lane), "{\"id\":3}\n", "a line that was not begun is still there");

        put(&mut lane, &vec![b'x'; ROOM]);
        lane.admit(|_| Verdict::Pass);
        lane.gone(10);
        lane.lose();
        put(&mut lane, b"y,\"id\":4}\n{\"id\":5}\n");
        let mut seen = 0;
        lane.admit(|_| {
            seen += 1;
            Verdict::Pass
        });
        assert_eq!(take(&mut lane), "{\"id\":5}\n");
        assert_eq!(seen, 2, "the end of the long one was seen");
    }

    #[test]
    fn all_can_be_thrown_away_line_by_line() {
        let mut lane = Lane::new();
        let mut seen = Vec::new();
        let mut judge = |line: Line<'_>| seen.extend(line.peek.id().map(<[u8]>::to_vec));
        put(&mut lane, b"{\"id\":1}\n{\"id\":2");
        lane.waste(&mut judge);
        put(&mut lane, b"}\n");
        lane.waste(&mut judge);
        put(&mut lane, b"{\"id\":3,\"");
        let room = ROOM - lane.room().len();
        put(&mut lane, &vec![b'x'; room]);
        lane.waste(&mut judge);
        assert!(lane.is_empty());
        put(&mut lane, b"\":1}\n");
        lane.waste(&mut judge);
        assert_eq!(seen, [b"1", b"2", b"3"]);
        assert!(lane.is_empty());
    }

    #[test]
    fn the_end_closes_a_line_or_takes_it_away() {
        for (complete, begun, passed) in
            [(true, false, "{\"id\":1}\n"), (false, false, ""), (true, true, "y\n"), (false, true, "\n")]
        {
            let mut lane = Lane::new();
            if begun {
                put(&mut lane, &vec![b'x'; ROOM]);
                lane.admit(|_| Verdict::Pass);
                lane.gone(ROOM);
                put(&mut lane, b"y");
            } else {
                put(&mut lane, b"{\"id\":1}");
            }
            lane.end(complete);
            lane.admit(|_| Verdict::Pass);
            assert_eq!(take(&mut lane), passed, "{complete} {begun}");
            assert!(lane.is_empty() && !lane.is_open());
        }
    }
}
