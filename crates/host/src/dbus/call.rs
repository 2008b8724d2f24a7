//! What a caller asks for.

use zbus::Message;
use zbus::fdo::Error;

use super::{Interface, introspection};

const PEER: &str = "org.freedesktop.DBus.Peer";
const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// A client's name is not longer. What it may be made of is the answerer's matter.
const LONGEST_CLIENT: usize = 256;

/// A call that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Is anybody there?
    Ping,
    /// The description of an object, ready to be sent.
    Introspect(String),
    /// The one property.
    Version,
    /// All properties: the one.
    Properties,
    /// A question for whoever answers those of the same user.
    Ask(Question),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Question {
    Config { client: String },
    Sync,
}

/// Where a call goes.
enum Place<'a> {
    Object,
    /// A path that leads to the object, by way of this name.
    Above(&'a str),
    Nowhere,
}

/// Reads a method call.
///
/// # Errors
///
/// What the caller is told: there is no such object, interface, method, property or argument.
pub(super) fn read(message: &Message, interface: &Interface) -> Result<Call, Error> {
    let header = message.header();
    let path = header.path().map_or("", |path| path.as_str());
    let member = header.member().map_or("", |member| member.as_str());
    let named = header.interface().map(zbus::names::InterfaceName::as_str);
    // A call may leave out the interface; no two of ours have a method of the same name.
    let on = |interface: &str| named.is_none_or(|named| named == interface);

    if on(PEER) && member == "Ping" {
        // It does not matter to which object.
        return nothing(message).map(|()| Call::Ping);
    }
    let ours = interface.path();
    let place = place(path, &ours);
    match (place, member) {
        (Place::Nowhere, _) => {
            Err(Error::UnknownObject(format!("there is no object `{path}`; ours is `{ours}`")))
        }
        (Place::Above(child), "Introspect") if on(INTROSPECTABLE) => {
            nothing(message).map(|()| Call::Introspect(introspection::above(child)))
        }
        (Place::Object, "Introspect") if on(INTROSPECTABLE) => {
            nothing(message).map(|()| Call::Introspect(introspection::object(interface)))
        }
        (Place::Object, "Get" | "GetAll" | "Set") if on(PROPERTIES) => property(message, member, interface),
        (Place::Object, "GetConfig") if on(interface.as_str()) => client(message),
        (Place::Object, "Sync") if on(interface.as_str()) => {
            nothing(message).map(|()| Call::Ask(Question::Sync))
        }
        (place, _) => Err(unknown(&place, named, member, interface)),
    }
}

fn place<'a>(path: &str, ours: &'a str) -> Place<'a> {
    if path == ours {
        return Place::Object;
    }
    let above = path.strip_suffix('/').unwrap_or(path);
    match ours.strip_prefix(above).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => Place::Above(rest.split('/').next().unwrap_or(rest)),
        None => Place::Nowhere,
    }
}

fn nothing(message: &Message) -> Result<(), Error> {
    if message.body().is_empty() {
        Ok(())
    } else {
        Err(Error::InvalidArgs("it takes no arguments".to_owned()))
    }
}

fn client(message: &Message) -> Result<Call, Error> {
    let body = message.body();
    let client: &str =
        body.deserialize().map_err(|_| Error::InvalidArgs("it takes one text: the client".to_owned()))?;
    if client.len() > LONGEST_CLIENT {
        return Err(Error::InvalidArgs(format!("no client's name is longer than {LONGEST_CLIENT} bytes")));
    }
    Ok(Call::Ask(Question::Config { client: client.to_owned() }))
}

fn property(message: &Message, member: &str, interface: &Interface) -> Result<Call, Error> {
    let wrong = |takes: &str| Error::InvalidArgs(format!("it takes {takes}"));
    let body = message.body();
    let (of, name) = match member {
        "GetAll" => (body.deserialize().map_err(|_| wrong("one text: the interface"))?, None),
        "Get" => {
            let (of, name): (&str, &str) =
                body.deserialize().map_err(|_| wrong("two texts: the interface and the property"))?;
            (of, Some(name))
        }
        _ => {
            let (of, name, _): (&str, &str, zbus::Variant<'_>) =
                body.deserialize().map_err(|_| wrong("the interface, the property and a value"))?;
            (of, Some(name))
        }
    };
    // An empty name means any interface.
    if !of.is_empty() && of != interface.as_str() {
        return Err(Error::UnknownInterface(format!("`{interface}` is the only interface with properties")));
    }
    match (member, name) {
        (_, Some(name)) if name != "Version" => {
            Err(Error::UnknownProperty("`Version` is the only property".to_owned()))
        }
        ("Set", _) => Err(Error::PropertyReadOnly("`Version` can only be read".to_owned())),
        ("Get", _) => Ok(Call::Version),
        _ => Ok(Call::Properties),
    }
}

fn unknown(place: &Place<'_>, named: Option<&str>, member: &str, interface: &Interface) -> Error {
    let known: &[&str] = match place {
        Place::Object => &[interface.as_str(), PROPERTIES, INTROSPECTABLE, PEER],
        Place::Above(_) | Place::Nowhere => &[INTROSPECTABLE, PEER],
    };
    match named {
        Some(named) if !known.contains(&named) => {
            Error::UnknownInterface(format!("the object has no interface `{named}`"))
        }
        _ => Error::UnknownMethod(format!("there is no method `{member}`")),
    }
}

#[cfg(test)]
mod tests;
