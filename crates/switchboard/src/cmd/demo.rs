//! `demo`: the whole product live in a throw-away home. Needs nothing installed.

mod samples;
mod served;
mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use switchboard_host::dirs::Env;

use crate::cli::{Client as ClientVerb, Demo, Entry, Up, Which};
use crate::cmd;
use crate::diff::unified;
use crate::fail::{Done, Failure};
use crate::probe;
use crate::ui::{Mark, Ui};

use served::{Served, wait};

/// The word by which this program is told to be the demo's server.
pub(crate) const SERVER: &str = "__demo-server";

/// Is the demo's server, until its standard input ends.
pub(crate) fn serve() -> ExitCode {
    server::serve()
}

/// Shows the whole product step by step, on sample files in a throw-away home.
///
/// # Errors
/// A step failed.
pub(crate) fn run(args: &Demo, ui: &Ui) -> Done {
    let folder = tempfile::Builder::new()
        .prefix("switchboard-demo-")
        .tempdir()
        .map_err(|error| Failure::failed("make a throw-away home").caused_by(&error))?;
    let home = folder.path().to_owned();
    // Programs that read get the outcome; the steps are for people.
    let told = Ui { yes: true, dry_run: false, json: false, quiet: ui.quiet || ui.json, to: ui.to.clone() };
    let show = Show { ui: told, env: scratch(&home), home };
    ui.json(&show.all()?);
    if args.keep {
        let kept = folder.keep();
        ui.line(format!("the throw-away home stays: {}", kept.display()));
        ui.line(format!("  HOME={0} SWITCHBOARD_HOME={0}/switchboard switchboard status", kept.display()));
    }
    Ok(())
}

/// An environment in which nothing of the real home is seen.
fn scratch(home: &Path) -> Env {
    let real = Env::read();
    let mut vars: Vec<(String, String)> = vec![
        ("HOME".to_owned(), home.to_string_lossy().into_owned()),
        ("SWITCHBOARD_HOME".to_owned(), home.join("switchboard").to_string_lossy().into_owned()),
    ];
    if let Some(path) = real.var("PATH") {
        vars.push(("PATH".to_owned(), path.to_string_lossy().into_owned()));
    }
    Env::new(home, vars)
}

struct Show {
    ui: Ui,
    env: Env,
    home: PathBuf,
}

impl Show {
    fn all(&self) -> Result<serde_json::Value, Failure> {
        let program = probe::program()?;
        let files = samples::write(&self.home, &program)
            .map_err(|error| Failure::failed("write the sample files").caused_by(&error))?;
        let before: Vec<String> = files.iter().map(|file| text(file)).collect();
        self.step(
            "1. Four clients, each with a file of its own, a format of its own, and servers of its own",
        );
        for file in &files {
            self.ui.line(format!("   {}", self.short(file)));
        }
        self.step("2. One command takes their servers over into one catalogue: switchboard up");
        cmd::up::take_over(&Up::default(), self.env.clone(), &self.ui)?;
        self.step(
            "3. What changed in Cursor's file: our fields of one entry. Comments, order and all else stay",
        );
        for line in unified(&self.short(&files[0]), &before[0], &text(&files[0])) {
            self.ui.line(format!("   {line}"));
        }
        self.step("4. One more server, in every client at once: switchboard server add greeter -- ..");
        self.add(&program)?;
        self.step("5. A client reaches it through `switchboard connect greeter`, and calls a tool");
        let called = self.call(&program);
        // What `connect` started would mend by itself what is edited next.
        let ended = crate::daemon::relieve(&crate::home::dirs(&self.env)?);
        called?;
        ended.map_err(|error| Failure::failed("end the daemon").caused_by(&error).hint(error.help()))?;
        self.step("6. Somebody edits our entry by hand: it is seen, and asked about, never written over");
        let edited =
            text(&files[0]).replacen("\"connect\", \"clock\"", "\"connect\", \"clock\", \"--by-hand\"", 1);
        write(&files[0], &edited)?;
        cmd::status::run(self.env.clone(), &self.ui, None)?;
        self.client(ClientVerb::Restore(Entry { id: "cursor".to_owned(), server: None }))?;
        self.step("7. While it serves, what you save in the catalogue is everywhere a moment later");
        let _served = self.serve(&program, &files)?;
        self.step("8. Back to what every file was before: switchboard uninstall");
        cmd::uninstall::run(self.env.clone(), &self.ui)?;
        let same = files.iter().zip(&before).filter(|(file, before)| text(file) == **before).count();
        if same != files.len() {
            return Err(Failure::failed(format!(
                "give back {} of {} files",
                files.len() - same,
                files.len()
            )));
        }
        self.ui.line("");
        self.ui.marked(Mark::Good, format!("all {same} files are what they were, to the byte"));
        Ok(serde_json::json!({ "files": files, "same": same }))
    }

