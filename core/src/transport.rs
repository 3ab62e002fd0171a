//! Sends one attempt over HTTP and reads its response whole.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use url::Url;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};
use crate::io_driver;
use crate::request::{RateLimitBucket, Request};
use crate::response::Response;
use crate::tls::Trust;

/// Larger than any response of the contract by far.
const MAX_BODY: usize = 8 << 20;
/// As much of an error's body as is worth keeping.
const MAX_ERROR_BODY: usize = 64 << 10;

/// A year: sums with times stay in range, whatever the caller says.
const MAX_TIMEOUT: Duration = Duration::from_secs(31_536_000);

/// How to reach the service.
pub(crate) struct Transport {
    http: reqwest::Client,
}

/// Through which proxy the service is reached.
pub(crate) enum ProxyPolicy<'a> {
    /// This one.
    Proxy(&'a SecretString),
    /// The one that the environment names, if any.
    Environment,
    /// None.
    Nothing,
}

impl Transport {
    pub(crate) fn new(
        user_agent: HeaderValue,
        proxy_policy: ProxyPolicy<'_>,
        trust: &Trust,
    ) -> Result<Self, Error> {
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(trust.client_config()?)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .user_agent(user_agent);
        http = match proxy_policy {
            ProxyPolicy::Proxy(address) => http.proxy(proxy(address.expose_secret())?),
            ProxyPolicy::Environment => http,
            ProxyPolicy::Nothing => http.no_proxy(),
        };
        let http = http.build().map_err(|error| {
            Error::caused(ErrorKind::InvalidArgument, "no HTTP client can be made of these settings", error)
        })?;
        Ok(Self { http })
    }

    /// Sends the request once. `timeout` bounds everything up to the end of the body.
    ///
    /// The HTTP client sends it again only where a connection that was kept from an earlier request hands it back
    /// unsent, not one byte of it written, because the server had ended that connection.
    pub(crate) async fn send(
        &self,
        request: &Request,
        authorization: Option<&HeaderValue>,
        timeout: Duration,
    ) -> Result<Response, Error> {
        let until = Instant::now() + timeout.min(MAX_TIMEOUT);
        let timed_out = || {
            let message = format!("no complete answer arrived within {timeout:?}");
            Error::local(ErrorKind::Timeout, message)
        };
        let mut response = timeout_at(until, self.respond(http_request(request, authorization)))
            .await
            .map_err(|_| timed_out())??;

        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = if response.status().is_success() {
            timeout_at(until, read(&mut response, MAX_BODY)).await.map_err(|_| timed_out())??
        } else {
            // The status already says what went wrong: a body that does not arrive takes nothing away.
            let body = timeout_at(until, read_some(&mut response, MAX_ERROR_BODY)).await;
            body.unwrap_or_default()
        };
        Ok(Response { status, headers, body, attempts: 1 })
    }

    /// Sends a proxied request once. `timeout` bounds everything up to the headers of the response.
    pub(crate) async fn stream(
        &self,
        request: &Request,
        authorization: Option<&HeaderValue>,
        body: Option<reqwest::Body>,
        timeout: Duration,
    ) -> Result<reqwest::Response, Error> {
        let mut http = http_request(request, authorization);
        *http.body_mut() = body;
        timeout_at(Instant::now() + timeout.min(MAX_TIMEOUT), self.respond(http)).await.unwrap_or_else(|_| {
            let message = format!("no response arrived within {timeout:?}");
            Err(Error::local(ErrorKind::Timeout, message))
        })
    }

    /// Reads a response that is not the provider's, as far as it arrives.
    pub(crate) async fn read_error(&self, mut response: reqwest::Response, timeout: Duration) -> Response {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let until = Instant::now() + timeout.min(MAX_TIMEOUT);
        let body = timeout_at(until, read_some(&mut response, MAX_ERROR_BODY)).await.unwrap_or_default();
        Response { status, headers, body, attempts: 1 }
    }

