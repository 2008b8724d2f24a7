//! A client: goes to the servers of a plan and tells the story with each.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rmcp::model::ProtocolVersion;
use rmcp::service::{ClientInitializeError, RoleClient, RunningService};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientLifecycleMode, ClientServiceExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::report::{Miss, Report};
use crate::story::{Telling, tell};
use crate::visitor::Visitor;

/// How many steps of progress may wait to be heard.
const STEPS: usize = 16;

/// Goes to every server in turn; `is_auto` has it find out whether there is a revision without a handshake.
pub(crate) async fn visit(plan: &Value, is_auto: bool) -> Result<(), String> {
    // The SDK's HTTP client wants to know it, although nothing is encrypted here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let story = Arc::new(plan["story"].clone());
    for target in plan["targets"].as_array().into_iter().flatten() {
        let mut report = Report::default();
        let revision = one(target, &story, is_auto, &mut report).await;
        println!("{}", json!({ "cell": target["cell"], "revision": revision, "checks": report.checks }));
    }
    Ok(())
}

async fn one(target: &Value, story: &Arc<Value>, is_auto: bool, report: &mut Report) -> String {
    let (steps, heard) = mpsc::channel(STEPS);
    let asked = Arc::new(Mutex::new(Value::Null));
    let visitor = Visitor { story: Arc::clone(story), steps, asked: Arc::clone(&asked) };
    let mut connected = None;
    let connecting = async {
        connected = Some(connect(visitor, target, is_auto).await?);
        Ok(String::new())
    };
    report.check("handshake", connecting).await;
    let Some(client) = connected else { return String::new() };
    let revision = client.peer_info().map(|server| server.protocol_version.to_string()).unwrap_or_default();
    let is_deaf =
        target["direct"] == true && target["server"] == "ts2" && target["url"].is_string() && !is_auto;
    let telling = Telling { client: &client, target, story, asked: &asked, is_deaf };
    tell(telling, heard, report).await;
    let closing = async {
        client.cancel().await?;
        Ok(String::new())
    };
    report.check("close", closing).await;
    revision
}

async fn connect(
    visitor: Visitor,
    target: &Value,
    is_auto: bool,
) -> Result<RunningService<RoleClient, Visitor>, Miss> {
    let lifecycle = if is_auto {
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        ClientLifecycleMode::Auto { preferred_versions, legacy_version: None }
    } else {
        ClientLifecycleMode::Initialize
    };
    let connected: Result<_, ClientInitializeError> = if let Some(url) = target["url"].as_str() {
        let mut config = StreamableHttpClientTransportConfig::with_uri(url);
        if let Some(token) =
            target["headers"]["Authorization"].as_str().and_then(|is| is.strip_prefix("Bearer "))
        {
            config = config.auth_header(token);
        }
        let transport = StreamableHttpClientTransport::from_config(config);
        visitor.serve_with_lifecycle(transport, lifecycle).await
    } else {
        let mut command = tokio::process::Command::new(target["command"].as_str().unwrap_or_default());
        command.args(target["args"].as_array().into_iter().flatten().filter_map(Value::as_str));
        for (name, value) in target["env"].as_object().into_iter().flatten() {
            command.env(name, value.as_str().unwrap_or_default());
        }
        let (transport, _) = TokioChildProcess::builder(command).stderr(Stdio::null()).spawn()?;
        visitor.serve_with_lifecycle(transport, lifecycle).await
    };
    connected.map_err(Miss::from)
}
