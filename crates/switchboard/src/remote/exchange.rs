//! One request over the control socket, and its answer.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use switchboard_host::dirs::Dirs;
#[cfg(unix)]
use switchboard_host::lock::{Holder, Lock};

use crate::fail::Failure;

/// How long the daemon may take to answer. Commands take moments; a command that waits for another one takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a daemon may be stopped before it counts as such, and how often it is looked at while it is asked.
const MOMENT: Duration = Duration::from_secs(1);

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Returns whether there is something at the socket's place that a daemon may have made.
#[cfg(unix)]
pub(super) fn is_there(socket: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    socket.symlink_metadata().is_ok_and(|meta| meta.file_type().is_socket())
}

/// Sends a request, with a JSON body where there is one, and returns the body of the answer.
///
/// Returns `None` when nobody listens, or when whoever listens does not take it: nothing was done then.
///
/// # Errors
/// The request was taken, and no whole answer came: it is not known what was done.
#[cfg(unix)]
pub(super) fn send(
    dirs: &Dirs,
    method: Method,
    route: &str,
    body: Vec<u8>,
) -> Result<Option<Vec<u8>>, Failure> {
    let socket = dirs.control_socket();
    let failed = |error: &dyn std::error::Error| Failure::unreachable("ask the daemon").caused_by(error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    runtime.block_on(async {
        // The system would take what we say on its behalf, and nobody would be there to answer.
        if let Some(pid) = stopped(dirs) {
            tokio::time::sleep(MOMENT).await;
            if stopped(dirs) == Some(pid) {
                return Err(is_stopped(pid).hint("nothing was asked, and nothing was done"));
            }
        }
        tokio::select! {
            answer = exchange(&socket, method, route, body) => answer,
            pid = until_stopped(dirs) => Err(is_stopped(pid).hint(IN_DOUBT)),
            () = tokio::time::sleep(PATIENCE) => Err(Failure::unreachable("ask the daemon")
                .because(format!("it did not answer within {} s", PATIENCE.as_secs()))
                .hint("see its log, or restart it: `switchboard service status`")),
        }
    })
}

/// Where an answer did not come whole.
#[cfg(unix)]
const IN_DOUBT: &str = "what was asked may have been done or not: see `switchboard status`";

/// Returns the process of the daemon, when it was stopped.
#[cfg(unix)]
fn stopped(dirs: &Dirs) -> Option<u32> {
    Lock::daemon(dirs).filter(Holder::is_stopped).map(|daemon| daemon.pid)
}

/// Waits until the daemon has been stopped for a moment, which may be for ever; returns its process.
#[cfg(unix)]
async fn until_stopped(dirs: &Dirs) -> u32 {
    let mut before = None;
    loop {
        tokio::time::sleep(MOMENT).await;
        let now = stopped(dirs);
        if let Some(pid) = now.filter(|_| now == before) {
            return pid;
        }
        before = now;
    }
}

#[cfg(unix)]
fn is_stopped(pid: u32) -> Failure {
    Failure::unreachable("ask the daemon")
        .because(format!("process {pid}, which serves this home, is stopped"))
        .hint(format!("let it go on with `kill -CONT {pid}`"))
}

/// Asks for a stream of events, and hands over the data of each; `None` when nobody listens, or has no such stream.
///
/// # Errors
/// The stream broke off.
#[cfg(unix)]
pub(super) fn follow(
    socket: &Path,
    route: &str,
    each: &mut dyn FnMut(&str) -> std::ops::ControlFlow<()>,
) -> Result<Option<()>, Failure> {
    use std::io::{BufRead as _, BufReader, Write as _};

    let failed = |error: std::io::Error| Failure::unreachable("follow the daemon").caused_by(&error);
    let Ok(mut stream) = std::os::unix::net::UnixStream::connect(socket) else { return Ok(None) };
    // Of the oldest kind: the answer is not in pieces, and ends with the connection.
    let request = format!("GET {route} HTTP/1.0\r\nHost: switchboard\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut lines = BufReader::new(stream).lines();
    let status = lines.next().transpose().map_err(failed)?.unwrap_or_default();
    if !status.contains(" 200 ") {
        let body: String = lines.map_while(Result::ok).skip_while(|line| !line.is_empty()).collect();
        return Err(refused(&body));
    }
    for line in lines {
        let line = line.map_err(failed)?;
        if let Some(data) = line.strip_prefix("data: ")
            && each(data).is_break()
        {
            break;
        }
    }
    Ok(Some(()))
}

/// Puts a refusal of the daemon's in our words.
#[cfg(unix)]
fn refused(body: &str) -> Failure {
    #[derive(serde::Deserialize)]
    struct Refusal {
        detail: String,
        #[serde(default)]
        hints: Vec<String>,
    }
    let failure = Failure::failed("follow the daemon");
    match serde_json::from_str::<Refusal>(body) {
        Ok(refusal) => refusal.hints.into_iter().fold(failure.because(refusal.detail), Failure::hint),
        Err(_) => failure.because("it is not told why"),
    }
}

#[cfg(not(unix))]
pub(super) fn follow(
    _socket: &Path,
    _route: &str,
    _each: &mut dyn FnMut(&str) -> std::ops::ControlFlow<()>,
) -> Result<Option<()>, Failure> {
    Ok(None)
}

#[cfg(unix)]
async fn exchange(
    socket: &Path,
    method: Method,
    route: &str,
    body: Vec<u8>,
) -> Result<Option<Vec<u8>>, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::unreachable("ask the daemon").caused_by(error);
    // A socket that nobody listens at was left behind by a daemon that was killed.
    let Ok(stream) = tokio::net::UnixStream::connect(socket).await else { return Ok(None) };
    let stream = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(|error| failed(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(route)
        .header(HOST, "switchboard")
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| failed(&error))?;
    let answer = async move {
        let broken = |error| failed(&error).hint(IN_DOUBT);
        let response = sender.send_request(request).await.map_err(broken)?;
        if !response.status().is_success() {
            return Ok(None);
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| Failure::unreachable("ask the daemon").because(error))?;
        Ok(Some(body.to_bytes().to_vec()))
    };
    // The connection moves while the answer is awaited, and no longer.
    tokio::pin!(answer, connection);
    let mut open = true;
    loop {
        tokio::select! {
            answer = &mut answer => return answer,
            _ = &mut connection, if open => open = false,
        }
    }
}

/// Returns whether there is a daemon: on this system it has no control socket yet.
#[cfg(not(unix))]
pub(super) fn is_there(_socket: &Path) -> bool {
    false
}

/// Sends a request: on this system there is nobody to take it yet.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub(super) fn send(
    _dirs: &Dirs,
    _method: Method,
    _route: &str,
    _body: Vec<u8>,
) -> Result<Option<Vec<u8>>, Failure> {
    Ok(None)
}
