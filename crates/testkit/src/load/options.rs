//! The command line of the load generator.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use super::Fault;
use super::message::Era;

/// Whom to ask, and what to do.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Ask over Streamable HTTP at this URL; without it, the command is asked over its standard streams
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// Speak the protocol of this era
    #[arg(long, global = true, value_enum, default_value_t = Era::Legacy)]
    pub era: Era,
    /// Speak the transport of 2024 over HTTP: answers come on a stream that is opened first
    #[arg(long, global = true)]
    pub events: bool,
    /// What is measured
    #[command(subcommand)]
    pub mode: Mode,
}

/// What is measured.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Mode {
    /// Calls of a tool, one after the other by each of some callers
    Calls(Calls),
    /// Lists of tools, one after the other
    List(List),
    /// Sessions that are opened, and then do nothing until the input ends
    Sessions(Sessions),
    /// From the start of the command to the first list of tools
    FirstList(FirstList),
    /// From a changed file to the tool that comes with it
    Visible(Visible),
}

/// How calls are made.
#[derive(Clone, Debug, clap::Args)]
pub struct Calls {
    /// How many callers there are, each with a session of its own; over standard streams they share one
    #[arg(long, default_value_t = 1)]
    pub callers: usize,
    /// How long they call
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// How many calls each makes; without it, as many as it can
    #[arg(long = "calls", value_name = "CALLS")]
    pub count: Option<usize>,
    /// How many calls each makes before, which are not counted
    #[arg(long, default_value_t = 50)]
    pub warm: usize,
    /// The tool that is called
    #[arg(long, default_value = "echo")]
    pub tool: String,
    /// How many bytes the answer has at least
    #[arg(long, default_value_t = 0)]
    pub bytes: usize,
    /// Have the tool make up so many bytes, instead of sending them
    #[arg(long)]
    pub big: bool,
    /// What is asked, where it is not asked over HTTP
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// How lists are asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct List {
    /// How many
    #[arg(long, default_value_t = 200)]
    pub count: usize,
    /// How many before, which are not counted
    #[arg(long, default_value_t = 10)]
    pub warm: usize,
    /// How many tools there must be
    #[arg(long)]
    pub tools: usize,
}

/// How sessions are opened.
#[derive(Clone, Debug, clap::Args)]
pub struct Sessions {
    /// How many
    #[arg(long)]
    pub count: usize,
    /// How many at once
    #[arg(long, default_value_t = 64)]
    pub at_once: usize,
    /// Keep the stream open on which the server may say something
    #[arg(long)]
    pub streams: bool,
}

/// How the first list is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct FirstList {
    /// How many tools there must be
    #[arg(long)]
    pub tools: usize,
    /// The command that is started
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
}

/// How changes are made, and where they are looked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Visible {
    /// The file that is changed: each of the others takes its place in turn
    #[arg(long)]
    pub file: PathBuf,
    /// A file that takes its place, and the tool that is to be seen then
    #[arg(long = "next", value_name = "FILE=TOOL", value_parser = next)]
    pub next: Vec<(PathBuf, String)>,
    /// Who has to see it
    #[arg(long, value_enum)]
    pub by: By,
    /// How long to wait for each
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
}

/// Who has to see a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// A session that is opened after it
    Fresh,
    /// A session that was open before, and is told
    Open,
}

fn next(text: &str) -> Result<(PathBuf, String), String> {
    let (file, tool) = text.rsplit_once('=').ok_or("there is no `=` in it")?;
    Ok((file.into(), tool.to_owned()))
}

/// A server that is asked over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Http {
    pub(super) address: SocketAddr,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) era: Era,
    /// Whether answers come on a stream that is opened first.
    pub(super) events: bool,
}

/// Who is asked.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Http(Http),
    Stdio(Vec<String>),
}

impl Options {
    /// Returns who is asked.
    pub(super) fn target(&self) -> Result<Target, Fault> {
        if let Some(url) = &self.url {
            return self.parse(url).map(Target::Http);
        }
        match &self.mode {
            Mode::Calls(Calls { command, .. }) if !command.is_empty() => Ok(Target::Stdio(command.clone())),
            _ => Err(Fault::Failed("there is nobody to ask: give `--url`".to_owned())),
        }
    }

    /// Returns the server at a URL.
    pub(super) fn parse(&self, url: &str) -> Result<Http, Fault> {
        let rest =
            url.strip_prefix("http://").ok_or_else(|| Fault::Failed(format!("`{url}` is not http")))?;
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let address = host.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| Fault::Failed(format!("there is no `{host}`")))?;
        let (host, path) = (host.to_owned(), path.to_owned());
        Ok(Http { address, host, path, era: self.era, events: self.events })
    }
}

impl Target {
    /// Returns the server where it is asked over HTTP.
    pub(super) fn http(&self) -> Result<&Http, Fault> {
        match self {
            Self::Http(http) => Ok(http),
            Self::Stdio(_) => Err(Fault::Failed("this is measured over HTTP alone: give `--url`".to_owned())),
        }
    }
}
