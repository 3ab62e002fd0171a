//! Waiting until a customer is done with a connection.
//!
//! All waits of one client share one [scheduler]. Its [queue] has an [entry] per connection and decides by each entry's
//! [state](poll_state), within the [rate budget](crate::rate_budget), which connection is polled next. A [poll] is one
//! request, if possible a [long poll](long_poll); its [result](poll_result) is applied to the entries that it was for.

mod entry;
mod long_poll;
mod poll;
mod poll_result;
mod poll_state;
mod queue;
mod scheduler;
#[cfg(test)]
mod simulation;

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryFutureExt;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::call::Pending;
use crate::customer::Customer;
use crate::error::Error;
use crate::model::{Connection, ConnectionStatus, LinkPhase};
use crate::request::checked_id;

use entry::Key;
pub(crate) use long_poll::{MAX_LONG_POLL, was_long_poll};
pub(crate) use scheduler::Waits;

/// How often a wait polls by default (the guide, section 8).
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);
/// Requests a minute for everything but tokens, by default (the guide, section 12).
pub const DEFAULT_REQUESTS_PER_MINUTE: u32 = 120;

/// The shortest time between two polls of one connection, however eager caller and service are.
pub(crate) const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// As good as never, and short enough to be added to any time.
const NEVER: Duration = Duration::from_secs(365 * 86_400);

/// A wait, begun when it is awaited: it polls at once and then every interval until the connection is no longer
/// pending. Dropping the future ends it.
///
/// All waits of one client share the tenant's budget of requests: where there are many, each is polled more
/// seldom, calls that are not waits go first, and a connection is polled once for all who wait for it. The service
/// is asked for long polls (`Prefer: wait`), and is polled plainly where it does not offer them.
/// Links that this client made are watched at their public status, which costs the tenant's budget nothing.
///
/// A 429, a 502 to 504, a broken connection and a timeout are no errors here: the wait slows down and goes on.
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait {
    customer: Customer,
    connection_id: String,
    interval: Duration,
    timeout: Option<Duration>,
    on_poll: Option<OnPoll>,
}

/// What a wait has just learned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Poll {
    /// The connection's status; `None` where the poll failed in a way that the wait survives.
    pub status: Option<ConnectionStatus>,
    /// How far the customer has come; known only of a link that this client made.
    pub phase: Option<LinkPhase>,
    /// When the next poll is expected. Zero after a long poll.
    pub next_in: Duration,
}

type OnPoll = Arc<dyn Fn(&Poll) + Send + Sync>;

impl Wait {
    pub(crate) fn new(customer: Customer, connection_id: &str) -> Self {
        let connection_id = connection_id.to_owned();
        Self { customer, connection_id, interval: DEFAULT_INTERVAL, timeout: None, on_poll: None }
    }

    /// The time between two polls. Default: 2 s; at least 100 ms.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How long to wait at most. Without it the wait ends when the link expires.
    ///
    /// When it is over the wait gives [`Error::WaitTimeout`], with the connection if a poll saw it. Of a link that
    /// this client made, polls ask for the public status alone.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Called after each poll that did not end the wait: return quickly.
    pub fn on_poll(mut self, on_poll: impl Fn(&Poll) + Send + Sync + 'static) -> Self {
        self.on_poll = Some(Arc::new(on_poll));
        self
    }

    /// Waits and gives the connection as JSON text; see `Call::json`.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<SecretString, Error> {
        Ok(self.run().await?.json)
    }

    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn long_polls its arguments twice, and there may be thousands"
    )]
    fn run(self) -> impl Future<Output = Result<Box<Seen>, Error>> + Send {
        async move {
            checked_id("connection id", &self.connection_id)?;
            if self.timeout == Some(Duration::ZERO) || self.interval.is_zero() {
                return Err(Error::invalid_argument("the timeout and the interval must be longer than zero"));
            }
            let key =
                Arc::new(Key { email: self.customer.email().clone(), connection_id: self.connection_id });
            let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            let interval = self.interval.clamp(MIN_INTERVAL, NEVER);
            loop {
                let (_guard, outcome) =
                    scheduler::join(&self.customer, &key, interval, deadline, self.on_poll.clone());
                if let Ok(outcome) = outcome.await {
                    return outcome;
                }
                // The runtime that polled for everybody was shut down: this one goes on, unless it is shut down too.
                tokio::task::yield_now().await;
            }
        }
    }
}

impl IntoFuture for Wait {
    type Output = Result<Connection, Error>;
    type IntoFuture = Pending<Connection>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run().map_ok(|seen| seen.connection))
    }
}

/// A connection as a poll saw it.
#[derive(Clone, Debug)]
struct Seen {
    connection: Connection,
    json: SecretString,
}
