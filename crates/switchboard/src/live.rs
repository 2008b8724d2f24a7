//! How the servers of a running daemon stand, as the daemon tells it and as people see it.

use serde::{Deserialize, Serialize};
use switchboard_core::secret::without_secrets;
use switchboard_gateway::Seen;
use switchboard_host::dirs::Env;
use switchboard_host::memory::Families;

use crate::cmd::server::brief;
use crate::daemon::feeds::Standings;
use crate::remote;

/// The route that tells how servers stand.
pub(crate) const LIVE: &str = "/api/v1/live";

/// How one server stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Live {
    /// Its name.
    pub(crate) name: String,
    /// The phase of its connection.
    pub(crate) state: String,
    /// What was the matter last, where something is.
    pub(crate) trouble: Option<String>,
    /// For how long it has answered, in milliseconds.
    pub(crate) up_ms: Option<u64>,
    /// The revision of the protocol that it speaks.
    pub(crate) revision: Option<String>,
    /// Its processes.
    pub(crate) pids: Vec<u32>,
    /// The memory of those and of all that they started, in KiB; `None` where that cannot be told.
    pub(crate) memory_kib: Option<u64>,
    /// How many connections there are to it.
    pub(crate) connections: usize,
    /// How many calls wait for it.
    pub(crate) in_flight: usize,
    /// How many tools it offers.
    pub(crate) tools: Option<usize>,
    /// Calls so far.
    pub(crate) calls: u64,
    /// Answers that were errors.
    pub(crate) errors: u64,
    /// Calls that had no answer.
    pub(crate) failed: u64,
    /// Messages that were dropped because they were none, or for nobody.
    pub(crate) dropped: u64,
    /// Half of the answers came within this time, in microseconds.
    pub(crate) p50_us: Option<u64>,
    /// Of a hundred answers ninety-nine came within this time, in microseconds.
    pub(crate) p99_us: Option<u64>,
    /// The last lines of its standard error.
    pub(crate) stderr: Vec<String>,
    /// The last phases, oldest first.
    pub(crate) transitions: Vec<Transition>,
    /// How the stream stands that announces its tools, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) feed: Option<Feed>,
    /// The version of the catalogue that has not come up, where everything else is said of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) coming: Option<Coming>,
}

/// A version of a server that has not come up yet, so that the one before goes on in its place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Coming {
    /// The phase of its connection.
    pub(crate) state: String,
    /// What was the matter last, where something is.
    pub(crate) trouble: Option<String>,
    /// The command or the address of the version that goes on, in one line and without what may be secret.
    pub(crate) serves: String,
}

impl Coming {
    /// Returns how it stands, for people.
    pub(crate) fn sentence(&self) -> String {
        let Self { state, trouble, serves } = self;
        match trouble {
            Some(trouble) => {
                format!("as the catalogue has it, it {trouble}; the version before goes on: {serves}")
            }
            None => format!(
                "as the catalogue has it, it is not up yet ({state}); the version before goes on: {serves}"
            ),
        }
    }
}

/// How the feed of a server stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Feed {
    /// Its address.
    pub(crate) url: String,
    /// `opening`, `listening`, `waiting` for the next attempt, or `down`: given up.
    pub(crate) state: String,
    /// Since when it is listened to without a break, in seconds since 1970; `None` while it is not.
    pub(crate) since: Option<u64>,
    /// What it announced last.
    pub(crate) announced: Option<Tools>,
    /// How often something went wrong with it.
    pub(crate) failures: u64,
    /// Attempts in a row that brought nothing.
    pub(crate) barren: u64,
    /// What was the matter last, where nothing good has come since.
    pub(crate) trouble: Option<Told>,
}

/// Tools that were announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tools {
    /// When, in seconds since 1970.
    pub(crate) at: u64,
    /// How many.
    pub(crate) tools: usize,
}

/// What was the matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// When, in seconds since 1970.
    pub(crate) at: u64,
    /// What, as a fragment that fits after a colon.
    pub(crate) why: String,
}

