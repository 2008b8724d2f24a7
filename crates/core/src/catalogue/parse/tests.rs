use std::fmt::Write as _;

use insta::assert_snapshot;

use super::*;

fn problems(text: &str) -> String {
    let mut out = String::new();
    for problem in parse(text).problems {
        let severity = if problem.is_error() { "error" } else { "warning" };
        writeln!(out, "{severity} {problem}").unwrap();
        if let Some(help) = problem.help {
            writeln!(out, "  hint: {help}").unwrap();
        }
    }
    out
}

#[test]
fn a_full_catalogue_is_read_whole() {
    let parsed = parse(
        r#"
[servers.k8s]
command = "kubernetes-mcp-server"
args = ["--read-only"]
env = { KUBECONFIG = "${file:~/.kube/config}" }
cwd = "/srv"
enabled = false
description = "our clusters"
tags = ["ops"]
prefix = "k"
tools = { allow = ["*"], deny = ["*secret*"] }
timeout = "30s"
isolation = "per-session"
exclusive = true
idle_stop = "10m"
health = { every = "30s", timeout = "5s", failures = 3 }
retry = { first = "250ms", max = "30s", attempts = 0 }
feed = { host = "localhost", port = 8766, path = "/events" }

[servers.linear]
type = "sse"
url = "https://mcp.linear.app/sse"
headers = { Authorization = "Bearer ${env:LINEAR_TOKEN}" }

[profiles.ops]
servers = ["k8s", "tag:ops"]
"#,
    );
    assert_eq!(parsed.problems, []);
    let k8s = parsed.value.server("k8s").unwrap();
    assert_eq!(k8s.place, Place { line: 2, column: 10 });
    assert_eq!(k8s.idle_stop, Some(Duration::from_secs(600)));
    assert_eq!(k8s.feed.as_ref().unwrap().url, "http://localhost:8766/events");
    assert_eq!(k8s.isolation, Isolation::PerSession);
    assert!(!k8s.enabled && k8s.exclusive);
    assert!(matches!(
        &parsed.value.server("linear").unwrap().launch,
        Launch::Remote { kind: Remote::Sse, .. }
    ));
    assert_eq!(parsed.value.profiles["ops"], ["k8s", "tag:ops"]);
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    assert_snapshot!(problems(
        r#"
[servers.a]
comand = "npx"

[servers.b]
command = "npx"
args = "-y"
timeout = "30"
isolation = "persession"

[servers.c]
command = "npx"
url = "https://x"

[servers.d]
url = "ftp://x"
env = { A = 1 }

[servers."x\u001b[2J"]
command = "npx"

[server.e]
command = "npx"

[profiles.p]
servers = ["a", "aa"]

[profiles.q]
servers = ["profile:p", "tag:none"]
"#
    ), @r#"
    error 2:10: server `a` has neither a `command` nor a `url`
      hint: add command = "PROGRAM" or url = "https://.."
    warning 3:1: server `a` has no setting `comand`
      hint: did you mean `command`?
    error 7:8: `args` of server `b` is a text, not a list of texts
    error 8:11: `timeout` of server `b` is not a duration: "30" has no unit
      hint: write a number and ms, s, m or h, such as "30s"
    error 9:13: `isolation` of server `b` is "persession", not one of "auto", "shared", "per-session"
      hint: did you mean "per-session"?
    error 13:7: server `c` has both a `command` and a `url`
      hint: remove one: a server is either started or reached
    error 16:7: the `url` of server `d` is no http or https address
    error 17:13: `env.A` of server `d` is a number, not a text
      hint: put it in quotation marks
    error 19:10: "x\u{1b}[2J" cannot be a server's name: a name cannot hold the character \u{1b}
      hint: use letters, digits, `-` and `_`
    warning 22:2: the catalogue has no setting `server`
      hint: did you mean `servers`?
    warning 26:17: profile `p` names `aa`, which is not there
      hint: did you mean `a`?
    warning 29:25: profile `q` names `tag:none`, which is not there
    "#);
}

#[test]
fn servers_whose_tools_would_have_the_same_names_are_told_of() {
    assert_snapshot!(problems(
        r#"
[servers.a]
command = "x"

[servers.b]
command = "x"
prefix = "a"

[servers.c]
command = "x"
prefix = "d.e"

[servers.d_e]
command = "x"

[servers.off]
command = "x"
prefix = "a"
enabled = false
"#
    ), @r"
    warning 5:10: tools of server `b` begin with `a__` like those of `a`: of two with one name the first counts
      hint: give it another `prefix`
    warning 13:10: tools of server `d_e` begin with `d_e__` like those of `c`: of two with one name the first counts
      hint: give it another `prefix`
    ");
}

#[test]
fn a_feed_has_an_address() {
    for (feed, expected) in [
        (r#"url = "https://k8s.example/events?all=1""#, "https://k8s.example/events?all=1"),
        (r#"host = "localhost", port = 8766, path = "/events""#, "http://localhost:8766/events"),
        (r#"host = "localhost", port = 8766, path = "events""#, "http://localhost:8766/events"),
        (r#"host = "::1""#, "http://[::1]:80/"),
        (r#"host = "[::1]", port = 1"#, "http://[::1]:1/"),
        ("port = 1", "a feed needs a `url`, or a `host` with `port` and `path`"),
        (r#"url = "localhost:8766""#, "the `url` of a feed is no http or https address"),
        (r#"url = "http:///events""#, "the `url` of a feed is no http or https address"),
        (r#"url = "http://a b/""#, "the `url` of a feed is no http or https address"),
        (r#"url = "http://a:port/""#, "the `url` of a feed is no http or https address"),
        (r#"url = "http://[::1]:1/a?b=c:d""#, "http://[::1]:1/a?b=c:d"),
        (r#"url = "https://me:secret@a.example""#, "https://me:secret@a.example"),
        (r#"host = "a b""#, "the `host` of a feed is no name of a host"),
        (r#"host = "a", port = 70000"#, "the `port` of a feed is no port"),
        (r#"host = "a", port = 0"#, "the `port` of a feed is no port"),
        (r#"host = "a", timeout = "0s""#, "a feed cannot open in no time: its `timeout` is nought"),
    ] {
        let parsed = parse(&format!("[servers.a]\ncommand = \"a\"\nfeed = {{ {feed} }}\n"));
        let feed = parsed.value.server("a").unwrap().feed.as_ref();
        let said = feed.map_or_else(|| parsed.problems[0].what.clone(), |feed| feed.url.clone());
        assert_eq!((said.as_str(), parsed.is_good()), (expected, feed.is_some()));
    }
}

#[test]
fn broken_grammar_does_not_hide_the_rest() {
    let parsed = parse("[servers.a]\ncommand = \n\n[servers.b]\ncommand = \"npx\"\nargs = [\"x\"\n");
    assert!(!parsed.is_good());
    assert!(
        parsed.problems.iter().filter(|problem| problem.is_error()).count() >= 2,
        "{:?}",
        parsed.problems
    );
    assert!(parsed.value.server("b").is_some());
}

#[test]
fn a_blank_catalogue_is_good_and_empty() {
    for text in ["", "\u{feff}", "# nothing yet\n", "[servers]\n"] {
        let parsed = parse(text);
        assert!(parsed.is_good() && parsed.value.is_empty(), "{text:?}: {:?}", parsed.problems);
    }
}

#[test]
fn places_count_a_byte_order_mark_as_what_it_is() {
    let parsed = parse("\u{feff}[servers.a]\nkommand = \"x\"\n");
    assert_eq!(parsed.problems.last().unwrap().place, Some(Place { line: 2, column: 1 }));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n|\\[servers\\.a\\]\n|command = |\"|'|=|\\{|\\})*") {
        let _ = parse(&text);
    }
}
