//! Launch data, told to a client in its own spelling.
//!
//! An existing entry keeps its hand: only fields that say something else are changed, under the very keys and in the
//! very spelling that they have. A change is judged by reading the entry back, never by guessing.

use std::collections::BTreeMap;

use super::draft::{Draft, list_like, map_like, set_or_clear};
use super::field::{FieldChange, KeyPath, at, says_something, set};
use super::read::{EntryProblem, KIND_KEYS, Meaning, meaning_at, read_texts, read_texts_by_name};
use super::{Dialect, Extra, Hand, Kind, Say, Shape, Spelling, Support};
use crate::launch::{Launch, Remote};
use crate::value::Value;

/// Why a client cannot be told this launch data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unspeakable {
    /// Its file takes commands only.
    #[error("this client cannot reach a url itself")]
    NoUrl,
    /// It knows this one remote transport only by name, or not at all.
    #[error("this client does not speak the `{}` transport", match .0 { Remote::Http => "http", Remote::Sse => "sse" })]
    NoTransport(Remote),
    /// Its entries have no working folder, and without one another program might run.
    #[error("this client has no working folder for a server")]
    NoCwd,
    /// It refuses this header as plain text.
    #[error("this client refuses a plain `{0}` header")]
    Header(String),
    /// The existing entry is not an MCP server, so it is left alone.
    #[error("the entry is not an MCP server")]
    NotAServer,
}

impl Spelling {
    /// Returns whether something else stands where an address needs a map: putting one there would destroy it.
    fn is_blocked(&self, entry: &Value) -> bool {
        [self.url, self.headers, self.kind.key]
            .into_iter()
            .filter(|path| path.len() > 1)
            .filter_map(|path| entry.get(path[0]))
            .any(|parent| !matches!(parent, Value::Map(_)))
    }
}

/// What the entry said before, as far as it matters for what must go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The same sort of launch: fields of the other sort are none of ours.
    SameSort,
    /// The other sort: its core fields must not stay behind, in whatever spelling.
    OtherSort,
    /// Nothing readable: core fields of the other sort in the client's own spelling must not stay behind.
    Unreadable,
}

impl Dialect {
    /// Returns the least changes that make an entry say `launch`; without an existing entry, those of a bare one.
    ///
    /// Only the six core fields are touched. The core fields of the other transport go when the transport switches,
    /// and so does everything beside which the client would refuse the entry. An existing entry keeps its working
    /// folder. What is told reads back as [`Dialect::heard`].
    pub fn write_entry(
        &self,
        launch: &Launch,
        existing: Option<&Value>,
    ) -> Result<Vec<FieldChange>, Unspeakable> {
        self.spelling.can_say(launch)?;
        let launch = self.heard(launch);
        let before = match existing.map(|entry| self.read_entry(entry)) {
            Some(Err(EntryProblem::NotAServer)) if says_something(existing) => {
                return Err(Unspeakable::NotAServer);
            }
            Some(Ok(said)) if is_stdio(&said.launch) == is_stdio(&launch) => Before::SameSort,
            Some(Ok(_)) => Before::OtherSort,
            _ => Before::Unreadable,
        };
        let entry = existing.cloned().unwrap_or_else(|| Value::Map(Vec::new()));
        if !is_stdio(&launch) && self.spelling.is_blocked(&entry) {
            return Err(Unspeakable::NotAServer);
        }
        let mut draft = Draft::new(entry);
        match &launch {
            Launch::Stdio { command, args, env, .. } => {
                self.spelling.write_stdio(&mut draft, command, args, env, before);
            }
            Launch::Remote { kind, url, headers } => {
                self.write_remote(&mut draft, *kind, url, headers, before);
            }
        }
        self.write_kind(&mut draft, &launch, before);
        Ok(draft.finish())
    }

    /// Returns a new entry that says `launch`, with all that the client asks for beside the core fields.
    pub fn fresh_entry(&self, alias: &str, launch: &Launch) -> Result<Value, Unspeakable> {
        let mut entry = Value::Map(Vec::new());
        if let Shape::Items { name_key } = self.shape {
            set(&mut entry, &[name_key], Value::text(alias));
        }
        // The name leads, as people write it; the rest of the extras comes behind the core fields.
        let (names, others): (Vec<_>, Vec<_>) =
            self.spelling.extras.iter().partition(|(_, extra)| *extra == Extra::Alias);
        for (key, extra) in names {
            set(&mut entry, &[key], extra.value(alias));
        }
        super::apply(&mut entry, &self.write_entry(launch, None)?);
        if let Launch::Stdio { cwd: Some(cwd), .. } = launch {
            let key = self.spelling.cwd.ok_or(Unspeakable::NoCwd)?;
            set(&mut entry, &[key], Value::text(cwd));
        }
        for (key, extra) in others {
            set(&mut entry, &[key], extra.value(alias));
        }
        Ok(entry)
    }

