//! The loop in a time of its own, against a side that behaves as badly as can be.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::json;

use super::super::news::News;
use super::*;

const PACE: Pace = Pace { version: Duration::from_secs(30), pull: Duration::from_secs(60), seed: 3 };

/// The other side: at which revision it stands, and which of its routes answer.
#[derive(Default)]
struct World {
    number: Cell<u64>,
    lineage: Cell<u64>,
    /// Grows with every change of the world, so that open streams look up.
    news: RefCell<Option<watch::Sender<u64>>>,
    no_events: Cell<bool>,
    no_version: Cell<bool>,
    no_config: Cell<bool>,
    /// Open streams end when this differs from what it was.
    cuts: Cell<u64>,
    silent: Cell<bool>,
    /// What is asked, in order, with the second at which it was.
    asked: RefCell<Vec<(u64, &'static str)>>,
    /// Revisions that a stream says although they are old.
    echoes: RefCell<Vec<u64>>,
}

impl World {
    fn at(number: u64) -> Rc<Self> {
        let world = Rc::new(Self::default());
        world.number.set(number);
        *world.news.borrow_mut() = Some(watch::channel(0).0);
        world
    }

    fn change(&self, how: impl FnOnce(&Self)) {
        how(self);
        if let Some(news) = &*self.news.borrow() {
            news.send_modify(|count| *count += 1);
        }
    }

    fn revision(&self, number: u64) -> News {
        let servers = (0..3).map(|at| (format!("s{at}"), json!({ "command": number.to_string() })));
        News {
            version: format!("1.{number}.0"),
            number,
            hash: format!("{}-{number}", self.lineage.get()),
            reason: String::new(),
            changed_servers: Vec::new(),
            servers: Some(servers.collect()),
            count: 3,
            etag: None,
        }
    }
}

struct Scripted {
    world: Rc<World>,
    begun: Instant,
}

struct Events {
    world: Rc<World>,
    news: watch::Receiver<u64>,
    told: Option<u64>,
    cuts: u64,
}

impl Scripted {
    fn note(&self, what: &'static str) {
        self.world.asked.borrow_mut().push((self.begun.elapsed().as_secs(), what));
    }
}

impl Wire for Scripted {
    type Stream = Events;

    async fn open(&self, last: Option<u64>) -> Result<Events, Trouble> {
        self.note("events");
        sleep(Duration::from_millis(5)).await;
        if self.world.no_events.get() {
            return Err(Trouble::new("404"));
        }
        let news = self.world.news.borrow().as_ref().unwrap().subscribe();
        let told = last.filter(|last| *last == self.world.number.get());
        Ok(Events { world: Rc::clone(&self.world), news, told, cuts: self.world.cuts.get() })
    }

    async fn version(&self) -> Result<News, Trouble> {
        self.note("version");
        sleep(Duration::from_millis(5)).await;
        if self.world.no_version.get() {
            return Err(Trouble::new("404"));
        }
        Ok(News { servers: None, ..self.world.revision(self.world.number.get()) })
    }

    async fn config(&self, _etag: Option<&str>) -> Result<Option<News>, Trouble> {
        self.note("config");
        sleep(Duration::from_millis(5)).await;
        if self.world.no_config.get() {
            return Err(Trouble::new("404"));
        }
        Ok(Some(self.world.revision(self.world.number.get())))
    }
}

impl crate::listen::wire::Heard for Events {
    fn retry(&self) -> Option<Duration> {
        None
    }

