//! `tool`: what servers offer, listed, found and shown.

use crate::CATALOGUE;
use crate::sync::Scene;

fn scene() -> Scene {
    let scene = Scene::new(&[("k8s", "k8s"), ("git", "git")]);
    scene.home.write("tools-k8s", "listPods getPod delete_namespace read_secret");
    scene.home.write("tools-git", "status getPod a/b");
    scene.home.edit(
        CATALOGUE,
        "[servers.k8s]\n",
        "[servers.k8s]\nprefix = \"kube\"\ntools = { deny = [\"*secret*\"] }\n",
    );
    scene
}

#[test]
fn tools_are_listed_by_whoever_asks_first() {
    let scene = scene();
    insta::assert_snapshot!(scene.home.run("tool list"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL              WHAT IT DOES
    k8s     listPods          Does listPods
    k8s     getPod            Does getPod
    k8s     delete_namespace  Does delete_namespace
    git     status            Does status
    git     getPod            Does getPod
    git     a/b               Does a/b
    ");
    assert_eq!(scene.asked(), ["git", "k8s"]);
    insta::assert_snapshot!(scene.home.run("tool list git"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL    WHAT IT DOES
    git     status  Does status
    git     getPod  Does getPod
    git     a/b     Does a/b
    ");
    insta::assert_snapshot!(scene.home.run("tool list gti"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find server `gti`
    hint: did you mean `git`?
    ");
    let list = scene.home.ok("tool list k8s --json").json();
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!((&list[0]["name"], &list[0]["public_name"]), (&"listPods".into(), &"kube__listPods".into()));
    assert_eq!(list[0]["stale"], false);
    assert_eq!(scene.asked(), [""; 0]);
}

#[test]
fn tools_are_found_by_words() {
    let scene = scene();
    insta::assert_snapshot!(scene.home.run("tool search pods"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL      WHAT IT DOES
    k8s     listPods  Does listPods
    ");
    insta::assert_snapshot!(scene.home.run("tool search get po"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL    WHAT IT DOES
    k8s     getPod  Does getPod
    git     getPod  Does getPod
    ");
    insta::assert_snapshot!(scene.home.run("tool search secret"), @"
    exit code: 0
    ----- stdout -----
    no tool has anything of `secret`
    ----- stderr -----
    hint: `switchboard tool list` lists all of them
    ");
    assert_eq!(scene.home.ok("tool search does --limit 2 --json").json().as_array().unwrap().len(), 2);
    for odd in ["\"", "a AND", "(*", "'; DROP TABLE server", "--", "\u{1b}[31m", "name:x"] {
        let output = scene.home.run_words(["tool", "search", "--", odd]);
        assert_eq!((output.code, output.all().contains('\u{1b}')), (0, false), "{odd}: {output}");
    }
}

#[test]
fn a_tool_is_shown_by_any_of_its_names() {
    let scene = scene();
    let shown = scene.home.run("tool show k8s listPods");
    insta::assert_snapshot!(shown, @"
    exit code: 0
    ----- stdout -----
    listPods
    Does listPods
    from   k8s, seen [TIME]
    known  as `kube__listPods` behind the face for all servers
    takes  nothing that is told
    ");
    for line in ["k8s/listPods", "kube__listPods", "listPods"] {
        assert_eq!(scene.home.ok(&format!("tool show {line}")).stdout, shown.stdout, "{line}");
    }
    assert!(scene.home.ok("tool show git/a/b").stdout.starts_with("a/b\n"));
    insta::assert_snapshot!(scene.home.run("tool show getPod"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find tool `getPod`: several servers have one: k8s, git
    hint: say whose: `switchboard tool show k8s/getPod`
    ");
    insta::assert_snapshot!(scene.home.run("tool show k8s getPodd"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find tool `getPodd` of server `k8s`
    hint: did you mean `getPod`?
    ");
    insta::assert_snapshot!(scene.home.run("tool show git__statsu"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find tool `git__statsu`
    hint: did you mean `git__status`?
    ");
    insta::assert_snapshot!(scene.home.run("tool show k8s read_secret"), @"
    exit code: 2
    ----- stderr -----
    error: failed to find tool `read_secret` of server `k8s`
    hint: see `switchboard tool list`, or find it with `switchboard tool search`
    ");
    let json = scene.home.ok("tool show k8s listPods --json").json();
    assert_eq!(json["definition"]["inputSchema"]["type"], "object");
}

#[test]
fn what_is_stale_says_so() {
    let scene = scene();
    scene.home.ok("sync");
    std::fs::remove_file(scene.home.path("tools-git")).unwrap();
    scene.home.run("sync git");
    insta::assert_snapshot!(scene.home.run("tool list"), @"
    exit code: 0
    ----- stdout -----
    SERVER       TOOL              WHAT IT DOES
    k8s          listPods          Does listPods
    k8s          getPod            Does getPod
    k8s          delete_namespace  Does delete_namespace
    git (stale)  status            Does status
    git (stale)  getPod            Does getPod
    git (stale)  a/b               Does a/b
    ! git: as seen [TIME]; it has not answered since [TIME]: it ended with code 1; it said last: no tools today
    ");
    insta::assert_snapshot!(scene.home.run("tool show git status"), @"
    exit code: 0
    ----- stdout -----
    status
    Does status
    from   git, seen [TIME]
    known  as `git__status` behind the face for all servers
    takes  nothing that is told
    ! git: as seen [TIME]; it has not answered since [TIME]: it ended with code 1; it said last: no tools today
    ");
    assert_eq!(scene.home.ok("tool list git --json").json()[0]["stale"], true);
    insta::assert_snapshot!(scene.home.run("tool search pods"), @"
    exit code: 0
    ----- stdout -----
    SERVER  TOOL      WHAT IT DOES
    k8s     listPods  Does listPods
    ");
}

#[test]
fn what_a_server_says_cannot_steer_a_terminal() {
    let scene = Scene::new(&[("a", "a")]);
    scene.home.write("tools-a", "ev\u{1b}[31mil \u{202e}x");
    for line in ["tool list", "tool search does", "tool show a/ev\u{1b}[31mil", "tool show a/\u{202e}x"] {
        let output = scene.home.ok(line);
        assert!(!output.all().contains(['\u{1b}', '\u{202e}']), "{line}: {output}");
    }
}

#[test]
fn names_of_tools_complete() {
    let mut scene = scene();
    scene.home.ok("sync");
    scene.home.set("SWITCHBOARD_COMPLETE", "fish");
    let output = scene.home.run("-- switchboard tool show k8s/l");
    assert!(output.stdout.starts_with("k8s/listPods\tDoes listPods"), "{output}");
    let output = scene.home.run("-- switchboard sync k");
    assert!(output.stdout.starts_with("k8s"), "{output}");
}
