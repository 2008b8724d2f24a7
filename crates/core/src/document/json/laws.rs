//! What holds for every document, however it is laid out.

use proptest::prelude::*;

use super::super::{BOM, Change, Document, Format, Node, Step, UnreadableReason};
use crate::value::Value;

/// Random choices; when they run out, the first alternative is taken, so that documents shrink.
struct Choices(std::vec::IntoIter<u8>);

impl Choices {
    fn pick(&mut self, alternatives: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % alternatives
    }

    fn of<T: Copy>(&mut self, alternatives: &[T]) -> T {
        alternatives[self.pick(alternatives.len())]
    }

    fn value(&mut self, depth: usize) -> Value {
        let key = |index: usize| ["command", "", "env", "a\"b\\\n\u{1}é"][index].to_owned();
        match self.pick(if depth == 0 { 6 } else { 9 }) {
            0 => Value::text("x"),
            1 => Value::Null,
            2 => Value::Bool(true),
            3 => Value::Number("-1.50e+9".into()),
            4 => Value::text("\u{feff}\u{2028}😀\u{0}\t\"\\/"),
            5 => Value::text("a long text ".repeat(self.pick(12))),
            6 => Value::texts((0..self.pick(4)).map(|index| format!("item {index}"))),
            7 => Value::List((0..self.pick(3)).map(|_| self.value(depth - 1)).collect()),
            _ => Value::Map((0..self.pick(4)).map(|index| (key(index), self.value(depth - 1))).collect()),
        }
    }
}

/// Writes a random document in a random hand.
struct Scribe {
    choices: Choices,
    comments: bool,
    trailing_commas: bool,
    json5: bool,
    line_end: &'static str,
    unit: &'static str,
    colon: &'static str,
    out: String,
}

impl Scribe {
    fn new(choices: Vec<u8>, format: Format) -> Self {
        let mut choices = Choices(choices.into_iter());
        Self {
            comments: format != Format::Json,
            trailing_commas: matches!(format, Format::Jsonc | Format::Json5),
            json5: format == Format::Json5,
            line_end: choices.of(&["\n", "\r\n", "\r", "mixed"]),
            unit: choices.of(&["  ", "\t", "    ", "   ", ""]),
            colon: choices.of(&[": ", ":", " : "]),
            choices,
            out: String::new(),
        }
    }

    fn line_end(&mut self) {
        let line_end = match self.line_end {
            "mixed" => self.choices.of(&["\n", "\r\n", "\r"]),
            line_end => line_end,
        };
        self.out.push_str(line_end);
    }

    /// Writes white space and comments, or nothing.
    fn trivia(&mut self) {
        for _ in 0..self.choices.of(&[0, 0, 0, 1, 1, 2, 3]) {
            match self.choices.pick(if self.comments { 8 } else { 4 }) {
                0 => self.out.push(' '),
                1 => self.out.push_str("  \t"),
                2 | 3 => self.line_end(),
                4 => self.out.push_str("/* c */"),
                5 => self.out.push_str("/* c, }\n \" */"),
                6 if self.json5 => self.out.push_str("\u{a0}\u{feff}\u{2028}"),
                _ => {
                    self.out.push_str("// d, ] '\u{e9}");
                    self.line_end();
                }
            }
        }
    }

    fn scalar(&mut self) {
        const PLAIN: &[&str] = &[
            "1",
            "true",
            "null",
            "\"x\"",
            "-0",
            "1e400",
            "0.10",
            "\"\\u00e9\\/\\ud83d\\ude00\"",
            "\"\"",
            "123456789012345678901234567890",
            "\"// no, } comment\"",
            "false",
            "\"\u{2028}é\"",
            "\"\\ud800\"",
        ];
        const JSON5: &[&str] =
            &["0x1F", "+1", ".5", "5.", "-Infinity", "NaN", "'a\"\\\n\\x41\\v'", "\"it's\t\""];
        let from = if self.json5 && self.choices.pick(2) == 1 { JSON5 } else { PLAIN };
        let scalar = self.choices.of(from);
        self.out.push_str(scalar);
    }

