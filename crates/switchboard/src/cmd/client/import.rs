//! `client import`: unmanaged entries into servers of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use switchboard_core::catalogue::Server;
use switchboard_core::catalogue::edit::ServerEdit;
use switchboard_core::client::bridge::Bridge;
use switchboard_core::client::import::{
    ImportPlan, Secrets as What, client_only, import as plan_import, may_need_login,
};
use switchboard_core::client::reconcile::Verdict;
use switchboard_core::client::scan::Found;
use switchboard_core::plan::FileState;
use switchboard_host::secret::{FileSecrets, Secret, Secrets as _};

use crate::approval::{Approvals, in_full, quoted};
use crate::change;
use crate::cli::Which;
use crate::execute::{Choice, remember};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::observe::{Linked, Look, Observer, chosen};
use crate::ui::{Mark, Ui, counted};

/// What is to be imported.
#[derive(Clone, Debug, Default)]
pub(crate) struct Take {
    /// These entries; all that the clients would use when empty.
    pub(crate) aliases: Vec<String>,
    /// Secrets stand in the catalogue as they stood in the file.
    pub(crate) keep_secrets: bool,
    /// What happens to the entries that are managed from now on.
    pub(crate) then: Then,
}

/// What happens to entries after an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Then {
    /// They are written where clients are kept in step at once, and stay pending elsewhere.
    #[default]
    ByMode,
    /// They are written at once.
    Push,
    /// They stay pending: the caller shows the plan first.
    Leave,
}

/// Makes catalogue servers out of clients' own entries.
///
/// # Errors
/// Nobody agreed to what would be run; a client is not linked.
pub(crate) fn import(
    home: &mut Home,
    ui: &Ui,
    which: &Which,
    aliases: &[String],
    keep_secrets: bool,
) -> Done {
    let clients = chosen(home, &which.ids, which.all)?;
    import_all(home, ui, &clients, &Take { aliases: aliases.to_vec(), keep_secrets, then: Then::ByMode })
}

/// Makes catalogue servers out of these clients' own entries.
///
/// # Errors
/// As [`import`].
pub(crate) fn import_all(home: &mut Home, ui: &Ui, clients: &[Linked], take: &Take) -> Done {
    let looks = Observer::new(home)?.plan(clients);
    import_looks(home, ui, looks, take)
}

/// What one client gives, with the plan for it.
struct Part {
    look: Look,
    plan: ImportPlan,
}

/// Makes catalogue servers out of the entries that were found.
///
/// # Errors
/// As [`import`].
pub(crate) fn import_looks(home: &mut Home, ui: &Ui, looks: Vec<Look>, take: &Take) -> Done {
    home.check_catalogue()?;
    let parts = parts(home, ui, looks, take)?;
    let servers: Vec<&Server> = parts.iter().flat_map(|part| &part.plan.servers).collect();
    let relations = parts.iter().map(|part| part.plan.relations.len()).sum::<usize>();
    let secrets: BTreeMap<&String, &String> = parts.iter().flat_map(|part| &part.plan.secrets).collect();
    for part in &parts {
        part.plan.notes.iter().for_each(|note| ui.note(format!("note: {}: {note}", part.look.linked.id())));
    }
    if relations == 0 {
        ui.json(&json!({ "servers": [], "entries": 0 }));
        ui.line("there is nothing to import");
        return Ok(());
    }
    for server in &servers {
        ui.heading(format!("{} would be a server of the catalogue", server.name));
        in_full(&server.launch).iter().for_each(|line| ui.line(format!("  {line}")));
    }
    if !secrets.is_empty() {
        let names = secrets.keys().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        ui.line(format!("secrets to be stored apart, readable for you only: {names}"));
    }
    if ui.dry_run {
        let edits: Vec<ServerEdit> =
            servers.iter().map(|server| ServerEdit::Add(Box::new((*server).clone()))).collect();
        ui.json(&summary(&parts));
        change::catalogue(home, ui, &edits)?;
        for part in parts {
            let mut record = part.look.record;
            record.path = part.look.linked.path.to_string_lossy().into_owned();
            part.plan.relations.into_iter().for_each(|relation| record.put(relation));
            home.relations.clients.insert(part.look.linked.id().clone(), record);
        }
        return Ok(());
    }
    if !servers.is_empty() {
        ui.consent("Import these servers? From then on they may be started.", "import")?;
    }
    carry_out(home, ui, &parts)?;
    ui.json(&summary(&parts));
    ui.marked(
        Mark::Good,
        format!(
            "{} imported, {relations} {} managed now",
            counted(servers.len(), "server"),
            if relations == 1 { "entry is" } else { "entries are" },
        ),
    );
    match take.then {
        Then::Leave => Ok(()),
        Then::Push => {
            let clients: Vec<Linked> = parts.into_iter().map(|part| part.look.linked).collect();
            super::push_all(home, &Ui { yes: true, ..ui.clone() }, &clients, &Choice::default())
        }
        Then::ByMode => {
            change::push_auto(home, ui)?;
            crate::cmd::status::pending_hint(home, ui);
            Ok(())
        }
    }
}

