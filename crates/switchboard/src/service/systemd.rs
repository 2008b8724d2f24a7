//! User units of systemd.
//!
//! What is not in the units is as much thought of as what is: the daemon writes files all over the home, and starts
//! servers that do whatever their user asks of them. A limit on the daemon is a limit on every one of them.

use super::quote::{command, lone, path, variable};
use super::{NotAUnit, Pull, Setting, Sockets, Unit};

/// The unit of the daemon.
pub(crate) const SERVICE: &str = "switchboard.service";

/// The unit of the control socket.
pub(crate) const CONTROL: &str = "switchboard.socket";

/// The unit of the HTTP port. One unit gives all its sockets one name, so there are two.
pub(crate) const HTTP: &str = "switchboard-http.socket";

/// How the units begin that pull a client's file.
pub(crate) const PULL: &str = "switchboard-pull-";

/// What pulls a client's file every now and then.
pub(crate) struct Pulling {
    /// Does it once.
    pub(crate) service: Unit,
    /// Says when.
    pub(crate) timer: Unit,
}

/// Returns the unit of the daemon.
///
/// # Errors
/// The program or a variable cannot stand in a unit.
pub(crate) fn daemon(setting: &Setting) -> Result<Unit, NotAUnit> {
    let start = command(&[path(&setting.program)?, "serve".to_owned()])?;
    let environment = environment(setting)?;
    let text = format!(
        "\
# To change something, run `systemctl --user edit {SERVICE}`: that stays when this file is written again.
[Unit]
Description=Switchboard, one catalogue of MCP servers for every AI client
# Five failures within a minute, and it stays down until somebody looks.
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
# It says itself when it is ready.
Type=notify
{environment}ExecStart={start}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
# A wrong command line or a wrong file of yours does not mend itself.
RestartPreventExitStatus=2 3
# It is asked to end, and ends its servers one by one; what is left after that is killed.
KillMode=mixed
TimeoutStopSec=45
# A server that takes too much memory is ended alone.
OOMPolicy=continue

# Nobody is there to type a password: no program that it starts becomes another user.
NoNewPrivileges=yes
# No server needs another kernel's behaviour, nor to push all other programs aside.
LockPersonality=yes
RestrictRealtime=yes
# Not here, and why:
# MemoryDenyWriteExecute: Node.js and others make their machine code as they run.
# PrivateTmp: servers, clients and agents meet in /tmp.
# ProtectSystem, ProtectHome, ReadWritePaths: files of clients lie all over the home, behind links too, and servers
#   work where their user asks them to.
# UMask=0077: what a server writes is its user's; our own files are made for their owner only anyway.
# RestrictSUIDSGID: git gives the folders of a shared repository such a bit.
# RestrictNamespaces: browsers and containers that servers start make their own.
# PrivateDevices, RestrictAddressFamilies, SystemCallFilter: what a server needs is not for us to know.
# ProtectClock, ProtectKernelModules and the like: they take rights away that a user's manager has not got, and fail.

[Install]
WantedBy=default.target
"
    );
    Ok(Unit { name: SERVICE.to_owned(), text })
}

/// Returns the units of the sockets that the daemon is given.
///
/// # Errors
/// The path of the control socket cannot stand in a unit.
pub(crate) fn sockets(sockets: &Sockets) -> Result<Vec<Unit>, NotAUnit> {
    let unit = |name: &str, what: &str, listen: String, names: &str, more: &str| Unit {
        name: name.to_owned(),
        text: format!(
            "\
[Unit]
Description=Switchboard, {what}

[Socket]
ListenStream={listen}
# What the daemon is told that it is.
FileDescriptorName={names}
Service={SERVICE}
{more}
[Install]
WantedBy=sockets.target
"
        ),
    };
    let only_you =
        "# Nobody else may speak with it.\nSocketMode=0600\nDirectoryMode=0700\nRemoveOnStop=yes\n";
    Ok(vec![
        unit(CONTROL, "control socket", lone(&path(&sockets.control)?)?, "control", only_you),
        unit(HTTP, "HTTP port", lone(&sockets.http)?, "http", ""),
    ])
}

/// Returns the units that pull a client's file every now and then: a service that does it once, and its timer.
///
/// # Errors
/// The program, the address or the file cannot stand in a unit.
pub(crate) fn pull(setting: &Setting, pull: &Pull) -> Result<Pulling, NotAUnit> {
    let Pull { url, client, path: file, token, every } = pull;
    let mut words: Vec<String> = vec![path(&setting.program)?];
    words.extend(["listen", url, "--client", client, "--path"].map(str::to_owned));
    words.extend([path(file)?, "--once".to_owned(), "--yes".to_owned()]);
    if let Some(token) = token {
        words.extend(["--token".to_owned(), token.clone()]);
    }
    let start = command(&words)?;
    let environment = environment(setting)?;
    let what = format!("{client} in step with {}", lone(url)?);
    let service = format!(
        "\
[Unit]
Description=Switchboard, bring {what}

[Service]
Type=oneshot
{environment}ExecStart={start}
TimeoutStartSec=5min

# It reads one address and writes one file.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictNamespaces=yes
"
    );
    let (calendar, slack) = (every.calendar(), every.slack());
    let timer = format!(
        "\
[Unit]
Description=Switchboard, keep {what}

[Timer]
OnCalendar={calendar}
# What was missed while the machine was off is made up for.
Persistent=true
# Not every machine in the same second.
RandomizedDelaySec={slack}
AccuracySec=5

[Install]
WantedBy=timers.target
"
    );
    Ok(Pulling {
        service: Unit { name: format!("{PULL}{client}.service"), text: service },
        timer: Unit { name: format!("{PULL}{client}.timer"), text: timer },
    })
}

fn environment(setting: &Setting) -> Result<String, NotAUnit> {
    let mut lines = String::new();
    for (name, value) in &setting.vars {
        let why = match *name {
            "PATH" => "# As it was when this was installed: here servers' programs are found.\n",
            _ => "",
        };
        lines.push_str(why);
        lines.push_str("Environment=");
        lines.push_str(&variable(name, value)?);
        lines.push('\n');
    }
    Ok(lines)
}
