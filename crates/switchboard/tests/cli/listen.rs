//! `listen`.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::home::FakeHome;
use testkit::servers::config::{ConfigServer, Fault, ROUTES, Route};

use crate::{CURSOR, home};

/// A hang is noticed after this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a person has in the file: an entry of their own, a comment, and something that is none of ours.
const OWN: &str = r#"{
  // mine
  "mcpServers": {
    "own": { "command": "own-mcp", "autoApprove": ["read"] }, // keep
  },
  "theme": "dark",
}
"#;

pub(crate) fn one() -> Value {
    json!({ "files": { "command": "files-mcp", "args": ["/tmp"] } })
}

pub(crate) fn two() -> Value {
    json!({ "files": { "command": "files-mcp", "args": ["/tmp"] }, "web": { "url": "https://web.example/mcp" } })
}

/// A listener that goes on, with what it says.
pub(crate) struct Listener {
    child: Child,
    said: Receiver<String>,
    all: Vec<String>,
    /// Those of `all` that no test has waited for yet. Its two streams are not in step with one another.
    waiting: Vec<String>,
}

impl Listener {
    pub(crate) fn start(home: &FakeHome, words: &[&str]) -> Self {
        let mut child = home.command(words).spawn().unwrap();
        let (send, said) = channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = send.send(line);
                }
            });
        }
        Self { child, said, all: Vec::new(), waiting: Vec::new() }
    }

    /// Waits until a line holds this.
    #[track_caller]
    pub(crate) fn hears(&mut self, needle: &str) -> String {
        loop {
            if let Some(at) = self.waiting.iter().position(|line| line.contains(needle)) {
                return self.waiting.remove(at);
            }
            let line = self.said.recv_timeout(PATIENCE).ok();
            assert!(line.is_some(), "`{needle}` was not said, but:\n{}", self.all.join("\n"));
            let line = line.unwrap();
            self.all.push(line.clone());
            self.waiting.push(line);
        }
    }

    /// Ends it by a signal, and returns its exit code with all that it said.
    pub(crate) fn end(mut self, signal: rustix::process::Signal) -> (Option<i32>, String) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
        let code = self.child.wait().unwrap().code();
        while let Ok(line) = self.said.recv_timeout(PATIENCE) {
            self.all.push(line);
        }
        (code, std::mem::take(&mut self.all).join("\n"))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn once(home: &FakeHome, server: &ConfigServer, more: &str) -> testkit::home::Output {
    home.run(&format!("listen {} --once {more}", server.origin))
}

#[test]
fn a_clients_file_gets_what_is_there_and_keeps_what_is_its_own() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write(CURSOR, OWN);
    let refused = once(&home, &server, "--client cursor");
    assert_eq!(refused.code, 5, "{refused}");
    assert!(refused.stdout.contains("runs   files-mcp /tmp"), "{refused}");
    assert_eq!(home.text(CURSOR), OWN);

    let written = once(&home, &server, "--client cursor --yes");
    assert_eq!(written.code, 0, "{written}");
    let text = home.text(CURSOR);
    assert!(text.contains("\"files\"") && text.contains("files-mcp"), "{text}");
    assert!(
        text.contains("\"own\": { \"command\": \"own-mcp\", \"autoApprove\": [\"read\"] }, // keep"),
        "{text}"
    );

    let before = home.tree();
    let again = once(&home, &server, "--client cursor");
    assert!(again.code == 0 && again.stdout.contains("in step"), "{again}");
    assert_eq!(before.changes(&home.tree()), Vec::<String>::new());

    // A later write is not asked about; what is new is shown.
    server.change(two());
    let more = once(&home, &server, "--client cursor");
    assert_eq!(more.code, 0, "{more}");
    assert!(
        more.stdout.contains("calls  https://web.example/mcp") && more.stdout.contains("add `web`"),
        "{more}"
    );

    // What is gone there goes here, and then the file is to the byte what it was.
    server.change(json!({}));
    let gone = once(&home, &server, "--client cursor");
    assert_eq!(gone.code, 0, "{gone}");
    assert_eq!(home.text(CURSOR), OWN);
}

