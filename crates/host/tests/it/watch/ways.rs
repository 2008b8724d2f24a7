//! The way to a file changes: the watches follow it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use switchboard_host::file;
use switchboard_host::watch::{Content, Options};

use super::stage::{LIMIT, NEW, OLD, Stage, alone, is};

/// Nothing is found by looking in these tests: only events can tell in time.
fn by_events() -> Stage {
    Stage::with(Options { poll: LIMIT * 10, ..Options::default() })
}

fn replace(path: &Path, text: &str) {
    fs::write(path.with_extension("temp"), text).unwrap();
    fs::rename(path.with_extension("temp"), path).unwrap();
}

#[test]
fn a_file_whose_folders_do_not_exist_yet_is_told_when_it_comes() {
    for round in 0..20 {
        let stage = by_events();
        let mut folder = stage.folder.path().to_owned();
        let path = stage.path(&"deep/".repeat(12)).join("mcp.json");
        stage.look_at(&[&path]);
        assert_eq!(stage.health().watched_folders, 1);
        // At such a pace that some are made while those above them are only about to be watched.
        for _ in 0..12 {
            folder.push("deep");
            fs::create_dir(&folder).unwrap();
            std::thread::sleep(Duration::from_micros(round * 20));
        }
        fs::write(&path, NEW).unwrap();
        assert_eq!(stage.until(is(NEW)), [is(NEW)], "round {round}");
        replace(&path, OLD);
        assert_eq!(stage.until(is(OLD)), [is(OLD)], "round {round}");
        assert_eq!(stage.health().watched_folders, 1);
    }
}

#[test]
fn no_watch_of_an_old_folder_is_left() {
    alone("watch::ways::no_watch_of_an_old_folder_is_left", || {
        let stage = by_events();
        let path = stage.path("home/mcp.json");
        for (folder, text) in [("home", OLD), ("other", NEW)] {
            fs::create_dir(stage.path(folder)).unwrap();
            fs::write(stage.path(folder).join("mcp.json"), text).unwrap();
        }
        stage.look_at(&[&path]);
        for text in [NEW, OLD, NEW, OLD] {
            let (home, other) = (stage.path("home"), stage.path("other"));
            renameat_with(CWD, home, CWD, other, RenameFlags::EXCHANGE).unwrap();
            assert_eq!(stage.until(is(text)), [is(text)]);
        }
        assert_eq!(watches_of_this_process(), 1);
    });
}

/// How many folders the kernel watches for this process.
fn watches_of_this_process() -> usize {
    let descriptors = fs::read_dir("/proc/self/fdinfo").unwrap();
    let told = descriptors.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
    told.map(|text| text.matches("inotify wd:").count()).sum()
}

/// Watches `home/mcp.json`, lets its folder go, makes it anew, and changes the file twice.
fn leave_home(round: u32, leave: fn(&Stage)) {
    let stage = by_events();
    let (path, beside) = (stage.path("home/mcp.json"), stage.path("beside.json"));
    fs::create_dir(stage.path("home")).unwrap();
    fs::write(&path, OLD).unwrap();
    // In every other round the folder above is watched too, so that two watches tell of the end.
    let watched: &[&Path] = if round.is_multiple_of(2) { &[&path] } else { &[&path, &beside] };
    stage.look_at(watched);
    let watched = stage.health().watched_folders;
    leave(&stage);
    fs::create_dir(stage.path("home")).unwrap();
    fs::write(&path, NEW).unwrap();
    assert_eq!(stage.until(is(NEW)), [is(NEW)], "round {round}");
    replace(&path, OLD);
    assert_eq!(stage.until(is(OLD)), [is(OLD)], "round {round}");
    assert_eq!(stage.health().watched_folders, watched);
}

#[test]
fn a_folder_that_is_renamed_and_made_anew_is_followed() {
    for round in 0..20 {
        leave_home(round, |stage| {
            fs::rename(stage.path("home"), stage.path("elsewhere")).unwrap();
            // What goes on in the old folder is nobody's business.
            replace(&stage.path("elsewhere/mcp.json"), "{ \"elsewhere\": 1 }\n");
        });
    }
}

