//! What aliases and merge keys stand for, and that no edit reaches through them.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::writing::{path, remove, revised, set};
use crate::document::{Change, Document, Format, Refusal, Step, TooMuch};
use crate::value::Value;

fn read(text: &str) -> Document<'_> {
    Document::parse(text, Format::Yaml).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What stands at `at`, with all aliases resolved.
fn says(text: &str, at: &str) -> Option<Value> {
    let document = read(text);
    let aliases = document.aliases();
    let node = aliases.at(&path(at))?;
    Some(aliases.value(node).unwrap())
}

#[test]
fn aliases_say_what_they_stand_for() {
    let cases: &[(&str, &str, &str)] = &[
        ("a text", "t: &t x\nm: *t\n", "m: x"),
        ("a text behind its own name", "t: &t \"x\"\nt2: &t 'w'\nm: *t\n", "m: w"),
        ("a list with aliases of its own", "a: &a x\nl: &l [*a , b]\nm: *l\n", "m: [x, b]"),
        ("a merge", "b: &b {K: v, L: w}\nm: {<<: *b , L: own, M: z}\n", "m: {K: v, L: own, M: z}"),
        ("a merge on further lines", "b: &b\n  K: v\nm:\n  <<: *b\n  L: w\n", "m: {K: v, L: w}"),
        (
            "of several merges the first counts",
            "b: &b {K: 1}\nc: &c {K: 2, L: 2}\nm: {<<: [*b , *c ]}\n",
            "m: {K: 1, L: 2}",
        ),
        (
            "a merge within a merge comes before the next one",
            "a: &a {K: 1}\nb: &b {<<: *a , L: 2}\nc: &c {K: 3, L: 3, M: 3}\nm: {<<: [*b , *c ]}\n",
            "m: {K: 1, L: 2, M: 3}",
        ),
        (
            "a map that stands in the merge itself",
            "b: &b {L: 1}\nm: {<<: [{K: v}, *b ], M: w}\n",
            "m: {K: v, L: 1, M: w}",
        ),
        ("a list of merges behind an alias", "b: &b {K: 1}\nl: &l [*b ]\nm: {<<: *l }\n", "m: {K: 1}"),
        (
            "a key in quotation marks merges nothing",
            "b: &b {K: 1}\nm: {\"<<\": *b }\n",
            "m: {\"<<\": {K: 1}}",
        ),
        ("what is no map cannot be merged", "b: &b x\nm: {<<: *b }\n", "m: {\"<<\": x}"),
    ];
    for (story, text, wanted) in cases {
        let found = says(text, "m").unwrap();
        assert!(found.same_as(&says(wanted, "m").unwrap()), "{story}: {found:?}");
    }
}

#[test]
fn ways_go_on_through_aliases_and_merges() {
    let text = "x: &x {env: {K: v}}\ny: &y\n- {name: a, <<: *x }\n- *x\nm: {<<: *x , l: *y }\n";
    assert_eq!(says(text, "m/l/name=a/env/K"), Some(Value::text("v")));
    assert_eq!(says(text, "m/env/K"), Some(Value::text("v")));
    assert_eq!(says(text, "m/env/L"), None);
}

#[test]
fn little_text_that_stands_for_much_is_refused_at_once() {
    let mut bomb = String::from("a0: &a0 [x]\n");
    let mut tower = String::from("a0: &a0 {k0: v}\n");
    for n in 1..60 {
        let p = n - 1;
        let _ = writeln!(bomb, "a{n}: &a{n} [*a{p} , *a{p} , *a{p} ]");
        let _ = writeln!(tower, "a{n}: &a{n} {{<<: [*a{p} , *a{p} , *a{p} ], k{n}: v}}");
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(10_000), "*a ,".repeat(10_000));
    let ring = "a: &a {b: *a , c: *a }\n";
    for text in [&bomb, &long, ring] {
        let document = read(text);
        let aliases = document.aliases();
        assert_eq!(aliases.value(document.root().unwrap()), Err(TooMuch), "{text:.60}");
    }
    // Merges of merges only ever add what is not there yet.
    assert_eq!(says(&tower, "a59/k0"), Some(Value::text("v")));
    let Some(Value::Map(members)) = says(&tower, "a59") else { panic!("a map") };
    assert_eq!(members.len(), 60);
    assert_eq!(says("a: &a {<<: *a , b: 1}\n", "a/b"), Some(Value::Number("1".into())));
    // Entries are counted one by one, but not without an end.
    let text = format!("a: &a {}\nl:\n{}", "x".repeat(500_000), "- *a\n".repeat(100));
    let document = read(&text);
    let aliases = document.aliases();
    let items: Vec<_> = document.at(&[Step::key("l")]).unwrap().children().collect();
    let read = items.iter().take_while(|item| aliases.value(item).is_ok()).count();
    assert_eq!(read, 33);
}

