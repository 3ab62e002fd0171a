//! Which connection is polled next. Pure: the clock is an argument.

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

/// Chooses among the turns that have no poll under way: the most urgent of those that are due, else the one that will
/// be due first, and when.
pub(crate) fn choose<T>(
    choices: impl Iterator<Item = T>,
    turn: impl Fn(&T) -> &Turn,
    now: Instant,
) -> Option<(T, Instant)> {
    let mut best: Option<(T, Instant, f64)> = None;
    for choice in choices {
        let turn = turn(&choice);
        let due_at = turn.due_at();
        let is_due = due_at <= now;
        let urgency = if is_due { turn.urgency(now) } else { 0.0 };
        let is_better = match &best {
            None => true,
            Some((_, best_due, most)) if is_due => *best_due > now || urgency > *most,
            Some((_, best_due, _)) => due_at < *best_due,
        };
        if is_better {
            best = Some((choice, due_at, urgency));
        }
    }
    best.map(|(choice, due_at, _)| (choice, due_at))
}

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

    fn first<'a>(turns: impl IntoIterator<Item = &'a Turn>, now: Instant) -> Option<usize> {
        let ((index, _), due_at) = choose(turns.into_iter().enumerate(), |(_, turn)| turn, now)?;
        (due_at <= now).then_some(index)
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
    fn where_nothing_is_due_the_first_that_will_be_is_told() {
        let now = Instant::now() + 100 * SECOND;
        let turns = [
            Turn::new(now + 5 * SECOND, SECOND),
            Turn::new(now + 3 * SECOND, SECOND),
            Turn::new(now + 4 * SECOND, SECOND),
        ];
        let (first, due_at) = choose(turns.iter(), |turn| turn, now).unwrap();
        assert_eq!((first.since, due_at), (turns[1].since, now + 3 * SECOND));
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
