//! What holds of a policy file, whatever tools, settings, time and people do to it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{Base, Merged, Offered, What, merge, renamed};
use crate::document::{Change, Document, Format, Step};
use crate::policy::stage::proposals;
use crate::policy::{Decision, Decisions, Proposal, parse};
use crate::value::Value;

const SERVERS: [&str; 3] = ["a", "b c", "ö"];
const TOOLS: [&str; 5] = ["delete_x", "get_x", "get.y", "frob", "删"];

/// Values that we never write ourselves.
const OWN: [(&str, &str); 5] =
    [("decision", "deny"), ("timeout", "61s"), ("rate", "7/min"), ("cache_ttl", "1h"), ("risk", "medium")];

/// Something that happens to the file.
#[derive(Clone, Debug)]
enum Happening {
    /// Servers offer these of the tools; a server that says nothing is not known.
    Offer(Vec<Option<Vec<bool>>>),
    /// Nobody knows of the last server any more.
    Forget(bool),
    /// The settings decide otherwise.
    Decide(Decision),
    /// So many days pass.
    Days(u64),
    /// A person writes a value into some table.
    Write(Index, Index),
    /// A person takes out a line of some table.
    TakeLine(Index, Index),
    /// A person takes out a table.
    TakeTable(Index),
    /// A person writes a comment on or behind some line.
    Comment(Index, bool),
}

fn steps() -> impl Strategy<Value = Happening> {
    let offer = prop::option::weighted(0.9, prop::collection::vec(any::<bool>(), TOOLS.len()));
    prop_oneof![
        4 => prop::collection::vec(offer, SERVERS.len()).prop_map(Happening::Offer),
        1 => any::<bool>().prop_map(Happening::Forget),
        2 => select(vec![Decision::Allow, Decision::Ask]).prop_map(Happening::Decide),
        1 => (0_u64..40).prop_map(Happening::Days),
        3 => any::<(Index, Index)>().prop_map(|(table, key)| Happening::Write(table, key)),
        2 => any::<(Index, Index)>().prop_map(|(table, line)| Happening::TakeLine(table, line)),
        1 => any::<Index>().prop_map(Happening::TakeTable),
        2 => any::<(Index, bool)>().prop_map(|(line, behind)| Happening::Comment(line, behind)),
    ]
}

type Name = (String, String);

/// The file, and what is known of it from outside.
struct World {
    text: Option<String>,
    base: Base,
    now: u64,
    decisions: Decisions,
    offers: Vec<Option<Vec<bool>>>,
    servers: usize,
    /// What a person wrote, by table and key; `None` where a line was taken out.
    wrote: BTreeMap<Name, BTreeMap<String, Option<String>>>,
    /// Tables that a person took out.
    taken: BTreeSet<Name>,
    /// Tables that a person has taken out at any time.
    touched: BTreeSet<Name>,
    comments: Vec<String>,
}

impl World {
    fn new(text: Option<&str>) -> Self {
        Self {
            text: text.map(str::to_owned),
            base: Base::default(),
            now: 1_795_824_000,
            decisions: Decisions::default(),
            offers: vec![None; SERVERS.len()],
            servers: SERVERS.len(),
            wrote: BTreeMap::new(),
            taken: BTreeSet::new(),
            touched: BTreeSet::new(),
            comments: Vec::new(),
        }
    }

    fn proposals(&self, server: usize) -> Option<Vec<Proposal>> {
        let offered = self.offers[server].as_ref()?;
        let tools = TOOLS.iter().zip(offered).filter(|(_, offered)| **offered);
        let names: Vec<&str> = tools.map(|(tool, _)| *tool).collect();
        Some(proposals(SERVERS[server], &names.join(" "), self.decisions))
    }

    fn merged(&self, proposals: &[Option<Vec<Proposal>>]) -> Merged {
        let offered: Vec<_> = SERVERS
            .iter()
            .zip(proposals)
            .map(|(server, tools)| Offered { server, tools: tools.as_deref() })
            .collect();
        merge(self.text.as_deref(), &self.base, &offered[..self.servers], self.now).unwrap()
    }

    /// The tables that stand in the file, with their keys.
    fn tables(&self) -> Vec<(Name, Vec<String>)> {
        let text = self.text.clone().unwrap_or_default();
        let document = Document::parse(&text, Format::Toml).unwrap();
        let mut all = Vec::new();
        if let Some(Value::Map(servers)) = document.value_at(&[Step::key("tools")]) {
            for (server, tools) in servers {
                if let Value::Map(tools) = tools {
                    all.extend(tools.into_iter().filter_map(|(tool, keys)| match keys {
                        Value::Map(keys) => {
                            Some(((server.clone(), tool), keys.into_iter().map(|(key, _)| key).collect()))
                        }
                        _ => None,
                    }));
                }
            }
        }
        all
    }