#[test]
fn edits_stay_on_this_side_of_aliases() {
    let cases: Vec<(&str, &str, Vec<Change>, &str)> = vec![
        (
            "an alias gives way to what is wanted; what it stood for stays",
            "e: &e {K: v}\nm:\n  a:\n    command: x\n    env: *e # shared\n",
            vec![set("m/a/env", Value::text_map([("K", "w")]))],
            "e: &e {K: v}\nm:\n  a:\n    command: x\n    env: # shared\n      K: w\n",
        ),
        (
            "what an alias says already is left to it",
            "e: &e {K: v}\nm:\n  a:\n    env: *e\n",
            vec![set("m/a/env", Value::text_map([("K", "v")]))],
            "e: &e {K: v}\nm:\n  a:\n    env: *e\n",
        ),
        (
            "a merge stays where all of it is still wanted",
            "e: &e {K: v, L: w}\nm:\n  a:\n    env:\n      <<: *e\n      M: old\n",
            vec![set("m/a/env", Value::text_map([("K", "v"), ("L", "other"), ("M", "new")]))],
            "e: &e {K: v, L: w}\nm:\n  a:\n    env:\n      <<: *e\n      M: new\n      L: other\n",
        ),
        (
            "a merge of which something is not wanted is written out",
            "e: &e {K: v, L: w}\nm:\n  a:\n    env:\n      <<: *e\n      M: x\n",
            vec![set("m/a/env", Value::text_map([("K", "v"), ("M", "x")]))],
            "e: &e {K: v, L: w}\nm:\n  a:\n    env:\n      M: x\n      K: v\n",
        ),
        (
            "an own key counts before a merged one",
            "b: &b\n  command: x\n  cwd: /\nm:\n  a:\n    <<: *b\n    cwd: /tmp\n",
            vec![set("m/a/command", Value::text("z"))],
            "b: &b\n  command: x\n  cwd: /\nm:\n  a:\n    <<: *b\n    cwd: /tmp\n    command: z\n",
        ),
        (
            "what a merge says already is left to it",
            "b: &b {command: x}\nm:\n  a:\n    <<: *b\n",
            vec![set("m/a/command", Value::text("x"))],
            "b: &b {command: x}\nm:\n  a:\n    <<: *b\n",
        ),
        (
            "an entry that is an alias goes alone",
            "m:\n  a: &a {command: x}\n  b: *a\n  c: 1\n",
            vec![remove("m/b")],
            "m:\n  a: &a {command: x}\n  c: 1\n",
        ),
        (
            "an item is known by a name that is merged in",
            "b: &b {name: s, command: x}\nm:\n- <<: *b\n  args: []\n",
            vec![set("m/name=s/command", Value::text("z"))],
            "b: &b {name: s, command: x}\nm:\n- <<: *b\n  args: []\n  command: z\n",
        ),
    ];
    for (story, before, changes, after) in cases {
        assert_eq!(revised(before, &changes), after, "{story}");
        assert_eq!(revised(after, &changes), after, "{story}, twice");
    }
}

