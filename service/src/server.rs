//! The server: every address, and what holds for all of them.

use axum::Router;

use crate::error::ApiError;
use crate::state::AppState;

/// Where the contract's addresses begin.
pub const PREFIX: &str = "/platform/v1";

/// All addresses of a service.
pub fn router(app: AppState) -> Router {
    Router::new()
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .with_state(app)
}
