//! Changes of the catalogue and the settings, and what follows from them.

use switchboard_core::catalogue;
use switchboard_core::catalogue::edit::{EditError, ServerEdit, edited};
use switchboard_core::document::{Change, Document, Format};
use switchboard_core::settings::{self, Mode};

use crate::approval::quoted;
use crate::execute::{Choice, Push, Pushed, push_all, write_own};
use crate::fail::{Code, Done, Failure};
use crate::home::Home;
use crate::observe::{Linked, linked};
use crate::schema;
use crate::ui::{Mark, Ui};

/// Changes the catalogue, records the revision and writes the clients that are kept in step at once.
///
/// In a dry run the new text is only shown against the old.
///
/// # Errors
/// The catalogue's file is wrong, the names do not fit, or the file cannot be written.
pub(crate) fn catalogue(home: &mut Home, ui: &Ui, edits: &[ServerEdit]) -> Done {
    record(home, ui, edits)?;
    if ui.dry_run { Ok(()) } else { push_auto(home, ui) }
}

/// Changes the catalogue and records the revision; no client is written yet.
///
/// # Errors
/// As [`catalogue()`].
pub(crate) fn record(home: &mut Home, ui: &Ui, edits: &[ServerEdit]) -> Done {
    home.check_catalogue()?;
    let text = edited(&begun(home), edits).map_err(|error| refused(&error))?;
    put(home, ui, &text)
}

/// Puts a whole new text in the place of the catalogue's.
///
/// # Errors
/// The text is not a good catalogue, or the file cannot be written.
pub(crate) fn replace_catalogue(home: &mut Home, ui: &Ui, text: &str) -> Done {
    put(home, ui, text)?;
    if ui.dry_run { Ok(()) } else { push_auto(home, ui) }
}

fn put(home: &mut Home, ui: &Ui, text: &str) -> Done {
    let parsed = catalogue::parse(text);
    if !parsed.is_good() {
        return Err(Failure::new(Code::BadFile, "change the catalogue: it would be wrong afterwards")
            .with_problems(&home.short(&home.dirs.catalogue()), parsed.problems));
    }
    if ui.dry_run {
        show_difference(ui, &home.short(&home.dirs.catalogue()), home.catalogue.text(), text);
        // What would follow is planned upon it; nothing of it is kept.
        home.catalogue.catalogue = parsed.value;
        return Ok(());
    }
    let path = home.dirs.catalogue();
    if home.catalogue.file.is_none() {
        schema::write(home)?;
    }
    let file = write_own(home, &path, home.catalogue.file.as_ref(), text)?;
    home.catalogue.file = Some(file);
    home.catalogue.catalogue = parsed.value;
    home.catalogue.problems = parsed.problems;
    home.catalogue.last_good = false;
    home.record_revision()
}

/// The text that edits begin from: a new file names its schema first.
fn begun(home: &Home) -> String {
    match &home.catalogue.file {
        Some(_) => home.catalogue.text().to_owned(),
        None => format!("{}\n", schema::CATALOGUE_LINE),
    }
}

fn refused(error: &EditError) -> Failure {
    match error {
        EditError::Unknown(name) => Failure::usage(format!("change server `{name}`"))
            .because("the catalogue has none of that name")
            .hint("see `switchboard server list`"),
        EditError::Taken(name) => Failure::usage(format!("add server `{name}`"))
            .because("the catalogue has one of that name already")
            .hint(format!(
                "change it with `switchboard server edit {}`, or choose another name",
                quoted(name.as_str())
            )),
        EditError::Unreadable(error) => Failure::new(Code::BadFile, "change the catalogue").because(error),
        EditError::Refused(error) => {
            Failure::new(Code::BadFile, "change the catalogue").because(error).hint(error.help())
        }
    }
}

