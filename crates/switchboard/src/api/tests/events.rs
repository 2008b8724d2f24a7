//! The event stream: nothing missed, nothing twice, never back.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use testkit::tools::is_soak;

use super::{Fake, request, with};

/// Somebody who follows, and reads only when asked to.
struct Reader(Body);

impl Reader {
    async fn of(fake: &Fake, asked: Request<Body>) -> Self {
        let reply = fake.api.answer(asked).await;
        assert_eq!(reply.status(), StatusCode::OK);
        assert_eq!(reply.headers()["content-type"], "text/event-stream");
        let mut reader = Self(reply.into_body());
        assert_eq!(reader.bytes().await.unwrap(), "retry: 2000\n\n");
        reader
    }

    async fn new(fake: &Fake) -> Self {
        Self::of(fake, request("GET", EVENTS)).await
    }

    async fn since(fake: &Fake, id: &str) -> Self {
        Self::of(fake, with(request("GET", EVENTS), "last-event-id", id)).await
    }

    async fn bytes(&mut self) -> Option<Bytes> {
        Some(self.0.frame().await?.unwrap().into_data().unwrap())
    }

    /// The next event: its id, its reason, the servers that changed.
    async fn event(&mut self) -> (u64, String, Vec<String>) {
        let bytes = tokio::time::timeout(Duration::from_secs(60), self.bytes()).await;
        let bytes = bytes.expect("an event comes").expect("the stream goes on");
        let text = std::str::from_utf8(&bytes).unwrap();
        let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).unwrap();
        let data: serde_json::Value = serde_json::from_str(line("data: ")).unwrap();
        let id: u64 = line("id: ").parse().unwrap();
        assert_eq!(line("event: "), "config_updated");
        assert_eq!(data["version"], format!("1.{id}.0"));
        assert!(data["new_config"]["mcpServers"].is_object());
        let changed = serde_json::from_value(data["changed_servers"].clone()).unwrap();
        (id, data["reason"].as_str().unwrap().to_owned(), changed)
    }
}

const EVENTS: &str = "/api/mcp/_config/events";

/// A catalogue of one server that differs each time.
fn one(number: u64) -> String {
    format!("[servers.npm]\ncommand='npx'\nargs=['{number}']\n")
}

fn event(id: u64, reason: &str) -> (u64, String, Vec<String>) {
    (id, reason.to_owned(), vec!["npm".to_owned()])
}

#[tokio::test]
async fn who_comes_first_is_told_what_is_and_then_what_becomes() {
    let fake = Fake::new("");
    fake.announce(&one(1));
    fake.announce(&one(2));
    let mut reader = Reader::new(&fake).await;
    assert_eq!(reader.event().await, event(2, "current state"));
    fake.announce(&one(3));
    assert_eq!(reader.event().await, event(3, "server 'npm': args changed"));
    fake.announce("");
    assert_eq!(reader.event().await, event(4, "server 'npm' removed"));
}

