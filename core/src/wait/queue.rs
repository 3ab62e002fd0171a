//! The queue of waits: who waits for what, and which poll is sent next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::budget::Budget;
use super::entry::{Entry, Key, LONGEST_WAIT, UnderWay, Waiter};
use super::pace::Pace;
use super::plan::{Lane, Turn};
use super::poll::{self, Found, Hold, LONGEST_HOLD};
use super::report::Report;
use crate::customer::Customer;
use crate::error::Error;

/// How many answers the service is asked to hold at once, if the process may open twice as many files: each occupies
/// a connection.
const MOST_HELD: usize = 1000;
/// The time from a poll of a public status to the next, where the service is asked to hold the answer. They cost no
/// budget but are not to flood the service.
const HELD_SPACING: Duration = Duration::from_millis(10);
/// How many are asked for within a second where no answer is held any more, because there are too many. They are sent
/// together: to look who is next takes longer, among so many, than to ask.
const UNHELD_PER_SECOND: u32 = 10;

/// Small in the table, because up to half of its places are empty.
type Entries = HashMap<Arc<Key>, Box<Entry>>;

pub(super) struct Queue {
    pub(super) entries: Entries,
    pub(super) budget: Budget,
    /// When the next public status may be asked for.
    status_slot: Instant,
    unheld: Pace,
    /// One permit for each answer that the service may be asked to hold.
    holds: Arc<Semaphore>,
    /// How many entries' polls cost budget, as of the last look.
    on_budget: usize,
    /// Nobody's turn has to be looked at before this.
    wake_at: Instant,
    /// No caller's deadline passes before this.
    next_deadline: Instant,
    last_id: u64,
    /// Whether there is a task that polls.
    pub(super) running: bool,
}

/// A poll on its way; it gives `None` where it was stopped.
pub(super) type Sent = BoxFuture<'static, Option<Report>>;

