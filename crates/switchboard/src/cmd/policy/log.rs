//! `policy log`: which tools were called.

use serde_json::Value;
use switchboard_host::audit::AuditLog;
use switchboard_host::dirs::Dirs;

use crate::cli::PolicyLog;
use crate::ui::{Ui, plain};

/// Lists the last calls, the newest last.
pub(super) fn log(dirs: &Dirs, ui: &Ui, args: &PolicyLog) {
    let kept = AuditLog::new(dirs.audit()).read();
    // A line that was cut off, when the machine went down, is none.
    let mut calls: Vec<Value> =
        kept.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    calls.retain(|call| !args.denied || call["outcome"] == "denied");
    calls.drain(..calls.len().saturating_sub(args.limit));
    ui.json(&calls);
    if calls.is_empty() {
        return ui.line("no tool was called");
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
