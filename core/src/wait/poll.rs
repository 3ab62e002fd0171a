//! One poll: a request for one connection, for the public status of a link, or for a customer's list.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Seen;
use super::long_poll::{LongPoll, was_long_poll};
use crate::call::CallOptions;
use crate::client::Client;
use crate::customer::Customer;
use crate::error::Error;
use crate::links::StatusAddress;
use crate::list::Page;
use crate::model::Connection;
use crate::public_link::LinkStatus;
use crate::request::{RateLimitBucket, Request};
use crate::response::Response;
use crate::retry_after::server_time;

/// What a poll saw.
pub(super) enum PollResponse {
    /// The connection itself.
    Connection(Box<Seen>, PendingDetails),
    /// The public status of a link.
    Status(LinkStatus, PendingDetails),
    /// The first hundred of a customer's connections.
    List(Vec<(Seen, PendingDetails)>),
}

/// What a response says to a wait that continues.
#[derive(Clone, Copy)]
pub(super) struct PendingDetails {
    /// Until the link expires.
    pub(super) expires_in: Option<Duration>,
    /// Whether it ended a long poll, so that the next poll may follow at once.
    pub(super) was_long_poll: bool,
}

/// Asks for one connection.
pub(super) async fn connection(
    customer: Customer,
    id: String,
    long_poll: Option<LongPoll>,
) -> Result<PollResponse, Error> {
    let request = Request { bucket: RateLimitBucket::Wait, ..customer.get_connection_request(&id)? };
    let (response, was_long_poll) = send(customer.client(), request, long_poll).await?;
    let (connection, json) = response.decode_json::<Connection>()?;
    let details = PendingDetails { expires_in: until_expiry(&connection, &response), was_long_poll };
    Ok(PollResponse::Connection(Box::new(Seen { connection, json }), details))
}

/// Asks for the public status of a link.
pub(super) async fn status(
    customer: Customer,
    address: Arc<StatusAddress>,
    revision: Option<String>,
    long_poll: Option<LongPoll>,
) -> Result<PollResponse, Error> {
    let mut url = address.url.clone();
    if let Some(revision) = revision.filter(|_| long_poll.is_some()) {
        url.query_pairs_mut().append_pair("revision", &revision);
    }
    let request = Request::link_status(url, address.token.clone());
    let (response, was_long_poll) = send(customer.client(), request, long_poll).await?;
    let status = response.decode::<LinkStatus>()?;
    let details = PendingDetails { expires_in: status.expires_in, was_long_poll };
    Ok(PollResponse::Status(status, details))
}

/// Asks for many connections of one customer at once.
pub(super) async fn list(customer: Customer) -> Result<PollResponse, Error> {
    let mut request = customer.list_connections_request();
    request.bucket = RateLimitBucket::Wait;
    request.url.query_pairs_mut().append_pair("limit", "100");
    let (response, _) = send(customer.client(), request, None).await?;
    let page = response.decode::<Page<Connection>>()?;
    let connections = page.items.into_iter().map(|connection| {
        let details =
            PendingDetails { expires_in: until_expiry(&connection, &response), was_long_poll: false };
        let json = serde_json::to_string(&connection).unwrap_or_default().into();
        (Seen { connection, json }, details)
    });
    Ok(PollResponse::List(connections.collect()))
}

/// Sends a poll; gives the response, and whether it was a long poll.
async fn send(
    client: &Client,
    request: Request,
    long_poll: Option<LongPoll>,
) -> Result<(Response, bool), Error> {
    let duration = long_poll.as_ref().map_or(Duration::ZERO, |long_poll| long_poll.time);
    let timeout = client.settings().timeout.saturating_add(duration);
    let options = CallOptions { timeout: Some(timeout), deadline: None, max_retries: Some(0) };
    let start = Instant::now();
    let response = client.execute(&request.long_poll(duration), options).await?;
    let was_long_poll = was_long_poll(&response, start);
    Ok((response, was_long_poll))
}

/// By the service's own clock.
fn until_expiry(connection: &Connection, response: &Response) -> Option<Duration> {
    let now = server_time(&response.headers, SystemTime::now());
    let expires_at = SystemTime::from(connection.expires_at.as_ref()?);
    Some(expires_at.duration_since(now).unwrap_or_default())
}
