//! The table of what is proposed, for people, and how it differs from the one that is kept.

#![expect(clippy::disallowed_methods, reason = "a file of the repository")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::judged::Judged;
use super::servers;
use crate::steps::root;

/// Where it is kept, from the root.
const KEPT: &str = "docs/policy-of-real-servers.md";

/// Keeps what is proposed now.
///
/// # Errors
/// The file cannot be written.
pub(super) fn keep(tools: &[Judged]) -> Result<(), String> {
    let path = path();
    let folder = path.parent().unwrap_or(&path);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, markdown(tools)));
    written.map_err(|error| format!("{KEPT}: {error}"))?;
    println!("{KEPT} has {} tools: read the difference", tools.len());
    Ok(())
}

/// Compares what is proposed with what is kept, and prints what differs.
///
/// # Errors
/// Something does.
pub(super) fn compare(tools: &[Judged]) -> Result<(), String> {
    let kept = fs::read_to_string(path()).map_err(|error| format!("{KEPT}: {error}"))?;
    let now = markdown(tools);
    if kept == now {
        println!("{KEPT} says the same of {} tools", tools.len());
        return Ok(());
    }
    for line in difference(&kept, &now) {
        println!("{line}");
    }
    Err(format!("{KEPT} says otherwise: if it should, `cargo xtask real --write` writes it anew"))
}

fn path() -> PathBuf {
    root().join(KEPT)
}

fn markdown(tools: &[Judged]) -> String {
    let count = |risk: &str| tools.iter().filter(|judged| judged.risk == risk).count();
    let packages: Vec<String> =
        servers::packages().map(|(name, version)| format!("`{name}` {version}")).collect();
    let mut out = format!(
        "# What is proposed for six real servers\n\n\
         Made by `cargo xtask real --write` from what `switchboard policy explain` says, with `cache = true` under\n\
         `[policy]` and nobody's own words; `cargo xtask real` compares it. The servers:\n{}.\n\n\
         {} tools: {} are safe, {} are medium, {} are high.\n\n\
         | server | tool | risk | decision | timeout | cache | permission | why |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        packages.join(",\n"),
        tools.len(),
        count("safe"),
        count("medium"),
        count("high"),
    );
    for judged in tools {
        let cells = [
            &judged.server,
            &judged.tool,
            &judged.risk,
            &judged.decision,
            &judged.timeout,
            &judged.cache,
            &judged.permission,
            &judged.why.join("; "),
        ];
        let cells = cells.iter().map(|cell| format!(" {} |", cell.replace('|', "\\|")).replace("  |", " |"));
        let _ = writeln!(out, "|{}", cells.collect::<String>());
    }
    out
}

/// The lines that are in one text alone, in the order of the texts.
fn difference(kept: &str, now: &str) -> Vec<String> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, new) = (lines(kept), lines(now));
    let gone = kept.lines().filter(|line| !new.contains(*line)).map(|line| format!("- {line}"));
    let come = now.lines().filter(|line| !old.contains(*line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(tool: &str, risk: &str) -> Judged {
        let text = str::to_owned;
        Judged {
            server: text("k8s"),
            tool: text(tool),
            risk: text(risk),
            decision: text("allow"),
            timeout: text("60s"),
            cache: String::new(),
            permission: text("k8s:pod:delete"),
            why: vec![text("`a|b` is one"), text("so is two")],
        }
    }

    #[test]
    fn a_row_tells_all_and_a_difference_tells_the_rows() {
        let (one, other) = (markdown(&[judged("x", "high")]), markdown(&[judged("x", "safe")]));
        let row = "| k8s | x | high | allow | 60s | | k8s:pod:delete | `a\\|b` is one; so is two |";
        assert!(one.ends_with(&format!("\n{row}\n")), "{one}");
        let told = difference(&one, &other);
        assert_eq!(told.len(), 4, "{told:?}");
        assert_eq!(told[1], format!("- {row}"));
        assert!(told[3].starts_with("+ | k8s | x | safe |"));
        assert_eq!(difference(&one, &one), [""; 0]);
    }
}
