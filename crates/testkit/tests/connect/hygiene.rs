//! No process is left behind, however the pipe ends.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use switchboard_core::launch::Launch;
use testkit::servers::stdio::{PLAIN, TREES, Tree, python};

use crate::pipe::Pipe;

/// A way for a pipe to end.
#[derive(Clone, Copy, Debug)]
enum Ending {
    ServerExits,
    InputCloses,
    Term,
    Kill,
}

const ENDINGS: [Ending; 4] = [Ending::ServerExits, Ending::InputCloses, Ending::Term, Ending::Kill];

/// The bar is two seconds; a loaded machine gets some more, because the graces are counted from when things happen.
const BAR: Duration = Duration::from_secs(2);

#[test]
fn nine_trees_end_four_ways_and_nobody_survives() {
    let cases: Vec<(Tree, Ending)> =
        TREES.iter().flat_map(|tree| ENDINGS.map(|ending| (*tree, ending))).collect();
    let mut failures = Vec::new();
    for batch in cases.chunks(6) {
        let running: Vec<_> =
            batch.iter().map(|&(tree, ending)| std::thread::spawn(move || end(tree, ending))).collect();
        failures.extend(running.into_iter().filter_map(|case| case.join().unwrap()));
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Ends `tree` and returns what was wrong about it.
fn end(tree: Tree, ending: Ending) -> Option<String> {
    let tag = format!("tree-{}-{}-{ending:?}", std::process::id(), tree.name.replace([' ', ','], "-"));
    let mut pipe = Pipe::start(&tag, &tree.launch(&tag));
    assert_eq!(pipe.line(), "ready", "{tag}: {}", pipe.errors());
    assert!(!alive(&tag).is_empty(), "{tag} is not seen");
    match ending {
        Ending::ServerExits => pipe.send("exit"),
        Ending::InputCloses => pipe.close_stdin(),
        Ending::Term => signal(&pipe, Signal::TERM),
        Ending::Kill => signal(&pipe, Signal::KILL),
    }
    let status = pipe.wait();
    let survivors = survivors(&tag);
    if !survivors.is_empty() {
        return Some(format!("{tag}: left behind {survivors:?}"));
    }
    let code = status.code().or(status.signal().map(|signal| 1000 + signal));
    (code != Some(expected(tree, ending))).then(|| format!("{tag}: ended with {status}"))
}

/// The exit code; 1000 and the signal where `connect` itself dies of one.
fn expected(tree: Tree, ending: Ending) -> i32 {
    match (ending, tree.name) {
        (Ending::Kill, _) => 1009,
        (Ending::ServerExits, _) => 7,
        (Ending::InputCloses, "ignores the end of its input") | (Ending::Term, _)
            if tree.name != "forks during shutdown" && tree.name != "ignores SIGTERM" =>
        {
            128 + 15
        }
        (Ending::Term, "ignores SIGTERM") => 128 + 9,
        _ => 0,
    }
}

fn signal(pipe: &Pipe, signal: Signal) {
    kill_process(Pid::from_child(&pipe.process), signal).unwrap();
}

/// Returns who is left of `tag` once nobody is or time is up.
fn survivors(tag: &str) -> Vec<String> {
    let end = Instant::now() + BAR;
    loop {
        let alive = alive(tag);
        if alive.is_empty() || Instant::now() > end {
            return alive;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns the processes that have `tag` in their environment (servers) or arguments (guards), zombies included.
fn alive(tag: &str) -> Vec<String> {
    let ours = [Some(std::process::id())];
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let read = |file: &str| fs::read(entry.path().join(file)).unwrap_or_default();
        let command = read("cmdline");
        let marked = [&command, &read("environ")]
            .iter()
            .any(|bytes| bytes.windows(tag.len()).any(|window| window == tag.as_bytes()));
        if marked && !ours.contains(&Some(pid)) {
            let shown: String =
                String::from_utf8_lossy(&command).replace(['\0', '\n'], " ").chars().take(60).collect();
            found.push(format!("{pid} {shown}"));
        }
    }
    found
}

#[test]
fn the_server_speaks_with_the_client_directly() {
    let mut pipe = Pipe::start("plain", &python(PLAIN));
    pipe.send(r#"{"jsonrpc":"2.0","id":"a","method":"tools/list"}"#);
    assert!(pipe.line().contains(r#""id": "a""#));
    pipe.send(r#"{"jsonrpc":"2.0","id":1,"method":"exit","params":{"code":42}}"#);
    assert_eq!(pipe.wait().code(), Some(42));
    assert!(pipe.is_silent());
    assert_eq!(pipe.errors(), "");
}

#[test]
fn a_server_that_reads_all_before_it_answers_has_the_time_to() {
    let script = "import sys,time; n=len(sys.stdin.read()); time.sleep(1); print(n)";
    let mut pipe = Pipe::start("slow", &python(script));
    let line = "x".repeat(1 << 16);
    for _ in 0..64 {
        pipe.send(&line);
    }
    pipe.close_stdin();
    assert_eq!(pipe.line(), (64 * (line.len() + 1)).to_string());
    assert_eq!(pipe.wait().code(), Some(0));
}

#[test]
fn a_server_that_dies_of_a_signal_gives_128_and_its_number() {
    let mut pipe = Pipe::start("dies", &python("import os; os.kill(os.getpid(), 11)"));
    assert_eq!(pipe.wait().code(), Some(128 + 11));
}

#[test]
fn the_output_ends_when_the_server_closes_it() {
    let mut pipe =
        Pipe::start("closes", &python("import os,sys; print('x',flush=True); os.close(1); sys.stdin.read()"));
    assert_eq!(pipe.line(), "x");
    assert!(pipe.is_silent());
    assert!(pipe.process.try_wait().unwrap().is_none());
    pipe.close_stdin();
    assert_eq!(pipe.wait().code(), Some(0));
}

#[test]
fn a_server_sees_three_descriptors_and_the_allowed_environment() {
    let script = "import os; print(sorted(int(f) for f in os.listdir('/proc/self/fd'))[:4]); \
                  print([os.environ.get(n) for n in ('CANARY','OWN')], os.getcwd())";
    let Launch::Stdio { command, args, .. } = python(script) else { unreachable!() };
    let env = [("OWN".to_owned(), "${env:CANARY}!".to_owned())].into();
    let launch = Launch::Stdio { command, args, env, cwd: Some("/".to_owned()) };
    let pipe = Pipe::start_with("env", &launch, |command| {
        command.env("CANARY", "canary");
    });
    // The fourth is the folder that is being listed.
    assert_eq!(pipe.line(), "[0, 1, 2, 3]");
    assert_eq!(pipe.line(), "[None, 'canary!'] /");
}

#[test]
fn what_cannot_be_started_is_explained() {
    for (command, cwd, expected) in [
        ("no-such-launcher", None, "could not start `x`: `no-such-launcher` is not in PATH"),
        ("/no/such", None, "could not start `x`: `/no/such` does not exist"),
        ("/etc/passwd", None, "could not start `x`: `/etc/passwd` is not executable"),
        ("sh", Some("/no/such"), "could not start `x`: the working directory `/no/such` is not a folder"),
        ("${env:NO_SUCH}", None, "could not start `x`: `command`: the variable `NO_SUCH` is not set"),
    ] {
        let launch = Launch::Stdio {
            command: command.to_owned(),
            args: Vec::new(),
            env: std::collections::BTreeMap::new(),
            cwd: cwd.map(str::to_owned),
        };
        let mut pipe = Pipe::start("x", &launch);
        assert_eq!(pipe.wait().code(), Some(1));
        let errors = pipe.errors();
        assert_eq!(errors.lines().next(), Some(&*format!("switchboard: {expected}")));
        assert!(
            errors.lines().nth(1).is_some_and(|line| line.starts_with("switchboard: hint: ")),
            "{errors}"
        );
    }
}

#[test]
fn a_script_without_a_first_line_is_not_given_to_a_shell() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("script");
    fs::write(&script, "echo run by a shell\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut pipe = Pipe::start("x", &Launch::stdio(script.to_str().unwrap(), [""; 0]));
    assert_eq!(pipe.wait().code(), Some(1));
    assert!(pipe.is_silent());
    assert!(pipe.errors().contains("Exec format error"));
}

#[test]
fn a_killed_guard_takes_everybody_with_it() {
    let tag = format!("guard-{}", std::process::id());
    let mut pipe = Pipe::start(&tag, &TREES[3].launch(&tag));
    assert_eq!(pipe.line(), "ready");
    let guard = alive(&tag)
        .iter()
        .find_map(|line| line.contains("__guard").then(|| line.split(' ').next()?.parse().ok())?);
    kill_process(Pid::from_raw(guard.unwrap()).unwrap(), Signal::KILL).unwrap();
    assert_eq!(pipe.wait().code(), Some(1));
    assert_eq!(survivors(&tag), Vec::<String>::new());
    assert!(pipe.errors().contains("lost the process that watches over the server"));
}

#[test]
fn a_guard_without_a_server_goes_with_whoever_started_it() {
    let tag = format!("standby-{}", std::process::id());
    let mut pipe = Pipe::start(&tag, &Launch::stdio("/no/such", [""; 0]));
    assert_eq!(pipe.wait().code(), Some(1));
    assert_eq!(survivors(&tag), Vec::<String>::new());
    // And when that one is killed while it still looks for the values.
    let home = tempfile::tempdir().unwrap();
    let fifo = home.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let value = format!("${{cmd:cat {}}}", fifo.display());
    let mut pipe = Pipe::start(&tag, &Launch::stdio("cat", [value]));
    // Opening it waits for the reader.
    let asked = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    assert!(alive(&tag).iter().any(|line| line.contains("__guard")), "{:?}", alive(&tag));
    signal(&pipe, Signal::KILL);
    assert_eq!(pipe.wait().signal(), Some(9));
    assert_eq!(survivors(&tag), Vec::<String>::new());
    drop(asked);
}

#[test]
fn a_server_that_is_let_go_of_ends_with_all_it_started() {
    for tree in TREES {
        let tag = format!("piped-{}-{}", std::process::id(), tree.name.replace([' ', ','], "-"));
        let mut pipe = Pipe::start_with(&tag, &tree.launch(&tag), |command| {
            let launch = command.get_args().nth(1).unwrap().to_owned();
            *command = std::process::Command::new(command.get_program());
            command.args(["--piped", &tag]).arg(launch);
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped());
        });
        assert_eq!(pipe.line(), "ready", "{tag}");
        pipe.send("drop");
        assert_eq!(pipe.line(), "dropped", "{tag}");
        // Its holder lives on, with the tag among its arguments; nobody else does, not even as a zombie.
        let end = Instant::now() + BAR;
        while alive(&tag).len() > 1 || has_children(&pipe) {
            assert!(Instant::now() < end, "{tag}: left behind {:?}", alive(&tag));
            std::thread::sleep(Duration::from_millis(10));
        }
        pipe.close_stdin();
        assert_eq!(pipe.wait().code(), Some(0));
    }
}

fn has_children(pipe: &Pipe) -> bool {
    let parent = format!(" {} ", pipe.process.id());
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // Behind the name in parentheses come the state, a letter, and the parent.
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.get(2..).is_some_and(|rest| rest.starts_with(&parent)))
    })
}

#[test]
fn a_client_that_speaks_over_sockets_is_heard_to_hang_up() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    for (tree, code) in [(TREES[0], 0), (TREES[6], 128 + 15)] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut pipe = Pipe::start_with("sockets", &tree.launch("sockets"), |command| {
            command.stdin(OwnedFd::from(theirs));
        });
        assert_eq!(pipe.line(), "ready");
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(pipe.wait().code(), Some(code));
    }
}
