//! One connection that is waited for, and everybody who waits for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, BoxFuture};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::long_poll::LongPoll;
use super::poll::{self, PendingDetails, PollResponse};
use super::poll_state::{PollState, Priority};
use super::{NEVER, OnPoll, Seen};
use crate::customer::Customer;
use crate::error::{Error, ErrorKind};
use crate::links::StatusAddress;

/// A wait for a link that does not say when it expires ends after this.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(3600);
/// By how much two tellings of the same expiry may differ.
const EXPIRY_ROUNDING: Duration = Duration::from_secs(5);

/// Polls that see a connection pending after its link's expiry before the wait ends.
const POLLS_AFTER_EXPIRY: u32 = 2;
/// For how long after the link's expiry failing polls are tried again.
const GRACE: Duration = Duration::from_secs(60);
/// Failing polls become more and more seldom, up to this.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// What a wait ends with.
pub(super) type Outcome = Result<Box<Seen>, Error>;

/// What a wait is for; everybody who waits for the same shares its polls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) email: HeaderValue,
    pub(super) connection_id: String,
}

/// Somebody who waits.
pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) interval: Duration,
    pub(super) deadline: Option<Instant>,
    pub(super) on_poll: Option<OnPoll>,
    pub(super) sender: oneshot::Sender<Outcome>,
}

/// A poll under way, shared by the entries that it is for. It is stopped when the last of them drops it.
pub(super) struct UnderWay(pub(super) AbortHandle);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An entry's position in the queues.
#[derive(Clone, Copy)]
pub(super) struct QueuePosition {
    /// In which of the two run queues.
    pub(super) watches_status: bool,
    /// How its poll priorities there, if one is due.
    pub(super) due: Option<Priority>,
    /// When that changes by itself.
    pub(super) review_at: Option<Instant>,
}

pub(super) struct Entry {
    pub(super) customer: Customer,
    pub(super) state: PollState,
    /// Its position as the queue has it.
    pub(super) queued: Option<QueuePosition>,
    pub(super) waiters: Vec<Waiter>,
    /// Where the link's public status is, while that can be believed.
    pub(super) status: Option<Arc<StatusAddress>>,
    /// What that last said of how far the link has come.
    pub(super) revision: Option<String>,
    pub(super) under_way: Option<Arc<UnderWay>>,
    /// Whether the customer's list was seen without this connection.
    pub(super) unlisted: bool,
    /// The connection as JSON, which is a fraction of what it takes otherwise.
    pub(super) last_seen: Option<SecretString>,
    pub(super) polls: u32,
    /// Polls in a row that failed.
    failures: u32,
    polls_after_expiry: u32,
    /// Whether the service said when the link expires.
    expiry_is_known: bool,
}

impl Entry {
    pub(super) fn new(customer: &Customer, connection_id: &str, now: Instant) -> Self {
        Self {
            customer: customer.clone(),
            state: PollState { expires_at: Some(now + MAX_WAIT), ..PollState::new(now, NEVER) },
            queued: None,
            waiters: Vec::with_capacity(1),
            status: customer.client().links().find(connection_id, customer.email()),
            revision: None,
            under_way: None,
            unlisted: false,
            last_seen: None,
            polls: 0,
            failures: 0,
            polls_after_expiry: 0,
            expiry_is_known: false,
        }
    }

    pub(super) fn join(&mut self, waiter: Waiter) {
        self.waiters.push(waiter);
        self.apply_options();
    }

    pub(super) fn leave(&mut self, id: u64) {
        self.waiters.retain(|waiter| waiter.id != id);
        self.apply_options();
    }

    /// Whether the next poll asks for the link's public status, which costs the tenant's budget nothing.
    pub(super) fn watches_status(&self) -> bool {
        self.status.is_some() && !self.state.status_changed
    }

