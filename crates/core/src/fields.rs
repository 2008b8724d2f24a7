//! Reading a person's TOML table field by field, so that every problem is found at once, each with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::duration::parse_duration;
use crate::nearest::nearest;
use crate::place::{Place, Places};
use crate::problem::{Problem, Severity};

/// What a whole file gave: its table and the problems of its grammar.
///
/// Problems of the grammar do not hide those of the content: what could be read is read.
pub(crate) fn read<'t>(text: &'t str, problems: &mut Vec<Problem>) -> Spanned<DeTable<'t>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = DeTable::parse_recoverable(body);
    let bom = text.len() - body.len();
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start) + bom;
        problems.push(Problem::error(error.message().to_lowercase_first()).at(Place::of(text, offset)));
    }
    table
}

trait LowercaseFirst {
    fn to_lowercase_first(&self) -> String;
}

impl LowercaseFirst for str {
    fn to_lowercase_first(&self) -> String {
        let mut chars = self.chars();
        chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
    }
}

/// One table being read. Fields that nobody asked for are unknown: [`Fields::finish`] says so.
pub(crate) struct Fields<'a, 't> {
    text: &'t str,
    name: String,
    span: Range<usize>,
    table: &'a DeTable<'t>,
    asked: Vec<&'static str>,
    /// The keys are names, so none of them is unknown.
    all_asked: bool,
    /// How bad an unknown field is.
    unknown: Severity,
    problems: &'a mut Vec<Problem>,
}

impl<'a, 't> Fields<'a, 't> {
    /// Begins reading `table`, which messages call `name`.
    pub(crate) fn of(
        text: &'t str,
        name: impl Into<String>,
        span: Range<usize>,
        table: &'a DeTable<'t>,
        problems: &'a mut Vec<Problem>,
    ) -> Self {
        let name = name.into();
        let unknown = Severity::Warning;
        Self { text, name, span, table, asked: Vec::new(), all_asked: false, unknown, problems }
    }

    /// Has an unknown field be an error, here and in the tables below: what it was meant to say could be a limit.
    pub(crate) fn refuse_unknown(&mut self) {
        self.unknown = Severity::Error;
    }

