//! How long to wait before something is tried again.

use std::time::Duration;

/// What another side asks for when it wants to be left alone is followed up to this.
pub const LONGEST_HOLD: Duration = Duration::from_secs(10 * 60);

/// Returns the delay after `attempt` failures, the first being 0: anything between nothing and a bound that doubles from
/// `first` up to `longest`.
///
/// Full jitter: of a hundred that lose one peer at once, no two come back in the same moment. The seed is what tells
/// them apart.
pub fn delay(first: Duration, longest: Duration, attempt: u32, seed: u64) -> Duration {
    let bound = first.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(longest);
    spread(bound, seed ^ u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Returns a duration between nothing and `bound`, each as likely as any other.
pub fn spread(bound: Duration, seed: u64) -> Duration {
    let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    // The upper half of a product is the number scaled down to the bound.
    let scaled = (u128::from(mixed(seed)) * u128::from(millis)) >> 64;
    Duration::from_millis(u64::try_from(scaled).unwrap_or(0))
}

/// A number that looks like chance, from one that does not (the finaliser of `SplitMix64`).
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
