//! One home: its files read, and the lock under which they are changed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use switchboard_core::catalogue::{self, Catalogue};
use switchboard_core::client::bridge::{Address, Bridge};
use switchboard_core::client::known::{Surroundings, System};
use switchboard_core::client::relation::Relations;
use switchboard_core::problem::{Parsed, Problem};
use switchboard_core::settings::{self, ClientSettings, Settings, Via};
use switchboard_host::backup::Backups;
use switchboard_host::dirs::{Dirs, Env};
use switchboard_host::file::{self, ReadError, Snapshot};
use switchboard_host::lock::{Lock, LockError};
use switchboard_host::record::{self, Loaded};
use switchboard_host::stamp;
use switchboard_host::watch::Content;

use crate::fail::{Code, Done, Failure, whole};
use crate::history::History;
use crate::journal::Journal;
use crate::policy::PolicyFile;
use crate::token::Tokens;

/// How long a command waits for another one to finish with the same home.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A home with everything that commands decide by.
pub(crate) struct Home {
    pub(crate) env: Env,
    pub(crate) dirs: Dirs,
    pub(crate) settings: Parsed<Settings>,
    pub(crate) settings_file: Option<Snapshot>,
    /// What stands at the place of the settings, read or not.
    pub(crate) settings_held: Content,
    pub(crate) catalogue: Served,
    pub(crate) history: History,
    pub(crate) relations: Relations,
    pub(crate) journal: Journal,
    /// Records of ours that were damaged and set aside, as sentences.
    pub(crate) notes: Vec<String>,
    /// What paths of clients depend on, once somebody asked.
    around: OnceLock<Surroundings>,
    /// Held while anything is changed.
    lock: Option<Lock>,
}

/// The catalogue that is in service, and the file that it came from.
pub(crate) struct Served {
    /// What is in service: the file's content, or the last good one when the file is wrong.
    pub(crate) catalogue: Catalogue,
    /// The file, when there is one.
    pub(crate) file: Option<Snapshot>,
    /// What stands at its place, read or not.
    pub(crate) held: Content,
    /// What is wrong with the file.
    pub(crate) problems: Vec<Problem>,
    /// The file is wrong, so an earlier revision is in service.
    pub(crate) last_good: bool,
}

impl Served {
    /// Returns the text of the file; empty when there is none.
    pub(crate) fn text(&self) -> &str {
        self.file.as_ref().and_then(|file| std::str::from_utf8(&file.bytes).ok()).unwrap_or_default()
    }
}

impl Home {
    /// Reads a home without changing anything in it.
    ///
    /// # Errors
    /// There is no home, or a file of ours cannot be read.
    pub(crate) fn look(env: Env) -> Result<Self, Failure> {
        let dirs = dirs(&env)?;
        Self::read(env, dirs, None)
    }

    /// Reads a home and holds its lock, so that nobody else changes it; what a crash left behind is put in order.
    ///
    /// # Errors
    /// As [`Home::look`]; and when another process does not let go in time.
    pub(crate) fn hold(env: Env, command: &str) -> Result<Self, Failure> {
        Self::hold_within(PATIENCE, env, command)
    }

    /// Does the same, and waits no longer than this for others.
    ///
    /// # Errors
    /// As [`Home::hold`].
    pub(crate) fn hold_within(patience: Duration, env: Env, command: &str) -> Result<Self, Failure> {
        let dirs = dirs(&env)?;
        dirs.create().map_err(|error| {
            Failure::failed("make the folders of Switchboard").caused_by(&error).hint(error.help())
        })?;
        let lock = Lock::acquire(&dirs, command, patience).map_err(|error| busy(&error))?;
        let mut home = Self::read(env, dirs, Some(lock))?;
        home.settle()?;
        Ok(home)
    }

    /// Holds the home when something is to be changed, and only looks at it in a dry run.
    ///
    /// # Errors
    /// As [`Home::hold`] and [`Home::look`].
    pub(crate) fn open(env: Env, command: &str, dry_run: bool) -> Result<Self, Failure> {
        if dry_run { Self::look(env) } else { Self::hold(env, command) }
    }

