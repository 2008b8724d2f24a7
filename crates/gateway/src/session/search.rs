//! Tools of the gateway's own: three that stand for a list too long to be told, and one that reloads by hand.

use std::sync::Arc;

use serde_json::{Value, json};
use switchboard_core::mcp::revision::Era;
use switchboard_core::search::{Entry, search};

use super::{Request, Session, reply, reply_error};
use crate::envelope::{Envelope, Params, text};
use crate::object::Object;
use crate::offer::Sort;
use crate::trouble::{INVALID_PARAMS, error};
use crate::view::View;

/// Finds tools by words.
const SEARCH: &str = "tool_search";
/// Tells all about one.
const DESCRIBE: &str = "tool_describe";
/// Calls one.
const CALL: &str = "tool_call";
/// Has the gateway look at its files again.
const RELOAD: &str = "switchboard_reload";

/// So many are found where nothing else is said, and at the most.
const FOUND: (usize, usize) = (10, 50);

impl Session {
    /// Returns the tools of the gateway's own that this session is offered.
    fn own_tools(&self) -> Vec<Value> {
        let mut tools = Vec::new();
        if self.face.search {
            let name =
                json!({ "type": "string", "description": "The name of the tool, as tool_search tells it" });
            tools.push(json!({
                "name": SEARCH,
                "description": "Finds tools by words in their names and descriptions. Look here first: there are more tools than are listed.",
                "inputSchema": { "type": "object", "required": ["query"], "properties": {
                    "query": { "type": "string", "description": "What is to be done, in a few words" },
                    "limit": { "type": "integer", "minimum": 1, "maximum": FOUND.1, "description": "How many at the most" },
                }},
                "annotations": { "readOnlyHint": true },
            }));
            tools.push(json!({
                "name": DESCRIBE,
                "description": "Tells everything about one tool: what it does, and which arguments it takes.",
                "inputSchema": { "type": "object", "required": ["name"], "properties": { "name": name } },
                "annotations": { "readOnlyHint": true },
            }));
            tools.push(json!({
                "name": CALL,
                "description": "Calls one tool, with the arguments that tool_describe tells.",
                "inputSchema": { "type": "object", "required": ["name"], "properties": {
                    "name": name,
                    "arguments": { "type": "object", "description": "The arguments of that tool" },
                }},
            }));
        }
        if self.face.is_joint() && self.gateway.options().reload_tool {
            tools.push(json!({
                "name": RELOAD,
                "description": "Has Switchboard look at its catalogue and settings again, and take over what changed.",
                "inputSchema": { "type": "object" },
                "annotations": { "idempotentHint": true },
            }));
        }
        tools
    }

    /// Returns the list of tools where the gateway has some of its own in it.
    pub(super) fn list_with_own(&self, view: &View, sort: Sort, era: Era) -> Option<Vec<u8>> {
        let own = self.own_tools();
        if sort != Sort::Tools || own.is_empty() {
            return None;
        }
        let mut items: Vec<bytes::Bytes> = own.iter().map(|tool| tool.to_string().into()).collect();
        if !self.face.search {
            items.extend(view.items(Sort::Tools).iter().cloned());
        }
        Some(crate::view::body(Sort::Tools, &items, era).to_vec())
    }

    /// Answers a call to a tool of the gateway's own; `false` where it is none.
    pub(super) fn call_own(self: &Arc<Self>, request: &Request<'_>) -> bool {
        if request.method != "tools/call" || !(self.face.search || self.gateway.options().reload_tool) {
            return false;
        }
        let Some(name) = text(request.params.name) else { return false };
        let params =
            request.envelope.params.and_then(|params| Object::read(params.get())).unwrap_or_default();
        let given = params.member("arguments").and_then(Object::read).unwrap_or_default();
        match &*name {
            SEARCH if self.face.search => self.search(request, &given),
            DESCRIBE if self.face.search => self.describe(request, &given),
            CALL if self.face.search => self.call_found(request, &given),
            RELOAD if self.face.is_joint() && self.gateway.options().reload_tool => {
                self.gateway.launcher.reload();
                self.say(request, "everything is looked at again", None);
            }
            _ => return false,
        }
        true
    }

