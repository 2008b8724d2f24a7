//! `server login`: from the first question to the last token.
#![expect(clippy::unwrap_used, reason = "a login that fails should say where")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Child;
use std::time::{Duration, Instant};

use testkit::home::{FakeHome, Output};
use testkit::servers::login::{CANARY, Iss, LoginServer, Rules, visit};

use crate::{CATALOGUE, home};

const LOGINS: &str = "switchboard/state/logins";

/// A home that knows the server as `vault`.
fn vault(rules: Rules) -> (LoginServer, FakeHome) {
    let server = LoginServer::start(rules).unwrap();
    let mut home = home();
    home.set("VAULT_SECRET", &format!("{CANARY}-secret"));
    home.run_words(["server", "add", "vault", "--url", &server.url()]);
    (server, home)
}

/// What came of a login.
struct Ended {
    code: Option<i32>,
    said: String,
}

/// Runs a login, and hands the address that it wants opened to `open`, as long as the login waits.
fn converse(home: &FakeHome, line: &str, open: impl Fn(&Child, &str)) -> Ended {
    let mut child = home.command(line.split_whitespace()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
        if let Some(address) = line.strip_prefix("  http") {
            open(&child, &format!("http{address}"));
        }
        said.extend([&line, "\n"]);
    }
    let output = child.wait_with_output().unwrap();
    said.insert_str(0, &String::from_utf8_lossy(&output.stdout));
    assert!(!said.contains(CANARY), "{said}");
    Ended { code: output.status.code(), said }
}

/// Logs in as a person would, and returns what was said.
fn good(home: &FakeHome, line: &str) -> String {
    let Ended { code, said } = converse(home, line, |_, address| drop(visit(address)));
    assert_eq!(code, Some(0), "switchboard {line}\n{said}");
    said
}

/// Tries to log in as a person would, and returns why it failed.
fn refused(home: &FakeHome, line: &str) -> String {
    let Ended { code, said } = converse(home, line, |_, address| drop(visit(address)));
    assert_eq!(code, Some(1), "{said}");
    assert!(logins(home).is_empty(), "{said}");
    said.find("error: ").map_or_else(String::new, |from| said[from..].to_owned())
}

/// Returns the files of logins.
fn logins(home: &FakeHome) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(home.path(LOGINS)) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Makes the token of the login end now.
fn expire(home: &FakeHome) {
    let file = format!("{LOGINS}/{}", logins(home)[0]);
    let text = home.text(&file);
    let from = text.find("\"expires\": ").unwrap();
    let length = text[from..].find(',').unwrap();
    home.write(&file, text.replace(&text[from..from + length], "\"expires\": 1"));
}

fn call(home: &FakeHome) -> Output {
    home.run("server test vault --tool open")
}

#[test]
fn a_login_is_made_used_renewed_and_forgotten() {
    let (server, home) = vault(Rules::default());
    let without = call(&home);
    assert!(without.stderr.contains("switchboard server login vault"), "{without}");

    let said = good(&home, "server login vault");
    assert!(said.contains(&format!("✓ logged in to `vault` at {}, for read\n", server.issuer())), "{said}");
    let [file] = &logins(&home)[..] else { panic!("{:?}", logins(&home)) };
    let mode = |path: &str| std::fs::metadata(home.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(LOGINS), mode(&format!("{LOGINS}/{file}"))), (0o700, 0o600));
    assert_eq!(call(&home).code, 0);
    assert_eq!((server.logins(), server.renewals()), (1, 0));

    expire(&home);
    assert_eq!(call(&home).code, 0);
    assert_eq!((server.logins(), server.renewals()), (1, 1));
    assert_eq!(mode(&format!("{LOGINS}/{file}")), 0o600);

    // A token that is refused before its time is renewed too.
    server.spoil();
    assert_eq!(call(&home).code, 0);
    assert_eq!((server.logins(), server.renewals()), (1, 2));

    let shown = home.ok("server show vault --json").json();
    assert_eq!(shown["login"]["issuer"], server.issuer());
    assert_eq!((&shown["login"]["renews"], &shown["login"]["over"]), (&true.into(), &false.into()));
    assert!(home.ok("server show vault").stdout.contains(", renewed by itself\n"));

    assert_eq!(home.ok("server login vault --forget --dry-run").stdout, "→ forget the login at `vault`\n");
    assert_eq!(home.ok("server login vault --forget").stdout, "✓ the login at `vault` is forgotten\n");
    assert_eq!((server.revoked(), logins(&home)), (1, vec![]));
    assert_eq!(home.run("server login vault --forget").code, 2);
    server.acquit();
}

