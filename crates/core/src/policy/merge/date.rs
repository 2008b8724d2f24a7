//! The date of a time, as it stands in comments.

/// Returns the day of a time in seconds since 1970, as `2026-11-28`.
pub(super) fn day(seconds: u64) -> String {
    let mut days = seconds / 86_400;
    let mut year = 1970;
    loop {
        let long = if is_leap(year) { 366 } else { 365 };
        if days < long || year >= 9_999 {
            break;
        }
        days -= long;
        year += 1;
    }
    let mut month = 1;
    for long in [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < long {
            break;
        }
        days -= long;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days.min(30) + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (86_399, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_795_824_000, "2026-11-28"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
            (1_798_675_200, "2026-12-31"),
        ] {
            assert_eq!(day(seconds), expected, "{seconds}");
        }
        assert_eq!(day(u64::MAX).len(), 10);
    }
}
