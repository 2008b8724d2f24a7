//! A server with what the story needs, of all revisions that the SDK knows.

// The stateless revision asks in another way, and the SDK keeps these for the others.
#![expect(deprecated, reason = "sampling is a part of the revisions with a handshake")]

use std::io;
use std::path::Path;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
    ErrorCode, ErrorData, GetPromptRequestParams, GetPromptResponse, GetPromptResult, Implementation,
    InputRequiredResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer, ServiceExt as _};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::calls::Calls;

/// Serves over its own streams, until the input ends.
pub(crate) async fn stdio(story: Value, calls: &Path) -> Result<(), String> {
    let server =
        Server::new(story, calls).serve(rmcp::transport::stdio()).await.map_err(|error| error.to_string())?;
    server.waiting().await.map_err(|error| error.to_string())?;
    Ok(())
}

/// Takes a port that is free, says its address, and serves until the process is ended.
pub(crate) async fn http(story: Value, calls: &Path) -> Result<(), String> {
    let server = Server::new(story, calls);
    let make = move || Ok(server.clone());
    let service = StreamableHttpService::new(
        make,
        Arc::new(LocalSessionManager::default()),
        StreamableHttpServerConfig::default(),
    );
    let serve = async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}/mcp", listener.local_addr()?);
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await?;
            let service = TowerToHyperService::new(service.clone());
            connections.spawn(async move {
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await
            });
            while connections.try_join_next().is_some() {}
        }
    };
    let served: io::Result<()> = serve.await;
    served.map_err(|error| error.to_string())
}

#[derive(Clone)]
struct Server {
    story: Arc<Value>,
    calls: Calls,
}

impl Server {
    fn new(story: Value, calls: &Path) -> Self {
        Self { story: Arc::new(story), calls: Calls::new(calls) }
    }

    /// Asks the client for something, as the revision has it: in a result, or by a request of its own.
    async fn ask(
        &self,
        question: Value,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Result<Value, CallToolResponse>, ErrorData> {
        if let Some(answer) = request.input_responses.as_ref().and_then(|responses| responses.get("answer")) {
            return Ok(Ok(answer.clone()));
        }
        if context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28) {
            let requests = of(json!({ "answer": question }))?;
            return Ok(Err(InputRequiredResult::new(Some(requests), None).into()));
        }
        let params = question["params"].clone();
        let answer = if question["method"] == "elicitation/create" {
            let answer = context.peer.create_elicitation(of(params)?).await;
            answer.map(|answer| serde_json::to_value(answer).unwrap_or_default())
        } else {
            let answer = context.peer.create_message(of(params)?).await;
            answer.map(|answer| serde_json::to_value(answer).unwrap_or_default())
        };
        answer.map(Ok).map_err(|error| ErrorData::internal_error(error.to_string(), None))
    }

