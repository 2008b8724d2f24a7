//! What holds for every document, tried on documents put together at random.

mod wild;

use proptest::prelude::*;
use toml::de::{DeTable, DeValue};

use self::wild::{CONTAINER, Dice, LIST, Wild};
use crate::document::{Change, Document, Format, Node, NodeKind, Step};
use crate::value::Value;

fn dice() -> impl Strategy<Value = Dice> {
    proptest::collection::vec(any::<u16>(), 0..220).prop_map(Dice::new)
}

fn parse(text: &str) -> Document<'_> {
    Document::parse(text, Format::Toml).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn revised(text: &str, changes: &[Change]) -> String {
    let after = parse(text).revised(changes).unwrap_or_else(|error| {
        panic!(
            "{error}\n--- before\n{text}\n--- changes\n{changes:#?}\n--- edits\n{:#?}",
            parse(text).edits(changes)
        )
    });
    let mine = after.strip_prefix('\u{feff}').unwrap_or(&after);
    mine.parse::<toml_edit::DocumentMut>().unwrap_or_else(|error| panic!("{error}\n{after}"));
    after
}

fn says(node: &Node<'_>, value: &DeValue<'_>) -> bool {
    match (&node.kind, value) {
        (NodeKind::Text(a), DeValue::String(b)) => a == b,
        (NodeKind::Bool(a), DeValue::Boolean(b)) => a == b,
        (NodeKind::Number(a), DeValue::Integer(b)) => {
            a.replace('_', "").trim_start_matches('+') == b.to_string().trim_start_matches('+')
        }
        (NodeKind::Number(a), DeValue::Float(b)) => a.replace('_', "") == b.to_string(),
        (NodeKind::Other(a), DeValue::Datetime(b)) => {
            a.parse::<toml::value::Datetime>().is_ok_and(|a| a == *b)
        }
        (NodeKind::List(a), DeValue::Array(b)) => {
            a.items.len() == b.len() && a.items.iter().zip(b.iter()).all(|(a, b)| says(a, b.get_ref()))
        }
        (NodeKind::Map(_), DeValue::Table(b)) => says_table(node, b),
        _ => false,
    }
}

fn says_table(node: &Node<'_>, table: &DeTable<'_>) -> bool {
    let members = &node.as_map().unwrap().members;
    members.len() == table.len()
        && table
            .iter()
            .all(|(key, value)| node.get(key.get_ref()).is_some_and(|node| says(node, value.get_ref())))
}

/// Both readers accept the text and find the same in it, or neither does.
fn check_agreement(text: &str) -> Result<(), TestCaseError> {
    match (Document::parse(text, Format::Toml), DeTable::parse(text)) {
        (Ok(ours), Ok(theirs)) => {
            let same = match ours.root() {
                Some(root) => says_table(root, theirs.get_ref()),
                None => theirs.get_ref().is_empty(),
            };
            prop_assert!(same, "{:?}\n{:?}\n{}", ours.root().map(Node::value), theirs, text);
            if let Some(root) = ours.root() {
                check_spans(text, root)?;
            }
        }
        (Err(error), Err(_)) => {
            prop_assert!(text.is_char_boundary(error.offset), "{error} at {}", error.offset);
        }
        (ours, theirs) => {
            let theirs = theirs.map(|_| ()).map_err(|error| error.to_string());
            prop_assert!(false, "{:?}\n{:?}\n{:?}", ours.map(|_| ()), theirs, text);
        }
    }
    Ok(())
}

fn check_spans(text: &str, node: &Node<'_>) -> Result<(), TestCaseError> {
    prop_assert!(text.get(node.span.clone()).is_some(), "{:?}", node.span);
    if let NodeKind::Map(map) = &node.kind {
        for member in &map.members {
            prop_assert!(text.get(member.key_span.clone()).is_some_and(|key| !key.is_empty()));
        }
    }
    node.children().try_for_each(|child| check_spans(text, child))
}

