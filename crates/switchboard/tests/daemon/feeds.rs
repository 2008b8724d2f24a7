//! Feeds of servers: tools that are announced are known though their server never runs.

use std::fs;

use serde_json::Value;
use testkit::daemon::Daemon;
use testkit::home::FakeHome;
use testkit::servers::feed::{Fault, FeedServer};

use crate::{CATALOGUE, SETTINGS, home};

/// A server that writes down each of its starts, and has a feed.
fn entry(home: &FakeHome, feed: &FeedServer, more: &str) -> String {
    let (url, starts) = (&feed.url, home.path("starts"));
    let starts = starts.display();
    format!(
        "[servers.k8s]\ncommand = \"sh\"\nargs = [\"-c\", \"echo started >> {starts}; exit 1\"]\n\
         feed = {{ url = \"{url}\", timeout = \"5s\"{more} }}\n"
    )
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("get_pod_{number:02}")).collect()
}

fn announce(feed: &FeedServer, count: usize) {
    let names = names(count);
    feed.announce(&names.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Returns what is known of the feed.
fn standing(home: &FakeHome) -> serde_json::Value {
    home.ok("server show k8s --json").json()["live"]["feed"].clone()
}

fn wait_for_tools(daemon: &Daemon, home: &FakeHome, count: usize) {
    daemon.wait("the announcement", || standing(home)["announced"]["tools"] == count);
    // Whoever asks for tools before they are kept has the server started.
    daemon.wait_log("the registry has what servers offer now");
    let listed = || home.ok("tool list --json").json().as_array().map_or(0, Vec::len);
    daemon.wait("the registry", || listed() == count);
}

#[test]
fn tools_that_are_announced_are_listed_though_their_server_never_runs() {
    let home = home();
    let feed = FeedServer::start().unwrap();
    home.write(CATALOGUE, entry(&home, &feed, ", retry_attempts = 2"));
    announce(&feed, 8);
    let daemon = Daemon::start(&home);
    daemon.wait_log("the feed announced 8 tools");
    wait_for_tools(&daemon, &home, 8);
    announce(&feed, 16);
    wait_for_tools(&daemon, &home, 16);
    daemon.wait_log("the feed announced 16 tools server=\"k8s\" before=8 after=16");

    let (_, metrics) = daemon.get("/metrics").unwrap();
    for line in [
        "switchboard_feed_up{server=\"k8s\"} 1",
        "switchboard_feed_announcements_total{server=\"k8s\"} 2",
        "switchboard_server_up{server=\"k8s\"} 0",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }

    // The policy judges them as it judges all tools.
    home.ok("policy sync");
    assert_eq!(home.text("switchboard/config/tool-policy.toml").matches("get_pod_").count(), 16);

    // The feed is started anew.
    feed.cut();
    daemon.wait("it is listened to again", || feed.opened() == 2 && feed.open() == 1);
    feed.say("event: tools_list\ndata: <html>\n\n");
    daemon.wait("it is told", || home.ok("server show k8s").stdout.contains("it is not JSON"));
    assert_eq!(home.ok("tool list --json").json().as_array().map(Vec::len), Some(16));
    let synced = home.ok("sync").stdout;
    assert!(synced.starts_with("nothing changed: 16 tools"), "{synced}");
    assert!(!home.path("starts").exists(), "the server was never started: {}", daemon.log());

    // Somebody else's entry is none of its business; its own restarts it.
    let text = home.text(CATALOGUE);
    home.write(CATALOGUE, format!("{text}\n[servers.two]\ncommand = \"two\"\nenabled = false\n"));
    daemon.wait_log("server 'two' added");
    assert_eq!(feed.opened(), 2);
    home.ok("server disable k8s");
    daemon.wait("nobody listens", || feed.open() == 0);
    home.ok("server enable k8s");
    daemon.wait("it is listened to again", || feed.open() == 1);
    assert_eq!(feed.most(), 1, "never two at once");
}

#[test]
fn a_feed_that_was_given_up_is_tried_again_by_a_sync() {
    let home = home();
    let feed = FeedServer::start().unwrap();
    home.write(CATALOGUE, entry(&home, &feed, ", retry_attempts = 2"));
    announce(&feed, 8);
    let daemon = Daemon::start(&home);
    wait_for_tools(&daemon, &home, 8);
    feed.fault(Some(Fault::Answers(503, Vec::new(), String::new())));
    feed.cut();
    daemon.wait("it is down", || standing(&home)["state"] == "down");
    let shown = home.ok("server show k8s").to_string();
    assert!(shown.contains("given up after 2 attempts, 8 tools at "), "{shown}");
    assert!(shown.contains("it answered 503 Service Unavailable"), "{shown}");
    assert!(home.ok("status").to_string().contains("its feed is not listened to any more"));
    feed.fault(None);
    announce(&feed, 3);
    let synced = home.ok("sync").stdout;
    // The feed may have been faster than the count.
    assert!(synced.starts_with("nothing changed: "), "{synced}");
    wait_for_tools(&daemon, &home, 3);
    assert!(!home.path("starts").exists(), "the server was never started: {}", daemon.log());
}

const CONFIG: &str = "app/backend/config/mcp_config.json";

/// What another application's file says of a server that is none of ours, as its people wrote it.
const MAIL: &str = r#"{"name": "mail-send",   "risk_level": "high", "timeout": 60.0, "server": "mail"}"#;

const EIGHT: [&str; 8] = [
    "k8s-get-pods",
    "k8s-describe-pod",
    "k8s-list-nodes",
    "k8s-delete-pod",
    "k8s-create-deployment",
    "k8s-patch-service",
    "k8s-update-configmap",
    "k8s-scale-deployment",
];
const MORE: [&str; 8] = [
    "k8s-restart-deployment",
    "k8s-rollback-deployment",
    "k8s-get-logs",
    "k8s-get-services",
    "k8s-get-nodes",
    "k8s-list-events",
    "k8s-describe-node",
    "k8s-update-secret",
];

/// Returns what another application's file says of a tool.
fn exported(home: &FakeHome, name: &str) -> Value {
    let config: Value = serde_json::from_slice(&home.read(CONFIG)).unwrap_or_default();
    let mut tools = config["tools"].as_array().into_iter().flatten();
    tools.find(|tool| tool["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn an_application_follows_what_a_server_announces_and_nobody_types_a_command() {
    let home = home();
    let feed = FeedServer::start().unwrap();
    let port = feed.url.trim_end_matches("/events").rsplit(':').next().unwrap();
    let starts = home.path("starts");
    home.write(
        CATALOGUE,
        format!(
            "[servers.k8s]\ncommand = \"sh\"\nargs = [\"-c\", \"echo started >> {}; exit 1\"]\n\n\
             [servers.k8s.feed]\nhost = \"localhost\"\nport = {port}\npath = \"/events\"\ntimeout = \"30s\"\nretry_attempts = 3\n",
            starts.display()
        ),
    );
    let config = home.path(CONFIG);
    home.write(SETTINGS, format!("[[policy.export]]\npath = \"{}\"\nserver = \"k8s\"\n", config.display()));
    home.write(CONFIG, format!("{{\n  \"tools\": [\n    {MAIL}\n  ]\n}}\n"));
    let is_told = |count: usize| {
        let text = home.text(CONFIG);
        text.matches("\"server\": \"k8s\"").count() == count && text.contains(MAIL)
    };

    // The server starts, and tells what it has.
    feed.announce(&EIGHT);
    let daemon = Daemon::start(&home);
    daemon.wait("the application has eight", || is_told(8));
    assert_eq!(exported(&home, "k8s-delete-pod")["risk_level"], "high");
    assert_eq!(exported(&home, "k8s-delete-pod")["required_permissions"][0], "k8s:pod:delete");
    assert_eq!(exported(&home, "k8s-get-pods")["cache_enabled"], true);
    daemon.wait("there is a policy", || home.path("switchboard/config/tool-policy.toml").exists());

    // A person decides.
    home.ok("policy set k8s/k8s-delete-pod decision=deny");
    daemon.wait("the application is told", || exported(&home, "k8s-delete-pod")["enabled"] == false);

    // Tools are registered: eight become sixteen, and the person's word stays.
    let sixteen: Vec<&str> = EIGHT.into_iter().chain(MORE).collect();
    feed.announce(&sixteen);
    daemon.wait_log("the feed announced 16 tools server=\"k8s\" before=8 after=16");
    daemon.wait("the application has sixteen", || is_told(16));
    assert_eq!(exported(&home, "k8s-delete-pod")["enabled"], false);
    assert_eq!(
        exported(&home, "k8s-restart-deployment")["required_permissions"][0],
        "k8s:deployment:restart"
    );
    // The file as it was found is in the backups.
    let kept = home.tree().holding(MAIL);
    assert!(kept.iter().any(|path| path.contains("backups/objects")), "{kept:?}");

    // The connection is lost and comes back: the same is told again, and nothing is written.
    let written = fs::metadata(&config).unwrap().modified().unwrap();
    feed.cut();
    let again = "switchboard_feed_announcements_total{server=\"k8s\"} 3";
    daemon.wait("it is told again", || daemon.get("/metrics").is_some_and(|(_, text)| text.contains(again)));
    assert!(home.ok("policy sync").stdout.contains("as it should be"));
    assert_eq!(fs::metadata(&config).unwrap().modified().unwrap(), written);

    // One is taken away.
    feed.announce(&sixteen[..15]);
    daemon.wait("the application has fifteen", || is_told(15));
    assert!(!starts.exists(), "the server was never started: {}", daemon.log());
}
