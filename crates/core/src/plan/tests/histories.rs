//! Laws that hold for every client, whatever its file looks like and whatever happens to it.

use proptest::prelude::*;

use super::hand::Dice;
use super::happenings::*;
use super::world::{World, at_mut, clients_part, entry, remove};
use crate::client::dialect::Dialect;
use crate::client::reconcile::{Item, Verdict};
use crate::client::relation::{ClientRecord, Standing};
use crate::client::scan::Found;
use crate::document::{Document, Format, Step};
use crate::launch::Launch;
use crate::plan::{ClientPlan, FileState};
use crate::value::Value;

pub(super) type Law = Result<(), TestCaseError>;

/// Every entry's own bytes.
fn bytes(world: &World, section: Option<&str>, alias: &str) -> Option<String> {
    let text = world.text.as_deref()?;
    let document = Document::parse(text, world.dialect.format).ok()?;
    let way = world.way(section, alias);
    let node = document.at(&way)?;
    // Tables of TOML have no bytes of their own in one piece; there, what they say must do.
    Some(if world.dialect.format == Format::Toml {
        format!("{:?}", node.value())
    } else {
        text[node.span.clone()].to_owned()
    })
}

fn core_equal(a: &Launch, b: &Launch) -> bool {
    a.fingerprint() == b.fingerprint()
}

/// Pushes, and judges everything that a push may and must do.
pub(super) fn lawful(world: &mut World, restoring: bool) -> Law {
    let mut plan = world.plan();
    if restoring {
        plan.restore(None);
    }
    let before = World { servers: world.servers.clone(), text: world.text.clone(), ..copy(world) };
    let root = before.value();
    let old_record = before.record.clone();
    let left_out = world.carry_out(&plan);
    prop_assert!(restoring || left_out.is_empty(), "{:?}", left_out);
    plan.items.retain(|item| !left_out.iter().any(|what| what.starts_with(&format!("`{}`:", item.alias))));
    if !matches!(plan.state, FileState::Read | FileState::Missing) {
        prop_assert_eq!(&world.text, &before.text, "a file to be left alone was written");
        prop_assert_eq!(&world.record, &old_record);
        return Ok(());
    }
    let next = world.plan();
    let context = || {
        format!(
            "{}: {:?}\n--- before\n{}\n--- after\n{}\n--- record {:?}",
            world.settings.id,
            plan.items,
            before.text.as_deref().unwrap_or("(none)"),
            world.text.as_deref().unwrap_or("(none)"),
            old_record
        )
    };
    prop_assert!(!next.is_pending(), "still pending: {:?}\n{}", next.sentences(), context());
    aliases_stay(&plan, &next).map_err(|what| TestCaseError::fail(format!("{what}\n{}", context())))?;
    remembered(world, &next).map_err(|what| TestCaseError::fail(format!("{what}\n{}", context())))?;
    for relation in old_record.relations.iter().filter(|_| !restoring) {
        let Standing::Managed { base, .. } = &relation.standing else { continue };
        let (section, alias) = (relation.section.as_deref(), relation.alias.as_str());
        let theirs = plan
            .found
            .iter()
            .find(|found| found.section == relation.section && found.alias == relation.alias);
        let edited = theirs.is_some_and(|theirs| {
            let ours = plan.wanted.get(&relation.server);
            theirs.launch.as_ref() != Some(base) && theirs.launch.as_ref() != ours
        });
        if edited {
            let both = [bytes(&before, section, alias), bytes(world, section, alias)];
            prop_assert!(both[0] == both[1], "what they wrote into `{}` was lost\n{}", alias, context());
        }
    }
    let of = |item: &Item| entry(&next.found, item);
    for found in &plan.found {
        let section = found.section.as_deref();
        let item = plan.items.iter().find(|item| item.alias == found.alias && item.section == found.section);
        match item.map(|item| &item.verdict) {
            Some(Verdict::Remove | Verdict::RemoveTwin) => {
                prop_assert!(of(item.unwrap()).is_none(), "{}", context());
            }
            Some(Verdict::Update | Verdict::TakeOver) => {
                let item = item.unwrap();
                let ours = &plan.wanted[item.server.as_ref().unwrap()];
                let after = of(item).ok_or_else(|| TestCaseError::fail(context()))?;
                let says = after.launch.as_ref().is_some_and(|after| core_equal(after, ours));
                prop_assert!(says, "`{}` does not say what it should\n{}", found.alias, context());
                let mut parts = [&found.value, &after.value].map(|value| clients_part(&world.dialect, value));
                let refused = match ours {
                    Launch::Stdio { .. } => world.dialect.spelling.fatal_with_stdio,
                    Launch::Remote { .. } => world.dialect.spelling.fatal_with_url,
                };
                for key in refused {
                    parts.iter_mut().for_each(|part| remove(part, &[Step::key(*key)]));
                }
                prop_assert!(parts[0] == parts[1], "a key of the client's changed\n{}", context());
            }
            _ => {
                let alias = found.alias.as_str();
                prop_assert_eq!(
                    bytes(&before, section, alias),
                    bytes(world, section, alias),
                    "bytes of `{}` changed\n{}",
                    alias,
                    context()
                );
            }
        }
    }
    // Whatever stands beside the containers is as it was, in its order.
    let mut outside = [root, world.value()].map(|root| root.unwrap_or(Value::Map(Vec::new())));
    for root in &mut outside {
        strip_containers(root, &world.dialect);
    }
    prop_assert!(outside[0] == outside[1], "something outside changed\n{}", context());
    never_two(world, &next).map_err(|what| TestCaseError::fail(format!("{what}\n{}", context())))?;
    // A second push writes nothing and remembers nothing new.
    let (text, record) = (world.text.clone(), world.record.clone());
    world.push();
    prop_assert_eq!(&world.text, &text);
    prop_assert!(same_record(&world.record, &record), "{:?}\n{:?}", world.record, record);
    Ok(())
}

