//! Which server a request is for, and what that server calls what it is about.

use serde_json::value::RawValue;

use crate::envelope::{Params, text};
use crate::object::Object;
use crate::offer::Sort;
use crate::trouble::{INVALID_PARAMS, METHOD_NOT_FOUND, error};
use crate::view::{Route, View};

/// Returns the server that a request is for, and what it calls what the request is about; else the error.
pub(super) fn target(view: &View, method: &str, params: &Params<'_>) -> Result<Route, String> {
    let whole = |server: Option<usize>| server.map(|server| Route { server, own: None });
    let (route, what) = match method {
        "tools/call" => by_name(view, Sort::Tools, params.name, "tool"),
        "prompts/get" => by_name(view, Sort::Prompts, params.name, "prompt"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" | "resources/directory/read" => {
            let uri = text(params.uri);
            let owner = uri.as_deref().and_then(|uri| view.owner(uri));
            (whole(owner), format!("there is no resource {:?}", uri.unwrap_or_default()))
        }
        "completion/complete" => by_reference(view, params.reference),
        _ if method.starts_with("tasks/") && params.task.is_some() => by_task(view, params.task),
        _ => {
            let none = error(METHOD_NOT_FOUND, &format!("there is no method {method:?}"), None);
            return whole(unknown(view, method)).ok_or(none);
        }
    };
    route.ok_or_else(|| error(INVALID_PARAMS, &what, None))
}

fn by_name(view: &View, sort: Sort, name: Option<&RawValue>, what: &str) -> (Option<Route>, String) {
    let Some(name) = text(name) else {
        return (None, format!("a {what} has to be named by a text"));
    };
    (view.route(sort, &name), format!("Unknown {what}: {name}"))
}

fn by_reference(view: &View, reference: Option<&RawValue>) -> (Option<Route>, String) {
    #[derive(serde::Deserialize)]
    struct Reference {
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        uri: Option<String>,
    }
    let read = reference.and_then(|reference| serde_json::from_str::<Reference>(reference.get()).ok());
    let none = "what is to be completed is unknown".to_owned();
    let route = match read {
        Some(Reference { name: Some(name), .. }) => view.route(Sort::Prompts, &name),
        Some(Reference { uri: Some(uri), .. }) => {
            let server = view.route(Sort::Templates, &uri).map(|route| route.server).or(view.owner(&uri));
            server.map(|server| Route { server, own: None })
        }
        _ => None,
    };
    (route.or_else(|| view.only_with("completions").map(|server| Route { server, own: None })), none)
}

/// A task is known to the one server that there is. Behind several it could not be told whose an id is, so that tasks are
/// not offered there ([`crate::view`]).
fn by_task(view: &View, task: Option<&RawValue>) -> (Option<Route>, String) {
    let alone = view.servers.len() == 1 && !view.joint;
    (
        alone.then_some(Route { server: 0, own: None }),
        format!("there is no task {:?}", text(task).unwrap_or_default()),
    )
}

/// Requirement E2: a method that nobody here knows goes to the only server, or to the only one whose extensions or
/// experiments are named like it.
fn unknown(view: &View, method: &str) -> Option<usize> {
    if view.servers.len() == 1 {
        return Some(0);
    }
    let family = method.rsplit_once('/').map_or(method, |(family, _)| family);
    let declares = |offer: &crate::offer::Offer| {
        let Some(all) = Object::read(&offer.capabilities) else { return false };
        ["extensions", "experimental"].into_iter().any(|kind| {
            let names = all.member(kind).and_then(Object::read);
            names.is_some_and(|names| names.names().any(|name| name == family || name == method))
        }) || all.member(family).is_some()
    };
    let mut owners =
        view.servers.iter().enumerate().filter(|(_, (_, offer))| offer.as_deref().is_some_and(declares));
    match (owners.next(), owners.next()) {
        (Some((server, _)), None) => Some(server),
        _ => None,
    }
}
