//! A client's document, read into the entries that it holds.

use crate::client::bridge::Bridge;
use crate::client::dialect::{Dialect, EntryProblem, Shape};
use crate::document::{Document, Footing, Node, NodeKind, Step};
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
    let mut scan = Scan { main: main_section(document, dialect), ..Scan::default() };
    if let Some(root) = document.root().filter(|root| !document.is_blank() && root.as_map().is_none()) {
        scan.problems.push(
            Problem::error(format!("the file holds {}, where a map belongs", root.kind_word()))
                .at(Place::of(document.text(), root.span.start))
                .help("this is not how the client writes its file; look whether it is the right one"),
        );
        return scan;
    }
    let main = scan.main.clone();
    let mut places = Places::of(document.text());
    if let Some(node) = document.at(&section_steps(&main)) {
        read_section(&mut places, dialect, bridge, None, &main, node, &mut scan);
    }
    for pattern in dialect.sections {
        for (name, path, node) in sections(document, pattern) {
            read_section(&mut places, dialect, bridge, Some(name), &path, node, &mut scan);
        }
    }
    scan
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
    let owned = |path: &&[&str]| path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    dialect
        .containers
        .iter()
        .map(owned)
        .filter(|path| document.at(&section_steps(path)).is_some_and(|node| holds_entries(node, dialect)))
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

fn read_section(
    places: &mut Places<'_>,
    dialect: &Dialect,
    bridge: &Bridge,
    section: Option<&str>,
    path: &[String],
    node: &Node<'_>,
    scan: &mut Scan,
) {
    match (&node.kind, dialect.shape) {
        (NodeKind::Map(map), Shape::Map) => {
            for member in &map.members {
                let at = places.at(member.key_span.start);
                entry(dialect, bridge, section, &member.key, &member.node, at, scan);
            }
        }
        (NodeKind::List(list), Shape::Items { name_key }) => {
            let mut names = std::collections::HashSet::new();
            for item in &list.items {
                let Some(name) = item.get(name_key).and_then(Node::as_text) else { continue };
                if names.insert(name) {
                    entry(dialect, bridge, section, name, item, places.at(item.span.start), scan);
                } else {
                    scan.problems.push(
                        Problem::warning(format!("entry `{name}` stands twice; the first one counts"))
                            .at(places.at(item.span.start))
                            .help("give it another name, or remove it"),
                    );
                }
            }
        }
        _ => {
            let wanted = match dialect.shape {
                Shape::Map => "a map",
                Shape::Items { .. } => "a list",
            };
            scan.problems.push(
                Problem::error(format!(
                    "`{}` is {}, where {wanted} belongs",
                    path.join("."),
                    node.kind_word()
                ))
                .at(places.at(node.span.start))
                .help("replace it with an empty map or list, or remove the key"),
            );
        }
    }
}

fn entry(
    dialect: &Dialect,
    bridge: &Bridge,
    section: Option<&str>,
    alias: &str,
    node: &Node<'_>,
    place: Place,
    scan: &mut Scan,
) {
    let value = node.value();
    let read = dialect.read_entry(&value);
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
    match read {
        Ok(entry) => {
            found.ours = bridge.server_of(&entry.launch);
            found.launch = Some(entry.launch);
            found.enabled = entry.enabled;
            found.foreign = entry.foreign;
        }
        Err(EntryProblem::NotAServer) => found.foreign = keys(&value),
        Err(problem) => {
            let what = format!("entry `{alias}`: {problem}");
            scan.problems
                .push(Problem::warning(what).at(place).help("it is left alone; mend it and scan again"));
            found.problem = Some(problem.to_string());
        }
    }
    found.value = value;
    scan.found.push(found);
}

fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Map(members) => members.iter().map(|(key, _)| key.clone()).collect(),
        _ => Vec::new(),
    }
}
