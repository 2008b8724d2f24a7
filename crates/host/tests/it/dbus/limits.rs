//! Who may ask, and how much.

use tokio::task::JoinSet;
use zbus::message::Flags;
use zbus::{Message, MessageStream};

use super::private::{PrivateBus, soon};
use super::{NAME, PATH, VERSION, enter, guest, next, reply, send, subscribe};

#[tokio::test]
async fn the_same_user_is_answered() {
    let Some(private) = PrivateBus::start() else { return };
    let (_bus, answers) = enter(&private).await;
    let config = |args| reply(send(&private, "org.opdbus.MCP.GetConfig"), args);
    assert_eq!(config(&["string:claude"]).await.unwrap(), "config of claude");
    assert_eq!(reply(send(&private, "org.opdbus.MCP.Sync"), &[]).await.unwrap(), "3 clients are up to date");
    let error = config(&["string:unknown"]).await.unwrap_err();
    assert_eq!(error, "Error org.freedesktop.DBus.Error.Failed: there is no client `unknown`");
    let error = config(&["string:zero"]).await.unwrap_err();
    assert!(error.contains("zero byte"), "{error}");
    assert_eq!(answers.asked(), 4);

    let long = format!("string:{}", "c".repeat(257));
    for args in [&[][..], &["int32:1"], &["string:a", "string:b"], &[&long]] {
        let error = config(args).await.unwrap_err();
        assert!(error.contains("InvalidArgs"), "{args:?}: {error}");
    }
    assert_eq!(answers.asked(), 4);
}

#[tokio::test]
async fn who_wants_no_reply_is_heard_and_gets_none() {
    let Some(private) = PrivateBus::start() else { return };
    let (_bus, answers) = enter(&private).await;
    let guest = guest(&private).await;
    let mut replies = MessageStream::from(&guest);
    let call = |interface: &'static str, member: &'static str| {
        Message::method_call(PATH, member).destination(NAME).interface(interface)
    };
    let sync = call(NAME, "Sync").with_flags(Flags::NO_REPLY_EXPECTED).build(&()).unwrap();
    guest.send(&sync).await.unwrap();
    soon(answers.synced()).await;
    let ping = call("org.freedesktop.DBus.Peer", "Ping").build(&()).unwrap();
    guest.send(&ping).await.unwrap();
    // The first reply is to the second call.
    loop {
        let header = next(&mut replies).await;
        if let Some(to) = header.header().reply_serial() {
            return assert_eq!(to, ping.primary_header().serial_num());
        }
    }
}

#[tokio::test]
async fn another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let Some(private) = PrivateBus::start() else { return };
    let (_bus, answers) = enter(&private).await;
    let nobody = |member: &str| {
        let send = send(&private, member);
        let mut command = private.program("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(send.get_program()).args(send.get_args());
        command
    };
    for (member, args) in [("org.opdbus.MCP.GetConfig", &["string:claude"][..]), ("org.opdbus.MCP.Sync", &[])]
    {
        let error = reply(nobody(member), args).await.unwrap_err();
        assert_eq!(
            error,
            "Error org.freedesktop.DBus.Error.AccessDenied: only callers of the same user are answered"
        );
    }
    assert_eq!(answers.asked(), 0);
    // What everybody hears anyway may be read.
    let get = &["string:org.opdbus.MCP", "string:Version"];
    let version = reply(nobody("org.freedesktop.DBus.Properties.Get"), get).await.unwrap();
    assert!(version.ends_with(VERSION), "{version}");
}

#[tokio::test]
async fn a_slow_answer_holds_up_nobody() {
    let Some(private) = PrivateBus::start() else { return };
    let (bus, answers) = enter(&private).await;
    let guest = guest(&private).await;
    let mut signals = subscribe(&guest, NAME, "ConfigUpdated").await;
    let slow = guest.call_method(Some(NAME), PATH, Some(NAME), "GetConfig", &"slow");
    let others = async {
        let quick = send(&private, "org.opdbus.MCP.GetConfig");
        assert_eq!(reply(quick, &["string:claude"]).await.unwrap(), "config of claude");
        bus.announce(VERSION).await.unwrap();
        next(&mut signals).await;
        answers.open_the_gate();
    };
    let (slow, ()) = soon(async { tokio::join!(slow, others) }).await;
    assert_eq!(slow.unwrap().body().deserialize::<&str>().unwrap(), "config of slow");
}

#[tokio::test]
async fn of_too_many_questions_the_last_are_turned_away() {
    let Some(private) = PrivateBus::start() else { return };
    let (_bus, answers) = enter(&private).await;
    let guest = guest(&private).await;
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let guest = guest.clone();
        calls.spawn(
            async move { guest.call_method(Some(NAME), PATH, Some(NAME), "GetConfig", &"slow").await },
        );
    }
    // With the gate shut, only refusals come back.
    for _ in 0..36 {
        let error = soon(calls.join_next()).await.unwrap().unwrap().unwrap_err();
        assert!(error.to_string().contains("too many calls"), "{error}");
    }
    answers.open_the_gate();
    for _ in 0..64 {
        soon(calls.join_next()).await.unwrap().unwrap().unwrap();
    }
    assert_eq!((answers.asked(), answers.most_at_once()), (64, 8));
}
