//! The table of routes: each with who may ask for it and what it does.

use axum::http::Method;
use switchboard_core::settings::{ClientSync, Settings};

use super::act::Action;
use super::mcp::Way;
use super::route::{Access, Route, Routes};
use super::v1;
use crate::pending::PENDING;
use crate::token::Permission;

/// Returns the routes that these settings ask for.
pub(super) fn routes(settings: &Settings) -> Routes {
    let sync = &settings.client_sync;
    let usual = ClientSync::default();
    let readers = || Access::Readers(Permission::of("config", "export", "read"));
    let mut rows = vec![
        row(Method::GET, "/healthz", Access::Anybody, Action::Health, "Says that the daemon is alive"),
        row(Method::GET, "/readyz", readers(), Action::Ready, "Says whether start-up is done"),
        row(
            Method::GET,
            "/metrics",
            Access::Readers(Permission::of("config", "metrics", "read")),
            Action::Metrics,
            "Tells the measurements, for Prometheus",
        ),
        row(
            Method::POST,
            "/api/mcp/_sync",
            Access::Holders(Permission::of("config", "clients", "push")),
            Action::Sync,
            "Pushes to all linked clients now",
        ),
        row(
            Method::POST,
            "/api/v1/reload",
            Access::Holders(Permission::of("config", "daemon", "reload")),
            Action::Reload,
            "Looks at everything again",
        ),
        row(
            Method::POST,
            "/api/v1/command",
            Access::Control,
            Action::Command,
            "Runs a command of the command line",
        ),
        #[cfg(unix)]
        row(
            Method::GET,
            crate::daemon::succession::ROUTE,
            Access::Control,
            Action::Succession,
            "Lets a newer daemon take the place of this one, with its sockets",
        ),
    ];
    rows.push(row(
        Method::GET,
        "/api/v1/servers/{name}/log",
        Access::Holders(Permission::of("config", "log", "read")),
        Action::Watch,
        "Sends the messages of one server as events",
    ));
    rows.push(row(
        Method::GET,
        crate::live::LIVE,
        Access::Holders(Permission::of("config", "status", "read")),
        Action::Live,
        "Tells how the servers stand",
    ));
    rows.push(row(
        Method::GET,
        crate::sync::OFFER,
        Access::Control,
        Action::Offer,
        "Asks a server in service what it offers",
    ));
    rows.push(row(
        Method::POST,
        crate::sync::LISTEN,
        Access::Control,
        Action::Listen,
        "Tries the feeds of servers again that were given up",
    ));
    rows.push(row(
        Method::GET,
        PENDING,
        Access::Holders(Permission::of("config", "policy", "read")),
        Action::Pending,
        "Lists the calls that wait for somebody to agree",
    ));
    rows.push(Route {
        takes: "WordBody",
        ..row(
            Method::POST,
            &format!("{PENDING}/{{number}}"),
            Access::Holders(Permission::of("config", "policy", "write")),
            Action::Word,
            "Says whether somebody agrees to a call that waits",
        )
    });
    rows.push(row(
        Method::GET,
        "/api/v1/openapi.json",
        Access::Holders(Permission::of("config", "status", "read")),
        Action::OpenApi,
        "Describes all of this",
    ));
    rows.push(row(
        Method::GET,
        "/api/v1/config/export/{client}",
        Access::Holders(Permission::of("config", "export", "read")),
        Action::ClientConfig,
        "Tells the whole file of one client",
    ));
    let open = [
        (&sync.version_endpoint, &usual.version_endpoint, "", Action::Version, "Tells the version"),
        (&sync.pull_endpoint, &usual.pull_endpoint, "", Action::Config, "Tells the servers"),
        (&sync.sse_endpoint, &usual.sse_endpoint, "", Action::Events, "Sends every revision as an event"),
        (
            &sync.pull_endpoint,
            &usual.pull_endpoint,
            "/{client}",
            Action::ClientConfig,
            "Tells the whole file of one client",
        ),
    ];
    for (own, usual, behind, action, summary) in open {
        let path = if is_path(own) { own } else { usual };
        rows.push(row(Method::GET, &format!("{path}{behind}"), readers(), action, summary));
    }
    rows.extend(mcp());
    rows.extend(v1::routes());
    Routes::new(rows)
}

/// The routes by which clients speak MCP.
fn mcp() -> impl Iterator<Item = Route> {
    let ways = [
        (Method::POST, Way::Streamable, "Takes one message of MCP, and answers it"),
        (
            Method::GET,
            Way::Streamable,
            "Sends what belongs to no request, as events; on the control socket a pipe",
        ),
        (Method::DELETE, Way::Streamable, "Ends a session"),
    ];
    let streamable = ways.into_iter().flat_map(|(method, way, summary)| {
        ["/mcp", "/mcp/{server}"].map(|path| row(method.clone(), path, may_call(), Action::Mcp(way), summary))
    });
    let events = ["/sse", "/sse/{server}"].map(|path| {
        row(
            Method::GET,
            path,
            may_call(),
            Action::Mcp(Way::Events),
            "Begins a conversation of the 2024 transport",
        )
    });
    let message = "Takes a message of a conversation of the 2024 transport";
    let messages = row(Method::POST, "/messages", may_call(), Action::Mcp(Way::Messages), message);
    streamable.chain(events).chain([messages])
}

fn may_call() -> Access {
    Access::Holders(Permission::of("gateway", "mcp", "use"))
}

fn row(method: Method, path: &str, access: Access, action: Action, summary: &'static str) -> Route {
    Route { method, path: path.to_owned(), access, action, summary, takes: "" }
}

/// Returns whether a route can be here: plain, and in nobody's way. Any other setting counts as not said.
fn is_path(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let taken = ["/api/v1", "/healthz", "/readyz", "/metrics", "/mcp", "/sse", "/messages", "/api/mcp/_sync"];
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(plain))
        && !taken.iter().any(|own| path == *own || path.starts_with(&format!("{own}/")))
}
