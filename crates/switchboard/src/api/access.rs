//! Who may ask for what: the control socket, loopback, bearer tokens.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use switchboard_core::policy::Held;
use switchboard_core::settings::Http;
use switchboard_gateway::policy::Holder;
use switchboard_host::record;

use super::Peer;
use super::problem::Problem;
use super::route::{Access, Route};
use crate::token::{CLIENT, LOCAL, Permission, Tokens, Uses, uses, uses_file};

/// The tokens that open doors, as their file has them: one that was revoked a moment ago opens nothing.
pub(super) struct Keys {
    file: PathBuf,
    read: Mutex<(Option<Stamp>, Tokens)>,
    uses: Mutex<(Option<Instant>, Uses)>,
}

/// How often it is written down when tokens were used.
const NOW_AND_THEN: Duration = Duration::from_secs(600);

/// What differs when the file was replaced.
#[derive(PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    inode: u64,
}

impl Stamp {
    fn of(file: &std::path::Path) -> Option<Self> {
        let meta = std::fs::metadata(file).ok()?;
        Some(Self {
            modified: meta.modified().ok(),
            length: meta.len(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(&meta),
        })
    }
}

impl Keys {
    pub(super) fn new(file: PathBuf) -> Self {
        let uses = Mutex::new((None, uses(&file)));
        Self { file, read: Mutex::default(), uses }
    }

    /// Returns the token that a request shows; `None` where there is no such token.
    fn shown(&self, secret: &str) -> Option<Shown> {
        let read = self.read();
        let token = read.1.find(secret)?;
        self.note(&token.id);
        Some(Shown { name: token.name.clone(), permissions: token.permissions.clone() })
    }

    fn read(&self) -> MutexGuard<'_, (Option<Stamp>, Tokens)> {
        let stamp = Stamp::of(&self.file);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != stamp {
            // A file that cannot be read opens nothing.
            *read = (stamp, Tokens::peek(&self.file));
        }
        read
    }

    /// Notes that a token was used; only now and then in its file.
    fn note(&self, id: &str) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.1.insert(id.to_owned(), crate::home::now());
        if uses.0.is_some_and(|at| at.elapsed() < NOW_AND_THEN) {
            return;
        }
        uses.0 = Some(Instant::now());
        let (file, uses) = (uses_file(&self.file), uses.1.clone());
        // What cannot be written now is tried again with a later use; nobody waits for it.
        drop(tokio::task::spawn_blocking(move || record::save(&file, &uses)));
    }
}

/// Who was let in, as was true at that moment: a token that is revoked a moment later opens no more by that.
pub(super) enum Visitor {
    /// Whoever may open the control socket.
    Control,
    /// Somebody who needs no token here, and shows none that is known.
    Anybody,
    /// Whoever has this token.
    Token(Shown),
}

/// A token as it was shown.
pub(super) struct Shown {
    name: String,
    permissions: Vec<Permission>,
}

impl Visitor {
    /// Returns whether they came by the control socket.
    pub(super) fn is_control(&self) -> bool {
        matches!(self, Self::Control)
    }

    /// Returns what they may do with tools. Whoever needs no token here is this machine's user, and so is a client in whose
    /// file we have written one.
    pub(super) fn holder(&self) -> Holder {
        match self {
            Self::Control => Holder::user("control"),
            Self::Anybody => Holder::user("anybody"),
            Self::Token(Shown { name, .. }) if name.starts_with(CLIENT) || name == LOCAL => {
                Holder::user(name)
            }
            Self::Token(Shown { name, permissions }) if permissions.contains(&Permission::everything()) => {
                Holder::user(name)
            }
            Self::Token(Shown { name, permissions }) => {
                let words: Vec<String> = permissions.iter().map(ToString::to_string).collect();
                let held = Held::parse(words.iter().map(String::as_str)).unwrap_or_else(|_| Held::nothing());
                Holder { who: name.as_str().into(), held: Arc::new(held) }
            }
        }
    }
}

/// Lets a request pass that may have what it asks for, and returns who asks.
pub(super) fn check(
    route: &Route,
    peer: &Peer,
    headers: &HeaderMap,
    http: &Http,
    keys: &Keys,
) -> Result<Visitor, Box<Problem>> {
    if peer.is_control() {
        return Ok(Visitor::Control);
    }
    let shown = || match bearer(headers) {
        Bearer::Token(secret) => keys.shown(secret),
        Bearer::Missing | Bearer::Wrong => None,
    };
    let anybody = || shown().map_or(Visitor::Anybody, Visitor::Token);
    let needed = match &route.access {
        Access::Control => {
            return Err(Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address"));
        }
        Access::Anybody => return Ok(Visitor::Anybody),
        Access::Readers(_) if peer.is_local() => return Ok(Visitor::Anybody),
        Access::Readers(needed) | Access::Holders(needed) => needed,
    };
    // The door does not open to the network in this mode; here it is looked at once more.
    if http.auth == "none" && peer.is_local() {
        return Ok(anybody());
    }
    match bearer(headers) {
        Bearer::Missing => return Err(unknown("a bearer token is needed", "Bearer realm=\"switchboard\"")),
        Bearer::Wrong => return Err(malformed()),
        Bearer::Token(_) => {}
    }
    let Some(shown) = shown() else {
        return Err(unknown(
            "the token is not known",
            "Bearer realm=\"switchboard\", error=\"invalid_token\"",
        ));
    };
    if shown.permissions.iter().any(|held| held.covers(needed)) {
        return Ok(Visitor::Token(shown));
    }
    Err(Problem::new(StatusCode::FORBIDDEN, format!("the token lacks the permission `{needed}`"))
        .header(WWW_AUTHENTICATE, "Bearer realm=\"switchboard\", error=\"insufficient_scope\"")
        .hint(format!("`switchboard token create NAME --permission {needed}` makes one that has it")))
}

/// Returns what tells whoever asks from others: what one of them begins another cannot go on with.
pub(super) fn owner(peer: &Peer, headers: &HeaderMap) -> String {
    match (peer.is_control(), bearer(headers)) {
        (true, _) => "control".to_owned(),
        (false, Bearer::Token(secret)) => switchboard_host::hash::Hash::of(secret.as_bytes()).to_string(),
        (false, _) => "anybody".to_owned(),
    }
}

fn unknown(detail: &str, challenge: &'static str) -> Box<Problem> {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .header(WWW_AUTHENTICATE, challenge)
        .hint("`switchboard token show` prints one for this machine; send it as `Authorization: Bearer ...`")
}

fn malformed() -> Box<Problem> {
    unknown(
        "the `Authorization` header is not understood",
        "Bearer realm=\"switchboard\", error=\"invalid_request\"",
    )
}

/// What a request says of itself.
enum Bearer<'h> {
    Missing,
    Wrong,
    Token(&'h str),
}

fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = values.next() else { return Bearer::Missing };
    let (Ok(text), None) = (first.to_str(), values.next()) else { return Bearer::Wrong };
    match text.split_once(' ') {
        Some((scheme, token))
            if scheme.eq_ignore_ascii_case("bearer")
                && !token.is_empty()
                && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') =>
        {
            Bearer::Token(token)
        }
        _ => Bearer::Wrong,
    }
}
