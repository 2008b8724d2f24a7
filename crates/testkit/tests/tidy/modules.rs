//! No file is forgotten: a module or a test that nobody names is never compiled.

use std::path::Path;

use crate::{none, root, sources};

#[test]
fn every_file_is_part_of_a_crate() {
    let sources = sources();
    let mut forgotten = Vec::new();
    for (path, _) in &sources {
        let (folder, file) = path.rsplit_once('/').unwrap();
        if is_root(folder, file) {
            continue;
        }
        let (folder, module) = match file.trim_end_matches(".rs") {
            "mod" => folder.rsplit_once('/').unwrap(),
            module => (folder, module),
        };
        let is_parent = |path: &str| {
            let (beside, file) = path.rsplit_once('/').unwrap();
            path == format!("{folder}.rs")
                || (beside == folder
                    && (matches!(file, "mod.rs" | "lib.rs" | "main.rs") || is_root(beside, file)))
        };
        let (name, attribute) = (format!("mod {module};"), format!("/{file}\""));
        let says = |line: &str| {
            let before = line.trim().strip_suffix(&name);
            before.is_some_and(|before| before.is_empty() || before.ends_with([' ', ')']))
                || (line.contains("path = ") && line.contains(&attribute))
        };
        let is_named =
            sources.iter().filter(|(path, _)| is_parent(path)).any(|(_, text)| text.lines().any(says));
        if !is_named {
            forgotten.push(format!("{path}: no file says `mod {module};`"));
        }
    }
    none(&forgotten);
}

/// Files that cargo finds by itself.
fn is_root(folder: &str, file: &str) -> bool {
    if matches!(file, "main.rs" | "lib.rs" | "build.rs") {
        return true;
    }
    let name = Path::new(folder).file_name().unwrap_or_default();
    let of_crate =
        Path::new(folder).parent().is_some_and(|parent| root().join(parent).join("Cargo.toml").exists());
    folder.ends_with("src/bin")
        || (of_crate && ["tests", "examples", "benches"].iter().any(|known| name == *known))
}
