//! Programs of others on the same bus see the signal, read the property and get answers.

mod asks;
mod limits;
mod private;

use std::process::Command;
use std::sync::Arc;

use futures_util::StreamExt;
use switchboard_host::dbus::{Bus, BusError, Interface, Kind, Options};
use zbus::{Connection, MatchRule, Message, MessageStream, connection};

use asks::Answers;
use private::{Listener, PrivateBus, missing, output, soon};

const NAME: &str = "org.opdbus.MCP";
const PATH: &str = "/org/opdbus/MCP";
const VERSION: &str = r#"{"revision":7,"changed_servers":["npm"]}"#;

fn at(bus: &PrivateBus) -> Options {
    Options { address: Some(bus.address.clone()), ..Options::default() }
}

async fn enter(bus: &PrivateBus) -> (Bus, Arc<Answers>) {
    let answers = Arc::new(Answers::default());
    let entered = Bus::connect(&at(bus), VERSION, Arc::clone(&answers) as _).await.unwrap();
    (entered, answers)
}

/// `dbus-send` with a reply, to our object.
fn send(bus: &PrivateBus, member: &str) -> Command {
    send_to(bus, NAME, PATH, member)
}

fn send_to(bus: &PrivateBus, name: &str, path: &str, member: &str) -> Command {
    let mut command = bus.program("dbus-send");
    command.args(["--session", "--print-reply=literal", &format!("--dest={name}"), path, member]);
    command
}

