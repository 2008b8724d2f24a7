use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Candidate, Scope, Status, Surroundings, System, VARIABLES, all, find, nearest, recognise};

const IDS: &[&str] = &[
    "5ire",
    "amazon-bedrock-client",
    "amazon-q",
    "amp",
    "antigravity",
    "augment",
    "boltai",
    "cherry-studio",
    "claude-code",
    "claude-desktop",
    "cline",
    "cline-cli",
    "codex",
    "command-code",
    "continue",
    "copilot-cli",
    "copilot-eclipse",
    "copilot-jetbrains",
    "crush",
    "cursor",
    "deepagents",
    "devin-cli",
    "enconvo",
    "factory-droid",
    "forge",
    "fx",
    "gemini-cli",
    "goose",
    "grok-build",
    "hermes",
    "ibm-bob",
    "iflow",
    "jan",
    "jetbrains-ai",
    "junie",
    "kilo-code",
    "kimi-code",
    "kiro",
    "librechat",
    "lm-studio",
    "mastra-code",
    "mcphub-nvim",
    "mcporter",
    "mistral-vibe",
    "muse-code",
    "openclaw",
    "opencode",
    "pi",
    "poolside",
    "qoder",
    "qwen-code",
    "raycast",
    "reasonix",
    "roo-code",
    "rovodev",
    "sema4",
    "tabnine",
    "tome",
    "trae",
    "visual-studio",
    "void",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "warp",
    "windsurf",
    "witsy",
    "xcode-copilot",
    "zcode",
    "zed",
    "zencoder",
];

/// Clients that share one user file, by the template.
const SHARED: &[&str] = &["Code/User/settings.json"];

const SYSTEMS: [System; 3] = [System::Linux, System::MacOs, System::Windows];

fn around(system: System, env: &[(&str, &str)]) -> Surroundings {
    let (home, xdg) = ("/home/ana", "/home/ana/.xdg");
    Surroundings {
        system,
        home: home.into(),
        xdg_config: xdg.into(),
        appdata: (system == System::Windows).then(|| "/home/ana/AppData/Roaming".into()),
        localappdata: (system == System::Windows).then(|| "/home/ana/AppData/Local".into()),
        mac_support: (system == System::MacOs).then(|| "/home/ana/Library/Application Support".into()),
        env: env.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>(),
    }
}

fn paths(candidates: Vec<Candidate>) -> Vec<PathBuf> {
    candidates.into_iter().map(|candidate| candidate.path).collect()
}

#[test]
fn every_client_of_the_survey_has_one_row() {
    let mut ids: Vec<&str> = all().map(|known| known.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, IDS);
    assert_eq!(ids.len(), 71);
}

#[test]
fn ids_and_aliases_are_unique() {
    let mut seen = BTreeSet::new();
    for name in all().flat_map(|known| known.aliases.iter().chain([&known.id])) {
        assert!(seen.insert(name), "{name}");
    }
}

#[test]
fn every_client_in_use_has_a_path() {
    for known in all().filter(|known| known.status == Status::Active) {
        let has = |system| known.places.iter().any(|place| !place.templates(system).is_empty());
        assert!(SYSTEMS.into_iter().any(has), "{}", known.id);
        assert!(!known.name.is_empty() && !known.dialect.containers.is_empty(), "{}", known.id);
    }
}

#[test]
fn templates_are_well_formed() {
    for known in all() {
        for (place, system) in known.places.iter().flat_map(|place| SYSTEMS.map(|system| (place, system))) {
            for template in place.templates(system) {
                let start = template.split_once('/').map_or(*template, |(start, _)| start);
                let absolute = template.starts_with('/') || template.starts_with("C:/");
                assert!(VARIABLES.contains(&start) || absolute, "{}: {template}", known.id);
                assert!(!template[start.len()..].contains(['{', '}', '\\']), "{}: {template}", known.id);
                assert!(template.split('/').all(|part| part.matches('*').count() <= 1), "{template}");
                assert_eq!(
                    start == "{project}",
                    matches!(place.scope, Scope::Project | Scope::Local)
                        || (place.scope == Scope::Legacy && start == "{project}"),
                    "{}: {template}",
                    known.id
                );
                assert!(
                    !absolute || place.scope == Scope::System && place.read_only,
                    "{}: {template}",
                    known.id
                );
            }
        }
    }
}