impl Queue {
    pub(super) fn new(requests_per_minute: u32, now: Instant) -> Self {
        Self {
            entries: Entries::new(),
            budget: Budget::new(requests_per_minute, now),
            status_slot: now,
            unheld: Pace::new(UNHELD_PER_SECOND, Duration::from_secs(1), now),
            holds: Arc::new(Semaphore::new(most_held())),
            on_budget: 0,
            wake_at: now,
            next_deadline: now,
            last_id: 0,
            running: false,
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Adds somebody who waits.
    pub(super) fn join(&mut self, customer: &Customer, key: &Arc<Key>, interval: Duration, waiter: Waiter) {
        let now = Instant::now();
        self.entries
            .entry(key.clone())
            .or_insert_with(|| Box::new(Entry::new(customer, &key.connection_id, interval, now)))
            .join(waiter, interval);
        self.notice(key, now);
    }

    /// Takes off somebody who no longer waits, and stops the poll where it was for nobody else.
    pub(super) fn leave(&mut self, key: &Key, id: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.leave(id);
            if entry.waiters.is_empty() {
                self.entries.remove(key);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// There is no task any more that polls. Whoever still waits finds that the sender is gone.
    pub(super) fn stop(&mut self) {
        self.entries.clear();
        self.running = false;
    }

    pub(super) fn wake_at(&self) -> Instant {
        self.wake_at
    }

    /// Sees to it that an entry is looked at in time that joined, or whose poll has ended.
    pub(super) fn notice(&mut self, key: &Key, now: Instant) {
        let Some(entry) = self.entries.get(key) else {
            return;
        };
        if entry.under_way.is_none() {
            let slot = if entry.watches_status() {
                self.status_slot
            } else {
                self.budget.next_slot(now)
            };
            self.wake_at = self.wake_at.min(entry.turn.due_at().max(slot));
        }
        if let Some(deadline) = entry.turn.deadline {
            self.next_deadline = self.next_deadline.min(deadline);
            self.wake_at = self.wake_at.min(deadline);
        }
    }

    /// Ends the waits whose callers' deadlines have passed, and sends the polls that may be sent now. Public statuses
    /// and the connections themselves are two lanes, each with slots of its own.
    pub(super) fn look(&mut self, now: Instant, polls: &FuturesUnordered<Sent>) {
        if now < self.wake_at {
            return;
        }
        if self.next_deadline <= now {
            self.entries.retain(|_, entry| {
                entry.end_overdue(now);
                !entry.waiters.is_empty()
            });
        }
        let (mut statuses, mut connections) = (Lane::default(), Lane::default());
        let mut deadline = now + LONGEST_WAIT;
        self.on_budget = 0;
        for (key, entry) in &mut self.entries {
            deadline = entry.turn.deadline.map_or(deadline, |at| at.min(deadline));
            let watches_status = entry.watches_status();
            self.on_budget += usize::from(!watches_status);
            if entry.under_way.is_none() {
                let lane = if watches_status {
                    &mut statuses
                } else {
                    &mut connections
                };
                let standing = entry.turn.standing(now);
                lane.add((key, &mut **entry), standing);
            }
        }

        while self.status_slot <= now
            && let Some((key, entry)) = statuses.pop()
        {
            let hold = hold(&self.holds, &entry.turn, now);
            if hold.is_some() {
                self.status_slot = now + HELD_SPACING;
            } else {
                self.unheld.count(now);
                self.status_slot = self.unheld.next(now);
            }
            polls.push(begin(entry.poll(key, hold), [(key, entry)], now));
        }
        while self.budget.next_slot(now) <= now
            && let Some((key, entry)) = connections.pop()
        {
            self.budget.spend(now);
            // One list call for all of the customer's, where the budget is short.
            if !entry.unlisted && self.budget.next_slot(now) > now {
                let mut listed =
                    connections.pop_all(|(other, entry)| other.email == key.email && !entry.unlisted);
                if !listed.is_empty() {
                    let poll = poll::list(entry.customer.clone()).boxed();
                    listed.push((key, entry));
                    polls.push(begin(poll, listed, now));
                    continue;
                }
            }
            let hold = hold(&self.holds, &entry.turn, now);
            polls.push(begin(entry.poll(key, hold), [(key, entry)], now));
        }
        self.next_deadline = deadline;
        let lanes = [
            statuses.wake_at(self.status_slot),
            connections.wake_at(self.budget.next_slot(now)),
        ];
        self.wake_at = lanes.into_iter().flatten().fold(deadline, Instant::min);
    }

    /// When an entry's next poll is expected.
    pub(super) fn expected(&self, entry: &Entry) -> Duration {
        if entry.turn.held {
            return Duration::ZERO;
        }
        if entry.watches_status() {
            return entry.turn.interval;
        }
        let round = self.budget.interval() * u32::try_from(self.on_budget).unwrap_or(u32::MAX);
        entry.turn.interval.max(round)
    }
}

/// Sends a poll for these.
fn begin<'a>(
    poll: BoxFuture<'static, Result<Found, Error>>,
    polled: impl IntoIterator<Item = (&'a Arc<Key>, &'a mut Entry)>,
    began: Instant,
) -> Sent {
    let (handle, registration) = AbortHandle::new_pair();
    let under_way = Arc::new(UnderWay(handle));
    let mut keys = Vec::new();
    for (key, entry) in polled {
        entry.poll_begins(under_way.clone(), began);
        keys.push(key.clone());
    }
    let report = poll.map(move |found| Report { keys, began, found });
    Abortable::new(report, registration).map(Result::ok).boxed()
}

/// For how long the next answer may be held, if at all.
fn hold(holds: &Arc<Semaphore>, turn: &Turn, now: Instant) -> Option<Hold> {
    let expires_at = turn.expires_at.filter(|expires_at| *expires_at > now);
    let end = turn.deadline.into_iter().chain(expires_at).min()?;
    let time = end.saturating_duration_since(now).min(LONGEST_HOLD);
    if turn.news || time < Duration::from_secs(1) {
        return None;
    }
    let _permit = holds.clone().try_acquire_owned().ok()?;
    Some(Hold { time, _permit })
}

fn most_held() -> usize {
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
    use tokio::sync::oneshot;

    use super::super::entry::Outcome;
    use super::*;
    use crate::client::Client;

    const SECOND: Duration = Duration::from_secs(1);

    /// A queue in which somebody waits for each of these, and the links of which the client made if that is said.
    fn queue(ids: &[&str], with_links: bool, now: Instant) -> (Queue, Vec<oneshot::Receiver<Outcome>>) {
        let client = Client::builder().api_key("pk_live_test").build().unwrap();
        let customer = client.customer("alice@example.com").unwrap();
        let mut queue = Queue::new(600, now);
        let mut outcomes = Vec::new();
        for id in ids {
            if with_links {
                let link = serde_json::from_value(serde_json::json!({
                    "connection_id": id, "request_token": "rt", "request_link": "https://connect.pabbly.com/l",
                    "expires_at": "2126-11-21T10:00:00Z", "status_url": "https://connect.pabbly.com/status",
                }));
                client
                    .links()
                    .remember(&link.unwrap(), &client.settings().base_url);
            }
            let (sender, outcome) = oneshot::channel();
            let waiter = Waiter {
                id: queue.next_id(),
                deadline: None,
                on_poll: None,
                sender,
            };
            let key = Arc::new(Key {
                email: customer.email().clone(),
                connection_id: (*id).to_owned(),
            });
            queue.join(&customer, &key, SECOND, waiter);
            outcomes.push(outcome);
        }
        (queue, outcomes)
    }

    #[tokio::test(start_paused = true)]
    async fn public_statuses_are_asked_for_one_after_the_other_and_more_seldom_where_none_is_held() {
        let now = Instant::now();
        let ids: Vec<_> = (0..25).map(|number| format!("c{number}")).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        for (holds, at_once, pause) in [(99, 1, HELD_SPACING), (0, 10, SECOND)] {
            let (mut queue, _outcomes) = queue(&ids, true, now);
            queue.holds = Arc::new(Semaphore::new(holds));
            let polls = FuturesUnordered::new();
            queue.look(now, &polls);
            assert_eq!((polls.len(), queue.wake_at()), (at_once, now + pause));
            queue.look(now + pause, &polls);
            assert_eq!((polls.len(), queue.wake_at()), (at_once * 2, now + pause * 2));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_is_due_the_queue_sleeps_until_the_first_deadline() {
        let now = Instant::now();
        let (mut queue, mut outcomes) = queue(&["c1", "c2"], false, now);
        let polls = FuturesUnordered::new();
        queue.look(now, &polls);
        assert_eq!((polls.len(), queue.wake_at()), (2, now + LONGEST_WAIT));

        let keys: Vec<_> = queue.entries.keys().cloned().collect();
        for (key, seconds) in keys.iter().zip([9, 7]) {
            let entry = queue.entries.get_mut(key).unwrap();
            entry.waiters[0].deadline = Some(now + seconds * SECOND);
            entry.turn.deadline = Some(now + seconds * SECOND);
            queue.notice(key, now);
        }
        assert_eq!(queue.wake_at(), now + 7 * SECOND);
        queue.look(now + 7 * SECOND, &polls);
        assert_eq!((queue.entries.len(), queue.wake_at()), (1, now + 9 * SECOND));
        let ended = outcomes.iter_mut().filter_map(|outcome| outcome.try_recv().ok());
        assert_eq!(ended.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_joins_or_has_been_polled_is_looked_at_when_the_next_poll_may_be_sent() {
        let now = Instant::now();
        let (mut queue, _outcomes) = queue(&["c1"], true, now);
        let polls = FuturesUnordered::new();
        queue.look(now, &polls);
        let key = queue.entries.keys().next().unwrap().clone();
        queue.notice(&key, now);
        assert_eq!(queue.wake_at(), now + LONGEST_WAIT, "its poll is under way");
        queue.entries.get_mut(&key).unwrap().under_way = None;
        queue.notice(&key, now);
        assert_eq!(queue.wake_at(), now + SECOND, "after its interval");
        queue.status_slot = now + 3 * SECOND;
        queue.wake_at = now + LONGEST_WAIT;
        queue.notice(&key, now);
        assert_eq!(queue.wake_at(), now + 3 * SECOND, "in the lane's next slot");
        queue.entries.get_mut(&key).unwrap().status = None;
        queue.notice(&key, now);
        assert_eq!(queue.wake_at(), now + SECOND, "in the other lane");
    }

    #[test]
    fn an_answer_is_held_for_whole_seconds_until_the_wait_or_the_link_is_over() {
        let now = Instant::now();
        let holds = Arc::new(Semaphore::new(2));
        let time = |turn: &Turn| hold(&holds, turn, now).map(|hold| hold.time);
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
        let both = [hold(&holds, &turn, now), hold(&holds, &turn, now)];
        assert_eq!(time(&turn), None, "no room");
        drop(both);
        turn.news = true;
        assert_eq!(time(&turn), None);
    }

    #[test]
    fn half_of_the_files_are_for_others() {
        assert_eq!(most_held_with(Some(1024)), 512);
        assert_eq!(most_held_with(Some(1_048_576)), MOST_HELD);
        assert_eq!(most_held_with(None), MOST_HELD);
    }
}
