//! A real browser that follows the daemon as a page would: by `EventSource`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use testkit::daemon::Daemon;

use crate::{CURSOR, append, home, wait_for};

/// The page. It tells back each event that it hears.
const PAGE: &str = r"<!doctype html><script>
const stream = new EventSource('/api/mcp/_config/events');
stream.addEventListener('config_updated', (event) => {
    const told = JSON.parse(event.data);
    fetch('/told?' + encodeURIComponent([event.lastEventId, told.reason, ...told.changed_servers].join(' ')));
});
</script>";

/// Serves the page, and passes everything else on to the daemon: to the browser both are one place.
struct Site {
    address: String,
    told: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn open(daemon: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let told = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&told);
        thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                let (daemon, notes) = (daemon.clone(), Arc::clone(&notes));
                thread::spawn(move || receive(visitor, &daemon, &notes));
            }
        });
        Self { address, told }
    }

    fn heard(&self, text: &str) -> bool {
        self.told.lock().unwrap().iter().any(|told| told.contains(text))
    }
}

fn receive(mut visitor: TcpStream, daemon: &str, notes: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && visitor.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.starts_with("/api/") {
        let lines = head.lines().filter(|line| !line.to_lowercase().starts_with("host:"));
        let passed: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        let mut stream = TcpStream::connect(daemon).unwrap();
        write!(stream, "{}\r\nHost: {daemon}\r\n\r\n", passed.join("\r\n")).unwrap();
        // The browser leaves, or the daemon ends: either way it is over.
        let _ = std::io::copy(&mut stream, &mut visitor);
        return;
    }
    if let Some(told) = path.strip_prefix("/told?") {
        notes.lock().unwrap().push(told.replace("%20", " ").replace("%27", "'"));
    }
    let body = if path == "/" { PAGE } else { "" };
    let _ = write!(
        visitor,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

#[test]
fn a_page_hears_every_revision() {
    let Some(chromium) = testkit::tools::system("chromium") else { return };
    let home = home();
    let daemon = Daemon::start(&home);
    wait_for(&daemon, &home, CURSOR, "\"two\"");
    let site = Site::open(daemon.address());
    let profile = home.path("profile").display().to_string();
    let mut browser = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .arg(format!("--user-data-dir={profile}"))
        .arg("--remote-debugging-port=0")
        .arg(format!("http://{}/", site.address))
        .env("HOME", home.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    daemon.wait("the state as it is", || site.heard("current state"));
    append(&home, "three");
    daemon.wait("the event", || site.heard("server 'three' added three"));
    kill_process_group(Pid::from_child(&browser), Signal::KILL).unwrap();
    browser.wait().unwrap();
}
