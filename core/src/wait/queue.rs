//! The queue of waits: who waits for what, and which poll is sent next.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use http::HeaderValue;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::budget::Budget;
use super::plan::{Choice, Turn, choose};
use super::poll::{self, Found, LONGEST_HOLD};
use super::report::Report;
use super::{OnPoll, Settled};
use crate::client::Client;
use crate::customer::Customer;
use crate::error::{Error, ErrorKind};
use crate::links::StatusAddress;
use crate::model::Connection;

/// A wait for a link that does not say when it lapses ends after this.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// No link is believed to be open for longer: sums with times stay in range, whatever a service says.
const LONGEST_LIFE: Duration = Duration::from_secs(365 * 86_400);
/// How many answers the service is asked to hold at once; each occupies a connection.
const MOST_HELD: usize = 1000;
/// The time between two polls of public statuses, which cost no budget but are not to flood the service.
const STATUS_SPACING: Duration = Duration::from_millis(10);

/// By how much two tellings of the same expiry may differ.
const EXPIRY_ROUNDING: Duration = Duration::from_secs(5);

pub(super) type Outcome = Result<Settled, Error>;

/// What a wait is for; everybody who waits for the same shares its polls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) email: HeaderValue,
    pub(super) connection_id: String,
}

pub(super) struct Entry {
    pub(super) customer: Customer,
    pub(super) turn: Turn,
    pub(super) waiters: Vec<Waiter>,
    /// Where the link's public status is, while that can be believed.
    pub(super) status: Option<StatusAddress>,
    pub(super) under_way: UnderWay,
    /// Whether the customer's list was seen without this connection.
    pub(super) unlisted: bool,
    pub(super) last_seen: Option<Box<Connection>>,
    pub(super) polls: u32,
    /// Polls in a row that failed.
    pub(super) failures: u32,
    pub(super) polls_after_expiry: u32,
    /// Whether the service said when the link lapses.
    expiry_told: bool,
}

pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) deadline: Option<Instant>,
    pub(super) on_poll: Option<OnPoll>,
    pub(super) sender: oneshot::Sender<Outcome>,
}

pub(super) enum UnderWay {
    Nothing,
    /// A poll of its own, which ends with the last waiter.
    Poll(AbortHandle),
    /// A list call that it shares with others.
    List,
}

pub(super) struct Queue {
    pub(super) entries: HashMap<Key, Entry>,
    pub(super) budget: Budget,
    /// When the next public status may be asked for.
    status_slot: Instant,
    /// How many answers the service is asked to hold.
    pub(super) held: usize,
    last_id: u64,
    /// Whether there is a task that polls.
    pub(super) running: bool,
}

