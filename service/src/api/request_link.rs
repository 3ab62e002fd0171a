//! `POST /connections/request-link`: the start of every connection.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value};

use super::connections::AppRef;
use super::create_link::CreateLinkRequest;
use super::idempotency::{self, Once};
use crate::auth::tenant_key::Customer;
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::header::IdempotencyKey;
use crate::extract::web_address;
use crate::ids;
use crate::state::AppState;
use crate::store::{Connection, Created, LinkWebhook, NewLink, Operation, Owner};
use crate::webhooks;

/// Marks the address of a link that has a `return_url`: the browser helper must know it inside the click, where the
/// address is all that it has. The hosted page ignores it.
const RETURN_URL_MARKER: &str = "?has_return_url=true";

#[derive(Serialize)]
struct RequestLink<'a> {
    connection_id: &'a str,
    request_token: &'a str,
    request_link: String,
    expires_at: String,
    app: Option<AppRef>,
    status_url: String,
    operation: Operation,
}

pub(super) async fn create(
    State(app): State<AppState>,
    Customer(owner): Customer,
    IdempotencyKey(key): IdempotencyKey,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted = CreateLinkRequest::read(&app, &body)?;
    let fingerprint = ids::digest(&body.canonical());
    idempotency::once(&app, &owner, key, &fingerprint, async |once| make(&app, &owner, wanted, once).await)
        .await
}

/// Makes a link for a caller within the service; gives the answer's `data`, request token included.
pub(crate) async fn new_link(
    app: &AppState,
    owner: &Owner,
    members: Map<String, Value>,
) -> Result<Value, ApiError> {
    let wanted = CreateLinkRequest::read(app, &Body::of(members))?;
    let answer = make(app, owner, wanted, None).await?.unwrap_or_default();
    let mut answer: Value = serde_json::from_str(&answer).map_err(ApiError::internal)?;
    Ok(answer["data"].take())
}

/// Makes the link and gives the answer's body; `None` where the idempotency key is taken.
async fn make(
    app: &AppState,
    owner: &Owner,
    mut wanted: CreateLinkRequest,
    once: Option<Once<'_>>,
) -> Result<Option<String>, ApiError> {
    if wanted.options.allowed_origin.is_none() {
        let website = app.store.tenant_website(&owner.tenant).await?;
        wanted.options.allowed_origin = website.map(web_address::as_sent);
    }
    let webhook = webhook(app, owner, wanted.webhook_url.take()).await?;
    let named = named(app, owner, &wanted).await?;
    if let Some(named) = &named {
        wanted.keep_organization(named)?;
    }
    let organization = wanted.options.organization.as_ref().map(|organization| organization.id.clone());
    let clients = app.clients(&owner.tenant, organization.as_deref()).await?;
    let apps = wanted.apps(&clients, named.as_ref())?;
    let app_id = match apps.as_slice() {
        [only] => Some(only.id.as_str()),
        several => {
            wanted.options.allowed_apps = several.iter().map(|app| app.id.clone()).collect();
            None
        }
    };
    let existing = match (named, app_id) {
        (None, Some(app_id)) if !wanted.allow_multiple_connections => {
            app.store.connection_for_app(owner, app_id, organization.as_deref()).await?
        }
        (named, _) => named,
    };
    let id = existing.as_ref().map_or_else(ids::connection, |connection| connection.id.clone());
    let target = wanted.target(&id, existing.is_some())?;
    let (secret, request_token) = (ids::secret(), ids::request_token());
    // Whole seconds, so that what is told is exactly what holds.
    let expires_at = (app.clock.now() + wanted.lifetime + 999) / 1000 * 1000;
    let marker = wanted.options.return_url.as_ref().map_or("", |_| RETURN_URL_MARKER);
    let answer = Success::new(RequestLink {
        request_link: format!("{}/connect/{secret}{marker}", app.base_url()),
        status_url: format!("{}/connections/{id}/status", app.base_url()),
        expires_at: rfc3339(expires_at),
        app: app_id.map(|id| AppRef::new(app, id)),
        operation: target.operation(),
        connection_id: &id,
        request_token: &request_token,
    });
    let answer = serde_json::to_string(&answer).map_err(ApiError::internal)?;
    let new = NewLink {
        owner,
        target,
        app_id,
        auth_option_key: wanted.auth_option_key.as_deref(),
        secret: &secret,
        request_token: &request_token,
        labels: &wanted.labels(existing.is_some()),
        options: &wanted.options,
        webhook: webhook.as_ref(),
        expires_at,
    };
    let kept = once.map(|once| once.answer(&answer));
    match app.store.create_link(&new, kept.as_ref()).await? {
        Created::Created => Ok(Some(answer)),
        Created::KeyUsed => Ok(None),
        Created::UnknownConnection => Err(ApiError::ConnectionDeleted),
    }
}

/// A link's own address, at the origin of one of the tenant's endpoints, by whose secrets it is trusted.
async fn webhook(
    app: &AppState,
    owner: &Owner,
    url: Option<String>,
) -> Result<Option<LinkWebhook>, ApiError> {
    let Some(url) = url else {
        return Ok(None);
    };
    let endpoints = app.store.webhooks(&owner.tenant).await?;
    let origin = webhooks::origin(&url);
    let origin = origin.filter(|origin| {
        endpoints.iter().any(|endpoint| webhooks::origin(&endpoint.url).as_ref() == Some(origin))
    });
    match origin {
        Some(origin) => Ok(Some(LinkWebhook { origin, url })),
        None => Err(ApiError::invalid(
            "webhook_url must have the scheme, host and port of one of the tenant's webhook endpoints",
        )),
    }
}

/// The connection that the body names, if it names one.
async fn named(
    app: &AppState,
    owner: &Owner,
    wanted: &CreateLinkRequest,
) -> Result<Option<Connection>, ApiError> {
    let Some(id) = &wanted.connection_id else {
        return Ok(None);
    };
    let connection = app.store.connection(owner, id).await?;
    connection.map(Some).ok_or(ApiError::ConnectionDeleted)
}
