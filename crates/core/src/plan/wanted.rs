//! What is wanted of a client's file: which servers it is to have, and how each is to be told.

use crate::catalogue::{Catalogue, Server};
use crate::client::bridge::{Bridge, Joint, SINGLE};
use crate::client::dialect::{Dialect, Support};
use crate::client::reconcile::Wanted;
use crate::launch::{Launch, Remote};
use crate::name::ServerName;
use crate::problem::Problem;
use crate::select::select;
use crate::settings::{ClientSettings, Face, Tools, Via};

/// Returns what each entry of a client's file is to say.
///
/// # Errors
/// The settings ask for what there is not. Nothing may be written then, least of all something else.
pub fn wanted(
    catalogue: &Catalogue,
    client: &ClientSettings,
    dialect: &Dialect,
    bridge: &Bridge,
) -> Result<Wanted, Problem> {
    if client.via == Via::Http && bridge.address.url.is_empty() {
        let what = "`via = \"http\"` needs an address that stays, and `[http] listen` has no port";
        return Err(Problem::error(what).help("name a port in `[http] listen`"));
    }
    if client.face == Face::Single {
        let joint = joint(catalogue, client)?;
        let launch = match client.via {
            Via::Bridge => bridge.joint(&joint),
            Via::Http => bridge.address.launch(&client.id, Err(&joint)),
            Via::Direct => {
                let what = "`face = \"single\"` leads through the gateway, and `via = \"direct\"` past it";
                return Err(Problem::error(what).help("use via = \"bridge\" or \"http\" for this client"));
            }
        };
        return Ok(ServerName::parse(SINGLE).into_iter().map(|name| (name, launch.clone())).collect());
    }
    let launch: &dyn Fn(&Server) -> Launch = match client.via {
        Via::Bridge => &|server| bridge.launch(&server.name),
        Via::Http => &|server| bridge.address.launch(&client.id, Ok(&server.name)),
        Via::Direct => &|server| match &server.launch {
            // Told as another transport, it would be understood and not work.
            Launch::Remote { kind: Remote::Sse, .. } if dialect.spelling.sse == Support::No => {
                server.launch.clone()
            }
            launch => dialect.heard(launch),
        },
    };
    let chosen = select(catalogue, &client.servers);
    Ok(chosen.into_iter().map(|server| (server.name.clone(), launch(server))).collect())
}

/// Returns what the one entry of a client leads to: the gateway joins all servers, or those of a profile.
fn joint(catalogue: &Catalogue, client: &ClientSettings) -> Result<Joint, Problem> {
    let profile = match client.servers.as_slice() {
        [all] if all == "*" => None,
        [one] if one.starts_with("profile:") => one.strip_prefix("profile:").map(str::to_owned),
        chosen => {
            let words: Vec<String> = chosen.iter().map(|word| format!("'{word}'")).collect();
            let what = "one entry for several servers leads to all of them, or to those of a profile";
            return Err(Problem::error(what).help(format!(
                "make a profile with `switchboard profile add {0} {1}`, and say servers = [\"profile:{0}\"]",
                client.id,
                words.join(" ")
            )));
        }
    };
    if let Some(unknown) = profile.as_ref().filter(|name| !catalogue.profiles.contains_key(*name)) {
        let what = format!("there is no profile `{unknown}` for this client's one entry");
        return Err(Problem::error(what).help("see `switchboard profile list`"));
    }
    Ok(Joint { profile, search: client.tools == Tools::Search })
}