/// Writes every client that is kept in step at once; those that cannot be written are told, the others go on.
///
/// # Errors
/// Our own state cannot be kept.
pub(crate) fn push_auto(home: &mut Home, ui: &Ui) -> Done {
    if !home.settings.is_good() || !home.settings.value.client_sync.auto_write_enabled {
        return Ok(());
    }
    let auto: Vec<Linked> =
        linked(home)?.into_iter().filter(|linked| linked.settings.mode == Mode::Auto).collect();
    let auto: Vec<&Linked> = auto.iter().collect();
    let pushed = push_all(home, &auto, &Choice::default(), &mut |_, _| ())?;
    for (client, Pushed { push, .. }) in auto.iter().zip(pushed) {
        match push {
            Push::InStep => {}
            Push::Written { done, .. } => {
                ui.marked(Mark::Good, format!("{}: {}", client.id(), in_short(&done)));
            }
            Push::NotWritten { why, hint } => {
                ui.note(format!("warning: {} was not written: {why}", client.id()));
                if let Some(hint) = hint {
                    ui.hint(hint);
                }
            }
        }
    }
    Ok(())
}

/// Returns what was done to a file in one line: where it is much of one kind, only how much.
pub(crate) fn in_short(done: &[String]) -> String {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for sentence in done {
        let (verb, rest) = sentence.split_once(" `").unwrap_or((sentence, ""));
        match kinds.iter_mut().find(|(known, _)| *known == verb) {
            Some((_, all)) => all.push(rest),
            None => kinds.push((verb, vec![rest])),
        }
    }
    let told = kinds.into_iter().map(|(verb, all)| match all.as_slice() {
        [""] => verb.to_owned(),
        few if few.len() <= 3 => {
            few.iter().map(|rest| format!("{verb} `{rest}")).collect::<Vec<_>>().join(", ")
        }
        many => format!("{verb} {} entries", many.len()),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Changes the settings by lossless edits.
///
/// # Errors
/// The file is wrong, or cannot be written.
pub(crate) fn settings(home: &mut Home, ui: &Ui, changes: &[Change]) -> Done {
    home.check_settings()?;
    let path = home.dirs.settings();
    let name = home.short(&path);
    let bytes = home.settings_file.as_ref().map(|file| file.bytes.clone());
    let before = match &bytes {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => format!("{}\n", schema::SETTINGS_LINE),
    };
    let wrong = |why: String| Failure::new(Code::BadFile, format!("change `{name}`")).because(why);
    let document = Document::parse(&before, Format::Toml).map_err(|error| wrong(error.to_string()))?;
    let text = document.revised(changes).map_err(|error| wrong(error.to_string()).hint(error.help()))?;
    let parsed = settings::parse(&text);
    if !parsed.is_good() {
        return Err(Failure::new(Code::BadFile, format!("change `{name}`: it would be wrong afterwards"))
            .with_problems(&name, parsed.problems));
    }
    if ui.dry_run {
        show_difference(ui, &name, &before, &text);
        home.settings = parsed;
        return Ok(());
    }
    if bytes.is_none() {
        schema::write(home)?;
    }
    home.settings_file = Some(write_own(home, &path, home.settings_file.as_ref(), &text)?);
    home.settings = parsed;
    Ok(())
}

/// Shows how a text would change, line by line.
pub(crate) fn show_difference(ui: &Ui, name: &str, before: &str, after: &str) {
    if before == after {
        ui.line(format!("{name} stays as it is"));
        ui.json(&serde_json::json!({ "file": name, "diff": "" }));
        return;
    }
    let lines = crate::diff::discreet(name, before, after, Format::Toml);
    let plain = anstream::adapter::strip_str(&lines.join("\n")).to_string();
    ui.json(&serde_json::json!({ "file": name, "diff": plain }));
    for line in lines {
        ui.line(line);
    }
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn much_of_one_kind_is_counted() {
        for (done, told) in [
            (vec!["add `a`"], "add `a`"),
            (
                vec!["update `a` (server `b`)", "add `c` in /work"],
                "update `a` (server `b`), add `c` in /work",
            ),
            (vec!["update `x`", "add `a`", "add `b`", "add `c`", "add `d`"], "update `x`, add 4 entries"),
            (vec![], ""),
        ] {
            let done: Vec<String> = done.into_iter().map(str::to_owned).collect();
            assert_eq!(in_short(&done), told);
        }
    }
}
