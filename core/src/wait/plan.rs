//! Which connection is polled next. Pure: the clock is an argument.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::SHORTEST_INTERVAL;

/// A wait that has been pending for this long is polled half as often as a new one, where not all can be polled as
/// often as they wish.
const SETTLING_IN: Duration = Duration::from_secs(300);
/// A wait that ends by its caller's deadline goes before others that are due when there is only this left of it.
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
    /// What it has paid for its polls, on its lane's clock.
    pub(crate) paid: Duration,
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
            paid: Duration::ZERO,
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

    /// How it ranks among the polls that are due, if its own is.
    pub(crate) fn rank(&self, now: Instant) -> Option<Rank> {
        if self.due_at() > now {
            return None;
        }
        let Some(polled_at) = self.polled_at else {
            return Some(Rank::New(self.since));
        };
        let is_last_chance = |from| from <= now && polled_at < from;
        Some(if self.news {
            Rank::News
        } else if self.last_chance().is_some_and(is_last_chance) {
            Rank::LastChance
        } else {
            Rank::InTurn(self.paid)
        })
    }

    /// When its rank next changes by itself, or the wait is over.
    pub(crate) fn changes_at(&self, now: Instant) -> Option<Instant> {
        let changes = [Some(self.due_at()), self.last_chance(), self.deadline];
        changes.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// A poll was sent, for which it pays the more the longer it has been pending.
    pub(crate) fn polled(&mut self, now: Instant, lane_clock: Duration) {
        let pending = now.saturating_duration_since(self.since);
        self.paid = self.paid.max(lane_clock) + SETTLING_IN + pending.min(SETTLING_IN);
        self.polled_at = Some(now);
        self.held = false;
    }

    fn last_chance(&self) -> Option<Instant> {
        let deadline = self.deadline?;
        Some(deadline.checked_sub(LAST_CHANCE).unwrap_or(deadline))
    }
}

/// Which of the polls that are due goes first: the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// There is news, which only has to be fetched.
    News,
    /// Never polled; in the order in which they came.
    New(Instant),
    /// Its caller's deadline is near.
    LastChance,
    /// By turns: who has paid least.
    InTurn(Duration),
}

/// Polls that are due and share slots. They take turns by what they have paid, and those who come in begin with what
/// the others have paid by then (stride scheduling; C. A. Waldspurger and W. E. Weihl, 1995).
#[derive(Debug)]
pub(crate) struct Lane<K> {
    due: BTreeSet<(Rank, K)>,
    /// What the last one had paid whose turn it was.
    clock: Duration,
}

impl<K: Ord> Lane<K> {
    pub(crate) fn add(&mut self, rank: Rank, key: K) {
        self.due.insert((rank, key));
    }

    pub(crate) fn remove(&mut self, rank: Rank, key: K) {
        self.due.remove(&(rank, key));
    }

