//! What holds for every catalogue, however it is written: edits say what was asked, revisions say what is said.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::catalogue::edit::{EditError, ServerEdit, edited};
use crate::catalogue::{Catalogue, Server, parse};
use crate::launch::{Launch, Remote};
use crate::name::ServerName;
use crate::place::Place;
use crate::revision::{content_hash, reason};
use crate::value::Value;

fn names() -> impl Strategy<Value = ServerName> {
    prop::sample::select(vec!["a", "b.c", "git hub", "@s/x", "сервер", "9", "true"])
        .prop_map(|text| ServerName::parse(text).unwrap())
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[A-Z][A-Z.ä-]{0,3}", "[a-z\"\\\\ #']{0,6}", 0..3)
}

fn launches() -> impl Strategy<Value = Launch> {
    let args = prop::collection::vec("[a-z\"# -]{0,5}", 0..3);
    let kind = prop_oneof![Just(Remote::Http), Just(Remote::Sse)];
    prop_oneof![
        ("[a-z/]{1,6}", args, texts(), prop::option::of("/[a-z]{1,3}"))
            .prop_map(|(command, args, env, cwd)| Launch::Stdio { command, args, env, cwd }),
        (kind, "https://[a-z]{1,4}\\.example/mcp", texts()).prop_map(|(kind, url, headers)| Launch::Remote {
            kind,
            url,
            headers
        }),
    ]
}

fn edits() -> impl Strategy<Value = ServerEdit> {
    let server = (names(), launches(), any::<bool>()).prop_map(|(name, launch, enabled)| {
        ServerEdit::Add(Box::new(Server { enabled, tags: vec!["t".into()], ..Server::new(name, launch) }))
    });
    let put = (names(), prop::option::of(any::<bool>()))
        .prop_map(|(name, on)| ServerEdit::Put(name, "enabled", on.map(Value::Bool)));
    prop_oneof![
        4 => server,
        2 => (names(), launches()).prop_map(|(name, launch)| ServerEdit::Relaunch(name, launch)),
        1 => put,
        1 => names().prop_map(ServerEdit::Remove),
        2 => (names(), names()).prop_map(|(from, to)| ServerEdit::Rename(from, to)),
    ]
}

const BEGINNINGS: &[&str] = &[
    "",
    "# mine\n",
    "# mine\n[servers.a] # of a\ncommand = \"npx\" # the program\nargs = [\n  \"-y\", # yes\n]\n\n# of profiles\n[profiles.p]\nservers = [\"a\"]\n",
    "servers.a = { url = \"https://a/mcp\" } # short\n",
    "[servers]\n\"b.c\".command = \"x\" # dotted\n\n[servers.\"git hub\"]\r\ncommand = 'y'\r\n",
];

/// What the servers say, wherever they stand.
fn said(servers: &[Server]) -> BTreeMap<ServerName, Server> {
    let place = Place { line: 1, column: 1 };
    servers.iter().map(|server| (server.name.clone(), Server { place, ..server.clone() })).collect()
}

/// What an edit asks for, or `None` where it must be refused.
fn asked(
    mut servers: BTreeMap<ServerName, Server>,
    edit: &ServerEdit,
) -> Option<BTreeMap<ServerName, Server>> {
    match edit {
        ServerEdit::Add(server) => {
            if servers.contains_key(&server.name) {
                return None;
            }
            let place = Place { line: 1, column: 1 };
            servers.insert(server.name.clone(), Server { place, ..(**server).clone() });
        }
        ServerEdit::Relaunch(name, launch) => servers.get_mut(name)?.launch = launch.clone(),
        ServerEdit::Put(name, _, on) => servers.get_mut(name)?.enabled = *on != Some(Value::Bool(false)),
        ServerEdit::Remove(name) => drop(servers.remove(name)?),
        ServerEdit::Rename(from, to) => {
            if servers.contains_key(to) {
                return None;
            }
            let server = servers.remove(from)?;
            servers.insert(to.clone(), Server { name: to.clone(), ..server });
        }
    }
    Some(servers)
}

fn good(text: &str) -> Catalogue {
    let parsed = parse(text);
    assert!(parsed.is_good(), "{:?}\n{text}", parsed.problems);
    parsed.value
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_say_what_was_asked_and_leave_the_rest(
        begin in prop::sample::select(BEGINNINGS),
        edits in prop::collection::vec(edits(), 0..8),
    ) {
        let mut text = begin.to_owned();
        for edit in edits {
            let before = good(&text);
            match (asked(said(before.servers()), &edit), edited(&text, std::slice::from_ref(&edit))) {
                (None, Err(_)) => {}
                // A name that dotted keys spread over several lines is not hunted down.
                (Some(_), Err(EditError::Refused(_))) if matches!(edit, ServerEdit::Rename(..)) => {}
                (Some(asked), Ok(after)) => {
                    let read = good(&after);
                    prop_assert_eq!(said(read.servers()), asked, "{:?}\n{}\n{}", edit, text, after);
                    prop_assert_eq!(&read.profiles, &before.profiles);
                    let changed = content_hash(&read) != content_hash(&before);
                    let same = said(read.servers()) == said(before.servers());
                    prop_assert_eq!(changed, !same, "the hash follows what is said");
                    let (sentence, servers) = reason(&before, &read);
                    prop_assert!(!sentence.is_empty());
                    prop_assert_eq!(servers.is_empty(), same, "{}", sentence);
                    // Comments that belong to no server that went stay.
                    for comment in ["# mine", "# of profiles"] {
                        prop_assert_eq!(text.contains(comment), after.contains(comment), "{}", comment);
                    }
                    // The last server of all leaves an empty `[servers]`.
                    if let (ServerEdit::Add(server), false) = (&edit, before.is_empty()) {
                        let without = edited(&after, &[ServerEdit::Remove(server.name.clone())]).unwrap();
                        prop_assert_eq!(&without, &text, "what was added goes without a trace");
                    }
                    if let ServerEdit::Rename(from, to) = &edit {
                        let back = edited(&after, &[ServerEdit::Rename(to.clone(), from.clone())]).unwrap();
                        prop_assert_eq!(said(good(&back).servers()), said(before.servers()));
                    }
                    text = after;
                }
                (asked, edited) => prop_assert!(false, "{edit:?}: {asked:?} {edited:?}\n{text}"),
            }
        }
    }

    #[test]
    fn order_and_comments_make_no_revision(
        servers in prop::collection::btree_map(names(), (launches(), any::<bool>()), 0..6),
        turn in any::<prop::sample::Index>(),
    ) {
        let all: Vec<Server> = servers
            .into_iter()
            .map(|(name, (launch, enabled))| Server { enabled, ..Server::new(name, launch) })
            .collect();
        let write = |servers: &[Server], begin: &str| {
            let edits: Vec<_> = servers.iter().map(|server| ServerEdit::Add(Box::new(server.clone()))).collect();
            good(&edited(begin, &edits).unwrap())
        };
        let one = write(&all, "");
        let mut turned = all.clone();
        if !turned.is_empty() {
            turned.rotate_left(turn.index(all.len()));
        }
        let other = write(&turned, "# a comment\n\n");
        prop_assert_eq!(content_hash(&one), content_hash(&other));
        prop_assert_eq!(reason(&one, &other).0, "nothing changed");
        let fewer = write(&all[..all.len().saturating_sub(1)], "");
        prop_assert_eq!(content_hash(&one) == content_hash(&fewer), all.is_empty());
    }
}
