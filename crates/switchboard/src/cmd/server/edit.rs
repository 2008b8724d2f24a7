//! How servers of the catalogue are changed.

use serde_json::json;
use switchboard_core::catalogue::Server;
use switchboard_core::catalogue::edit::ServerEdit;
use switchboard_core::launch::{Launch, Remote};
use switchboard_core::value::Value;

use super::{known, login, new_name};
use crate::approval::quoted;
use crate::change;
use crate::cli::{Kind, ServerAdd};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::login::Logins;
use crate::policy::PolicyFile;
use crate::ui::{Mark, Ui};

fn pair(text: &str, sign: char, what: &str, example: &str) -> Result<(String, String), Failure> {
    match text.split_once(sign) {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), if sign == ':' { value.trim() } else { value }.to_owned()))
        }
        _ => Err(Failure::usage(format!("read the {what} `{text}`")).hint(format!("write it as {example}"))),
    }
}

/// What the command line says of a launch, over what there was before.
fn launch(args: &ServerAdd, before: Option<&Launch>) -> Result<Option<Launch>, Failure> {
    let env = args.env.iter().map(|text| pair(text, '=', "variable", "NAME=value"));
    let env = env.collect::<Result<std::collections::BTreeMap<_, _>, _>>()?;
    let headers = args.headers.iter().map(|text| pair(text, ':', "header", "'Name: value'"));
    let headers = headers.collect::<Result<std::collections::BTreeMap<_, _>, _>>()?;
    let kind = args.kind.map(|kind| match kind {
        Kind::Http => Remote::Http,
        Kind::Sse => Remote::Sse,
    });
    if let Some(url) = &args.url {
        let mut all = match before {
            Some(Launch::Remote { headers, .. }) => headers.clone(),
            _ => std::collections::BTreeMap::new(),
        };
        all.extend(headers);
        return Ok(Some(Launch::Remote {
            kind: kind.unwrap_or(Remote::Http),
            url: url.clone(),
            headers: all,
        }));
    }
    if let Some((command, words)) = args.command.split_first() {
        let (mut all, old_cwd) = match before {
            Some(Launch::Stdio { env, cwd, .. }) => (env.clone(), cwd.clone()),
            _ => (std::collections::BTreeMap::new(), None),
        };
        all.extend(env);
        let cwd = args.cwd.clone().or(old_cwd);
        return Ok(Some(Launch::Stdio { command: command.clone(), args: words.to_vec(), env: all, cwd }));
    }
    Ok(match before {
        Some(Launch::Stdio { command, args: words, env: old, cwd })
            if !env.is_empty() || args.cwd.is_some() =>
        {
            let mut all = old.clone();
            all.extend(env);
            let cwd = args.cwd.clone().or_else(|| cwd.clone());
            Some(Launch::Stdio { command: command.clone(), args: words.clone(), env: all, cwd })
        }
        Some(Launch::Remote { kind: old, url, headers }) if kind.is_some() => {
            Some(Launch::Remote { kind: kind.unwrap_or(*old), url: url.clone(), headers: headers.clone() })
        }
        _ => None,
    })
}

/// Adds a server.
///
/// # Errors
/// What was typed makes no sense, or the catalogue cannot be written.
pub(super) fn add(home: &mut Home, ui: &Ui, args: ServerAdd) -> Done {
    let name = new_name(&args.name)?;
    let Some(launch) = launch(&args, None)? else {
        return Err(Failure::usage(format!("add server `{name}`"))
            .because("neither a command nor a url was named")
            .hint(format!("switchboard server add {} -- npx -y some-mcp-server", quoted(name.as_str())))
            .hint(format!(
                "switchboard server add {} --url https://example.com/mcp",
                quoted(name.as_str())
            )));
    };
    let server =
        Server { tags: args.tags, description: args.description, ..Server::new(name.clone(), launch) };
    change::catalogue(home, ui, &[ServerEdit::Add(Box::new(server))])?;
    done(home, ui, &format!("server `{name}` added"));
    Ok(())
}

