//! Entries that a client does not use because a list elsewhere in its file says so.

use crate::client::dialect::{Dialect, NameList, Names};
use crate::client::reconcile::{Drift, Item, Verdict};
use crate::document::{Document, NodeKind, Step};
use crate::place::Places;
use crate::problem::Problem;

/// Returns a warning for each entry of ours that is in the file, or is to be, and that such a list hides.
pub fn hidden(document: &Document<'_>, dialect: &Dialect, items: &[Item]) -> Vec<Problem> {
    let mut places = Places::of(document.text());
    let mut problems = Vec::new();
    for list in dialect.name_lists {
        for item in items.iter().filter(|item| item.server.is_some() && stays(&item.verdict)) {
            let Some(path) = list.path_for(item.section.as_deref()) else { continue };
            let steps: Vec<Step> = path.iter().map(|key| Step::key(*key)).collect();
            let Some(node) = document.at(&steps) else { continue };
            // What is no list is the client's own affair.
            let NodeKind::List(names) = &node.kind else { continue };
            let alias = item.alias.as_str();
            let named = names.items.iter().find(|name| name.as_text() == Some(alias));
            let word = path.join(".");
            let (at, what, help) = match (list.names, named) {
                (Names::Used, None) => (
                    node,
                    format!("`{alias}` is not in `{word}`, so the client does not use it"),
                    format!("add `{alias}` to `{word}` in that file"),
                ),
                (Names::Hidden, Some(named)) => (
                    named,
                    format!("`{alias}` is in `{word}`, so the client does not use it"),
                    format!("take `{alias}` out of `{word}` in that file"),
                ),
                _ => continue,
            };
            problems.push(Problem::warning(what).at(places.at(at.span.start)).help(help));
        }
    }
    problems
}

fn stays(verdict: &Verdict) -> bool {
    !matches!(
        verdict,
        Verdict::Remove
            | Verdict::RemoveTwin
            | Verdict::Unmanaged
            | Verdict::Drift(Drift::Removed)
            | Verdict::Conflict(Drift::Removed)
    )
}

impl NameList {
    /// Returns where the list for the entries of a section stands; `None` when it is not about them.
    fn path_for<'p>(&self, section: Option<&'p str>) -> Option<Vec<&'p str>> {
        let of_project = self.path.contains(&"*");
        (of_project == section.is_some()).then(|| {
            self.path.iter().map(|key| if *key == "*" { section.unwrap_or(key) } else { key }).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::known::find;
    use crate::name::{Alias, ServerName};

    fn item(section: Option<&str>, alias: &str, verdict: Verdict) -> Item {
        Item {
            section: section.map(str::to_owned),
            alias: Alias::new(alias),
            server: ServerName::parse("ours").ok(),
            verdict,
        }
    }

    fn told(id: &str, text: &str, items: &[Item]) -> Vec<String> {
        let known = find(id).unwrap();
        let dialect = known.dialect_at(&known.places[0]);
        let document = Document::parse(text, dialect.format).unwrap();
        hidden(&document, &dialect, items).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_of_names_that_hides_our_entry_is_told() {
        let ours = [item(None, "time", Verdict::InStep), item(None, "new", Verdict::Add)];
        let both = [
            "1:19: `time` is not in `mcp.allowed`, so the client does not use it",
            "1:19: `new` is not in `mcp.allowed`, so the client does not use it",
        ];
        let cases: [(&str, &str, &[&str]); 7] = [
            ("gemini-cli", r#"{"mcp":{}}"#, &[]),
            ("gemini-cli", r#"{"mcp":{"allowed":["time","new","x"]}}"#, &[]),
            ("gemini-cli", r#"{"mcp":{"allowed":["x"]}}"#, &both),
            ("gemini-cli", r#"{"mcp":{"allowed":[]}}"#, &both),
            (
                "qwen-code",
                "{\"mcp\":{\"excluded\":[\"x\",\n\"time\"]}}",
                &["2:1: `time` is in `mcp.excluded`, so the client does not use it"],
            ),
            ("gemini-cli", r#"{"mcp":{"allowed":"time"}}"#, &[]),
            ("cursor", r#"{"mcp":{"allowed":[]}}"#, &[]),
        ];
        for (id, text, wanted) in cases {
            assert_eq!(told(id, text, &ours), wanted, "{id} {text}");
        }
        let going = [item(None, "time", Verdict::Remove), item(None, "time", Verdict::Unmanaged)];
        assert_eq!(told("gemini-cli", r#"{"mcp":{"allowed":[]}}"#, &going), [""; 0]);
    }

    #[test]
    fn a_projects_list_is_about_its_own_entries() {
        let text = r#"{"projects":{"/a":{"disabledMcpServers":["time"]},"/b":{"disabledMcpServers":[]}}}"#;
        let items = [
            item(None, "time", Verdict::InStep),
            item(Some("/a"), "time", Verdict::InStep),
            item(Some("/b"), "time", Verdict::InStep),
        ];
        assert_eq!(
            told("claude-code", text, &items),
            ["1:42: `time` is in `projects./a.disabledMcpServers`, so the client does not use it"]
        );
    }
}
