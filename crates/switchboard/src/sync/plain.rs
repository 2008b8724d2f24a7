//! `sync` and nothing else, where nothing has changed: what most of its runs are.

use std::ffi::OsString;
use std::process::ExitCode;

use switchboard_host::dirs::{Dirs, Env};
use switchboard_host::stamp;

use crate::cli::Common;
use crate::ui::Ui;

/// Returns the wishes behind `sync` where nothing else stands there. The tree of all commands takes longer to build than
/// it takes to see that nothing has changed.
pub(crate) fn plain(mut words: impl Iterator<Item = OsString>) -> Option<Common> {
    if words.nth(1)? != "sync" {
        return None;
    }
    match (words.next(), words.next()) {
        (None, _) => Some(Common::default()),
        (Some(word), None) if word == "--json" => Some(Common { json: true, ..Common::default() }),
        (Some(word), None) if word == "--quiet" || word == "-q" => {
            Some(Common { quiet: true, ..Common::default() })
        }
        _ => None,
    }
}

/// Says that nothing has changed; `None` where that is not certain.
pub(crate) fn run(wishes: Common, env: &Env) -> Option<ExitCode> {
    let dirs = Dirs::from_env(env).ok()?;
    let counts = stamp::unchanged(&dirs.sync_stamp(), &dirs.catalogue(), &dirs.registry())?;
    let ui = Ui::new(wishes);
    ui.line(super::nothing_changed(counts));
    ui.json(&super::as_json(None, counts));
    Some(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_sync_goes_past_the_tree_of_commands() {
        let wishes = |words: &[&str]| {
            plain(words.iter().map(OsString::from)).map(|wishes| (wishes.json, wishes.quiet))
        };
        assert_eq!(wishes(&["switchboard", "sync"]), Some((false, false)));
        assert_eq!(wishes(&["switchboard", "sync", "--json"]), Some((true, false)));
        assert_eq!(wishes(&["switchboard", "sync", "-q"]), Some((false, true)));
        for words in [
            &["switchboard"][..],
            &["switchboard", "--json", "sync"],
            &["switchboard", "sync", "--help"],
            &["switchboard", "sync", "--force"],
            &["switchboard", "sync", "--dry-run"],
            &["switchboard", "sync", "github"],
            &["switchboard", "sync", "--json", "-q"],
            &["switchboard", "server", "sync"],
        ] {
            assert_eq!(wishes(words), None, "{words:?}");
        }
    }
}
