//! Which tools of a server its owner offers.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::ToolFilter;

/// A [`ToolFilter`] made ready to be asked about many tools.
#[derive(Clone, Debug)]
pub struct Offered {
    allow: GlobSet,
    deny: GlobSet,
}

impl Offered {
    /// Returns the filter made ready. A pattern that is none matches nothing.
    pub fn new(filter: &ToolFilter) -> Self {
        Self { allow: globs(&filter.allow), deny: globs(&filter.deny) }
    }

    /// Returns whether this tool is offered.
    pub fn has(&self, tool: &str) -> bool {
        self.allow.is_match(tool) && !self.deny.is_match(tool)
    }
}

fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in patterns.iter().filter_map(|pattern| Glob::new(pattern).ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_is_not_offered_though_it_is_allowed() {
        let filter = |allow: &[&str], deny: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
            Offered::new(&ToolFilter { allow: texts(allow), deny: texts(deny) })
        };
        for (allow, deny, tool, offered) in [
            (&["*"][..], &[][..], "get_secret", true),
            (&["*"], &["*secret*"], "get_secret", false),
            (&["get_*"], &[], "list", false),
            (&[], &[], "list", false),
            (&["[", "list"], &["["], "list", true),
        ] {
            assert_eq!(filter(allow, deny).has(tool), offered, "{allow:?} {deny:?} {tool}");
        }
    }
}
