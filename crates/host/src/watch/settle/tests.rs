use super::*;

use Action::{Look, Tell, Wait};
use Hint::{Appeared, Closed, Removed, Replaced, Touched, Unseen, Written};
use Sight::{Cut, Gone, Known, Other};

/// What comes in, and what is to come of it.
enum Row {
    Hint(Hint),
    /// The time of the deadline, and that it leads to a look.
    Due(u64),
    Sight(Sight, Action),
}
use Row::{Due, Hint as H, Sight as S};

/// Plays rows, each at its time in milliseconds.
fn check(story: &str, rows: &[(u64, Row)]) {
    let begin = Instant::now();
    let at = |ms| begin + Duration::from_millis(ms);
    let before = |ms| at(ms).checked_sub(Duration::from_nanos(1)).unwrap();
    let mut phase = Phase::Still(None);
    for (ms, row) in rows {
        let (input, want) = match row {
            H(hint) => (Input::Hint(*hint), Wait),
            S(sight, action) => (Input::Sight(*sight), *action),
            Due(due) => {
                let early = step(phase, Input::Tick, before(*due));
                assert_eq!(early, (phase, Wait), "{story}: before {due} ms");
                assert_eq!(phase.deadline(), Some(at(*due)), "{story}: deadline at {due} ms");
                (Input::Tick, Look)
            }
        };
        let (next, action) = step(phase, input, at(*ms));
        assert_eq!(action, want, "{story}: at {ms} ms");
        phase = next;
    }
    let last = rows.last().map(|(_, row)| row);
    let is_end = matches!(last, Some(S(Known, _) | S(_, Tell)));
    assert_eq!(phase.deadline().is_none(), is_end, "{story}: at its end");
}

#[test]
fn a_change_is_told_when_it_is_whole() {
    check("replaced", &[(0, H(Replaced)), (5, Due(5)), (5, S(Other, Tell))]);
    check("written and closed", &[(0, H(Written)), (3, H(Closed)), (13, Due(13)), (13, S(Other, Tell))]);
    check(
        "two parts, 400 ms apart",
        &[(0, H(Written)), (400, H(Written)), (400, H(Closed)), (410, Due(410)), (410, S(Other, Tell))],
    );
    check(
        "never closed",
        &[(0, H(Written)), (100, H(Written)), (1_600, Due(1_600)), (1_600, S(Other, Tell))],
    );
    check("in a new folder", &[(0, H(Appeared)), (100, Due(100)), (100, S(Other, Tell))]);
    check("found by looking", &[(0, H(Unseen)), (500, Due(500)), (500, S(Other, Tell))]);
    check(
        "found by looking, then seen",
        &[(0, H(Unseen)), (9, H(Closed)), (19, Due(19)), (19, S(Other, Tell))],
    );
}

#[test]
fn what_is_known_is_not_told() {
    check("touched", &[(0, H(Touched)), (5, Due(5)), (5, S(Known, Wait))]);
    check("saved again", &[(0, H(Written)), (1, H(Closed)), (11, Due(11)), (11, S(Known, Wait))]);
}

#[test]
fn new_times_do_not_make_a_file_whole() {
    check("touched while written", &[(0, H(Written)), (5, H(Touched)), (1_500, Due(1_500))]);
    check("touched after it was closed", &[(0, H(Closed)), (5, H(Touched)), (10, Due(10))]);
}

#[test]
fn what_looks_like_an_accident_gets_time() {
    check(
        "deleted",
        &[(0, H(Removed)), (5, Due(5)), (6, S(Gone, Wait)), (200, Due(200)), (201, S(Gone, Tell))],
    );
    check(
        "deleted and made anew",
        &[
            (0, H(Removed)),
            (5, Due(5)),
            (6, S(Gone, Wait)),
            (100, H(Written)),
            (101, H(Closed)),
            (111, Due(111)),
            (111, S(Other, Tell)),
        ],
    );
    check(
        "cut off for good",
        &[(0, H(Closed)), (10, Due(10)), (11, S(Cut, Wait)), (1_000, Due(1_000)), (1_000, S(Cut, Tell))],
    );
    check(
        "emptied, then filled",
        &[
            (0, H(Closed)),
            (10, Due(10)),
            (11, S(Cut, Wait)),
            (600, H(Written)),
            (601, H(Closed)),
            // It seemed to be done once already.
            (621, Due(621)),
            (621, S(Other, Tell)),
        ],
    );
}

#[test]
fn the_moment_of_a_restless_file_grows_within_bounds() {
    let mut rows = vec![(0, H(Closed))];
    for round in 1..=4_u64 {
        rows.push((round * 9, H(Closed)));
    }
    rows.push((196, Due(36 + 160)));
    rows.push((196, S(Other, Tell)));
    check("closed five times", &rows);

    check(
        "again right after it was told",
        &[
            (0, H(Replaced)),
            (5, Due(5)),
            (5, S(Other, Tell)),
            (6, H(Replaced)),
            (16, Due(16)),
            (16, S(Other, Tell)),
            (17, H(Replaced)),
            (37, Due(37)),
            (37, S(Other, Tell)),
            // Calm again.
            (87, H(Replaced)),
            (92, Due(92)),
        ],
    );
}

#[test]
fn a_file_that_is_never_still_is_told_after_a_while() {
    let mut rows: Vec<_> = (0..300).map(|round| (round * 10, H(Closed))).collect();
    rows.push((3_000, Due(3_000)));
    rows.push((3_000, S(Other, Tell)));
    check("replaced all the time", &rows);

    let mut rows: Vec<_> = (0..310).map(|round| (round * 10, H(Written))).collect();
    rows.push((3_100, H(Closed)));
    rows.push((3_100, Due(3_000)));
    rows.push((3_100, S(Other, Tell)));
    check("whole at last", &rows);

    let mut rows: Vec<_> = (0..60).map(|round| (round * 100, H(Written))).collect();
    rows.push((6_000, Due(6_000)));
    rows.push((6_000, S(Cut, Tell)));
    check("written all the time", &rows);
}
