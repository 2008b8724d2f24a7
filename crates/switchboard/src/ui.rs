//! What a person sees: the only place that prints.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use comfy_table::presets;
use comfy_table::{ContentArrangement, Table};
use owo_colors::{OwoColorize, Stream};
use serde::Serialize;
use switchboard_core::problem::{Problem, Severity};

use crate::fail::Failure;

/// Whether standard output has its document: programs that read JSON get one, never two.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// How to speak, as the command line and the surroundings ask for it.
#[derive(Clone, Copy, Debug)]
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
}

/// Returns `1 server`, `2 servers`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
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
    /// Prints a line to standard output; a closed pipe is the reader's right.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if !self.json && !self.quiet {
            // One write a line, so that lines of both streams never run into each other.
            let mut out = anstream::stdout();
            let _ = out.write_all(format!("{}\n", text.as_ref()).as_bytes()).and_then(|()| out.flush());
        }
    }

    /// Prints a line with a mark.
    pub(crate) fn marked(&self, mark: Mark, text: impl AsRef<str>) {
        let sign = match mark {
            Mark::Good => "✓".if_supports_color(Stream::Stdout, |t| t.green()).to_string(),
            Mark::Warn => "!".if_supports_color(Stream::Stdout, |t| t.yellow()).to_string(),
            Mark::Bad => "✗".if_supports_color(Stream::Stdout, |t| t.red()).to_string(),
            Mark::Plan => "→".if_supports_color(Stream::Stdout, |t| t.cyan()).to_string(),
        };
        self.line(format!("{sign} {}", text.as_ref()));
    }

    /// Prints a heading.
    pub(crate) fn heading(&self, text: impl AsRef<str>) {
        self.line(text.as_ref().if_supports_color(Stream::Stdout, |t| t.bold()).to_string());
    }

    /// Prints text as it is, to standard output: documents that are asked for.
    #[expect(clippy::unused_self, reason = "what prints belongs to the one who may print")]
    pub(crate) fn document(&self, text: &str) {
        PRINTED.store(true, Ordering::Relaxed);
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// Prints a value as JSON, when machines read. Of several values the first is the document.
    pub(crate) fn json(&self, value: &impl Serialize) {
        if self.json && !PRINTED.swap(true, Ordering::Relaxed) {
            let mut out = std::io::stdout().lock();
            let _ = serde_json::to_writer_pretty(&mut out, value);
            let _ = out.write_all(b"\n");
        }
    }

    /// Prints a table that fits the terminal.
    pub(crate) fn table<const N: usize>(
        &self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        if self.json || self.quiet {
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if !std::io::stdout().is_terminal() {
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
        for line in table.lines() {
            self.line(line.trim_end());
        }
    }

    /// Tells something beside the result, on standard error.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = anstream::stderr().write_all(format!("{}\n", text.as_ref()).as_bytes());
        }
    }

    /// Tells a hint, on standard error.
    pub(crate) fn hint(&self, text: impl AsRef<str>) {
        let word = "hint:".if_supports_color(Stream::Stderr, |t| t.cyan()).to_string();
        self.note(format!("{word} {}", text.as_ref()));
    }

    /// Tells a problem of a file, with its place.
    pub(crate) fn problem(&self, file: &str, problem: &Problem) {
        let word = match problem.severity {
            Severity::Error => "error:".if_supports_color(Stream::Stderr, |t| t.red()).to_string(),
            Severity::Warning => "warning:".if_supports_color(Stream::Stderr, |t| t.yellow()).to_string(),
        };
        let place = problem.place.map(|place| format!(":{place}")).unwrap_or_default();
        let _ = writeln!(anstream::stderr(), "{word} {file}{place}: {}", problem.what);
        if let Some(help) = &problem.help {
            self.hint(help);
        }
    }

    /// Tells a failure.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json && !PRINTED.load(Ordering::Relaxed) {
            self.json(&failure.to_json());
            return;
        }
        for (file, problem) in &failure.problems {
            self.problem(file, problem);
        }
        let word = "error:".if_supports_color(Stream::Stderr, |t| t.red()).to_string();
        let mut text = format!("{word} failed to {}", failure.what);
        for cause in &failure.causes {
            text.push_str(": ");
            text.push_str(cause);
        }
        let _ = writeln!(anstream::stderr(), "{text}");
        for hint in &failure.hints {
            self.hint(hint);
        }
    }

    /// Asks a question that is answered with yes or no.
    ///
    /// `--yes` answers yes. Without a terminal nobody can be asked: the answer is no consent.
    ///
    /// # Errors
    /// The answer was no, or nobody could be asked: exit code 5, and nothing is changed.
    pub(crate) fn consent(&self, question: &str, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let refused = || Failure::conflict(what.to_owned());
        if self.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err(refused()
                .because("nobody was there to be asked")
                .hint("add --yes to agree beforehand"));
        }
        match inquire::Confirm::new(question).with_default(true).prompt() {
            Ok(true) => Ok(()),
            Ok(false) => Err(refused().because("the answer was no")),
            Err(error) => Err(refused().because(error)),
        }
    }
}
