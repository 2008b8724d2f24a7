//! `server log`: what a server said, and every message as it passes.

use std::ops::ControlFlow;

use serde::Deserialize;
use switchboard_host::dirs::Env;

use super::known;
use crate::cli::ServerLog;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::live;
use crate::remote;
use crate::ui::{Ui, plain};
use crate::web::part_of_path;

/// Something that happened, as the daemon tells it.
#[derive(Deserialize)]
struct Happened {
    at_ms: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum What {
    Passed { way: String, bytes: usize, message: String },
    Came { phase: String, why: Option<String> },
    Said { stderr: String },
}

impl Happened {
    /// Returns it as one line, for people.
    fn line(&self) -> String {
        let at = crate::when::local(self.at_ms / 1000);
        match &self.what {
            What::Passed { way, bytes, message } => {
                let arrow = if way == "to" { "->" } else { "<-" };
                format!("{at}  {arrow} {bytes} B  {}", plain(message))
            }
            What::Came { phase, why } => {
                let why = why.as_ref().map(|why| format!(": {}", plain(why))).unwrap_or_default();
                format!("{at}  {phase}{why}")
            }
            What::Said { stderr } => format!("stderr  {}", plain(stderr)),
        }
    }
}

/// Shows what is kept of a server, and goes on with what happens where that is asked for: for programs, each is an object
/// on a line of its own.
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
        match serde_json::from_str::<Happened>(data) {
            Ok(_) if ui.is_read_by_programs() => ui.document(&format!("{data}\n")),
            Ok(happened) => ui.line(happened.line()),
            Err(_) if ui.is_read_by_programs() => ui.document(&format!("{{\"missed\":{data}}}\n")),
            Err(_) => ui.line(format!("{data} of what happened were missed")),
        }
        ControlFlow::Continue(())
    })?;
    Err(Failure::unreachable("follow the server").because("the daemon has gone"))
}
