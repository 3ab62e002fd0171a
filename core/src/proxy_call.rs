//! Calls to a connection's API through the platform, which adds the credential.
//!
//! What the provider answers is a response, whatever its status, and no error. Nothing that may have reached the provider
//! is sent again: only a 503 that the platform marks as its own is, and only where the body can be sent again. The provider's
//! responses count toward no budget of this client.

use std::fmt::Display;
use std::future::IntoFuture;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use crate::api_request::climbs;
use crate::call::{CallOptions, Pending};
use crate::client::Client;
use crate::error::Error;
use crate::keys::Key;
use crate::proxy_body::{ProxyBody, ResponseBody};
use crate::request::Request;

/// Who answered, on every response to a proxied call.
const SOURCE: &str = "x-connect-source";

/// What is the platform's to set, or would be taken for its own.
pub(crate) const RESERVED: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-user-email",
];

/// A call to a connection's API. Made by [`Customer::proxy`](crate::Customer::proxy), and sent when it is awaited.
///
/// ```no_run
/// # async fn example(alice: pabbly_connect::Customer) -> Result<(), Box<dyn std::error::Error>> {
/// let response = alice
///     .proxy("conn_1", "POST", "crm/v3/objects/contacts")
///     .json(&serde_json::json!({ "properties": { "email": "bob@example.com" } }))
///     .await?;
/// println!("{} {}", response.status(), response.into_body().text().await?);
/// # Ok(()) }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct ProxyCall {
    client: Client,
    request: Result<Request, Error>,
    body: ProxyBody,
    options: CallOptions,
}

impl ProxyCall {
    /// `request` is for the address of the proxy itself, without a path behind it.
    pub(crate) fn new(client: Client, request: Result<Request, Error>, path: &str) -> Self {
        let request = request.and_then(|request| Ok(Request { url: behind(&request.url, path)?, ..request }));
        Self { client, request, body: ProxyBody::default(), options: CallOptions::default() }
    }

    /// The call, or why it would be refused: for hosts that tell of that where the call is made.
    #[cfg(feature = "bindings")]
    pub(crate) fn checked(self) -> Result<Self, Error> {
        self.options.check()?;
        Ok(Self { request: Ok(self.request?), ..self })
    }

    /// Adds a query parameter to those that the path has.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        if let Ok(request) = &mut self.request {
            request.url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    /// Sets a header, in the place of one of that name. The credential's own headers are added by the platform.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.and_then(|mut request| {
            let (name, value) = checked_header(name, value)?;
            request.headers.insert(name, value);
            Ok(request)
        });
        self
    }

    /// Sets the body. One that is a stream is sent once at most.
    pub fn body(mut self, body: impl Into<ProxyBody>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to a value as JSON, and its `Content-Type`.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        let text = serde_json::to_vec(value)
            .map_err(|_| Error::invalid_argument("the body is not JSON: a map has keys that are no text"));
        match text {
            Ok(text) => self.header("content-type", "application/json").body(text),
            Err(error) => {
                self.request = self.request.and(Err(error));
                self
            }
        }
    }

    /// Sets all options of the call at once.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Bounds each attempt up to the response's headers, and after that the time until each next part of its body. Without
    /// it the client's own timeout holds (30 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Bounds all attempts and the waits between them, up to the response's headers. Without it only the timeout of each
    /// attempt holds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = Some(deadline);
        self
    }

    /// How often a 503 of the platform is tried again; 0 means never. Without it the client's own setting holds (2).
    pub fn max_retries(mut self, max_retries: u32) -> Self {
        self.options.max_retries = Some(max_retries);
        self
    }
}

impl IntoFuture for ProxyCall {
    type Output = Result<http::Response<ResponseBody>, Error>;
    type IntoFuture = Pending<http::Response<ResponseBody>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.client.execute_proxied(&self.request?, self.body, self.options).await })
    }
}

impl Client {
    /// Sends a proxied call as often as the options and the retry policy allow.
    async fn execute_proxied(
        &self,
        request: &Request,
        mut body: ProxyBody,
        options: CallOptions,
    ) -> Result<http::Response<ResponseBody>, Error> {
        let key = self.keys().current();
        let is_repeatable = body.is_repeatable();
        let attempt = |timeout, number| {
            let body = body.take();
            Box::pin(self.attempt_proxied(request, &key, body, timeout, number))
        };
        let may_repeat = |error: &Error| {
            let source = error.response().and_then(|response| response.headers.get(SOURCE));
            is_repeatable && error.status() == Some(503) && source.is_some_and(|source| source == "platform")
        };
        self.retried(request.call, options, attempt, may_repeat).await
    }