#[test]
fn edits_that_would_leak_are_refused_with_their_place() {
    let through = |place: &str, key: &str| {
        format!(
            "{place}: `{key}` comes from elsewhere through a YAML alias, so the edit would change other places too"
        )
    };
    let anchored = |place: &str| {
        format!("{place}: a YAML anchor stands here, so the edit would change other places too")
    };
    let cases = [
        (
            "into an entry that is an alias",
            "a: &a {command: x}\nm:\n  b: *a\n",
            set("m/b/command", Value::text("z")),
            through("line 3, column 6", "b"),
        ),
        (
            "into a part that is an alias",
            "r: &r {headers: {}}\nm:\n  b:\n    requestOptions: *r\n",
            set("m/b/requestOptions/headers", Value::text_map([("A", "b")])),
            through("line 4, column 21", "requestOptions"),
        ),
        (
            "into a part that is merged in",
            "b: &b {env: {K: v}}\nm:\n  s:\n    <<: *b\n",
            set("m/s/env/K", Value::text("w")),
            through("line 4, column 5", "env"),
        ),
        (
            "what is merged in cannot be taken out",
            "b: &b {command: x, env: {}}\nm:\n  s:\n    <<: *b\n",
            remove("m/s/env"),
            through("line 4, column 5", "env"),
        ),
        (
            "into a container that is an alias",
            "s: &s {}\nm: *s\n",
            set("m/x", Value::text_map([("command", "x")])),
            through("line 2, column 4", "m"),
        ),
        (
            "into an item that is an alias",
            "s: &s {name: a}\nm: [*s ]\n",
            set("m/name=a/command", Value::text("x")),
            through("line 2, column 5", "a"),
        ),
        (
            "into what others refer to",
            "m:\n  a: &a {command: x}\n  b: *a\n",
            set("m/a/command", Value::text("z")),
            anchored("line 2, column 6"),
        ),
        (
            "taking out what others refer to",
            "m:\n  a: &a {command: x}\n  b: *a\n",
            remove("m/a"),
            anchored("line 2, column 6"),
        ),
    ];
    for (story, text, change, wanted) in cases {
        let refusal = read(text).revised(&[change]).expect_err(story);
        assert_eq!(refusal.to_string(), wanted, "{story}");
        assert!(!refusal.help().is_empty());
    }
}

/// A value as a person could write it: with parts that stand elsewhere.
#[derive(Clone, Debug)]
enum Model {
    Text(String),
    /// The definition of this number, or of the nearest before it.
    Alias(usize),
    List(Vec<Model>),
    /// The definitions that are merged in, and the own members.
    Map(Vec<usize>, Vec<(String, Model)>),
}

fn model() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof!["[a-z]{1,3}".prop_map(Model::Text), any::<usize>().prop_map(Model::Alias)];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let members = prop::collection::btree_map("[k-n]", inner.clone(), 0..4);
        let merges = prop::collection::vec(any::<usize>(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Model::List),
            (merges, members).prop_map(|(merges, members)| Model::Map(merges, members.into_iter().collect())),
        ]
    })
}

/// What the definitions say, and their text: the `at`th may use those before it.
struct World {
    says: Vec<Value>,
    text: String,
}

impl World {
    fn of(models: &[Model]) -> Self {
        let mut world = Self { says: Vec::new(), text: String::new() };
        for (at, model) in models.iter().enumerate() {
            let _ = write!(world.text, "d{at}: &d{at} ");
            let says = world.put(model);
            world.text.push('\n');
            world.says.push(says);
        }
        world
    }

    fn before(&self, number: usize) -> Option<usize> {
        (!self.says.is_empty()).then(|| number % self.says.len())
    }

