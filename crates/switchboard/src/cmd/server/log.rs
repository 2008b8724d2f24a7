//! `server log`: what a server said, and every message as it passes.

use std::ops::ControlFlow;

use serde::Deserialize;
use switchboard_host::dirs::Env;

use super::known;
use crate::cli::ServerLog;
use crate::fail::Done;
use crate::home::Home;
use crate::live;
use crate::remote;
use crate::ui::{Ui, plain};
use crate::web::part_of_path;

/// One message, as the daemon tells it.
#[derive(Deserialize)]
struct Passed {
    at_ms: u64,
    way: String,
    bytes: usize,
    message: String,
}

/// Shows what is kept of a server, and goes on with what passes where that is asked for.
///
/// # Errors
/// There is no such server, or no daemon to follow.
pub(super) fn run(args: &ServerLog, env: &Env, ui: &Ui) -> Done {
    let name = known(&Home::look(env.clone())?, &args.name)?.name.clone();
    let live = live::ask(env).into_iter().find(|live| live.name == name.as_str());
    if !args.follow {
        ui.json(&live);
    }
    match &live {
        Some(live) => {
            for one in &live.transitions {
                let why = one.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                ui.line(format!("{}  {}{why}", crate::when::local(one.at), one.to));
            }
            for line in &live.stderr {
                ui.line(format!("stderr  {}", plain(line)));
            }
            if live.transitions.is_empty() && live.stderr.is_empty() {
                ui.line("it was not started yet");
            }
        }
        None => ui.line("there is no daemon, so nothing is kept of it"),
    }
    if !args.follow {
        return Ok(());
    }
    let route = format!("/api/v1/servers/{}/log", part_of_path(name.as_str().as_bytes()));
    remote::follow(env, &route, &mut |data| {
        match serde_json::from_str::<Passed>(data) {
            Ok(passed) => {
                let arrow = if passed.way == "to" { "->" } else { "<-" };
                let at = crate::when::local(passed.at_ms / 1000);
                ui.line(format!("{at}  {arrow} {} B  {}", passed.bytes, plain(&passed.message)));
            }
            Err(_) => ui.line(format!("{data} messages were missed")),
        }
        ControlFlow::Continue(())
    })
}
