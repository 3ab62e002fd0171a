//! `POST /connections/{id}/confirm`: the tenant's word that the customer who consented is the connection's own.

use axum::extract::State;

use super::connections::ConnectionView;
use crate::auth::tenant_key::Customer;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::header::IdempotencyKey;
use crate::extract::path::{ConnectionId, is_id};
use crate::state::AppState;
use crate::store::Confirmation;

/// A repeat with the same code changes nothing and says the same, so an idempotency key is checked and otherwise not
/// needed.
pub(super) async fn confirm(
    State(app): State<AppState>,
    Customer(owner): Customer,
    _: IdempotencyKey,
    ConnectionId(id): ConnectionId,
    body: Body,
) -> Result<Success<ConnectionView>, ApiError> {
    let form = "the confirmation_code that the customer's browser brought";
    let code = body.text("code", form, is_id)?;
    let code = code.ok_or_else(|| ApiError::invalid(format!("code must be {form}")))?;
    match app.store.confirm(&owner, &id, code).await? {
        Confirmation::Confirmed => {}
        Confirmation::WrongCode => return Err(ApiError::invalid(format!("code must be {form}"))),
        Confirmation::Unknown => return Err(ApiError::ConnectionDeleted),
        Confirmation::NothingWaits => return Err(ApiError::NothingToConfirm),
    }
    let connection = app.store.connection(&owner, &id).await?;
    let connection = connection.ok_or(ApiError::ConnectionDeleted)?;
    Ok(Success::new(ConnectionView::new(&app, &owner, connection)))
}
