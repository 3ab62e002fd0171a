//! The feed: every event of the tenant in its order, request by request, for as long as somebody asks for it.
//!
//! It goes on where it was after whatever passes by itself; [`pages`](Events::pages) has the state, and no event is asked
//! for twice unless the caller says so.

use std::time::Duration;

use futures_util::stream::{self, Stream, TryStreamExt};
use http::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};

use crate::call::{CallOptions, call_options};
use crate::client::Client;
use crate::client_event::ClientEvent;
use crate::error::{Error, RequestTarget};
use crate::model::Event;
use crate::request::{RateLimitBucket, Request};
use crate::retry;
use crate::wait::{DEFAULT_INTERVAL, MAX_LONG_POLL, MIN_INTERVAL, was_long_poll};

/// One request's part of the feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventPage {
    /// The events, the oldest first; none where nothing happened meanwhile.
    pub events: Vec<Event>,
    /// Where the feed goes on: after these events, and after those that a filter left out.
    pub next_cursor: String,
    /// Whether more events are there already.
    pub has_more: bool,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A way through the feed of events. Made by [`Client::events`]; nothing is sent until it is asked for.
#[must_use = "nothing is sent until the events are asked for"]
pub struct Events {
    client: Client,
    after: Option<String>,
    types: Option<Vec<String>>,
    connection_id: Option<String>,
    limit: Option<u64>,
    wait: Duration,
    options: CallOptions,
}

impl Events {
    pub(crate) fn new(client: Client) -> Self {
        let options = CallOptions::default();
        Self {
            client,
            after: None,
            types: None,
            connection_id: None,
            limit: None,
            wait: MAX_LONG_POLL,
            options,
        }
    }

    /// Only events after this cursor, such as the [`cursor`](Event::cursor) of the last event that was handled; `latest`:
    /// only those that happen from now on. Default: from the oldest event that is kept.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    /// Only events of these types, such as `connection.needs_reconnection`. Default: all.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types = Some(types.into_iter().map(Into::into).collect());
        self
    }

    /// Only events of this connection.
    pub fn connection_id(mut self, connection_id: impl Into<String>) -> Self {
        self.connection_id = Some(connection_id.into());
        self
    }

    /// How many events a request asks for, 1 to 100. Default: the service's, 20.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How long a request waits for an event where there is none, in whole seconds up to 50, the default. Zero ends the
    /// iteration there.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait.min(MAX_LONG_POLL);
        self
    }

    // The options hold for each request; its timeout begins after its wait.
    call_options!();

    /// The feed in the parts in which it comes.
    pub fn pages(self) -> EventPages {
        EventPages { events: self, began: false, ended: false, failures: 0, not_before: None }
    }

    /// The feed event by event. It ends where the wait is zero and nothing is left, and with the first error.
    pub fn stream(self) -> impl Stream<Item = Result<Event, Error>> + Send {
        stream::try_unfold(self.pages(), async |mut pages| Ok(pages.next().await?.map(|page| (page, pages))))
            .map_ok(|page| stream::iter(page.events.into_iter().map(Ok)))
            .try_flatten()
    }

    fn request(&self, long_poll: Duration) -> Result<Request, Error> {
        let empty = |text: &Option<String>| text.as_ref().is_some_and(String::is_empty);
        if empty(&self.after) {
            return Err(Error::invalid_argument(
                "the cursor is empty: leave `after` out to begin with the oldest event",
            ));
        }
        if self.types.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::invalid_argument(
                "no types are named: leave them out to get events of all types",
            ));
        }
        if self.limit == Some(0) {
            return Err(Error::invalid_argument("limits count from 1"));
        }
        let mut request = self.client.request("events", Method::GET, &["events"], RequestTarget::General);
        request.bucket = RateLimitBucket::Events;
        let members = [
            ("after", self.after.clone()),
            ("types", self.types.as_ref().map(|types| types.join(","))),
            ("connection_id", self.connection_id.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                request.url.query_pairs_mut().append_pair(name, &value);
            }
        }
        Ok(request.long_poll(long_poll))
    }

    /// Sends one request; also says whether the service kept it for a while.
    async fn fetch(&self, long_poll: Duration) -> Result<(EventPage, SecretString, bool), Error> {
        let CallOptions { timeout, deadline, max_retries } = self.options;
        self.options.check()?;
        let options = CallOptions {
            timeout: Some(timeout.unwrap_or(self.client.settings().timeout).saturating_add(long_poll)),
            deadline: deadline.map(|deadline| deadline.saturating_add(long_poll)),
            max_retries,
        };
        let start = Instant::now();
        let response = self.client.execute(&self.request(long_poll)?, options).await?;
        let (page, json) = response.decode_json::<EventPage>()?;
        if page.has_more && Some(&page.next_cursor) == self.after.as_ref() {
            return Err(response.refused("the service gives the same events again and again"));
        }
        Ok((page, json, was_long_poll(&response, start)))
    }
}

