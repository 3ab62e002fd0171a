//! The one error type, and what each of its cases carries.

mod classify;
mod kinds;
mod redact;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::model::Connection;

pub(crate) use classify::{RequestTarget, classify, has_contract_shape, kind_of_code};
pub use kinds::{CODES, Error, ErrorKind};
pub(crate) use redact::Redactor;

/// One row of the table: a code, the class it chooses, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// `data.code` on the wire, or the SDK's own code where `status` is `None`.
    pub code: &'static str,
    /// The HTTP status that the contract gives the code; `None` for a code that only the SDK uses.
    pub status: Option<u16>,
    /// The class that the code chooses.
    pub kind: ErrorKind,
    /// Whether the code is one of the guide's seven. The others are extensions.
    pub base: bool,
    /// What happened and what to do.
    pub meaning: &'static str,
}

/// What every [`Error`] carries, whatever its case.
#[derive(Clone, Debug, Default)]
pub struct ErrorDetails {
    pub(crate) message: String,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) response: Option<ErrorResponse>,
    pub(crate) attempts: u32,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) connection: Option<Connection>,
    pub(crate) fields: Option<BTreeMap<String, String>>,
    pub(crate) oldest_cursor: Option<String>,
    pub(crate) source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The response that an error was made from. Successful answers are never kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case, without those that hold credentials or cookies.
    pub headers: BTreeMap<String, String>,
    /// The body: parsed where it was JSON, else its text (at most 64 KiB). `None` where it was empty or did not
    /// arrive. Members that hold a secret by their name, and the tenant key, are replaced by `[redacted]`.
    pub body: Option<serde_json::Value>,
}

impl Error {
    /// The HTTP status of the response; `None` where there was no usable response.
    pub fn status(&self) -> Option<u16> {
        self.details().status
    }

    /// The service's `data.code` as it came, also where this version does not know it; the SDK's own code
    /// (see [`CODES`]) for errors that no response caused; `None` for a response without a code.
    pub fn code(&self) -> Option<&str> {
        self.details().code.as_deref()
    }

    /// What happened and what to do, without the name of the class.
    pub fn message(&self) -> &str {
        &self.details().message
    }

    /// The response behind the error, without credentials.
    pub fn response(&self) -> Option<&ErrorResponse> {
        self.details().response.as_ref()
    }

    /// How many requests were sent for this call.
    pub fn attempts(&self) -> u32 {
        self.details().attempts
    }

    /// How long the service asked to wait before the next request (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.details().retry_after
    }

    /// The connection as a wait last saw it, if it did; only with [`Error::WaitTimeout`].
    pub fn connection(&self) -> Option<&Connection> {
        self.details().connection.as_ref()
    }

    /// What is wrong with each field of a submitted form, as sentences for the customer by the field's name; only of
    /// [`Client::submit_credentials`](crate::Client::submit_credentials) and
    /// [`PublicLink::submit_credentials`](crate::PublicLink::submit_credentials).
    pub fn fields(&self) -> Option<&BTreeMap<String, String>> {
        self.details().fields.as_ref()
    }

    /// Where the feed of events begins now; only with [`Error::CursorExpired`].
    pub fn oldest_cursor(&self) -> Option<&str> {
        self.details().oldest_cursor.as_deref()
    }

    /// Whether the same request may well succeed a while later: what is said to end by itself, or is no response at all.
    pub(crate) fn passes_by_itself(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout | ErrorKind::Network)
            || matches!(self.status(), Some(429 | 502..=504))
    }

    /// A value that was refused before anything was sent.
    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::local(ErrorKind::InvalidArgument, message)
    }

    /// An error that no response caused, with the code that the table gives its kind.
    pub(crate) fn local(kind: ErrorKind, message: impl Into<String>) -> Self {
        let details = ErrorDetails {
            message: message.into(),
            code: kind.local_code().map(str::to_owned),
            ..ErrorDetails::default()
        };
        Self::new(kind, details)
    }

    /// The same with a cause, which the message spells out.
    pub(crate) fn caused(
        kind: ErrorKind,
        message: &str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        let mut error = Self::local(kind, format!("{message}: {}", Chain(&*source)));
        error.details_mut().source = Some(source.into());
        error
    }

    pub(crate) fn with_code(mut self, code: &str) -> Self {
        self.details_mut().code = Some(code.to_owned());
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.details_mut().attempts = attempts;
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.details_mut().status = Some(status);
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.details_mut().retry_after = retry_after;
        self
    }

    pub(crate) fn with_fields(mut self, fields: Option<BTreeMap<String, String>>) -> Self {
        self.details_mut().fields = fields;
        self
    }

    pub(crate) fn with_connection(mut self, connection: Option<Connection>) -> Self {
        self.details_mut().connection = connection;
        self
    }
}

/// An error and its causes in one line.
struct Chain<'a>(&'a (dyn StdError + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many libraries repeat their cause's text in their own.
            if !last.contains(&text) {
                write!(f, ": {text}")?;
            }
            last = text;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = self.details();
        f.write_str(&details.message)?;
        match (details.status, details.code.as_deref()) {
            (Some(status), Some(code)) => write!(f, " (HTTP {status}, {code})"),
            (Some(status), None) => write!(f, " (HTTP {status})"),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = self.details();
        f.debug_struct(self.kind().class())
            .field("message", &details.message)
            .field("status", &details.status)
            .field("code", &details.code)
            .field("attempts", &details.attempts)
            .field("retry_after", &details.retry_after)
            .field("response", &details.response)
            .field("fields", &details.fields)
            .field("oldest_cursor", &details.oldest_cursor)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.details().source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("the port is closed")]
        Port,
        #[error("no connection: {0}")]
        Repeats(#[source] Box<Failure>),
        #[error("no request")]
        Adds(#[source] Box<Failure>),
    }

    #[test]
    fn a_cause_is_spelled_out_once() {
        let failure = Failure::Adds(Failure::Repeats(Failure::Port.into()).into());
        let error = Error::caused(ErrorKind::Network, "the service could not be reached", failure);
        assert_eq!(
            error.message(),
            "the service could not be reached: no request: no connection: the port is closed"
        );
        assert_eq!(error.source().unwrap().to_string(), "no request");
        let printed = format!("{error:?}");
        assert!(printed.starts_with("NetworkError") && printed.contains("the port is closed"), "{printed}");
    }
}
