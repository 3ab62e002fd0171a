//! Classes and codes of errors.
//!
//! Generated from core/manifest.yaml by `cargo xtask generate`; do not edit.

use super::{Code, ErrorDetails};

/// Why a call failed.
///
/// Match on the case; read the rest with [`status`](Error::status), [`code`](Error::code),
/// [`retry_after`](Error::retry_after) and so on. The text is safe to log: it never holds a key or a token.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// The customer's grant was revoked or has expired: send the customer through the connect flow again.
    NeedsReconnection(Box<ErrorDetails>),
    /// The tenant key is missing, unknown or revoked.
    Authentication(Box<ErrorDetails>),
    /// The tenant key lacks the capability that this call needs.
    CapabilityDisabled(Box<ErrorDetails>),
    /// The connection does not exist, or is not this tenant's and customer's.
    ConnectionDeleted(Box<ErrorDetails>),
    /// The connection cannot be deleted while something uses it.
    ConnectionInUse(Box<ErrorDetails>),
    /// The cursor is older than the events that are kept: read the state of your connections anew, and go on from
    /// `oldestCursor`.
    CursorExpired(Box<ErrorDetails>),
    /// The customer's e-mail is missing or malformed.
    InvalidUserEmail(Box<ErrorDetails>),
    /// The tenant's budget of requests is used up: wait for `retry_after`.
    RateLimited(Box<ErrorDetails>),
    /// The provider or the service is briefly unavailable, also after the retries.
    UpstreamUnavailable(Box<ErrorDetails>),
    /// A wait's own deadline passed while the connection was still pending; `connection` is what a poll last saw of it,
    /// if one did.
    WaitTimeout(Box<ErrorDetails>),
    /// No complete answer arrived in time.
    Timeout(Box<ErrorDetails>),
    /// The service could not be reached, or the connection broke before the answer was complete.
    Network(Box<ErrorDetails>),
    /// A successful answer could not be understood.
    Decode(Box<ErrorDetails>),
    /// The caller cancelled the call. (In Rust a call is cancelled by dropping its future, so this is for bindings.)
    Cancelled(Box<ErrorDetails>),
    /// A request is no webhook of yours: respond with 400, and do nothing that it says. The code tells why.
    WebhookVerification(Box<ErrorDetails>),
    /// An argument, option or setting was refused before anything was sent.
    InvalidArgument(Box<ErrorDetails>),
    /// Any other answer: the status and the code are kept as they came.
    Other(Box<ErrorDetails>),
}

/// The case of an [`Error`], without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The customer's grant was revoked or has expired: send the customer through the connect flow again.
    NeedsReconnection,
    /// The tenant key is missing, unknown or revoked.
    Authentication,
    /// The tenant key lacks the capability that this call needs.
    CapabilityDisabled,
    /// The connection does not exist, or is not this tenant's and customer's.
    ConnectionDeleted,
    /// The connection cannot be deleted while something uses it.
    ConnectionInUse,
    /// The cursor is older than the events that are kept: read the state of your connections anew, and go on from
    /// `oldestCursor`.
    CursorExpired,
    /// The customer's e-mail is missing or malformed.
    InvalidUserEmail,
    /// The tenant's budget of requests is used up: wait for `retry_after`.
    RateLimited,
    /// The provider or the service is briefly unavailable, also after the retries.
    UpstreamUnavailable,
    /// A wait's own deadline passed while the connection was still pending; `connection` is what a poll last saw of it,
    /// if one did.
    WaitTimeout,
    /// No complete answer arrived in time.
    Timeout,
    /// The service could not be reached, or the connection broke before the answer was complete.
    Network,
    /// A successful answer could not be understood.
    Decode,
    /// The caller cancelled the call. (In Rust a call is cancelled by dropping its future, so this is for bindings.)
    Cancelled,
    /// A request is no webhook of yours: respond with 400, and do nothing that it says. The code tells why.
    WebhookVerification,
    /// An argument, option or setting was refused before anything was sent.
    InvalidArgument,
    /// Any other answer: the status and the code are kept as they came.
    Other,
}

