//! When a token is due, and whether it can still be used.

use crate::clock::{CLOCK_TOLERANCE, Millis};
use crate::store::Lifetime;

/// A token is refreshed this long before it expires, but not before nine tenths of its life, unless the catalogue tells
/// another margin.
const MARGIN: Millis = 60_000;
/// How long a token is thought to live where neither the provider nor the catalogue tells.
const UNKNOWN_LIFETIME: Millis = 60 * 60 * 1000;
/// What is left of a token that is vended while its refresh is under way: enough for a caller to act. With less, the
/// caller waits for the refresh.
const ENOUGH: Millis = 10_000;

impl Lifetime {
    /// Whether a clock that was wrong wrote these times: they are not believed.
    fn is_from_the_future(&self, now: Millis) -> bool {
        self.obtained_at > now.saturating_add(CLOCK_TOLERANCE)
    }

    /// Whether it is time for new ones; without anything to get them with, once it has expired. `margin` is the
    /// catalogue's; no margin keeps a token from being used for half its life.
    pub(super) fn is_due(&self, now: Millis, margin: Option<Millis>) -> bool {
        if self.is_from_the_future(now) {
            return self.is_refreshable;
        }
        if !self.is_refreshable {
            return !self.is_valid(now);
        }
        let expires_at = self.expires_at.unwrap_or(self.obtained_at.saturating_add(UNKNOWN_LIFETIME));
        let life = expires_at.saturating_sub(self.obtained_at);
        let margin = margin.map_or(MARGIN.min(life / 10), |margin| margin.min(life / 2));
        now >= expires_at - margin
    }

    /// Whether the access token can still be used, as far as is known. Where nothing is known, and it cannot be
    /// refreshed, it is given a chance rather than the customer the trouble of connecting again.
    pub(super) fn is_valid(&self, now: Millis) -> bool {
        if self.is_from_the_future(now) {
            return !self.is_refreshable;
        }
        self.expires_at.is_none_or(|expires_at| expires_at > now)
    }

    /// Whether the access token is known to be good for long enough to be vended before its refresh is done.
    pub(super) fn has_enough_left(&self, now: Millis) -> bool {
        let has_left = |expires_at: Millis| expires_at - now >= ENOUGH;
        !self.is_from_the_future(now) && self.expires_at.is_some_and(has_left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(expires_at: Option<Millis>, is_refreshable: bool) -> Lifetime {
        Lifetime { obtained_at: 0, expires_at, is_refreshable }
    }

    #[test]
    fn the_margin_is_never_longer_than_a_tenth_of_the_life() {
        let hour = tokens(Some(3_600_000), true);
        assert!(!hour.is_due(3_539_999, None));
        assert!(hour.is_due(3_540_000, None));
        let short = tokens(Some(10_000), true);
        assert!(!short.is_due(8_999, None));
        assert!(short.is_due(9_000, None));
    }

    #[test]
    fn the_catalogues_margin_leaves_half_the_life() {
        let hour = tokens(Some(3_600_000), true);
        for (margin, due) in [(0, 3_600_000), (300_000, 3_300_000), (86_400_000, 1_800_000)] {
            assert!(!hour.is_due(due - 1, Some(margin)) && hour.is_due(due, Some(margin)), "{margin}");
        }
    }

    #[test]
    fn a_token_without_expiry_is_refreshed_within_an_hour_if_it_can_be() {
        assert!(!tokens(None, true).is_due(3_539_999, None));
        assert!(tokens(None, true).is_due(3_540_000, None));
        assert!(!tokens(None, false).is_due(i64::MAX, None));
        assert!(tokens(None, false).is_valid(i64::MAX));
    }

    /// A clock that was a year ahead must not vend a dead token for a year.
    #[test]
    fn times_of_a_wrong_clock_are_not_believed() {
        let year = 365 * 24 * 3_600_000;
        for (lifetime, refreshable) in [(Some(3_600_000), true), (None, true)] {
            let mut ahead = tokens(lifetime, refreshable);
            ahead.obtained_at += year;
            ahead.expires_at = ahead.expires_at.map(|at| at + year);
            assert!(ahead.is_due(0, None) && !ahead.is_valid(0));
            // Clocks of several processes never agree entirely.
            let slightly = year - CLOCK_TOLERANCE;
            assert!(!ahead.is_due(slightly, None) && ahead.is_valid(slightly));
        }
        let mut alone = tokens(Some(3_600_000), false);
        alone.obtained_at += year;
        assert!(!alone.is_due(0, None) && alone.is_valid(0));
    }

    #[test]
    fn a_token_with_ten_seconds_left_need_not_wait() {
        assert!(tokens(Some(10_000), true).has_enough_left(0));
        assert!(!tokens(Some(9_999), true).has_enough_left(0));
        assert!(!tokens(None, true).has_enough_left(0), "nobody knows");
    }

    #[test]
    fn an_expired_token_is_not_valid() {
        assert!(tokens(Some(10), true).is_valid(9));
        assert!(!tokens(Some(10), true).is_valid(10));
    }
}