/// Changes a server.
///
/// # Errors
/// What was typed makes no sense, or the catalogue cannot be written.
pub(super) fn edit(home: &mut Home, ui: &Ui, args: ServerAdd) -> Done {
    let server = known(home, &args.name)?;
    let name = server.name.clone();
    let mut edits = Vec::new();
    if let Some(launch) = launch(&args, Some(&server.launch))? {
        edits.push(ServerEdit::Relaunch(name.clone(), launch));
    }
    if !args.tags.is_empty() {
        edits.push(ServerEdit::Put(name.clone(), "tags", Some(Value::texts(args.tags))));
    }
    if let Some(description) = args.description {
        edits.push(ServerEdit::Put(name.clone(), "description", Some(Value::text(description))));
    }
    if edits.is_empty() {
        return Err(Failure::usage(format!("edit server `{name}`"))
            .because("nothing was named that should change")
            .hint(format!(
                "edit {} by hand, or see `switchboard server edit --help`",
                home.short(&home.dirs.catalogue())
            )));
    }
    change::catalogue(home, ui, &edits)?;
    done(home, ui, &format!("server `{name}` changed"));
    Ok(())
}

/// Removes a server.
///
/// # Errors
/// What was typed makes no sense, or the catalogue cannot be written.
pub(super) fn remove(home: &mut Home, ui: &Ui, name: &str) -> Done {
    let name = known(home, name)?.name.clone();
    change::catalogue(home, ui, &[ServerEdit::Remove(name.clone())])?;
    done(home, ui, &format!("server `{name}` removed"));
    Ok(())
}

/// Gives a server another name; its clients, its policy and its login follow.
///
/// # Errors
/// What was typed makes no sense, or the catalogue cannot be written.
pub(super) fn rename(home: &mut Home, ui: &Ui, name: &str, to: &str) -> Done {
    let name = known(home, name)?.name.clone();
    let to = new_name(to)?;
    home.check_catalogue()?;
    // Records follow the server first: to a push the entry is then the same one, under the same alias.
    let mut relations = home.relations.clone();
    for record in relations.clients.values_mut() {
        record.relations.iter_mut().filter(|own| own.server == name).for_each(|own| own.server = to.clone());
    }
    let before = std::mem::replace(&mut home.relations, relations);
    let result = change::catalogue(home, ui, &[ServerEdit::Rename(name.clone(), to.clone())]);
    if result.is_err() || ui.dry_run {
        home.relations = before;
        return result;
    }
    home.save_relations()?;
    PolicyFile::look(home)?.remember(home)?;
    login::rename(&Logins::new(&home.dirs), name.as_str(), to.as_str())?;
    done(home, ui, &format!("server `{name}` is now called `{to}`"));
    Ok(())
}

/// Enables or disables a server.
///
/// # Errors
/// What was typed makes no sense, or the catalogue cannot be written.
pub(super) fn enable(home: &mut Home, ui: &Ui, name: &str, enabled: bool) -> Done {
    let server = known(home, name)?;
    let name = server.name.clone();
    let word = if enabled { "enabled" } else { "disabled" };
    if server.enabled == enabled {
        ui.line(format!("server `{name}` is {word} already"));
        return Ok(());
    }
    // Enabled is what a server is when nothing is said.
    let value = (!enabled).then_some(Value::Bool(false));
    change::catalogue(home, ui, &[ServerEdit::Put(name.clone(), "enabled", value)])?;
    done(home, ui, &format!("server `{name}` {word}"));
    Ok(())
}

/// Tells what was done, the revision that it led to, and what is left to do.
fn done(home: &Home, ui: &Ui, what: &str) {
    if ui.dry_run {
        return;
    }
    let revision = home.history.last().map_or(0, |entry| entry.revision.number);
    ui.json(&json!({ "done": what, "revision": revision }));
    ui.marked(Mark::Good, format!("{what} (revision {revision})"));
    crate::cmd::status::pending_hint(home, ui);
}
