//! A bus of the test's own, and the programs that come to it.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

/// Anybody may connect, own any name and see everything.
const CONFIG: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:path=FOLDER/socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
"#;

/// What Debian's `/usr/share/dbus-1/system.conf` says of names and messages.
const MACHINE: &str = r#"<busconfig>
  <type>system</type>
  <listen>unix:path=FOLDER/socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
</busconfig>
"#;

/// A running `dbus-daemon`, killed when it is dropped.
pub(crate) struct PrivateBus {
    pub(crate) address: String,
    daemon: Child,
    _folder: tempfile::TempDir,
}

impl PrivateBus {
    /// Starts one, or says that the test does nothing without it.
    pub(crate) fn start() -> Option<Self> {
        Self::with(CONFIG, None)
    }

    /// Starts one that lets nobody own a name.
    pub(crate) fn without_names() -> Option<Self> {
        Self::with(&CONFIG.replace("<allow own=", "<deny own="), None)
    }

    /// Starts one that allows as little as the bus of a machine does, but for what `policy` says.
    pub(crate) fn of_a_machine(policy: &str) -> Option<Self> {
        // The rules are kept as long as the bus: `dbus-daemon` watches the folder, and reads again what is left of it.
        let include = "<includedir>FOLDER/system.d</includedir>\n</busconfig>";
        Self::with(&MACHINE.replace("</busconfig>", include), Some(policy))
    }

    fn with(text: &str, policy: Option<&str>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        // Other users are to reach the socket.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, text.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        if let Some(policy) = policy {
            std::fs::create_dir(folder.path().join("system.d")).unwrap();
            std::fs::write(folder.path().join("system.d/own.conf"), policy).unwrap();
        }
        let daemon = Command::new("dbus-daemon")
            .arg("--nofork")
            .arg("--print-address")
            .arg(format!("--config-file={}", config.display()))
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut daemon) = daemon else {
            missing("dbus-daemon");
            return None;
        };
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Some(Self { address: address.trim_end().to_owned(), daemon, _folder: folder })
    }

    /// Returns a call of a program that finds this bus as its session's.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// Lets it stand still: it neither reads nor ends.
    pub(crate) fn stop(&self) {
        let daemon = rustix::process::Pid::from_child(&self.daemon);
        rustix::process::kill_process(daemon, rustix::process::Signal::STOP).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Says that a test does nothing without a program; where nothing may be passed over, it fails.
pub(crate) fn missing(program: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "`{program}` is missing");
    println!("skipped: `{program}` is not installed");
}

/// A program that prints what it hears, killed when it is dropped.
pub(crate) struct Listener {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Listener {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel(1024);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with `words` in it, and returns it.
    pub(crate) async fn hears(&mut self, words: &str) -> String {
        let mut before = Vec::new();
        soon(async {
            while let Some(line) = self.lines.recv().await {
                if line.contains(words) {
                    return line;
                }
                before.push(line);
            }
            panic!("it ended without {words:?}: {before:#?}");
        })
        .await
    }

    /// Waits until it ends by itself, and returns whether it succeeded.
    pub(crate) async fn ends(mut self) -> bool {
        soon(tokio::task::spawn_blocking(move || self.child.wait().unwrap().success())).await.unwrap()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end while our tasks go on.
pub(crate) async fn output(mut command: Command) -> Output {
    soon(tokio::task::spawn_blocking(move || command.output().unwrap())).await.unwrap()
}

/// Fails a test that hangs.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_mins(1), future).await.expect("it happens within a minute")
}