impl Feed {
    /// Returns a feed that is about to be listened to.
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            state: "opening".to_owned(),
            since: None,
            announced: None,
            failures: 0,
            barren: 0,
            trouble: None,
        }
    }

    /// Returns whether nobody tries it any more.
    pub(crate) fn is_down(&self) -> bool {
        self.state == "down"
    }
}

/// The connection came to another phase.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transition {
    /// When, in seconds since 1970.
    pub(crate) at: u64,
    /// The phase.
    pub(crate) to: String,
    /// Why, where there is something to say.
    pub(crate) why: Option<String>,
}

impl Live {
    /// Returns what is told of these servers. It takes a while: not to be called where messages wait.
    pub(crate) fn all(seen: Vec<Seen>, feeds: &Standings) -> Vec<Self> {
        let families = Families::look();
        let one = |seen: Seen| {
            let feed = feeds.get(&seen.name).map(|feed| feed.borrow().clone());
            Self::of(seen, &families, feed)
        };
        seen.into_iter().map(one).collect()
    }

    fn of(seen: Seen, families: &Families, feed: Option<Feed>) -> Self {
        let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let memory = seen.pids.iter().filter_map(|pid| families.resident(*pid)).sum();
        Self {
            name: seen.name.to_string(),
            state: seen.state.to_owned(),
            trouble: seen.trouble,
            up_ms: seen.up.map(|up| u64::try_from(up.as_millis()).unwrap_or(u64::MAX)),
            revision: seen.revision,
            memory_kib: (!seen.pids.is_empty()).then_some(memory),
            pids: seen.pids,
            connections: seen.connections,
            in_flight: seen.in_flight,
            tools: seen.tools,
            calls: seen.counts.calls,
            errors: seen.counts.errors,
            failed: seen.counts.troubles,
            dropped: seen.counts.dropped,
            p50_us: seen.counts.p50.map(micros),
            p99_us: seen.counts.p99.map(micros),
            stderr: seen.stderr.iter().map(|line| without_secrets(line)).collect(),
            transitions: seen
                .transitions
                .into_iter()
                .map(|one| Transition {
                    at: one.at.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs()),
                    to: one.to.to_owned(),
                    why: one.why,
                })
                .collect(),
            feed,
            coming: seen.coming.map(|coming| Coming {
                state: coming.state.to_owned(),
                trouble: coming.trouble,
                serves: brief(&coming.serves.launch),
            }),
        }
    }

    /// Returns for how long it has answered, for people.
    pub(crate) fn uptime(&self) -> String {
        self.up_ms.map_or_else(String::new, |millis| span(millis / 1000))
    }

    /// Returns its calls, for people: how many, and how many of them went wrong.
    pub(crate) fn calls(&self) -> String {
        calls(self.calls, self.errors + self.failed)
    }

    /// Returns how long answers take, for people.
    pub(crate) fn times(&self) -> String {
        match (self.p50_us, self.p99_us) {
            (Some(p50), Some(p99)) => format!("{} / {}", micros(p50), micros(p99)),
            _ => String::new(),
        }
    }

    /// Returns its memory, for people.
    pub(crate) fn memory(&self) -> String {
        self.memory_kib.map_or_else(String::new, |kib| format!("{} MiB", kib.div_ceil(1024)))
    }
}

/// Returns a number of calls, for people, and how many of them went wrong.
pub(crate) fn calls(all: u64, wrong: u64) -> String {
    match (all, wrong) {
        (0, _) => String::new(),
        (all, 0) => all.to_string(),
        (all, wrong) => format!("{all}, {wrong} failed"),
    }
}

/// Returns how the servers of this home stand; nothing where there is no daemon.
pub(crate) fn ask(env: &Env) -> Vec<Live> {
    remote::get(env, LIVE).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn micros(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::{micros, span};

    #[test]
    fn times_are_written_as_people_say_them() {
        let times = [999, 1_000, 12_340, 1_500_000].map(micros);
        assert_eq!(times, ["999 us", "1.0 ms", "12.3 ms", "1.5 s"]);
        assert_eq!([59, 60, 3_700, 90_000].map(span), ["59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
    }
}