#[test]
fn whoever_we_are_is_made_known_as_the_other_side_wants_it() {
    let document = "https://switchboard.example/client.json";
    let known = |secret: Option<&str>| Some(("known".to_owned(), secret.map(|_| format!("{CANARY}-secret"))));
    for (line, rules, client) in [
        ("", Rules::default(), "client-1"),
        ("--client-id known", Rules { client: known(None), registers: false, ..Rules::default() }, "known"),
        (
            "--client-id known --client-secret-env VAULT_SECRET",
            Rules { client: known(Some("")), methods: vec!["client_secret_basic"], ..Rules::default() },
            "known",
        ),
        (
            "--client-id known --client-secret-env VAULT_SECRET",
            Rules { client: known(Some("")), methods: vec!["client_secret_post"], ..Rules::default() },
            "known",
        ),
        (
            "--client-metadata https://switchboard.example/client.json",
            Rules { documents: true, ..Rules::default() },
            document,
        ),
        // Where documents are not known, we register.
        ("--client-metadata https://switchboard.example/client.json", Rules::default(), "client-1"),
    ] {
        let (server, home) = vault(rules);
        good(&home, &format!("server login vault {line}"));
        let asked = server.forms("/authorize");
        assert_eq!(asked[0]["client_id"], client, "{line}");
        assert_eq!((&*asked[0]["code_challenge_method"], &*asked[0]["resource"]), ("S256", &*server.url()));
        // What was named once is remembered, also for renewals.
        expire(&home);
        assert_eq!(call(&home).code, 0, "{line}");
        assert_eq!(server.renewals(), 1, "{line}");
        good(&home, "server login vault");
        let again = if client == "client-1" { "client-3" } else { client };
        let last = server.forms("/authorize").pop().unwrap();
        assert!(last["client_id"] == again || last["client_id"].starts_with("client-"), "{line}: {last:?}");
        assert_eq!(last["client_id"].starts_with("client-"), client == "client-1", "{line}: {last:?}");
        server.acquit();
    }
}

#[test]
fn a_machine_logs_in_without_a_browser() {
    let client = Some(("robot".to_owned(), Some(format!("{CANARY}-secret"))));
    let (server, home) = vault(Rules { client, registers: false, ..Rules::default() });
    let line = "server login vault --machine --client-id robot --client-secret-env VAULT_SECRET --scope read";
    home.ok(line);
    assert_eq!(call(&home).code, 0);
    expire(&home);
    assert_eq!(call(&home).code, 0);
    // What was said once is remembered.
    home.ok("server login vault");
    let asked = server.forms("/token");
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|form| form["grant_type"] == "client_credentials" && form["scope"] == "read"));
    assert!(asked.iter().all(|form| form["resource"] == server.url()));
    server.acquit();
}

#[test]
fn a_login_that_is_not_as_it_should_be_leaves_nothing_behind() {
    for (rules, expected) in [
        (
            Rules { iss: Iss::Wrong, ..Rules::default() },
            "the authorization server calls itself `https://mallory.example`",
        ),
        (Rules { iss: Iss::Missing, ..Rules::default() }, "does not say that it is `http://127.0.0.1:"),
        (Rules { agrees: false, ..Rules::default() }, "it was refused: access_denied"),
        (
            Rules { resource: Some("https://other.example/mcp".to_owned()), ..Rules::default() },
            "it calls itself `https://other.example/mcp`, and is reached at `http://127.0.0.1:",
        ),
        (
            Rules { issuer: Some("https://mallory.example".to_owned()), ..Rules::default() },
            "the authorization server calls itself `https://mallory.example`",
        ),
        (Rules { challenges: Some(vec!["plain"]), ..Rules::default() }, "does not know S256"),
        (
            Rules { token_endpoint: Some("http://mallory.example/token".to_owned()), ..Rules::default() },
            "http://mallory.example is not asked: logins need https",
        ),
        (Rules { registers: false, ..Rules::default() }, "takes no registrations\nhint: register a client"),
        (
            Rules { names: false, ..Rules::default() },
            "takes no registrations: it answered the registration with",
        ),
    ] {
        let (server, home) = vault(rules.clone());
        let said = refused(&home, "server login vault --no-browser");
        assert!(said.starts_with("error: failed to log in to `vault`: "), "{said}");
        assert!(said.contains(expected), "{rules:?}\n{said}");
        assert_eq!(server.renewals(), 0);
        server.acquit();
    }
    // A server that says nothing of who sends the browser back is taken at its word.
    let (server, home) = vault(Rules { iss: Iss::Silent, challenges: None, ..Rules::default() });
    good(&home, "server login vault");
    server.acquit();
}

