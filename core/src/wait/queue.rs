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
/// The same where it is not asked, because there are too many.
const STATUS_SPACING: Duration = Duration::from_millis(40);

type Entries = HashMap<Key, Entry>;

pub(super) struct Queue {
    pub(super) entries: Entries,
    pub(super) budget: Budget,
    /// When the next public status may be asked for.
    status_slot: Instant,
    /// One permit for each answer that the service may be asked to hold.
    holds: Arc<Semaphore>,
    /// How many entries' polls cost budget, as of the last look.
    on_budget: usize,
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
            holds: Arc::new(Semaphore::new(most_held())),
            on_budget: 0,
            last_id: 0,
            running: false,
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Adds somebody who waits.
    pub(super) fn join(&mut self, customer: &Customer, key: &Key, interval: Duration, waiter: Waiter) {
        self.entries
            .entry(key.clone())
            .or_insert_with(|| Entry::new(customer, &key.connection_id, interval, Instant::now()))
            .join(waiter, interval);
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

    /// Ends the waits whose callers' deadlines have passed.
    pub(super) fn end_overdue(&mut self, now: Instant) {
        self.entries.retain(|_, entry| {
            entry.end_overdue(now);
            !entry.waiters.is_empty()
        });
    }

    /// Sends the polls that may be sent now, and says when to look again. Public statuses and the connections
    /// themselves are two lanes, each with slots of its own.
    pub(super) fn send(&mut self, now: Instant, polls: &FuturesUnordered<Sent>) -> Instant {
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
                lane.add((key, entry), standing);
            }
        }

        while self.status_slot <= now
            && let Some((key, entry)) = statuses.pop()
        {
            let hold = hold(&self.holds, &entry.turn, now);
            let spacing = if hold.is_some() {
                HELD_SPACING
            } else {
                STATUS_SPACING
            };
            self.status_slot = now + spacing;
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
        let lanes = [
            statuses.wake_at(self.status_slot),
            connections.wake_at(self.budget.next_slot(now)),
        ];
        lanes.into_iter().flatten().fold(deadline, Instant::min)
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
    polled: impl IntoIterator<Item = (&'a Key, &'a mut Entry)>,
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

/// Half of the files that the process may open are for others.
fn most_held() -> usize {
    #[cfg(unix)]
    if let Some(files) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        return usize::try_from(files / 2).map_or(MOST_HELD, |half| half.min(MOST_HELD));
    }
    MOST_HELD
}