    /// Sends the request and gives the response, its body still to be read.
    async fn respond(&self, request: reqwest::Request) -> Result<reqwest::Response, Error> {
        io_driver::catch_up().await.map_err(|error| {
            let message = "the connections could not be checked before the request";
            Error::caused(ErrorKind::Network, message, error)
        })?;
        let response = self.http.execute(request).await;
        response.map_err(|error| network("the service could not be reached", error))
    }
}

fn http_request(request: &Request, authorization: Option<&HeaderValue>) -> reqwest::Request {
    let mut http = reqwest::Request::new(request.method.clone(), request.url.clone());
    *http.body_mut() = request.body.clone().map(Into::into);
    let headers = http.headers_mut();
    headers.clone_from(&request.headers);
    // A proxied call may be about anything.
    if request.bucket != RateLimitBucket::Proxy {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    if let Some(value) = authorization {
        headers.insert(AUTHORIZATION, value.clone());
    }
    http
}

/// `[product] pabbly-connect-rust/VERSION (OS; ARCHITECTURE)`
pub(crate) fn user_agent(product: Option<&str>) -> Result<HeaderValue, Error> {
    let own = format!(
        "pabbly-connect-rust/{} ({}; {})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let text = match product {
        Some(product) => format!("{product} {own}"),
        None => own,
    };
    HeaderValue::from_str(&text)
        .map_err(|_| Error::invalid_argument("the user agent holds a character that no header may hold"))
}

fn proxy(address: &str) -> Result<reqwest::Proxy, Error> {
    // The cause may quote the address, which may hold a password.
    let refused = || Error::invalid_argument("the proxy is not a URL such as http://127.0.0.1:3128");
    let url = Url::parse(address).map_err(|_| refused())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused());
    }
    reqwest::Proxy::all(url).map_err(|_| refused())
}

/// Reads a body whole, or fails.
async fn read(response: &mut reqwest::Response, limit: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    let status = response.status().as_u16();
    let too_large = || {
        let message = format!("the answer is larger than {} MiB", limit >> 20);
        Error::local(ErrorKind::Decode, message).with_status(status)
    };
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(too_large());
    }
    let mut body = Zeroizing::new(Vec::with_capacity(announced));
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| network("the connection broke before the answer was complete", error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        append(&mut body, &chunk);
    }
    Ok(body)
}

/// Appends to a buffer that leaves no copy behind when it has to grow: the old one is zeroed.
fn append(body: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let length = body.len() + bytes.len();
    if length > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * body.capacity())));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(bytes);
}

/// Reads as much of a body as arrives, up to a limit.
async fn read_some(response: &mut reqwest::Response, limit: usize) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::new());
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = limit - body.len();
        append(&mut body, &chunk[..chunk.len().min(room)]);
        if body.len() == limit {
            break;
        }
    }
    body
}

pub(crate) fn network(message: &str, error: reqwest::Error) -> Error {
    Error::caused(ErrorKind::Network, message, error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_within(limit: usize, body: &'static str) -> Option<usize> {
        let mut response = http::Response::new(body).into();
        read(&mut response, limit).await.ok().map(|body| body.len())
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit() {
        assert_eq!(read_within(6, "answer").await, Some(6));
        assert_eq!(read_within(5, "answer").await, None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_body_that_grew_leaves_no_copy_behind() {
        use crate::memory::Needle;

        let needle = Needle::new();
        let mut chunk = Zeroizing::new(Vec::with_capacity(Needle::LENGTH));
        needle.write(&mut chunk);
        let mut body = Zeroizing::new(Vec::new());
        append(&mut body, &chunk);
        for _ in 0..12 {
            append(&mut body, &[b' '; 128]);
        }
        assert_eq!((body.len(), needle.count()), (Needle::LENGTH + 12 * 128, 2));
        drop((body, chunk));
        assert_eq!(needle.count(), 0);
    }
}
