use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Action::{Close, Open};
use super::*;
use crate::name::ServerName;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn feed(retry_attempts: u64) -> Feed {
    Feed { url: "http://localhost:8766/events".to_owned(), timeout: at(30), retry_attempts }
}

const LOST: Event = Event::Lost(Duration::ZERO);

/// Plays events at their seconds, and returns where the listener stands then, with all that was to be done.
fn play(feed: &Feed, story: &[(u64, Event)]) -> (Listening, Vec<Action>) {
    let (mut listening, mut all) = Listening::begin(at(0));
    for (seconds, event) in story {
        let (next, actions) = step(listening, *event, at(*seconds), feed, 7);
        listening = next;
        all.extend(actions);
    }
    (listening, all)
}

#[test]
fn lives_of_a_listener() {
    use Event::{Again, Announced, Heard, Opened, Time};
    for (name, story, word, barren, done) in [
        ("it opens", vec![(1, Opened)], "listening", 0, vec![Open]),
        ("it is slow to open", vec![(29, Time)], "opening", 0, vec![Open]),
        ("it does not open in time", vec![(30, Time)], "waiting", 1, vec![Open, Close]),
        ("it is refused", vec![(1, LOST)], "waiting", 1, vec![Open]),
        ("it is tried again in its time", vec![(1, LOST), (2, Time)], "opening", 1, vec![Open, Open]),
        ("somebody cannot wait", vec![(1, LOST), (1, Again)], "opening", 1, vec![Open, Open]),
        (
            "three that bring nothing are enough",
            vec![(1, LOST), (9, Time), (10, LOST), (19, Time), (20, Opened), (21, LOST), (99, Time)],
            "down",
            3,
            vec![Open, Open, Open],
        ),
        (
            "it is down until somebody wants it",
            vec![(1, LOST), (9, Time), (10, LOST), (19, Time), (20, LOST), (900, Again)],
            "opening",
            0,
            vec![Open, Open, Open, Open],
        ),
        (
            "what announces counts no failures",
            vec![(1, LOST), (9, Time), (10, LOST), (19, Time), (20, Opened), (21, Announced), (22, LOST)],
            "waiting",
            0,
            vec![Open, Open, Open],
        ),
        (
            "silence is borne for a while",
            vec![(1, Opened), (2, Announced), (31, Time), (31, Heard), (60, Time)],
            "listening",
            0,
            vec![Open],
        ),
        ("and no longer", vec![(1, Opened), (2, Announced), (32, Time)], "waiting", 0, vec![Open, Close]),
        (
            "a stream that says nothing at all brings nothing",
            vec![(1, Opened), (31, Time)],
            "waiting",
            1,
            vec![Open, Close],
        ),
        (
            "one that lives on comments is no failure",
            vec![(1, Opened), (25, Heard), (50, Heard), (51, LOST)],
            "waiting",
            0,
            vec![Open],
        ),
        (
            "what comes late changes nothing",
            vec![(1, LOST), (1, Opened), (1, Heard), (1, Announced), (1, LOST)],
            "waiting",
            1,
            vec![Open],
        ),
    ] {
        let (listening, actions) = play(&feed(3), &story);
        assert_eq!((listening.phase.word(), listening.barren), (word, barren), "{name}");
        assert_eq!(actions, done, "{name}");
    }
}

#[test]
fn nought_is_for_ever() {
    let story: Vec<_> = (0..1_000).flat_map(|n| [(n * 60, LOST), (n * 60 + 59, Event::Time)]).collect();
    let (listening, actions) = play(&feed(0), &story);
    assert_eq!((listening.phase.word(), listening.barren, actions.len()), ("opening", 1_000, 1_001));
}

#[test]
fn a_feed_that_asks_for_peace_has_it_within_reason() {
    for (asked, until) in [(7, 7), (100_000, 600)] {
        let (listening, _) = play(&feed(3), &[(0, Event::Lost(at(asked)))]);
        assert_eq!(listening.phase, Phase::Waiting(at(until)));
    }
}

