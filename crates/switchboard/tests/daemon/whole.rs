//! One change, and everybody who wants to know of it: by file, by pull, by version, by push, by D-Bus.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use testkit::bus::PrivateBus;
use testkit::daemon::Daemon;
use testkit::follower::Follower;
use testkit::home::FakeHome;

use crate::{CATALOGUE, CURSOR, append, home, wait_for};

/// A program that runs beside the test; it ends with it.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Follows a daemon from another home, into a client's file there.
fn listen(home: &FakeHome, address: &str, file: &str) -> Beside {
    home.write(file, "{\n  // theirs\n  \"mcpServers\": { \"own\": { \"command\": \"own\" } }\n}\n");
    let path = home.path(file).display().to_string();
    let url = format!("http://{address}");
    let mut command = home.command(["listen", &url, "--client", "cursor", "--path", &path, "--yes"]);
    let log = fs::File::create(home.path("listen.log")).unwrap();
    Beside(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
}

/// Runs `curl` and returns the status and what it printed.
pub(crate) fn curl(args: &[&str]) -> (u16, String) {
    let output = Command::new("curl").args(["-sS", "-w", "\n%{http_code}"]).args(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), body.to_owned())
}

#[test]
fn one_change_reaches_everybody() {
    let bus = PrivateBus::start();
    let mut home = home();
    home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    let daemon = Daemon::start(&home);
    let address = daemon.address();
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    daemon.wait_log("announcing on the session bus");

    let heard = home.path("heard");
    let monitor = bus
        .command("dbus-monitor")
        .args(["--session", "type='signal',interface='org.opdbus.MCP'"])
        .stdout(fs::File::create(&heard).unwrap())
        .spawn()
        .unwrap();
    let _monitor = Beside(monitor);
    daemon.wait("a monitor", || fs::read_to_string(&heard).unwrap().contains("NameAcquired"));
    let elsewhere = FakeHome::new(env!("CARGO_BIN_EXE_switchboard"));
    let _listener = listen(&elsewhere, &address, CURSOR);
    daemon.wait("the listener", || elsewhere.text(CURSOR).contains("\"two\""));
    let follower = Follower::new(&address, None);
    daemon.wait("the state as it is", || follower.last() > 0);
    let url = format!("http://{address}/api/mcp/_config");
    let headers = home.path("headers").display().to_string();
    curl(&[&url, "-D", &headers]);
    let head = home.text("headers").to_lowercase();
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let asked = format!("If-None-Match: {tag}");
    assert_eq!(curl(&[&url, "-H", &asked]), (304, String::new()));

    home.ok("server add three -- three-mcp");

    assert!(home.text(CURSOR).contains("\"three\""), "by file");
    let (status, body) = curl(&[&url, "-H", &asked]);
    assert!(status == 200 && body.contains("three-mcp"), "by pull: {status} {body}");
    let (_, version) = curl(&[&format!("http://{address}/api/mcp/_version")]);
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    assert_eq!(version["changed_servers"], serde_json::json!(["three"]), "by version");
    let revision = version["version"].as_str().unwrap().split('.').nth(1).unwrap().parse::<u64>().unwrap();
    daemon.wait("an event", || follower.last() == revision);
    let event = follower.seen().pop().unwrap();
    assert!(
        event.data.contains("server 'three' added") && event.data.contains("three-mcp"),
        "by push: {event:?}"
    );
    daemon.wait("the listener elsewhere", || elsewhere.text(CURSOR).contains("\"three\""));
    let text = elsewhere.text(CURSOR);
    assert!(text.contains("// theirs") && text.contains("\"own\""), "{text}");
    daemon.wait("a signal", || fs::read_to_string(&heard).unwrap().contains("three"));
    let signal = fs::read_to_string(&heard).unwrap();
    assert!(
        signal.contains("member=ConfigUpdated") && !signal.contains("three-mcp"),
        "a hint, no config: {signal}"
    );

    // What is asked over the bus is answered by the same state.
    let send = |method: &str, args: &[&str]| {
        let mut command = bus.command("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.opdbus.MCP", "/org/opdbus/MCP", method]);
        let output = command.args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let config = send("org.opdbus.MCP.GetConfig", &["string:claude"]);
    assert!(config.contains("mcpServers") && config.contains("three"), "{config}");
    assert!(send("org.opdbus.MCP.Sync", &[]).contains("cursor"));
    assert!(send("org.opdbus.MCP.GetConfig", &["string:../../etc/passwd"]).contains("there is no client"));
}

