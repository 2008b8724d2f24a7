use std::path::Path;
use std::sync::Arc;

use reqwest::Url;
use switchboard_core::login::lifetime::Lifetime;
use switchboard_host::dirs::Dirs;
use testkit::servers::login::{CANARY, LoginServer, Rules, visit};

use super::*;
use crate::login::{Door, Identity, Listener, discover};

const NAME: &str = "vault";

/// The time, which stands still.
const NOW: u64 = 2_000_000_000;

/// Long enough for a loaded machine; nothing waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who has logged in, with the server that gives the tokens.
struct Stage {
    server: Arc<LoginServer>,
    home: tempfile::TempDir,
}

impl Stage {
    async fn new(rules: Rules) -> Self {
        let stage =
            Self { server: Arc::new(LoginServer::start(rules).unwrap()), home: tempfile::tempdir().unwrap() };
        stage.log_in().await;
        stage
    }

    fn dirs(&self) -> Dirs {
        Dirs::below(self.home.path())
    }

    fn logins(&self) -> Logins {
        Logins::new(&self.dirs())
    }

    /// Tokens as another process would have them: nothing is shared but the files.
    fn tokens(&self) -> Tokens {
        Tokens::with_clock(&self.dirs(), || NOW)
    }

    async fn log_in(&self) {
        let url = Url::parse(&self.server.url()).unwrap();
        let door = Door::new(&url, false, &std::collections::BTreeMap::new()).unwrap();
        let refusal = door.knock().await.unwrap();
        let found = discover(door.http(), &url, refusal.as_deref()).await.unwrap();
        let listener = Listener::open(0).await.unwrap();
        let scopes = found.usual_scopes().await;
        let begun = found.begin(Identity::Registered, &listener.address(), &scopes).await.unwrap();
        let address = begun.address.to_string();
        let browser = tokio::task::spawn_blocking(move || visit(&address));
        let brought = listener.wait(&begun.state, PATIENCE).await.unwrap();
        browser.await.unwrap();
        self.logins().save(&begun.finish(NAME, brought, NOW).await.unwrap()).unwrap();
    }

    /// Makes the token end so many seconds from now.
    fn ends_in(&self, seconds: i64) {
        self.change(|login| {
            login.lifetime = Lifetime { received: NOW - 3600, expires: NOW.checked_add_signed(seconds) };
        });
    }

    fn change(&self, change: impl FnOnce(&mut Login)) {
        let mut login = self.login();
        change(&mut login);
        self.logins().save(&login).unwrap();
    }

    fn login(&self) -> Login {
        self.logins().load(NAME).unwrap().unwrap()
    }

    async fn bearer(&self, tokens: &Tokens) -> Result<Option<Secret>, NoToken> {
        tokens.bearer(NAME, &self.server.url()).await
    }

    async fn rejected(
        &self,
        tokens: &Tokens,
        used: &Secret,
        status: u16,
        header: &str,
    ) -> Result<Option<Secret>, NoToken> {
        tokens.rejected(NAME, &self.server.url(), used, status, [header]).await
    }

