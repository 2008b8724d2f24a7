//! How often something is done, as a calendar says it.

use std::time::Duration;

use switchboard_core::duration::parse_duration;

/// A time between two runs that fits a day evenly, so that runs come at the same minutes every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Every {
    minutes: u64,
}

impl Every {
    /// Reads a time such as `15min`, `15m` or `1h`.
    ///
    /// # Errors
    /// It is no time, or does not fit an hour or a day evenly.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let short = text.trim().strip_suffix("in").unwrap_or(text.trim());
        let duration = parse_duration(short).map_err(|_| format!("`{}` is no time", text.escape_debug()))?;
        let minutes = duration.as_secs() / 60;
        let whole = duration == Duration::from_secs(minutes * 60);
        let even = match minutes {
            0 => false,
            1..60 => 60 % minutes == 0,
            _ => minutes % 60 == 0 && 24 % (minutes / 60).clamp(1, 25) == 0,
        };
        if whole && even {
            Ok(Self { minutes })
        } else {
            Err(format!("`{}` does not fit an hour or a day evenly", text.escape_debug()))
        }
    }

    /// Returns what stands behind `OnCalendar=`.
    pub(crate) fn calendar(self) -> String {
        match self.minutes {
            1 => "*:*".to_owned(),
            60 => "*:00".to_owned(),
            1_440 => "*-*-* 00:00".to_owned(),
            minutes if minutes < 60 => format!("*:0/{minutes}"),
            minutes => format!("0/{}:00", minutes / 60),
        }
    }

    /// Returns by how much each machine may be late, so that not all come in one moment.
    pub(crate) fn slack(self) -> u64 {
        (self.minutes * 60 / 10).clamp(5, 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_fits_a_day_is_a_calendar() {
        for (text, calendar) in [
            ("15min", "*:0/15"),
            ("15m", "*:0/15"),
            ("900s", "*:0/15"),
            ("1m", "*:*"),
            ("60min", "*:00"),
            ("1h", "*:00"),
            ("6h", "0/6:00"),
            ("24h", "*-*-* 00:00"),
        ] {
            assert_eq!(Every::parse(text).unwrap().calendar(), calendar, "{text}");
        }
        for text in ["", "15", "0m", "30s", "90s", "7m", "45min", "90m", "5h", "25h", "48h", "min", "x"] {
            assert!(Every::parse(text).is_err(), "{text}");
        }
    }
}