    fn read(env: Env, dirs: Dirs, lock: Option<Lock>) -> Result<Self, Failure> {
        let mut notes = Vec::new();
        let Set { settings, file: settings_file, held: settings_held } = set(&dirs);
        let history: History = load(&dirs.history(), &mut notes)?;
        let relations = load(&dirs.relations(), &mut notes)?;
        let journal = load(&dirs.journal(), &mut notes)?;
        let backups = Backups::new(dirs.backups());
        let catalogue = serve(&dirs, &history, &backups)?;
        let around = OnceLock::new();
        Ok(Self {
            env,
            dirs,
            settings,
            settings_file,
            settings_held,
            catalogue,
            history,
            relations,
            journal,
            notes,
            around,
            lock,
        })
    }

    /// Puts in order what a crash left behind, and takes note of a catalogue or a policy that was edited by hand.
    fn settle(&mut self) -> Result<(), Failure> {
        self.sweep();
        crate::execute::finish_undos(self)?;
        if !self.catalogue.last_good && self.history.differs(&self.catalogue.catalogue) {
            self.record_revision()?;
        }
        let mut policy = PolicyFile::look(self)?;
        self.notes.extend(policy.note.take());
        policy.remember(self)
    }

    /// Removes temporary files of ours that a crash left beside client files.
    fn sweep(&self) {
        let mut folders: Vec<PathBuf> = vec![self.dirs.config().to_owned()];
        let files = self.relations.clients.values().map(|record| PathBuf::from(&record.path));
        folders.extend(files.filter_map(|path| {
            let real = file::Target::resolve(&path).ok()?;
            Some(real.folder().to_owned())
        }));
        folders.sort();
        folders.dedup();
        if self.lock.is_some() {
            let backups = self.backups();
            // What could not be swept is tried again by the next command.
            let _ = file::sweep(&folders, &backups);
            let own = [self.dirs.state().to_owned(), self.dirs.secrets(), self.dirs.logins()];
            let _ = file::sweep_own(&own, &backups);
        }
    }

    /// Returns whether the registry is known to be in step with the catalogue, without it being looked at.
    pub(crate) fn is_synced(&self) -> bool {
        stamp::unchanged(&self.dirs.sync_stamp(), &self.dirs.catalogue(), &self.dirs.registry()).is_some()
    }

    /// Returns the store of everything that was ever replaced.
    pub(crate) fn backups(&self) -> Backups {
        Backups::new(self.dirs.backups())
    }

