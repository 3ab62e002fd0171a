//! Ids in paths.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::error::ApiError;
use crate::ids;
use crate::state::AppState;

/// The connection that a path names. Whatever cannot be an id at all is an unknown connection, too.
pub(crate) struct ConnectionId(pub(crate) String);

/// The app that a path names.
pub(crate) struct AppId(pub(crate) String);

/// The webhook endpoint that a path names. Whatever cannot be an id at all is an unknown one, too.
pub(crate) struct WebhookId(pub(crate) String);
/// The organization that a path names, if the route has one. It is the tenant's own word, and no email.
pub(crate) struct OrganizationId(pub(crate) Option<String>);

/// The usage that a path names: letters, digits, `-` and `_`.
pub(crate) struct UsageId(pub(crate) String);

impl FromRequestParts<AppState> for ConnectionId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let id = parameter(parts, app, "connection_id").await.filter(|id| ids::is_connection(id));
        id.map(Self).ok_or(ApiError::ConnectionDeleted)
    }
}

impl FromRequestParts<AppState> for AppId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        parameter(parts, app, "app_id").await.map(Self).ok_or(ApiError::AppNotFound)
    }
}

impl FromRequestParts<AppState> for WebhookId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let id = parameter(parts, app, "webhook_id").await.filter(|id| is_id(id));
        id.map(Self).ok_or(ApiError::WebhookNotFound)
    }
}

impl FromRequestParts<AppState> for OrganizationId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        match parameter(parts, app, "organization_id").await {
            Some(id) if is_id(&id) => Ok(Self(Some(id))),
            None if !parts.uri.path().contains("/organizations/") => Ok(Self(None)),
            _ => Err(ApiError::invalid("The organization's id must be 1 to 128 letters, digits, - and _")),
        }
    }
}

impl FromRequestParts<AppState> for UsageId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let id = parameter(parts, app, "usage_id").await.filter(|id| is_usage(id));
        id.map(Self).ok_or_else(|| {
            ApiError::invalid(
                "The usage's id must be 1 to 128 letters, digits, - and _, the first a letter or digit",
            )
        })
    }
}

/// `None` where the path is not UTF-8.
async fn parameter(parts: &mut Parts, app: &AppState, name: &str) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(parts, app).await.ok()?;
    parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The contract's `Id`.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn is_usage(text: &str) -> bool {
    is_id(text) && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_are_plain_names() {
        assert!(is_usage("workflow-42"));
        assert!(is_usage(&"a".repeat(128)));
        for text in ["", "-a", "_a", "a/b", "a b", "..", "ä", &"a".repeat(129)] {
            assert!(!is_usage(text), "{text}");
        }
    }
}
