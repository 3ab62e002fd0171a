//! One poll: a request for one connection, for the public status of a link, or for a customer's list.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Seen;
use super::hold::{Hold, SHORTEST_HOLD};
use crate::answer::Answer;
use crate::call::CallOptions;
use crate::client::Client;
use crate::customer::Customer;
use crate::error::Error;
use crate::link_status::LinkStatus;
use crate::links::StatusAddress;
use crate::list::Page;
use crate::model::{Connection, ConnectionStatus};
use crate::request::{Request, Spends};
use crate::retry_after::server_time;

/// What a poll found.
pub(super) enum Found {
    /// The connection itself.
    Connection(Box<Seen>, Outlook),
    /// The public status of a link.
    Status(ConnectionStatus, Outlook),
    /// The first hundred of a customer's connections.
    List(Vec<(Seen, Outlook)>),
}

/// What an answer tells a wait that has to go on.
#[derive(Clone, Copy)]
pub(super) struct Outlook {
    /// Until the link lapses.
    pub(super) expires_in: Option<Duration>,
    /// Whether the service held the answer.
    pub(super) held: bool,
}

/// Asks for one connection.
pub(super) async fn connection(customer: Customer, id: String, hold: Option<Hold>) -> Result<Found, Error> {
    let request = Request {
        spends: Spends::Wait,
        ..customer.get_connection_request(&id)?
    };
    let (answer, held) = send(customer.client(), request, hold).await?;
    let (connection, json) = answer.decode_json::<Connection>()?;
    let outlook = Outlook {
        expires_in: until_expiry(&connection, &answer),
        held,
    };
    Ok(Found::Connection(Box::new(Seen { connection, json }), outlook))
}

/// Asks for the public status of a link.
pub(super) async fn status(
    customer: Customer,
    address: Arc<StatusAddress>,
    hold: Option<Hold>,
) -> Result<Found, Error> {
    let request = Request::link_status(address.url.clone(), address.token.clone());
    let (answer, held) = send(customer.client(), request, hold).await?;
    let found = answer.decode::<LinkStatus>()?;
    let outlook = Outlook {
        expires_in: found.expires_in,
        held,
    };
    Ok(Found::Status(found.status, outlook))
}

/// Asks for many connections of one customer at once.
pub(super) async fn list(customer: Customer) -> Result<Found, Error> {
    let mut request = customer.list_connections_request();
    request.spends = Spends::Wait;
    request.url.query_pairs_mut().append_pair("limit", "100");
    let (answer, _) = send(customer.client(), request, None).await?;
    let page = answer.decode::<Page<Connection>>()?;
    let connections = page.items.into_iter().map(|connection| {
        let outlook = Outlook {
            expires_in: until_expiry(&connection, &answer),
            held: false,
        };
        let json = serde_json::to_string(&connection).unwrap_or_default().into();
        (Seen { connection, json }, outlook)
    });
    Ok(Found::List(connections.collect()))
}

/// Sends a poll; gives the response, and whether it was a long poll.
async fn send(client: &Client, request: Request, hold: Option<Hold>) -> Result<(Answer, bool), Error> {
    let hold_time = hold.as_ref().map_or(Duration::ZERO, |hold| hold.time);
    let timeout = client.settings().timeout.saturating_add(hold_time);
    let options = CallOptions {
        timeout: Some(timeout),
        deadline: None,
        max_retries: Some(0),
    };
    let start = Instant::now();
    let answer = client.execute(&request.hold(hold_time), options).await?;
    let held = start.elapsed() >= SHORTEST_HOLD && says_held(&answer);
    Ok((answer, held))
}

/// By the service's own clock.
fn until_expiry(connection: &Connection, answer: &Answer) -> Option<Duration> {
    let now = server_time(&answer.headers, SystemTime::now());
    let expires_at = SystemTime::from(connection.expires_at.as_ref()?);
    Some(expires_at.duration_since(now).unwrap_or_default())
}

fn says_held(answer: &Answer) -> bool {
    answer
        .headers
        .get_all("preference-applied")
        .iter()
        .any(|value| value.as_bytes().starts_with(b"wait"))
}
