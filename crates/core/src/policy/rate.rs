//! How often a tool may be called.

use std::fmt;
use std::time::Duration;

/// So many calls in so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many calls; at least one.
    pub calls: u32,
    /// In how long a time.
    pub per: Duration,
}

/// The units of a rate, each with its seconds; the first of equal ones is how we write it.
const UNITS: [(&str, u64); 8] = [
    ("s", 1),
    ("min", 60),
    ("h", 3_600),
    ("day", 86_400),
    ("sec", 1),
    ("m", 60),
    ("hour", 3_600),
    ("d", 86_400),
];

impl Rate {
    /// Returns the rate that `text` says, such as `10/min`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (calls, unit) = text.split_once('/').ok_or_else(|| format!("{text:?} has no `/`"))?;
        let calls: u32 =
            calls.trim().parse().map_err(|_| format!("{text:?} does not begin with a whole number"))?;
        if calls == 0 {
            return Err("a rate of no calls is `decision = \"deny\"`".to_owned());
        }
        let unit = unit.trim();
        let seconds = UNITS.iter().find(|(known, _)| *known == unit).map(|(_, seconds)| *seconds);
        let seconds = seconds.ok_or_else(|| format!("{unit:?} is no unit of time"))?;
        Ok(Self { calls, per: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, seconds)| *seconds == self.per.as_secs());
        write!(f, "{}/{}", self.calls, unit.map_or("?", |(unit, _)| unit))
    }
}

/// What is left of a rate: as many calls as it allows at once, coming back evenly over its time.
///
/// Times are those of a clock that only goes forward, from any beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    rate: Rate,
    /// When all of it is back.
    whole_at: Duration,
}

impl Allowance {
    /// Returns all that `rate` allows.
    pub fn of(rate: Rate) -> Self {
        Self { rate, whole_at: Duration::ZERO }
    }

    /// Returns the rate.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes one call at `now`.
    ///
    /// # Errors
    /// Nothing is left; how long until there is.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let one = self.rate.per / self.rate.calls.max(1);
        let whole_at = self.whole_at.max(now) + one;
        // Time does not divide evenly: so little more does not count as a call.
        let most = now + self.rate.per + Duration::from_micros(1);
        if let Some(wait) = whole_at.checked_sub(most).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        self.whole_at = whole_at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_has_a_number_and_a_unit() {
        for (text, calls, seconds) in
            [("10/min", 10, 60), ("1/s", 1, 1), ("100 / h", 100, 3_600), ("5/day", 5, 86_400), ("2/m", 2, 60)]
        {
            let rate = Rate { calls, per: Duration::from_secs(seconds) };
            assert_eq!(Rate::parse(text), Ok(rate), "{text}");
            assert_eq!(Rate::parse(&rate.to_string()), Ok(rate));
        }
        for bad in ["", "10", "/min", "0/min", "-1/min", "10/fortnight", "99999999999/s", "1.5/s"] {
            assert!(Rate::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_used_up_comes_back_evenly() {
        let mut left = Allowance::of(Rate::parse("3/min").unwrap());
        let at = Duration::from_secs;
        for _ in 0..3 {
            assert_eq!(left.take(at(100)), Ok(()));
        }
        let wait = left.take(at(100)).unwrap_err();
        assert_eq!(wait.as_millis().div_ceil(1_000), 20);
        assert!(left.take(at(119)).is_err());
        assert_eq!(left.take(at(120)), Ok(()));
        assert!(left.take(at(121)).is_err());
        for _ in 0..3 {
            assert_eq!(left.take(at(1_000)), Ok(()));
        }
        assert!(left.take(at(1_000)).is_err());
    }

    proptest! {
        #[test]
        fn never_more_than_twice_the_rate_in_its_time_and_all_of_it_after_a_pause(
            calls in 1_u32..50,
            pauses in prop::collection::vec(0_u64..5_000, 1..200),
        ) {
            let rate = Rate { calls, per: Duration::from_secs(60) };
            let (mut left, mut now, mut taken) = (Allowance::of(rate), Duration::ZERO, Vec::new());
            for pause in pauses {
                now += Duration::from_millis(pause);
                if left.take(now).is_ok() {
                    taken.push(now);
                }
            }
            for (at, start) in taken.iter().enumerate() {
                let within = taken[at..].iter().take_while(|one| **one < *start + rate.per).count();
                prop_assert!(within <= 2 * calls as usize);
            }
            now += rate.per;
            for _ in 0..calls {
                prop_assert_eq!(left.take(now), Ok(()));
            }
        }
    }
}