#[test]
fn pauses_grow_though_each_stream_announces_and_ends_at_once() {
    let mut story = Vec::new();
    for round in 0..12 {
        let from = round * 60;
        story.extend([(from, Event::Time), (from, Event::Opened), (from, Event::Announced), (from, LOST)]);
    }
    let longest = (0..100).filter_map(|seed| {
        let (mut listening, _) = Listening::begin(at(0));
        for (seconds, event) in &story {
            listening = step(listening, *event, at(*seconds), &feed(3), seed).0;
        }
        match listening.phase {
            Phase::Waiting(until) => Some(until.saturating_sub(at(11 * 60))),
            _ => None,
        }
    });
    assert!(longest.max().is_some_and(|longest| longest > LONGEST / 2));
}

fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let event = prop_oneof![
        Just(Event::Opened),
        Just(Event::Heard),
        Just(Event::Announced),
        (0..1_000_u64).prop_map(|hold| Event::Lost(at(hold))),
        Just(Event::Time),
        Just(Event::Time),
        Just(Event::Again),
    ];
    prop::collection::vec((0..40_u64, event), 0..60)
}

proptest! {
    /// Whatever happens: there is one stream at most, no pause is longer than it may be, and so many attempts are made
    /// and no more.
    #[test]
    fn a_listener_keeps_its_measure(events in events(), attempts in 0..5_u64, seed: u64) {
        let feed = feed(attempts);
        let (mut now, (mut listening, _)) = (at(0), Listening::begin(at(0)));
        let mut open = true;
        for (seconds, event) in events {
            now += at(seconds);
            let before = listening.clone();
            let (next, actions) = step(listening, event, now, &feed, seed);
            let had = matches!(before.phase, Phase::Opening(_) | Phase::Open { .. });
            if had && matches!(event, Event::Lost(_)) {
                open = false;
            }
            for action in actions {
                match action {
                    Open => {
                        prop_assert!(!open, "a second stream");
                        open = true;
                    }
                    Close => {
                        prop_assert!(open, "nothing to close");
                        open = false;
                    }
                }
            }
            let has = matches!(next.phase, Phase::Opening(_) | Phase::Open { .. });
            prop_assert_eq!(has, open);
            if let Phase::Waiting(until) = next.phase {
                prop_assert!(until <= now + LONGEST_HOLD.max(LONGEST) || before.phase == next.phase);
            }
            prop_assert!(next.barren <= before.barren + 1);
            if attempts > 0 {
                prop_assert!(next.barren <= attempts);
                prop_assert_eq!(next.barren == attempts, next.phase == Phase::Down);
            } else {
                prop_assert!(next.phase != Phase::Down);
            }
            if before.phase == Phase::Down && event != Event::Again {
                prop_assert_eq!(&next, &before);
            }
            listening = next;
        }
    }

    /// Whatever is listened to and whatever is wanted: afterwards it is what is wanted, one listener for each server, and
    /// those that were right have not been touched.
    #[test]
    fn feeds_follow_the_catalogue(running in sources(), wanted in sources()) {
        let change = follow(running.iter(), &wanted);
        let mut after = running.clone();
        for name in &change.end {
            prop_assert!(after.remove(name).is_some(), "ended twice");
        }
        for (name, source) in &change.begin {
            prop_assert!(after.insert(name.clone(), source.clone()).is_none(), "two for one server");
        }
        prop_assert_eq!(&after, &wanted);
        for (name, source) in &running {
            if wanted.get(name) == Some(source) {
                prop_assert!(!change.end.contains(name));
            }
        }
        prop_assert_eq!(follow(after.iter(), &wanted), Change::default());
    }
}

fn sources() -> impl Strategy<Value = BTreeMap<ServerName, Source>> {
    let name = prop::sample::select(vec!["a", "b", "c", "d"]);
    let source = (0..2_u64, 0..2_u64)
        .prop_map(|(version, attempts)| Source { version: version.to_string(), feed: feed(attempts) });
    let name = name.prop_map(|text| ServerName::parse(text).unwrap());
    prop::collection::btree_map(name, source, 0..4)
}
