//! Linked clients: which there are, where their files stand, and what is planned for each.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use switchboard_core::catalogue::Catalogue;
use switchboard_core::client::bridge::Bridge;
use switchboard_core::client::dialect::Dialect;
use switchboard_core::client::known::{self, Known, Place, Scope, Status};
use switchboard_core::client::reconcile::{Same, Wanted};
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::document::Document;
use switchboard_core::launch::Launch;
use switchboard_core::name::ClientId;
use switchboard_core::plan::{ClientPlan, FileState, Observed, plan_client, wanted, with_stored};
use switchboard_core::problem::Problem;
use switchboard_core::settings::{ClientSettings, Face, Mode, Via};
use switchboard_host::file::{self, ReadError, Snapshot, Target};
use switchboard_host::hash::Hash;
use switchboard_host::secret::{FileSecrets, Secrets as _};

use crate::approval::quoted;
use crate::discover;
use crate::fail::{Code, Failure, whole};
use crate::home::Home;

/// A linked client, with what its settings leave open filled in.
#[derive(Clone, Debug)]
pub(crate) struct Linked {
    pub(crate) settings: ClientSettings,
    /// Its file.
    pub(crate) path: PathBuf,
    /// How its file is written.
    pub(crate) dialect: Dialect,
}

impl Linked {
    /// Returns its id.
    pub(crate) fn id(&self) -> &ClientId {
        &self.settings.id
    }
}

/// A client's file as it is, and what is planned for it.
pub(crate) struct Look {
    pub(crate) linked: Linked,
    /// The file; `None` when there is none, or when it cannot be read.
    pub(crate) file: Option<Snapshot>,
    pub(crate) record: ClientRecord,
    pub(crate) plan: ClientPlan,
}

impl Look {
    /// Returns the text of the file; empty when there is none.
    pub(crate) fn text(&self) -> &str {
        self.file.as_ref().and_then(|file| std::str::from_utf8(&file.bytes).ok()).unwrap_or_default()
    }
}

/// Returns the linked clients: those of the settings, then the files of `client_configs`.
///
/// # Errors
/// A path of `client_configs` belongs to no client that is known.
pub(crate) fn linked(home: &Home) -> Result<Vec<Linked>, Failure> {
    home.check_settings()?;
    let mut all: Vec<Linked> =
        home.settings.value.clients.iter().filter_map(|client| link(home, client.clone())).collect();
    for config in &home.settings.value.client_sync.client_configs {
        let extra = configured(home, config)?;
        if !all.iter().any(|linked| linked.path == extra.path) {
            all.push(extra);
        }
    }
    Ok(all)
}

fn link(home: &Home, settings: ClientSettings) -> Option<Linked> {
    let path = match &settings.path {
        Some(path) => home.expand(path),
        None => usual_path(home, settings.known)?,
    };
    let dialect = dialect_at(home, settings.known, &path);
    Some(Linked { settings, path, dialect })
}

/// Returns where a known client's own file is, or would be.
pub(crate) fn usual_path(home: &Home, known: &'static Known) -> Option<PathBuf> {
    discover::places(known, home.surroundings())
        .into_iter()
        .min_by_key(|place| !place.exists)
        .map(|place| place.path)
}

/// Returns how a client writes the file at this path.
pub(crate) fn dialect_at(home: &Home, known: &'static Known, path: &std::path::Path) -> Dialect {
    known.place_at(path, home.surroundings()).map_or(known.dialect, |place| known.dialect_at(place))
}

/// Reads one line of `client_configs`: `path`, or `client-id=path`.
fn configured(home: &Home, config: &str) -> Result<Linked, Failure> {
    let wrong = |what: String| {
        Failure::new(Code::BadFile, format!("use `{config}` of client_configs: {what}"))
            .hint("write it as \"client-id=path\"")
    };
    let (named, path) = match config.split_once('=') {
        Some((id, path)) => (Some(id), home.expand(path)),
        None => (None, home.expand(config)),
    };
    let known = if let Some(id) = named {
        known::find(id).ok_or_else(|| wrong(format!("`{id}` is no known client")))?
    } else {
        known::recognise(&path, home.surroundings())
            .first()
            .map(|(known, _)| *known)
            .ok_or_else(|| wrong("no known client keeps its servers there".to_owned()))?
    };
    let id = ClientId::parse(known.id).map_err(|error| wrong(error.to_string()))?;
    let text = path.to_string_lossy().into_owned();
    let settings = ClientSettings { path: Some(text), ..defaults(id, known, Mode::Auto) };
    let dialect = dialect_at(home, known, &path);
    Ok(Linked { settings, path, dialect })
}

