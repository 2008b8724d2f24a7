//! A client's document, read into the entries that it holds.

use crate::client::bridge::Bridge;
use crate::client::dialect::{Dialect, EntryProblem, Shape};
use crate::document::{Aliases, Document, Footing, Node, NodeKind, Step};
use crate::launch::Launch;
use crate::name::{Alias, ServerName};
use crate::place::{Place, Places};
use crate::problem::Problem;
use crate::value::Value;

/// One entry of a client's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The section of the file: `None` for the main one, else the project that it is for.
    pub section: Option<String>,
    /// What the client calls it.
    pub alias: Alias,
    /// Where it stands.
    pub place: Place,
    /// How it is started or reached; `None` when it is no server, or malformed.
    pub launch: Option<Launch>,
    /// Why there is no launch, when a person should know.
    pub problem: Option<String>,
    /// Whether the client would use it.
    pub enabled: bool,
    /// Keys beside our six fields, which belong to the client.
    pub foreign: Vec<String>,
    /// The catalogue's server that it reaches through us.
    pub ours: Option<ServerName>,
    /// The whole entry.
    pub value: Value,
}

impl Found {
    /// Returns where it stands and what it is called there, by which it is told from all others of the file.
    pub(crate) fn key(&self) -> (Option<&str>, &str) {
        (self.section.as_deref(), self.alias.as_str())
    }
}

/// What a scan of a document gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The entries in the order of the text.
    pub found: Vec<Found>,
    /// Entries and sections that cannot be understood; they are left alone.
    pub problems: Vec<Problem>,
    /// Where the main section stands, or would stand.
    pub main: Vec<String>,
}

/// Reads the entries of a document.
///
/// A bad entry is a problem, never a failure: the others count.
pub fn scan(document: &Document<'_>, dialect: &Dialect, bridge: &Bridge) -> Scan {
    let aliases = document.aliases();
    let mut scan = Scan { main: main_container(&aliases, dialect), ..Scan::default() };
    if let Some(root) = document.root().filter(|root| !document.is_blank() && root.as_map().is_none()) {
        scan.problems.push(
            Problem::error(format!("the file holds {}, where a map belongs", root.kind_word()))
                .at(Place::of(document.text(), root.span.start))
                .help("this is not how the client writes its file; look whether it is the right one"),
        );
        return scan;
    }
    let main = scan.main.clone();
    let places = Places::of(document.text());
    let mut reading = Reading { aliases: &aliases, dialect, bridge, places, scan };
    if let Some(node) = aliases.at(&section_steps(&main)) {
        reading.section(None, &main, node);
    }
    for pattern in dialect.sections {
        for (name, path, node) in sections(document, pattern) {
            reading.section(Some(name), &path, node);
        }
    }
    reading.scan
}

/// Returns the path of a section as steps.
pub fn section_steps(path: &[String]) -> Vec<Step> {
    path.iter().map(Step::key).collect()
}

/// Returns where the entries of `section` stand: the main one as the document has it, others by their project.
pub fn section_path(document: &Document<'_>, dialect: &Dialect, section: Option<&str>) -> Vec<String> {
    match section {
        None => main_section(document, dialect),
        Some(name) => dialect
            .sections
            .first()
            .map(|pattern| {
                pattern.iter().map(|key| if *key == "*" { name } else { key }.to_owned()).collect()
            })
            .unwrap_or_default(),
    }
}

/// Returns the way from the root to an entry.
pub fn entry_path(dialect: &Dialect, section: &[String], alias: &str) -> Vec<Step> {
    let mut steps = section_steps(section);
    steps.push(match dialect.shape {
        Shape::Map => Step::key(alias),
        Shape::Items { name_key } => Step::item(name_key, alias),
    });
    steps
}

/// Returns what `section` of the document was like, for a removal that gives back the very bytes.
pub fn section_footing(document: &Document<'_>, section: &[String]) -> Footing {
    document.footing(&section_steps(section))
}

/// Of the places a client looks at, the deepest that exists; else the usual one.
fn main_section(document: &Document<'_>, dialect: &Dialect) -> Vec<String> {
    main_container(&document.aliases(), dialect)
}

fn main_container(aliases: &Aliases<'_, '_>, dialect: &Dialect) -> Vec<String> {
    let owned = |path: &&[&str]| path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let there = |path: &Vec<String>| {
        aliases.at(&section_steps(path)).is_some_and(|node| holds_entries(aliases.target(node), dialect))
    };
    dialect
        .containers
        .iter()
        .map(owned)
        .filter(there)
        .rev()
        .max_by_key(Vec::len)
        .or_else(|| dialect.containers.first().map(owned))
        .unwrap_or_default()
}

