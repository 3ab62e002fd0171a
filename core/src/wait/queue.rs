//! The queue of waits: who waits for what, and which poll is sent next.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::entry::{Entry, Key, MAX_WAIT, QueuePosition, UnderWay, Waiter};
use super::long_poll::{LongPolls, max_long_polls};
use super::poll::{self, PollResponse};
use super::poll_result::PollResult;
use super::poll_state::Priority;
use crate::customer::Customer;
use crate::error::Error;
use crate::rate_budget::RateBudget;

/// The time from a poll of a public status to the next. They cost no budget but are not to flood the service.
const STATUS_SPACING: Duration = Duration::from_millis(10);
/// The same for plain polls, where there are too many long polls already.
const PLAIN_STATUS_SPACING: Duration = Duration::from_millis(100);

/// Small in the table, because up to half of its places are empty.
type Entries = HashMap<Arc<Key>, Box<Entry>>;

pub(super) struct Queue {
    pub(super) entries: Entries,
    run_queues: RunQueues,
    /// When an entry's position has to be looked at again, although nothing happens to it.
    reviews: BTreeSet<(Instant, Arc<Key>)>,
    /// When the next public status may be asked for, and when by a plain poll.
    status_slot: Instant,
    plain_status_slot: Instant,
    long_polls: LongPolls,
    /// How many entries' polls cost budget.
    on_budget: usize,
    last_id: u64,
    /// The task that polls, while there is one; notified when the queue has changed.
    pub(super) task: Option<Arc<Notify>>,
}

/// The polls that are due, in their order.
type RunQueue = BTreeSet<(Priority, Arc<Key>)>;

/// The polls of public statuses, and of the connections themselves.
#[derive(Default)]
struct RunQueues {
    statuses: RunQueue,
    connections: RunQueue,
}

impl RunQueues {
    fn of(&mut self, watches_status: bool) -> &mut RunQueue {
        if watches_status { &mut self.statuses } else { &mut self.connections }
    }
}