    /// Waits until somebody asks for new tokens, while that is held.
    async fn asked(&self, before: u32) {
        let asked = async {
            while self.server.renewals() == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap();
    }
}

fn needed(why: Why) -> Result<Option<Secret>, NoToken> {
    Err(NoToken::LoginNeeded { server: NAME.to_owned(), why })
}

fn scopes(names: &[&str]) -> Scopes {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_at_the_end_of_a_token_renew_it_once() {
    let stage = Stage::new(Rules { holds: true, ..Rules::default() }).await;
    // All in one process; half in one and half in another.
    for (round, processes) in [vec![stage.tokens()], vec![stage.tokens(), stage.tokens()]].iter().enumerate()
    {
        stage.server.alter(|rules| rules.holds = true);
        stage.ends_in(-1);
        let before = stage.server.renewals();
        let mut callers = JoinSet::new();
        for caller in 0..50 {
            let (tokens, url) = (processes[caller % processes.len()].clone(), stage.server.url());
            callers.spawn(async move { tokens.bearer(NAME, &url).await });
        }
        stage.asked(before).await;
        stage.server.release();
        let tokens: Vec<Secret> =
            callers.join_all().await.into_iter().map(|token| token.unwrap().unwrap()).collect();
        assert_eq!(tokens.len(), 50);
        assert!(tokens.iter().all(|token| *token == tokens[0]), "round {round}");
        assert_eq!(stage.server.renewals(), before + 1, "round {round}");
        assert_eq!(stage.login().access.as_ref(), Some(&tokens[0]));
    }
    stage.server.acquit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_callers_who_are_refused_renew_the_token_once() {
    let stage = Stage::new(Rules::default()).await;
    let tokens = stage.tokens();
    let used = stage.bearer(&tokens).await.unwrap().unwrap();
    stage.server.spoil();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let (tokens, url, used) = (tokens.clone(), stage.server.url(), used.clone());
        callers.spawn(async move { tokens.rejected(NAME, &url, &used, 401, ["Bearer"]).await });
    }
    let renewed: Vec<Secret> =
        callers.join_all().await.into_iter().map(|token| token.unwrap().unwrap()).collect();
    assert!(renewed.iter().all(|token| *token == renewed[0] && *token != used));
    assert_eq!(stage.server.renewals(), 1);
    // Somebody who was slow learns of the new one; whoever is refused with that, too, is not helped by a third.
    assert_eq!(stage.rejected(&tokens, &used, 401, "").await, Ok(Some(renewed[0].clone())));
    assert_eq!(stage.rejected(&tokens, &renewed[0], 401, "").await, needed(Why::Refused));
    assert_eq!(stage.server.renewals(), 1);
    // It is not thrown away for that.
    assert_eq!(stage.bearer(&tokens).await, Ok(Some(renewed[0].clone())));
    stage.server.acquit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_away_does_not_take_the_token_along() {
    let stage = Stage::new(Rules { holds: true, ..Rules::default() }).await;
    stage.ends_in(-1);
    let tokens = stage.tokens();
    let (own, url) = (tokens.clone(), stage.server.url());
    let mut callers = JoinSet::new();
    callers.spawn(async move { own.bearer(NAME, &url).await });
    stage.asked(0).await;
    callers.shutdown().await;
    stage.server.release();
    tokens.settle(PATIENCE).await;
    let kept = stage.login().access;
    assert!(kept.is_some());
    assert_eq!(stage.bearer(&stage.tokens()).await, Ok(kept));
    assert_eq!(stage.server.renewals(), 1);
    stage.server.acquit();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_new_token_while_the_old_one_is_good() {
    let stage = Stage::new(Rules { holds: true, ..Rules::default() }).await;
    stage.ends_in(50);
    let tokens = stage.tokens();
    let old = stage.login().access;
    let (own, url) = (tokens.clone(), stage.server.url());
    let mut first = JoinSet::new();
    first.spawn(async move { own.bearer(NAME, &url).await });
    stage.asked(0).await;
    assert_eq!(stage.bearer(&tokens).await, Ok(old.clone()));
    stage.server.release();
    let new = first.join_next().await.unwrap().unwrap().unwrap();
    assert!(new.is_some() && new != old);
    assert_eq!(stage.bearer(&tokens).await, Ok(new));
    assert_eq!(stage.server.renewals(), 1);
}

#[tokio::test]
async fn a_bad_day_costs_a_token_only_when_it_is_over() {
    for (status, body) in [(503, "<html>down</html>"), (400, r#"{"error":"temporarily_unavailable"}"#)] {
        let renewal = Some((status, body.to_owned()));
        let stage = Stage::new(Rules { renewal, ..Rules::default() }).await;
        stage.ends_in(50);
        let tokens = stage.tokens();
        let old = stage.login().access;
        for _ in 0..3 {
            assert_eq!(stage.bearer(&tokens).await, Ok(old.clone()));
        }
        assert_eq!(stage.server.renewals(), 1, "whoever could not answer is left alone for a while");
        stage.ends_in(-1);
        let away = stage.bearer(&stage.tokens()).await.unwrap_err();
        assert!(matches!(away, NoToken::Away { .. }), "{away}");
        stage.server.alter(|rules| rules.renewal = None);
        let new = stage.bearer(&stage.tokens()).await.unwrap();
        assert!(new.is_some() && new != old);
        stage.server.acquit();
    }
}

#[tokio::test]
async fn a_final_no_ends_the_login_for_everybody() {
    for code in ["invalid_grant", "invalid_client", "unauthorized_client"] {
        let renewal = Some((400, format!(r#"{{"error":"{code}"}}"#)));
        let stage = Stage::new(Rules { renewal, ..Rules::default() }).await;
        stage.ends_in(50);
        let old = stage.login().access;
        // What there is is good until its end.
        assert_eq!(stage.bearer(&stage.tokens()).await, Ok(old.clone()));
        assert_eq!(stage.bearer(&stage.tokens()).await, Ok(old.clone()));
        stage.ends_in(-1);
        assert_eq!(stage.bearer(&stage.tokens()).await, needed(Why::Ended(code.to_owned())));
        assert_eq!(stage.server.renewals(), 1);
        assert_eq!((stage.login().refresh, stage.login().is_over(NOW)), (None, true));
        // The next login is as good as new.
        stage.server.alter(|rules| rules.renewal = None);
        stage.log_in().await;
        assert!(stage.bearer(&stage.tokens()).await.unwrap().is_some());
        stage.server.acquit();
    }
}

#[tokio::test]
async fn a_token_without_a_successor_is_used_to_its_end() {
    let stage = Stage::new(Rules { refreshes: false, ..Rules::default() }).await;
    let tokens = stage.tokens();
    let only = stage.login().access;
    stage.ends_in(10);
    assert_eq!(stage.bearer(&tokens).await, Ok(only.clone()));
    stage.ends_in(-1);
    assert_eq!(stage.bearer(&tokens).await, needed(Why::Over));
    // Where nobody has said when it ends, the server is asked.
    stage.change(|login| login.lifetime.expires = None);
    assert_eq!(stage.bearer(&tokens).await, Ok(only.clone()));
    assert_eq!(stage.rejected(&tokens, &only.unwrap(), 401, "").await, needed(Why::Refused));
    assert_eq!(stage.server.renewals(), 0);
}

#[tokio::test]
async fn a_refresh_token_that_is_not_replaced_stays() {
    let stage = Stage::new(Rules { rotates: false, ..Rules::default() }).await;
    let kept = stage.login().refresh;
    for renewals in 1..4 {
        stage.ends_in(-1);
        assert!(stage.bearer(&stage.tokens()).await.unwrap().is_some());
        assert_eq!((stage.server.renewals(), &stage.login().refresh), (renewals, &kept));
    }
}

#[tokio::test]
async fn more_scopes_are_a_matter_for_a_person() {
    let stage = Stage::new(Rules::default()).await;
    let tokens = stage.tokens();
    let used = stage.bearer(&tokens).await.unwrap().unwrap();
    let wants = |scope: &str| format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    for _ in 0..3 {
        let told = stage.rejected(&tokens, &used, 403, &wants("read write")).await;
        assert_eq!(told, needed(Why::Scopes(scopes(&["read", "write"]))));
    }
    assert_eq!(stage.login().wanted, scopes(&["read", "write"]));
    // The token is still good for everything else.
    assert_eq!(stage.bearer(&tokens).await, Ok(Some(used.clone())));
    // What was asked for already is not to be had by another login.
    let denied = |names: &[&str]| Err(NoToken::Denied { server: NAME.to_owned(), scopes: scopes(names) });
    assert_eq!(stage.rejected(&tokens, &used, 403, &wants("read")).await, denied(&["read"]));
    // A refusal that is about something else is the caller's to tell.
    assert_eq!(stage.rejected(&tokens, &used, 403, "").await, Ok(None));
    assert_eq!(stage.server.renewals(), 0);
}

#[tokio::test]
async fn a_login_counts_for_its_server_and_its_address_alone() {
    let stage = Stage::new(Rules::default()).await;
    let tokens = stage.tokens();
    let url = stage.server.url();
    assert!(tokens.bearer(NAME, &url).await.unwrap().is_some());
    let used = Secret::from("x");
    for (server, url) in [
        ("other", url.clone()),
        (NAME, url.replace("/mcp", "/mcp2")),
        (NAME, url.replace("127.0.0.1", "localhost")),
        (NAME, url.replace("http:", "https:")),
        (NAME, "not an address".to_owned()),
    ] {
        assert_eq!(tokens.bearer(server, &url).await, Ok(None), "{server} {url}");
        assert_eq!(tokens.rejected(server, &url, &used, 401, []).await, Ok(None), "{server} {url}");
    }
    stage.ends_in(-1);
    assert_eq!(tokens.bearer(NAME, "https://mallory.example/mcp").await, Ok(None));
    assert_eq!(stage.server.renewals(), 0);
}

#[tokio::test]
async fn what_another_process_does_is_seen() {
    let stage = Stage::new(Rules::default()).await;
    let tokens = stage.tokens();
    let first = stage.bearer(&tokens).await.unwrap();
    stage.log_in().await;
    let second = stage.bearer(&tokens).await.unwrap();
    assert!(second.is_some() && first != second);
    stage.logins().remove(NAME).unwrap();
    assert_eq!(stage.bearer(&tokens).await, Ok(None));
}

#[tokio::test]
async fn nothing_that_is_shown_holds_a_token() {
    let stage = Stage::new(Rules::default()).await;
    let tokens = stage.tokens();
    let token = stage.bearer(&tokens).await.unwrap();
    assert!(token.as_ref().unwrap().expose().contains(CANARY));
    let login = stage.login();
    let shown = format!("{tokens:?} {login:?} {token:?} {:?} {:?}", stage.logins(), login.client);
    assert!(!shown.contains(CANARY) && shown.contains("[secret]"), "{shown}");
    let file = std::fs::read_dir(Path::new(&stage.dirs().logins())).unwrap();
    assert_eq!(
        file.filter(|entry| !entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')).count(),
        1
    );
}
