//! What callers may do with tools, held to at each call. The rules themselves are [`switchboard_core::policy`]'s.

mod cache;
mod noted;
mod pending;
mod rate;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use switchboard_core::catalogue::Server;
use switchboard_core::policy::pins::Pins;
use switchboard_core::policy::{
    Denial, Held, Proposal, Rate, Rules, Tool, ToolPolicy, Verdict, Why, infer, infer_raw,
};
use switchboard_core::settings::{OnChange, Policy as Settings};

use tracing::warn;

use crate::offer::{Offer, Sort};
use rate::Allowance;

pub(crate) use cache::{Changing, Keep, Key, Results, State};
pub(crate) use noted::Noted;
pub use noted::{Audit, Entry};
pub use pending::Waiting;
pub(crate) use pending::{Pending, What};

/// So many rules are kept of one server: it may offer other tools to other callers.
const MOST_MADE: usize = 16;

/// What all callers are held to.
pub struct Policy {
    /// What the file says of tools.
    pub file: ToolPolicy,
    /// What the settings say.
    pub settings: Settings,
    /// What tools were when they were first seen.
    pub pins: Arc<Pins>,
    /// Where it is written down what was called.
    pub audit: Arc<dyn Audit>,
}

/// Who calls, as the door knows them, and what they hold.
#[derive(Clone)]
pub struct Holder {
    /// The name by which they are written down.
    pub who: Arc<str>,
    /// Their permissions.
    pub held: Arc<Held>,
}

impl Holder {
    /// Returns whether they may not do everything.
    pub(crate) fn is_restricted(&self) -> bool {
        !self.held.is_everything()
    }

    /// Returns somebody who may do whatever the user of this machine may.
    pub fn user(who: &str) -> Self {
        Self { who: who.into(), held: Arc::new(Held::everything()) }
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder").field("who", &self.who).finish_non_exhaustive()
    }
}

impl Policy {
    /// Returns the rules of some of a server's tools, each with its description where there is one.
    fn rules<'t>(&self, server: &Server, tools: impl Iterator<Item = (&'t str, Option<&'t [u8]>)>) -> Rules {
        let setting = self.settings.setting(server);
        let propose = |(name, raw): (&str, Option<&[u8]>)| match raw {
            Some(raw) => infer_raw(name, raw, &setting),
            None => infer(&Tool::named(name), &setting),
        };
        let proposals: Vec<Proposal> = tools.map(propose).collect();
        Rules::of(&self.file, [(server.name.as_str(), proposals.as_slice())], self.settings.usual())
    }

    /// Returns whether a tool is offered at all.
    fn is_offered(&self, server: &str, tool: &str) -> bool {
        let said = self.file.rule(server, tool).and_then(|rule| rule.enabled.as_ref());
        said.is_none_or(|enabled| enabled.value)
    }
}

/// The rules of one server's tools, as it describes them now.
#[derive(Default)]
pub(crate) struct Policed {
    /// What callers are held to, if anything.
    policy: ArcSwapOption<Policy>,
    /// The rules that were made last: servers may offer other things to callers who can do other things.
    made: ArcSwap<Vec<Arc<Made>>>,
    allowances: Mutex<HashMap<Box<str>, Allowance>>,
    /// Which state of the server results are of.
    pub(crate) state: State,
}

/// Rules, and what they were made of.
struct Made {
    policy: Arc<Policy>,
    server: Arc<Server>,
    /// The hash of what was offered.
    offer: Option<String>,
    rules: Rules,
    /// Whether tools have become others than they were, as far as that was asked.
    changed: Mutex<HashMap<Box<str>, bool>>,
}

impl Made {
    /// Returns whether a tool has become another since it was pinned, by how it is offered.
    fn has_changed(&self, offer: Option<&Arc<Offer>>, tool: &str) -> bool {
        let mut known = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changed) = known.get(tool) {
            return *changed;
        }
        let mut tools = offer.map(|offer| offer.of(Sort::Tools)).unwrap_or_default().iter();
        let Some(item) = tools.find(|item| item.key == tool) else { return false };
        let raw = String::from_utf8_lossy(&item.raw);
        let changed = self.policy.pins.is_changed(self.server.name.as_str(), tool, &raw);
        if changed {
            warn!(
                server = self.server.name.as_str(),
                tool, "a tool is not what it was when it was first seen"
            );
        }
        known.insert(tool.into(), changed);
        changed
    }
}

