//! Laws over documents with a layout made up at random.

use proptest::prelude::*;

use crate::document::judge::verify;
use crate::document::yaml::surely_agrees;
use crate::document::{Change, Document, Format, Step};
use crate::value::Value;

/// A source of layout choices: each takes the next number, and 0 when there are none left.
struct Dice<'n> {
    rolls: std::slice::Iter<'n, u8>,
}

impl Dice<'_> {
    fn roll(&mut self, sides: u8) -> u8 {
        self.rolls.next().map_or(0, |roll| roll % sides)
    }
}

/// What a document looks like all over.
struct Look {
    step: usize,
    dash: usize,
}

const SCALARS: &[&str] = &[
    "x",
    "'it''s'",
    "\"a b\\n\"",
    "yes",
    "0777",
    "12",
    "1.5",
    "~",
    "true",
    "'a # b'",
    "\"é: ü\"",
    "http://h:1/x#y",
    "*anchor",
    "!tag x",
    "2026-01-31",
    "${{ s.X }}",
    "",
    "two words",
    "\"\"",
];
const FLOWS: &[&str] = &["{}", "[]", "[a, 'b']", "{K: v, L: w}", "{ K: v }", "[a,]", "{K: v,}", "[ ]"];
const COMMENTS: &[&str] = &["", "", "", "", " # c", "  # it's \"odd\": {"];

fn put(out: &mut String, text: impl AsRef<str>) {
    out.push_str(text.as_ref());
}

/// Writes the value of a key whose own indentation is `indent`, with its line end.
fn push_value(out: &mut String, dice: &mut Dice<'_>, look: &Look, indent: usize, depth: usize) {
    let comment = COMMENTS[usize::from(dice.roll(6))];
    match dice.roll(if depth > 1 { 6 } else { 10 }) {
        0..=2 => {
            let scalar = SCALARS[usize::from(dice.roll(19))];
            let space = if scalar.is_empty() { "" } else { " " };
            put(out, format!("{space}{scalar}{comment}\n"));
        }
        3 => {
            put(out, format!(" {}{comment}\n", FLOWS[usize::from(dice.roll(8))]));
        }
        4 => {
            let header = ["|", ">-", "|+", ">", "|-"][usize::from(dice.roll(5))];
            let pad = " ".repeat(indent + look.step);
            put(out, format!(" {header}{comment}\n{pad}text: # no\n\n{pad}  more\n"));
            out.push_str(["", "\n", "\n\n"][usize::from(dice.roll(3))]);
        }
        5 => {
            let pad = " ".repeat(indent + look.step);
            let text = [
                " plain\n{pad}going on{c}\n",
                " [a,{c}\n{pad}{K: v},\n{pad}'b'\n{pad}]\n",
                " \"a\n\n{pad}b\"{c}\n",
                " {{c}\n{pad}}\n",
            ];
            out.push_str(&text[usize::from(dice.roll(4))].replace("{pad}", &pad).replace("{c}", comment));
        }
        6 | 7 => {
            put(out, format!("{comment}\n"));
            let dashes = indent + look.dash;
            for _ in 0..=dice.roll(3) {
                push_noise(out, dice, dashes);
                put(out, format!("{}-", " ".repeat(dashes)));
                push_value(out, dice, look, dashes, 9);
            }
        }
        _ => {
            put(out, format!("{comment}\n"));
            push_map(
                out,
                dice,
                look,
                indent + look.step,
                depth + 1,
                ["command", "args", "env", "cwd"].as_slice(),
            );
        }
    }
}

/// Blank lines and comments between the parts of a block.
fn push_noise(out: &mut String, dice: &mut Dice<'_>, indent: usize) {
    match dice.roll(8) {
        5 => out.push('\n'),
        6 => {
            put(out, format!("{}# note\n", " ".repeat(indent)));
        }
        7 => {
            put(out, format!("\n{}# deeper\n\n", " ".repeat(indent + 2)));
        }
        _ => {}
    }
}

fn push_map(out: &mut String, dice: &mut Dice<'_>, look: &Look, indent: usize, depth: usize, keys: &[&str]) {
    let count = 1 + usize::from(dice.roll(4));
    for key in keys.iter().take(count) {
        push_noise(out, dice, indent);
        let key = match dice.roll(8) {
            6 => format!("'{key}'"),
            7 => format!("\"{key}\" "),
            _ => (*key).to_owned(),
        };
        put(out, format!("{}{key}:", " ".repeat(indent)));
        push_value(out, dice, look, indent, depth);
    }
    push_noise(out, dice, indent);
}

