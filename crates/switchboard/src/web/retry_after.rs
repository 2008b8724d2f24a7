//! How long a server asks to be left alone.

use std::time::Duration;

use switchboard_core::backoff::LONGEST_HOLD;

/// Returns how long a server asks to be left alone, from its `Retry-After` and, for one that names a moment, its `Date`.
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let asked = match value.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        // Both moments are the server's, so that its clock need not agree with ours.
        Err(_) => Duration::from_secs(moment(value)?.saturating_sub(moment(date?)?)),
    };
    Some(asked.min(LONGEST_HOLD))
}

/// Returns the seconds since some day long ago of a moment such as `Fri, 20 Nov 2026 17:00:00 GMT`.
fn moment(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, text) = text.split_once(", ")?;
    let words: Vec<&str> = text.split(' ').collect();
    let [day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|known| known == month)? as u64;
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    // Years begin in March here, so that the leap day is the last of its year.
    let (month, year) = if month < 2 { (month + 10, year.checked_sub(1)?) } else { (month - 2, year) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day;
    let mut seconds = 0;
    for part in time.split(':') {
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
    }
    Some(days * 86_400 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_ask_in_seconds_or_name_a_moment() {
        let now = Some("Fri, 20 Nov 2026 16:59:50 GMT");
        for (value, date, seconds) in [
            ("7", None, Some(7)),
            (" 0 ", None, Some(0)),
            ("Fri, 20 Nov 2026 17:00:00 GMT", now, Some(10)),
            ("Sat, 21 Nov 2026 00:00:10 GMT", now, Some(600)),
            ("Fri, 20 Nov 2026 16:00:00 GMT", now, Some(0)),
            ("Mon, 01 Mar 2027 00:00:05 GMT", Some("Sun, 28 Feb 2027 23:59:55 GMT"), Some(10)),
            ("Fri, 01 Jan 2027 00:00:05 GMT", Some("Thu, 31 Dec 2026 23:59:55 GMT"), Some(10)),
            ("99999999", None, Some(600)),
            ("Fri, 20 Nov 2026 17:00:00 GMT", None, None),
            ("soon", now, None),
            ("-1", now, None),
        ] {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
