//! `server`: the servers of the catalogue.

mod edit;
mod feed;
mod log;
mod login;
mod show;

use switchboard_core::catalogue::Server;
use switchboard_core::name::ServerName;
use switchboard_core::nearest::nearest;
use switchboard_host::dirs::Env;

use crate::cli::Server as Verb;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::live;
use crate::probe;
use crate::ui::Ui;

pub(crate) use show::brief;

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: Verb, env: Env, ui: &Ui) -> Done {
    match verb {
        Verb::List => {
            let live = live::ask(&env);
            show::list(&Home::look(env)?, ui, &live)
        }
        Verb::Show(args) => {
            let live = live::ask(&env).into_iter().find(|live| live.name == args.name);
            show::show(&Home::look(env)?, ui, &args.name, live.as_ref())
        }
        Verb::Test(args) => probe::run(env, ui, &args),
        Verb::Login(args) => login::run(&args, env, ui),
        Verb::Log(args) => log::run(&args, &env, ui),
        verb => {
            let mut home = Home::open(env, "switchboard server", ui.dry_run)?;
            match verb {
                Verb::Add(args) => edit::add(&mut home, ui, args),
                Verb::Edit(args) => edit::edit(&mut home, ui, args),
                Verb::Remove(args) => edit::remove(&mut home, ui, &args.name),
                Verb::Rename { name, to } => edit::rename(&mut home, ui, &name, &to),
                Verb::Enable(args) => edit::enable(&mut home, ui, &args.name, true),
                Verb::Disable(args) => edit::enable(&mut home, ui, &args.name, false),
                Verb::List | Verb::Show(_) | Verb::Test(_) | Verb::Login(_) | Verb::Log(_) => Ok(()),
            }
        }
    }
}

/// Returns what somebody typed as it can be shown: nothing in it that a terminal would obey, and not for ever.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Returns the name that a person typed, for a new server.
pub(crate) fn new_name(text: &str) -> Result<ServerName, Failure> {
    ServerName::parse(text).map_err(|error| {
        let shown = shown(text);
        Failure::usage(format!("call a server `{shown}`"))
            .because(error)
            .hint("use letters, digits, `-` and `_`")
    })
}

/// Returns the server of the catalogue that a person named.
pub(crate) fn known<'h>(home: &'h Home, name: &str) -> Result<&'h Server, Failure> {
    home.catalogue.catalogue.server(name).ok_or_else(|| {
        let names = home.catalogue.catalogue.servers().iter().map(|server| server.name.as_str());
        let shown = shown(name);
        let failure = Failure::usage(format!("find server `{shown}`"));
        match nearest(name, names) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("see `switchboard server list`"),
        }
    })
}
