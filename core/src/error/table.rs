//! The one table of error classes and codes. The classes of the other languages, the table in the docs and the
//! contract's list of codes are generated from it or checked against it.

use std::error::Error as StdError;
use std::fmt;

use super::ErrorDetails;

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

macro_rules! error_classes {
    ($( $(#[doc = $doc:literal])+ $kind:ident => $class:literal, )+) => {
        /// Why a call failed.
        ///
        /// Match on the case; read the rest with [`status`](Error::status), [`code`](Error::code),
        /// [`retry_after`](Error::retry_after) and so on. The text is safe to log: it never holds a key or a token.
        #[derive(Clone)]
        #[non_exhaustive]
        pub enum Error {
            $( $(#[doc = $doc])+ $kind(Box<ErrorDetails>), )+
        }

        /// The case of an [`Error`], without what it carries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $( $(#[doc = $doc])+ $kind, )+
        }

        impl Error {
            /// Which case this is.
            pub fn kind(&self) -> ErrorKind {
                match self { $( Self::$kind(_) => ErrorKind::$kind, )+ }
            }

            pub(crate) fn new(kind: ErrorKind, details: ErrorDetails) -> Self {
                let details = Box::new(details);
                match kind { $( ErrorKind::$kind => Self::$kind(details), )+ }
            }

            pub(super) fn details(&self) -> &ErrorDetails {
                match self { $( Self::$kind(details) => details, )+ }
            }

            pub(super) fn details_mut(&mut self) -> &mut ErrorDetails {
                match self { $( Self::$kind(details) => details, )+ }
            }
        }

        impl ErrorKind {
            /// Every case, in the table's order.
            pub const ALL: &'static [Self] = &[ $( Self::$kind, )+ ];

            /// The name of the class in the languages that have classes, such as `NeedsReconnectionError`.
            pub fn class(self) -> &'static str {
                match self { $( Self::$kind => $class, )+ }
            }
        }
    };
}

error_classes! {
    /// The customer's grant was revoked or has expired: send the customer through the connect flow again.
    NeedsReconnection => "NeedsReconnectionError",
    /// The tenant key is missing, unknown or revoked.
    Authentication => "AuthenticationError",
    /// The tenant key lacks the capability that this call needs.
    CapabilityDisabled => "CapabilityDisabledError",
    /// The connection does not exist, or is not this tenant's and customer's.
    ConnectionDeleted => "ConnectionDeletedError",
    /// The connection cannot be deleted while something uses it.
    ConnectionInUse => "ConnectionInUseError",
    /// The customer's e-mail is missing or malformed.
    InvalidUserEmail => "InvalidUserEmailError",
    /// The tenant's budget of requests is used up: wait for [`retry_after`](Error::retry_after).
    RateLimited => "RateLimitedError",
    /// The provider or the service is briefly unavailable, also after the retries.
    UpstreamUnavailable => "UpstreamUnavailableError",
    /// A wait's own deadline passed while the connection was still pending;
    /// [`connection`](Error::connection) is what a poll last saw of it, if one did.
    WaitTimeout => "WaitTimeoutError",
    /// No complete answer arrived in time.
    Timeout => "TimeoutError",
    /// The service could not be reached, or the connection broke before the answer was complete.
    Network => "NetworkError",
    /// A successful answer could not be understood.
    Decode => "DecodeError",
    /// The caller cancelled the call. (In Rust a call is cancelled by dropping its future, so this is for bindings.)
    Cancelled => "CancelledError",
    /// An argument, option or setting was refused before anything was sent.
    InvalidArgument => "InvalidArgumentError",
    /// Any other answer: the status and the code are kept as they came.
    Other => "PabblyConnectError",
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
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.details()
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl ErrorKind {
    /// The code of an error of this kind that no answer caused. Not looked up in the table, so that what only asks
    /// for a link's status does not carry the texts of the tenant's API.
    pub(super) const fn local_code(self) -> Option<&'static str> {
        match self {
            Self::WaitTimeout => Some("wait_timeout"),
            Self::Timeout => Some("timeout"),
            Self::Network => Some("network_error"),
            Self::Decode => Some("decode_error"),
            Self::Cancelled => Some("cancelled"),
            Self::InvalidArgument => Some("invalid_argument"),
            _ => None,
        }
    }
}

const fn guide(code: &'static str, status: u16, kind: ErrorKind, meaning: &'static str) -> Code {
    Code {
        code,
        status: Some(status),
        kind,
        base: true,
        meaning,
    }
}

const fn extension(code: &'static str, status: u16, kind: ErrorKind, meaning: &'static str) -> Code {
    Code {
        code,
        status: Some(status),
        kind,
        base: false,
        meaning,
    }
}

const fn local(kind: ErrorKind, meaning: &'static str) -> Code {
    let Some(code) = kind.local_code() else {
        panic!("no error of this kind is the SDK's own")
    };
    Code {
        code,
        status: None,
        kind,
        base: false,
        meaning,
    }
}

/// Every code that this version knows: the guide's seven (its section 12), the service's extensions, and the
/// SDK's own for errors that no answer caused.
pub const CODES: &[Code] = &[
    guide(
        "invalid_user_email",
        400,
        ErrorKind::InvalidUserEmail,
        "The x-user-email header is missing or invalid.",
    ),
    guide(
        "needs_reconnection",
        401,
        ErrorKind::NeedsReconnection,
        "The grant was revoked or has expired: run the connect flow again.",
    ),
    guide(
        "capability_disabled",
        403,
        ErrorKind::CapabilityDisabled,
        "The tenant key lacks the capability.",
    ),
    guide(
        "connection_deleted",
        404,
        ErrorKind::ConnectionDeleted,
        "The connection is unknown, or not yours.",
    ),
    guide(
        "connection_in_use",
        409,
        ErrorKind::ConnectionInUse,
        "The connection is in use and cannot be deleted.",
    ),
    guide(
        "rate_limited",
        429,
        ErrorKind::RateLimited,
        "The budget is used up: wait for Retry-After.",
    ),
    guide(
        "upstream_unavailable",
        503,
        ErrorKind::UpstreamUnavailable,
        "The provider or the service is unavailable: retry later.",
    ),
    extension(
        "invalid_api_key",
        401,
        ErrorKind::Authentication,
        "The tenant key is missing, unknown or revoked.",
    ),
    extension(
        "invalid_request",
        400,
        ErrorKind::Other,
        "The request does not fit the contract; the message says where.",
    ),
    extension(
        "app_not_found",
        404,
        ErrorKind::Other,
        "The catalogue has no such app.",
    ),
    extension(
        "not_found",
        404,
        ErrorKind::Other,
        "The service has no such address: check the base URL.",
    ),
    extension(
        "method_not_allowed",
        405,
        ErrorKind::Other,
        "The address does not take this method.",
    ),
    extension(
        "origin_not_allowed",
        403,
        ErrorKind::Other,
        "The service does not take MCP from this host or origin.",
    ),
    extension(
        "key_not_found",
        404,
        ErrorKind::Other,
        "The tenant has no such key, or it has ended.",
    ),
    extension(
        "rotation_conflict",
        409,
        ErrorKind::Other,
        "The keys are not in the state that the step needs; the message says why.",
    ),
    extension(
        "connection_not_active",
        409,
        ErrorKind::Other,
        "The connection is not active: it has no credential to vend.",
    ),
    extension(
        "app_not_configured",
        409,
        ErrorKind::Other,
        "The operator has not configured this app's OAuth client.",
    ),
    extension(
        "payload_too_large",
        413,
        ErrorKind::Other,
        "The request's body is too large.",
    ),
    extension(
        "unsupported_media_type",
        415,
        ErrorKind::Other,
        "The request's body is not JSON.",
    ),
    extension(
        "idempotency_key_reused",
        422,
        ErrorKind::Other,
        "The Idempotency-Key was used before with another body.",
    ),
    extension("internal_error", 500, ErrorKind::Other, "The service failed."),
    local(
        ErrorKind::WaitTimeout,
        "The wait ended while the connection was still pending.",
    ),
    local(ErrorKind::Timeout, "No complete answer arrived in time."),
    local(
        ErrorKind::Network,
        "The service could not be reached, or the connection broke.",
    ),
    local(ErrorKind::Decode, "A successful answer could not be understood."),
    local(ErrorKind::Cancelled, "The caller cancelled the call."),
    local(
        ErrorKind::InvalidArgument,
        "A value was refused before anything was sent.",
    ),
];
