use std::time::Duration;

use proptest::prelude::*;

use super::Action::{Check, Close, Connect, Fail, Refuse};
use super::*;
use crate::catalogue::Health;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rules() -> Rules {
    Rules {
        first: Duration::from_millis(250),
        longest: at(30),
        attempts: 0,
        health: Some(Health { every: at(30), timeout: at(5), failures: 3 }),
        idle_stop: Some(at(600)),
        drain: at(30),
    }
}

fn time(calls: usize, used: u64) -> Event {
    Event::Time { calls, used: at(used) }
}

/// Plays events at their seconds, and returns the last phase with all that was to be done.
fn play(rules: &Rules, story: &[(u64, Event)]) -> (Phase, Vec<Action>) {
    let mut all = Vec::new();
    let mut phase = Phase::new();
    for (seconds, event) in story {
        let (next, actions) = step(phase, *event, at(*seconds), rules, 7);
        phase = next;
        all.extend(actions);
    }
    (phase, all)
}

#[test]
fn lives_of_a_connection() {
    let rules = rules();
    for (name, story, word, done) in [
        ("nobody wants it", vec![(1, time(0, 0))], "idle", vec![]),
        ("a first call starts it", vec![(1, Event::Wanted)], "connecting", vec![Connect]),
        (
            "a second call waits with the first",
            vec![(1, Event::Wanted), (2, Event::Wanted)],
            "connecting",
            vec![Connect],
        ),
        ("it comes up", vec![(1, Event::Wanted), (2, Event::Connected)], "ready", vec![Connect]),
        (
            "it does not come up, and is tried again in its time",
            vec![(1, Event::Wanted), (2, Event::Failed), (3, time(0, 0))],
            "connecting",
            vec![Connect, Close, Refuse, Connect],
        ),
        (
            "it wants a login: whoever calls is told, and it is asked again for whoever calls later",
            vec![
                (1, Event::Wanted),
                (2, Event::Unauthorized),
                (60, time(0, 0)),
                (61, Event::Wanted),
                (62, Event::Connected),
            ],
            "ready",
            vec![Connect, Close, Refuse, Connect],
        ),
        (
            "it wants a login: those who call one upon the other wait for one answer",
            vec![
                (1, Event::Wanted),
                (2, Event::Unauthorized),
                (2, Event::Wanted),
                (2, Event::Wanted),
                (3, time(0, 0)),
                (4, Event::Unauthorized),
            ],
            "needs login",
            vec![Connect, Close, Refuse, Connect, Close, Refuse],
        ),
        (
            "nobody logs in: it is asked again by itself now and then",
            vec![
                (1, Event::Wanted),
                (2, Event::Unauthorized),
                (301, time(0, 0)),
                (302, time(0, 0)),
                (303, Event::Unauthorized),
                (304, time(0, 0)),
            ],
            "needs login",
            vec![Connect, Close, Refuse, Connect, Close, Refuse],
        ),
        (
            "somebody has logged in",
            vec![(1, Event::Wanted), (2, Event::Unauthorized), (3, Event::Again)],
            "connecting",
            vec![Connect, Close, Refuse, Connect],
        ),
        (
            "nobody used it",
            vec![(1, Event::Wanted), (2, Event::Connected), (700, time(0, 2))],
            "idle",
            vec![Connect, Close],
        ),
        (
            "a long call is use",
            vec![(1, Event::Wanted), (2, Event::Connected), (20, time(1, 2)), (619, time(0, 2))],
            "ready",
            vec![Connect, Check],
        ),
        (
            "it is asked whether it is well, and is",
            vec![(1, Event::Wanted), (2, Event::Connected), (32, time(0, 30)), (33, Event::Alive)],
            "ready",
            vec![Connect, Check],
        ),
        (
            "it is silent three times",
            vec![
                (1, Event::Wanted),
                (2, Event::Connected),
                (40, Event::Silent),
                (80, Event::Silent),
                (90, Event::Silent),
            ],
            "waiting",
            vec![Connect, Fail, Close],
        ),
        (
            "its process ends after a while: the next call starts it",
            vec![(1, Event::Wanted), (2, Event::Connected), (60, Event::Lost)],
            "idle",
            vec![Connect, Fail, Close],
        ),
        (
            "its process ends at once",
            vec![(1, Event::Wanted), (2, Event::Connected), (3, Event::Lost)],
            "waiting",
            vec![Connect, Fail, Close],
        ),
        (
            "it is replaced while calls are in flight",
            vec![
                (1, Event::Wanted),
                (2, Event::Connected),
                (3, Event::Retire),
                (4, time(2, 3)),
                (5, time(0, 4)),
            ],
            "gone",
            vec![Connect, Close],
        ),
        (
            "calls in flight take longer than they may",
            vec![(1, Event::Wanted), (2, Event::Connected), (3, Event::Retire), (33, time(2, 3))],
            "gone",
            vec![Connect, Fail, Close],
        ),
        (
            "it is removed while it comes up",
            vec![(1, Event::Wanted), (2, Event::Retire)],
            "gone",
            vec![Connect, Close, Refuse],
        ),
        (
            "what comes too late is nothing",
            vec![(1, Event::Retire), (2, Event::Wanted), (3, Event::Connected)],
            "gone",
            vec![Refuse],
        ),
    ] {
        let (phase, actions) = play(&rules, &story);
        assert_eq!((phase.word(), actions), (word, done), "{name}");
    }
}

