//! Every command line in the books is one that the program understands.

use clap::error::ErrorKind;

use crate::books::{BOOKS, quoted};
use crate::{none, text};

/// The commands that stand in code blocks, with their line.
fn typed(book: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<String> = None;
    for (number, line) in text(book).lines().enumerate() {
        if let Some(kind) = line.strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(kind.to_owned()) };
        } else if let Some(kind) = &fence {
            let command = if kind == "sh" { Some(line) } else { line.strip_prefix("$ ") };
            found.extend(command.map(|command| (number + 1, command.to_owned())));
        }
    }
    found
}

/// Why the program does not understand a command line; `None` if it does, or if the line is not about the program.
fn misunderstood(line: &str, whole: bool) -> Option<String> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    if let Some(rest) = line.strip_prefix("cargo xtask ") {
        let name = rest.split(' ').next().unwrap_or_default();
        let is_there = text("xtask/src/main.rs").contains(&format!("\"{name}\" =>"));
        return (!is_there).then(|| format!("there is no `cargo xtask {name}`"));
    }
    let words = line.strip_prefix("switchboard ").or_else(|| line.strip_prefix("cargo run --release -- "))?;
    let words = std::iter::once("switchboard").chain(words.split_whitespace());
    match switchboard::command().try_get_matches_from(words) {
        Ok(_) => None,
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
            // In running text a command may be named without what it is about.
            ErrorKind::MissingRequiredArgument | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                if !whole =>
            {
                None
            }
            _ => Some(error.to_string().lines().next().unwrap_or_default().to_owned()),
        },
    }
}

#[test]
fn every_command_in_the_books_is_understood() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for book in BOOKS {
        let (typed, quoted) = (typed(book), quoted(book));
        let lines = typed.iter().map(|line| (line, true)).chain(quoted.iter().map(|line| (line, false)));
        for ((number, line), whole) in lines {
            seen += usize::from(line.contains("switchboard "));
            wrong.extend(misunderstood(line, whole).map(|why| format!("{book}:{number}: `{line}`: {why}")));
        }
    }
    none(&wrong);
    assert!(seen > 10, "only {seen} commands were found in the books");
}

#[test]
fn what_is_no_command_is_told() {
    for line in
        ["switchboard fly", "switchboard client push --al", "cargo run --release -- upp", "cargo xtask tests"]
    {
        assert!(misunderstood(line, false).is_some(), "{line}");
    }
    assert!(misunderstood("switchboard client push", true).is_some());
}

#[test]
fn the_table_in_the_readme_has_every_command() {
    let readme = text("README.md");
    let table: Vec<Vec<&str>> = readme
        .lines()
        .skip_while(|line| *line != "## Commands")
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('`').skip(1).step_by(2).collect())
        .collect();
    let command = switchboard::command();
    let visible = |command: &clap::Command| -> Vec<String> {
        command
            .get_subcommands()
            .filter(|command| !command.is_hide_set() && command.get_name() != "help")
            .map(|command| command.get_name().to_owned())
            .collect()
    };
    let rows: Vec<String> = table.iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(rows, visible(&command));
    for row in table.iter().filter(|row| row.len() > 1) {
        let command = command.find_subcommand(row[0]).unwrap();
        assert_eq!(row[1..], visible(command), "{}", row[0]);
    }
}
