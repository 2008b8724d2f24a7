//! The servers that a client's file from elsewhere holds.

use switchboard_core::catalogue::{Catalogue, Server};
use switchboard_core::client::bridge::Bridge;
use switchboard_core::client::dialect::Dialect;
use switchboard_core::client::scan::scan;
use switchboard_core::document::Document;
use switchboard_core::name::ServerName;
use switchboard_core::problem::Problem;

use super::super::wire::Trouble;

/// Returns the servers of a whole client's file, as the other side would have it.
///
/// # Errors
/// It is no such file. One entry that is not to be understood spoils it: half of a file is not what was meant.
pub(super) fn given(text: &str, dialect: &Dialect) -> Result<Catalogue, Trouble> {
    let garbage = |why: String| {
        Trouble::new(format!("the file for this client is not to be understood: {why}; ours stays"))
            .hint("check that the address is that of a switchboard")
    };
    let document =
        Document::parse(text, dialect.format).map_err(|error| garbage(error.reason.to_string()))?;
    let scan = scan(&document, dialect, &Bridge::nobodys());
    if let Some(problem) = scan.problems.first() {
        return Err(garbage(Problem::to_string(problem)));
    }
    // Where nobody has a section for entries, an answer of another kind would pass for one without servers.
    if scan.found.is_empty() && !document.is_blank() && !has_section(&document, &scan.main) {
        return Err(garbage(format!("it has no `{}`", scan.main.join("."))));
    }
    let mut servers = Vec::new();
    for found in scan.found.into_iter().filter(|found| found.section.is_none() && found.enabled) {
        let Some(launch) = found.launch else { continue };
        let name = ServerName::parse(found.alias.as_str())
            .map_err(|error| garbage(format!("`{}`: {error}", found.alias.as_str().escape_debug())))?;
        servers.push(Server::new(name, launch));
    }
    Ok(Catalogue::new(servers, std::collections::BTreeMap::new()))
}

fn has_section(document: &Document<'_>, path: &[String]) -> bool {
    document.at(&switchboard_core::client::scan::section_steps(path)).is_some()
}

#[cfg(test)]
mod tests {
    use switchboard_core::client::known;

    use super::*;

    #[test]
    fn a_file_from_elsewhere_is_taken_whole_or_not_at_all() {
        let cursor = &known::find("cursor").unwrap().dialect;
        for (text, expected) in [
            (r#"{"mcpServers":{"a":{"command":"x"},"b":{"url":"https://b.example"}}}"#, Ok(2)),
            (r#"{"mcpServers":{}}"#, Ok(0)),
            ("", Ok(0)),
            ("<html>", Err("not to be understood")),
            ("{}", Err("no `mcpServers`")),
            (r#"{"error":"not found"}"#, Err("no `mcpServers`")),
            (r#"{"mcpServers":[]}"#, Err("where a map belongs")),
            (r#"{"mcpServers":{"a":{"command":"x"},"b":{"url":7}}}"#, Err("entry `b`")),
            (r#"{"mcpServers":{"a":{"command":"x"}"#, Err("not to be understood")),
            (r#"{"mcpServers":{"a\u001b[2K":{"command":"x"}}}"#, Err("cannot hold")),
        ] {
            let got = given(text, cursor).map(|catalogue| catalogue.servers().len());
            match (&got, expected) {
                (Ok(count), Ok(wanted)) => assert_eq!(*count, wanted, "{text}"),
                (Err(trouble), Err(words)) => assert!(trouble.why.contains(words), "{text}: {}", trouble.why),
                _ => panic!("{text}: {got:?}"),
            }
        }
    }
}