    /// Takes the catalogue that is in service into the history as a new revision.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(crate) fn record_revision(&mut self) -> Result<(), Failure> {
        let text = self.catalogue.text().to_owned();
        let before = self.history.last_catalogue(&self.backups());
        let catalogue = self.catalogue.catalogue.clone();
        // Where the history was lost, revisions go on above those that clients have seen: they never go back.
        let seen = self.relations.clients.values().filter_map(|record| record.revision).max();
        self.history.record(&catalogue, before.as_ref(), &text, &self.dirs, seen.unwrap_or(0), now())
    }

    /// Saves what is remembered about clients.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(crate) fn save_relations(&self) -> Result<(), Failure> {
        save(&self.dirs.relations(), &self.relations)
    }

    /// Returns how clients start us.
    ///
    /// # Errors
    /// The system does not say where the program is.
    pub(crate) fn bridge(&self) -> Result<Bridge, Failure> {
        // Looked up once: a daemon outlives the file that it was started from.
        static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
        let program = if let Some(program) = PROGRAM.get() {
            program
        } else {
            let program = std::env::current_exe()
                .map_err(|error| Failure::failed("find out where this program is").caused_by(&error))?;
            PROGRAM.get_or_init(|| program)
        };
        let home = self.env.var("SWITCHBOARD_HOME").map(|_| {
            let config = self.dirs.config();
            config.parent().unwrap_or(config).to_string_lossy().into_owned()
        });
        Ok(Bridge { program: program.to_string_lossy().into_owned(), home, address: self.address() })
    }

    /// Returns where clients reach the gateway over HTTP, and by which tokens.
    fn address(&self) -> Address {
        let Settings { http, clients, .. } = &self.settings.value;
        let url = match http.listen.parse::<SocketAddr>() {
            Ok(listen) if listen.port() == 0 => String::new(),
            // Whoever listens everywhere listens here, too.
            Ok(listen) if listen.ip().is_unspecified() => format!("http://127.0.0.1:{}", listen.port()),
            _ => format!("http://{}", http.listen),
        };
        // Read where somebody needs them, which is hardly ever.
        let wanted = clients.iter().any(|client| client.via == Via::Http);
        let tokens = || if wanted { Tokens::peek(&self.dirs.tokens()).of_clients() } else { BTreeMap::new() };
        Address { url, tokens: (http.auth != "none").then(tokens) }
    }

    /// Makes a token for each of these clients that is to have one in its file and has none yet.
    ///
    /// # Errors
    /// The tokens can be neither read nor written.
    pub(crate) fn provide_tokens<'c>(&self, clients: impl Iterator<Item = &'c ClientSettings>) -> Done {
        if self.settings.value.http.auth == "none" {
            return Ok(());
        }
        let mut clients = clients.filter(|client| client.via == Via::Http).peekable();
        if clients.peek().is_none() {
            return Ok(());
        }
        let mut tokens = load_tokens(self)?;
        let mut is_new = false;
        for client in clients {
            is_new |= tokens.provide(&client.id, now())?;
        }
        if is_new { save(&self.dirs.tokens(), &tokens) } else { Ok(()) }
    }

    /// Returns what paths of clients depend on.
    pub(crate) fn surroundings(&self) -> &Surroundings {
        self.around.get_or_init(|| surroundings(&self.env))
    }

    /// Returns a path with `~` put in full.
    pub(crate) fn expand(&self, path: &str) -> PathBuf {
        expand(&self.env, path)
    }

    /// Returns a path as people write it: with `~` where it lies in their home.
    pub(crate) fn short(&self, path: &Path) -> String {
        match self.env.home().and_then(|home| path.strip_prefix(home).ok()) {
            Some(rest) => format!("~/{}", rest.display()),
            None => path.display().to_string(),
        }
    }

    /// Returns a failure when the catalogue's file is wrong: changes of it must wait until it is mended.
    ///
    /// # Errors
    /// The file is wrong.
    pub(crate) fn check_catalogue(&self) -> Result<(), Failure> {
        if !self.catalogue.last_good {
            return Ok(());
        }
        Err(Failure::new(Code::BadFile, "change the catalogue: its file is wrong")
            .with_problems(&self.short(&self.dirs.catalogue()), self.catalogue.problems.clone())
            .hint("mend it, then run `switchboard config check`"))
    }

    /// Returns a failure when the settings are wrong.
    ///
    /// # Errors
    /// The file is wrong.
    pub(crate) fn check_settings(&self) -> Result<(), Failure> {
        if self.settings.is_good() {
            return Ok(());
        }
        Err(Failure::new(Code::BadFile, "use the settings: the file is wrong")
            .with_problems(&self.short(&self.dirs.settings()), self.settings.problems.clone())
            .hint("mend it, then run `switchboard config check`"))
    }
}

/// Returns the failure of somebody who did not get hold of the home.
pub(crate) fn busy(error: &LockError) -> Failure {
    let what = "get hold of the home";
    let failure = match error {
        LockError::Held { .. } => Failure::busy(what),
        LockError::Io { .. } => Failure::failed(what),
    };
    failure.caused_by(error).hint(error.help())
}

/// Returns the seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Returns what paths of clients depend on.
pub(crate) fn surroundings(env: &Env) -> Surroundings {
    let home = env.home().unwrap_or(Path::new("/")).to_owned();
    let system = if cfg!(windows) {
        System::Windows
    } else if cfg!(target_os = "macos") {
        System::MacOs
    } else {
        System::Linux
    };
    let vars = env.vars().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
    Surroundings {
        system,
        xdg_config: env.xdg_config().unwrap_or_else(|| home.join(".config")),
        appdata: env.app_data().map(Path::to_owned),
        localappdata: env.local_app_data().map(Path::to_owned),
        mac_support: Some(home.join("Library/Application Support")),
        env: vars.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        home,
    }
}

fn expand(env: &Env, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ if path == "~" => env.home().unwrap_or(Path::new("/")).to_owned(),
        _ => PathBuf::from(path),
    }
}

pub(crate) fn dirs(env: &Env) -> Result<Dirs, Failure> {
    Dirs::from_env(env)
        .map_err(|error| Failure::failed("find the home of Switchboard").caused_by(&error).hint(error.help()))
}

/// The settings, with the file that they come from.
struct Set {
    settings: Parsed<Settings>,
    file: Option<Snapshot>,
    held: Content,
}

