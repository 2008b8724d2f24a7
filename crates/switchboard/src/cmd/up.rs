//! `up`: from servers scattered over clients to one catalogue, in one command, and serve it.

use switchboard_core::name::ClientId;
use switchboard_core::settings::Mode;
use switchboard_host::dirs::Env;

use crate::change;
use crate::cli::Up;
use crate::cmd::client::{NewLink, Take, Then, import_all, link_change, push_all};
use crate::cmd::status;
use crate::discover;
use crate::execute::Choice;
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::observe::{Observer, linked};
use crate::ui::{Mark, Ui, counted};

/// Finds clients, imports what they have, shows the plan, asks, writes; then serves, here or in the background.
///
/// # Errors
/// Nobody agreed, or a file of ours is wrong. A client that cannot be written does not keep the others from it, nor
/// from being served.
pub(crate) fn run(args: &Up, env: Env, ui: &Ui) -> Done {
    let taken = take_over(args, env.clone(), ui);
    let stays =
        taken.as_ref().is_err_and(|failure| failure.code != Code::BadFile && failure.code != Code::Failed);
    if args.no_serve || ui.dry_run || stays {
        return taken;
    }
    if let Err(failure) = &taken {
        ui.failure(failure);
    }
    match crate::daemon::serving(&crate::home::dirs(&env)?) {
        Some(holder) if !args.serve.replace => {
            ui.line(format!("already served by `{}` (process {})", holder.command, holder.pid));
            Ok(())
        }
        _ if args.detach => crate::daemon::detach(&args.serve, &env, ui),
        _ => {
            ui.line("serving; Ctrl-C ends it, `switchboard up --detach` serves in the background");
            crate::daemon::run(&args.serve, env)
        }
    }
}

/// Finds clients, imports what they have, shows the plan, asks, writes.
///
/// # Errors
/// As [`run`].
pub(crate) fn take_over(args: &Up, env: Env, ui: &Ui) -> Done {
    let mut home = Home::open(env, "switchboard up", ui.dry_run)?;
    home.check_settings()?;
    home.check_catalogue()?;
    let new = new_links(&home, if args.manual { Mode::Manual } else { Mode::Auto })?;
    let clients = linked(&home)?;
    if new.is_empty() && clients.is_empty() {
        ui.line("no client was found on this machine");
        ui.hint("link one by its file: `switchboard client link ID --path FILE`");
        ui.hint("or see the whole product at work with `switchboard demo`");
        return Ok(());
    }
    if !new.is_empty() {
        ui.heading(counted(new.len(), "client") + " found");
        ui.table(
            ["CLIENT", "FILE"],
            new.iter().map(|link| [link.id.to_string(), link.path.clone().unwrap_or_default()]),
        );
        ui.line("");
        let changes: Vec<_> = new.iter().flat_map(link_change).collect();
        if !ui.dry_run {
            ui.consent("Keep these files in step?", "link the clients that were found")?;
        }
        change::settings(&mut home, &Ui { quiet: true, json: false, ..ui.clone() }, &changes)?;
    }
    let clients = linked(&home)?;
    import_all(
        &mut home,
        &Ui { json: false, quiet: ui.quiet || ui.json, ..ui.clone() },
        &clients,
        &Take { then: Then::Leave, ..Take::default() },
    )?;
    let ui_push = Ui { json: false, quiet: ui.quiet || ui.json, ..ui.clone() };
    let pushed = push_all(&mut home, &ui_push, &clients, &Choice::default());
    let looks = Observer::new(&home)?.plan(&clients);
    ui.json(&looks.iter().map(status::client_json).collect::<Vec<_>>());
    ui.line("");
    status::table(&home, ui, &looks);
    if !ui.dry_run {
        let servers = home.catalogue.catalogue.servers().len();
        ui.line("");
        ui.marked(
            Mark::Good,
            format!(
                "{} in {}: edit that one file from now on",
                counted(servers, "server"),
                home.short(&home.dirs.catalogue())
            ),
        );
        ui.hint("see how things stand with `switchboard status`; take a write back with `switchboard client undo ID`");
    }
    pushed
}

/// The links to be made: one for each client file on this machine that is not linked.
fn new_links(home: &Home, mode: Mode) -> Result<Vec<NewLink>, Failure> {
    let clients = linked(home)?;
    let mut new: Vec<NewLink> = Vec::new();
    for found in discover::all(home.surroundings()) {
        if clients.iter().any(|linked| linked.path == found.path) {
            continue;
        }
        let taken = |id: &str| {
            clients.iter().any(|linked| linked.id().as_str() == id)
                || new.iter().any(|link| link.id.as_str() == id)
        };
        // A client with several files has a link for each, the later ones called after their place.
        let mut name = found.known.id.to_owned();
        let mut number = 1;
        while taken(&name) {
            name = match number {
                1 => format!("{}.{}", found.known.id, found.place.name),
                more => format!("{}.{}{more}", found.known.id, found.place.name),
            };
            number += 1;
        }
        let id = ClientId::parse(&name)
            .map_err(|error| Failure::failed(format!("link `{name}`")).because(error))?;
        new.push(NewLink {
            dialect: (id.as_str() != found.known.id).then_some(found.known.id),
            path: Some(home.short(&found.path)),
            mode: Some(mode),
            via: None,
            face: None,
            tools: None,
            servers: Vec::new(),
            id,
        });
    }
    Ok(new)
}
