//! The registry brought in step with the catalogue: nothing where nothing has changed, and where something has, no more
//! than that.
//!
//! Who is to be asked is decided in core ([`decide()`]); [`ask`] asks; the registry and its stamp are in host.

mod ask;
mod hearsay;
mod plain;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::json;
use switchboard_core::catalogue::Server;
use switchboard_core::name::ServerName;
use switchboard_core::registry::{Choice, Kind, Outcome, Row, Sync, Wanted, decide};
use switchboard_gateway::offer::{Offer, Sort};
use switchboard_host::registry::{Note, Registry, Seen, SeenItem, State};
use switchboard_host::stamp::{self, Counts, Synced};

use crate::fail::Failure;
use crate::home::{Home, now};
use crate::pins::{self, Looked};
use crate::remote;
use crate::ui::{Ui, counted};

pub(crate) use ask::{OFFER, OFFER_LIMIT, Offered, in_words};
pub(crate) use plain::{plain, run as run_plain};

use hearsay::Before;

/// The route by which a sync has feeds be tried again that were given up.
pub(crate) const LISTEN: &str = "/api/v1/feeds/listen";

/// What a sync came to.
pub(crate) struct Done {
    pub(crate) sync: Sync,
    /// Those that did not answer, and why.
    pub(crate) failed: Vec<(ServerName, Reason)>,
    /// What is to be known of tools that are new, or are not what they were.
    pub(crate) looked: Looked,
    /// What is known now.
    pub(crate) counts: Counts,
}

/// Why a server did not answer.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    /// A fragment that fits after a colon.
    pub(crate) why: String,
    /// What a person can do about it.
    pub(crate) help: Option<String>,
}

/// A look at the catalogue, the registry and how they differ.
pub(crate) struct Look {
    pub(crate) registry: Registry,
    pub(crate) sync: Sync,
    /// The moment before the catalogue was read.
    read_at: SystemTime,
    /// What the file system said about the registry before it was read.
    before: Option<switchboard_host::file::Stamp>,
    /// The registry has the servers in another order than the catalogue.
    shuffled: bool,
}

/// The moment before the catalogue is read: what is changed later than that may not have been seen.
pub(crate) struct Moment(SystemTime);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(SystemTime::now())
    }
}

impl Look {
    /// Compares the catalogue of a home, which was read after `moment`, with the registry.
    pub(crate) fn take(home: &Home, moment: &Moment, choice: &Choice, dry_run: bool) -> Self {
        let path = home.dirs.registry();
        let mut registry = if dry_run { Registry::read(&path) } else { Registry::open(&path) };
        let before = registry.stamp();
        if before != stamp::registry(&home.dirs.sync_stamp()) {
            // Somebody else has written in it since it was ours to the last byte.
            registry.check();
        }
        let held = registry.held();
        let sync = decide(&wanted(home), &held, choice);
        let names = sync.steps.iter().filter_map(|step| step.from.as_deref());
        let shuffled = !held.iter().map(|held| held.name.as_str()).eq(names);
        Self { registry, sync, read_at: moment.0, before, shuffled }
    }

    /// Returns why the registry cannot be written; `None` where it can.
    pub(crate) fn refused(&self) -> Option<&Note> {
        self.registry.notes().iter().find(|note| matches!(note, Note::Refused { .. } | Note::Busy { .. }))
    }