#[test]
fn entries_that_did_not_come_from_there_are_not_taken_away() {
    let home = home();
    let file = r#"{ "mcpServers": { "mine": { "command": "files-mcp", "args": ["/tmp"] } } }"#;
    home.write(CURSOR, file);
    // The home itself keeps an entry in the same file.
    home.run_words(["server", "add", "bridged", "--", "bridged-mcp"]);
    home.ok("client link cursor");
    home.ok("client push cursor --yes");
    let before = home.text(CURSOR);
    let server = ConfigServer::start(two()).unwrap();
    // The client runs the first server itself already: it is not given it a second time.
    let output = once(&home, &server, "--client cursor --yes");
    assert_eq!(output.code, 0, "{output}");
    let text = home.text(CURSOR);
    assert!(text.contains("\"web\"") && !text.contains("\"files\""), "{text}");
    server.change(json!({}));
    assert_eq!(once(&home, &server, "--client cursor").code, 0);
    assert_eq!(home.text(CURSOR), before);
    assert!(home.ok("client diff cursor --json").json()[0]["pending"].as_array().unwrap().is_empty());
}

#[test]
fn what_a_person_edited_is_reported_and_stays() {
    let (home, server) = (home(), ConfigServer::start(two()).unwrap());
    home.write(CURSOR, OWN);
    assert_eq!(once(&home, &server, "--client cursor --yes").code, 0);
    home.edit(CURSOR, "/tmp", "/home");
    let mut three = two();
    three["third"] = json!({ "command": "third-mcp" });
    server.change(three.clone());
    let drift = once(&home, &server, "--client cursor");
    assert_eq!(drift.code, 0, "{drift}");
    assert!(drift.stderr.contains("`files` was edited by somebody else; it is left so"), "{drift}");
    assert!(home.text(CURSOR).contains("/home") && home.text(CURSOR).contains("third-mcp"));

    // Both sides changed it: a conflict, told again each time.
    three["files"]["args"] = json!(["/var"]);
    server.change(three);
    for _ in 0..2 {
        let conflict = once(&home, &server, "--client cursor");
        assert_eq!(conflict.code, 5, "{conflict}");
        assert!(home.text(CURSOR).contains("/home") && !home.text(CURSOR).contains("/var"));
    }
}

