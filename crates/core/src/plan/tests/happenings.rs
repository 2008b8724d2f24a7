//! What may happen to a client's file, and to what it is to say: chosen by dice.

use super::hand::{Dice, written};
use super::world::{World, at_mut, bridge, name, put, put_entry, remove};
use crate::catalogue::Server;
use crate::client::dialect::{Dialect, Shape};
use crate::client::known::{Known, all};
use crate::client::scan::{Found, section_path};
use crate::document::{Change, Document, Format, Step};
use crate::launch::{Launch, Remote};
use crate::plan::FileState;
use crate::settings::Via;
use crate::value::Value;

/// Every dialect in the table once, those of single places too.
pub(super) fn dialects() -> Vec<(&'static Known, Dialect)> {
    let mut dialects: Vec<(&'static Known, Dialect)> = Vec::new();
    for known in all() {
        let of_places = known.places.iter().map(|place| known.dialect_at(place));
        for dialect in of_places.chain([known.dialect]) {
            if !dialects.iter().any(|(_, other)| *other == dialect) {
                dialects.push((known, dialect));
            }
        }
    }
    dialects
}

pub(super) const NAMES: &[&str] = &["a", "sqlite", "git hub", "b.c", "sqlite1", "mine"];
pub(super) const PROJECTS: &[&str] = &["/w/shop", "/w/a b"];

pub(super) fn launch(which: usize) -> Launch {
    let stdio = |command: &str, args: &[&str], env: &[(&str, &str)]| Launch::Stdio {
        command: command.into(),
        args: args.iter().map(|&arg| arg.into()).collect(),
        env: env.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
        cwd: None,
    };
    let remote = |kind, url: &str, headers: &[(&str, &str)]| Launch::Remote {
        kind,
        url: url.into(),
        headers: headers.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
    };
    match which % 8 {
        0 => stdio("npx", &["-y", "sqlite"], &[]),
        1 => stdio("uvx", &[], &[("TOKEN", "${env:T}"), ("B", "1")]),
        2 => remote(Remote::Http, "https://x.example/mcp", &[("X-Key", "k")]),
        3 => remote(Remote::Sse, "https://x.example/sse", &[]),
        4 => stdio("node", &["C:\\s.js", "a \"b\"", ""], &[("Ä", "é #: ")]),
        5 => remote(Remote::Http, "https://y.example/mcp", &[]),
        6 => stdio("npx", &["-y", "other"], &[("yes", "no")]),
        _ => stdio("/opt/run", &["8080"], &[]),
    }
}

/// Keys of the client's own.
pub(super) fn own_key(entry: &mut Value, dice: &mut Dice) {
    match dice.roll(4) {
        0 => put(entry, "timeout", Value::Number(dice.of(&["30", "60000"]).into())),
        1 => put(entry, "alwaysAllow", Value::texts(["query", "list"])),
        2 => put(entry, "x-note", Value::text(dice.of(&["it's", "# no comment"]))),
        _ => put(entry, "x-more", Value::Map(vec![("on".into(), Value::Bool(true))])),
    }
}

/// An entry as a client writes it: a server, or something that only looks like one.
pub(super) fn foreign_entry(world: &World, alias: &str, dice: &mut Dice) -> Option<Value> {
    let dialect = &world.dialect;
    let mut entry = if dice.roll(8) == 7 {
        let mut entry = Value::Map(vec![("x-kind".into(), Value::text("builtin"))]);
        if let Shape::Items { name_key } = dialect.shape {
            put(&mut entry, name_key, Value::text(alias));
        }
        entry
    } else {
        let pick = dice.roll(10);
        let launch = match world.servers.get(pick) {
            Some(server) if dice.roll(4) == 3 => bridge().launch(&server.name),
            Some(server) => server.launch.clone(),
            None => launch(pick),
        };
        dialect.fresh_entry(alias, &launch).ok()?
    };
    for _ in 0..dice.of(&[0, 0, 1, 2]) {
        own_key(&mut entry, dice);
    }
    if dice.roll(10) == 9
        && let Some(switch) = dialect.spelling.switches.first()
    {
        put(&mut entry, switch.key, Value::Bool(switch.off));
    }
    Some(entry)
}

/// The file of a client, in any layout, with things of its own around the servers.
pub(super) fn first_text(world: &World, dice: &mut Dice) -> Option<String> {
    match dice.roll(8) {
        0 => return None,
        1 => return Some(String::new()),
        _ => {}
    }
    let dialect = &world.dialect;
    let mut root = Value::Map(Vec::new());
    if dice.roll(3) > 0 {
        put(&mut root, "theme", Value::text("dark"));
        put(&mut root, "editor", Value::Map(vec![("size".into(), Value::Number("1.0".into()))]));
    }
    let container = dice.of(dialect.containers);
    let path: Vec<String> = container.iter().map(|key| (*key).to_owned()).collect();
    if dice.roll(5) > 0 {
        for &alias in NAMES.iter().take(dice.roll(5)) {
            if let Some(entry) = foreign_entry(world, alias, dice) {
                put_entry(&mut root, &path, alias, dialect.shape, entry);
            }
        }
    }
    for pattern in dialect.sections {
        for &project in PROJECTS.iter().take(dice.roll(3)) {
            let path: Vec<String> =
                pattern.iter().map(|key| if *key == "*" { project } else { key }.to_owned()).collect();
            if let Some(entry) = foreign_entry(world, "sqlite", dice) {
                put_entry(&mut root, &path, "sqlite", dialect.shape, entry);
            }
        }
    }
    if dice.roll(2) == 1 {
        put(&mut root, "last", Value::List(vec![Value::text("x"), Value::Bool(true)]));
    }
    Some(written(&root, dialect.format, dice))
}

pub(super) fn world(dice: &mut Dice) -> World {
    let dialects = dialects();
    let (known, dialect) = dialects[dice.roll(dialects.len())];
    let via = dice.of(&[Via::Bridge, Via::Bridge, Via::Direct]);
    let mut world = World::of(known, dialect, via);
    for &name in NAMES.iter().take(dice.roll(5)) {
        add_server(&mut world, name, dice);
    }
    world.text = first_text(&world, dice);
    world
}

pub(super) fn add_server(world: &mut World, text: &str, dice: &mut Dice) {
    if !world.servers.iter().any(|server| server.name.as_str() == text) {
        world.servers.push(Server::new(name(text), launch(dice.roll(8))));
    }
}

/// Changes the catalogue.
pub(super) fn change_catalogue(world: &mut World, dice: &mut Dice) {
    let count = world.servers.len();
    let (what, name_of) = (dice.roll(5), dice.of(NAMES));
    if what == 0 || count == 0 {
        return add_server(world, name_of, dice);
    }
    let at = dice.roll(count);
    match what {
        1 => world.servers[at].launch = launch(dice.roll(8)),
        2 => drop(world.servers.remove(at)),
        3 => world.servers[at].enabled = !world.servers[at].enabled,
        _ => {
            let from = world.servers[at].name.clone();
            world.rename(&from, &name(name_of));
        }
    }
}

/// Changes the file as its client or its owner would: in place, or by writing all of it anew.
pub(super) fn change_file(world: &mut World, dice: &mut Dice) {
    let plan = world.plan();
    if plan.state == FileState::Unreadable {
        return;
    }
    let servers: Vec<Found> = plan.found.iter().filter(|found| found.launch.is_some()).cloned().collect();
    let Some(root) = world.value() else {
        world.text = first_text(world, dice);
        return;
    };
    let mut after = root.clone();
    let what = dice.roll(6);
    if what < 2 {
        let section = (!world.dialect.sections.is_empty() && dice.roll(3) == 2).then_some(PROJECTS[0]);
        let path = {
            let text = world.text.as_deref().unwrap_or_default();
            let document = Document::parse(text, world.dialect.format).unwrap();
            section_path(&document, &world.dialect, section)
        };
        let alias = dice.of(NAMES);
        let there = plan
            .found
            .iter()
            .any(|found| found.section.as_deref() == section && found.alias.as_str() == alias);
        if there {
            return;
        }
        let Some(entry) = foreign_entry(world, alias, dice) else { return };
        put_entry(&mut after, &path, alias, world.dialect.shape, entry);
    } else if !servers.is_empty() {
        let found = &servers[dice.roll(servers.len())];
        let way = world.way(found.section.as_deref(), found.alias.as_str());
        let there = at_mut(&mut after, &way).unwrap();
        match what {
            2 => remove(&mut after, &way),
            3 => own_key(there, dice),
            _ => {
                // Another command or address, as a person would write it over the old one.
                if let Ok(changes) = world.dialect.write_entry(&launch(dice.roll(8)), Some(there)) {
                    crate::client::dialect::apply(there, &changes);
                }
            }
        }
    } else {
        put(&mut after, "theme", Value::text("light"));
    }
    let (text, format) = (world.text.clone().unwrap_or_default(), world.dialect.format);
    let in_place = dice.roll(2) == 0;
    let edited = in_place.then(|| in_place_text(&text, format, &root, &after)).flatten();
    world.text = Some(edited.unwrap_or_else(|| written(&after, format, dice)));
}

pub(super) fn in_place_text(text: &str, format: Format, before: &Value, after: &Value) -> Option<String> {
    let (Value::Map(before), Value::Map(members)) = (before, after) else { return None };
    let mut changes: Vec<Change> =
        members.iter().map(|(key, value)| Change::set([Step::key(key)], value.clone())).collect();
    let gone = before.iter().filter(|(key, _)| after.get(key).is_none());
    changes.extend(gone.map(|(key, _)| Change::remove([Step::key(key)])));
    Document::parse(text, format).unwrap().revised(&changes).ok()
}