impl Error {
    /// Which case this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NeedsReconnection(_) => ErrorKind::NeedsReconnection,
            Self::Authentication(_) => ErrorKind::Authentication,
            Self::CapabilityDisabled(_) => ErrorKind::CapabilityDisabled,
            Self::ConnectionDeleted(_) => ErrorKind::ConnectionDeleted,
            Self::ConnectionInUse(_) => ErrorKind::ConnectionInUse,
            Self::CursorExpired(_) => ErrorKind::CursorExpired,
            Self::InvalidUserEmail(_) => ErrorKind::InvalidUserEmail,
            Self::RateLimited(_) => ErrorKind::RateLimited,
            Self::UpstreamUnavailable(_) => ErrorKind::UpstreamUnavailable,
            Self::WaitTimeout(_) => ErrorKind::WaitTimeout,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Network(_) => ErrorKind::Network,
            Self::Decode(_) => ErrorKind::Decode,
            Self::Cancelled(_) => ErrorKind::Cancelled,
            Self::WebhookVerification(_) => ErrorKind::WebhookVerification,
            Self::InvalidArgument(_) => ErrorKind::InvalidArgument,
            Self::Other(_) => ErrorKind::Other,
        }
    }

    pub(crate) fn new(kind: ErrorKind, details: ErrorDetails) -> Self {
        let details = Box::new(details);
        match kind {
            ErrorKind::NeedsReconnection => Self::NeedsReconnection(details),
            ErrorKind::Authentication => Self::Authentication(details),
            ErrorKind::CapabilityDisabled => Self::CapabilityDisabled(details),
            ErrorKind::ConnectionDeleted => Self::ConnectionDeleted(details),
            ErrorKind::ConnectionInUse => Self::ConnectionInUse(details),
            ErrorKind::CursorExpired => Self::CursorExpired(details),
            ErrorKind::InvalidUserEmail => Self::InvalidUserEmail(details),
            ErrorKind::RateLimited => Self::RateLimited(details),
            ErrorKind::UpstreamUnavailable => Self::UpstreamUnavailable(details),
            ErrorKind::WaitTimeout => Self::WaitTimeout(details),
            ErrorKind::Timeout => Self::Timeout(details),
            ErrorKind::Network => Self::Network(details),
            ErrorKind::Decode => Self::Decode(details),
            ErrorKind::Cancelled => Self::Cancelled(details),
            ErrorKind::WebhookVerification => Self::WebhookVerification(details),
            ErrorKind::InvalidArgument => Self::InvalidArgument(details),
            ErrorKind::Other => Self::Other(details),
        }
    }

    pub(super) fn details(&self) -> &ErrorDetails {
        match self {
            Self::NeedsReconnection(details)
            | Self::Authentication(details)
            | Self::CapabilityDisabled(details)
            | Self::ConnectionDeleted(details)
            | Self::ConnectionInUse(details)
            | Self::CursorExpired(details)
            | Self::InvalidUserEmail(details)
            | Self::RateLimited(details)
            | Self::UpstreamUnavailable(details)
            | Self::WaitTimeout(details)
            | Self::Timeout(details)
            | Self::Network(details)
            | Self::Decode(details)
            | Self::Cancelled(details)
            | Self::WebhookVerification(details)
            | Self::InvalidArgument(details)
            | Self::Other(details) => details,
        }
    }

    pub(super) fn details_mut(&mut self) -> &mut ErrorDetails {
        match self {
            Self::NeedsReconnection(details)
            | Self::Authentication(details)
            | Self::CapabilityDisabled(details)
            | Self::ConnectionDeleted(details)
            | Self::ConnectionInUse(details)
            | Self::CursorExpired(details)
            | Self::InvalidUserEmail(details)
            | Self::RateLimited(details)
            | Self::UpstreamUnavailable(details)
            | Self::WaitTimeout(details)
            | Self::Timeout(details)
            | Self::Network(details)
            | Self::Decode(details)
            | Self::Cancelled(details)
            | Self::WebhookVerification(details)
            | Self::InvalidArgument(details)
            | Self::Other(details) => details,
        }
    }
}

