//! What holds for every command: JSON alone on standard output, dry runs that change nothing, plain words.

use crate::{CATALOGUE, CURSOR, TWO, cursor, full, home, managed};

/// Commands that change something, each beginning from two managed servers.
const CHANGES: &[&str] = &[
    "server add new -- new-mcp",
    "server add new --url https://new.example/mcp",
    "server edit files --tag x",
    "server remove files",
    "server rename files documents",
    "server disable files",
    "server enable files",
    "client link codex",
    "client unlink cursor",
    "client scan cursor",
    "client scan --all --discard-pending",
    "client import cursor",
    "client push cursor",
    "client push --all",
    "client adopt cursor",
    "client keep cursor",
    "client restore cursor",
    "client undo cursor",
    "client undo cursor --force",
    "profile add work files",
    "sync",
    "sync --force",
    "sync files",
    "tool list",
    "tool search files",
    "policy show",
    "policy sync",
    "config undo",
    "token show",
    "token create ci",
    "service install",
    "service install --socket",
    "service install --pull http://127.0.0.1:8080 --client cursor",
    "service uninstall",
    "up --no-serve",
    "uninstall",
];

const LOOKS: &[&str] = &[
    "status",
    "doctor",
    "server list",
    "server show files",
    "client list",
    "client list --all",
    "client show cursor",
    "client diff cursor",
    "client history cursor",
    "profile list",
    "config check",
    "config path",
    "config history",
    "config schema",
    "config schema settings",
    "config schema policy",
    "config export cursor",
    "policy history",
    "token list",
    "service status",
    "completions bash",
    "man",
];

#[test]
fn a_dry_run_changes_nothing() {
    for pushed in [true, false] {
        let home = if pushed { managed() } else { cursor(TWO) };
        home.write(".codex/config.toml", "model = 'x'\n");
        let before = home.tree();
        for line in CHANGES {
            let (verb, rest) =
                line.split_once(" -- ").map_or((*line, String::new()), |(a, b)| (a, format!(" -- {b}")));
            let output = home.run(&format!("{verb} --dry-run{rest}"));
            assert_eq!(before.changes(&home.tree()), Vec::<String>::new(), "{line}: {output}");
            if pushed && *line != "config undo" {
                assert_eq!(output.code, 0, "{line}: {output}");
            }
        }
    }
}

#[test]
fn looking_changes_nothing() {
    let home = managed();
    let before = home.tree();
    for line in LOOKS {
        let output = home.run(line);
        // There is no `files-mcp` on this machine, which the doctor finds grave.
        assert_eq!(output.code, i32::from(*line == "doctor"), "{line}: {output}");
        assert_eq!(before.changes(&home.tree()), Vec::<String>::new(), "{line}: {output}");
    }
}

