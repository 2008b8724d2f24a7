//! A daemon that has no descriptors left: it waits, and goes on when there are some again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use switchboard_core::settings::Http;

use super::super::door;
use super::Fake;

/// Makes this test the daemon, in a process of its own: the limit is one of the whole process.
const ROLE: &str = "SWITCHBOARD_TEST_STARVE";

/// How many descriptors the daemon may have.
const FEW: u64 = 64;

/// How much processor time it may take in a second while it can do nothing, in hundredths of a second.
const IDLE: u64 = 20;

#[test]
fn a_daemon_without_descriptors_waits_and_goes_on() {
    if is_daemon() {
        return starve();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "api::tests::starved::a_daemon_without_descriptors_waits_and_goes_on",
        ])
        .env(ROLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let at = lines.find_map(|line| line.unwrap().split_once("listening ")?.1.parse::<SocketAddr>().ok());
    let at = at.expect("it says where it listens");
    // The system takes them in; the daemon has descriptors for some.
    let all: Vec<_> = (0..FEW * 2).map(|_| TcpStream::connect(at).unwrap()).collect();
    let first = follow(&all[0], at);
    assert!(first.starts_with("HTTP/1.1 200"), "{first}");
    let begun = processor_time(child.id());
    std::thread::sleep(Duration::from_secs(1));
    let took = processor_time(child.id()) - begun;
    assert!(took < IDLE, "it took {took} hundredths of a second of doing nothing");
    drop(all);
    let told = follow(&TcpStream::connect(at).unwrap(), at);
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// Asks for something on this connection, and returns the answer's beginning.
fn follow(mut stream: &TcpStream, at: SocketAddr) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {at}\r\n\r\n").unwrap();
    let mut told = [0; 256];
    let length = stream.read(&mut told).unwrap();
    String::from_utf8_lossy(&told[..length]).into_owned()
}

/// The processor time that a process has taken, in hundredths of a second.
#[expect(clippy::disallowed_methods, reason = "this file is the system's")]
fn processor_time(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name in parentheses may hold blanks.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "this test is two processes, which differ in this")]
fn is_daemon() -> bool {
    std::env::var(ROLE).is_ok()
}

fn starve() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(FEW), ..limit }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let fake = Fake::new("");
        let http = Http { listen: "127.0.0.1:0".to_owned(), auth: "token".to_owned() };
        let doors = door::open(&http).unwrap().doors;
        println!("listening {}", doors[0].address().unwrap());
        let drain = fake.drain.clone();
        let until_end = tokio::task::spawn_blocking(move || {
            let mut rest = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut rest);
            drain.cancel();
        });
        door::serve(
            doors,
            fake.api.clone(),
            fake.drain.clone(),
            door::Grace::new(Duration::from_millis(100)),
        )
        .await;
        until_end.await.unwrap();
    });
}
