//! A server that speaks HTTP as a test wants it to: a script decides on every byte behind the head.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `POST`, ..
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Request {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as JSON; null if it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Returns the JSON-RPC method.
    pub fn rpc(&self) -> String {
        self.json()["method"].as_str().unwrap_or_default().to_owned()
    }
}

/// The way back. The connection closes when a script returns.
pub struct Reply(TcpStream);

impl Reply {
    /// Sends a whole response.
    pub fn send(&mut self, status: u16, headers: &[(&str, &str)], body: &str) {
        self.head(status, headers, &format!("content-length: {}\r\n", body.len()));
        self.raw(body);
    }

    /// Sends a response with JSON in it.
    pub fn json(&mut self, body: &str) {
        self.send(200, &[("content-type", "application/json")], body);
    }

    /// Begins a stream of events, which ends when the script returns.
    pub fn events(&mut self, headers: &[(&str, &str)]) {
        self.head(200, headers, "content-type: text/event-stream\r\n");
    }

    /// Begins a response with a body of this length; without one it ends when the script returns.
    pub fn begin(&mut self, length: Option<usize>) {
        let length = length.map(|length| format!("content-length: {length}\r\n")).unwrap_or_default();
        self.head(200, &[("content-type", "application/json")], &length);
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, text: &str) {
        // A peer that has hung up is for the test to notice.
        let _ = self.push(text);
    }

    /// Sends bytes as they are, and returns whether the peer is still there, as far as can be known.
    pub fn push(&mut self, text: &str) -> bool {
        self.push_bytes(text.as_bytes())
    }

    /// Does the same with bytes that may be no text.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).and_then(|()| self.0.flush()).is_ok()
    }

    /// Waits until the peer hangs up.
    pub fn wait_for_hang_up(&mut self) {
        let _ = self.0.read(&mut [0]);
    }

    fn head(&mut self, status: u16, headers: &[(&str, &str)], more: &str) {
        self.raw(&format!("HTTP/1.1 {status} X\r\nconnection: close\r\n"));
        for (name, value) in headers {
            self.raw(&format!("{name}: {value}\r\n"));
        }
        self.raw(&format!("{more}\r\n"));
    }
}

/// A server on a free port of this machine. It serves until the test's process ends.
pub struct HttpServer {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl HttpServer {
    /// Starts a server that answers each request by `script`, in a thread of its own.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(script: impl Fn(&Request, &mut Reply) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let origin = format!("http://{}", listener.local_addr()?);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), Arc::clone(&requests));
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || {
                    let Ok(request) = read(&connection) else { return };
                    log.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                    script(&request, &mut Reply(connection));
                });
            }
        });
        Ok(Self { origin, requests })
    }

    /// Returns the requests that have come until now.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(connection: &TcpStream) -> io::Result<Request> {
    let mut input = BufReader::new(connection);
    let mut line = || {
        let mut line = String::new();
        input.read_line(&mut line).map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, headers, body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    input.take(length).read_to_string(&mut request.body)?;
    Ok(request)
}

/// Returns the answer to `request` with `result`, which is JSON.
pub fn result(request: &Request, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, request.json()["id"])
}
