//! The doors: where the daemon is reached, opened and closed as the settings say.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use switchboard_core::problem::Problem;
use switchboard_core::settings::{Http, Settings};
use switchboard_gateway::Gateway;
use switchboard_host::dirs::Dirs;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::bus::Bus;
use super::desk::Desk;
use super::react::DRAIN;
use crate::api::door::{self, Door, Grace, Opened};
use crate::api::{Api, Visits};
use crate::cli::{AuthArg, Serve};
use crate::fail::{Code, Failure};

/// What is open.
pub(crate) struct Doors {
    handle: Handle,
    api: Api,
    desk: Desk,
    control: Control,
    web: Gate,
    /// The settings that the doors on the network were opened by.
    http: Http,
    bus: Bus,
    /// Ends every stream, when the daemon is about to end.
    drain: CancellationToken,
    /// What is to be known of the doors on the network.
    warnings: Vec<Problem>,
    /// Why they are not as the settings ask.
    refused: Option<Problem>,
    /// How long those who are inside have to end, when the daemon does.
    grace: Grace,
    /// Another daemon has the sockets by now.
    #[cfg(unix)]
    passed_on: bool,
}

/// Doors that are attended.
struct Gate {
    addresses: Vec<SocketAddr>,
    drain: CancellationToken,
    attended: JoinHandle<()>,
    /// The sockets once more, to be passed on.
    #[cfg(unix)]
    sockets: Vec<std::os::fd::OwnedFd>,
}

#[cfg(unix)]
type Control = (Gate, Option<switchboard_host::socket::ControlSocket>);
#[cfg(not(unix))]
type Control = ();

/// The settings, as far as the command line says otherwise.
pub(crate) fn overridden(http: &Http, args: &Serve) -> Http {
    let auth = args.auth.map(|auth| match auth {
        AuthArg::Token => "token".to_owned(),
        AuthArg::None => "none".to_owned(),
    });
    Http {
        listen: args.listen.clone().unwrap_or_else(|| http.listen.clone()),
        auth: auth.unwrap_or_else(|| http.auth.clone()),
    }
}

impl Doors {
    /// Opens the control socket and the doors on the network, or takes over those that the system opened for us. A daemon
    /// that is `passing` has come for those at the control socket, and one that has taken another's place has to be there
    /// for those who were with that one: it does without the others, says so, and tries again when it reads the settings
    /// again.
    ///
    /// # Errors
    /// A door cannot be opened: the failure names the flag that helps.
    pub(crate) fn first(
        handle: &Handle,
        http: Http,
        dirs: &Dirs,
        desk: Desk,
        gateway: Gateway,
        passing: bool,
        passed: Passed,
    ) -> Result<Self, Failure> {
        let _inside = handle.enter();
        let grace = Grace::new(DRAIN);
        let drain = CancellationToken::new();
        let api = Api::new(desk.clone(), gateway, dirs.tokens(), drain.clone());
        let stays = passing || passed.by_daemon;
        let opened = match passed.web {
            // Those of another daemon are taken where they are the ones that are asked for.
            web if web.is_empty() || (passed.by_daemon && !door::are_asked_for(&web, &http)) => {
                drop(web);
                door::open(&http)
            }
            web => door::given(web, &http),
        };
        let (opened, http, refused) = match opened {
            Ok(opened) => (opened, http, None),
            Err(failure) if stays => {
                let nothing = Opened { doors: Vec::new(), warnings: Vec::new() };
                (nothing, Http { listen: String::new(), ..http }, Some(problem(failure)))
            }
            Err(failure) => return Err(failure),
        };
        #[cfg(unix)]
        let control = control(handle, &api, dirs, passed.control, &grace)?;
        #[cfg(not(unix))]
        let control = ();
        let (web, warnings) = attend(handle, &api, opened, &grace);
        let (handle, bus) = (handle.clone(), Bus::default());
        let doors = Self {
            handle,
            api,
            desk,
            control,
            web,
            http,
            bus,
            drain,
            warnings,
            refused,
            grace,
            #[cfg(unix)]
            passed_on: false,
        };
        doors.tell();
        Ok(doors)
    }

    /// Returns who is there, at any of the doors.
    pub(crate) fn visits(&self) -> &Arc<Visits> {
        self.api.visits()
    }

    /// Returns the address on the network; `None` where there is none.
    pub(crate) fn address(&self) -> Option<String> {
        self.web.addresses.first().map(SocketAddr::to_string)
    }

    fn tell(&self) {
        if let Some(address) = self.address() {
            info!("listening on http://{address}");
        }
    }

