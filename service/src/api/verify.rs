//! `POST /connections/{id}/verify`: whether the provider accepts a connection's credential now.

use axum::extract::State;
use http::HeaderMap;
use serde::Serialize;

use crate::auth::tenant_key::{self, Customer};
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::header::IdempotencyKey;
use crate::extract::path::ConnectionId;
use crate::provider_api::{ApiAccess, Verification};
use crate::state::AppState;
use crate::vending;

#[derive(Serialize)]
pub(super) struct Verified {
    result: Verification,
    checked_at: String,
}

/// Asking twice does no harm, so an idempotency key is checked and otherwise not needed.
pub(super) async fn verify(
    State(app): State<AppState>,
    Customer(owner): Customer,
    _: IdempotencyKey,
    ConnectionId(id): ConnectionId,
    headers: HeaderMap,
) -> Result<Success<Verified>, ApiError> {
    let digest = tenant_key::key_digest(&app, &headers)?;
    let found = app.store.token_lookup(&digest, Some(&id), Some(&owner.customer)).await?;
    let connection = found.ok_or(ApiError::InvalidApiKey)?.connection;
    let vended = vending::vend(&app, &owner, &id, connection, None).await?;
    let tenant = &owner.tenant;
    let client = app.client_of_grant(tenant, &vended.app_id, vended.oauth_client.as_deref()).await?;
    let result = match ApiAccess::of_vended(&app, tenant, &vended, client.as_deref()) {
        Some(access) => access.verify(&vended.details.all_provider_data()).await.0,
        None => Verification::Unknown,
    };
    Ok(Success::new(Verified { result, checked_at: rfc3339(app.clock.now()) }))
}
