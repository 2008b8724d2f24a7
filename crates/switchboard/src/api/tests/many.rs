//! Very many who follow, in a process of their own: how soon a change reaches all, and what each costs.
//!
//! In a soak (`SWITCHBOARD_SOAK=1`) there are ten thousand, and the figures are printed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use switchboard_core::settings::Http;
use testkit::tools::is_soak;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::super::door;
use super::Fake;

/// Tells the other process whom to follow, and how many times: `ADDRESS COUNT`.
const ROLE: &str = "SWITCHBOARD_TEST_FOLLOW";

/// What one who follows may cost the daemon, in bytes.
const MOST: usize = 10 * 1024;

#[test]
fn a_change_reaches_thousands_and_none_of_them_costs_much() {
    if let Some(role) = role() {
        let (at, count) = role.split_once(' ').unwrap();
        return all_follow(at.parse().unwrap(), count.parse().unwrap());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(serve(if is_soak() { 10_000 } else { 500 }));
}

#[expect(clippy::disallowed_methods, reason = "this test is two processes, which differ in this")]
fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

async fn serve(count: usize) {
    let fake = Fake::new("");
    fake.announce("[servers.npm]\ncommand='npx'\nargs=['1']\n");
    let http = Http { listen: "127.0.0.1:0".to_owned(), auth: "token".to_owned() };
    let doors = door::open(&http).unwrap().doors;
    let at = doors[0].address().unwrap();
    let tasks = TaskTracker::new();
    tasks.spawn(door::serve(
        doors,
        fake.api.clone(),
        fake.drain.clone(),
        door::Grace::new(Duration::from_secs(1)),
    ));

    let before = resident();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "api::tests::many::a_change_reaches_thousands_and_none_of_them_costs_much",
        ])
        .env(ROLE, format!("{at} {count}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    lines = wait(lines, "ready").await;
    let each = resident().saturating_sub(before) / count;
    assert_eq!(fake.api.0.streams.count(), count);

    let begun = Instant::now();
    fake.announce("[servers.npm]\ncommand='npx'\nargs=['2']\n");
    lines = wait(lines, "done").await;
    let took = begun.elapsed();
    println!("{count} follow: a change reached all of them within {took:?}, each costs {each} bytes");
    // So few that what the daemon needs for itself counts as theirs say nothing.
    assert!(!is_soak() || each < MOST, "each costs {each} bytes");

    fake.drain.cancel();
    tasks.close();
    tasks.wait().await;
    let status = tokio::task::spawn_blocking(move || {
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        child.wait().unwrap()
    });
    assert!(status.await.unwrap().success());
}

/// Waits until the other process says so.
async fn wait(mut lines: BufReader<ChildStdout>, word: &'static str) -> BufReader<ChildStdout> {
    let wait = move || {
        let mut line = String::new();
        while !line.ends_with(&format!("{word}\n")) {
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended: {line}");
        }
        lines
    };
    tokio::task::spawn_blocking(wait).await.unwrap()
}

/// How much memory this process has, in bytes.
#[expect(clippy::disallowed_methods, reason = "this file is the system's")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().map_or(0, |kilobytes: usize| kilobytes * 1024)
}

/// The other process.
fn all_follow(at: SocketAddr, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(at).await.unwrap();
            let asked = format!("GET /api/mcp/_config/events HTTP/1.1\r\nHost: {at}\r\n\r\n");
            stream.write_all(asked.as_bytes()).await.unwrap();
            streams.push((stream, Vec::new()));
        }
        read_all(&mut streams, "id: 1\n").await;
        println!("ready");
        read_all(&mut streams, "id: 2\n").await;
        println!("done");
    });
}

async fn read_all(streams: &mut [(TcpStream, Vec<u8>)], end: &str) {
    for (stream, read) in streams {
        let has = |read: &[u8]| {
            read.windows(end.len()).any(|part| part == end.as_bytes()) && read.ends_with(b"\n\n")
        };
        while !has(read) {
            assert!(stream.read_buf(read).await.unwrap() > 0, "the stream ended");
        }
        read.clear();
    }
}
