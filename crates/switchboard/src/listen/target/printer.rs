//! Each revision as a line.

use super::super::news::News;
use crate::ui::{Ui, counted};

/// Tells revisions: a line for a person, a line of JSON for a program.
pub(in crate::listen) struct Printer {
    pub(in crate::listen) ui: Ui,
}

impl Printer {
    pub(super) fn print(&self, news: &News) {
        if self.ui.json {
            self.ui.document(&format!("{}\n", news.to_json()));
            return;
        }
        let reason =
            if news.reason.is_empty() { String::new() } else { format!(": {}", plain(&news.reason)) };
        self.ui.line(format!("{}  {}{reason}", plain(&news.version), counted(news.count, "server")));
    }
}

/// Words from elsewhere, with nothing in them that a terminal would obey.
pub(in crate::listen) fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}