/// Reads the settings; a file that cannot be read is one that is wrong.
fn set(dirs: &Dirs) -> Set {
    let path = dirs.settings();
    let read = file::read(&path);
    let held = Content::of(&read);
    let (file, settings) = match read {
        Ok(file) => {
            let settings = match std::str::from_utf8(&file.bytes) {
                Ok(text) => settings::parse(text),
                Err(_) => wrong(Problem::error("the file is not UTF-8").help("save the file as UTF-8")),
            };
            (Some(file), settings)
        }
        Err(ReadError::Missing { .. }) => (None, settings::parse("")),
        // A folder on the way that is missing means that the file is missing too.
        Err(_) if !path.parent().is_some_and(Path::exists) => (None, settings::parse("")),
        Err(error) => (None, wrong(Problem::error(whole(&error)).help(error.help()))),
    };
    Set { settings, file, held }
}

fn wrong(problem: Problem) -> Parsed<Settings> {
    Parsed { value: Settings::default(), problems: vec![problem] }
}

/// Loads the bearer tokens.
///
/// # Errors
/// The state folder cannot be read.
pub(crate) fn load_tokens(home: &Home) -> Result<Tokens, Failure> {
    load(&home.dirs.tokens(), &mut Vec::new())
}

/// Loads a record of ours; a damaged one was set aside and counts as missing.
fn load<T: serde::de::DeserializeOwned + Default>(
    path: &Path,
    notes: &mut Vec<String>,
) -> Result<T, Failure> {
    match record::load(path) {
        Ok(Loaded::Found(value)) => Ok(value),
        Ok(Loaded::Missing) => Ok(T::default()),
        Ok(Loaded::Damaged { set_aside, .. }) => {
            notes.push(format!(
                "a damaged record was set aside as `{}`; `switchboard client scan --all` rebuilds it",
                set_aside.display()
            ));
            Ok(T::default())
        }
        Err(error) => Err(Failure::failed("read the state").caused_by(&error).hint(error.help())),
    }
}

/// Saves a record of ours.
///
/// # Errors
/// The state folder cannot be written.
pub(crate) fn save<T: serde::Serialize>(path: &Path, value: &T) -> Result<(), Failure> {
    record::save(path, value)
        .map_err(|error| Failure::failed("save the state").caused_by(&error).hint(error.help()))
}

/// Returns the catalogue to be served: the file's, unless that is wrong or suddenly blank.
///
/// # Errors
/// It is, and the last good revision cannot be read: an empty one in its place would take everything away from everybody.
fn serve(dirs: &Dirs, history: &History, backups: &Backups) -> Result<Served, Failure> {
    let path = dirs.catalogue();
    let read = file::read(&path);
    let held = Content::of(&read);
    let file = match read {
        Ok(file) => Ok(Some(file)),
        Err(ReadError::Missing { .. }) => Ok(None),
        Err(_) if !path.parent().is_some_and(Path::exists) => Ok(None),
        Err(error) => Err(Problem::error(whole(&error)).help(error.help())),
    };
    let wrong = |file, problems| {
        let catalogue = match history.last() {
            None => Catalogue::default(),
            Some(_) => history.last_catalogue(backups).ok_or_else(|| no_way_back(&path, dirs))?,
        };
        Ok(Served { catalogue, file, held, problems, last_good: true })
    };
    let file = match file {
        Ok(file) => file,
        Err(problem) => return wrong(None, vec![problem]),
    };
    let text = match file.as_ref().map(|file| std::str::from_utf8(&file.bytes)) {
        None => "",
        Some(Ok(text)) => text,
        Some(Err(_)) => {
            let problem = Problem::error("the file is not UTF-8").help("save the file as UTF-8");
            return wrong(file, vec![problem]);
        }
    };
    let parsed = catalogue::parse(text);
    if !parsed.is_good() {
        let problems = parsed.problems;
        return wrong(file, problems);
    }
    let says_nothing = parsed.value.is_empty() && !text.contains("[servers");
    if says_nothing && history.had_servers() {
        let what = if file.is_some() { "the catalogue is suddenly empty" } else { "the catalogue is gone" };
        let problem = Problem::error(format!("{what}; the last good revision stays in service")).help(
            "bring it back with `switchboard config undo`, or write an empty `[servers]` table to mean it",
        );
        return wrong(file, vec![problem]);
    }
    Ok(Served { catalogue: parsed.value, file, held, problems: parsed.problems, last_good: false })
}

fn no_way_back(catalogue: &Path, dirs: &Dirs) -> Failure {
    let (catalogue, backups) = (catalogue.display(), dirs.backups());
    Failure::failed("read the last good revision of the catalogue")
        .because(format!("`{catalogue}` is wrong or gone, and what it was is not in `{}`", backups.display()))
        .hint(format!("mend `{catalogue}`, or bring the folder back; nothing is changed until then"))
}
