//! A home in which nothing of the real one is seen, with the binary run in it as a user would run it.
#![expect(
    clippy::disallowed_methods,
    reason = "it plays the user and the clients, who write files as they please"
)]

mod tree;

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub use tree::Tree;

/// A client's file among the fixtures, and where a user has it.
#[derive(Clone, Copy, Debug)]
pub struct Fixture {
    /// The known client whose file it is.
    pub client: &'static str,
    /// The file below `fixtures/clients`.
    pub file: &'static str,
    /// Its place below the home.
    pub place: &'static str,
    /// Whether it is found there by itself; a project's file is linked by its path.
    pub found: bool,
}

const fn user(client: &'static str, file: &'static str, place: &'static str) -> Fixture {
    Fixture { client, file, place, found: true }
}

const fn project(client: &'static str, file: &'static str, place: &'static str) -> Fixture {
    Fixture { client, file, place, found: false }
}

/// The fixtures at the places where the clients have these files on Linux.
pub const FIXTURES: &[Fixture] = &[
    user("claude-code", "claude-code/.claude.json", ".claude.json"),
    user("codex", "codex/config.toml", ".codex/config.toml"),
    user("gemini-cli", "gemini-cli/settings.json", ".gemini/settings.json"),
    user("copilot-cli", "copilot-cli/mcp-config.json", ".copilot/mcp-config.json"),
    user("kimi-code", "kimi-code/mcp.json", ".kimi-code/mcp.json"),
    user("cursor", "cursor/mcp.json", ".cursor/mcp.json"),
    user("vscode", "vscode/mcp.json", ".config/Code/User/mcp.json"),
    user("vscodium", "vscodium/mcp.json", ".config/VSCodium/User/mcp.json"),
    user("windsurf", "windsurf/mcp_config.json", ".codeium/windsurf/mcp_config.json"),
    user("zed", "zed/settings.json", ".config/zed/settings.json"),
    user("antigravity", "antigravity/mcp_config.json", ".gemini/config/mcp_config.json"),
    user("trae", "trae/mcp.json", ".config/Trae/User/mcp.json"),
    user("continue", "continue/config.yaml", ".continue/config.yaml"),
    user("kilo-code", "kilo-code/kilo.jsonc", ".config/kilo/kilo.jsonc"),
    user("junie", "junie/mcp.json", ".junie/mcp/mcp.json"),
    user("amazon-q", "amazon-q/mcp.json", ".aws/amazonq/mcp.json"),
    user("augment", "augment/settings.json", ".augment/settings.json"),
    user("qoder", "qoder/mcp.json", ".qoder/mcp.json"),
    user("pi", "pi/mcp.json", ".pi/agent/mcp.json"),
    user("mcporter", "mcporter/mcporter.json", ".mcporter/mcporter.json"),
    user(
        "claude-desktop",
        "claude-desktop/claude_desktop_config.json",
        ".config/Claude/claude_desktop_config.json",
    ),
    user("jan", "jan/mcp_config.json", ".config/Jan/data/mcp_config.json"),
    user("5ire", "5ire/mcp.json", ".config/5ire/mcp.json"),
    user("witsy", "witsy/settings.json", ".config/Witsy/settings.json"),
    project("claude-code", "claude-code/project.mcp.json", "work/api/.mcp.json"),
    project("cursor", "cursor/project.cursor.mcp.json", "work/shop/.cursor/mcp.json"),
    project("vscode", "vscode/workspace.vscode.mcp.json", "work/web/.vscode/mcp.json"),
];