#[test]
fn only_what_can_be_logged_in_to_is_logged_in_to() {
    let (_server, home) = vault(Rules::default());
    home.run_words(["server", "add", "local", "--", "cat"]);
    home.run_words(["server", "add", "open", "--url", "http://mcp.example/mcp"]);
    home.run_words([
        "server",
        "add",
        "keyed",
        "--url",
        "https://mcp.example/mcp",
        "--header",
        "authorization: x",
    ]);
    for (line, code, expected) in [
        ("server login nobody", 2, "failed to find server `nobody`"),
        ("server login local", 2, "it is started on this machine"),
        ("server login keyed", 2, "which goes before a login"),
        ("server login open", 1, "http://mcp.example is not asked: logins need https"),
        ("server login vault --client-id x --client-secret-env NOT_SET", 2, "`NOT_SET` is not set"),
        (
            "server login vault --client-metadata http://x.example/c.json",
            2,
            "not the https address of a file",
        ),
        ("server login vault --machine", 2, "--client-secret-env"),
        ("server login vault --scope \u{1b}[2K", 2, "failed to ask for the scope `\\u{1b}[2K`"),
    ] {
        let output = home.run(line);
        assert_eq!(output.code, code, "{line}\n{output}");
        assert!(output.stderr.contains(expected), "{line}\n{output}");
    }
    assert!(logins(&home).is_empty());
}

#[test]
fn a_server_that_wants_more_gets_it_by_another_login() {
    let (server, home) = vault(Rules { needs: Some("write"), ..Rules::default() });
    good(&home, "server login vault");
    let output = call(&home);
    assert!(output.stderr.contains("it asks for more than the last one permits (write)"), "{output}");
    assert!(output.stderr.contains("switchboard server login vault"), "{output}");
    let doctor = home.run("doctor");
    assert!(doctor.stdout.contains("asks for more than its login permits: write"), "{doctor}");
    good(&home, "server login vault");
    assert_eq!(server.forms("/authorize")[1]["scope"], "read write");
    assert_eq!(call(&home).code, 0);

    // What was asked for and is not given is nobody's to get by logging in again and again.
    server.alter(|rules| rules.withheld.extend(["write".to_owned()]));
    good(&home, "server login vault --scope write");
    let output = call(&home);
    assert!(
        output.stderr.contains("`vault` does not permit this, though the login asked for write"),
        "{output}"
    );
    assert!(!output.stderr.contains("server login"), "{output}");
    server.acquit();
}

#[test]
fn two_processes_at_the_end_of_a_token_renew_it_once() {
    let (server, home) = vault(Rules::default());
    good(&home, "server login vault");
    for _ in 0..3 {
        expire(&home);
        let before = server.renewals();
        server.alter(|rules| rules.holds = true);
        let children: Vec<Child> =
            (0..4).map(|_| home.command(["server", "test", "vault"]).spawn().unwrap()).collect();
        let end = Instant::now() + Duration::from_secs(20);
        while server.renewals() == before {
            assert!(Instant::now() < end, "nobody asks for new tokens");
            std::thread::yield_now();
        }
        server.release();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(server.renewals(), before + 1);
    }
    server.acquit();
}

#[test]
fn a_login_that_is_over_is_told_with_what_to_do() {
    let (server, home) = vault(Rules::default());
    good(&home, "server login vault");
    server.forget();
    let output = call(&home);
    assert!(
        output.stderr.contains("`vault` needs a login: the last one is no longer good (invalid_grant)"),
        "{output}"
    );
    assert!(output.stderr.contains("hint: run `switchboard server login vault`"), "{output}");
    let asked = server.renewals();
    assert_ne!(call(&home).code, 0);
    expire(&home);
    assert_ne!(call(&home).code, 0);
    assert_eq!(server.renewals(), asked, "nobody asks again where the answer was final");
    let doctor = home.run("doctor");
    assert!(
        doctor.stdout.contains("server `vault` needs a login: the last one is over (invalid_grant)"),
        "{doctor}"
    );
    assert_eq!(home.ok("server show vault --json").json()["login"]["over"], true);
    good(&home, "server login vault");
    assert_eq!(call(&home).code, 0);
    server.acquit();
}

