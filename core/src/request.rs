//! One request of the contract, checked and ready to be sent.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Serialize;
use url::Url;

use crate::error::{Error, ErrorKind, RequestTarget};

const MAX_ID: usize = 512;
/// What a customer enters that is shorter than this many bytes is not looked for in errors.
const MIN_SECRET: usize = 8;

const USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");
const REQUEST_TOKEN: HeaderName = HeaderName::from_static("x-request-token");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Which of the tenant's budgets a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateLimitBucket {
    /// The one for everything but tokens; a caller waits for the response.
    Default,
    /// The same, on behalf of a wait.
    Wait,
    /// The one for tokens.
    Token,
    /// The feed's own.
    Events,
    /// The one for calls through the proxy.
    Proxy,
    /// The same, for contacts.
    Contacts,
    /// None: the link's own.
    Link,
}

/// A request without what every request has in common.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The call, named as in the guide.
    pub(crate) call: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) target: RequestTarget,
    pub(crate) bucket: RateLimitBucket,
    /// What this request has beside the headers of every request; the same for every attempt.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// What the request carries that no error may show, beside the tenant key.
    pub(crate) secrets: Vec<SecretString>,
}

impl Request {
    /// `segments` are what follows the base URL's path; each is percent-encoded.
    pub(crate) fn new(
        call: &'static str,
        method: Method,
        base: &Url,
        segments: &[&str],
        target: RequestTarget,
    ) -> Self {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        Self {
            call,
            method,
            url,
            target,
            bucket: RateLimitBucket::Default,
            headers: HeaderMap::new(),
            body: None,
            secrets: Vec::new(),
        }
    }

    /// Asks for the public status of a link.
    pub(crate) fn link_status(url: Url, request_token: HeaderValue) -> Self {
        let mut request = Self::new("waitForConnection", Method::GET, &url, &[], RequestTarget::Connection);
        request.url = url;
        request.request_token(request_token)
    }

    /// The request token of a link takes the place of the tenant key.
    pub(crate) fn request_token(mut self, request_token: HeaderValue) -> Self {
        self.bucket = RateLimitBucket::Link;
        self.secrets.extend(request_token.to_str().ok().map(SecretString::from));
        self.headers.insert(REQUEST_TOKEN, request_token);
        self
    }

    /// No error may show these values. Shorter ones are left alone: they are choices such as a region, and common words.
    pub(crate) fn with_secrets(mut self, values: impl IntoIterator<Item = String>) -> Self {
        let secrets = values.into_iter().filter(|value| value.len() >= MIN_SECRET);
        self.secrets.extend(secrets.map(SecretString::from));
        self
    }

    /// Names the customer.
    pub(crate) fn email(mut self, email: HeaderValue) -> Self {
        self.headers.insert(USER_EMAIL, email);
        self
    }

    /// Asks for a long poll of so many whole seconds (RFC 7240, section 4.3).
    pub(crate) fn long_poll(mut self, duration: Duration) -> Self {
        let seconds = duration.as_secs();
        if seconds > 0
            && let Ok(value) = HeaderValue::from_str(&format!("wait={seconds}"))
        {
            self.headers.insert(PREFER, value);
        }
        self
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_vec(body)
            .map_err(|error| Error::caused(ErrorKind::InvalidArgument, "the body is not JSON", error))?;
        self.body = Some(text.into());
        let content_type = HeaderValue::from_static("application/json");
        self.headers.insert(CONTENT_TYPE, content_type);
        Ok(self)
    }

    /// Gives the call a key of its own, by which the service knows a repeated attempt.
    pub(crate) fn idempotent(self) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::caused(ErrorKind::Other, "the system has no randomness", error))?;
        self.idempotency_key(&format!("{:032x}", u128::from_ne_bytes(bytes)))
    }

    /// The contract takes 1 to 255 visible ASCII characters.
    pub(crate) fn idempotency_key(mut self, key: &str) -> Result<Self, Error> {
        let refused =
            || Error::invalid_argument("the idempotency key must be 1 to 255 visible ASCII characters");
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused());
        }
        let value = HeaderValue::from_str(key).map_err(|_| refused())?;
        self.headers.insert(IDEMPOTENCY_KEY, value);
        Ok(self)
    }
}

/// The value of the `x-request-token` header.
pub(crate) fn request_token_header(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(token).ok().filter(|_| !token.is_empty()).ok_or_else(|| {
        Error::invalid_argument(
            "the request token is empty, or holds a character that no token has: pass it exactly as the service gave it",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Refuses what could not be an opaque id, or would name another path.
pub(crate) fn checked_id<'a>(what: &str, id: &'a str) -> Result<&'a str, Error> {
    let why = if id.is_empty() {
        "is empty"
    } else if id.len() > MAX_ID {
        "is longer than 512 bytes"
    } else if id == "." || id == ".." || id.contains(['/', '\\']) || id.chars().any(char::is_control) {
        "would change the path of the request"
    } else {
        return Ok(id);
    };
    Err(Error::invalid_argument(format!("the {what} {why}; pass it exactly as the service gave it")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn url(id: &str) -> String {
        let base = Url::parse("https://example.com/platform/v1").unwrap();
        Request::new("getApp", Method::GET, &base, &["apps", id], RequestTarget::General).url.to_string()
    }

    #[test]
    fn an_id_is_one_encoded_segment() {
        assert_eq!(url("gmail"), "https://example.com/platform/v1/apps/gmail");
        assert_eq!(url("a b?c#d%2F+é"), "https://example.com/platform/v1/apps/a%20b%3Fc%23d%252F+%C3%A9");
    }

    #[test]
    fn what_would_leave_the_segment_is_refused() {
        for id in ["", ".", "..", "a/b", "a\\b", "a\nb", "\0", &"x".repeat(513)] {
            assert_eq!(checked_id("id", id).expect_err(id).kind(), ErrorKind::InvalidArgument);
        }
        assert!(checked_id("id", &"x".repeat(512)).is_ok());
        assert!(checked_id("id", "...").is_ok());
    }

    #[test]
    fn what_may_be_a_common_word_is_no_secret() {
        let base = Url::parse("https://example.com").unwrap();
        let request = Request::new("a", Method::GET, &base, &[], RequestTarget::General);
        let request = request.with_secrets(["1234567".to_owned(), "12345678".to_owned()]);
        let secrets: Vec<_> = request.secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(secrets, ["12345678"]);
    }

    #[test]
    fn every_call_has_its_own_idempotency_key() {
        let base = Url::parse("https://example.com").unwrap();
        let key = || {
            let request = Request::new("getToken", Method::POST, &base, &[], RequestTarget::Connection);
            request.idempotent().unwrap().headers[IDEMPOTENCY_KEY].clone()
        };
        assert_eq!(key().len(), 32);
        assert_ne!(key(), key());
    }
}