/// A server that is itself called like a part of a container's path is not taken for the container.
fn holds_entries(node: &Node<'_>, dialect: &Dialect) -> bool {
    match (&node.kind, dialect.shape) {
        (NodeKind::Map(map), Shape::Map) => {
            let plain = dialect.containers.len() < 2;
            plain || map.members.len() > 64 || dialect.read_entry(&node.value()).is_err()
        }
        (NodeKind::List(_), Shape::Items { .. }) => true,
        _ => false,
    }
}

/// The sections that a pattern with one `*` finds, each with the key that the star stands for.
fn sections<'d, 't>(
    document: &'d Document<'t>,
    pattern: &[&str],
) -> Vec<(&'d str, Vec<String>, &'d Node<'t>)> {
    let Some(star) = pattern.iter().position(|key| *key == "*") else { return Vec::new() };
    let parent: Vec<Step> = pattern[..star].iter().map(|key| Step::key(*key)).collect();
    let Some(map) = document.at(&parent).and_then(Node::as_map) else { return Vec::new() };
    let rest = &pattern[star + 1..];
    map.members
        .iter()
        .filter_map(|member| {
            let node = rest.iter().try_fold(&member.node, |node, key| node.get(key))?;
            node.as_map()?;
            let path = pattern
                .iter()
                .map(|key| if *key == "*" { member.key.to_string() } else { (*key).to_owned() })
                .collect();
            Some((member.key.as_ref(), path, node))
        })
        .collect()
}

/// A scan under way.
struct Reading<'s, 'd, 't> {
    aliases: &'s Aliases<'d, 't>,
    dialect: &'s Dialect,
    bridge: &'s Bridge,
    places: Places<'s>,
    scan: Scan,
}

impl<'d, 't> Reading<'_, 'd, 't> {
    fn section(&mut self, section: Option<&str>, path: &[String], node: &'d Node<'t>) {
        let aliases = self.aliases;
        let target = aliases.target(node);
        match (&target.kind, self.dialect.shape) {
            (NodeKind::Map(_), Shape::Map) => {
                for member in aliases.members(target).unwrap_or_default() {
                    let at = self.places.at(member.key_span.start);
                    self.entry(section, &member.key, &member.node, at);
                }
            }
            (NodeKind::List(list), Shape::Items { name_key }) => {
                let mut names = std::collections::HashSet::new();
                for item in &list.items {
                    let Some(name) = aliases.text_at(item, name_key) else { continue };
                    let at = self.places.at(item.span.start);
                    if names.insert(name) {
                        self.entry(section, name, item, at);
                    } else {
                        self.scan.problems.push(
                            Problem::warning(format!("entry `{name}` stands twice; the first one counts"))
                                .at(at)
                                .help("give it another name, or remove it"),
                        );
                    }
                }
            }
            (_, shape) => {
                let wanted = match shape {
                    Shape::Map => "a map",
                    Shape::Items { .. } => "a list",
                };
                self.scan.problems.push(
                    Problem::error(format!(
                        "`{}` is {}, where {wanted} belongs",
                        path.join("."),
                        target.kind_word()
                    ))
                    .at(self.places.at(node.span.start))
                    .help("replace it with an empty map or list, or remove the key"),
                );
            }
        }
    }

    fn entry(&mut self, section: Option<&str>, alias: &str, node: &'d Node<'t>, place: Place) {
        let mut found = Found {
            section: section.map(str::to_owned),
            alias: Alias::new(alias),
            place,
            launch: None,
            problem: None,
            enabled: true,
            foreign: Vec::new(),
            ours: None,
            value: Value::Null,
        };
        let value = self.aliases.value(node);
        match value.as_ref().map(|value| self.dialect.read_entry(value)) {
            Ok(Ok(entry)) => {
                found.ours = self.bridge.server_of(&entry.launch);
                found.launch = Some(entry.launch);
                found.enabled = entry.enabled;
                found.foreign = entry.foreign;
            }
            Ok(Err(EntryProblem::NotAServer)) => found.foreign = value.as_ref().map(keys).unwrap_or_default(),
            Ok(Err(problem)) => found.problem = Some(problem.to_string()),
            Err(too_much) => found.problem = Some(too_much.to_string()),
        }
        if let Some(problem) = &found.problem {
            let what = format!("entry `{alias}`: {problem}");
            let problem = Problem::warning(what).at(place).help("it is left alone; mend it and scan again");
            self.scan.problems.push(problem);
        }
        found.value = value.unwrap_or_else(|_| node.value());
        self.scan.found.push(found);
    }
}

fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Map(members) => members.iter().map(|(key, _)| key.clone()).collect(),
        _ => Vec::new(),
    }
}
