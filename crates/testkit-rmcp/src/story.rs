//! The story that every client tells with every server.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, GetPromptRequestParams, ProgressNotificationParam,
    ReadResourceRequestParams,
};
use rmcp::service::{PeerRequestOptions, RequestHandle, RoleClient, RunningService, ServiceError};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::report::{Checked, Miss, Report, must, same};
use crate::visitor::Visitor;

/// Between two looks at what a server knows of a call.
const PAUSE: Duration = Duration::from_millis(10);

/// Who tells the story with whom.
pub(crate) struct Telling<'t> {
    pub(crate) client: &'t RunningService<RoleClient, Visitor>,
    pub(crate) target: &'t Value,
    pub(crate) story: &'t Value,
    pub(crate) asked: &'t Mutex<Value>,
    /// The server has no sessions in this revision.
    pub(crate) is_deaf: bool,
}

/// Tells the story, check after check.
pub(crate) async fn tell(
    with: Telling<'_>,
    mut heard: mpsc::Receiver<ProgressNotificationParam>,
    report: &mut Report,
) {
    report.check("connect", async { with.connect() }).await;
    report.check("tools", with.tools()).await;
    report.check("echo", with.echo()).await;
    report.check("lone", async { Err(Miss::Skipped("Rust has no half of a character in a text")) }).await;
    report.check("add", with.add()).await;
    report.check("fail", with.fail()).await;
    report.check("unknown", async { refusal(with.call("there-is-none", json!({})).await) }).await;
    report.check("elicit", with.question("ask", "what colour?", "accept: ", "colour")).await;
    report.check("sample", with.question("sample", "say a line", "sampled: ", "line")).await;
    let mut processes = Vec::new();
    report.check("progress", with.progress(&mut heard, &mut processes)).await;
    report.check("together", async { together(&processes) }).await;
    report.check("cancel", with.cancel()).await;
    report.check("cancelled", with.cancelled()).await;
    report.check("resources", with.resources()).await;
    report.check("template", with.template()).await;
    report.check("missing", async { refusal(with.read("note://none").await) }).await;
    report.check("prompts", with.prompts()).await;
    report.check("complete", with.complete()).await;
}

