//! The tasks of several servers as one list (requirement C12, 2025-11-25).

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tracing::debug;

use super::{Request, Session, reply, reply_error};
use crate::caller::Caller;
use crate::generation::Generation;
use crate::object::part;
use crate::public::{Ids, Tasks};
use crate::slot::pages;
use crate::trouble::{METHOD_NOT_FOUND, Trouble, error};

/// So long may the tasks of one server take, its coming up among it.
const PATIENCE: Duration = Duration::from_secs(30);

/// So long may those of a connection take that is not the usual one.
const BESIDE: Duration = Duration::from_secs(5);

impl Session {
    /// `tasks/list` behind a joint face: those of all servers that list theirs, in the order of the catalogue, on one page.
    /// A server that is not to be had is left out, unless there is no other.
    pub(super) fn list_tasks(self: &Arc<Self>, request: &Request<'_>) {
        if let Some(error) = super::own::foreign_cursor(request) {
            return reply_error(request.id, request.mail, &error);
        }
        let Some(given_up) = self.early(request.id, request.mail) else { return };
        let (session, mail, id) = (Arc::clone(self), Arc::clone(request.mail), request.id.to_owned());
        let caller = Arc::clone(&request.caller);
        self.answer_later(async move {
            session.known(&caller, super::own::GRACE).await;
            let view = session.view(&caller);
            let lists = |at: usize| view.public(at).is_some_and(|public| public.tasks == Tasks::Listed);
            let those = view.servers.iter().enumerate().filter(|(at, _)| lists(*at));
            let of_all = those.map(|(_, (one, _))| session.tasks_of(one, &caller));
            let all: Vec<Result<Vec<String>, String>> = tokio::select! {
                all = join_all(of_all) => all,
                () = given_up.cancelled() => return,
            };
            if !session.done(&id) {
                return;
            }
            let failed = all.iter().all(Result::is_err).then(|| all.first()).flatten();
            match failed {
                Some(Err(failed)) => reply_error(&id, &mail, failed),
                _ if all.is_empty() => {
                    reply_error(&id, &mail, &error(METHOD_NOT_FOUND, "no server lists tasks", None));
                }
                _ => {
                    let tasks: Vec<String> = all.into_iter().flatten().flatten().collect();
                    reply(&id, &mail, format!(r#"{{"tasks":[{}]}}"#, tasks.join(",")).as_bytes());
                }
            }
        });
    }

    async fn tasks_of(
        self: &Arc<Self>,
        generation: &Arc<Generation>,
        caller: &Caller,
    ) -> Result<Vec<String>, String> {
        let slot = generation.slot(&self.gateway, caller, self.id, self.root.as_ref());
        slot.enter(self);
        let mut tasks = Vec::new();
        let mut known = HashSet::new();
        let mut take = |raw: &str| {
            let is_new = part(raw, &["taskId"]).is_none_or(|id| known.insert(id.to_owned()));
            if is_new {
                tasks.push(Ids::new(&generation.name, None).listed(raw));
            }
            is_new
        };
        let read = async {
            let upstream = slot.wanted().await?;
            pages(&upstream, "tasks/list", "tasks", &mut take).await
        };
        let read = tokio::time::timeout(PATIENCE, read).await;
        if let Err(trouble) = read.unwrap_or(Err(Trouble::Timeout(PATIENCE))) {
            debug!(server = generation.name.as_str(), %trouble, "its tasks are not listed");
            return Err(trouble.error(&generation.name));
        }
        // Those of a version about to go, or of a process that somebody else began them in. Without them it is a list, too.
        for upstream in
            self.gateway.running.others(&slot, &self.group()).iter().filter_map(|slot| slot.ready())
        {
            let read = pages(&upstream, "tasks/list", "tasks", &mut take);
            let _ = tokio::time::timeout(BESIDE, read).await;
        }
        Ok(tasks)
    }
}
