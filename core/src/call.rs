//! One call: its options, its attempts, its response.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::Retryable;
use http::HeaderMap;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::{Instant, timeout_at};

use crate::client::Client;
use crate::client_event::ClientEvent;
use crate::error::{Error, ErrorKind};
use crate::keys::Key;
use crate::request::{RateLimitBucket, Request};
use crate::response::Response;
use crate::retry;
use crate::token::Token;

/// What is under way, boxed so that it can be named.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// What a call gives where the service did what was asked and has nothing to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "IgnoredAny")]
pub struct Empty;

impl From<IgnoredAny> for Empty {
    fn from(_: IgnoredAny) -> Self {
        Self
    }
}

/// Options of one call; where one is `None` the client's own setting holds. Most callers use the setters of the
/// call instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// Bounds each attempt, the body included.
    pub timeout: Option<Duration>,
    /// Bounds the whole call: all attempts and the waits between them.
    pub deadline: Option<Duration>,
    /// How often a 503 is tried again; 0 means never.
    pub max_retries: Option<u32>,
}

impl CallOptions {
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (name, value) in [("timeout", self.timeout), ("deadline", self.deadline)] {
            if value == Some(Duration::ZERO) {
                return Err(Error::invalid_argument(format!("the {name} must be longer than zero")));
            }
        }
        Ok(())
    }
}

/// The setters that every call has.
macro_rules! call_options {
    () => {
        /// Sets all options of the call at once.
        pub fn options(mut self, options: crate::call::CallOptions) -> Self {
            self.options = options;
            self
        }

        /// Bounds each attempt, the body included. Without it the client's own timeout holds (30 s).
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.options.timeout = Some(timeout);
            self
        }

        /// Bounds the whole call: all attempts and the waits between them. Without it only the timeout of each
        /// attempt holds.
        pub fn deadline(mut self, deadline: std::time::Duration) -> Self {
            self.options.deadline = Some(deadline);
            self
        }

        /// How often a 503 is tried again; 0 means never. Without it the client's own setting holds (2).
        pub fn max_retries(mut self, max_retries: u32) -> Self {
            self.options.max_retries = Some(max_retries);
            self
        }
    };
}
pub(crate) use call_options;

/// A call that is sent when it is awaited. Dropping the future stops the request, also between two attempts.
///
/// ```
/// # async fn example(client: pabbly_connect::Client) -> Result<(), pabbly_connect::Error> {
/// use std::time::Duration;
/// let app = client.get_app("gmail").timeout(Duration::from_secs(5)).max_retries(0).await?;
/// # Ok(()) }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    client: Client,
    request: Result<Request, Error>,
    options: CallOptions,
    response: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned + Send + 'static> Call<T> {
    pub(crate) fn new(client: Client, request: Result<Request, Error>) -> Self {
        Self { client, request, options: CallOptions::default(), response: PhantomData }
    }

    call_options!();

    /// Sends the call and gives the response's `data` as the JSON text that came, after checking that it is what
    /// the contract says. For hosts that parse JSON faster than objects can be handed to them.
    #[cfg(feature = "bindings")]
    pub(crate) async fn json(self) -> Result<secrecy::SecretString, Error> {
        let response = self.client.execute(&self.request?, self.options).await?;
        Ok(response.decode_json::<T>()?.1)
    }
}

impl Call<Token> {
    /// Names a token that the provider's API refused although it has not expired: if it is still the current one, it is
    /// refreshed. Only its SHA-256 is sent.
    ///
    /// ```no_run
    /// # async fn example(alice: pabbly_connect::Customer, token: pabbly_connect::Token) -> Result<(), pabbly_connect::Error> {
    /// let token = alice.get_token("conn_1").rejected(&token).await?;
    /// # Ok(()) }
    /// ```
    pub fn rejected(mut self, token: &Token) -> Self {
        let body = serde_json::json!({ "rejected_token_sha256": token.sha256() });
        self.request = self.request.and_then(|request| request.json(&body));
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Call<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Pending<T>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.client.execute(&self.request?, self.options).await?.decode() })
    }
}

impl Client {
    /// Sends a request as often as the options and the retry policy allow, and gives the first success or the
    /// last error.
    pub(crate) async fn execute(&self, request: &Request, options: CallOptions) -> Result<Response, Error> {
        let key = self.keys().current();
        // What is around it would hold it twice; allocations of more than a kilobyte are expensive.
        let attempt = |timeout, number| Box::pin(self.attempt(request, &key, timeout, number));
        self.retried(request.call, options, attempt, |error| error.status() == Some(503)).await
    }