#[test]
fn one_that_is_to_be_kept_is_kept() {
    let rules = Rules { idle_stop: None, ..rules() };
    let (phase, _) = play(&rules, &[(1, Event::Wanted), (2, Event::Connected), (5000, time(0, 2))]);
    assert_eq!(phase.word(), "ready");
    let (phase, actions) = play(&rules, &[(1, Event::Wanted), (2, Event::Connected), (60, Event::Lost)]);
    assert_eq!(phase.word(), "waiting");
    assert_eq!(actions, [Connect, Fail, Close]);
    assert!(phase.due(&rules).is_some(), "it is started again without anybody's asking");
}

#[test]
fn what_falls_again_and_again_is_told_as_that_and_waits_longer() {
    let rules = rules();
    let mut phase = Phase::new();
    let mut now = at(0);
    let mut words = Vec::new();
    let mut longest = Duration::ZERO;
    for _ in 0..9 {
        (phase, _) = step(phase, Event::Again, now, &rules, 3);
        (phase, _) = step(phase, Event::Connected, now, &rules, 3);
        (phase, _) = step(phase, Event::Lost, now + at(1), &rules, 3);
        words.push(phase.word());
        let due = phase.due(&rules).unwrap();
        longest = longest.max(due.saturating_sub(now));
        now = due;
    }
    assert_eq!(words[..5], ["waiting", "waiting", "waiting", "waiting", "crash loop"]);
    assert!(longest > at(2) && longest <= at(31), "{longest:?}");
}

#[test]
fn a_number_of_attempts_is_kept_to_and_a_person_may_begin_anew() {
    let rules = Rules { attempts: 2, ..rules() };
    let (phase, _) =
        play(&rules, &[(1, Event::Wanted), (2, Event::Failed), (3, Event::Again), (4, Event::Failed)]);
    assert_eq!(phase, Phase::Waiting { failed: 2, until: None });
    let (phase, actions) = step(phase, Event::Again, at(5), &rules, 7);
    assert_eq!((phase.word(), actions), ("connecting", vec![Connect]));
}

#[test]
fn a_call_waits_for_an_attempt_that_is_near_and_is_refused_else() {
    let rules = rules();
    let near = Phase::Waiting { failed: 1, until: Some(at(11)) };
    assert_eq!(step(near.clone(), Event::Wanted, at(10), &rules, 7), (near, vec![]));
    let far = Phase::Waiting { failed: 8, until: Some(at(30)) };
    assert_eq!(step(far.clone(), Event::Wanted, at(10), &rules, 7), (far, vec![Refuse]));
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Wanted),
        Just(Event::Connected),
        Just(Event::Failed),
        Just(Event::Unauthorized),
        Just(Event::Lost),
        Just(Event::Alive),
        Just(Event::Silent),
        (0..3_usize, 0..2000_u64).prop_map(|(calls, used)| time(calls, used)),
        Just(Event::Again),
        Just(Event::Retire),
    ]
}

proptest! {
    /// Whatever happens in whatever order: there is never a second connection beside one that was not closed, and what
    /// is gone has closed what it had.
    #[test]
    fn every_connection_that_is_made_is_closed_once(steps in prop::collection::vec((event(), 0..100_u64), 0..60)) {
        let rules = rules();
        let (mut phase, mut now, mut open) = (Phase::new(), at(0), false);
        for (event, later) in steps {
            now += at(later);
            let (next, actions) = step(phase, event, now, &rules, 7);
            for action in actions {
                match action {
                    Connect => {
                        prop_assert!(!open, "a second one");
                        open = true;
                    }
                    Close => {
                        prop_assert!(open, "there is nothing to close");
                        open = false;
                    }
                    _ => {}
                }
            }
            phase = next;
            let has = matches!(phase, Phase::Connecting { .. } | Phase::Ready(_) | Phase::Draining { .. });
            prop_assert_eq!(open, has, "{:?}", phase);
        }
    }
}