    fn revise(&mut self, path: &[&str], value: Option<&str>) {
        let text = self.text.clone().unwrap_or_default();
        let path: Vec<Step> = path.iter().map(|key| Step::key(*key)).collect();
        let change = match value {
            Some(value) => Change::set(path, Value::text(value)),
            None => Change::remove(path),
        };
        self.text = Some(Document::parse(&text, Format::Toml).unwrap().revised(&[change]).unwrap());
    }

    fn step(&mut self, step: &Happening) {
        let tables = self.tables();
        match step {
            Happening::Offer(offers) => self.offers.clone_from(offers),
            Happening::Forget(forget) => self.servers = SERVERS.len() - usize::from(*forget),
            Happening::Decide(decision) => self.decisions.high = *decision,
            Happening::Days(days) => self.now += days * 86_400,
            Happening::Write(table, key) if !tables.is_empty() => {
                let ((server, tool), _) = table.get(&tables);
                let (key, value) = key.get(&OWN);
                self.revise(&["tools", server, tool, key], Some(value));
                let name = (server.clone(), tool.clone());
                self.wrote.entry(name).or_default().insert((*key).to_owned(), Some((*value).to_owned()));
            }
            Happening::TakeLine(table, line) if !tables.is_empty() => {
                let ((server, tool), keys) = table.get(&tables);
                // The comments of lines that go, go by the person's own hand.
                if keys.len() > 1 && self.comments.is_empty() {
                    let key = line.get(keys);
                    self.revise(&["tools", server, tool, key], None);
                    let name = (server.clone(), tool.clone());
                    self.wrote.entry(name).or_default().insert(key.clone(), None);
                }
            }
            Happening::TakeTable(table) if tables.len() > 1 && self.comments.is_empty() => {
                let (name, _) = table.get(&tables);
                self.revise(&["tools", &name.0, &name.1], None);
                self.wrote.remove(name);
                self.touched.insert(name.clone());
                // One that we have never seen is as good as never written.
                if self.base.knows(&name.0, &name.1) {
                    self.taken.insert(name.clone());
                }
            }
            Happening::Comment(line, behind) => {
                let text = self.text.clone().unwrap_or_default();
                let comment = format!("# {}: mine", self.comments.len());
                let lines: Vec<&str> = text.split_inclusive('\n').collect();
                if lines.is_empty() {
                    return;
                }
                // Nothing stands before a byte-order mark.
                let at = line.index(lines.len()).max(usize::from(text.starts_with('\u{feff}')));
                let mut out = String::new();
                for (number, line) in lines.iter().enumerate() {
                    let bare = line.trim_end_matches(['\r', '\n']);
                    let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
                    if number != at {
                        out.push_str(line);
                    } else if *behind && !line.starts_with("#~ gone") {
                        out.extend([bare, " ", &comment, end]);
                    } else {
                        // Within a table that is a comment, a person's comment is one of it.
                        let mark =
                            if line.starts_with("#~") && !line.starts_with("#~ gone") { "#~ " } else { "" };
                        out.extend([mark, &comment, end, line]);
                    }
                }
                self.text = Some(out);
                self.comments.push(comment);
            }
            _ => {}
        }
    }
}

/// Whether all of `few` stand among `many`, in order. A line that holds whole tables has room for more of them.
fn stand_among(few: &str, many: &str) -> bool {
    let mut many = many.lines();
    few.lines().filter(|line| !line.contains("= {")).all(|line| many.by_ref().any(|other| other == line))
}

