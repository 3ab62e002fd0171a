//! All waits of one client: one queue, and one task that polls for all of them while there are any.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::budget::Budget;
use super::plan::{Choice, Turn, choose};
use super::poll::{self, Found, LONGEST_HOLD};
use super::{OnPoll, Poll, Settled};
use crate::client::Client;
use crate::customer::Customer;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::links::StatusAddress;
use crate::model::{Connection, ConnectionStatus};

/// A wait for a link that does not say when it lapses ends after this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// For how long after the link's expiry failing polls are tried again.
const GRACE: Duration = Duration::from_secs(60);
/// Polls that see a connection pending after its link's expiry before the wait ends.
const POLLS_AFTER_EXPIRY: u32 = 2;
/// Failing polls become more and more seldom, up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// How many answers the service is asked to hold at once; each occupies a connection.
const MOST_HELD: usize = 1000;
/// The time between two polls of public statuses, which cost no budget but are not to flood the service.
const STATUS_SPACING: Duration = Duration::from_millis(10);

type Outcome = Result<Settled, Error>;

/// What a wait is for; everybody who waits for the same shares its polls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    email: HeaderValue,
    connection_id: String,
}

struct Entry {
    customer: Customer,
    turn: Turn,
    waiters: Vec<Waiter>,
    /// Where the link's public status is, while that can be believed.
    status: Option<StatusAddress>,
    under_way: UnderWay,
    /// Whether the customer's list was seen without this connection.
    unlisted: bool,
    last_seen: Option<Box<Connection>>,
    polls: u32,
    /// Polls in a row that failed.
    failures: u32,
    polls_after_expiry: u32,
}

struct Waiter {
    id: u64,
    deadline: Option<Instant>,
    on_poll: Option<OnPoll>,
    sender: oneshot::Sender<Outcome>,
}

enum UnderWay {
    Nothing,
    /// A poll of its own, which ends with the last waiter.
    Poll(AbortHandle),
    /// A list call that it shares with others.
    List,
}

/// What came of one poll.
struct Report {
    keys: Vec<Key>,
    started: Instant,
    /// Whether the service was asked to hold the answer.
    holding: bool,
    /// `None` where the poll was stopped because nobody waits any more.
    found: Option<Result<Found, Error>>,
}

/// What to tell about polls, once the lock is released.
type News = Vec<(Event, Poll, Vec<OnPoll>)>;

/// The waits of one client.
pub(crate) struct Waits {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    entries: HashMap<Key, Entry>,
    budget: Budget,
    /// When the next public status may be asked for.
    status_slot: Instant,
    held: usize,
    next_id: u64,
    running: bool,
}

