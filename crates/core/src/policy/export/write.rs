//! The edits of another application's file.

use super::{ExportError, ours};
use crate::document::{Change, Document, Format, Node, NodeKind, Refusal, Step};
use crate::text::{TextEdit, splice};
use crate::value::Value;

/// The keys of one tool that change, each with what it says, or with `None` where it goes.
pub(super) type Keys = Vec<(String, Option<Value>)>;

/// What becomes of our tools.
#[derive(Default)]
pub(super) struct Plan {
    /// The places of those that go.
    pub(super) removed: Vec<usize>,
    /// The places of those in which something changes.
    pub(super) changed: Vec<(usize, Keys)>,
    /// Those that come, key by key.
    pub(super) added: Vec<Vec<(&'static str, Value)>>,
    /// The names that our server's own list should have; `None` where it has them.
    pub(super) names: Option<Vec<String>>,
}

/// Returns the text after a plan.
pub(super) fn carry_out(
    document: &Document<'_>,
    server: &str,
    mut plan: Plan,
) -> Result<String, ExportError> {
    let tools = Step::key("tools");
    let before = others(document, server);
    let mut edits = Vec::new();
    if let Some(list) = document.at(std::slice::from_ref(&tools)).and_then(Node::as_list) {
        for (at, keys) in plan.changed {
            edits.push(changed(document, &list.items[at], keys)?);
        }
        plan.removed.sort_unstable();
        edits.extend(removals(&list.items, &plan.removed));
    }
    let text = splice(document.text(), &edits)?;
    let document = Document::parse(&text, Format::Json)?;
    let mut changes: Vec<Change> =
        plan.names.map(|names| of_server(&document, server, names)).into_iter().collect();
    for (number, members) in plan.added.into_iter().enumerate() {
        let members = members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        // Somebody else's tool may have the same name: the step is to lead to none that is there.
        let nobody = Step::item("name", format!("\0{number}"));
        changes.push(Change::set([tools.clone(), nobody], Value::Map(members)));
    }
    let after = splice(&text, &document.edits(&changes)?)?;
    let read = Document::parse(&after, Format::Json)?;
    if others(&read, server) != before {
        return Err(Refusal::Unverified("what is somebody else's would change".to_owned()).into());
    }
    ours(&read, server)?;
    Ok(after)
}

/// One tool with some of its keys changed: read and edited by itself, so that it is the right one of several alike.
fn changed(document: &Document<'_>, node: &Node<'_>, keys: Keys) -> Result<TextEdit, ExportError> {
    let text = &document.text()[node.span.clone()];
    let changes: Vec<Change> = keys
        .into_iter()
        .map(|(key, value)| match value {
            Some(value) => Change::set([Step::Key(key)], value),
            None => Change::remove([Step::Key(key)]),
        })
        .collect();
    Ok(TextEdit::replace(node.span.clone(), Document::parse(text, Format::Json)?.revised(&changes)?))
}

/// Each run of tools that go takes along the comma and the space before the next that stays, or before itself.
fn removals(items: &[Node<'_>], removed: &[usize]) -> Vec<TextEdit> {
    let mut edits = Vec::new();
    let mut at = 0;
    while at < removed.len() {
        let first = removed[at];
        let mut last = first;
        while removed.get(at + 1) == Some(&(last + 1)) {
            at += 1;
            last += 1;
        }
        at += 1;
        let start = items[first].span.start;
        edits.push(TextEdit::delete(match (items.get(last + 1), first.checked_sub(1)) {
            (Some(next), _) => start..next.span.start,
            (None, Some(before)) => items[before].span.end..items[last].span.end,
            (None, None) => start..items[last].span.end,
        }));
    }
    edits
}

/// The change by which a server's own list has these names: in a list of servers with names, or in a map of them.
fn of_server(document: &Document<'_>, server: &str, names: Vec<String>) -> Change {
    let servers = Step::key("servers");
    let is_map = document.at(std::slice::from_ref(&servers)).is_some_and(|node| node.as_map().is_some());
    let own = if is_map { Step::key(server) } else { Step::item("name", server) };
    Change::set([servers, own, Step::key("tools")], Value::texts(names))
}

/// The names that our server's own list has; `None` where it has no such list.
pub(super) fn names(document: &Document<'_>, server: &str) -> Option<Vec<String>> {
    let servers = document.at(&[Step::key("servers")])?;
    let own = match &servers.kind {
        NodeKind::Map(_) => servers.get(server)?,
        _ => servers.step(&Step::item("name", server))?,
    };
    let list = own.get("tools")?.as_list()?;
    Some(list.items.iter().filter_map(Node::as_text).map(str::to_owned).collect())
}

/// What is somebody else's, in order: each part with the way to it.
fn others(document: &Document<'_>, server: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for member in document.root().and_then(Node::as_map).into_iter().flat_map(|map| &map.members) {
        match (&*member.key, &member.node.kind) {
            ("tools", NodeKind::List(list)) => {
                let theirs = |node: &&Node<'_>| node.get("server").and_then(Node::as_text) != Some(server);
                all.extend(list.items.iter().filter(theirs).map(|node| ("tools".to_owned(), node.value())));
            }
            ("servers", NodeKind::List(list)) => {
                for node in &list.items {
                    if node.get("name").and_then(Node::as_text) == Some(server) {
                        all.extend(but_tools("our server", node));
                    } else {
                        all.push(("servers".to_owned(), node.value()));
                    }
                }
            }
            ("servers", NodeKind::Map(map)) => {
                for member in &map.members {
                    if member.key == server {
                        all.extend(but_tools("our server", &member.node));
                    } else {
                        all.push((format!("servers {}", member.key), member.node.value()));
                    }
                }
            }
            (key, _) => all.push((key.to_owned(), member.node.value())),
        }
    }
    // What is made anew for us is nobody else's.
    all.retain(|(path, value)| path != "our server name" || *value != Value::text(server));
    all
}

fn but_tools(path: &str, node: &Node<'_>) -> Vec<(String, Value)> {
    let members = node.as_map().into_iter().flat_map(|map| &map.members);
    let members = members.filter(|member| member.key != "tools");
    members.map(|member| (format!("{path} {}", member.key), member.node.value())).collect()
}