    fn write_remote(
        &self,
        draft: &mut Draft,
        kind: Remote,
        url: &str,
        headers: &BTreeMap<String, String>,
        before: Before,
    ) {
        let spelling = &self.spelling;
        let wanted = self.key_for(&draft.entry, kind, before);
        if before == Before::SameSort
            && let Some(found) = spelling.url_key(&draft.entry).filter(|&found| found != wanted)
        {
            draft.remove(found);
        }
        if at(&draft.entry, wanted).and_then(Value::as_text) != Some(url) {
            draft.set(wanted, Value::text(url));
        }
        if before != Before::SameSort {
            spelling.own_url_keys().filter(|&key| key != wanted).for_each(|key| draft.clear(key));
        }
        spelling.write_headers(draft, headers);
        if before != Before::SameSort {
            for key in [spelling.command, spelling.args, spelling.env] {
                draft.clear(&[key]);
            }
        }
        spelling.fatal_with_url.iter().for_each(|key| draft.remove(&[key]));
    }

    /// Returns the key for an address of this transport: the one in use where it can carry it, else the usual one.
    fn key_for(&self, entry: &Value, kind: Remote, before: Before) -> KeyPath {
        let spelling = &self.spelling;
        let usual = spelling.http_url.filter(|_| kind == Remote::Http).unwrap_or(spelling.url);
        let found = spelling.url_key(entry).filter(|_| before == Before::SameSort);
        let carries = |key: &KeyPath| match kind {
            Remote::Sse => !spelling.is_http_only(key),
            // Where Streamable HTTP has a key of its own, another one will do only if it is understood so already.
            Remote::Http => {
                spelling.http_url.is_none() || spelling.is_http_only(key) || self.reads_as_http(entry)
            }
        };
        found.filter(carries).unwrap_or(usual)
    }

    fn reads_as_http(&self, entry: &Value) -> bool {
        matches!(self.read_entry(entry), Ok(said) if matches!(said.launch, Launch::Remote { kind: Remote::Http, .. }))
    }

    /// Makes the entry name its transport, where it must.
    fn write_kind(&self, draft: &mut Draft, launch: &Launch, before: Before) {
        let Kind { key: own, say, .. } = self.spelling.kind;
        let contradicts = |entry: &Value, key: KeyPath| {
            meaning_at(entry, key).is_some_and(|meaning| !self.agrees(meaning, launch))
        };
        let others = || KIND_KEYS.iter().copied().filter(|&key| key != own);
        if before != Before::SameSort {
            others()
                .filter(|&key| contradicts(&draft.entry, key))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|key| draft.remove(key));
        }
        // An entry may name another transport than the one its address has; what says it already is left as it is.
        if say == Say::Never || (before == Before::SameSort && self.reads_back(&draft.entry, launch)) {
            return;
        }
        let named = at(&draft.entry, own).is_some_and(|value| says_something(Some(value)));
        let required = match say {
            Say::Always => before != Before::SameSort,
            Say::ForUrls => before != Before::SameSort && !is_stdio(launch),
            Say::WhenNeeded | Say::Never => false,
        };
        let wrong = contradicts(&draft.entry, own) || (named && self.meaning_is_lost(&draft.entry));
        if wrong || (required && !named) {
            self.name_kind(draft, launch);
        }
        // Only another client's key can stand in the way now; the own one is said where removing that is not enough.
        for key in others().collect::<Vec<_>>() {
            if !self.reads_back(&draft.entry, launch) && contradicts(&draft.entry, key) {
                draft.remove(key);
            }
        }
        if !self.reads_back(&draft.entry, launch) {
            self.name_kind(draft, launch);
        }
    }

    /// Returns whether the entry's own transport key holds something that makes the entry unreadable.
    fn meaning_is_lost(&self, entry: &Value) -> bool {
        self.spelling.named_kind(entry).is_err()
    }

    fn name_kind(&self, draft: &mut Draft, launch: &Launch) {
        let Kind { key, stdio, http, sse, .. } = self.spelling.kind;
        let name = match launch {
            Launch::Stdio { .. } => stdio,
            Launch::Remote { kind: Remote::Http, .. } => Some(http),
            Launch::Remote { kind: Remote::Sse, .. } => Some(sse),
        };
        match name {
            Some(name) => draft.lead(key, name),
            None => draft.remove(key),
        }
    }

    fn agrees(&self, meaning: Meaning, launch: &Launch) -> bool {
        match (meaning, launch) {
            (Meaning::Remote(named), Launch::Remote { kind, .. }) => {
                named == *kind || !self.tells_remotes_apart()
            }
            (Meaning::Stdio, Launch::Stdio { .. }) | (Meaning::AnyRemote, Launch::Remote { .. }) => true,
            _ => false,
        }
    }

    fn reads_back(&self, entry: &Value, launch: &Launch) -> bool {
        match (self.read_entry(entry).map(|said| said.launch), launch) {
            (Ok(Launch::Stdio { .. }), Launch::Stdio { .. }) => true,
            (Ok(Launch::Remote { kind, .. }), Launch::Remote { kind: wanted, .. }) => kind == *wanted,
            _ => false,
        }
    }
}

