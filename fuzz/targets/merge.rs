//! Any text as any known client's file: a plan and its rendering never panic, and a second plan is empty.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchboard_core::catalogue;
use switchboard_core::client::bridge::Bridge;
use switchboard_core::client::known;
use switchboard_core::client::reconcile::Same;
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::launch::Launch;
use switchboard_core::name::ClientId;
use switchboard_core::plan::{FileState, Observed, plan_client, render_client};

const CATALOGUE: &str = "[servers.a]\ncommand='x'\n[servers.b]\nurl='https://b'\n";

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let clients: Vec<_> = known::all().collect();
    let known = clients[usize::from(choice) % clients.len()];
    let bridge = Bridge { program: "/bin/switchboard".to_owned(), home: None };
    let catalogue = catalogue::parse(CATALOGUE).value;
    let plain = |launch: &Launch| launch.clone();
    let same = Same::of(&catalogue, &plain);
    let wanted: switchboard_core::client::reconcile::Wanted = catalogue
        .servers()
        .iter()
        .map(|server| (server.name.clone(), bridge.launch(&server.name)))
        .collect();
    let id = ClientId::parse("fuzzed").expect("a good id");
    let record = ClientRecord::default();
    let observed = Observed { text: Some(text), last: None };
    let plan = plan_client(&id, &known.dialect, &record, observed, Ok(wanted.clone()), &bridge, &same);
    if plan.state != FileState::Read || !plan.is_pending() {
        return;
    }
    let Ok(rendered) = render_client(&plan, &known.dialect, &record, text) else { return };
    let observed = Observed { text: Some(&rendered.text), last: None };
    let second = plan_client(&id, &known.dialect, &rendered.record, observed, Ok(wanted), &bridge, &same);
    assert!(!second.is_pending(), "a second push would write again: {:?}", second.sentences());
});
