//! The one story that every client is taken through.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use testkit::scratch::Scratch;
use testkit::tools;

use crate::text::{only_put_in, only_these_changed};

/// What takes longer than this hangs.
const LIMIT: Duration = Duration::from_secs(120);
/// Nobody listens there: whoever wants to reach the world ends here.
const NOWHERE: &str = "http://127.0.0.1:9";

/// One client's own words for the story.
pub(crate) struct Client {
    pub(crate) id: &'static str,
    pub(crate) program: &'static str,
    /// Below the home.
    pub(crate) file: &'static str,
    /// Its sample file.
    pub(crate) text: String,
    /// Names in the sample file that must not stand in any change of ours.
    pub(crate) others: &'static [&'static str],
    pub(crate) list: &'static [&'static str],
    /// Whether a list shows this server as it should.
    pub(crate) shows: fn(list: &str, server: &str) -> bool,
    pub(crate) add: &'static [&'static str],
    pub(crate) remove: &'static [&'static str],
    /// What stands in the home besides.
    pub(crate) prepare: fn(home: &Path),
}

/// A sample file with nothing in it that could be started or reached.
pub(crate) fn harmless(fixture: &str) -> String {
    let text = fs::read_to_string(testkit::fixture(fixture)).unwrap();
    let mut text = text.replace("https://", &format!("{NOWHERE}/"));
    for program in ["docker", "npx", "uvx", "python"] {
        text = text.replace(&format!("\"{program}\""), "\"/bin/false\"");
    }
    text
}

struct Round<'c> {
    client: &'c Client,
    scratch: Scratch,
    program: PathBuf,
    _folder: TempDir,
}

impl Round<'_> {
    fn text(&self) -> String {
        fs::read_to_string(self.scratch.home().join(self.client.file)).unwrap()
    }

    /// Runs the client's own command and returns what it says.
    fn ask(&self, args: &[&str]) -> String {
        let (out, err) = (self.scratch.home().join("said"), self.scratch.home().join("told"));
        let mut command: Command = self.scratch.other(&self.program);
        command.args(args).stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
        // The client gets nothing of ours: what it needs stands in its file.
        command.env_remove("SWITCHBOARD_HOME");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            command.env(name, NOWHERE);
        }
        command.env("NO_PROXY", "127.0.0.1,localhost").env("NO_COLOR", "1").env("CI", "true");
        command.env("DISABLE_AUTOUPDATER", "1").env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        let status = tools::run_within(LIMIT, &mut command);
        // One of them lists on standard error.
        let [said, told] = [&out, &err].map(|path| fs::read_to_string(path).unwrap());
        let said = if said.trim().is_empty() { told } else { said };
        let words = args.join(" ");
        assert!(status.is_some_and(|status| status.success()), "{words}: {status:?}\n{said}");
        said
    }

    fn list(&self) -> String {
        self.ask(self.client.list)
    }

    fn shows(&self, list: &str, server: &str) {
        assert!((self.client.shows)(list, server), "{} does not show `{server}`:\n{list}", self.client.id);
    }

    fn shows_not(&self, list: &str, server: &str) {
        assert!(!(self.client.shows)(list, server), "{} shows `{server}`:\n{list}", self.client.id);
    }

    /// Returns whose the entry is.
    fn whose(&self, alias: &str) -> String {
        let shown = self.scratch.json(&["client", "show", self.client.id]);
        let entries = shown["entries"].as_array().cloned().unwrap_or_default();
        let entry = entries.iter().find(|entry| entry["alias"] == alias);
        entry.and_then(|entry| entry["whose"].as_str()).unwrap_or("nobody's").to_owned()
    }

    fn drift(&self) -> Value {
        self.scratch.status(self.client.id)["drift"].clone()
    }

    fn switchboard(&self, words: &[&str]) {
        let _ = self.scratch.done(words);
    }

    fn is_in_step(&self) {
        let status = self.scratch.status(self.client.id);
        assert_eq!(status["in_step"], true, "{status:#}");
    }
}

/// Takes a client through the whole story: our push, its list, its own changes, and what we make of them.
pub(crate) fn take(client: &Client) {
    let begun = Instant::now();
    let (Some(program), Some(server)) = (tools::find(client.program), tools::find("mcp-server-everything"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::new(folder.path(), env!("CARGO_BIN_EXE_switchboard"));
    let program = program.canonicalize().unwrap();
    let round = Round { client, scratch, program, _folder: folder };
    let (run, id) = (&round.scratch, client.id);
    let file = run.home().join(client.file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, client.text.replace("/home/ana", &run.home().to_string_lossy())).unwrap();
    (client.prepare)(&run.home());
    let server = server.canonicalize().unwrap();
    fs::write(
        run.catalogue(),
        format!(
            "[servers.everything]\ncommand = \"node\"\nargs = [{:?}, \"stdio\"]\n\n[servers.far]\nurl = \"{NOWHERE}/mcp\"\n",
            server.to_string_lossy()
        ),
    )
    .unwrap();

    // Our push puts our entries in and leaves every other byte; the client knows them from then on.
    let before = round.text();
    round.switchboard(&["client", "link", id, "--manual"]);
    round.switchboard(&["client", "push", id, "--yes"]);
    only_put_in(&before, &round.text(), &["everything", "far"]);
    let list = round.list();
    round.shows(&list, "everything");
    round.shows(&list, "far");
    round.is_in_step();

    // What the client adds by itself is its own, whatever else it did to the file, until it is imported.
    round.ask(client.add);
    assert_eq!((round.whose("mine"), round.drift()), ("its own".to_owned(), Value::Array(Vec::new())));
    round.is_in_step();
    let theirs = round.text();
    round.switchboard(&["client", "push", id]);
    assert_eq!(round.text(), theirs, "there was nothing to write");
    round.switchboard(&["client", "import", id, "--server", "mine", "--yes"]);
    round.switchboard(&["client", "push", id]);
    only_these_changed(&theirs, &round.text(), &["mine"], client.others);
    assert_ne!(round.whose("mine"), "its own");
    round.shows(&round.list(), "mine");
    round.is_in_step();

    // What the client removes stays removed until somebody decides.
    round.ask(client.remove);
    assert_eq!(round.drift().as_array().map(Vec::len), Some(1), "{}", round.drift());
    let theirs = round.text();
    round.switchboard(&["client", "push", id]);
    assert_eq!(round.text(), theirs, "nobody asked for it to be put back");
    round.switchboard(&["client", "restore", id]);
    only_put_in(&theirs, &round.text(), &["far"]);
    round.shows(&round.list(), "far");
    round.is_in_step();
    round.ask(client.remove);
    let theirs = round.text();
    round.switchboard(&["client", "keep", id]);
    round.is_in_step();
    round.switchboard(&["client", "push", id]);
    assert_eq!(round.text(), theirs);
    let list = round.list();
    round.shows_not(&list, "far");
    round.shows(&list, "everything");
    println!("{id}: {:.1} s", begun.elapsed().as_secs_f32());
}
