//! What is counted and measured, in the text form of Prometheus.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;
use switchboard_core::name::ClientId;
use switchboard_gateway::Seen;

use crate::daemon::board::Board;
use crate::daemon::feeds::Standings;
use crate::daemon::view::View;

/// Where durations are told apart, in seconds.
const BUCKETS: [f64; 9] = [0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// What was not measured for so long is not told any more.
const GONE: Duration = Duration::from_secs(60);

/// The measurements of this process.
#[derive(Clone)]
pub(super) struct Metrics(Option<PrometheusHandle>);

impl Metrics {
    /// Returns the measurements of this process, which are begun when somebody asks first.
    pub(super) fn shared() -> Self {
        static SHARED: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
        let install = || {
            let duration = Matcher::Full("switchboard_http_request_duration_seconds".to_owned());
            // Every gauge is set right before it is told: one that is not is of a server that is gone.
            let builder = PrometheusBuilder::new()
                .idle_timeout(MetricKindMask::GAUGE, Some(GONE))
                .set_buckets_for_metric(duration, &BUCKETS)
                .ok()?;
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).ok()?;
            describe();
            Some(handle)
        };
        Self(SHARED.get_or_init(install).clone())
    }

    /// Returns everything as text.
    pub(super) fn render(&self, board: &Board, streams: usize) -> String {
        let catalogue = board.catalogue();
        let enabled = catalogue.servers().iter().filter(|server| server.enabled).count();
        let disabled = catalogue.servers().len() - enabled;
        metrics::gauge!("switchboard_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        metrics::gauge!("switchboard_revision").set(float(board.number()));
        metrics::gauge!("switchboard_servers", "state" => "enabled").set(float(enabled));
        metrics::gauge!("switchboard_servers", "state" => "disabled").set(float(disabled));
        metrics::gauge!("switchboard_problems").set(float(board.problems.len()));
        metrics::gauge!("switchboard_ready").set(f64::from(u8::from(board.ready)));
        subscribers(streams);
        let Some(handle) = &self.0 else { return String::new() };
        handle.run_upkeep();
        handle.render()
    }
}

/// Notes how the servers stand, and what was counted of them.
pub(super) fn servers(all: &[Seen]) {
    for seen in all {
        let server = || seen.name.to_string();
        let counts = &seen.counts;
        for (outcome, count) in [
            ("ok", counts.calls.saturating_sub(counts.errors + counts.troubles)),
            ("error", counts.errors),
            ("failed", counts.troubles),
            ("cached", counts.cached),
            ("denied", counts.denied),
        ] {
            metrics::counter!("switchboard_server_calls_total", "server" => server(), "outcome" => outcome)
                .absolute(count);
        }
        metrics::counter!("switchboard_server_dropped_messages_total", "server" => server())
            .absolute(counts.dropped);
        for (to, count) in &seen.phases {
            metrics::counter!("switchboard_server_transitions_total", "server" => server(), "to" => *to)
                .absolute(*count);
        }
        metrics::gauge!("switchboard_server_up", "server" => server())
            .set(f64::from(u8::from(seen.state == "ready")));
        metrics::gauge!("switchboard_server_calls_in_flight", "server" => server())
            .set(float(seen.in_flight));
        for (quantile, time) in [("0.5", counts.p50), ("0.99", counts.p99)] {
            if let Some(time) = time {
                metrics::gauge!("switchboard_server_call_duration_seconds", "server" => server(), "quantile" => quantile)
                    .set(time.as_secs_f64());
            }
        }
    }
}

/// Notes how the feeds stand.
pub(super) fn feeds(all: &Standings) {
    for (name, feed) in all {
        metrics::gauge!("switchboard_feed_up", "server" => name.to_string())
            .set(f64::from(u8::from(feed.borrow().since.is_some())));
    }
}

/// Where answers of one kind are counted: by method and status, then by route.
type Counted = HashMap<(&'static str, u16), HashMap<String, (metrics::Counter, metrics::Histogram)>>;

/// Notes one answer.
pub(super) fn answered(method: &Method, route: &str, status: StatusCode, took: Duration) {
    thread_local! {
        // To find a counter by its labels takes longer than to count.
        static COUNTED: RefCell<Counted> = RefCell::default();
    }
    // Anybody can make up methods, and each would be kept.
    const KNOWN: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let method = KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other");
    COUNTED.with_borrow_mut(|counted| {
        let routes = counted.entry((method, status.as_u16())).or_default();
        if !routes.contains_key(route) {
            let own = || route.to_owned();
            let status = status.as_u16().to_string();
            let requests = metrics::counter!("switchboard_http_requests_total", "method" => method, "route" => own(), "status" => status);
            let times = metrics::histogram!("switchboard_http_request_duration_seconds", "method" => method, "route" => own());
            routes.insert(own(), (requests, times));
        }
        if let Some((requests, times)) = routes.get(route) {
            requests.increment(1);
            times.record(took);
        }
    });
}

/// Notes how many follow.
pub(super) fn subscribers(count: usize) {
    metrics::gauge!("switchboard_sse_subscribers").set(float(count));
}

/// Notes that a revision was sent to somebody who follows. The counter is found once: a revision is sent to thousands.
pub(super) fn sent() {
    static SENT: LazyLock<metrics::Counter> =
        LazyLock::new(|| metrics::counter!("switchboard_sse_events_sent_total"));
    SENT.increment(1);
}

/// Notes how many linked clients are in each state.
pub(super) fn clients(views: &BTreeMap<ClientId, View>) {
    for state in View::STATES {
        let count = views.values().filter(|view| view.state() == state).count();
        metrics::gauge!("switchboard_clients", "state" => state).set(float(count));
    }
}

fn float(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}

fn describe() {
    metrics::describe_gauge!("switchboard_build_info", "The version that runs.");
    metrics::describe_gauge!("switchboard_revision", "The revision of the catalogue in service.");
    metrics::describe_gauge!("switchboard_servers", "The servers of the catalogue, by state.");
    metrics::describe_gauge!("switchboard_clients", "The linked clients, by state.");
    metrics::describe_gauge!("switchboard_problems", "Problems in files of the user's.");
    metrics::describe_gauge!("switchboard_ready", "Whether start-up is done.");
    metrics::describe_gauge!("switchboard_sse_subscribers", "Open event streams.");
    metrics::describe_counter!("switchboard_server_calls_total", "Calls to each server, by outcome.");
    metrics::describe_counter!(
        "switchboard_server_dropped_messages_total",
        "Messages of each server that were none, or for nobody."
    );
    metrics::describe_counter!(
        "switchboard_server_transitions_total",
        "Changes of a server's phase, by the one that it came to."
    );
    metrics::describe_gauge!("switchboard_server_up", "Whether a server answers.");
    metrics::describe_gauge!("switchboard_feed_up", "Whether the feed of a server is listened to.");
    metrics::describe_counter!(
        "switchboard_feed_announcements_total",
        "Lists of tools that feeds announced."
    );
    metrics::describe_counter!("switchboard_feed_failures_total", "What went wrong with feeds.");
    metrics::describe_gauge!("switchboard_server_calls_in_flight", "Calls that wait for a server.");
    metrics::describe_gauge!(
        "switchboard_server_call_duration_seconds",
        metrics::Unit::Seconds,
        "How long a server's answers take, within a quarter."
    );
    metrics::describe_counter!("switchboard_sse_events_sent_total", "Revisions sent over event streams.");
    metrics::describe_counter!(
        "switchboard_http_requests_total",
        "Requests answered, by method, route and status."
    );
    metrics::describe_histogram!(
        "switchboard_http_request_duration_seconds",
        metrics::Unit::Seconds,
        "How long it took until an answer began."
    );
}
