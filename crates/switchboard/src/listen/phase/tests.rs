use super::*;

const PACE: Pace = Pace { version: Duration::from_secs(30), pull: Duration::from_secs(60), seed: 7 };

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn failed(why: &str) -> Event {
    Event::Failed { why: why.to_owned(), hold: None }
}

fn held(why: &str, seconds: u64) -> Event {
    Event::Failed { why: why.to_owned(), hold: Some(at(seconds)) }
}

/// What is done, in short; of a wait only what is no jitter.
fn told(actions: &[Action], now: Duration) -> String {
    let word = |strategy: &Strategy| format!("{strategy:?}").to_lowercase();
    let words: Vec<String> = actions
        .iter()
        .map(|action| match action {
            Action::Do(strategy) => word(strategy),
            Action::Read => "read".to_owned(),
            Action::Wait(until) => match until.checked_sub(now) {
                Some(wait) if wait.subsec_millis() == 0 && wait.as_secs() > 0 => {
                    format!("wait {}", wait.as_secs())
                }
                Some(wait) if wait < at(1) => "wait a moment".to_owned(),
                Some(_) => "wait".to_owned(),
                None => "wait for the past".to_owned(),
            },
            Action::Say(Saying::Using(strategy, why)) => {
                format!(
                    "say {}{}",
                    word(strategy),
                    why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
                )
            }
            Action::Say(Saying::Away(why)) => format!("say away ({why})"),
        })
        .collect();
    words.join(", ")
}

/// Runs a story: what happens when, and what is done then.
#[track_caller]
fn story(name: &str, steps: &[(u64, Event, &str)]) {
    let mut state = State::new(PACE);
    for (number, (seconds, event, expected)) in steps.iter().enumerate() {
        let actions = state.step(event.clone(), at(*seconds));
        assert_eq!(told(&actions, at(*seconds)), *expected, "{name}, step {number}: {event:?}");
        let last = actions.last().unwrap();
        assert!(!matches!(last, Action::Say(_)), "{name}, step {number}: nothing follows");
    }
}

#[test]
fn the_best_strategy_that_works_is_used() {
    use Event::{Began, Due, Worked};
    const BROKE: Event = Event::Broke(None);
    story("all is well", &[(0, Began, "events"), (0, Worked, "say events, read")]);
    story(
        "there are no events",
        &[
            (0, Began, "events"),
            (0, failed("404"), "version"),
            (0, Worked, "say version (404), wait 30"),
            (30, Due, "version"),
            (30, Worked, "wait"),
        ],
    );
    story(
        "there is only the config",
        &[
            (0, Began, "events"),
            (0, failed("404"), "version"),
            (0, failed("500"), "pull"),
            // It would be 60 s, but a better strategy is tried before that.
            (0, Worked, "say pull (404), wait"),
        ],
    );
    story(
        "nothing is there, and then it is",
        &[
            (0, Began, "events"),
            (0, failed("refused"), "version"),
            (0, failed("refused"), "pull"),
            (0, failed("refused"), "say away (refused), wait a moment"),
            (1, Due, "events"),
            (1, failed("refused"), "version"),
            (1, failed("refused"), "pull"),
            (1, failed("refused"), "wait a moment"),
            (2, Due, "events"),
            (2, Worked, "say events, read"),
        ],
    );
    story(
        "a stream ends and is opened again, and nobody is bothered with that",
        &[
            (0, Began, "events"),
            (0, Worked, "say events, read"),
            (100, BROKE, "wait a moment"),
            (101, Due, "events"),
            (101, Worked, "read"),
        ],
    );
    story(
        "streams end again and again",
        &[
            (0, Began, "events"),
            (0, Worked, "say events, read"),
            (0, BROKE, "wait a moment"),
            (1, Due, "events"),
            (1, Worked, "read"),
            (1, BROKE, "wait a moment"),
            (2, Due, "events"),
            (2, Worked, "read"),
            (2, BROKE, "wait a moment"),
            (3, Due, "events"),
            (3, Worked, "read"),
            (3, BROKE, "version"),
            (3, Worked, "say version (its stream ends again and again), wait 30"),
        ],
    );
    story(
        "a stream falls silent",
        &[
            (0, Began, "events"),
            (0, Worked, "say events, read"),
            (500, failed("silent"), "version"),
            (500, Worked, "say version (silent), wait 30"),
        ],
    );
    story(
        "the version is gone too",
        &[
            (0, Began, "events"),
            (0, failed("404"), "version"),
            (0, Worked, "say version (404), wait 30"),
            (30, Due, "version"),
            (30, failed("500"), "events"),
            (30, failed("404"), "version"),
            (30, failed("500"), "pull"),
            (30, Worked, "say pull (404), wait 60"),
        ],
    );
    story(
        "the server asks to be left alone, and is",
        &[
            (0, Began, "events"),
            (0, held("503", 7), "wait 7"),
            (7, Due, "version"),
            (7, held("503", 5), "wait 5"),
            (12, Due, "pull"),
            (12, held("503", 9), "say away (503), wait 9"),
            (21, Due, "events"),
            (21, Worked, "say events, read"),
        ],
    );
    story(
        "it asks for that while its version is asked for",
        &[
            (0, Began, "events"),
            (0, failed("404"), "version"),
            (0, Worked, "say version (404), wait 30"),
            (30, Due, "version"),
            (30, held("429", 100), "wait 100"),
            (130, Due, "events"),
        ],
    );
}

