//! What an import takes over, and that it takes it over once.

use proptest::prelude::*;

use super::hand::Dice;
use super::happenings::world;
use super::histories::{cases, lawful, rolls};
use super::world::World;
use crate::client::import::{ImportPlan, Secrets, import};
use crate::client::reconcile::{Same, Verdict};
use crate::client::scan::Found;
use crate::launch::Launch;
use crate::settings::Via;

/// What an import of everything that is the client's own would do.
fn planned(world: &World) -> ImportPlan {
    let plan = world.plan();
    let own = |found: &&Found| {
        let item = plan.items.iter().find(|item| item.alias == found.alias && item.section == found.section);
        found.enabled && item.is_some_and(|item| item.verdict == Verdict::Unmanaged)
    };
    let chosen: Vec<&Found> = plan.found.iter().filter(own).collect();
    let catalogue = world.catalogue();
    let plain = |launch: &Launch| launch.clone();
    let same = Same::of(&catalogue, &plain);
    import(&chosen, world.settings.known.variables, &world.record, &catalogue, Secrets::Keep, &same)
}

fn imported(world: &mut World) -> ImportPlan {
    let plan = planned(world);
    world.servers.extend(plan.servers.iter().cloned());
    for relation in &plan.relations {
        world.record.put(relation.clone());
    }
    plan
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn an_import_keeps_every_name_and_happens_once(rolls in rolls(300)) {
        let mut world = world(&mut Dice::new(rolls));
        let before = world.plan();
        let plan = imported(&mut world);
        let mut names: Vec<_> = world.servers.iter().map(|server| server.name.clone()).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), world.servers.len(), "a name was given twice");
        for relation in &plan.relations {
            let of = |found: &&Found| found.alias == relation.alias && found.section == relation.section;
            prop_assert!(before.found.iter().any(|found| of(&found)), "{:?}", relation.alias);
        }
        // Nobody who had an entry loses its name or a key of its own: the push is judged as any other.
        lawful(&mut world, false)?;
        let again = planned(&world);
        prop_assert!(again.relations.is_empty() && again.servers.is_empty(), "{:?}", again);
    }
}

#[test]
fn two_files_with_one_server_share_it_and_keep_their_names() {
    let file = |alias: &str, program: &str| {
        format!("{{ \"mcpServers\": {{ \"{alias}\": {{ \"command\": \"{program}\", \"keep\": 1 }} }} }}\n")
    };
    let mut shop = World::new("cursor");
    shop.text = Some(file("memoryFoo", "memory"));
    imported(&mut shop);
    let mut web = World::new("cursor");
    web.servers.clone_from(&shop.servers);
    web.text = Some(file("memoryBar", "memory"));
    assert_eq!(imported(&mut web).servers, []);
    web.push();
    assert_eq!(web.servers.len(), 1);
    assert_eq!(
        web.text.as_deref(),
        Some(
            "{ \"mcpServers\": { \"memoryBar\": { \"command\": \"/bin/switchboard\", \"keep\": 1, \"args\": [\"connect\", \"memoryFoo\"] } } }\n"
        )
    );
    // The same name for another server is taken: the catalogue's gets a number, the file's stays.
    let mut other = World::new("cursor");
    other.servers.clone_from(&shop.servers);
    other.text = Some(file("memoryFoo", "another"));
    let plan = imported(&mut other);
    assert_eq!(plan.servers[0].name.as_str(), "memoryFoo1");
    assert_eq!(plan.relations[0].alias.as_str(), "memoryFoo");
    other.push();
    assert!(other.text.unwrap().contains("\"memoryFoo\": { \"command\": \"/bin/switchboard\""));
}

#[test]
fn entries_that_take_something_from_elsewhere_are_imported_with_it() {
    let before = "shared: &shared\n  LOG: debug\nmcpServers:\n  - name: db\n    command: sqlite-mcp\n    env:\n      <<: *shared\n      TZ: UTC\n    timeout: 5\n  - &web\n    name: web\n    url: https://web.example/mcp\nlast: *web\n";
    let mut world = World::new("continue");
    world.text = Some(before.to_owned());
    let found = world.plan().found;
    let Some(Launch::Stdio { env, .. }) = &found[0].launch else { panic!("{found:?}") };
    assert_eq!(
        env.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>(),
        ["LOG=debug", "TZ=UTC"]
    );
    let plan = planned(&world);
    let db = plan.servers.iter().find(|server| server.name.as_str() == "db").unwrap();
    assert!(db.launch.same_fields(found[0].launch.as_ref().unwrap()));
    // The same server is known as such by what it says, wherever that stands.
    world.servers.push(db.clone());
    let item = world.plan().items.into_iter().find(|item| item.alias.as_str() == "db").unwrap();
    assert_eq!(item.verdict, Verdict::TakeOver);
    world.push();
    assert_eq!(
        world.text.as_deref(),
        Some(
            "shared: &shared\n  LOG: debug\nmcpServers:\n  - name: db\n    command: /bin/switchboard\n    timeout: 5\n    args:\n      - connect\n      - db\n  - &web\n    name: web\n    url: https://web.example/mcp\nlast: *web\n"
        )
    );
}

#[test]
fn headers_from_variables_go_into_the_catalogue_and_back() {
    let before = "[mcp_servers.figma]\nurl = \"https://figma.example/mcp\"\nbearer_token_env_var = \"TOKEN\" # mine\nenv_http_headers = { \"X-Org\" = \"ORG\" }\n";
    let mut codex = World::new("codex");
    codex.text = Some(before.to_owned());
    let plan = imported(&mut codex);
    assert_eq!(plan.notes, Vec::<String>::new(), "a reference that is one is nothing to warn of");
    let Launch::Remote { headers, .. } = &codex.servers[0].launch else { panic!("a url") };
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(headers, ["Authorization: Bearer ${env:TOKEN}", "X-Org: ${env:ORG}"]);
    // Told the server directly, the client says already what it should.
    codex.settings.via = Via::Direct;
    codex.push();
    assert_eq!(codex.text.as_deref(), Some(before));
    let mut other = World::new("codex");
    other.settings.via = Via::Direct;
    other.servers.clone_from(&codex.servers);
    other.text = Some(String::new());
    other.push();
    assert_eq!(
        other.text.as_deref(),
        Some(
            "[mcp_servers.figma]\nurl = \"https://figma.example/mcp\"\nbearer_token_env_var = \"TOKEN\"\nenv_http_headers = { X-Org = \"ORG\" }\n"
        )
    );
}
