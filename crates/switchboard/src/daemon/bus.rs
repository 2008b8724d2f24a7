//! The message bus: kept in touch with, for as long as the settings ask for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use switchboard_core::problem::Problem;
use switchboard_core::settings::ClientSync;
use switchboard_host::dbus::{self, Answer, Asks, BusError, Interface, Kind, Options};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::board::{Board, Next};
use super::desk::Desk;
use crate::api::{client_file, version_json};
use crate::ask::Ask;
use crate::cli::{Client, Command, Common, Which};

/// The bus that is followed now.
#[derive(Default)]
pub(crate) struct Bus {
    /// What decides which: bus and interface; `None` where none is wished for.
    wish: Option<(String, String)>,
    end: CancellationToken,
    /// Why it cannot be reached.
    note: Arc<Mutex<Option<Problem>>>,
}

impl Bus {
    /// Follows the bus that the settings ask for.
    pub(crate) fn follow(&mut self, handle: &Handle, sync: &ClientSync, desk: &Desk) {
        let wish = sync.dbus_notify.then(|| (sync.dbus_bus.clone(), sync.dbus_interface.clone()));
        if self.wish == wish {
            return;
        }
        self.end();
        self.end = CancellationToken::new();
        self.note = Arc::default();
        self.wish.clone_from(&wish);
        if let Some((bus, interface)) = wish {
            let (end, note, desk) = (self.end.clone(), Arc::clone(&self.note), desk.clone());
            // Ended by the token; the runtime that it runs in ends after it.
            handle.spawn(async move {
                tokio::select! {
                    () = end.cancelled() => {}
                    () = keep(&bus, &interface, &desk, &note) => {}
                }
            });
        }
    }

    /// Leaves the bus.
    pub(crate) fn end(&self) {
        self.end.cancel();
    }

    /// Returns why the bus cannot be reached. It is a note: nothing else depends on it.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Connects, announces every revision, and connects again when the bus goes away.
async fn keep(bus: &str, interface: &str, desk: &Desk, note: &Mutex<Option<Problem>>) {
    let put = |problem| *note.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    let interface = match Interface::parse(interface) {
        Ok(interface) => interface,
        Err(error) => return put(Some(problem(&error))),
    };
    let kind = if bus == "system" { Kind::System } else { Kind::Session };
    let options = Options { bus: kind, interface, address: None };
    let asks: Arc<dyn Asks> = Arc::new(Desk::clone(desk));
    let mut seen = desk.board().number();
    let mut failures = 0;
    loop {
        let version = version_json(&desk.board(), None);
        match dbus::Bus::connect(&options, &version, Arc::clone(&asks)).await {
            Ok(bus) => {
                put(None);
                failures = 0;
                info!("announcing on the {kind} as {}", options.interface.as_str());
                announce(&bus, desk, &mut seen).await;
                debug!("the {kind} is gone");
            }
            Err(error) => {
                if failures == 0 {
                    info!("no D-Bus: {error}");
                }
                put(Some(problem(&error)));
                // What no other try can mend is not tried again.
                if matches!(error, BusError::NotBuilt) {
                    return;
                }
            }
        }
        let mut random = [0; 4];
        // Without chance the pause is the longest, which is as good.
        let random = getrandom::fill(&mut random).map_or(u32::MAX, |()| u32::from_ne_bytes(random));
        tokio::time::sleep(dbus::pause(failures, random).max(Duration::from_millis(100))).await;
        failures += 1;
    }
}

/// Announces each revision, in order, until the bus is gone.
async fn announce(bus: &dbus::Bus, desk: &Desk, seen: &mut u64) {
    let mut news = desk.news();
    loop {
        loop {
            let board = Arc::clone(&news.borrow_and_update());
            let (number, board) = match board.after(*seen) {
                Next::Nothing => break,
                Next::Revision(bulletin) => (bulletin.number(), upto(&board, bulletin.number())),
                Next::Whole(bulletin, _) => (bulletin.number(), board),
            };
            if bus.announce(&version_json(&board, None)).await.is_err() {
                return;
            }
            *seen = number;
        }
        tokio::select! {
            () = bus.closed() => return,
            changed = news.changed() => if changed.is_err() { return },
        }
    }
}

/// Returns the board as it was when this revision was the newest.
fn upto(board: &Board, number: u64) -> Arc<Board> {
    let mut board = board.clone();
    board.forget_after(number);
    Arc::new(board)
}

fn problem(error: &BusError) -> Problem {
    let problem = Problem::warning(format!("no D-Bus: {error}"));
    match error.help() {
        Some(help) => problem.help(help),
        None => problem,
    }
}

impl Asks for Desk {
    fn config(&self, client: String) -> Answer<'_> {
        Box::pin(async move { client_file(&self.board(), &client) })
    }

    fn sync(&self) -> Answer<'_> {
        Box::pin(async move {
            let which = Which { ids: Vec::new(), all: true };
            let command = Command::Client(Client::Push { which, servers: Vec::new() });
            let wishes = Common { json: true, yes: true, ..Common::default() };
            let answer = self.ask(Ask { command, wishes, env: None, agreed: Vec::new() }).await;
            match (answer.document, answer.failure) {
                (Some(document), _) => Ok(document.to_string()),
                (None, Some(failure)) => Err(failure.sentence()),
                (None, None) => Ok("[]".to_owned()),
            }
        })
    }
}
