//! `GET /keys`, `POST /keys/rotate` and `POST /keys/promote`: a tenant's own hand on its keys.

use axum::Extension;
use axum::body::HttpBody;
use axum::extract::{FromRequest, Request, State};
use http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::path::is_id;
use crate::state::AppState;
use crate::store::{Actor, Caller, Key, Promotion, Rotation};
use crate::tenant_keys;

#[derive(Serialize)]
pub(super) struct Keys {
    keys: Vec<KeyView>,
}

#[derive(Serialize)]
struct KeyView {
    id: String,
    name: Option<String>,
    family: String,
    capabilities: Vec<&'static str>,
    /// Whether it is the one that asks.
    current: bool,
    mcp_url: bool,
    created_at: String,
    first_used_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Rotated {
    key_id: String,
    api_key: String,
    replaces: String,
}

#[derive(Serialize)]
pub(super) struct Promoted {
    key_id: String,
    retired: String,
}

/// The key that a body names, or else the one that asks. There need be no body.
pub(super) struct Named(Option<String>);

impl FromRequest<AppState> for Named {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        // A body that says nothing of its type is refused like everywhere, rather than taken for none.
        if !request.headers().contains_key(CONTENT_TYPE) && request.body().is_end_stream() {
            return Ok(Self(None));
        }
        let body = Body::from_request(request, app).await?;
        Ok(Self(body.text("key_id", "an id", is_id)?.map(str::to_owned)))
    }
}

pub(super) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Success<Keys>, ApiError> {
    let keys = app.store.keys(&caller.tenant).await?;
    let view = |key: Key| KeyView {
        current: key.id == caller.key,
        capabilities: key.capabilities.iter().map(|one| one.as_str()).collect(),
        mcp_url: key.has_mcp_url,
        created_at: rfc3339(key.created_at),
        first_used_at: key.used_at.map(rfc3339),
        last_used_at: key.last_used_at.map(rfc3339),
        revoked_at: key.revoked_at.map(rfc3339),
        id: key.id,
        name: key.name,
        family: key.family,
    };
    let keys = keys.into_iter().map(view).collect();
    Ok(Success::new(Keys { keys }))
}

pub(super) async fn rotate(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Result<Success<Rotated>, ApiError> {
    let (id, actor) = (id.as_ref().unwrap_or(&caller.key), Actor::Key(&caller.key));
    let wanted = app.store.key_capabilities(&caller.tenant, id).await?.ok_or(ApiError::KeyNotFound)?;
    tenant_keys::check_capabilities(&caller.capabilities, &wanted)?;
    match tenant_keys::rotate(&app, &caller.tenant, id, actor).await? {
        Rotation::Rotated { id, key, replaces } => {
            Ok(Success::new(Rotated { key_id: id, api_key: key, replaces }))
        }
        Rotation::UnderWay => Err(ApiError::RotationConflict(
            "The key has a successor already, which is in use: promote it first",
        )),
        Rotation::TooMany => Err(tenant_keys::too_many()),
        Rotation::Unknown => Err(ApiError::KeyNotFound),
    }
}

pub(super) async fn promote(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Named(id): Named,
) -> Result<Success<Promoted>, ApiError> {
    let (id, actor) = (id.as_ref().unwrap_or(&caller.key), Actor::Key(&caller.key));
    match app.store.promote_key(&caller.tenant, id, actor, false).await? {
        Promotion::Promoted { id, retired } => Ok(Success::new(Promoted { key_id: id, retired })),
        Promotion::Unused => Err(ApiError::RotationConflict(
            "The key's successor was never used: give it to every client first",
        )),
        Promotion::NoSuccessor => {
            Err(ApiError::RotationConflict("The key has no successor: rotate it first"))
        }
        Promotion::Unknown => Err(ApiError::KeyNotFound),
    }
}
