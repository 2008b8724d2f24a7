//! `service`.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]
#![cfg(target_os = "linux")]

use std::process::Command;

use testkit::home::FakeHome;
use testkit::servers::config::ConfigServer;

use crate::{CURSOR, home};

const UNITS: &str = ".config/systemd/user";
const SERVICE: &str = ".config/systemd/user/switchboard.service";
const PULL: &str = "service install --pull http://127.0.0.1:8080/api/mcp/_config --client cursor";

/// A home whose `systemctl` writes down what it is asked, and answers as a manager does that knows no unit yet.
fn managed() -> FakeHome {
    let mut home = home();
    home.write(
        "bin/systemctl",
        "#!/bin/sh\necho \"$@\" >> \"$HOME/asked\"\ncase \"$3\" in is-system-running) echo running;; \
         is-enabled) echo enabled;; is-active) echo inactive; exit 3;; esac\n",
    );
    Command::new("chmod").arg("+x").arg(home.path("bin/systemctl")).status().unwrap();
    let path = format!("{}:/usr/bin:/bin", home.path("bin").display());
    home.set("PATH", &path);
    home
}

fn asked(home: &FakeHome) -> Vec<String> {
    let asked = home.text("asked");
    asked.lines().map(|line| line.trim_start_matches("--user --no-pager ").to_owned()).collect()
}

fn units(home: &FakeHome) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(home.path(UNITS))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_installed_is_started_seen_and_taken_away_again() {
    let home = managed();
    home.ok("service install --socket");
    assert_eq!(
        asked(&home),
        [
            "is-system-running",
            "daemon-reload",
            "enable --now switchboard-http.socket",
            "enable --now switchboard.socket",
            "enable --now switchboard.service",
        ]
    );
    let text = home.text(SERVICE);
    assert!(text.contains(&format!("ExecStart={} serve\n", env!("CARGO_BIN_EXE_switchboard"))), "{text}");
    assert!(text.contains(&format!("Environment=SWITCHBOARD_HOME={}\n", home.path("switchboard").display())));

    home.ok(&format!("{PULL} --every 30min"));
    assert_eq!(asked(&home).last().unwrap(), "enable --now switchboard-pull-cursor.timer");
    assert!(home.text(format!("{UNITS}/switchboard-pull-cursor.timer")).contains("OnCalendar=*:0/30\n"));
    let status = home.ok("service status --json").json();
    assert_eq!(status["manager"], true);
    assert_eq!(status["units"].as_array().unwrap().len(), 5);
    assert_eq!(status["units"][0]["enabled"], "enabled");
    assert_eq!(status["units"][0]["active"], "inactive");

    home.write(format!("{UNITS}/switchboard-mine.service"), "[Service]\nExecStart=/bin/true\n");
    home.write("asked", "");
    home.ok("service uninstall --client cursor");
    assert_eq!(units(&home).len(), 4);
    assert_eq!(asked(&home)[1], "disable --now switchboard-pull-cursor.timer");
    home.ok("service uninstall");
    assert_eq!(units(&home), ["switchboard-mine.service"]);
    assert_eq!(asked(&home).last().unwrap(), "daemon-reload");
    assert!(home.ok("service uninstall").stdout.contains("no unit of ours"));
}

#[test]
fn without_a_manager_it_says_what_to_type() {
    let mut home = home();
    home.set("PATH", "/nowhere");
    let output = home.ok("service install");
    assert!(output.stderr.contains("  systemctl --user enable --now switchboard.service\n"), "{output}");
    assert_eq!(home.ok("service status --json").json()["manager"], false);
    home.ok("service uninstall");
    assert_eq!(units(&home), Vec::<String>::new());
}

#[test]
fn an_edited_unit_is_not_written_over_unasked() {
    let home = managed();
    home.ok("service install");
    home.edit(SERVICE, "RestartSec=2", "RestartSec=20");
    let edited = home.text(SERVICE);
    for line in ["service install", "service uninstall"] {
        let output = home.run(line);
        assert_eq!(output.code, 5, "{output}");
        assert_eq!(home.text(SERVICE), edited);
    }
    let shown = home.run("service install").all();
    assert!(shown.contains("+RestartSec=2\n") && shown.contains("-RestartSec=20\n"), "{shown}");
    assert_eq!(home.ok("service status --json").json()["units"][0]["edited"], true);
    home.ok("service install --yes");
    assert!(home.text(SERVICE).contains("RestartSec=2\n"));
    assert!(!home.tree().holding("RestartSec=20").is_empty(), "what it said is in the backups");

    // Somebody else's unit of that name: neither written over nor taken away unasked.
    home.write(SERVICE, "[Service]\nExecStart=/bin/true\n");
    assert_eq!(home.run("service install").code, 5);
    assert!(home.ok("service uninstall --yes").stdout.contains("no unit of ours"));
    assert!(home.text(SERVICE).contains("/bin/true"));
}

