//! Which answers the service is asked to hold until there is news, and for how long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::plan::Turn;

/// How many answers the service is asked to hold at once, if the process may open twice as many files: each occupies
/// a connection.
const MOST_HELD: usize = 1000;
/// For how long the service is asked to hold an answer: less than the minute after which proxies commonly close
/// a silent connection.
const LONGEST_HOLD: Duration = Duration::from_secs(50);

/// A response that comes sooner was not held, whatever it says: `Prefer: wait` counts whole seconds. If it were
/// believed it would be followed by the next poll at once, and so on without end.
pub(super) const SHORTEST_HOLD: Duration = Duration::from_secs(1);

/// A wish to have an answer held, while there is room for it.
pub(super) struct Hold {
    pub(super) time: Duration,
    /// Given back when the poll ends.
    _permit: OwnedSemaphorePermit,
}

/// The room for held answers.
pub(super) struct Holds(Arc<Semaphore>);

impl Holds {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    pub(super) fn has_room(&self) -> bool {
        self.0.available_permits() > 0
    }

    /// For how long the next answer may be held, if at all.
    pub(super) fn take(&self, turn: &Turn, now: Instant) -> Option<Hold> {
        let expires_at = turn.expires_at.filter(|expires_at| *expires_at > now);
        let end = turn.deadline.into_iter().chain(expires_at).min()?;
        let time = end.saturating_duration_since(now).min(LONGEST_HOLD);
        // Where a poll failed, perhaps something on the way cuts off what takes long: the next one asks plainly.
        if turn.news || turn.not_before.is_some() || time < SHORTEST_HOLD {
            return None;
        }
        let _permit = self.0.clone().try_acquire_owned().ok()?;
        Some(Hold { time, _permit })
    }
}

/// How many answers this process may have held.
pub(super) fn most_held() -> usize {
    #[cfg(unix)]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let files = None;
    most_held_with(files)
}

/// Half of the files that the process may open are for others.
fn most_held_with(files: Option<u64>) -> usize {
    let half = files.and_then(|files| usize::try_from(files / 2).ok());
    half.map_or(MOST_HELD, |half| half.min(MOST_HELD))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_answer_is_held_for_whole_seconds_until_the_wait_or_the_link_is_over() {
        let now = Instant::now();
        let holds = Holds::new(2);
        let time = |turn: &Turn| holds.take(turn, now).map(|hold| hold.time);
        let mut turn = Turn::new(now, SECOND);
        assert_eq!(time(&turn), None);
        turn.deadline = Some(now + 10 * SECOND);
        assert_eq!(time(&turn), Some(10 * SECOND));
        turn.expires_at = Some(now + 5 * SECOND);
        assert_eq!(time(&turn), Some(5 * SECOND));
        // A link that is over ends no wait that has a deadline of its own.
        turn.expires_at = Some(now);
        assert_eq!(time(&turn), Some(10 * SECOND));
        turn.deadline = Some(now + SECOND);
        assert_eq!(time(&turn), Some(SECOND));
        turn.deadline = Some(now + SECOND - Duration::from_millis(1));
        assert_eq!(time(&turn), None);
        turn.deadline = Some(now + 600 * SECOND);
        assert_eq!(time(&turn), Some(LONGEST_HOLD));
        let first = holds.take(&turn, now);
        assert!(first.is_some() && holds.has_room());
        let second = holds.take(&turn, now);
        assert!(second.is_some() && !holds.has_room());
        assert_eq!(time(&turn), None, "no room");
        drop((first, second));
        turn.not_before = Some(now);
        assert_eq!(time(&turn), None, "after a failure");
        turn.not_before = None;
        turn.news = true;
        assert_eq!(time(&turn), None);
    }

    #[test]
    fn half_of_the_files_are_for_others() {
        assert_eq!(most_held_with(Some(1024)), 512);
        assert_eq!(most_held_with(Some(1_048_576)), MOST_HELD);
        assert_eq!(most_held_with(None), MOST_HELD);
        assert!(most_held() > 1, "this process may open some");
    }
}
