//! The log: what a daemon tells, on standard error.

use std::io::IsTerminal as _;

use switchboard_host::dirs::Env;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::LogFormat;
use crate::fail::{Done, Failure};

/// Begins to log: what people would tell a friend, unless `filter` says otherwise: a level (`debug`), or a list such as
/// `info,switchboard=debug`.
///
/// # Errors
/// The filter is not understood.
pub(crate) fn begin(env: &Env, filter: Option<&str>, format: Option<LogFormat>) -> Done {
    let targets = match filter {
        Some(filter) => filter.parse::<Targets>().map_err(|error| {
            Failure::usage(format!("read the log filter `{filter}`"))
                .because(error)
                .hint("write it as `--log debug` or `--log info,switchboard=debug`")
        })?,
        None => Targets::new().with_target("switchboard", LevelFilter::INFO).with_default(LevelFilter::WARN),
    };
    // The journal knows the time; a terminal has colours.
    let journal = env.var("JOURNAL_STREAM").is_some();
    let terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if journal { LogFormat::Journal } else { LogFormat::Text });
    // A call is a span, told with its time once it has ended.
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false).with_span_events(FmtSpan::CLOSE);
    let colours = terminal && env.var("NO_COLOR").is_none();
    let subscriber = tracing_subscriber::registry().with(targets);
    // A second daemon in one process is one of a test's: the first log serves both.
    let _ = match format {
        LogFormat::Json => subscriber.with(layer.json().flatten_event(true)).try_init(),
        LogFormat::Journal => subscriber.with(layer.without_time().with_ansi(false)).try_init(),
        LogFormat::Text => subscriber.with(layer.with_ansi(colours).compact()).try_init(),
    };
    Ok(())
}
