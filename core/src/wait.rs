//! Waiting until a customer is done with a connection.

use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::Answer;
use crate::call::{CallOptions, Pending};
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::model::{Connection, ConnectionStatus};
use crate::request::Request;
use crate::retry_after::server_time;

/// How often a wait polls, unless told otherwise (the guide, section 8).
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(2);

/// A wait for a link that does not say when it lapses ends after this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// For how long the service is asked to hold an answer.
const LONGEST_HOLD: Duration = Duration::from_secs(30);
/// The shortest time between two polls, however eager the service is.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// A wait that meets failures polls more and more seldom, up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// A wait, begun when it is awaited: it polls at once and then every interval until the connection is no longer
/// pending. Dropping the future ends it.
///
/// The service is asked to hold each answer until there is news (`Prefer: wait`), and is polled plainly where it
/// does not. A 429, a 502 to 504, a broken connection and a timeout are no errors here: the wait slows down and
/// goes on.
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait {
    client: Client,
    request: Result<Request, Error>,
    connection_id: String,
    interval: Duration,
    timeout: Option<Duration>,
}

impl Wait {
    pub(crate) fn new(client: Client, request: Result<Request, Error>, connection_id: &str) -> Self {
        let connection_id = connection_id.to_owned();
        Self {
            client,
            request,
            connection_id,
            interval: DEFAULT_INTERVAL,
            timeout: None,
        }
    }

    /// The time between two polls. Default: 2 s; at least 100 ms.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How long to wait at most. Without it the wait ends when the link lapses.
    ///
    /// When it is over the wait gives [`Error::WaitTimeout`], with the connection as it was last seen.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits and gives the connection as the JSON text that came; see [`Call::json`](crate::Call::json).
    ///
    /// # Errors
    /// The same as awaiting the wait.
    pub async fn json(self) -> Result<SecretString, Error> {
        Ok(self.run().await?.1)
    }

    async fn run(self) -> Result<(Connection, SecretString), Error> {
        let mut request = self.request?;
        if self.timeout == Some(Duration::ZERO) || self.interval.is_zero() {
            return Err(Error::invalid_argument(
                "the timeout and the interval must be longer than zero",
            ));
        }
        let mut poller = Poller {
            client: &self.client,
            connection_id: &self.connection_id,
            interval: self.interval.max(SHORTEST_INTERVAL),
            end: End::new(self.timeout),
            last_seen: None,
            polls: 0,
            failures: 0,
        };
        loop {
            request.prefer_wait = poller.hold();
            if let Some(settled) = poller.poll(&request).await? {
                return Ok(settled);
            }
        }
    }
}

impl IntoFuture for Wait {
    type Output = Result<Connection, Error>;
    type IntoFuture = Pending<Connection>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.run().await?.0) })
    }
}

/// When a wait ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The caller's own deadline.
    Deadline(Instant),
    /// The link's expiry, as far as it is known: two polls follow it, since only the service knows for sure.
    Expiry { at: Instant, polls_after: u32 },
}

impl End {
    fn new(timeout: Option<Duration>) -> Self {
        let now = Instant::now();
        match timeout.and_then(|timeout| now.checked_add(timeout)) {
            Some(deadline) => Self::Deadline(deadline),
            None => Self::Expiry {
                at: now + LONGEST_WAIT,
                polls_after: 0,
            },
        }
    }

    fn at(self) -> Instant {
        match self {
            Self::Deadline(at) | Self::Expiry { at, .. } => at,
        }
    }
}

struct Poller<'a> {
    client: &'a Client,
    connection_id: &'a str,
    interval: Duration,
    end: End,
    last_seen: Option<Connection>,
    polls: u32,
    /// Polls in a row that gave no state.
    failures: u32,
}