/// A container of servers: a block map, a block list of named items, or brackets.
fn push_container(out: &mut String, dice: &mut Dice<'_>, look: &Look, list: bool) {
    let comment = COMMENTS[usize::from(dice.roll(6))];
    match (dice.roll(4), list) {
        (0, false) => {
            let gap = [
                "{}",
                "{ }",
                "{\n  # none yet\n  }",
                "{a: {command: x}}",
                "{ a: { command: x }, }",
                "{\n  a: {command: x}, # one\n  \"b\": {}\n  }",
                "{a: {command: x} # one\n }",
                "{\n  }",
            ];
            put(out, format!("servers: {}{comment}\n", gap[usize::from(dice.roll(8))]));
        }
        (0, true) => {
            let gap = [
                "[]",
                "[ ]",
                "[{name: a}]",
                "[{ name: a, command: x },]",
                "[\n  {name: a}, # one\n  {name: b}\n  ]",
            ];
            put(out, format!("servers: {}{comment}\n", gap[usize::from(dice.roll(5))]));
        }
        (_, false) => {
            put(out, format!("servers:{comment}\n"));
            for name in ["a", "b", "c"].iter().take(1 + usize::from(dice.roll(3))) {
                push_noise(out, dice, look.step);
                put(out, format!("{}{name}:", " ".repeat(look.step)));
                push_value(out, dice, look, look.step, 1);
            }
            push_noise(out, dice, look.step);
        }
        (_, true) => {
            put(out, format!("servers:{comment}\n"));
            let width = 2 + usize::from(dice.roll(2)) * 2;
            for name in ["a", "b", "c"].iter().take(1 + usize::from(dice.roll(3))) {
                push_noise(out, dice, look.dash);
                let lead = format!("{}-{}", " ".repeat(look.dash), " ".repeat(width - 1));
                put(out, format!("{lead}name: {name}\n"));
                if dice.roll(4) > 0 {
                    push_map(
                        out,
                        dice,
                        look,
                        look.dash + width,
                        1,
                        ["command", "args", "env", "cwd"].as_slice(),
                    );
                }
            }
        }
    }
}

/// A whole document; `list` says that its servers are a list.
fn document(rolls: &[u8], list: bool) -> String {
    let mut dice = Dice { rolls: rolls.iter() };
    let dice = &mut dice;
    let step = [2, 4, 3][usize::from(dice.roll(3))];
    let look = Look { step, dash: [0, step, 2][usize::from(dice.roll(3))] };
    let mut out = String::new();
    out.push_str(
        ["", "---\n", "%YAML 1.1\n---\n", "# head\n", "# head\n\n--- # here\n"][usize::from(dice.roll(5))],
    );
    match dice.roll(6) {
        0 if !out.contains('h') => {}
        1 => {}
        kind => {
            out.push_str("first: &anchor x\n");
            if kind > 3 {
                push_map(&mut out, dice, &look, 0, 0, ["name", "model", "rules"].as_slice());
            }
            if kind != 2 {
                push_container(&mut out, dice, &look, list);
            }
            if dice.roll(2) == 1 {
                push_map(&mut out, dice, &look, 0, 0, ["prompts", "theme"].as_slice());
            }
        }
    }
    out.push_str(["", "", "", "# tail\n", "...\n", "---\nother: 1\n"][usize::from(dice.roll(6))]);
    if dice.roll(4) == 3 {
        out.truncate(out.trim_end().len());
    }
    if dice.roll(4) == 3 {
        out = out.replace('\n', "\r\n");
    }
    if dice.roll(6) == 5 {
        out.insert(0, '\u{feff}');
    }
    out
}

fn rolls() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..160)
}

