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

#[cfg(test)]
mod tests {
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
}