    /// Takes out the one that goes first.
    pub(crate) fn pop(&mut self) -> Option<K> {
        let (rank, key) = self.due.pop_first()?;
        if let Rank::InTurn(paid) = rank {
            self.clock = self.clock.max(paid);
        }
        Some(key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.due.iter().map(|(_, key)| key)
    }

    pub(crate) fn clock(&self) -> Duration {
        self.clock
    }
}

impl<K> Default for Lane<K> {
    fn default() -> Self {
        Self {
            due: BTreeSet::new(),
            clock: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Polled so many seconds ago, every two of them.
    fn polled(ago: u32, now: Instant) -> Turn {
        Turn {
            polled_at: Some(now - SECOND * ago),
            ..Turn::new(now - 100 * SECOND, 2 * SECOND)
        }
    }

    #[test]
    fn news_go_first_and_then_new_ones_in_their_order_and_then_last_chances() {
        let now = Instant::now() + 1000 * SECOND;
        let news = Turn {
            news: true,
            ..polled(1, now)
        };
        let newer = Turn::new(now - SECOND, 2 * SECOND);
        let newest = Turn::new(now, 2 * SECOND);
        let last_chance = Turn {
            deadline: Some(now + SECOND),
            ..polled(4, now)
        };
        let others = polled(90, now);
        let ranks = [news, newer, newest, last_chance, others].map(|turn| turn.rank(now).unwrap());
        assert!(ranks.is_sorted_by(|one, next| one < next), "{ranks:?}");
    }

    #[test]
    fn who_was_polled_first_is_polled_again_first_and_settled_waits_half_as_often() {
        let start = Instant::now();
        let now = start + 1000 * SECOND;
        let since = [start, start, now, now];
        let mut turns = since.map(|since| Turn::new(since, Duration::ZERO));
        let mut lane = Lane::default();
        for (index, turn) in turns.iter_mut().enumerate() {
            turn.polled(now, lane.clock());
            lane.add(turn.rank(now).unwrap(), index);
        }
        let mut polls = Vec::new();
        for _ in 0..12 {
            let index = lane.pop().unwrap();
            polls.push(index);
            turns[index].polled(now, lane.clock());
            lane.add(turns[index].rank(now).unwrap(), index);
        }
        assert_eq!(polls, [2, 3, 0, 1, 2, 3, 2, 3, 0, 1, 2, 3]);
    }

    #[test]
    fn a_wait_settles_little_by_little() {
        let start = Instant::now();
        let paid = [0, 150, 300, 900].map(|seconds| {
            let mut turn = Turn::new(start, SECOND);
            turn.polled(start + seconds * SECOND, Duration::ZERO);
            turn.paid.as_secs()
        });
        assert_eq!(paid, [300, 450, 600, 600]);
    }

    #[test]
    fn who_comes_late_has_no_turns_saved_up() {
        let now = Instant::now();
        let mut lane = Lane::default();
        for paid in [7, 9, 8] {
            lane.add(Rank::InTurn(SECOND * paid), paid);
        }
        while lane.pop().is_some() {}
        assert_eq!(lane.clock(), 9 * SECOND);
        let mut late = Turn::new(now, SECOND);
        late.polled(now, lane.clock());
        assert_eq!(late.paid, 9 * SECOND + SETTLING_IN);
        // Those who do not go in turn do not move the clock, nor does who was away for long.
        lane.add(Rank::New(now), 1);
        lane.add(Rank::InTurn(SECOND), 2);
        assert_eq!(
            (lane.pop(), lane.pop(), lane.clock()),
            (Some(1), Some(2), 9 * SECOND)
        );
    }

    #[test]
    fn a_lane_gives_what_was_added_and_not_removed() {
        let mut lane = Lane::default();
        assert!(lane.is_empty());
        for key in [3, 1, 2] {
            lane.add(Rank::InTurn(SECOND * key), key);
        }
        lane.remove(Rank::InTurn(SECOND), 1);
        assert_eq!(lane.keys().copied().collect::<Vec<_>>(), [2, 3]);
        assert!(!lane.is_empty());
        assert_eq!((lane.pop(), lane.pop(), lane.pop()), (Some(2), Some(3), None));
    }

    #[test]
    fn nothing_is_polled_before_its_interval_and_what_is_due_at_this_very_moment_is_due() {
        let now = Instant::now() + 1000 * SECOND;
        let turn = polled(1, now);
        assert_eq!((turn.rank(now), turn.due_at()), (None, now + SECOND));
        assert_eq!(polled(2, now).rank(now), Some(Rank::InTurn(Duration::ZERO)));
        let slowed = Turn {
            not_before: Some(now + 9 * SECOND),
            ..turn
        };
        assert_eq!(slowed.due_at(), now + 9 * SECOND);
    }

    #[test]
    fn an_answer_that_was_held_is_asked_for_again_at_once() {
        let now = Instant::now() + 1000 * SECOND;
        let mut turn = Turn {
            held: true,
            ..polled(1, now)
        };
        assert_eq!(turn.due_at(), now - SECOND + SHORTEST_INTERVAL);
        turn.polled(now, Duration::ZERO);
        assert_eq!((turn.held, turn.due_at()), (false, now + 2 * SECOND));
    }

    #[test]
    fn a_deadline_brings_one_last_poll() {
        let now = Instant::now() + 1000 * SECOND;
        let ending = |left, ago| Turn {
            deadline: Some(now + left),
            ..polled(ago, now)
        };
        assert_eq!(ending(LAST_CHANCE, 3).rank(now), Some(Rank::LastChance));
        let not_yet = LAST_CHANCE + Duration::from_millis(1);
        assert_eq!(ending(not_yet, 3).rank(now), Some(Rank::InTurn(Duration::ZERO)));
        // It had its last poll already.
        let had_it = Turn {
            interval: SECOND,
            ..ending(SECOND, 1)
        };
        assert_eq!(had_it.rank(now), Some(Rank::InTurn(Duration::ZERO)));
    }

    #[test]
    fn a_rank_changes_when_a_poll_is_due_when_the_last_chance_begins_and_at_the_deadline() {
        let now = Instant::now() + 1000 * SECOND;
        let turn = Turn {
            deadline: Some(now + 10 * SECOND),
            ..polled(1, now)
        };
        let mut changes = vec![now];
        while changes.len() < 5
            && let Some(at) = turn.changes_at(*changes.last().unwrap())
        {
            changes.push(at);
        }
        assert_eq!(changes, [0, 1, 8, 10].map(|seconds| now + seconds * SECOND));
        assert_eq!(polled(3, now).changes_at(now), None);
    }

    #[test]
    fn the_expiry_makes_a_poll_due() {
        let now = Instant::now() + 100 * SECOND;
        let turn = Turn {
            interval: 60 * SECOND,
            expires_at: Some(now + SECOND),
            ..polled(10, now)
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