    fn value(&mut self, depth: usize, indent: &str) {
        match self.choices.pick(if depth == 0 { 1 } else { 4 }) {
            0 => self.scalar(),
            1 => self.container(false, depth - 1, indent),
            _ => self.container(true, depth - 1, indent),
        }
    }

    fn container(&mut self, map: bool, depth: usize, indent: &str) {
        const KEYS: &[&str] =
            &["\"a\"", "\"b\"", "\"x.y/z\"", "\"\"", "\"__proto__\"", "\"\\u0041\\n\"", "\"é\"", "\"c\""];
        const BARE: &[&str] = &["a", "'b'", "$c_1", "d", "é2", "\\u0041b", "'it\\'s'", "null"];
        let (open, close) = if map { ('{', '}') } else { ('[', ']') };
        self.out.push(open);
        let (count, manner, first) = (self.choices.pick(5), self.choices.pick(4), self.choices.pick(8));
        let inner = format!("{indent}{}", self.unit);
        let trailing = self.trailing_commas && self.choices.pick(3) == 1;
        for index in 0..count {
            match manner {
                0 => {
                    self.line_end();
                    self.out.push_str(&inner);
                }
                1 => self.out.push(' '),
                2 => {}
                _ => self.trivia(),
            }
            if map {
                let from = if self.json5 && first % 2 == 0 { BARE } else { KEYS };
                self.out.push_str(from[(first + index) % 8]);
                self.out.push_str(self.colon);
                if manner == 3 {
                    self.trivia();
                }
            }
            self.value(depth, &inner);
            let comma = index + 1 < count || trailing;
            let tail = self.choices.pick(6);
            if tail > 3 || manner == 3 {
                self.trivia();
            }
            if comma {
                self.out.push(',');
            }
            if tail > 4 || manner == 3 {
                self.trivia();
            }
        }
        match manner {
            0 if count > 0 => {
                self.line_end();
                self.out.push_str(indent);
            }
            1 if count > 0 => self.out.push(' '),
            2 if count > 0 => {}
            _ => self.trivia(),
        }
        self.out.push(close);
    }

    fn document(mut self) -> (String, Choices) {
        if self.choices.pick(8) == 7 {
            self.out.push(BOM);
        }
        self.trivia();
        self.container(true, 3, "");
        self.trivia();
        (self.out, self.choices)
    }

    fn blank(mut self) -> (String, Choices) {
        if self.choices.pick(4) == 3 {
            self.out.push(BOM);
        }
        self.trivia();
        self.trivia();
        (self.out, self.choices)
    }
}

fn formats() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![Format::Json, Format::JsonComments, Format::Jsonc, Format::Json5])
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..160)
}