/// A poll on its way; it gives `None` where it was stopped.
pub(super) type Sent = BoxFuture<'static, Option<PollResult>>;

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            entries: Entries::new(),
            run_queues: RunQueues::default(),
            reviews: BTreeSet::new(),
            status_slot: now,
            plain_status_slot: now,
            long_polls: LongPolls::new(max_long_polls()),
            on_budget: 0,
            last_id: 0,
            task: None,
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Adds somebody who waits.
    pub(super) fn join(&mut self, customer: &Customer, key: &Arc<Key>, waiter: Waiter) {
        let now = Instant::now();
        self.entries
            .entry(key.clone())
            .or_insert_with(|| Box::new(Entry::new(customer, &key.connection_id, now)))
            .join(waiter);
        self.reschedule(key, now);
    }

    /// Takes off somebody who no longer waits, and stops the poll where it was for nobody else.
    pub(super) fn leave(&mut self, key: &Arc<Key>, id: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.leave(id);
            self.reschedule(key, Instant::now());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// There is no task any more that polls. Whoever still waits ends with this error, or finds that the sender is gone.
    pub(super) fn stop(&mut self, error: Option<Error>) {
        let outcome = error.map(Err);
        for key in self.entries.keys().cloned().collect::<Vec<_>>() {
            let entry = self.remove(&key);
            if let (Some(entry), Some(outcome)) = (entry, &outcome) {
                entry.end(outcome);
            }
        }
        self.task = None;
    }

    /// Brings an entry's position up to date, whatever has happened to it. Waits whose callers' deadlines have passed
    /// end here, and the entry goes when nobody waits any more.
    pub(super) fn reschedule(&mut self, key: &Arc<Key>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.end_overdue(now);
        if entry.waiters.is_empty() {
            self.remove(key);
            return;
        }
        let position = entry.position(now);
        let old = entry.queued.replace(position);
        self.dequeue(key, old);
        self.on_budget += usize::from(!position.watches_status);
        if let Some(priority) = position.due {
            self.run_queues.of(position.watches_status).insert((priority, key.clone()));
        }
        if let Some(at) = position.review_at {
            self.reviews.insert((at, key.clone()));
        }
    }

    pub(super) fn remove(&mut self, key: &Arc<Key>) -> Option<Box<Entry>> {
        let entry = self.entries.remove(key)?;
        self.dequeue(key, entry.queued);
        Some(entry)
    }

    fn dequeue(&mut self, key: &Arc<Key>, position: Option<QueuePosition>) {
        let Some(position) = position else { return };
        self.on_budget -= usize::from(!position.watches_status);
        if let Some(priority) = position.due {
            self.run_queues.of(position.watches_status).remove(&(priority, key.clone()));
        }
        if let Some(at) = position.review_at {
            self.reviews.remove(&(at, key.clone()));
        }
    }

    /// Sends the polls that may be sent now.
    pub(super) fn send_due(&mut self, now: Instant, budget: &mut RateBudget, polls: &FuturesUnordered<Sent>) {
        while self.reviews.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, key)) = self.reviews.pop_first()
        {
            self.reschedule(&key, now);
        }
        while self.next_status() <= now
            && let Some((_, key)) = self.run_queues.statuses.pop_first()
        {
            let Some(entry) = self.entries.get(&key) else {
                continue;
            };
            let long_poll = self.long_polls.take(&entry.state, now);
            self.status_slot = now + STATUS_SPACING;
            if long_poll.is_none() {
                self.plain_status_slot = now + PLAIN_STATUS_SPACING;
            }
            let poll = entry.poll(&key, long_poll);
            polls.push(self.begin(poll, vec![key], now));
        }
        // Only who has something to ask meets the end of a budget.
        while !self.run_queues.connections.is_empty()
            && budget.next_slot(now) <= now
            && let Some((_, key)) = self.run_queues.connections.pop_first()
        {
            let Some(entry) = self.entries.get(&key) else {
                continue;
            };
            budget.spend(now);
            // One list call for all of the customer's, where the budget is short.
            if !entry.unlisted && budget.is_short(now) {
                let is_listed = |other: &&Arc<Key>| {
                    other.email == key.email && self.entries.get(*other).is_some_and(|entry| !entry.unlisted)
                };
                let due = self.run_queues.connections.iter().map(|(_, key)| key);
                let mut listed: Vec<_> = due.filter(is_listed).cloned().collect();
                if !listed.is_empty() {
                    let poll = poll::list(entry.customer.clone()).boxed();
                    listed.push(key);
                    polls.push(self.begin(poll, listed, now));
                    continue;
                }
            }
            let long_poll = self.long_polls.take(&entry.state, now);
            let poll = entry.poll(&key, long_poll);
            polls.push(self.begin(poll, vec![key], now));
        }
    }

    /// Notes that a poll is sent for these.
    fn begin(
        &mut self,
        poll: BoxFuture<'static, Result<PollResponse, Error>>,
        keys: Vec<Arc<Key>>,
        began: Instant,
    ) -> Sent {
        let (handle, registration) = AbortHandle::new_pair();
        let under_way = Arc::new(UnderWay(handle));
        for key in &keys {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.poll_begins(under_way.clone(), began);
            }
            self.reschedule(key, began);
        }
        let result = poll.map(move |result| PollResult { keys, began, result });
        Abortable::new(result, registration).map(Result::ok).boxed()
    }

    /// When there will be something to send, or a wait will be over.
    pub(super) fn wake_at(&self, now: Instant, budget: &mut RateBudget) -> Instant {
        let review = self.reviews.first().map(|(at, _)| *at);
        let status = (!self.run_queues.statuses.is_empty()).then(|| self.next_status());
        let connection = (!self.run_queues.connections.is_empty()).then(|| budget.next_slot(now));
        let all = [review, status, connection].into_iter().flatten();
        all.fold(now + MAX_WAIT, Instant::min)
    }

    /// When the next public status may be asked for.
    fn next_status(&self) -> Instant {
        if self.long_polls.has_room() {
            self.status_slot
        } else {
            self.status_slot.max(self.plain_status_slot)
        }
    }

    /// When an entry's next poll is expected.
    pub(super) fn expected(&self, entry: &Entry, budget: &RateBudget) -> Duration {
        if entry.state.was_long_poll {
            return Duration::ZERO;
        }
        if entry.watches_status() {
            return entry.state.interval;
        }
        let round = budget.interval() * u32::try_from(self.on_budget).unwrap_or(u32::MAX);
        entry.state.interval.max(round)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::entry::Outcome;
    use super::*;
    use crate::client::Client;

    const SECOND: Duration = Duration::from_secs(1);

    /// A queue in which somebody waits for each of these, and the links of which the client made if that is said.
    fn queue(ids: &[&str], with_links: bool, now: Instant) -> (Queue, Vec<oneshot::Receiver<Outcome>>) {
        let client = Client::builder().api_key("pk_live_test").build().unwrap();
        let customer = client.customer("alice@example.com").unwrap();
        let mut queue = Queue::new(now);
        let mut outcomes = Vec::new();
        for id in ids {
            if with_links {
                let link = serde_json::from_value(serde_json::json!({
                    "connection_id": id, "request_token": "rt", "request_link": "https://connect.pabbly.com/l",
                    "expires_at": "2126-11-21T10:00:00Z", "status_url": "https://connect.pabbly.com/status",
                }));
                client.links().remember(&link.unwrap(), customer.email(), &client.settings().base_url);
            }
            outcomes.push(join(&mut queue, &customer, id));
        }
        (queue, outcomes)
    }

    fn join(queue: &mut Queue, customer: &Customer, id: &str) -> oneshot::Receiver<Outcome> {
        let (sender, outcome) = oneshot::channel();
        let waiter = Waiter { id: queue.next_id(), interval: SECOND, deadline: None, on_poll: None, sender };
        let key = Arc::new(Key { email: customer.email().clone(), connection_id: id.to_owned() });
        queue.join(customer, &key, waiter);
        outcome
    }

    #[tokio::test(start_paused = true)]
    async fn public_statuses_are_spaced_and_plain_polls_of_them_more() {
        let now = Instant::now();
        let mut budget = RateBudget::new(600, now);
        for (limit, spacing) in [(99, STATUS_SPACING), (0, PLAIN_STATUS_SPACING)] {
            let (mut queue, _outcomes) = queue(&["c1", "c2", "c3"], true, now);
            queue.long_polls = LongPolls::new(limit);
            let polls = FuturesUnordered::new();
            for sent in 0..2 {
                let now = now + spacing * sent;
                assert_eq!(queue.wake_at(now, &mut budget), now);
                queue.send_due(now, &mut budget, &polls);
                assert_eq!(
                    (polls.len(), queue.wake_at(now, &mut budget)),
                    (sent as usize + 1, now + spacing)
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_poll_does_not_wait_for_plain_polls() {
        let now = Instant::now();
        let mut budget = RateBudget::new(600, now);
        let (mut queue, _outcomes) = queue(&["c1", "c2"], true, now);
        queue.long_polls = LongPolls::new(0);
        let polls = FuturesUnordered::new();
        queue.send_due(now, &mut budget, &polls);
        assert_eq!(queue.wake_at(now, &mut budget), now + PLAIN_STATUS_SPACING);
        queue.long_polls = LongPolls::new(1);
        assert_eq!(queue.wake_at(now, &mut budget), now + STATUS_SPACING);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_queue_sleeps_until_the_first_deadline() {
        let now = Instant::now();
        let mut budget = RateBudget::new(600, now);
        let (mut queue, mut outcomes) = queue(&["c1", "c2"], false, now);
        let polls = FuturesUnordered::new();
        queue.send_due(now, &mut budget, &polls);
        assert_eq!((polls.len(), queue.wake_at(now, &mut budget)), (2, now + MAX_WAIT));

        let keys: Vec<_> = queue.entries.keys().cloned().collect();
        for (key, seconds) in keys.iter().zip([9, 7]) {
            let entry = queue.entries.get_mut(key).unwrap();
            entry.waiters[0].deadline = Some(now + seconds * SECOND);
            entry.state.deadline = Some(now + seconds * SECOND);
            queue.reschedule(key, now);
        }
        assert_eq!(queue.wake_at(now, &mut budget), now + 7 * SECOND);
        let now = now + 7 * SECOND;
        queue.send_due(now, &mut budget, &polls);
        assert_eq!((queue.entries.len(), queue.wake_at(now, &mut budget)), (1, now + 2 * SECOND));
        let ended = outcomes.iter_mut().filter_map(|outcome| outcome.try_recv().ok());
        assert_eq!(ended.count(), 1);
        queue.send_due(now + 3 * SECOND, &mut budget, &polls);
        assert!(queue.is_empty(), "the deadline was a second ago");
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_is_due_again_after_its_interval() {
        let now = Instant::now();
        let mut budget = RateBudget::new(600, now);
        let (mut queue, _outcomes) = queue(&["c1"], true, now);
        let polls = FuturesUnordered::new();
        queue.send_due(now, &mut budget, &polls);
        let key = queue.entries.keys().next().unwrap().clone();
        queue.reschedule(&key, now);
        assert_eq!(queue.wake_at(now, &mut budget), now + MAX_WAIT, "its poll is under way");
        queue.entries.get_mut(&key).unwrap().under_way = None;
        queue.reschedule(&key, now);
        assert_eq!(queue.wake_at(now, &mut budget), now + SECOND, "after its interval");
        let now = now + SECOND;
        queue.status_slot = now + 3 * SECOND;
        queue.reschedule(&key, now);
        assert_eq!(queue.wake_at(now, &mut budget), now + 3 * SECOND, "in the next slot of public statuses");
        queue.entries.get_mut(&key).unwrap().distrust_status();
        queue.reschedule(&key, now);
        assert_eq!(queue.wake_at(now, &mut budget), now, "in the other run queue");
    }

    #[tokio::test(start_paused = true)]
    async fn entries_that_wait_for_the_burst_limit_are_not_listed() {
        let now = Instant::now();
        let mut budget = RateBudget::new(1_000_000, now);
        let ids: Vec<_> = (0..40).map(|number| format!("c{number}")).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let (mut queue, _outcomes) = queue(&ids, false, now);
        let polls = FuturesUnordered::new();
        queue.send_due(now, &mut budget, &polls);
        let under_way = queue.entries.values().filter(|entry| entry.under_way.is_some());
        assert_eq!((polls.len(), under_way.count()), (32, 32));
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_budget_uses_one_list_for_all_of_a_customer() {
        let now = Instant::now();
        let mut budget = RateBudget::new(1, now);
        let (mut queue, mut outcomes) = queue(&["c1", "c2", "c3"], false, now);
        let client = Client::builder().api_key("pk_live_test").build().unwrap();
        let bob = client.customer("bob@example.com").unwrap();
        outcomes.push(join(&mut queue, &bob, "c4"));
        let mut keys: Vec<_> = queue.entries.keys().cloned().collect();
        keys.sort();
        queue.entries.get_mut(&keys[1]).unwrap().unlisted = true;
        let under_way = |queue: &Queue| -> Vec<_> {
            let is_under_way =
                |key: &&Arc<Key>| queue.entries.get(*key).is_some_and(|entry| entry.under_way.is_some());
            keys.iter().filter(is_under_way).map(|key| key.connection_id.as_str()).collect()
        };

        let polls = FuturesUnordered::new();
        queue.send_due(now, &mut budget, &polls);
        assert_eq!((polls.len(), under_way(&queue)), (1, vec!["c1", "c3"]));
        queue.send_due(now + 60 * SECOND, &mut budget, &polls);
        assert_eq!((polls.len(), under_way(&queue)), (2, vec!["c1", "c2", "c3"]));
        // Who is not in the list is asked for alone, also where others could be listed.
        for key in &keys[..3] {
            let entry = queue.entries.get_mut(key).unwrap();
            (entry.under_way, entry.unlisted) = (None, key == &keys[1]);
            entry.state.polled_at = Some(now + if entry.unlisted { Duration::ZERO } else { SECOND });
            queue.reschedule(key, now + 120 * SECOND);
        }
        queue.leave(&keys[3], 4);
        queue.send_due(now + 120 * SECOND, &mut budget, &polls);
        assert_eq!((polls.len(), under_way(&queue)), (3, vec!["c2"]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_queue_does_not_use_up_the_budget() {
        let now = Instant::now();
        let mut budget = RateBudget::new(600, now);
        let (mut queue, _outcomes) = queue(&["c1"], true, now);
        let mut headers = http::HeaderMap::new();
        headers.insert("ratelimit-policy", r#""default";q=600;w=60"#.parse().unwrap());
        headers.insert("ratelimit", r#""default";r=1;t=60"#.parse().unwrap());
        budget.observe(&headers, now);
        let full = budget.interval();
        queue.send_due(now, &mut budget, &FuturesUnordered::new());
        budget.next_slot(now + 60 * SECOND);
        assert_eq!(budget.interval(), full);
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_counts_the_entries_that_share_the_budget() {
        let now = Instant::now();
        let mut budget = RateBudget::new(600, now);
        let (mut queue, _outcomes) = queue(&["c1", "c2", "c3"], true, now);
        let keys: Vec<_> = queue.entries.keys().cloned().collect();
        assert_eq!(queue.on_budget, 0);
        for key in &keys[..2] {
            queue.entries.get_mut(key).unwrap().distrust_status();
            queue.reschedule(key, now);
        }
        // Of 600 requests a minute, waits may use nine tenths.
        let entry = queue.entries.get(&keys[0]).unwrap();
        assert_eq!(queue.expected(entry, &budget), SECOND);
        assert_eq!(queue.on_budget, 2);
        for (left, key) in keys.iter().enumerate() {
            let id = queue.entries.get(key).unwrap().waiters[0].id;
            queue.leave(key, id);
            assert_eq!(queue.on_budget, 1_usize.saturating_sub(left));
        }
        assert!(queue.is_empty());
        assert_eq!(queue.wake_at(now, &mut budget), now + MAX_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_queue_that_stops_lets_everybody_go() {
        let now = Instant::now();
        let mut budget = RateBudget::new(600, now);
        let (mut queue, mut outcomes) = queue(&["c1", "c2"], false, now);
        queue.task = Some(Arc::default());
        queue.stop(None);
        assert!(queue.is_empty() && queue.task.is_none());
        assert_eq!(queue.wake_at(now, &mut budget), now + MAX_WAIT);
        assert!(
            outcomes
                .iter_mut()
                .all(|outcome| matches!(outcome.try_recv(), Err(oneshot::error::TryRecvError::Closed)))
        );
    }
}
