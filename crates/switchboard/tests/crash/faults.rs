//! The process killed at its system calls, and its file calls failing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use testkit::strace::{self, Point};
use testkit::tools::{is_soak, run_within};

use crate::judge::{Findings, judge};
use crate::stage::{CLIENTS, Client, Flow, Stage};

const ERRORS: [&str; 8] = ["ENOSPC", "EIO", "EROFS", "EACCES", "EDQUOT", "EINTR", "EMFILE", "EPERM"];

/// What takes longer hangs.
const LIMIT: Duration = Duration::from_secs(12);
/// How many points of a run are tried; all in a soak.
const KILLS: usize = 300;
/// How many calls are made to fail; all with every error in a soak, and with two of them otherwise.
const FAILURES: usize = 100;

/// Tries all cases, two at a time, each in a home of its own.
fn run(client: &'static Client, flow: Flow, cases: impl Fn(&[Point]) -> Vec<(Point, String)>) -> Findings {
    let begun = Instant::now();
    let first = Stage::set(client, flow);
    let points = strace::points(&first.command(), &first.path("trace"));
    let cases = cases(&points);
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Findings::default()));
    std::thread::scope(|scope| {
        let second = scope.spawn(|| work(&Stage::set(client, flow), &cases, &next, &findings));
        work(&first, &cases, &next, &findings);
        second.join().unwrap();
    });
    let findings = findings.into_inner().unwrap();
    println!(
        "{} {flow:?}: {} runs at {} calls: {:?}, {} left for the next run, {} faults, {:.1} s",
        client.id,
        findings.runs,
        points.len(),
        findings.states,
        findings.leftovers,
        findings.faults.len(),
        begun.elapsed().as_secs_f32(),
    );
    if flow != Flow::Broken {
        for fault in &findings.faults {
            println!("  {fault}");
        }
    }
    findings
}

fn work(stage: &Stage, cases: &[(Point, String)], next: &AtomicUsize, findings: &Mutex<Findings>) {
    while let Some((point, fault)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
        stage.reset();
        let mut found = match run_within(LIMIT, &mut strace::injected(fault, point, &stage.command())) {
            Some(status) => judge(stage, status),
            None => Findings { runs: 1, faults: vec!["it never ended".to_owned()], ..Findings::default() },
        };
        let place = format!("{} {:?} {fault} at {}", stage.client.id, stage.flow, point.line);
        found.faults.iter_mut().for_each(|what| *what = format!("{place}: {what}"));
        findings.lock().unwrap().add(found);
    }
}

/// In a soak all points are tried, else some.
fn chosen(points: &[Point], count: usize) -> Vec<Point> {
    if is_soak() { points.to_vec() } else { strace::sample(points, count) }
}

fn kill(client: &'static Client, flow: Flow, count: usize) -> Findings {
    run(client, flow, |points| {
        let points = chosen(points, count);
        points.into_iter().map(|point| (point, "signal=KILL".to_owned())).collect()
    })
}

fn fail(client: &'static Client, flow: Flow, count: usize) -> Findings {
    run(client, flow, |points| {
        // strace does not carry out what it lets fail, but a close that fails has closed the file all the same.
        let points: Vec<Point> = points.iter().filter(|point| point.call != "close").cloned().collect();
        let points = chosen(&points, count);
        let errors = |at: usize| {
            let all = if is_soak() { ERRORS.len() } else { 2 };
            (0..all).map(move |next| ERRORS[(at * all + next) % ERRORS.len()])
        };
        let cases = points.iter().enumerate();
        cases
            .flat_map(|(at, point)| errors(at).map(|error| (point.clone(), format!("error={error}"))))
            .collect()
    })
}

fn is_clean(findings: &Findings) {
    assert!(findings.runs > 0);
    let shown = &findings.faults[..findings.faults.len().min(20)];
    assert!(shown.is_empty(), "{} faults: {shown:#?}", findings.faults.len());
}

#[test]
fn killed_at_any_system_call_files_are_old_or_new_and_the_next_run_mends_all() {
    if strace::is_there() {
        let mut findings = Findings::default();
        for client in &CLIENTS {
            findings.add(kill(client, Flow::Push, KILLS));
        }
        is_clean(&findings);
    }
}

#[test]
fn whatever_call_fails_files_are_old_or_new_and_success_is_true() {
    if strace::is_there() {
        let mut findings = Findings::default();
        for client in &CLIENTS {
            findings.add(fail(client, Flow::Push, FAILURES));
        }
        is_clean(&findings);
    }
}

/// Every other command that writes client files.
#[test]
fn other_commands_are_as_safe_as_a_push() {
    if strace::is_there() {
        let mut findings = Findings::default();
        let flows = [Flow::Undo, Flow::Add, Flow::Import];
        let clients = if is_soak() { &CLIENTS[..] } else { &CLIENTS[1..2] };
        let all = || flows.iter().flat_map(|flow| clients.iter().map(move |client| (client, *flow)));
        for (client, flow) in all() {
            findings.add(kill(client, flow, KILLS / 4));
        }
        for (client, flow) in all().filter(|_| is_soak()) {
            findings.add(fail(client, flow, FAILURES));
        }
        is_clean(&findings);
    }
}

/// The judge counts only because it finds out a writer that truncates first and never looks at what became of it.
#[test]
fn a_broken_writer_is_found_out() {
    if strace::is_there() {
        let killed = kill(&CLIENTS[0], Flow::Broken, KILLS);
        assert!(killed.faults.iter().any(|fault| fault.ends_with(": torn")), "{killed:#?}");
        let failed = fail(&CLIENTS[0], Flow::Broken, FAILURES);
        let lied = |fault: &String| fault.contains(": success, but the file is ");
        assert!(failed.faults.iter().any(lied), "{failed:#?}");
    }
}
