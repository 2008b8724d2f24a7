//! Where servers are played: each launch of a child is one run of a script at the other end of three pipes. Remote
//! servers are where they say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use switchboard_core::catalogue::Server;
use switchboard_core::launch::Launch;
use switchboard_core::name::ServerName;
use switchboard_gateway::face::Face;
use switchboard_gateway::{Child, Forgetful, Gateway, Keeper, LaunchError, Launched, Launcher, Options};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::client::Client;

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
        _: Option<&'a Path>,
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
        if mark == "absent" {
            return Box::pin(async { Err(LaunchError { what, help: None }) });
        }
        let (stdin, input) = tokio::io::duplex(PIPE);
        let (output, stdout) = tokio::io::duplex(PIPE);
        let (errors, stderr) = tokio::io::duplex(PIPE);
        let wire = Wire { input: BufReader::new(input), line: Vec::new(), output, errors };
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

/// The server's end of its pipes.
pub(crate) struct Wire {
    input: BufReader<DuplexStream>,
    /// What was read of a line whose end has not come.
    line: Vec<u8>,
    output: DuplexStream,
    errors: DuplexStream,
}

/// One message that a played server heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// The line, as it came.
    pub(crate) line: String,
    /// Its id as it was written; empty for none.
    pub(crate) id: String,
    /// Its method; empty for an answer.
    pub(crate) method: String,
    /// The tool of a call.
    pub(crate) tool: String,
    /// The arguments of a call, as they were written.
    pub(crate) arguments: String,
    /// The token of a call, as it was written.
    pub(crate) token: String,
}

/// A member that says `null` is there.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    serde::Deserialize::deserialize(from).map(Some)
}

impl Heard {
    /// Reads a message.
    pub(crate) fn read(line: String) -> Self {
        #[derive(serde::Deserialize)]
        struct Message<'m> {
            #[serde(borrow, default)]
            id: Option<&'m RawValue>,
            #[serde(default)]
            method: String,
            #[serde(borrow, default)]
            params: Option<Params<'m>>,
        }
        #[derive(Default, serde::Deserialize)]
        struct Params<'m> {
            #[serde(default)]
            name: String,
            #[serde(borrow, default, deserialize_with = "present")]
            arguments: Option<&'m RawValue>,
            #[serde(borrow, default, rename = "_meta")]
            meta: Option<Meta<'m>>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Meta<'m> {
            #[serde(borrow, default)]
            progress_token: Option<&'m RawValue>,
        }
        let message: Message<'_> =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let own = |raw: Option<&RawValue>| raw.map_or_else(String::new, |raw| raw.get().to_owned());
        let params = message.params.unwrap_or_default();
        Self {
            id: own(message.id),
            method: message.method,
            tool: params.name,
            arguments: own(params.arguments),
            token: own(params.meta.and_then(|meta| meta.progress_token)),
            line,
        }
    }

    /// Returns the answer with this result.
    pub(crate) fn result(&self, result: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.id)
    }

    /// Returns the answer with this error.
    pub(crate) fn error(&self, error: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, self.id)
    }

    /// Returns the answer to a call, which says this text.
    pub(crate) fn says(&self, text: &str) -> String {
        self.result(&format!(r#"{{"content":[{{"type":"text","text":{}}}]}}"#, serde_json::json!(text)))
    }
}

impl Wire {
    /// Waits for the next message; nothing once the other end is closed. Whoever stops waiting loses nothing.
    pub(crate) async fn hear(&mut self) -> Option<Heard> {
        self.input.read_until(b'\n', &mut self.line).await.ok()?;
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return None;
        }
        Some(Heard::read(String::from_utf8(line).expect("UTF-8").trim_end().to_owned()))
    }

    /// Says one line, if anybody hears it.
    pub(crate) async fn say(&mut self, line: impl AsRef<[u8]>) {
        let mut line = line.as_ref().to_vec();
        line.push(b'\n');
        self.say_bytes(&line).await;
    }

    /// Says these bytes, which may be no line.
    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        let _ = self.output.write_all(bytes).await;
    }

    /// Says something on standard error.
    pub(crate) async fn complain(&mut self, bytes: &[u8]) {
        let _ = self.errors.write_all(bytes).await;
    }

    /// Closes its output, and nothing else.
    pub(crate) fn fall_silent(&mut self) {
        let (nothing, _) = tokio::io::duplex(1);
        self.output = nothing;
    }

    /// Closes its input, and nothing else.
    pub(crate) fn deafen(&mut self) {
        let (_, nothing) = tokio::io::duplex(1);
        self.input = BufReader::new(nothing);
    }

    /// Answers what every server is asked first, and lists these tools; returns what it does not answer.
    pub(crate) async fn ordinary(&mut self, tools: &[&str]) -> Option<Heard> {
        loop {
            let heard = self.hear().await?;
            if heard.method == "notifications/initialized" {
                continue;
            }
            let Some(answer) = ordinary(&heard, tools) else { return Some(heard) };
            self.say(answer).await;
        }
    }

    /// Answers what every server is asked first, up to its list of these tools.
    pub(crate) async fn comes_up(&mut self, tools: &[&str]) {
        while let Some(heard) = self.hear().await {
            if let Some(answer) = ordinary(&heard, tools) {
                self.say(answer).await;
            }
            if heard.method == "tools/list" {
                return;
            }
        }
    }

    /// Answers calls until its end: a call of any tool says `text`.
    pub(crate) async fn answers(mut self, tools: &[&str], text: &str) {
        while let Some(heard) = self.ordinary(tools).await {
            if heard.method == "tools/call" {
                self.say(heard.says(text)).await;
            }
        }
    }
}

/// Returns what an ordinary server with sessions answers to what every server is asked.
pub(crate) fn ordinary(heard: &Heard, tools: &[&str]) -> Option<String> {
    Some(match heard.method.as_str() {
        "server/discover" => heard.error(r#"{"code":-32601,"message":"no such method"}"#),
        "initialize" => heard.result(GREETING),
        "tools/list" => heard.result(&list(tools)),
        "ping" | "logging/setLevel" => heard.result("{}"),
        _ => return None,
    })
}

/// What an ordinary server answers to `initialize`.
pub(crate) const GREETING: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{}},"serverInfo":{"name":"played","version":"1"}}"#;

/// Returns the list of tools of these names.
pub(crate) fn list(tools: &[&str]) -> String {
    let tool = |name: &&str| format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#);
    format!(r#"{{"tools":[{}]}}"#, tools.iter().map(tool).collect::<Vec<_>>().join(","))
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
