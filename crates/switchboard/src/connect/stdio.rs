//! A server that is a child process.

use std::fs::OpenOptions;
use std::io;

use switchboard_host::child::{ChildError, Ended, Prepared, Signals, Standby, adopt_orphans, end_all, wait};
use switchboard_host::resolve::ServerCommand;

use super::{ConnectError, Context};

pub(super) fn run(
    server: &str,
    command: &ServerCommand,
    context: &Context<'_>,
    guard: Result<Standby, ChildError>,
) -> Result<u8, ConnectError> {
    let child = |source| ConnectError::Child { server: server.to_owned(), source };
    let setup = |source| ConnectError::Setup { server: server.to_owned(), source };
    let prepared =
        Prepared::new(server, command, context.resolver.environment, context.grace).map_err(child)?;
    // Before the server is started, so that no signal comes too early.
    let mut signals = Signals::take().map_err(setup)?;
    adopt_orphans().map_err(setup)?;
    let guarded = guard.and_then(|guard| guard.order(&prepared)).map_err(child)?;
    drop(prepared);
    let_go_of_output().map_err(setup)?;
    match wait(guarded, &mut signals, context.grace) {
        Err(ChildError::GuardLost) => {
            // What the guard watched over is ours now.
            end_all(context.grace.after_signal);
            Err(child(ChildError::GuardLost))
        }
        ended => ended.map(Ended::code).map_err(child),
    }
}

/// Closes our copy of standard output: the client must see the end of it when the server closes its own.
fn let_go_of_output() -> io::Result<()> {
    let nothing = OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nothing).map_err(io::Error::from)
}