#[test]
fn whatever_goes_wrong_there_the_file_here_stays_or_becomes_right() {
    let many = |faults: &[(Route, Fault)]| faults.to_vec();
    let all = |fault: Fault| ROUTES.iter().map(|route| (*route, fault.clone())).collect::<Vec<_>>();
    let status = |code: u16| Fault::Status(code, Vec::new());
    let says = |text: &str| Fault::Says(text.to_owned());
    let client = |text: &str| vec![(Route::Client, says(text))];
    // What goes wrong, the exit code, what is said, and whether the file has the second revision at the end.
    type Case = (&'static str, Vec<(Route, Fault)>, i32, &'static str, bool);
    let table: Vec<Case> = vec![
        ("nothing", vec![], 0, "add `web`", true),
        ("there are no events", many(&[(Route::Events, status(404))]), 0, "add `web`", true),
        ("there is no version", many(&[(Route::Version, status(404))]), 0, "add `web`", true),
        (
            "there are only events",
            many(&[(Route::Version, status(404)), (Route::Config, status(500))]),
            0,
            "add `web`",
            true,
        ),
        ("nothing is there", all(status(404)), 1, "it answered 404 Not Found", false),
        ("it wants a token", all(status(401)), 1, "--token '${env:NAME}'", false),
        ("it is busy", all(Fault::Status(503, vec![("retry-after", "7".to_owned())])), 1, "503", false),
        (
            "it is just starting",
            many(&[(Route::Version, Fault::Status(503, vec![("retry-after", "1".to_owned())]))]),
            0,
            "add `web`",
            true,
        ),
        ("it hangs up", all(Fault::HangsUp), 1, "hint:", false),
        ("it is another program", all(says("<html>hello</html>")), 1, "it is not JSON", false),
        ("it is an empty answer", all(says("")), 1, "it is not JSON", false),
        ("it is JSON of another kind", all(says("{\"ok\":true}")), 1, "it has no `version`", false),
        ("its answers are endless", all(Fault::Endless), 1, "longer than 16 MiB", false),
        ("its answers drip", all(Fault::Drips), 0, "add `web`", true),
        ("its answers break off", all(Fault::Breaks), 1, "the connection broke", false),
        ("the file is garbage", client("<html>"), 1, "not to be understood", false),
        ("the file is of another kind", client("{\"error\":\"x\"}"), 1, "it has no `mcpServers`", false),
        ("the file is cut off", client("{\"mcpServers\":{\"web\":{"), 1, "not to be understood", false),
        ("the file is suddenly empty", client("{\"mcpServers\":{}}"), 1, "suddenly gives none", false),
        ("the file is suddenly blank", client(""), 1, "suddenly gives none", false),
        ("an entry is wrong", client("{\"mcpServers\":{\"web\":{\"url\":1}}}"), 1, "entry `web`", false),
        ("the file breaks off", many(&[(Route::Client, Fault::Breaks)]), 1, "the connection broke", false),
        (
            "it sends us elsewhere",
            all(Fault::Status(302, vec![("location", "http://127.0.0.1:1/x".to_owned())])),
            1,
            "redirects to http://127.0.0.1:1, which was not named",
            false,
        ),
        (
            "it sends us around in circles",
            all(Fault::Status(302, vec![("location", "/api/mcp/_version".to_owned())])),
            1,
            "redirects again and again",
            false,
        ),
    ];
    for (story, faults, code, says, newer) in table {
        let (home, server) = (home(), ConfigServer::start(one()).unwrap());
        home.write(CURSOR, OWN);
        assert_eq!(once(&home, &server, "--client cursor --yes").code, 0, "{story}");
        let first = home.text(CURSOR);
        server.change(two());
        for (route, fault) in &faults {
            server.fault(&[*route], fault);
        }
        let output = once(&home, &server, "--client cursor");
        assert_eq!(output.code, code, "{story}: {output}");
        assert!(output.all().contains(says), "{story}: {output}");
        assert_eq!(home.text(CURSOR) != first, newer, "{story}: {}", home.text(CURSOR));
        // Once all is well again, so is the file.
        server.mend();
        assert_eq!(once(&home, &server, "--client cursor").code, 0, "{story}");
        assert!(home.text(CURSOR).contains("web.example"), "{story}");
    }
}

#[test]
fn a_switchboard_that_begins_anew_is_taken_whole() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write(CURSOR, OWN);
    for _ in 0..5 {
        server.change(two());
    }
    assert_eq!(once(&home, &server, "--client cursor --yes").code, 0);
    server.begin_anew(json!({ "new": { "command": "new-mcp" } }));
    let output = once(&home, &server, "--client cursor");
    assert_eq!(output.code, 0, "{output}");
    assert!(output.stderr.contains("it stands at revision 1 and knows nothing of 6"), "{output}");
    let text = home.text(CURSOR);
    assert!(text.contains("new-mcp") && !text.contains("web.example") && text.contains("own-mcp"), "{text}");
}

