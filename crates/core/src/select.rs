//! Selectors: names, globs, `tag:NAME` and `profile:NAME`, as `servers = [..]` holds them.

use globset::{Glob, GlobMatcher};

use crate::catalogue::{Catalogue, Server};

/// How deep profiles may name each other before they count as naming themselves.
const DEEPEST: usize = 16;

/// Returns the enabled servers that `selectors` choose, in the order of the catalogue.
///
/// A selector that chooses nothing is no error: the server may come later. A profile that names itself adds nothing.
pub fn select<'c>(catalogue: &'c Catalogue, selectors: &[String]) -> Vec<&'c Server> {
    let mut chosen = vec![false; catalogue.servers().len()];
    gather(catalogue, selectors, DEEPEST, &mut chosen);
    catalogue
        .servers()
        .iter()
        .zip(chosen)
        .filter(|(server, chosen)| server.enabled && *chosen)
        .map(|(server, _)| server)
        .collect()
}

fn gather(catalogue: &Catalogue, selectors: &[String], depth: usize, chosen: &mut [bool]) {
    let servers = catalogue.servers();
    for selector in selectors {
        if selector == "*" {
            chosen.fill(true);
        } else if let Some(tag) = selector.strip_prefix("tag:") {
            choose(chosen, servers, |server| server.tags.iter().any(|own| own == tag));
        } else if let Some(profile) = selector.strip_prefix("profile:") {
            if let (Some(inner), Some(depth)) = (catalogue.profiles.get(profile), depth.checked_sub(1)) {
                gather(catalogue, inner, depth, chosen);
            }
        } else if let Some(at) = servers.iter().position(|server| server.name.as_str() == selector) {
            chosen[at] = true;
        } else if let Some(glob) = glob(selector) {
            choose(chosen, servers, |server| glob.is_match(server.name.as_str()));
        }
    }
}

fn choose(chosen: &mut [bool], servers: &[Server], fits: impl Fn(&Server) -> bool) {
    for (chosen, server) in chosen.iter_mut().zip(servers) {
        *chosen |= fits(server);
    }
}

fn glob(selector: &str) -> Option<GlobMatcher> {
    selector
        .contains(['*', '?', '[', '{'])
        .then(|| Glob::new(selector).ok())
        .flatten()
        .map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::parse;

    #[test]
    fn selectors_choose_enabled_servers_in_the_order_of_the_catalogue() {
        let catalogue = parse(
            "[servers.b]\ncommand='b'\ntags=['x']\n[servers.a]\ncommand='a'\n[servers.ab]\ncommand='c'\ntags=['x']\n\
             [servers.off]\ncommand='d'\nenabled=false\n\
             [profiles.p]\nservers=['a','profile:p','tag:x']\n",
        )
        .value;
        for (selectors, names) in [
            (vec!["*"], vec!["b", "a", "ab"]),
            (vec!["a*"], vec!["a", "ab"]),
            (vec!["tag:x"], vec!["b", "ab"]),
            (vec!["profile:p"], vec!["b", "a", "ab"]),
            (vec!["off", "nobody", "["], vec![]),
            (vec![], vec![]),
        ] {
            let selectors: Vec<String> = selectors.into_iter().map(str::to_owned).collect();
            let chosen: Vec<&str> =
                select(&catalogue, &selectors).iter().map(|server| server.name.as_str()).collect();
            assert_eq!(chosen, names, "{selectors:?}");
        }
    }
}