impl ErrorKind {
    /// Every case, in the manifest's order.
    pub const ALL: &'static [Self] = &[
        Self::NeedsReconnection,
        Self::Authentication,
        Self::CapabilityDisabled,
        Self::ConnectionDeleted,
        Self::ConnectionInUse,
        Self::CursorExpired,
        Self::InvalidUserEmail,
        Self::RateLimited,
        Self::UpstreamUnavailable,
        Self::WaitTimeout,
        Self::Timeout,
        Self::Network,
        Self::Decode,
        Self::Cancelled,
        Self::WebhookVerification,
        Self::InvalidArgument,
        Self::Other,
    ];

    /// The name of the class in the languages that have classes, such as `NeedsReconnectionError`.
    pub fn class(self) -> &'static str {
        match self {
            Self::NeedsReconnection => "NeedsReconnectionError",
            Self::Authentication => "AuthenticationError",
            Self::CapabilityDisabled => "CapabilityDisabledError",
            Self::ConnectionDeleted => "ConnectionDeletedError",
            Self::ConnectionInUse => "ConnectionInUseError",
            Self::CursorExpired => "CursorExpiredError",
            Self::InvalidUserEmail => "InvalidUserEmailError",
            Self::RateLimited => "RateLimitedError",
            Self::UpstreamUnavailable => "UpstreamUnavailableError",
            Self::WaitTimeout => "WaitTimeoutError",
            Self::Timeout => "TimeoutError",
            Self::Network => "NetworkError",
            Self::Decode => "DecodeError",
            Self::Cancelled => "CancelledError",
            Self::WebhookVerification => "WebhookVerificationError",
            Self::InvalidArgument => "InvalidArgumentError",
            Self::Other => "PabblyConnectError",
        }
    }

    /// The code of an error of this kind that no answer caused, where it can be only one. Not looked up in the table, so that what only asks
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

