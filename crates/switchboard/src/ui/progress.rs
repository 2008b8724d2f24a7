//! How far something is that takes a while.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{To, Ui};

/// A bar on a terminal, and nothing elsewhere. It is gone when this is.
pub(crate) struct Progress(ProgressBar);

impl Ui {
    /// Begins something of so many steps.
    pub(crate) fn progress(&self, what: &'static str, steps: usize) -> Progress {
        let somebody_looks =
            matches!(self.to, To::Streams) && !self.json && !self.quiet && std::io::stderr().is_terminal();
        let target = if somebody_looks { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(u64::try_from(steps).ok(), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(what);
        bar.tick();
        Progress(bar)
    }
}

impl Progress {
    /// One step is done: this one.
    pub(crate) fn done(&self, which: &str) {
        self.0.set_message(super::plain(which));
        self.0.inc(1);
    }

    /// All is done: nothing is left of it.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
