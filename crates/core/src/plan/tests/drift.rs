//! What is decided where somebody else has changed a file, wiped it, or what was remembered of it is lost.

use super::stories::{of, pushed, world};
use super::world::World;
use crate::client::reconcile::{Item, Verdict};
use crate::client::relation::ClientRecord;
use crate::launch::{Launch, Remote};
use crate::settings::Via;

#[test]
fn what_somebody_else_changed_is_asked_about() {
    let mut base = world("claude-desktop", "{}\n", &["a", "b", "c"]);
    base.push();
    let text = base.text.clone().unwrap();
    let edited = text.replace("\"connect\", \"a\"", "\"connect\", \"z\"").replace("\"b\": {", "\"b2\": {");
    let with = |text: &str| {
        let mut world = world("claude-desktop", text, &["a", "b", "c"]);
        world.record = base.record.clone();
        world
    };
    let mut drifted = with(&edited);
    insta::assert_snapshot!(pushed(&mut drifted), @r#"
    (1 drifted)
    `a` was edited by somebody else
    `c` is in step
    `b2` (server `b`) is in step
    ---
    {
      "mcpServers": {
        "a": {
          "command": "/bin/switchboard",
          "args": ["connect", "z"]
        },
        "b2": {
          "command": "/bin/switchboard",
          "args": ["connect", "b"]
        },
        "c": {
          "command": "/bin/switchboard",
          "args": ["connect", "c"]
        }
      }
    }
    "#);
    drifted.keep();
    insta::assert_snapshot!(pushed(&mut drifted), @r#"
    (in step)
    `a` is kept as the file has it
    `c` is in step
    `b2` (server `b`) is in step
    ---
    {
      "mcpServers": {
        "a": {
          "command": "/bin/switchboard",
          "args": ["connect", "z"]
        },
        "b2": {
          "command": "/bin/switchboard",
          "args": ["connect", "b"]
        },
        "c": {
          "command": "/bin/switchboard",
          "args": ["connect", "c"]
        }
      }
    }
    "#);
    let mut again = with(&edited);
    again.restore();
    insta::assert_snapshot!(pushed(&mut again), @r#"
    (in step)
    `a` is in step
    `c` is in step
    `b2` (server `b`) is in step
    ---
    {
      "mcpServers": {
        "a": {
          "command": "/bin/switchboard",
          "args": ["connect", "a"]
        },
        "b2": {
          "command": "/bin/switchboard",
          "args": ["connect", "b"]
        },
        "c": {
          "command": "/bin/switchboard",
          "args": ["connect", "c"]
        }
      }
    }
    "#);
    let mut conflict = with(&text.replace("\"connect\", \"a\"", "\"serve\", \"a\""));
    conflict.servers.remove(0);
    insta::assert_snapshot!(pushed(&mut conflict), @r#"
    (1 in conflict)
    `a` was edited by somebody else, and so was the catalogue
    `b` is in step
    `c` is in step
    ---
    {
      "mcpServers": {
        "a": {
          "command": "/bin/switchboard",
          "args": ["serve", "a"]
        },
        "b": {
          "command": "/bin/switchboard",
          "args": ["connect", "b"]
        },
        "c": {
          "command": "/bin/switchboard",
          "args": ["connect", "c"]
        }
      }
    }
    "#);
}

/// A client that was given `a` and `b`, which a change of the catalogue made one server since.
fn twice() -> World {
    let mut world = world("claude-desktop", "{}\n", &["a", "b"]);
    world.push();
    world.servers.pop();
    for relation in &mut world.record.relations {
        relation.server = world.servers[0].name.clone();
    }
    world
}

#[test]
fn of_two_entries_of_one_server_one_is_restored() {
    let mut world = twice();
    world.text = world.text.map(|text| text.replace("\"connect\", \"b\"", "\"connect\", \"z\""));
    world.restore();
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (in step)
    `a` is in step
    ---
    {
      "mcpServers": {
        "a": {
          "command": "/bin/switchboard",
          "args": ["connect", "a"]
        }
      }
    }
    "#);
}

#[test]
fn of_two_records_of_one_server_the_one_whose_entry_stands_counts() {
    let mut world = twice();
    let text = r#"{"mcpServers": {"b": {"command": "/bin/switchboard", "args": ["connect", "a"], "x": 1}}}"#;
    world.text = Some(text.to_owned());
    let items = world.plan().items;
    assert!(matches!(&*items, [Item { verdict: Verdict::InStep, .. }]), "{items:?}");
    // Where both are gone one is put back, and only that one is remembered.
    let mut world = twice();
    world.text = None;
    world.restore();
    assert_eq!(world.record.relations.len(), 1, "{:?}", world.record.relations);
}

#[test]
fn what_needs_no_writing_is_remembered_beside_what_cannot_be_written() {
    let mut world = world("claude-desktop", "{}\n", &["mine"]);
    world.settings.via = Via::Direct;
    world.push();
    // `mine` is where this client cannot reach now, and was edited; it runs `a` by itself just as it is wanted.
    world.servers[0].launch =
        Launch::Remote { kind: Remote::Http, url: "https://a.example/mcp".to_owned(), headers: [].into() };
    world.servers.push(of("a"));
    let text = r#"{"mcpServers": {"mine": {"command": "x"}, "a": {"command": "npx", "args": ["-y", "a"]}}}"#;
    world.text = Some(text.to_owned());
    world.restore();
    assert_eq!(world.text.as_deref(), Some(text));
    assert!(!world.plan().is_pending(), "{:?}", world.plan().sentences());
}

#[test]
fn wiped_and_cut_off_files_are_known_and_left_alone() {
    let mut world = world("cursor", "{ \"mcpServers\": {} }\n", &["a"]);
    world.push();
    let whole = world.text.clone().unwrap();
    for text in [Some(String::new()), Some("{ \"mcpServers\": {} }".to_owned()), None] {
        world.text = text.clone();
        assert_eq!(world.push().summary(), "wiped by somebody else");
        assert_eq!(world.text, text);
    }
    world.text = Some(whole[..whole.len() / 2].to_owned());
    assert_eq!(world.push().summary(), "unreadable, left alone");
    world.text = None;
    world.restore();
    assert!(world.text.as_deref().unwrap().contains("\"connect\""));
    let mut toml = self::world("codex", "model = \"x\"\n", &["a", "b"]);
    toml.push();
    let whole = toml.text.clone().unwrap();
    toml.text = Some(whole[..whole.find("[mcp_servers.b]").unwrap()].to_owned());
    assert_eq!(toml.push().summary(), "cut off, left alone");
}

#[test]
fn a_lost_record_is_rebuilt_by_a_scan() {
    let mut world = world("goose", "", &["a", "b"]);
    world.push();
    let kept = world.record.clone();
    world.record = ClientRecord::default();
    world.scan();
    assert_eq!(world.record.relations, kept.relations);
    world.servers.remove(0);
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    remove `a`
    `b` is in step
    ---
    extensions:
      b:
        name: b
        type: stdio
        cmd: /bin/switchboard
        args:
          - connect
          - b
        description: ""
        enabled: true
    "#);
}