#[test]
fn a_token_goes_to_its_own_address_and_to_no_other() {
    let (server, home) = vault(Rules::default());
    let other = LoginServer::start(Rules::default()).unwrap();
    good(&home, "server login vault");
    let carries = |server: &LoginServer| {
        server
            .calls()
            .iter()
            .any(|call| call.header("authorization").is_some_and(|value| value.contains(CANARY)))
    };
    home.run_words(["server", "edit", "vault", "--url", &other.url()]);
    assert_ne!(call(&home).code, 0);
    assert!(!other.calls().is_empty() && !carries(&other));
    let doctor = home.run("doctor");
    assert!(
        doctor.stdout.contains("there is a login at `vault`, but no server of that name and address"),
        "{doctor}"
    );
    assert!(doctor.stdout.contains("switchboard server login vault --forget"), "{doctor}");

    // What the catalogue says goes before a login.
    home.run_words([
        "server",
        "edit",
        "vault",
        "--url",
        &server.url(),
        "--header",
        "Authorization: Bearer own",
    ]);
    let before = server.calls().len();
    assert_ne!(call(&home).code, 0);
    let calls = &server.calls()[before..];
    assert!(!calls.is_empty());
    assert!(calls.iter().all(|call| call.header("authorization") == Some("Bearer own")), "{calls:#?}");
    server.acquit();
}

#[test]
fn a_login_goes_along_when_its_server_is_called_otherwise() {
    let (server, home) = vault(Rules::default());
    good(&home, "server login vault");
    home.ok("server rename vault safe/one");
    assert_eq!(home.run("server test safe/one --tool open").code, 0);
    assert_eq!(logins(&home).len(), 1);
    home.ok("server remove safe/one");
    home.ok("server login safe/one --forget");
    assert_eq!((server.revoked(), logins(&home)), (1, vec![]));
}

#[test]
fn a_login_that_is_interrupted_changes_nothing() {
    let (_server, home) = vault(Rules::default());
    let Ended { code, said } = converse(&home, "server login vault", |child, _| {
        let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    });
    assert_eq!(code, Some(1));
    let expected = "error: failed to log in to `vault`: it was interrupted; nothing was changed\n";
    assert!(said.ends_with(expected), "{said}");
    assert!(logins(&home).is_empty());
}

#[test]
fn no_command_ever_tells_a_token() {
    let client = Some(("known".to_owned(), Some(format!("{CANARY}-secret"))));
    let (server, home) = vault(Rules { client, needs: Some("write"), ..Rules::default() });
    let quiet = |said: &str, line: &str| assert!(!said.contains(CANARY), "switchboard {line}\n{said}");
    for line in
        ["server login vault", "server login vault --client-id known --client-secret-env VAULT_SECRET --json"]
    {
        quiet(&good(&home, line), line);
    }
    let every = |when: &str| {
        for line in [
            "status",
            "doctor",
            "server list",
            "server show vault",
            "server test vault",
            "server test vault --tool open",
            "server login vault --dry-run",
            "server login vault --forget --dry-run",
            "config check",
            "config export cursor",
            "client list",
            "uninstall --dry-run",
        ] {
            for line in [line.to_owned(), format!("{line} --json")] {
                quiet(&home.run(&line).all(), &format!("{line} ({when})"));
            }
        }
    };
    every("logged in");
    expire(&home);
    every("after the end of a token");
    server.spoil();
    every("after a token was refused");
    server.forget();
    every("after the login was over");
    let holding = home.tree().holding(CANARY);
    assert_eq!(holding.len(), 1, "{holding:?}");
    assert!(holding[0].starts_with(LOGINS), "{holding:?}");
    assert!(!home.text(CATALOGUE).contains("login"));
    // A file that is damaged is a login that has to be made anew, and tells nothing either.
    let file = format!("{LOGINS}/{}", logins(&home)[0]);
    home.write(&file, &home.read(&file)[..200]);
    every("after it was damaged");
    let output = call(&home);
    assert!(output.stderr.contains("what is kept of the last one cannot be read"), "{output}");
    good(&home, "server login vault");
}