impl Waits {
    pub(crate) fn new(requests_per_minute: u32) -> Self {
        let now = Instant::now();
        let state = State {
            entries: HashMap::new(),
            budget: Budget::new(requests_per_minute, now),
            status_slot: now,
            held: 0,
            next_id: 0,
            running: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// A call that is not a wait's was sent and counts against the budget.
    pub(crate) fn foreground_sent(&self) {
        self.lock().budget.foreground_sent(Instant::now());
    }

    /// An answer arrived that tells about the budget.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        self.lock().budget.observe(headers, Instant::now());
    }

    /// The budget is used up.
    pub(crate) fn refused(&self, retry_after: Option<Duration>) {
        self.lock().budget.refused(retry_after, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for one connection.
pub(super) async fn wait(
    customer: &Customer,
    connection_id: &str,
    interval: Duration,
    deadline: Option<Instant>,
    on_poll: Option<OnPoll>,
) -> Outcome {
    let key = Key {
        email: customer.email().clone(),
        connection_id: connection_id.to_owned(),
    };
    loop {
        let (registration, outcome) = register(customer, &key, interval, deadline, on_poll.clone());
        let outcome = outcome.await;
        drop(registration);
        match outcome {
            Ok(outcome) => return outcome,
            // The runtime that polled for everybody was shut down: go on with this one.
            Err(_) => continue,
        }
    }
}

/// Takes its waiter off the queue when dropped.
struct Registration<'a> {
    client: &'a Client,
    key: &'a Key,
    id: u64,
}

fn register<'a>(
    customer: &'a Customer,
    key: &'a Key,
    interval: Duration,
    deadline: Option<Instant>,
    on_poll: Option<OnPoll>,
) -> (Registration<'a>, oneshot::Receiver<Outcome>) {
    let client = customer.client();
    let status = client.links().find(&key.connection_id);
    let (sender, receiver) = oneshot::channel();
    let now = Instant::now();
    let mut state = client.waits().lock();
    let id = state.next_id;
    state.next_id += 1;
    let entry = state.entries.entry(key.clone()).or_insert_with(|| Entry {
        customer: customer.clone(),
        turn: Turn {
            expires_at: Some(now + LONGEST_WAIT),
            ..Turn::new(now, interval)
        },
        waiters: Vec::new(),
        status,
        under_way: UnderWay::Nothing,
        unlisted: false,
        last_seen: None,
        polls: 0,
        failures: 0,
        polls_after_expiry: 0,
    });
    entry.turn.interval = entry.turn.interval.min(interval);
    entry.waiters.push(Waiter {
        id,
        deadline,
        on_poll,
        sender,
    });
    entry.count_deadlines();
    if !std::mem::replace(&mut state.running, true) {
        tokio::spawn(poll_for_all(client.clone()));
    }
    drop(state);
    client.waits().changed.notify_one();
    (Registration { client, key, id }, receiver)
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut state = self.client.waits().lock();
        if let Some(entry) = state.entries.get_mut(self.key) {
            entry.waiters.retain(|waiter| waiter.id != self.id);
            entry.count_deadlines();
            if entry.waiters.is_empty() {
                state.remove(self.key);
            }
        }
        drop(state);
        self.client.waits().changed.notify_one();
    }
}

/// The one task. It ends when nobody waits any more.
async fn poll_for_all(client: Client) {
    /// Where the runtime is shut down under the task, everybody who waits is told, so as to go on elsewhere.
    struct Running<'a>(&'a Client);

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            let mut state = self.0.waits().lock();
            state.running = false;
            state.held = 0;
            state.entries.clear();
        }
    }

    let running = Running(&client);
    let mut polls = FuturesUnordered::new();
    loop {
        let wake_at = {
            let mut state = client.waits().lock();
            let now = Instant::now();
            state.end_overdue(now);
            while let Some(poll) = state.next_poll(&client, now) {
                polls.push(poll);
            }
            if state.entries.is_empty() {
                state.running = false;
                state.held = 0;
                // From here on another task may run.
                std::mem::forget(running);
                return;
            }
            state.wake_at(now)
        };
        tokio::select! {
            Some(report) = polls.next(), if !polls.is_empty() => take_in(&client, report),
            () = sleep_until(wake_at) => {}
            () = client.waits().changed.notified() => {}
        }
    }
}