impl Telling<'_> {
    fn connect(&self) -> Checked {
        let server = json!(self.client.peer_info());
        let info = &server["serverInfo"];
        let is = json!([info["name"], info["version"]]);
        same(&is, &json!([self.target["server"], self.story["version"]]), "the server")?;
        same(&server["instructions"], &self.story["instructions"], "instructions")?;
        nothing()
    }

    async fn tools(&self) -> Checked {
        let tools = json!(self.client.list_tools(None).await?);
        let tools: Vec<&Value> = tools["tools"].as_array().into_iter().flatten().collect();
        let tool =
            |name: &str| tools.iter().copied().find(|tool| tool["name"] == name).unwrap_or(&Value::Null);
        let text = &tool("echo")["inputSchema"]["properties"]["text"]["type"];
        same(text, &json!("string"), "what `echo` takes")?;
        let sum = &tool("add")["outputSchema"]["properties"]["sum"]["type"];
        same(sum, &json!("integer"), "what `add` gives")?;
        let mut names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        names.sort_unstable();
        Ok(names.join(" "))
    }

    async fn echo(&self) -> Checked {
        let half = self.story["length"].as_u64().unwrap_or_default() / 2;
        let long = "é\n".repeat(usize::try_from(half).unwrap_or_default());
        let texts = self.story["texts"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for said in texts.chain([long.as_str()]) {
            let echo = text(&self.call("echo", json!({ "text": said })).await?);
            same(&json!(echo), &json!(said), "the echo")?;
        }
        nothing()
    }

    async fn add(&self) -> Checked {
        let numbers = &self.story["sum"];
        let sum = numbers["a"].as_i64().unwrap_or_default() + numbers["b"].as_i64().unwrap_or_default();
        let result = self.call("add", numbers.clone()).await?;
        same(&result["structuredContent"], &json!({ "sum": sum }), "the sum")?;
        nothing()
    }

    async fn fail(&self) -> Checked {
        let result = self.call("fail", json!({})).await?;
        same(&result["isError"], &json!(true), "isError")?;
        let says = text(&result);
        must(says.contains("it fails as asked"), || format!("it says {says}"))?;
        Ok(says)
    }

    async fn progress(
        &self,
        heard: &mut mpsc::Receiver<ProgressNotificationParam>,
        processes: &mut Vec<String>,
    ) -> Checked {
        let steps = &self.story["steps"];
        let call = self.begin("count", json!({ "key": self.key(), "steps": steps })).await?;
        let token = call.progress_token.clone();
        let mut seen = Vec::new();
        let mut result = pin!(call.await_response());
        let result = loop {
            tokio::select! {
                result = &mut result => break result?,
                Some(step) = heard.recv() => {
                    must(step.progress_token == token, || "the token is another".to_owned())?;
                    // Numbers as the SDK has them; the whole ones are compared.
                    seen.push([step.progress, step.total.unwrap_or_default()].map(whole));
                    // The server goes on when it is told that the step was heard of, so that nothing depends on who
                    // is faster.
                    processes.push(process(&self.call("heard", json!({ "key": self.key() })).await?));
                }
            }
        };
        let last = steps.as_u64().unwrap_or_default();
        let expected: Vec<Value> = (1..=last).map(|step| json!([step, last])).collect();
        same(&json!(seen), &json!(expected), "progress before the result")?;
        let says = text(&json!(result));
        must(says.starts_with(&format!("counted to {last} by ")), || format!("the result is {says}"))?;
        processes.push(process(&json!(result)));
        nothing()
    }

    async fn cancel(&self) -> Checked {
        let slow = self.begin("slow", json!({ "key": self.key() })).await?;
        while self.state().await? != "running" {
            tokio::time::sleep(PAUSE).await;
        }
        slow.cancel(None).await?;
        let echo = text(&self.call("echo", json!({ "text": "on" })).await?);
        same(&json!(echo), &json!("on"), "the echo after it")?;
        nothing()
    }

    async fn cancelled(&self) -> Checked {
        if self.is_deaf {
            return Err(Miss::Skipped("a server without sessions cannot tell which call is cancelled"));
        }
        let now = loop {
            match self.state().await?.as_str() {
                "running" => tokio::time::sleep(PAUSE).await,
                other => break other.to_owned(),
            }
        };
        same(&json!(now), &json!("cancelled"), "what the server knows of the call")?;
        nothing()
    }

    async fn resources(&self) -> Checked {
        let resources = json!(self.client.list_resources(None).await?);
        let mut uris = each(&resources["resources"], |one| one["uri"].clone());
        uris.sort_unstable_by_key(ToString::to_string);
        same(&json!(uris), &json!(["note://blob", "note://text"]), "the resources")?;
        let note = &self.read("note://text").await?["contents"][0];
        same(&note["text"], &self.story["note"], "the note")?;
        let blob = &self.read("note://blob").await?["contents"][0];
        same(&blob["blob"], &self.story["blob"], "the blob")?;
        let seen = [&note["uri"], &note["mimeType"], &blob["uri"], &blob["mimeType"]];
        Ok(seen.map(|value| value.as_str().unwrap_or_default()).join(" "))
    }

    async fn template(&self) -> Checked {
        let templates = json!(self.client.list_resource_templates(None).await?);
        let uris = each(&templates["resourceTemplates"], |one| one["uriTemplate"].clone());
        same(&json!(uris), &json!(["item://{id}"]), "the templates")?;
        same(&self.read("item://7").await?["contents"][0]["text"], &json!("item 7"), "the item")?;
        nothing()
    }

    async fn prompts(&self) -> Checked {
        let prompts = json!(self.client.list_prompts(None).await?);
        let named = each(&prompts["prompts"], |one| {
            json!([one["name"], each(&one["arguments"], |argument| argument["name"].clone())])
        });
        same(&json!(named), &json!([["greet", ["name"]]]), "the prompts")?;
        let params: GetPromptRequestParams =
            serde_json::from_value(json!({ "name": "greet", "arguments": { "name": "Ada \"A\" é" } }))?;
        let messages = json!(self.client.get_prompt(params).await?);
        let said = each(&messages["messages"], |one| json!([one["role"], one["content"]["text"]]));
        same(&json!(said), &json!([["user", "hello Ada \"A\" é"]]), "the messages")?;
        nothing()
    }

    async fn complete(&self) -> Checked {
        let completion = self.client.complete_prompt_argument("greet", "name", "a", None).await?;
        same(&json!(completion)["values"], &self.story["names"], "the names")?;
        nothing()
    }

    /// Calls a tool that asks something back.
    async fn question(&self, tool: &str, question: &str, begin: &str, answer: &str) -> Checked {
        if self.is_deaf {
            return Err(Miss::Skipped("a server without sessions cannot ask"));
        }
        let said = text(&self.call(tool, json!({})).await?);
        let expected = format!("{begin}{}", self.story[answer].as_str().unwrap_or_default());
        same(&json!(said), &json!(expected), "the answer")?;
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        same(&asked, &json!(question), "the question")?;
        nothing()
    }

    async fn call(&self, name: &str, arguments: Value) -> Result<Value, ServiceError> {
        self.client.call_tool(params(name, arguments)).await.map(|result| json!(result))
    }

    /// Begins a call that goes on meanwhile.
    async fn begin(&self, name: &str, arguments: Value) -> Result<RequestHandle<RoleClient>, ServiceError> {
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params(name, arguments)));
        self.client.send_cancellable_request(request, PeerRequestOptions::no_options()).await
    }

    async fn state(&self) -> Result<String, ServiceError> {
        Ok(text(&self.call("state", json!({ "key": self.key() })).await?))
    }

    async fn read(&self, uri: &str) -> Result<Value, ServiceError> {
        self.client.read_resource(ReadResourceRequestParams::new(uri)).await.map(|result| json!(result))
    }

    fn key(&self) -> String {
        format!("{}-{}", self.target["key"].as_str().unwrap_or_default(), std::process::id())
    }
}