fn step(list: bool, name: &str) -> Step {
    if list { Step::item("name", name) } else { Step::key(name) }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,6}",
        2 => prop::sample::select(vec!["yes", "", "-y", "a: b", "x #y", "12", "[a]", "${{ s }}", "é\n\tb", "'", "\"", "null", "{", "a,b"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn entry() -> impl Strategy<Value = Value> {
    let env = prop::collection::btree_map(text(), text(), 0..3);
    (text(), prop::option::of(prop::collection::vec(text(), 0..4)), prop::option::of(env)).prop_map(
        |(command, args, env)| {
            let mut members = vec![("command".to_owned(), Value::Text(command))];
            members.extend(args.map(|args| ("args".to_owned(), Value::texts(args))));
            members.extend(env.map(|env| ("env".to_owned(), Value::text_map(env))));
            Value::Map(members)
        },
    )
}

fn change(list: bool, what: u8, name: &str, entry: &Value, word: &str) -> Change {
    let mut path = vec![Step::key("servers"), step(list, name)];
    match what {
        0 => return Change::set(path, entry.clone()),
        1 => return Change::remove(path),
        _ => {}
    }
    let (key, value) = match what {
        2 => ("command", Some(Value::text(word))),
        3 => ("args", Some(entry.get("args").cloned().unwrap_or(Value::List(Vec::new())))),
        4 => ("env", Some(entry.get("env").cloned().unwrap_or(Value::Map(Vec::new())))),
        5 => ("env", None),
        6 => ("args", None),
        _ => ("command", None),
    };
    path.push(Step::key(key));
    match value {
        Some(value) => Change::set(path, value),
        None => Change::remove(path),
    }
}

/// Whether a refusal is the right answer: a value, an alias or an anchor stands
/// where the change needs a map or a list.
fn rightly(refusal: &crate::document::Refusal) -> bool {
    use crate::document::Refusal;
    matches!(refusal, Refusal::WrongKind { .. } | Refusal::Anchored { .. } | Refusal::Aliased { .. })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Document::parse(&text, Format::Yaml);
    }

    #[test]
    fn any_soup_of_yaml_is_read_and_edited_or_refused(
        parts in prop::collection::vec(prop::sample::select(vec![
            "a", "b", ":", ": ", "- ", "-", "\n", "\n  ", "\n    ", "? ", "|", ">", "+", "'", "\"", "{", "}", "[", "]", ", ",
            "#", " # ", "&x ", "*x", "!t ", "!!map ", "\t", "\r\n", "\r", "---", "...", "%YAML 1.2", "é", "\u{feff}", "<<", "~", " ",
        ]), 0..24)
    ) {
        let text: String = parts.concat();
        if let Ok(document) = Document::parse(&text, Format::Yaml)
            && let Some(root) = document.root()
        {
            let _ = root.value();
            let changes = [
                Change::set([Step::key("servers"), Step::key("x")], Value::text("y")),
                Change::set([Step::key("a")], Value::text_map([("k", "v")])),
                Change::remove([Step::key("b")]),
            ];
            for change in &changes {
                let _ = document.revised(std::slice::from_ref(change));
            }
            let _ = document.revised(&changes);
        }
    }

    #[test]
    fn documents_made_up_are_read(rolls in rolls(), list in any::<bool>()) {
        let text = document(&rolls, list);
        let read = Document::parse(&text, Format::Yaml);
        prop_assert!(read.is_ok(), "{}\n{text}", read.unwrap_err());
    }

    #[test]
    fn sensible_changes_succeed_and_are_made_once(
        rolls in rolls(),
        list in any::<bool>(),
        wishes in prop::collection::vec((0..8u8, 0..4usize, entry(), text()), 1..4),
    ) {
        let text = document(&rolls, list);
        let document = Document::parse(&text, Format::Yaml).unwrap();
        let mut seen = std::collections::HashSet::new();
        let changes: Vec<Change> = wishes
            .iter()
            .filter(|(_, name, ..)| seen.insert(*name))
            .map(|(what, name, entry, word)| change(list, *what, ["a", "b", "c", "new"][*name], entry, word))
            .collect();
        match document.revised(&changes) {
            Ok(after) => {
                let again = Document::parse(&after, Format::Yaml).unwrap();
                prop_assert_eq!(again.edits(&changes).unwrap(), [], "{}\n{}", text, after);
            }
            Err(refusal) => prop_assert!(rightly(&refusal), "{refusal}\n{text}\n{changes:?}"),
        }
    }

    #[test]
    fn removing_what_was_added_gives_back_the_bytes(
        rolls in rolls(),
        list in any::<bool>(),
        entries in prop::collection::vec(entry(), 1..4),
        order in any::<u8>(),
        at_once in any::<bool>(),
    ) {
        let text = document(&rolls, list);
        let document = Document::parse(&text, Format::Yaml).unwrap();
        let container = vec![Step::key("servers")];
        let footing = document.footing(&container);
        let names = ["new0", "new1", "new2"];
        let path = |index: usize| vec![Step::key("servers"), step(list, names[index])];
        let added: Vec<Change> =
            entries.iter().enumerate().map(|(index, entry)| Change::set(path(index), entry.clone())).collect();
        let mut now = match document.revised(&added) {
            Ok(after) => after,
            Err(refusal) => {
                prop_assert!(rightly(&refusal), "{refusal}\n{text}");
                return Ok(());
            }
        };
        let full = now.clone();
        let mut removals: Vec<Change> = (0..entries.len())
            .map(|index| Change::Remove { path: path(index), footing: Some(footing.clone()) })
            .collect();
        let turn = usize::from(order) % removals.len();
        removals.rotate_left(turn);
        for batch in removals.chunks(if at_once { removals.len() } else { 1 }) {
            let document = Document::parse(&now, Format::Yaml).unwrap();
            match document.revised(batch) {
                Ok(after) => now = after,
                Err(refusal) => prop_assert!(false, "{refusal}\n{text}\n{now}"),
            }
        }
        prop_assert!(now == text, "before {text:?}\nadded {full:?}\nafter {now:?}");
    }

    #[test]
    fn texts_come_back_as_they_went(word in text(), flow in any::<bool>()) {
        let before = if flow { "{k: {}, l: [x]}" } else { "k:\n  a: b\nl:\n- x\n" };
        let changes = [
            Change::set([Step::key("k"), Step::key(word.as_str())], Value::text(word.as_str())),
            Change::set([Step::key("l")], Value::texts([word.as_str()])),
        ];
        let document = Document::parse(before, Format::Yaml).unwrap();
        let after = document.revised(&changes);
        prop_assert!(after.is_ok(), "{:?}", after);
    }

    #[test]
    fn the_quick_judgement_never_says_yes_where_the_slow_one_says_no(
        rolls in rolls(),
        list in any::<bool>(),
        what in 0..8u8,
        entry in entry(),
        word in text(),
        at in any::<prop::sample::Index>(),
        slip in prop::sample::select(vec!["", " ", "x", "\n", "'", "#", "- ", ": ", "12", "\nz: 1\n", "&b ", "!t "]),
        gone in 0..3usize,
    ) {
        let text = document(&rolls, list);
        let before = Document::parse(&text, Format::Yaml).unwrap();
        let changes = [change(list, what, "b", &entry, &word)];
        let Ok(mut after) = before.revised(&changes) else { return Ok(()) };
        // As if our edit had gone wrong somewhere.
        let ends: Vec<usize> = after.char_indices().map(|(at, _)| at).chain([after.len()]).collect();
        let from = at.index(ends.len());
        let to = ends[(from + gone).min(ends.len() - 1)];
        after.replace_range(ends[from]..to, slip);
        if surely_agrees(&before, &changes, &after) {
            let read = Document::parse(&after, Format::Yaml);
            prop_assert!(read.is_ok(), "{}", after);
            prop_assert_eq!(verify(&before, &changes, &read.unwrap()), Ok(()), "{}\n---\n{}", text, after);
        }
    }
}

#[test]
fn ordinary_results_are_judged_quickly() {
    let before = "m:\n  a: {command: x}\nz: [1, yes, 'no', ~, {k: v}]\n";
    let document = Document::parse(before, Format::Yaml).unwrap();
    let changes = [Change::set([Step::key("m"), Step::key("b")], Value::text_map([("command", "w")]))];
    let after = document.revised(&changes).unwrap();
    assert!(surely_agrees(&document, &changes, &after));
    for (from, to) in
        [("1", "2"), ("yes", "'yes'"), ("~", "x"), ("k: v", "k: w"), ("k: v", "l: v"), ("[1, ", "[")]
    {
        assert!(!surely_agrees(&document, &changes, &after.replacen(from, to, 1)), "{from} became {to}");
    }
    assert!(!surely_agrees(&document, &changes, &format!("{after}y: 1\n")), "somebody's key");
    let cut = &after[..after.find("z:").unwrap()];
    assert!(!surely_agrees(&document, &changes, cut), "the last key is gone");
    assert!(!surely_agrees(&document, &changes, before), "nothing was done");
}

#[test]
fn an_anchor_that_is_lost_is_found_out() {
    let before = "a: &x one\nb: 2\n";
    let document = Document::parse(before, Format::Yaml).unwrap();
    let changes = [Change::set([Step::key("b")], Value::text("c"))];
    for (after, agrees) in
        [("a: &x one\nb: c\n", true), ("a: one\nb: c\n", false), ("a: one\nb: &x c\n", false)]
    {
        let read = Document::parse(after, Format::Yaml).unwrap();
        assert_eq!(verify(&document, &changes, &read).is_ok(), agrees, "{after}");
        assert!(agrees || !surely_agrees(&document, &changes, after), "{after}");
    }
}