async fn reply(mut command: Command, args: &[&str]) -> Result<String, String> {
    command.args(args);
    let output = output(command).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

async fn guest(bus: &PrivateBus) -> Connection {
    connection::Builder::address(bus.address.as_str()).build().await.unwrap()
}

/// A subscriber to one signal of ours.
async fn subscribe(guest: &Connection, interface: &str, member: &str) -> MessageStream {
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface(interface)
        .member(member)
        .build()
        .unwrap()
        .to_owned();
    MessageStream::for_match_rule(rule, guest, None).await.unwrap()
}

async fn next(stream: &mut MessageStream) -> Message {
    soon(stream.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn dbus_monitor_sees_the_signal_with_the_version() {
    let Some(private) = PrivateBus::start() else { return };
    let (bus, _) = enter(&private).await;
    let mut monitor = Listener::start(
        private.program("dbus-monitor").args(["--session", &format!("type='signal',interface='{NAME}'")]),
    );
    // It loses its name when it becomes a monitor: from then on it sees everything.
    monitor.hears("member=NameLost").await;
    bus.announce(VERSION).await.unwrap();
    let signal = monitor.hears("member=ConfigUpdated").await;
    assert!(signal.contains(&format!("path={PATH}; interface={NAME};")), "{signal}");
    let payload = monitor.hears("string").await;
    assert_eq!(payload.trim(), format!("string \"{VERSION}\""));
}

#[tokio::test]
async fn the_python_of_the_first_documents_hears_it() {
    // The listener as it was documented first, with a main loop that ends after one signal.
    const LISTENER: &str = r#"
import dbus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
loop = GLib.MainLoop()

def download_new_config():
    loop.quit()

def config_updated_handler(config_info):
    print(f"Config updated: {config_info}", flush=True)
    download_new_config()

bus.add_signal_receiver(
    config_updated_handler,
    signal_name="ConfigUpdated",
    dbus_interface="org.opdbus.MCP"
)
bus.get_name_owner("org.freedesktop.DBus")
print("listening", flush=True)
loop.run()
"#;
    // Debian's own: its packages are not there for any other.
    const PYTHON: &str = "/usr/bin/python3";
    let Some(private) = PrivateBus::start() else { return };
    if !Command::new(PYTHON).args(["-c", "import dbus, gi"]).status().is_ok_and(|status| status.success()) {
        return missing("python3 with dbus and gi");
    }
    let (bus, _) = enter(&private).await;
    let mut listener = Listener::start(private.program(PYTHON).args(["-c", LISTENER]));
    listener.hears("listening").await;
    bus.announce(VERSION).await.unwrap();
    assert_eq!(listener.hears("Config updated").await, format!("Config updated: {VERSION}"));
    assert!(listener.ends().await);
}

#[tokio::test]
async fn a_signal_of_somebody_else_moves_nothing() {
    let Some(private) = PrivateBus::start() else { return };
    let (bus, answers) = enter(&private).await;
    let guest = guest(&private).await;
    let mut signals = subscribe(&guest, NAME, "ConfigUpdated").await;
    // To everybody, in the words of the first documents; and to us alone.
    for to in [None, Some(format!("--dest={NAME}"))] {
        let mut seed = private.program("dbus-send");
        seed.args(["--session", "--type=signal"]).args(to).args([
            PATH,
            "org.opdbus.MCP.ConfigUpdated",
            "string:{'version': '1.2.3'}",
        ]);
        assert!(output(seed).await.status.success());
    }
    let spoofed = next(&mut signals).await;
    assert_eq!(spoofed.body().deserialize::<&str>().unwrap(), "{'version': '1.2.3'}");
    // What it says is not what we say.
    let version = reply(
        send(&private, "org.freedesktop.DBus.Properties.Get"),
        &["string:org.opdbus.MCP", "string:Version"],
    )
    .await;
    assert!(version.unwrap().ends_with(VERSION));
    assert_eq!(answers.asked(), 0);
    bus.announce("{}").await.unwrap();
    assert_eq!(next(&mut signals).await.body().deserialize::<&str>().unwrap(), "{}");
}

#[tokio::test]
async fn the_property_is_read_and_its_change_is_told() {
    let Some(private) = PrivateBus::start() else { return };
    let (bus, _) = enter(&private).await;
    let guest = guest(&private).await;
    let mut changes = subscribe(&guest, "org.freedesktop.DBus.Properties", "PropertiesChanged").await;
    let get = ["string:org.opdbus.MCP", "string:Version"];
    let read = || reply(send(&private, "org.freedesktop.DBus.Properties.Get"), &get);
    assert_eq!(read().await.unwrap(), format!("variant       {VERSION}"));

    bus.announce(r#"{"revision":8}"#).await.unwrap();
    let change = next(&mut changes).await;
    let body = change.body();
    let (of, changed, gone): (&str, std::collections::HashMap<&str, zbus::Variant<'_>>, Vec<&str>) =
        body.deserialize().unwrap();
    assert_eq!((of, changed.len(), gone.len()), (NAME, 1, 0));
    assert_eq!(changed["Version"], zbus::Variant::from(r#"{"revision":8}"#));
    assert_eq!(read().await.unwrap(), r#"variant       {"revision":8}"#);
    let all = reply(send(&private, "org.freedesktop.DBus.Properties.GetAll"), &get[..1]).await.unwrap();
    assert!(all.contains("Version") && all.contains(r#"{"revision":8}"#), "{all}");
    let set = reply(
        send(&private, "org.freedesktop.DBus.Properties.Set"),
        &[get[0], get[1], "variant:string:mine"],
    )
    .await;
    assert!(set.unwrap_err().contains("PropertyReadOnly"));
}

#[tokio::test]
async fn the_object_describes_itself() {
    let Some(private) = PrivateBus::start() else { return };
    let (_bus, _) = enter(&private).await;
    let introspect = "org.freedesktop.DBus.Introspectable.Introspect";
    let xml = reply(send(&private, introspect), &[]).await.unwrap();
    for part in [
        r#"<interface name="org.opdbus.MCP">"#,
        r#"<method name="GetConfig">"#,
        r#"<arg name="client" type="s" direction="in"/>"#,
        r#"<method name="Sync">"#,
        r#"<signal name="ConfigUpdated">"#,
        r#"<property name="Version" type="s" access="read"/>"#,
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    let root = reply(send_to(&private, NAME, "/", introspect), &[]).await.unwrap();
    assert!(root.contains(r#"<node name="org"/>"#), "{root}");
    assert_eq!(reply(send(&private, "org.freedesktop.DBus.Peer.Ping"), &[]).await.unwrap(), "");
    let unknown = reply(send(&private, "org.opdbus.MCP.Stop"), &[]).await.unwrap_err();
    assert!(unknown.contains("UnknownMethod"), "{unknown}");
}

#[tokio::test]
async fn another_interface_has_another_name_and_path() {
    let Some(private) = PrivateBus::start() else { return };
    let interface = Interface::parse("com.example.Other").unwrap();
    let options = Options { interface, ..at(&private) };
    let bus = Bus::connect(&options, VERSION, Arc::new(Answers::default())).await.unwrap();
    let call = send_to(&private, "com.example.Other", "/com/example/Other", "com.example.Other.GetConfig");
    assert_eq!(reply(call, &["string:claude"]).await.unwrap(), "config of claude");
    let guest = guest(&private).await;
    let mut signals = subscribe(&guest, "com.example.Other", "ConfigUpdated").await;
    bus.announce("{}").await.unwrap();
    assert_eq!(next(&mut signals).await.header().path().unwrap().as_str(), "/com/example/Other");
}

#[tokio::test]
async fn a_name_of_another_process_is_left_to_it() {
    let Some(private) = PrivateBus::start() else { return };
    let (first, _) = enter(&private).await;
    let second = Bus::connect(&at(&private), VERSION, Arc::new(Answers::default())).await;
    let Err(BusError::Taken { name, owner: Some(owner) }) = second else { panic!("{second:?}") };
    assert_eq!((name.as_str(), owner.pid), (NAME, Some(std::process::id())));
    assert!(owner.connection.starts_with(':'), "{owner}");
    // It was not taken away, and nobody waits in line for it.
    let guest = guest(&private).await;
    let mut owners = subscribe(&guest, "org.freedesktop.DBus", "NameOwnerChanged").await;
    drop(first);
    let changed = loop {
        let message = next(&mut owners).await;
        let changed: (String, String, String) = message.body().deserialize().unwrap();
        if changed.0 == NAME {
            break changed;
        }
    };
    assert_eq!((changed.1, changed.2), (owner.connection, String::new()));
    enter(&private).await;
}

#[tokio::test]
async fn a_bus_that_does_not_give_the_name_is_an_error() {
    let Some(private) = PrivateBus::without_names() else { return };
    let options = Options { bus: Kind::System, ..at(&private) };
    let error = Bus::connect(&options, VERSION, Arc::new(Answers::default())).await.unwrap_err();
    assert_eq!(error.to_string(), "the system bus does not let this user own `org.opdbus.MCP`");
    assert!(error.help().unwrap().contains(r#"<allow own="org.opdbus.MCP"/>"#));
}

#[tokio::test]
async fn the_bus_of_a_machine_takes_us_by_the_file_that_we_write() {
    let interface = Interface::parse("org.opdbus.MCP").unwrap();
    let enter = |bus: &PrivateBus| {
        let options = Options { bus: Kind::System, ..at(bus) };
        async move { Bus::connect(&options, VERSION, Arc::new(Answers::default())).await }
    };
    let Some(closed) = PrivateBus::of_a_machine("<busconfig/>") else { return };
    assert!(matches!(enter(&closed).await, Err(BusError::NotAllowed { .. })));

    let machine = PrivateBus::of_a_machine(&switchboard_host::dbus::policy(&interface)).unwrap();
    let bus = enter(&machine).await.unwrap();
    assert_eq!(
        reply(send(&machine, "org.opdbus.MCP.GetConfig"), &["string:claude"]).await.unwrap(),
        "config of claude"
    );
    let guest = guest(&machine).await;
    let mut signals = subscribe(&guest, "org.opdbus.MCP", "ConfigUpdated").await;
    bus.announce("{}").await.unwrap();
    next(&mut signals).await;
}

#[tokio::test]
async fn a_bus_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let address = Some(format!("unix:path={}", socket.display()));
    let options = Options { address, ..Options::default() };
    let connect = || soon(Bus::connect(&options, VERSION, Arc::new(Answers::default())));
    let error = connect().await.unwrap_err();
    assert!(matches!(error, BusError::Unreachable { .. }), "{error:?}");
    assert!(error.help().is_some());
    // Somebody listens there and never says a word.
    let _deaf = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = connect().await.unwrap_err();
    assert!(matches!(error, BusError::Slow { .. }), "{error:?}");
}

#[tokio::test]
async fn a_bus_that_dies_is_noticed() {
    let Some(mut private) = PrivateBus::start() else { return };
    let (bus, _) = enter(&private).await;
    {
        let closed = bus.closed();
        tokio::pin!(closed);
        tokio::select! {
            biased;
            () = &mut closed => panic!("it lives"),
            sent = bus.announce(VERSION) => sent.unwrap(),
        }
        private.kill();
        soon(closed).await;
    }
    soon(bus.closed()).await;
    let error = soon(bus.announce(VERSION)).await.unwrap_err();
    assert!(matches!(error, BusError::Gone { .. }), "{error:?}");
}

#[tokio::test]
async fn a_bus_that_stands_still_is_as_good_as_gone() {
    let Some(private) = PrivateBus::start() else { return };
    let (bus, _) = enter(&private).await;
    private.stop();
    // The system takes some of it on the bus's behalf.
    let long = "v".repeat(64 * 1024);
    let error = soon(async {
        loop {
            if let Err(error) = bus.announce(&long).await {
                return error;
            }
        }
    });
    let error = error.await;
    assert!(matches!(error, BusError::Gone { .. }), "{error:?}");
    soon(bus.closed()).await;
}

#[tokio::test]
async fn a_thousand_announcements_arrive_in_order() {
    let Some(private) = PrivateBus::start() else { return };
    let (bus, _) = enter(&private).await;
    let guest = guest(&private).await;
    let mut signals = subscribe(&guest, NAME, "ConfigUpdated").await;
    let announce = async {
        for revision in 0..1000 {
            bus.announce(&revision.to_string()).await.unwrap();
        }
    };
    let listen = async {
        for revision in 0..1000 {
            let signal = next(&mut signals).await;
            assert_eq!(signal.body().deserialize::<&str>().unwrap(), revision.to_string());
        }
    };
    tokio::join!(announce, listen);
}

#[tokio::test]
async fn of_two_announcements_at_once_the_first_arrives_first() {
    let Some(private) = PrivateBus::start() else { return };
    let (bus, _) = enter(&private).await;
    let guest = guest(&private).await;
    let mut signals = subscribe(&guest, NAME, "ConfigUpdated").await;
    let (first, second) = tokio::join!(bus.announce("1"), bus.announce("2"));
    first.and(second).unwrap();
    for expected in ["1", "2"] {
        assert_eq!(next(&mut signals).await.body().deserialize::<&str>().unwrap(), expected);
    }
    let error = bus.announce("a\0b").await.unwrap_err();
    assert!(matches!(error, BusError::ZeroByte), "{error:?}");
    bus.announce("3").await.unwrap();
    assert_eq!(next(&mut signals).await.body().deserialize::<&str>().unwrap(), "3");
}
