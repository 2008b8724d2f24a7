//! Links: which clients' files are kept in step.

use serde_json::json;
use switchboard_core::client::known::{self, Known, Status};
use switchboard_core::document::{Change, Step};
use switchboard_core::name::ClientId;
use switchboard_core::settings::Mode;
use switchboard_core::value::Value;

use crate::change;
use crate::cli::{FaceArg, Link, ToolsArg, ViaArg};
use crate::cmd::status;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::observe::{Observer, chosen, linked, usual_path};
use crate::ui::{Mark, Ui};

/// A link to be made or changed.
#[derive(Clone, Debug)]
pub(crate) struct NewLink {
    pub(crate) id: ClientId,
    /// The known client whose dialect it has, when that is not told by the id.
    pub(crate) dialect: Option<&'static str>,
    /// Its file, when it is not at the usual place.
    pub(crate) path: Option<String>,
    pub(crate) mode: Option<Mode>,
    pub(crate) via: Option<&'static str>,
    pub(crate) face: Option<&'static str>,
    pub(crate) tools: Option<&'static str>,
    pub(crate) servers: Vec<String>,
}

/// Returns the changes of the settings that make a link.
pub(crate) fn link_change(link: &NewLink) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut put = |key: &str, value: Value| {
        let path = [Step::key("clients"), Step::item("id", link.id.as_str()), Step::key(key)];
        changes.push(Change::set(path, value));
    };
    if let Some(dialect) = link.dialect {
        put("dialect", Value::text(dialect));
    }
    if let Some(path) = &link.path {
        put("path", Value::text(path));
    }
    if let Some(mode) = link.mode {
        put("mode", Value::text(status::mode(mode)));
    }
    if let Some(via) = link.via {
        put("via", Value::text(via));
    }
    if let Some(face) = link.face {
        put("face", Value::text(face));
    }
    if let Some(tools) = link.tools {
        put("tools", Value::text(tools));
    }
    if !link.servers.is_empty() {
        put("servers", Value::texts(link.servers.iter().map(String::as_str)));
    }
    changes
}

/// Links a client, or changes how it is linked.
///
/// # Errors
/// The client is unknown, or has no file of its own that could be written.
pub(crate) fn link(home: &mut Home, ui: &Ui, args: Link) -> Done {
    let named = args.dialect.as_deref().unwrap_or(&args.id);
    let known = find_known(named)?;
    if let (Status::ImportOnly(note), None) = (known.status, &args.path) {
        return Err(Failure::failed(format!("link `{}`: {note}", known.id))
            .hint("import what it exports: name the file with --path"));
    }
    let id = id_of(home, &args, known)?;
    let mode = match (args.auto, args.manual) {
        (true, _) => Some(Mode::Auto),
        (_, true) => Some(Mode::Manual),
        _ => None,
    };
    let path = args.path.as_ref().map(|path| {
        let path = std::path::absolute(home.expand(&path.to_string_lossy())).unwrap_or_else(|_| path.clone());
        home.short(&path)
    });
    if path.is_none() && usual_path(home, known).is_none() {
        return Err(Failure::failed(format!("link `{}`: it has no usual place on this system", known.id))
            .hint(format!("name its file: switchboard client link {} --path FILE", args.id)));
    }
    let link = NewLink {
        dialect: (id.as_str() != known.id).then_some(known.id),
        id,
        // Named even when usual: what is linked must not move when a variable or a folder does.
        path: path.or_else(|| usual_path(home, known).map(|path| home.short(&path))),
        mode: mode.or_else(|| (!is_linked(home, &args.id)).then_some(Mode::Manual)),
        via: args.via.map(|via| match via {
            ViaArg::Bridge => "bridge",
            ViaArg::Http => "http",
            ViaArg::Direct => "direct",
        }),
        face: args.face.map(|face| match face {
            FaceArg::PerServer => "per-server",
            FaceArg::Single => "single",
        }),
        tools: args.tools.map(|tools| match tools {
            ToolsArg::Full => "full",
            ToolsArg::Search => "search",
        }),
        servers: args.servers,
    };
    change::settings(home, ui, &link_change(&link))?;
    if ui.dry_run {
        return Ok(());
    }
    let client = chosen(home, &[link.id.to_string()], false)?.remove(0);
    let look = Observer::new(home)?.plan(std::slice::from_ref(&client)).remove(0);
    ui.json(&status::client_json(&look));
    ui.marked(Mark::Good, format!("{} is linked ({})", link.id, status::mode(client.settings.mode)));
    ui.line(format!("  file   {}", home.short(&client.path)));
    ui.line(format!("  state  {}", look.plan.summary()));
    status::problems(home, ui, &[look]);
    if client.settings.mode == Mode::Auto {
        change::push_auto(home, ui)?;
    }
    Ok(())
}

