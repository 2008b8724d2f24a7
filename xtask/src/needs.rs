//! What the tests need beside the toolchain, and how it gets here.

use std::ffi::OsString;
use std::process::Command;

use crate::npm::Folder;
use crate::steps::{run, there_is, works};

/// Programs of the system: what is called, a call that succeeds where it is, the Debian packages, and what it is for.
const PROGRAMS: [(&str, &[&str], &[&str], &str); 13] = [
    ("curl", &["--version"], &["curl"], "asks the daemon as scripts do"),
    ("chromium", &["--version"], &["chromium"], "follows the daemon as a page does"),
    ("strace", &["-V"], &["strace"], "stops writes at every system call"),
    ("vim", &["--version"], &["vim"], "saves files in its three ways"),
    ("nano", &["--version"], &["nano"], "saves files in its way"),
    ("git", &["--version"], &["git"], "changes files by a checkout"),
    ("systemd-analyze", &["--version"], &["systemd"], "judges the units of services"),
    ("faketime", &["--version"], &["faketime"], "has the clock jump"),
    ("npm", &["--version"], &["nodejs", "npm"], "installs the real clients"),
    ("python3", &["-c", "import ensurepip, venv"], &["python3", "python3-venv"], "runs the SDKs of Python"),
    ("dbus-daemon", &["--version"], &["dbus"], "a bus of a test's own"),
    // `dbus-send` comes with it, and has no call that succeeds without a bus.
    ("dbus-monitor", &["--help"], &["dbus"], "a listener and a caller on that bus"),
    // The system's own: no other Python finds the packages of Debian.
    (
        "/usr/bin/python3",
        &["-c", "import dbus, gi"],
        &["python3-dbus", "python3-gi"],
        "the listener in Python on that bus",
    ),
];

/// What npm installs: real clients, and a real server.
const CLIENTS: Folder = Folder {
    name: "npm",
    packages: &[
        ("@anthropic-ai/claude-code", "2.1.197", "a real client, as judge of its file"),
        ("@google/gemini-cli", "0.61.0", "a real client, as judge of its file"),
        ("@modelcontextprotocol/server-everything", "2026.8.31", "a real server, to be started and called"),
        ("@openai/codex", "0.169.0", "a real client, as judge of its file"),
    ],
};

/// Installs what is missing, and says so.
///
/// # Errors
/// Something is missing and could not be installed; the rest was installed all the same.
pub(crate) fn install() -> Result<(), String> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, call, ..)| !works(program, call)).collect();
    for (program, _, packages, why) in &missing {
        println!("missing: {program} ({why}); installing {}", packages.join(", "));
    }
    let system = if missing.is_empty() {
        println!("the programs of the system are here");
        Ok(())
    } else {
        apt_get(missing.iter().flat_map(|(_, _, packages, _)| *packages))
    };
    let clients = clients();
    match (system, clients) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(one), Err(other)) => Err(format!("{one}; {other}")),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// Installs the real clients and the real server unless they are there already, and says so.
///
/// # Errors
/// npm could not install them.
pub(crate) fn clients() -> Result<(), String> {
    CLIENTS.install()
}

/// Returns the folder with the programs of the packages, once they are installed.
pub(crate) fn tools() -> Option<OsString> {
    CLIENTS.programs().map(Into::into)
}

fn apt_get<'p>(packages: impl Iterator<Item = &'p &'p str>) -> Result<(), String> {
    if !there_is("apt-get", "--version") {
        return Err("there is no apt-get here: install what is missing by hand".to_owned());
    }
    // As root directly, else through sudo without ever asking for a password.
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let call = |words: &[&str]| {
        let mut command = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            command.args(["-n", "apt-get"]);
        }
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    // A list of packages that is out of date is no failure yet: the installation tells.
    let _ = run(&mut call(&["update", "-qq"]));
    run(call(&["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
}
