//! Messages by lines, over streams.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::answer::{Kind, Server};

/// How much is read at once.
const READ: usize = 256 * 1024;

/// Answers until the input ends. What came in one piece is answered in one piece.
///
/// # Errors
/// The streams break.
pub fn run(server: &Server, mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut answers = Vec::new();
    lines(&mut from, |whole| {
        for line in whole {
            if matches!(server.answer(line, &mut answers), Kind::Nothing | Kind::Broken) {
                continue;
            }
            answers.push(b'\n');
        }
        to.write_all(&answers).and_then(|()| to.flush())?;
        answers.clear();
        Ok(())
    })
}

/// Answers until the input ends, calls of tools only after a while: each for itself, so that one that came later can
/// be answered earlier.
///
/// # Errors
/// The input breaks.
pub fn run_slow(server: &Server, mut from: impl Read, to: impl Write + Send + 'static) -> io::Result<()> {
    let to = Arc::new(Mutex::new(to));
    let pause = Duration::from_millis(server.options.slow_ms);
    lines(&mut from, |whole| {
        for line in whole {
            let mut answer = Vec::new();
            let kind = server.answer(line, &mut answer);
            answer.push(b'\n');
            match kind {
                Kind::Nothing | Kind::Broken => {}
                Kind::Call => {
                    let to = Arc::clone(&to);
                    std::thread::spawn(move || {
                        std::thread::sleep(pause);
                        say(&to, &answer);
                    });
                }
                Kind::Opening | Kind::Stateless | Kind::Other => say(&to, &answer),
            }
        }
        Ok(())
    })
}

fn say(to: &Mutex<impl Write>, answer: &[u8]) {
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    // Whoever does not read any more does not miss it.
    let _ = to.write_all(answer).and_then(|()| to.flush());
}

/// Reads to the end, and gives the whole lines of each piece to `each`.
fn lines(
    from: &mut impl Read,
    mut each: impl FnMut(&mut dyn Iterator<Item = &[u8]>) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; READ];
    let mut filled = 0;
    loop {
        let read = from.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(());
        }
        let end = memchr::memrchr(b'\n', &buffer[filled..filled + read]).map(|at| filled + at + 1);
        filled += read;
        if let Some(end) = end {
            each(&mut buffer[..end].split_inclusive(|byte| *byte == b'\n'))?;
            buffer.copy_within(end..filled, 0);
            filled -= end;
        }
        if filled == buffer.len() {
            buffer.resize(buffer.len() * 2, 0);
        }
    }
}
