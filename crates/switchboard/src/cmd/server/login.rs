//! `server login`: a login at a remote server, and an end to it.

use std::time::Duration;

use reqwest::Url;
use serde_json::json;
use switchboard_core::catalogue::Server;
use switchboard_core::launch::{Launch, Remote};
use switchboard_core::login::scopes::{Scopes, is_scope, text};
use switchboard_host::dirs::Env;
use switchboard_host::lock::Lock;
use switchboard_host::resolve::{Resolved, Resolver};
use switchboard_host::secret::{FileSecrets, Secret};

use super::{known, shown};
use crate::approval::quoted;
use crate::cli::ServerLogin;
use crate::fail::{Done, Failure};
use crate::home::{Home, now};
use crate::login::{
    AuthorizeError, Door, Found, Grant, Http, Identity, Listener, ListenerError, Login, LoginStoreError,
    Logins, discover, open_browser, renew, revoke,
};
use crate::remote;
use crate::ui::{Mark, Said, To, Ui};

/// Has the daemon look at everything again.
const RELOAD: &str = "/api/v1/reload";

/// How long a person may take in the browser.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How long to wait for somebody who is renewing the tokens of the login before.
const TURN: Duration = Duration::from_secs(35);

/// How long somebody may take to take tokens back.
const REVOKING: Duration = Duration::from_secs(10);

/// Logs in to a remote server, or forgets the login.
///
/// # Errors
/// The server is not one to log in to; nobody logged in; the login cannot be kept.
pub(super) fn run(args: &ServerLogin, env: Env, ui: &Ui) -> Done {
    if matches!(ui.to, To::Record(_)) {
        return Err(Failure::usage("log in from elsewhere")
            .because("a login needs the browser of whoever asks for it")
            .hint("run `switchboard server login` on the machine itself"));
    }
    let home = Home::look(env)?;
    let logins = Logins::new(&home.dirs);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("log in").caused_by(&error))?;
    if args.forget {
        return forget(&logins, ui, &args.name, &runtime);
    }
    let target = Target::of(&home, known(&home, &args.name)?, ui)?;
    let wish = Wish::of(args, &home)?;
    if ui.dry_run {
        ui.marked(Mark::Plan, format!("ask {} how to log in, and do so", target.origin()));
        return Ok(());
    }
    let what = format!("log in to `{}`", target.name);
    let login = runtime.block_on(async {
        tokio::select! {
            login = login(&target, &wish, &logins, &home.env, ui) => login,
            _ = tokio::signal::ctrl_c() => Err(Failure::failed(&what).because("it was interrupted; nothing was changed")),
        }
    })?;
    told(ui, &target, &login);
    // A daemon that waits for somebody to log in tries at once; without one there is nobody to tell.
    let _ = remote::post(&home.env, RELOAD, b"{}".to_vec());
    Ok(())
}

/// The server to log in to.
struct Target {
    name: String,
    url: Url,
    door: Door,
}

impl Target {
    /// # Errors
    /// It is not one that a login is for.
    fn of(home: &Home, server: &Server, ui: &Ui) -> Result<Self, Failure> {
        let name = server.name.as_str();
        let what = format!("log in to `{name}`");
        if let Launch::Stdio { .. } = server.launch {
            return Err(
                Failure::usage(&what).because("it is started on this machine, and not reached over HTTP")
            );
        }
        let inherited = home.env.vars().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let secrets = FileSecrets::new(home.dirs.secrets());
        let warn = |text: &str| ui.note(format!("warning: {text}"));
        let resolver = Resolver {
            environment: &inherited,
            home: home.env.home(),
            root: None,
            secrets: &secrets,
            warn: &warn,
        };
        let resolved = resolver
            .launch(&server.launch)
            .map_err(|error| Failure::failed(&what).hint(error.help()).caused_by(&error))?;
        let Resolved::Remote { kind, url, headers } = resolved else { return Err(Failure::usage(what)) };
        if headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")) {
            return Err(Failure::usage(what)
                .because("the catalogue gives it an `Authorization` header, which goes before a login")
                .hint(format!("take the header out of {}", home.short(&home.dirs.catalogue()))));
        }
        let url = Url::parse(url.expose()).ok().filter(|url| url.host_str().is_some());
        let url = url.ok_or_else(|| {
            Failure::usage(&what)
                .because("its `url` is not a web address")
                .hint("correct the server's `url` in the catalogue")
        })?;
        let door = Door::new(&url, kind == Remote::Sse, &headers)
            .map_err(|error| Failure::failed(&what).because(error))?;
        Ok(Self { name: name.to_owned(), url, door })
    }

    fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn failed(&self) -> Failure {
        Failure::failed(format!("log in to `{}`", self.name))
    }

    fn step(&self, error: &AuthorizeError) -> Failure {
        let failure = self.failed().caused_by(error);
        error.help().into_iter().fold(failure, Failure::hint)
    }
}

/// What the command line asks for.
struct Wish {
    scopes: Vec<String>,
    client: Option<(String, Option<Secret>)>,
    document: Option<String>,
    machine: bool,
    no_browser: bool,
    port: u16,
}