fn is_stdio(launch: &Launch) -> bool {
    matches!(launch, Launch::Stdio { .. })
}

impl Extra {
    fn value(self, alias: &str) -> Value {
        match self {
            Self::Alias => Value::text(alias),
            Self::Text(text) => Value::text(text),
            Self::Bool(flag) => Value::Bool(flag),
            Self::Texts(items) => Value::texts(items.iter().copied()),
        }
    }
}

impl Spelling {
    fn can_say(&self, launch: &Launch) -> Result<(), Unspeakable> {
        let Launch::Remote { kind, headers, .. } = launch else { return Ok(()) };
        if self.http == Support::No && self.sse == Support::No {
            return Err(Unspeakable::NoUrl);
        }
        let support = match kind {
            Remote::Http => self.http,
            Remote::Sse => self.sse,
        };
        if support == Support::No {
            return Err(Unspeakable::NoTransport(*kind));
        }
        let refused = |name: &&String| self.refused_headers.contains(&name.to_ascii_lowercase().as_str());
        headers.keys().find(refused).map_or(Ok(()), |name| Err(Unspeakable::Header(name.clone())))
    }

    fn write_stdio(
        &self,
        draft: &mut Draft,
        command: &str,
        args: &[String],
        env: &BTreeMap<String, String>,
        before: Before,
    ) {
        self.write_command(draft, command, args);
        let env_path = self.env_path(&draft.entry);
        let found = at(&draft.entry, &env_path);
        if read_texts_by_name(&env_path, found).as_ref() != Ok(env) {
            let value = map_like(found, env);
            set_or_clear(draft, &env_path, value);
        }
        if before == Before::OtherSort {
            let found = [self.url_key(&draft.entry), self.headers_key(&draft.entry)];
            found.into_iter().flatten().for_each(|key| draft.clear(key));
        }
        if before != Before::SameSort {
            self.own_url_keys().chain(self.own_header_keys()).for_each(|key| draft.clear(key));
        }
        self.fatal_with_stdio.iter().for_each(|key| draft.remove(&[key]));
    }

    fn write_command(&self, draft: &mut Draft, command: &str, args: &[String]) {
        let said = self.read_command(&draft.entry);
        if said.is_ok_and(|(program, given)| program == command && given == args) {
            return;
        }
        let path = self.command_path(&draft.entry);
        let args_path = self.args_path(&draft.entry);
        let found = at(&draft.entry, &path);
        let as_list = match self.hand {
            Hand::Text => false,
            Hand::List => true,
            Hand::Either => matches!(found, Some(Value::List(_))),
        };
        if as_list {
            let whole: Vec<String> = [command.to_owned()].into_iter().chain(args.iter().cloned()).collect();
            let value = list_like(found, &whole);
            draft.set(&path, value);
            draft.clear(&args_path);
            return;
        }
        if found.and_then(Value::as_text) != Some(command) {
            draft.set(&path, Value::text(command));
        }
        let found = at(&draft.entry, &args_path);
        if read_texts(&args_path, found).as_deref() != Ok(args) {
            let value = list_like(found, args);
            set_or_clear(draft, &args_path, value);
        }
    }
}
