//! Which server a request is for, and what that server calls what it is about.

use std::sync::Arc;

use serde_json::value::RawValue;

use switchboard_core::mcp::public_task::own_task;
use switchboard_core::mcp::revision::Era;

use crate::envelope::{Params, text};
use crate::object::Object;
use crate::offer::{Offer, Sort};
use crate::public::{Ids, Marker, Tasks};
use crate::trouble::{INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND, RESOURCE_NOT_FOUND, error};
use crate::view::{Route, View};

/// Returns the server that a request of a caller of this era is for, and what it calls what the request is about; else the
/// error. The marks are those of the holder's tasks, where not everybody may have them.
pub(super) fn target(
    view: &View,
    era: Era,
    marker: Option<&Arc<Marker>>,
    method: &str,
    params: &Params<'_>,
) -> Result<Route, String> {
    if view.servers.is_empty() && !view.joint {
        let what = "this server is not served any more; see `switchboard server list`";
        return Err(error(INTERNAL_ERROR, what, None));
    }
    let route = found(view, era, marker.map(Arc::as_ref), method, params)?;
    let public = match marker {
        None => view.public(route.server).cloned(),
        Some(marker) => view.public_to(route.server, marker),
    };
    Ok(Route { public, ..route })
}

fn found(
    view: &View,
    era: Era,
    marker: Option<&Marker>,
    method: &str,
    params: &Params<'_>,
) -> Result<Route, String> {
    let (route, what) = match method {
        "tools/call" => by_name(view, Sort::Tools, params.name, "tool"),
        "prompts/get" => by_name(view, Sort::Prompts, params.name, "prompt"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" | "resources/directory/read" => {
            let uri = text(params.uri);
            let owner = uri.as_deref().and_then(|uri| view.owner(uri));
            return owner.ok_or_else(|| no_resource(era, &uri.unwrap_or_default()));
        }
        "completion/complete" => by_reference(view, params.reference),
        "tasks/get" | "tasks/result" | "tasks/cancel" | "tasks/update" => {
            by_task(view, era, marker, params.task)
        }
        _ if method.starts_with("tasks/") && params.task.is_some() => by_task(view, era, marker, params.task),
        _ => {
            let none = error(METHOD_NOT_FOUND, &format!("there is no method {method:?}"), None);
            // Of whose tasks it is about nothing is said.
            if (view.joint || marker.is_some()) && method.starts_with("tasks/") {
                return Err(none);
            }
            return unknown(view, method).map(|server| Route::new(server, None)).ok_or(none);
        }
    };
    route.ok_or_else(|| error(INVALID_PARAMS, &what, None))
}

/// Returns the error of an address that nobody has, which has a code of its own in the legacy era (requirement L7).
pub(super) fn no_resource(era: Era, uri: &str) -> String {
    let code = if era == Era::Legacy { RESOURCE_NOT_FOUND } else { INVALID_PARAMS };
    error(code, &format!("there is no resource {uri:?}"), None)
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
        Some(Reference { uri: Some(uri), .. }) => view.owner_of_template(&uri),
        _ => None,
    };
    (route.or_else(|| view.only_with("completions").map(|server| Route::new(server, None))), none)
}

/// A task is known to the one server that there is; behind several, to the one that its id is marked with, for callers of
/// that server's era. What is bound to a holder is known to that one alone.
fn by_task(
    view: &View,
    era: Era,
    marker: Option<&Marker>,
    task: Option<&RawValue>,
) -> (Option<Route>, String) {
    let task = text(task).unwrap_or_default();
    let what = format!("there is no task {task:?}");
    if !view.joint && marker.is_none() {
        return ((view.servers.len() == 1).then(|| Route::new(0, None)), what);
    }
    let has_tasks = |offer: &Offer| offer.era == era && Tasks::of(offer) != Tasks::None;
    let route = own_task(&task).and_then(|said| {
        let server = view.server(&said.server)?;
        let (generation, offer) = view.servers.get(server)?;
        let own = Ids::new(&generation.name, marker).own(&task)?;
        // Where it is not known what a server offers, it says itself.
        offer.as_deref().is_none_or(has_tasks).then(|| Route::new(server, Some(own.to_owned())))
    });
    (route, what)
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
