//! `server test`: a server started or reached as a client would, asked what it offers, and one tool called.

mod result;
mod session;

use std::path::PathBuf;

use serde_json::{Value, json};
use switchboard_host::dirs::Env;

use crate::approval::{Approvals, in_full};
use crate::cli::ServerTest;
use crate::cmd::connect::entry_launch;
use crate::cmd::server::known;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::ui::{Mark, Ui, counted, plain};
use session::Session;

pub(crate) use result::{Part, Picture, as_table, has_failed, parts};

/// What a server said of itself and offers.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) protocol: String,
    pub(crate) tools: Vec<Value>,
    /// From the start until the tools were listed, in milliseconds.
    pub(crate) millis: u128,
    /// How long a ping took, in microseconds.
    pub(crate) ping_micros: u32,
    /// What the tool answered, when one was called.
    pub(crate) result: Option<Value>,
}

/// Tries a server of the catalogue, or an entry of a client's own file in place.
///
/// # Errors
/// Nobody agreed to start an entry that is not in the catalogue; the server cannot be started, or does not answer.
pub(crate) fn run(env: Env, ui: &Ui, args: &ServerTest) -> Done {
    let home = Home::look(env)?;
    let mut words = vec!["connect".to_owned()];
    match &args.client {
        None => {
            known(&home, &args.name)?;
            words.push("--direct".to_owned());
        }
        Some(client) => {
            approve(&home, ui, &args.name, client)?;
            words.extend(["--client".to_owned(), client.clone()]);
        }
    }
    words.extend(["--".to_owned(), args.name.clone()]);
    let call = call(args)?;
    if ui.dry_run {
        ui.line("it would be started, and asked what it offers");
        return Ok(());
    }
    let report = test(&program()?, &words, call, args.timeout)
        .map_err(|why| Failure::failed(format!("test `{}`", args.name)).because(why))?;
    show(ui, args, &report);
    Ok(())
}

/// Returns this program.
///
/// # Errors
/// The system does not say where it is.
pub(crate) fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::failed("find out where this program is").caused_by(&error))
}

fn approve(home: &Home, ui: &Ui, alias: &str, client: &str) -> Done {
    let launch = entry_launch(home, alias, client)?;
    let mut approvals = Approvals::load(&home.dirs);
    if approvals.has(&launch) {
        return Ok(());
    }
    ui.heading(format!("{alias}, as {client} would start it:"));
    for line in in_full(&launch) {
        ui.line(format!("  {line}"));
    }
    ui.consent("Start it now?", &format!("test `{alias}`"))?;
    approvals.add(alias, &launch, &home.dirs)
}

fn call(args: &ServerTest) -> Result<Option<(String, Value)>, Failure> {
    let Some(tool) = &args.tool else { return Ok(None) };
    let arguments = match &args.args {
        None => json!({}),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            Failure::usage("read the arguments: they are no JSON")
                .because(error)
                .hint("write them as --args '{\"name\": \"value\"}'")
        })?,
    };
    Ok(Some((tool.clone(), arguments)))
}

/// Starts `program words..`, shakes hands, lists the tools and calls one.
///
/// # Errors
/// In words: it did not start, did not answer in time, or answered with an error.
pub(crate) fn test(
    program: &std::path::Path,
    words: &[String],
    call: Option<(String, Value)>,
    timeout: u64,
) -> Result<Report, String> {
    test_in(program, words, &[], call, timeout)
}

/// As [`test()`], with further variables in the environment of the pipe.
///
/// # Errors
/// As [`test()`].
pub(crate) fn test_in(
    program: &std::path::Path,
    words: &[String],
    vars: &[(String, String)],
    call: Option<(String, Value)>,
    timeout: u64,
) -> Result<Report, String> {
    let begun = std::time::Instant::now();
    let mut session = Session::start(program, words, vars, std::time::Duration::from_secs(timeout))?;
    let hello = session.request("initialize", &hello())?;
    session.notify("notifications/initialized")?;
    let tools = if hello["capabilities"]["tools"].is_object() { list(&mut session)? } else { Vec::new() };
    let millis = begun.elapsed().as_millis();
    let pinged = std::time::Instant::now();
    session.request("ping", &json!({}))?;
    let ping_micros = u32::try_from(pinged.elapsed().as_micros()).unwrap_or(u32::MAX);
    let result = call
        .map(|(name, arguments)| {
            session.request("tools/call", &json!({ "name": name, "arguments": arguments }))
        })
        .transpose()?;
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    Ok(Report {
        name: text(&hello["serverInfo"]["name"]),
        version: text(&hello["serverInfo"]["version"]),
        protocol: text(&hello["protocolVersion"]),
        tools,
        millis,
        ping_micros,
        result,
    })
}

/// How many pages of tools are asked for, at most: a server may hand out cursors for ever.
const PAGES: usize = 100;

fn list(session: &mut Session) -> Result<Vec<Value>, String> {
    let mut tools = Vec::new();
    let mut params = json!({});
    for _ in 0..PAGES {
        let page = session.request("tools/list", &params)?;
        tools.extend(page["tools"].as_array().cloned().unwrap_or_default());
        match page["nextCursor"].as_str() {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => break,
        }
    }
    Ok(tools)
}

/// Calls a tool of a server through the daemon, which is started where there is none.
///
/// # Errors
/// In words: it did not answer in time, or answered with an error.
pub(crate) fn call_served(
    program: &std::path::Path,
    server: &str,
    tool: &str,
    arguments: &Value,
    timeout: std::time::Duration,
) -> Result<Value, String> {
    let words = ["connect", "--", server].map(str::to_owned);
    let mut session = Session::start(program, &words, &[], timeout)?;
    session.request("initialize", &hello())?;
    session.notify("notifications/initialized")?;
    session.request("tools/call", &json!({ "name": tool, "arguments": arguments }))
}

fn hello() -> Value {
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "switchboard", "version": env!("CARGO_PKG_VERSION") },
    })
}

/// Shows what a tool answered: texts as they are, everything else by its kind.
fn show_result(ui: &Ui, result: &Value) {
    for part in parts(result) {
        match part {
            Part::Text(text) => text.lines().for_each(|line| ui.line(format!("  {}", plain(line)))),
            Part::Picture(picture) => ui.line(format!("  ({})", plain(&picture.in_words()))),
            Part::Other(what) => ui.line(format!("  ({})", plain(&what))),
        }
    }
}

fn show(ui: &Ui, args: &ServerTest, report: &Report) {
    ui.json(&json!({
        "server": args.name, "name": report.name, "version": report.version, "protocol": report.protocol,
        "milliseconds": report.millis, "ping_microseconds": report.ping_micros,
        "tools": report.tools, "result": report.result,
    }));
    ui.marked(
        Mark::Good,
        format!(
            "{} answers: {} {}, protocol {}, {}, ready after {} ms, ping {:.1} ms",
            args.name,
            plain(&report.name),
            plain(&report.version),
            plain(&report.protocol),
            counted(report.tools.len(), "tool"),
            report.millis,
            f64::from(report.ping_micros) / 1000.0,
        ),
    );
    if let Some(result) = &report.result {
        ui.marked(
            if has_failed(result) { Mark::Bad } else { Mark::Good },
            format!("{}:", args.tool.as_deref().unwrap_or("")),
        );
        show_result(ui, result);
        return;
    }
    ui.table(
        ["TOOL", "WHAT IT DOES"],
        report.tools.iter().map(|tool| {
            let first = tool["description"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
            [plain(tool["name"].as_str().unwrap_or("?")), plain(first)]
        }),
    );
}
