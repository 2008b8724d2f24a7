//! How long to wait before the bus is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// Returns how long to wait after `failures` failures in a row: anything up to a bound that doubles each time, from
/// 250 ms to 30 s. `random` is any number, each as likely as the others; it picks the place below the bound, so that
/// those who lost the same bus do not all come back at once.
pub fn pause(failures: u32, random: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let bound = FIRST.saturating_mul(doubled).min(LONGEST);
    bound.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_half_a_minute() {
        let bound = |failures| pause(failures, u32::MAX).as_millis();
        assert_eq!(
            [0, 1, 2, 3, 7, 8, 9, u32::MAX].map(bound),
            [250, 250, 500, 1000, 16000, 30000, 30000, 30000]
        );
    }

    #[test]
    fn the_number_picks_any_place_below_the_bound() {
        assert_eq!(pause(8, 0), Duration::ZERO);
        let half = pause(8, u32::MAX / 2);
        assert!(half.abs_diff(Duration::from_secs(15)) < Duration::from_millis(1), "{half:?}");
    }
}
