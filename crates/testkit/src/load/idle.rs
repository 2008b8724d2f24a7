//! Sessions that are opened and then do nothing.

use std::collections::VecDeque;
use std::time::Instant;

use tokio::task::JoinSet;

use super::Fault;
use super::options::{Http, Sessions, Target};
use super::session::Session;
use super::stream::Stream;

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

/// A session that does nothing.
#[derive(Debug)]
enum Idle {
    /// Its connection waits for the next request.
    Waiting { _session: Box<Session> },
    /// The server may say something on it.
    Listening { _stream: Box<Stream> },
}

async fn one(http: Http, streams: bool) -> Result<Idle, Fault> {
    let session = Session::open(&http).await?;
    if streams {
        return Ok(Idle::Listening { _stream: Box::new(session.stream().await?) });
    }
    Ok(Idle::Waiting { _session: Box::new(session) })
}

fn keep(
    done: Option<Result<Result<Idle, Fault>, tokio::task::JoinError>>,
    open: &mut Vec<Idle>,
    faults: &mut VecDeque<String>,
) {
    match done {
        Some(Ok(Ok(idle))) => open.push(idle),
        Some(Ok(Err(fault))) => faults.push_back(fault.to_string()),
        Some(Err(error)) => faults.push_back(error.to_string()),
        None => {}
    }
}
