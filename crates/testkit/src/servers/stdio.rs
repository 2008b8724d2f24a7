//! Servers that are started as child processes: a plain one, and trees of processes that are hard to end.

use switchboard_core::launch::Launch;

/// A server in Python that answers `initialize`, `tools/list` and `ping`, and echoes the params of anything else. It
/// ends with code 0 at the end of its input, and with the code asked for by the method `exit`.
pub const PLAIN: &str = r#"
import json, sys
def answer(request):
    method = request["method"]
    if method == "exit":
        sys.exit(request["params"]["code"])
    if method == "initialize":
        return {"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "plain", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}
    return request.get("params", {})
for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}), flush=True)
"#;

/// Returns the launch data of a Python script.
pub fn python(script: &str) -> Launch {
    Launch::stdio("python3", ["-c", script])
}

/// A tree of processes that is hard to end without leaving somebody behind.
#[derive(Clone, Copy, Debug)]
pub struct Tree {
    /// What it is called in a test's messages.
    pub name: &'static str,
    /// The Python script that grows it. It says `ready` when the tree stands, and ends with code 7 when it reads the
    /// line `exit`.
    pub script: &'static str,
}

/// What the scripts of all trees begin with: `stay` is a process that ignores its input and everything but SIGTERM.
pub const PRELUDE: &str = r#"
import os, signal, subprocess, sys, time
STAY = [sys.executable, "-c", "import time; time.sleep(300)"]
def child(**how):
    return subprocess.Popen(STAY, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **how)
def serve(at_end=True):
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "exit":
            sys.stdout.flush()
            os._exit(7)
    if not at_end:
        time.sleep(300)
    os._exit(0)
"#;

/// The nine trees.
pub const TREES: [Tree; 9] = [
    Tree { name: "direct", script: "serve()" },
    Tree {
        name: "sh -c",
        script: r#"
sys.stdout.flush()
os.execvp("sh", ["sh", "-c", "sleep 300 & echo ready; while read line; do [ $line = exit ] && exit 7; done; exit 0"])
"#,
    },
    Tree {
        name: "npx-like, three deep",
        script: r#"
if os.environ.get("DEPTH") == "3":
    child()
    serve()
os.environ["DEPTH"] = str(int(os.environ.get("DEPTH", "0")) + 1)
sys.exit(subprocess.run([sys.executable, "-c", os.environ["SCRIPT"]]).returncode)
"#,
    },
    Tree { name: "setsid", script: "child(start_new_session=True); serve()" },
    Tree {
        name: "double fork",
        script: r"
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.close(0); os.close(1)
        time.sleep(300)
    os._exit(0)
os.wait()
serve()
",
    },
    Tree {
        name: "ignores SIGTERM",
        script: r"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child(preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
serve()
",
    },
    Tree { name: "ignores the end of its input", script: "child(); serve(at_end=False)" },
    Tree {
        name: "forks during shutdown",
        script: r"
def more(*_):
    for session in (False, True):
        child(start_new_session=session, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))
    os._exit(0)
signal.signal(signal.SIGTERM, more)
serve()
",
    },
    Tree {
        name: "zombie maker",
        script: r"
for _ in range(20):
    if os.fork() == 0:
        os._exit(0)
child()
serve()
",
    },
];

impl Tree {
    /// Returns how to start it; the variable `TAG` with this value marks all of its processes.
    pub fn launch(&self, tag: &str) -> Launch {
        let script = format!("{PRELUDE}{}", self.script);
        let env = [("TAG", tag), ("SCRIPT", script.as_str())];
        Launch::Stdio {
            command: "python3".to_owned(),
            args: vec!["-c".to_owned(), script.clone()],
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value.replace("${", "$${"))).collect(),
            cwd: None,
        }
    }
}
