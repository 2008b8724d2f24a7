//! The loop: what happened is folded into the state, the state gives a plan, the plan is carried out, until it is empty.

use std::collections::VecDeque;
use std::time::Duration;

use switchboard_core::flow::{Event, State};
use switchboard_host::memory;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::desk::{Asked, WAITING};
use super::execute::Hands;
use super::inbox::Inbox;

/// How many plans one event may lead to. More would be a circle, which is left rather than run for ever.
const PLANS: usize = 1000;

/// How long nothing may have happened before the memory that it took is given back. What follows at once needs it again.
const CALM: Duration = Duration::from_secs(1);

/// Reacts to what happens until the daemon is to end.
///
/// Plans are carried out here, one after the other, by the thread that owns the state: nothing else has it, and nothing
/// needs a lock. Asks that still wait when it ends are told so, by going with it.
pub(crate) fn react(handle: &Handle, inbox: &Inbox, mut asks: mpsc::Receiver<Asked>, hands: &mut Hands) {
    let began = Instant::now();
    let mut state = State::default();
    let mut waiting: VecDeque<Asked> = VecDeque::new();
    let mut events = vec![Event::Reload];
    loop {
        for event in events.drain(..) {
            tracing::trace!(?event, "event");
            state.fold(event, began.elapsed());
        }
        let mut due = None;
        for _ in 0..PLANS {
            let plan = state.plan(began.elapsed());
            if plan.end {
                return;
            }
            due = plan.due;
            let rest = plan.is_empty();
            for event in hands.carry_out(&plan, &mut waiting) {
                state.fold(event, began.elapsed());
            }
            if rest {
                break;
            }
        }
        hands.rest();
        events = handle.block_on(next(inbox, &mut asks, &mut waiting, hands, due.map(|due| began + due)));
    }
}

/// Waits for something to happen, and returns everything that did.
async fn next(
    inbox: &Inbox,
    asks: &mut mpsc::Receiver<Asked>,
    waiting: &mut VecDeque<Asked>,
    hands: &mut Hands,
    due: Option<Instant>,
) -> Vec<Event> {
    let mut events = Vec::new();
    let before = waiting.len();
    let time = async {
        match due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    };
    let calm = tokio::time::sleep(CALM);
    tokio::pin!(time, calm);
    let mut kept = true;
    loop {
        tokio::select! {
            asked = asks.recv(), if before < WAITING => waiting.extend(asked),
            () = inbox.rung() => {}
            () = &mut time => events.push(Event::Due),
            () = &mut calm, if kept => {
                memory::give_back();
                kept = false;
                continue;
            }
        }
        break;
    }
    // The others wait in the channel, which has an end.
    while waiting.len() < WAITING
        && let Ok(asked) = asks.try_recv()
    {
        waiting.push_back(asked);
    }
    // Those that wait for the home have their time.
    if waiting.len() > before {
        events.push(Event::Asked);
    }
    let new = inbox.take();
    events.extend(new.changed.iter().filter_map(|path| hands.source(path)).map(Event::Changed));
    for ((server, version), came) in new.came {
        let well = came.is_ok();
        hands.came(&server, &version, came);
        events.push(Event::Came(server, version, well));
    }
    events.extend(new.offers.into_iter().map(Event::Offers));
    if new.feed_down {
        hands.misses_feed();
    }
    if new.listen_again {
        hands.listen_again();
    }
    if new.reload {
        hands.try_again();
        events.push(Event::Reload);
    }
    #[cfg(unix)]
    if let Some(heir) = new.heir {
        hands.has_heir(heir);
    }
    if new.stop {
        events.push(Event::Stop);
    }
    events
}

/// How long a daemon that is to end waits for those who are inside.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);
