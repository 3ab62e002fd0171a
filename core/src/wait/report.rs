//! What a poll found, and whom it concerns.

use std::sync::Arc;

use tokio::time::Instant;

use super::entry::{Entry, Key, Outcome};
use super::poll::{Found, Outlook};
use super::queue::Queue;
use super::{OnPoll, Poll, Seen};
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, undisturbed};
use crate::model::ConnectionStatus;

/// What came of one poll.
pub(super) struct Report {
    pub(super) keys: Vec<Arc<Key>>,
    pub(super) began: Instant,
    pub(super) found: Result<Found, Error>,
}

/// Takes in what a poll found, and tells everybody whom it concerns.
pub(super) fn take_in(client: &Client, report: Report) {
    let mut queue = client.waits().lock();
    let mut intake = Intake {
        client,
        queue: &mut queue,
        began: report.began,
        news: Vec::new(),
    };
    let is_list = report.keys.len() > 1;
    for key in &report.keys {
        // Who left and came back has another poll under way.
        if let Some(entry) = intake.entry(key)
            && entry.turn.polled_at == Some(report.began)
        {
            entry.under_way = None;
        }
        match &report.found {
            Ok(found) => intake.found(key, found),
            Err(error) => intake.failed(key, error, is_list),
        }
        intake.queue.file(key, Instant::now());
    }
    let news = intake.news;
    // Those who are told may call the client.
    drop(queue);
    for (event, poll, listeners) in news {
        client.tell(|| event);
        for listener in listeners {
            undisturbed(|| listener(&poll));
        }
    }
}

struct Intake<'a> {
    client: &'a Client,
    queue: &'a mut Queue,
    /// When the poll began.
    began: Instant,
    /// What to tell once the queue is released.
    news: Vec<(Event, Poll, Vec<OnPoll>)>,
}

impl Intake<'_> {
    /// The entry that a poll was for, if anybody still waits.
    fn entry(&mut self, key: &Arc<Key>) -> Option<&mut Entry> {
        self.queue.entries.get_mut(key).map(AsMut::as_mut)
    }

    fn found(&mut self, key: &Arc<Key>, found: &Found) {
        let began = self.began;
        let Some(entry) = self.entry(key) else { return };
        match found {
            Found::Connection(seen, outlook) => self.connection(key, seen, *outlook),
            Found::Status(ConnectionStatus::Pending, outlook) => {
                entry.still_pending(*outlook, began);
                self.goes_on(key, Some(ConnectionStatus::Pending));
            }
            Found::Status(..) => entry.has_news(),
            Found::List(all) => match all
                .iter()
                .find(|(seen, _)| seen.connection.id == key.connection_id)
            {
                Some((seen, outlook)) => self.connection(key, seen, *outlook),
                None => entry.unlisted = true,
            },
        }
    }

    fn connection(&mut self, key: &Arc<Key>, seen: &Seen, outlook: Outlook) {
        if seen.connection.status != ConnectionStatus::Pending {
            return self.end(key, &Ok(Box::new(seen.clone())));
        }
        let began = self.began;
        let Some(entry) = self.entry(key) else { return };
        if std::mem::take(&mut entry.turn.news) {
            // The public status said otherwise, so it is not worth asking.
            entry.distrust_status();
        }
        entry.last_seen = Some(seen.json.clone());
        entry.still_pending(outlook, began);
        self.goes_on(key, Some(ConnectionStatus::Pending));
    }

    fn failed(&mut self, key: &Arc<Key>, error: &Error, is_list: bool) {
        let began = self.began;
        let Some(entry) = self.entry(key) else { return };
        if survivable(error) {
            entry.poll_failed(error, began);
            self.goes_on(key, None);
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

    /// Notes what is to be told of a poll, if anybody still waits.
    fn goes_on(&mut self, key: &Arc<Key>, status: Option<ConnectionStatus>) {
        let Some(entry) = self.queue.entries.get(key) else {
            return;
        };
        if entry.waiters.is_empty() {
            return;
        }
        let next_in = self.queue.expected(entry);
        let listeners = entry.waiters.iter().filter_map(|waiter| waiter.on_poll.clone());
        let listeners = listeners.collect();
        let event = Event::Wait {
            connection_id: key.connection_id.clone(),
            status: status.clone(),
            delay: next_in,
        };
        self.news.push((event, Poll { status, next_in }, listeners));
    }
}

/// Whether a wait goes on after this.
fn survivable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Network)
        || matches!(error.status(), Some(429 | 502..=504))
}
