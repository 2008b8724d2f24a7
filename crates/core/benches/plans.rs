//! What deciding costs: the catalogue read, its content named, the plan for all clients made.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run should say where")]

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use switchboard_core::catalogue::{self, Catalogue};
use switchboard_core::client::bridge::Bridge;
use switchboard_core::client::known::{self, Known, Status};
use switchboard_core::client::reconcile::Same;
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::launch::Launch;
use switchboard_core::name::ClientId;
use switchboard_core::plan::{ClientPlan, Observed, plan_client, render_client, wanted};
use switchboard_core::revision::content_hash;
use switchboard_core::settings::{ClientSettings, Face, Mode, Tools, Via};

/// How many servers there are.
const SERVERS: [usize; 3] = [100, 1_000, 10_000];

/// How many clients are linked.
const CLIENTS: usize = 40;

fn main() {
    divan::main();
}

/// Returns a catalogue file with this many servers.
fn text(servers: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for at in 0..servers {
        let _ = if at % 4 == 3 {
            write!(
                text,
                "[servers.remote-{at}]\nurl = \"https://mcp.example.org/{at}/mcp\"\ntags = [\"web\"]\n\n[servers.remote-{at}.headers]\nAuthorization = \"Bearer ${{keyring:token-{at}}}\"\n\n"
            )
        } else {
            write!(
                text,
                "[servers.local-{at}]\ncommand = \"npx\"\nargs = [\"-y\", \"@example/server-{at}\"]\nenv = {{ TOKEN = \"${{env:TOKEN_{at}}}\" }}\ndescription = \"What number {at} is for\"\n\n"
            )
        };
    }
    text
}

/// One linked client with its file.
struct Client {
    settings: ClientSettings,
    known: &'static Known,
    record: ClientRecord,
    text: Option<String>,
}

/// Everything that a plan is made of.
struct Machine {
    catalogue: Catalogue,
    bridge: Bridge,
    clients: Vec<Client>,
}

impl Machine {
    /// Returns clients whose files do not exist yet.
    fn fresh(servers: usize) -> Self {
        let catalogue = catalogue::parse(&text(servers)).value;
        assert_eq!(catalogue.servers().len(), servers, "the catalogue is good");
        let bridge = Bridge { program: "/usr/bin/switchboard".to_owned(), ..Bridge::default() };
        let rows: Vec<&'static Known> = known::all().filter(|known| known.status == Status::Active).collect();
        let clients = rows
            .iter()
            .cycle()
            .take(CLIENTS)
            .map(|known| Client {
                settings: ClientSettings {
                    id: ClientId::parse(known.id).expect("ids of known clients are valid"),
                    known,
                    path: None,
                    mode: Mode::Auto,
                    via: Via::Bridge,
                    face: Face::PerServer,
                    tools: Tools::Full,
                    servers: vec!["*".to_owned()],
                },
                known,
                record: ClientRecord::default(),
                text: None,
            })
            .collect();
        Self { catalogue, bridge, clients }
    }

    /// Returns clients whose files have every server already.
    fn in_step(servers: usize) -> Self {
        let mut machine = Self::fresh(servers);
        let plans = machine.plan();
        for (client, plan) in machine.clients.iter_mut().zip(plans) {
            let rendered =
                render_client(&plan, &client.known.dialect, &client.record, "").expect("a file can be begun");
            client.record = rendered.record;
            client.text = Some(rendered.text);
        }
        assert!(machine.plan().iter().all(|plan| !plan.is_pending()), "all is written");
        machine
    }

    fn plan(&self) -> Vec<ClientPlan> {
        let plain = |launch: &Launch| launch.clone();
        let same = Same::of(&self.catalogue, &plain);
        // All of them go through us and name the same servers: they are given the same.
        let first = &self.clients[0];
        let dialect = &first.known.dialect;
        let wanted = wanted(&self.catalogue, &first.settings, dialect, &self.bridge).map(Arc::new);
        self.clients
            .iter()
            .map(|client| {
                let dialect = &client.known.dialect;
                let observed = Observed { text: client.text.as_deref(), last: None, document: None };
                plan_client(
                    &client.settings.id,
                    dialect,
                    &client.record,
                    observed,
                    wanted.clone(),
                    &self.bridge,
                    &same,
                )
            })
            .collect()
    }
}

/// All is to be written: what a first push is planned from.
#[divan::bench(args = SERVERS)]
fn plan_all(bencher: Bencher<'_, '_>, servers: usize) {
    let machine = Machine::fresh(servers);
    bencher.counter(ItemsCount::new(servers * CLIENTS)).bench_local(|| black_box(&machine).plan());
}

/// All is in step, in 40 files that hold every server: reading them is a part of it.
#[divan::bench(args = SERVERS)]
fn plan_nothing(bencher: Bencher<'_, '_>, servers: usize) {
    let machine = Machine::in_step(servers);
    bencher.counter(ItemsCount::new(servers * CLIENTS)).bench_local(|| black_box(&machine).plan());
}

/// Of [`plan_nothing`], the reading of the files alone.
#[divan::bench(args = SERVERS)]
fn read_files(bencher: Bencher<'_, '_>, servers: usize) {
    let machine = Machine::in_step(servers);
    bencher.counter(ItemsCount::new(servers * CLIENTS)).bench_local(|| {
        for client in &machine.clients {
            let text = client.text.as_deref().unwrap_or_default();
            let document = switchboard_core::document::Document::parse(text, client.known.dialect.format);
            black_box(document).expect("the text is well-formed");
        }
    });
}

#[divan::bench(args = SERVERS)]
fn read_catalogue(bencher: Bencher<'_, '_>, servers: usize) {
    let text = text(servers);
    bencher.counter(ItemsCount::new(servers)).bench_local(|| catalogue::parse(black_box(&text)));
}

#[divan::bench(args = SERVERS)]
fn name_content(bencher: Bencher<'_, '_>, servers: usize) {
    let catalogue = catalogue::parse(&text(servers)).value;
    bencher.counter(ItemsCount::new(servers)).bench_local(|| content_hash(black_box(&catalogue)));
}
