//! What a client is given that is led through the gateway: addresses, or one entry for all servers.

use super::stories::{pushed, world};
use crate::client::relation::ClientRecord;

#[test]
fn a_client_is_given_addresses_with_its_token() {
    use crate::settings::Via;
    let mut world = world("cursor", "{}\n", &["a", "b c"]);
    world.settings.via = Via::Http;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (2 pending)
    add `a`
    add `b c`
    ---
    {
      "mcpServers": {
        "a": {
          "url": "http://127.0.0.1:8080/mcp/a",
          "headers": {
            "Authorization": "Bearer sb_1"
          }
        },
        "b c": {
          "url": "http://127.0.0.1:8080/mcp/b%20c",
          "headers": {
            "Authorization": "Bearer sb_1"
          }
        }
      }
    }
    "#);
    // The record is lost: its entries are known again by the address.
    world.record = ClientRecord::default();
    world.servers.remove(0);
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    remove `a`
    `b c` is in step
    ---
    {
      "mcpServers": {
        "b c": {
          "url": "http://127.0.0.1:8080/mcp/b%20c",
          "headers": {
            "Authorization": "Bearer sb_1"
          }
        }
      }
    }
    "#);
    world.settings.via = Via::Bridge;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    update `b c`
    ---
    {
      "mcpServers": {
        "b c": {
          "command": "/bin/switchboard",
          "args": ["connect", "b c"]
        }
      }
    }
    "#);
}

#[test]
fn one_entry_leads_to_all_servers_and_makes_room_for_one_each_again() {
    use crate::settings::{Face, Tools};
    let own = r#"{"mcpServers":{"own":{"command":"mine"},"all":{"command":"switchboard","args":["connect","--all"]}}}"#;
    let mut world = world("cursor", own, &["a", "b"]);
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (2 pending)
    add `a`
    add `b`
    `own` is the client's own
    `all` is the client's own
    ---
    {"mcpServers":{"own":{"command":"mine"},"all":{"command":"switchboard","args":["connect","--all"]},"a":{"command":"/bin/switchboard","args":["connect","a"]},"b":{"command":"/bin/switchboard","args":["connect","b"]}}}
    "#);
    world.settings.face = Face::Single;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (3 pending)
    remove `a`
    remove `b`
    add `switchboard`
    `own` is the client's own
    `all` is the client's own
    ---
    {"mcpServers":{"own":{"command":"mine"},"all":{"command":"switchboard","args":["connect","--all"]},"switchboard":{"command":"/bin/switchboard","args":["connect","--all"]}}}
    "#);
    world.settings.tools = Tools::Search;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (1 pending)
    update `switchboard`
    `own` is the client's own
    `all` is the client's own
    ---
    {"mcpServers":{"own":{"command":"mine"},"all":{"command":"switchboard","args":["connect","--all"]},"switchboard":{"command":"/bin/switchboard","args":["connect","--all","--tools","search"]}}}
    "#);
    // The record is lost.
    world.record = ClientRecord::default();
    assert!(!world.plan().is_pending());
    world.scan();
    world.settings.face = Face::PerServer;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (3 pending)
    remove `switchboard`
    add `a`
    add `b`
    `own` is the client's own
    `all` is the client's own
    ---
    {"mcpServers":{"own":{"command":"mine"},"all":{"command":"switchboard","args":["connect","--all"]},"a":{"command":"/bin/switchboard","args":["connect","a"]},"b":{"command":"/bin/switchboard","args":["connect","b"]}}}
    "#);
}

#[test]
fn one_entry_leads_to_what_the_gateway_joins_and_to_nothing_else() {
    use crate::settings::{Face, Via};
    let mut world = world("cursor", "{}\n", &["a", "b"]);
    world.settings.face = Face::Single;
    world.settings.servers = vec!["a".to_owned(), "tag:x".to_owned()];
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (nothing planned)
    ! one entry for several servers leads to all of them, or to those of a profile
    ---
    {}
    "#);
    world.settings.servers = vec!["profile:work".to_owned()];
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (nothing planned)
    ! there is no profile `work` for this client's one entry
    ---
    {}
    "#);
    world.settings.servers = vec!["*".to_owned()];
    world.settings.via = Via::Direct;
    insta::assert_snapshot!(pushed(&mut world), @r#"
    (nothing planned)
    ! `face = "single"` leads through the gateway, and `via = "direct"` past it
    ---
    {}
    "#);
}
