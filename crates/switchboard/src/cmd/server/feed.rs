//! How the feed of a server stands, for people.

use switchboard_core::catalogue;

use crate::live::Feed;
use crate::ui::{Mark, Ui, counted, plain};
use crate::when;

/// Tells how the feed of a server stands: what the daemon knows of it, or where it is.
pub(super) fn show(ui: &Ui, feed: &catalogue::Feed, live: Option<&Feed>) {
    ui.line(format!("feed   {}{}", plain(&feed.url), live.map_or_else(String::new, state)));
    if let Some(trouble) = live.and_then(|live| live.trouble.as_ref()) {
        ui.marked(Mark::Warn, format!("feed at {}: {}", when::local(trouble.at), plain(&trouble.why)));
    }
    if live.is_some_and(Feed::is_down) {
        ui.hint("`switchboard sync` tries the feed again");
    }
}

/// Returns how it stands, and what it announced last, behind a comma each.
fn state(feed: &Feed) -> String {
    let attempts = usize::try_from(feed.barren).unwrap_or(usize::MAX);
    let state = match (feed.since, feed.is_down()) {
        (Some(since), _) => format!(", listening since {}", when::local(since)),
        (None, true) => format!(", given up after {}", counted(attempts, "attempt")),
        (None, false) if attempts > 0 => format!(", {} after {}", feed.state, counted(attempts, "attempt")),
        (None, false) => format!(", {}", feed.state),
    };
    let announced = feed.announced.as_ref();
    let announced =
        announced.map(|said| format!(", {} at {}", counted(said.tools, "tool"), when::local(said.at)));
    state + &announced.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{Told, Tools};

    #[test]
    fn how_a_feed_stands_fits_on_a_line() {
        let feed = |state: &str, barren, since, tools: Option<usize>| Feed {
            state: state.to_owned(),
            since,
            barren,
            announced: tools.map(|tools| Tools { at: 0, tools }),
            trouble: Some(Told { at: 0, why: String::new() }),
            ..Feed::new("http://localhost:1/events")
        };
        let then = when::local(0);
        for (feed, expected) in [
            (feed("opening", 0, None, None), ", opening".to_owned()),
            (feed("opening", 1, None, None), ", opening after 1 attempt".to_owned()),
            (
                feed("listening", 0, Some(0), Some(16)),
                format!(", listening since {then}, 16 tools at {then}"),
            ),
            (feed("waiting", 2, None, Some(1)), format!(", waiting after 2 attempts, 1 tool at {then}")),
            (feed("down", 3, None, None), ", given up after 3 attempts".to_owned()),
        ] {
            assert_eq!(state(&feed), expected);
        }
    }
}
