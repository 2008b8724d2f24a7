//! `policy history` and `policy undo`: the ways back.

use crate::policy::{POLICY, written};

#[test]
fn undo_goes_back_byte_for_byte_and_can_be_undone() {
    let scene = written();
    let first = scene.home.read(POLICY);
    scene.home.ok("policy set k8s/delete_pod decision=deny");
    let second = scene.home.read(POLICY);
    scene.home.ok("policy set git/status decision=ask");
    insta::assert_snapshot!(scene.run("policy history"), @"
    exit code: 0
    ----- stdout -----
    ID  WHEN                  WHAT
    3   [TIME]  set decision=ask of `status` of `git`
    2   [TIME]  set decision=deny of `delete_pod` of `k8s`
    1   [TIME]  git: `list_pods`, `status` added; k8s: `delete_pod`, `list_pods`, `scale_deployment` added
    ");
    insta::assert_snapshot!(scene.run("policy undo"), @"
    exit code: 0
    ----- stdout -----
    ✓ ~/switchboard/config/tool-policy.toml is what it was before write 3, [TIME]
    ");
    assert_eq!(scene.home.read(POLICY), second);
    scene.home.ok("policy undo");
    assert_eq!(scene.home.read(POLICY), first);
    assert_eq!(scene.home.ok("policy sync --json").json()["written"], false);
    insta::assert_snapshot!(scene.run("policy history"), @"
    exit code: 0
    ----- stdout -----
    ID  WHEN                  WHAT
    5   [TIME]  undo 2
    4   [TIME]  undo 3
    3   [TIME]  set decision=ask of `status` of `git` (undone)
    2   [TIME]  set decision=deny of `delete_pod` of `k8s` (undone)
    1   [TIME]  git: `list_pods`, `status` added; k8s: `delete_pod`, `list_pods`, `scale_deployment` added
    ");
    // The undo undone.
    scene.home.ok("policy undo 5");
    assert_eq!(scene.home.read(POLICY), second);
    scene.home.ok("policy undo 1");
    assert!(!scene.home.path(POLICY).exists());
    insta::assert_snapshot!(scene.run("policy undo"), @"
    exit code: 2
    ----- stderr -----
    error: failed to undo: nothing of ours stands in the policy file
    hint: see `switchboard policy history`
    ");
    scene.home.ok("policy undo 7");
    assert_eq!(scene.home.read(POLICY), second);
    insta::assert_snapshot!(scene.run("policy undo 99"), @"
    exit code: 2
    ----- stderr -----
    error: failed to undo write 99 of the policy: there is none of that number
    hint: see `switchboard policy history`
    ");
    let history = scene.home.ok("policy history --json").json();
    assert_eq!((&history[0]["act"], &history[0]["of"]), (&"undo".into(), &7.into()));
}

#[test]
fn what_somebody_wrote_since_is_not_undone_without_a_word() {
    let scene = written();
    scene.home.edit(POLICY, "risk = \"high\"", "risk = \"high\" # mine");
    let edited = scene.home.read(POLICY);
    insta::assert_snapshot!(scene.run("policy undo"), @"
    exit code: 5
    ----- stderr -----
    error: failed to undo write 1 of the policy: that would lose what somebody wrote into the file since
    hint: `switchboard policy undo --force` undoes it all the same; their version stays in the backups
    ");
    assert_eq!(scene.home.read(POLICY), edited);
    assert!(scene.run("policy history").stdout.contains("! the file was changed by hand since"));
    scene.home.ok("policy undo --force");
    assert!(!scene.home.path(POLICY).exists());
    scene.home.ok("policy undo 2");
    assert_eq!(scene.home.read(POLICY), edited);
}

#[test]
fn a_crash_between_the_file_and_its_record_is_found_out() {
    let scene = written();
    let record = "switchboard/state/policy.json";
    let before = scene.home.read(record);
    scene.home.write("tools-k8s", "list_pods delete_pod scale_deployment get_pod");
    scene.home.ok("sync k8s");
    scene.home.ok("policy sync");
    // As it was when the file was written and the record was not yet brought to its end.
    let mut then: serde_json::Value = serde_json::from_slice(&before).unwrap();
    let now: serde_json::Value = serde_json::from_slice(&scene.home.read(record)).unwrap();
    then["writes"] = now["writes"].clone();
    then["coming"] = serde_json::json!({ "after": now["good"], "base": now["base"] });
    scene.home.write(record, then.to_string());
    let shown = scene.home.ok("policy explain get_pod --json").json();
    assert_eq!(shown["person"], false, "{shown}");
    assert_eq!(scene.home.ok("policy sync --json").json()["written"], false);
    scene.home.ok("policy undo");
    assert!(!scene.home.text(POLICY).contains("get_pod"));
}
