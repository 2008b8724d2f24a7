//! Changes of a catalogue's text: lossless splices, never a reprint.

use crate::catalogue::Server;
use crate::document::{Change, Document, Format, Refusal, Step, Unreadable};
use crate::launch::{Launch, Remote};
use crate::name::ServerName;
use crate::value::Value;

/// Why a catalogue's text cannot be changed as asked.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The text itself does not parse.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The text cannot say it without touching something else.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no server of that name.
    #[error("there is no server `{0}`")]
    Unknown(ServerName),
    /// There is a server of that name already.
    #[error("there is a server `{0}` already")]
    Taken(ServerName),
}

/// One change of a server's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEdit {
    /// A new server, at the end.
    Add(Box<Server>),
    /// The server of this name is started or reached otherwise; everything else about it stays.
    Relaunch(ServerName, Launch),
    /// One setting of the server is put to a value, or removed with `None`.
    Put(ServerName, &'static str, Option<Value>),
    /// The server is no more.
    Remove(ServerName),
    /// The server goes by another name.
    Rename(ServerName, ServerName),
}

/// Returns the text of the catalogue after `edits`.
///
/// # Errors
/// Names that are not there, or there already; a text that cannot be edited without a guess.
pub fn edited(text: &str, edits: &[ServerEdit]) -> Result<String, EditError> {
    let mut text = text.to_owned();
    let mut batch = Vec::new();
    for edit in edits {
        // A rename moves what the changes before it made, so it sees them done.
        if let ServerEdit::Rename(from, to) = edit {
            text = revise(&text, &batch)?;
            batch.clear();
            text = renamed(&text, from, to)?;
        } else {
            batch.push(edit);
        }
    }
    revise(&text, &batch)
}

fn revise(text: &str, edits: &[&ServerEdit]) -> Result<String, EditError> {
    let document = Document::parse(text, Format::Toml)?;
    let there = |name: &ServerName| document.at(&server_path(name)).is_some();
    let mut changes = Vec::new();
    for edit in edits {
        match edit {
            ServerEdit::Add(server) => {
                if there(&server.name) {
                    return Err(EditError::Taken(server.name.clone()));
                }
                changes.push(Change::set(server_path(&server.name), table(server)));
            }
            ServerEdit::Relaunch(name, launch) => {
                if !there(name) {
                    return Err(EditError::Unknown(name.clone()));
                }
                changes.extend(launch_changes(name, launch, document.value_at(&server_path(name)).as_ref()));
            }
            ServerEdit::Put(name, key, value) => {
                if !there(name) {
                    return Err(EditError::Unknown(name.clone()));
                }
                changes.push(match value {
                    Some(value) => Change::set(field_path(name, key), value.clone()),
                    None => Change::remove(field_path(name, key)),
                });
            }
            ServerEdit::Remove(name) => {
                if !there(name) {
                    return Err(EditError::Unknown(name.clone()));
                }
                changes.push(Change::remove(server_path(name)));
            }
            ServerEdit::Rename(..) => {}
        }
    }
    Ok(document.revised(&changes)?)
}

/// A rename touches the name alone: its table, its comments and its order stay where they are.
fn renamed(text: &str, from: &ServerName, to: &ServerName) -> Result<String, EditError> {
    let document = Document::parse(text, Format::Toml)?;
    if document.at(&server_path(to)).is_some() {
        return Err(EditError::Taken(to.clone()));
    }
    if document.at(&server_path(from)).is_none() {
        return Err(EditError::Unknown(from.clone()));
    }
    Ok(document.renamed(&[Step::key("servers")], from.as_str(), to.as_str())?)
}

fn server_path(name: &ServerName) -> [Step; 2] {
    [Step::key("servers"), Step::key(name.as_str())]
}

fn field_path(name: &ServerName, key: &str) -> [Step; 3] {
    [Step::key("servers"), Step::key(name.as_str()), Step::key(key)]
}

/// How the catalogue's file says a launch, field by field.
fn launch_fields(launch: &Launch) -> Vec<(&'static str, Option<Value>)> {
    let map = |map: &std::collections::BTreeMap<String, String>| {
        (!map.is_empty()).then(|| Value::text_map(map.iter().map(|(k, v)| (k.as_str(), v.as_str()))))
    };
    match launch {
        Launch::Stdio { command, args, env, cwd } => vec![
            ("command", Some(Value::text(command))),
            ("args", (!args.is_empty()).then(|| Value::texts(args.iter().map(String::as_str)))),
            ("env", map(env)),
            ("cwd", cwd.as_deref().map(Value::text)),
            ("type", None),
            ("url", None),
            ("headers", None),
        ],
        Launch::Remote { kind, url, headers } => vec![
            ("type", (*kind == Remote::Sse).then(|| Value::text("sse"))),
            ("url", Some(Value::text(url))),
            ("headers", map(headers)),
            ("command", None),
            ("args", None),
            ("env", None),
            ("cwd", None),
        ],
    }
}

