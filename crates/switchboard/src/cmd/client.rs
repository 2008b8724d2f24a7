//! `client`: whose files are kept in step.

mod adopt;
mod import;
mod link;
mod push;
mod scan;
mod show;

pub(crate) use import::{Take, Then, import_all};
pub(crate) use link::{NewLink, link_change};
pub(crate) use push::push_all;

use switchboard_host::dirs::Env;

use crate::cli::Client as Verb;
use crate::fail::Done;
use crate::home::Home;
use crate::ui::Ui;

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: Verb, env: Env, ui: &Ui) -> Done {
    match verb {
        Verb::List { all } => show::list(&Home::look(env)?, ui, all),
        Verb::Show { id } => show::show(&Home::look(env)?, ui, &id),
        Verb::Diff { which } => show::diff(&Home::look(env)?, ui, &which),
        Verb::History { id } => show::history(&Home::look(env)?, ui, &id),
        verb => {
            let mut home = Home::open(env, "switchboard client", ui.dry_run)?;
            match verb {
                Verb::Link(args) => link::link(&mut home, ui, args),
                Verb::Unlink { id } => link::unlink(&mut home, ui, &id),
                Verb::Scan { which, discard_pending } => scan::scan(&mut home, ui, &which, discard_pending),
                Verb::Import { which, servers, keep_secrets } => {
                    import::import(&mut home, ui, &which, &servers, keep_secrets)
                }
                Verb::Push { which, servers } => push::push(&mut home, ui, &which, &servers),
                Verb::Adopt(entry) => adopt::adopt(&mut home, ui, &entry),
                Verb::Keep(entry) => adopt::keep(&mut home, ui, &entry),
                Verb::Restore(entry) => push::restore(&mut home, ui, &entry),
                Verb::Undo { which, force } => push::undo(&mut home, ui, &which, force),
                Verb::List { .. } | Verb::Show { .. } | Verb::Diff { .. } | Verb::History { .. } => Ok(()),
            }
        }
    }
}
