//! When to try again: only after a 503, with exponential back-off and full jitter.

use std::time::Duration;

use backon::Backoff;

/// No call waits longer than this because a service asks for it.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The ceiling under the waits grows by doubling until it is this many times the first.
const MAX_GROWTH: u32 = 16;

/// The waits between attempts: each is drawn evenly from zero to a ceiling that doubles from `base`.
/// (Full jitter: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
///
/// `random` gives numbers from 0 to 1.
pub(crate) fn waits(
    base: Duration,
    max_retries: u32,
    mut random: impl FnMut() -> f64 + Send + Sync + Unpin,
) -> impl Backoff {
    (0..max_retries).map(move |failures| backoff(base, failures, random()))
}

/// One of such waits, after so many failures in a row.
pub(crate) fn backoff(base: Duration, failures: u32, random: f64) -> Duration {
    let growth = 1_u32.checked_shl(failures).unwrap_or(MAX_GROWTH).min(MAX_GROWTH);
    let ceiling = base.saturating_mul(growth);
    // Rounding may lift the product of a huge ceiling beyond what a duration can be.
    Duration::try_from_secs_f64(ceiling.as_secs_f64() * random).unwrap_or(ceiling)
}

/// How long to wait before the next attempt, or `None` to give the error at once.
///
/// `Retry-After` is a floor under the back-off. Nothing is slept through that is longer than a minute or than the
/// time that the call has left: the caller knows better what to do with that time.
pub(crate) fn next_wait(
    backoff: Option<Duration>,
    retry_after: Option<Duration>,
    time_left: Option<Duration>,
) -> Option<Duration> {
    let wait = backoff?.max(retry_after.unwrap_or_default());
    let asked_too_much = retry_after.is_some_and(|asked| asked > MAX_RETRY_AFTER);
    let too_late = time_left.is_some_and(|left| wait >= left);
    (!asked_too_much && !too_late).then_some(wait)
}

/// An even random number from 0 to 1, from the system: a generator of our own would repeat itself after a fork.
pub(crate) fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ceilings_double_up_to_sixteen_times_the_first() {
        let all: Vec<_> = waits(SECOND, 7, || 1.0).map(|wait| wait.as_secs()).collect();
        assert_eq!(all, [1, 2, 4, 8, 16, 16, 16]);
    }

    #[test]
    fn jitter_is_full_and_no_retry_means_none() {
        assert_eq!(waits(SECOND, 3, || 0.0).collect::<Vec<_>>(), [Duration::ZERO; 3]);
        assert_eq!(waits(SECOND, 0, || 1.0).count(), 0);
        assert_eq!(waits(Duration::MAX, 1, || 1.0).collect::<Vec<_>>(), [Duration::MAX]);
        assert!((0..100).map(|_| random()).all(|number| (0.0..=1.0).contains(&number)));
        assert!((0..100).any(|_| random() != random()));
    }

    #[test]
    fn one_wait_has_the_same_ceilings() {
        let all = [0, 1, 2, 3, 4, 5, 31, 32, 1000].map(|failures| backoff(SECOND, failures, 1.0).as_secs());
        assert_eq!(all, [1, 2, 4, 8, 16, 16, 16, 16, 16]);
        assert_eq!(backoff(2 * SECOND, 1, 0.25), SECOND);
        assert_eq!(backoff(Duration::MAX, 1, 1.0), Duration::MAX);
    }

    #[test]
    fn retry_after_is_a_floor() {
        assert_eq!(next_wait(Some(SECOND), None, None), Some(SECOND));
        assert_eq!(next_wait(Some(SECOND), Some(5 * SECOND), None), Some(5 * SECOND));
        assert_eq!(next_wait(Some(5 * SECOND), Some(SECOND), None), Some(5 * SECOND));
        assert_eq!(next_wait(None, Some(SECOND), None), None);
    }

    #[test]
    fn nothing_too_long_is_slept_through() {
        assert_eq!(next_wait(Some(SECOND), Some(60 * SECOND), None), Some(60 * SECOND));
        assert_eq!(next_wait(Some(SECOND), Some(61 * SECOND), None), None);
        assert_eq!(next_wait(Some(2 * SECOND), None, Some(2 * SECOND)), None);
        assert_eq!(next_wait(Some(2 * SECOND), None, Some(3 * SECOND)), Some(2 * SECOND));
    }
}
