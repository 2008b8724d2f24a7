//! What others download: the servers in the usual form, or the whole file that one client wants.
//!
//! References stay references, and what looks like a secret and stands openly in the catalogue is [`withheld()`]: an
//! export is made to be carried elsewhere.

mod withheld;

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::catalogue::{Catalogue, Server};
use crate::client::bridge::Bridge;
use crate::client::dialect::Dialect;
use crate::client::reconcile::Same;
use crate::client::relation::ClientRecord;
use crate::client::render::RenderError;
use crate::launch::{Launch, Remote};
use crate::plan::{Observed, plan_client, render_client, wanted};
use crate::problem::Problem;
use crate::settings::ClientSettings;

pub use withheld::withheld;

/// Why a client's file cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The client's settings ask for what is not there.
    #[error("{}", .0.what)]
    Settings(Problem),
    /// The client's file cannot say it.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl ExportError {
    /// Returns what a person can do about it.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Settings(problem) => problem.help.as_deref(),
            Self::Render(_) => None,
        }
    }
}

/// A client's whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its text.
    pub text: String,
    /// Servers that the client cannot be told; they are left out.
    pub problems: Vec<Problem>,
}

/// Returns the whole file as this client wants it: what a push would write where there is none.
///
/// # Errors
/// The settings ask for what is not there yet, or the client can be told none of the servers.
pub fn export(
    catalogue: &Catalogue,
    client: &ClientSettings,
    dialect: &Dialect,
    bridge: &Bridge,
) -> Result<Export, ExportError> {
    let catalogue = discreet(catalogue);
    let record = ClientRecord::default();
    let observed = Observed { text: None, last: None, document: None };
    let ours = wanted(&catalogue, client, dialect, bridge).map_err(ExportError::Settings)?;
    let plain = Launch::clone;
    let same = Same::of(&catalogue, &plain);
    let plan = plan_client(&client.id, dialect, &record, observed, Ok(ours), bridge, &same);
    let rendered = render_client(&plan, dialect, &record, "")?;
    let problems = plan.problems.into_iter().chain(rendered.problems).collect();
    Ok(Export { text: rendered.text, problems })
}

/// Returns the enabled servers as the value of `mcpServers` in the usual form, on one line, in the catalogue's order.
pub fn servers_json(catalogue: &Catalogue) -> String {
    serde_json::to_string(&Servers(catalogue)).unwrap_or_else(|_| "{}".to_owned())
}

/// Returns the catalogue with values that look like secrets withheld.
fn discreet(catalogue: &Catalogue) -> Catalogue {
    let servers =
        catalogue.servers().iter().map(|server| Server { launch: withheld(server), ..server.clone() });
    Catalogue::new(servers.collect(), catalogue.profiles.clone())
}

struct Servers<'c>(&'c Catalogue);

impl Serialize for Servers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for server in self.0.servers().iter().filter(|server| server.enabled) {
            map.serialize_entry(server.name.as_str(), &Entry::of(&withheld(server)))?;
        }
        map.end()
    }
}

/// A server in the usual form.
#[derive(Serialize)]
struct Entry<'l> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<&'l [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<&'l BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<&'l BTreeMap<String, String>>,
}

impl<'l> Entry<'l> {
    fn of(launch: &'l Launch) -> Self {
        let nothing = Self {
            r#type: "stdio",
            command: None,
            args: None,
            env: None,
            cwd: None,
            url: None,
            headers: None,
        };
        match launch {
            Launch::Stdio { command, args, env, cwd } => Self {
                command: Some(command),
                args: Some(args),
                env: Some(env).filter(|env| !env.is_empty()),
                cwd: cwd.as_deref(),
                ..nothing
            },
            Launch::Remote { kind, url, headers } => Self {
                r#type: match kind {
                    Remote::Http => "http",
                    Remote::Sse => "sse",
                },
                url: Some(url),
                headers: Some(headers).filter(|headers| !headers.is_empty()),
                ..nothing
            },
        }
    }
}

#[cfg(test)]
mod tests;