    /// Serves, saves a change of the catalogue, and shows how it arrives.
    fn serve(&self, program: &Path, files: &[PathBuf]) -> Result<Served, Failure> {
        let served = Served::start(program, &self.env)?;
        let catalogue = self.home.join("switchboard/config/mcp-servers.toml");
        let line = "\n[servers.radio]\ncommand = \"radio-mcp\"\n";
        write(&catalogue, &format!("{}{line}", text(&catalogue)))?;
        let took = wait(|| files.iter().all(|file| text(file).contains("radio")));
        let took = took.ok_or_else(|| Failure::failed("have the change written everywhere"))?;
        self.ui.line(format!("   saved by hand in {}: [servers.radio]", self.short(&catalogue)));
        self.ui.marked(
            Mark::Good,
            format!("in all {} files after {} ms, and for whoever asks:", files.len(), took.as_millis()),
        );
        if let Some(version) = crate::remote::get(&self.env, "/api/mcp/_version") {
            self.ui.line(format!("   GET /api/mcp/_version  {version}"));
        }
        Ok(served)
    }

    fn step(&self, text: &str) {
        self.ui.line("");
        self.ui.heading(text);
    }

    fn short(&self, path: &Path) -> String {
        path.strip_prefix(&self.home)
            .map_or_else(|_| path.display().to_string(), |rest| format!("~/{}", rest.display()))
    }

    fn client(&self, verb: ClientVerb) -> Done {
        cmd::client::run(verb, self.env.clone(), &Ui { json: false, ..self.ui.clone() })
    }

    fn add(&self, program: &Path) -> Done {
        let args = crate::cli::ServerAdd {
            name: "greeter".to_owned(),
            url: None,
            headers: Vec::new(),
            kind: None,
            env: Vec::new(),
            cwd: None,
            tags: vec!["demo".to_owned()],
            description: Some("says hello".to_owned()),
            command: vec![program.to_string_lossy().into_owned(), SERVER.to_owned(), "greeter".to_owned()],
        };
        let ui = Ui { json: false, ..self.ui.clone() };
        cmd::server::run(crate::cli::Server::Add(args), self.env.clone(), &ui)?;
        self.client(ClientVerb::Push { which: Which { ids: Vec::new(), all: true }, servers: Vec::new() })
    }

    fn call(&self, program: &Path) -> Done {
        let words = ["connect".to_owned(), "greeter".to_owned()];
        let arguments = serde_json::json!({ "name": "world" });
        // The daemon that this starts finds the sample clients by the same home as we do.
        let place = |name: &str, path: &Path| (name.to_owned(), path.to_string_lossy().into_owned());
        let vars = [place("HOME", &self.home), place("SWITCHBOARD_HOME", &self.home.join("switchboard"))];
        let report = probe::test_in(program, &words, &vars, Some(("greet".to_owned(), arguments)), 30)
            .map_err(|why| Failure::failed("call the greeter").because(why))?;
        let answer = report.result.as_ref().and_then(|result| result["content"][0]["text"].as_str());
        self.ui.marked(
            Mark::Good,
            format!("ready after {} ms; greet(name: \"world\") = {:?}", report.millis, answer.unwrap_or("?")),
        );
        Ok(())
    }
}

fn text(path: &Path) -> String {
    switchboard_host::file::read(path)
        .map(|snapshot| String::from_utf8_lossy(&snapshot.bytes).into_owned())
        .unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the demo plays the person who edits a file by hand")]
fn write(path: &Path, text: &str) -> Done {
    std::fs::write(path, text).map_err(|error| Failure::failed("edit a sample file").caused_by(&error))
}
