//! What the policy costs: tools judged, the policy file made and brought up to date, a call decided.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run should say where")]

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use switchboard_core::policy::merge::{Base, Merged, Offered, merge};
use switchboard_core::policy::pin::Pin;
use switchboard_core::policy::{
    Decision, Decisions, Held, Proposal, Rules, Setting, Tool, Usual, Verbs, infer, parse,
};

/// How many tools there are, on a hundred servers.
const TOOLS: [usize; 2] = [1_000, 10_000];

const SERVERS: usize = 100;

const USUAL: Usual = Usual { hard_timeout: Duration::from_secs(3_600), cache: true };

fn main() {
    divan::main();
}

/// Returns the servers, each with its tools.
fn tools(count: usize) -> Vec<(String, Vec<Tool>)> {
    let verbs = ["list", "get", "create", "delete", "update", "frob"];
    let tool = |server: usize, at: usize| {
        let name = format!("{}_thing_{server}_{at}", verbs[at % verbs.len()]);
        let raw = format!(
            r#"{{"name":"{name}","description":"Does what it says, of {at}.","inputSchema":{{"type":"object",
            "properties":{{"id":{{"type":"string"}},"action":{{"enum":["show","hide"]}}}},"required":["id"]}},
            "annotations":{{"readOnlyHint":true}}}}"#
        );
        Tool::parse(&raw).expect("a good tool")
    };
    let servers = 0..SERVERS;
    servers
        .map(|server| {
            let tools = (0..count / SERVERS).map(|at| tool(server, at));
            (format!("server-{server}"), tools.collect())
        })
        .collect()
}

fn proposals(servers: &[(String, Vec<Tool>)], decisions: Decisions) -> Vec<(String, Vec<Proposal>)> {
    let verbs = Verbs::default();
    let of = |(server, tools): &(String, Vec<Tool>)| {
        let setting = Setting { server, trust: false, timeout: None, verbs: &verbs, decisions };
        (server.clone(), tools.iter().map(|tool| infer(tool, &setting)).collect())
    };
    servers.iter().map(of).collect()
}

fn merged(text: Option<&str>, base: &Base, proposals: &[(String, Vec<Proposal>)]) -> Merged {
    let offered: Vec<_> =
        proposals.iter().map(|(server, tools)| Offered { server, tools: Some(tools) }).collect();
    merge(text, base, &offered, 0).expect("a good merge")
}

#[divan::bench(args = TOOLS)]
fn judge(bencher: Bencher<'_, '_>, count: usize) {
    let tools = tools(count);
    bencher.counter(ItemsCount::new(count)).bench(|| black_box(proposals(&tools, Decisions::default())));
}

#[divan::bench(args = TOOLS)]
fn pin(bencher: Bencher<'_, '_>, count: usize) {
    let tools = tools(count);
    bencher.counter(ItemsCount::new(count)).bench(|| {
        tools.iter().flat_map(|(_, tools)| tools).map(Pin::of).filter(|pin| pin.as_str().is_empty()).count()
    });
}

/// From the tools to a whole new file.
#[divan::bench(args = TOOLS)]
fn generate(bencher: Bencher<'_, '_>, count: usize) {
    let tools = tools(count);
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| black_box(merged(None, &Base::default(), &proposals(&tools, Decisions::default()))));
}

/// Nothing has changed.
#[divan::bench(args = TOOLS)]
fn rest(bencher: Bencher<'_, '_>, count: usize) {
    let proposals = proposals(&tools(count), Decisions::default());
    let first = merged(None, &Base::default(), &proposals);
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| black_box(merged(first.text.as_deref(), &first.base, &proposals)));
}

/// The settings decide otherwise on every third tool.
#[divan::bench(args = TOOLS)]
fn follow(bencher: Bencher<'_, '_>, count: usize) {
    let tools = tools(count);
    let first = merged(None, &Base::default(), &proposals(&tools, Decisions::default()));
    let asks = Decisions { high: Decision::Ask, ..Decisions::default() };
    let now = proposals(&tools, asks);
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| black_box(merged(first.text.as_deref(), &first.base, &now)));
}

#[divan::bench(args = TOOLS)]
fn read(bencher: Bencher<'_, '_>, count: usize) {
    let first = merged(None, &Base::default(), &proposals(&tools(count), Decisions::default()));
    let text = first.text.expect("a new file");
    bencher.counter(ItemsCount::new(count)).bench(|| black_box(parse(&text)));
}

#[divan::bench(args = TOOLS)]
fn decide(bencher: Bencher<'_, '_>, count: usize) {
    let proposals = proposals(&tools(count), Decisions::default());
    let text = merged(None, &Base::default(), &proposals).text.expect("a new file");
    let policy = parse(&text).value;
    let offered = proposals.iter().map(|(server, tools)| (server.as_str(), tools.as_slice()));
    let rules = Rules::of(&policy, offered, USUAL);
    let held = Held::parse(["other:*", "server-7:*:get", "server-7:*"]).expect("good patterns");
    bencher.bench(|| black_box(rules.decide(black_box(&held), "server-7", "delete_thing_7_3")));
}