/// Returns the settings of a client about which the user has said nothing.
pub(crate) fn defaults(id: ClientId, known: &'static Known, mode: Mode) -> ClientSettings {
    ClientSettings {
        id,
        known,
        path: None,
        mode,
        via: Via::Bridge,
        face: Face::PerServer,
        tools: switchboard_core::settings::Tools::Full,
        servers: vec!["*".to_owned()],
    }
}

/// Returns the linked clients that `ids` name, or all.
///
/// # Errors
/// An id that is not linked, with what to type.
pub(crate) fn chosen(home: &Home, ids: &[String], all: bool) -> Result<Vec<Linked>, Failure> {
    let linked = linked(home)?;
    if all {
        return Ok(linked);
    }
    ids.iter()
        .map(|id| {
            let real = known::find(id).map_or(id.as_str(), |known| known.id);
            linked
                .iter()
                .find(|linked| linked.id().as_str() == id || linked.id().as_str() == real)
                .cloned()
                .ok_or_else(|| unlinked(id, &linked))
        })
        .collect()
}

/// Returns the clients that `ids` name, or all: linked ones, and files that were written under these names without a
/// link, as `switchboard listen` does.
///
/// # Errors
/// As [`chosen`].
pub(crate) fn named(home: &Home, ids: &[String], all: bool) -> Result<Vec<Linked>, Failure> {
    if all {
        return linked(home);
    }
    let one = |id: &String| match chosen(home, std::slice::from_ref(id), false) {
        Ok(mut found) => Ok(found.remove(0)),
        Err(failure) => {
            let record = home.relations.clients.iter().find(|(known, _)| known.as_str() == id);
            record.and_then(|(id, record)| remembered(home, id, record)).ok_or(failure)
        }
    };
    ids.iter().map(one).collect()
}

/// Returns a client that is remembered, though it is not linked: its dialect is told by its name, else by its file.
pub(crate) fn remembered(home: &Home, id: &ClientId, record: &ClientRecord) -> Option<Linked> {
    let path = PathBuf::from(&record.path);
    // A second file of a client is called after its place: `cursor.shop`.
    let family = id.as_str().split('.').next().unwrap_or_default();
    let by_path = || known::recognise(&path, home.surroundings()).first().map(|(known, _)| *known);
    let known = known::find(id.as_str()).or_else(|| known::find(family)).or_else(by_path)?;
    let dialect = dialect_at(home, known, &path);
    Some(Linked { settings: defaults(id.clone(), known, Mode::Manual), path, dialect })
}

fn unlinked(id: &str, linked: &[Linked]) -> Failure {
    let names = linked.iter().map(|linked| linked.id().as_str());
    match (known::find(id), switchboard_core::nearest::nearest(id, names).or_else(|| known::nearest(id))) {
        (Some(known), _) => Failure::usage(format!("find client `{id}`: it is not linked"))
            .hint(format!("run `switchboard client link {}`", known.id)),
        (None, Some(near)) => {
            Failure::usage(format!("find client `{id}`")).hint(format!("did you mean `{near}`?"))
        }
        (None, None) => Failure::usage(format!("find client `{id}`"))
            .hint("see `switchboard client list --all` for those that are known"),
    }
}

/// Looks at one client's file and plans for it.
pub(crate) struct Observer<'h> {
    home: &'h Home,
    /// The servers that clients are given.
    catalogue: &'h Catalogue,
    bridge: Bridge,
    plain: Box<dyn Fn(&Launch) -> Launch>,
    /// Clients whose entries another linked client keeps in step: the same file, the same place in it.
    shared: BTreeMap<ClientId, ClientId>,
    /// What clients of these selectors are given, where they reach their servers through us.
    bridged: RefCell<HashMap<Vec<String>, Arc<Wanted>>>,
}

