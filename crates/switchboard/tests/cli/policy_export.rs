//! `[[policy.export]]`: another application's `mcp_config.json`, kept in step with the tools of one server.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::home::Output;

use crate::SETTINGS;
use crate::sync::Scene;

const CONFIG: &str = "app/backend/config/mcp_config.json";

const EIGHT: &str = "k8s-get-pods k8s-list-nodes k8s-describe-pod k8s-delete-pod k8s-create-deployment k8s-patch-service \
     k8s-update-configmap k8s-scale-deployment";
const MORE: &str = " k8s-get-services k8s-get-nodes k8s-restart-deployment k8s-rollback-deployment k8s-list-events k8s-get-logs \
     k8s-describe-node k8s-update-secret";

/// The application's file: what it says of other servers is written as its people write it.
const THEIRS: &str = r#"{
    "servers": [
        {"name": "mail", "type": "sse", "host": "localhost", "port": 8766, "tools": ["mail-send"]},
        {"name": "k8s", "type": "sse", "host": "localhost", "port": 8766, "path": "/events", "timeout": 3e1}
    ],
    "tools": [
        {"name": "mail-send",   "risk_level": "high", "timeout": 60.0, "server": "mail"}
    ],
    "log": {"level": "debug"}
}
"#;

/// A scene with an application below `app`, whose file is to be kept in step with the tools of `k8s`.
fn scene(path: &str) -> Scene {
    let scene = Scene::new(&[("k8s", "k8s")]);
    scene.home.write("tools-k8s", EIGHT);
    scene.home.write(SETTINGS, format!("[[policy.export]]\npath = \"{path}\"\nserver = \"k8s\"\n"));
    scene
}

/// Runs a command in a folder of the application.
fn run_in(scene: &Scene, folder: &str, line: &str) -> Output {
    scene.home.run_in(folder, line)
}

/// Returns the application's file; nothing where it is none that such an application could read.
fn json(path: &Path) -> Value {
    fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn tools<'v>(config: &'v Value, server: &str) -> Vec<&'v Value> {
    config["tools"].as_array().into_iter().flatten().filter(|tool| tool["server"] == server).collect()
}

