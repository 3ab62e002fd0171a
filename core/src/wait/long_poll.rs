//! Which polls are long polls (`Prefer: wait`, RFC 7240), and for how long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::poll_state::PollState;
use crate::response::Response;

/// How many long polls the service is asked for at once, if the process may open twice as many files: each occupies
/// a connection.
const MAX_LONG_POLLS: usize = 1000;
/// For how long the service is asked to long_poll a response: less than the minute after which proxies commonly close
/// a silent connection.
pub(crate) const MAX_LONG_POLL: Duration = Duration::from_secs(50);

/// A response that comes sooner ended no long poll, whatever it says: `Prefer: wait` counts whole seconds. If it were
/// believed it would be followed by the next poll at once, and so on without end.
const MIN_LONG_POLL: Duration = Duration::from_secs(1);

/// One long poll, for as long as it counts against the limit.
pub(super) struct LongPoll {
    pub(super) time: Duration,
    /// Given back when the poll ends.
    _permit: OwnedSemaphorePermit,
}

/// Limits the number of long polls under way.
pub(super) struct LongPolls(Arc<Semaphore>);

impl LongPolls {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    pub(super) fn has_room(&self) -> bool {
        self.0.available_permits() > 0
    }

    /// Begins a long poll, if the next poll may be one.
    pub(super) fn take(&self, state: &PollState, now: Instant) -> Option<LongPoll> {
        let expires_at = state.expires_at.filter(|expires_at| *expires_at > now);
        let end = state.deadline.into_iter().chain(expires_at).min()?;
        let time = end.saturating_duration_since(now).min(MAX_LONG_POLL);
        // Where a poll failed, perhaps something on the way cuts off what takes long: the next one asks plainly.
        if state.status_changed || state.not_before.is_some() || time < MIN_LONG_POLL {
            return None;
        }
        let _permit = self.0.clone().try_acquire_owned().ok()?;
        Some(LongPoll { time, _permit })
    }
}

/// Whether the response to a request that was sent then ended a long poll.
pub(crate) fn was_long_poll(response: &Response, sent_at: Instant) -> bool {
    let applied = response.headers.get_all("preference-applied");
    let says_waited = applied.iter().any(|value| value.as_bytes().starts_with(b"wait"));
    says_waited && sent_at.elapsed() >= MIN_LONG_POLL
}

/// Maximum number of long polls of this process.
pub(super) fn max_long_polls() -> usize {
    #[cfg(unix)]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let files = None;
    max_long_polls_with(files)
}

/// Half of the files that the process may open are for others.
fn max_long_polls_with(files: Option<u64>) -> usize {
    let half = files.and_then(|files| usize::try_from(files / 2).ok());
    half.map_or(MAX_LONG_POLLS, |half| half.min(MAX_LONG_POLLS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_long_poll_lasts_whole_seconds_until_the_wait_or_link_ends() {
        let now = Instant::now();
        let long_polls = LongPolls::new(2);
        let time = |state: &PollState| long_polls.take(state, now).map(|long_poll| long_poll.time);
        let mut state = PollState::new(now, SECOND);
        assert_eq!(time(&state), None);
        state.deadline = Some(now + 10 * SECOND);
        assert_eq!(time(&state), Some(10 * SECOND));
        state.expires_at = Some(now + 5 * SECOND);
        assert_eq!(time(&state), Some(5 * SECOND));
        // A link that is over ends no wait that has a deadline of its own.
        state.expires_at = Some(now);
        assert_eq!(time(&state), Some(10 * SECOND));
        state.deadline = Some(now + SECOND);
        assert_eq!(time(&state), Some(SECOND));
        state.deadline = Some(now + SECOND - Duration::from_millis(1));
        assert_eq!(time(&state), None);
        state.deadline = Some(now + 600 * SECOND);
        assert_eq!(time(&state), Some(MAX_LONG_POLL));
        let first = long_polls.take(&state, now);
        assert!(first.is_some() && long_polls.has_room());
        let second = long_polls.take(&state, now);
        assert!(second.is_some() && !long_polls.has_room());
        assert_eq!(time(&state), None, "no room");
        drop((first, second));
        state.not_before = Some(now);
        assert_eq!(time(&state), None, "after a failure");
        state.not_before = None;
        state.status_changed = true;
        assert_eq!(time(&state), None);
    }

    #[test]
    fn half_of_the_files_are_for_others() {
        assert_eq!(max_long_polls_with(Some(1024)), 512);
        assert_eq!(max_long_polls_with(Some(1_048_576)), MAX_LONG_POLLS);
        assert_eq!(max_long_polls_with(None), MAX_LONG_POLLS);
        assert!(max_long_polls() > 1, "this process may open some");
    }
}
