//! User units of systemd: written, enabled, looked at, taken away.

use std::path::{Path, PathBuf};

use serde_json::json;
use switchboard_core::client::bridge::HOME_VARIABLE;
use switchboard_host::backup::Label;
use switchboard_host::dbus::{self, Interface};
use switchboard_host::dirs::{self, Env};
use switchboard_host::file::{self, ReadError, Snapshot};

use super::manager::Manager;
use crate::approval::quoted;
use crate::cli::ServiceInstall;
use crate::cmd::listen::{check_reference, find, path_of};
use crate::diff::unified;
use crate::execute::write_own;
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::listen::base;
use crate::service::every::Every;
use crate::service::stamp::{Whose, stamped, whose};
use crate::service::{NotAUnit, Pull, Setting, Sockets, Unit, systemd};
use crate::ui::{Mark, Ui};

/// Writes the units, and has them started.
///
/// # Errors
/// A unit is somebody else's, or was edited, and nobody agreed to its going; or it cannot be written.
pub(super) fn install(env: Env, ui: &Ui, args: ServiceInstall) -> Done {
    let home = Home::open(env, "switchboard service", ui.dry_run)?;
    // Who only pulls has no daemon that would be on a bus.
    let policy = if args.pull.is_none() { BusPolicy::of(&home)? } else { None };
    let (units, started) = units(&home, args)?;
    let folder = folder(&home)?;
    if ui.dry_run {
        if let Some(policy) = &policy {
            ui.heading(policy.path.display().to_string());
            policy.text.lines().for_each(|line| ui.line(format!("  {line}")));
        }
        for unit in &units {
            ui.heading(folder.join(&unit.name).display().to_string());
            for line in stamped(&unit.text).lines() {
                ui.line(format!("  {line}"));
            }
        }
        ui.json(
            &units
                .iter()
                .map(|unit| {
                    json!({
                        "unit": unit.name, "path": folder.join(&unit.name), "text": stamped(&unit.text),
                    })
                })
                .collect::<Vec<_>>(),
        );
        return Ok(());
    }
    dirs::make_folder(&folder).map_err(|error| {
        Failure::failed("make the folder of the units").caused_by(&error).hint(error.help())
    })?;
    let there = units
        .iter()
        .map(|unit| Ok((unit, look(&folder.join(&unit.name))?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    ask_about_others(ui, &home, &there)?;
    for (unit, there) in &there {
        let (path, text) = (folder.join(&unit.name), stamped(&unit.text));
        if text_of(there.as_ref()) == Some(&text) {
            ui.marked(Mark::Good, format!("{} is as it should be", home.short(&path)));
            continue;
        }
        write_own(&home, &path, there.as_ref(), &text)?;
        if there.is_some() {
            ui.hint(format!(
                "what runs by it runs on as it was until `systemctl --user restart {}`",
                unit.name
            ));
        }
        ui.marked(Mark::Good, format!("{} is written", home.short(&path)));
    }
    let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    let begun = begin(ui, &started);
    let placed = policy.as_ref().map_or(Ok(()), |policy| policy.write(&home, ui));
    ui.json(
        &json!({ "units": names, "folder": folder, "started": begun.as_ref().is_ok_and(|begun| *begun) }),
    );
    begun.and(placed)
}

/// The file that the bus of the machine wants, where the settings ask for that bus.
struct BusPolicy {
    path: PathBuf,
    text: String,
}

impl BusPolicy {
    fn of(home: &Home) -> Result<Option<Self>, Failure> {
        let sync = &home.settings.value.client_sync;
        if !sync.dbus_notify || sync.dbus_bus != "system" {
            return Ok(None);
        }
        let interface = Interface::parse(&sync.dbus_interface).map_err(|error| {
            let failure = Failure::failed("write the policy of the system bus").caused_by(&error);
            match error.help() {
                Some(help) => failure.hint(help),
                None => failure,
            }
        })?;
        let path = home.dirs.config().join(format!("{}.conf", interface.as_str()));
        Ok(Some(Self { path, text: dbus::policy(&interface) }))
    }

    /// Writes it, and says where it belongs: to put it there is for whoever runs the machine.
    fn write(&self, home: &Home, ui: &Ui) -> Done {
        let placed = Path::new(dbus::FOLDER).join(self.path.file_name().unwrap_or_default());
        if text_of(look(&placed)?.as_ref()) == Some(&self.text) {
            ui.marked(Mark::Good, format!("{} is as it should be", placed.display()));
            return Ok(());
        }
        let there = look(&self.path)?;
        if text_of(there.as_ref()) == Some(&self.text) {
            ui.marked(Mark::Good, format!("{} is as it should be", home.short(&self.path)));
        } else {
            write_own(home, &self.path, there.as_ref(), &self.text)?;
            ui.marked(Mark::Good, format!("{} is written", home.short(&self.path)));
        }
        ui.hint(format!(
            "the system bus wants it in its own folder: `sudo install -m 644 {} {}`",
            quoted(&self.path.to_string_lossy()),
            dbus::FOLDER
        ));
        Ok(())
    }
}

/// Returns the units, and those of them that are to be started.
fn units(home: &Home, args: ServiceInstall) -> Result<(Vec<Unit>, Vec<String>), Failure> {
    let wrong = |error: NotAUnit| {
        Failure::failed("write the units").because(error).hint("use a path of plain characters")
    };
    if let (Some(url), Some(client)) = (args.pull, args.client) {
        let known = find(&client)?;
        let every = Every::parse(&args.every).map_err(|why| {
            Failure::usage(format!("read --every: {why}")).hint("write it as --every 15min, 30min, 1h or 6h")
        })?;
        let path = path_of(home, known, args.path)?;
        args.token.as_deref().map(check_reference).transpose()?;
        let url = base(&url)?;
        let pull = Pull { url, client: known.id.to_owned(), path, token: args.token, every };
        let pulling = systemd::pull(&setting(home, &[])?, &pull).map_err(wrong)?;
        let started = vec![pulling.timer.name.clone()];
        return Ok((vec![pulling.service, pulling.timer], started));
    }
    let mut units = vec![systemd::daemon(&setting(home, &["PATH"])?).map_err(wrong)?];
    if args.socket {
        home.check_settings()?;
        let http = home.settings.value.http.listen.clone();
        let control = home.dirs.control_socket();
        units.extend(systemd::sockets(&Sockets { http, control }).map_err(wrong)?);
    }
    // The sockets first: the daemon is to find them.
    let started = units.iter().rev().map(|unit| unit.name.clone()).collect();
    Ok((units, started))
}

/// What a service must be told: where the program and the home are, since it does not see what a shell has set.
fn setting(home: &Home, more: &[&'static str]) -> Result<Setting, Failure> {
    let program = PathBuf::from(home.bridge()?.program);
    let mut vars = Vec::new();
    if let Some(own) = home.bridge()?.home {
        vars.push((HOME_VARIABLE, own));
    }
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME"].iter().chain(more) {
        if let Some(value) = home.env.var(name).and_then(|value| value.to_str()) {
            vars.push((name, value.to_owned()));
        }
    }
    Ok(Setting { program, vars })
}

fn folder(home: &Home) -> Result<PathBuf, Failure> {
    let config = home.env.xdg_config().ok_or_else(|| {
        Failure::failed("find the folder of the units: there is no home folder").hint("set `HOME`")
    })?;
    Ok(config.join("systemd/user"))
}

/// Reads a unit file, if there is one.
fn look(path: &Path) -> Result<Option<Snapshot>, Failure> {
    match file::read(path) {
        Ok(file) => Ok(Some(file)),
        Err(ReadError::Missing { .. }) => Ok(None),
        Err(error) => Err(Failure::failed("read a unit").caused_by(&error).hint(error.help())),
    }
}

fn text_of(file: Option<&Snapshot>) -> Option<&str> {
    file.map(|file| std::str::from_utf8(&file.bytes).unwrap_or_default())
}

/// A unit that somebody wrote or edited is not written over unasked.
fn ask_about_others(ui: &Ui, home: &Home, there: &[(&Unit, Option<Snapshot>)]) -> Done {
    for (unit, file) in there {
        let Some(text) = text_of(file.as_ref()) else { continue };
        let new = stamped(&unit.text);
        let what = match whose(text) {
            Whose::Edited if text != new => "was edited",
            Whose::Foreign => "is not of our making",
            Whose::Edited | Whose::Ours => continue,
        };
        for line in unified(&unit.name, &without_values(text), &without_values(&new)) {
            ui.line(line);
        }
        ui.note(format!(
            "{} {what}; a change that stays belongs into `systemctl --user edit {}`",
            unit.name, unit.name
        ));
        ui.consent(
            &format!(
                "Write {} anew? What it says now goes to the backups in {}.",
                unit.name,
                home.short(&home.dirs.backups())
            ),
            &format!("write `{}`: it {what}", unit.name),
        )?;
    }
    Ok(())
}

/// A unit without the values of its variables, which may be secrets.
fn without_values(text: &str) -> String {
    let hidden = |line: &str| match line.strip_prefix("Environment=").and_then(|rest| rest.split_once('=')) {
        Some((name, _)) => format!("Environment={name}=***\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(hidden).collect()
}

/// Has the units read and started; where no manager answers, says what to type.
fn begin(ui: &Ui, started: &[String]) -> Result<bool, Failure> {
    let Some(manager) = Manager::reach() else {
        ui.note("no service manager of yours can be reached from here; once you are logged in, run");
        ui.note("  systemctl --user daemon-reload");
        ui.note(format!("  systemctl --user enable --now {}", started.join(" ")));
        return Ok(false);
    };
    let failed = |why: String| {
        Failure::failed("start the units; they are written").because(why).hint(format!(
            "see why with `systemctl --user status {}`",
            started.first().map(String::as_str).unwrap_or_default()
        ))
    };
    manager.order(&["daemon-reload"]).map_err(failed)?;
    for unit in started {
        manager.order(&["enable", "--now", unit]).map_err(failed)?;
        ui.marked(Mark::Good, format!("{unit} is started, now and whenever you log in"));
    }
    Ok(true)
}

/// The units of ours in the folder, each with its file: timers and sockets first, since they start the others.
fn ours(folder: &Path, client: Option<&str>) -> Result<Vec<(String, PathBuf, Snapshot, Whose)>, Failure> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(Failure::failed("read the folder of the units").caused_by(&error)),
    };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some((stem, kind)) = name.rsplit_once('.') else { continue };
        let pulled = stem.strip_prefix(systemd::PULL);
        let mine = match client {
            Some(client) => pulled == Some(client),
            None => pulled.is_some() || [systemd::SERVICE, systemd::CONTROL, systemd::HTTP].contains(&&*name),
        };
        if !mine || !matches!(kind, "service" | "socket" | "timer") {
            continue;
        }
        let Some(file) = look(&path)? else { continue };
        let whose = whose(text_of(Some(&file)).unwrap_or_default());
        if whose != Whose::Foreign {
            found.push((name, path, file, whose));
        }
    }
    found.sort_by_key(|(name, ..)| (name.rsplit_once('.').map(|(_, kind)| kind == "service"), name.clone()));
    Ok(found)
}

/// Stops the units of ours and takes them away; those that were edited only when somebody agrees.
///
/// # Errors
/// One cannot be removed, or nobody agreed.
pub(super) fn uninstall(env: Env, ui: &Ui, client: Option<&str>) -> Done {
    let home = Home::open(env, "switchboard service", ui.dry_run)?;
    let client = client.map(find).transpose()?.map(|known| known.id);
    let units = ours(&folder(&home)?, client)?;
    let names: Vec<&str> = units.iter().map(|(name, ..)| name.as_str()).collect();
    if units.is_empty() {
        ui.json(&json!({ "removed": names }));
        ui.line("there is no unit of ours");
        return Ok(());
    }
    if ui.dry_run {
        ui.json(&json!({ "would_remove": names }));
        for (name, path, ..) in &units {
            ui.marked(Mark::Plan, format!("stop {name}, and remove {}", home.short(path)));
        }
        return Ok(());
    }
    for (name, _, _, whose) in &units {
        if *whose == Whose::Edited {
            ui.consent(
                &format!("{name} was edited. Remove it? What it says now goes to the backups."),
                &format!("remove `{name}`: it was edited"),
            )?;
        }
    }
    let manager = Manager::reach();
    for (name, path, file, _) in &units {
        if let Some(manager) = &manager
            && let Err(why) = manager.order(&["disable", "--now", name])
        {
            ui.note(format!("warning: {why}"));
        }
        let failed = || Failure::failed(format!("remove `{}`", home.short(path)));
        let label = Label::now(None, path, "before it was removed");
        home.backups()
            .keep(&file.bytes, &label)
            .map_err(|error| failed().caused_by(&error).hint(error.help()))?;
        file::remove(file).map_err(|error| failed().caused_by(&error))?;
        ui.marked(Mark::Good, format!("{name} is removed"));
    }
    match manager {
        Some(manager) => {
            if let Err(why) = manager.order(&["daemon-reload"]) {
                ui.note(format!("warning: {why}"));
            }
        }
        None => ui.note(
            "no service manager of yours can be reached from here; what runs, runs on until you log out",
        ),
    }
    ui.json(&json!({ "removed": names }));
    Ok(())
}

/// Tells which units of ours there are, and how they are.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn status(env: Env, ui: &Ui) -> Done {
    let home = Home::look(env)?;
    let units = ours(&folder(&home)?, None)?;
    let manager = Manager::reach();
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for (name, path, _, whose) in &units {
        let (enabled, active) = match &manager {
            Some(manager) => manager.state(name),
            None => ("unknown".to_owned(), "unknown".to_owned()),
        };
        let edited = *whose == Whose::Edited;
        values.push(json!({
            "unit": name, "path": path, "edited": edited, "enabled": enabled, "active": active,
        }));
        let file = format!("{}{}", home.short(path), if edited { ", edited" } else { "" });
        rows.push([name.clone(), enabled, active, file]);
    }
    ui.json(&json!({ "manager": manager.is_some(), "units": values }));
    if rows.is_empty() {
        ui.line("no unit of ours is installed");
        ui.hint("`switchboard service install` has the daemon started whenever you log in");
        return Ok(());
    }
    ui.table(["UNIT", "ENABLED", "ACTIVE", "FILE"], rows);
    if manager.is_none() {
        ui.note("no service manager of yours can be reached from here");
    }
    Ok(())
}