fn params(name: &str, arguments: Value) -> CallToolRequestParams {
    let params = CallToolRequestParams::new(name.to_owned());
    match arguments {
        Value::Object(arguments) => params.with_arguments(arguments),
        _ => params,
    }
}

/// Who carried out calls that went on at the same time: one process, as long as nothing asks for more.
fn together(processes: &[String]) -> Checked {
    let first = processes.first().ok_or(Miss::Skipped("nothing went on at the same time"))?;
    must(processes.iter().all(|process| process == first), || "several processes carried it out".to_owned())?;
    nothing()
}

/// The process that carried out a call: the last word that it says.
fn process(result: &Value) -> String {
    text(result).rsplit(' ').next().unwrap_or_default().to_owned()
}

/// What a refusal looks like: an error with its code, or a result that says it is one.
fn refusal(asked: Result<impl Serialize, ServiceError>) -> Checked {
    match asked {
        Err(ServiceError::McpError(error)) => Ok(format!("error {}", error.code.0)),
        Err(other) => Err(other.into()),
        Ok(result) => {
            let result = json!(result);
            same(&result["isError"], &json!(true), "isError")?;
            Ok(format!("a result: {}", text(&result)))
        }
    }
}

/// The text of a result of a call.
fn text(result: &Value) -> String {
    each(&result["content"], |part| part["text"].as_str().unwrap_or_default().to_owned()).concat()
}

/// A number without what comes after its point, which it has not.
fn whole(number: f64) -> Value {
    format!("{number:.0}").parse::<u64>().map_or(Value::Null, Value::from)
}

fn each<T>(list: &Value, make: impl Fn(&Value) -> T) -> Vec<T> {
    list.as_array().into_iter().flatten().map(make).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it stands at the end of checks")]
fn nothing() -> Checked {
    Ok(String::new())
}