    /// Opens other doors where the settings ask for others; where they cannot be opened, the old ones stay.
    pub(crate) fn open(&mut self, settings: &Settings) {
        let handle = self.handle.clone();
        let _inside = handle.enter();
        self.bus.follow(&self.handle, &settings.client_sync, &self.desk);
        self.refused = None;
        if settings.http == self.http {
            return;
        }
        let opened = if settings.http.listen == self.http.listen {
            // Who may come in is decided at each request, by the settings of that moment.
            door::judged(&settings.http, &self.web.addresses).map(|warnings| self.warnings = warned(warnings))
        } else {
            self.move_to(&settings.http)
        };
        match opened {
            Ok(()) => self.http = settings.http.clone(),
            Err(failure) => {
                self.refused = Some(problem(failure));
            }
        }
    }

    /// Opens the doors that are asked for, then closes the old ones; the other way round where the old ones are in the way
    /// of the new, being of the same port.
    fn move_to(&mut self, http: &Http) -> Result<(), Failure> {
        let port = |http: &Http| http.listen.rsplit_once(':').map(|(_, port)| port.to_owned());
        match door::open(http) {
            Ok(opened) => self.attend(opened),
            Err(failure) if failure.code == Code::Failed && port(http) == port(&self.http) => {
                self.web.drain.cancel();
                #[cfg(unix)]
                self.web.sockets.clear();
                match self.open_once_free(http) {
                    Ok(opened) => self.attend(opened),
                    Err(failure) => {
                        if let Ok(opened) = self.open_once_free(&self.http) {
                            self.attend(opened);
                        }
                        return Err(failure);
                    }
                }
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Opens doors as soon as those that were closed a moment ago are.
    fn open_once_free(&self, http: &Http) -> Result<Opened, Failure> {
        const TRIES: usize = 100;
        const PAUSE: Duration = Duration::from_millis(5);
        self.handle.block_on(async {
            let mut opened = door::open(http);
            for _ in 0..TRIES {
                if opened.is_ok() {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
                opened = door::open(http);
            }
            opened
        })
    }

    /// Returns whether the control socket is found where everybody looks for it. One that the system holds is its own.
    pub(crate) fn are_in_place(&self) -> bool {
        #[cfg(unix)]
        return self.control.1.as_ref().is_none_or(switchboard_host::socket::ControlSocket::is_in_place);
        #[cfg(not(unix))]
        true
    }

    /// Makes the control socket anew, after somebody has taken it away. Whoever came in by the old one stays.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn put_back(&mut self, dirs: &Dirs) -> Result<(), Failure> {
        #[cfg(unix)]
        {
            let handle = self.handle.clone();
            let _inside = handle.enter();
            let fresh = control(&self.handle, &self.api, dirs, None, &self.grace)?;
            std::mem::replace(&mut self.control, fresh).0.drain.cancel();
        }
        #[cfg(not(unix))]
        let _ = dirs;
        Ok(())
    }

    fn attend(&mut self, opened: Opened) {
        let (web, warnings) = attend(&self.handle, &self.api, opened, &self.grace);
        std::mem::replace(&mut self.web, web).drain.cancel();
        self.warnings = warnings;
        self.tell();
    }

    /// Returns what is wrong with the doors, or to be known of them.
    pub(crate) fn problems(&self) -> Vec<(String, Problem)> {
        let doors =
            self.warnings.iter().chain(&self.refused).map(|problem| ("[http]".to_owned(), problem.clone()));
        let bus = self.bus.problem().map(|problem| ("[client_sync] dbus_notify".to_owned(), problem));
        doors.chain(bus).collect()
    }

    /// Passes the sockets on to another daemon: whoever knocks from now on waits until that one opens.
    #[cfg(unix)]
    pub(crate) fn pass_on(&mut self, heir: &std::os::unix::net::UnixStream) {
        let (control, socket) = &self.control;
        super::succession::pass_on(heir, control.sockets.first(), socket.is_some(), &self.web.sockets);
        self.passed_on = true;
    }

    /// Lets nobody in any more: streams end, pipes go elsewhere, and requests under way have `grace` to end.
    pub(crate) fn leave(&mut self, grace: Duration) {
        self.grace.set(grace);
        self.drain.cancel();
        self.bus.end();
        self.web.drain.cancel();
        #[cfg(unix)]
        {
            self.control.0.drain.cancel();
            self.control.0.sockets.clear();
            self.web.sockets.clear();
            if self.passed_on
                && let Some(socket) = self.control.1.take()
            {
                socket.leave();
            }
        }
    }

    /// Waits until those who are inside have gone, but not for longer than `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) {
        let attended = async {
            let _ = (&mut self.web.attended).await;
            #[cfg(unix)]
            let _ = (&mut self.control.0.attended).await;
        };
        let _ = self.handle.block_on(async { tokio::time::timeout(limit, attended).await });
    }

    /// Closes all doors, after everybody was told to leave.
    pub(crate) fn close(mut self) {
        if !self.web.attended.is_finished() {
            // Each gate has its own time to end in; this is only so that nothing can hang.
            self.wait(DRAIN * 2);
        }
    }
}

/// Lets requests in by these doors.
fn attend(handle: &Handle, api: &Api, opened: Opened, grace: &Grace) -> (Gate, Vec<Problem>) {
    let Opened { doors, warnings } = opened;
    let addresses = doors.iter().filter_map(Door::address).collect();
    #[cfg(unix)]
    let sockets = doors.iter().filter_map(|door| door.socket().ok()).collect();
    let drain = CancellationToken::new();
    let attended = handle.spawn(door::serve(doors, api.clone(), drain.clone(), grace.clone()));
    let gate = Gate {
        addresses,
        drain,
        attended,
        #[cfg(unix)]
        sockets,
    };
    (gate, warned(warnings))
}

/// Returns what is told of doors that cannot be opened.
fn problem(failure: Failure) -> Problem {
    warn!(error = failure.sentence(), "a door is not opened");
    let problem = Problem::error(failure.sentence());
    match failure.hints.into_iter().next() {
        Some(hint) => problem.help(hint),
        None => problem,
    }
}

fn warned(warnings: Vec<String>) -> Vec<Problem> {
    for warning in &warnings {
        warn!("{warning}");
    }
    warnings.into_iter().map(Problem::warning).collect()
}

#[cfg(unix)]
fn control(
    handle: &Handle,
    api: &Api,
    dirs: &Dirs,
    passed: Option<(std::os::unix::net::UnixListener, bool)>,
    grace: &Grace,
) -> Result<Control, Failure> {
    use switchboard_host::socket::ControlSocket;

    let failed = |error: std::io::Error| Failure::failed("open the control socket").caused_by(&error);
    let (listener, socket) = if let Some((listener, is_ours)) = passed {
        let socket = if is_ours { ControlSocket::adopt(&dirs.control_socket()).ok() } else { None };
        (listener, socket)
    } else {
        let (listener, socket) = ControlSocket::bind(&dirs.control_socket()).map_err(|error| {
            Failure::failed("open the control socket").caused_by(&error).hint(error.help())
        })?;
        (listener, Some(socket))
    };
    listener.set_nonblocking(true).map_err(failed)?;
    let listener = tokio::net::UnixListener::from_std(listener).map_err(failed)?;
    let opened = Opened { doors: vec![Door::Control(listener)], warnings: Vec::new() };
    Ok((attend(handle, api, opened, grace).0, socket))
}

/// Sockets that somebody else opened: the system before it started us, or a daemon whose place this one takes.
#[derive(Default)]
pub(crate) struct Passed {
    web: Vec<std::net::TcpListener>,
    /// The control socket, and whether its file is ours to remove.
    #[cfg(unix)]
    control: Option<(std::os::unix::net::UnixListener, bool)>,
    by_daemon: bool,
}

impl Passed {
    /// Returns those of another daemon: the control socket first, whose file is ours from now on where it `is_own`.
    #[cfg(unix)]
    pub(super) fn from_daemon(sockets: Vec<std::os::fd::OwnedFd>, is_own: bool) -> Self {
        let mut sockets = sockets.into_iter();
        let control = sockets.next().map(|socket| (socket.into(), is_own));
        Self { control, web: sockets.map(Into::into).collect(), by_daemon: true }
    }

    /// Returns whether the system has opened doors for this daemon, and keeps them for whoever it starts next.
    pub(super) fn by_system(&self) -> bool {
        #[cfg(unix)]
        let control = self.control.is_some();
        #[cfg(not(unix))]
        let control = false;
        !self.by_daemon && (control || !self.web.is_empty())
    }

    /// Returns those of the system.
    #[cfg(unix)]
    pub(super) fn take() -> Self {
        let mut passed = Self::default();
        let mut sockets = listenfd::ListenFd::from_env();
        for at in 0..sockets.len() {
            if let Ok(Some(listener)) = sockets.take_tcp_listener(at) {
                passed.web.push(listener);
            } else if let Ok(Some(listener)) = sockets.take_unix_listener(at) {
                passed.control = Some((listener, false));
            }
        }
        passed
    }

    /// Returns those of the system.
    #[cfg(not(unix))]
    pub(super) fn take() -> Self {
        Self::default()
    }
}
