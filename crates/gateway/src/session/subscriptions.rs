//! Subscriptions: to resources, in a session; to lists and resources, by one long request of a modern client.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;
use switchboard_core::mcp::public_uri::public_uri;
use switchboard_core::name::ServerName;
use tokio::sync::oneshot;

use super::news::notifications;
use super::target::no_resource;
use super::{Request, Session, reply, reply_error};
use crate::caller::Caller;
use crate::envelope::{Envelope, text};
use crate::mailbox::{Letter, Mailbox};
use crate::message;
use crate::object::Object;
use crate::offer::Sort;
use crate::public;
use crate::slot::{Agreed, Slot, updated};
use crate::trouble::{INVALID_PARAMS, error};
use crate::view::Route;

/// So many resources may one client subscribe to.
const MOST: usize = 10_000;

/// So many listening requests may one conversation have.
const MOST_STREAMS: usize = 64;

/// The member of `_meta` that names the listening request.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A listening request of a modern client.
pub(super) struct Stream {
    id: Box<RawValue>,
    mail: Arc<Mailbox>,
    caller: Arc<Caller>,
    tools: bool,
    prompts: bool,
    resources: bool,
    uris: HashSet<String>,
    seen: Mutex<[[u8; 32]; 4]>,
}

impl Session {
    /// `resources/subscribe` and `resources/unsubscribe`.
    pub(super) fn subscribe(self: &Arc<Self>, request: &Request<'_>) {
        let uri = text(request.params.uri).map(std::borrow::Cow::into_owned);
        let view = self.view(&request.caller);
        let owner = uri.as_deref().and_then(|uri| Some((uri, view.owner(uri)?)));
        let Some((uri, route)) = owner else {
            let none = no_resource(request.caller.era, &uri.unwrap_or_default());
            return reply_error(request.id, request.mail, &none);
        };
        let Some((generation, _)) = view.servers.get(route.server) else { return };
        let slot = generation.slot(&self.gateway, &request.caller, self.id, self.root.as_ref());
        slot.enter(self);
        let own = route.own.unwrap_or_else(|| uri.to_owned());
        let begins = request.method == "resources/subscribe";
        {
            let mut subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
            if begins && subscribed.len() >= MOST {
                drop(subscribed);
                let what = "too many subscriptions";
                return reply_error(request.id, request.mail, &error(INVALID_PARAMS, what, None));
            }
            if begins {
                subscribed.insert(uri.to_owned())
            } else {
                subscribed.remove(uri)
            };
        }
        if !begins {
            slot.unsubscribe(self.id, &own);
            return reply(request.id, request.mail, b"{}");
        }
        let (session, mail, id) = (Arc::clone(self), Arc::clone(request.mail), request.id.to_owned());
        let uri = uri.to_owned();
        let agreed = slot.subscribe(self.id, &[own]).pop();
        self.answer_later(async move {
            match agreed_to(agreed).await {
                Ok(()) => reply(&id, &mail, b"{}"),
                Err(error) => {
                    session.subscribed.lock().unwrap_or_else(PoisonError::into_inner).remove(&uri);
                    reply_error(&id, &mail, &error);
                }
            }
        });
    }