/// A source of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Saves a file as some program would.
fn save(path: &Path, text: &str, how: usize) {
    let beside = path.with_extension("tmp");
    match how {
        0 => fs::write(path, text).unwrap(),
        1 => {
            fs::write(&beside, text).unwrap();
            fs::rename(&beside, path).unwrap();
        }
        2 => {
            // In two parts, with the file open meanwhile.
            let mut file = fs::File::create(path).unwrap();
            let (one, two) = text.split_at(text.len() / 2);
            file.write_all(one.as_bytes()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(7));
            file.write_all(two.as_bytes()).unwrap();
        }
        3 => {
            fs::rename(path, path.with_extension("bak")).unwrap();
            fs::write(path, text).unwrap();
        }
        _ => {
            // Longer, then cut to length.
            let file = fs::File::options().write(true).open(path).unwrap();
            (&file).write_all(text.as_bytes()).unwrap();
            file.set_len(text.len() as u64).unwrap();
        }
    }
}

/// Random edits in random ways: in the end everybody has the last revision, and nobody ever went back.
#[test]
fn many_edits_leave_everybody_at_the_last_revision() {
    let edits = if testkit::tools::is_soak() { 1_000 } else { 120 };
    let home = home();
    let daemon = Daemon::start(&home);
    let address = daemon.address();
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let elsewhere = FakeHome::new(env!("CARGO_BIN_EXE_switchboard"));
    let _listener = listen(&elsewhere, &address, CURSOR);
    let mut followers: Vec<Follower> = (0..8).map(|_| Follower::new(&address, None)).collect();
    let mut dice = Dice(2026);
    let path = home.path(CATALOGUE);
    let mut names: BTreeSet<String> = ["one", "two"].into_iter().map(str::to_owned).collect();
    for edit in 0..edits {
        let name = format!("server-{}", dice.throw(30));
        if !names.remove(&name) {
            names.insert(name);
        }
        let servers = names.iter().map(|name| format!("[servers.{name}]\ncommand = \"{name}\"\n\n"));
        let text = format!("# edit {edit}\n{}", servers.collect::<String>());
        save(&path, &text, dice.throw(5));
        if dice.throw(10) == 0 {
            // One leaves, and comes again where it left.
            let at = dice.throw(followers.len());
            let last = followers[at].last();
            assert!(is_rising(&followers[at]), "{:?}", followers[at].seen());
            followers[at] = Follower::new(&address, Some(last).filter(|last| *last > 0));
        }
        std::thread::sleep(std::time::Duration::from_millis(dice.throw(40) as u64));
    }
    append(&home, "last");
    names.insert("last".to_owned());
    wait_for(&daemon, &home, CURSOR, "\"last\"");
    let (_, version) = curl(&[&format!("http://{address}/api/mcp/_version")]);
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    let revision = version["version"].as_str().unwrap().split('.').nth(1).unwrap().parse::<u64>().unwrap();
    for follower in &followers {
        daemon.wait("a follower at the last revision", || follower.last() == revision);
        assert!(is_rising(follower), "{:?}", follower.seen());
    }
    daemon.wait("the listener elsewhere", || elsewhere.text(CURSOR).contains("\"last\""));
    // What is ours in both files is what the catalogue says, no more and no less.
    for (home, of_its_own) in [(&home, 0), (&elsewhere, 1)] {
        let text = home.text(CURSOR);
        let all = names.iter().all(|name| text.contains(&format!("\"{name}\"")));
        assert!(all, "{text}");
        let entries = text.matches("\"command\":").count();
        assert_eq!(entries, names.len() + of_its_own, "{text}");
    }
}

fn is_rising(follower: &Follower) -> bool {
    follower.seen().windows(2).all(|pair| pair[0].id < pair[1].id)
}