/// The parts of the feed, one after the other. Made by [`Events::pages`].
pub struct EventPages {
    events: Events,
    /// Whether the service has answered: from then on it is known that there is a feed.
    began: bool,
    ended: bool,
    /// Requests in a row that failed.
    failures: u32,
    not_before: Option<Instant>,
}

impl EventPages {
    /// The events that follow, perhaps none: nothing happened while the request waited. `None` at the end, which only a
    /// feed without a wait has.
    ///
    /// Once it has begun, a 429, a 502 to 504, a broken connection and a timeout are no errors here: the same request
    /// follows after a pause. After an error it can be sent again. Dropping the future loses no event.
    ///
    /// # Errors
    /// [`Error::CursorExpired`] where [`after`](Events::after) is older than the events that are kept, and whatever a call
    /// gives.
    pub async fn next(&mut self) -> Result<Option<EventPage>, Error> {
        Ok(self.advance().await?.map(|(page, _)| page))
    }

    /// Where the next request goes on; `None` before the first event that is kept.
    pub fn cursor(&self) -> Option<&str> {
        self.events.after.as_deref()
    }

    /// The same as the JSON text that came; see `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn next_json(&mut self) -> Result<Option<SecretString>, Error> {
        Ok(self.advance().await?.map(|(_, json)| json))
    }

    async fn advance(&mut self) -> Result<Option<(EventPage, SecretString)>, Error> {
        if self.ended {
            return Ok(None);
        }
        loop {
            if let Some(not_before) = self.not_before {
                sleep_until(not_before).await;
            }
            // Where a request failed, perhaps something on the way cuts off what takes long: the next one asks plainly.
            let long_poll = if self.failures == 0 { self.events.wait } else { Duration::ZERO };
            match self.events.fetch(long_poll).await {
                Ok((page, json, was_long_poll)) => {
                    self.began = true;
                    self.failures = 0;
                    self.events.after = Some(page.next_cursor.clone());
                    self.ended = !page.has_more && self.events.wait.is_zero();
                    let is_idle = page.events.is_empty() && !page.has_more && !was_long_poll;
                    self.not_before = is_idle.then(|| Instant::now() + DEFAULT_INTERVAL);
                    return Ok(Some((page, json)));
                }
                Err(error) => self.not_before = Some(Instant::now() + self.pause_after(error)?),
            }
        }
    }

    /// How long to wait after an error that passes by itself.
    fn pause_after(&mut self, error: Error) -> Result<Duration, Error> {
        let client = &self.events.client;
        let backoff = retry::backoff(client.settings().backoff, self.failures, retry::random());
        let delay = retry::next_wait(Some(backoff.max(MIN_INTERVAL)), error.retry_after(), None);
        match delay {
            Some(delay) if self.began && error.passes_by_itself() => {
                self.failures += 1;
                client.emit(|| ClientEvent::Retry { call: "events", attempt: error.attempts(), delay });
                Ok(delay)
            }
            _ => Err(error),
        }
    }
}
