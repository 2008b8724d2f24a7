//! Documents written in a hand made up at random, as clients and people write them.

use std::fmt::Write as _;

use crate::document::Format;
use crate::value::Value;

/// Random choices; when they run out, the first alternative is taken, so that failures shrink.
pub(super) struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    pub(super) fn new(rolls: Vec<u8>) -> Self {
        Self(rolls.into_iter())
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % sides
    }

    pub(super) fn of<T: Copy>(&mut self, alternatives: &[T]) -> T {
        alternatives[self.roll(alternatives.len())]
    }
}

/// Writes `root`, a map, down in a random layout.
pub(super) fn written(root: &Value, format: Format, dice: &mut Dice) -> String {
    let mut hand = Hand {
        unit: dice.of(&["  ", "    ", "\t"]),
        comments: !matches!(format, Format::Json) && dice.roll(3) > 0,
        trailing: matches!(format, Format::Jsonc | Format::Json5) && dice.roll(3) == 1,
        dice,
        out: String::new(),
    };
    match format {
        Format::Toml => hand.toml(root),
        Format::Yaml => {
            hand.unit = "  ";
            hand.yaml(root);
        }
        _ => hand.json_document(root),
    }
    let Hand { mut out, dice, .. } = hand;
    if dice.roll(5) == 4 {
        out.truncate(out.trim_end().len());
    }
    if dice.roll(5) == 4 {
        out = out.replace('\n', "\r\n");
    }
    if dice.roll(8) == 7 {
        out.insert(0, '\u{feff}');
    }
    out
}

struct Hand<'d> {
    unit: &'static str,
    comments: bool,
    trailing: bool,
    dice: &'d mut Dice,
    out: String,
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

