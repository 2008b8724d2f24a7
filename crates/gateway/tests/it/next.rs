//! A pipe that has had another gateway before: its client is told of what is another now, and of nothing else.

use bytes::Bytes;
use serde_json::{Value, json};
use switchboard_gateway::face::Face;
use switchboard_gateway::serve::pipe::{KNOWN, LEAVING, converse};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::stage::{House, Wire, named, server};

/// The client's end of a pipe.
struct Pipe {
    input: DuplexStream,
    output: BufReader<DuplexStream>,
    leave: oneshot::Sender<()>,
    /// Dropped, it ends the conversation.
    _tasks: JoinSet<()>,
}

impl Pipe {
    /// Returns a pipe to a gateway whose server has these tools.
    async fn to(tools: &'static [&'static str]) -> Self {
        let house =
            House::new(move |_, mut wire: Wire| async move { while wire.ordinary(tools).await.is_some() {} });
        house.serve(server("a", "1")).await.unwrap();
        let session = house.gateway.session(Face::server(named("a")), None).unwrap();
        let (input, theirs) = tokio::io::duplex(1 << 16);
        let (ours, output) = tokio::io::duplex(1 << 16);
        let (leave, left) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            converse(session, theirs, ours, Bytes::new(), async { drop(left.await) }).await;
            drop(house);
        });
        Self { input, output: BufReader::new(output), leave, _tasks: tasks }
    }

    async fn say(&mut self, message: Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn hello(&mut self) {
        let client = json!({ "name": "c", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        self.say(json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params })).await;
        assert_eq!(self.hear().await["id"], 0);
    }

    async fn ready(&mut self) {
        self.say(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    }
}

#[tokio::test(start_paused = true)]
async fn lists_that_are_as_they_were_are_no_news() {
    let mut first = Pipe::to(&["one"]).await;
    first.hello().await;
    first.ready().await;
    first.leave.send(()).unwrap();
    let mut line = String::new();
    first.output.read_line(&mut line).await.unwrap();
    let leaving: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(leaving["method"], LEAVING);
    for (tools, told) in [(&["one"][..], &[][..]), (&["one", "two"], &["notifications/tools/list_changed"])] {
        let mut next = Pipe::to(tools).await;
        next.hello().await;
        next.say(json!({ "jsonrpc": "2.0", "method": KNOWN, "params": leaving["params"] })).await;
        next.ready().await;
        next.say(json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })).await;
        let mut heard = Vec::new();
        loop {
            let message = next.hear().await;
            if message["id"] == 1 {
                break;
            }
            heard.push(message["method"].as_str().unwrap().to_owned());
        }
        assert_eq!(heard, told, "{tools:?}");
    }
    // Whoever says nothing that can be understood is told of everything.
    let mut next = Pipe::to(&["one"]).await;
    next.hello().await;
    next.say(json!({ "jsonrpc": "2.0", "method": KNOWN, "params": { "lists": [1, "?", null, "AA=="] } }))
        .await;
    next.say(json!({ "jsonrpc": "2.0", "method": KNOWN, "params": { "lists": ["?", null, "AA==", null] } }))
        .await;
    next.ready().await;
    for list in ["tools", "prompts", "resources"] {
        assert_eq!(next.hear().await["method"], format!("notifications/{list}/list_changed"));
    }
}
