//! From the start of a command to the first list of tools.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::options::{FirstList, Http, Options};
use super::pipe::Pipe;
use super::session::Session;
use super::tally::Tally;
use super::{Fault, check};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// How often it is tried.
const PAUSE: Duration = Duration::from_micros(200);

pub(super) async fn run(options: &Options, plan: &FirstList) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    let begin = Instant::now();
    if let Some(url) = &options.url {
        let http = options.parse(url)?;
        let (program, args) = plan.command.split_first().ok_or(Fault::Failed("no command".to_owned()))?;
        let mut command = Command::new(program);
        // Nobody reads what it logs, and it must not wait for that.
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Running(command.spawn()?);
        let done = ready(&http, plan.tools, &mut running, begin).await;
        tally.add(&done);
    } else {
        let names = Pipe::open(&plan.command).and_then(|mut pipe| {
            let names = pipe.tools()?;
            Ok((names, begin.elapsed()))
        });
        tally.add(&names.and_then(|(names, time)| {
            check::whole(&names, plan.tools)?;
            Ok(time)
        }));
    }
    tally.whole = begin.elapsed();
    Ok(tally)
}

/// Asks until there is a whole list.
async fn ready(http: &Http, tools: usize, running: &mut Running, begin: Instant) -> Result<Duration, Fault> {
    loop {
        let done = match Session::open(http).await {
            Ok(mut session) => session.tools().await.map(|(_, names)| names),
            Err(fault) => Err(fault),
        };
        let time = begin.elapsed();
        let whole = done.and_then(|names| check::whole(&names, tools));
        if let Ok(Some(status)) = running.0.try_wait() {
            return Err(Fault::Failed(format!("the command ended with {status}")));
        }
        match whole {
            Ok(()) => return Ok(time),
            Err(fault) if time > LIMIT => return Err(fault),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// A command that is told to end with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            // So that it can put away what it has; only if it does not, it is ended the hard way.
            let group = rustix::process::Pid::from_child(&self.0);
            let _ = rustix::process::kill_process(group, rustix::process::Signal::TERM);
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_secs(5) {
                if !matches!(self.0.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
