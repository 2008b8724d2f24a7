//! The SDK's client meets its own server: what fails here is the story's fault, and not the gateway's.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "files of the test's own")]

use std::process::Command;

use serde_json::{Value, json};

#[test]
fn the_client_tells_the_story_with_its_own_server() {
    let folder = tempfile::tempdir().unwrap();
    let story = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/interop/story.json");
    let told: Value = serde_json::from_str(&std::fs::read_to_string(story).unwrap()).unwrap();
    let calls = folder.path().join("calls");
    std::fs::create_dir(&calls).unwrap();
    let target = json!({
        "cell": "rmcp",
        "key": "rmcp",
        "server": "rmcp",
        "direct": true,
        "command": env!("CARGO_BIN_EXE_testkit-rmcp"),
        "args": ["server", "stdio", story, calls],
        "calls": calls,
    });
    let plan = folder.path().join("plan.json");
    std::fs::write(&plan, json!({ "story": told, "targets": [target] }).to_string()).unwrap();
    for rest in [&[][..], &["auto"]] {
        let visit =
            Command::new(env!("CARGO_BIN_EXE_testkit-rmcp")).arg("client").arg(&plan).args(rest).output();
        let visit = visit.unwrap();
        assert!(visit.status.success(), "{visit:?}");
        let report: Value = serde_json::from_slice(&visit.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let failed: Vec<&Value> = checks.iter().filter(|check| check["result"] == "failed").collect();
        assert!(failed.is_empty() && checks.len() > 10, "{rest:?}: {report}");
    }
}
