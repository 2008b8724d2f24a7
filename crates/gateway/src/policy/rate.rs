//! How often a tool is called: as often as it may be at once, and then evenly over the time of its rate.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use switchboard_core::policy::Rate;
use tokio::time::Instant;

/// The time of the runtime, as everywhere here.
#[derive(Clone, Debug)]
struct Time(Instant);

impl Clock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// What is left of a rate.
pub(super) struct Allowance {
    rate: Rate,
    time: Time,
    left: RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Nanos>>,
}

impl Allowance {
    /// Returns all that `rate` allows.
    pub(super) fn of(rate: Rate) -> Self {
        let time = Time(Instant::now());
        let calls = NonZeroU32::new(rate.calls).unwrap_or(NonZeroU32::MIN);
        let each = rate.per / calls.get();
        // A rate so high that its calls cannot be told apart in time is none.
        let quota = Quota::with_period(each).unwrap_or(Quota::per_second(NonZeroU32::MAX)).allow_burst(calls);
        Self { rate, left: RateLimiter::direct_with_clock(quota, time.clone()), time }
    }

    /// Returns the rate.
    pub(super) fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes one call.
    ///
    /// # Errors
    /// Nothing is left; how long until there is.
    pub(super) fn take(&self) -> Result<(), Duration> {
        self.left.check().map_err(|not_until| not_until.wait_time_from(self.time.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_used_up_comes_back_evenly() {
        let left = Allowance::of(Rate::parse("3/min").unwrap());
        let after = async |seconds| tokio::time::advance(Duration::from_secs(seconds)).await;
        for _ in 0..3 {
            assert_eq!(left.take(), Ok(()));
        }
        assert_eq!(left.take().unwrap_err().as_secs(), 20);
        after(19).await;
        assert!(left.take().is_err());
        after(1).await;
        assert_eq!(left.take(), Ok(()));
        after(1).await;
        assert!(left.take().is_err());
        after(900).await;
        for _ in 0..3 {
            assert_eq!(left.take(), Ok(()));
        }
        assert!(left.take().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_beyond_measure_holds_nobody_up() {
        let left = Allowance::of(Rate { calls: u32::MAX, per: Duration::from_secs(1) });
        for _ in 0..1_000 {
            assert_eq!(left.take(), Ok(()));
        }
    }
}