#[tokio::test(start_paused = true)]
async fn before_the_first_revision_there_is_only_a_beat() {
    let fake = Fake::new("");
    let mut reader = Reader::new(&fake).await;
    assert_eq!(reader.bytes().await.unwrap(), ": ping\n\n");
    fake.announce(&one(1));
    assert_eq!(reader.event().await, event(1, "server 'npm' added"), "it is news to who was there");
    for _ in 0..3 {
        let begun = tokio::time::Instant::now();
        assert_eq!(reader.bytes().await.unwrap(), ": ping\n\n");
        assert_eq!(begun.elapsed(), Duration::from_secs(15));
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_misses_nothing() {
    let fake = Fake::new("");
    for number in 1..=5 {
        fake.announce(&one(number));
    }
    let mut reader = Reader::since(&fake, "2").await;
    for id in 3..=5 {
        assert_eq!(reader.event().await, event(id, "server 'npm': args changed"));
    }
    let mut by_query = Reader::of(&fake, request("GET", &format!("{EVENTS}?last_event_id=4"))).await;
    assert_eq!(by_query.event().await.0, 5);
    let mut newest = Reader::since(&fake, "5").await;
    assert_eq!(newest.bytes().await.unwrap(), ": ping\n\n", "there is nothing new");
    fake.announce(&one(6));
    for mut reader in [reader, by_query, newest] {
        assert_eq!(reader.event().await, event(6, "server 'npm': args changed"));
    }
    for unknown in
        ["7", "999999", "18446744073709551615", "18446744073709551616", "-1", "x", "", "0", "1.2.0"]
    {
        let mut reader = Reader::since(&fake, unknown).await;
        assert_eq!(reader.event().await, event(6, "current state"), "{unknown:?}");
        assert_eq!(reader.bytes().await.unwrap(), ": ping\n\n", "{unknown:?}: and once only");
    }
}

#[tokio::test]
async fn who_was_away_for_too_long_gets_the_newest_state() {
    let fake = Fake::new("");
    for number in 1..=200 {
        fake.announce(&one(number));
    }
    let mut reader = Reader::since(&fake, "3").await;
    assert_eq!(reader.event().await, event(200, "current state"));
    fake.announce(&one(201));
    assert_eq!(reader.event().await.0, 201);
}

#[tokio::test]
async fn who_reads_slowly_goes_forward_and_reaches_the_end() {
    let fake = Fake::new("");
    fake.announce(&one(1));
    let mut reader = Reader::new(&fake).await;
    assert_eq!(reader.event().await.0, 1);
    let mut last = 1;
    let mut number = 1;
    // Ever more happens between two looks.
    for more in [1, 10, 50, 64, 65, 200, 1000] {
        for _ in 0..more {
            number += 1;
            fake.announce(&one(number));
        }
        let mut told = 0;
        while last < number {
            let (id, _, changed) = reader.event().await;
            assert!(id > last, "{id} after {last}");
            assert_eq!(changed, ["npm"]);
            last = id;
            told += 1;
        }
        assert!(told <= 64, "what was kept for the reader is bounded, and {told} came");
    }
}

#[tokio::test]
async fn all_who_follow_share_the_same_bytes() {
    let fake = Fake::new("");
    fake.announce(&one(1));
    let mut readers =
        [Reader::new(&fake).await, Reader::new(&fake).await, Reader::since(&fake, "junk").await];
    let mut seen = Vec::new();
    for reader in &mut readers {
        seen.push(reader.bytes().await.unwrap().as_ptr());
    }
    fake.announce(&one(2));
    for reader in &mut readers {
        seen.push(reader.bytes().await.unwrap().as_ptr());
    }
    assert!(seen[..3].iter().all(|at| *at == seen[0]) && seen[3..].iter().all(|at| *at == seen[3]));
}

#[tokio::test]
async fn thousands_follow_and_all_reach_the_last_revision() {
    let fake = Fake::new("");
    fake.announce(&one(1));
    let mut readers = Vec::new();
    for _ in 0..2000 {
        readers.push(Reader::new(&fake).await);
    }
    let followers = tokio_util::task::TaskTracker::new();
    let done: Vec<_> = readers
        .into_iter()
        .map(|mut reader| {
            followers.spawn(async move {
                let mut last = 0;
                while last < 300 {
                    let (id, ..) = reader.event().await;
                    assert!(id > last, "{id} after {last}");
                    last = id;
                }
                last
            })
        })
        .collect();
    for number in 2..=300 {
        fake.announce(&one(number));
        tokio::task::yield_now().await;
    }
    for reader in done {
        assert_eq!(reader.await.unwrap(), 300);
    }
    let told = fake.get("/metrics").await;
    assert!(told.text().contains("switchboard_sse_subscribers 0"), "their places are free again");
}

#[tokio::test]
async fn the_streams_end_with_the_daemon_and_when_they_are_switched_off() {
    let fake = Fake::new("");
    fake.announce(&one(1));
    let mut reader = Reader::new(&fake).await;
    reader.event().await;
    let mut board = super::Board::clone(&fake.board.borrow());
    let mut settings = switchboard_core::settings::Settings::clone(&board.settings);
    settings.client_sync.sse_push_enabled = false;
    board.settings = std::sync::Arc::new(settings);
    let before = fake.board.send_replace(std::sync::Arc::new(board));
    assert_eq!(reader.bytes().await, None);
    let told = fake.get(EVENTS).await;
    assert_eq!(told.status, StatusCode::NOT_FOUND);
    assert!(told.json()["hints"][0].as_str().unwrap().contains("sse_push_enabled"));
    fake.board.send_replace(before);
    let mut reader = Reader::new(&fake).await;
    reader.event().await;
    fake.drain.cancel();
    assert_eq!(reader.bytes().await, None);
}

#[tokio::test]
async fn there_is_room_for_so_many_and_no_more() {
    let fake = Fake::new("");
    let mut all = Vec::new();
    for _ in 0..20_000 {
        all.push(fake.api.answer(request("GET", EVENTS)).await);
    }
    assert!(all.iter().all(|reply| reply.status() == StatusCode::OK));
    let told = fake.get(EVENTS).await;
    assert_eq!((told.status, told.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "10"));
    all.pop();
    assert_eq!(fake.api.answer(request("GET", EVENTS)).await.status(), StatusCode::OK);
    assert_eq!(fake.ask(request("HEAD", EVENTS)).await.status, StatusCode::OK);
    drop(all);
    assert_eq!(fake.api.0.streams.count(), 0);
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn one_in(&mut self, sides: u64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).is_multiple_of(sides)
    }
}

/// Reads what there is for somebody who has seen `last`; everything must be whole, and lie ahead.
fn glance(reader: &mut Reader, last: &mut u64) {
    // Without this the runtime would find after some reads that others should have their turn, and there are none.
    while let Some(Some(bytes)) = tokio::task::unconstrained(reader.bytes()).now_or_never() {
        let text = std::str::from_utf8(&bytes).unwrap();
        let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) else { continue };
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        let said = data["new_config"]["mcpServers"]["npm"]["args"][0].as_str().unwrap();
        let id: u64 = said.parse().unwrap();
        assert!(
            text.contains(&format!("\nid: {id}\n")) && data["version"] == format!("1.{id}.0"),
            "torn: {text}"
        );
        assert!(id > *last, "{id} after {last}");
        *last = id;
    }
}

#[tokio::test]
async fn whoever_comes_and_goes_ends_with_the_last_revision() {
    let (count, revisions) = if is_soak() { (1000, 10_000) } else { (40, 1000) };
    let fake = Fake::new("");
    fake.announce(&one(1));
    let mut dice = Dice(7);
    let mut all: Vec<(Option<Reader>, u64)> = (0..count).map(|_| (None, 0)).collect();
    for number in 2..=revisions {
        fake.announce(&one(number));
        for (reader, last) in &mut all {
            // Some stay away for longer than anything is kept.
            if reader.is_none() && dice.one_in(100) {
                let back = if *last == 0 {
                    Reader::new(&fake).await
                } else {
                    Reader::since(&fake, &last.to_string()).await
                };
                *reader = Some(back);
            }
            if dice.one_in(50) {
                *reader = None;
            } else if let Some(reader) = reader.as_mut().filter(|_| dice.one_in(5)) {
                glance(reader, last);
            }
        }
    }
    for (reader, last) in &mut all {
        let mut reader = match reader.take() {
            Some(reader) => reader,
            None => Reader::since(&fake, &last.to_string()).await,
        };
        while *last < revisions {
            glance(&mut reader, last);
            tokio::task::yield_now().await;
        }
    }
}
