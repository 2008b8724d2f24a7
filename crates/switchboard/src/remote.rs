//! Asking the daemon of a home, over its control socket.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use hyper::Method;
use switchboard_core::client::known;
use switchboard_host::dirs::{Dirs, Env};

use crate::ask::{Answer, Ask};
use crate::cli::{Command, Common};
use crate::fail::Failure;
use crate::home;
use crate::ui::{Said, Ui};

mod exchange;

/// The route that takes an [`Ask`]; it is behind the control socket only.
pub(crate) const COMMAND: &str = "/api/v1/command";

/// The route that says whether the daemon is ready.
const READY: &str = "/readyz";

/// How long to try again for, and how long to wait in between, where many ask at once or the daemon is about to end.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// Variables that decide where files are, beside those of the clients.
const VARIABLES: [&str; 8] = [
    "HOME",
    "SWITCHBOARD_HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_DATA_HOME",
    "APPDATA",
    "LOCALAPPDATA",
];

/// The daemon of a home, which was there a moment ago.
pub(crate) struct Remote {
    dirs: Dirs,
    env: Env,
}

impl Remote {
    /// Returns the daemon of this home, if there is a socket of one.
    pub(crate) fn find(env: &Env) -> Option<Self> {
        let dirs = Dirs::from_env(env).ok()?;
        // The daemon stands somewhere else than the one who asks.
        let env = env.only(VARIABLES.into_iter().chain(known::variables()));
        let env = env.in_full(known::variables().chain(["SWITCHBOARD_HOME"])).ok()?;
        exchange::is_there(&dirs.control_socket()).then_some(Self { dirs, env })
    }

    /// Has the daemon run a command, and shows what it said; a question is asked here, where the person is.
    ///
    /// Returns `None` when there is no daemon after all, or one that does not understand: then nothing was done, and the
    /// command can be run without it.
    pub(crate) fn perform(
        &self,
        command: &Command,
        wishes: Common,
        ui: &Ui,
    ) -> Option<Result<ExitCode, Failure>> {
        let mut agreed = Vec::new();
        let mut shown: Vec<Said> = Vec::new();
        let begun = Instant::now();
        loop {
            let ask =
                Ask { command: command.clone(), wishes, env: Some(self.env.clone()), agreed: agreed.clone() };
            let asked = Instant::now();
            let answer = match self.ask(&ask) {
                Ok(answer) => answer?,
                Err(failure) => return Some(Err(failure)),
            };
            // Turned away at once: nothing was done, and without a daemon the command would wait for others, too.
            let at_once = asked.elapsed() < home::PATIENCE;
            let busy = answer.failure.as_ref().is_some_and(Failure::is_busy);
            if busy && at_once && begun.elapsed() < PATIENCE {
                std::thread::sleep(PAUSE);
                continue;
            }
            // What was shown before the question is not shown again after it.
            let again = answer.said.iter().zip(&shown).take_while(|(now, before)| now == before).count();
            for said in &answer.said[again..] {
                ui.say(said.clone());
            }
            if let Some(document) = &answer.document {
                ui.json(document);
            }
            match (answer.failure, answer.question) {
                (Some(_), Some(question)) => {
                    if let Err(refused) = ui.consent(&question.text, &question.what) {
                        return Some(Err(refused));
                    }
                    agreed.push(question.key);
                    shown = answer.said;
                }
                (Some(failure), None) => return Some(Err(failure)),
                (None, _) => return Some(Ok(ExitCode::SUCCESS)),
            }
        }
    }

    /// Sends an ask, and returns the answer; `None` when nobody took it.
    fn ask(&self, ask: &Ask) -> Result<Option<Answer>, Failure> {
        let body = serde_json::to_vec(ask)
            .map_err(|error| Failure::unreachable("tell the daemon what to do").caused_by(&error))?;
        let Some(body) = exchange::send(&self.dirs, Method::POST, COMMAND, body)? else { return Ok(None) };
        let answer = serde_json::from_slice(&body).map_err(|error| {
            Failure::unreachable("understand the daemon's answer")
                .caused_by(&error)
                .hint("it may be of another version: restart it; where systemd runs it, `systemctl --user restart switchboard`")
        })?;
        Ok(Some(answer))
    }
}

/// Asks the daemon of this home for a stream of events, and hands over the data of each as it comes, until the stream
/// ends or `each` has enough.
///
/// # Errors
/// There is no daemon, or it does not have this stream.
pub(crate) fn follow(
    env: &Env,
    route: &str,
    each: &mut dyn FnMut(&str) -> std::ops::ControlFlow<()>,
) -> Result<(), Failure> {
    let nobody = || {
        Failure::unreachable("ask the daemon: it does not run")
            .hint("start it with `switchboard up --detach`")
    };
    let remote = Remote::find(env).ok_or_else(nobody)?;
    exchange::follow(&remote.dirs.control_socket(), route, each)?.ok_or_else(nobody)
}

/// Returns whether a daemon of this home has done everything that a start has to do.
pub(crate) fn is_ready(env: &Env) -> bool {
    get(env, READY).is_some()
}

/// Asks the daemon of this home for what stands at a route; `None` when there is no daemon, or nothing there.
pub(crate) fn get(env: &Env, route: &str) -> Option<String> {
    let remote = Remote::find(env)?;
    let body = exchange::send(&remote.dirs, Method::GET, route, Vec::new()).ok()??;
    String::from_utf8(body).ok()
}

/// Waits until the daemon of this home, where there is one, has taken in what was just written. It would see that by
/// itself, a moment later.
pub(crate) fn settled(env: &Env) {
    let Some(remote) = Remote::find(env) else { return };
    // Whoever asks for something that is the daemon's own is answered when everything that was written before is known.
    let wishes = Common { quiet: true, ..Common::default() };
    let ask = Ask { command: Command::Status, wishes, env: Some(remote.env.clone()), agreed: Vec::new() };
    let begun = Instant::now();
    let is_busy = |answer: &Answer| answer.failure.as_ref().is_some_and(Failure::is_busy);
    while let Ok(Some(answer)) = remote.ask(&ask)
        && is_busy(&answer)
        && begun.elapsed() < home::PATIENCE
    {
        std::thread::sleep(PAUSE);
    }
}

/// Tells the daemon of this home something, and returns its answer; `None` when there is no daemon, or it does not take it.
///
/// # Errors
/// It was told, and no whole answer came.
pub(crate) fn post(env: &Env, route: &str, body: Vec<u8>) -> Result<Option<Vec<u8>>, Failure> {
    let Some(remote) = Remote::find(env) else { return Ok(None) };
    exchange::send(&remote.dirs, Method::POST, route, body)
}
