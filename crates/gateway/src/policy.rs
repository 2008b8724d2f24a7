//! What callers may do with tools, held to at each call. The rules themselves are [`switchboard_core::policy`]'s.

mod noted;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use switchboard_core::catalogue::Server;
use switchboard_core::policy::{
    Allowance, Denial, Held, Proposal, Rate, Rules, Setting, Tool, ToolPolicy, Usual, Verdict, Why, infer,
    infer_raw,
};
use switchboard_core::settings::Policy as Settings;

use crate::offer::{Offer, Sort};

pub(crate) use noted::Noted;
pub use noted::{Audit, Entry};

/// So many rates are kept of one server's tools.
const MOST_RATES: usize = 10_000;

/// What all callers are held to.
pub struct Policy {
    /// What the file says of tools.
    pub file: ToolPolicy,
    /// What the settings say.
    pub settings: Settings,
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
    fn usual(&self) -> Usual {
        Usual { hard_timeout: self.settings.hard_timeout, cache: self.settings.cache }
    }

    /// Returns the rules of some of a server's tools, each with its description where there is one.
    fn rules<'t>(&self, server: &Server, tools: impl Iterator<Item = (&'t str, Option<&'t [u8]>)>) -> Rules {
        let setting = Setting {
            server: server.name.as_str(),
            trust: server.trust,
            timeout: server.timeout,
            verbs: &self.settings.verbs,
            decisions: self.settings.decisions,
        };
        let propose = |(name, raw): (&str, Option<&[u8]>)| match raw {
            Some(raw) => infer_raw(name, raw, &setting),
            None => infer(&Tool::named(name), &setting),
        };
        let proposals: Vec<Proposal> = tools.map(propose).collect();
        Rules::of(&self.file, [(server.name.as_str(), proposals.as_slice())], self.usual())
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
    rules: Mutex<Option<Made>>,
    allowances: Mutex<HashMap<Box<str>, Allowance>>,
}

/// Rules, and what they were made of.
#[derive(Clone)]
struct Made {
    policy: Arc<Policy>,
    server: Arc<Server>,
    offer: Option<Arc<Offer>>,
    rules: Arc<Rules>,
}

impl Policed {
    /// Holds callers to this from now on, or to nothing.
    pub(crate) fn set(&self, policy: Option<Arc<Policy>>) {
        self.policy.store(policy);
    }

    /// Returns whether a tool of the server is offered, as far as the policy goes.
    pub(crate) fn offers(&self, server: &str, tool: &str) -> bool {
        self.policy.load().as_ref().is_none_or(|policy| policy.is_offered(server, tool))
    }

    /// Returns what becomes of a call of a tool.
    pub(crate) fn judge(
        &self,
        policy: &Arc<Policy>,
        server: &Arc<Server>,
        offer: Option<&Arc<Offer>>,
        held: &Held,
        tool: &str,
        now: Duration,
    ) -> Verdict {
        let name = server.name.as_str();
        let rules = self.rules(policy, server, offer);
        // One that is not offered, or not yet, is judged by its name.
        let verdict = rules
            .decide(held, name, tool)
            .or_else(|| policy.rules(server, std::iter::once((tool, None))).decide(held, name, tool));
        let deny = |why| Verdict::Deny(Denial { server: name.to_owned(), tool: tool.to_owned(), why });
        let Some(verdict) = verdict else { return deny(Why::Denied) };
        let rate = match &verdict {
            Verdict::Allow(terms) | Verdict::Ask(terms) => terms.rate,
            Verdict::Deny(_) => None,
        };
        match rate.and_then(|rate| Some((rate, self.take(tool, rate, now).err()?))) {
            Some((rate, wait)) => deny(Why::TooOften { rate, wait }),
            None => verdict,
        }
    }

    fn rules(&self, policy: &Arc<Policy>, server: &Arc<Server>, offer: Option<&Arc<Offer>>) -> Arc<Rules> {
        let same = |made: &Made| {
            Arc::ptr_eq(&made.policy, policy)
                && Arc::ptr_eq(&made.server, server)
                && match (&made.offer, offer) {
                    (Some(made), Some(offer)) => Arc::ptr_eq(made, offer),
                    (None, None) => true,
                    _ => false,
                }
        };
        let mut made = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| same(made)) {
            return Arc::clone(&made.rules);
        }
        let tools = offer.map(|offer| offer.of(Sort::Tools)).unwrap_or_default();
        let tools = tools.iter().map(|item| (item.key.as_str(), Some(&*item.raw)));
        let rules = Arc::new(policy.rules(server, tools));
        *made = Some(Made {
            policy: Arc::clone(policy),
            server: Arc::clone(server),
            offer: offer.map(Arc::clone),
            rules: Arc::clone(&rules),
        });
        rules
    }

    fn take(&self, tool: &str, rate: Rate, now: Duration) -> Result<(), Duration> {
        let mut allowances = self.allowances.lock().unwrap_or_else(PoisonError::into_inner);
        if allowances.len() >= MOST_RATES && !allowances.contains_key(tool) {
            allowances.clear();
        }
        let allowance = allowances.entry(tool.into()).or_insert_with(|| Allowance::of(rate));
        if allowance.rate() != rate {
            *allowance = Allowance::of(rate);
        }
        allowance.take(now)
    }
}