#[test]
fn the_token_goes_along_and_is_never_shown() {
    let (mut home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.set("TEAM_TOKEN", "s3cret-token");
    let output = home.run_words(["listen", &server.origin, "--once", "--token", "${env:TEAM_TOKEN}"]);
    assert_eq!(output.code, 0, "{output}");
    let requests = server.requests();
    assert!(requests.iter().all(|one| one.header("authorization") == Some("Bearer s3cret-token")));
    assert_eq!(home.tree().holding("s3cret-token"), Vec::<String>::new());

    for (words, code, said) in [
        (["--token", "s3cret-token"], 2, "it stands on the command line itself"),
        (["--token", "${env:NOT_SET}"], 1, "`NOT_SET` is not set"),
        (["--interval", "1ms"], 2, "less than a second"),
        (["--client", "cursr"], 2, "did you mean `cursor`?"),
    ] {
        let output = home.run_words(["listen", &server.origin, "--once"].iter().chain(&words));
        assert_eq!(output.code, code, "{output}");
        assert!(output.stderr.contains(said) && !output.all().contains("s3cret"), "{output}");
    }
    let output = home.run("listen host:8080 --once");
    assert_eq!(output.code, 2, "{output}");
}

#[test]
fn revisions_are_told_as_lines() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    let mut listener = Listener::start(&home, &["listen", &server.origin]);
    listener.hears("following by its events");
    assert_eq!(listener.hears("1.1.0"), "1.1.0  1 server: it began");
    server.change(two());
    assert_eq!(listener.hears("1.2.0"), "1.2.0  2 servers: change 2");
    let (code, said) = listener.end(rustix::process::Signal::INT);
    assert_eq!(code, Some(0), "{said}");

    // It goes on where it ended, and says nothing twice.
    let mut listener =
        Listener::start(&home, &["listen", "--json", &format!("{}/api/mcp/_config/events", server.origin)]);
    listener.hears("following by its events");
    server.change(one());
    let line: Value = serde_json::from_str(&listener.hears("version")).unwrap();
    assert_eq!(line["version"], "1.3.0");
    assert_eq!(line["new_config"]["mcpServers"], one());
    let (code, said) = listener.end(rustix::process::Signal::TERM);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("1.2.0"), "{said}");
    let requests = server.requests();
    let last = requests.iter().rfind(|one| one.path.ends_with("/events")).unwrap();
    assert_eq!(last.header("last-event-id"), Some("2"));
}

#[test]
fn a_file_follows_through_drops_and_restarts() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write(CURSOR, OWN);
    let words = ["listen", &server.origin, "--client", "cursor", "--yes"];
    let mut listener = Listener::start(&home, &words);
    listener.hears("add `files` (revision 1)");
    server.cut();
    server.change(two());
    listener.hears("add `web` (revision 2)");
    // An echo of what was: passed over, and said.
    server.say(1, &ConfigServer::data(1, &json!({})));
    listener.hears("revision 1 came after 2: it is passed over");
    assert!(home.text(CURSOR).contains("web.example"));
    // Garbage is said; another way is found, and nothing is lost.
    server.say(3, "{\"version\":");
    listener.hears(
        "following by asking for its version every 30 s (its events: an event of it is not to be understood",
    );
    let (code, said) = listener.end(rustix::process::Signal::TERM);
    assert_eq!(code, Some(0), "{said}");
    server.change(json!({}));
    let mut listener = Listener::start(&home, &words);
    listener.hears("remove `files`, remove `web` (revision 3)");
    assert_eq!(home.text(CURSOR), OWN);
}

#[test]
fn no_servers_are_taken_when_they_are_meant_and_not_when_not() {
    let (home, server) = (home(), ConfigServer::start(two()).unwrap());
    assert_eq!(once(&home, &server, "").stdout, "1.1.0  2 servers\n");
    server.change(two());
    let empty = r#"{"version":"1.2.0","hash":"sha256:a2","mcpServers":{}}"#;
    server.fault(&[Route::Config], &Fault::Says(empty.to_owned()));
    server.fault(&[Route::Events], &Fault::Says(ConfigServer::data(2, &json!({}))));
    let output = once(&home, &server, "");
    assert_eq!(output.code, 1, "{output}");
    assert!(output.stderr.contains("suddenly has none of its 2 servers"), "{output}");
    server.mend();
    server.change(json!({}));
    assert_eq!(once(&home, &server, "").stdout, "1.3.0  0 servers\n");
}

#[test]
fn a_dry_run_shows_and_changes_nothing() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write(CURSOR, OWN);
    let before = home.tree();
    for (more, said) in
        [("", "1.1.0  1 server"), ("--exec /bin/true", "would be run"), ("--client cursor", "→ add `files`")]
    {
        let output = home.ok(&format!("listen {} --dry-run {more}", server.origin));
        assert!(output.stdout.contains(said), "{more}: {output}");
        assert_eq!(before.changes(&home.tree()), Vec::<String>::new(), "{more}");
    }
}

