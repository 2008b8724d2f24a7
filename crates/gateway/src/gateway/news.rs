//! Tells sessions when what they see has changed: at once, and the less often the longer it goes on changing.

use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Inside;

/// News that come so soon after the last are told together (requirement C5). A server that is changed is news twice: when
/// it comes into service, and when its lists are known.
const FIRST: Duration = Duration::from_millis(10);

/// While there is always more news, they are told so often and not more.
const LONGEST: Duration = Duration::from_millis(200);

/// Runs for as long as the gateway does.
pub(super) async fn run(gateway: Weak<Inside>, ending: CancellationToken) {
    let mut pause = FIRST;
    loop {
        let calm = Instant::now();
        {
            let Some(inside) = gateway.upgrade() else { return };
            tokio::select! {
                () = inside.news.notified() => {}
                () = ending.cancelled() => return,
            }
            pause = next(pause, calm.elapsed());
            let sessions: Vec<_> = inside.sessions().values().filter_map(Weak::upgrade).collect();
            for session in sessions {
                session.look_for_news();
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = ending.cancelled() => return,
        }
    }
}

/// Returns the pause after news that came when it had been calm for so long after the last pause.
fn next(pause: Duration, calm: Duration) -> Duration {
    if calm >= pause { FIRST } else { (pause * 2).min(LONGEST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_while_there_is_always_more_news() {
        let told = |calm: [u64; 7]| {
            let mut pause = FIRST;
            calm.map(|calm| {
                pause = next(pause, Duration::from_millis(calm));
                pause.as_millis()
            })
        };
        assert_eq!(told([1000, 0, 0, 0, 0, 0, 0]), [10, 20, 40, 80, 160, 200, 200], "a storm");
        assert_eq!(told([1000, 0, 1000, 0, 19, 50, 50]), [10, 20, 10, 20, 40, 10, 10], "calm in between");
    }
}