impl Policed {
    /// Holds callers to this from now on, or to nothing.
    pub(crate) fn set(&self, policy: Option<Arc<Policy>>) {
        self.policy.store(policy);
    }

    /// Returns what callers are held to.
    pub(crate) fn policy(&self) -> Option<Arc<Policy>> {
        self.policy.load_full()
    }

    /// Returns whether callers are held to anything.
    pub(crate) fn holds(&self) -> bool {
        self.policy.load().is_some()
    }

    /// Returns whether a tool of the server is offered, as far as the policy goes.
    pub(crate) fn offers(&self, server: &str, tool: &str) -> bool {
        self.policy.load().as_ref().is_none_or(|policy| policy.is_offered(server, tool))
    }

    /// Returns what becomes of a call of a tool, however often it is called, and whether the tool has become another.
    pub(crate) fn judge(
        &self,
        policy: &Arc<Policy>,
        server: &Arc<Server>,
        offer: Option<&Arc<Offer>>,
        held: &Held,
        tool: &str,
    ) -> (Verdict, bool) {
        let name = server.name.as_str();
        let made = self.made(policy, server, offer);
        let verdict = made.rules.decide(held, name, tool);
        // One that is not offered, though the server may know it, is judged by its name.
        let by_name = || policy.rules(server, std::iter::once((tool, None))).decide(held, name, tool);
        let deny = |why| Verdict::Deny(Denial { server: name.to_owned(), tool: tool.to_owned(), why });
        let verdict = verdict.or_else(by_name).unwrap_or_else(|| deny(Why::Denied));
        if matches!(verdict, Verdict::Deny(_)) || !made.has_changed(offer, tool) {
            return (verdict, false);
        }
        let waits = policy.settings.on_change == OnChange::Quarantine;
        (if waits { deny(Why::Changed) } else { verdict }, true)
    }

    /// Takes one call of those that a tool may have.
    ///
    /// # Errors
    /// It was called as often as it may be.
    pub(crate) fn rated(&self, rate: Option<Rate>, server: &str, tool: &str) -> Result<(), Denial> {
        let Some(rate) = rate else { return Ok(()) };
        self.take(tool, rate).map_err(|wait| {
            let why = Why::TooOften { rate, wait };
            Denial { server: server.to_owned(), tool: tool.to_owned(), why }
        })
    }

    fn made(&self, policy: &Arc<Policy>, server: &Arc<Server>, offer: Option<&Arc<Offer>>) -> Arc<Made> {
        let hash = offer.map(|offer| offer.hash.as_str());
        let is_of =
            |made: &&Arc<Made>| Arc::ptr_eq(&made.policy, policy) && Arc::ptr_eq(&made.server, server);
        let known = self.made.load();
        if let Some(made) = known.iter().filter(is_of).find(|made| made.offer.as_deref() == hash) {
            return Arc::clone(made);
        }
        let tools = offer.map(|offer| offer.of(Sort::Tools)).unwrap_or_default();
        let tools = tools.iter().map(|item| (item.key.as_str(), Some(&*item.raw)));
        let made = Arc::new(Made {
            policy: Arc::clone(policy),
            server: Arc::clone(server),
            offer: hash.map(str::to_owned),
            rules: policy.rules(server, tools),
            changed: Mutex::default(),
        });
        // Two that make some at once may lose one of them, which is made again.
        let others = known.iter().filter(is_of).take(MOST_MADE - 1).cloned();
        self.made.store(Arc::new(std::iter::once(Arc::clone(&made)).chain(others).collect()));
        made
    }

    /// There are no more of these than tools that the file gives a rate.
    fn take(&self, tool: &str, rate: Rate) -> Result<(), Duration> {
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowance) = allowances.get(tool).filter(|allowance| allowance.rate() == rate) {
            return allowance.take();
        }
        allowances.entry(tool.into()).insert_entry(Allowance::of(rate)).get().take()
    }
}
