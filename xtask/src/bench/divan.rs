//! The benchmarks of `switchboard-core`, run by cargo and read from what divan prints.

use std::collections::BTreeMap;
use std::time::Duration;

use super::table::{Row, Table};
use super::timer::{Times, written};
use super::{cargo, output};

/// How often the whole benchmark is run.
const ROUNDS: usize = 3;

/// The median times of a benchmark, by the names of group, function and argument.
type Figures = BTreeMap<String, Times>;

pub(super) fn documents(table: &mut Table) -> Result<(), String> {
    let figures = figures("documents")?;
    for (format, baseline) in [("json", "jsonc-parser"), ("toml", "toml_edit"), ("yaml", "saphyr")] {
        for (size, spelt) in [(10_000, "10 KB"), (100_000, "100 KB"), (1_000_000, "1 MB")] {
            let at = |what: &str| get(&figures, &format!("{format}/{what}/{size}"));
            let (theirs, parse, push) = (at("baseline")?, at("parse")?, at("push")?);
            let baseline = format!("{baseline} reads it in {}", written(theirs.median()));
            table.push(Row {
                what: format!("read {spelt} of {format}"),
                baseline: baseline.clone(),
                measured: parse.told(),
                ratio: Some(ratio(parse, theirs)),
                ..Row::default()
            });
            let ratio = ratio(push, theirs);
            table.push(Row {
                what: format!("push into {spelt} of {format}, without the disk"),
                baseline,
                goal: "twice the reading".to_owned(),
                measured: format!("{}; {:.2} of our own reading", push.told(), self::ratio(push, parse)),
                ratio: Some(ratio),
                met: Some(ratio <= 2.0),
            });
        }
    }
    Ok(())
}

pub(super) fn plans(table: &mut Table) -> Result<(), String> {
    let figures = figures("plans")?;
    let rows = [
        ("plan_all", "plan 40 clients that have nothing yet", Some(Duration::from_millis(10))),
        ("plan_nothing", "plan 40 clients in step, their 40 full files read", None),
        ("read_files", "of that, reading the 40 files", None),
        ("read_catalogue", "read the catalogue", None),
        ("name_content", "name the catalogue's content", None),
    ];
    for (name, what, goal) in rows {
        for servers in [100, 1_000, 10_000] {
            let times = get(&figures, &format!("{name}/{servers}"))?;
            let tenth = get(&figures, &format!("{name}/{}", servers / 10)).ok();
            let goal = goal.filter(|_| servers == 1_000);
            table.push(Row {
                what: format!("{what}, {servers} servers"),
                baseline: tenth.map_or_else(
                    || "-".to_owned(),
                    |tenth| format!("a tenth of it: {}", written(tenth.median())),
                ),
                goal: goal.map_or_else(|| "linear".to_owned(), |goal| format!("{}, linear", written(goal))),
                measured: times.told(),
                ratio: tenth.map(|tenth| ratio(times, tenth)),
                met: goal.map(|goal| times.median() <= goal),
            });
        }
    }
    Ok(())
}

fn ratio(times: &Times, baseline: &Times) -> f64 {
    times.median().as_secs_f64() / baseline.median().as_secs_f64()
}

fn get<'f>(figures: &'f Figures, name: &str) -> Result<&'f Times, String> {
    figures.get(name).ok_or_else(|| format!("the benchmark printed no `{name}`"))
}

fn figures(bench: &str) -> Result<Figures, String> {
    let mut figures = Figures::new();
    for _ in 0..ROUNDS {
        let printed = output(cargo().args([
            "bench",
            "--quiet",
            "--package",
            "switchboard-core",
            "--bench",
            bench,
            "--",
            "--min-time",
            "0.3",
            "--max-time",
            "2",
        ]))?;
        for (name, least, median) in read(&printed) {
            let times = figures.entry(name).or_default();
            times.begin_round();
            // Divan tells no more than these: the median of the three is its median, the least its least.
            for time in [least, median, median] {
                times.add(time);
            }
        }
    }
    Ok(figures)
}

/// Reads divan's tree: each line has its depth, a name, and columns of times.
fn read(printed: &str) -> Vec<(String, Duration, Duration)> {
    let mut path: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for line in printed.lines() {
        let Some(at) = line.find("─ ") else { continue };
        let depth = line[..at].chars().count() / 3;
        let rest = &line[at + "─ ".len()..];
        let mut words = rest.split_whitespace();
        let Some(name) = words.next() else { continue };
        path.truncate(depth);
        path.push(name);
        let columns: Vec<&str> = rest[name.len()..].split('│').map(str::trim).collect();
        if let [least, _, median, ..] = columns.as_slice()
            && let (Some(least), Some(median)) = (duration(least), duration(median))
        {
            found.push((path.join("/"), least, median));
        }
    }
    found
}

/// Reads a time as divan writes it: `12.34 ms`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_once(' ')?;
    let number: f64 = number.parse().ok()?;
    let scale = match unit {
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(number * scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_divan_prints_is_read() {
        let printed = "\
documents         fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ json                         │               │               │               │         │
│  ╰─ parse                     │               │               │               │         │
│     ├─ 10000    12.5 µs       │ 40 µs         │ 14 µs         │ 15 µs         │ 100     │ 100
│     │           800 MB/s      │ 250 MB/s      │ 714 MB/s      │ 666 MB/s      │         │
│     ╰─ 1000000  2 ms          │ 4 ms          │ 2.5 ms        │ 2.6 ms        │ 100     │ 100
╰─ alone          1 ns          │ 4 ns          │ 2 ns          │ 2 ns          │ 100     │ 100
";
        let names: Vec<_> = read(printed).into_iter().map(|(name, _, median)| (name, median)).collect();
        assert_eq!(
            names,
            [
                ("json/parse/10000".to_owned(), Duration::from_micros(14)),
                ("json/parse/1000000".to_owned(), Duration::from_micros(2_500)),
                ("alone".to_owned(), Duration::from_nanos(2)),
            ]
        );
    }
}
