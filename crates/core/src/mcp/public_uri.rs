//! The address by which a resource is known behind the face of several servers, where another one has the same.
//!
//! The server's mark is put in front of everything that only the server itself can read, and behind the scheme, because
//! clients go by schemes: `ui://clock/face` is `ui://switchboard~b/clock/face`, `memo:today` is
//! `memo:switchboard~b/today`. A template stays one, since nothing behind its scheme is touched: what a client makes of
//! it leads to the same server. No slash is put before another, which some readers make one of: `file:///etc/hosts` is
//! `file://switchboard~b~/etc/hosts`.

use super::label::{label, server_of};

/// What marks an address as one of ours; the label of the server follows.
const MARK: &str = "switchboard~";

/// Ends the label of the server where a slash follows that is not ours.
const SLASH: char = '~';

/// The scheme of an address that had none, as that of a template may be one of its variables.
const SCHEME: &str = "switchboard:";

/// Returns the public address of a server's resource. It depends on its arguments alone, so that it is the same
/// whichever other servers there are; [`own_uri`] is its inverse. An address is one as of RFC 3986 if it was one before.
pub fn public_uri(server: &str, uri: &str) -> String {
    let (head, rest) = head(uri).map_or((SCHEME, uri), |at| uri.split_at(at));
    let end = if rest.starts_with('/') { SLASH } else { '/' };
    format!("{head}{MARK}{}{end}{rest}", label(server))
}

/// Returns the server that a public address belongs to, and what that server calls the resource; `None` where
/// [`public_uri`] makes no such address.
pub fn own_uri(public: &str) -> Option<(String, String)> {
    let (head, marked) = match public.strip_prefix(SCHEME) {
        Some(marked) => ("", marked),
        None => public.split_at(head(public)?),
    };
    let marked = marked.strip_prefix(MARK)?;
    let (label, rest) = marked.split_once('/')?;
    // No label ends like this.
    let (label, rest) = match label.strip_suffix(SLASH) {
        Some(label) => (label, &marked[label.len() + SLASH.len_utf8()..]),
        None => (label, rest),
    };
    Some((server_of(label)?, format!("{head}{rest}")))
}

/// Returns where the part begins that only the server can read: behind the scheme, and the slashes of a host. There is
/// none where there is no scheme, or our own, which would be read as that of an address without one.
fn head(uri: &str) -> Option<usize> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let slashes = if rest.starts_with("//") { 2 } else { 0 };
    (is_scheme && !uri.starts_with(SCHEME)).then_some(scheme.len() + 1 + slashes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_scheme_stays_and_the_server_stands_behind_it() {
        for (uri, public) in [
            ("ui://clock/face?a=b#c", "ui://switchboard~b/clock/face?a=b#c"),
            ("file:///etc/hosts", "file://switchboard~b~/etc/hosts"),
            ("memo:today", "memo:switchboard~b/today"),
            ("memo:/today", "memo:switchboard~b~/today"),
            ("x://{id}/data{?q}", "x://switchboard~b/{id}/data{?q}"),
            ("{+any}", "switchboard:switchboard~b/{+any}"),
            ("notes.txt", "switchboard:switchboard~b/notes.txt"),
            ("switchboard:x", "switchboard:switchboard~b/switchboard:x"),
            ("ui://switchboard~a/clock", "ui://switchboard~b/switchboard~a/clock"),
            ("", "switchboard:switchboard~b/"),
        ] {
            // Clients keep these addresses: they stay what they are, to the last letter.
            assert_eq!(public_uri("b", uri), public);
            assert_eq!(own_uri(public), Some(("b".to_owned(), uri.to_owned())));
        }
        for foreign in
            ["ui://clock/face", "x:switchboard~b", "x://switchboard~/a", "x:~b/a", "switchboard:b/a"]
        {
            assert_eq!(own_uri(foreign), None, "{foreign}");
        }
    }

    /// Addresses and templates, some of which look like ours.
    fn uri() -> impl Strategy<Value = String> {
        let scheme = prop_oneof!["", "[a-z]{1,3}:", "switchboard:", "\\{s\\}:"];
        let rest = prop_oneof![".{0,20}", "[a-z/{}:?#~]{0,20}"];
        (scheme, "/{0,4}", prop_oneof!["", "switchboard~[a-b]{0,2}/"], rest)
            .prop_map(|(scheme, slashes, mark, rest)| format!("{scheme}{slashes}{mark}{rest}"))
    }

    proptest! {
        #[test]
        fn what_is_made_public_is_found_again_and_two_never_become_one(
            server in ".{1,20}", other in ".{1,20}", one in uri(), two in uri(),
        ) {
            let public = public_uri(&server, &one);
            prop_assert_eq!(own_uri(&public), Some((server.clone(), one.clone())));
            prop_assert_eq!(server == other && one == two, public == public_uri(&other, &two));
            // An address of somebody else's is never taken for the public one of this.
            prop_assert!(own_uri(&two).is_some() || two != public);
        }

        #[test]
        fn what_is_made_of_a_public_template_is_of_the_same_server(
            server in ".{1,20}", before in "([a-z]{1,4}:/{0,3})?[a-z]{0,4}", after in "[a-z/]{0,9}", value in ".{0,9}",
        ) {
            let template = format!("{before}{{id}}{after}");
            let made = |template: &str| template.replace("{id}", &value);
            let (server_of_it, own) = own_uri(&made(&public_uri(&server, &template))).unwrap();
            prop_assert_eq!((server_of_it, own), (server, made(&template)));
        }
    }
}
