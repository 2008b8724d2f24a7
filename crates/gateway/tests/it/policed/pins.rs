//! Tools that are not what they were when they were first seen.

use switchboard_core::settings::OnChange;
use switchboard_gateway::offer::Sort;

use super::*;

/// Returns pins of what the server offers, but for one tool that was another.
fn pins(stage: &Stage, changed: &str) -> Pins {
    let offered = stage.house.gateway.offered(&named("k8s"), Sort::Tools).unwrap();
    let raw = offered.iter().map(|raw| std::str::from_utf8(raw).unwrap().to_owned());
    let tools: Vec<(String, String)> = raw
        .map(|raw| {
            let name = serde_json::from_str::<Value>(&raw).unwrap()["name"].as_str().unwrap().to_owned();
            let was =
                if name == changed { format!(r#"{{"name":"{name}","description":"was"}}"#) } else { raw };
            (name, was)
        })
        .collect();
    let mut pins = Pins::default();
    pins.look(("k8s", ""), tools.iter().map(|(name, raw)| (name.as_str(), raw.as_str())), |_| None, 1);
    pins
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_has_become_another_is_told_or_not_called() {
    let stage = Stage::new("", |_| {}).await;
    let mut client = stage.user().await;
    let pins = pins(&stage, "list_pods");
    stage.rules_with("", |_| {}, pins.clone());
    assert_eq!(call(&mut client, "1", "list_pods").await, "list_pods");
    assert_eq!(call(&mut client, "2", "scale").await, "scale");
    let noted = std::mem::take(&mut *stage.book.0.lock().unwrap());
    let why: Vec<_> = noted.iter().map(|entry| entry.why.as_deref()).collect();
    assert_eq!(why, [Some("its definition has changed since it was approved"), None]);
    let quarantine = |settings: &mut Settings| settings.on_change = OnChange::Quarantine;
    stage.rules_with("", quarantine, pins);
    let denied = call(&mut client, "3", "list_pods").await;
    assert!(
        denied.starts_with("?`list_pods` of `k8s` was not called: its definition has changed"),
        "{denied}"
    );
    assert_eq!(call(&mut client, "4", "scale").await, "scale");
    // What a person has looked at is called again.
    stage.rules_with("", quarantine, Pins::default());
    assert_eq!(call(&mut client, "5", "list_pods").await, "list_pods");
}
