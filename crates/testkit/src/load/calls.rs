//! Calls, one after the other by each of some callers, and lists.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Fault;
use super::check;
use super::message::{Call, Era};
use super::options::{Calls, Http, List, Target};
use super::pipe::Pipe;
use super::session::Session;
use super::tally::Tally;

/// How many calls may fail one after the other before a caller gives up.
const PATIENCE: usize = 50;

/// When a caller stops.
#[derive(Clone, Copy, Debug)]
enum Limit {
    Calls(usize),
    Until(Instant),
}

impl Limit {
    fn allows(self, made: usize) -> bool {
        match self {
            Self::Calls(calls) => made < calls,
            Self::Until(end) => Instant::now() < end,
        }
    }

    fn of(plan: &Calls) -> Self {
        let until = || Self::Until(Instant::now() + Duration::from_secs_f64(plan.seconds));
        plan.count.map_or_else(until, Self::Calls)
    }
}

pub(super) async fn run(target: &Target, plan: &Calls) -> Result<Tally, Fault> {
    let call = Call { tool: plan.tool.clone(), bytes: plan.bytes, big: plan.big };
    let http = match target {
        Target::Http(http) => http,
        Target::Stdio(command) => return piped(command, plan, &call),
    };
    let mut sessions = Vec::new();
    for _ in 0..plan.callers {
        sessions.push(Session::open(http).await?);
    }
    let (sessions, warm) = all(http, sessions, &call, Limit::Calls(plan.warm)).await;
    let (sessions, mut tally) = all(http, sessions, &call, Limit::of(plan)).await;
    for session in sessions {
        session.close().await;
    }
    tally.count_faults(&warm);
    Ok(tally)
}

/// Has every session call until its limit, and returns them with what came of it.
async fn all(http: &Http, sessions: Vec<Session>, call: &Call, limit: Limit) -> (Vec<Session>, Tally) {
    let begin = Instant::now();
    let mut callers = JoinSet::new();
    for (caller, session) in sessions.into_iter().enumerate() {
        callers.spawn(one(http.clone(), session, call.clone(), caller, limit));
    }
    let (mut sessions, mut tally) = (Vec::new(), Tally::default());
    for (session, own) in callers.join_all().await {
        sessions.push(session);
        tally.join(own);
    }
    tally.whole = begin.elapsed();
    (sessions, tally)
}

async fn one(http: Http, mut session: Session, call: Call, caller: usize, limit: Limit) -> (Session, Tally) {
    let mut tally = Tally::default();
    let mut in_a_row = 0;
    let mut marks = Marks::new(caller);
    let mut made = 0;
    while limit.allows(made) && in_a_row < PATIENCE {
        made += 1;
        let done = session.call(&call, marks.next()).await;
        tally.add(&done);
        in_a_row = if done.is_ok() { 0 } else { in_a_row + 1 };
        // As clients do, and only then: everything else is the server's to mend.
        if done == Err(Fault::Lost)
            && let Ok(another) = Session::open(&http).await
        {
            session = another;
        }
    }
    (session, tally)
}

/// Texts that nobody else sends, in this process or another.
struct Marks {
    stem: String,
    mark: String,
    made: u64,
}

impl Marks {
    fn new(caller: usize) -> Self {
        Self { stem: format!("{:x}.{caller}.", std::process::id()), mark: String::new(), made: 0 }
    }

    fn next(&mut self) -> &str {
        use std::fmt::Write as _;
        self.made += 1;
        self.mark.clear();
        let _ = write!(self.mark, "{}{}.", self.stem, self.made);
        &self.mark
    }
}

/// Calls over one command's streams: each caller has one call under way.
fn piped(command: &[String], plan: &Calls, call: &Call) -> Result<Tally, Fault> {
    let mut pipe = Pipe::open(command)?;
    let mut id = 0;
    let warm = flight(&mut pipe, plan.callers, call, &mut id, Limit::Calls(plan.warm))?;
    let before = pipe.processor();
    let mut tally = flight(&mut pipe, plan.callers, call, &mut id, Limit::of(plan))?;
    tally.command = pipe.processor().zip(before).map(|(after, before)| after.saturating_sub(before));
    tally.count_faults(&warm);
    Ok(tally)
}

fn flight(pipe: &mut Pipe, callers: usize, call: &Call, id: &mut u64, limit: Limit) -> Result<Tally, Fault> {
    let begin = Instant::now();
    let mut tally = Tally::default();
    let mut marks = Marks::new(0);
    let mut under_way = HashMap::with_capacity(callers);
    let (mut lines, mut line, mut made) = (Vec::new(), String::new(), 0);
    // A limit of calls is one for each caller.
    let allowed = |made: usize| limit.allows(made / callers);
    loop {
        while under_way.len() < callers && allowed(made) {
            (made, *id) = (made + 1, *id + 1);
            let mut text = String::new();
            call.write(*id, marks.next(), Era::Legacy, &mut line, &mut text);
            under_way.insert(*id, (text, Instant::now()));
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
        }
        if !lines.is_empty() {
            pipe.send(&lines)?;
            lines.clear();
        }
        if under_way.is_empty() {
            break;
        }
        // Everything that has come is taken before anything is sent, as a client does that waits for events.
        loop {
            let (own, message) = pipe.answer()?;
            let at = Instant::now();
            let asked = own.and_then(|own| Some((own, under_way.remove(&own)?)));
            let Some((own, (text, begin))) = asked else {
                return Err(Fault::Wrong("an answer to nothing that was asked".to_owned()));
            };
            tally.add(&check::called(message, own, &text).map(|()| at - begin));
            if !pipe.has_more() {
                break;
            }
        }
    }
    tally.whole = begin.elapsed();
    Ok(tally)
}

pub(super) async fn list(target: &Target, plan: &List) -> Result<Tally, Fault> {
    let mut session = Session::open(target.http()?).await?;
    let mut tally = Tally::default();
    let begin = Instant::now();
    for at in 0..plan.warm + plan.count {
        let done = session.tools().await.and_then(|(time, names)| {
            check::whole(&names, plan.tools)?;
            Ok(time)
        });
        if at >= plan.warm || done.is_err() {
            tally.add(&done);
        }
    }
    tally.whole = begin.elapsed();
    session.close().await;
    Ok(tally)
}
