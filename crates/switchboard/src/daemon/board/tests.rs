use std::sync::Arc;

use switchboard_core::catalogue::{self, Catalogue};
use switchboard_core::client::bridge::Bridge;
use switchboard_core::revision::{Revision, content_hash};
use switchboard_host::hash::Hash;

use super::{Board, Bulletin, Entry, KEPT, KEPT_BYTES, Next};

fn entry(number: u64, changed: &[&str], catalogue: &Catalogue) -> Entry {
    Entry {
        revision: Revision { number, hash: content_hash(catalogue), parent: None },
        at: 1_795_185_900 + number,
        reason: format!("change {number}"),
        changed: changed.iter().map(|&name| name.to_owned()).collect(),
        servers: catalogue.servers().len(),
        text: Hash::of(b""),
    }
}

fn bulletin(number: u64, changed: &[&str]) -> Bulletin {
    let text = "[servers.npm]\ncommand='npx'\n[servers.off]\ncommand='x'\nenabled=false\n";
    let catalogue = Arc::new(catalogue::parse(text).value);
    Bulletin::new(entry(number, changed, &catalogue), catalogue)
}

fn board(past: std::ops::Range<u64>, announced: std::ops::Range<u64>) -> Board {
    let past = past.map(|number| entry(number, &[&format!("p{number}")], &Catalogue::default())).collect();
    let bridge = Bridge { program: "/usr/bin/switchboard".to_owned(), ..Bridge::default() };
    let mut board = Board::new(Arc::new(past), Arc::default(), Arc::new(bridge));
    for number in announced {
        assert!(board.announce(bulletin(number, &[&format!("s{number}")])));
    }
    board
}

fn told(next: &Next) -> String {
    match next {
        Next::Nothing => "nothing".to_owned(),
        Next::Revision(one) => one.number().to_string(),
        Next::Whole(one, changed) => format!("{} whole: {}", one.number(), changed.join(" ")),
    }
}

#[test]
fn who_comes_back_is_told_each_revision_that_is_still_known() {
    let board = board(1..10, 8..12);
    for (seen, next) in [
        (11, "nothing"),
        (10, "11"),
        (9, "10"),
        (7, "8"),
        (6, "11 whole: p7 s8 s9 s10 s11"),
        (1, "11 whole: p2 p3 p4 p5 p6 p7 s8 s9 s10 s11"),
        (0, "11 whole: npm"),
        (12, "11 whole: npm"),
        (u64::MAX, "11 whole: npm"),
    ] {
        assert_eq!(told(&board.after(seen)), next, "seen {seen}");
    }
}

#[test]
fn what_is_not_known_for_sure_counts_as_changed() {
    let mut board = board(1..1, 5..7);
    assert_eq!(board.changed_since(5), ["s6"]);
    assert_eq!(board.changed_since(4), ["s5", "s6"]);
    assert_eq!(board.changed_since(3), ["npm"], "revision 4 is not known");
    assert!(board.announce(bulletin(9, &["s9"])));
    assert_eq!(board.changed_since(5), ["npm"], "7 and 8 are not known");
    assert_eq!(board.changed_since(8), ["s9"]);
    assert_eq!(board.changed_since(9), [""; 0]);
}

#[test]
fn a_board_never_goes_back() {
    let mut board = board(1..1, 5..7);
    for number in [0, 1, 5, 6] {
        assert!(!board.announce(bulletin(number, &[])), "{number}");
    }
    assert_eq!(board.number(), 6);
}

#[test]
fn the_oldest_bulletins_go() {
    let board = board(1..1, 1..200);
    assert_eq!(told(&board.after(199 - KEPT as u64)), (200 - KEPT as u64).to_string());
    assert!(told(&board.after(198 - KEPT as u64)).starts_with("199 whole"));
    let mut long = board;
    let text = format!("[servers.npm]\ncommand='{}'\n", "x".repeat(KEPT_BYTES / 2));
    let catalogue = Arc::new(catalogue::parse(&text).value);
    for number in 200..205 {
        assert!(long.announce(Bulletin::new(entry(number, &[], &catalogue), Arc::clone(&catalogue))));
    }
    assert!(long.bulletins.len() <= 2, "{}", long.bulletins.len());
    assert_eq!(long.number(), 204);
}

#[test]
fn an_event_is_one_event() {
    let one = bulletin(42, &["npm"]);
    let text = String::from_utf8(one.event().to_vec()).unwrap();
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert_eq!(text, format!("event: config_updated\nid: 42\ndata: {data}\n\n"));
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["version"], "1.42.0");
    assert_eq!(data["reason"], "change 42");
    assert_eq!(data["changed_servers"], serde_json::json!(["npm"]));
    assert_eq!(data["hash"], one.entry.revision.hash.as_str());
    let servers: serde_json::Value = serde_json::from_slice(&one.servers()).unwrap();
    assert_eq!(data["new_config"], serde_json::json!({ "mcpServers": servers }));
    assert_eq!(servers, serde_json::json!({ "npm": { "type": "stdio", "command": "npx", "args": [] } }));
    let current = String::from_utf8(one.current().to_vec()).unwrap();
    assert!(current.contains("\"reason\":\"current state\",\"changed_servers\":[\"npm\"]"), "{current}");
}

#[test]
fn before_the_first_revision_there_is_nothing_to_tell() {
    let board = board(1..1, 1..1);
    assert_eq!(told(&board.after(0)), "nothing");
    assert_eq!(told(&board.after(7)), "nothing");
    assert_eq!(&board.servers()[..], b"{}");
    assert!(board.catalogue().is_empty());
}
