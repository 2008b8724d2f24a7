//! A daemon in the background: started, and waited for until it is ready.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use switchboard_host::dirs::Env;
use switchboard_host::lock::Lock;

use crate::cli::{AuthArg, LogFormat, Serve};
use crate::fail::{Done, Failure};
use crate::home;
use crate::ui::{Mark, Ui};

/// How long a daemon may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the daemon in the background, and comes back once it is ready. What it has to say goes to a file in the state
/// folder.
///
/// # Errors
/// It could not be started, or ended at once; the end of what it said is shown.
pub(crate) fn detach(args: &Serve, env: &Env, ui: &Ui) -> Done {
    let dirs = home::dirs(env)?;
    let failed = |error: &dyn std::error::Error| Failure::failed("start the daemon").caused_by(error);
    let mut log = dirs.open_log().map_err(|error| failed(&error))?;
    let before = log.seek(SeekFrom::End(0)).map_err(|error| failed(&error))?;
    let output = log.try_clone().map_err(|error| failed(&error))?;
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let mut command = Command::new(program);
    command.arg("serve").args(words(args)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    // Servers without a `cwd` of their own begin where it is: that must not be wherever somebody happened to be.
    if let (Some(home), Ok(own)) = (env.home().filter(|home| home.is_dir()), dirs_in_full(env)) {
        command.current_dir(home).envs(own);
    }
    apart(&mut command);
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| failed(&error))? {
            let (why, hints) = last_words(&mut log, before);
            let failure = Failure::failed("start the daemon")
                .because(why.unwrap_or_else(|| format!("it ended at once ({status})")));
            return Err(hints
                .into_iter()
                .fold(failure, Failure::hint)
                .hint(format!("see what else it said: {}", dirs.log().display())));
        }
        // The one that was there before may still answer.
        let is_ours = Lock::daemon(&dirs).is_some_and(|holder| holder.pid == child.id());
        if is_ours && crate::remote::is_ready(env) {
            break;
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::unreachable("start the daemon: it is not ready yet")
                .hint(format!("see what it says: {}", dirs.log().display())));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id();
    ui.json(&serde_json::json!({ "pid": pid, "log": dirs.log() }));
    ui.marked(Mark::Good, format!("serving in the background (process {pid})"));
    ui.hint(format!(
        "stop it with `kill {pid}`; let it start with the machine: `switchboard service install`"
    ));
    Ok(())
}

/// Returns the variable that says which home this is about, in full.
fn dirs_in_full(env: &Env) -> std::io::Result<Option<(&'static str, PathBuf)>> {
    const HOME: &str = "SWITCHBOARD_HOME";
    env.var(HOME).map(|home| Ok((HOME, std::path::absolute(home)?))).transpose()
}

/// Returns why a daemon says that it ended, and what it says can be done about it, from what it has written since `before`.
fn last_words(log: &mut File, before: u64) -> (Option<String>, Vec<String>) {
    const LONGEST: u64 = 64 * 1024;
    let mut said = String::new();
    // What cannot be read is where the last hint leads.
    let _ = log.seek(SeekFrom::Start(before)).and_then(|_| log.take(LONGEST).read_to_string(&mut said));
    let after = |mark: &'static str| said.lines().filter_map(move |line| line.strip_prefix(mark));
    (after("error: ").next().map(|why| format!("it {why}")), after("hint: ").map(str::to_owned).collect())
}

/// The arguments of `serve`, as they were given to the command that starts it.
fn words(args: &Serve) -> Vec<String> {
    let auth = args.auth.map(|auth| match auth {
        AuthArg::Token => "token",
        AuthArg::None => "none",
    });
    let format = args.log_format.map(|format| match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
        LogFormat::Journal => "journal",
    });
    let given = [
        ("--listen", args.listen.as_deref()),
        ("--auth", auth),
        ("--log", args.log.as_deref()),
        ("--log-format", format),
        ("--idle-exit", args.idle_exit.as_deref()),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?.to_owned()]));
    given.flatten().chain(args.replace.then(|| "--replace".to_owned())).collect()
}

/// Has the child outlive the terminal that it was started from.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    // A group of its own: Ctrl-C in the terminal is not meant for it.
    command.process_group(0);
}

/// Has the child outlive the terminal that it was started from.
#[cfg(windows)]
fn apart(command: &mut Command) {
    use std::os::windows::process::CommandExt as _;
    const DETACHED_PROCESS: u32 = 0x8;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}