impl State {
    /// Ends the waits whose callers' deadlines have passed.
    fn end_overdue(&mut self, now: Instant) {
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
    fn next_poll(&mut self, client: &Client, now: Instant) -> Option<BoxFuture<'static, Report>> {
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
    fn wake_at(&mut self, now: Instant) -> Instant {
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
    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        entry.stop();
        Some(entry)
    }

    /// When an entry's next poll is expected.
    fn expected(&self, entry: &Entry, held: bool) -> Duration {
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

/// Takes in what a poll found, and tells everybody whom it concerns.
fn take_in(client: &Client, report: Report) {
    let Report {
        keys,
        started,
        holding,
        found,
    } = report;
    let mut news = News::new();
    let mut state = client.waits().lock();
    if holding {
        state.held = state.held.saturating_sub(1);
    }
    for key in &keys {
        if let Some(entry) = state.entries.get_mut(key) {
            entry.under_way = UnderWay::Nothing;
        }
    }
    match found {
        None => {}
        Some(Ok(Found::Connection {
            connection,
            json,
            expires_in,
            held,
        })) => {
            for key in keys {
                let seen = Seen {
                    connection: connection.clone(),
                    json: json.clone(),
                    expires_in,
                    held,
                    started,
                };
                state.connection_seen(client, key, seen, &mut news);
            }
        }
        Some(Ok(Found::Status {
            status,
            expires_in,
            held,
        })) => {
            for key in keys {
                state.status_seen(key, &status, expires_in, held, started, &mut news);
            }
        }
        Some(Ok(Found::List(mut connections))) => {
            for key in keys {
                let place = connections
                    .iter()
                    .position(|(connection, _)| connection.id == key.connection_id);
                match place.map(|place| connections.swap_remove(place)) {
                    Some((connection, expires_in)) => {
                        let json = serde_json::to_string(&connection).unwrap_or_default().into();
                        let connection = Box::new(connection);
                        let seen = Seen {
                            connection,
                            json,
                            expires_in,
                            held: false,
                            started,
                        };
                        state.connection_seen(client, key, seen, &mut news);
                    }
                    None => {
                        if let Some(entry) = state.entries.get_mut(&key) {
                            entry.unlisted = true;
                        }
                    }
                }
            }
        }
        Some(Err(error)) => {
            let listed = keys.len() > 1;
            for key in keys {
                state.poll_failed(client, key, &error, listed, started, &mut news);
            }
        }
    }
    drop(state);
    for (event, poll, listeners) in news {
        client.tell(event);
        for listener in listeners {
            listener(&poll);
        }
    }
}

/// A connection as a poll saw it.
struct Seen {
    connection: Box<Connection>,
    json: SecretString,
    expires_in: Option<Duration>,
    held: bool,
    started: Instant,
}

impl State {
    fn connection_seen(&mut self, client: &Client, key: Key, seen: Seen, news: &mut News) {
        if seen.connection.status != ConnectionStatus::Pending {
            client.links().forget(&key.connection_id);
            if let Some(entry) = self.remove(&key) {
                let settled = Settled {
                    connection: *seen.connection,
                    json: seen.json,
                };
                entry.end(|| Ok(settled.clone()));
            }
            return;
        }
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        if std::mem::take(&mut entry.turn.news) {
            // The public status said otherwise, so it is not worth asking.
            entry.status = None;
        }
        entry.last_seen = Some(seen.connection);
        self.still_pending(key, seen.expires_in, seen.held, seen.started, news);
    }

    fn status_seen(
        &mut self,
        key: Key,
        status: &ConnectionStatus,
        expires_in: Option<Duration>,
        held: bool,
        started: Instant,
        news: &mut News,
    ) {
        if *status == ConnectionStatus::Pending {
            self.still_pending(key, expires_in, held, started, news);
        } else if let Some(entry) = self.entries.get_mut(&key) {
            entry.failures = 0;
            entry.turn.not_before = None;
            entry.turn.news = true;
        }
    }

    fn still_pending(
        &mut self,
        key: Key,
        expires_in: Option<Duration>,
        held: bool,
        started: Instant,
        news: &mut News,
    ) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        entry.failures = 0;
        entry.turn.not_before = None;
        entry.turn.held = held;
        if let Some(left) = expires_in {
            entry.turn.expires_at = Instant::now().checked_add(left);
        }
        if entry
            .turn
            .expires_at
            .is_some_and(|expires_at| expires_at <= started)
        {
            entry.polls_after_expiry += 1;
        }
        if entry.polls_after_expiry >= POLLS_AFTER_EXPIRY {
            entry.time_out(|waiter| waiter.deadline.is_none());
        }
        self.tell(key, Some(ConnectionStatus::Pending), held, news);
    }

    fn poll_failed(
        &mut self,
        client: &Client,
        key: Key,
        error: &Error,
        listed: bool,
        started: Instant,
        news: &mut News,
    ) {
        let now = Instant::now();
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        if !survivable(error) {
            if entry.watches_status() {
                entry.status = None;
            } else if listed {
                entry.unlisted = true;
            } else {
                client.links().forget(&key.connection_id);
                if let Some(entry) = self.remove(&key) {
                    let attempts = entry.polls;
                    entry.end(|| Err(error.clone().with_attempts(attempts)));
                }
            }
            return;
        }
        entry.failures += 1;
        let slower = entry.turn.interval.saturating_mul(1 << entry.failures.min(8));
        let backoff = slower.min(LONGEST_BACKOFF.max(entry.turn.interval));
        let wish = error.retry_after().unwrap_or_default();
        entry.turn.not_before = started
            .checked_add(backoff)
            .max(now.checked_add(wish.min(LONGEST_WAIT)));
        if entry
            .turn
            .expires_at
            .is_some_and(|expires_at| expires_at + GRACE <= started)
        {
            entry.time_out(|waiter| waiter.deadline.is_none());
        }
        self.tell(key, None, false, news);
    }

    /// Notes what is to be told of a poll, and drops the entry where nobody waits for it any more.
    fn tell(&mut self, key: Key, status: Option<ConnectionStatus>, held: bool, news: &mut News) {
        let Some(entry) = self.entries.get(&key) else {
            return;
        };
        if entry.waiters.is_empty() {
            self.remove(&key);
            return;
        }
        let next_in = self.expected(entry, held);
        let listeners = entry
            .waiters
            .iter()
            .filter_map(|waiter| waiter.on_poll.clone())
            .collect();
        let event = Event::Wait {
            connection_id: key.connection_id,
            status: status.clone(),
            delay: next_in,
        };
        news.push((event, Poll { status, next_in }, listeners));
    }
}

impl Entry {
    /// Whether the next poll asks for the link's public status.
    fn watches_status(&self) -> bool {
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

    fn count_deadlines(&mut self) {
        self.turn.deadline = self.waiters.iter().filter_map(|waiter| waiter.deadline).min();
    }

    /// Ends some of the waits by their time.
    fn time_out(&mut self, is_over: impl Fn(&Waiter) -> bool) {
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
    fn end(self, outcome: impl Fn() -> Outcome) {
        for waiter in self.waiters {
            let _gone = waiter.sender.send(outcome());
        }
    }
}

/// Whether a wait goes on after this.
fn survivable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Network)
        || matches!(error.status(), Some(429 | 502..=504))
}