/// After a push there is a record of every entry of ours, of what it says.
fn remembered(world: &World, next: &ClientPlan) -> Result<(), String> {
    for item in next.items.iter().filter(|item| item.verdict == Verdict::InStep) {
        let relation = world.record.relation(item.section.as_deref(), item.alias.as_str());
        let ours = item.server.as_ref().and_then(|server| next.wanted.get(server));
        match relation.map(|relation| &relation.standing) {
            Some(Standing::Managed { base, .. }) if Some(base) == ours => {}
            other => return Err(format!("of `{}` is remembered {other:?}", item.alias)),
        }
    }
    Ok(())
}

fn same_record(a: &ClientRecord, b: &ClientRecord) -> bool {
    a.footings == b.footings
        && a.relations.len() == b.relations.len()
        && a.relations.iter().all(|one| b.relations.contains(one))
}

fn copy(world: &World) -> World {
    World {
        settings: world.settings.clone(),
        dialect: world.dialect,
        servers: world.servers.clone(),
        text: world.text.clone(),
        last: world.last.clone(),
        record: world.record.clone(),
    }
}

fn strip_containers(root: &mut Value, dialect: &Dialect) {
    for container in dialect.containers {
        let path: Vec<Step> = container.iter().map(|key| Step::key(*key)).collect();
        remove(root, &path[..1]);
    }
    for pattern in dialect.sections {
        let parent: Vec<Step> =
            pattern.iter().take_while(|key| **key != "*").map(|key| Step::key(*key)).collect();
        if let Some(Value::Map(projects)) = at_mut(root, &parent) {
            for (_, project) in projects.iter_mut() {
                remove(project, &[Step::key(*pattern.last().unwrap())]);
            }
            // A project that we bring back after a wipe holds nothing else.
            projects.retain(|(_, project)| *project != Value::Map(Vec::new()));
        }
        if at_mut(root, &parent) == Some(&mut Value::Map(Vec::new())) {
            remove(root, &parent);
        }
    }
}

/// The alias of an existing entry never changes; no name that we did not announce comes or goes.
fn aliases_stay(plan: &ClientPlan, next: &ClientPlan) -> Result<(), String> {
    let names = |found: &[Found]| -> Vec<(Option<String>, String)> {
        found.iter().map(|found| (found.section.clone(), found.alias.as_str().to_owned())).collect()
    };
    let mut expected = names(&plan.found);
    for item in plan.pending() {
        let name = (item.section.clone(), item.alias.as_str().to_owned());
        match item.verdict {
            Verdict::Remove | Verdict::RemoveTwin => expected.retain(|other| *other != name),
            Verdict::Add if expected.contains(&name) => return Err(format!("{name:?} was taken")),
            Verdict::Add => expected.push(name),
            _ => {}
        }
    }
    let (mut is, mut should) = (names(&next.found), expected);
    is.sort();
    should.sort();
    (is == should).then_some(()).ok_or_else(|| format!("names are {is:?}, not {should:?}"))
}

/// No two entries of a section are one server, but where a person was asked about one of them.
fn never_two(world: &World, next: &ClientPlan) -> Result<(), String> {
    let catalogue = world.catalogue();
    let plain = |launch: &Launch| launch.clone();
    let same = crate::client::reconcile::Same::of(&catalogue, &plain);
    let mut seen: Vec<(&Option<String>, crate::name::ServerName)> = Vec::new();
    for found in next.found.iter().filter(|found| found.enabled) {
        let Some(launch) = &found.launch else { continue };
        let asked = next.items.iter().any(|item| {
            item.alias == found.alias
                && item.section == found.section
                && matches!(item.verdict, Verdict::Drift(_) | Verdict::Conflict(_) | Verdict::Kept)
        });
        let Some(server) = found.ours.clone().or_else(|| same.server(launch).cloned()) else { continue };
        if asked || !next.wanted.contains_key(&server) || unsaid(world, &server) {
            continue;
        }
        // Of servers with one and the same launch, an entry that says it is whichever our record says.
        let of = world.record.relation(found.section.as_deref(), found.alias.as_str());
        let server = of.map_or(server, |relation| relation.server.clone());
        if seen.contains(&(&found.section, server.clone())) {
            return Err(format!("two entries are `{server}`"));
        }
        seen.push((&found.section, server));
    }
    Ok(())
}