#[test]
fn eight_tools_become_sixteen() {
    let scene = scene("config/mcp_config.json");
    scene.home.write(CONFIG, THEIRS);
    insta::assert_snapshot!(run_in(&scene, "app", "policy sync"), @"
    exit code: 0
    ----- stdout -----
    ✓ k8s: 8 tools added
    ~/switchboard/config/tool-policy.toml is up to date: 8 tools
    ✓ ~/app/backend/config/mcp_config.json: tools of k8s: 0 → 8
    ");
    let first = json(&scene.home.path(CONFIG));
    assert_eq!(tools(&first, "k8s").len(), 8);
    scene.home.write("tools-k8s", format!("{EIGHT}{MORE}"));
    scene.home.ok("sync k8s");
    // It is found where it was, wherever somebody stands.
    insta::assert_snapshot!(run_in(&scene, "app/backend", "policy sync"), @"
    exit code: 0
    ----- stdout -----
    ✓ k8s: 8 tools added
    ~/switchboard/config/tool-policy.toml is up to date: 16 tools
    ✓ ~/app/backend/config/mcp_config.json: tools of k8s: 8 → 16
    ");
    let text = scene.home.text(CONFIG);
    let config = json(&scene.home.path(CONFIG));
    assert_eq!(tools(&config, "k8s").len(), 16);
    assert_eq!(config["servers"][1]["tools"].as_array().unwrap().len(), 16);
    // What is somebody else's is there as it was written.
    for line in THEIRS.lines().filter(|line| line.contains("mail") || line.contains("log")) {
        assert!(text.contains(line.trim()), "{line}: {text}");
    }
    assert!(text.contains(r#""port": 8766, "path": "/events", "timeout": 3e1"#), "{text}");
    let of =
        |name: &str| tools(&config, "k8s").into_iter().find(|tool| tool["name"] == name).unwrap().clone();
    insta::assert_snapshot!(serde_json::to_string_pretty(&of("k8s-delete-pod")).unwrap(), @r#"
    {
      "cache_enabled": false,
      "description": "Does k8s-delete-pod",
      "enabled": true,
      "name": "k8s-delete-pod",
      "required_permissions": [
        "k8s:pod:delete"
      ],
      "risk_level": "high",
      "server": "k8s",
      "timeout": 60
    }
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&of("k8s-get-pods")).unwrap(), @r#"
    {
      "cache_enabled": true,
      "cache_ttl": 60,
      "description": "Does k8s-get-pods",
      "enabled": true,
      "name": "k8s-get-pods",
      "required_permissions": [],
      "risk_level": "safe",
      "server": "k8s",
      "timeout": 30
    }
    "#);
    // Both versions that were replaced are in the backups, and nothing is left beside the file.
    let kept = scene.home.tree().holding("\"timeout\": 60.0");
    assert_eq!(kept.iter().filter(|path| path.contains("backups/objects")).count(), 2, "{kept:?}");
    assert_eq!(fs::read_dir(scene.home.path("app/backend/config")).unwrap().count(), 1);
    // Nothing changes, nothing is written.
    let stamp = || fs::metadata(scene.home.path(CONFIG)).unwrap().modified().unwrap();
    let before = stamp();
    run_in(&scene, "app", "policy sync");
    assert_eq!(stamp(), before);
}

#[test]
fn a_persons_word_reaches_the_application_and_theirs_in_its_file_stays() {
    let scene = scene("config/mcp_config.json");
    scene.home.write(CONFIG, THEIRS);
    run_in(&scene, "app", "policy sync");
    scene.home.edit(CONFIG, "\"risk_level\": \"safe\"", "\"risk_level\": \"mine\"");
    insta::assert_snapshot!(run_in(&scene, "app", "policy set k8s/k8s-delete-pod decision=deny timeout=5s"), @"
    exit code: 0
    ----- stdout -----
    ✓ k8s-delete-pod of k8s: your words are decision deny, timeout 5s
    ✓ ~/app/backend/config/mcp_config.json: tools of k8s: 8 → 8
    ");
    let config = json(&scene.home.path(CONFIG));
    let delete = tools(&config, "k8s").into_iter().find(|tool| tool["name"] == "k8s-delete-pod").unwrap();
    assert_eq!((&delete["enabled"], &delete["timeout"]), (&false.into(), &5.into()));
    assert!(scene.home.text(CONFIG).contains("\"risk_level\": \"mine\""));
    run_in(&scene, "app", "policy undo");
    let config = json(&scene.home.path(CONFIG));
    let delete = tools(&config, "k8s").into_iter().find(|tool| tool["name"] == "k8s-delete-pod").unwrap();
    assert_eq!((&delete["enabled"], &delete["timeout"]), (&true.into(), &60.into()));
}

#[test]
fn a_file_is_made_where_there_is_none() {
    let whole = {
        let scene = scene("config/mcp_config.json");
        // Nobody has made a folder for it, so nothing is made in a folder that may be anybody's.
        fs::create_dir_all(scene.home.path("app")).unwrap();
        insta::assert_snapshot!(run_in(&scene, "app", "policy sync"), @"
        exit code: 1
        ----- stdout -----
        ✓ k8s: 8 tools added
        ~/switchboard/config/tool-policy.toml is up to date: 8 tools
        ----- stderr -----
        config/mcp_config.json with the tools of k8s is not written: there is no folder for it below `~/app`
        hint: run the command in the folder of the application, or write the whole path into the settings
        error: failed to write every export
        ");
        fs::create_dir_all(scene.home.path("app/config")).unwrap();
        insta::assert_snapshot!(run_in(&scene, "app", "policy sync"), @"
        exit code: 0
        ----- stdout -----
        ~/switchboard/config/tool-policy.toml is as it should be: 8 tools
        ✓ ~/app/config/mcp_config.json: tools of k8s: 0 → 8, the file made
        ");
        json(&scene.home.path("app/config/mcp_config.json"))
    };
    assert_eq!(tools(&whole, "k8s").len(), 8);
    let scene = scene("~/deep/below/mcp_config.json");
    scene.home.ok("policy sync");
    assert_eq!(json(&scene.home.path("deep/below/mcp_config.json")), whole);
}

#[test]
fn what_is_certain_is_mended_and_the_rest_is_told() {
    let scene = scene("config/mcp_config.json");
    let broken = format!("\u{feff}{}", THEIRS.replace("\"server\": \"mail\"}", "\"server\": \"mail\"},"));
    scene.home.write(CONFIG, &broken);
    insta::assert_snapshot!(run_in(&scene, "app", "policy sync"), @"
    exit code: 0
    ----- stdout -----
    ✓ k8s: 8 tools added
    ~/switchboard/config/tool-policy.toml is up to date: 8 tools
    ✓ ~/app/backend/config/mcp_config.json: tools of k8s: 0 → 8
    ✓ ~/app/backend/config/mcp_config.json: mended: a byte-order mark at its start
    ✓ ~/app/backend/config/mcp_config.json: mended: a comma too many in line 7
    ");
    assert_eq!(tools(&json(&scene.home.path(CONFIG)), "mail").len(), 1);
    let kept = scene.home.tree().holding("\u{feff}");
    assert!(kept.iter().any(|path| path.contains("backups/objects")), "{kept:?}");
    let cut = &THEIRS[..THEIRS.len() - 30];
    scene.home.write(CONFIG, cut);
    insta::assert_snapshot!(run_in(&scene, "app", "policy sync"), @"
    exit code: 3
    ----- stdout -----
    ~/switchboard/config/tool-policy.toml is as it should be: 8 tools
    ----- stderr -----
    error: ~/app/backend/config/mcp_config.json:1:1: a map is never closed
    hint: the file seems to be cut off: mend it, or restore it from a backup
    error: failed to write every export
    ");
    assert_eq!(scene.home.text(CONFIG), cut);
    let json = run_in(&scene, "app", "policy sync --json").json();
    assert_eq!(json["exports"][0]["state"], "wrong");
    // A dry run writes nothing.
    scene.home.write(CONFIG, THEIRS);
    let before = scene.home.tree();
    insta::assert_snapshot!(run_in(&scene, "app", "policy sync --dry-run"), @"
    exit code: 0
    ----- stdout -----
    ~/switchboard/config/tool-policy.toml is as it should be: 8 tools
    → ~/app/backend/config/mcp_config.json: tools of k8s: 0 → 8
    ");
    assert_eq!(before.changes(&scene.home.tree()), [""; 0]);
}

#[test]
fn an_application_that_writes_at_the_same_time_loses_nothing() {
    let scene = scene("config/mcp_config.json");
    scene.home.write(CONFIG, THEIRS);
    let path = scene.home.path(CONFIG);
    let writer = std::thread::spawn(move || {
        for round in 0..40 {
            let text = fs::read_to_string(&path).unwrap();
            let next = text.replace(
                &format!(
                    "\"level\": \"{}\"",
                    if round == 0 { "debug".to_owned() } else { (round - 1).to_string() }
                ),
                &format!("\"level\": \"{round}\""),
            );
            // As programs do it that know nothing of us: a new file over the old one.
            let beside = path.with_extension("new");
            fs::write(&beside, next).unwrap();
            fs::rename(&beside, &path).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
    });
    for _ in 0..3 {
        let output = run_in(&scene, "app", "policy sync");
        assert!(output.code == 0 || output.code == 1, "{output}");
    }
    writer.join().unwrap();
    let output = run_in(&scene, "app", "policy sync");
    assert_eq!(output.code, 0, "{output}");
    let config = json(&scene.home.path(CONFIG));
    assert_eq!((&config["log"]["level"], tools(&config, "mail").len()), (&"39".into(), 1));
}

#[test]
fn an_export_of_a_server_that_is_not_there_is_told() {
    let scene = scene("config/mcp_config.json");
    scene.home.edit(SETTINGS, "\"k8s\"", "\"k9s\"");
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 1
    ----- stdout -----
    ✓ k8s: 8 tools added
    ~/switchboard/config/tool-policy.toml is up to date: 8 tools
    ----- stderr -----
    config/mcp_config.json with the tools of k9s is not written: there is no server of that name
    hint: name another under `[[policy.export]]` in the settings, or add it with `switchboard server add`
    error: failed to write every export
    ");
}