    /// Asks whom it has to, and keeps what comes of it.
    ///
    /// # Errors
    /// The registry cannot be written, or nobody can be asked at all.
    pub(crate) fn carry_out(mut self, home: &Home, ui: &Ui) -> Result<(Registry, Done), Failure> {
        let asked: Vec<&Server> = self
            .sync
            .asked()
            .filter_map(|step| home.catalogue.catalogue.server(step.name.as_str()))
            .collect();
        let offers = if asked.is_empty() { BTreeMap::new() } else { ask::all(home, ui, &asked)? };
        let mut servers = home.catalogue.catalogue.servers().iter();
        if servers.any(|server| server.enabled && server.feed.is_some()) {
            // Where there is no daemon, nobody listens.
            let _ = remote::post(&home.env, LISTEN, Vec::new());
        }
        let failed: Vec<(ServerName, Reason)> = offers
            .iter()
            .filter_map(|(name, offer)| Some((name.clone(), offer.as_ref().err()?.clone())))
            .collect();
        let outcomes: BTreeMap<ServerName, Outcome<Seen<'_>>> = offers
            .iter()
            .map(|(name, offer)| {
                (name.clone(), offer.as_ref().map(seen).map_err(|reason| reason.why.clone()))
            })
            .collect();
        let rows = self.sync.fold(outcomes);
        // From here on nobody else changes registry or stamp, so that the one tells of the other.
        let turn = self.registry.turn();
        let mut looked = pins::look(home, &mut self.registry, &rows)?;
        if let Some(note) = &looked.note {
            ui.note(format!("warning: {note}"));
        }
        let whole = self.keep(&rows)?;
        looked.save(home)?;
        let counts = counts(&mut self.registry);
        self.sign(home, whole && failed.is_empty() && !self.sync.leaves_some(), counts);
        drop(turn);
        Ok((self.registry, Done { sync: self.sync, failed, looked, counts }))
    }

    /// Puts rows into the registry where it is not as they say. Returns whether it is now.
    fn keep(&mut self, rows: &[Row<Seen<'_>>]) -> Result<bool, Failure> {
        if self.sync.is_empty() && !self.shuffled {
            return Ok(self.registry.stamp() == self.before);
        }
        let lost = self.registry.replace(rows, now()).map_err(|error| {
            Failure::failed("keep what servers offer").caused_by(&error).hint(error.help())
        })?;
        Ok(lost.is_empty())
    }

    /// Notes from which catalogue the registry is.
    fn sign(&self, home: &Home, complete: bool, counts: Counts) {
        let (Some(file), Some(registry)) = (&home.catalogue.file, self.registry.stamp()) else { return };
        let synced = Synced { catalogue: file.stamp, read_at: self.read_at, registry, complete, counts };
        // Without it the next command looks at more, and finds the same.
        let _ = synced.save(&home.dirs.sync_stamp());
    }
}

/// Keeps what servers offer who have told it by themselves, or of whom somebody else has told it, where the catalogue of a
/// home was read after `moment`. The registry is signed for as `complete` only where nothing else is missing.
///
/// # Errors
/// The registry, or what tools were, cannot be written.
pub(crate) fn record(
    home: &Home,
    moment: &Moment,
    offers: &BTreeMap<ServerName, Arc<Offer>>,
    complete: bool,
) -> Result<Looked, Failure> {
    let before = before(home, offers);
    let is_news =
        |name: &ServerName, offer: &Offer| !before.get(name).is_some_and(|before| before.has(offer));
    let news: Vec<_> = offers.iter().filter(|(name, offer)| is_news(name, offer)).collect();
    let named = Choice::Named(news.iter().map(|(name, _)| name.to_string()).collect());
    let mut look = Look::take(home, moment, &named, false);
    if let Some(note) = look.refused() {
        return Err(Failure::failed("keep what servers offer").caused_by(note));
    }
    if look.sync.asked().next().is_none() {
        return Ok(Looked::default());
    }
    let outcomes: BTreeMap<ServerName, Outcome<Seen<'_>>> = news
        .into_iter()
        .map(|(name, offer)| {
            let said = before.get(name).map_or_else(|| seen(offer), |before| before.with(offer));
            (name.clone(), Ok(said))
        })
        .collect();
    let rows = look.sync.fold(outcomes);
    let turn = look.registry.turn();
    let mut looked = pins::look(home, &mut look.registry, &rows)?;
    let whole = look.keep(&rows)?;
    looked.save(home)?;
    let counts = counts(&mut look.registry);
    look.sign(home, complete && whole && !look.sync.leaves_some(), counts);
    drop(turn);
    Ok(looked)
}

/// Returns what was known of those servers that have not said themselves what they offer now.
fn before(home: &Home, offers: &BTreeMap<ServerName, Arc<Offer>>) -> BTreeMap<ServerName, Before> {
    let mut hearsay = offers.iter().filter(|(_, offer)| offer.is_hearsay()).peekable();
    if hearsay.peek().is_none() {
        return BTreeMap::new();
    }
    let mut registry = Registry::read(&home.dirs.registry());
    hearsay
        .filter_map(|(name, _)| {
            let server = home.catalogue.catalogue.server(name.as_str())?;
            Some((name.clone(), Before::of(&mut registry, server)?))
        })
        .collect()
}

/// Returns the servers that are to be in the registry.
fn wanted(home: &Home) -> Vec<Wanted> {
    let enabled = home.catalogue.catalogue.servers().iter().filter(|server| server.enabled);
    enabled
        .map(|server| Wanted { name: server.name.clone(), fingerprint: server.launch.fingerprint() })
        .collect()
}

/// Returns how much is known of servers that answered when they were asked last.
fn counts(registry: &mut Registry) -> Counts {
    let servers = registry.servers();
    let fresh = servers.iter().filter(|server| server.state == State::Fresh);
    fresh.fold(Counts::default(), |sum, server| Counts {
        tools: sum.tools + server.counts[0],
        servers: sum.servers + 1,
    })
}

/// Returns an offer as the registry takes it.
fn seen(offer: &Offer) -> Seen<'_> {
    let kinds = [
        (Kind::Tool, Sort::Tools),
        (Kind::Prompt, Sort::Prompts),
        (Kind::Resource, Sort::Resources),
        (Kind::Template, Sort::Templates),
    ];
    let items = kinds.into_iter().flat_map(|(kind, sort)| {
        offer.of(sort).iter().map(move |item| SeenItem { kind, name: &item.key, raw: &item.raw })
    });
    Seen {
        revision: &offer.revision,
        capabilities: &offer.capabilities,
        info: offer.info.as_deref(),
        instructions: offer.instructions.as_deref(),
        items: items.collect(),
    }
}

