//! `/webhooks`: where a tenant wants its events to be sent. What was sent is in `webhook_attempts.rs`.

use axum::Extension;
use axum::extract::State;
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::path::WebhookId;
use crate::state::AppState;
use crate::store::{
    Actor, Caller, CreatedWebhook, EventType, MAX_WEBHOOKS, NewWebhook, Webhook, WebhookUpdate,
};
use crate::webhooks::WEBHOOK_URL;

/// Characters of a description.
const MAX_DESCRIPTION: usize = 200;
/// How many types a body may name: far more than there are.
const MAX_TYPES: usize = 50;

#[derive(Serialize)]
pub(super) struct WebhookView {
    id: String,
    url: String,
    types: Vec<String>,
    description: Option<String>,
    enabled: bool,
    disabled_reason: Option<&'static str>,
    disabled_at: Option<String>,
    failing_since: Option<String>,
    created_at: String,
}

#[derive(Serialize)]
pub(super) struct NewWebhookView {
    #[serde(flatten)]
    webhook: WebhookView,
    secret: String,
}

#[derive(Serialize)]
pub(super) struct Webhooks {
    webhooks: Vec<WebhookView>,
}

#[derive(Serialize)]
pub(super) struct RotatedSecret {
    id: String,
    secret: String,
    previous_expires_at: String,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            types: webhook.types,
            description: webhook.description,
            enabled: webhook.disabled.is_none(),
            disabled_reason: webhook.disabled.map(|(reason, _)| reason.as_str()),
            disabled_at: webhook.disabled.map(|(_, at)| rfc3339(at)),
            failing_since: webhook.failing_since.map(rfc3339),
            created_at: rfc3339(webhook.created_at),
        }
    }
}

pub(super) async fn create(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Success<NewWebhookView>, ApiError> {
    body.only(&["url", "types", "description"])?;
    let new = NewWebhook {
        url: url(&app, &body)?.ok_or_else(|| ApiError::invalid("url is missing"))?,
        types: types(&body)?.unwrap_or_default(),
        description: body.line("description", MAX_DESCRIPTION)?,
    };
    match app.store.create_webhook(&caller.tenant, &new, Actor::Key(&caller.key)).await? {
        CreatedWebhook::Created(webhook, secret) => Ok(Success::new(NewWebhookView {
            webhook: webhook.into(),
            secret: secret.expose_secret().to_owned(),
        })),
        CreatedWebhook::TooMany => Err(ApiError::invalid(format!(
            "The tenant has {MAX_WEBHOOKS} webhook endpoints, which is as many as it can have"
        ))),
        CreatedWebhook::UnknownTenant => Err(ApiError::InvalidApiKey),
    }
}

pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Success<Webhooks>, ApiError> {
    let webhooks = app.store.webhooks(&caller.tenant).await?;
    Ok(Success::new(Webhooks { webhooks: webhooks.into_iter().map(WebhookView::from).collect() }))
}

pub(super) async fn read(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    WebhookId(id): WebhookId,
) -> Result<Success<WebhookView>, ApiError> {
    let webhook = app.store.webhook(&caller.tenant, &id).await?;
    webhook.map(|webhook| Success::new(webhook.into())).ok_or(ApiError::WebhookNotFound)
}

/// The body is looked at before the endpoint, as the contract orders the checks.
pub(super) async fn update(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    id: Result<WebhookId, ApiError>,
    body: Body,
) -> Result<Success<WebhookView>, ApiError> {
    body.only(&["url", "types", "description", "enabled"])?;
    let update = WebhookUpdate {
        url: url(&app, &body)?,
        types: types(&body)?,
        description: body.nullable_line("description", MAX_DESCRIPTION)?,
        enabled: body.flag("enabled")?,
    };
    let WebhookId(id) = id?;
    let updated = app.store.update_webhook(&caller.tenant, &id, &update, Actor::Key(&caller.key)).await?;
    updated.map(|webhook| Success::new(webhook.into())).ok_or(ApiError::WebhookNotFound)
}

pub(super) async fn remove(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    WebhookId(id): WebhookId,
) -> Result<Success<()>, ApiError> {
    let known = app.store.delete_webhook(&caller.tenant, &id, Actor::Key(&caller.key)).await?;
    known.then(|| Success::new(())).ok_or(ApiError::WebhookNotFound)
}

pub(super) async fn rotate_secret(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    WebhookId(id): WebhookId,
) -> Result<Success<RotatedSecret>, ApiError> {
    let rotated = app.store.rotate_webhook_secret(&caller.tenant, &id, Actor::Key(&caller.key)).await?;
    let (secret, until) = rotated.ok_or(ApiError::WebhookNotFound)?;
    Ok(Success::new(RotatedSecret {
        id,
        secret: secret.expose_secret().to_owned(),
        previous_expires_at: rfc3339(until),
    }))
}

fn url(app: &AppState, body: &Body) -> Result<Option<String>, ApiError> {
    Ok(body.text("url", WEBHOOK_URL, |text| app.webhooks.accepts(text))?.map(str::to_owned))
}

/// Each once.
fn types(body: &Body) -> Result<Option<Vec<String>>, ApiError> {
    let is_type = |text: &str| text.parse::<EventType>().is_ok();
    let types = body.texts("types", MAX_TYPES, "a type of event", is_type)?;
    Ok(types.map(|mut types| {
        types.sort();
        types.dedup();
        types
    }))
}