impl Poller<'_> {
    /// For how many seconds the service may hold the next answer.
    fn hold(&self) -> Option<u64> {
        let left = self.end.at().saturating_duration_since(Instant::now());
        Some(left.min(LONGEST_HOLD).as_secs()).filter(|seconds| *seconds > 0)
    }

    /// Polls once; where there is no news, sleeps until the next poll is due.
    async fn poll(&mut self, request: &Request) -> Result<Option<(Connection, SecretString)>, Error> {
        let started = Instant::now();
        let hold = Duration::from_secs(request.prefer_wait.unwrap_or(0));
        let options = CallOptions {
            timeout: Some(self.client.settings().timeout.saturating_add(hold)),
            deadline: None,
            max_retries: Some(0),
        };
        self.polls += 1;
        let call = self.client.execute(request, options);
        let answer = match self.end {
            End::Deadline(at) => timeout_at(at, call).await.map_err(|_| self.timed_out())?,
            End::Expiry { .. } => call.await,
        };
        let pause = match answer {
            Ok(answer) => {
                let (connection, json) = answer
                    .decode_json::<Connection>()
                    .map_err(|error| error.with_attempts(self.polls))?;
                if connection.status != ConnectionStatus::Pending {
                    return Ok(Some((connection, json)));
                }
                self.still_pending(connection, &answer, started)?
            }
            Err(error) if survivable(&error) => {
                self.failures += 1;
                let factor = 1 << self.failures.min(5);
                let slower = self
                    .interval
                    .saturating_mul(factor)
                    .min(LONGEST_BACKOFF.max(self.interval));
                slower.max(error.retry_after().unwrap_or_default())
            }
            Err(error) => return Err(error.with_attempts(self.polls)),
        };
        self.pause(pause, started).await?;
        Ok(None)
    }

    /// Takes in a state without news and gives the time from this poll's start to the next.
    fn still_pending(
        &mut self,
        connection: Connection,
        answer: &Answer,
        started: Instant,
    ) -> Result<Duration, Error> {
        self.failures = 0;
        if let (End::Expiry { at, .. }, Some(expires_at)) = (&mut self.end, &connection.expires_at) {
            let now = server_time(&answer.headers, SystemTime::now());
            let left = SystemTime::from(expires_at)
                .duration_since(now)
                .unwrap_or_default();
            *at = Instant::now() + left.min(LONGEST_WAIT * 24);
        }
        self.last_seen = Some(connection);
        if let End::Expiry { at, polls_after } = &mut self.end
            && *at <= started
        {
            *polls_after += 1;
            if *polls_after == 2 {
                return Err(self.timed_out());
            }
        }
        let held = answer
            .headers
            .get_all("preference-applied")
            .iter()
            .any(|value| value.as_bytes().starts_with(b"wait"));
        Ok(if held { SHORTEST_INTERVAL } else { self.interval })
    }

    /// Sleeps until `pause` after the poll's start, but not beyond the end.
    async fn pause(&self, pause: Duration, started: Instant) -> Result<(), Error> {
        let now = Instant::now();
        let next = started
            .checked_add(pause)
            .unwrap_or_else(crate::transport::far_future)
            .max(now);
        let next = match self.end {
            End::Expiry { at, .. } if at > now => next.min(at),
            End::Expiry { .. } | End::Deadline(_) => next,
        };
        self.client.tell(Event::Wait {
            connection_id: self.connection_id.to_owned(),
            status: self
                .last_seen
                .as_ref()
                .filter(|_| self.failures == 0)
                .map(|connection| connection.status.clone()),
            delay: next - now,
        });
        if let End::Deadline(at) = self.end
            && at <= next
        {
            sleep(at.saturating_duration_since(now)).await;
            return Err(self.timed_out());
        }
        sleep(next - now).await;
        Ok(())
    }

    fn timed_out(&self) -> Error {
        let message = "the customer was not done when the wait ended: the connection is still pending";
        Error::local(ErrorKind::WaitTimeout, message)
            .with_attempts(self.polls)
            .with_connection(self.last_seen.clone())
    }
}

/// Whether a wait goes on after this.
fn survivable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Network)
        || matches!(error.status(), Some(429 | 502..=504))
}
