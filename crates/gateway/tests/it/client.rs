//! A client at its end of a session.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use switchboard_gateway::mailbox::{Letter, Mailbox};
use switchboard_gateway::{Extra, Received, Session};

/// Nothing takes so long, unless it never ends. Nothing is measured by it.
const GUARD: Duration = Duration::from_secs(3600);

/// A client. All that is for it comes into one mailbox, as over a pipe.
pub(crate) struct Client {
    pub(crate) session: Arc<Session>,
    mail: Arc<Mailbox>,
    /// What came while something else was waited for.
    early: VecDeque<String>,
}

impl Client {
    /// Returns a client that has said nothing.
    pub(crate) fn new(session: Arc<Session>) -> Self {
        let mail = session.outlet();
        Self { session, mail, early: VecDeque::new() }
    }

    /// Shakes hands.
    pub(crate) async fn greet(&mut self, capabilities: &str) {
        let params = format!(
            r#"{{"protocolVersion":"2025-11-25","capabilities":{capabilities},"clientInfo":{{"name":"c","version":"1"}}}}"#
        );
        self.ask("\"hello\"", "initialize", &params);
        let answer = self.answer("\"hello\"").await;
        assert!(answer.contains("\"protocolVersion\":\"2025-11-25\""), "{answer}");
        self.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    }

    /// Says one message.
    pub(crate) fn say(&self, message: &str) -> Received {
        let bytes = Bytes::copy_from_slice(message.as_bytes());
        self.session.receive(&bytes, &self.mail, &Extra::default())
    }

    /// Asks something.
    pub(crate) fn ask(&self, id: &str, method: &str, params: &str) {
        self.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
    }

    /// Calls a tool.
    pub(crate) fn call(&self, id: &str, tool: &str, arguments: &str) {
        self.ask(id, "tools/call", &format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#));
    }

    /// Waits for the next message, whatever it is.
    pub(crate) async fn next(&mut self) -> String {
        if let Some(early) = self.early.pop_front() {
            return early;
        }
        self.fresh().await
    }

    async fn fresh(&self) -> String {
        let next = tokio::time::timeout(GUARD, self.mail.next()).await;
        let letter: Option<Letter> = next.expect("something comes");
        let letter = letter.expect("the mailbox is open");
        String::from_utf8(letter.bytes.to_vec()).expect("UTF-8")
    }

    /// Waits for the first message like this; others are kept.
    pub(crate) async fn find(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        if let Some(at) = self.early.iter().position(|line| is_it(line)) {
            return self.early.remove(at).unwrap_or_default();
        }
        loop {
            let line = self.fresh().await;
            if is_it(&line) {
                return line;
            }
            self.early.push_back(line);
        }
    }

    /// Waits for the answer to a request.
    pub(crate) async fn answer(&mut self, id: &str) -> String {
        self.find(|line| is_answer(line) && id_of(line) == id).await
    }

    /// Waits for a request or notification of this method.
    pub(crate) async fn told(&mut self, method: &str) -> String {
        let method = format!("\"method\":\"{method}\"");
        self.find(|line| line.contains(&method)).await
    }

    /// Calls a tool, and returns the text that it answers, or the reason of a failure: `!lost`.
    pub(crate) async fn outcome(&mut self, id: &str, tool: &str, arguments: &str) -> String {
        self.call(id, tool, arguments);
        let answer = self.answer(id).await;
        outcome(&answer)
    }

    /// Returns the names of the tools that are listed.
    pub(crate) async fn tools(&mut self) -> Vec<String> {
        self.ask("\"list\"", "tools/list", "{}");
        let answer: Value = serde_json::from_str(&self.answer("\"list\"").await).expect("JSON");
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools in {answer}"));
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Returns what has come and nobody asked for, without waiting.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        let mut rest: Vec<String> = self.early.drain(..).collect();
        while let Some(letter) = self.mail.take() {
            rest.push(String::from_utf8(letter.bytes.to_vec()).expect("UTF-8"));
        }
        rest
    }
}

/// Returns the id of a message, as it is written.
pub(crate) fn id_of(line: &str) -> &str {
    #[derive(serde::Deserialize)]
    struct Id<'m> {
        #[serde(borrow)]
        id: &'m serde_json::value::RawValue,
    }
    serde_json::from_str::<Id<'_>>(line).map(|message| message.id.get()).unwrap_or_default()
}

/// Returns whether a message is an answer.
fn is_answer(line: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Message {
        method: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Message>(line).is_ok_and(|message| message.method.is_none())
}

/// Returns the text of an answer, or the reason of a failure: `!lost`. What else there is may be as deep as it likes.
pub(crate) fn outcome(answer: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Answer {
        #[serde(default)]
        result: Option<Said>,
        #[serde(default)]
        error: Value,
    }
    #[derive(serde::Deserialize)]
    struct Said {
        #[serde(default)]
        content: Vec<Part>,
    }
    #[derive(serde::Deserialize)]
    struct Part {
        text: String,
    }
    let answer: Answer = serde_json::from_str(answer).expect("JSON");
    if let Some(part) = answer.result.and_then(|said| said.content.into_iter().next()) {
        return part.text;
    }
    match answer.error["data"]["gateway"]["reason"].as_str() {
        Some(reason) => format!("!{reason}"),
        None => format!("!{}", answer.error),
    }
}