#[test]
fn a_folder_that_is_deleted_and_made_anew_at_once_is_followed() {
    for round in 0..50 {
        leave_home(round, |stage| fs::remove_dir_all(stage.path("home")).unwrap());
    }
}

#[test]
fn a_link_that_leads_elsewhere_is_followed() {
    for folder in ["two", "three", "one/deep"] {
        let stage = by_events();
        for folder in ["one", folder] {
            fs::create_dir(stage.path(folder)).unwrap();
            fs::write(stage.path(folder).join("mcp.json"), folder).unwrap();
        }
        symlink("one/mcp.json", stage.path("inner")).unwrap();
        symlink("inner", stage.path("mcp.json")).unwrap();
        stage.look_at(&[&stage.path("mcp.json")]);
        assert_eq!(stage.health().watched_folders, 2);

        symlink(format!("{folder}/mcp.json"), stage.path("new")).unwrap();
        fs::rename(stage.path("new"), stage.path("inner")).unwrap();
        assert_eq!(stage.until(is(folder)), [is(folder)]);
        replace(&stage.path(folder).join("mcp.json"), NEW);
        assert_eq!(stage.until(is(NEW)), [is(NEW)]);
        assert_eq!(stage.health().watched_folders, 2);

        fs::remove_dir_all(stage.path(folder)).unwrap();
        assert_eq!(stage.until(Content::Missing), [Content::Missing]);
        fs::create_dir(stage.path(folder)).unwrap();
        fs::write(stage.path(folder).join("mcp.json"), OLD).unwrap();
        assert_eq!(stage.until(is(OLD)), [is(OLD)]);
    }
}

#[test]
fn links_in_a_circle_are_unreadable_until_they_are_not() {
    let stage = by_events();
    symlink("b", stage.path("a")).unwrap();
    symlink("a", stage.path("b")).unwrap();
    let path = stage.path("a");
    stage.look_at(&[&path]);
    replace(&stage.path("b"), NEW);
    assert_eq!(stage.until(is(NEW)), [is(NEW)]);
}

#[test]
fn a_file_that_another_mount_hides_is_found_by_looking() {
    alone("watch::ways::a_file_that_another_mount_hides_is_found_by_looking", mount_over);
}

fn mount_over() {
    let stage = Stage::set();
    let path = stage.path("home/mcp.json");
    for (folder, text) in [("home", OLD), ("over", NEW)] {
        fs::create_dir(stage.path(folder)).unwrap();
        fs::write(stage.path(folder).join("mcp.json"), text).unwrap();
    }
    stage.look_at(&[&path]);
    let mounts = Command::new("mount").arg("--bind").arg(stage.path("over")).arg(stage.path("home")).output();
    if !mounts.is_ok_and(|output| output.status.success()) {
        println!("skipped: nothing may be mounted here");
        return;
    }
    let told = stage.until(is(NEW));
    // Watched is what is mounted now.
    fs::write(&path, "{ \"in\": \"the mount\" }\n").unwrap();
    let again = stage.until(is("{ \"in\": \"the mount\" }\n"));
    let watches = watches_of_this_process();
    assert!(Command::new("umount").arg(stage.path("home")).status().unwrap().success());
    assert_eq!(told, [is(NEW)]);
    assert_eq!((again.len(), watches), (1, 1));
    assert_eq!(stage.until(is(OLD)), [is(OLD)]);
    replace(&path, NEW);
    assert_eq!(stage.until(is(NEW)), [is(NEW)]);
    assert_eq!(stage.health().polled_changes, 2);
}