impl<'h> Observer<'h> {
    /// Returns an observer of this home's clients.
    ///
    /// # Errors
    /// The system does not say where the program is.
    pub(crate) fn new(home: &'h Home) -> Result<Self, Failure> {
        let bridge = home.bridge()?;
        let catalogue = &home.catalogue.catalogue;
        Ok(Self {
            home,
            catalogue,
            bridge,
            plain: plain(home),
            shared: shared(home),
            bridged: RefCell::default(),
        })
    }

    /// Returns an observer for a client that is given servers from elsewhere.
    ///
    /// What reaches servers through this home is then no business of ours: no entry counts as ours unless the record
    /// says so.
    pub(crate) fn giving(home: &'h Home, catalogue: &'h Catalogue) -> Self {
        let (shared, bridged) = (BTreeMap::new(), RefCell::default());
        Self { home, catalogue, bridge: Bridge::nobodys(), plain: plain(home), shared, bridged }
    }

    /// Returns how clients reach servers through us.
    pub(crate) fn bridge(&self) -> &Bridge {
        &self.bridge
    }

    /// Returns which launches are servers of the catalogue.
    pub(crate) fn same(&self) -> Same<'_> {
        self.same_in(self.catalogue)
    }

    /// Returns which launches are servers of this catalogue.
    pub(crate) fn same_in(&self, catalogue: &Catalogue) -> Same<'_> {
        Same::of(catalogue, &self.plain)
    }

    /// Looks at all of `clients` and plans for each.
    pub(crate) fn plan(&self, clients: &[Linked]) -> Vec<Look> {
        let same = self.same();
        clients.iter().map(|linked| self.look(linked, &same)).collect()
    }

    /// Returns what a client is to be given; the same for all that name the same servers and go through us.
    fn wanted(&self, linked: &Linked) -> Result<Arc<Wanted>, Problem> {
        let Linked { settings, dialect, .. } = linked;
        let make = || wanted(self.catalogue, settings, dialect, &self.bridge).map(Arc::new);
        if settings.via != Via::Bridge || settings.face != Face::PerServer {
            return make();
        }
        if let Some(known) = self.bridged.borrow().get(&settings.servers) {
            return Ok(Arc::clone(known));
        }
        let made = make()?;
        self.bridged.borrow_mut().insert(settings.servers.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// A token is for nobody else's eyes.
    ///
    /// # Errors
    /// Others may read the file, and what belongs into it holds a token.
    fn told_only_there(&self, linked: &Linked, wanted: Arc<Wanted>) -> Result<Arc<Wanted>, Problem> {
        let has_token = linked.settings.via == Via::Http && self.bridge.address.tokens.is_some();
        if has_token && file::others_may_read(&linked.path) {
            let what = "others on this machine can read the file, and its entries would hold a token";
            let path = quoted(&linked.path.to_string_lossy());
            return Err(Problem::error(what)
                .help(format!("`chmod 600 {path}`, or use via = \"bridge\" for this client")));
        }
        Ok(wanted)
    }

    /// Looks at one client's file and plans for it.
    pub(crate) fn look(&self, linked: &Linked, same: &Same<'_>) -> Look {
        let record = self.home.relations.clients.get(linked.id()).cloned().unwrap_or_default();
        self.look_with(linked, record, same)
    }

    /// Looks at one client's file and plans for it by this record.
    pub(crate) fn look_with(&self, linked: &Linked, record: ClientRecord, same: &Same<'_>) -> Look {
        self.look_and(linked, record, same, |_, _, _| ()).0
    }

    /// Looks at one client's file and plans for it by this record; where the file can be read, `then` has the plan
    /// with the record and the document that it is for.
    pub(crate) fn look_and<T>(
        &self,
        linked: &Linked,
        mut record: ClientRecord,
        same: &Same<'_>,
        then: impl FnOnce(&mut ClientPlan, &ClientRecord, &Document<'_>) -> T,
    ) -> (Look, Option<T>) {
        let path = linked.path.to_string_lossy().into_owned();
        // What is remembered of another file says nothing about this one.
        if record.path != path {
            record = ClientRecord { path, ..ClientRecord::default() };
        }
        let wanted = self.wanted(linked).and_then(|wanted| self.told_only_there(linked, wanted));
        let read = file::read(&linked.path);
        let (file, problem) = match read {
            Ok(file) => (Some(file), None),
            Err(ReadError::Missing { .. }) => (None, None),
            Err(error) => (None, Some(Problem::error(whole(&error)).help(error.help()))),
        };
        let text = file.as_ref().map(|file| std::str::from_utf8(&file.bytes));
        // What it was matters only when it is not that any more.
        let seen = record.seen.as_deref().and_then(Hash::parse);
        let changed = seen.filter(|seen| file.as_ref().is_some_and(|file| file.hash != *seen));
        let last = changed.and_then(|seen| self.home.backups().load(seen).ok());
        let last = last.as_deref().and_then(|last| std::str::from_utf8(last).ok());
        let plan = |text: Option<&str>| {
            let read = Document::parse(text.unwrap_or_default(), linked.dialect.format).ok();
            let observed = Observed { text, last, document: read.as_ref() };
            let mut plan =
                plan_client(linked.id(), &linked.dialect, &record, observed, wanted, &self.bridge, same);
            let then = read.as_ref().map(|document| then(&mut plan, &record, document));
            (plan, then)
        };
        let (mut plan, then) = match (text, problem) {
            (_, Some(problem)) => (unreadable(plan(None).0, problem), None),
            (Some(Err(_)), None) => {
                let bytes = file.as_ref().map_or(&[][..], |file| &file.bytes);
                let problem = Document::decode(bytes).err().map_or_else(
                    || Problem::error("the file is not UTF-8"),
                    |error| Problem::error(error.reason.to_string()).at(error.place).help(error.help()),
                );
                (unreadable(plan(None).0, problem), None)
            }
            (Some(Ok(text)), None) => plan(Some(text)),
            (None, None) => plan(None),
        };
        if let Some(first) = self.shared.get(linked.id()) {
            plan.state = FileState::Shared(first.clone());
        }
        (Look { linked: linked.clone(), file, record, plan }, then)
    }
}

/// Puts stored secrets in the place of their references, for comparing.
fn plain(home: &Home) -> Box<dyn Fn(&Launch) -> Launch> {
    let store = FileSecrets::new(home.dirs.secrets());
    let stored = move |name: &str| store.get(name).ok().flatten().map(|secret| secret.expose().to_owned());
    Box::new(move |launch: &Launch| with_stored(launch, &stored))
}

/// A file that could not even be looked at: nothing is planned for it.
fn unreadable(mut plan: ClientPlan, problem: Problem) -> ClientPlan {
    plan.state = FileState::Unreadable;
    plan.items.clear();
    plan.found.clear();
    plan.problems = vec![problem];
    plan
}

/// Finds clients with the same entries: of those with one file and one place in it, the first keeps them in step.
fn shared(home: &Home) -> BTreeMap<ClientId, ClientId> {
    // Whoever asks for the clients is told why they cannot be listed.
    let all = linked(home).unwrap_or_default();
    let mut first = BTreeMap::new();
    let mut shared = BTreeMap::new();
    for linked in &all {
        let real =
            Target::resolve(&linked.path).map_or_else(|_| linked.path.clone(), |to| to.real().to_owned());
        match first.entry((real, linked.dialect.containers.first())) {
            Entry::Vacant(free) => {
                free.insert(linked.id());
            }
            Entry::Occupied(taken) => {
                shared.insert(linked.id().clone(), (*taken.get()).clone());
            }
        }
    }
    shared
}

/// Returns whether a known client is worth offering: in use, with a place of a user's that can be written.
pub(crate) fn is_offered(known: &Known, place: &Place) -> bool {
    known.status == Status::Active && place.scope == Scope::User && !place.read_only
}
