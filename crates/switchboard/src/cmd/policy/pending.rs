//! `policy pending`, and a word for the calls in it.

use serde_json::json;
use switchboard_host::dirs::Env;

use crate::fail::Done;
use crate::pending;
use crate::ui::{Mark, Ui, plain};

/// Lists the calls that wait for somebody to agree.
pub(super) fn list(env: &Env, ui: &Ui) {
    let waiting = pending::all(env);
    ui.json(&waiting);
    if waiting.is_empty() {
        return ui.line("no call waits for anybody");
    }
    ui.table(
        ["NUMBER", "WHO", "SERVER", "TOOL", "RISK", "WITH", "SINCE"],
        waiting.iter().map(|call| {
            [
                call.number.to_string(),
                plain(&call.who),
                plain(&call.server),
                plain(&call.tool),
                plain(&call.risk),
                plain(&call.arguments),
                format!("{} s", call.seconds),
            ]
        }),
    );
    ui.hint(
        "`switchboard policy approve NUMBER` agrees to one, `refuse` refuses it; then the client calls again",
    );
}

/// Parts the numbers of calls from what are tools.
pub(super) fn parted(words: &[String]) -> (Vec<u64>, Vec<String>) {
    let mut tools = words.to_vec();
    let mut calls = Vec::new();
    tools.retain(|word| word.parse().map(|number| calls.push(number)).is_err());
    (calls, tools)
}

/// Says a word to calls.
///
/// # Errors
/// There is no call of one of these numbers; nothing was said to it and those behind it.
pub(super) fn say(env: &Env, ui: &Ui, numbers: &[u64], agree: bool) -> Done {
    let mut calls = Vec::new();
    for number in numbers {
        if ui.dry_run {
            ui.marked(
                Mark::Plan,
                format!("call {number} would be {}", if agree { "agreed to" } else { "refused" }),
            );
            continue;
        }
        let call = pending::decide(env, *number, agree)?;
        let which = format!(
            "call {number}, {} of {} with {},",
            plain(&call.tool),
            plain(&call.server),
            plain(&call.arguments)
        );
        let may = if agree { "may be made" } else { "is refused" };
        ui.marked(Mark::Good, format!("{which} {may} once {} calls again", plain(&call.who)));
        calls.push(call);
    }
    ui.json(&json!({ "calls": calls, "agreed": agree, "written": !ui.dry_run }));
    Ok(())
}
