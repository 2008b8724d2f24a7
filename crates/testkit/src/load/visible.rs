//! From a changed file to the tool that comes with it.
#![expect(clippy::disallowed_methods, reason = "it plays the user, who saves a file of a scratch home")]

use std::time::{Duration, Instant};

use super::Fault;
use super::options::{By, Http, Target, Visible};
use super::session::Session;
use super::tally::Tally;

/// How long everything is left alone between two changes.
const REST: Duration = Duration::from_millis(300);

/// How often a fresh session looks.
const PAUSE: Duration = Duration::from_micros(500);

/// What a server says when its tools have changed.
const CHANGED: &str = "notifications/tools/list_changed";

pub(super) async fn run(target: &Target, plan: &Visible) -> Result<Tally, Fault> {
    let http = target.http()?;
    let limit = Duration::from_secs_f64(plan.seconds);
    let mut tally = Tally::default();
    let whole = Instant::now();
    for (next, tool) in &plan.next {
        let looked = async {
            match plan.by {
                By::Open => open(http, plan, next, tool).await,
                By::Fresh => fresh(http, plan, next, tool).await,
            }
        };
        let done = tokio::time::timeout(limit, looked).await;
        tally.add(&done.unwrap_or_else(|_| Err(Fault::Failed(format!("`{tool}` is not seen")))));
        tokio::time::sleep(REST).await;
    }
    tally.whole = whole.elapsed();
    Ok(tally)
}

/// A session that is there before, and looks when it is told.
async fn open(http: &Http, plan: &Visible, next: &std::path::Path, tool: &str) -> Result<Duration, Fault> {
    let mut session = Session::open(http).await?;
    let mut listener = session.listen().await?;
    let (_, before) = session.tools().await?;
    if has(&before, tool) {
        return Err(Fault::Wrong(format!("`{tool}` is there before the change")));
    }
    // What is still under way from the change before is not for this one.
    tokio::time::sleep(REST).await;
    let begin = Instant::now();
    std::fs::rename(next, &plan.file)?;
    loop {
        if listener.hear().await? != CHANGED {
            continue;
        }
        let (_, names) = session.tools().await?;
        if has(&names, tool) {
            return Ok(begin.elapsed());
        }
    }
}

/// Sessions that are opened one after the other until one sees the tool.
async fn fresh(http: &Http, plan: &Visible, next: &std::path::Path, tool: &str) -> Result<Duration, Fault> {
    let begin = Instant::now();
    std::fs::rename(next, &plan.file)?;
    loop {
        let mut session = Session::open(http).await?;
        let (_, names) = session.tools().await?;
        if has(&names, tool) {
            return Ok(begin.elapsed());
        }
        session.close().await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Returns whether a tool is listed, under its name or behind that of its server.
fn has(names: &[String], tool: &str) -> bool {
    names.iter().any(|name| name == tool || name.ends_with(&format!("__{tool}")))
}
