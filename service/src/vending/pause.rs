//! For how long a provider is left alone after a refresh failed, and when a refusal is for good. What is remembered for
//! that is in the database ([`RefreshHistory`]), so that it holds for all processes.

use crate::clock::{CLOCK_TOLERANCE, Millis, millis};
use crate::oauth::{Failure, ProviderError};
use crate::store::{Lifetime, RefreshHistory};

/// The longest pause after the first failure of a run; it doubles with each.
const FIRST_PAUSE: Millis = 1000;
/// It does not grow beyond this.
const MAX_PAUSE: Millis = 5 * 60 * 1000;
/// A pause that the provider names itself is kept up to this.
const MAX_NAMED_PAUSE: Millis = DAY;
/// At most one refresh in this time because a token was named as rejected.
const FORCED_INTERVAL: Millis = 60_000;
/// A run of refusals is for good once it is so long, and so many.
const REFUSED_FOR: Millis = 4 * DAY;
const MIN_REFUSALS: i64 = 10;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// Whether a provider may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    Now,
    /// In so many milliseconds.
    Later(Millis),
    /// It was asked for a new token just now, so that the one which is named as rejected is the best there is.
    NotForced,
}

/// A token that is named as rejected and not due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forced {
    /// When it was obtained, if it can be refreshed.
    refreshable_since: Option<Millis>,
}

impl Forced {
    pub(super) fn of(lifetime: Option<Lifetime>) -> Self {
        let refreshable = lifetime.filter(|lifetime| lifetime.is_refreshable);
        Self { refreshable_since: refreshable.map(|lifetime| lifetime.obtained_at) }
    }
}

impl RefreshHistory {
    /// What is left of the time in which the provider is not asked.
    fn pause(&self, now: Millis) -> Option<Millis> {
        left(self.retry_at?, now, MAX_NAMED_PAUSE)
    }

    /// Whether the provider may be asked now. `forced`: only because the token was named as rejected, which can be
    /// refreshed and is of this time, or cannot.
    pub(super) fn permission(&self, forced: Option<Forced>, now: Millis) -> Permission {
        if let Some(pause) = self.pause(now) {
            return Permission::Later(pause);
        }
        let (Some(forced), Some(forced_at)) = (forced, self.forced_at) else {
            return Permission::Now;
        };
        // One that is older was refused before, and what takes its place is not there yet.
        let is_done = forced.refreshable_since.is_none_or(|obtained_at| obtained_at >= forced_at);
        match left(forced_at + FORCED_INTERVAL, now, FORCED_INTERVAL) {
            Some(pause) if self.failures > 0 => Permission::Later(pause),
            Some(_) if is_done => Permission::NotForced,
            _ => Permission::Now,
        }
    }

    /// What is remembered after one more refresh that failed. `jitter`, from 0 to 1, spreads those of many connections.
    pub(super) fn after(self, error: ProviderError, now: Millis, jitter: f64) -> Self {
        let (named, failure) = match error {
            ProviderError::Unavailable { retry_after, failure } => (retry_after, failure),
            ProviderError::Misconfigured | ProviderError::Declined => (None, Failure::Unusable),
        };
        let pause = match named {
            Some(named) => millis(named).clamp(FIRST_PAUSE, MAX_NAMED_PAUSE),
            None => {
                let doublings = u32::try_from(self.failures).unwrap_or(u32::MAX).min(16);
                let longest = MAX_PAUSE.min(FIRST_PAUSE << doublings);
                longest / 2 + (jitter * (longest / 2) as f64) as Millis
            }
        };
        let (refusals, refused_since) = match failure {
            Failure::Refused => {
                (self.refusals + 1, self.refused_since.filter(|since| *since <= now).or(Some(now)))
            }
            // A response that was lost says nothing.
            Failure::NoResponse => (self.refusals, self.refused_since),
            Failure::Throttled | Failure::Unusable => (0, None),
        };
        let retry_at = Some(now.saturating_add(pause));
        Self { failures: self.failures + 1, retry_at, refusals, refused_since, ..self }
    }

    /// Whether the provider refused for so long that nothing but a new grant helps.
    pub(super) fn is_refused_for_good(&self, now: Millis) -> bool {
        let is_long = self.refused_since.is_some_and(|since| now - since >= REFUSED_FOR);
        is_long && self.refusals >= MIN_REFUSALS
    }
}

/// What is left until then; nothing where it is further away than it can be: a clock that was wrong wrote that.
fn left(until: Millis, now: Millis, max: Millis) -> Option<Millis> {
    let left = until - now;
    (1..=max + CLOCK_TOLERANCE).contains(&left).then_some(left)
}

