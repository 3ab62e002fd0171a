//! `GET /webhooks/{id}/attempts`, `POST /webhooks/{id}/test` and `POST /webhooks/{id}/redeliver`: what was sent to an
//! endpoint, and sending it again.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;

use crate::clock::{parse_rfc3339, rfc3339};
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::path::{WebhookId, is_id};
use crate::extract::query::Query;
use crate::state::AppState;
use crate::store::{Caller, WebhookAttempt};
use crate::webhooks;

/// Tests that a tenant makes at once; each takes up to 11 seconds.
const MAX_TESTS: usize = 4;

#[derive(Serialize)]
pub(super) struct Attempts {
    attempts: Vec<AttemptView>,
    page: u32,
    limit: u32,
    total: u64,
}

#[derive(Serialize)]
pub(super) struct AttemptView {
    id: String,
    event_id: String,
    event_type: String,
    url: String,
    attempt: i64,
    at: String,
    duration_ms: i64,
    status: Option<i64>,
    error: Option<String>,
    response: Option<String>,
    next_attempt_at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Redelivery {
    queued: u64,
}

impl From<WebhookAttempt> for AttemptView {
    fn from(attempt: WebhookAttempt) -> Self {
        Self {
            id: attempt.id,
            event_id: attempt.event_id,
            event_type: attempt.event_type,
            url: attempt.url,
            attempt: attempt.number,
            at: rfc3339(attempt.at),
            duration_ms: attempt.duration,
            status: attempt.status,
            error: attempt.error,
            response: attempt.response,
            next_attempt_at: attempt.next_at.map(rfc3339),
        }
    }
}

pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    id: Result<WebhookId, ApiError>,
    query: Query,
) -> Result<Success<Attempts>, ApiError> {
    let page = query.page()?;
    let WebhookId(id) = id?;
    app.store.webhook(&caller.tenant, &id).await?.ok_or(ApiError::WebhookNotFound)?;
    let (attempts, total) =
        app.store.webhook_attempts(&caller.tenant, &id, page.limit, page.offset()).await?;
    let attempts = attempts.into_iter().map(AttemptView::from).collect();
    Ok(Success::new(Attempts { attempts, page: page.page, limit: page.limit, total }))
}

pub(super) async fn test(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    WebhookId(id): WebhookId,
) -> Result<Success<AttemptView>, ApiError> {
    let found = app.store.webhook_with_secrets(&caller.tenant, &id).await?;
    let (webhook, secrets) = found.ok_or(ApiError::WebhookNotFound)?;
    let _counted =
        app.webhook_tests.enter(&caller.tenant, MAX_TESTS).ok_or(ApiError::RateLimited { retry_after: 1 })?;
    let (client, now) = (&app.webhooks, app.clock.now());
    let attempt = webhooks::send_test(&app.store, client, &caller.tenant, (&webhook, &secrets), now).await?;
    Ok(Success::new(attempt.into()))
}

/// The body is looked at before the endpoint, as the contract orders the checks.
pub(super) async fn redeliver(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    id: Result<WebhookId, ApiError>,
    body: Body,
) -> Result<Success<Redelivery>, ApiError> {
    const TIME: &str = "a time such as 2026-11-29T12:00:00Z";
    body.only(&["event_id", "since"])?;
    let event_id = body.text("event_id", "an id", is_id)?;
    let since = body.text("since", TIME, |text| parse_rfc3339(text).is_some())?;
    if event_id.is_some() == since.is_some() {
        return Err(ApiError::invalid("Name an event by event_id, or a time by since, and not both"));
    }
    let WebhookId(id) = id?;
    app.store.webhook(&caller.tenant, &id).await?.ok_or(ApiError::WebhookNotFound)?;
    let queued = match event_id {
        Some(event) => match app.store.redeliver_event(&caller.tenant, &id, event).await? {
            true => 1,
            false => return Err(ApiError::EventNotFound),
        },
        None => {
            // It may write for minutes.
            let _counted =
                app.redeliveries.enter(&caller.tenant, 1).ok_or(ApiError::RateLimited { retry_after: 5 })?;
            let since = since.and_then(parse_rfc3339).unwrap_or_default();
            app.store.redeliver_since(&caller.tenant, &id, since).await?
        }
    };
    Ok(Success::new(Redelivery { queued }))
}