fn launch_changes(name: &ServerName, launch: &Launch, now: Option<&Value>) -> Vec<Change> {
    launch_fields(launch)
        .into_iter()
        .filter_map(|(key, value)| {
            let path = field_path(name, key);
            match value {
                Some(value) => Some(Change::set(path, value)),
                // A type that still tells the truth stays.
                None if key == "type" && still_true(launch, now) => None,
                None => now.and_then(|now| now.get(key)).map(|_| Change::remove(path)),
            }
        })
        .collect()
}

fn still_true(launch: &Launch, now: Option<&Value>) -> bool {
    let says = now.and_then(|now| now.get("type")).and_then(Value::as_text);
    matches!(
        (launch, says),
        (Launch::Stdio { .. }, Some("stdio")) | (Launch::Remote { kind: Remote::Http, .. }, Some("http"))
    )
}

/// The table of a new server: what differs from the defaults.
fn table(server: &Server) -> Value {
    let mut members: Vec<(String, Value)> = launch_fields(&server.launch)
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
    let mut put = |key: &str, value| members.push((key.to_owned(), value));
    if !server.enabled {
        put("enabled", Value::Bool(false));
    }
    if let Some(description) = &server.description {
        put("description", Value::text(description));
    }
    if !server.tags.is_empty() {
        put("tags", Value::texts(server.tags.iter().map(String::as_str)));
    }
    Value::Map(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).unwrap()
    }

    const BEFORE: &str = "\
# ours
[servers.github] # the code
command = \"npx\"
args = [\"-y\", \"@modelcontextprotocol/server-github\"] # pinned later

# the other one
[servers.linear]
url = \"https://mcp.linear.app/mcp\"
headers = { Authorization = \"Bearer ${env:LINEAR_TOKEN}\" }
";

    #[test]
    fn a_new_server_comes_last_and_can_go_again() {
        let server = Server::new(name("time"), Launch::stdio("uvx", ["mcp-server-time"]));
        let after = edited(BEFORE, &[ServerEdit::Add(Box::new(server))]).unwrap();
        assert_eq!(
            after,
            format!("{BEFORE}\n[servers.time]\ncommand = \"uvx\"\nargs = [\"mcp-server-time\"]\n")
        );
        assert_eq!(edited(&after, &[ServerEdit::Remove(name("time"))]).unwrap(), BEFORE);
    }

    #[test]
    fn the_first_server_begins_a_file() {
        let server = Server::new(name("time"), Launch::http("https://time.example/mcp"));
        assert_eq!(
            edited("", &[ServerEdit::Add(Box::new(server))]).unwrap(),
            "[servers.time]\nurl = \"https://time.example/mcp\"\n"
        );
    }

    #[test]
    fn a_server_changes_its_transport_and_leaves_nothing_behind() {
        let after =
            edited(BEFORE, &[ServerEdit::Relaunch(name("linear"), Launch::stdio("linear-mcp", ["-v"]))])
                .unwrap();
        assert!(after.starts_with(&BEFORE[..BEFORE.find("url").unwrap()]), "{after}");
        assert!(after.contains("command = \"linear-mcp\"\nargs = [\"-v\"]\n"), "{after}");
        assert!(!after.contains("url") && !after.contains("headers"), "{after}");
    }

    #[test]
    fn a_rename_touches_the_name_alone() {
        let after = edited(BEFORE, &[ServerEdit::Rename(name("github"), name("git hub"))]).unwrap();
        assert_eq!(after, BEFORE.replace("[servers.github]", "[servers.\"git hub\"]"));
        assert!(matches!(
            edited(BEFORE, &[ServerEdit::Rename(name("github"), name("linear"))]),
            Err(EditError::Taken(_))
        ));
    }

    #[test]
    fn a_setting_is_put_and_removed() {
        let off = ServerEdit::Put(name("github"), "enabled", Some(Value::Bool(false)));
        let after = edited(BEFORE, &[off]).unwrap();
        assert!(after.contains("# pinned later\nenabled = false\n\n# the other one"), "{after}");
        let on = ServerEdit::Put(name("github"), "enabled", None);
        assert_eq!(edited(&after, &[on]).unwrap(), BEFORE);
    }

    #[test]
    fn names_that_are_not_there_or_there_already_are_refused() {
        let again = Server::new(name("github"), Launch::stdio("x", [""; 0]));
        assert!(matches!(edited(BEFORE, &[ServerEdit::Add(Box::new(again))]), Err(EditError::Taken(_))));
        assert!(matches!(edited(BEFORE, &[ServerEdit::Remove(name("x"))]), Err(EditError::Unknown(_))));
        let put = ServerEdit::Put(name("x"), "enabled", None);
        assert!(matches!(edited(BEFORE, &[put]), Err(EditError::Unknown(_))));
    }
}