impl Wish {
    /// # Errors
    /// Something is not written as it has to be, or the variable is not set.
    fn of(args: &ServerLogin, home: &Home) -> Result<Self, Failure> {
        if let Some(odd) = args.scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(Failure::usage(format!("ask for the scope `{}`", shown(odd)))
                .hint("name one scope with each --scope"));
        }
        if let Some(document) = &args.client_metadata {
            let url = Url::parse(document).ok();
            if !url
                .is_some_and(|url| url.scheme() == "https" && url.host_str().is_some() && url.path() != "/")
            {
                return Err(Failure::usage(format!("use the document `{}`", shown(document)))
                    .because("it is not the https address of a file")
                    .hint("write it as `--client-metadata https://example.com/client.json`"));
            }
        }
        let secret = args.client_secret_env.as_ref().map(|name| {
            let value = home.env.var(name).and_then(|value| value.to_str());
            value.map(Secret::from).ok_or_else(|| {
                Failure::usage("use the client's secret")
                    .because(format!("the variable `{}` is not set", shown(name)))
                    .hint(format!("set it with `export {}=..`", quoted(name)))
            })
        });
        let secret = secret.transpose()?;
        Ok(Self {
            scopes: args.scopes.clone(),
            client: args.client_id.clone().map(|id| (id, secret)),
            document: args.client_metadata.clone(),
            machine: args.machine,
            no_browser: args.no_browser,
            port: args.port,
        })
    }

    /// Returns name and secret where no person is to log in: as it was said, else as it was at the last login.
    fn robot(&self, before: Option<&Login>) -> Option<(String, Secret)> {
        match (&self.client, before) {
            (Some((id, secret)), _) => Some((id.clone(), secret.clone()?)).filter(|_| self.machine),
            (None, Some(Login { grant: Grant::Machine, client, .. })) if self.document.is_none() => {
                Some((client.id.clone(), client.secret.clone()?))
            }
            (None, _) => None,
        }
    }

    /// Returns who we are to be: as it was said, else as it was at the last login with the same authorization server.
    fn identity(&self, before: Option<&Login>) -> Identity {
        if let Some((id, secret)) = self.client.clone() {
            return Identity::Given { id, secret };
        }
        if let Some(document) = self.document.clone() {
            return Identity::Document(document);
        }
        match before {
            Some(Login { client, .. }) if client.given => {
                Identity::Given { id: client.id.clone(), secret: client.secret.clone() }
            }
            _ => Identity::Registered,
        }
    }
}

async fn login(target: &Target, wish: &Wish, logins: &Logins, env: &Env, ui: &Ui) -> Result<Login, Failure> {
    let Target { name, url, door } = target;
    let before = logins.load(name).ok().flatten().filter(|login| login.is_for(name, url.as_str()));
    let refusal = door.knock().await.map_err(|error| target.failed().caused_by(&error))?;
    let found = discover(door.http(), url, refusal.as_deref()).await.map_err(|error| target.step(&error))?;
    let before = before.filter(|before| before.issuer.as_deref() == found.issuer());
    let scopes = scopes(&found, wish, before.as_ref()).await;
    let login = if let Some((id, secret)) = wish.robot(before.as_ref()) {
        let mut login = found.machine(name, id, secret, scopes.into_iter().collect()).await;
        let granted = renew(door.http(), &login).await;
        login.take(granted.map_err(|error| target.failed().caused_by(&error))?, now());
        login
    } else {
        let unheard = |error: ListenerError| target.failed().caused_by(&error).hint(error.help());
        let listener = Listener::open(wish.port).await.map_err(unheard)?;
        let (at, identity) = (found.shown(), wish.identity(before.as_ref()));
        let begun = found.begin(identity, &listener.address(), &scopes).await;
        let begun = begun.map_err(|error| target.step(&error))?;
        send_browser(&begun.address, name, &at, wish, env, ui);
        let brought = listener.wait(&begun.state, PATIENCE).await;
        let brought = brought.map_err(unheard)?;
        begun.finish(name, brought, now()).await.map_err(|error| target.step(&error))?
    };
    let _lock = lock(logins, name)?;
    logins.save(&login).map_err(|error| unkept(&error))?;
    Ok(login)
}

/// Returns what to ask for: what was said, else what the server names; and what it has asked for since the last login.
async fn scopes(found: &Found, wish: &Wish, before: Option<&Login>) -> Vec<String> {
    let mut scopes = match before {
        _ if !wish.scopes.is_empty() => wish.scopes.clone(),
        Some(Login { grant: Grant::Machine, asked, .. }) => asked.iter().cloned().collect(),
        _ => found.usual_scopes().await,
    };
    if let Some(before) = before.filter(|before| !before.wanted.is_empty()) {
        let more: Vec<String> =
            before.asked.union(&before.wanted).filter(|scope| !scopes.contains(scope)).cloned().collect();
        scopes.extend(more);
    }
    scopes
}

