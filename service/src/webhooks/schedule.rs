//! When an event is sent again, and how an endpoint is treated that fails.

use std::time::Duration;

use crate::clock::{Millis, millis};

/// Pauses before the second and each further attempt: the example of Standard Webhooks 1.0, three days and three hours in
/// all. Each is lengthened by up to a tenth.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(10 * 60 * 60),
    Duration::from_secs(14 * 60 * 60),
    Duration::from_secs(20 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// What an endpoint asks for by `Retry-After` is honoured up to this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Requests at once to one endpoint.
pub(crate) const MAX_CONCURRENCY: usize = 8;

/// From so many failures in a row on, an endpoint gets one attempt at a time, with pauses between them.
pub(crate) const PROBE_AFTER: i64 = 5;

/// Pause after the first of these; it doubles with each further one, up to the maximum.
const FIRST_PROBE_PAUSE: Duration = Duration::from_secs(10);
const MAX_PROBE_PAUSE: Duration = Duration::from_secs(30 * 60);

/// An endpoint that has failed for so long is switched off.
const MAX_FAILING: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// When to try again after attempt `number` has failed, from 1, the first of which was at `tried_at`; none where it was the
/// last. One that was made early, since the endpoint seemed to work again, does not shorten the time.
pub(crate) fn next_attempt(
    number: i64,
    tried_at: Millis,
    retry_after: Option<Duration>,
    now: Millis,
) -> Option<Millis> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    let all = PAUSES.iter().sum();
    let pause = match PAUSES.get(index) {
        Some(pause) => *pause,
        None if now - tried_at < millis(all) => PAUSES[PAUSES.len() - 1],
        None => return None,
    };
    let pause = pause.max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER));
    Some(now + with_jitter(pause))
}

/// How many requests at once an endpoint gets in the next turn: one where it failed, and else twice as many as in this one.
pub(crate) fn next_concurrency(concurrency: usize, has_failed: bool, has_succeeded: bool) -> usize {
    match (has_failed, has_succeeded) {
        (true, _) if concurrency < MAX_CONCURRENCY => 1,
        (false, true) => (concurrency * 2).min(MAX_CONCURRENCY),
        _ => concurrency,
    }
}

/// Until when an endpoint gets nothing, after so many failures in a row.
pub(crate) fn pause_until(failures: i64, retry_after: Option<Duration>, now: Millis) -> Millis {
    let asked = retry_after.map_or(0, |pause| now + millis(pause.min(MAX_RETRY_AFTER)));
    if failures < PROBE_AFTER {
        return asked;
    }
    // Far more than the maximum needs.
    let doublings = (failures - PROBE_AFTER).min(16);
    let pause = FIRST_PROBE_PAUSE.saturating_mul(1 << doublings).min(MAX_PROBE_PAUSE);
    asked.max(now + with_jitter(pause))
}

/// Whether an endpoint is given up that has failed since then.
pub(crate) fn is_given_up(failing_since: Millis, now: Millis) -> bool {
    now - failing_since >= millis(MAX_FAILING)
}

/// Up to a tenth longer, so that what failed together is not repeated together.
fn with_jitter(pause: Duration) -> Millis {
    let random = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    millis(pause.mul_f64(1.0 + random / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 60 * 60 * 1000;

    #[test]
    fn ten_attempts_in_three_days_and_three_hours() {
        let mut now = 0;
        let mut number = 1;
        while let Some(next) = next_attempt(number, 0, None, now) {
            now = next;
            number += 1;
        }
        assert_eq!(number, 10);
        assert!((75 * HOUR..=84 * HOUR).contains(&now), "{now}");
    }

    #[test]
    fn early_attempts_do_not_shorten_the_time() {
        assert!(next_attempt(10, 0, None, 75 * HOUR).is_some());
        assert!(next_attempt(40, 0, None, 75 * HOUR).is_some());
        assert_eq!(next_attempt(40, 0, None, 76 * HOUR), None);
    }

    #[test]
    fn after_a_failure_requests_grow_from_one() {
        assert_eq!(next_concurrency(8, true, true), 8, "one that failed among many");
        let grown: Vec<_> = [1, 2, 4, 8].into_iter().map(|now| next_concurrency(now, false, true)).collect();
        assert_eq!(grown, [2, 4, 8, 8]);
        assert_eq!((next_concurrency(4, true, true), next_concurrency(2, false, false)), (1, 2));
    }

    #[test]
    fn retry_after_lengthens_a_pause_within_a_day() {
        let asked = |seconds| next_attempt(1, 0, Some(Duration::from_secs(seconds)), 0).unwrap();
        assert!((5000..=5500).contains(&asked(0)));
        assert!((60_000..=66_000).contains(&asked(60)));
        assert!((24 * HOUR..27 * HOUR).contains(&asked(u64::from(u32::MAX))));
        assert_eq!(pause_until(1, Some(Duration::from_secs(60)), 7), 60_007);
        assert_eq!(pause_until(1, Some(Duration::from_secs(u64::MAX)), 0), 24 * HOUR);
    }

    #[test]
    fn probes_become_rarer_up_to_half_an_hour() {
        for failures in [0, 1, PROBE_AFTER - 1] {
            assert_eq!(pause_until(failures, None, 9), 0, "{failures}");
        }
        let mut last = 0;
        for failures in PROBE_AFTER..PROBE_AFTER + 8 {
            let pause = pause_until(failures, None, 0);
            assert!(pause > last, "{failures}: {pause}");
            last = pause;
        }
        for failures in [PROBE_AFTER + 8, 1000, i64::MAX] {
            assert!((HOUR / 2..=HOUR / 2 * 11 / 10).contains(&pause_until(failures, None, 0)), "{failures}");
        }
    }

    #[test]
    fn three_days_of_failures_end_an_endpoint() {
        assert!(!is_given_up(5, 5 + 72 * HOUR - 1));
        assert!(is_given_up(5, 5 + 72 * HOUR));
    }
}
