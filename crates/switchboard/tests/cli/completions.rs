//! `completions` and `man`.

use crate::{home, managed};

#[test]
fn a_line_for_each_shell() {
    for (shell, line) in [
        ("bash", "source <(SWITCHBOARD_COMPLETE=bash switchboard)\n"),
        ("zsh", "source <(SWITCHBOARD_COMPLETE=zsh switchboard)\n"),
        ("fish", "SWITCHBOARD_COMPLETE=fish switchboard | source\n"),
    ] {
        assert_eq!(home().ok(&format!("completions {shell}")).stdout, line);
    }
}

#[test]
fn names_complete_as_they_are_at_that_moment() {
    let mut home = managed();
    home.set("SWITCHBOARD_COMPLETE", "fish");
    for (line, names) in [
        ("-- switchboard server show fi", vec!["files"]),
        ("-- switchboard connect w", vec!["web"]),
        ("-- switchboard client push cu", vec!["cursor"]),
        ("-- switchboard client link claude-d", vec!["claude-desktop"]),
    ] {
        let output = home.run(line);
        let shown: Vec<&str> = output.stdout.lines().filter_map(|line| line.split('\t').next()).collect();
        for name in names {
            assert!(shown.contains(&name), "{line}: {output}");
        }
    }
}

#[test]
fn the_manual_is_a_manual() {
    let man = home().ok("man").stdout;
    assert!(man.contains(".TH switchboard 1") && man.contains("client"), "{man}");
}
