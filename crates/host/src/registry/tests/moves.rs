//! What becomes of rows: renames, exchanges, failures, and what somebody else has changed meanwhile.

use super::*;

fn three() -> Stage {
    let stage = Stage::new();
    let rows = [one("a", 1, "ta", b"{}"), one("b", 2, "tb", b"{}"), one("c", 3, "tc", b"{}")];
    stage.open().replace(&rows, 100).unwrap();
    stage
}

#[test]
fn rows_become_what_was_decided() {
    for (story, rows, after) in [
        (
            "all stay",
            vec![row("a", 1, kept("a")), row("b", 2, kept("b")), row("c", 3, kept("c"))],
            "a.ta b.tb c.tc",
        ),
        ("one goes", vec![row("a", 1, kept("a")), row("c", 3, kept("c"))], "a.ta c.tc"),
        ("all go", vec![], ""),
        ("a new name", vec![row("z", 1, kept("a"))], "z.ta"),
        (
            "an exchange",
            vec![row("a", 2, kept("b")), row("b", 1, kept("a")), row("c", 3, kept("c"))],
            "a.tb b.ta c.tc",
        ),
        (
            "a chain",
            vec![row("b", 1, kept("a")), row("c", 2, kept("b")), row("d", 3, kept("c"))],
            "b.ta c.tb d.tc",
        ),
        (
            "a ring",
            vec![row("b", 1, kept("a")), row("c", 2, kept("b")), row("a", 3, kept("c"))],
            "b.ta c.tb a.tc",
        ),
        ("new tools", vec![one("a", 9, "new", b"{}"), row("b", 2, kept("b"))], "a.new b.tb"),
        (
            "a new one under an old name",
            vec![one("a", 9, "new", b"{}"), row("z", 1, kept("a"))],
            "a.new z.ta",
        ),
        ("a failure", vec![row("a", 9, stale(Some("a"), "it ended"))], "a.ta!"),
        ("a failure of a renamed one", vec![row("z", 1, stale(Some("a"), "it ended"))], "z.ta!"),
        ("a failure of a new one", vec![row("n", 9, stale(None, "it ended"))], ""),
    ] {
        let stage = three();
        let mut registry = stage.open();
        assert_eq!(registry.replace(&rows, 200).unwrap(), [], "{story}");
        assert_eq!(tools(&mut registry), after, "{story}");
        // What is found is what is there: no words are left of what went, and none are missing.
        let mut listed: Vec<String> =
            registry.list(Kind::Tool, None).iter().map(|line| line.name.clone()).collect();
        let mut found: Vec<String> =
            registry.search("t", 9).into_iter().map(|found| found.line.name).collect();
        found.extend(registry.search("new", 9).into_iter().map(|found| found.line.name));
        listed.sort();
        found.sort();
        assert_eq!(found, listed, "{story}");
        assert_eq!(registry.servers().len(), rows.len(), "{story}");
    }
}

#[test]
fn a_failure_is_dated_from_its_first_time_and_ends_with_a_success() {
    let stage = three();
    let mut registry = stage.open();
    let fail = |registry: &mut Registry, why, now| {
        registry.replace(&[row("a", 1, stale(Some("a"), why))], now).unwrap();
        let server = registry.servers().remove(0);
        (server.seen, server.state)
    };
    let since = |why: &str| (Some(100), State::Stale { since: 200, why: why.to_owned() });
    assert_eq!(fail(&mut registry, "first", 200), since("first"));
    assert_eq!(fail(&mut registry, "second", 300), since("second"));
    assert!(registry.held()[0].stale);
    registry.replace(&[row("a", 1, kept("a"))], 350).unwrap();
    assert!(registry.held()[0].stale, "keeping it makes nothing better");
    registry.replace(&[one("a", 1, "ta", b"{}")], 400).unwrap();
    let server = registry.servers().remove(0);
    assert_eq!((server.seen, server.state), (Some(400), State::Fresh));
    registry.replace(&[row("n", 9, stale(None, "nobody there"))], 500).unwrap();
    let server = registry.servers().remove(0);
    assert_eq!((server.seen, server.counts, server.era()), (None, [0; 4], None));
}

#[test]
fn a_changed_server_that_fails_stays_under_the_launch_that_it_was_seen_with() {
    let stage = three();
    let mut registry = stage.open();
    registry.replace(&[row("a", 9, stale(Some("a"), "it ended"))], 200).unwrap();
    assert_eq!(registry.held()[0].fingerprint, Fingerprint([1; 32]));
}

#[test]
fn what_somebody_else_changed_meanwhile_is_no_loss() {
    // Another sync has renamed `a` already.
    let stage = three();
    let mut registry = stage.open();
    registry.replace(&[row("z", 1, kept("a")), row("b", 2, kept("b"))], 200).unwrap();
    assert_eq!(registry.replace(&[row("z", 1, kept("a")), row("b", 2, kept("b"))], 201).unwrap(), []);
    assert_eq!(tools(&mut registry), "z.ta b.tb");
    // Another one has dropped what was to be kept: that is told, so that it is asked again.
    let lost = registry.replace(&[row("b", 2, kept("b")), row("c", 3, kept("c"))], 202).unwrap();
    assert_eq!(lost.iter().map(ServerName::as_str).collect::<Vec<_>>(), ["c"]);
    assert_eq!(tools(&mut registry), "b.tb");
    // Another one has found what we did not.
    registry.replace(&[row("b", 2, stale(None, "busy"))], 203).unwrap();
    assert_eq!(tools(&mut registry), "b.tb!");
}

#[test]
fn a_server_is_removed_and_renamed_by_itself() {
    let stage = three();
    let mut registry = stage.open();
    let to = |text| ServerName::parse(text).unwrap();
    assert!(registry.remove("a").unwrap() && !registry.remove("a").unwrap());
    assert!(registry.rename("b", &to("z")).unwrap() && !registry.rename("b", &to("z")).unwrap());
    assert!(registry.rename("z", &to("z")).unwrap());
    assert_eq!(tools(&mut registry), "z.tb c.tc");
    assert_eq!(names(&registry.search("z", 9)), ["tb"], "it is found under its new name");
    assert!(registry.rename("z", &to("c")).unwrap());
    assert_eq!(tools(&mut registry), "c.tb");
    assert_eq!(registry.search("z", 9), []);
}
