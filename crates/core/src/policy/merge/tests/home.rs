//! A policy file and its base, through time.

use super::super::{Base, Merged, Offered, merge};
use crate::policy::Decisions;
use crate::policy::stage::proposals;

pub(super) const DAY: u64 = 86_400;
pub(super) const NOW: u64 = 1_795_824_000;

/// A server and the names of its tools; `None` while they are not known.
pub(super) type Offers<'o> = &'o [(&'o str, Option<&'o str>)];

/// A file and its base, through time.
pub(super) struct Home {
    pub(super) text: Option<String>,
    pub(super) base: Base,
    pub(super) now: u64,
    pub(super) decisions: Decisions,
}

impl Home {
    pub(super) fn new(text: Option<&str>) -> Self {
        let decisions = Decisions::default();
        Self { text: text.map(str::to_owned), base: Base::default(), now: NOW, decisions }
    }

    pub(super) fn merged(&self, offers: Offers<'_>) -> Merged {
        let all: Vec<_> = offers
            .iter()
            .map(|(server, tools)| (*server, tools.map(|tools| proposals(server, tools, self.decisions))))
            .collect();
        let offered: Vec<_> =
            all.iter().map(|(server, tools)| Offered { server, tools: tools.as_deref() }).collect();
        merge(self.text.as_deref(), &self.base, &offered, self.now).unwrap()
    }

    /// Merges, and once more to see that nothing is left to do.
    pub(super) fn merge(&mut self, offers: Offers<'_>) -> String {
        let merged = self.merged(offers);
        self.text = merged.text.or(self.text.take());
        self.base = merged.base;
        let again = self.merged(offers);
        assert_eq!(again.text, None, "merged twice is another text");
        assert_eq!((&again.base, &again.news), (&self.base, &vec![]));
        // What is kept between two merges is kept as JSON.
        self.base = serde_json::from_str(&serde_json::to_string(&self.base).unwrap()).unwrap();
        assert_eq!(self.base, again.base);
        let lines: Vec<String> = merged.news.iter().map(ToString::to_string).collect();
        if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" }
    }

    pub(super) fn edit(&mut self, from: &str, to: &str) {
        let text = self.text.take().unwrap();
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        self.text = Some(text.replacen(from, to, 1));
    }

    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap()
    }

    /// The text without what stands at its top.
    pub(super) fn tables(&self) -> &str {
        self.text().split_once("\n\n").map_or("", |(_, rest)| rest)
    }
}
