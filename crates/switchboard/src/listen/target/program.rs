//! A program that is run at each revision.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::fd::AsFd as _;
use std::time::Duration;

use switchboard_host::child::{End, Ended, Grace, Guarded, Prepared, Wiring};
use switchboard_host::dirs::Env;
use switchboard_host::resolve::ServerCommand;
use switchboard_host::secret::Secret;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::super::news::News;
use super::super::wire::Trouble;
use super::Setback;
use super::printer::plain;
use crate::fail::Failure;
use crate::ui::Ui;

/// So often one revision is tried.
pub(super) const TRIES: u32 = 5;

/// The longest line of a program that is passed on.
const LONGEST_LINE: u64 = 64 << 10;

/// How long the last words of a program are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program that is run at each revision, with the event on its standard input. No shell is involved, and nothing that
/// it starts outlives it.
pub(in crate::listen) struct Program {
    pub(in crate::listen) ui: Ui,
    pub(in crate::listen) env: Env,
    pub(in crate::listen) path: String,
    pub(in crate::listen) args: Vec<String>,
    /// How long one run may take.
    pub(in crate::listen) limit: Duration,
}

impl Program {
    /// Runs the program to its end.
    pub(super) async fn run(&self, news: &News) -> Result<(), Setback> {
        if self.ui.dry_run {
            self.ui.line(format!("`{}` would be run for revision {}", self.path, news.number));
            return Ok(());
        }
        let later = |why: String| Setback::Later(Trouble::new(format!("`{}` {why}", self.path)));
        let mut child = self.start(news)?;
        let mut said = self.attend(&mut child, news);
        let news = news_of(&child).map_err(|error| later(format!("cannot be waited for: {error}")))?;
        let Ok(ended) = tokio::time::timeout(self.limit, end(&mut child, &news)).await else {
            child.ask(End::TERM);
            let _ = end(&mut child, &news).await;
            return Err(later(format!("took longer than {} s and was ended", self.limit.as_secs())));
        };
        // Nothing is left that could write into its pipes, so that its last words are here soon.
        let _ = tokio::time::timeout(LAST_WORDS, said.recv()).await;
        match ended {
            Ok(Ended::Exited(0)) => Ok(()),
            Ok(Ended::Exited(code)) => Err(later(format!("ended with {code}"))),
            Ok(Ended::Killed(signal)) => Err(later(format!("was ended by signal {signal}"))),
            Err(why) => Err(later(why)),
        }
    }

    fn start(&self, news: &News) -> Result<Guarded, Setback> {
        // It is a program of the user's own, started by the user: it sees what they see.
        let mut env: BTreeMap<String, Secret> = self
            .env
            .vars()
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), Secret::from(value.to_str()?))))
            .collect();
        for (name, value) in [
            ("SWITCHBOARD_VERSION", &news.version),
            ("SWITCHBOARD_HASH", &news.hash),
            ("SWITCHBOARD_REASON", &news.reason),
        ] {
            env.insert(name.to_owned(), Secret::from(value.as_str()));
        }
        let command = ServerCommand {
            program: self.path.clone(),
            args: self.args.iter().map(|arg| Secret::from(arg.as_str())).collect(),
            env,
            cwd: None,
        };
        let inherited = self.env.vars().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let never = |error: &switchboard_host::child::ChildError| {
            let failure = Failure::failed(format!("run `{}`", self.path)).caused_by(error);
            Setback::Never(match error.help() {
                Some(help) => failure.hint(help),
                None => failure,
            })
        };
        Prepared::new(&self.path, &command, &inherited, Grace::default())
            .and_then(|prepared| prepared.start(Wiring::Piped))
            .map_err(|error| never(&error))
    }

    /// Gives a program the event, and passes on what it says. Each thread ends with its pipe; when both have passed on
    /// everything, the channel ends.
    fn attend(&self, child: &mut Guarded, news: &News) -> mpsc::Receiver<()> {
        let (sender, said) = mpsc::channel(1);
        if let Some(mut input) = child.stdin.take() {
            let event = format!("{}\n", news.to_json());
            std::thread::spawn(move || {
                // A program need not read it.
                let _ = input.write_all(event.as_bytes());
            });
        }
        if let Some(output) = child.stdout.take() {
            let ui = self.ui.clone();
            // With `--json` standard output is for our lines alone.
            let say = move |line: &str| if ui.json { ui.note(line) } else { ui.line(line) };
            let sender = sender.clone();
            std::thread::spawn(move || pass_on(output, say, sender));
        }
        if let Some(errors) = child.stderr.take() {
            let ui = self.ui.clone();
            std::thread::spawn(move || pass_on(errors, move |line| ui.note(line), sender));
        }
        said
    }
}

/// Returns what is readable when there is news of a program.
fn news_of(child: &Guarded) -> io::Result<UnixStream> {
    UnixStream::from_std(std::os::unix::net::UnixStream::from(child.as_fd().try_clone_to_owned()?))
}

/// Waits until the program has ended, and all that it started.
async fn end(child: &mut Guarded, news: &UnixStream) -> Result<Ended, String> {
    loop {
        let ended = news.try_io(Interest::READABLE, || child.ended().ok_or(io::ErrorKind::WouldBlock.into()));
        if let Ok(ended) = ended {
            return ended.map_err(|error| format!("was lost: {error}"));
        }
        news.readable().await.map_err(|error| format!("was lost: {error}"))?;
    }
}

fn pass_on(from: impl Read, say: impl Fn(&str), until: mpsc::Sender<()>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        say(&plain(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r'])));
        line.clear();
    }
    drop(until);
}
