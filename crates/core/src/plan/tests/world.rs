//! One client, its file and the catalogue, with everything that can happen to them.

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Server};
use crate::client::bridge::{Address, Bridge};
use crate::client::dialect::{Dialect, Shape};
use crate::client::known::{Known, find};
use crate::client::reconcile::{Drift, Item, Same, Verdict};
use crate::client::relation::{ClientRecord, Relation, Standing};
use crate::client::render::RenderError;
use crate::client::scan::{Found, entry_path, section_path};
use crate::document::{Document, Step};
use crate::launch::Launch;
use crate::name::{ClientId, ServerName};
use crate::plan::{ClientPlan, FileState, Observed, plan_client, render_client, scanned, wanted};
use crate::settings::{ClientSettings, Face, Mode, Tools, Via};
use crate::value::Value;

pub(super) struct World {
    pub(super) settings: ClientSettings,
    pub(super) dialect: Dialect,
    pub(super) servers: Vec<Server>,
    pub(super) text: Option<String>,
    /// The file as it was when it was last read in full or written by us.
    pub(super) last: Option<String>,
    pub(super) record: ClientRecord,
}

pub(super) fn name(text: &str) -> ServerName {
    ServerName::parse(text).unwrap()
}

pub(super) fn bridge() -> Bridge {
    let tokens = [(ClientId::parse("cursor").unwrap(), "sb_1".to_owned())].into();
    let address = Address { url: "http://127.0.0.1:8080".to_owned(), tokens: Some(tokens) };
    Bridge { program: "/bin/switchboard".to_owned(), home: None, address }
}

impl World {
    #[expect(clippy::large_types_passed_by_value, reason = "the world keeps it")]
    pub(super) fn of(known: &'static Known, dialect: Dialect, via: Via) -> Self {
        let settings = ClientSettings {
            id: ClientId::parse(known.id).unwrap(),
            known,
            path: None,
            mode: Mode::Manual,
            via,
            face: Face::PerServer,
            tools: Tools::Full,
            servers: vec!["*".to_owned()],
        };
        let record = ClientRecord::default();
        Self { settings, dialect, servers: Vec::new(), text: None, last: None, record }
    }

    /// A client that is told to reach everything through us, in the dialect of its first place.
    pub(super) fn new(id: &str) -> Self {
        let known = find(id).unwrap();
        Self::of(known, known.dialect_at(&known.places[0]), Via::Bridge)
    }

    pub(super) fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.servers.clone(), BTreeMap::new())
    }

    pub(super) fn plan(&self) -> ClientPlan {
        let catalogue = self.catalogue();
        let wanted = wanted(&catalogue, &self.settings, &self.dialect, &bridge());
        let observed = Observed { text: self.text.as_deref(), last: self.last.as_deref(), document: None };
        let plain = |launch: &Launch| launch.clone();
        let same = Same::of(&catalogue, &plain);
        plan_client(&self.settings.id, &self.dialect, &self.record, observed, wanted, &bridge(), &same)
    }

    /// Carries out what is pending, or nothing where the file is to be left alone.
    ///
    /// Returns what could not be written.
    pub(super) fn carry_out(&mut self, plan: &ClientPlan) -> Vec<String> {
        let text = self.text.clone().unwrap_or_default();
        let rendered = match render_client(plan, &self.dialect, &self.record, &text) {
            Ok(rendered) => rendered,
            // Of all that is pending nothing can be written.
            Err(RenderError::Unspeakable { why, .. }) => {
                let pending = plan.items.iter().filter(|item| item.verdict.is_pending());
                return pending.map(|item| format!("`{}`: {why}", item.alias)).collect();
            }
            Err(error) => panic!("{}: {error}\n{text}\n{:?}", self.settings.id, plan.items),
        };
        if plan.is_pending() {
            self.text = Some(rendered.text);
        } else {
            assert_eq!(rendered.text, text, "nothing was pending");
        }
        if matches!(plan.state, FileState::Read | FileState::Missing) {
            self.record = rendered.record;
            self.last.clone_from(&self.text);
        }
        rendered.problems.iter().map(ToString::to_string).collect()
    }

    pub(super) fn push(&mut self) -> ClientPlan {
        let plan = self.plan();
        self.carry_out(&plan);
        plan
    }

    pub(super) fn scan(&mut self) {
        let plan = self.plan();
        if matches!(plan.state, FileState::Read | FileState::Missing) {
            self.record = scanned(&plan, &self.record);
            self.last.clone_from(&self.text);
        }
    }

    pub(super) fn restore(&mut self) -> ClientPlan {
        let mut plan = self.plan();
        plan.restore(None);
        self.carry_out(&plan);
        plan
    }

    /// Lets the file's version stand where somebody else changed it.
    pub(super) fn keep(&mut self) {
        for item in self.changed() {
            self.record.put(Relation {
                section: item.section,
                server: item.server.unwrap(),
                alias: item.alias,
                standing: Standing::Kept,
            });
        }
    }

    /// Takes over into the catalogue what somebody else wrote into entries of ours.
    pub(super) fn adopt(&mut self) {
        let plan = self.plan();
        for item in self.changed() {
            let server = item.server.clone().unwrap();
            let entry = entry(&plan.found, &item).cloned();
            let own = self.servers.iter_mut().find(|own| own.name == server);
            let (Some(entry), Some(own)) = (entry, own) else { continue };
            let Some(launch) = entry.launch.filter(|launch| bridge().server_of(launch).is_none()) else {
                continue;
            };
            own.launch = launch.clone();
            self.record.put(Relation {
                section: item.section,
                alias: item.alias,
                server,
                standing: Standing::Managed { base: launch, origin: Some(entry.value) },
            });
        }
    }

    fn changed(&self) -> Vec<Item> {
        let changed = |item: &Item| match item.verdict {
            Verdict::Drift(drift) | Verdict::Conflict(drift) => drift != Drift::Doubled,
            _ => false,
        };
        self.plan().items.into_iter().filter(changed).collect()
    }

    /// Renames a server of the catalogue; the record follows it.
    pub(super) fn rename(&mut self, from: &ServerName, to: &ServerName) {
        if self.servers.iter().any(|server| server.name == *to) {
            return;
        }
        for server in self.servers.iter_mut().filter(|server| server.name == *from) {
            server.name = to.clone();
        }
        for relation in self.record.relations.iter_mut().filter(|relation| relation.server == *from) {
            relation.server = to.clone();
        }
    }

    pub(super) fn value(&self) -> Option<Value> {
        let text = self.text.as_deref()?;
        Document::parse(text, self.dialect.format).ok()?.root().map(crate::document::Node::value)
    }

    /// The way to an entry of the file as it is now.
    pub(super) fn way(&self, section: Option<&str>, alias: &str) -> Vec<Step> {
        let text = self.text.as_deref().unwrap_or_default();
        let document = Document::parse(text, self.dialect.format).unwrap();
        entry_path(&self.dialect, &section_path(&document, &self.dialect, section), alias)
    }
}

