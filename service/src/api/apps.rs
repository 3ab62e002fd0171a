//! `GET /apps` and `GET /apps/{appId}`: the catalogue.

use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CACHE_CONTROL;
use serde::Serialize;

use crate::catalogue::App;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::is_line;
use crate::extract::path::AppId;
use crate::extract::query::Query;
use crate::state::AppState;

const MAX_SEARCH: usize = 200;

/// The catalogue is no secret and changes only with a restart.
const CACHE: [(http::HeaderName, &str); 1] = [(CACHE_CONTROL, "private, max-age=60")];

#[derive(Serialize)]
struct Apps<'a> {
    apps: Vec<&'a App>,
    page: u32,
    limit: u32,
    total: usize,
}

pub(super) async fn list(State(app): State<AppState>, query: Query) -> Result<impl IntoResponse, ApiError> {
    let page = query.page()?;
    let search = query.get("search")?.unwrap_or_default();
    if !is_line(search, 0, MAX_SEARCH) {
        return Err(ApiError::invalid("search must be at most 200 characters without control characters"));
    }
    let found = app.catalogue.search(search);
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let apps = Apps {
        apps: found.iter().skip(offset).take(page.limit as usize).map(|app| &***app).collect(),
        page: page.page,
        limit: page.limit,
        total: found.len(),
    };
    Ok((CACHE, Success::new(apps)).into_response())
}

pub(super) async fn read(
    State(app): State<AppState>,
    AppId(id): AppId,
) -> Result<impl IntoResponse, ApiError> {
    let found = app.catalogue.get(&id).ok_or(ApiError::AppNotFound)?;
    Ok((CACHE, Success::new(&**found)).into_response())
}