    async fn attempt_proxied(
        &self,
        request: &Request,
        key: &Key,
        body: Option<reqwest::Body>,
        timeout: Duration,
        attempt: u32,
    ) -> Result<http::Response<ResponseBody>, Error> {
        self.emit_request(request, attempt);
        let start = Instant::now();
        let response = self.transport().stream(request, Some(&key.authorization), body, timeout).await;
        let told = response.as_ref().ok().map(|response| (response.status().as_u16(), response.headers()));
        self.emit_response(request.call, attempt, told, start);
        let response = response.map_err(|error| error.with_attempts(attempt))?;
        if response.headers().get(SOURCE).is_some_and(|source| source == "provider") {
            let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
            return Ok(http::Response::from_parts(parts, ResponseBody::new(body, timeout, attempt)));
        }
        let mut response = self.transport().read_error(response, timeout).await;
        response.attempts = attempt;
        if response.is_success() {
            return Err(response.refused(
                "the response does not tell that it is the provider's: is there a proxy in between, or a service that \
                 has no proxy at this base URL?",
            ));
        }
        Err(response.into_error(request.target, &self.keys().redactor(key)))
    }
}

/// The address of a path behind the connection's API.
fn behind(proxy: &Url, path: &str) -> Result<Url, Error> {
    let refused = |why: &str| Error::invalid_argument(format!("the path {why}"));
    if path.chars().any(char::is_control) || path.contains('\\') {
        return Err(refused("holds a control character or a backslash"));
    }
    if path.contains('#') {
        return Err(refused("holds a fragment: write a `#` that belongs to it as %23"));
    }
    if climbs(path) {
        return Err(refused("holds a segment `..`"));
    }
    if path.split('/').next().is_some_and(|first| first.ends_with(':')) {
        return Err(refused("is an absolute URL: give what follows the connection's api_base_url"));
    }
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut url = proxy.clone();
    url.set_path(&format!("{}/{}", proxy.path(), path.strip_prefix('/').unwrap_or(path)));
    url.set_query(query);
    Ok(url)
}

fn checked_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let name = HeaderName::try_from(name)
        .map_err(|_| Error::invalid_argument("the name of a header holds a character that none may hold"))?;
    if RESERVED.contains(&name.as_str()) {
        return Err(Error::invalid_argument(format!("the header {name} is the platform's to set")));
    }
    let value = HeaderValue::from_str(value).map_err(|_| {
        Error::invalid_argument(format!(
            "the value of the header {name} holds a character that none may hold"
        ))
    })?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn url(path: &str) -> Result<String, Error> {
        let proxy = Url::parse("https://example.com/platform/v1/connections/c/proxy").unwrap();
        behind(&proxy, path).map(String::from)
    }

    #[test]
    fn a_path_stands_behind_the_proxy() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("a/b/", "/a/b/"),
            ("/a/b?c=d&e", "/a/b?c=d&e"),
            ("projects/a%2Fb", "/projects/a%2Fb"),
            ("//evil.example/x", "//evil.example/x"),
            ("@evil.example", "/@evil.example"),
            ("values/A1:B2", "/values/A1:B2"),
            ("a b/é", "/a%20b/%C3%A9"),
            ("a?next=../b", "/a?next=../b"),
        ] {
            let expected = format!("https://example.com/platform/v1/connections/c/proxy{expected}");
            assert_eq!(url(path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        for path in [
            "..",
            "a/../../../x",
            "%2e%2e/x",
            "a/..%2Fx",
            "..;/x",
            "a\\b",
            "a\nb",
            "a#b",
            "https://api.example.com/a",
        ] {
            assert_eq!(url(path).map_err(|error| error.kind()), Err(ErrorKind::InvalidArgument), "{path}");
        }
    }

    #[test]
    fn the_platforms_own_headers_are_refused() {
        for name in ["Authorization", "x-user-email", "HOST", "Cookie", "bad name", ""] {
            assert!(checked_header(name, "x").is_err(), "{name}");
        }
        assert!(checked_header("x-api-version", "a\r\nb: c").is_err());
        assert!(checked_header("Idempotency-Key", "k").is_ok());
    }
}
