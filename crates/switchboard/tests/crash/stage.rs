//! Prepared homes: one client of each format, one command about to be run.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use testkit::scratch::Scratch;

/// A client, and how its file lies on the disk.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: &'static str,
    fixture: &'static str,
    /// Below the home.
    path: &'static str,
    /// Where the file really is, when `path` is a link.
    real: Option<&'static str>,
    mode: u32,
}

/// One client of each format that files have.
pub(crate) const CLIENTS: [Client; 4] = [
    Client {
        id: "claude-code",
        fixture: "claude-code/.claude.json",
        path: ".claude.json",
        real: None,
        mode: 0o600,
    },
    Client {
        id: "cursor",
        fixture: "cursor/mcp.json",
        path: ".cursor/mcp.json",
        real: Some("dotfiles/cursor.json"),
        mode: 0o640,
    },
    Client { id: "codex", fixture: "codex/config.toml", path: ".codex/config.toml", real: None, mode: 0o644 },
    Client {
        id: "continue",
        fixture: "continue/config.yaml",
        path: ".continue/config.yaml",
        real: None,
        mode: 0o644,
    },
];

/// The command that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Push,
    Undo,
    /// A change of the catalogue, which is written to the client at once.
    Add,
    Import,
    /// As `Push`, by a program that truncates the file first and says that all is well whatever happens.
    Broken,
}

const FIRST: &str = r#"# ours
[servers.alpha]
command = "alpha-server"
args = ["--one"]
env = { LEVEL = "info" }

[servers.beta]
url = "https://beta.example.com/mcp"

[servers.gamma]
command = "gamma-server"
"#;

/// After the first push: one server is gone, one has come.
const SECOND: &str = r#"# ours, edited
[servers.beta]
url = "https://beta.example.com/mcp"

[servers.gamma]
command = "gamma-server"

[servers.delta]
command = "delta-server"
args = ["--four", "a \"quoted\" word"]
"#;

/// The files that people edit, as they are at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) client: Option<Vec<u8>>,
    pub(crate) catalogue: Option<Vec<u8>>,
    pub(crate) settings: Option<Vec<u8>>,
}

/// What a file is besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    mode: u32,
    owner: (u32, u32),
    link: Option<PathBuf>,
}

/// Makes a folder in memory: what a crash of the process leaves there is the same, and nobody waits for a disk.
pub(crate) fn scratch_folder() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap()
}

/// A scratch folder with a home that is put back as often as it is needed.
///
/// It always has the same path: entries of clients name it.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) client: &'static Client,
    pub(crate) flow: Flow,
    pub(crate) scratch: Scratch,
    pub(crate) before: Files,
    pub(crate) after: Files,
    pub(crate) look: Option<Look>,
}

impl Stage {
    /// Prepares a home, and runs the command once without a fault to see what it leads to.
    pub(crate) fn set(client: &'static Client, flow: Flow) -> Self {
        let folder = scratch_folder();
        let scratch = Scratch::new(&folder.path().join("live"), env!("CARGO_BIN_EXE_switchboard"));
        let none = Files { client: None, catalogue: None, settings: None };
        let mut stage = Self { folder, client, flow, scratch, before: none.clone(), after: none, look: None };
        stage.prepare();
        copy(&stage.live(), &stage.path("prepared"));
        stage.reset();
        stage.before = stage.files();
        stage.look = stage.looks();
        stage.command_unbroken();
        stage.after = stage.files();
        assert_ne!(stage.before.client, stage.after.client, "{}: nothing was written", client.id);
        stage.reset();
        stage
    }

    fn prepare(&self) {
        let file = self.file();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let real = self.real();
        fs::create_dir_all(real.parent().unwrap()).unwrap();
        fs::copy(testkit::fixture(self.client.fixture), &real).unwrap();
        fs::set_permissions(&real, PermissionsExt::from_mode(self.client.mode)).unwrap();
        if let Some(real) = self.client.real {
            // An owner of its own, where the test may give it one.
            let _ = chown(self.real(), Some(1234), Some(4321));
            symlink(Path::new("..").join(real), &file).unwrap();
        }
        let (id, run) = (self.client.id, &self.scratch);
        fs::write(run.catalogue(), FIRST).unwrap();
        let mode = if matches!(self.flow, Flow::Add | Flow::Import) { "--auto" } else { "--manual" };
        run.done(&["client", "link", id, mode, "--yes"]);
        run.done(&["client", "push", id, "--yes"]);
        match self.flow {
            Flow::Push | Flow::Broken => fs::write(run.catalogue(), SECOND).unwrap(),
            Flow::Undo => {
                fs::write(run.catalogue(), SECOND).unwrap();
                run.done(&["client", "push", id, "--yes"]);
            }
            Flow::Add | Flow::Import => {}
        }
    }