#[test]
fn what_changed_since_the_caller_read_is_told() {
    let stage = Stage::set();
    let (same, other, new) = (stage.path("same"), stage.path("other"), stage.path("new"));
    for path in [&same, &other, &new] {
        fs::write(path, OLD).unwrap();
    }
    let known = Content::of(&file::read(&other));
    replace(&other, NEW);
    stage.watch().set([(same, Some(known)), (other.clone(), Some(known)), (new, None)].into());
    let seen = stage.next();
    assert_eq!((seen.path, seen.content), (other.clone(), is(NEW)));

    // A path that is watched already stays as it is.
    stage.watch().set([(other.clone(), Some(known))].into());
    assert!(stage.watch().wait(LIMIT));
    assert_eq!((stage.health().files, stage.health().told), (1, 1));
    stage.watch().set([].into());
    assert!(stage.watch().wait(LIMIT));
    replace(&other, OLD);
    let health = stage.health();
    assert_eq!((health.files, health.watched_folders, health.told), (0, 0, 1));
}

#[test]
fn what_changes_while_the_watch_begins_is_told() {
    for round in 0..60 {
        let stage = by_events();
        let path = stage.path("one/two/mcp.json");
        stage.watch().set([(path.clone(), Some(Content::Missing))].into());
        for folder in ["one", "one/two"] {
            std::thread::sleep(Duration::from_micros(round * 3));
            fs::create_dir(stage.path(folder)).unwrap();
        }
        std::thread::sleep(Duration::from_micros(round * 10));
        fs::write(&path, NEW).unwrap();
        assert_eq!(stage.until(is(NEW)), [is(NEW)], "round {round}");
    }
}

#[test]
fn a_part_behind_a_new_link_is_not_told() {
    for _ in 0..10 {
        let stage = by_events();
        let path = stage.path("mcp.json");
        for (folder, text) in [("one", OLD), ("two", "")] {
            fs::create_dir(stage.path(folder)).unwrap();
            fs::write(stage.path(folder).join("mcp.json"), text).unwrap();
        }
        symlink("one/mcp.json", &path).unwrap();
        stage.look_at(&[&path]);
        // It is begun before its folder is watched, so no event tells of the beginning.
        let (one, two) = NEW.split_at(20);
        let mut file = fs::File::create(stage.path("two/mcp.json")).unwrap();
        file.write_all(one.as_bytes()).unwrap();
        symlink("two/mcp.json", stage.path("new")).unwrap();
        fs::rename(stage.path("new"), &path).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        file.write_all(two.as_bytes()).unwrap();
        drop(file);
        assert_eq!(stage.until(is(NEW)), [is(NEW)]);
    }
}

#[test]
fn one_file_asked_for_by_two_paths_is_told_for_both() {
    let stage = by_events();
    let (file, link) = (stage.path("mcp.json"), stage.path("link"));
    fs::write(&file, OLD).unwrap();
    symlink("mcp.json", &link).unwrap();
    stage.look_at(&[&file, &link]);
    replace(&file, NEW);
    let mut told = [stage.next().path, stage.next().path];
    told.sort();
    assert_eq!(told, [link, file]);
}

#[test]
fn our_own_writes_are_not_told() {
    let stage = Stage::set();
    let path = stage.path("mcp.json");
    fs::write(&path, OLD).unwrap();
    stage.look_at(&[&path]);
    let own = |text: &str| {
        stage.watch().expect(&path, switchboard_host::hash::Hash::of(text.as_bytes()));
        replace(&path, text);
    };
    for round in 0..8 {
        own(&format!("{{ \"ours\": {round} }}\n"));
        // Some are seen each by itself, some together.
        std::thread::sleep(Duration::from_millis(if round < 3 { 100 } else { 5 }));
    }
    // An own write, then another program at once: its content is told.
    own("{ \"ours\": \"last\" }\n");
    replace(&path, NEW);
    assert_eq!(stage.until(is(NEW)), [is(NEW)]);
    // Ours was expected once; another program that writes the same later is told.
    replace(&path, "{ \"ours\": 7 }\n");
    assert_eq!(stage.until(is("{ \"ours\": 7 }\n")).len(), 1);
    assert_eq!(stage.health().told, 2);
}
