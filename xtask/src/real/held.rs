//! What real clients make of a call that is denied, that somebody is asked about, that was answered before, and of a tool
//! that became another.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::judged::ask;
use crate::clients::{self, write};
use crate::home;
use crate::interop::scripts;
use crate::process::{Process, free_port, run_bounded};
use crate::steps::program;

/// How long a call of a client may take: far more than it needs.
const LIMIT: Duration = Duration::from_secs(120);

/// The servers, each with its tools.
const SERVERS: [(&str, &[&str]); 4] = [
    ("denied", &["delete_echo"]),
    ("asked", &["send_echo"]),
    ("cached", &["get_count", "set_mark"]),
    ("pinned", &["turn"]),
];

const SETTINGS: &str = "\n[policy]\ncache = true\non_change = \"quarantine\"\n";

const POLICY: &str = "\
[tools.denied.delete_echo]
decision = \"deny\"

[tools.asked.send_echo]
decision = \"ask\"
";

const DENIED: &str = "`delete_echo` of `denied` was not called: the policy does not allow it";
const ASKED: &str = "the user has to agree first. Ask them to run `switchboard policy approve ";
const REFUSED: &str = "`send_echo` of `asked` was not called: the user did not agree";
const CHANGED: &str = "`turn` of `pinned` was not called: its definition has changed since it was approved";

/// One part of the story.
type Part = fn(&Scene) -> Result<(), String>;

const PARTS: [(&str, Part); 6] = [
    ("the Inspector is denied", denied),
    ("the Inspector is asked about", asked),
    ("the Inspector is given a result again", cached),
    ("the Inspector calls what became another", pinned),
    ("Claude Code is denied", claude_denied),
    ("Claude Code is asked about", claude_asked),
];

