//! `listen`: follow another switchboard.

use std::path::PathBuf;
use std::time::Duration;

use switchboard_core::client::known::{self, Known, Status};
use switchboard_core::duration::parse_duration;
use switchboard_host::dirs::Env;
use switchboard_host::resolve::Resolver;
use switchboard_host::secret::{FileSecrets, Secret};

use crate::cli::{Listen, ListenVia};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::listen::{Aim, Listening, run as listen};
use crate::observe::usual_path;
use crate::ui::{To, Ui};

/// Follows another switchboard, and brings its revisions to a client's file, to a program or to standard output.
///
/// # Errors
/// As [`crate::listen::run`]; and when the client, the file or the token is not one.
#[expect(clippy::needless_pass_by_value, reason = "all commands have one shape")]
pub(crate) fn run(args: Listen, env: Env, ui: &Ui) -> Done {
    if matches!(ui.to, To::Record(_)) {
        return Err(Failure::usage("listen in somebody else's name")
            .hint("run `switchboard listen` where its target is"));
    }
    let home = Home::look(env.clone())?;
    let aim = match (&args.client, args.exec) {
        (Some(client), _) => file(&home, client, args.path, args.via)?,
        (None, Some(program)) => {
            Aim::Program { program, args: args.args, limit: duration("exec-timeout", &args.exec_timeout)? }
        }
        (None, None) => Aim::Print,
    };
    let token = args.token.map(|reference| token(&home, &env, ui, &reference)).transpose()?;
    let interval = duration("interval", &args.interval)?;
    drop(home);
    listen(Listening { url: args.url, token, aim, once: args.once, interval }, &env, ui)
}

/// Returns a client's file as a target.
///
/// # Errors
/// The client is not known, is not written to, or has no usual place.
fn file(home: &Home, id: &str, path: Option<PathBuf>, via: Option<ListenVia>) -> Result<Aim, Failure> {
    let client = find(id)?;
    let path = path_of(home, client, path)?;
    let via = via.map(|via| match via {
        ListenVia::Bridge => "bridge",
        ListenVia::Direct => "direct",
    });
    Ok(Aim::File { client, path, via })
}

/// Returns the known client that is called so.
///
/// # Errors
/// There is none.
pub(crate) fn find(id: &str) -> Result<&'static Known, Failure> {
    known::find(id).ok_or_else(|| {
        let failure = Failure::usage(format!("find client `{}`: it is not known", id.escape_debug()));
        match known::nearest(id) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("see `switchboard client list --all` for those that are known"),
        }
    })
}

/// Returns the file of a client: the one that is named, in full, else the usual one.
///
/// # Errors
/// None is named, and the client has no usual one here.
pub(crate) fn path_of(
    home: &Home,
    client: &'static Known,
    path: Option<PathBuf>,
) -> Result<PathBuf, Failure> {
    match path {
        Some(path) => {
            let path = home.expand(&path.to_string_lossy());
            Ok(std::path::absolute(&path).unwrap_or(path))
        }
        None if client.status == Status::Active => usual_path(home, client).ok_or_else(|| {
            Failure::usage(format!("find the file of `{}`: it has no usual place on this system", client.id))
                .hint("name it with --path")
        }),
        None => {
            Err(Failure::usage(format!("find the file of `{}`: it is not written to by itself", client.id))
                .hint("name it with --path"))
        }
    }
}

/// Reads a duration of the command line.
fn duration(option: &str, text: &str) -> Result<Duration, Failure> {
    let wrong = |why: String| {
        Failure::usage(format!("read --{option}: {why}")).hint(format!("write it as --{option} 30s"))
    };
    let duration = parse_duration(text).map_err(wrong)?;
    if duration < Duration::from_secs(1) {
        return Err(wrong("less than a second is too often".to_owned()));
    }
    Ok(duration)
}

/// What to type in the place of a token.
const WHERE: &str = "name where it is: --token '${env:NAME}', '${file:PATH}' or '${keyring:NAME}'";

/// A token itself is refused: whoever lists processes would see it.
///
/// # Errors
/// It is no reference.
pub(crate) fn check_reference(text: &str) -> Done {
    if text.starts_with("${") && text.ends_with('}') {
        return Ok(());
    }
    Err(Failure::usage("use the token: it stands on the command line itself").hint(WHERE))
}

/// Looks up a token by its reference.
fn token(home: &Home, env: &Env, ui: &Ui, reference: &str) -> Result<Secret, Failure> {
    check_reference(reference)?;
    let inherited = env.vars().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let secrets = FileSecrets::new(home.dirs.secrets());
    let warn = |text: &str| ui.note(format!("warning: {text}"));
    let resolver =
        Resolver { environment: &inherited, home: env.home(), root: None, secrets: &secrets, warn: &warn };
    let token = resolver
        .text(reference)
        .map_err(|error| Failure::failed("look the token up").caused_by(&error).hint(WHERE))?;
    if token.expose().trim().is_empty() {
        return Err(Failure::failed("look the token up: there is nothing").hint(WHERE));
    }
    Ok(token)
}