/// Returns the bytes of a fixture, by its path below `fixtures/clients`.
///
/// # Panics
/// There is no such fixture.
pub fn fixture(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients").join(file);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A throw-away home; it is gone when this is dropped.
#[derive(Debug)]
pub struct FakeHome {
    /// Before the folder: what runs in it ends first.
    _passing: Passing,
    folder: tempfile::TempDir,
    root: PathBuf,
    program: PathBuf,
    /// Whose programs they are, where that is somebody else than who runs the tests.
    user: Option<u32>,
    vars: Vec<(String, String)>,
}

impl FakeHome {
    /// Returns an empty home in which `program` is run.
    ///
    /// # Panics
    /// The system has no place for it.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let folder = tempfile::Builder::new().prefix("home-").tempdir().expect("a throw-away home");
        let root = fs::canonicalize(folder.path()).expect("the home is there");
        for below in ["run", "tmp"] {
            fs::create_dir(root.join(below)).expect("a folder in the home");
        }
        let passing = Passing(root.join("switchboard"));
        Self {
            _passing: passing,
            folder,
            root,
            program: program.as_ref().to_owned(),
            user: None,
            vars: Vec::new(),
        }
    }

    /// Returns a home that has every fixture at its client's real place.
    pub fn with_fixtures(program: impl AsRef<Path>) -> Self {
        let home = Self::new(program);
        for own in FIXTURES {
            home.write(own.place, fixture(own.file));
        }
        home
    }

    /// Sets a variable for the commands that are run from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.push((name.to_owned(), value.to_owned()));
    }

    /// Has `program` run by another user from now on. Only root can do that.
    pub fn run_as(&mut self, user: u32, program: impl AsRef<Path>) {
        self.user = Some(user);
        program.as_ref().clone_into(&mut self.program);
    }

    /// Returns the home itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns a path below the home.
    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.root.join(below)
    }

    /// Writes a file below the home, with its folders.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, below: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Reads a file below the home.
    ///
    /// # Panics
    /// It cannot be read.
    pub fn read(&self, below: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(below);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Reads a file below the home as text.
    pub fn text(&self, below: impl AsRef<Path>) -> String {
        String::from_utf8_lossy(&self.read(below)).into_owned()
    }

    /// Changes a file below the home as a person with an editor would: every `from` becomes `to`.
    ///
    /// # Panics
    /// There is no `from` in it.
    pub fn edit(&self, below: impl AsRef<Path>, from: &str, to: &str) {
        let text = self.text(&below);
        assert!(text.contains(from), "no `{from}` in {}:\n{text}", below.as_ref().display());
        self.write(below, text.replace(from, to));
    }

    /// Returns a command in this home: a cleared environment, nobody at the terminal.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = match self.user {
            None => Command::new(&self.program),
            Some(user) => {
                let mut other = Command::new("setpriv");
                other.arg(format!("--reuid={user}")).arg(format!("--regid={user}")).arg("--clear-groups");
                other.arg(&self.program);
                other
            }
        };
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.root)
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("TMPDIR", self.path("tmp"))
            .env("SWITCHBOARD_HOME", self.path("switchboard"))
            .envs(self.vars.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command line, its words told apart by blanks.
    pub fn run(&self, line: &str) -> Output {
        self.run_words(line.split_whitespace())
    }

    /// Runs a command line as somebody who stands in a folder of the home.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn run_in(&self, folder: &str, line: &str) -> Output {
        let output = self.command(line.split_whitespace()).current_dir(self.path(folder)).output();
        self.output(&output.expect("the program starts"))
    }

    /// Runs a command of these words.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn run_words<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Output {
        let output = self.command(words).output().expect("the program starts");
        self.output(&output)
    }

    /// Runs a command of these words with `input` on its standard input.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>, input: &str) -> Output {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("its input");
        // A program that has ended already does not read it.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        self.output(&child.wait_with_output().expect("the program ends"))
    }

    /// Runs a command line that must end with 0.
    ///
    /// # Panics
    /// It does not.
    pub fn ok(&self, line: &str) -> Output {
        let output = self.run(line);
        assert_eq!(output.code, 0, "switchboard {line}\n{output}");
        output
    }

    fn output(&self, output: &std::process::Output) -> Output {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            names: vec![
                (self.program.to_string_lossy().into_owned(), "[PROGRAM]".to_owned()),
                (self.root.to_string_lossy().into_owned(), "[HOME]".to_owned()),
            ],
        }
    }

    /// Returns everything in the home: what differs between two of these was changed.
    ///
    /// # Panics
    /// It cannot be read.
    pub fn tree(&self) -> Tree {
        Tree::of(&self.root).expect("the home can be read")
    }

    /// Returns the folder, for tests that need it to outlive this.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

/// The daemon that `connect` starts where there is none: it would be there for a while.
#[derive(Debug)]
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let dirs = switchboard_host::dirs::Dirs::below(&self.0);
        let _ = switchboard_host::lock::Lock::end_daemon(&dirs, std::time::Duration::from_secs(10));
    }
}

/// What a run of the program came to.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it told beside that.
    pub stderr: String,
    /// What is put in the place of texts that differ from run to run.
    names: Vec<(String, String)>,
}

impl Output {
    /// Returns standard output as JSON, which is all that may stand there.
    ///
    /// # Panics
    /// It is no JSON, or more than one document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }

    /// Returns both texts, one behind the other, as they were printed.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    fn filtered(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.names {
            text = text.replace(from, to);
        }
        masked(&text)
    }
}

/// Shows the exit code and both texts, with what differs from run to run put in general words.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code: {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "\n----- {name} -----\n{}", self.filtered(text).trim_end())?;
            }
        }
        Ok(())
    }
}

/// Puts times, durations and hashes in general words.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (word, length) = if let Some(length) = shaped(rest, "0000-00-00 00:00:00Z") {
            ("[TIME]", length)
        } else if out.ends_with("\"at\": ") && first.is_ascii_digit() {
            ("[TIME]", rest.bytes().take_while(u8::is_ascii_digit).count())
        } else if let Some(length) = hash(rest) {
            ("[HASH]", length)
        } else if let Some(length) = duration(rest).filter(|_| !out.ends_with(|c: char| c.is_ascii_digit())) {
            ("[MS] ms", length)
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.push_str(word);
        rest = &rest[length..];
    }
    out
}

/// Returns the length of `shape`, where `0` stands for any digit, when `text` begins so.
fn shaped(text: &str, shape: &str) -> Option<usize> {
    let begins = text.as_bytes().get(..shape.len())?.iter().zip(shape.bytes());
    begins
        .into_iter()
        .all(|(&c, s)| if s == b'0' { c.is_ascii_digit() } else { c == s })
        .then_some(shape.len())
}

fn hash(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("sha256:")?;
    let length = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    (length > 8).then_some("sha256:".len() + length)
}

fn duration(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(|c| c.is_ascii_digit() || *c == b'.').count();
    (digits > 0 && text[digits..].starts_with(" ms")).then_some(digits + " ms".len())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_differs_from_run_to_run_is_put_in_general_words() {
        for (text, shown) in [
            ("at 2026-11-20 14:05:00Z, done", "at [TIME], done"),
            ("sha256:0123456789abcdef!", "[HASH]!"),
            ("ready after 112 ms, ping 0.1 ms", "ready after [MS] ms, ping [MS] ms"),
            ("12 servers, déjà vu", "12 servers, déjà vu"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
