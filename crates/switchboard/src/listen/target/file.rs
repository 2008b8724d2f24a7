//! A client's file, written by the rules of a push: what came from elsewhere is kept in step, everything else stays.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use switchboard_core::catalogue::Catalogue;
use switchboard_core::client::reconcile::Verdict;
use switchboard_core::client::relation::ClientRecord;
use switchboard_core::name::ClientId;
use switchboard_core::plan::{FileState, render_client, sentence};
use switchboard_core::settings::{Mode, Via};
use switchboard_host::dirs::Env;

use super::super::http::{ClientFile, Http};
use super::super::news::News;
use super::super::wire::Trouble;
use super::Setback;
use super::given::given;
use crate::approval::in_full;
use crate::diff::discreet;
use crate::execute::{self, Choice, Push};
use crate::fail::{Done, Failure};
use crate::home::Home;
use crate::observe::{Linked, Look, defaults, dialect_at};
use crate::ui::{Mark, Ui};

/// A client's file that is kept in step with another switchboard.
pub(in crate::listen) struct FileTarget {
    pub(in crate::listen) env: Env,
    pub(in crate::listen) ui: Ui,
    pub(in crate::listen) http: Http,
    /// The address that is followed, for people.
    pub(in crate::listen) from: String,
    /// The client, as it is known everywhere.
    pub(in crate::listen) client: &'static switchboard_core::client::known::Known,
    /// Under this name stands what came from there: apart from what the home itself gives the client.
    pub(in crate::listen) id: ClientId,
    /// Its file.
    pub(in crate::listen) path: PathBuf,
    /// What entries are to say; `None` as the other side has it.
    pub(in crate::listen) via: Option<&'static str>,
    /// The number and the name of the file that was taken last.
    pub(in crate::listen) etag: Option<(u64, String)>,
}

impl FileTarget {
    /// Fetches the client's file as it is at this revision, and writes what is new in it.
    pub(super) async fn apply(&mut self, news: &News) -> Result<bool, Setback> {
        // What was named before the other side began anew says nothing now.
        let etag = self.etag.as_ref().filter(|(number, _)| *number < news.number).map(|(_, etag)| &**etag);
        let file = self.http.client_file(self.client.id, self.via, etag).await.map_err(Setback::Later)?;
        let Some(ClientFile { text, etag }) = file else {
            self.told(news, "in step", &[]);
            return Ok(true);
        };
        let home = Home::look(self.env.clone()).map_err(Setback::Never)?;
        let linked = self.linked(&home);
        let catalogue = given(&text, &linked.dialect).map_err(Setback::Later)?;
        self.check_emptiness(&home, &catalogue, news)?;
        let choice = Choice { given: Some(Arc::new(catalogue)), ..Choice::default() };
        let settled = self.write(home, &linked, &choice, news)?;
        self.etag = etag.map(|etag| (news.number, etag));
        Ok(settled)
    }

    fn linked(&self, home: &Home) -> Linked {
        let mut settings = defaults(self.id.clone(), self.client, Mode::Manual);
        settings.via = Via::Direct;
        settings.path = Some(self.path.to_string_lossy().into_owned());
        let dialect = dialect_at(home, self.client, &self.path);
        Linked { settings, path: self.path.clone(), dialect }
    }

    /// A file without servers, from a switchboard that has some, where there were entries until now.
    fn check_emptiness(&self, home: &Home, catalogue: &Catalogue, news: &News) -> Result<(), Setback> {
        let had = home.relations.clients.get(&self.id).is_some_and(ClientRecord::has_managed);
        if news.count == 0 || !catalogue.is_empty() {
            return Ok(());
        }
        if !had {
            self.ui.note(format!("it gives none of its {} servers to {}", news.count, self.client.id));
            return Ok(());
        }
        Err(Setback::Later(
            Trouble::new(format!(
                "it has {} servers and suddenly gives none to {}; what there is stays",
                news.count, self.client.id
            ))
            .hint(format!("when that is meant, `switchboard client undo {}` takes them out", self.id)),
        ))
    }

