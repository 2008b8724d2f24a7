//! Tells sessions when what they see has changed: at once, and then not more often than every so often.

use std::sync::Weak;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Inside;

/// News that come faster than this are told together (requirement C5).
const TOGETHER: Duration = Duration::from_millis(100);

/// Runs for as long as the gateway does.
pub(super) async fn run(gateway: Weak<Inside>, ending: CancellationToken) {
    loop {
        {
            let Some(inside) = gateway.upgrade() else { return };
            tokio::select! {
                () = inside.news.notified() => {}
                () = ending.cancelled() => return,
            }
            let sessions: Vec<_> = inside.sessions().values().filter_map(Weak::upgrade).collect();
            for session in sessions {
                session.look_for_news();
            }
        }
        tokio::select! {
            () = tokio::time::sleep(TOGETHER) => {}
            () = ending.cancelled() => return,
        }
    }
}