/// Whether the client cannot be told this server, so that its entries stay as they are.
fn unsaid(world: &World, server: &crate::name::ServerName) -> bool {
    let plan = world.plan();
    let ours = plan.wanted.get(server);
    ours.is_some_and(|ours| world.dialect.fresh_entry("x", ours).is_err())
}

/// What is wanted of each entry, in an order of its own.
fn decisions(plan: &ClientPlan) -> Vec<(Option<String>, String, Option<String>, String)> {
    let mut all: Vec<_> = plan
        .items
        .iter()
        .map(|item| {
            let server = item.server.as_ref().map(ToString::to_string);
            (item.section.clone(), item.alias.to_string(), server, format!("{:?}", item.verdict))
        })
        .collect();
    all.sort();
    all
}

fn lawful_scan(world: &mut World) -> Law {
    let before = world.plan();
    let text = world.text.clone();
    world.scan();
    prop_assert_eq!(&world.text, &text);
    let after = world.plan();
    if before.state == FileState::CutOff || after.state == FileState::Wiped {
        return Ok(());
    }
    prop_assert_eq!(decisions(&before), decisions(&after), "a scan lost something\n{:?}", text);
    Ok(())
}

fn act(world: &mut World, dice: &mut Dice) -> Law {
    match dice.roll(16) {
        0..=3 => lawful(world, false)?,
        4 | 5 => lawful_scan(world)?,
        6 => {
            world.record = ClientRecord::default();
            lawful_scan(world)?;
        }
        7 => lawful(world, true)?,
        8 => world.keep(),
        9 => world.adopt(),
        10 | 11 => change_catalogue(world, dice),
        12 if dice.roll(4) == 3 => world.text = [None, Some(String::new())][dice.roll(2)].clone(),
        _ => change_file(world, dice),
    }
    Ok(())
}

pub(super) fn rolls(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

pub(super) fn cases(usual: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if asked.cases == 256 { usual } else { asked.cases };
    ProptestConfig { cases, failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn no_history_breaks_a_law(rolls in rolls(500)) {
        let mut dice = Dice::new(rolls);
        let mut world = world(&mut dice);
        for _ in 0..6 + dice.roll(20) {
            act(&mut world, &mut dice)?;
        }
        lawful(&mut world, false)?;
    }

    #[test]
    fn what_a_push_added_goes_without_a_trace(rolls in rolls(300)) {
        let mut dice = Dice::new(rolls);
        let mut world = world(&mut dice);
        let first = world.text.clone();
        let own = |item: &Item| matches!(item.verdict, Verdict::Add | Verdict::Unmanaged);
        let plan = world.plan();
        if !plan.items.iter().all(own) || plan.found.iter().any(|found| found.ours.is_some()) {
            return Ok(());
        }
        for _ in 0..dice.roll(4) {
            lawful(&mut world, false)?;
            let undo = copy(&world);
            change_catalogue(&mut world, &mut dice);
            // A server that the client runs by itself is taken over, and then it is ours to take away.
            let takes = |item: &Item| matches!(item.verdict, Verdict::TakeOver | Verdict::RemoveTwin);
            if world.plan().items.iter().any(takes) {
                world = undo;
            }
        }
        lawful(&mut world, false)?;
        world.servers.clear();
        lawful(&mut world, false)?;
        prop_assert_eq!(world.text.unwrap_or_default(), first.unwrap_or_default(), "{}", world.settings.id);
        prop_assert!(world.record.footings.is_empty());
        let managed = |relation: &crate::client::relation::Relation| {
            matches!(relation.standing, Standing::Managed { .. })
        };
        prop_assert!(!world.record.relations.iter().any(managed));
    }

    #[test]
    fn a_text_that_cannot_be_read_changes_nothing(rolls in rolls(300), cut in any::<prop::sample::Index>()) {
        let mut dice = Dice::new(rolls);
        let mut world = world(&mut dice);
        lawful(&mut world, false)?;
        change_catalogue(&mut world, &mut dice);
        let text = world.text.clone().unwrap_or_default();
        let mut at = cut.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let torn = match dice.roll(3) {
            0 => text[..at].to_owned(),
            1 => format!("{}\u{1}{}", &text[..at], &text[at..]),
            _ => format!("{}]}}\"{}", &text[..at], &text[at..]),
        };
        world.text = Some(torn.clone());
        let record = world.record.clone();
        let plan = world.plan();
        if Document::parse(&torn, world.dialect.format).is_err() {
            prop_assert_eq!(&plan.state, &FileState::Unreadable);
            prop_assert!(plan.problems.iter().any(|problem| problem.place.is_some() && problem.help.is_some()));
        }
        if plan.state == FileState::Unreadable {
            prop_assert!(plan.items.is_empty() && !plan.is_pending());
        }
        if !matches!(plan.state, FileState::Read | FileState::Missing) {
            world.push();
            world.scan();
            prop_assert_eq!(world.text, Some(torn));
            prop_assert_eq!(world.record, record);
        }
    }
}
