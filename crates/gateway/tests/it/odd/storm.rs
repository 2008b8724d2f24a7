//! Many servers that fail at once, and what becomes of it: they come back spread over time, not all in one moment.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;
use tokio::sync::watch;
use tokio::time::Instant;

use super::BACK_OFF;
use crate::stage::{Count, House, Wire, named, server};

/// So many servers die together.
const SERVERS: usize = 200;

/// So often.
const ROUNDS: usize = 10;

/// They live so long before: longer than what counts as falling at once.
const LIFE: Duration = Duration::from_secs(60);

/// When each began, since the round did.
type Begins = Arc<Mutex<Vec<Duration>>>;

#[tokio::test(start_paused = true)]
async fn two_hundred_that_die_together_come_back_one_by_one() {
    let (death, begins) = (watch::Sender::new(0), Begins::default());
    let since = Arc::new(Mutex::new(Instant::now()));
    let (dies, all, began) = (death.clone(), Arc::clone(&begins), Arc::clone(&since));
    let house = House::new(move |_, wire: Wire| {
        all.lock().unwrap().push(began.lock().unwrap().elapsed());
        let mut death = dies.subscribe();
        async move {
            tokio::select! {
                () = wire.answers(&["echo"], "well") => {}
                _ = death.changed() => {}
            }
        }
    });
    for at in 0..SERVERS {
        // One that is kept is started again without being asked for.
        let kept = Server { idle_stop: Some(Duration::ZERO), ..server(&format!("s{at}"), "1") };
        house.serve(kept).await.unwrap();
    }
    let mut delays = Vec::new();
    for round in 0..ROUNDS {
        tokio::time::sleep(LIFE).await;
        begins.lock().unwrap().clear();
        *since.lock().unwrap() = Instant::now();
        death.send_modify(|deaths| *deaths += 1);
        tokio::time::sleep(LIFE).await;
        let mut begun = begins.lock().unwrap().clone();
        begun.sort_unstable();
        assert_eq!(begun.len(), SERVERS, "round {round}: each is tried once, and comes up");
        assert!(begun.iter().all(|delay| *delay <= BACK_OFF + Duration::from_millis(150)), "{begun:?}");
        // Without chance they would all begin in the same moment. A tenth of them in any 5 ms is far beyond bad luck.
        let busiest = (0..400_u64)
            .map(|at| Duration::from_millis(at)..Duration::from_millis(at + 5))
            .map(|moment| begun.iter().filter(|delay| moment.contains(delay)).count())
            .max();
        assert!(busiest <= Some(SERVERS / 10), "round {round}: {busiest:?} in one moment");
        delays.extend(begun);
    }
    // Each delay is as likely as any other: what is seen is nowhere far from what would be (Kolmogorov, Smirnov).
    delays.sort_unstable();
    let first = delays[0].as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let share = |at: usize| at as f64 / delays.len() as f64;
    for (at, delay) in delays.iter().enumerate() {
        let expected = ((delay.as_secs_f64() - first) / BACK_OFF.as_secs_f64()).min(1.0);
        assert!((share(at) - expected).abs() < 0.1, "{at}: {delay:?}, of {:?}", delays.len());
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_server_that_fell_share_one_attempt() {
    let (lives, dead) = (Arc::new(Count::default()), watch::Sender::new(false));
    let (count, dies) = (Arc::clone(&lives), dead.clone());
    let house = House::new(move |_, wire: Wire| {
        count.up();
        let mut dead = dies.subscribe();
        async move {
            tokio::select! {
                () = wire.answers(&["echo"], "well") => {}
                _ = dead.wait_for(|dead| *dead) => {}
            }
        }
    });
    house.serve(server("odd", "1")).await.unwrap();
    let mut client = house.client(Face::server(named("odd")), "{}").await;
    assert_eq!(client.outcome("\"well\"", "echo", "{}").await, "well");
    dead.send_replace(true);
    tokio::time::sleep(Duration::from_millis(1)).await;
    dead.send_replace(false);
    let before = lives.now();
    for id in 0..50 {
        client.call(&id.to_string(), "echo", "{}");
    }
    for id in 0..50 {
        let answer = client.answer(&id.to_string()).await;
        assert_eq!(crate::client::outcome(&answer), "well", "{id}");
    }
    assert_eq!(lives.now() - before, 1);
}