#[test]
fn no_two_clients_have_the_same_file_of_a_user() {
    for system in SYSTEMS {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for known in all() {
            for template in known.places.iter().flat_map(|place| place.templates(system)) {
                let shared = SHARED.iter().any(|shared| template.ends_with(shared));
                if template.starts_with("{project}") || shared {
                    continue;
                }
                let other = owners.insert(template, known.id);
                assert!(
                    other.is_none_or(|other| other == known.id),
                    "{template}: {} and {other:?}",
                    known.id
                );
            }
        }
    }
}

#[test]
fn names_are_found_and_guessed() {
    assert_eq!(find("claude").map(|known| known.id), Some("claude-desktop"));
    assert_eq!(find("codex").map(|known| known.id), Some("codex"));
    assert!(find("nobody").is_none());
    for (typed, meant) in [
        ("cursr", Some("cursor")),
        ("Cluade-Code", Some("claude-code")),
        ("zzzzzzzz", None),
        ("gooze", Some("goose")),
    ] {
        assert_eq!(nearest(typed), meant, "{typed}");
    }
}

#[test]
fn variables_move_files() {
    let user = |id: &str| &find(id).unwrap().places[0];
    let plain = around(System::Linux, &[]);
    let moved = around(
        System::Linux,
        &[("CODEX_HOME", "/c"), ("CLAUDE_CONFIG_DIR", "/d"), ("OPENCODE_CONFIG", "/o.json")],
    );
    assert_eq!(paths(user("codex").candidates(&plain, None)), [Path::new("/home/ana/.codex/config.toml")]);
    assert_eq!(paths(user("codex").candidates(&moved, None))[0], Path::new("/c/config.toml"));
    assert_eq!(paths(user("claude-code").candidates(&moved, None))[0], Path::new("/d/.claude.json"));
    assert_eq!(
        paths(user("opencode").candidates(&moved, None))[..2],
        [PathBuf::from("/o.json"), PathBuf::from("/home/ana/.xdg/opencode/opencode.jsonc")]
    );
}

#[test]
fn places_in_projects_need_a_project() {
    let project = &find("cursor").unwrap().places[1];
    let here = around(System::Linux, &[]);
    assert_eq!(project.candidates(&here, None), []);
    assert_eq!(paths(project.candidates(&here, Some(Path::new("/w")))), [Path::new("/w/.cursor/mcp.json")]);
}

#[test]
fn patterns_are_flagged() {
    let packaged = &find("claude-desktop").unwrap().places[1];
    assert!(packaged.prefer);
    assert!(packaged.candidates(&around(System::Windows, &[]), None)[0].glob);
    assert_eq!(packaged.candidates(&around(System::Linux, &[]), None), []);
}

fn owners(path: &str, system: System) -> Vec<String> {
    let found = recognise(Path::new(path), &around(system, &[("CODEX_HOME", "/c")]));
    found.into_iter().map(|(known, place)| format!("{}:{}", known.id, place.name)).collect()
}

#[test]
fn files_are_recognised_by_their_path() {
    use System::{Linux, Windows};
    for (path, system, wanted) in [
        ("/home/ana/.cursor/mcp.json", Linux, "cursor:user"),
        ("/w/shop/.cursor/mcp.json", Linux, "cursor:project"),
        ("/w/.CURSOR/mcp.json", Linux, ""),
        ("/c/config.toml", Linux, "codex:user"),
        ("/home/ana/.xdg/Code/User/profiles/x1/mcp.json", Linux, "vscode:profile"),
        ("/home/ana/.xdg/Code/User/settings.json", Linux, "vscode:settings zencoder:user"),
        ("/home/ana/.warp/.mcp.json", Linux, "warp:user"),
        ("/w/.warp/.mcp.json", Linux, "warp:project"),
        (
            "/home/ana/AppData/Local/Packages/Claude_x/LocalCache/Roaming/Claude/claude_desktop_config.json",
            Windows,
            "claude-desktop:user-msix",
        ),
        (
            "/w/.mcp.json",
            Linux,
            "claude-code:project copilot-cli:project command-code:project qoder:project forge:project deepagents:project",
        ),
        ("/w/nothing.json", Linux, ""),
    ] {
        assert_eq!(owners(path, system).join(" "), wanted, "{path}");
    }
    assert_eq!(owners("/w/.vscode/mcp.json", Linux)[0], "vscode:project");
}
