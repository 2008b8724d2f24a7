//! What can be asked of the daemon: a command, as the command line would run it, and what it said.

use serde::{Deserialize, Serialize};
use switchboard_host::dirs::Env;
use switchboard_host::hash::Hash;

use crate::cli::{Command, Common};
use crate::daemon::facts::Facts;
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
    /// `env` is the environment of those who send none along; `daemon` is how the daemon stands that runs it.
    pub(crate) fn run(self, env: &Env, daemon: Option<&Facts>) -> Answer {
        let Self { command, wishes, env: own, agreed } = self;
        let ui = Ui::recording(wishes, agreed);
        let env = own.unwrap_or_else(|| env.clone());
        let failure = match command {
            Command::Status => crate::cmd::status::run(env, &ui, daemon).err(),
            command => crate::dispatch(command, env, &ui).err(),
        };
        ui.answer(failure)
    }
}

/// Whose a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It changes what the daemon keeps, or tells what only the daemon knows: the daemon's, when there is one.
    Changes,
    /// It only reads files: anybody may run it.
    Reads,
    /// Servers may have to be asked first, which takes as long as they take, and it writes nothing but what the daemon looks
    /// at by itself: anybody may run it.
    Waits,
    /// It belongs to the process that a person or a client started.
    Own,
}

/// Returns whose a command is.
pub(crate) fn kind(command: &Command, wishes: Common) -> Kind {
    use crate::cli::{Client, Config, Profile, Server, Token};
    match command {
        Command::Server(Server::List | Server::Show(_) | Server::Test(_))
        | Command::Client(
            Client::List { .. } | Client::Show { .. } | Client::Diff { .. } | Client::History { .. },
        )
        | Command::Profile(Profile::List | Profile::Show { .. })
        | Command::Config(
            Config::Check | Config::Path | Config::Schema { .. } | Config::Export { .. } | Config::History,
        )
        | Command::Token(Token::List)
        | Command::Doctor => Kind::Reads,
        Command::Sync(_) | Command::Tool(_) | Command::Policy(_) => Kind::Waits,
        // A login needs the browser and the variables of whoever asks for it.
        Command::Server(Server::Login(_) | Server::Log(_))
        | Command::Up(_)
        | Command::Serve(_)
        | Command::Listen(_)
        | Command::Service(_)
        | Command::Demo(_)
        | Command::Connect(_)
        | Command::Uninstall
        | Command::Completions { .. }
        | Command::Man => Kind::Own,
        Command::Status
        | Command::Server(_)
        | Command::Client(_)
        | Command::Profile(_)
        | Command::Config(_)
        | Command::Token(_) => {
            if wishes.dry_run {
                Kind::Reads
            } else {
                Kind::Changes
            }
        }
    }
}
