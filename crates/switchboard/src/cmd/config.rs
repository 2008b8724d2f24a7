//! `config`: Switchboard's own files.

use serde_json::json;
use switchboard_core::client::known;
use switchboard_core::export;
use switchboard_core::name::ClientId;
use switchboard_core::settings::{ClientSettings, Mode, Settings};
use switchboard_host::dirs::Env;

use crate::change;
use crate::cli::{Config as Verb, SchemaFile};
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::observe::defaults;
use crate::policy::PolicyFile;
use crate::schema;
use crate::ui::{Mark, Ui};

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: Verb, env: Env, ui: &Ui) -> Done {
    match verb {
        Verb::Check => check(&Home::look(env)?, ui),
        Verb::Path => path(&Home::look(env)?, ui),
        Verb::Schema { file } => {
            ui.document(&match file {
                SchemaFile::Catalogue => schema::catalogue(),
                SchemaFile::Settings => schema::settings(),
                SchemaFile::Policy => schema::policy(),
            });
            Ok(())
        }
        Verb::Export { client } => export(&Home::look(env)?, ui, &client),
        Verb::History => history(&Home::look(env)?, ui),
        Verb::Undo { revision } => {
            let mut home = Home::open(env, "switchboard config undo", ui.dry_run)?;
            undo(&mut home, ui, revision)
        }
    }
}

fn check(home: &Home, ui: &Ui) -> Done {
    let policy = PolicyFile::look(home)?;
    let files = [
        (home.short(&home.dirs.catalogue()), home.catalogue.problems.clone(), home.catalogue.last_good),
        (home.short(&home.dirs.settings()), home.settings.problems.clone(), !home.settings.is_good()),
        (home.short(&home.dirs.policy()), policy.problems, policy.last_good),
    ];
    ui.json(
        &files
            .iter()
            .map(|(file, problems, bad)| json!({ "file": file, "good": !bad, "problems": problems }))
            .collect::<Vec<_>>(),
    );
    let mut failure = None;
    for (file, problems, bad) in files {
        if bad {
            let found = failure.get_or_insert_with(|| Failure::new(Code::BadFile, "find the files in order"));
            found.problems.extend(problems.into_iter().map(|problem| (file.clone(), problem)));
            continue;
        }
        for problem in &problems {
            ui.problem(&file, problem);
        }
        ui.marked(if problems.is_empty() { Mark::Good } else { Mark::Warn }, format!("{file} is good"));
    }
    match failure {
        // The JSON above has told it already.
        Some(_) if ui.json => Err(Failure::new(Code::BadFile, "find the files in order")),
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
fn path(home: &Home, ui: &Ui) -> Done {
    let dirs = &home.dirs;
    let rows = [
        ("catalogue", dirs.catalogue()),
        ("settings", dirs.settings()),
        ("policy", dirs.policy()),
        ("state", dirs.state().to_owned()),
        ("backups", dirs.backups()),
        ("socket", dirs.control_socket()),
    ];
    ui.json(
        &rows.iter().map(|(name, path)| ((*name).to_owned(), json!(path))).collect::<serde_json::Map<_, _>>(),
    );
    for (name, path) in rows {
        ui.line(format!("{name:<10} {}", path.display()));
    }
    Ok(())
}

/// Prints the whole file as a client wants it: what a push would write where there is none.
fn export(home: &Home, ui: &Ui, client: &str) -> Done {
    let settings = settings_of(&home.settings.value, client).ok_or_else(|| {
        let failure = Failure::usage(format!("export for `{}`: it is not known", client.escape_debug()));
        match known::nearest(client) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("see `switchboard client list --all` for those that are known"),
        }
    })?;
    let dialect = settings.known.dialect;
    let exported =
        export::export(&home.catalogue.catalogue, &settings, &dialect, &home.bridge()?.without_tokens())
            .map_err(|error| {
                let failure = Failure::failed(format!("export for `{client}`")).caused_by(&error);
                error.help().into_iter().fold(failure, Failure::hint)
            })?;
    for problem in &exported.problems {
        ui.problem(client, problem);
    }
    ui.document(&exported.text);
    Ok(())
}

/// Returns the settings by which a client is exported: those of its link, else the usual ones; `None` where nobody
/// knows it. An alias of a known client is that client.
pub(crate) fn settings_of(settings: &Settings, client: &str) -> Option<ClientSettings> {
    let linked = |id: &str| settings.clients.iter().find(|own| own.id.as_str() == id).cloned();
    linked(client).or_else(|| {
        let known = known::find(client)?;
        linked(known.id).or_else(|| Some(defaults(ClientId::parse(known.id).ok()?, known, Mode::Manual)))
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
fn history(home: &Home, ui: &Ui) -> Done {
    ui.json(&home.history.entries);
    if home.history.entries.is_empty() {
        ui.line("no revision yet");
        return Ok(());
    }
    ui.table(
        ["REVISION", "WHEN", "WHAT", "SERVERS"],
        home.history.entries.iter().rev().map(|entry| {
            [
                entry.revision.number.to_string(),
                crate::when::local(entry.at),
                entry.reason.clone(),
                entry.servers.to_string(),
            ]
        }),
    );
    Ok(())
}

/// Puts the catalogue back to an earlier revision, byte for byte; that makes a new revision.
fn undo(home: &mut Home, ui: &Ui, revision: Option<u64>) -> Done {
    let entries = &home.history.entries;
    let entry = match revision {
        Some(number) => entries.iter().rev().find(|entry| entry.revision.number == number),
        // A file that is wrong now goes back to what is in service; else to the revision before.
        None if home.catalogue.last_good => entries.last(),
        None => entries.len().checked_sub(2).and_then(|at| entries.get(at)),
    };
    let Some(entry) = entry else {
        return Err(
            Failure::usage("undo: there is no such revision").hint("see `switchboard config history`")
        );
    };
    let number = entry.revision.number;
    let bytes = home.backups().load(entry.text).map_err(|error| {
        Failure::failed(format!("load revision {number}")).caused_by(&error).hint(error.help())
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::failed(format!("load revision {number}: it is not UTF-8")))?;
    change::replace_catalogue(home, ui, &text)?;
    if !ui.dry_run {
        ui.marked(Mark::Good, format!("the catalogue is what it was at revision {number}"));
    }
    Ok(())
}
