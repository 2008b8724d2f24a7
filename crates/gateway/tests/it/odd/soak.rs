//! That bounds are bounds: the tests beside this one would fail without them, and in a soak the memory is measured.

use super::doors::{self, FLOOD};
use super::far::{Far, When, is_little};
use crate::rogue::{JSON, Rogue, piece};
use crate::still::Still;

/// A reader that takes all there is would be found out: it is played here, against the very flood.
#[tokio::test(start_paused = true)]
async fn a_reader_without_a_bound_would_be_seen() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let still = Still::begin();
    let (took, taken) = tokio::sync::watch::channel(0);
    let rogue = Rogue::start(move |mut line| {
        let took = took.clone();
        async move {
            line.head().await;
            line.say(JSON).await;
            took.send_replace(line.flood(&piece(&[b' '; 16 << 10]), FLOOD).await);
        }
    })
    .await;
    let reading = async {
        let at = rogue.url("").replace("http://", "");
        let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\n\r\n").await.unwrap();
        let mut piece = vec![0; 1 << 20];
        while stream.read(&mut piece).await.unwrap() > 0 {}
    };
    still.at_once("all of it", reading).await;
    assert!(!is_little(*taken.borrow()));
}

/// What this process has in memory, in bytes: now, and at most so far.
#[expect(clippy::disallowed_methods, reason = "the kernel's own account of this process, not a user's file")]
fn memory() -> Option<(usize, usize)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<usize>().ok().map(|figure| figure << 10)
    };
    Some((figure("VmRSS:")?, figure("VmHWM:")?))
}

/// The heavy forms, each of a gibibyte, with the memory that they may take. The short run takes less of everything, and
/// does not measure.
#[tokio::test(start_paused = true)]
async fn a_flood_does_not_fill_the_memory() {
    let before = memory();
    for how in ["a body without end", "an event without end", "a gzip bomb", "a head without end"] {
        let row = doors::ROWS.iter().find(|row| row.how == how).unwrap();
        for (at, way) in super::far::WAYS.into_iter().enumerate() {
            doors::judge(way, row, When::Calls, row.call[at]).await;
        }
    }
    // A storm is not among them: the client that is played here keeps what it gets, and would be what is measured.
    for way in super::far::WAYS {
        let far = Far::start(way, "too long", When::Calls, super::far::of_messages).await;
        super::far::Scene::judge(&far, "!answer").await;
    }
    let is_soak = crate::soak(0, 1) == 1;
    if let (true, Some((base, _)), Some((_, most))) = (is_soak, before, memory()) {
        assert!(most <= base + (64 << 20), "{} MiB more", (most - base) >> 20);
    }
}