fn is_linked(home: &Home, id: &str) -> bool {
    let real = known::find(id).map_or(id, |known| known.id);
    home.settings.value.clients.iter().any(|client| client.id.as_str() == real)
}

fn find_known(named: &str) -> Result<&'static Known, Failure> {
    known::find(named).ok_or_else(|| {
        let shown: String = named.chars().flat_map(char::escape_debug).collect();
        let failure = Failure::usage(format!("link client `{shown}`: it is not known"));
        match known::nearest(named) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure
                .hint("see `switchboard client list --all` for those that are known")
                .hint("name one that writes its file alike: --dialect cursor --path FILE"),
        }
    })
}

/// The id of the link: the known client's own, unless that is linked to another file already.
///
/// Two projects with a `.cursor/mcp.json` each are two links, the second called after its project.
fn id_of(home: &Home, args: &Link, known: &'static Known) -> Result<ClientId, Failure> {
    let text = if args.dialect.is_some() { args.id.as_str() } else { known.id };
    let id = ClientId::parse(text).map_err(|error| {
        Failure::usage(format!("link client `{}`", args.id.escape_debug())).because(error)
    })?;
    let (Some(path), None) = (&args.path, &args.dialect) else { return Ok(id) };
    let path = std::path::absolute(home.expand(&path.to_string_lossy())).unwrap_or_else(|_| path.clone());
    let taken = |id: &ClientId| {
        home.settings.value.clients.iter().any(|client| {
            client.id == *id && client.path.as_ref().is_some_and(|other| home.expand(other) != path)
        })
    };
    if !taken(&id) {
        return Ok(id);
    }
    let project = path
        .ancestors()
        .skip(1)
        .filter_map(|folder| folder.file_name())
        .map(|name| name.to_string_lossy().to_lowercase())
        .find(|name| !name.starts_with('.'))
        .unwrap_or_else(|| "other".to_owned());
    let plain: String = project.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut name = format!("{id}.{}", plain.trim_matches('-'));
    let mut number = 1;
    loop {
        let candidate = ClientId::parse(&name)
            .map_err(|error| Failure::usage(format!("link client `{name}`")).because(error))?;
        if !taken(&candidate) {
            return Ok(candidate);
        }
        number += 1;
        name = format!("{id}.{}{number}", plain.trim_matches('-'));
    }
}

/// Stops keeping a client's file in step. The file stays as it is.
///
/// # Errors
/// The client is not linked.
pub(crate) fn unlink(home: &mut Home, ui: &Ui, id: &str) -> Done {
    let client = chosen(home, &[id.to_owned()], false)?.remove(0);
    let id = client.id().clone();
    if !home.settings.value.clients.iter().any(|own| own.id == id) {
        return Err(Failure::failed(format!("unlink `{id}`"))
            .because("it is named in client_configs")
            .hint(format!("take it out of client_configs in {}", home.short(&home.dirs.settings()))));
    }
    let path = [Step::key("clients"), Step::item("id", id.as_str())];
    change::settings(home, ui, &[Change::remove(path)])?;
    if ui.dry_run {
        return Ok(());
    }
    let managed = home.relations.clients.get(&id).map_or(0, |record| record.relations.len());
    ui.json(&json!({ "unlinked": id, "entries_left": managed }));
    ui.marked(Mark::Good, format!("{id} is unlinked; {} stays as it is", home.short(&client.path)));
    if managed > 0 && linked(home)?.iter().all(|other| other.path != client.path) {
        ui.hint(format!(
            "its {managed} managed entries still reach their servers; to take them out, link it again and run `switchboard client undo {id}`"
        ));
    }
    Ok(())
}