/// Every code that this version knows: the guide's seven (its section 12), the service's extensions, and the
/// SDK's own for errors that no answer caused.
#[rustfmt::skip]
pub const CODES: &[Code] = &[
    Code { code: "needs_reconnection", status: Some(401), kind: ErrorKind::NeedsReconnection, base: true, meaning: "The grant was revoked or has expired: run the connect flow again." },
    Code { code: "invalid_api_key", status: Some(401), kind: ErrorKind::Authentication, base: false, meaning: "The tenant key is missing, unknown or revoked." },
    Code { code: "capability_disabled", status: Some(403), kind: ErrorKind::CapabilityDisabled, base: true, meaning: "The tenant key lacks the capability." },
    Code { code: "connection_deleted", status: Some(404), kind: ErrorKind::ConnectionDeleted, base: true, meaning: "The connection is unknown, or not yours." },
    Code { code: "connection_in_use", status: Some(409), kind: ErrorKind::ConnectionInUse, base: true, meaning: "The connection is in use and cannot be deleted." },
    Code { code: "cursor_expired", status: Some(410), kind: ErrorKind::CursorExpired, base: false, meaning: "The cursor is older than the events that are kept." },
    Code { code: "invalid_user_email", status: Some(400), kind: ErrorKind::InvalidUserEmail, base: true, meaning: "The x-user-email header is missing or invalid." },
    Code { code: "rate_limited", status: Some(429), kind: ErrorKind::RateLimited, base: true, meaning: "The budget is used up: wait for Retry-After." },
    Code { code: "upstream_unavailable", status: Some(503), kind: ErrorKind::UpstreamUnavailable, base: true, meaning: "The provider or the service is unavailable: retry later." },
    Code { code: "wait_timeout", status: None, kind: ErrorKind::WaitTimeout, base: false, meaning: "The wait ended while the connection was still pending." },
    Code { code: "timeout", status: None, kind: ErrorKind::Timeout, base: false, meaning: "No complete answer arrived in time." },
    Code { code: "network_error", status: None, kind: ErrorKind::Network, base: false, meaning: "The service could not be reached, or the connection broke." },
    Code { code: "decode_error", status: None, kind: ErrorKind::Decode, base: false, meaning: "A successful answer could not be understood." },
    Code { code: "cancelled", status: None, kind: ErrorKind::Cancelled, base: false, meaning: "The caller cancelled the call." },
    Code { code: "missing_header", status: None, kind: ErrorKind::WebhookVerification, base: false, meaning: "The webhook has no `webhook-id`, `webhook-timestamp` or `webhook-signature`." },
    Code { code: "bad_signature", status: None, kind: ErrorKind::WebhookVerification, base: false, meaning: "No signature of the webhook was made with any of the secrets." },
    Code { code: "too_old", status: None, kind: ErrorKind::WebhookVerification, base: false, meaning: "The webhook was signed more than five minutes ago." },
    Code { code: "too_new", status: None, kind: ErrorKind::WebhookVerification, base: false, meaning: "The webhook was signed more than five minutes in the future." },
    Code { code: "malformed_webhook", status: None, kind: ErrorKind::WebhookVerification, base: false, meaning: "The webhook's headers or its body are not what the contract says." },
    Code { code: "invalid_argument", status: None, kind: ErrorKind::InvalidArgument, base: false, meaning: "A value was refused before anything was sent." },
    Code { code: "invalid_request", status: Some(400), kind: ErrorKind::Other, base: false, meaning: "The request does not fit the contract; the message says where." },
    Code { code: "app_not_found", status: Some(404), kind: ErrorKind::Other, base: false, meaning: "The catalogue has no such app." },
    Code { code: "not_found", status: Some(404), kind: ErrorKind::Other, base: false, meaning: "The service has no such address: check the base URL." },
    Code { code: "method_not_allowed", status: Some(405), kind: ErrorKind::Other, base: false, meaning: "The address does not take this method." },
    Code { code: "origin_not_allowed", status: Some(403), kind: ErrorKind::Other, base: false, meaning: "The service does not take MCP from this host or origin." },
    Code { code: "key_not_found", status: Some(404), kind: ErrorKind::Other, base: false, meaning: "The tenant has no such key, or it has ended." },
    Code { code: "oauth_client_not_found", status: Some(404), kind: ErrorKind::Other, base: false, meaning: "The tenant, or the organization, has no OAuth client of its own for the app." },
    Code { code: "rotation_conflict", status: Some(409), kind: ErrorKind::Other, base: false, meaning: "The keys are not in the state that the step needs; the message says why." },
    Code { code: "connection_not_active", status: Some(409), kind: ErrorKind::Other, base: false, meaning: "The connection is not active: it has no credential to vend." },
    Code { code: "app_not_configured", status: Some(409), kind: ErrorKind::Other, base: false, meaning: "Neither the tenant nor the operator has entered an OAuth client for this app." },
    Code { code: "payload_too_large", status: Some(413), kind: ErrorKind::Other, base: false, meaning: "The request's body is too large." },
    Code { code: "unsupported_media_type", status: Some(415), kind: ErrorKind::Other, base: false, meaning: "The request's body is not JSON." },
    Code { code: "idempotency_key_reused", status: Some(422), kind: ErrorKind::Other, base: false, meaning: "The Idempotency-Key was used before with another body." },
    Code { code: "internal_error", status: Some(500), kind: ErrorKind::Other, base: false, meaning: "The service failed." },
    Code { code: "provider_no_response", status: Some(502), kind: ErrorKind::Other, base: false, meaning: "The provider broke a proxied call off, and may have carried it out." },
    Code { code: "provider_timeout", status: Some(504), kind: ErrorKind::Other, base: false, meaning: "The provider did not answer a proxied call in time, and may have carried it out." },
];