fn summary(parts: &[Part]) -> serde_json::Value {
    json!({
        "servers": parts.iter().flat_map(|part| &part.plan.servers).map(|server| &server.name).collect::<Vec<_>>(),
        "entries": parts.iter().flat_map(|part| part.plan.relations.iter().map(move |relation| json!({
            "client": part.look.linked.id(), "section": relation.section,
            "alias": relation.alias, "server": relation.server,
        }))).collect::<Vec<_>>(),
        "secrets": parts.iter().flat_map(|part| part.plan.secrets.keys()).collect::<Vec<_>>(),
        "notes": parts.iter().flat_map(|part| &part.plan.notes).collect::<Vec<_>>(),
    })
}

/// Plans client by client, each upon the catalogue that those before it lead to.
fn parts(home: &Home, ui: &Ui, looks: Vec<Look>, take: &Take) -> Result<Vec<Part>, Failure> {
    let observer = Observer::new(home)?;
    let mut grown: Vec<Server> = home.catalogue.catalogue.servers().to_vec();
    let mut parts = Vec::new();
    for look in looks {
        match look.plan.state {
            FileState::Read => {}
            FileState::Missing | FileState::Shared(_) => continue,
            _ => {
                ui.note(format!("warning: {} is left alone: {}", look.linked.id(), look.plan.summary()));
                for problem in &look.plan.problems {
                    ui.problem(&home.short(&look.linked.path), problem);
                }
                continue;
            }
        }
        let catalogue = switchboard_core::catalogue::Catalogue::new(
            grown.clone(),
            home.catalogue.catalogue.profiles.clone(),
        );
        let same = observer.same_in(&catalogue);
        let mut passed_over = Vec::new();
        let chosen = candidates(&look, take, observer.bridge(), &mut passed_over);
        let what = if take.keep_secrets { What::Keep } else { What::Store };
        let variables = look.linked.settings.known.variables;
        let mut plan = plan_import(&chosen, variables, &look.record, &catalogue, what, &same);
        plan.notes.extend(passed_over);
        grown.extend(plan.servers.iter().cloned());
        parts.push(Part { look, plan });
    }
    Ok(parts)
}

/// The entries to import: the client's own that it would use, and those that are a server of the catalogue already.
fn candidates<'l>(
    look: &'l Look,
    take: &Take,
    bridge: &Bridge,
    passed_over: &mut Vec<String>,
) -> Vec<&'l Found> {
    let own: BTreeSet<(Option<&str>, &str)> = look
        .plan
        .items
        .iter()
        .filter(|item| matches!(item.verdict, Verdict::Unmanaged | Verdict::TakeOver))
        .map(|item| (item.section.as_deref(), item.alias.as_str()))
        .collect();
    let own = |found: &Found| own.contains(&(found.section.as_deref(), found.alias.as_str()));
    let variables = look.linked.settings.known.variables;
    let named = |found: &Found| take.aliases.iter().any(|alias| found.alias.as_str() == alias);
    look.plan
        .found
        .iter()
        .filter(|found| own(found) && found.launch.as_ref().is_some_and(|launch| !bridge.leads_to_us(launch)))
        .filter(|found| {
            if !take.aliases.is_empty() {
                return named(found);
            }
            if !found.enabled {
                passed_over
                    .push(format!("`{}` is switched off there and stays the client's own", found.alias));
            }
            let alone = found.launch.as_ref().and_then(|launch| client_only(launch, variables));
            if let Some(text) = alone.as_ref().filter(|_| found.enabled) {
                passed_over.push(format!(
                    "`{}` uses `{text}`, which the client alone fills in, and stays the client's own",
                    found.alias
                ));
            }
            // `up` must not break what runs: whoever asks for an import by name of the command gets all of them.
            let login = take.then == Then::Leave && found.launch.as_ref().is_some_and(may_need_login);
            if login && found.enabled && alone.is_none() {
                passed_over.push(format!(
                    "`{}` has no token, so a login that only the client has may be needed; it stays the client's own \
                     (take it over all the same with `switchboard client import {} --server {}`)",
                    found.alias,
                    look.linked.id(),
                    quoted(found.alias.as_str())
                ));
            }
            found.enabled && alone.is_none() && !login
        })
        .collect()
}

/// Secrets first, then the catalogue, then the records: whatever a crash or a refusal leaves out is found again by the
/// next import. A record of a server that the catalogue does not have would have its entry removed.
fn carry_out(home: &mut Home, ui: &Ui, parts: &[Part]) -> Done {
    let store = FileSecrets::new(home.dirs.secrets());
    let mut approvals = Approvals::load(&home.dirs);
    let mut edits = Vec::new();
    for part in parts {
        for (name, secret) in &part.plan.secrets {
            store
                .set(name, &Secret::from(secret.as_str()))
                .map_err(|error| Failure::failed("keep a secret").caused_by(&error))?;
        }
        edits.extend(part.plan.servers.iter().map(|server| ServerEdit::Add(Box::new(server.clone()))));
    }
    if !edits.is_empty() {
        // The clients are written afterwards, by the records that then stand.
        change::record(home, ui, &edits)?;
    }
    let servers = parts.iter().flat_map(|part| &part.plan.servers);
    approvals.add_all(servers.map(|server| (server.name.as_str(), &server.launch)), &home.dirs)?;
    for part in parts {
        let mut record = part.look.record.clone();
        part.plan.relations.iter().for_each(|relation| record.put(relation.clone()));
        remember(home, &part.look, record)?;
    }
    Ok(())
}
