//! Tools that become others while they are served, and the policy that follows what servers offer.

use testkit::daemon::Daemon;
use testkit::home::FakeHome;

use crate::succession::Client;
use crate::{CATALOGUE, SETTINGS};

const POLICY: &str = "switchboard/config/tool-policy.toml";

/// A server whose tool `grow` adds another tool, and whose tool `turn` becomes another, each time either is called.
const SERVER: &str = r#"
import json, sys
tools = {"grow": "Grows", "turn": "Turns"}
def say(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if "id" not in request:
        continue
    if request["method"] == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {"listChanged": True}}, "serverInfo": {"name": "g", "version": "1"}}
    elif request["method"] == "tools/list":
        result = {"tools": [{"name": name, "description": tools[name], "inputSchema": {"type": "object"}} for name in tools]}
    elif request["method"] == "tools/call":
        if request["params"]["name"] == "grow":
            tools["get_more_%d" % len(tools)] = "More"
        else:
            tools["turn"] += " into something else"
        say({"method": "notifications/tools/list_changed"})
        result = {"content": [{"type": "text", "text": "done"}]}
    else:
        say({"id": request["id"], "error": {"code": -32601, "message": "no such method"}})
        continue
    say({"id": request["id"], "result": result})
"#;

/// A home whose one server is that one, and has been asked.
pub(crate) fn stage(settings: &str) -> FakeHome {
    let home = FakeHome::new(env!("CARGO_BIN_EXE_switchboard"));
    home.write("server.py", SERVER);
    let script = home.path("server.py");
    home.write(
        CATALOGUE,
        format!("[servers.slow]\ncommand = \"python3\"\nargs = [\"{}\"]\n", script.display()),
    );
    home.write(SETTINGS, settings);
    home.ok("sync");
    home
}