    async fn next(&mut self) -> Option<Sign> {
        loop {
            if self.cuts != self.world.cuts.get() {
                return None;
            }
            if self.world.silent.get() {
                std::future::pending::<()>().await;
            }
            if let Some(number) = self.world.echoes.borrow_mut().pop() {
                return Some(Sign::Event(Ok(self.world.revision(number))));
            }
            let number = self.world.number.get();
            if self.told != Some(number) {
                self.told = Some(number);
                return Some(Sign::Event(Ok(self.world.revision(number))));
            }
            if timeout(Duration::from_secs(15), self.news.changed()).await.is_err() {
                return Some(Sign::Alive);
            }
        }
    }
}

/// Follows the world while `story` goes on, and returns every revision that was taken, and what was said.
async fn follow(world: &Rc<World>, story: impl Future<Output = ()>) -> (Vec<u64>, Vec<String>) {
    let said = RefCell::new(Vec::new());
    let tell = |sentence: &str| said.borrow_mut().push(sentence.to_owned());
    let wire = Scripted { world: Rc::clone(world), begun: Instant::now() };
    let (newest, mut newer) = watch::channel(None::<Arc<News>>);
    let mut follower = Follower { wire: &wire, seen: None, servers: true, tell: &tell };
    let taken = RefCell::new(Vec::new());
    let watched = async {
        while newer.changed().await.is_ok() {
            taken.borrow_mut().push(newer.borrow_and_update().as_ref().unwrap().number);
        }
    };
    tokio::select! {
        () = follower.follow(PACE, &newest) => {}
        () = watched => {}
        () = story => {}
    }
    (taken.into_inner(), said.into_inner())
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn it_goes_down_when_it_must_and_up_when_it_can() {
    let world = World::at(1);
    let (taken, said) = follow(&world, async {
        seconds(10).await;
        world.change(|world| {
            world.no_events.set(true);
            world.cuts.set(1);
        });
        seconds(5).await;
        world.number.set(2);
        seconds(40).await;
        world.change(|world| {
            world.no_version.set(true);
        });
        seconds(60).await;
        world.number.set(3);
        seconds(120).await;
        world.no_config.set(true);
        seconds(300).await;
        world.number.set(4);
        world.change(|world| {
            world.no_events.set(false);
        });
        seconds(60).await;
    })
    .await;
    assert_eq!(taken, [1, 2, 3, 4]);
    assert_eq!(
        said,
        [
            "following by its events",
            "following by asking for its version every 30 s (its events: 404)",
            "following by asking for its servers every 60 s (its events: 404)",
            "it is away (404); what there is stays, and it is tried again",
            "following by its events",
        ]
    );
    // While it was away, less and less was asked: the bound is 30 s between rounds of three, or two by lower luck.
    let asked = world.asked.borrow();
    let away = asked.iter().filter(|(second, _)| (250..535).contains(second)).count();
    assert!(away < 100, "{away} questions in five minutes");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_falls_silent_is_left() {
    let world = World::at(1);
    let (taken, said) = follow(&world, async {
        seconds(5).await;
        world.change(|world| world.silent.set(true));
        world.number.set(2);
        seconds(46).await;
        seconds(1).await;
        world.silent.set(false);
        seconds(900).await;
    })
    .await;
    assert_eq!(taken, [1, 2]);
    assert_eq!(
        said,
        [
            "following by its events",
            "following by asking for its version every 30 s (its events: its stream has said nothing for 45 s)",
            "following by its events",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_is_passed_over_and_what_begins_anew_is_taken() {
    let world = World::at(5);
    let (taken, said) = follow(&world, async {
        seconds(5).await;
        world.change(|world| world.echoes.borrow_mut().extend([4, 1, 5]));
        seconds(5).await;
        // It begins anew, and the connection stays: the very next event is of another history.
        world.change(|world| {
            world.lineage.set(1);
            world.number.set(2);
        });
        seconds(10).await;
        // And again, while nobody was connected, to the same number: only the hash tells.
        world.change(|world| {
            world.lineage.set(2);
            world.cuts.set(1);
        });
        seconds(10).await;
        world.change(|world| world.number.set(3));
        seconds(5).await;
    })
    .await;
    assert_eq!(taken, [5, 2, 2, 3]);
    assert_eq!(
        said,
        [
            "following by its events",
            "revision 1 came after 5: it is passed over",
            "revision 4 came after 5: it is passed over",
            "it stands at revision 2 and knows nothing of 5: the other side began anew, and is taken whole",
            "revision 2 is another one than before: the other side began anew, and is taken whole",
        ]
    );
}

/// Numbers that look like chance, and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[tokio::test(start_paused = true)]
async fn after_two_hundred_revisions_with_drops_it_has_the_last_and_never_went_back() {
    for seed in 0..20 {
        let world = World::at(1);
        let mut chance = Chance(seed);
        let (taken, _) = follow(&world, async {
            while world.number.get() < 200 {
                sleep(Duration::from_millis(chance.below(4_000))).await;
                let kind = chance.below(12);
                world.change(|world| match kind {
                    0 => world.cuts.set(world.cuts.get() + 1),
                    1 => world.no_events.set(!world.no_events.get()),
                    2 => world.no_version.set(!world.no_version.get()),
                    3 => world.no_config.set(!world.no_config.get()),
                    4 => world.silent.set(!world.silent.get()),
                    5 => world.echoes.borrow_mut().push(world.number.get() / 2),
                    _ => world.number.set(world.number.get() + 1),
                });
            }
            // All is well again; within a quarter of an hour everything has settled.
            world.change(|world| {
                for fault in [&world.no_events, &world.no_version, &world.no_config, &world.silent] {
                    fault.set(false);
                }
            });
            seconds(1_000).await;
        })
        .await;
        assert_eq!(taken.last(), Some(&200), "seed {seed}");
        assert!(taken.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: {taken:?}");
    }
}