/// Changes some bytes of `text`, or cuts it off, as far as it stays UTF-8.
fn mutated(text: &str, mutations: &[(prop::sample::Index, u8)]) -> String {
    const BYTES: &[u8] = b"{}[]:,\"'\\/*01-+.eEux \n\rtn#\x01";
    let mut bytes = text.as_bytes().to_vec();
    for (at, how) in mutations {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        let with = BYTES[usize::from(*how) % BYTES.len()];
        match how % 4 {
            0 => bytes[at] = with,
            1 => bytes.insert(at, with),
            2 => drop(bytes.remove(at)),
            _ if *how > 200 => bytes.truncate(at),
            _ => bytes[at] ^= 1,
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Returns whether we are stricter than others on purpose.
fn refused_on_purpose(read: &Result<Document<'_>, super::super::Unreadable>) -> bool {
    read.as_ref().is_err_and(|error| match &error.reason {
        UnreadableReason::DuplicateKey(_) | UnreadableReason::TooDeep(_) => true,
        UnreadableReason::Syntax(what) => what.contains("lone surrogate"),
        _ => false,
    })
}

/// Returns the way to a map that some choices lead to.
fn some_map(node: &Node<'_>, choices: &mut Choices) -> Vec<Step> {
    let mut path = Vec::new();
    let mut here = node;
    while let Some(map) = here.as_map() {
        let maps: Vec<_> = map.members.iter().filter(|member| member.node.as_map().is_some()).collect();
        let choice = choices.pick(maps.len() + 1);
        let Some(member) = choice.checked_sub(1).map(|index| maps[index]) else { break };
        path.push(Step::key(member.key.as_ref()));
        here = &member.node;
    }
    path
}

fn parse(text: &str, format: Format) -> Document<'_> {
    Document::parse(text, format).unwrap_or_else(|error| panic!("{error} in {text:?}"))
}

fn revised(text: &str, format: Format, changes: &[Change]) -> String {
    parse(text, format).revised(changes).unwrap_or_else(|error| panic!("{error} for {changes:?} in {text:?}"))
}

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        // Numbers are kept as spelt here, and rounded there.
        (Value::Null, serde_json::Value::Null) | (Value::Number(_), serde_json::Value::Number(_)) => true,
        (Value::Text(a), serde_json::Value::String(b)) => a == b,
        (Value::List(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_was_written_well_is_read(choices in choices(), format in formats()) {
        let (text, _) = Scribe::new(choices, format).document();
        prop_assert!(Document::parse(&text, format).is_ok(), "{text:?}");
    }

    #[test]
    fn json_is_accepted_exactly_when_serde_json_accepts_it(
        choices in choices(),
        mutations in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..3),
    ) {
        let (text, _) = Scribe::new(choices, Format::Json).document();
        let text = mutated(&text, &mutations);
        let read = Document::parse(&text, Format::Json);
        let bare = text.strip_prefix(BOM).unwrap_or(&text);
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(bare).is_ok();
        let blank = read.as_ref().is_ok_and(Document::is_blank);
        prop_assert!(theirs == (read.is_ok() && !blank) || refused_on_purpose(&read), "{theirs} {read:?} {text:?}");
        if let (Ok(read), Ok(theirs)) = (&read, serde_json::from_str(bare)) {
            prop_assert!(read.root().is_some_and(|root| same(&root.value(), &theirs)), "{text:?}");
        }
    }

    #[test]
    fn comments_and_trailing_commas_are_accepted_as_others_do(
        choices in choices(),
        format in prop::sample::select(vec![Format::JsonComments, Format::Jsonc]),
        mutations in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..3),
    ) {
        let (text, _) = Scribe::new(choices, format).document();
        let text = mutated(&text, &mutations);
        let options = jsonc_parser::ParseOptions {
            allow_comments: true,
            allow_trailing_commas: format == Format::Jsonc,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let bare = text.strip_prefix(BOM).unwrap_or(&text);
        let theirs = jsonc_parser::parse_to_ast(bare, &jsonc_parser::CollectOptions::default(), &options);
        match (theirs, Document::parse(&text, format)) {
            // They have no form for lone surrogates; we keep them as they are spelt.
            (Err(_), Ok(_)) => prop_assert!(text.contains("\\ud") || text.contains("\\uD"), "{text:?}"),
            // They allow control characters in texts, more white space, and `\'`.
            (Ok(_), Err(error)) => {
                let what = error.reason.to_string();
                let lenient = ["before the line end", "unescaped in a text", "cannot escape", "U+", "lone surrogate"];
                prop_assert!(
                    matches!(error.reason, UnreadableReason::DuplicateKey(_))
                        || lenient.iter().any(|known| what.contains(known)),
                    "{what} {text:?}"
                );
            }
            _ => {}
        }
    }

    #[test]
    fn no_text_makes_the_reader_fall_over(text in any::<String>(), format in formats()) {
        let _ = Document::parse(&text, format);
        let _ = Document::parse(&format!("{{\"a\": [{text}"), format);
        let _ = Document::parse(&format!("{{a: '\\{text}"), format);
    }

    #[test]
    fn every_change_can_be_made_and_asks_for_nothing_more(choices in choices(), format in formats()) {
        let (text, mut choices) = Scribe::new(choices, format).document();
        let document = parse(&text, format);
        let root = document.root().unwrap();
        let mut changes: Vec<Change> = Vec::new();
        for index in 0..=choices.pick(4) {
            let mut path = some_map(root, &mut choices);
            let map = document.at(&path).and_then(Node::as_map).unwrap();
            let existing = choices.pick(map.members.len() + 1).checked_sub(1);
            path.push(existing.map_or_else(
                || Step::key(format!("new{index}")),
                |index| Step::key(map.members[index].key.as_ref()),
            ));
            let change = if existing.is_some() && choices.pick(2) == 0 {
                Change::remove(path)
            } else {
                Change::set(path, choices.value(2))
            };
            let apart = |other: &Change| {
                let (a, b) = (path_of(&change), path_of(other));
                !a.iter().zip(b).all(|(a, b)| a == b)
            };
            if changes.iter().all(apart) {
                changes.push(change);
            }
        }
        let after = revised(&text, format, &changes);
        prop_assert!(parse(&after, format).edits(&changes).unwrap().is_empty(), "{after:?}");
        for change in &changes {
            let found = parse(&after, format).value_at(path_of(change));
            match change {
                Change::Set { value, .. } => prop_assert!(found.is_some_and(|found| found.same_as(value))),
                Change::Remove { .. } => prop_assert!(found.is_none()),
            }
        }
    }

    #[test]
    fn a_comma_at_the_end_is_never_introduced(choices in choices()) {
        let (text, mut choices) = Scribe::new(choices, Format::JsonComments).document();
        let document = parse(&text, Format::Jsonc);
        let mut path = some_map(document.root().unwrap(), &mut choices);
        path.push(Step::key(choices.of(&["a", "new", "c"])));
        let change = match choices.pick(3) {
            0 => Change::remove(path),
            _ => Change::set(path, choices.value(3)),
        };
        let after = revised(&text, Format::Jsonc, &[change]);
        prop_assert!(Document::parse(&after, Format::JsonComments).is_ok(), "{text:?} {after:?}");
    }

    #[test]
    fn what_was_added_goes_without_a_trace(choices in choices(), format in formats(), blank in 0..4) {
        let scribe = Scribe::new(choices, format);
        let (text, mut choices) = if blank == 0 { scribe.blank() } else { scribe.document() };
        let document = parse(&text, format);
        let mut container = document.root().map_or_else(Vec::new, |root| some_map(root, &mut choices));
        for level in 0..choices.pick(3) {
            container.push(Step::key(format!("missing{level}")));
        }
        let footing = document.footing(&container);
        let path = |name: usize| [&container[..], &[Step::key(format!("server{name}"))]].concat();
        let remove = |name| Change::Remove { path: path(name), footing: Some(footing.clone()) };
        let names = 1 + choices.pick(3);
        let mut added = text.clone();
        for name in 0..names {
            added = revised(&added, format, &[Change::set(path(name), choices.value(2))]);
        }
        let all_at_once: Vec<Change> = (0..names).map(remove).collect();
        prop_assert_eq!(&revised(&added, format, &all_at_once), &text, "{:?}", added);
        let first = choices.pick(names);
        let mut left = added.clone();
        for name in 0..names {
            left = revised(&left, format, &[remove((first + name) % names)]);
        }
        prop_assert_eq!(&left, &text, "one by one from {} in {:?}", first, added);
        let together: Vec<Change> =
            (0..names).map(|name| Change::set(path(name), choices.value(2))).collect();
        let added = revised(&text, format, &together);
        prop_assert_eq!(&revised(&added, format, &all_at_once), &text, "{:?}", added);
    }
}

fn path_of(change: &Change) -> &[Step] {
    match change {
        Change::Set { path, .. } | Change::Remove { path, .. } => path,
    }
}