fn container() -> Vec<Step> {
    vec![Step::key(CONTAINER)]
}

fn below(path: &[Step], key: &str) -> Vec<Step> {
    [path, &[Step::key(key)]].concat()
}

/// A container to write into, and what comes into it.
fn additions(dice: &mut Dice, wild: &Wild) -> (Vec<Step>, Vec<(String, Value)>) {
    let entry_path =
        |dice: &mut Dice| wild.entries.get(dice.below(4)).map(|entry| below(&container(), entry));
    let path = match dice.below(7) {
        0 => entry_path(dice).unwrap_or_default(),
        1 => entry_path(dice).map(|path| below(&path, "env")).unwrap_or_default(),
        2 => Vec::new(),
        3 => vec![Step::key("tools"), Step::key("mcp")],
        _ => container(),
    };
    let fields = path != container() && dice.one_in(2);
    let count = 1 + dice.below(3);
    let added = ["new", "new one", "x.y"]
        .into_iter()
        .take(count)
        .map(|name| (name.to_owned(), if fields { field(dice) } else { entry(dice) }));
    (path.clone(), added.collect())
}

fn field(dice: &mut Dice) -> Value {
    match dice.below(6) {
        0 => Value::text("/tmp \"x\"\u{1}"),
        1 => Value::texts(["a", "b"]),
        2 => Value::text_map([("A", "1"), ("B.C", "2")]),
        3 => Value::Map(Vec::new()),
        4 => Value::List(vec![Value::text_map([("name", "x")])]),
        _ => Value::Bool(true),
    }
}

fn entry(dice: &mut Dice) -> Value {
    let mut members = vec![("command".to_owned(), Value::text("npx"))];
    if dice.one_in(2) {
        members.push(("args".into(), Value::texts(["-y", "x"])));
    }
    if dice.one_in(2) {
        members.push(("env".into(), Value::text_map([("A", "1")])));
    }
    if dice.one_in(12) { Value::Map(Vec::new()) } else { Value::Map(members) }
}

fn shuffle<T>(dice: &mut Dice, items: &mut [T]) {
    for index in (1..items.len()).rev() {
        items.swap(index, dice.below(index + 1));
    }
}

/// Any changes that a sync could want.
fn sensible(dice: &mut Dice, wild: &Wild) -> Vec<Change> {
    let mut changes = Vec::new();
    for (n, name) in wild.entries.iter().enumerate() {
        let path = below(&container(), name);
        match dice.below(9) {
            0 => changes.push(Change::remove(path)),
            1 => changes.push(Change::set(path, entry(dice))),
            2 => changes.push(Change::set(below(&path, "command"), Value::text("uvx"))),
            3 => changes.push(Change::remove(below(&path, "env"))),
            4 => changes
                .push(Change::set(below(&path, "env"), Value::text_map([("LOG", "debug"), ("N", "2")]))),
            5 => changes.push(Change::set(below(&below(&path, "env"), "LOG"), Value::text("x"))),
            6 => {
                changes.push(Change::remove(below(&path, "command")));
                changes.push(Change::remove(below(&path, "args")));
                changes.push(Change::set(below(&path, "url"), Value::text("https://x.example")));
            }
            7 => changes.push(Change::set(below(&path, "args"), Value::texts(["1", "2", "3"]))),
            _ => changes.push(Change::set(below(&container(), &format!("other{n}")), entry(dice))),
        }
    }
    if changes.is_empty() || dice.one_in(3) {
        changes.push(Change::set(below(&container(), "new"), entry(dice)));
    }
    match dice.below(8) {
        1 => changes.push(Change::set(vec![Step::key("model")], Value::text("o"))),
        2 => changes.push(Change::remove(vec![Step::key("model")])),
        3 => changes.push(Change::remove(vec![Step::key("tui")])),
        _ => {}
    }
    changes
}

