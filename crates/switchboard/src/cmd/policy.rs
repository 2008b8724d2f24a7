//! `policy`: what each tool may do, who may call it, and how.

mod approve;
mod judged;
mod log;
mod pending;
mod set;
mod show;
mod sync;
mod undo;

use switchboard_host::dirs::Env;

use crate::cli::Policy as Verb;
use crate::cmd::tool::Known;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::remote;
use crate::ui::Ui;

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: &Verb, env: Env, ui: &Ui) -> Done {
    let own = env.clone();
    let done = perform(verb, env, ui);
    let writes = matches!(verb, Verb::Set(_) | Verb::Sync | Verb::Approve(_) | Verb::Undo(_));
    if writes && !ui.dry_run {
        // What was said holds for the very next call.
        remote::settled(&own);
    }
    // What was written holds, whatever came of the rest.
    done
}

fn perform(verb: &Verb, env: Env, ui: &Ui) -> Done {
    match verb {
        Verb::Show(args) => show::show(&mut Known::look(env, ui)?, ui, args.which.as_deref()),
        Verb::Explain(args) => show::explain(&mut Known::look(env, ui)?, ui, &args.tool),
        Verb::Set(args) => {
            let mut known = Known::look(env.clone(), ui)?;
            let home = hold(env, ui)?;
            set::set(&mut known, &home, ui, &args.tool, &args.values)
        }
        Verb::Sync => {
            let mut known = Known::look(env.clone(), ui)?;
            let home = hold(env, ui)?;
            sync::sync(&mut known, &home, ui)
        }
        Verb::Pending => {
            pending::list(&env, ui);
            Ok(())
        }
        Verb::Refuse(args) => pending::say(&env, ui, &args.numbers, false),
        Verb::Approve(args) => {
            // A call is not a tool, and needs neither the registry nor the home.
            let (calls, tools) = pending::parted(&args.tools);
            if !calls.is_empty() && (!tools.is_empty() || args.all) {
                return Err(
                    Failure::usage("approve calls and tools at once").hint("name either calls or tools")
                );
            }
            if !calls.is_empty() {
                return pending::say(&env, ui, &calls, true);
            }
            let home = hold(env, ui)?;
            approve::approve(&home, ui, args)
        }
        Verb::History => undo::history(&Home::look(env)?, ui),
        Verb::Log(args) => {
            let home = Home::look(env)?;
            log::log(&home.dirs, ui, args, home.settings.value.policy.enforce);
            Ok(())
        }
        Verb::Undo(args) => undo::undo(&hold(env, ui)?, ui, args),
    }
}

/// Brings the policy file, and other applications' files, up to date with the tools as they are known, in a home that is
/// held.
///
/// # Errors
/// As `policy sync`.
pub(crate) fn follow(home: &Home, ui: &Ui) -> Done {
    let mut known = Known::as_it_is(home)?;
    sync::sync(&mut known, home, ui)
}

/// Holds the home once servers have been asked: nobody else should have to wait for them.
fn hold(env: Env, ui: &Ui) -> Result<Home, Failure> {
    Home::open(env, "switchboard policy", ui.dry_run)
}
