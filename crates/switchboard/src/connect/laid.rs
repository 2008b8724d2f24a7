//! A pipe from a client to the daemon, laid and looked after.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use switchboard_host::dirs::Dirs;

use super::door::{Door, Knock, Refusal, Target};
use super::pump::{Pump, Reach};
use super::wake::Waker;
use crate::fail::{Code, Failure};

/// How long a daemon is waited for that is being started.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait before looking again whether it is there.
const PAUSE: Duration = Duration::from_millis(5);

/// Is the pipe between our standard streams and what `target` names, until the client ends it.
///
/// The daemon of the home in `dirs` is started where none answers.
///
/// # Errors
/// There is no daemon and none can be started, or it does not know the target. Nothing was written to standard output
/// then, unless the daemon was there before.
pub(crate) fn lay(target: &Target, dirs: Dirs) -> Result<(), Failure> {
    let root = std::env::current_dir().ok();
    let door = Door::new(dirs.control_socket(), target, root.as_deref());
    let (what, server) = match target {
        Target::Server(name) => (format!("connect to `{}`", name.escape_debug()), Some(name.clone())),
        Target::Joint { profile: None, .. } => ("connect to all servers".to_owned(), None),
        Target::Joint { profile: Some(name), .. } => {
            (format!("connect to the profile `{}`", name.escape_debug()), None)
        }
    };
    let mut way = Way { what, door, waker: None, dirs, has_renewed: false };
    let first = way.first()?;
    let ends = (rustix::stdio::stdin(), rustix::stdio::stdout());
    Pump::new(ends, first, server, way).run()
}

/// The way to the daemon of a home.
struct Way {
    /// What cannot be done without it.
    what: String,
    door: Door,
    waker: Option<Waker>,
    dirs: Dirs,
    /// A newer daemon was had started in the place of an older one.
    has_renewed: bool,
}

impl Way {
    /// Reaches the daemon for the first time.
    fn first(&mut self) -> Result<(UnixStream, Vec<u8>), Failure> {
        let mut begun = None;
        loop {
            if let Some(reached) = self.attempt()? {
                return Ok(reached);
            }
            if begun.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                return Err(Failure::unreachable(&*self.what)
                    .because(format!("the daemon is not ready after {} s", PATIENCE.as_secs()))
                    .hint(format!("see what it says: {}", self.dirs.log().display())));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Tries once, and has a daemon started where there is none.
    fn attempt(&mut self) -> Result<Option<(UnixStream, Vec<u8>)>, Failure> {
        match self.door.knock() {
            Knock::Open(stream, came, is_older) => {
                if let Some(mut waker) = self.waker.take() {
                    waker.is_up();
                }
                if is_older && !std::mem::replace(&mut self.has_renewed, true) {
                    // This one says when it goes; until then everything goes by it. One that stays is good enough, too.
                    Waker::renew();
                }
                Ok(Some((stream, came)))
            }
            Knock::Nobody => {
                let waker = self.waker.get_or_insert_with(|| Waker::new(self.dirs.clone()));
                waker.wake().map(|()| None)
            }
            Knock::Refused(refusal) => Err(refused(&self.what, refusal)),
            Knock::Failed(error) => Err(Failure::unreachable(&*self.what).caused_by(&error)),
        }
    }
}

impl Reach for Way {
    type Refused = Failure;

    fn reach(&mut self) -> Result<Option<(UnixStream, Vec<u8>)>, Failure> {
        match self.attempt() {
            // The client stays: what cannot be started now may be in a while.
            Err(failure) if failure.code == Code::Unreachable => Ok(None),
            attempt => attempt,
        }
    }
}

/// Puts a refusal in our words.
fn refused(what: &str, refusal: Refusal) -> Failure {
    let code = match refusal.status {
        404 => Code::Usage,
        409 => Code::Conflict,
        500.. => Code::Unreachable,
        _ => Code::Failed,
    };
    let why = refusal.detail.unwrap_or_else(|| format!("the daemon answered with status {}", refusal.status));
    // The sentence may name what failed by itself.
    let why = why.strip_prefix(&format!("failed to {what}: ")).unwrap_or(&why).to_owned();
    let failure = Failure::new(code, what).because(why);
    refusal.hints.into_iter().fold(failure, Failure::hint)
}
