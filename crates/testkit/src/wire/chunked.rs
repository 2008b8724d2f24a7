//! Bodies in chunks.

/// What is read of a body in chunks, however it is cut into packets.
#[derive(Debug, Default)]
pub struct Chunked {
    state: State,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line that says how long the next chunk is: its size so far, and whether its digits are over.
    #[default]
    Size,
    Digits(usize),
    Extension(usize),
    /// In a chunk, so many bytes before its end.
    Data(usize),
    /// Behind a chunk, before the end of its line.
    Behind,
    /// Behind the last chunk, at the beginning of a line, or within one.
    Trailer,
    TrailerLine,
    Done,
}

/// The bytes are no chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chunks of the body are broken")]
pub struct Broken;

impl Chunked {
    /// Returns whether the last chunk was read.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads on, appends what the chunks hold to `into`, and returns how many bytes were used.
    ///
    /// # Errors
    /// The bytes are no chunks.
    pub fn read(&mut self, bytes: &[u8], into: &mut Vec<u8>) -> Result<usize, Broken> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if let State::Data(left) = self.state {
                let taken = left.min(bytes.len() - at);
                into.extend_from_slice(&bytes[at..at + taken]);
                at += taken;
                self.state = if taken == left { State::Behind } else { State::Data(left - taken) };
                continue;
            }
            let byte = bytes[at];
            at += 1;
            self.state = match (self.state, byte) {
                (State::Size, _) => State::Digits(digit(byte).ok_or(Broken)?),
                (State::Digits(size) | State::Extension(size), b'\n') => {
                    if size == 0 {
                        State::Trailer
                    } else {
                        State::Data(size)
                    }
                }
                (State::Digits(size), b'\r' | b';' | b' ') | (State::Extension(size), _) => {
                    State::Extension(size)
                }
                (State::Digits(size), _) => {
                    let size = size.checked_mul(16).ok_or(Broken)?;
                    State::Digits(size + digit(byte).ok_or(Broken)?)
                }
                (State::Behind, b'\r') => State::Behind,
                (State::Behind, b'\n') => State::Size,
                (State::Behind, _) => return Err(Broken),
                (State::Trailer, b'\n') => State::Done,
                (State::TrailerLine, b'\n') | (State::Trailer, b'\r') => State::Trailer,
                (State::Trailer | State::TrailerLine, _) => State::TrailerLine,
                (state @ (State::Data(_) | State::Done), _) => state,
            };
        }
        Ok(at)
    }
}

fn digit(byte: u8) -> Option<usize> {
    char::from(byte).to_digit(16).and_then(|digit| usize::try_from(digit).ok())
}
