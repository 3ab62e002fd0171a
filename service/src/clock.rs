//! Time, from one place, so that a test can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// By how much the clocks of processes that share a database may differ. What is further in the future than that was
/// written by a clock that was wrong.
pub const CLOCK_TOLERANCE: Millis = 60_000;

/// The system's clock. Clones share what [`Clock::advance`] adds to it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Millis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(since_epoch) + self.ahead.load(Ordering::Relaxed)
    }

    /// The time now, in the standard library's type.
    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now().unsigned_abs())
    }

    /// Moves this clock and all its clones forward; for tests of expiry.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(millis(by), Ordering::Relaxed);
    }
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> Millis {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// How it is written on the wire: RFC 3339, UTC, whole seconds.
pub fn rfc3339(time: Millis) -> String {
    OffsetDateTime::from_unix_timestamp(time.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// Reads a time as RFC 3339 writes it, to the millisecond; `None` for any other text.
pub fn parse_rfc3339(text: &str) -> Option<Millis> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_in_utc() {
        assert_eq!(rfc3339(1_795_255_200_999), "2026-11-21T10:00:00Z");
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        assert_eq!(parse_rfc3339("2026-11-21T10:00:00Z"), Some(1_795_255_200_000));
        assert_eq!(parse_rfc3339("2026-11-21T11:00:00.5+01:00"), Some(1_795_255_200_500));
        for text in ["", "2026-11-21", "2026-11-21T10:00:00", "1795255200", "9999999-01-01T00:00:00Z"] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn clones_move_together() {
        let clock = Clock::default();
        let before = clock.now();
        clock.clone().advance(Duration::from_secs(60));
        assert!(clock.now() >= before + 60_000);
    }
}
