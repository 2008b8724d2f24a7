//! Applications that people use, as clients of the gateway: whether they see all servers as connected, and whether a call
//! of theirs comes through. What decides to call is a stand-in for their model, at this machine.

#![expect(clippy::disallowed_methods, reason = "scratch files in the build folder")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::sdk::scripts;
use super::stage::{Stage, Standing};
use crate::clients::{self, alone, app, home, write};
use crate::process::run_bounded;
use crate::steps::program;

/// How long a call of an application may take: far more than it needs.
const LIMIT: Duration = Duration::from_secs(120);

/// How many applications are asked at the same time.
const AT_ONCE: usize = 2;

/// What is passed on.
const SAID: &str = "passed \"on\" é 🦀";

/// Something that an application is asked to do.
struct Task {
    app: &'static str,
    /// What it is to do, in a word.
    what: String,
    command: Command,
    /// What it says where it works.
    says: Vec<String>,
}

/// Has every application list the servers and call a tool; says how it went.
///
/// # Errors
/// Something could not be started, or did not come out as it must.
pub(crate) fn visit(stage: &Stage) -> Result<(), String> {
    let (_model, url) = clients::model(SAID)?;
    let all = [inspector(stage)?, claude(stage, &url)?, codex(stage, &url)?, gemini(stage, &url)?];
    let mut tasks: Vec<Task> = all.into_iter().flatten().collect();
    tasks.reverse();
    let (tasks, wrong) = (Mutex::new(tasks), Mutex::new(Vec::new()));
    println!("\n{:<15}{:<28}RESULT", "APPLICATION", "TASK");
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(task) = tasks.lock().ok().and_then(|mut tasks| tasks.pop()) {
                    let (app, what) = (task.app, task.what.clone());
                    let result = task.carry_out(&stage.folder);
                    println!("{app:<15}{what:<28}{}", result.as_ref().err().map_or("ok", String::as_str));
                    if let (Err(why), Ok(mut wrong)) = (result, wrong.lock()) {
                        wrong.push(format!("{app}: {what}: {why}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().map_err(|_| "a task broke off".to_owned())?;
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

impl Task {
    /// # Errors
    /// It could not be started, or does not say what it must.
    fn carry_out(mut self, folder: &Path) -> Result<(), String> {
        let output = folder.join(format!("{}-{}.out", self.app, self.what).replace(' ', "-"));
        if !run_bounded(&mut self.command, &output, LIMIT)? {
            return Err(format!("does not end; see {}", output.display()));
        }
        // Some say it where others say what is wrong.
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let told = read(&output) + &read(&output.with_extension("err"));
        let missing: Vec<&String> = self.says.iter().filter(|says| !told.contains(says.as_str())).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("does not say {missing:?}; see {}", output.display()))
    }
}

/// The Inspector, by both doors, at one server of each transport.
fn inspector(stage: &Stage) -> Result<Vec<Task>, String> {
    let home = home(&stage.folder, "inspector")?;
    let mut servers = entries(stage)?;
    for server in &stage.servers {
        let headers = json!({ "Authorization": format!("Bearer {}", stage.token) });
        let url = format!("http://127.0.0.1:{}/mcp/{}", stage.port, server.entry());
        servers[format!("{}-by-http", server.entry())] =
            json!({ "type": "streamable-http", "url": url, "headers": headers });
    }
    let file = home.join("servers.json");
    write(&file, &json!({ "mcpServers": servers }).to_string())?;
    let ask = |server: &str, method: &str, rest: &[&str]| -> Result<Command, String> {
        let mut command = clients::inspector(&home, &file, server, method)?;
        command.args(rest);
        Ok(command)
    };
    let argument = format!("text={SAID}");
    let call = ["--tool-name", "echo", "--tool-arg", &argument];
    // Its answers are JSON.
    let said = json!(SAID).to_string();
    let mut tasks = Vec::new();
    for server in ["py1-stdio", "ts2-http"] {
        for (way, entry) in [("connect", server.to_owned()), ("http", format!("{server}-by-http"))] {
            tasks.push(Task {
                app: "Inspector",
                what: format!("list {server} by {way}"),
                command: ask(&entry, "tools/list", &[])?,
                says: vec!["\"echo\"".to_owned(), "\"sample\"".to_owned()],
            });
            tasks.push(Task {
                app: "Inspector",
                what: format!("call {server} by {way}"),
                command: ask(&entry, "tools/call", &call)?,
                says: vec![said.clone()],
            });
        }
    }
    Ok(tasks)
}

fn claude(stage: &Stage, url: &str) -> Result<Vec<Task>, String> {
    let home = home(&stage.folder, "claude")?;
    write(&home.join(".claude.json"), &json!({ "mcpServers": entries(stage)? }).to_string())?;
    let command = |words: &[&str]| -> Result<Command, String> {
        let mut command = clients::claude(&home, url)?;
        command.args(words);
        Ok(command)
    };
    let tools = stage.servers.iter().map(|server| format!("mcp__{}__echo", server.entry()));
    let tools = tools.collect::<Vec<_>>().join(",");
    let listed = lines(stage, |entry, _| format!("\n{entry}: "));
    let mut says: Vec<String> = listed;
    says.push("✔ Connected".to_owned());
    Ok(vec![
        Task { app: "Claude Code", what: "list".to_owned(), command: command(&["mcp", "list"])?, says },
        Task {
            app: "Claude Code",
            what: "call".to_owned(),
            command: command(&["-p", "call the tool", "--allowedTools", &tools])?,
            says: vec!["it said: ".to_owned(), SAID.to_owned()],
        },
    ])
}

fn codex(stage: &Stage, url: &str) -> Result<Vec<Task>, String> {
    let home = home(&stage.folder, "codex")?;
    let mut file = format!(
        "model = \"none\"\nmodel_provider = \"stand-in\"\napproval_policy = \"never\"\n\n\
         [model_providers.stand-in]\nname = \"stand-in\"\nbase_url = \"{url}/v1\"\nwire_api = \"responses\"\n"
    );
    let (program, place) = (program("switchboard")?.display().to_string(), stage.home.display().to_string());
    for entry in stage.servers.iter().map(Standing::entry) {
        // Texts are spelt in TOML as they are in Rust.
        let _ =
            writeln!(file, "\n[mcp_servers.{entry}]\ncommand = {program:?}\nargs = [\"connect\", {entry:?}]");
        let _ = writeln!(file, "env = {{ SWITCHBOARD_HOME = {place:?} }}");
        let _ = writeln!(file, "default_tools_approval_mode = \"approve\"");
    }
    write(&home.join(".codex/config.toml"), &file)?;
    let codex = app("codex")?;
    let mut list = alone(Path::new("node"), &home);
    list.arg(scripts().join("apps/codex-servers.mjs")).arg(&codex);
    let mut call = alone(&codex, &home);
    call.args(["exec", "--skip-git-repo-check", "call the tool"]);
    let says = lines(stage, |entry, name| format!("{entry} {name} add,ask,count,echo,"));
    Ok(vec![
        Task { app: "Codex", what: "list".to_owned(), command: list, says },
        Task {
            app: "Codex",
            what: "call".to_owned(),
            command: call,
            says: vec!["it said: ".to_owned(), SAID.to_owned()],
        },
    ])
}

fn gemini(stage: &Stage, url: &str) -> Result<Vec<Task>, String> {
    let home = home(&stage.folder, "gemini")?;
    let mut servers = entries(stage)?;
    for server in &stage.servers {
        servers[server.entry()]["trust"] = json!(true);
    }
    let settings = json!({
        "mcpServers": servers,
        "security": { "auth": { "selectedType": "gemini-api-key" } },
        "privacy": { "usageStatisticsEnabled": false },
    });
    write(&home.join(".gemini/settings.json"), &settings.to_string())?;
    let command = |words: &[&str]| -> Result<Command, String> {
        let mut command = alone(&app("gemini")?, &home);
        command.args(words).env("GOOGLE_GEMINI_BASE_URL", url).env("GEMINI_API_KEY", "none");
        command.env("GEMINI_CLI_TRUST_WORKSPACE", "true");
        Ok(command)
    };
    let says = lines(stage, |entry, _| format!("✓ {entry}: "));
    Ok(vec![
        Task { app: "Gemini CLI", what: "list".to_owned(), command: command(&["mcp", "list"])?, says },
        Task {
            app: "Gemini CLI",
            what: "call".to_owned(),
            // A model that is named: otherwise another model is asked which to take.
            command: command(&["-m", "gemini-2.5-pro", "-p", "call the tool"])?,
            says: vec!["it said: ".to_owned(), SAID.to_owned()],
        },
    ])
}

/// The servers as most applications have them in their file.
fn entries(stage: &Stage) -> Result<Value, String> {
    let mut entries = json!({});
    for server in &stage.servers {
        entries[server.entry()] = clients::entry(&server.entry(), &stage.home)?;
    }
    Ok(entries)
}

/// A line for each server, from its entry and its own name.
fn lines(stage: &Stage, make: impl Fn(&str, &str) -> String) -> Vec<String> {
    stage.servers.iter().map(|server| make(&server.entry(), server.name)).collect()
}