#[test]
fn looking_at_a_home_that_is_not_there_makes_none() {
    let home = full();
    let before = home.tree();
    for line in LOOKS.iter().filter(|line| !line.contains("files") && !line.ends_with("cursor")) {
        home.ok(line);
        assert_eq!(before.changes(&home.tree()), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn json_stands_alone_on_standard_output() {
    let plain = [
        "config schema",
        "config schema settings",
        "config schema policy",
        "config export cursor",
        "completions bash",
        "man",
    ];
    for line in LOOKS.iter().filter(|line| !plain.contains(line)) {
        let output = managed().run(&format!("{line} --json"));
        output.json();
    }
    for line in CHANGES {
        let (verb, rest) =
            line.split_once(" -- ").map_or((*line, String::new()), |(a, b)| (a, format!(" -- {b}")));
        for more in ["--yes", "--dry-run", ""] {
            let home = managed();
            home.write(".codex/config.toml", "model = 'x'\n");
            let output = home.run(&format!("{verb} --json {more}{rest}"));
            output.json();
            // Whatever fails says so to programs too.
            if output.code != 0 {
                assert!(output.all().contains("failed to"), "{line} {more}: {output}");
            }
        }
    }
    for (line, code) in [("server show nobody", 2), ("client push nobody", 2), ("server add x", 2)] {
        let output = home().run(&format!("{line} --json"));
        assert_eq!(output.code, code, "{output}");
        assert_eq!(output.json()["exit_code"], code);
    }
    // A failure that is told line by line is one document all the same.
    let home = cursor("{ broken");
    for line in ["client push cursor --yes --json", "client scan cursor --json", "doctor --json"] {
        let output = home.run(line);
        assert_ne!(output.code, 0, "{line}: {output}");
        output.json();
    }
}

#[test]
fn piped_output_holds_no_escape_codes() {
    let home = managed();
    home.edit(CURSOR, "\"connect\", \"files\"", "\"connect\", \"files\", \"-v\"");
    home.ok("server add new --url https://new.example/mcp");
    for line in LOOKS.iter().chain(CHANGES) {
        let output =
            home.run(&format!("{line} --dry-run").replace("-- new-mcp --dry-run", "--dry-run -- new-mcp"));
        if !line.starts_with("man") {
            assert!(!output.all().contains('\u{1b}'), "{line}: {output}");
        }
    }
}

#[test]
fn failures_are_sentences_with_something_to_type() {
    let home = managed();
    for (line, code) in [
        ("server show filse", 2),
        ("server add files -- x", 2),
        ("server add new", 2),
        ("server edit files", 2),
        ("server rename files web", 2),
        ("server add new --url https://x --header nonsense", 2),
        ("server add new --env nonsense -- x", 2),
        ("client show nobody", 2),
        ("client link nobody", 2),
        ("client push codex", 2),
        ("profile show nobody", 2),
        ("sync nobody", 2),
        ("tool list nobody", 2),
        ("tool show nobody nothing", 2),
        ("tool show nothing", 2),
        ("policy show nothing", 2),
        ("policy explain nothing", 2),
        ("policy set nothing risk=high", 2),
        ("policy undo", 2),
        ("policy undo 7", 2),
        ("profile remove nobody", 2),
        ("config undo 99", 2),
        ("config export nobody", 2),
        ("connect nobody", 2),
        ("connect nobody --client cursor", 2),
        ("listen nowhere --once", 2),
        ("listen http://127.0.0.1:1 --once", 1),
        ("listen http://127.0.0.1:1 --client nobody", 2),
        ("service uninstall --client nobody", 2),
        ("server test nobody", 2),
        ("server test nobody --client cursor", 2),
        ("server test files --args {} --tool x --client cursor", 5),
    ] {
        let output = home.run(line);
        assert_eq!(output.code, code, "{line}: {output}");
        assert!(output.stderr.starts_with("error: failed to "), "{line}: {output}");
        let hint = output.stderr.lines().find(|line| line.starts_with("hint: "));
        assert!(hint.is_some_and(|hint| hint.len() > 12), "{line}: {output}");
        assert_eq!(
            output.stdout.lines().filter(|line| line.contains("error")).count(),
            0,
            "{line}: {output}"
        );
    }
}

#[test]
fn quiet_tells_problems_only() {
    let home = managed();
    for line in ["status --quiet", "client push cursor --quiet --yes", "server disable web --quiet"] {
        let output = home.ok(line);
        assert_eq!(output.all(), "", "{line}");
    }
    home.write(CATALOGUE, "[servers.x");
    assert_ne!(home.run("server remove files --quiet").stderr, "");
}

#[test]
fn the_help_names_every_command() {
    insta::assert_snapshot!(home().run("--help"), @"
    exit code: 0
    ----- stdout -----
    One catalogue of MCP servers, kept in step with every AI client

    Usage: switchboard [OPTIONS] <COMMAND>

    Commands:
      up           Find clients, import what they have, show the plan, ask, write, then serve
      serve        Run the daemon in the foreground; it asks nothing
      demo         Show the whole product in a throw-away home with sample clients and a built-in server
      status       Show the revision, servers, clients and problems
      server       The servers of the catalogue
      client       The clients whose files are kept in step
      profile      Named subsets of the servers
      sync         Ask servers what they offer, where something has changed
      tool         The tools that the servers offer
      policy       What each tool may do, who may call it, and how
      connect      Be the pipe to a server: what a client runs
      listen       Follow another switchboard: into a client's file, or with a program
      config       The files of Switchboard itself
      token        Bearer tokens for those who ask over TCP
      service      The daemon among the services of the system, or a timer in its place
      doctor       Check everything that can be wrong, and name the command that mends it
      uninstall    Put every client file back to what it was before the first push
      completions  Print what a shell needs to complete names: bash, zsh, fish
      man          Print the manual page
      help         Print this message or the help of the given subcommand(s)

    Options:
          --json     Print one JSON document for programs to read
          --dry-run  Show what would be done, and change nothing
      -y, --yes      Agree to every question beforehand
      -q, --quiet    Tell problems only
      -h, --help     Print help
      -V, --version  Print version

    Exit codes: 0 done, 1 failed, 2 usage, 3 a file of yours is wrong, 4 the daemon is not reachable, 5
    a conflict or a missing consent.
    ");
}
