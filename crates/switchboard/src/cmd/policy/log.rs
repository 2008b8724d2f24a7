//! `policy log`: which tools were called.

use serde_json::Value;
use switchboard_host::audit::AuditLog;
use switchboard_host::dirs::Dirs;

use crate::cli::PolicyLog;
use crate::ui::{Ui, plain};

/// Lists the last calls, the newest last. `enforced` says whether calls are written down at all.
pub(super) fn log(dirs: &Dirs, ui: &Ui, args: &PolicyLog, enforced: bool) {
    let calls = last(&AuditLog::new(dirs.audit()), args);
    ui.json(&calls);
    if !enforced {
        ui.note(
            "warning: nothing is written down while the policy is not enforced (`[policy] enforce = false`)",
        );
    }
    if calls.is_empty() {
        return ui.line(if args.denied { "no call was denied" } else { "no tool was called" });
    }
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    ui.table(
        ["WHEN", "WHO", "SERVER", "TOOL", "DECISION", "OUTCOME", "TOOK"],
        calls.iter().map(|call| {
            let took = format!("{} ms", call["ms"].as_u64().unwrap_or_default());
            let [at, who, server, tool, decision, outcome] =
                ["at", "who", "server", "tool", "decision", "outcome"].map(|member| text(&call[member]));
            [at, who, server, tool, decision, outcome, took]
        }),
    );
}

/// Returns the last calls that are asked for, the newest last. No more is read than they need.
fn last(log: &AuditLog, args: &PolicyLog) -> Vec<Value> {
    let mut calls: Vec<Value> = Vec::new();
    for file in log.newest_first() {
        // A line that was cut off, when the machine went down, is none.
        let read = file.rsplit(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        let meant = read.filter(|call: &Value| !args.denied || call["outcome"] == "denied");
        calls.extend(meant.take(args.limit.saturating_sub(calls.len())));
        if calls.len() >= args.limit {
            break;
        }
    }
    calls.reverse();
    calls
}
