//! Which connection is polled next. Pure: the clock is an argument.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

use super::SHORTEST_INTERVAL;

/// A wait that has been pending for this long is polled half as often as a new one.
const SETTLING_IN: Duration = Duration::from_secs(300);
/// A wait that ends by its caller's deadline is polled once more within this time before it.
const LAST_CHANCE: Duration = Duration::from_secs(2);

/// When one connection was polled and may be polled again.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// When the wait began.
    pub(crate) since: Instant,
    /// The shortest time between two polls.
    pub(crate) interval: Duration,
    /// The caller's own deadline, if any.
    pub(crate) deadline: Option<Instant>,
    /// When the last poll began; `None` before the first.
    pub(crate) polled_at: Option<Instant>,
    /// Whether the last answer was held, so that the next poll may follow it at once.
    pub(crate) held: bool,
    /// No poll before this: the service asked for it, or polls have failed.
    pub(crate) not_before: Option<Instant>,
    /// The link's expiry, where the next poll is due at the latest.
    pub(crate) expires_at: Option<Instant>,
    /// It is known that there is news, which only has to be fetched.
    pub(crate) news: bool,
}

impl Turn {
    pub(crate) fn new(since: Instant, interval: Duration) -> Self {
        Self {
            since,
            interval,
            deadline: None,
            polled_at: None,
            held: false,
            not_before: None,
            expires_at: None,
            news: false,
        }
    }

    /// When the next poll may be sent, if the budget allows.
    pub(crate) fn due_at(&self) -> Instant {
        let due = match self.polled_at {
            None => self.since,
            Some(_) if self.news => self.since,
            Some(polled_at) => {
                let next = polled_at
                    + if self.held {
                        SHORTEST_INTERVAL
                    } else {
                        self.interval
                    };
                // At the expiry there will be news.
                match self.expires_at {
                    Some(expires_at) if polled_at < expires_at => next.min(expires_at),
                    _ => next,
                }
            }
        };
        self.not_before.map_or(due, |not_before| due.max(not_before))
    }

    /// Whether a poll is due, or when it will be.
    pub(crate) fn standing(&self, now: Instant) -> Standing {
        let due_at = self.due_at();
        if due_at > now {
            Standing::Later(due_at)
        } else {
            Standing::Due(self.urgency(now))
        }
    }

    /// How much a poll is wanted; the largest goes first.
    fn urgency(&self, now: Instant) -> f64 {
        let Some(polled_at) = self.polled_at else {
            // New ones in the order in which they came, before all that were polled.
            return 2e9 + now.saturating_duration_since(self.since).as_secs_f64();
        };
        if self.news {
            return 3e9;
        }
        let last_chance = self.deadline.is_some_and(|deadline| {
            let from = deadline.checked_sub(LAST_CHANCE).unwrap_or(deadline);
            now >= from && polled_at < from
        });
        if last_chance {
            return 1e9;
        }
        let pending = now.saturating_duration_since(self.since).as_secs_f64();
        let weight = 1.0 + (pending / SETTLING_IN.as_secs_f64()).min(1.0);
        now.saturating_duration_since(polled_at).as_secs_f64() / weight
    }
}

/// How a turn stands at some moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Standing {
    /// A poll is due, and wanted so much.
    Due(f64),
    /// None is due before this.
    Later(Instant),
}

/// Turns that share slots for their polls.
pub(crate) struct Lane<T> {
    due: BinaryHeap<Due<T>>,
    /// When the next will be due that is not yet.
    next_at: Option<Instant>,
}

impl<T> Lane<T> {
    pub(crate) fn add(&mut self, turn: T, standing: Standing) {
        match standing {
            Standing::Due(urgency) => self.due.push(Due { urgency, turn }),
            Standing::Later(at) => self.next_at = Some(self.next_at.map_or(at, |next| next.min(at))),
        }
    }

    /// The most urgent of those that are due.
    pub(crate) fn pop(&mut self) -> Option<T> {
        Some(self.due.pop()?.turn)
    }

    /// All others that are due and of which this is true.
    pub(crate) fn pop_all(&mut self, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let (wanted, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.due)
            .into_iter()
            .partition(|due| is_wanted(&due.turn));
        self.due = rest.into();
        wanted.into_iter().map(|due| due.turn).collect()
    }

    /// When there is something to send, if the next slot is this.
    pub(crate) fn wake_at(&self, slot: Instant) -> Option<Instant> {
        if self.due.is_empty() {
            self.next_at.map(|at| at.max(slot))
        } else {
            Some(slot)
        }
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            due: BinaryHeap::new(),
            next_at: None,
        }
    }
}

struct Due<T> {
    urgency: f64,
    turn: T,
}

impl<T> Ord for Due<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.urgency.total_cmp(&other.urgency)
    }
}

