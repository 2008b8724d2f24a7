//! Who calls: in which revision they speak, what they can do, and who they say they are.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use serde_json::Value;
use serde_json::value::RawValue;
use switchboard_core::mcp::revision::Era;

use crate::object::Object;

/// What a caller can do for servers, in a form in which equal ones are equal. Roots are left out: they belong to one
/// client, so that a server that is shared is not offered them (requirement C11).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Profile(Arc<str>);

impl Profile {
    /// Returns the profile of what a client declared.
    pub(crate) fn of(capabilities: &str) -> Self {
        let mut value: Value = serde_json::from_str(capabilities).unwrap_or_default();
        if let Some(all) = value.as_object_mut() {
            all.remove("roots");
            if all.is_empty() {
                return Self::default();
            }
        }
        // Members of a `Value` are in the order of their names.
        if value.is_object() { Self(value.to_string().into()) } else { Self::default() }
    }

    /// Returns the profile of one client alone, which keeps what belongs to it.
    pub(crate) fn whole(capabilities: &str) -> Self {
        Self(capabilities.into())
    }

    /// Returns what is declared to a server on behalf of these callers.
    pub(crate) fn capabilities(&self) -> &str {
        if self.0.is_empty() { "{}" } else { &self.0 }
    }
}

/// Who calls.
#[derive(Debug)]
pub(crate) struct Caller {
    /// How they speak.
    pub(crate) era: Era,
    /// In which revision.
    pub(crate) revision: String,
    /// What they can do, as they wrote it.
    pub(crate) capabilities: Box<str>,
    /// Who they are (`clientInfo`), as they wrote it.
    pub(crate) info: Option<Box<str>>,
    /// What they can do, to be compared.
    pub(crate) profile: Profile,
}

impl Caller {
    /// Returns a caller.
    pub(crate) fn new(revision: &str, capabilities: Option<&RawValue>, info: Option<&RawValue>) -> Self {
        let capabilities = capabilities.map_or("{}", RawValue::get);
        Self {
            era: Era::of(revision).unwrap_or(Era::Legacy),
            revision: revision.to_owned(),
            capabilities: capabilities.into(),
            info: info.map(|info| info.get().into()),
            profile: Profile::of(capabilities),
        }
    }

    /// Returns a caller who has not said anything of themselves yet.
    pub(crate) fn unknown() -> Arc<Self> {
        static UNKNOWN: OnceLock<Arc<Caller>> = OnceLock::new();
        let make = || Arc::new(Self::new(switchboard_core::mcp::revision::LATEST_LEGACY, None, None));
        Arc::clone(UNKNOWN.get_or_init(make))
    }

    /// Returns whether this is who says these things of themselves, to the letter.
    pub(crate) fn is(&self, revision: &str, capabilities: &str, info: Option<&str>) -> bool {
        self.revision == revision && *self.capabilities == *capabilities && self.info.as_deref() == info
    }

    /// Returns whether the caller can answer a request of a server's. What nobody knows is passed on.
    pub(crate) fn can(&self, method: &str) -> bool {
        let needed = match method {
            "sampling/createMessage" => "sampling",
            "elicitation/create" => "elicitation",
            "roots/list" => "roots",
            _ => return true,
        };
        Object::read(&self.capabilities).is_some_and(|all| all.member(needed).is_some())
    }
}

/// So many callers are remembered.
const MOST: usize = 16;

/// The callers of stateless messages that were heard last: each message says everything anew, and few say different things.
#[derive(Default)]
pub(crate) struct Callers(ArcSwap<Vec<Arc<Caller>>>);

impl Callers {
    /// Returns the caller who says these things of themselves.
    pub(crate) fn caller(
        &self,
        revision: &str,
        capabilities: &RawValue,
        info: Option<&RawValue>,
    ) -> Arc<Caller> {
        let known = self.0.load();
        let is_it = |one: &&Arc<Caller>| one.is(revision, capabilities.get(), info.map(RawValue::get));
        if let Some(caller) = known.iter().find(is_it) {
            return Arc::clone(caller);
        }
        let caller = Arc::new(Caller::new(revision, Some(capabilities), info));
        let others = known.iter().take(MOST - 1).cloned();
        // Two who come at once may forget one another, and are read once more.
        self.0.store(Arc::new(std::iter::once(Arc::clone(&caller)).chain(others).collect()));
        caller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_capabilities_are_equal_and_roots_do_not_count() {
        for (one, other, same) in [
            ("{}", r#"{"roots":{"listChanged":true}}"#, true),
            (r#"{"sampling":{},"elicitation":{}}"#, r#"{ "elicitation":{}, "sampling":{} }"#, true),
            (r#"{"sampling":{}}"#, r#"{"sampling":{"tools":{}}}"#, false),
            ("[]", "{}", true),
        ] {
            assert_eq!(Profile::of(one) == Profile::of(other), same, "{one} {other}");
        }
        let caller = Caller::unknown();
        assert!(!caller.can("sampling/createMessage") && caller.can("com.example/ask"));
    }

    #[test]
    fn who_says_the_same_is_the_same_and_few_are_remembered() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let callers = Callers::default();
        let of = |capabilities: &str, info: Option<&str>| {
            let info = info.map(raw);
            callers.caller("2026-07-28", &raw(capabilities), info.as_deref())
        };
        let first = of("{}", None);
        assert!(Arc::ptr_eq(&first, &of("{}", None)));
        assert!(!Arc::ptr_eq(&first, &of("{}", Some(r#"{"name":"x"}"#))));
        assert!(!Arc::ptr_eq(&first, &of("{ }", None)), "to the letter");
        for at in 0..MOST {
            of("{}", Some(&at.to_string()));
        }
        assert!(!Arc::ptr_eq(&first, &of("{}", None)), "it was long ago");
    }
}
