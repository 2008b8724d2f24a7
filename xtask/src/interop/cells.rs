//! What the clients say: a cell for each client, way and server.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// How a client comes to a server: by itself, or by one of the gateway's doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Path {
    Direct,
    Stdio,
    Http,
}

impl fmt::Display for Path {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Direct => "direct",
            Self::Stdio => "stdio",
            Self::Http => "http",
        })
    }
}

/// Who was where: the client, the way, and the server with its transport, such as `py1/http`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) client: &'static str,
    pub(crate) path: Path,
    pub(crate) server: String,
}

impl fmt::Display for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{} {}", self.client, self.path, self.server)
    }
}

/// How a check went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Went {
    /// With what was seen.
    Passed(String),
    Skipped(String),
    Failed(String),
}

/// What came of one visit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    /// The revision that was agreed on.
    pub(crate) revision: String,
    pub(crate) checks: Vec<(String, Went)>,
}

impl Cell {
    pub(crate) fn went(&self, check: &str) -> Option<&Went> {
        self.checks.iter().find(|(name, _)| name == check).map(|(_, went)| went)
    }
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells(pub(crate) BTreeMap<Key, Cell>);

impl Cells {
    /// Reads what one client said: a line of JSON for each server.
    ///
    /// # Errors
    /// A line is not understood.
    pub(crate) fn read(client: &'static str, text: &str) -> Result<Self, String> {
        let mut cells = Self::default();
        for line in text.lines() {
            let told: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
            let (path, server) =
                told["cell"].as_str().and_then(|cell| cell.split_once(' ')).unwrap_or_default();
            let path =
                [Path::Direct, Path::Stdio, Path::Http].into_iter().find(|one| one.to_string() == path);
            let path = path.ok_or_else(|| format!("no such cell: {line}"))?;
            let checks = told["checks"].as_array().into_iter().flatten().map(check).collect();
            let revision = told["revision"].as_str().unwrap_or_default().to_owned();
            cells.0.insert(Key { client, path, server: server.to_owned() }, Cell { revision, checks });
        }
        Ok(cells)
    }
}

fn check(told: &Value) -> (String, Went) {
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let went = match told["result"].as_str() {
        Some("ok") => Went::Passed(text("saw")),
        Some("skipped") => Went::Skipped(text("why")),
        _ => Went::Failed(text("why")),
    };
    (text("check"), went)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_is_read_line_by_line() {
        let text = concat!(
            r#"{"cell":"stdio py1/http","revision":"2025-11-25","checks":[{"check":"echo","result":"ok","saw":"x"},"#,
            r#"{"check":"lone","result":"skipped","why":"so"},{"check":"add","result":"failed","why":"no"}]}"#,
        );
        let cells = Cells::read("ts1", text).unwrap();
        let (key, cell) = cells.0.first_key_value().unwrap();
        assert_eq!(
            (key.to_string(), cell.revision.as_str()),
            ("ts1/stdio py1/http".to_owned(), "2025-11-25")
        );
        assert_eq!(cell.went("echo"), Some(&Went::Passed("x".to_owned())));
        assert_eq!(cell.went("lone"), Some(&Went::Skipped("so".to_owned())));
        assert_eq!(cell.went("add"), Some(&Went::Failed("no".to_owned())));
        assert_eq!(cell.went("else"), None);
        assert!(Cells::read("ts1", "{\"cell\":\"by air\"}").is_err());
    }
}
