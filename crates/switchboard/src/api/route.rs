//! Routes: which there are, and which one a request means.

use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode};

use super::act::Action;
use super::problem::Problem;
use crate::token::Permission;

/// One route.
pub(super) struct Route {
    pub(super) method: Method,
    /// The path; `{name}` stands for any one part.
    pub(super) path: String,
    pub(super) access: Access,
    pub(super) action: Action,
    /// What it does, in a few words.
    pub(super) summary: &'static str,
    /// The schema of the body that it takes; empty for none.
    pub(super) takes: &'static str,
}

/// Who may ask for a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anybody.
    Anybody,
    /// On loopback anybody, else who holds this permission.
    Readers(Permission),
    /// Who holds this permission, also on loopback.
    Holders(Permission),
    /// The control socket alone; to others it is not there.
    Control,
}

/// All routes.
pub(super) struct Routes {
    pub(super) all: Vec<Route>,
    /// How much of each path is written out, up to the first part that is left open.
    written: Vec<usize>,
}

/// The route that a request means.
pub(super) struct Found<'r> {
    pub(super) route: &'r Route,
    /// What stands in the path where the route leaves a part open.
    pub(super) params: Vec<(String, String)>,
}

impl Routes {
    /// Returns these routes, to be searched.
    pub(super) fn new(all: Vec<Route>) -> Self {
        let written = all.iter().map(|route| route.path.find('{').unwrap_or(route.path.len())).collect();
        Self { all, written }
    }

    /// Finds the route for a request. `HEAD` is answered wherever `GET` is.
    pub(super) fn find(&self, method: &Method, path: &str) -> Result<Found<'_>, Box<Problem>> {
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let nothing = || Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address");
        let parts = parts(path).ok_or_else(nothing)?;
        // Most routes begin otherwise, which is seen at once where nothing has to be decoded first.
        let is_coded = path.contains('%');
        let begins = |route: &Route, written: usize| is_coded || path.starts_with(&route.path[..written]);
        let fits: Vec<_> = self
            .all
            .iter()
            .zip(&self.written)
            .filter(|(route, written)| begins(route, **written))
            .filter_map(|(route, _)| Some((route, fit(&route.path, &parts)?)))
            .collect();
        // A path that is written out goes before one that is left open.
        let best = fits.iter().map(|(_, params)| params.len()).min().ok_or_else(nothing)?;
        let mut fits: Vec<_> = fits.into_iter().filter(|(_, params)| params.len() == best).collect();
        if let Some(at) = fits.iter().position(|(route, _)| route.method == *wanted) {
            let (route, params) = fits.swap_remove(at);
            return Ok(Found { route, params });
        }
        let mut allowed: Vec<&str> = fits.iter().map(|(route, _)| route.method.as_str()).collect();
        if allowed.contains(&"GET") {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        let mut problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done at this address");
        if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
            problem = problem.with_header(ALLOW, allowed);
        }
        Err(problem)
    }
}

/// Returns the parts of a path, decoded; `None` for what is no path of ours.
fn parts(path: &str) -> Option<Vec<String>> {
    path.strip_prefix('/')?.split('/').map(decoded).collect()
}

/// Returns what stands open in `pattern`, if the parts fit it.
fn fit(pattern: &str, parts: &[String]) -> Option<Vec<(String, String)>> {
    let pattern = pattern.strip_prefix('/')?;
    if pattern.split('/').count() != parts.len() {
        return None;
    }
    let mut params = Vec::new();
    for (own, part) in pattern.split('/').zip(parts) {
        match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
            Some(name) if !part.is_empty() => params.push((name.to_owned(), part.clone())),
            None if own == part => {}
            _ => return None,
        }
    }
    Some(params)
}

/// Returns a part of a path with its `%XX` put in letters; `None` where that gives no text.
pub(super) fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{decoded, fit, parts};

    #[test]
    fn paths_are_taken_apart_before_they_are_decoded() {
        for (part, text) in [
            ("a%2Fb", Some("a/b")),
            ("%2e%2E", Some("..")),
            ("%00", Some("\0")),
            ("%d0%b0", Some("а")),
            ("%ff", None),
            ("%", None),
            ("%+1", None),
            ("%2", None),
            ("a+b", Some("a+b")),
        ] {
            assert_eq!(decoded(part).as_deref(), text, "{part}");
        }
        let fits = |pattern: &str, path: &str| parts(path).and_then(|parts| fit(pattern, &parts)).is_some();
        assert!(fits("/a/{x}", "/a/b%2Fc"));
        assert!(!fits("/a/{x}", "/a/b/c"));
        assert!(!fits("/a/{x}", "/a/"));
        assert!(!fits("/a", "/a/"));
        assert!(!fits("/a", "//a"));
        assert!(!fits("/a", "a"));
        assert!(!fits("/a/{x}", "*"));
    }
}