const BEGINNINGS: &[Option<&str>] = &[
    None,
    Some(""),
    Some("# mine\n"),
    Some("\u{feff}# mine\r\n\r\n[tools.a.get_x]\r\nrisk = 'high' # r\r\n"),
    Some("[tools.a]\nget_x = { timeout = \"9s\" }\n\n[tools.\"b c\".frob]\n\n# end"),
    Some("[tools]\n\"ö\".get_x.timeout = \"9s\"\n"),
    Some("[tools.a.delete_x]\ndecision = \"ask\"\n\n\n\n[tools.zzz.x]\nrate = \"1/s\"\n# end\n"),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_persons_words_stay_whatever_happens(
        begin in select(BEGINNINGS),
        history in prop::collection::vec((steps(), any::<bool>()), 1..24),
    ) {
        let mut world = World::new(begin);
        // What stands there from the beginning is a person's.
        let first = parse(begin.unwrap_or_default()).value;
        for (step, merges) in history {
            world.step(&step);
            if !merges && !matches!(step, Happening::Offer(_) | Happening::Forget(_)) {
                continue;
            }
            let before = world.text.clone().unwrap_or_default();
            let proposals: Vec<_> = (0..SERVERS.len()).map(|server| world.proposals(server)).collect();
            let merged = world.merged(&proposals);
            prop_assert_eq!(merged.text.is_none(), merged.text.as_ref().is_none_or(|text| *text == before));
            prop_assert_eq!(merged.text.is_none(), merged.news.is_empty());
            let only_added = merged.news.iter().all(|news| news.what == What::Added);
            world.text = merged.text.or(world.text.take());
            world.base = merged.base;
            let text = world.text.clone().unwrap_or_default();
            let again = world.merged(&proposals);
            prop_assert_eq!(&again.text, &None, "merged twice is another text:\n{}", text);
            prop_assert_eq!(&again.base, &world.base);
            let parsed = parse(&text);
            prop_assert!(parsed.problems.is_empty(), "{:?}\n{}", parsed.problems, text);
            if only_added {
                prop_assert!(stand_among(&before, &text), "{}\n-----\n{}", before, text);
            }
            for comment in &world.comments {
                prop_assert!(text.contains(comment), "{} is lost:\n{}", comment, text);
            }
            for rule in first.rules() {
                let now = parsed.value.rule(&rule.server, &rule.tool);
                let name = (rule.server.clone(), rule.tool.clone());
                if !world.touched.contains(&name) && !world.wrote.contains_key(&name) && let Some(now) = now {
                    prop_assert_eq!(now.risk.as_ref().map(|said| said.value), rule.risk.as_ref().map(|said| said.value));
                    prop_assert_eq!(
                        now.timeout.as_ref().map(|said| said.value),
                        rule.timeout.as_ref().map(|said| said.value)
                    );
                }
            }
            let tables: BTreeMap<Name, Vec<String>> = world.tables().into_iter().collect();
            for name in &world.taken {
                prop_assert!(!tables.contains_key(name), "{:?} is back:\n{}", name, text);
            }
            let document = Document::parse(&text, Format::Toml).unwrap();
            for (name, keys) in &world.wrote {
                // A risk may be what we would write ourselves.
                let is_theirs = |(key, value): (&String, &Option<String>)| value.is_some() && key != "risk";
                if !tables.contains_key(name) {
                    prop_assert!(!keys.iter().any(is_theirs), "{:?} is a table no more:\n{}", name, text);
                    continue;
                }
                for (key, value) in keys {
                    let path = [Step::key("tools"), Step::key(&name.0), Step::key(&name.1), Step::key(key)];
                    let said = document.value_at(&path);
                    prop_assert_eq!(said.as_ref().and_then(Value::as_text), value.as_deref(), "{:?} {}:\n{}", name, key, text);
                }
            }
            for (number, proposals) in proposals.iter().enumerate().take(world.servers) {
                for proposal in proposals.iter().flatten() {
                    let name = (SERVERS[number].to_owned(), proposal.tool.clone());
                    prop_assert!(
                        tables.contains_key(&name) || world.taken.contains(&name),
                        "{:?} is missing:\n{}", name, text
                    );
                }
            }
        }
    }

    #[test]
    fn a_text_that_is_good_is_good_afterwards_and_no_text_makes_it_panic(
        text in prop_oneof![
            "(\\[tools\\.[ab]\\.(get_)?x\\]\n|#~ gone since 1\n|#~ |#|risk = \"high\"\n|decision = 'deny'\n|[a-z= \"\\[\\]{}.#\r\n]{0,6}){0,10}",
            "(?s).{0,40}",
        ],
    ) {
        let mut world = World::new(Some(&text));
        world.offers = vec![Some(vec![true; TOOLS.len()]); SERVERS.len()];
        let proposals: Vec<_> = (0..SERVERS.len()).map(|server| world.proposals(server)).collect();
        let good = parse(&text).is_good();
        if let Ok((after, _)) = renamed(&text, &Base::default(), "a", "new") {
            prop_assert!(!good || parse(&after).is_good(), "{}", after);
        }
        // All is offered, and then nothing is.
        for servers in [SERVERS.len(), 0] {
            let offered: Vec<_> = SERVERS
                .iter()
                .zip(&proposals)
                .take(servers)
                .map(|(server, tools)| Offered { server, tools: tools.as_deref() })
                .collect();
            let before = world.text.clone();
            let Ok(merged) = merge(before.as_deref(), &world.base, &offered, 0) else { break };
            let after = merged.text.clone().or(before).unwrap_or_default();
            prop_assert!(Document::parse(&after, Format::Toml).is_ok());
            prop_assert!(!good || parse(&after).is_good(), "{}", after);
            prop_assert_eq!(merge(Some(&after), &merged.base, &offered, 0).unwrap().text, None, "{}", after);
            (world.text, world.base) = (Some(after), merged.base);
        }
    }
}