    /// Writes a value down and returns what it says.
    fn put(&mut self, model: &Model) -> Value {
        match model {
            Model::Text(text) => {
                let _ = write!(self.text, "\"{text}\"");
                Value::text(text)
            }
            Model::Alias(number) => match self.before(*number) {
                // An anchor cannot stand on an alias, so it stands in a list here.
                Some(at) => {
                    let _ = write!(self.text, "[*d{at} ]");
                    Value::List(vec![self.says[at].clone()])
                }
                None => self.put(&Model::Text("none".into())),
            },
            Model::List(items) => {
                self.text.push('[');
                let says = items.iter().map(|item| {
                    let says = self.put(item);
                    self.text.push_str(", ");
                    says
                });
                let says = says.collect();
                self.text.push(']');
                Value::List(says)
            }
            Model::Map(merges, members) => {
                let maps: Vec<usize> = merges
                    .iter()
                    .filter_map(|number| self.before(*number))
                    .filter(|at| matches!(self.says[*at], Value::Map(_)))
                    .collect();
                self.text.push('{');
                if !maps.is_empty() {
                    let aliases: Vec<String> = maps.iter().map(|at| format!("*d{at} ")).collect();
                    let _ = write!(self.text, "<<: [{}], ", aliases.join(", "));
                }
                let mut says: Vec<(String, Value)> = Vec::new();
                for (key, member) in members {
                    let _ = write!(self.text, "{key}: ");
                    says.push((key.clone(), self.put(member)));
                    self.text.push_str(", ");
                }
                for at in maps {
                    let Value::Map(merged) = &self.says[at] else { continue };
                    let fresh: Vec<_> = merged
                        .iter()
                        .filter(|(key, _)| !says.iter().any(|(own, _)| own == key))
                        .cloned()
                        .collect();
                    says.extend(fresh);
                }
                self.text.push('}');
                Value::Map(says)
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_shared_reads_as_if_it_were_written_out(models in prop::collection::vec(model(), 1..6)) {
        let world = World::of(&models);
        let document = read(&world.text);
        let aliases = document.aliases();
        for (at, wanted) in world.says.iter().enumerate() {
            let node = document.at(&[Step::key(format!("d{at}"))]).unwrap();
            let found = aliases.value(node).unwrap();
            prop_assert!(found.same_as(wanted), "d{} of\n{}says {:?}, not {:?}", at, world.text, found, wanted);
            prop_assert!(aliases.says(node, wanted));
        }
    }

    #[test]
    fn an_edit_changes_what_it_should_or_is_refused(
        models in prop::collection::vec(model(), 1..6),
        entry in model(),
        key in prop::option::of("[k-o]"),
        word in prop::option::of("[a-z]{1,3}"),
    ) {
        let mut world = World::of(&models);
        world.text.push_str("entry: ");
        let before = world.put(&entry);
        world.text.push('\n');
        let document = read(&world.text);
        let way: Vec<Step> = ["entry".to_owned()].into_iter().chain(key).map(Step::key).collect();
        let change = match &word {
            Some(word) => Change::set(way.clone(), Value::text_map([("k", word.as_str())])),
            None => Change::remove(way.clone()),
        };
        let after = match document.revised(&[change]) {
            Ok(after) => after,
            Err(refusal) => {
                let rightly = matches!(refusal, Refusal::Aliased { .. } | Refusal::WrongKind { .. } | Refusal::Unwritable { .. });
                prop_assert!(rightly, "{}\n{}", refusal, world.text);
                return Ok(());
            }
        };
        let again = read(&after);
        let aliases = again.aliases();
        for (at, wanted) in world.says.iter().enumerate() {
            let node = again.at(&[Step::key(format!("d{at}"))]).unwrap();
            prop_assert!(aliases.value(node).unwrap().same_as(wanted), "d{}: {}\n{}", at, world.text, after);
        }
        let found = aliases.at(&way).map(|node| aliases.value(node).unwrap());
        let wanted = word.map(|word| Value::text_map([("k", word)]));
        prop_assert!(found == wanted, "{:?}\n{}\n{}", found, world.text, after);
        // What stands beside the key stays.
        if let ([_, Step::Key(key)], Value::Map(members)) = (way.as_slice(), &before) {
            for (other, value) in members.iter().filter(|(other, _)| other != key) {
                let node = aliases.at(&[Step::key("entry"), Step::key(other)]).unwrap();
                prop_assert!(aliases.value(node).unwrap().same_as(value), "{other}\n{}\n{}", world.text, after);
            }
        }
    }
}
