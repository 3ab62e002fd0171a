//! `GET /healthz`: whether the service can do its work.

use axum::extract::State;

use crate::envelope::Success;
use crate::error::ApiError;
use crate::state::AppState;

pub(super) async fn check(State(app): State<AppState>) -> Result<Success<()>, ApiError> {
    app.store.ping().await?;
    Ok(Success::new(()))
}