#[test]
fn a_tool_that_becomes_another_is_not_called_until_a_person_has_looked_at_it() {
    let home = stage("[policy]\non_change = \"quarantine\"\n");
    let daemon = Daemon::start(&home);
    let mut client = Client::new(&home);
    client.call(1, "turn");
    assert!(client.answer(1).contains("done"));
    daemon.wait("the change is told", || home.run("status").all().contains("turn of slow"));
    client.call(2, "turn");
    assert!(client.answer(2).contains("its definition has changed since it was approved"));
    // Whoever damages the record does not approve by it.
    home.write("switchboard/state/pins.json", "{");
    daemon.wait("it is written again", || daemon.log().contains("what tools were is written down again"));
    assert!(home.run("status").all().contains("turn of slow"));
    client.call(3, "grow");
    assert!(client.answer(3).contains("done"), "the others are called");
    let diff = home.ok("tool show slow/turn").stdout;
    assert!(diff.contains("+\"Turns into something else\""), "{diff}");
    let (status, told) = daemon.post("/api/v1/policy/approve", r#"{"tools":["slow/turn"]}"#).unwrap();
    assert_eq!(status, 409, "a person has to have seen it: {told}");
    let (status, told) =
        daemon.post("/api/v1/policy/approve?yes=true", r#"{"tools":["slow/turn"]}"#).unwrap();
    assert_eq!(status, 200, "{told}");
    daemon.wait("it is called again", || home.run("tool call slow/turn").code == 0);
    let is_denied = |call: &serde_json::Value| call["outcome"] == "denied" && call["tool"] == "turn";
    daemon
        .wait("the record", || home.ok("policy log --json").json().as_array().unwrap().iter().any(is_denied));
}

#[test]
fn the_policy_file_and_what_follows_it_have_new_tools_by_themselves() {
    let export = "[[policy.export]]\npath = \"{}\"\nserver = \"slow\"\n";
    let home = stage("");
    let config = home.path("app/mcp_config.json");
    home.write(SETTINGS, export.replace("{}", &config.display().to_string()));
    std::fs::create_dir(home.path("app")).unwrap();
    let daemon = Daemon::start(&home);
    // Where another application wants to know, it is told without a command; a file of ours is begun with it.
    daemon.wait("the application is told", || config.exists());
    daemon.wait("the policy is begun", || home.path(POLICY).exists());
    home.edit(
        POLICY,
        "risk = \"medium\"\ndecision = \"allow\"",
        "risk = \"high\" # mine\ndecision = \"allow\"",
    );
    let mut client = Client::new(&home);
    for number in 1..=3 {
        client.call(number, "grow");
        assert!(client.answer(number).contains("done"));
        let name = format!("get_more_{}", number + 1);
        daemon.wait("the policy has the new tool", || {
            home.text(POLICY).contains(&format!("[tools.slow.{name}]"))
        });
        daemon.wait("so has the application", || home.text("app/mcp_config.json").contains(&name));
    }
    assert!(home.text(POLICY).contains("risk = \"high\" # mine"), "{}", home.text(POLICY));
    let written = std::fs::metadata(home.path(POLICY)).unwrap().modified().unwrap();
    home.ok("sync --force");
    assert!(home.ok("policy sync").stdout.contains("as it should be"));
    assert_eq!(std::fs::metadata(home.path(POLICY)).unwrap().modified().unwrap(), written);
    let log = daemon.log();
    assert!(log.contains("another application's file has the tools as they are now"), "{log}");
}

#[test]
fn a_policy_that_nobody_asked_for_is_not_begun() {
    let home = stage("");
    let daemon = Daemon::start(&home);
    let mut client = Client::new(&home);
    client.call(1, "grow");
    client.answer(1);
    daemon.wait("the registry", || home.ok("tool list").stdout.contains("get_more_2"));
    assert!(!home.path(POLICY).exists());
}

#[test]
fn a_call_waits_for_a_person_who_agrees_on_the_command_line() {
    let home = stage("[policy]\ndecisions = { medium = \"ask\" }\n");
    assert!(home.ok("policy pending").stdout.contains("no call waits"), "without a daemon nothing does");
    let daemon = Daemon::start(&home);
    let mut client = Client::new(&home);
    let mut asked = 0;
    // Calls a tool, and returns the number under which the call waits, or else what was said.
    let mut call = |tool: &str| -> Result<u64, String> {
        asked += 1;
        client.call(asked, tool);
        let said = client.answer(asked);
        let number = said.split("switchboard policy approve ").nth(1).and_then(|rest| rest.split('`').next());
        number.and_then(|number| number.parse().ok()).ok_or(said)
    };
    let (turn, grow) = (call("turn").unwrap(), call("grow").unwrap());
    assert_eq!(grow, turn + 1);
    let listed = home.ok("policy pending").stdout;
    assert!(listed.contains("turn") && listed.contains("grow") && listed.contains("medium"), "{listed}");
    assert!(home.run("status").all().contains("turn of slow waits for somebody to agree"));
    assert!(home.run("policy approve 7777777").all().contains("there is none of that number"));
    home.ok(&format!("policy approve {turn} --dry-run"));
    assert_eq!(home.ok("policy pending --json").json().as_array().unwrap().len(), 2);
    let told = home.ok(&format!("policy approve {turn}")).stdout;
    assert!(told.contains("turn of slow with {}, may be made once control calls again"), "{told}");
    let (status, told) =
        daemon.post(&format!("/api/v1/policy/pending/{grow}"), r#"{"agree":false}"#).unwrap();
    assert!(status == 200 && told.contains("\"grow\""), "{told}");
    assert!(call("turn").unwrap_err().contains("done"));
    assert!(call("grow").unwrap_err().contains("the user did not agree"));
    let again = call("turn").expect("a word counts once");
    home.ok(&format!("policy refuse {again}"));
    assert!(call("turn").unwrap_err().contains("the user did not agree"));
    // What was called is gathered for a moment.
    daemon.wait("the record", || home.ok("policy log").stdout.contains("pending"));
}
