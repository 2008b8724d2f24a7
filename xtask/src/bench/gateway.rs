//! The gateway: what it adds to a call, and what it costs, beside the same calls made directly in the same run.
//!
//! `cargo xtask bench gateway [--only PART,..] [--quick] [--program FILE] [--peers] [--profile stdio|http]`. The two
//! ends are programs of testkit: a fast upstream, and a load generator that checks every answer. What is started here
//! lives in a scratch home and ends with the run.

mod calls;
mod connect;
mod figures;
mod first;
mod lists;
mod load;
mod peers;
mod profile;
mod reload;
mod running;
mod sessions;
mod stage;
mod three;
mod told;
mod visible;

use super::table::{Row, Table};
use stage::Stage;
pub(super) use told::Told;

/// A part: its name, and what measures it.
type Part = (&'static str, fn(&Stage, &mut Table) -> Result<(), String>);

/// The parts, in the order in which they are measured.
const PARTS: [Part; 11] = [
    ("calls", calls::plain),
    ("pinned", calls::pinned),
    ("big", calls::big),
    ("modern", calls::modern),
    ("memory", sessions::idle),
    ("first", first::measure),
    ("list", lists::measure),
    ("visible", visible::measure),
    ("reload", reload::measure),
    ("sessions", sessions::measure),
    ("connect", connect::measure),
];

/// Parts that take long.
const LAST: [Part; 1] = [("three", three::measure)];

pub(super) fn measure(table: &mut Table, told: &Told) -> Result<(), String> {
    let names = || PARTS.iter().chain(&LAST).map(|(name, _)| *name);
    if let Some(wrong) = told.only.iter().find(|only| !names().any(|name| name == *only)) {
        let names: Vec<_> = names().collect();
        return Err(format!("the gateway has no part `{wrong}`: there are {}", names.join(", ")));
    }
    if let Some(upstream) = &told.profile {
        return profile::run(told, upstream);
    }
    let stage = Stage::build(told)?;
    for (name, part) in PARTS.iter().chain(&LAST) {
        if told.only.is_empty() || told.only.iter().any(|only| only == name) {
            note(name);
            // One part that cannot be measured does not keep the others from it.
            if let Err(why) = part(&stage, table) {
                table.push(missed(&format!("gateway: {name}"), &why));
            }
        }
    }
    if told.peers
        && let Err(why) = peers::measure(&stage, table)
    {
        table.push(missed("peers", &why));
    }
    Ok(())
}

/// Says what is measured now: it takes minutes.
#[expect(clippy::print_stderr, reason = "the table alone goes to standard output")]
fn note(part: &str) {
    eprintln!("gateway: {part}");
}

/// Returns the row of something that could not be measured.
fn missed(what: &str, why: &str) -> Row {
    Row { what: what.to_owned(), measured: cell(why), met: Some(false), ..Row::default() }
}

/// Returns a text as it can stand in one cell of the table.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    line.chars().take(300).collect()
}
