//! What can be asked of the daemon: a command, as the command line would run it, and what it said.

use serde::{Deserialize, Serialize};
use switchboard_host::dirs::Env;
use switchboard_host::hash::Hash;

use crate::cli::{Command, Common};
use crate::fail::Failure;
use crate::ui::{Said, Ui};

/// A command to be run by the daemon, in the place of the process that asks.
///
/// The commands are those of the command line, with the same arguments, so that the command line, the control socket
/// and the API cannot drift apart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    /// What is to be done.
    pub(crate) command: Command,
    /// How.
    pub(crate) wishes: Common,
    /// The environment that decides where files are; the daemon's own when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<Env>,
    /// The questions that a person answered with yes, by their [`Question::key`].
    #[serde(default)]
    pub(crate) agreed: Vec<String>,
}

/// What came of an [`Ask`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// What there is to be shown, in order.
    pub(crate) said: Vec<Said>,
    /// The document for programs, when one was wished for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<serde_json::Value>,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// What a person has to be asked before it can be done; then nothing was changed beyond the point of asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<Question>,
}

/// A question that only a person can answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The question, to be answered with yes or no.
    pub(crate) text: String,
    /// What is not done without a yes, as a fragment that fits after "failed to".
    pub(crate) what: String,
    /// Stands for the question and for everything that was shown before it: a yes is a yes to exactly that.
    pub(crate) key: String,
}

impl Question {
    /// Returns a question, bound to what was shown before it.
    pub(crate) fn new(text: &str, what: &str, shown: &[Said]) -> Self {
        let shown = serde_json::to_string(shown).unwrap_or_default();
        let key = Hash::of(format!("{text}\0{what}\0{shown}").as_bytes()).to_string();
        Self { text: text.to_owned(), what: what.to_owned(), key }
    }
}

impl Ask {
    /// Runs the command here and now, and returns what it said.
    ///
    /// `env` is the environment of those who send none along.
    pub(crate) fn run(self, env: &Env) -> Answer {
        let Self { command, wishes, env: own, agreed } = self;
        let ui = Ui::recording(wishes, agreed);
        let failure = crate::dispatch(command, own.unwrap_or_else(|| env.clone()), &ui).err();
        ui.answer(failure)
    }
}

/// Returns whether a command is the daemon's to run, when there is one: it changes what the daemon keeps, or tells what
/// only the daemon knows. Everything else only reads files, or belongs to the process that a person or a client started.
pub(crate) fn is_for_the_daemon(command: &Command, wishes: Common) -> bool {
    use crate::cli::{Client, Config, Profile, Server};
    let changes = match command {
        Command::Status => return true,
        Command::Server(verb) => !matches!(verb, Server::List | Server::Show(_) | Server::Test(_)),
        Command::Client(verb) => !matches!(
            verb,
            Client::List { .. } | Client::Show { .. } | Client::Diff { .. } | Client::History { .. }
        ),
        Command::Profile(verb) => !matches!(verb, Profile::List | Profile::Show { .. }),
        Command::Config(verb) => matches!(verb, Config::Undo { .. }),
        _ => false,
    };
    changes && !wishes.dry_run
}
