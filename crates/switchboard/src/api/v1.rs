//! Everything that the command line can do, as routes: each is a command and where its parts stand in the request.

mod bodies;
mod policy;

use axum::http::{Method, StatusCode};
use clap::ValueEnum as _;

use super::act::Action;
use super::call::{Call, parsed};
use super::problem::Problem;
use super::route::{Access, Route};
use crate::cli::{
    Client, Command, Config, Entry, Name, Profile, SchemaFile, Server, ServerTest, Token, TokenCreate, Tool,
    ToolList, ToolSearch, ToolShow, Which,
};
use crate::token::Permission;

pub(super) use bodies::{add, schemas};

/// What is needed to make tokens: whoever makes one decides what it permits, so they must hold all of it themselves.
const ALL: (&str, &str) = ("*", "*");

/// What a request asks for, as a command; the bytes are its body.
pub(super) type Meant = fn(&Call, &[u8]) -> Result<Command, Box<Problem>>;

/// A row of the table: method, path, what it needs, what it does, the name of its body's schema, the command.
type Row = (Method, &'static str, (&'static str, &'static str), &'static str, &'static str, Meant);

/// Returns the routes.
pub(super) fn routes() -> impl Iterator<Item = Route> {
    rows().into_iter().map(|(method, path, (resource, action), summary, takes, meant)| {
        let needed = match (resource, action) {
            ALL => Permission::everything(),
            (resource, action) => Permission::of("config", resource, action),
        };
        let creates = method == Method::POST && matches!(path, "/servers" | "/tokens");
        let done = if creates { StatusCode::CREATED } else { StatusCode::OK };
        Route {
            method,
            path: format!("/api/v1{path}"),
            access: Access::Holders(needed),
            action: Action::Run(meant, done),
            summary,
            takes,
        }
    })
}

fn rows() -> Vec<Row> {
    let (get, post, put, patch, delete) =
        (Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    let all = [
        servers(&get, &post, &patch, &delete),
        clients(&get, &post, &put, &delete),
        clients_at_once(&post),
        tools(&get, &post),
        policy::rows(&get, &post, &patch),
        others(&get, &post, &put, &delete),
    ];
    all.into_iter().flatten().collect()
}

fn servers(get: &Method, post: &Method, patch: &Method, delete: &Method) -> Vec<Row> {
    let (get, post) = (|| get.clone(), || post.clone());
    let (read, write, run) = (("servers", "read"), ("servers", "write"), ("servers", "run"));
    vec![
        (get(), "/servers", read, "Lists the servers", "", |_, _| Ok(Command::Server(Server::List))),
        (post(), "/servers", write, "Adds a server", "ServerBody", |_, body| {
            Ok(Command::Server(Server::Add(bodies::server(None, body)?)))
        }),
        (get(), "/servers/{name}", read, "Shows a server", "", |call, _| {
            Ok(Command::Server(Server::Show(name(call))))
        }),
        (
            patch.clone(),
            "/servers/{name}",
            write,
            "Changes a server; what is not named stays",
            "ServerBody",
            |call, body| Ok(Command::Server(Server::Edit(bodies::server(Some(call.param("name")), body)?))),
        ),
        (delete.clone(), "/servers/{name}", write, "Removes a server", "", |call, _| {
            Ok(Command::Server(Server::Remove(name(call))))
        }),
        (post(), "/servers/{name}/rename", write, "Calls a server otherwise", "RenameBody", |call, body| {
            let bodies::RenameBody { to } = parsed(body)?;
            Ok(Command::Server(Server::Rename { name: call.param("name").to_owned(), to }))
        }),
        (post(), "/servers/{name}/enable", write, "Serves a server again", "", |call, _| {
            Ok(Command::Server(Server::Enable(name(call))))
        }),
        (post(), "/servers/{name}/disable", write, "Stops serving a server", "", |call, _| {
            Ok(Command::Server(Server::Disable(name(call))))
        }),
        (
            post(),
            "/servers/{name}/test",
            run,
            "Starts or reaches a server, and shows what it offers",
            "TestBody",
            |call, body| {
                let bodies::TestBody { client, tool, args, timeout } = parsed(body)?;
                let args = args.map(|args| args.to_string());
                let name = call.param("name").to_owned();
                Ok(Command::Server(Server::Test(ServerTest { name, client, tool, args, timeout })))
            },
        ),
    ]
}

fn clients(get: &Method, post: &Method, put: &Method, delete: &Method) -> Vec<Row> {
    let (get, post) = (|| get.clone(), || post.clone());
    let (read, write, push) = (("clients", "read"), ("clients", "write"), ("clients", "push"));
    vec![
        (
            get(),
            "/clients",
            read,
            "Lists the clients that are linked or found; with `all=true` every known one",
            "",
            |call, _| Ok(Command::Client(Client::List { all: call.flag("all")? })),
        ),
        (get(), "/clients/{id}", read, "Shows a client and the entries of its file", "", |call, _| {
            Ok(Command::Client(Client::Show { id: id(call) }))
        }),
        (
            get(),
            "/clients/{id}/history",
            read,
            "Lists what was written into a client's file",
            "",
            |call, _| Ok(Command::Client(Client::History { id: id(call) })),
        ),
        (
            put.clone(),
            "/clients/{id}/link",
            write,
            "Keeps a client's file in step",
            "LinkBody",
            |call, body| Ok(Command::Client(Client::Link(bodies::link(call.param("id"), body)?))),
        ),
        (
            delete.clone(),
            "/clients/{id}/link",
            write,
            "Stops keeping a client's file in step",
            "",
            |call, _| Ok(Command::Client(Client::Unlink { id: id(call) })),
        ),
        (post(), "/clients/{id}/scan", write, "Reads a client's file", "ScanBody", |call, body| {
            bodies::scan(one(call), body)
        }),
        (
            post(),
            "/clients/{id}/import",
            write,
            "Makes catalogue servers out of its own entries",
            "ImportBody",
            |call, body| bodies::import(one(call), body),
        ),
        (post(), "/clients/{id}/diff", read, "Shows what a push would change", "", |call, _| {
            Ok(Command::Client(Client::Diff { which: one(call) }))
        }),
        (
            post(),
            "/clients/{id}/push",
            push,
            "Writes the wanted servers into a client's file",
            "PushBody",
            |call, body| bodies::push(one(call), body),
        ),
        (
            post(),
            "/clients/{id}/adopt",
            write,
            "Takes what somebody changed in the file into the catalogue",
            "EntryBody",
            |call, body| Ok(Command::Client(Client::Adopt(entry(call, body)?))),
        ),
        (
            post(),
            "/clients/{id}/keep",
            write,
            "Lets what somebody changed in the file stand",
            "EntryBody",
            |call, body| Ok(Command::Client(Client::Keep(entry(call, body)?))),
        ),
        (
            post(),
            "/clients/{id}/restore",
            push,
            "Makes the file say again what the catalogue wants",
            "EntryBody",
            |call, body| Ok(Command::Client(Client::Restore(entry(call, body)?))),
        ),
        (
            post(),
            "/clients/{id}/undo",
            push,
            "Puts the file back to what it was before the last push",
            "UndoBody",
            |call, body| bodies::undo(one(call), body),
        ),
    ]
}

fn clients_at_once(post: &Method) -> Vec<Row> {
    let post = || post.clone();
    let (read, write, push) = (("clients", "read"), ("clients", "write"), ("clients", "push"));
    vec![
        (post(), "/clients/scan", write, "Reads the files of all linked clients", "ScanBody", |_, body| {
            bodies::scan(all(), body)
        }),
        (
            post(),
            "/clients/import",
            write,
            "Makes catalogue servers out of all own entries",
            "ImportBody",
            |_, body| bodies::import(all(), body),
        ),
        (post(), "/clients/diff", read, "Shows what a push to all would change", "", |_, _| {
            Ok(Command::Client(Client::Diff { which: all() }))
        }),
        (
            post(),
            "/clients/push",
            push,
            "Writes the wanted servers into all linked clients' files",
            "PushBody",
            |_, body| bodies::push(all(), body),
        ),
        (
            post(),
            "/clients/undo",
            push,
            "Puts all files back to what they were before the last push",
            "UndoBody",
            |_, body| bodies::undo(all(), body),
        ),
    ]
}

fn tools(get: &Method, post: &Method) -> Vec<Row> {
    let get = || get.clone();
    let read = ("tools", "read");
    vec![
        (
            post.clone(),
            "/sync",
            ("servers", "run"),
            "Asks servers what they offer, where something has changed",
            "SyncBody",
            |_, body| bodies::sync(body),
        ),
        (get(), "/tools", read, "Lists the tools; with `server=NAME` those of one server", "", |call, _| {
            let servers = call.queries("server").map(str::to_owned).collect();
            Ok(Command::Tool(Tool::List(ToolList { servers })))
        }),
        (
            get(),
            "/tools/search",
            read,
            "Finds tools by the words in `words`, the best first; `limit` of them",
            "",
            |call, _| {
                let wrong = |_| Problem::new(StatusCode::BAD_REQUEST, "`limit` is no number");
                let limit = call.query("limit").map(str::parse).transpose().map_err(wrong)?.unwrap_or(20);
                let words = vec![call.query("words").unwrap_or_default().to_owned()];
                Ok(Command::Tool(Tool::Search(ToolSearch { words, limit })))
            },
        ),
        (get(), "/servers/{name}/tools/{tool}", read, "Shows a tool", "", |call, _| {
            let tool = ["name", "tool"].map(|part| call.param(part).to_owned()).to_vec();
            Ok(Command::Tool(Tool::Show(ToolShow { tool })))
        }),
    ]
}

fn others(get: &Method, post: &Method, put: &Method, delete: &Method) -> Vec<Row> {
    let (get, post) = (|| get.clone(), || post.clone());
    let (profiles, files, tokens) = (("profiles", "write"), ("files", "read"), ALL);
    vec![
        (
            get(),
            "/status",
            ("status", "read"),
            "Tells the revision, servers, clients and problems",
            "",
            |_, _| Ok(Command::Status),
        ),
        (get(), "/doctor", ("status", "read"), "Checks everything that can be wrong", "", |_, _| {
            Ok(Command::Doctor)
        }),
        (get(), "/profiles", ("profiles", "read"), "Lists the profiles", "", |_, _| {
            Ok(Command::Profile(Profile::List))
        }),
        (get(), "/profiles/{name}", ("profiles", "read"), "Shows the servers of a profile", "", |call, _| {
            Ok(Command::Profile(Profile::Show { name: call.param("name").to_owned() }))
        }),
        (
            put.clone(),
            "/profiles/{name}",
            profiles,
            "Adds a profile, or puts other servers into it",
            "ProfileBody",
            |call, body| {
                let bodies::ProfileBody { servers } = parsed(body)?;
                if servers.is_empty() {
                    return Err(Problem::new(StatusCode::BAD_REQUEST, "a profile needs `servers`"));
                }
                Ok(Command::Profile(Profile::Add { name: call.param("name").to_owned(), servers }))
            },
        ),
        (delete.clone(), "/profiles/{name}", profiles, "Removes a profile", "", |call, _| {
            Ok(Command::Profile(Profile::Remove { name: call.param("name").to_owned() }))
        }),
        (get(), "/config/check", files, "Checks the catalogue, the settings and the policy", "", |_, _| {
            Ok(Command::Config(Config::Check))
        }),
        (get(), "/config/path", files, "Tells where the files are", "", |_, _| {
            Ok(Command::Config(Config::Path))
        }),
        (
            get(),
            "/config/history",
            ("servers", "read"),
            "Lists the revisions of the catalogue",
            "",
            |_, _| Ok(Command::Config(Config::History)),
        ),
        (get(), "/config/schema/{file}", files, "Tells the JSON Schema of a file", "", |call, _| {
            let file = SchemaFile::from_str(call.param("file"), false);
            let file = file.map_err(|_| {
                let known = ["catalogue", "settings", "policy"].map(str::to_owned);
                Problem::new(StatusCode::NOT_FOUND, "there is no such file").known(known)
            })?;
            Ok(Command::Config(Config::Schema { file }))
        }),
        (
            post(),
            "/config/undo",
            ("servers", "write"),
            "Puts the catalogue back to an earlier revision",
            "RevisionBody",
            |_, body| {
                let bodies::RevisionBody { revision } = parsed(body)?;
                Ok(Command::Config(Config::Undo { revision }))
            },
        ),
        (
            get(),
            "/tokens",
            ("tokens", "list"),
            "Lists the tokens, without the tokens themselves",
            "",
            |_, _| Ok(Command::Token(Token::List)),
        ),
        (post(), "/tokens", tokens, "Makes a token, and tells it once", "TokenBody", |_, body| {
            let bodies::TokenBody { name, permissions } = parsed(body)?;
            Ok(Command::Token(Token::Create(TokenCreate { name, permissions })))
        }),
        (delete.clone(), "/tokens/{name}", tokens, "Revokes a token", "", |call, _| {
            Ok(Command::Token(Token::Revoke { name: call.param("name").to_owned() }))
        }),
    ]
}

fn name(call: &Call) -> Name {
    Name { name: call.param("name").to_owned() }
}

fn id(call: &Call) -> String {
    call.param("id").to_owned()
}

fn one(call: &Call) -> Which {
    Which { ids: vec![id(call)], all: false }
}

/// All linked clients.
pub(super) fn all() -> Which {
    Which { ids: Vec::new(), all: true }
}

fn entry(call: &Call, body: &[u8]) -> Result<Entry, Box<Problem>> {
    let bodies::EntryBody { server } = parsed(body)?;
    Ok(Entry { id: id(call), server })
}
