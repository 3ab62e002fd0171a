//! `DELETE /customers` and `DELETE /organizations/{organizationId}/apps/{appId}`: all at once.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;

use crate::auth::tenant_key::Customer;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::path::{AppId, OrganizationId};
use crate::extract::query::Query;
use crate::revocation;
use crate::state::AppState;
use crate::store::{Actor, Caller, ClientPlace, Erasure};

/// What was removed.
#[derive(Serialize)]
pub(super) struct Erased {
    connections: u64,
}

pub(super) async fn customer(
    State(app): State<AppState>,
    Customer(owner): Customer,
    query: Query,
) -> Result<Success<Erased>, ApiError> {
    let connections = erase(&app, Erasure::Customer(&owner), &query).await?;
    revocation::end_sessions(&app).await?;
    Ok(Success::new(Erased { connections }))
}

pub(super) async fn organization_app(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    OrganizationId(organization): OrganizationId,
    AppId(app_id): AppId,
    query: Query,
) -> Result<Success<Erased>, ApiError> {
    let found = app.catalogue.get(&app_id).ok_or(ApiError::AppNotFound)?;
    let organization = organization.unwrap_or_default();
    let erasure =
        Erasure::OrganizationApp { tenant: &caller.tenant, organization: &organization, app_id: &found.id };
    let connections = erase(&app, erasure, &query).await?;
    let place = ClientPlace { tenant: &caller.tenant, app_id: &found.id, organization: Some(&organization) };
    app.store.remove_client(place, Actor::Key(&caller.key), &caller.key).await?;
    revocation::end_sessions(&app).await?;
    Ok(Success::new(Erased { connections }))
}

async fn erase(app: &AppState, erasure: Erasure<'_>, query: &Query) -> Result<u64, ApiError> {
    let force = match query.get("force")? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(ApiError::invalid("force must be true or false")),
    };
    app.store.erase(erasure, force).await?.ok_or(ApiError::ConnectionInUse)
}
