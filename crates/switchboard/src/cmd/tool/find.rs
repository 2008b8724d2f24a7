//! Which tool somebody means.

use switchboard_core::nearest::nearest;
use switchboard_core::registry::Kind;
use switchboard_host::registry::{Item, Line};

use super::Known;
use crate::approval::quoted;
use crate::cmd::server::{known, shown};
use crate::fail::Failure;
use crate::ui::plain;

/// Returns the tool that is meant, for `command`, by `SERVER TOOL`, `SERVER/TOOL`, the name behind the face for all
/// servers, or its name alone where only one server has it.
///
/// # Errors
/// There is none, or several.
pub(crate) fn find(all: &mut Known, words: &[String], command: &str) -> Result<Item, Failure> {
    match words {
        [server, tool] => {
            known(&all.home, server)?;
            of_server(all, server, tool).ok_or_else(|| nobody(all, tool, Some(server)))
        }
        words => {
            let word = words.join(" ");
            // Names of servers and of tools may hold the sign that stands between them.
            let cuts: Vec<usize> = word.match_indices('/').map(|(at, _)| at).collect();
            let cut = cuts.into_iter().find_map(|at| of_server(all, &word[..at], &word[at + 1..]));
            match cut {
                Some(item) => Ok(item),
                None => by_name(all, &word, command),
            }
        }
    }
}

fn of_server(all: &mut Known, server: &str, tool: &str) -> Option<Item> {
    all.registry.show(server, Kind::Tool, tool).filter(|item| all.is_offered(&item.line))
}

fn by_name(all: &mut Known, word: &str, command: &str) -> Result<Item, Failure> {
    let lines = all.tools(None);
    let public: Vec<&Line> = lines.iter().filter(|line| all.public(line) == word).collect();
    let plain_name = || lines.iter().filter(|line| line.name == word).collect();
    let found: Vec<&Line> = if public.is_empty() { plain_name() } else { public };
    match found.as_slice() {
        [] => Err(nobody(all, word, None)),
        [line] => of_server(all, &line.server, &line.name).ok_or_else(|| nobody(all, word, None)),
        several => {
            let servers: Vec<String> = several.iter().map(|line| plain(&line.server)).collect();
            let first = several.first().map(|line| format!("{}/{word}", line.server)).unwrap_or_default();
            Err(Failure::usage(format!("find tool `{}`", shown(word)))
                .because(format!("several servers have one: {}", servers.join(", ")))
                .hint(format!("say whose: `switchboard {command} {}`", quoted(&first))))
        }
    }
}

fn nobody(all: &mut Known, word: &str, server: Option<&str>) -> Failure {
    let lines = all.tools(server);
    let failure = Failure::usage(match server {
        Some(server) => format!("find tool `{}` of server `{}`", shown(word), shown(server)),
        None => format!("find tool `{}`", shown(word)),
    });
    if server.is_none() && lines.iter().any(|line| line.server == word) {
        return failure
            .because("that is a server")
            .hint(format!("name the tool behind it: `{}`", quoted(&format!("{word}/TOOL"))));
    }
    let names: Vec<String> = lines
        .iter()
        .flat_map(|line| [line.name.clone(), all.public(line), format!("{}/{}", line.server, line.name)])
        .collect();
    match nearest(word, names.iter().map(String::as_str)) {
        Some(near) => failure.hint(format!("did you mean `{}`?", quoted(near))),
        None => failure.hint("see `switchboard tool list`, or find it with `switchboard tool search`"),
    }
}
