use zbus::{DBusError as _, Variant};

use super::*;

const OURS: &str = "org.opdbus.MCP";
const PATH: &str = "/org/opdbus/MCP";

fn message<B: serde::Serialize + zbus::DynamicType>(
    path: &str,
    interface: Option<&str>,
    member: &str,
    body: &B,
) -> Message {
    let call = Message::method_call(path, member);
    let call = match interface {
        Some(interface) => call.interface(interface),
        None => call,
    };
    call.build(body).unwrap()
}

fn read<B: serde::Serialize + zbus::DynamicType>(
    path: &str,
    interface: Option<&str>,
    member: &str,
    body: &B,
) -> Result<Call, String> {
    super::read(&message(path, interface, member, body), &Interface::default())
        .map_err(|error| error.name().rsplit('.').next().unwrap().to_owned())
}

#[test]
fn our_methods_are_found_with_and_without_the_interface() {
    for interface in [Some(OURS), None] {
        assert_eq!(read(PATH, interface, "Sync", &()), Ok(Call::Ask(Question::Sync)));
        let client = "claude".to_owned();
        assert_eq!(read(PATH, interface, "GetConfig", &"claude"), Ok(Call::Ask(Question::Config { client })));
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for result in [
        read(PATH, Some(OURS), "GetConfig", &()),
        read(PATH, Some(OURS), "GetConfig", &1),
        read(PATH, Some(OURS), "GetConfig", &("a", "b")),
        read(PATH, Some(OURS), "GetConfig", &"a".repeat(257)),
        read(PATH, Some(OURS), "Sync", &"now"),
        read(PATH, Some(PROPERTIES), "Get", &OURS),
        read(PATH, Some(PROPERTIES), "GetAll", &()),
    ] {
        assert_eq!(result, Err("InvalidArgs".to_owned()));
    }
    assert!(read(PATH, Some(OURS), "GetConfig", &"a".repeat(256)).is_ok());
}

#[test]
fn the_property_can_be_read_and_not_written() {
    let call = |member, body: (&str, &str)| read(PATH, Some(PROPERTIES), member, &body);
    assert_eq!(call("Get", (OURS, "Version")), Ok(Call::Version));
    assert_eq!(call("Get", ("", "Version")), Ok(Call::Version));
    assert_eq!(call("Get", (OURS, "Revision")), Err("UnknownProperty".to_owned()));
    assert_eq!(call("Get", (PEER, "Version")), Err("UnknownInterface".to_owned()));
    assert_eq!(read(PATH, Some(PROPERTIES), "GetAll", &OURS), Ok(Call::Properties));
    let set = (OURS, "Version", Variant::from("2"));
    assert_eq!(read(PATH, Some(PROPERTIES), "Set", &set), Err("PropertyReadOnly".to_owned()));
}

#[test]
fn every_place_on_the_way_leads_to_the_object() {
    for (path, child) in [("/", "org"), ("/org", "opdbus"), ("/org/opdbus", "MCP")] {
        let Ok(Call::Introspect(xml)) = read(path, Some(INTROSPECTABLE), "Introspect", &()) else {
            panic!("{path}")
        };
        assert!(xml.contains(&format!("<node name=\"{child}\"/>")), "{xml}");
        assert!(!xml.contains(OURS), "{xml}");
        assert_eq!(read(path, Some(OURS), "Sync", &()), Err("UnknownInterface".to_owned()));
        assert_eq!(read(path, None, "Sync", &()), Err("UnknownMethod".to_owned()));
    }
    let Ok(Call::Introspect(xml)) = read(PATH, None, "Introspect", &()) else { panic!() };
    assert!(xml.contains("<interface name=\"org.opdbus.MCP\">"), "{xml}");
}

#[test]
fn what_is_not_there_is_named() {
    for path in ["/or", "/org/opdbus/MC", "/org/opdbus/MCP/a", "/other"] {
        assert_eq!(read(path, Some(OURS), "Sync", &()), Err("UnknownObject".to_owned()), "{path}");
    }
    assert_eq!(read(PATH, Some(OURS), "Stop", &()), Err("UnknownMethod".to_owned()));
    assert_eq!(read(PATH, Some("a.b"), "Sync", &()), Err("UnknownInterface".to_owned()));
    assert_eq!(read("/anywhere", Some(PEER), "Ping", &()), Ok(Call::Ping));
}