#[test]
fn what_was_written_can_be_looked_at_and_taken_back() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write(CURSOR, OWN);
    let shown = home.ok(&format!("listen {} --client cursor --dry-run", server.origin));
    assert!(shown.stdout.contains("→ add `files`") && shown.stdout.contains("+    \"files\""), "{shown}");
    assert_eq!(home.text(CURSOR), OWN);
    let written = once(&home, &server, "--client cursor --yes");
    let undo = written.stderr.split('`').find(|text| text.starts_with("switchboard client undo")).unwrap();
    let id = undo.rsplit(' ').next().unwrap();
    assert!(home.ok(&format!("client history {id}")).stdout.contains("add `files`"));
    home.ok(undo.strip_prefix("switchboard ").unwrap());
    assert_eq!(home.text(CURSOR), OWN);
    server.change(two());
    assert_eq!(once(&home, &server, "--client cursor").code, 0);
    assert_ne!(home.text(CURSOR), OWN);
    home.ok("uninstall --yes");
    assert_eq!(home.text(CURSOR), OWN);
}

#[test]
fn each_kind_of_file_is_kept_in_its_own_way() {
    for (client, path, text, theirs) in [
        (
            "codex",
            ".codex/config.toml",
            "# mine\nmodel = \"x\"\n\n[mcp_servers.own]\ncommand = \"own\" # keep\n",
            "[mcp_servers.files]\ncommand = \"files-mcp\"\nargs = [\"/tmp\"]\n",
        ),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            "{\n  // mine\n  \"inputs\": [],\n}\n",
            r#"{ "servers": { "files": { "type": "stdio", "command": "files-mcp" } } }"#,
        ),
        (
            "claude",
            ".config/Claude/claude_desktop_config.json",
            "{\n  \"theme\": 1\n}\n",
            r#"{ "mcpServers": { "files": { "command": "files-mcp" } } }"#,
        ),
    ] {
        let (home, server) = (home(), ConfigServer::start(one()).unwrap());
        home.write(path, text);
        server.fault(&[Route::Client], &Fault::Says(theirs.to_owned()));
        let output = once(&home, &server, &format!("--client {client} --yes"));
        assert_eq!(output.code, 0, "{client}: {output}");
        let now = home.text(path);
        assert!(now.contains("files-mcp"), "{client}: {now}\n{output}");
        for line in text.lines() {
            assert!(now.contains(line), "{client}: {now}");
        }
        let asked = server.requests().pop().unwrap().path;
        let id = if client == "claude" { "claude-desktop" } else { client };
        assert_eq!(asked, format!("/api/mcp/_config/{id}"));
        // And taken out again, to the byte.
        server.mend();
        server.change(json!({}));
        server.fault(&[Route::Client], &Fault::Says(String::new()));
        assert_eq!(once(&home, &server, &format!("--client {client}")).code, 0);
        assert_eq!(home.text(path), text);
    }
}

#[test]
fn a_file_that_somebody_wiped_has_a_way_back() {
    let (home, server) = (home(), ConfigServer::start(one()).unwrap());
    home.write(CURSOR, OWN);
    assert_eq!(once(&home, &server, "--client cursor --yes").code, 0);
    std::fs::remove_file(home.path(CURSOR)).unwrap();
    server.change(two());
    let refused = once(&home, &server, "--client cursor");
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("somebody wiped it"), "{refused}");
    assert!(!home.path(CURSOR).exists());
    let undo = refused.stderr.split('`').find(|text| text.starts_with("switchboard client undo")).unwrap();
    home.ok(undo.strip_prefix("switchboard ").unwrap());
    assert_eq!(home.text(CURSOR), OWN);
    assert_eq!(once(&home, &server, "--client cursor").code, 0);
    assert!(home.text(CURSOR).contains("web.example") && home.text(CURSOR).contains("own-mcp"));
}
