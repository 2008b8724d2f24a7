//! What is decided about a client's file, as sentences, and what the file says after the push.

use super::world::{World, name};
use crate::catalogue::Server;
use crate::launch::{Launch, Remote};
use crate::plan::{ClientPlan, sentence};

/// The decisions, in sentences, then the file.
pub(super) fn told(plan: &ClientPlan, world: &World) -> String {
    let mut lines = vec![format!("({})", plan.summary())];
    lines.extend(plan.items.iter().map(sentence));
    lines.extend(plan.problems.iter().map(|problem| format!("! {problem}")));
    let text = world.text.as_deref().unwrap_or("(no file)");
    format!("{}\n---\n{text}", lines.join("\n"))
}

pub(super) fn pushed(world: &mut World) -> String {
    let plan = world.push();
    assert!(!world.plan().is_pending(), "a second push is empty");
    told(&plan, world)
}

pub(super) fn world(id: &str, text: &str, servers: &[&str]) -> World {
    let mut world = World::new(id);
    world.text = Some(text.to_owned());
    world.servers = servers.iter().map(|server| of(server)).collect();
    world
}

pub(super) fn of(text: &str) -> Server {
    Server::new(name(text), Launch::stdio("npx", ["-y", text]))
}

#[test]
fn a_first_push_adds_beside_what_is_the_clients() {
    let claude = r#"{
  "numStartups": 7,
  "mcpServers": {
    "mine": { "type": "stdio", "command": "node", "args": ["own.js"] }
  },
  "projects": {
    "/w/shop": { "mcpServers": { "db": { "command": "pg" } }, "history": [] }
  }
}
"#;
    insta::assert_snapshot!(pushed(&mut world("claude-code", claude, &["sqlite", "git"])), @r#"
    (2 pending)
    add `git`
    add `sqlite`
    `mine` is the client's own
    `db` in /w/shop is the client's own
    ---
    {
      "numStartups": 7,
      "mcpServers": {
        "mine": { "type": "stdio", "command": "node", "args": ["own.js"] },
        "git": { "command": "/bin/switchboard", "args": ["connect", "git"] },
        "sqlite": { "command": "/bin/switchboard", "args": ["connect", "sqlite"] }
      },
      "projects": {
        "/w/shop": { "mcpServers": { "db": { "command": "pg" } }, "history": [] }
      }
    }
    "#);
    let cursor = "{\n  // what I use\n  \"mcpServers\": {\n    \"mine\": {\"url\": \"https://x/mcp\"}, // keep\n  },\n}\n";
    insta::assert_snapshot!(pushed(&mut world("cursor", cursor, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    `mine` is the client's own
    ---
    {
      // what I use
      "mcpServers": {
        "mine": {"url": "https://x/mcp"}, // keep
        "sqlite": {"command": "/bin/switchboard", "args": ["connect", "sqlite"]},
      },
    }
    "#);
    let codex = "model = \"o5\" # fast\n\n[mcp_servers.mine]\ncommand = \"x\"\n\n[tui]\ntheme = \"dark\"\n";
    insta::assert_snapshot!(pushed(&mut world("codex", codex, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    `mine` is the client's own
    ---
    model = "o5" # fast

    [mcp_servers.mine]
    command = "x"

    [mcp_servers.sqlite]
    command = "/bin/switchboard"
    args = ["connect", "sqlite"]

    [tui]
    theme = "dark"
    "#);
    let vibe =
        "active_model = \"m\"\n\n[[mcp_servers]]\nname = \"mine\"\ntransport = \"stdio\"\ncommand = \"x\"\n";
    insta::assert_snapshot!(pushed(&mut world("mistral-vibe", vibe, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    `mine` is the client's own
    ---
    active_model = "m"

    [[mcp_servers]]
    name = "mine"
    transport = "stdio"
    command = "x"

    [[mcp_servers]]
    name = "sqlite"
    transport = "stdio"
    command = "/bin/switchboard"
    args = ["connect", "sqlite"]
    "#);
    let more = "name: Me\nmcpServers:\n  - uses: hub/block # no name\n  - name: Docs\n    url: https://d/mcp\nprompts: []\n";
    insta::assert_snapshot!(pushed(&mut world("continue", more, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    `Docs` is the client's own
    ---
    name: Me
    mcpServers:
      - uses: hub/block # no name
      - name: Docs
        url: https://d/mcp
      - name: sqlite
        command: /bin/switchboard
        args:
          - connect
          - sqlite
    prompts: []
    "#);
    let goose = "extensions:\n  developer:\n    type: builtin\n    enabled: true\nGOOSE_MODEL: x\n";
    insta::assert_snapshot!(pushed(&mut world("goose", goose, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    ---
    extensions:
      developer:
        type: builtin
        enabled: true
      sqlite:
        name: sqlite
        type: stdio
        cmd: /bin/switchboard
        args:
          - connect
          - sqlite
        description: ""
        enabled: true
    GOOSE_MODEL: x
    "#);
}

#[test]
fn the_layout_that_is_there_is_kept() {
    let first = "{\n  \"mcp\": {\n    \"mine\": { \"type\": \"local\", \"command\": [\"x\"] }\n  }\n}\n";
    insta::assert_snapshot!(pushed(&mut world("opencode", first, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    `mine` is the client's own
    ---
    {
      "mcp": {
        "mine": { "type": "local", "command": ["x"] },
        "sqlite": { "type": "local", "command": ["/bin/switchboard", "connect", "sqlite"] }
      }
    }
    "#);
    let second = "{\n  \"mcp\": {\n    \"servers\": {}\n  }\n}\n";
    insta::assert_snapshot!(pushed(&mut world("opencode", second, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    ---
    {
      "mcp": {
        "servers": {
          "sqlite": {
            "type": "local",
            "command": ["/bin/switchboard", "connect", "sqlite"]
          }
        }
      }
    }
    "#);
    let dotted = "{\n  \"amp.theme\": \"dark\"\n}\n";
    insta::assert_snapshot!(pushed(&mut world("amp", dotted, &["sqlite"])), @r#"
    (1 pending)
    add `sqlite`
    ---
    {
      "amp.theme": "dark",
      "amp.mcpServers": {
        "sqlite": {
          "command": "/bin/switchboard",
          "args": ["connect", "sqlite"]
        }
      }
    }
    "#);
}

#[test]
fn empty_and_missing_files_are_begun() {
    for id in ["claude-code", "codex", "continue", "mistral-vibe", "goose"] {
        let mut empty = world(id, "", &["sqlite"]);
        pushed(&mut empty);
        let mut missing = world(id, "", &["sqlite"]);
        missing.text = None;
        pushed(&mut missing);
        assert_eq!(empty.text, missing.text, "{id}");
        empty.servers.clear();
        pushed(&mut empty);
        assert_eq!(empty.text.as_deref(), Some(""), "{id}");
    }
    let mut codex = world("codex", "", &["sqlite"]);
    codex.text = None;
    insta::assert_snapshot!(pushed(&mut codex), @r#"
    (1 pending)
    add `sqlite`
    ---
    [mcp_servers.sqlite]
    command = "/bin/switchboard"
    args = ["connect", "sqlite"]
    "#);
}

#[test]
fn a_switch_of_transport_leaves_nothing_that_stops_the_client() {
    let mut world = world(
        "codex",
        "[mcp_servers.docs]\nurl = \"https://d/mcp\" # theirs\nbearer_token_env_var = \"T\"\nstartup_timeout_sec = 20\n",
        &[],
    );
    let headers = [("Authorization".to_owned(), "Bearer ${env:T}".to_owned())].into();
    let launch = Launch::Remote { kind: Remote::Http, url: "https://d/mcp".to_owned(), headers };
    world.servers.push(Server::new(name("docs"), launch));
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    take over `docs`, which the client runs by itself now
    ---
    [mcp_servers.docs]
    startup_timeout_sec = 20
    command = "/bin/switchboard"
    args = ["connect", "docs"]
    "#);
}

#[test]
fn a_server_that_is_disabled_comes_back_with_the_clients_keys() {
    let mut world = world("cline", "", &["sqlite", "git"]);
    world.push();
    let text = world.text.take().unwrap();
    world.text = Some(text.replacen(
        "\"sqlite\"]",
        "\"sqlite\"],\n      \"alwaysAllow\": [\"query\"], \"disabled\": true",
        1,
    ));
    world.servers[0].enabled = false;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    `git` is in step
    remove `sqlite`
    ---
    {
      "mcpServers": {
        "git": {
          "command": "/bin/switchboard",
          "args": ["connect", "git"]
        }
      }
    }
    "#);
    world.servers[0].enabled = true;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    `git` is in step
    add `sqlite`
    ---
    {
      "mcpServers": {
        "git": {
          "command": "/bin/switchboard",
          "args": ["connect", "git"]
        },
        "sqlite": {
          "command": "/bin/switchboard",
          "args": ["connect", "sqlite"],
          "alwaysAllow": ["query"],
          "disabled": true
        }
      }
    }
    "#);
}

#[test]
fn the_same_server_is_taken_over_and_its_twin_goes() {
    let text = r#"{
  "mcpServers": {
    "plain": { "command": "npx", "args": ["-y", "sqlite"] },
    "db": { "command": "npx", "args": ["-y", "sqlite"], "timeout": 9 }
  }
}
"#;
    insta::assert_snapshot!(pushed(&mut world("claude-desktop", text, &["sqlite"])), @r#"
    (2 pending)
    take over `db` (server `sqlite`), which the client runs by itself now
    remove `plain` (server `sqlite`), a second entry of the same server
    ---
    {
      "mcpServers": {
        "db": { "command": "/bin/switchboard", "args": ["connect", "sqlite"], "timeout": 9 }
      }
    }
    "#);
    let both = text.replace("\"sqlite\"] }", "\"sqlite\"], \"x\": 1 }");
    insta::assert_snapshot!(pushed(&mut world("claude-desktop", &both, &["sqlite"])), @r#"
    (1 in conflict, 1 pending)
    take over `plain` (server `sqlite`), which the client runs by itself now
    `db` (server `sqlite`) is a second entry of the same server, with settings of its own
    ---
    {
      "mcpServers": {
        "plain": { "command": "/bin/switchboard", "args": ["connect", "sqlite"], "x": 1 },
        "db": { "command": "npx", "args": ["-y", "sqlite"], "timeout": 9 }
      }
    }
    "#);
}

#[test]
fn a_name_in_use_is_left_to_the_client() {
    let text = "{\n  \"mcpServers\": {\n    \"sqlite\": { \"command\": \"other\" }\n  }\n}\n";
    let mut world = world("claude-desktop", text, &["sqlite"]);
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    add `sqlite1` (server `sqlite`)
    `sqlite` is the client's own
    ---
    {
      "mcpServers": {
        "sqlite": { "command": "other" },
        "sqlite1": { "command": "/bin/switchboard", "args": ["connect", "sqlite"] }
      }
    }
    "#);
    world.rename(&name("sqlite"), &name("database"));
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    update `sqlite1` (server `database`)
    `sqlite` is the client's own
    ---
    {
      "mcpServers": {
        "sqlite": { "command": "other" },
        "sqlite1": { "command": "/bin/switchboard", "args": ["connect", "database"] }
      }
    }
    "#);
}

#[test]
fn what_cannot_be_said_does_not_hold_up_the_rest() {
    use crate::launch::Remote;
    use crate::settings::Via;
    let mut world = world("codex", "", &["a"]);
    let url = "https://s/sse".to_owned();
    let sse = Launch::Remote { kind: Remote::Sse, url, headers: std::collections::BTreeMap::default() };
    world.servers.push(Server::new(name("events"), sse));
    world.settings.via = Via::Direct;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    add `a`
    ! server `events` cannot be given to this client: this client does not speak the `sse` transport
    ---
    [mcp_servers.a]
    command = "npx"
    args = ["-y", "a"]
    "#);
}