impl Queue {
    pub(super) fn new(requests_per_minute: u32, now: Instant) -> Self {
        Self {
            entries: HashMap::new(),
            budget: Budget::new(requests_per_minute, now),
            status_slot: now,
            held: 0,
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
        let entry = self.entries.entry(key.clone()).or_insert_with(|| {
            let now = Instant::now();
            Entry {
                customer: customer.clone(),
                turn: Turn {
                    expires_at: Some(now + LONGEST_WAIT),
                    ..Turn::new(now, interval)
                },
                waiters: Vec::with_capacity(1),
                status: customer.client().links().find(&key.connection_id),
                under_way: UnderWay::Nothing,
                unlisted: false,
                last_seen: None,
                polls: 0,
                failures: 0,
                polls_after_expiry: 0,
                expiry_told: false,
            }
        });
        entry.turn.interval = entry.turn.interval.min(interval);
        entry.waiters.push(waiter);
        entry.count_deadlines();
    }

    /// Takes off somebody who no longer waits, and stops the poll where it was for nobody else.
    pub(super) fn leave(&mut self, key: &Key, id: u64) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.waiters.retain(|waiter| waiter.id != id);
        entry.count_deadlines();
        if entry.waiters.is_empty() {
            self.remove(key);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// There is no task any more that polls. Whoever still waits finds that the sender is gone.
    pub(super) fn stop(&mut self) {
        self.entries.clear();
        self.held = 0;
        self.running = false;
    }
}

impl Queue {
    /// Ends the waits whose callers' deadlines have passed.
    pub(super) fn end_overdue(&mut self, now: Instant) {
        self.entries.retain(|_, entry| {
            if entry.turn.deadline.is_some_and(|deadline| deadline <= now) {
                entry.time_out(|waiter| waiter.deadline.is_some_and(|deadline| deadline <= now));
            }
            if entry.waiters.is_empty() {
                entry.stop();
            }
            !entry.waiters.is_empty()
        });
    }

    /// The next poll that may be sent now.
    pub(super) fn next_poll(&mut self, client: &Client, now: Instant) -> Option<BoxFuture<'static, Report>> {
        if self.status_slot <= now
            && let Choice::Now(key) = self.choose(Entry::watches_status, now)
        {
            self.status_slot = now + STATUS_SPACING;
            return self.poll_status(client, key, now);
        }
        if self.budget.next_slot(now) <= now
            && let Choice::Now(key) = self.choose(Entry::costs_budget, now)
        {
            self.budget.spend(now);
            let siblings = self.due_siblings(&key, now);
            return if siblings.len() > 1 && self.budget.next_slot(now) > now {
                self.poll_list(siblings, now)
            } else {
                self.poll_connection(key, now)
            };
        }
        None
    }

    /// When there is something to do next, as far as is known now.
    pub(super) fn wake_at(&mut self, now: Instant) -> Instant {
        let budget_slot = self.budget.next_slot(now);
        let lanes = [
            (self.choose(Entry::watches_status, now), self.status_slot),
            (self.choose(Entry::costs_budget, now), budget_slot),
        ];
        let polls = lanes.into_iter().filter_map(|(choice, slot)| match choice {
            Choice::Now(_) => Some(slot),
            Choice::At(at) => Some(at.max(slot)),
            Choice::Nothing => None,
        });
        let deadlines = self.entries.values().filter_map(|entry| entry.turn.deadline);
        polls.chain(deadlines).min().unwrap_or(now + LONGEST_WAIT)
    }

    fn choose(&self, lane: impl Fn(&Entry) -> bool, now: Instant) -> Choice<Key> {
        let idle = self
            .entries
            .iter()
            .filter(|(_, entry)| matches!(entry.under_way, UnderWay::Nothing));
        match choose(
            idle.filter(|(_, entry)| lane(entry))
                .map(|(key, entry)| (key, &entry.turn)),
            now,
        ) {
            Choice::Now(key) => Choice::Now(key.clone()),
            Choice::At(at) => Choice::At(at),
            Choice::Nothing => Choice::Nothing,
        }
    }

    /// Those of the same customer that one list call would answer too.
    fn due_siblings(&self, key: &Key, now: Instant) -> Vec<Key> {
        let is_due = |entry: &Entry| {
            matches!(entry.under_way, UnderWay::Nothing)
                && entry.costs_budget()
                && !entry.unlisted
                && entry.turn.due_at() <= now
        };
        if self.entries.get(key).is_none_or(|entry| !is_due(entry)) {
            return Vec::new();
        }
        let siblings = self
            .entries
            .iter()
            .filter(|(other, entry)| other.email == key.email && is_due(entry));
        siblings.map(|(key, _)| key.clone()).collect()
    }

    fn poll_status(&mut self, client: &Client, key: Key, now: Instant) -> Option<BoxFuture<'static, Report>> {
        let hold = self.hold(&key, now);
        let entry = self.entries.get_mut(&key)?;
        let address = entry.status.clone()?;
        let Some(token) = address.token() else {
            entry.status = None;
            return None;
        };
        let poll = poll::status(client.clone(), address, token, hold);
        Some(self.begin(key, now, hold.is_some(), poll))
    }