    fn write(&self, home: Home, linked: &Linked, choice: &Choice, news: &News) -> Result<bool, Setback> {
        let look = plan(&home, linked, choice).map_err(Setback::Never)?;
        let name = home.short(&self.path);
        self.show_arrivals(&look, choice, &name);
        if self.ui.dry_run {
            self.dry_run(&look, &name);
            return Ok(false);
        }
        let first = look.plan.is_pending() && home.journal.of(self.id.as_str()).next().is_none();
        if first {
            self.ask(&look, &name).map_err(Setback::Never)?;
        }
        drop(home);
        // The plan is made anew under the lock, and that only when there is something to write.
        let mut home =
            Home::hold(self.env.clone(), "switchboard listen").map_err(|failure| held(&failure))?;
        let push = execute::push(&mut home, linked, choice).map_err(Setback::Never)?;
        match &push {
            Push::InStep => self.told(news, "in step", &[]),
            Push::Written { done, durable } => {
                self.told(news, "written", done);
                if let Err(why) = durable {
                    self.ui.note(format!("warning: {name}: the disk has not confirmed the write: {why}"));
                }
            }
            Push::NotWritten { why, hint } => {
                let hint = match look.plan.state {
                    FileState::Wiped | FileState::CutOff => Some(self.way_back()),
                    _ => hint.clone(),
                };
                let trouble = Trouble::new(format!("{name} was not written: {why}"));
                return Err(Setback::Later(Trouble { hint, ..trouble }));
            }
        }
        if first {
            self.ui.hint(format!("`switchboard client undo {}` takes it back", self.id));
        }
        let after = plan(&home, linked, choice).map_err(Setback::Never)?;
        for item in after.plan.conflicts().chain(after.plan.drifted()) {
            self.ui.note(format!("{name}: {}; it is left so", sentence(item)));
        }
        // What both sides changed is for a person to settle: until then it is looked at again.
        let disputed = after.plan.conflicts().next().is_some();
        if disputed {
            self.ui.hint(self.way_back());
        }
        Ok(!disputed)
    }

    /// What a person can type to have the file written again from the beginning.
    fn way_back(&self) -> String {
        format!(
            "`switchboard client undo {} --force` puts the file back to what it was before the last write, and it is \
             written anew; what it says now goes to the backups",
            self.id
        )
    }

    /// Shows what would be started or reached by every entry that is new, or says something new.
    fn show_arrivals(&self, look: &Look, choice: &Choice, name: &str) {
        let Some(catalogue) = &choice.given else { return };
        for item in look.plan.pending() {
            let Some(server) = item.server.as_ref().and_then(|server| catalogue.server(server.as_str()))
            else {
                continue;
            };
            if !matches!(item.verdict, Verdict::Add | Verdict::Update) {
                continue;
            }
            self.ui.heading(format!("{}, from {} into {name}:", item.alias, self.from));
            for line in in_full(&server.launch) {
                self.ui.line(format!("  {line}"));
            }
        }
    }

    fn dry_run(&self, look: &Look, name: &str) {
        for sentence in look.plan.sentences() {
            self.ui.marked(Mark::Plan, sentence);
        }
        match render_client(&look.plan, &look.linked.dialect, &look.record, look.text()) {
            Ok(rendered) => {
                let format = look.linked.dialect.format;
                for line in discreet(name, look.text(), &rendered.text, format) {
                    self.ui.line(format!("  {line}"));
                }
            }
            Err(error) => self.ui.note(format!("warning: {name} could not be written: {error}")),
        }
    }

    fn ask(&self, look: &Look, name: &str) -> Done {
        for sentence in look.plan.sentences() {
            self.ui.marked(Mark::Plan, sentence);
        }
        self.ui.consent(
            &format!("Keep {name} in step with {}? Everything else in it stays.", self.from),
            &format!("write to {name} for the first time"),
        )
    }

    fn told(&self, news: &News, outcome: &str, done: &[String]) {
        if self.ui.json {
            let line = json!({
                "version": news.version, "hash": news.hash, "reason": news.reason,
                "client": self.client.id, "path": self.path, "outcome": outcome, "done": done,
            });
            self.ui.document(&format!("{line}\n"));
        } else if done.is_empty() {
            self.ui.marked(Mark::Good, format!("{}: {outcome} (revision {})", self.client.id, news.number));
        } else {
            let done = crate::change::in_short(done);
            self.ui.marked(Mark::Good, format!("{}: {done} (revision {})", self.client.id, news.number));
        }
    }
}

/// Looks at the file and plans for it, without the lock.
fn plan(home: &Home, linked: &Linked, choice: &Choice) -> Result<Look, Failure> {
    let observer = choice.observer(home)?;
    let record = home.relations.clients.get(linked.id()).cloned().unwrap_or_default();
    let mut look = observer.look_with(linked, record, &observer.same());
    choice.apply(&mut look.plan, &look.record);
    Ok(look)
}

/// Another process at work on the home is done soon.
fn held(failure: &Failure) -> Setback {
    let mut causes = failure.causes.clone();
    causes.insert(0, format!("could not {}", failure.what));
    Setback::Later(Trouble { hint: failure.hints.first().cloned(), ..Trouble::new(causes.join(": ")) })
}