/// A pause as `Retry-After` tells it: whole seconds, at least 1.
pub(super) fn seconds(pause: Millis) -> u64 {
    u64::try_from((pause + 999) / 1000).unwrap_or_default().max(1)
}

/// A random number from 0 to 1.
pub(super) fn jitter() -> f64 {
    let random = getrandom::u32().unwrap_or_default();
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const fn failed(failure: Failure, retry_after: Option<u64>) -> ProviderError {
        let retry_after = match retry_after {
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => None,
        };
        ProviderError::Unavailable { retry_after, failure }
    }

    const REFUSED: ProviderError = failed(Failure::Refused, None);

    fn pause_after(history: RefreshHistory, error: ProviderError, jitter: f64) -> Option<Millis> {
        history.after(error, 0, jitter).pause(0)
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_are_spread() {
        let unusable = failed(Failure::Unusable, None);
        for (failures, longest) in [(0, 1000), (1, 2000), (8, 256_000), (9, 300_000), (1_000_000, 300_000)] {
            let history = RefreshHistory { failures, ..RefreshHistory::default() };
            for error in [unusable, REFUSED, ProviderError::Misconfigured] {
                assert_eq!(pause_after(history, error, 1.0), Some(longest), "{failures}");
                assert_eq!(pause_after(history, error, 0.0), Some(longest / 2), "{failures}");
            }
        }
    }

    #[test]
    fn the_provider_names_its_pause_within_reason() {
        for (named, expected) in [(0, 1000), (7, 7000), (3600, 3_600_000), (u64::from(u32::MAX), DAY)] {
            let history = RefreshHistory { failures: 20, ..RefreshHistory::default() };
            let error = failed(Failure::Throttled, Some(named));
            assert_eq!(pause_after(history, error, 0.0), Some(expected), "{named}");
        }
    }

    #[test]
    fn a_pause_ends_and_one_of_a_wrong_clock_is_none() {
        let until = |retry_at| RefreshHistory { retry_at: Some(retry_at), ..RefreshHistory::default() };
        assert_eq!(until(5000).pause(2000), Some(3000));
        assert_eq!(until(5000).pause(5000), None);
        assert_eq!(until(DAY).pause(0), Some(DAY));
        assert_eq!(until(DAY * 365).pause(0), None);
        assert_eq!([1, 999, 1000, 1001, 86_400_000].map(seconds), [1, 1, 1, 2, 86_400]);
    }

    #[test]
    fn a_named_token_is_refreshed_once_a_minute() {
        let history = RefreshHistory { forced_at: Some(0), ..RefreshHistory::default() };
        let of = |refreshable_since| Some(Forced { refreshable_since });
        for forced in [of(Some(0)), of(None)] {
            assert_eq!(history.permission(forced, 59_999), Permission::NotForced);
            assert_eq!(history.permission(forced, 60_000), Permission::Now);
        }
        assert_eq!(history.permission(None, 59_999), Permission::Now);
        // The refresh of the old one is under way: whoever names it waits for the new one.
        assert_eq!(history.permission(of(Some(-1)), 0), Permission::Now);
        // One that failed got no token that could be given.
        let failed = RefreshHistory { failures: 1, retry_at: Some(2000), ..history };
        assert_eq!(failed.permission(of(Some(-1)), 1000), Permission::Later(1000));
        assert_eq!(failed.permission(of(Some(-1)), 2000), Permission::Later(58_000));
        assert_eq!(failed.permission(None, 2000), Permission::Now);
    }

    /// Ten refusals, the last one `days` after the first.
    fn run(tries: i64, days: Millis, between: Option<ProviderError>) -> bool {
        let mut history = RefreshHistory::default();
        for n in 0..tries {
            if let Some(error) = between.filter(|_| n == tries / 2) {
                history = history.after(error, DAY, 1.0);
            }
            history = history.after(REFUSED, days * DAY * n / (tries - 1), 1.0);
        }
        history.is_refused_for_good(days * DAY)
    }

    #[test]
    fn ten_refusals_in_four_days_are_for_good() {
        assert!(run(10, 4, None) && run(1000, 4, None) && run(10, 400, None));
        assert!(!run(9, 4, None) && !run(1000, 3, None));
        assert!(run(10, 4, Some(failed(Failure::NoResponse, None))), "a lost response says nothing");
        for error in [
            failed(Failure::Throttled, Some(1)),
            failed(Failure::Unusable, None),
            ProviderError::Misconfigured,
        ] {
            assert!(!run(10, 4, Some(error)), "{error:?}");
        }
    }
}
