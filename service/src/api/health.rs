//! `GET /livez` and `GET /readyz`, for supervisors and load balancers.

use axum::extract::State;

use crate::envelope::Success;
use crate::error::ApiError;
use crate::state::AppState;

/// Whether the process works at all. Asks nothing of the database: a restart would not bring that back.
pub(super) async fn live() -> Success<()> {
    Success::new(())
}

/// Whether the service can do its work, and wants more of it: not once it was asked to end.
pub(super) async fn ready(State(app): State<AppState>) -> Result<Success<()>, ApiError> {
    if app.ending.is_cancelled() {
        return Err(ApiError::ServiceUnavailable);
    }
    app.store.ready().await.map_err(|error| {
        tracing::warn!(%error, "not ready");
        ApiError::ServiceUnavailable
    })?;
    Ok(Success::new(()))
}
