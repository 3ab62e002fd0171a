//! Everything that can go wrong with a request, and the answer that it becomes.

use std::collections::BTreeMap;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::catalogue::FieldError;
use crate::envelope::Envelope;
use crate::language::Message;
use crate::store::{Capability, StoreError};

/// One error of the contract. Its text is the answer's `message` and repeats nothing of the request but names of members.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The key is missing, unknown or revoked.
    #[error("The API key is missing or not valid")]
    InvalidApiKey,
    /// The key is a test key and this is the live service, or the other way round; tells which.
    #[error("{0}")]
    KeyOfOtherMode(&'static str),
    /// The request comes from a host or origin that MCP is not open to.
    #[error("The request's Host or Origin is not one that MCP is open to")]
    OriginNotAllowed,
    /// The key was not granted what the endpoint needs.
    #[error("This key lacks the capability {0}")]
    CapabilityDisabled(Capability),
    /// The budget is used up, for so many seconds.
    #[error("Too many requests")]
    RateLimited {
        /// Seconds until there is a new one; at least 1.
        retry_after: u64,
    },
    /// `x-user-email` is missing or no email; tells what is wrong.
    #[error("x-user-email {0}")]
    InvalidUserEmail(&'static str),
    /// A parameter, a header or the body breaks the contract; tells which and how.
    #[error("{0}")]
    InvalidRequest(String),
    /// Fields of the form are at fault; the link stays open.
    #[error("{}", texts("fields.", .0))]
    InvalidFields(Vec<FieldError>),
    /// The same of members of the body itself.
    #[error("{}", texts("", .0))]
    InvalidMembers(Vec<FieldError>),
    /// The body is larger than is read.
    #[error("The body is larger than the endpoint takes")]
    PayloadTooLarge,
    /// The body is of another type than the endpoint takes.
    #[error("Send the body as {0}")]
    UnsupportedMediaType(&'static str),
    /// The idempotency key was used with another body.
    #[error("The Idempotency-Key was used before with another body")]
    IdempotencyKeyReused,
    /// There is nothing at this address.
    #[error("There is no such address")]
    NotFound,
    /// The address exists, the method does not.
    #[error("The address does not support this method")]
    MethodNotAllowed,
    /// The catalogue has no such app, or the app no such auth option.
    #[error("Unknown app, or it has no such auth option")]
    AppNotFound,
    /// Neither the tenant nor the operator has entered an OAuth client for this app.
    #[error("There is no OAuth client for this app")]
    AppNotConfigured,
    /// The app's OAuth client is the organization's, and only an admin may enter it.
    #[error("An admin of the organization has to connect this app first")]
    AdminRequired,
    /// The tenant, or the organization, has no OAuth client of its own for this app.
    #[error("There is no OAuth client of this kind for the app")]
    OAuthClientNotFound,
    /// There is no such connection for this tenant and customer.
    #[error("Unknown connection")]
    ConnectionDeleted,
    /// The tenant has no such key, or it has ended.
    #[error("Unknown key")]
    KeyNotFound,
    /// The tenant has no such webhook endpoint.
    #[error("Unknown webhook endpoint")]
    WebhookNotFound,
    /// The tenant has no such event, or it is not kept any more.
    #[error("Unknown event")]
    EventNotFound,
    /// The keys are not in the state that the step needs; tells why.
    #[error("{0}")]
    RotationConflict(&'static str),
    /// Something still uses the connection.
    #[error("The connection is in use")]
    ConnectionInUse,
    /// There is no credential yet, or the link has ended.
    #[error("The connection is {0}")]
    ConnectionNotActive(&'static str),
    /// A confirmation came too late, too early, or after too many wrong ones; the connection may work all the same.
    #[error("No grant waits for a confirmation; start over with a new link")]
    NothingToConfirm,
    /// The grant stopped working.
    #[error("The customer must connect again")]
    NeedsReconnection,
    /// The provider gave no usable answer.
    #[error("The provider is not available")]
    UpstreamUnavailable {
        /// Seconds until it is worth another try; at least 1.
        retry_after: u64,
    },
    /// Events after the cursor are not kept any more.
    #[error(
        "The feed does not reach this cursor: it is older than the events that are kept, or of another feed"
    )]
    CursorExpired {
        /// Before the oldest event that is kept.
        oldest_cursor: String,
    },
    /// The provider was asked by a call through the proxy, and did not answer: it may have done what it was asked for.
    #[error("The provider did not answer; it may have carried the request out")]
    ProviderNoResponse,
    /// The same, because it took too long.
    #[error("The provider did not answer in time; it may have carried the request out")]
    ProviderTimeout,
    /// The database is away, busy or full, or the service ends, is not ready or has too many connections. What happened
    /// goes to the log alone.
    #[error("The service is temporarily unavailable")]
    ServiceUnavailable,
    /// The service itself failed. What happened goes to the log alone.
    #[error("Internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An error's `data`.
#[derive(Serialize)]
struct Code<'a> {
    code: &'static str,
    /// What is wrong with each field of the form, for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<&'a str, &'a Message>>,
    /// Where the feed of events can be read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_cursor: Option<&'a str>,
}

impl ApiError {
    /// A request that breaks the contract.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidRequest(message.into())
    }

    /// The service itself failed.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidUserEmail(_)
            | Self::InvalidRequest(_)
            | Self::InvalidFields(_)
            | Self::InvalidMembers(_) => StatusCode::BAD_REQUEST,
            Self::InvalidApiKey | Self::KeyOfOtherMode(_) | Self::NeedsReconnection => {
                StatusCode::UNAUTHORIZED
            }
            Self::CapabilityDisabled(_) | Self::OriginNotAllowed => StatusCode::FORBIDDEN,
            Self::NotFound
            | Self::AppNotFound
            | Self::OAuthClientNotFound
            | Self::ConnectionDeleted
            | Self::KeyNotFound
            | Self::WebhookNotFound
            | Self::EventNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::AppNotConfigured
            | Self::AdminRequired
            | Self::ConnectionInUse
            | Self::ConnectionNotActive(_)
            | Self::NothingToConfirm
            | Self::RotationConflict(_) => StatusCode::CONFLICT,
            Self::CursorExpired { .. } => StatusCode::GONE,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::UpstreamUnavailable { .. } | Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::ProviderNoResponse => StatusCode::BAD_GATEWAY,
            Self::ProviderTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer's `data.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidApiKey | Self::KeyOfOtherMode(_) => "invalid_api_key",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::CapabilityDisabled(_) => "capability_disabled",
            Self::KeyNotFound => "key_not_found",
            Self::RotationConflict(_) => "rotation_conflict",
            Self::RateLimited { .. } => "rate_limited",
            Self::InvalidUserEmail(_) => "invalid_user_email",
            Self::InvalidRequest(_) | Self::InvalidFields(_) | Self::InvalidMembers(_) => "invalid_request",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::NotFound | Self::WebhookNotFound | Self::EventNotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AppNotFound => "app_not_found",
            Self::AppNotConfigured | Self::AdminRequired => "app_not_configured",
            Self::OAuthClientNotFound => "oauth_client_not_found",
            Self::ConnectionDeleted => "connection_deleted",
            Self::ConnectionInUse => "connection_in_use",
            Self::ConnectionNotActive(_) | Self::NothingToConfirm => "connection_not_active",
            Self::CursorExpired { .. } => "cursor_expired",
            Self::NeedsReconnection => "needs_reconnection",
            Self::UpstreamUnavailable { .. } | Self::ServiceUnavailable => "upstream_unavailable",
            Self::ProviderNoResponse => "provider_no_response",
            Self::ProviderTimeout => "provider_timeout",
            Self::Internal(_) => "internal_error",
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(error) = &self {
            tracing::error!(%error, "internal error");
        }
        let fields = match &self {
            Self::InvalidFields(errors) | Self::InvalidMembers(errors) => Some(errors),
            _ => None,
        };
        let fields =
            fields.map(|errors| errors.iter().map(|error| (error.field.as_str(), &error.message)).collect());
        let oldest_cursor = match &self {
            Self::CursorExpired { oldest_cursor } => Some(oldest_cursor.as_str()),
            _ => None,
        };
        let (message, code) = (self.to_string(), Code { code: self.code(), fields, oldest_cursor });
        let body = Envelope { status: "error", message: &message, data: code };
        let mut response = (self.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        match self {
            Self::RateLimited { retry_after } | Self::UpstreamUnavailable { retry_after } => {
                // A client that is told 0 would come back at once, and again.
                headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.max(1)));
            }
            Self::ServiceUnavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::InvalidApiKey | Self::KeyOfOtherMode(_) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

fn texts(parent: &str, errors: &[FieldError]) -> String {
    let text = |error: &FieldError| format!("{parent}{}: {}", error.field, error.message);
    errors.iter().map(text).collect::<Vec<_>>().join(" ")
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            tracing::error!(%error, "a request failed");
            return Self::ServiceUnavailable;
        }
        Self::internal(error)
    }
}