    /// Asks for the connection, or for its public status while that is enough.
    pub(super) fn poll(
        &self,
        key: &Key,
        long_poll: Option<LongPoll>,
    ) -> BoxFuture<'static, Result<PollResponse, Error>> {
        let customer = self.customer.clone();
        match &self.status {
            Some(address) if self.watches_status() => {
                poll::status(customer, address.clone(), self.revision.clone(), long_poll).boxed()
            }
            _ => poll::connection(customer, key.connection_id.clone(), long_poll).boxed(),
        }
    }

    pub(super) fn poll_begins(&mut self, under_way: Arc<UnderWay>, now: Instant) {
        self.under_way = Some(under_way);
        self.state.polled(now);
        self.polls += 1;
    }

    /// The link's public status is not worth asking any more.
    pub(super) fn distrust_status(&mut self) {
        self.status = None;
    }

    /// Its position by now.
    pub(super) fn position(&self, now: Instant) -> QueuePosition {
        let is_under_way = self.under_way.is_some();
        QueuePosition {
            watches_status: self.watches_status(),
            due: self.state.priority(now).filter(|_| !is_under_way),
            review_at: if is_under_way { self.state.deadline } else { self.state.changes_at(now) },
        }
    }

    /// A poll saw at the link's public status that the customer is done: the next one fetches the connection.
    pub(super) fn status_changed(&mut self) {
        self.poll_succeeded();
        self.state.status_changed = true;
    }

    /// A poll that began then found that the customer is not done.
    pub(super) fn still_pending(&mut self, details: PendingDetails, poll_began: Instant) {
        self.poll_succeeded();
        self.state.was_long_poll = details.was_long_poll;
        if let Some(left) = details.expires_in {
            self.expires_in(left);
        }
        if details.expires_in == Some(Duration::ZERO) || self.had_expired(poll_began) {
            self.polls_after_expiry += 1;
        }
        if self.polls_after_expiry >= POLLS_AFTER_EXPIRY {
            self.end_those_without_deadline();
        }
    }

    /// A poll that began then failed in a way that does not end the wait.
    pub(super) fn poll_failed(&mut self, error: &Error, poll_began: Instant) {
        self.failures += 1;
        let slower = self.state.interval.saturating_mul(1 << self.failures.min(8));
        let backoff = slower.min(MAX_BACKOFF.max(self.state.interval));
        let wish = error.retry_after().unwrap_or_default();
        // However long the service wants to be left alone, it is asked how the link ended.
        let now = Instant::now();
        let end = self.state.expires_at.map(|expires_at| expires_at + GRACE);
        let wish = end.map_or(wish, |end| wish.min(end.saturating_duration_since(now)));
        self.state.not_before = now.checked_add(backoff.max(wish));
        if poll_began.checked_sub(GRACE).is_some_and(|then| self.had_expired(then)) {
            self.end_those_without_deadline();
        }
    }

    /// Ends the waits whose callers' deadlines have passed.
    pub(super) fn end_overdue(&mut self, now: Instant) {
        let is_over = |deadline| deadline <= now;
        if self.state.deadline.is_some_and(is_over) {
            self.time_out(|waiter| waiter.deadline.is_some_and(is_over));
        }
    }

    /// Ends all of the waits.
    pub(super) fn end(self, outcome: &Outcome) {
        for waiter in self.waiters {
            // Who has gone meanwhile needs no response.
            let _gone = waiter.sender.send(outcome.clone());
        }
    }

    fn poll_succeeded(&mut self) {
        self.failures = 0;
        self.state.not_before = None;
    }

    /// The service told for how long the link is still open.
    fn expires_in(&mut self, left: Duration) {
        let said = Instant::now().checked_add(left.min(NEVER));
        let known = self.expiry_is_known.then_some(self.state.expires_at).flatten();
        self.state.expires_at = match (known, said) {
            // The same moment told again, give or take rounding; a new link would be longer.
            (Some(known), Some(said)) if said < known + EXPIRY_ROUNDING => Some(known.min(said)),
            _ => said,
        };
        self.expiry_is_known = true;
    }

    fn had_expired(&self, then: Instant) -> bool {
        self.state.expires_at.is_some_and(|expires_at| expires_at <= then)
    }

    /// The link has expired, so only a caller's own deadline is worth waiting for.
    fn end_those_without_deadline(&mut self) {
        self.time_out(|waiter| waiter.deadline.is_none());
    }

    fn time_out(&mut self, is_over: impl Fn(&Waiter) -> bool) {
        for waiter in self.waiters.extract_if(.., |waiter| is_over(waiter)) {
            let message = "the customer was not done when the wait ended: the connection is still pending";
            let last_seen = self.last_seen.as_ref();
            let last_seen = last_seen.and_then(|json| serde_json::from_str(json.expose_secret()).ok());
            let error = Error::local(ErrorKind::WaitTimeout, message)
                .with_attempts(self.polls)
                .with_connection(last_seen);
            let _gone = waiter.sender.send(Err(error));
        }
        self.apply_options();
    }

    /// Brings interval and deadline up to date with those who wait now.
    fn apply_options(&mut self) {
        let intervals = self.waiters.iter().map(|waiter| waiter.interval);
        self.state.interval = intervals.min().unwrap_or(NEVER);
        self.state.deadline = self.waiters.iter().filter_map(|waiter| waiter.deadline).min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    const SECOND: Duration = Duration::from_secs(1);

    /// An entry with one who waits, and how it ends for them.
    fn entry() -> (Entry, oneshot::Receiver<Outcome>) {
        let client = Client::builder().api_key("pk_live_test").build().unwrap();
        let customer = client.customer("alice@example.com").unwrap();
        let (sender, outcome) = oneshot::channel();
        let waiter = Waiter { id: 1, interval: SECOND, deadline: None, on_poll: None, sender };
        let mut entry = Entry::new(&customer, "c1", Instant::now());
        entry.join(waiter);
        (entry, outcome)
    }

    fn pending(expires_in: Option<Duration>) -> PendingDetails {
        PendingDetails { expires_in, was_long_poll: false }
    }

    fn unavailable() -> Error {
        Error::local(ErrorKind::UpstreamUnavailable, "")
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_double_the_pause_up_to_half_a_minute_and_a_success_ends_that() {
        let (mut entry, _outcome) = entry();
        let now = Instant::now();
        for pause in [2, 4, 8, 16, 30, 30] {
            entry.poll_failed(&unavailable(), now);
            assert_eq!(entry.state.not_before, Some(now + pause * SECOND));
        }
        entry.still_pending(pending(None), now);
        assert_eq!(entry.state.not_before, None);
        entry.poll_failed(&unavailable(), now);
        assert_eq!(entry.state.not_before, Some(now + 2 * SECOND));
        entry.status_changed();
        assert_eq!(entry.state.not_before, None);
    }

    #[tokio::test(start_paused = true)]
    async fn however_long_the_service_wants_to_be_left_alone_it_is_asked_a_minute_after_the_links_end() {
        let (mut entry, _outcome) = entry();
        let now = Instant::now();
        entry.still_pending(pending(Some(600 * SECOND)), now);
        for (wish, pause) in [(3600, 660), (659, 659), (1, 2)] {
            entry.failures = 0;
            let error = unavailable().with_retry_after(Some(wish * SECOND));
            entry.poll_failed(&error, now);
            assert_eq!(entry.state.not_before, Some(now + pause * SECOND), "{wish}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_left_no_longer_says_how_often_is_polled() {
        let (mut entry, _outcome) = entry();
        let eager = Waiter {
            id: 2,
            interval: SECOND / 10,
            deadline: Some(Instant::now() + SECOND),
            on_poll: None,
            sender: oneshot::channel().0,
        };
        entry.join(eager);
        assert_eq!(entry.state.interval, SECOND / 10);
        assert!(entry.state.deadline.is_some());
        entry.leave(2);
        assert_eq!((entry.state.interval, entry.state.deadline), (SECOND, None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_expiry_is_known_again_may_come_nearer_and_only_a_new_link_moves_it_away() {
        let (mut entry, _outcome) = entry();
        let now = Instant::now();
        let mut tell = |seconds| {
            entry.still_pending(pending(Some(seconds * SECOND)), now);
            (entry.state.expires_at.unwrap() - now).as_secs()
        };
        // What was assumed before is no telling of the service's.
        assert_eq!(tell(7200), 7200);
        assert_eq!([600, 604, 599, 603].map(&mut tell), [600, 600, 599, 599]);
        assert_eq!([604, 1200].map(&mut tell), [604, 1200]);
        // Sums with times stay in range, whatever a service says.
        let year = 365 * 86_400;
        assert_eq!([year - 9, u32::MAX].map(&mut tell), [u64::from(year - 9), u64::from(year)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_is_over_is_polled_once_more_and_then_the_wait_ends() {
        let (mut over, mut outcome) = entry();
        let now = Instant::now();
        over.still_pending(pending(Some(Duration::ZERO)), now);
        assert!(outcome.try_recv().is_err());
        over.still_pending(pending(Some(Duration::ZERO)), now);
        assert!(matches!(outcome.try_recv(), Ok(Err(Error::WaitTimeout(_)))));

        // The same where the service does not tell any more, but told before.
        let (mut silent, mut outcome) = entry();
        silent.still_pending(pending(Some(10 * SECOND)), now);
        silent.still_pending(pending(None), now + 9 * SECOND);
        silent.still_pending(pending(None), now + 10 * SECOND);
        assert!(outcome.try_recv().is_err());
        silent.still_pending(pending(None), now + 11 * SECOND);
        assert!(outcome.try_recv().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn failing_polls_are_tried_again_until_a_minute_after_the_link_is_over() {
        let (mut entry, mut outcome) = entry();
        let now = Instant::now();
        entry.still_pending(pending(Some(10 * SECOND)), now);
        entry.poll_failed(&unavailable(), now + 69 * SECOND);
        assert!(outcome.try_recv().is_err());
        entry.poll_failed(&unavailable(), now + 70 * SECOND);
        assert!(outcome.try_recv().is_ok());
    }
}