/// Has the clients call, and says how each part went.
///
/// # Errors
/// Something could not be started, or a call did not end as it must.
pub(super) fn tell(folder: &Path) -> Result<(), String> {
    let scene = Scene::set(folder)?;
    let mut wrong = Vec::new();
    for (what, part) in PARTS {
        let result = part(&scene);
        println!("{what:<42}{}", result.as_ref().err().map_or("ok", String::as_str));
        wrong.extend(result.err().map(|why| format!("{what}: {why}")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

fn denied(scene: &Scene) -> Result<(), String> {
    scene.inspect("denied", "delete_echo")?.is(true, DENIED)
}

fn asked(scene: &Scene) -> Result<(), String> {
    let told = scene.inspect("asked", "send_echo")?;
    told.is(true, ASKED)?;
    // The command that it tells the user to run.
    let (_, rest) = told.text.split_once(ASKED).unwrap_or_default();
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    scene.type_in(&["policy", "approve", &number])?;
    scene.inspect("asked", "send_echo")?.is(false, "call 1")?;
    // A word counts once.
    scene.inspect("asked", "send_echo")?.is(true, ASKED)
}

fn cached(scene: &Scene) -> Result<(), String> {
    let calls = [
        ("get_count", "call 1"),
        ("get_count", "call 1"),
        ("set_mark", "call 2"),
        ("get_count", "call 3"),
        ("get_count", "call 3"),
    ];
    calls.into_iter().try_for_each(|(tool, says)| scene.inspect("cached", tool)?.is(false, says))
}

fn pinned(scene: &Scene) -> Result<(), String> {
    scene.inspect("pinned", "turn")?.is(false, "call 1")?;
    let explains = || scene.type_in(&["policy", "explain", "pinned", "turn"]);
    wait("the change is told", || Ok(explains()?.contains("is not called until you approve it")))?;
    scene.inspect("pinned", "turn")?.is(true, CHANGED)?;
    scene.type_in(&["policy", "approve", "pinned/turn", "--yes"])?;
    // The daemon sees a moment later what was approved.
    wait("it is called again", || Ok(scene.inspect("pinned", "turn")?.is(false, "call 2").is_ok()))
}

fn claude_denied(scene: &Scene) -> Result<(), String> {
    scene.claude("denied", "delete_echo", DENIED)
}

/// Without a terminal it cannot ask anybody, and says so by itself.
fn claude_asked(scene: &Scene) -> Result<(), String> {
    scene.claude("asked", "send_echo", REFUSED)
}

/// What a call came to.
struct Told {
    is_error: bool,
    text: String,
}

impl Told {
    /// # Errors
    /// It came to something else.
    fn is(&self, is_error: bool, says: &str) -> Result<(), String> {
        if self.is_error == is_error && self.text.contains(says) {
            return Ok(());
        }
        Err(format!("it says {:?}, as {}", self.text, if self.is_error { "an error" } else { "no error" }))
    }
}

/// The gateway with the servers behind it, and the clients' homes.
struct Scene {
    folder: PathBuf,
    home: PathBuf,
    model: String,
    /// In the order in which they end.
    _processes: [Process; 2],
}

impl Scene {
    fn set(folder: &Path) -> Result<Self, String> {
        let (home, port) = (folder.join("home"), free_port()?);
        let script = scripts().join("apps/counting.py");
        let entry = |(name, tools): &(&str, &[&str])| {
            // A text is spelt in TOML as it is in Rust.
            let words: Vec<String> = std::iter::once(script.display().to_string())
                .chain(tools.iter().map(|&tool| tool.to_owned()))
                .collect();
            format!("[servers.{name}]\ncommand = \"python3\"\nargs = {words:?}\n\n")
        };
        home::make(&home, &SERVERS.iter().map(entry).collect::<String>(), port, SETTINGS)?;
        write(&home.join("config/tool-policy.toml"), POLICY)?;
        let (model, address) = clients::model("anything")?;
        let gateway = Process::gateway(&program("switchboard")?, &home, port)?;
        // What the tools are is known, and pinned, before anybody calls one.
        ask(&home, &["sync"])?;
        Ok(Self { folder: folder.to_owned(), home, model: address, _processes: [gateway, model] })
    }

    /// Has the Inspector call a tool.
    fn inspect(&self, server: &str, tool: &str) -> Result<Told, String> {
        let home = clients::home(&self.folder, "inspector")?;
        let file = home.join("servers.json");
        write(&file, &self.servers(server)?)?;
        let mut command = clients::inspector(&home, &file, server, "tools/call")?;
        let told = self.run(command.args(["--tool-name", tool]), "inspector")?;
        let result: Value = serde_json::from_str(&told).map_err(|error| format!("{error}: {told}"))?;
        let text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        Ok(Told { is_error: result["isError"] == true, text })
    }

    /// Has Claude Code call a tool, whose result its model says again.
    ///
    /// # Errors
    /// The result does not say `says`.
    fn claude(&self, server: &str, tool: &str, says: &str) -> Result<(), String> {
        let home = clients::home(&self.folder, "claude")?;
        write(&home.join(".claude.json"), &self.servers(server)?)?;
        let mut command = clients::claude(&home, &self.model)?;
        let allowed = format!("mcp__{server}__{tool}");
        let told = self.run(command.args(["-p", "call the tool", "--allowedTools", &allowed]), "claude")?;
        if told.contains("it said: ") && told.contains(says) {
            Ok(())
        } else {
            Err(format!("it says {told:?}"))
        }
    }

    fn servers(&self, server: &str) -> Result<String, String> {
        Ok(json!({ "mcpServers": { server: clients::entry(server, &self.home)? } }).to_string())
    }

    fn run(&self, command: &mut std::process::Command, client: &str) -> Result<String, String> {
        let output = self.folder.join(format!("{client}.out"));
        if !run_bounded(command, &output, LIMIT)? {
            return Err(format!("it does not end; see {}", output.display()));
        }
        let told = std::fs::File::open(&output).and_then(std::io::read_to_string);
        told.map_err(|error| format!("{}: {error}", output.display()))
    }

    /// Types a command, as the person whom the client tells to.
    fn type_in(&self, words: &[&str]) -> Result<String, String> {
        ask(&self.home, words)
    }
}

/// Waits until something holds.
fn wait(what: &str, holds: impl Fn() -> Result<bool, String>) -> Result<(), String> {
    let begun = Instant::now();
    while !holds()? {
        if begun.elapsed() > LIMIT {
            return Err(format!("never: {what}"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