/// Follows the clock for a day with a server that has a version but no events until `mended`, and returns when the
/// events were tried.
fn climbs(mended: Duration) -> Vec<Duration> {
    let mut state = State::new(PACE);
    let mut now = Duration::ZERO;
    let mut actions = state.step(Event::Began, now);
    let mut tried = Vec::new();
    while now < at(86_400) {
        let event = match actions.last().unwrap() {
            Action::Do(Strategy::Events) => {
                tried.push(now);
                if now >= mended { Event::Worked } else { failed("404") }
            }
            Action::Do(_) => Event::Worked,
            Action::Wait(until) => {
                now = *until;
                Event::Due
            }
            Action::Read => return tried,
            Action::Say(_) => unreachable!(),
        };
        actions = state.step(event, now);
    }
    tried
}

#[test]
fn a_better_strategy_is_tried_every_now_and_then() {
    let tried = climbs(at(u64::MAX));
    let gaps: Vec<u64> = tried.windows(2).map(|pair| pair[1].saturating_sub(pair[0]).as_secs()).collect();
    assert!((30..=60).contains(&gaps[0]), "{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap <= 900), "{gaps:?}");
    assert!(gaps[8..].iter().all(|gap| *gap >= 450), "less and less often: {gaps:?}");
    assert!(tried.len() > 90, "and never given up: {}", tried.len());
    // When it is there again, that is found within a quarter of an hour.
    let found = *climbs(at(10_000)).last().unwrap();
    assert!(at(10_000) <= found && found <= at(10_900), "{found:?}");
}

#[test]
fn a_thousand_that_lose_one_server_come_back_spread_out() {
    // Each begins anew at each second of an outage of a minute; how many ask within the busiest 100 ms?
    let mut asked: std::collections::BTreeMap<u128, usize> = std::collections::BTreeMap::new();
    for seed in 0..1_000 {
        let mut state = State::new(Pace { seed, ..PACE });
        let mut now = Duration::ZERO;
        let mut actions = state.step(Event::Began, now);
        while now < at(60) {
            let event = match actions.last().unwrap() {
                Action::Do(_) => {
                    *asked.entry(now.as_millis() / 100).or_default() += 1;
                    failed("refused")
                }
                Action::Wait(until) => {
                    now = *until;
                    Event::Due
                }
                Action::Read | Action::Say(_) => unreachable!(),
            };
            actions = state.step(event, now);
        }
    }
    let later = asked.iter().filter(|(slot, _)| **slot > 50).map(|(_, count)| *count).max().unwrap();
    assert!(later <= 300, "{later} questions of 1000 followers in 100 ms");
}

#[test]
fn no_event_at_any_time_leaves_nothing_to_be_done() {
    let events = [Event::Began, Event::Worked, failed("x"), held("x", 3), Event::Broke(None), Event::Due];
    // Every sequence of six events, also those that cannot be.
    for number in 0..events.len().pow(6) {
        let mut state = State::new(PACE);
        state.step(Event::Began, Duration::ZERO);
        let mut rest = number;
        for second in 0..6 {
            let actions = state.step(events[rest % events.len()].clone(), at(second));
            rest /= events.len();
            let (last, before) = actions.split_last().unwrap();
            assert!(!matches!(last, Action::Say(_)), "{number}");
            assert!(before.iter().all(|action| matches!(action, Action::Say(_))), "{number}");
            if let Action::Wait(until) = last {
                assert!(*until >= at(second), "{number}");
            }
        }
    }
}

#[test]
fn followers_come_back_about_when_they_are_asked_to() {
    let back = |seed, retry| {
        let mut state = State::new(Pace { seed, ..PACE });
        state.step(Event::Began, Duration::ZERO);
        state.step(Event::Worked, Duration::ZERO);
        match state.step(Event::Broke(retry), at(100)).last() {
            Some(Action::Wait(until)) => until.saturating_sub(at(100)).as_millis(),
            other => panic!("{other:?}"),
        }
    };
    let all: Vec<u128> = (0..1_000).map(|seed| back(seed, Some(at(2)))).collect();
    assert!(all.iter().all(|millis| (1_000..=3_000).contains(millis)), "{all:?}");
    let early = all.iter().filter(|millis| **millis < 2_000).count();
    assert!((350..650).contains(&early), "{early} of 1000 in the first half");
    // However long it asks for.
    assert!((0..100).all(|seed| back(seed, Some(at(86_400))) <= 45_000));
}
