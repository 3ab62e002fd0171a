//! `GET /apps` and `GET /apps/{appId}`: the catalogue.

use axum::Extension;
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
use crate::oauth_clients::{ClientSource, Clients};
use crate::state::AppState;
use crate::store::Caller;

const MAX_SEARCH: usize = 200;

/// It is no secret. The tenant's own OAuth clients change it at any time.
const CACHE: [(http::HeaderName, &str); 1] = [(CACHE_CONTROL, "private, max-age=0")];

#[derive(Serialize)]
struct Apps<'a> {
    apps: Vec<AppView<'a>>,
    page: u32,
    limit: u32,
    total: usize,
}

/// An app, and whether the caller's customers can connect it.
#[derive(Serialize)]
struct AppView<'a> {
    #[serde(flatten)]
    app: &'a App,
    connectable: bool,
    client_source: Option<ClientSource>,
    redirect_uri: Option<String>,
}

impl<'a> AppView<'a> {
    fn new(clients: &Clients<'_>, app: &'a App) -> Self {
        let has_oauth = app.has_oauth();
        Self {
            connectable: clients.can_connect(app, None) || clients.is_managed(app),
            client_source: match clients.is_managed(app) {
                true => Some(ClientSource::Organization),
                false => clients.source(app).filter(|_| has_oauth),
            },
            redirect_uri: has_oauth.then(|| clients.service.redirect_uri(&app.id)),
            app,
        }
    }
}

pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let page = query.page()?;
    let search = query.get("search")?.unwrap_or_default();
    if !is_line(search, 0, MAX_SEARCH) {
        return Err(ApiError::invalid("search must be at most 200 characters without control characters"));
    }
    let clients = app.clients(&caller.tenant, None).await?;
    let found = app.catalogue.search(search);
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let apps = Apps {
        apps: found
            .iter()
            .skip(offset)
            .take(page.limit as usize)
            .map(|app| AppView::new(&clients, app))
            .collect(),
        page: page.page,
        limit: page.limit,
        total: found.len(),
    };
    Ok((CACHE, Success::new(apps)).into_response())
}

pub(super) async fn read(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    AppId(id): AppId,
) -> Result<impl IntoResponse, ApiError> {
    let found = app.catalogue.get(&id).ok_or(ApiError::AppNotFound)?;
    let clients = app.clients(&caller.tenant, None).await?;
    Ok((CACHE, Success::new(AppView::new(&clients, found))).into_response())
}
