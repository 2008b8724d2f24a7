//! Where servers are played: each launch of a child is one run of a script at the other end of three pipes. Remote
//! servers are where they say.

mod wire;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use switchboard_core::catalogue::Server;
use switchboard_core::launch::Launch;
use switchboard_core::name::ServerName;
use switchboard_gateway::face::Face;
use switchboard_gateway::{Child, Forgetful, Gateway, Keeper, LaunchError, Launched, Launcher, Options};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::client::Client;

pub(crate) use wire::{Heard, Wire, list, ordinary};

/// What a pipe holds before the writer has to wait.
const PIPE: usize = 64 << 10;

/// What a played server does with its life.
type Script = Arc<dyn Fn(Server, Wire) -> BoxFuture<'static, ()> + Send + Sync>;

/// The launcher, which knows how often it was asked for what.
pub(crate) struct Stage {
    script: Script,
    launches: Mutex<Vec<String>>,
    running: Arc<Running>,
}

/// How many played servers run, and how many did at most, of one name.
#[derive(Default)]
struct Running(Mutex<BTreeMap<String, (usize, usize)>>);

impl Stage {
    /// Returns the names of the servers that were launched, in order; each with its first argument.
    pub(crate) fn launches(&self) -> Vec<String> {
        self.launches.lock().unwrap().clone()
    }

    /// Returns how many of a name run now, and how many did at most at one time.
    pub(crate) fn running(&self, name: &str) -> (usize, usize) {
        self.running.0.lock().unwrap().get(name).copied().unwrap_or_default()
    }
}

impl Launcher for Stage {
    fn launch<'a>(
        &'a self,
        server: &'a Server,
        root: Option<&'a Path>,
    ) -> BoxFuture<'a, Result<Launched, LaunchError>> {
        let args = match &server.launch {
            Launch::Stdio { args, .. } => args,
            Launch::Remote { kind, url, headers } => {
                let (kind, url) = (*kind, url.clone());
                let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                return Box::pin(async move { Ok(Launched::Remote { kind, url, headers }) });
            }
        };
        let mark = args.first().cloned().unwrap_or_default();
        self.launches.lock().unwrap().push(format!("{} {mark}", server.name));
        let what = "there is no such program".to_owned();
        // As the real one: a project is put into its place, or there is none.
        let lacks = root.is_none() && args.iter().any(|arg| arg.contains("${root}"));
        if mark == "absent" || lacks {
            return Box::pin(async { Err(LaunchError { what, help: None }) });
        }
        let (stdin, input) = tokio::io::duplex(PIPE);
        let (output, stdout) = tokio::io::duplex(PIPE);
        let (errors, stderr) = tokio::io::duplex(PIPE);
        let wire = Wire::new(input, output, errors);
        let (over, heard) = oneshot::channel();
        let life = Life::begin(Arc::clone(&self.running), server.name.as_str());
        let play = (self.script)(server.clone(), wire);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            play.await;
            drop(life);
            drop(over);
        });
        Box::pin(async move {
            Ok(Launched::Child(Child {
                stdin: Box::pin(stdin),
                stdout: Box::pin(stdout),
                stderr: Box::pin(stderr),
                // Like a real one: nobody may ask it again once it has said how it ended.
                ended: async move {
                    let _: Result<(), _> = heard.await;
                    "it ended with code 1".to_owned()
                }
                .boxed(),
                pid: Arc::default(),
                // Dropped, it ends the task.
                hold: Box::new(tasks),
            }))
        })
    }
}

/// Counts a played server for as long as it runs.
struct Life(Arc<Running>, String);

impl Life {
    fn begin(running: Arc<Running>, name: &str) -> Self {
        {
            let mut all = running.0.lock().unwrap();
            let (now, most) = all.entry(name.to_owned()).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        Self(running, name.to_owned())
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().get_mut(&self.1).unwrap().0 -= 1;
    }
}

/// A gateway in front of played servers.
pub(crate) struct House {
    pub(crate) gateway: Gateway,
    pub(crate) stage: Arc<Stage>,
    table: Mutex<BTreeMap<String, (Arc<Server>, String)>>,
}

impl House {
    /// Returns a gateway whose servers do what the script says.
    pub(crate) fn new<F: Future<Output = ()> + Send + 'static>(
        script: impl Fn(Server, Wire) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::with(Arc::new(Forgetful), script)
    }

    /// Returns the same for servers that something is known of already.
    pub(crate) fn with<F: Future<Output = ()> + Send + 'static>(
        keeper: Arc<dyn Keeper>,
        script: impl Fn(Server, Wire) -> F + Send + Sync + 'static,
    ) -> Self {
        let script: Script = Arc::new(move |server, wire| script(server, wire).boxed());
        let stage = Arc::new(Stage { script, launches: Mutex::default(), running: Arc::default() });
        let launcher: Arc<dyn Launcher> = Arc::<Stage>::clone(&stage);
        let gateway = Gateway::new(Handle::current(), launcher, keeper);
        gateway.set_options(Options { drain: std::time::Duration::from_secs(20), ..Options::default() });
        Self { gateway, stage, table: Mutex::default() }
    }

    /// Puts a server in service as the daemon does: started beside, published once it has come up, the one before
    /// retired. Returns how it came up; where it did not, what was in service stays.
    pub(crate) async fn serve(&self, server: Server) -> Result<(), String> {
        let (server, version) = versioned(server);
        let (told, mut heard) = mpsc::channel(1);
        let on = move |how| drop(told.try_send(how));
        self.gateway.start(Arc::clone(&server), version.clone(), on);
        let came = heard.recv().await.expect("it is told");
        if came.is_err() {
            self.gateway.retire(&server.name, &version);
            return came;
        }
        let before = self.table.lock().unwrap().insert(server.name.to_string(), (server, version.clone()));
        self.publish();
        if let Some((server, old)) = before.filter(|(_, old)| *old != version) {
            self.gateway.retire(&server.name, &old);
        }
        came
    }

    /// Takes a server out of service.
    pub(crate) fn remove(&self, name: &str) {
        let before = self.table.lock().unwrap().remove(name);
        self.publish();
        if let Some((server, version)) = before {
            self.gateway.retire(&server.name, &version);
        }
    }

    /// Says again what is in service.
    pub(crate) fn publish(&self) {
        let table: Vec<_> = self.table.lock().unwrap().values().cloned().collect();
        self.gateway.publish(&table, BTreeMap::new());
    }

    /// Returns a client of this face that has shaken hands.
    pub(crate) async fn client(&self, face: Face, capabilities: &str) -> Client {
        let mut client = Client::new(self.gateway.session(face, None).expect("room for a session"));
        client.greet(capabilities).await;
        client
    }
}

/// Returns a server with what tells it from other versions of it.
pub(crate) fn versioned(server: Server) -> (Arc<Server>, String) {
    let version = format!("{} {:?}", server.launch.fingerprint(), server.isolation);
    (Arc::new(server), version)
}

/// Returns a server of this name; its one argument tells versions apart.
pub(crate) fn server(name: &str, mark: &str) -> Server {
    Server::new(named(name), Launch::stdio("played", [mark]))
}

/// Returns the name of a server.
pub(crate) fn named(name: &str) -> ServerName {
    name.to_owned().try_into().expect("a name")
}

/// Returns the argument that tells versions of a server apart.
pub(crate) fn mark(server: &Server) -> String {
    let Launch::Stdio { args, .. } = &server.launch else { panic!("only children are played") };
    args.first().cloned().unwrap_or_default()
}

/// Counts.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    /// Counts one more, and returns how many there were before.
    pub(crate) fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    /// Returns how many there are.
    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}
