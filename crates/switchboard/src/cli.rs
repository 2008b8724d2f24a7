//! The command line: nouns first, then verbs.

mod listen;
mod login;
mod service;

pub(crate) use listen::{Listen, ListenVia};
pub(crate) use login::ServerLogin;
pub(crate) use service::{Service, ServiceInstall};

mod config;
mod daemon;
mod policy;
mod tool;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;
use serde::{Deserialize, Serialize};

use crate::complete;

pub(crate) use config::{Config, SchemaFile};
pub(crate) use daemon::{AuthArg, LogFormat, Serve, Token, TokenCreate};
pub(crate) use policy::{Policy, PolicyApprove, PolicyExplain, PolicyLog, PolicySet, PolicyShow, PolicyUndo};
pub(crate) use tool::{Sync, Tool, ToolCall, ToolList, ToolSearch, ToolShow};

/// One catalogue of MCP servers, kept in step with every AI client.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 a file of yours is wrong, \
4 the daemon is not reachable, 5 a conflict or a missing consent.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Copy, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "four independent wishes, one option each")]
pub(crate) struct Common {
    /// Print one JSON document for programs to read
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show what would be done, and change nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Agree to every question beforehand
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// Tell problems only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// What can be done.
#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Command {
    /// Find clients, import what they have, show the plan, ask, write, then serve
    Up(Up),
    /// Run the daemon in the foreground; it asks nothing
    Serve(Serve),
    /// Show the whole product in a throw-away home with sample clients and a built-in server
    Demo(Demo),
    /// Show the revision, servers, clients and problems
    Status,
    /// The servers of the catalogue
    #[command(subcommand)]
    Server(Server),
    /// The clients whose files are kept in step
    #[command(subcommand)]
    Client(Client),
    /// Named subsets of the servers
    #[command(subcommand)]
    Profile(Profile),
    /// Ask servers what they offer, where something has changed
    Sync(Sync),
    /// The tools that the servers offer
    #[command(subcommand)]
    Tool(Tool),
    /// What each tool may do, who may call it, and how
    #[command(subcommand)]
    Policy(Policy),
    /// Be the pipe to a server: what a client runs
    Connect(Connect),
    /// Follow another switchboard: into a client's file, or with a program
    Listen(Listen),
    /// The files of Switchboard itself
    #[command(subcommand)]
    Config(Config),
    /// Bearer tokens for those who ask over TCP
    #[command(subcommand)]
    Token(Token),
    /// The daemon among the services of the system, or a timer in its place
    #[command(subcommand)]
    Service(Service),
    /// Check everything that can be wrong, and name the command that mends it
    Doctor,
    /// Put every client file back to what it was before the first push
    Uninstall,
    /// Print what a shell needs to complete names: bash, zsh, fish
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

impl Command {
    /// Returns the noun of the command, for the log: arguments may hold what is nobody's business.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Up(_) => "up",
            Self::Serve(_) => "serve",
            Self::Demo(_) => "demo",
            Self::Status => "status",
            Self::Server(_) => "server",
            Self::Client(_) => "client",
            Self::Profile(_) => "profile",
            Self::Sync(_) => "sync",
            Self::Tool(_) => "tool",
            Self::Policy(_) => "policy",
            Self::Connect(_) => "connect",
            Self::Listen(_) => "listen",
            Self::Config(_) => "config",
            Self::Token(_) => "token",
            Self::Service(_) => "service",
            Self::Doctor => "doctor",
            Self::Uninstall => "uninstall",
            Self::Completions { .. } => "completions",
            Self::Man => "man",
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
pub(crate) struct Up {
    /// Link the clients found, but leave their files alone until a push
    #[arg(long)]
    pub(crate) manual: bool,
    /// Serve in the background, and come back once that is ready
    #[arg(long, conflicts_with = "no_serve")]
    pub(crate) detach: bool,
    /// End after the write: nothing is served
    #[arg(long)]
    pub(crate) no_serve: bool,
    #[command(flatten)]
    #[serde(default)]
    pub(crate) serve: Serve,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct Demo {
    /// Keep the throw-away home, and say where it is
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Server {
    /// List the servers
    List,
    /// Show one server
    Show(Name),
    /// Add a server
    Add(ServerAdd),
    /// Change how a server is started or reached; what is not named stays
    Edit(ServerAdd),
    /// Remove a server from the catalogue and from every client
    Remove(Name),
    /// Call a server otherwise; clients go on using their own names
    Rename {
        #[arg(add = ArgValueCandidates::new(complete::servers))]
        name: String,
        to: String,
    },
    /// Serve a server again
    Enable(Name),
    /// Stop serving a server, and take it out of clients
    Disable(Name),
    /// Start or reach a server, and show what it offers
    Test(ServerTest),
    /// Show what a server said and what became of its connection; with `-f` every message as it passes
    Log(ServerLog),
    /// Log in to a remote server in the browser; its tokens are renewed by themselves
    Login(ServerLogin),
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ServerLog {
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) name: String,
    /// Go on with every message between clients and the server, secrets hidden, until Ctrl-C
    #[arg(long, short)]
    pub(crate) follow: bool,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct Name {
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) name: String,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ServerAdd {
    /// The server's name
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) name: String,
    /// Reach it at this address
    #[arg(long, conflicts_with_all = ["command", "cwd"])]
    pub(crate) url: Option<String>,
    /// A header to send, as 'Name: value'
    #[arg(long = "header", value_name = "K: V", requires = "url")]
    pub(crate) headers: Vec<String>,
    /// The transport of the address
    #[arg(long = "type", value_enum)]
    pub(crate) kind: Option<Kind>,
    /// A variable for it, as NAME=value; the value may be a reference such as ${keyring:github-token}
    #[arg(long = "env", value_name = "K=V")]
    pub(crate) env: Vec<String>,
    /// Its working directory
    #[arg(long)]
    pub(crate) cwd: Option<String>,
    /// A word to select it by
    #[arg(long = "tag")]
    pub(crate) tags: Vec<String>,
    /// What it is for
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// The program to start, and its arguments
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Http,
    Sse,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct ServerTest {
    /// The server; with --client, what that client calls it
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) name: String,
    /// Try the entry of this client's file in place, as the client would start it
    #[arg(long, add = ArgValueCandidates::new(complete::clients))]
    pub(crate) client: Option<String>,
    /// Call this tool
    #[arg(long)]
    pub(crate) tool: Option<String>,
    /// The tool's arguments, as JSON
    #[arg(long, requires = "tool")]
    pub(crate) args: Option<String>,
    /// How long to wait for each answer, in seconds
    #[arg(long, default_value_t = 30)]
    pub(crate) timeout: u64,
}

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Client {
    /// List the clients that are linked, and those found on this machine
    List {
        /// Also list every client that is known
        #[arg(long)]
        all: bool,
    },
    /// Show a client: its file, and every entry in it
    Show {
        #[arg(add = ArgValueCandidates::new(complete::clients))]
        id: String,
    },
    /// Keep a client's file in step
    Link(Link),
    /// Stop keeping a client's file in step; the file stays as it is
    Unlink {
        #[arg(add = ArgValueCandidates::new(complete::clients))]
        id: String,
    },
    /// Read a client's file, and remember what is found
    Scan {
        #[command(flatten)]
        which: Which,
        /// Drop pending changes: what the file says now is what is wanted
        #[arg(long)]
        discard_pending: bool,
    },
    /// Make catalogue servers out of a client's own entries
    Import {
        #[command(flatten)]
        which: Which,
        /// Only these entries
        #[arg(long = "server", value_name = "ALIAS")]
        servers: Vec<String>,
        /// Leave secrets in the catalogue as they stood in the file
        #[arg(long)]
        keep_secrets: bool,
    },
    /// Show what a push would change in a client's file
    Diff {
        #[command(flatten)]
        which: Which,
    },
    /// Write the wanted servers into a client's file
    Push {
        #[command(flatten)]
        which: Which,
        /// Only these servers
        #[arg(long = "server", value_name = "NAME", add = ArgValueCandidates::new(complete::servers))]
        servers: Vec<String>,
    },
    /// Take what somebody changed in the file into the catalogue
    Adopt(Entry),
    /// Let what somebody changed in the file stand
    Keep(Entry),
    /// Make the file say again what the catalogue wants
    Restore(Entry),
    /// Put a client's file back to what it was before the last push; what others changed since stays
    Undo {
        #[command(flatten)]
        which: Which,
        /// Also when somebody changed the file since; that version goes to the backups
        #[arg(long)]
        force: bool,
    },
    /// List what was written into a client's file
    History {
        #[arg(add = ArgValueCandidates::new(complete::clients))]
        id: String,
    },
}

/// One client, several, or all.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct Which {
    /// The clients
    #[arg(add = ArgValueCandidates::new(complete::clients), required_unless_present = "all")]
    pub(crate) ids: Vec<String>,
    /// All linked clients
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[arg(add = ArgValueCandidates::new(complete::clients))]
    pub(crate) id: String,
    /// One server; all that were changed when not named
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) server: Option<String>,
}

#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub(crate) struct Link {
    /// A known client, or an id of your own with --dialect and --path
    #[arg(add = ArgValueCandidates::new(complete::known_clients))]
    pub(crate) id: String,
    /// Its file, when it is not at the usual place
    #[arg(long, value_parser = absolute)]
    pub(crate) path: Option<PathBuf>,
    /// The known client that writes its file alike
    #[arg(long, add = ArgValueCandidates::new(complete::known_clients))]
    pub(crate) dialect: Option<String>,
    /// Write changes of the catalogue at once
    #[arg(long, conflicts_with = "manual")]
    pub(crate) auto: bool,
    /// Write changes when asked
    #[arg(long)]
    pub(crate) manual: bool,
    /// What an entry says
    #[arg(long, value_enum)]
    pub(crate) via: Option<ViaArg>,
    /// One entry per server, or one for all
    #[arg(long, value_enum)]
    pub(crate) face: Option<FaceArg>,
    /// What its one entry offers: all tools, or three that find, describe and call them
    #[arg(long, value_enum)]
    pub(crate) tools: Option<ToolsArg>,
    /// A server to give it: a name, a glob, tag:NAME or profile:NAME; all when not named
    #[arg(long = "server", value_name = "NAME", add = ArgValueCandidates::new(complete::servers))]
    pub(crate) servers: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ViaArg {
    Bridge,
    Http,
    Direct,
}

#[derive(Clone, Copy, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FaceArg {
    PerServer,
    Single,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ToolsArg {
    Full,
    Search,
}

#[derive(Clone, Debug, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Profile {
    /// List the profiles
    List,
    /// Show the servers of a profile
    Show {
        #[arg(add = ArgValueCandidates::new(complete::profiles))]
        name: String,
    },
    /// Add a profile, or put other servers into it
    Add {
        name: String,
        /// Names, globs, tag:NAME, profile:NAME
        #[arg(required = true, add = ArgValueCandidates::new(complete::servers))]
        servers: Vec<String>,
    },
    /// Remove a profile
    Remove {
        #[arg(add = ArgValueCandidates::new(complete::profiles))]
        name: String,
    },
}

#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[command(group(ArgGroup::new("to").required(true).args(["server", "all", "profile"])))]
pub(crate) struct Connect {
    /// The server
    #[arg(add = ArgValueCandidates::new(complete::servers))]
    pub(crate) server: Option<String>,
    /// All servers, behind one
    #[arg(long)]
    pub(crate) all: bool,
    /// The servers of this profile, behind one
    #[arg(long, value_name = "P", add = ArgValueCandidates::new(complete::profiles))]
    pub(crate) profile: Option<String>,
    /// All tools of those behind one, or three that find, describe and call them
    #[arg(long, value_enum, conflicts_with = "server")]
    pub(crate) tools: Option<ToolsArg>,
    /// Be the pipe to an entry of this client's own file, once that is approved
    #[arg(long, hide = true, requires = "server")]
    pub(crate) client: Option<String>,
    /// Start or reach the server from here, past the daemon, as `server test` does
    #[arg(long, hide = true, requires = "server", conflicts_with = "client")]
    pub(crate) direct: bool,
}

/// Reads a path as it is meant where the command is typed: it may be carried out by a daemon that stands elsewhere.
fn absolute(text: &str) -> Result<PathBuf, std::io::Error> {
    if text == "~" || text.starts_with("~/") { Ok(text.into()) } else { std::path::absolute(text) }
}
