//! Lists that have no end, or no sense: what can be made of them is offered, within bounds.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use switchboard_core::catalogue::Server;
use switchboard_gateway::face::Face;

use super::LIMIT;
use super::far::{CHANGED, CHANGES, Far, Story, WAYS, Way, When};
use crate::rogue::{Head, Line, json, whole};
use crate::stage::{Count, Heard, House, Wire, mark, named, ordinary, server};
use crate::still::{Still, rest};

/// What a server lists, and how many tools come of it.
const ROWS: &[(&str, usize)] = &[
    ("ten thousand tools", 10_000),
    ("the same cursor for ever", 3),
    ("another cursor for ever, and nothing new", 1),
    // So many pages as it takes to have more than enough.
    ("another cursor for ever, and always something new", 60_000),
    ("pages of seven", 700),
    ("two of one name", 1),
    ("another list each time", 1),
    ("no names", 1),
    ("no list", 0),
];

/// Returns what is listed when it is asked once more.
fn page(how: &str, asked: usize) -> String {
    match how {
        "ten thousand tools" => tools(0..10_000, ""),
        "the same cursor for ever" => tools(0..3, r#","nextCursor":"again""#),
        "another cursor for ever, and nothing new" => tools(0..1, &format!(r#","nextCursor":"{asked}""#)),
        "another cursor for ever, and always something new" => {
            tools(asked * 10_000..(asked + 1) * 10_000, &format!(r#","nextCursor":"{asked}""#))
        }
        // An empty cursor is one, too.
        "pages of seven" if asked == 0 => tools(0..7, r#","nextCursor":"""#),
        "pages of seven" if asked < 99 => {
            tools(asked * 7..(asked + 1) * 7, &format!(r#","nextCursor":"{asked}""#))
        }
        "pages of seven" => tools(asked * 7..(asked + 1) * 7, r#","nextCursor":null"#),
        "two of one name" => {
            r#"{"tools":[{"name":"t0","description":"first"},{"name":"t0","description":"second"}]}"#
                .to_owned()
        }
        "no names" => r#"{"tools":[{"name":7},{},[],null,{"name":"t0"}]}"#.to_owned(),
        "no list" => r#"{"tools":{"a":1}}"#.to_owned(),
        _ => tools(asked..=asked, ""),
    }
}

fn tools(which: impl Iterator<Item = usize>, more: &str) -> String {
    let all: Vec<String> = which.map(|at| format!(r#"{{"name":"t{at}","inputSchema":{{}}}}"#)).collect();
    format!(r#"{{"tools":[{}]{more}}}"#, all.join(","))
}

/// Lists over a pipe.
async fn listing(how: String, mut wire: Wire, asked: Arc<Count>) {
    while let Some(heard) = wire.hear().await {
        let answer = match heard.method.as_str() {
            "tools/list" => Some(heard.result(&page(&how, asked.up()))),
            "tools/call" => Some(heard.says("well")),
            _ => ordinary(&heard, &[]),
        };
        if let Some(answer) = answer {
            wire.say(answer).await;
        }
        if how == CHANGES && heard.method == "tools/list" {
            // Each look is followed by the word that there is something new.
            wire.say(CHANGED).await;
        }
    }
}

/// Lists over HTTP.
fn door(story: Story, heard: Heard, _: Head, mut line: Line) -> BoxFuture<'static, Option<Line>> {
    Box::pin(async move {
        // What begins counts from one.
        let list = heard.result(&page(story.how, story.times.now() - 1));
        if story.way == Way::Sse {
            line.say(whole(202, &[], "")).await;
            story.say(&list).await;
        } else {
            line.say(json(&list)).await;
        }
        if story.how == CHANGES {
            story.say(CHANGED).await;
        }
        Some(line)
    })
}

fn odd(how: &str) -> Server {
    Server { timeout: Some(LIMIT), ..server("odd", how) }
}

fn house(asked: &Arc<Count>) -> House {
    let asked = Arc::clone(asked);
    House::new(move |server: Server, wire: Wire| listing(mark(&server), wire, Arc::clone(&asked)))
}

#[tokio::test(start_paused = true)]
async fn odd_lists_end() {
    for (how, count) in ROWS {
        let house = house(&Arc::default());
        house.serve(odd(how)).await.unwrap();
        let mut client = house.client(Face::server(named("odd")), "{}").await;
        let listed = client.tools().await;
        assert_eq!(listed.len(), *count, "{how}");
        assert!(*count == 0 || listed[0] == "t0", "{how}");
        assert_eq!(client.outcome("1", "t0", "{}").await, "well", "{how}");
    }
}

#[tokio::test(start_paused = true)]
async fn odd_lists_of_remote_servers_end() {
    for way in WAYS {
        for (how, count) in ROWS {
            let what = format!("{way:?}: {how}");
            let far = Far::start(way, how, When::Lists, door).await;
            let still = Still::begin();
            let house = house(&Arc::default());
            house.serve(far.server()).await.unwrap();
            let mut client = still.at_once(&what, house.client(Face::server(named("odd")), "{}")).await;
            let listed = still.at_once(&what, client.tools()).await;
            assert_eq!(listed.len(), *count, "{what}");
            assert!(*count == 0 || listed[0] == "t0", "{what}");
            // A page costs the server work: a hundred that bring nothing new are enough.
            assert!(far.story.times.now() <= 110, "{what}: {}", far.story.times.now());
            let outcome = still.at_once(&what, client.outcome("1", "t0", "{}")).await;
            assert_eq!(outcome, "well", "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_changes_and_changes_is_looked_at_at_growing_distances() {
    let asked = Arc::default();
    let house = house(&asked);
    house.serve(odd(CHANGES)).await.unwrap();
    let mut client = house.client(Face::server(named("odd")), "{}").await;
    let before = asked.now();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    let looks = asked.now() - before;
    assert!((50..=70).contains(&looks), "about once a second: {looks}");
    assert_eq!(client.outcome("1", "t0", "{}").await, "well");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_changes_and_changes_on_a_remote_server_is_looked_at_no_more_often() {
    for way in WAYS {
        let far = Far::start(way, CHANGES, When::Lists, door).await;
        let still = Still::begin();
        let house = house(&Arc::default());
        house.serve(far.server()).await.unwrap();
        let mut client = still.at_once("a client", house.client(Face::server(named("odd")), "{}")).await;
        let before = far.story.times.now();
        for _ in 0..100 {
            rest().await;
            tokio::time::advance(LIMIT / 25).await;
        }
        let looks = far.story.times.now() - before;
        assert!((10..=25).contains(&looks), "{way:?}: about once a second for 20 s: {looks}");
        assert_eq!(still.at_once("a call", client.outcome("1", "t0", "{}")).await, "well");
    }
}
