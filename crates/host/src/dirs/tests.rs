use super::*;

#[track_caller]
fn check(story: &str, vars: &[(&str, &str)], config: &str, state: &str, run: &str) {
    let dirs = Dirs::from_env(&Env::new("/home/ann", vars.iter().copied())).unwrap();
    let found = [dirs.config(), dirs.state(), dirs.run()];
    assert_eq!(found, [Path::new(config), Path::new(state), Path::new(run)], "{story}");
}

#[test]
fn folders_follow_the_environment() {
    check(
        "nothing set",
        &[],
        "/home/ann/.config/switchboard",
        "/home/ann/.local/state/switchboard",
        "/home/ann/.local/state/switchboard/run",
    );
    check(
        "all of XDG",
        &[("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "/r")],
        "/c/switchboard",
        "/s/switchboard",
        "/r/switchboard",
    );
    check(
        "relative and empty folders do not count",
        &[("XDG_CONFIG_HOME", "c"), ("XDG_STATE_HOME", ""), ("XDG_RUNTIME_DIR", "./r")],
        "/home/ann/.config/switchboard",
        "/home/ann/.local/state/switchboard",
        "/home/ann/.local/state/switchboard/run",
    );
    check(
        "one folder for everything",
        &[("SWITCHBOARD_HOME", "/sb"), ("XDG_CONFIG_HOME", "/c"), ("XDG_RUNTIME_DIR", "/r")],
        "/sb/config",
        "/sb/state",
        "/sb/run",
    );
}

#[test]
fn without_a_home_there_is_a_remedy() {
    let error = Dirs::from_env(&Env::default()).unwrap_err();
    assert!(error.help().contains("SWITCHBOARD_HOME"), "{error}");
    assert!(Dirs::from_env(&Env::new("relative", [("A", "b")])).is_err());
}

#[test]
fn the_environment_does_not_show_its_values() {
    let shown = format!("{:?}", Env::new("/home/ann", [("API_TOKEN", "hunter2")]));
    assert!(shown.contains("API_TOKEN") && !shown.contains("hunter2"), "{shown}");
}

#[cfg(unix)]
#[test]
fn folders_are_made_for_their_owner_only() {
    use std::os::unix::fs::MetadataExt;
    let temp = tempfile::tempdir().unwrap();
    let dirs = Dirs::below(&temp.path().join("a/b"));
    dirs.create().unwrap();
    dirs.create().unwrap();
    for path in [dirs.config(), dirs.state(), dirs.run(), &temp.path().join("a")] {
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o700, "{}", path.display());
    }
}
