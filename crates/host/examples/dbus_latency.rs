//! Measures how long the signal takes from its announcement to a subscriber on the bus of the session:
//! `dbus-run-session -- cargo run -p switchboard-host --features dbus --example dbus_latency`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement ends at the first trouble, and prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use switchboard_host::dbus::{Answer, Asks, Bus, Options};
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream};

const SIGNALS: usize = 500;

struct Nobody;

impl Asks for Nobody {
    fn config(&self, _: String) -> Answer<'_> {
        Box::pin(async { Err("nobody answers here".to_owned()) })
    }

    fn sync(&self) -> Answer<'_> {
        self.config(String::new())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = Options::default();
    let start = Instant::now();
    let bus = Bus::connect(&options, "{}", Arc::new(Nobody)).await.unwrap();
    println!("connect {:?}", start.elapsed());

    let subscriber = Connection::session().await.unwrap();
    let rule = MatchRule::builder().msg_type(Type::Signal).interface(options.interface.as_str());
    let rule = rule.member("ConfigUpdated").build().unwrap().to_owned();
    let mut signals = MessageStream::for_match_rule(rule, &subscriber, None).await.unwrap();
    let mut took: Vec<Duration> = Vec::with_capacity(SIGNALS);
    for revision in 0..SIGNALS {
        let version = format!(r#"{{"revision":{revision},"hash":"sha256:0","changed_servers":["npm"]}}"#);
        let start = Instant::now();
        let (announced, signal) = tokio::join!(bus.announce(&version), signals.next());
        took.push(start.elapsed());
        announced.unwrap();
        assert_eq!(signal.unwrap().unwrap().body().deserialize::<&str>().unwrap(), version);
    }
    took.sort_unstable();
    let at = |percent: usize| took[(SIGNALS - 1) * percent / 100];
    println!("{SIGNALS} signals: p50 {:?}, p99 {:?}, max {:?}", at(50), at(99), at(100));
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    println!("threads: {threads}");
}