#[test]
fn the_dry_run_shows_the_texts_and_changes_nothing() {
    let home = managed();
    let before = home.tree();
    let output = home.ok("service install --socket --dry-run");
    for text in ["Type=notify", "ListenStream=127.0.0.1:8080", "FileDescriptorName=control"] {
        assert!(output.stdout.contains(text), "{output}");
    }
    let json = home.ok(&format!("{PULL} --dry-run --json")).json();
    assert!(json[1]["text"].as_str().unwrap().contains("Persistent=true"), "{json}");
    assert_eq!(before.changes(&home.tree()), Vec::<String>::new());
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let home = managed();
    for (line, said) in [
        (format!("{PULL} --every 7min"), "does not fit an hour"),
        (format!("{PULL} --token s3cret"), "it stands on the command line itself"),
        ("service install --pull ftp://x --client cursor".to_owned(), "http://"),
        ("service install --pull http://x --client cursr".to_owned(), "did you mean `cursor`?"),
        ("service install --pull http://x".to_owned(), "--client"),
        ("service install --every 15min".to_owned(), "--pull"),
    ] {
        let output = home.run(&line);
        assert_eq!(output.code, 2, "{line}: {output}");
        assert!(output.stderr.contains(said) && !output.stdout.contains("s3cret"), "{line}: {output}");
    }
    assert!(!home.path(UNITS).exists());
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        testkit::tools::missing("systemd-analyze", false);
        return;
    }
    // Paths that need quoting, in every place where one can stand.
    let mut home = home();
    home.write(
        "pro grams/$HOME/100%s/switch;board",
        std::fs::read(env!("CARGO_BIN_EXE_switchboard")).unwrap(),
    );
    let program = home.path("pro grams/$HOME/100%s/switch;board");
    Command::new("chmod").arg("+x").arg(&program).status().unwrap();
    let odd = home.path("my $HOME 100%s\\");
    home.set("SWITCHBOARD_HOME", &odd.to_string_lossy());
    let run = |words: &[&str]| {
        let mut command = Command::new(&program);
        let like = home.command(words);
        command.args(words).env_clear().current_dir(home.root());
        command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["service", "install", "--socket"]);
    let file = home.path("a \"file\" of $USER at 5%.json");
    run(&[
        "service",
        "install",
        "--pull",
        "http://127.0.0.1:8080",
        "--client",
        "cursor",
        "--path",
        &file.to_string_lossy(),
        "--token",
        "${file:~/my token}",
    ]);
    for unit in units(&home) {
        let path = home.path(UNITS).join(&unit);
        let output = Command::new("systemd-analyze")
            .args(["--user", "verify"])
            .arg(&path)
            .env_clear()
            .env("HOME", home.root())
            .env("PATH", "/usr/bin:/bin")
            .env("XDG_RUNTIME_DIR", home.path("run"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("switchboard")).collect();
        assert!(
            output.status.success() && ours.is_empty(),
            "{unit}: {said}\n{}",
            std::fs::read_to_string(path).unwrap()
        );
    }
}

#[test]
fn the_timers_command_line_brings_the_file_in_step() {
    let home = managed();
    let server = ConfigServer::start(serde_json::json!({ "files": { "command": "files-mcp" } })).unwrap();
    home.write(CURSOR, "{}\n");
    home.ok(&format!("service install --pull {} --client cursor", server.origin));
    let text = home.text(format!("{UNITS}/switchboard-pull-cursor.service"));
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[0], env!("CARGO_BIN_EXE_switchboard"));
    let output = home.run_words(&words[1..]);
    assert_eq!(output.code, 0, "{output}");
    assert!(home.text(CURSOR).contains("files-mcp"), "{}", home.text(CURSOR));
}

#[test]
fn for_the_bus_of_the_machine_its_file_is_written_and_where_it_belongs_is_said() {
    let home = managed();
    let file = "switchboard/config/org.opdbus.MCP.conf";
    home.ok("service install");
    assert!(!home.path(file).exists(), "nobody asked for it");
    home.write("switchboard/config/switchboard.toml", "[client_sync]\ndbus_bus = \"system\"\n");
    let told = home.ok("service install");
    let line = format!("sudo install -m 644 {} /etc/dbus-1/system.d", home.path(file).display());
    assert!(told.all().contains(&line), "{told}");
    assert!(home.text(file).contains("<allow own=\"org.opdbus.MCP\"/>"));
}
