//! The client as a server sees it: who it is, and what it answers.

#![expect(deprecated, reason = "sampling is a part of the revisions with a handshake")]

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ErrorData, Implementation, ProgressNotificationParam,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Answers what it is asked from the story.
pub(crate) struct Visitor {
    pub(crate) story: Arc<Value>,
    /// Where steps of progress go.
    pub(crate) steps: mpsc::Sender<ProgressNotificationParam>,
    /// What it was asked last.
    pub(crate) asked: Arc<Mutex<Value>>,
}

impl Visitor {
    fn asked(&self, question: &Value) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = question.clone();
    }
}

impl ClientHandler for Visitor {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder().enable_elicitation().enable_sampling().build();
        ClientConfig::new(capabilities, Implementation::new("rmcp", "0"))
    }

    async fn on_progress(&self, step: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        // Nobody counts any more: so be it.
        let _ = self.steps.send(step).await;
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.asked(&json!(request)["message"]);
        of(json!({ "action": "accept", "content": { "colour": self.story["colour"] } }))
    }

    async fn create_message(
        &self,
        request: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let content = &json!(request)["messages"][0]["content"];
        // One part, or a list of one.
        let part = if content.is_array() { &content[0] } else { content };
        self.asked(&part["text"]);
        let content = json!({ "type": "text", "text": self.story["line"] });
        of(json!({ "role": "assistant", "model": "none", "content": content }))
    }
}

fn of<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}
