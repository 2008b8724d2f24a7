//! `profile`: named subsets of the servers.

use serde_json::json;
use switchboard_core::document::{Change, Document, Format, Step};
use switchboard_core::nearest::nearest;
use switchboard_core::select::select;
use switchboard_core::value::Value;
use switchboard_host::dirs::Env;

use crate::change;
use crate::cli::Profile as Verb;
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::ui::{Mark, Ui};

/// Runs one of the verbs.
///
/// # Errors
/// As the verb says.
pub(crate) fn run(verb: Verb, env: Env, ui: &Ui) -> Done {
    match verb {
        Verb::List => list(&Home::look(env)?, ui),
        Verb::Show { name } => show(&Home::look(env)?, ui, &name),
        Verb::Add { name, servers } => {
            let mut home = Home::open(env, "switchboard profile add", ui.dry_run)?;
            crate::cmd::server::new_name(&name)?;
            edit(
                &mut home,
                ui,
                Change::set(path(&name), Value::Map(vec![("servers".to_owned(), Value::texts(servers))])),
            )?;
            ui.marked(Mark::Good, format!("profile `{name}` is set"));
            Ok(())
        }
        Verb::Remove { name } => {
            let mut home = Home::open(env, "switchboard profile remove", ui.dry_run)?;
            known(&home, &name)?;
            // The last one takes the table around it along.
            let last = home.catalogue.catalogue.profiles.len() == 1;
            let whole = path(&name);
            let gone = if last { &whole[..1] } else { &whole[..] };
            edit(&mut home, ui, Change::remove(gone))?;
            ui.marked(Mark::Good, format!("profile `{name}` removed"));
            Ok(())
        }
    }
}

fn path(name: &str) -> [Step; 2] {
    [Step::key("profiles"), Step::key(name)]
}

fn known<'h>(home: &'h Home, name: &str) -> Result<&'h [String], Failure> {
    let profiles = &home.catalogue.catalogue.profiles;
    profiles.get(name).map(Vec::as_slice).ok_or_else(|| {
        let failure = Failure::usage(format!("find profile `{}`", name.escape_debug()));
        match nearest(name, profiles.keys().map(String::as_str)) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("see `switchboard profile list`"),
        }
    })
}

fn chosen(home: &Home, selectors: &[String]) -> Vec<String> {
    select(&home.catalogue.catalogue, selectors).iter().map(|server| server.name.to_string()).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "all verbs have one shape")]
fn list(home: &Home, ui: &Ui) -> Done {
    let profiles = &home.catalogue.catalogue.profiles;
    ui.json(
        &profiles
            .iter()
            .map(|(name, selectors)| json!({ "name": name, "servers": selectors, "chosen": chosen(home, selectors) }))
            .collect::<Vec<_>>(),
    );
    if profiles.is_empty() {
        ui.line("there are no profiles");
        ui.hint("add one with `switchboard profile add NAME SERVER..`");
        return Ok(());
    }
    ui.table(
        ["PROFILE", "SELECTS", "SERVERS"],
        profiles
            .iter()
            .map(|(name, selectors)| [name.clone(), selectors.join(" "), chosen(home, selectors).join(" ")]),
    );
    Ok(())
}

fn show(home: &Home, ui: &Ui, name: &str) -> Done {
    let selectors = known(home, name)?;
    let servers = chosen(home, selectors);
    ui.json(&json!({ "name": name, "servers": selectors, "chosen": servers }));
    for server in &servers {
        ui.line(server);
    }
    Ok(())
}

fn edit(home: &mut Home, ui: &Ui, edit: Change) -> Done {
    home.check_catalogue()?;
    let wrong = |why: String| Failure::new(Code::BadFile, "change the catalogue").because(why);
    let text = home.catalogue.text().to_owned();
    let document = Document::parse(&text, Format::Toml).map_err(|error| wrong(error.to_string()))?;
    let after = document.revised(&[edit]).map_err(|error| wrong(error.to_string()))?;
    change::replace_catalogue(home, ui, &after)
}