    /// `subscriptions/listen`: acknowledged at once with what will be told, and answered at its end.
    pub(super) fn subscribe_all(self: &Arc<Self>, request: &Request<'_>) {
        let params = request.envelope.params.map_or("{}", RawValue::get);
        let params = Object::read(params).unwrap_or_default();
        let filter = params.member("notifications").or(params.member("filter")).and_then(Object::read);
        let filter = filter.unwrap_or_default();
        let wants = |name: &str| filter.member(name) == Some("true");
        let uris: Option<HashSet<String>> =
            filter.member("resourceSubscriptions").and_then(|list| serde_json::from_str(list).ok());
        let view = self.view(&request.caller);
        let stream = Arc::new(Stream {
            id: request.id.to_owned(),
            mail: Arc::clone(request.mail),
            caller: Arc::clone(&request.caller),
            tools: wants("toolsListChanged"),
            prompts: wants("promptsListChanged"),
            resources: wants("resourcesListChanged"),
            uris: uris.unwrap_or_default().into_iter().filter(|uri| view.owner(uri).is_some()).collect(),
            seen: Mutex::new(Sort::ALL.map(|sort| view.hash(sort))),
        });
        {
            let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
            if streams.len() >= MOST_STREAMS {
                drop(streams);
                let what = "too many listening requests";
                return reply_error(request.id, request.mail, &error(INVALID_PARAMS, what, None));
            }
            streams.push(Arc::clone(&stream));
        }
        stream.acknowledge();
        self.gateway.enter(self);
        let mut by_server: HashMap<usize, Vec<String>> = HashMap::new();
        for uri in &stream.uris {
            if let Some(Route { server, own, .. }) = view.owner(uri) {
                by_server.entry(server).or_default().push(own.unwrap_or_else(|| uri.clone()));
            }
        }
        for (owner, uris) in by_server {
            let Some((generation, _)) = view.servers.get(owner) else { continue };
            let slot = generation.slot(&self.gateway, &request.caller, self.id, self.root.as_ref());
            slot.enter(self);
            // What cannot be subscribed to is not told; the lists still are.
            drop(slot.subscribe(self.id, &uris));
        }
    }

    /// Tells listening requests of lists that have changed.
    pub(super) fn stream_news(self: &Arc<Self>) {
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for stream in streams {
            let view = self.view(&stream.caller);
            let changed: Vec<Sort> = {
                let mut seen = stream.seen.lock().unwrap_or_else(PoisonError::into_inner);
                let changed: Vec<Sort> =
                    Sort::ALL.into_iter().filter(|sort| seen[sort.at()] != view.hash(*sort)).collect();
                for sort in &changed {
                    seen[sort.at()] = view.hash(*sort);
                }
                changed
            };
            let wanted: Vec<Sort> = changed.into_iter().filter(|sort| stream.wants(*sort)).collect();
            for method in notifications(&wanted) {
                stream.tell(method, None);
            }
        }
    }

    /// A resource of a server's has changed; `bytes` is its notification. Tells whoever subscribed to it, by whatever
    /// address.
    pub(crate) fn resource_updated(&self, server: &ServerName, own: &str, bytes: &Bytes) {
        if !self.face.is_joint() {
            return self.tell_updated(own, bytes);
        }
        // Another server may have the address, which is then theirs.
        if self.who_wants(own).iter().any(|caller| self.leads(own, caller, server)) {
            self.tell_updated(own, bytes);
        }
        let public = public_uri(server.as_str(), own);
        if let Some(bytes) = public::updated(bytes, &public) {
            self.tell_updated(&public, &bytes.into());
        }
    }

