//! What people are told of one tool.

use super::explain;
use crate::policy::merge::{Base, Offered, merge};
use crate::policy::stage::{USUAL, setting};
use crate::policy::{Tool, Verbs, infer, parse};

#[test]
fn every_value_has_its_source() {
    let verbs = Verbs::default();
    let setting = setting("k8s", &verbs);
    let raw = r#"{"name":"delete_pod","annotations":{"readOnlyHint":true}}"#;
    let tools = vec![infer(&Tool::parse(raw).unwrap(), &setting), infer(&Tool::named("list_pods"), &setting)];
    let offered = [Offered { server: "k8s", tools: Some(&tools) }];
    let merged = merge(None, &Base::default(), &offered, 0).unwrap();
    let text = merged.text.unwrap();
    let text = text
        .replace("\"allow\"", "\"ask\" # mine")
        .replace("permission = \"k8s:pod:delete\"\n", "rate = \"1/s\"\n");
    let policy = parse(&text).value.knowing(&merged.base);
    let told = explain(&policy, &merged.base, "k8s", &tools[0], USUAL);
    insta::assert_snapshot!(told.sentences().join("\n"), @"
    risk high: as it was generated, in line 6
    decision ask: your own words in line 7 (proposed: allow)
    timeout 60s: as it was generated, in line 8
    hard_timeout 1h: as for all tools
    permission none: you took it out of the table in line 5 (proposed: k8s:pod:delete)
    rate 1/s: your own words in line 9
    `delete` in its name is high
    the server says that it only reads, which does not count without `trust = true` in the catalogue
    ");
    // Without a table, all is as it is proposed.
    let bare = explain(&parse("").value, &Base::default(), "k8s", &tools[1], USUAL);
    insta::assert_snapshot!(bare.sentences().join("\n"), @"
    risk safe: as it is proposed
    decision allow: as it is proposed
    timeout 30s: as it is proposed
    hard_timeout 1h: as for all tools
    cache_ttl 60s: as it is proposed
    `list` in its name is safe
    ");
    insta::assert_snapshot!(serde_json::to_string(&bare.parts[1]).unwrap(), @r#"{"key":"risk","value":"safe","from":"proposal"}"#);
}
