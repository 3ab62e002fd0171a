//! The queue of waits: who waits for what, and which poll is sent next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::budget::Budget;
use super::entry::{Entry, Key, LONGEST_WAIT, UnderWay, Waiter};
use super::plan::{self, Turn};
use super::poll::{self, Found, Hold, LONGEST_HOLD};
use super::report::Report;
use crate::customer::Customer;
use crate::error::Error;

/// How many answers the service is asked to hold at once, if the process may open twice as many files: each occupies
/// a connection.
const MOST_HELD: usize = 1000;
/// The time between two polls of public statuses, which cost no budget but are not to flood the service.
const STATUS_SPACING: Duration = Duration::from_millis(10);

type Entries = HashMap<Key, Entry>;

pub(super) struct Queue {
    pub(super) entries: Entries,
    pub(super) budget: Budget,
    /// When the next public status may be asked for.
    status_slot: Instant,
    /// One permit for each answer that the service may be asked to hold.
    holds: Arc<Semaphore>,
    last_id: u64,
    /// Whether there is a task that polls.
    pub(super) running: bool,
}

/// What there is to do next.
pub(super) enum Next {
    /// Send this poll; it gives `None` where it was stopped.
    Poll(BoxFuture<'static, Option<Report>>),
    /// Nothing before this, as far as is known now.
    At(Instant),
}

impl Queue {
    pub(super) fn new(requests_per_minute: u32, now: Instant) -> Self {
        Self {
            entries: Entries::new(),
            budget: Budget::new(requests_per_minute, now),
            status_slot: now,
            holds: Arc::new(Semaphore::new(most_held())),
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

    /// The next poll, where one may be sent now. Public statuses and the connections themselves are two lanes, each
    /// with slots of its own.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        let deadlines = self.entries.values().filter_map(|entry| entry.turn.deadline);
        let mut wake_at = deadlines.min().unwrap_or(now + LONGEST_WAIT);
        if let Some((key, entry, due_at)) = choose(&self.entries, Entry::watches_status, now) {
            let at = due_at.max(self.status_slot);
            if at <= now {
                self.status_slot = now + STATUS_SPACING;
                let poll = entry.poll(key, self.hold(&entry.turn, now));
                return self.begin(vec![key.clone()], poll, now);
            }
            wake_at = wake_at.min(at);
        }
        if let Some((key, entry, due_at)) = choose(&self.entries, Entry::costs_budget, now) {
            let at = due_at.max(self.budget.next_slot(now));
            if at <= now {
                self.budget.spend(now);
                // One list call for all of the customer's, where the budget is short.
                let listed = listed(&self.entries, key, now);
                if listed.len() > 1 && self.budget.next_slot(now) > now {
                    let poll = poll::list(entry.customer.clone()).boxed();
                    return self.begin(listed, poll, now);
                }
                let poll = entry.poll(key, self.hold(&entry.turn, now));
                return self.begin(vec![key.clone()], poll, now);
            }
            wake_at = wake_at.min(at);
        }
        Next::At(wake_at)
    }

    fn begin(
        &mut self,
        keys: Vec<Key>,
        poll: BoxFuture<'static, Result<Found, Error>>,
        began: Instant,
    ) -> Next {
        let (handle, registration) = AbortHandle::new_pair();
        let under_way = Arc::new(UnderWay(handle));
        for key in &keys {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.poll_begins(under_way.clone(), began);
            }
        }
        let report = poll.map(move |found| Report { keys, began, found });
        Next::Poll(Abortable::new(report, registration).map(Result::ok).boxed())
    }

    /// For how long the next answer may be held, if at all.
    fn hold(&self, turn: &Turn, now: Instant) -> Option<Hold> {
        let expires_at = turn.expires_at.filter(|expires_at| *expires_at > now);
        let end = turn.deadline.into_iter().chain(expires_at).min()?;
        let time = end.saturating_duration_since(now).min(LONGEST_HOLD);
        if turn.news || time < Duration::from_secs(1) {
            return None;
        }
        let _permit = self.holds.clone().try_acquire_owned().ok()?;
        Some(Hold { time, _permit })
    }

    /// When an entry's next poll is expected.
    pub(super) fn expected(&self, entry: &Entry) -> Duration {
        if entry.turn.held {
            return Duration::ZERO;
        }
        if entry.watches_status() {
            return entry.turn.interval;
        }
        let waits = self.entries.values().filter(|entry| entry.costs_budget()).count();
        let round = self.budget.interval() * u32::try_from(waits).unwrap_or(u32::MAX);
        entry.turn.interval.max(round)
    }
}

/// Chooses among the entries of one lane, see [`plan::choose`].
fn choose(entries: &Entries, lane: impl Fn(&Entry) -> bool, now: Instant) -> Option<(&Key, &Entry, Instant)> {
    let idle = entries
        .iter()
        .filter(|(_, entry)| entry.under_way.is_none() && lane(entry));
    let ((key, entry), due_at) = plan::choose(idle, |(_, entry)| &entry.turn, now)?;
    Some((key, entry, due_at))
}

/// Those whose polls one list call would answer, this one among them.
fn listed(entries: &Entries, key: &Key, now: Instant) -> Vec<Key> {
    let is_answered = |entry: &Entry| {
        entry.under_way.is_none() && entry.costs_budget() && !entry.unlisted && entry.turn.due_at() <= now
    };
    if entries.get(key).is_none_or(|entry| !is_answered(entry)) {
        return Vec::new();
    }
    let siblings = entries
        .iter()
        .filter(|(other, entry)| other.email == key.email && is_answered(entry));
    siblings.map(|(key, _)| key.clone()).collect()
}

/// Half of the files that the process may open are for others.
fn most_held() -> usize {
    #[cfg(unix)]
    if let Some(files) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        return usize::try_from(files / 2).map_or(MOST_HELD, |half| half.min(MOST_HELD));
    }
    MOST_HELD
}