    fn command_unbroken(&self) {
        let flow = if self.flow == Flow::Broken { Flow::Push } else { self.flow };
        self.scratch.done(&args(flow, self.client.id));
    }

    /// The command that goes wrong.
    pub(crate) fn command(&self) -> Command {
        if self.flow != Flow::Broken {
            return self.scratch.command(&args(self.flow, self.client.id));
        }
        let mut command = self.scratch.other(Path::new("/bin/sh"));
        let text = String::from_utf8(self.after.client.clone().unwrap()).unwrap();
        command.args(["-c", r#"printf "%s" "$1" > "$0"; exit 0"#]).arg(self.file()).arg(text);
        command
    }

    /// The command once more, without a fault.
    pub(crate) fn again(&self) -> std::process::Output {
        self.scratch.run(&args(self.flow, self.client.id))
    }

    /// Puts the prepared home back.
    pub(crate) fn reset(&self) {
        fs::remove_dir_all(self.live()).unwrap();
        copy(&self.path("prepared"), &self.live());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn live(&self) -> PathBuf {
        self.path("live")
    }

    /// Where the client looks for its file.
    pub(crate) fn file(&self) -> PathBuf {
        self.scratch.home().join(self.client.path)
    }

    /// Where that file really is.
    pub(crate) fn real(&self) -> PathBuf {
        self.scratch.home().join(self.client.real.unwrap_or(self.client.path))
    }

    pub(crate) fn files(&self) -> Files {
        Files {
            client: fs::read(self.file()).ok(),
            catalogue: fs::read(self.scratch.catalogue()).ok(),
            settings: fs::read(self.scratch.settings()).ok(),
        }
    }

    pub(crate) fn looks(&self) -> Option<Look> {
        let meta = self.real().symlink_metadata().ok()?;
        let link = self.client.real.and_then(|_| fs::read_link(self.file()).ok());
        Some(Look { mode: meta.mode(), owner: (meta.uid(), meta.gid()), link })
    }

    /// Returns what a push leads to, whichever command went wrong.
    pub(crate) fn pushed(&self) -> &Files {
        if self.flow == Flow::Undo { &self.before } else { &self.after }
    }

    /// Returns what undoing that push leads to.
    pub(crate) fn undone(&self) -> &Files {
        if self.flow == Flow::Undo { &self.after } else { &self.before }
    }

    /// Returns files that are on their way and never arrived.
    pub(crate) fn temps(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.live()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if name.contains(".switchboard-") {
                    found.push(entry.path());
                }
            }
        }
        found
    }
}

fn args(flow: Flow, id: &'static str) -> Vec<&'static str> {
    match flow {
        Flow::Push | Flow::Broken => vec!["client", "push", id, "--yes"],
        Flow::Undo => vec!["client", "undo", id, "--yes"],
        Flow::Add => vec!["server", "add", "epsilon", "--env", "A=b", "--", "epsilon-server", "--five"],
        Flow::Import => vec!["client", "import", id, "--yes"],
    }
}

/// Copies a folder with links, modes and owners. The copies look as if nobody had written them for long.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, from.metadata().unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            copy(&from, &to);
        } else if meta.is_symlink() {
            symlink(fs::read_link(&from).unwrap(), &to).unwrap();
        } else if meta.is_file() {
            fs::copy(&from, &to).unwrap();
            if (meta.uid(), meta.gid()) != (0, 0) {
                let _ = chown(&to, Some(meta.uid()), Some(meta.gid()));
                fs::set_permissions(&to, meta.permissions()).unwrap();
            }
            let file = fs::File::options().append(true).open(&to).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        }
    }
}
