//! Which connection is polled next. Pure: the clock is an argument.

use std::time::Duration;

use tokio::time::Instant;

use super::MIN_INTERVAL;

/// When one connection was polled and may be polled again.
#[derive(Clone, Debug)]
pub(crate) struct PollState {
    /// When the wait began.
    pub(crate) since: Instant,
    /// The shortest time between two polls.
    pub(crate) interval: Duration,
    /// The caller's own deadline, if any.
    pub(crate) deadline: Option<Instant>,
    /// When the last poll began; `None` before the first.
    pub(crate) polled_at: Option<Instant>,
    /// Whether the last poll was a long poll, so that the next one may follow it at once.
    pub(crate) was_long_poll: bool,
    /// No poll before this: the service asked for it, or polls have failed.
    pub(crate) not_before: Option<Instant>,
    /// The link's expiry, where the next poll is due at the latest.
    pub(crate) expires_at: Option<Instant>,
    /// The public status is no longer pending: the connection only has to be fetched.
    pub(crate) status_changed: bool,
}

impl PollState {
    pub(crate) fn new(since: Instant, interval: Duration) -> Self {
        Self {
            since,
            interval,
            deadline: None,
            polled_at: None,
            was_long_poll: false,
            not_before: None,
            expires_at: None,
            status_changed: false,
        }
    }

    /// When the next poll may be sent, if the budget allows.
    pub(crate) fn due_at(&self) -> Instant {
        let due = match self.polled_at {
            None => self.since,
            Some(_) if self.status_changed => self.since,
            Some(polled_at) => {
                let next = polled_at + if self.was_long_poll { MIN_INTERVAL } else { self.interval };
                // At the expiry the status changes.
                match self.expires_at {
                    Some(expires_at) if polled_at < expires_at => next.min(expires_at),
                    _ => next,
                }
            }
        };
        self.not_before.map_or(due, |not_before| due.max(not_before))
    }

    /// Its priority among the polls that are due, if its own is.
    pub(crate) fn priority(&self, now: Instant) -> Option<Priority> {
        if self.due_at() > now {
            return None;
        }
        let Some(polled_at) = self.polled_at else {
            return Some(Priority::New(self.since));
        };
        Some(if self.status_changed { Priority::StatusChanged } else { Priority::InTurn(polled_at) })
    }

    /// When its priority next changes by itself, or the wait is over.
    pub(crate) fn changes_at(&self, now: Instant) -> Option<Instant> {
        let changes = [Some(self.due_at()), self.deadline];
        changes.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// A poll was sent.
    pub(crate) fn polled(&mut self, now: Instant) {
        self.polled_at = Some(now);
        self.was_long_poll = false;
    }
}

/// Which of the polls that are due goes first: the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Priority {
    /// The connection only has to be fetched.
    StatusChanged,
    /// Never polled; in the order in which they came.
    New(Instant),
    /// All others take turns: the one that was polled longest ago.
    InTurn(Instant),
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Polled so many seconds ago, every two of them.
    fn polled(ago: u32, now: Instant) -> PollState {
        PollState { polled_at: Some(now - SECOND * ago), ..PollState::new(now - 100 * SECOND, 2 * SECOND) }
    }

    #[test]
    fn changed_ones_go_first_and_then_new_ones_in_their_order() {
        let now = Instant::now() + 1000 * SECOND;
        let changed = PollState { status_changed: true, ..polled(1, now) };
        let newer = PollState::new(now - SECOND, 2 * SECOND);
        let newest = PollState::new(now, 2 * SECOND);
        let others = polled(90, now);
        let priorities = [changed, newer, newest, others].map(|state| state.priority(now).unwrap());
        assert!(priorities.is_sorted_by(|one, next| one < next), "{priorities:?}");
    }

    #[test]
    fn the_one_that_was_polled_longest_ago_is_polled_first() {
        let now = Instant::now() + 1000 * SECOND;
        let priorities = [90, 4, 2].map(|ago| polled(ago, now).priority(now).unwrap());
        assert!(priorities.is_sorted_by(|one, next| one < next), "{priorities:?}");
    }

    #[test]
    fn nothing_is_polled_before_its_interval_and_what_is_due_at_this_very_moment_is_due() {
        let now = Instant::now() + 1000 * SECOND;
        let state = polled(1, now);
        assert_eq!((state.priority(now), state.due_at()), (None, now + SECOND));
        assert_eq!(polled(2, now).priority(now), Some(Priority::InTurn(now - 2 * SECOND)));
        let slowed = PollState { not_before: Some(now + 9 * SECOND), ..state };
        assert_eq!(slowed.due_at(), now + 9 * SECOND);
    }

    #[test]
    fn a_long_poll_may_be_followed_by_another_at_once() {
        let now = Instant::now() + 1000 * SECOND;
        let mut state = PollState { was_long_poll: true, ..polled(1, now) };
        assert_eq!(state.due_at(), now - SECOND + MIN_INTERVAL);
        state.polled(now);
        assert_eq!((state.was_long_poll, state.due_at()), (false, now + 2 * SECOND));
    }

    #[test]
    fn a_priority_changes_when_a_poll_is_due_and_at_the_deadline() {
        let now = Instant::now() + 1000 * SECOND;
        let state = PollState { deadline: Some(now + 10 * SECOND), ..polled(1, now) };
        assert_eq!(state.changes_at(now), Some(now + SECOND));
        assert_eq!(state.changes_at(now + SECOND), state.deadline);
        assert_eq!(state.changes_at(now + 10 * SECOND), None);
        assert_eq!(polled(3, now).changes_at(now), None);
    }

    #[test]
    fn the_expiry_makes_a_poll_due() {
        let now = Instant::now() + 100 * SECOND;
        let state = PollState { interval: 60 * SECOND, expires_at: Some(now + SECOND), ..polled(10, now) };
        assert_eq!(state.due_at(), now + SECOND);
        // At the expiry itself it had its poll.
        let at_expiry = PollState { expires_at: state.polled_at, ..state.clone() };
        assert_eq!(at_expiry.due_at(), now + SECOND * 50);
        let after = PollState { expires_at: Some(now - 20 * SECOND), ..state };
        assert_eq!(after.due_at(), now + 50 * SECOND);
    }
}
