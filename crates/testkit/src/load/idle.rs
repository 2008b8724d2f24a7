//! Sessions that are opened and then do nothing.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::task::JoinSet;

use super::Fault;
use super::options::{Http, Sessions, Target};
use super::session::Session;

/// Opens sessions, says how long it took, and keeps them until the input ends. Returns whether all could be opened.
pub(super) async fn run(
    target: &Target,
    plan: &Sessions,
    say: &mut dyn FnMut(serde_json::Value),
) -> Result<bool, Fault> {
    let http = target.http()?;
    let begin = Instant::now();
    let (mut opening, mut open, mut faults) = (JoinSet::new(), Vec::new(), VecDeque::new());
    for _ in 0..plan.count {
        if opening.len() >= plan.at_once {
            keep(opening.join_next().await, &mut open, &mut faults);
        }
        opening.spawn(one(http.clone(), plan.streams));
    }
    while let Some(done) = opening.join_next().await {
        keep(Some(done), &mut open, &mut faults);
    }
    let took = begin.elapsed();
    faults.truncate(5);
    let failed = plan.count - open.len();
    say(serde_json::json!({
        "opened": open.len(),
        "failed": failed,
        "reasons": faults,
        "took": u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
    }));
    // Whoever measures says by the end of the input that it has seen enough.
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    Ok(failed == 0)
}

async fn one(http: Http, streams: bool) -> Result<Session, Fault> {
    let mut session = Session::open(&http).await?;
    if streams {
        session.stream().await?;
    }
    Ok(session)
}

fn keep(
    done: Option<Result<Result<Session, Fault>, tokio::task::JoinError>>,
    open: &mut Vec<Session>,
    faults: &mut VecDeque<String>,
) {
    match done {
        Some(Ok(Ok(session))) => open.push(session),
        Some(Ok(Err(fault))) => faults.push_back(fault.to_string()),
        Some(Err(error)) => faults.push_back(error.to_string()),
        None => {}
    }
}
