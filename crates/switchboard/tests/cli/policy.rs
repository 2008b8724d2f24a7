//! `policy`: what each tool may do, kept in a file that belongs to whoever edits it.

use std::fs;

use crate::sync::Scene;
use crate::{CATALOGUE, SETTINGS};

pub(crate) const POLICY: &str = "switchboard/config/tool-policy.toml";

fn scene() -> Scene {
    let scene = Scene::new(&[("k8s", "k8s"), ("git", "git")]);
    scene.home.write("tools-k8s", "list_pods delete_pod scale_deployment");
    scene.home.write("tools-git", "status list_pods");
    scene
}

/// A home whose policy is written.
pub(crate) fn written() -> Scene {
    let scene = scene();
    scene.home.ok("policy sync");
    scene
}

#[test]
fn a_policy_is_begun_and_written_only_where_something_changes() {
    let scene = scene();
    let before = scene.home.tree();
    scene.home.ok("policy sync --dry-run");
    assert_eq!(before.changes(&scene.home.tree()), [""; 0]);
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 0
    ----- stdout -----
    ✓ git: `list_pods`, `status` added
    ✓ k8s: `delete_pod`, `list_pods`, `scale_deployment` added
    ~/switchboard/config/tool-policy.toml is up to date: 5 tools
    ");
    insta::assert_snapshot!(scene.home.text(POLICY), @r#"
    #:schema ./tool-policy.schema.json
    # What each tool may do, and how. One table per tool; change whatever you like: what you write stays.
    # Lines that you do not touch follow the tools. `switchboard policy explain TOOL` says where each comes from.

    [tools.k8s.delete_pod]
    risk = "high"
    decision = "allow"
    timeout = "60s"
    permission = "k8s:pod:delete"

    [tools.k8s.list_pods]
    risk = "safe"
    decision = "allow"
    timeout = "30s"
    cache_ttl = "60s"

    [tools.k8s.scale_deployment]
    risk = "medium"
    decision = "allow"
    timeout = "60s"
    permission = "k8s:deployment:scale"

    [tools.git.list_pods]
    risk = "safe"
    decision = "allow"
    timeout = "30s"
    cache_ttl = "60s"

    [tools.git.status]
    risk = "safe"
    decision = "allow"
    timeout = "30s"
    cache_ttl = "60s"
    "#);
    let stamp = || fs::metadata(scene.home.path(POLICY)).unwrap().modified().unwrap();
    let first = stamp();
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 0
    ----- stdout -----
    ~/switchboard/config/tool-policy.toml is as it should be: 5 tools
    ");
    assert_eq!(stamp(), first);
    scene.home.write("tools-k8s", "list_pods get_pod");
    scene.home.ok("sync k8s");
    let shown = scene.home.ok("policy sync --dry-run").stdout;
    for line in [
        "-[tools.k8s.delete_pod]",
        "+#~ [tools.k8s.delete_pod]",
        "+[tools.k8s.get_pod]",
        "→ k8s: `get_pod` would be added",
        "→ k8s: `delete_pod`, `scale_deployment` would go, kept as a comment",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 0
    ----- stdout -----
    ✓ k8s: `get_pod` added
    ✓ k8s: `delete_pod`, `scale_deployment` gone, kept as a comment
    ~/switchboard/config/tool-policy.toml is up to date: 4 tools
    ");
    scene.home.write("tools-k8s", "list_pods get_pod delete_pod a_new b_new c_new d_new");
    scene.home.ok("sync k8s");
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 0
    ----- stdout -----
    ✓ k8s: 4 tools added
    ✓ k8s: `delete_pod` back, as it was
    ~/switchboard/config/tool-policy.toml is up to date: 9 tools
    ");
    assert_eq!(scene.home.ok("policy sync --json").json()["written"], false);
}

#[test]
fn rules_are_shown_with_whose_word_they_are() {
    let scene = written();
    insta::assert_snapshot!(scene.run("policy show"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL              RISK    DECISION  TIMEOUT  CACHE  PERMISSION            WHO SAYS IT
    k8s     list_pods         safe    allow     30s                                   proposed
    k8s     delete_pod        high    allow     60s             k8s:pod:delete        proposed
    k8s     scale_deployment  medium  allow     60s             k8s:deployment:scale  proposed
    git     status            safe    allow     30s                                   proposed
    git     list_pods         safe    allow     30s                                   proposed
    ");
    scene.home.edit(POLICY, "risk = \"high\"", "risk = \"medium\" # it is only a toy");
    scene.home.ok("policy set git/status enabled=false rate=10/min");
    insta::assert_snapshot!(scene.run("policy show"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL              RISK    DECISION  TIMEOUT  CACHE  PERMISSION            WHO SAYS IT
    k8s     list_pods         safe    allow     30s                                   proposed
    k8s     delete_pod        medium  allow     60s             k8s:pod:delete        you: risk
    k8s     scale_deployment  medium  allow     60s             k8s:deployment:scale  proposed
    git     status            safe    off       30s                                   you: enabled, rate
    git     list_pods         safe    allow     30s                                   proposed
    ");
    insta::assert_snapshot!(scene.run("policy show k8s/delete_pod"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL        RISK    DECISION  TIMEOUT  CACHE  PERMISSION      WHO SAYS IT
    k8s     delete_pod  medium  allow     60s             k8s:pod:delete  you: risk
    ");
    insta::assert_snapshot!(scene.run("policy show kk8s"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find server or tool `kk8s`
    hint: see `switchboard tool list`, or find it with `switchboard tool search`
    ");
    insta::assert_snapshot!(scene.run("policy explain delete_pod"), @"
    exit code: 0
    ----- stdout -----
    delete_pod of k8s
    its table is in ~/switchboard/config/tool-policy.toml:5
    risk medium: your own words in line 6 (proposed: high)
    decision allow: as it was generated, in line 7
    timeout 60s: as it was generated, in line 8
    hard_timeout 1h: as for all tools
    permission k8s:pod:delete: as it was generated, in line 9
    `delete` in its name is high
    ");
    for line in ["k8s/delete_pod", "k8s delete_pod", "k8s__delete_pod"] {
        let json = scene.home.ok(&format!("policy explain {line} --json")).json();
        assert_eq!((&json["values"]["risk"], &json["person"]), (&"medium".into(), &true.into()), "{line}");
    }
    insta::assert_snapshot!(scene.run("policy explain list_pods"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find tool `list_pods`: several servers have one: k8s, git
    hint: say whose: `switchboard policy explain k8s/list_pods`
    ");
    insta::assert_snapshot!(scene.run("policy explain git/nothing"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find tool `git/nothing`
    hint: see `switchboard tool list`, or find it with `switchboard tool search`
    ");
    let shown = scene.home.ok("policy show git --json").json();
    assert_eq!(shown.as_array().unwrap().len(), 2);
}

#[test]
fn what_is_set_is_a_persons_word_though_it_says_what_was_proposed() {
    let scene = written();
    insta::assert_snapshot!(scene.run("policy set k8s/delete_pod decision=deny timeout=5s permission=a:b,c:d cache=off"), @"
    exit code: 0
    ----- stdout -----
    ✓ delete_pod of k8s: your words are decision deny, timeout 5s, cache_ttl none, permission a:b, c:d
    ");
    let text = scene.home.text(POLICY);
    let set = "decision = \"deny\"\ntimeout = \"5s\"\npermissions = [\"a:b\", \"c:d\"]\ncache_ttl = \"0s\"\n\n[tools.k8s.list_pods]\n";
    assert!(text.contains(&format!("[tools.k8s.delete_pod]\nrisk = \"high\"\n{set}")), "{text}");
    // Now every tool of high risk is to be asked about; what was said stays, though it was what was proposed.
    scene.home.ok("policy set k8s/scale_deployment decision=allow");
    scene
        .home
        .write(SETTINGS, "[policy]\ndecisions = { high = \"ask\", medium = \"ask\", safe = \"allow\" }\n");
    scene.home.ok("policy sync");
    let values =
        |tool: &str| scene.home.ok(&format!("policy explain {tool} --json")).json()["values"].clone();
    assert_eq!(values("k8s/delete_pod")["decision"], "deny");
    assert_eq!(values("k8s/scale_deployment")["decision"], "allow");
    assert_eq!(values("k8s/delete_pod")["permission"], "a:b, c:d");
    scene.home.ok("policy set k8s__delete_pod permission=none rate=none");
    assert_eq!(values("k8s/delete_pod")["permission"], serde_json::Value::Null);
    for line in [
        "k8s/delete_pod risk=hgih",
        "k8s/delete_pod dcision=deny",
        "k8s/delete_pod nonsense",
        "k8s/delete_pod cache=off cache_ttl=5s",
        "k8s/delete_pod enabled=perhaps",
        "k8s/delete_pod timeout=0s",
        "k8s/delete_pod permission=a::b",
        "k8s/delete_pod rate=often",
        "list_pods risk=high",
        "k8s/delete_pdo risk=high",
    ] {
        let before = scene.home.text(POLICY);
        let output = scene.run(&format!("policy set {line}"));
        assert_eq!(output.code, 2, "{line}: {output}");
        assert!(
            output.stderr.starts_with("error: failed to ") && output.stderr.contains("hint: "),
            "{output}"
        );
        assert_eq!(scene.home.text(POLICY), before);
    }
    let before = scene.home.tree();
    let output = scene.home.ok("policy set k8s/delete_pod risk=safe --dry-run");
    assert!(output.stdout.contains("+risk = \"safe\""), "{output}");
    assert_eq!(before.changes(&scene.home.tree()), [""; 0]);
}

#[test]
fn a_word_about_a_tool_without_a_table_makes_one_that_is_filled_up_later() {
    let scene = scene();
    scene.home.ok("policy set k8s/delete_pod decision=deny");
    let text = scene.home.text(POLICY);
    let (head, tables) = text.split_once("\n\n").unwrap();
    assert!(head.starts_with("#:schema "), "{text}");
    assert_eq!(tables, "[tools.k8s.delete_pod]\ndecision = \"deny\"\n");
    scene.home.ok("policy sync");
    let text = scene.home.text(POLICY);
    assert!(text.contains("[tools.k8s.delete_pod]\ndecision = \"deny\"\nrisk = \"high\"\n"), "{text}");
}

#[test]
fn a_damaged_file_changes_nothing_and_says_where() {
    let scene = written();
    scene.home.ok("policy set k8s/delete_pod decision=deny");
    let good = scene.home.read(POLICY);
    scene.home.edit(POLICY, "decision = \"deny\"", "decision = \"dney\"");
    let damaged = scene.home.read(POLICY);
    scene.home.write("tools-k8s", "list_pods get_pod");
    scene.home.ok("sync k8s");
    insta::assert_snapshot!(scene.run("policy sync"), @r#"
    exit code: 3
    ----- stderr -----
    error: ~/switchboard/config/tool-policy.toml:7:12: `decision` of tool `delete_pod` is "dney", not one of "allow", "ask", "deny"
    hint: did you mean "deny"?
    error: failed to sync the policy: the policy file is wrong
    hint: mend it, then run `switchboard config check`; until then the last good policy stays in force
    "#);
    assert_eq!(scene.run("policy set git/status risk=high").code, 3);
    assert_eq!(scene.home.read(POLICY), damaged);
    insta::assert_snapshot!(scene.run("config check"), @r#"
    exit code: 3
    ----- stdout -----
    ✓ ~/switchboard/config/mcp-servers.toml is good
    ✓ ~/switchboard/config/switchboard.toml is good
    ----- stderr -----
    error: ~/switchboard/config/tool-policy.toml:7:12: `decision` of tool `delete_pod` is "dney", not one of "allow", "ask", "deny"
    hint: did you mean "deny"?
    error: failed to find the files in order
    "#);
    insta::assert_snapshot!(scene.run("doctor"), @r#"
    exit code: 1
    ----- stdout -----
    ✗ ~/switchboard/config/tool-policy.toml:7:12: `decision` of tool `delete_pod` is "dney", not one of "allow", "ask", "deny"
        did you mean "deny"?
    ----- stderr -----
    error: failed to find everything in order: 1 of 1 findings are grave
    "#);
    assert!(scene.run("status").stderr.contains("tool-policy.toml:7:12: "), "{}", scene.run("status"));
    assert_eq!(scene.home.ok("status --json").json()["policy"]["last_good"], true);
    // What was in force stays.
    scene.home.write("tools-k8s", "list_pods delete_pod scale_deployment");
    scene.home.ok("sync k8s");
    let shown = scene.home.ok("policy explain k8s/delete_pod --json").json();
    assert_eq!(shown["values"]["decision"], "deny");
    insta::assert_snapshot!(scene.run("policy undo"), @r#"
    exit code: 5
    ----- stderr -----
    error: ~/switchboard/config/tool-policy.toml:7:12: `decision` of tool `delete_pod` is "dney", not one of "allow", "ask", "deny"
    hint: did you mean "deny"?
    error: failed to put the policy back to the last good one: that would lose what somebody wrote into the file since
    hint: mend the file, or let go of it with `switchboard policy undo --force`; their version stays in the backups
    "#);
    assert_eq!(scene.home.read(POLICY), damaged);
    scene.home.ok("policy undo --force");
    assert_eq!(scene.home.read(POLICY), good);
    // One that is suddenly empty was hardly meant so; one that is gone is.
    scene.home.write(POLICY, "\n");
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 3
    ----- stderr -----
    error: ~/switchboard/config/tool-policy.toml: the policy is suddenly empty
    hint: bring it back with `switchboard policy undo --force`, or remove the file to begin anew
    error: failed to sync the policy: the policy file is wrong
    hint: mend it, then run `switchboard config check`; until then the last good policy stays in force
    ");
    fs::remove_file(scene.home.path(POLICY)).unwrap();
    scene.home.ok("policy sync");
    assert!(!scene.home.text(POLICY).contains("deny"));
}

#[test]
fn what_has_no_effect_is_told_once() {
    let scene = written();
    scene.home.edit(POLICY, "cache_ttl = \"60s\"", "cache_ttl = \"5m\"");
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 0
    ----- stdout -----
    ~/switchboard/config/tool-policy.toml is as it should be: 5 tools
    ----- stderr -----
    warning: ~/switchboard/config/tool-policy.toml:15:1: `cache_ttl` of tool `list_pods` and of 2 others has no effect: no results are kept
    hint: write cache = true under `[policy]` in the settings, or remove the line
    ");
    insta::assert_snapshot!(scene.run("policy set git/status hard_timeout=5s"), @"
    exit code: 0
    ----- stdout -----
    ✓ status of git: your words are hard_timeout 5s, cache_ttl none
    ----- stderr -----
    warning: ~/switchboard/config/tool-policy.toml:15:1: `cache_ttl` of tool `list_pods` and of 2 others has no effect: no results are kept
    hint: write cache = true under `[policy]` in the settings, or remove the line
    warning: ~/switchboard/config/tool-policy.toml:32:1: `timeout` of tool `status` has no effect: `hard_timeout` is shorter
    hint: make `timeout` no longer than `hard_timeout`
    ");
    let tables = scene.home.text(POLICY);
    scene.home.write(POLICY, format!("{tables}\n[tools.k8s.delte_pod]\ndecision = \"deny\"\n"));
    let told = scene.run("policy sync").stderr;
    assert!(
        told.contains("`k8s` offers no tool `delte_pod`") && told.contains("did you mean `delete_pod`?"),
        "{told}"
    );
    scene.home.write(POLICY, tables);
    scene.home.edit(POLICY, "risk = \"high\"\ndecision = \"allow\"", "risk = \"high\"\ndesicion = \"deny\"");
    insta::assert_snapshot!(scene.run("policy sync"), @"
    exit code: 3
    ----- stderr -----
    error: ~/switchboard/config/tool-policy.toml:7:1: tool `delete_pod` has no setting `desicion`
    hint: did you mean `decision`?
    warning: ~/switchboard/config/tool-policy.toml:15:1: `cache_ttl` of tool `list_pods` and of 2 others has no effect: no results are kept
    hint: write cache = true under `[policy]` in the settings, or remove the line
    warning: ~/switchboard/config/tool-policy.toml:32:1: `timeout` of tool `status` has no effect: `hard_timeout` is shorter
    hint: make `timeout` no longer than `hard_timeout`
    error: failed to sync the policy: the policy file is wrong
    hint: mend it, then run `switchboard config check`; until then the last good policy stays in force
    ");
}

#[test]
fn what_is_said_of_tools_follows_the_name_of_their_server() {
    let scene = written();
    scene.home.ok("policy set k8s/delete_pod decision=deny");
    scene.home.ok("server rename k8s kube");
    assert!(scene.home.text(POLICY).contains("[tools.kube.delete_pod]\n"), "{}", scene.home.text(POLICY));
    // By hand it is the same, as soon as anything is done in this home.
    scene.home.edit(CATALOGUE, "[servers.kube]", "[servers.k9s]");
    scene.home.ok("policy sync");
    let text = scene.home.text(POLICY);
    assert!(
        text.contains("[tools.k9s.delete_pod]\n") && !text.contains("k8s") && !text.contains("kube"),
        "{text}"
    );
    let shown = scene.home.ok("policy explain k9s/delete_pod --json").json();
    assert_eq!(shown["values"]["decision"], "deny", "{shown}");
    assert!(
        scene.run("policy history").stdout.contains("`kube` is called `k9s`"),
        "{}",
        scene.run("policy history")
    );
    // One that is disabled, or gone for a while, keeps its denial.
    scene.home.ok("server disable k9s");
    scene.home.ok("policy sync");
    let catalogue = scene.home.text(CATALOGUE);
    scene.home.ok("server remove k9s");
    scene.home.ok("policy sync");
    assert!(scene.home.text(POLICY).contains("\n[tools.k9s.delete_pod]\n"), "{}", scene.home.text(POLICY));
    scene.home.write(CATALOGUE, catalogue.replace("k9s", "back").replace("enabled = false", ""));
    scene.home.ok("policy sync");
    let shown = scene.home.ok("policy explain back/delete_pod --json").json();
    assert_eq!(shown["values"]["decision"], "deny", "{shown}");
}

#[test]
fn a_hand_edit_survives_ten_regenerations() {
    let scene = scene();
    scene.home.ok("policy sync");
    scene.home.edit(
        POLICY,
        "[tools.k8s.list_pods]\nrisk = \"safe\"",
        "# we look at these all day\n[tools.k8s.list_pods]\nrisk = 'medium' # really",
    );
    scene.home.edit(
        POLICY,
        "timeout = \"60s\"\npermission = \"k8s:pod:delete\"",
        "timeout = \"7m\"\npermission = \"k8s:pod:delete\"",
    );
    let settings = |decision: &str| {
        scene.home.write(SETTINGS, format!("[policy]\ndecisions = {{ high = \"{decision}\", medium = \"{decision}\", safe = \"{decision}\" }}\n"));
    };
    for round in 0..10 {
        let more = ["", " get_more", " get_more get_most"][round % 3];
        scene.home.write("tools-k8s", format!("list_pods delete_pod scale_deployment{more}"));
        settings(if round % 2 == 0 { "ask" } else { "allow" });
        scene.home.ok("sync k8s");
        assert_eq!(scene.home.ok("policy sync --json").json()["written"], true, "{round}");
        let text = scene.home.text(POLICY);
        assert!(
            text.contains("# we look at these all day\n[tools.k8s.list_pods]\nrisk = 'medium' # really\n"),
            "{text}"
        );
        assert_eq!(text.matches("timeout = \"7m\"").count(), 1, "{text}");
    }
}

#[test]
fn names_complete() {
    let mut scene = written();
    scene.home.set("SWITCHBOARD_COMPLETE", "fish");
    for (line, name) in [
        ("-- switchboard policy explain k8s/del", "k8s/delete_pod"),
        ("-- switchboard policy set git/", "git/status"),
        ("-- switchboard policy show k", "k8s"),
    ] {
        let output = scene.run(line);
        assert!(
            output.stdout.lines().any(|shown| shown.split('\t').next() == Some(name)),
            "{line}: {output}"
        );
    }
}

#[test]
fn the_file_names_its_schema() {
    let scene = written();
    let schema = fs::read_to_string(scene.home.path("switchboard/config/tool-policy.schema.json")).unwrap();
    assert_eq!(scene.home.ok("config schema policy").stdout, schema);
    assert!(scene.home.text(POLICY).starts_with("#:schema ./tool-policy.schema.json\n"));
    assert!(scene.home.text(CATALOGUE).contains("[servers.k8s]"));
}