proptest! {
    #[test]
    fn documents_say_what_the_reference_reader_finds(mut dice in dice()) {
        let wild = Wild::document(&mut dice);
        parse(&wild.text);
        check_agreement(&wild.text)?;
    }

    #[test]
    fn broken_documents_are_rejected_as_the_reference_reader_does(mut dice in dice()) {
        let text = Wild::document(&mut dice).broken(&mut dice);
        check_agreement(&text)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|[\\[\\]{}=,.#\"'\\\\\n\r\t abc10-]){0,40}") {
        check_agreement(&text)?;
    }

    #[test]
    fn sensible_changes_succeed_and_then_hold(mut dice in dice()) {
        let wild = Wild::document(&mut dice);
        let changes = sensible(&mut dice, &wild);
        let after = revised(&wild.text, &changes);
        prop_assert_eq!(parse(&after).edits(&changes).unwrap(), vec![]);
    }

    #[test]
    fn what_is_added_and_removed_leaves_no_trace(mut dice in dice()) {
        let wild = Wild::document(&mut dice);
        let (path, added) = additions(&mut dice, &wild);
        let added = added.into_iter().map(|(key, value)| (below(&path, &key), value)).collect();
        check_no_trace(&mut dice, &wild.text, &path, added)?;
    }

    #[test]
    fn named_items_that_are_added_and_removed_leave_no_trace(mut dice in dice()) {
        let wild = Wild::with_list(&mut dice);
        let path = vec![Step::key(LIST)];
        let added = ["new", "x y"].into_iter().take(1 + dice.below(2)).map(|name| {
            ([path.as_slice(), &[Step::item("name", name)]].concat(), entry(&mut dice))
        });
        let added = added.collect();
        check_no_trace(&mut dice, &wild.text, &path, added)?;
    }

    #[test]
    fn changes_of_named_items_succeed_and_then_hold(mut dice in dice()) {
        let wild = Wild::with_list(&mut dice);
        let mut changes = Vec::new();
        for (n, name) in wild.entries.iter().map(String::as_str).chain(["new"]).enumerate() {
            let path = vec![Step::key(LIST), Step::item("name", name)];
            match dice.below(5) {
                0 if name != "new" => changes.push(Change::remove(path)),
                1 => changes.push(Change::set(path, entry(&mut dice))),
                2 => changes.push(Change::set(below(&path, "command"), Value::text("uvx"))),
                3 => changes.push(Change::set(below(&path, "env"), Value::text_map([("A", "1")]))),
                _ => {
                    let fresh = vec![Step::key(LIST), Step::item("name", format!("fresh{n}"))];
                    changes.push(Change::set(fresh, entry(&mut dice)));
                }
            }
        }
        let after = revised(&wild.text, &changes);
        prop_assert_eq!(parse(&after).edits(&changes).unwrap(), vec![]);
    }
}

/// Adds and removes, each at once or one by one, in any order: afterwards every byte is as before.
fn check_no_trace(
    dice: &mut Dice,
    before: &str,
    container: &[Step],
    added: Vec<(Vec<Step>, Value)>,
) -> Result<(), TestCaseError> {
    let footing = parse(before).footing(container);
    let remove = |(path, _): &(Vec<Step>, Value)| Change::Remove {
        path: path.clone(),
        footing: Some(footing.clone()),
    };
    let mut removals: Vec<Change> = added.iter().map(remove).collect();
    let mut sets: Vec<Change> = added.into_iter().map(|(path, value)| Change::set(path, value)).collect();
    shuffle(dice, &mut sets);
    shuffle(dice, &mut removals);
    let mut steps = vec![before.to_owned()];
    for changes in [sets, removals] {
        let size = if dice.one_in(2) { 1 } else { changes.len() };
        for changes in changes.chunks(size) {
            let after = revised(&steps[steps.len() - 1], changes);
            steps.push(after);
        }
    }
    prop_assert!(steps[steps.len() - 1] == before, "{}", steps.join("\n--------\n"));
    Ok(())
}