    async fn count(
        &self,
        key: &str,
        steps: u64,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let token = context.meta.get_progress_token();
        let token = token.ok_or_else(|| ErrorData::invalid_params("a token is missing", None))?;
        for step in 1..=steps {
            let params: ProgressNotificationParam =
                of(json!({ "progressToken": token, "progress": step, "total": steps }))?;
            let sent = context.peer.notify_progress(params).await;
            sent.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            self.calls.until_heard(key, step).await;
        }
        Ok(())
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_prompts()
            .enable_completions()
            .build();
        let mut info = ServerConfig::new(capabilities).with_instructions(text(&self.story["instructions"]));
        info.server_info = Implementation::new("rmcp", text(&self.story["version"]));
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &str, properties: Value| {
            let needed: Vec<&String> = properties.as_object().into_iter().flat_map(|of| of.keys()).collect();
            let schema = json!({ "type": "object", "properties": properties, "required": needed });
            json!({ "name": name, "inputSchema": schema })
        };
        let (string, integer) = (json!({ "type": "string" }), json!({ "type": "integer" }));
        let mut add = tool("add", json!({ "a": integer, "b": integer }));
        add["outputSchema"] =
            json!({ "type": "object", "properties": { "sum": integer }, "required": ["sum"] });
        result(json!({ "tools": [
            tool("echo", json!({ "text": string })),
            add,
            tool("fail", json!({})),
            tool("count", json!({ "key": string, "steps": integer })),
            tool("heard", json!({ "key": string })),
            tool("slow", json!({ "key": string })),
            tool("state", json!({ "key": string })),
            tool("ask", json!({})),
            tool("sample", json!({})),
        ] }))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = json!(request.arguments);
        let key = text(&arguments["key"]);
        let says = match request.name.as_ref() {
            "echo" => text(&arguments["text"]).to_owned(),
            "add" => {
                let number = |name: &str| arguments[name].as_i64().unwrap_or_default();
                let sum = number("a") + number("b");
                let told = json!({
                    "content": [{ "type": "text", "text": sum.to_string() }],
                    "structuredContent": { "sum": sum },
                });
                return result::<CallToolResult>(told).map(Into::into);
            }
            "fail" => {
                let content = json!([{ "type": "text", "text": "it fails as asked" }]);
                return result::<CallToolResult>(json!({ "content": content, "isError": true }))
                    .map(Into::into);
            }
            "count" => {
                let steps = arguments["steps"].as_u64().unwrap_or_default();
                self.count(key, steps, &context).await?;
                format!("counted to {steps} by {}", std::process::id())
            }
            "heard" => {
                self.calls.heard(key).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
                format!("heard by {}", std::process::id())
            }
            "slow" => {
                let ended = self.calls.slow(key, context.ct.cancelled()).await;
                let ended = ended.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
                if ended { "ended" } else { "cancelled" }.to_owned()
            }
            "state" => self.calls.state(key),
            "ask" => {
                let properties = json!({ "colour": { "type": "string" } });
                let schema = json!({ "type": "object", "properties": properties, "required": ["colour"] });
                let params = json!({ "mode": "form", "message": "what colour?", "requestedSchema": schema });
                let question = json!({ "method": "elicitation/create", "params": params });
                match self.ask(question, &request, &context).await? {
                    Ok(answer) => {
                        format!("{}: {}", text(&answer["action"]), text(&answer["content"]["colour"]))
                    }
                    Err(asks) => return Ok(asks),
                }
            }
            "sample" => {
                let content = json!({ "type": "text", "text": "say a line" });
                let params = json!({ "messages": [{ "role": "user", "content": content }], "maxTokens": 10 });
                let question = json!({ "method": "sampling/createMessage", "params": params });
                match self.ask(question, &request, &context).await? {
                    Ok(answer) => format!("sampled: {}", text(&answer["content"]["text"])),
                    Err(asks) => return Ok(asks),
                }
            }
            other => return Err(ErrorData::invalid_params(format!("there is no {other}"), None)),
        };
        result::<CallToolResult>(json!({ "content": [{ "type": "text", "text": says }] })).map(Into::into)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        result(json!({ "resources": [
            { "uri": "note://text", "name": "text", "mimeType": "text/plain" },
            { "uri": "note://blob", "name": "blob", "mimeType": "application/octet-stream" },
        ] }))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        result(json!({ "resourceTemplates": [{ "uriTemplate": "item://{id}", "name": "item" }] }))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri.as_str();
        let content = match uri.split_once("://") {
            Some(("note", "text")) => json!({ "mimeType": "text/plain", "text": self.story["note"] }),
            Some(("note", "blob")) => {
                json!({ "mimeType": "application/octet-stream", "blob": self.story["blob"] })
            }
            Some(("item", id)) => json!({ "text": format!("item {id}") }),
            _ => {
                return Err(ErrorData::new(
                    ErrorCode::RESOURCE_NOT_FOUND,
                    format!("there is no {uri}"),
                    None,
                ));
            }
        };
        let mut content = content;
        content["uri"] = json!(uri);
        result::<ReadResourceResult>(json!({ "contents": [content] })).map(Into::into)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        result(
            json!({ "prompts": [{ "name": "greet", "arguments": [{ "name": "name", "required": true }] }] }),
        )
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let hello = format!("hello {}", text(&json!(request.arguments)["name"]));
        let message = json!({ "role": "user", "content": { "type": "text", "text": hello } });
        result::<GetPromptResult>(json!({ "messages": [message] })).map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let names = self.story["names"].as_array().into_iter().flatten();
        let fitting: Vec<&Value> =
            names.filter(|name| text(name).starts_with(&request.argument.value)).collect();
        result(json!({ "completion": { "values": fitting } }))
    }
}

/// A result from its JSON, with the word that it is complete, which the SDK's own constructors put there: where the
/// revision has no such word, it is taken out again.
fn result<T: DeserializeOwned>(mut value: Value) -> Result<T, ErrorData> {
    value["resultType"] = json!("complete");
    of(value)
}

/// What the SDK makes of JSON: its own types are made for growing, and longer to write.
fn of<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