impl<T> PartialOrd for Due<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Due<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Due<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn polled(since: Instant, ago: u32, now: Instant) -> Turn {
        Turn {
            polled_at: Some(now - SECOND * ago),
            ..Turn::new(since, 2 * SECOND)
        }
    }

    fn lane<'a>(turns: impl IntoIterator<Item = &'a Turn>, now: Instant) -> Lane<usize> {
        let mut lane = Lane::default();
        for (index, turn) in turns.into_iter().enumerate() {
            lane.add(index, turn.standing(now));
        }
        lane
    }

    fn first<'a>(turns: impl IntoIterator<Item = &'a Turn>, now: Instant) -> Option<usize> {
        lane(turns, now).pop()
    }

    #[test]
    fn new_ones_go_first_in_their_order_and_news_before_all() {
        let start = Instant::now();
        let now = start + 100 * SECOND;
        let old = polled(start, 90, now);
        let newer = Turn::new(now - SECOND, 2 * SECOND);
        let newest = Turn::new(now, 2 * SECOND);
        assert_eq!(first([&old, &newest, &newer], now), Some(2));
        let news = Turn {
            news: true,
            ..polled(start, 1, now)
        };
        assert_eq!(first([&old, &newest, &news], now), Some(2));
    }

    #[test]
    fn who_has_waited_longest_for_a_poll_goes_first_and_old_waits_count_half() {
        let start = Instant::now();
        let now = start + 1000 * SECOND;
        assert_eq!(
            first([&polled(start, 10, now), &polled(start, 11, now)], now),
            Some(1)
        );
        let fresh = polled(now - 20 * SECOND, 10, now);
        assert_eq!(first([&polled(start, 18, now), &fresh], now), Some(1));
        assert_eq!(first([&polled(start, 22, now), &fresh], now), Some(0));
    }

    #[test]
    fn one_that_has_just_begun_goes_before_all_that_were_polled() {
        let now = Instant::now() + SECOND * 100;
        let newest = Turn::new(now, SECOND);
        assert_eq!(first([&polled(now, 90, now), &newest], now), Some(1));
    }

    #[test]
    fn what_is_due_at_this_very_moment_is_due() {
        let now = Instant::now() + SECOND * 100;
        assert_eq!(first([&polled(now, 2, now)], now), Some(0));
    }

    #[test]
    fn nothing_is_polled_before_its_interval() {
        let now = Instant::now() + 100 * SECOND;
        let turn = polled(now - 10 * SECOND, 1, now);
        assert_eq!(first([&turn], now), None);
        assert_eq!(turn.due_at(), now + SECOND);
        let slowed = Turn {
            not_before: Some(now + 9 * SECOND),
            ..turn
        };
        assert_eq!(slowed.due_at(), now + 9 * SECOND);
        assert_eq!(first([], now), None);
    }

    #[test]
    fn a_lane_wakes_at_its_slot_or_when_the_first_will_be_due() {
        let now = Instant::now() + 100 * SECOND;
        let later = [5, 3, 4].map(|seconds| Turn::new(now + seconds * SECOND, SECOND));
        let waiting = lane(&later, now);
        assert_eq!(waiting.wake_at(now), Some(now + 3 * SECOND));
        assert_eq!(waiting.wake_at(now + 9 * SECOND), Some(now + 9 * SECOND));
        let due = lane([&later[0], &Turn::new(now, SECOND)], now);
        assert_eq!(due.wake_at(now + SECOND), Some(now + SECOND));
        assert_eq!(lane([], now).wake_at(now), None);
    }

    #[test]
    fn those_that_share_a_poll_leave_the_lane_together() {
        let now = Instant::now() + 100 * SECOND;
        let turns = [5, 4, 3, 2].map(|ago| polled(now - 90 * SECOND, ago, now));
        let mut lane = lane(&turns, now);
        let mut odd = lane.pop_all(|index| index % 2 == 1);
        odd.sort_unstable();
        assert_eq!(
            (odd, lane.pop(), lane.pop(), lane.pop()),
            (vec![1, 3], Some(0), Some(2), None)
        );
    }

    #[test]
    fn a_deadline_brings_one_last_poll() {
        let start = Instant::now();
        let now = start + 100 * SECOND;
        let waiting = polled(start, 50, now);
        let ending = Turn {
            deadline: Some(now + SECOND),
            ..polled(start, 4, now)
        };
        assert_eq!(first([&waiting, &ending], now), Some(1));
        // It had its last poll already.
        let done = Turn {
            polled_at: Some(now - SECOND),
            interval: SECOND,
            ..ending
        };
        assert_eq!(first([&waiting, &done], now), Some(0));
    }

    #[test]
    fn the_expiry_makes_a_poll_due() {
        let now = Instant::now() + 100 * SECOND;
        let turn = Turn {
            interval: 60 * SECOND,
            expires_at: Some(now + SECOND),
            ..polled(now, 10, now)
        };
        assert_eq!(turn.due_at(), now + SECOND);
        // At the expiry itself it had its poll.
        let at_expiry = Turn {
            expires_at: turn.polled_at,
            ..turn.clone()
        };
        assert_eq!(at_expiry.due_at(), now + SECOND * 50);
        let after = Turn {
            expires_at: Some(now - 20 * SECOND),
            ..turn
        };
        assert_eq!(after.due_at(), now + 50 * SECOND);
    }
}
