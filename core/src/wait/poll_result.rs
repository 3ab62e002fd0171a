//! Applies the result of a poll to all who wait for it, and notifies them.

use std::sync::Arc;

use tokio::time::Instant;

use super::entry::{Entry, Key, Outcome};
use super::poll::{PendingDetails, PollResponse};
use super::queue::Queue;
use super::{OnPoll, Poll, Seen};
use crate::client::Client;
use crate::client_event::{ClientEvent, catch_panic};
use crate::error::Error;
use crate::model::{ConnectionStatus, LinkPhase};

/// The result of one poll.
pub(super) struct PollResult {
    pub(super) keys: Vec<Arc<Key>>,
    pub(super) began: Instant,
    pub(super) result: Result<PollResponse, Error>,
}

/// Applies a result, and notifies everybody whom it concerns.
pub(super) fn apply(client: &Client, poll: PollResult) {
    let mut queue = client.waits().lock();
    let mut applying = Applying { client, queue: &mut queue, began: poll.began, notifications: Vec::new() };
    let is_list = poll.keys.len() > 1;
    for key in &poll.keys {
        // Who left and came back has another poll under way.
        if let Some(entry) = applying.entry(key)
            && entry.state.polled_at == Some(poll.began)
        {
            entry.under_way = None;
        }
        match &poll.result {
            Ok(response) => applying.response(key, response),
            Err(error) => applying.failed(key, error, is_list),
        }
        applying.queue.reschedule(key, Instant::now());
    }
    let notifications = applying.notifications;
    // Listeners may call the client.
    drop(queue);
    for (event, poll, listeners) in notifications {
        client.emit(|| event);
        for listener in listeners {
            catch_panic(|| listener(&poll));
        }
    }
}

struct Applying<'a> {
    client: &'a Client,
    queue: &'a mut Queue,
    /// When the poll began.
    began: Instant,
    /// Sent once the queue is unlocked.
    notifications: Vec<(ClientEvent, Poll, Vec<OnPoll>)>,
}

impl Applying<'_> {
    /// The entry that a poll was for, if anybody still waits.
    fn entry(&mut self, key: &Arc<Key>) -> Option<&mut Entry> {
        self.queue.entries.get_mut(key).map(AsMut::as_mut)
    }

    fn response(&mut self, key: &Arc<Key>, response: &PollResponse) {
        let began = self.began;
        let Some(entry) = self.entry(key) else { return };
        match response {
            PollResponse::Connection(seen, details) => self.connection(key, seen, *details),
            PollResponse::Status(status, details) if status.status == ConnectionStatus::Pending => {
                entry.still_pending(*details, began);
                entry.revision.clone_from(&status.revision);
                self.still_waiting(key, Some(ConnectionStatus::Pending), status.phase.clone());
            }
            PollResponse::Status(..) => entry.status_changed(),
            PollResponse::List(all) => {
                match all.iter().find(|(seen, _)| seen.connection.id == key.connection_id) {
                    Some((seen, details)) => self.connection(key, seen, *details),
                    None => entry.unlisted = true,
                }
            }
        }
    }

    fn connection(&mut self, key: &Arc<Key>, seen: &Seen, details: PendingDetails) {
        if seen.connection.status != ConnectionStatus::Pending {
            return self.end(key, &Ok(Box::new(seen.clone())));
        }
        let began = self.began;
        let Some(entry) = self.entry(key) else { return };
        if std::mem::take(&mut entry.state.status_changed) {
            // The public status said otherwise, so it is not worth asking.
            entry.distrust_status();
        }
        entry.last_seen = Some(seen.json.clone());
        entry.still_pending(details, began);
        self.still_waiting(key, Some(ConnectionStatus::Pending), None);
    }

    fn failed(&mut self, key: &Arc<Key>, error: &Error, is_list: bool) {
        let began = self.began;
        let Some(entry) = self.entry(key) else { return };
        if error.passes_by_itself() {
            entry.poll_failed(error, began);
            self.still_waiting(key, None, None);
        } else if entry.watches_status() {
            entry.distrust_status();
        } else if is_list {
            entry.unlisted = true;
        } else {
            let error = error.clone().with_attempts(entry.polls);
            self.end(key, &Err(error));
        }
    }

    /// Ends all waits for a connection.
    fn end(&mut self, key: &Arc<Key>, outcome: &Outcome) {
        self.client.links().forget(&key.connection_id);
        if let Some(entry) = self.queue.remove(key) {
            entry.end(outcome);
        }
    }

    /// Queues the notification of a poll, if anybody still waits.
    fn still_waiting(&mut self, key: &Arc<Key>, status: Option<ConnectionStatus>, phase: Option<LinkPhase>) {
        let Some(entry) = self.queue.entries.get(key) else {
            return;
        };
        if entry.waiters.is_empty() {
            return;
        }
        let next_in = self.queue.expected(entry, &self.client.rate_budget());
        let listeners = entry.waiters.iter().filter_map(|waiter| waiter.on_poll.clone());
        let listeners = listeners.collect();
        let event = ClientEvent::Wait {
            connection_id: key.connection_id.clone(),
            status: status.clone(),
            delay: next_in,
        };
        self.notifications.push((event, Poll { status, phase, next_in }, listeners));
    }
}
