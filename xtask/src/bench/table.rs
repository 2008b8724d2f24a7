//! The table of results, in Markdown.

use std::fmt;

/// What was measured, row by row.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    /// Tables of another form, below.
    more: Vec<String>,
}

/// One promise, and how it stands.
#[derive(Default)]
pub(super) struct Row {
    pub(super) what: String,
    /// What it is compared with, with its own figure.
    pub(super) baseline: String,
    pub(super) goal: String,
    /// The median and how far the repeats lie apart.
    pub(super) measured: String,
    /// Measured over baseline.
    pub(super) ratio: Option<f64>,
    pub(super) met: Option<bool>,
}

impl Table {
    pub(super) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a table of another form.
    pub(super) fn append(&mut self, text: String) {
        self.more.push(text);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | baseline | goal | measured | ratio | met? |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for Row { what, baseline, goal, measured, ratio, met } in &self.rows {
            let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
            let met = match met {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "-",
            };
            writeln!(f, "| {what} | {baseline} | {goal} | {measured} | {ratio} | {met} |")?;
        }
        for text in &self.more {
            writeln!(f, "\n{text}")?;
        }
        Ok(())
    }
}