    fn tell_updated(&self, uri: &str, bytes: &Bytes) {
        let subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner).contains(uri);
        if subscribed {
            self.outlet().put(Letter { bytes: bytes.clone(), last: false });
        }
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for stream in streams.iter().filter(|stream| stream.uris.contains(uri)) {
            let params = Envelope::read(bytes)
                .ok()
                .and_then(|envelope| envelope.params.map(|raw| raw.get().to_owned()));
            stream.tell("notifications/resources/updated", params.as_deref());
        }
    }

    /// Returns who it was that asked for the changes of a resource.
    fn who_wants(&self, uri: &str) -> Vec<Arc<Caller>> {
        let subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner).contains(uri);
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let listen = streams.iter().filter(|stream| stream.uris.contains(uri));
        let callers = listen.map(|stream| Arc::clone(&stream.caller));
        subscribed.then(|| self.caller()).into_iter().chain(callers).collect()
    }

    /// Returns whether an address leads to this server, which has it as it is.
    fn leads(&self, uri: &str, caller: &Caller, server: &ServerName) -> bool {
        let view = self.view(caller);
        let route = view.owner(uri).filter(|route| route.own.is_none());
        route.and_then(|route| view.servers.get(route.server)).is_some_and(|(one, _)| one.name == *server)
    }

    /// Ends all listening requests, with their answers.
    pub(super) fn end_streams(&self) {
        let streams = std::mem::take(&mut *self.streams.lock().unwrap_or_else(PoisonError::into_inner));
        for stream in streams {
            stream.end();
        }
    }

    /// Ends the listening request of this id, if there is one.
    pub(super) fn end_stream(&self, id: &str) {
        let ended = {
            let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
            let at = streams.iter().position(|stream| stream.id.get() == id);
            at.map(|at| streams.remove(at))
        };
        let Some(ended) = ended else { return };
        let wanted: HashSet<String> = self.wanted().into_iter().map(|(uri, _)| uri).collect();
        for uri in ended.uris.difference(&wanted) {
            if let Some((slot, own)) = self.slot_of(uri, &ended.caller) {
                slot.unsubscribe(self.id, &own);
            }
        }
    }

    /// A new version of a server knows nothing of who subscribed to what at the one before: that is asked for again, and
    /// what changed meanwhile is told as a change (requirement C7).
    pub(super) fn subscribe_again(self: &Arc<Self>) {
        for (uri, caller) in self.wanted() {
            let place = self.slot_of(&uri, &caller);
            let Some((slot, own)) = place.filter(|(slot, own)| !slot.tells(self.id, own)) else { continue };
            slot.enter(self);
            let session = Arc::clone(self);
            let agreed = slot.subscribe(self.id, &[own]).pop();
            self.gateway.tasks.spawn(async move {
                if agreed_to(agreed).await.is_ok() {
                    session.tell_updated(&uri, &updated(&uri));
                }
            });
        }
    }

    /// Returns all resources that the client wants to hear of, each with who it was that asked.
    fn wanted(&self) -> Vec<(String, Arc<Caller>)> {
        let subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let of_streams = streams
            .iter()
            .flat_map(|stream| stream.uris.iter().map(|uri| (uri.clone(), Arc::clone(&stream.caller))));
        subscribed.into_iter().map(|uri| (uri, self.caller())).chain(of_streams).collect()
    }

    /// Returns the connection to the server that has a resource, and what that server calls it.
    fn slot_of(&self, uri: &str, caller: &Arc<Caller>) -> Option<(Arc<Slot>, String)> {
        let view = self.view(caller);
        let route = view.owner(uri)?;
        let (generation, _) = view.servers.get(route.server)?;
        let slot = generation.slot(&self.gateway, caller, self.id, self.root.as_ref());
        Some((slot, route.own.unwrap_or_else(|| uri.to_owned())))
    }
}

/// Waits for a server's word; without one, it has gone.
async fn agreed_to(agreed: Option<oneshot::Receiver<Agreed>>) -> Agreed {
    let gone = || Err(error(crate::trouble::INTERNAL_ERROR, "the server is not served any more", None));
    match agreed {
        Some(agreed) => agreed.await.unwrap_or_else(|_| gone()),
        None => gone(),
    }
}

impl Stream {
    fn wants(&self, sort: Sort) -> bool {
        match sort {
            Sort::Tools => self.tools,
            Sort::Prompts => self.prompts,
            Sort::Resources | Sort::Templates => self.resources,
        }
    }

    fn acknowledge(&self) {
        let mut honoured = serde_json::Map::new();
        for (name, wanted) in [
            ("toolsListChanged", self.tools),
            ("promptsListChanged", self.prompts),
            ("resourcesListChanged", self.resources),
        ] {
            if wanted {
                honoured.insert(name.to_owned(), true.into());
            }
        }
        if !self.uris.is_empty() {
            honoured.insert("resourceSubscriptions".to_owned(), json!(self.uris));
        }
        let params = json!({ "notifications": honoured }).to_string();
        self.tell("notifications/subscriptions/acknowledged", Some(&params));
    }

    /// Tells something, under the id of the listening request.
    fn tell(&self, method: &str, params: Option<&str>) {
        let mut params = params.and_then(Object::read).unwrap_or_default();
        let before = params.member("_meta").map(str::to_owned);
        let mut meta = before.as_deref().and_then(Object::read).unwrap_or_default();
        meta.set(SUBSCRIPTION, self.id.get());
        let meta = meta.to_string();
        params.set("_meta", meta);
        let bytes = message::notification(method, Some(&params.to_string()));
        self.mail.put(Letter { bytes, last: false });
    }

    fn end(&self) {
        let result = format!(r#"{{"resultType":"complete","_meta":{{"{SUBSCRIPTION}":{}}}}}"#, self.id.get());
        self.mail.put(Letter { bytes: message::result(self.id.get(), result.as_bytes()), last: true });
    }
}