    /// Begins reading a table below this one.
    fn below<'b>(&'b mut self, name: String, span: Range<usize>, table: &'b DeTable<'t>) -> Fields<'b, 't> {
        Fields { unknown: self.unknown, ..Fields::of(self.text, name, span, table, self.problems) }
    }

    /// Returns where byte `offset` stands in the file, a byte-order mark before it included.
    fn place(&self, offset: usize) -> Place {
        Place::of(self.text, offset + self.bom())
    }

    fn bom(&self) -> usize {
        if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
    }

    pub(crate) fn problem_at(&mut self, offset: usize, problem: Problem) {
        let place = self.place(offset);
        self.problems.push(problem.at(place));
    }

    /// Adds a problem that concerns the table as a whole.
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problem_at(self.span.start, problem);
    }

    /// Adds a problem at the value of `key`, or at the table where there is no such key.
    pub(crate) fn problem_of(&mut self, key: &str, problem: Problem) {
        let offset = self.table.get(key).map_or(self.span.start, |value| value.span().start);
        self.problem_at(offset, problem);
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Returns the byte of the file at which the value of `key` begins.
    pub(crate) fn start_of(&self, key: &str) -> Option<usize> {
        self.table.get(key).map(|value| value.span().start + self.bom())
    }

    /// Returns the keys of the table at `key`, also of those parts that are wrong; none where there is no table.
    pub(crate) fn keys_of(&self, key: &str) -> BTreeSet<String> {
        let table = self.table.get(key).and_then(|value| value.get_ref().as_table());
        table.into_iter().flatten().map(|(name, _)| name.get_ref().to_string()).collect()
    }

    fn raw(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.table.get(key)
    }

    fn wrong(&mut self, key: &str, value: &Spanned<DeValue<'t>>, wanted: &str) {
        let what = format!("`{key}` of {} is {}, not {wanted}", self.name, kind(value.get_ref()));
        self.problem_at(value.span().start, Problem::error(what));
    }

    /// Takes note that `key` is known, without reading it.
    pub(crate) fn skip(&mut self, key: &'static str) {
        self.asked.push(key);
    }

    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        let value = self.raw(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, value, "a text");
        }
        text
    }

    pub(crate) fn bool(&mut self, key: &'static str) -> Option<bool> {
        let value = self.raw(key)?;
        let bool = value.get_ref().as_bool();
        if bool.is_none() {
            self.wrong(key, value, "true or false");
        }
        bool
    }

    pub(crate) fn number(&mut self, key: &'static str) -> Option<u64> {
        let value = self.raw(key)?;
        let number = value.get_ref().as_integer().and_then(|integer| {
            u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
        });
        if number.is_none() {
            self.wrong(key, value, "a whole number from 0");
        }
        number
    }

    pub(crate) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let value = self.raw(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(key, value, "a duration such as \"30s\"");
            return None;
        };
        match parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                let what = format!("`{key}` of {} is not a duration: {error}", self.name);
                self.problem_at(
                    value.span().start,
                    Problem::error(what).help("write a number and ms, s, m or h, such as \"30s\""),
                );
                None
            }
        }
    }

    /// Reads one of a few words.
    pub(crate) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let value = self.raw(key)?;
        let text = value.get_ref().as_str();
        let found =
            text.and_then(|text| words.iter().find(|(word, _)| *word == text)).map(|(_, value)| *value);
        if found.is_none() {
            let list = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
            let what = match text {
                Some(text) => format!("`{key}` of {} is {text:?}, not one of {list}", self.name),
                None => format!("`{key}` of {} is {}, not one of {list}", self.name, kind(value.get_ref())),
            };
            let mut problem = Problem::error(what);
            if let Some(word) = text.and_then(|text| nearest(text, words.iter().map(|(word, _)| *word))) {
                problem = problem.help(format!("did you mean \"{word}\"?"));
            }
            self.problem_at(value.span().start, problem);
        }
        found
    }

    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        Some(self.placed_texts(key)?.into_iter().map(|(_, text)| text).collect())
    }

    /// Reads a list of texts, each with the offset at which it stands.
    pub(crate) fn placed_texts(&mut self, key: &'static str) -> Option<Vec<(usize, String)>> {
        let value = self.raw(key)?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of texts");
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            let (offset, item) = (item.span().start, item.get_ref());
            if let Some(text) = item.as_str() {
                texts.push((offset, text.to_owned()));
            } else {
                let what = format!("an item of `{key}` of {} is {}, not a text", self.name, kind(item));
                self.problem_at(offset, Problem::error(what).help("put it in quotation marks"));
            }
        }
        Some(texts)
    }

    pub(crate) fn text_map(&mut self, key: &'static str) -> Option<BTreeMap<String, String>> {
        let value = self.raw(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table of texts");
            return None;
        };
        let mut map = BTreeMap::new();
        for (name, item) in table {
            let (name, offset, item) = (name.get_ref(), item.span().start, item.get_ref());
            if let Some(text) = item.as_str() {
                map.insert(name.to_string(), text.to_owned());
            } else {
                let what = format!("`{key}.{name}` of {} is {}, not a text", self.name, kind(item));
                self.problem_at(offset, Problem::error(what).help("put it in quotation marks"));
            }
        }
        Some(map)
    }

    /// Reads a table below this one; `read` gets its fields.
    pub(crate) fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Fields<'_, 't>) -> T,
    ) -> Option<T> {
        let value = self.raw(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table");
            return None;
        };
        let name = format!("`{key}` of {}", self.name);
        let mut fields = self.below(name, value.span(), table);
        let read = read(&mut fields);
        fields.finish();
        Some(read)
    }

    /// Reads a list of tables below this one; `read` gets the fields of each.
    pub(crate) fn tables<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&mut Fields<'_, 't>) -> T,
    ) -> Vec<T> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of tables");
            return Vec::new();
        };
        let mut all = Vec::new();
        for item in items {
            let Some(table) = item.get_ref().as_table() else {
                self.wrong(key, item, "a table");
                continue;
            };
            let mut fields = self.below(format!("`[[{key}]]`"), item.span(), table);
            all.push(read(&mut fields));
            fields.finish();
        }
        all
    }

    /// Reads a table whose keys are names; `read` gets each name, its place and its fields.
    pub(crate) fn named_tables(
        &mut self,
        key: &'static str,
        noun: &str,
        mut read: impl FnMut(&str, Place, &mut Fields<'_, 't>),
    ) {
        let Some(value) = self.raw(key) else { return };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table");
            return;
        };
        let mut places = Places::of(self.text);
        self.each(table, noun, |name, offset, fields| read(name, places.at(offset), fields));
    }

    /// Reads this very table as one whose keys are names; `read` gets each name, where it begins and its fields.
    pub(crate) fn names(&mut self, noun: &str, read: impl FnMut(&str, usize, &mut Fields<'_, 't>)) {
        self.all_asked = true;
        self.each(self.table, noun, read);
    }

    fn each(
        &mut self,
        table: &DeTable<'t>,
        noun: &str,
        mut read: impl FnMut(&str, usize, &mut Fields<'_, 't>),
    ) {
        let bom = self.bom();
        for (name, item) in table {
            let label = format!("{noun} `{}`", name.get_ref());
            let Some(inner) = item.get_ref().as_table() else {
                let what = format!("{label} is {}, not a table", kind(item.get_ref()));
                self.problem_at(item.span().start, Problem::error(what));
                continue;
            };
            let mut fields = self.below(label, name.span(), inner);
            read(name.get_ref(), name.span().start + bom, &mut fields);
            fields.finish();
        }
    }

    /// Tells of every field that nobody asked for, with the known one that is nearest.
    pub(crate) fn finish(&mut self) {
        let unknown: Vec<(String, usize)> = self
            .table
            .iter()
            .filter(|(key, _)| !self.all_asked && !self.asked.contains(&key.get_ref().as_ref()))
            .map(|(key, _)| (key.get_ref().to_string(), key.span().start))
            .collect();
        for (key, offset) in unknown {
            let mut problem = Problem::of(self.unknown, format!("{} has no setting `{key}`", self.name));
            let known = self.asked.iter().copied();
            problem = match nearest(&key, known.clone()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("known are {}", known.collect::<Vec<_>>().join(", "))),
            };
            self.problem_at(offset, problem);
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