    /// Makes attempts, each of which is given its timeout and number, as often as the options and the retry policy allow.
    pub(crate) async fn retried<T, F: Future<Output = Result<T, Error>>>(
        &self,
        call: &'static str,
        options: CallOptions,
        mut attempt: impl FnMut(Duration, u32) -> F,
        may_repeat: impl Fn(&Error) -> bool,
    ) -> Result<T, Error> {
        options.check()?;
        let timeout = options.timeout.unwrap_or(self.settings().timeout);
        let max_retries = options.max_retries.unwrap_or(self.settings().max_retries);
        let deadline = options.deadline.and_then(|deadline| Instant::now().checked_add(deadline));

        let attempts = AtomicU32::new(0);
        let retrying = (|| attempt(timeout, attempts.fetch_add(1, Ordering::Relaxed) + 1))
            .retry(retry::waits(self.settings().backoff, max_retries, retry::random))
            .when(may_repeat)
            .adjust(|error: &Error, backoff| {
                let time_left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
                retry::next_wait(backoff, error.retry_after(), time_left)
            })
            .notify(|error, delay| {
                self.emit(|| ClientEvent::Retry { call, attempt: error.attempts(), delay });
            });
        match deadline {
            None => retrying.await,
            Some(deadline) => timeout_at(deadline, retrying).await.unwrap_or_else(|_| {
                let message = format!(
                    "the call was not done by its deadline of {:?}",
                    options.deadline.unwrap_or_default()
                );
                Err(Error::local(ErrorKind::Timeout, message).with_attempts(attempts.load(Ordering::Relaxed)))
            }),
        }
    }

    /// Tells a listener that a request is about to be sent. Of a proxied call it says nothing of the provider's path.
    pub(crate) fn emit_request(&self, request: &Request, attempt: u32) {
        self.emit(|| {
            let path = request.url.path();
            let base = self.settings().base_url.path().trim_end_matches('/');
            let path = path.strip_prefix(base).unwrap_or(path);
            let path = match request.bucket {
                RateLimitBucket::Proxy => path.splitn(5, '/').take(4).collect::<Vec<_>>().join("/"),
                _ => path.to_owned(),
            };
            ClientEvent::Request { call: request.call, method: request.method.to_string(), path, attempt }
        });
    }

    /// Tells a listener how an attempt ended.
    pub(crate) fn emit_response(
        &self,
        call: &'static str,
        attempt: u32,
        response: Option<(u16, &HeaderMap)>,
        start: Instant,
    ) {
        self.emit(|| ClientEvent::Response {
            call,
            attempt,
            status: response.map(|(status, _)| status),
            elapsed: start.elapsed(),
            request_id: response
                .and_then(|(_, headers)| headers.get("x-request-id")?.to_str().ok().map(str::to_owned)),
        });
    }

    /// Sends a request once.
    async fn attempt(
        &self,
        request: &Request,
        key: &Key,
        timeout: Duration,
        attempt: u32,
    ) -> Result<Response, Error> {
        self.emit_request(request, attempt);
        if request.bucket == RateLimitBucket::Default {
            self.rate_budget().foreground_sent(Instant::now());
        }
        let start = Instant::now();
        // The request token of a link is credential enough.
        let authorization = (request.bucket != RateLimitBucket::Link).then_some(&key.authorization);
        let response = self.transport().send(request, authorization, timeout).await;
        let told = response.as_ref().ok().map(|response| (response.status, &response.headers));
        self.emit_response(request.call, attempt, told, start);
        let mut response = response.map_err(|error| error.with_attempts(attempt))?;
        response.attempts = attempt;
        let counts = matches!(request.bucket, RateLimitBucket::Default | RateLimitBucket::Wait);
        if counts {
            self.rate_budget().observe(&response.headers, Instant::now());
        }
        if response.is_success() {
            return Ok(response);
        }
        let redactor = self.keys().redactor(key).with(&request.secrets);
        let error = response.into_error(request.target, &redactor);
        if counts && error.status() == Some(429) {
            self.rate_budget().refused(error.retry_after(), Instant::now());
        }
        Err(error)
    }
}
