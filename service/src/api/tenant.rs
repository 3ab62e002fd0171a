//! `/tenant/…`: what the pages of the dashboard do, for keys with the capability `admin`. Members can be read and not
//! changed: an owner can make keys that open everything, and a key must not come by more than it opens itself.

use axum::Extension;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::response::IntoResponse;
use http::request::Parts;
use serde::Serialize;

use super::connections::ConnectionView;
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::{Body, is_line};
use crate::extract::path::{ConnectionId, is_id};
use crate::extract::query::Query;
use crate::mcp;
use crate::state::AppState;
use crate::store::{
    Actor, Caller, Capability, ConnectionCursor, ConnectionSearch, ConnectionState, MAX_KEY_NAME, MAX_SEARCH,
    Minted, NewKey, Revocation,
};
use crate::tenant_keys;

/// The key that a path names. Whatever cannot be an id at all is an unknown one, too.
pub(super) struct KeyId(String);

impl FromRequestParts<AppState> for KeyId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let parameters = RawPathParams::from_request_parts(parts, app).await.ok();
        let parameters = parameters.as_ref().into_iter().flat_map(|parameters| parameters.iter());
        let id = parameters.into_iter().find(|(name, _)| *name == "key_id").map(|(_, value)| value);
        id.filter(|id| is_id(id)).map(|id| Self(id.to_owned())).ok_or(ApiError::KeyNotFound)
    }
}

#[derive(Serialize)]
pub(super) struct NewKeyView {
    key_id: String,
    api_key: String,
}

#[derive(Serialize)]
pub(super) struct RevokedKey {
    key_id: String,
}

#[derive(Serialize)]
pub(super) struct McpUrl {
    key_id: String,
    mcp_url: String,
}

#[derive(Serialize)]
pub(super) struct Members {
    members: Vec<MemberView>,
}

#[derive(Serialize)]
struct MemberView {
    email: String,
    role: &'static str,
    created_at: String,
    joined_at: Option<String>,
}

#[derive(Serialize)]
struct FoundConnections {
    connections: Vec<ConnectionView>,
    limit: u32,
    next_cursor: Option<String>,
}

/// `POST /tenant/keys`.
pub(super) async fn create_key(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Success<NewKeyView>, ApiError> {
    body.only(&["name", "capabilities"])?;
    let name = body.line("name", MAX_KEY_NAME)?.ok_or_else(|| ApiError::invalid("name is missing"))?;
    let is_capability = |text: &str| text.parse::<Capability>().is_ok();
    let words = body
        .texts("capabilities", Capability::ALL.len(), "a capability", is_capability)?
        .ok_or_else(|| ApiError::invalid("capabilities is missing"))?;
    let capabilities: Vec<Capability> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if capabilities.is_empty() {
        return Err(ApiError::invalid("capabilities must have at least one"));
    }
    let capabilities = tenant_keys::in_order(&capabilities);
    tenant_keys::check_capabilities(&caller.capabilities, &capabilities)?;
    let new = NewKey {
        tenant: &caller.tenant,
        name: Some(&name),
        capabilities: &capabilities,
        actor: Actor::Key(&caller.key),
    };
    let generated = tenant_keys::generate(&app, &new).await?;
    Ok(Success::new(NewKeyView { key_id: generated.id, api_key: generated.key }))
}

/// `DELETE /tenant/keys/{key_id}`.
pub(super) async fn revoke_key(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    KeyId(id): KeyId,
) -> Result<Success<RevokedKey>, ApiError> {
    let actor = Actor::Key(&caller.key);
    match app.store.revoke_tenant_key(&caller.tenant, &id, false, actor).await? {
        Revocation::Revoked => Ok(Success::new(RevokedKey { key_id: id })),
        Revocation::Last => {
            Err(ApiError::RotationConflict("It is the tenant's last key: make or rotate one first"))
        }
        Revocation::Unknown => Err(ApiError::KeyNotFound),
    }
}

/// `POST /tenant/keys/{key_id}/mcp-url`.
pub(super) async fn mint_mcp_url(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    KeyId(id): KeyId,
) -> Result<Success<McpUrl>, ApiError> {
    let opens = app.store.key_capabilities(&caller.tenant, &id).await?.ok_or(ApiError::KeyNotFound)?;
    tenant_keys::check_capabilities(&caller.capabilities, &opens)?;
    match app.store.mint_tenant_mcp_url(&caller.tenant, &id, Actor::Key(&caller.key)).await? {
        Minted::Minted(token) => {
            let mcp_url = mcp::address(&app.public_url, &token);
            Ok(Success::new(McpUrl { key_id: id, mcp_url }))
        }
        Minted::NoEmail => {
            Err(ApiError::RotationConflict("The tenant has no account that an MCP URL could act for"))
        }
        Minted::Unknown => Err(ApiError::KeyNotFound),
    }
}

/// `DELETE /tenant/keys/{key_id}/mcp-url`.
pub(super) async fn revoke_mcp_url(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    KeyId(id): KeyId,
) -> Result<Success<RevokedKey>, ApiError> {
    match app.store.revoke_tenant_mcp_url(&caller.tenant, &id, Actor::Key(&caller.key)).await? {
        true => Ok(Success::new(RevokedKey { key_id: id })),
        false => Err(ApiError::KeyNotFound),
    }
}

/// `GET /tenant/members`.
pub(super) async fn members(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Success<Members>, ApiError> {
    let members = app.store.members(&caller.tenant).await?.into_iter().map(|member| MemberView {
        email: member.email,
        role: member.role.as_str(),
        created_at: rfc3339(member.created_at),
        joined_at: member.joined_at.map(rfc3339),
    });
    Ok(Success::new(Members { members: members.collect() }))
}

/// `GET /tenant/connections`: of all customers.
pub(super) async fn connections(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let wrong = |message: &str| Err(ApiError::invalid(message));
    let search = query.get("search")?;
    if !search.is_none_or(|text| is_line(text, 1, MAX_SEARCH)) {
        return wrong("search must be at most 254 characters without control characters");
    }
    let app_id = query.get("app_id")?;
    if !app_id.is_none_or(is_id) {
        return wrong("app_id must be an app's id");
    }
    let state = match query.get("state")?.map(str::parse::<ConnectionState>) {
        Some(Err(())) => {
            return wrong("state must be active, needs_reconnection, pending, rejected or expired");
        }
        Some(Ok(state)) => Some(state),
        None => None,
    };
    let after = match query.get("after")?.map(str::parse::<ConnectionCursor>) {
        Some(Err(())) => return wrong("after must be a next_cursor"),
        Some(Ok(cursor)) => Some(cursor),
        None => None,
    };
    let limit = query.limit()?;
    let text = search.map(str::to_lowercase);
    let search = ConnectionSearch { text: text.as_deref(), app_id, state, after: after.as_ref() };
    let page = app.store.search_connections(&caller.tenant, &search, limit).await?;
    let connections = page.connections.into_iter();
    let connections =
        connections.map(|(owner, connection)| ConnectionView::new(&app, &owner, connection)).collect();
    let next_cursor = page.next.map(|cursor| cursor.to_string());
    Ok(Success::new(FoundConnections { connections, limit, next_cursor }))
}

/// `GET /tenant/connections/{connection_id}`: whichever customer has it.
pub(super) async fn connection(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    ConnectionId(id): ConnectionId,
) -> Result<Success<ConnectionView>, ApiError> {
    let found = app.store.tenant_connection(&caller.tenant, &id).await?;
    let (owner, connection) = found.ok_or(ApiError::ConnectionDeleted)?;
    Ok(Success::new(ConnectionView::new(&app, &owner, connection)))
}