    fn poll_connection(&mut self, key: Key, now: Instant) -> Option<BoxFuture<'static, Report>> {
        let hold = self.hold(&key, now);
        let customer = self.entries.get(&key)?.customer.clone();
        let poll = poll::connection(customer, key.connection_id.clone(), hold);
        Some(self.begin(key, now, hold.is_some(), poll))
    }

    fn begin(
        &mut self,
        key: Key,
        now: Instant,
        holding: bool,
        poll: impl Future<Output = Result<Found, Error>> + Send + 'static,
    ) -> BoxFuture<'static, Report> {
        self.held += usize::from(holding);
        let (handle, registration) = AbortHandle::new_pair();
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.note_poll(UnderWay::Poll(handle), now);
        }
        Box::pin(async move {
            let found = Abortable::new(poll, registration).await.ok();
            Report {
                keys: vec![key],
                started: now,
                holding,
                found,
            }
        })
    }

    fn poll_list(&mut self, keys: Vec<Key>, now: Instant) -> Option<BoxFuture<'static, Report>> {
        let customer = self.entries.get(keys.first()?)?.customer.clone();
        for key in &keys {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.note_poll(UnderWay::List, now);
            }
        }
        Some(Box::pin(async move {
            Report {
                keys,
                started: now,
                holding: false,
                found: Some(poll::list(customer).await),
            }
        }))
    }

    /// For how long the next answer about an entry may be held, if at all.
    fn hold(&self, key: &Key, now: Instant) -> Option<Duration> {
        let turn = &self.entries.get(key)?.turn;
        let end = turn
            .deadline
            .into_iter()
            .chain(turn.expires_at.filter(|at| *at > now))
            .min()?;
        let hold = end.saturating_duration_since(now).min(LONGEST_HOLD);
        (!turn.news && self.held < MOST_HELD && hold >= Duration::from_secs(1)).then_some(hold)
    }

    /// Takes an entry off the queue and stops its poll.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        entry.stop();
        Some(entry)
    }

    /// When an entry's next poll is expected.
    pub(super) fn expected(&self, entry: &Entry, held: bool) -> Duration {
        if held {
            return Duration::ZERO;
        }
        if entry.watches_status() {
            return entry.turn.interval;
        }
        let waits = self.entries.values().filter(|entry| entry.costs_budget()).count();
        entry
            .turn
            .interval
            .max(self.budget.interval() * u32::try_from(waits).unwrap_or(u32::MAX))
    }
}

impl Entry {
    /// Whether the next poll asks for the link's public status.
    pub(super) fn watches_status(&self) -> bool {
        self.status.is_some() && !self.turn.news
    }

    /// Whether the next poll counts against the tenant's budget.
    fn costs_budget(&self) -> bool {
        !self.watches_status()
    }

    fn note_poll(&mut self, under_way: UnderWay, now: Instant) {
        self.under_way = under_way;
        self.turn.polled_at = Some(now);
        self.turn.held = false;
        self.polls += 1;
    }

    /// Stops the poll that is under way for this entry alone.
    fn stop(&self) {
        if let UnderWay::Poll(handle) = &self.under_way {
            handle.abort();
        }
    }

    /// The service told for how long the link is still open.
    pub(super) fn expires_in(&mut self, left: Duration) {
        let told = Instant::now().checked_add(left.min(LONGEST_LIFE));
        let known = self.expiry_told.then_some(self.turn.expires_at).flatten();
        self.turn.expires_at = match (known, told) {
            // The same moment told again, give or take rounding; a new link would be longer.
            (Some(known), Some(told)) if told < known + EXPIRY_ROUNDING => Some(known.min(told)),
            _ => told,
        };
        self.expiry_told = true;
    }

    fn count_deadlines(&mut self) {
        self.turn.deadline = self.waiters.iter().filter_map(|waiter| waiter.deadline).min();
    }

    /// Ends some of the waits by their time.
    pub(super) fn time_out(&mut self, is_over: impl Fn(&Waiter) -> bool) {
        let (over, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiters).into_iter().partition(is_over);
        self.waiters = rest;
        self.count_deadlines();
        for waiter in over {
            let message = "the customer was not done when the wait ended: the connection is still pending";
            let error = Error::local(ErrorKind::WaitTimeout, message)
                .with_attempts(self.polls)
                .with_connection(self.last_seen.as_deref().cloned());
            // Who has gone meanwhile needs no answer.
            let _gone = waiter.sender.send(Err(error));
        }
    }

    /// Ends all of the waits.
    pub(super) fn end(self, outcome: impl Fn() -> Outcome) {
        for waiter in self.waiters {
            let _gone = waiter.sender.send(outcome());
        }
    }
}
