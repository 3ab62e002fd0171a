//! One request of the contract, checked and ready to be sent.

use bytes::Bytes;
use http::{HeaderValue, Method};
use serde::Serialize;
use url::Url;

use crate::error::{Error, ErrorKind, Scope};

const LONGEST_ID: usize = 512;

/// Which of the tenant's budgets a request counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spends {
    /// The one for everything but tokens; a caller waits for the answer.
    Default,
    /// The same, on behalf of a wait.
    Wait,
    /// The one for tokens.
    Token,
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
    pub(crate) scope: Scope,
    pub(crate) spends: Spends,
    /// The customer.
    pub(crate) email: Option<HeaderValue>,
    /// The same for every attempt of one call.
    pub(crate) idempotency_key: Option<HeaderValue>,
    /// For how many seconds the service is asked to hold the answer (RFC 7240, section 4.3).
    pub(crate) prefer_wait: Option<u64>,
    pub(crate) body: Option<Bytes>,
    /// Sent instead of the tenant key.
    pub(crate) request_token: Option<HeaderValue>,
}

impl Request {
    /// `segments` are what follows the base URL's path; each is percent-encoded.
    pub(crate) fn new(
        call: &'static str,
        method: Method,
        base: &Url,
        segments: &[&str],
        scope: Scope,
    ) -> Self {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(segments);
        }
        Self {
            call,
            method,
            url,
            scope,
            spends: Spends::Default,
            email: None,
            idempotency_key: None,
            prefer_wait: None,
            body: None,
            request_token: None,
        }
    }

    /// Asks for the public status of a link.
    pub(crate) fn link_status(url: Url, request_token: HeaderValue) -> Self {
        let request = Self::new("waitForConnection", Method::GET, &url, &[], Scope::Connection);
        Self {
            url,
            spends: Spends::Link,
            request_token: Some(request_token),
            ..request
        }
    }

    pub(crate) fn email(mut self, email: HeaderValue) -> Self {
        self.email = Some(email);
        self
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let text = serde_json::to_vec(body)
            .map_err(|error| Error::caused(ErrorKind::InvalidArgument, "the body is not JSON", error))?;
        self.body = Some(text.into());
        Ok(self)
    }

    /// Gives the call a key of its own, by which the service knows a repeated attempt.
    pub(crate) fn idempotent(mut self) -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::caused(ErrorKind::Other, "the system has no randomness", error))?;
        self.idempotency_key = HeaderValue::from_str(&format!("{:032x}", u128::from_ne_bytes(bytes))).ok();
        Ok(self)
    }
}

/// Refuses what could not be an opaque id, or would name another path.
pub(crate) fn checked_id<'a>(what: &str, id: &'a str) -> Result<&'a str, Error> {
    let why = if id.is_empty() {
        "is empty"
    } else if id.len() > LONGEST_ID {
        "is longer than 512 bytes"
    } else if id == "." || id == ".." || id.contains(['/', '\\']) || id.chars().any(char::is_control) {
        "would change the path of the request"
    } else {
        return Ok(id);
    };
    Err(Error::invalid_argument(format!(
        "the {what} {why}; pass it exactly as the service gave it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(id: &str) -> String {
        let base = Url::parse("https://example.com/platform/v1").unwrap();
        Request::new("getApp", Method::GET, &base, &["apps", id], Scope::General)
            .url
            .to_string()
    }

    #[test]
    fn an_id_is_one_encoded_segment() {
        assert_eq!(url("gmail"), "https://example.com/platform/v1/apps/gmail");
        assert_eq!(
            url("a b?c#d%2F+é"),
            "https://example.com/platform/v1/apps/a%20b%3Fc%23d%252F+%C3%A9"
        );
    }

    #[test]
    fn what_would_leave_the_segment_is_refused() {
        for id in ["", ".", "..", "a/b", "a\\b", "a\nb", "\0", &"x".repeat(513)] {
            assert_eq!(
                checked_id("id", id).expect_err(id).kind(),
                ErrorKind::InvalidArgument
            );
        }
        assert!(checked_id("id", &"x".repeat(512)).is_ok());
        assert!(checked_id("id", "...").is_ok());
    }

    #[test]
    fn every_call_has_its_own_idempotency_key() {
        let base = Url::parse("https://example.com").unwrap();
        let key = || {
            let request = Request::new("getToken", Method::POST, &base, &[], Scope::Connection);
            request.idempotent().unwrap().idempotency_key.unwrap()
        };
        assert_eq!(key().len(), 32);
        assert_ne!(key(), key());
    }
}
