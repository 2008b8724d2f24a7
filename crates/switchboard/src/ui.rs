//! What a person sees: the only place that prints.

mod picture;
mod progress;

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use comfy_table::presets;
use comfy_table::{ContentArrangement, Table};
use owo_colors::OwoColorize;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_core::problem::{Problem, Severity};
use switchboard_host::dirs::Env;

use crate::ask::{Answer, Question};
use crate::cli::Common;
use crate::fail::Failure;
use crate::probe::Picture;

/// Whether standard output has its document: programs that read JSON get one, never two.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// How to speak, as the command line and the surroundings ask for it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent wishes, one option each")]
pub(crate) struct Ui {
    /// Machines read: one JSON document on standard output.
    pub(crate) json: bool,
    /// Nothing is changed; what would be done is shown.
    pub(crate) dry_run: bool,
    /// Questions are taken as answered with yes.
    pub(crate) yes: bool,
    /// Only problems are told.
    pub(crate) quiet: bool,
    /// Who listens.
    pub(crate) to: To,
}

/// Who listens to what a command says.
#[derive(Clone, Debug)]
pub(crate) enum To {
    /// A person, or a program, at this process's own streams.
    Streams,
    /// Somebody elsewhere: it is written down, and told there.
    Record(Arc<Mutex<Record>>),
}

/// What a command said to somebody elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Record {
    said: Vec<Said>,
    document: Option<Value>,
    agreed: Vec<String>,
    question: Option<Question>,
}

/// One thing that was said; colours stand in the text, and are taken out where nobody wants them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Said {
    /// A line of the result.
    Line(String),
    /// A document that was asked for, as it is.
    Document(String),
    /// A table; how wide it may be is known where it is shown.
    Table { header: Vec<String>, rows: Vec<Vec<String>> },
    /// A line beside the result: a problem, a hint.
    Note(String),
}

