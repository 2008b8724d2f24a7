//! What the books name is there.

use std::path::Path;

use crate::{none, root, sources, text};

pub(crate) const BOOKS: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "STYLE.md"];

/// Names of the language and its library, which no file of ours defines.
const FOREIGN: [&str; 2] = ["Debug", "Display"];

/// What stands between backticks in running text, with its line.
pub(crate) fn quoted(book: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for (number, line) in text(book).lines().enumerate() {
        if line.starts_with("```") {
            in_fence = !in_fence;
        } else if !in_fence {
            found.extend(line.split('`').skip(1).step_by(2).map(|word| (number + 1, word.to_owned())));
        }
    }
    found
}

#[test]
fn what_the_books_name_exists() {
    let sources = sources();
    let defined = |name: &str| {
        sources.iter().any(|(_, text)| {
            ["struct", "enum", "trait", "type"].iter().any(|word| {
                let start = format!("{word} {name}");
                text.match_indices(&start).any(|(at, _)| !text[at + start.len()..].starts_with(is_of_word))
            })
        })
    };
    let function = |name: &str| {
        sources
            .iter()
            .any(|(_, text)| text.contains(&format!("fn {name}(")) || text.contains(&format!("fn {name}<")))
    };
    let mut missing = Vec::new();
    for book in BOOKS {
        for (line, word) in quoted(book) {
            let is_there = if let Some(name) = word.strip_suffix("()") {
                function(name)
            } else if let Some((of, name)) =
                word.split_once("::").filter(|_| word.starts_with(char::is_uppercase))
            {
                defined(of)
                    && (function(name)
                        || sources.iter().any(|(_, text)| text.contains(&format!("    {name}"))))
            } else if is_type(&word) {
                defined(&word) || FOREIGN.contains(&word.as_str())
            } else if word.starts_with("crates/") || word.starts_with("xtask/") || word.starts_with(".ci/") {
                root().join(&word).exists()
            } else if Path::new(&word).extension().is_some_and(|extension| extension == "rs") {
                sources.iter().any(|(path, _)| path.ends_with(&format!("/{word}")))
            } else if word.contains("::") && word.chars().all(|c| c.is_lowercase() || "_:".contains(c)) {
                let file = format!("/src/{}.rs", word.replace("::", "/"));
                sources.iter().any(|(path, _)| path.ends_with(&file))
            } else {
                true
            };
            if !is_there {
                missing.push(format!("{book}:{line}: there is no `{word}`"));
            }
        }
    }
    none(&missing);
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A word such as `ServerName`.
fn is_type(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
        && word.contains(char::is_lowercase)
        && word.chars().all(char::is_alphanumeric)
}

#[test]
fn links_between_the_books_lead_somewhere() {
    let mut missing = Vec::new();
    for book in BOOKS {
        for rest in text(book).split("](").skip(1) {
            let to = rest.split(')').next().unwrap_or_default();
            if !to.starts_with("http") && !root().join(to).exists() {
                missing.push(format!("{book}: there is no {to}"));
            }
        }
    }
    none(&missing);
}

#[test]
fn the_map_stays_short() {
    assert!(text("ARCHITECTURE.md").lines().count() <= 250);
}

#[test]
fn the_number_of_known_clients_is_the_true_one() {
    let number = switchboard_core::client::known::all().count();
    for (book, sentence) in [
        ("README.md", format!("\n{number} are known")),
        ("ARCHITECTURE.md", format!("each of the {number} clients")),
        ("CHANGELOG.md", format!("{number} known clients")),
    ] {
        assert!(text(book).contains(&sentence), "{book} does not say {sentence:?}");
    }
}