/// Says where to go, and goes there where there is a browser.
fn send_browser(address: &Url, name: &str, at: &str, wish: &Wish, env: &Env, ui: &Ui) {
    let tell = |text: String| ui.say(Said::Note(text));
    tell(format!("to log in to `{name}` at {at}, open this address:"));
    tell(format!("  {address}"));
    if !wish.no_browser && open_browser(address, env) {
        tell("the browser was asked to open it".to_owned());
    }
    tell(format!("waiting for {} minutes; Ctrl-C ends it", PATIENCE.as_secs() / 60));
}

fn told(ui: &Ui, target: &Target, login: &Login) {
    let until = login.lifetime.expires;
    ui.json(&json!({
        "server": target.name, "issuer": login.issuer, "scopes": login.scopes,
        "expires": until.map(crate::when::stamp), "renews": login.can_renew(),
    }));
    let permits =
        if login.scopes.is_empty() { String::new() } else { format!(", for {}", text(&login.scopes)) };
    ui.marked(Mark::Good, format!("logged in to `{}` at {}{permits}", target.name, login.giver()));
    if let (Some(until), false) = (until, login.can_renew()) {
        ui.line(format!("it is good until {}, and cannot be renewed without you", crate::when::local(until)));
    }
}

fn forget(logins: &Logins, ui: &Ui, name: &str, runtime: &tokio::runtime::Runtime) -> Done {
    let none = || Failure::usage(format!("forget the login at `{}`", shown(name))).because("there is none");
    let login = match logins.load(name) {
        Ok(login) => Some(login.ok_or_else(none)?),
        Err(LoginStoreError::Damaged(_)) => None,
        Err(error) => return Err(unkept(&error)),
    };
    if ui.dry_run {
        ui.marked(Mark::Plan, format!("forget the login at `{name}`"));
        return Ok(());
    }
    {
        let _lock = lock(logins, name)?;
        logins.remove(name).map_err(|error| unkept(&error))?;
    }
    let why = login.and_then(|login| {
        let http = Url::parse(login.url.expose()).ok().and_then(|url| Http::new(&url).ok())?;
        let asking = async { tokio::time::timeout(REVOKING, revoke(&http, &login)).await };
        match runtime.block_on(asking) {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it did not answer".to_owned()),
        }
    });
    ui.json(&json!({ "done": format!("login at `{name}` forgotten"), "not_taken_back": why }));
    ui.marked(Mark::Good, format!("the login at `{name}` is forgotten"));
    if let Some(why) = why {
        ui.note(format!("warning: its tokens were not taken back, and may be good for a while: {why}"));
    }
    Ok(())
}

fn lock(logins: &Logins, name: &str) -> Result<Lock, Failure> {
    let failed = |error: switchboard_host::lock::LockError| {
        Failure::failed("keep the login").caused_by(&error).hint(error.help())
    };
    logins.lock(name, TURN).map_err(failed)
}

fn unkept(error: &LoginStoreError) -> Failure {
    Failure::failed("keep the login").caused_by(error).hint(error.help())
}

/// Takes the login along where a server is called otherwise.
///
/// # Errors
/// It is kept under the old name.
pub(super) fn rename(logins: &Logins, from: &str, to: &str) -> Done {
    let Ok(Some(_)) = logins.load(from) else { return Ok(()) };
    let _lock = lock(logins, from)?;
    let Ok(Some(mut login)) = logins.load(from) else { return Ok(()) };
    to.clone_into(&mut login.server);
    logins.save(&login).and_then(|()| logins.remove(from)).map_err(|error| unkept(&error))?;
    Ok(())
}

/// Returns what there is to say of a login, as JSON.
pub(super) fn as_json(login: &Login) -> serde_json::Value {
    json!({
        "issuer": login.issuer, "scopes": login.scopes, "renews": login.can_renew(),
        "expires": login.lifetime.expires.map(crate::when::stamp), "over": login.is_over(now()),
    })
}

/// Returns the same for people.
pub(super) fn line(login: &Login) -> String {
    let at = login.giver();
    let state = match login.lifetime.expires {
        _ if login.is_over(now()) => ", over".to_owned(),
        _ if login.can_renew() => ", renewed by itself".to_owned(),
        Some(until) => format!(", until {}", crate::when::local(until)),
        None => String::new(),
    };
    let wanted: &Scopes = &login.wanted;
    let more = if wanted.is_empty() { String::new() } else { format!("; it asks for {} too", text(wanted)) };
    format!("login  at {at}{state}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Ask;
    use crate::cli::{Command, Common, Server};

    #[test]
    fn nobody_elsewhere_has_a_browser_opened_here() {
        let args = ServerLogin { name: "vault".to_owned(), ..ServerLogin::default() };
        let ask = Ask {
            command: Command::Server(Server::Login(args)),
            wishes: Common::default(),
            env: None,
            agreed: Vec::new(),
        };
        let answer = ask.run(&Env::new("/nowhere", [("SWITCHBOARD_HOME", "/nowhere")]), None);
        assert_eq!(answer.failure.unwrap().what, "log in from elsewhere");
    }
}
