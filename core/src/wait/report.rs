//! What a poll found, and whom it concerns.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::poll::Found;
use super::queue::{Key, LONGEST_WAIT, Queue, UnderWay};
use super::{OnPoll, Poll, Settled};
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, undisturbed};
use crate::model::{Connection, ConnectionStatus};

/// For how long after the link's expiry failing polls are tried again.
const GRACE: Duration = Duration::from_secs(60);
/// Polls that see a connection pending after its link's expiry before the wait ends.
const POLLS_AFTER_EXPIRY: u32 = 2;
/// Failing polls become more and more seldom, up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// What came of one poll.
pub(super) struct Report {
    pub(super) keys: Vec<Key>,
    pub(super) started: Instant,
    /// Whether the service was asked to hold the answer.
    pub(super) holding: bool,
    /// `None` where the poll was stopped because nobody waits any more.
    pub(super) found: Option<Result<Found, Error>>,
}

/// What to tell about polls, once the lock is released.
type News = Vec<(Event, Poll, Vec<OnPoll>)>;

/// Takes in what a poll found, and tells everybody whom it concerns.
pub(super) fn take_in(client: &Client, report: Report) {
    let Report {
        keys,
        started,
        holding,
        found,
    } = report;
    let mut news = News::new();
    let mut queue = client.waits().lock();
    if holding {
        queue.held = queue.held.saturating_sub(1);
    }
    for key in &keys {
        if let Some(entry) = queue.entries.get_mut(key) {
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
                queue.connection_seen(client, key, seen, &mut news);
            }
        }
        Some(Ok(Found::Status {
            status,
            expires_in,
            held,
        })) => {
            for key in keys {
                queue.status_seen(key, &status, expires_in, held, started, &mut news);
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
                        queue.connection_seen(client, key, seen, &mut news);
                    }
                    None => {
                        if let Some(entry) = queue.entries.get_mut(&key) {
                            entry.unlisted = true;
                        }
                    }
                }
            }
        }
        Some(Err(error)) => {
            let listed = keys.len() > 1;
            for key in keys {
                queue.poll_failed(client, key, &error, listed, started, &mut news);
            }
        }
    }
    drop(queue);
    for (event, poll, listeners) in news {
        client.tell(event);
        for listener in listeners {
            undisturbed(|| listener(&poll));
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

impl Queue {
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
            entry.expires_in(left);
        }
        let is_past = |expires_at| expires_at <= started;
        if expires_in == Some(Duration::ZERO) || entry.turn.expires_at.is_some_and(is_past) {
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
        let wish = error.retry_after().unwrap_or_default().min(LONGEST_WAIT);
        entry.turn.not_before = now.checked_add(backoff.max(wish));
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

/// Whether a wait goes on after this.
fn survivable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Network)
        || matches!(error.status(), Some(429 | 502..=504))
}
