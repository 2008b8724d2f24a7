//! What servers offer, kept in the registry; and the policy of their tools, kept in step with that.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use switchboard_core::flow::{Event, Source};
use switchboard_core::name::ServerName;
use switchboard_host::stamp;
use switchboard_host::watch::Content;
use tracing::{debug, error, info, warn};

use super::Hands;
use crate::ask::Answer;
use crate::cli::Common;
use crate::cmd::policy::follow;
use crate::pins::Looked;
use crate::sync;
use crate::ui::Ui;

/// What came of bringing the policy up to date, as the command tells it to programs.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Followed {
    written: bool,
    tools: usize,
    exports: Vec<Export>,
}

/// What became of another application's file.
#[derive(Deserialize)]
struct Export {
    path: String,
    state: String,
    #[serde(default)]
    tools: Counts,
}

#[derive(Default, Deserialize)]
struct Counts {
    before: usize,
    after: usize,
}

impl Hands {
    /// A feed was given up: the next sync is to try it again, though nothing has changed.
    pub(crate) fn misses_feed(&self) {
        let Ok(dirs) = crate::home::dirs(&self.env) else { return };
        if let Err(error) = stamp::doubt(&dirs.sync_stamp()) {
            debug!(%error, "the stamp of the registry stays as it is");
        }
    }

    /// Tries servers again that could not be had.
    pub(crate) fn try_again(&self) {
        self.service.try_again();
    }

    /// Tries feeds again that were given up.
    pub(crate) fn listen_again(&self) {
        self.service.listen_again();
    }

    /// Puts what servers offer into the registry. Returns whether it is there; else it is to be tried again.
    pub(super) fn record(&mut self, servers: &BTreeSet<ServerName>) -> bool {
        let (Some(home), Some(moment)) = (&self.home, &self.read_at) else { return false };
        let offers = self.service.offers(servers);
        let recorded = catch_unwind(AssertUnwindSafe(|| {
            sync::record(home, moment, &offers, !self.service.misses_feed())
        }));
        let is_kept = !matches!(recorded, Ok(Err(_)));
        match recorded {
            Ok(Ok(Looked { changed, odd, note, .. })) => {
                debug!(servers = offers.len(), "the registry has what servers offer now");
                note.iter().for_each(|note| warn!("{note}"));
                for (server, tool, odd) in odd {
                    warn!(server, tool = %tool.escape_debug(), what = %odd, "something about a tool could deceive");
                }
                for (server, tool) in changed {
                    warn!(server, tool, "the definition of a tool has changed since it was approved");
                }
            }
            Ok(Err(failure)) => warn!(error = failure.sentence(), "the registry is not up to date"),
            Err(_) => error!("writing the registry failed inside"),
        }
        // Callers are held to what tools were, too.
        let policed = self.service.police(home, self.is_lost, &self.settings);
        self.known.insert(home.dirs.pins(), (Source::Policy, Some(policed.pins)));
        is_kept
    }

    /// Brings the policy file up to date with the tools, and other applications' files, where there are any.
    pub(super) fn judge(&mut self) -> Vec<Event> {
        let Some(home) = &self.home else { return Vec::new() };
        let path = home.dirs.policy();
        let has_file = self.known.get(&path).is_some_and(|(_, held)| *held != Some(Content::Missing));
        if !has_file && home.settings.value.policy.export.is_empty() {
            return vec![Event::Judged];
        }
        let ui = Ui::recording(Common { json: true, ..Common::default() }, Vec::new());
        let done = catch_unwind(AssertUnwindSafe(|| follow(home, &ui)));
        let Ok(done) = done else {
            error!("bringing the policy up to date failed inside");
            return vec![Event::Judged];
        };
        if let Err(failure) = done {
            // What is wrong with the file itself is told where it stands.
            warn!(
                error = failure.sentence(),
                "the policy of the tools, or a file that follows it, is not up to date"
            );
        }
        let Answer { document, .. } = ui.answer(None);
        let followed: Followed =
            document.and_then(|done| serde_json::from_value(done).ok()).unwrap_or_default();
        for Export { path, tools: Counts { before, after }, .. } in
            followed.exports.iter().filter(|export| export.state == "written")
        {
            info!(path, before, after, "another application's file has the tools as they are now");
        }
        if !followed.written {
            return vec![Event::Judged];
        }
        info!(tools = followed.tools, "the policy file has the tools as they are now");
        vec![Event::Judged, Event::Changed(Source::Policy)]
    }
}