/// Returns `1 server`, `2 servers`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Returns somebody else's words with nothing in them that a terminal would obey, or that would show them as others.
pub(crate) fn plain(text: &str) -> String {
    // What has no width of its own, and what turns the direction of writing.
    let hides = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || hides(c) {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// What a mark before a line means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// Done, or as it should be.
    Good,
    /// To be looked at.
    Warn,
    /// Wrong.
    Bad,
    /// Something that will be done.
    Plan,
}

impl Ui {
    /// Returns an ui that speaks at this process's own streams.
    pub(crate) fn new(wishes: Common) -> Self {
        let Common { json, dry_run, yes, quiet } = wishes;
        Self { json, dry_run, yes, quiet, to: To::Streams }
    }

    /// Returns an ui that writes down what is said, for somebody who agreed to these questions.
    pub(crate) fn recording(wishes: Common, agreed: Vec<String>) -> Self {
        let record = Record { agreed, ..Record::default() };
        Self { to: To::Record(Arc::new(Mutex::new(record))), ..Self::new(wishes) }
    }

    /// Returns what was written down, with how it ended.
    pub(crate) fn answer(&self, failure: Option<Failure>) -> Answer {
        let To::Record(record) = &self.to else { return Answer { failure, ..Answer::default() } };
        let record = std::mem::take(&mut *record.lock().unwrap_or_else(PoisonError::into_inner));
        Answer { said: record.said, document: record.document, failure, question: record.question }
    }

    /// Says something: at once, or into the record.
    pub(crate) fn say(&self, said: Said) {
        match &self.to {
            To::Record(record) => record.lock().unwrap_or_else(PoisonError::into_inner).said.push(said),
            To::Streams => match said {
                // One write a line, so that lines of both streams never run into each other.
                Said::Line(text) => {
                    let mut out = anstream::stdout();
                    // A closed pipe is the reader's right.
                    let _ = out.write_all(format!("{text}\n").as_bytes()).and_then(|()| out.flush());
                }
                Said::Note(text) => {
                    let _ = anstream::stderr().write_all(format!("{text}\n").as_bytes());
                }
                Said::Document(text) => {
                    PRINTED.store(true, Ordering::Relaxed);
                    let mut out = std::io::stdout().lock();
                    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                }
                Said::Table { header, rows } => {
                    for line in fitted(header, rows) {
                        self.say(Said::Line(line));
                    }
                }
            },
        }
    }

    /// Prints a line to standard output.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if !self.json && !self.quiet {
            self.say(Said::Line(text.as_ref().to_owned()));
        }
    }

    /// Prints a line with a mark.
    pub(crate) fn marked(&self, mark: Mark, text: impl AsRef<str>) {
        let sign = match mark {
            Mark::Good => "✓".green().to_string(),
            Mark::Warn => "!".yellow().to_string(),
            Mark::Bad => "✗".red().to_string(),
            Mark::Plan => "→".cyan().to_string(),
        };
        self.line(format!("{sign} {}", text.as_ref()));
    }

    /// Prints a heading.
    pub(crate) fn heading(&self, text: impl AsRef<str>) {
        self.line(text.as_ref().bold().to_string());
    }

    /// Prints text as it is, to standard output: documents that are asked for.
    pub(crate) fn document(&self, text: &str) {
        self.say(Said::Document(text.to_owned()));
    }

    /// Prints a value as JSON, when machines read. Of several values the first is the document.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if !self.json {
            return;
        }
        match &self.to {
            To::Record(record) => {
                let document = &mut record.lock().unwrap_or_else(PoisonError::into_inner).document;
                if document.is_none() {
                    *document = serde_json::to_value(value).ok();
                }
            }
            To::Streams if PRINTED.swap(true, Ordering::Relaxed) => {}
            To::Streams => {
                let mut out = std::io::stdout().lock();
                let _ = serde_json::to_writer_pretty(&mut out, value);
                let _ = out.write_all(b"\n");
            }
        }
    }

    /// Returns whether programs that read JSON have their document.
    fn has_document(&self) -> bool {
        match &self.to {
            To::Streams => PRINTED.load(Ordering::Relaxed),
            To::Record(record) => record.lock().unwrap_or_else(PoisonError::into_inner).document.is_some(),
        }
    }

    /// Prints a table that fits the terminal.
    pub(crate) fn table<const N: usize>(
        &self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let header = header.map(str::to_owned).to_vec();
        self.table_of(header, rows.into_iter().map(|row| row.to_vec()).collect());
    }

    /// Prints a table whose columns are not known beforehand; each row is as long as the header.
    pub(crate) fn table_of(&self, header: Vec<String>, rows: Vec<Vec<String>>) {
        if !self.json && !self.quiet {
            self.say(Said::Table { header, rows });
        }
    }

    /// Returns whether programs read what is printed, as JSON.
    pub(crate) fn is_read_by_programs(&self) -> bool {
        self.json
    }

    /// Returns whether a person reads what is printed, at a terminal.
    pub(crate) fn is_read_by_a_person(&self) -> bool {
        matches!(self.to, To::Streams) && !self.json && std::io::stdout().is_terminal()
    }

    /// Shows a picture, and returns whether the terminal that the environment tells of can.
    pub(crate) fn picture(&self, env: &Env, picture: &Picture) -> bool {
        let sequence = self.is_read_by_a_person().then(|| picture::sequence(env, picture)).flatten();
        let Some(sequence) = sequence else { return false };
        self.document(&sequence);
        true
    }

    /// Tells something beside the result, on standard error.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.say(Said::Note(text.as_ref().to_owned()));
        }
    }

    /// Tells a hint, on standard error.
    pub(crate) fn hint(&self, text: impl AsRef<str>) {
        self.note(format!("{} {}", "hint:".cyan(), text.as_ref()));
    }

    /// Tells a problem of a file, with its place.
    pub(crate) fn problem(&self, file: &str, problem: &Problem) {
        let word = match problem.severity {
            Severity::Error => "error:".red().to_string(),
            Severity::Warning => "warning:".yellow().to_string(),
        };
        let place = problem.place.map(|place| format!(":{place}")).unwrap_or_default();
        self.say(Said::Note(format!("{word} {file}{place}: {}", problem.what)));
        if let Some(help) = &problem.help {
            self.hint(help);
        }
    }

    /// Tells a failure.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json && !self.has_document() {
            self.json(&failure.to_json());
            return;
        }
        for (file, problem) in &failure.problems {
            self.problem(file, problem);
        }
        self.say(Said::Note(format!("{} {}", "error:".red(), failure.sentence())));
        for hint in &failure.hints {
            self.hint(hint);
        }
    }

    /// Asks a question that is answered with yes or no.
    ///
    /// `--yes` answers yes. Without a terminal nobody can be asked: the answer is no consent. Somebody elsewhere is
    /// asked there, and comes again with the answer.
    ///
    /// # Errors
    /// The answer was no, or nobody could be asked: exit code 5, and nothing is changed.
    pub(crate) fn consent(&self, question: &str, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let refused = || Failure::conflict(what.to_owned());
        let nobody =
            || refused().because("nobody was there to be asked").hint("add --yes to agree beforehand");
        if let To::Record(record) = &self.to {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            let asked = Question::new(question, what, &record.said);
            if record.agreed.contains(&asked.key) {
                return Ok(());
            }
            record.question = Some(asked);
            return Err(nobody());
        }
        if self.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err(nobody());
        }
        match inquire::Confirm::new(question).with_default(true).prompt() {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused().because("the answer was no")),
            Err(error) => Err(refused().because(error)),
        }
    }
}

/// A terminal that says that it is narrower does not know how wide it is, in columns.
const NARROW: u16 = 20;

/// Returns the lines of a table that fits the terminal.
fn fitted(header: Vec<String>, rows: Vec<Vec<String>>) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() || table.width().is_some_and(|width| width < NARROW) {
        // Piped output is for tools: no line is broken.
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}