/// Tells what is the matter with the registry.
pub(crate) fn tell_notes(registry: &Registry, ui: &Ui) {
    for note in registry.notes() {
        ui.note(format!("warning: {note}"));
        if let Some(help) = note.help() {
            ui.hint(help);
        }
    }
}

/// Returns that nothing has changed, as people read it.
pub(crate) fn nothing_changed(counts: Counts) -> String {
    format!("nothing changed: {}", in_numbers(counts))
}

/// Returns how much is known, as people read it.
pub(crate) fn in_numbers(counts: Counts) -> String {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    format!("{} from {}", counted(number(counts.tools), "tool"), counted(number(counts.servers), "server"))
}

/// Returns what a sync came to, for programs.
pub(crate) fn as_json(done: Option<&Done>, counts: Counts) -> serde_json::Value {
    let sync = done.map(|done| &done.sync);
    let steps = || sync.into_iter().flat_map(|sync| &sync.steps);
    let why = |reason: &Reason| json!({ "why": reason.why, "help": reason.help });
    let failed = done.into_iter().flat_map(|done| &done.failed);
    json!({
        "tools": counts.tools,
        "servers": counts.servers,
        "asked": steps().filter(|step| step.ask).map(|step| step.name.as_str()).collect::<Vec<_>>(),
        "renamed": steps()
            .filter_map(|step| Some(json!({ "from": step.renamed()?, "to": step.name.as_str() })))
            .collect::<Vec<_>>(),
        "dropped": sync.map(|sync| sync.drop.clone()).unwrap_or_default(),
        "changed": done
            .into_iter()
            .flat_map(|done| &done.looked.changed)
            .map(|(server, tool)| json!({ "server": server, "tool": tool }))
            .collect::<Vec<_>>(),
        "odd": done
            .into_iter()
            .flat_map(|done| &done.looked.odd)
            .map(|(server, tool, odd)| json!({ "server": server, "tool": tool, "what": odd.to_string() }))
            .collect::<Vec<_>>(),
        "failed": failed
            .map(|(name, reason)| {
                let mut value = why(reason);
                value["server"] = name.as_str().into();
                value
            })
            .collect::<Vec<_>>(),
    })
}
