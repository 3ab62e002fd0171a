//! `PUT` and `DELETE /connections/{id}/usages/{usageId}`: what keeps a connection from being deleted.

use axum::extract::State;

use crate::auth::tenant_key::Customer;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::path::{ConnectionId, UsageId};
use crate::state::AppState;
use crate::store::{AddedUsage, MAX_USAGES};

pub(super) async fn add(
    State(app): State<AppState>,
    Customer(owner): Customer,
    ConnectionId(id): ConnectionId,
    UsageId(usage): UsageId,
) -> Result<Success<()>, ApiError> {
    match app.store.add_usage(&owner, &id, &usage).await? {
        AddedUsage::Added => Ok(Success::new(())),
        AddedUsage::TooMany => Err(ApiError::invalid(format!(
            "The connection has {MAX_USAGES} usages, which is as many as it can have"
        ))),
        AddedUsage::Unknown => Err(ApiError::ConnectionDeleted),
    }
}

pub(super) async fn remove(
    State(app): State<AppState>,
    Customer(owner): Customer,
    ConnectionId(id): ConnectionId,
    UsageId(usage): UsageId,
) -> Result<Success<()>, ApiError> {
    let known = app.store.remove_usage(&owner, &id, &usage).await?;
    known.then(|| Success::new(())).ok_or(ApiError::ConnectionDeleted)
}