pub(super) fn entry<'f>(found: &'f [Found], item: &Item) -> Option<&'f Found> {
    found.iter().find(|entry| entry.section == item.section && entry.alias == item.alias)
}

/// What is the client's own of an entry: everything but type, command, args, env, url and headers, however spelt.
pub(super) fn clients_part(dialect: &Dialect, entry: &Value) -> Value {
    let spelling = &dialect.spelling;
    let mut ways: Vec<&[&str]> = vec![spelling.url, spelling.headers, spelling.kind.key];
    ways.extend(spelling.http_url);
    ways.extend(spelling.other_urls);
    ways.extend(spelling.other_headers);
    let plain =
        ["type", "transport", "transportType", "url", "serverUrl", "httpUrl", "httpURL", "baseUrl", "uri"];
    let plain: Vec<[&str; 1]> = plain.into_iter().chain(["headers"]).map(|key| [key]).collect();
    ways.extend(plain.iter().map(<[&str; 1]>::as_slice));
    let mut left = entry.clone();
    for way in ways {
        without(&mut left, way);
    }
    for key in [spelling.command, spelling.args, spelling.env] {
        without(&mut left, &[key]);
    }
    left
}

fn without(value: &mut Value, way: &[&str]) {
    let Value::Map(members) = value else { return };
    match way {
        [key] => members.retain(|(name, _)| name != key),
        [key, rest @ ..] => {
            for (_, inner) in members.iter_mut().filter(|(name, _)| name == key) {
                without(inner, rest);
            }
            members.retain(|(name, inner)| name != key || *inner != Value::Map(Vec::new()));
        }
        [] => {}
    }
}

/// The value at `path`, to be changed.
pub(super) fn at_mut<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match (value, step) {
        (Value::Map(members), Step::Key(key)) => {
            members.iter_mut().find(|(name, _)| name == key).map(|(_, inner)| inner)
        }
        (Value::List(items), Step::Item { key, value: name }) => {
            items.iter_mut().find(|item| item.get(key).and_then(Value::as_text) == Some(name))
        }
        _ => None,
    })
}

/// Takes away what the last step of `path` leads to.
pub(super) fn remove(value: &mut Value, path: &[Step]) {
    let Some((last, parent)) = path.split_last() else { return };
    match (at_mut(value, parent), last) {
        (Some(Value::Map(members)), Step::Key(key)) => members.retain(|(name, _)| name != key),
        (Some(Value::List(items)), Step::Item { key, value: name }) => {
            items.retain(|item| item.get(key).and_then(Value::as_text) != Some(name));
        }
        _ => {}
    }
}

/// Puts a member into a map, or in the place of the one of that name.
pub(super) fn put(value: &mut Value, key: &str, new: Value) {
    let Value::Map(members) = value else { return };
    match members.iter_mut().find(|(name, _)| name == key) {
        Some((_, old)) => *old = new,
        None => members.push((key.to_owned(), new)),
    }
}

/// Puts an entry into the container at `path`; the containers on the way are made.
pub(super) fn put_entry(root: &mut Value, path: &[String], alias: &str, shape: Shape, entry: Value) {
    let mut here = root;
    for (at, key) in path.iter().enumerate() {
        if here.get(key).is_none() {
            let list = at + 1 == path.len() && matches!(shape, Shape::Items { .. });
            put(here, key, if list { Value::List(Vec::new()) } else { Value::Map(Vec::new()) });
        }
        here = at_mut(here, &[Step::key(key)]).unwrap();
    }
    match here {
        Value::List(items) => items.push(entry),
        map => put(map, alias, entry),
    }
}