impl Hand<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes a comment of its own line, or nothing.
    fn note(&mut self, mark: &str, indent: &str) {
        if self.comments && self.dice.roll(4) == 3 {
            let words = self.dice.of(&["note", "it's, \"odd\": {", "]"]);
            let _ = writeln!(self.out, "{indent}{mark} {words}");
        }
    }

    /// Ends a line, with a comment or without.
    fn end(&mut self, mark: &str) {
        if self.comments && self.dice.roll(5) == 4 {
            let _ = write!(self.out, " {mark} beside");
        }
        self.out.push('\n');
    }

    fn json_document(&mut self, root: &Value) {
        self.note("//", "");
        let lines = self.dice.roll(6) != 5;
        self.json(root, "", lines);
        self.end("//");
        self.note("//", "");
    }

    fn json(&mut self, value: &Value, indent: &str, lines: bool) {
        let (open, close, parts): (_, _, Vec<(Option<&str>, &Value)>) = match value {
            Value::Map(members) => ("{", "}", members.iter().map(|(k, v)| (Some(k.as_str()), v)).collect()),
            Value::List(items) => ("[", "]", items.iter().map(|item| (None, item)).collect()),
            scalar => {
                let text = self.scalar(scalar);
                return self.put(&text);
            }
        };
        self.put(open);
        let inner = format!("{indent}{}", self.unit);
        let lines = lines && (indent.is_empty() || self.dice.roll(4) != 3);
        if lines {
            self.put("\n");
        }
        for (at, (key, value)) in parts.iter().enumerate() {
            if lines {
                self.note("//", &inner);
                self.put(&inner);
            } else if at > 0 {
                self.put(" ");
            }
            if let Some(key) = key {
                let colon = if self.unit == "\t" { ":" } else { ": " };
                let text = format!("{}{colon}", quoted(key));
                self.put(&text);
            }
            self.json(value, &inner, lines);
            if at + 1 < parts.len() || (self.trailing && lines) {
                self.put(",");
            }
            if lines {
                self.end("//");
            }
        }
        if lines {
            self.put(indent);
        }
        self.put(close);
    }

    #[expect(clippy::unused_self, reason = "one hand writes everything")]
    fn scalar(&mut self, value: &Value) -> String {
        match value {
            Value::Null => "null".to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(text) | Value::Other(text) => text.clone(),
            Value::Text(text) => quoted(text),
            _ => String::new(),
        }
    }

    fn toml(&mut self, root: &Value) {
        self.note("#", "");
        self.toml_table(root, &mut Vec::new());
        self.note("#", "");
    }

    fn toml_table(&mut self, table: &Value, path: &mut Vec<String>) {
        let Value::Map(members) = table else { return };
        let mut later = Vec::new();
        for (key, value) in members {
            let tables =
                |items: &[Value]| !items.is_empty() && items.iter().all(|item| matches!(item, Value::Map(_)));
            let apart = match value {
                Value::Map(members) => path.len() < 2 && (path.is_empty() || !members.is_empty()),
                Value::List(items) => tables(items) && path.is_empty(),
                _ => false,
            };
            if apart && self.dice.roll(4) != 3 {
                later.push((key, value));
                continue;
            }
            self.note("#", "");
            let value = self.toml_inline(value);
            let _ = write!(self.out, "{} = {value}", toml_key(key));
            self.end("#");
        }
        for (key, value) in later {
            path.push(toml_key(key));
            let header = path.join(".");
            let items = match value {
                Value::List(items) => items.iter().map(|item| (format!("[[{header}]]"), item)).collect(),
                table => vec![(format!("[{header}]"), table)],
            };
            for (header, table) in items {
                if self.dice.roll(4) != 3 {
                    self.put("\n");
                }
                self.note("#", "");
                self.put(&header);
                self.end("#");
                self.toml_table(table, path);
            }
            path.pop();
        }
    }

    fn toml_inline(&mut self, value: &Value) -> String {
        match value {
            Value::Map(members) => {
                let parts: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{} = {}", toml_key(key), self.toml_inline(value)))
                    .collect();
                if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
            }
            Value::List(items) => {
                let parts: Vec<String> = items.iter().map(|item| self.toml_inline(item)).collect();
                if !parts.is_empty() && self.dice.roll(3) == 2 {
                    return format!("[\n  {},\n]", parts.join(",\n  "));
                }
                format!("[{}]", parts.join(", "))
            }
            scalar => self.scalar(scalar),
        }
    }

    fn yaml(&mut self, root: &Value) {
        self.note("#", "");
        if self.dice.roll(5) == 4 {
            self.put("---\n");
        }
        match root {
            Value::Map(members) if !members.is_empty() => self.yaml_map(members, 0),
            _ => self.put("{}\n"),
        }
        self.note("#", "");
    }

    fn yaml_map(&mut self, members: &[(String, Value)], indent: usize) {
        for (key, value) in members {
            let pad = " ".repeat(indent);
            self.note("#", &pad);
            let _ = write!(self.out, "{pad}{}:", yaml_text(key));
            self.yaml_value(value, indent);
        }
    }

    /// Writes the value of a key that stands at `indent`, with its line end.
    fn yaml_value(&mut self, value: &Value, indent: usize) {
        let block = indent == 0 || self.dice.roll(4) != 3;
        match value {
            Value::Map(members) if block && !members.is_empty() => {
                self.end("#");
                self.yaml_map(members, indent + 2);
            }
            Value::List(items) if block && !items.is_empty() => {
                self.end("#");
                let indent = indent + self.dice.of(&[2, 0]);
                for item in items {
                    self.yaml_item(item, indent);
                }
            }
            other => {
                let text = self.yaml_flow(other);
                let _ = write!(self.out, " {text}");
                self.end("#");
            }
        }
    }

    fn yaml_item(&mut self, item: &Value, indent: usize) {
        let pad = " ".repeat(indent);
        self.note("#", &pad);
        match item {
            Value::Map(members) if !members.is_empty() => {
                let start = self.out.len();
                // A comment before the first key would come between it and its dash.
                let comments = std::mem::take(&mut self.comments);
                self.yaml_map(members, indent + 2);
                self.comments = comments;
                self.out.replace_range(start..start + indent + 2, &format!("{pad}- "));
            }
            other => {
                let text = self.yaml_flow(other);
                let _ = write!(self.out, "{pad}- {text}");
                self.end("#");
            }
        }
    }

    fn yaml_flow(&mut self, value: &Value) -> String {
        match value {
            Value::Map(members) => {
                let parts: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{}: {}", quoted(key), self.yaml_flow(value)))
                    .collect();
                format!("{{{}}}", parts.join(", "))
            }
            Value::List(items) => {
                let parts: Vec<String> = items.iter().map(|item| self.yaml_flow(item)).collect();
                format!("[{}]", parts.join(", "))
            }
            Value::Text(text) => yaml_text(text),
            scalar => self.scalar(scalar),
        }
    }
}

fn toml_key(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if bare { key.to_owned() } else { quoted(key) }
}

fn yaml_text(text: &str) -> String {
    let plain = text.len() > 1 && text.bytes().all(|b| b.is_ascii_alphabetic());
    let word = ["true", "false", "null", "yes", "no", "on", "off"].contains(&text.to_lowercase().as_str());
    if plain && !word { text.to_owned() } else { quoted(text) }
}