    fn search(self: &Arc<Self>, request: &Request<'_>, given: &Object<'_>) {
        let Some(query) = word(given, "query") else { return self.lacks(request, "query") };
        let limit =
            given.member("limit").and_then(|limit| limit.parse().ok()).unwrap_or(FOUND.0).clamp(1, FOUND.1);
        let view = self.view(&request.caller);
        let tools: Vec<(String, String)> = view.items(Sort::Tools).iter().filter_map(described).collect();
        let entries = tools.iter().map(|(name, description)| Entry { name, text: description });
        let found: Vec<Value> = search(entries, &query, limit)
            .into_iter()
            .filter_map(|at| tools.get(at))
            .map(|(name, description)| json!({ "name": name, "description": description }))
            .collect();
        let told = json!({ "tools": found });
        self.say(request, &told.to_string(), Some(&told));
    }

    fn describe(self: &Arc<Self>, request: &Request<'_>, given: &Object<'_>) {
        let Some(name) = word(given, "name") else { return self.lacks(request, "name") };
        let view = self.view(&request.caller);
        let tool = view
            .items(Sort::Tools)
            .iter()
            .find(|item| described(item).is_some_and(|(known, _)| known == name));
        if let Some(tool) = tool.and_then(|tool| std::str::from_utf8(tool).ok()) {
            self.say(request, tool, None);
        } else {
            let what = format!("Unknown tool: {name}");
            reply_error(request.id, request.mail, &error(INVALID_PARAMS, &what, None));
        }
    }

    /// Calls the tool that was found: the message goes on as if it had been called by its name.
    fn call_found(self: &Arc<Self>, request: &Request<'_>, given: &Object<'_>) {
        let Some(name) = given.member("name") else { return self.lacks(request, "name") };
        let params = request.envelope.params.map_or("{}", |params| params.get());
        let mut params = Object::read(params).unwrap_or_default();
        params.set("name", name);
        match given.member("arguments") {
            Some(arguments) => params.set("arguments", arguments),
            None => drop(params.remove("arguments")),
        }
        let bytes = crate::message::request(request.id.get(), request.method, Some(&params.to_string()));
        let Ok(envelope) = Envelope::read(&bytes) else { return };
        let params = Params::read(envelope.params);
        let meta = params.meta();
        let Some(id) = envelope.id else { return };
        self.pass_on(&Request {
            id,
            method: request.method,
            envelope: &envelope,
            params: &params,
            meta: &meta,
            mail: request.mail,
            extra: request.extra,
            caller: Arc::clone(&request.caller),
            begun: request.begun,
        });
    }

    fn lacks(&self, request: &Request<'_>, argument: &str) {
        debug_assert!(self.face.search, "only this face has these tools");
        let what = format!("the argument `{argument}` is missing");
        let result = json!({ "content": [{ "type": "text", "text": what }], "isError": true });
        reply(request.id, request.mail, shaped(result, request.caller.era).to_string().as_bytes());
    }

    fn say(&self, request: &Request<'_>, text: &str, structured: Option<&Value>) {
        debug_assert!(self.face.is_joint() || self.face.search, "only these faces have tools of our own");
        let mut result = json!({ "content": [{ "type": "text", "text": text }] });
        if let Some(structured) = structured {
            result["structuredContent"] = structured.clone();
        }
        reply(request.id, request.mail, shaped(result, request.caller.era).to_string().as_bytes());
    }
}

fn shaped(mut result: Value, era: Era) -> Value {
    if era == Era::Modern {
        result["resultType"] = "complete".into();
    }
    result
}

fn word(given: &Object<'_>, name: &str) -> Option<String> {
    serde_json::from_str(given.member(name)?).ok()
}

/// Returns the name and the description of a tool.
fn described(item: &bytes::Bytes) -> Option<(String, String)> {
    let object = Object::read(std::str::from_utf8(item).ok()?)?;
    let name = serde_json::from_str(object.member("name")?).ok()?;
    let description = object.member("description").and_then(|text| serde_json::from_str(text).ok());
    Some((name, description.unwrap_or_default()))
}
