//! Settings, Platform API Keys: to generate credentials, to rotate and to end them.
//!
//! A key is shown on the page that answers its form, and on no other.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use http::StatusCode;

use super::frame::{self, Frame, Moment};
use super::guard::{TenantVisit, redirect};
use super::problem::{PageResult, Problem};
use crate::error::ApiError;
use crate::extract::body::is_line;
use crate::extract::form::Form;
use crate::hosted::html::PageResponse;
use crate::mcp;
use crate::state::AppState;
use crate::store::{
    Actor, Capability, Key, MAX_KEY_NAME, MAX_LIVE_KEYS, Minted, NewKey, Promotion, Revocation, Rotation,
};
use crate::tenant_keys;

/// Capabilities that are offered first; the guide's four.
const USUAL: [Capability; 4] =
    [Capability::Apps, Capability::Connections, Capability::Token, Capability::Delete];

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage<'a> {
    frame: Frame,
    capabilities: Vec<Offered>,
    families: Vec<Family>,
    ended: Vec<ShownKey>,
    shown: Option<&'a Secret>,
    error: Option<&'a str>,
}

/// What is shown this once.
struct Secret {
    title: String,
    label: &'static str,
    value: String,
    /// What to do with it.
    text: &'static str,
}

struct Offered {
    name: &'static str,
    text: &'static str,
    is_usual: bool,
}

/// A key, or two that are to replace each other.
struct Family {
    current: ShownKey,
    successor: Option<ShownKey>,
}

struct ShownKey {
    id: String,
    name: String,
    capabilities: String,
    created: Moment,
    first_used: Option<Moment>,
    last_used: Option<Moment>,
    revoked: Option<Moment>,
    has_mcp_url: bool,
}

impl From<Key> for ShownKey {
    fn from(key: Key) -> Self {
        Self {
            name: key.name.unwrap_or_else(|| "Key without a name".to_owned()),
            id: key.id,
            capabilities: key.capabilities.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", "),
            created: Moment(key.created_at),
            first_used: key.used_at.map(Moment),
            last_used: key.last_used_at.map(Moment),
            revoked: key.revoked_at.map(Moment),
            has_mcp_url: key.has_mcp_url,
        }
    }
}

/// Capabilities that owners may give: those of their own work, and what the operator gave to a key of the tenant.
fn allowed(keys: &[Key]) -> Vec<Capability> {
    let live = keys.iter().filter(|key| key.revoked_at.is_none());
    let given = live.flat_map(|key| &key.capabilities).copied();
    let capabilities: Vec<_> = USUAL.into_iter().chain([Capability::Admin]).chain(given).collect();
    tenant_keys::in_order(&capabilities)
}

fn offered(allowed: Vec<Capability>) -> Vec<Offered> {
    let text = |capability| match capability {
        Capability::Apps => "Browse the app catalogue",
        Capability::Connections => "Create, list and read connections",
        Capability::Token => "Vend access tokens",
        Capability::Delete => "Delete connections",
        Capability::Admin => "Manage keys, webhooks and OAuth clients, and list all customers",
        Capability::Import => "Import credentials that you have already",
        Capability::Events => "Read the feed of events",
        Capability::Proxy => "Call providers through the service",
    };
    let offer = |capability: Capability| Offered {
        name: capability.as_str(),
        text: text(capability),
        is_usual: USUAL.contains(&capability),
    };
    allowed.into_iter().map(offer).collect()
}

/// What a page says beside the list of keys.
#[derive(Default)]
struct Message<'a> {
    shown: Option<&'a Secret>,
    error: Option<&'a str>,
}

async fn page(app: &AppState, member: &TenantVisit, message: Message<'_>) -> Result<PageResponse, Problem> {
    let mut families: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    let mut ended = Vec::new();
    let keys = app.store.keys(&member.tenant.tenant).await?;
    let capabilities = offered(allowed(&keys));
    for key in keys {
        match key.revoked_at {
            None => families.entry(key.family.clone()).or_default().push(key),
            Some(_) => ended.push(key.into()),
        }
    }
    let mut families: Vec<_> = families.into_values().collect();
    families.sort_by_key(|keys| std::cmp::Reverse(keys.iter().map(|key| key.created_at).min()));
    let family = |mut keys: Vec<Key>| {
        keys.sort_by_key(|key| key.generation);
        let mut keys = keys.into_iter().map(ShownKey::from);
        keys.next().map(|current| Family { current, successor: keys.next() })
    };
    let status = if message.error.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = KeysPage {
        frame: Frame::new(app, &member.visit, "keys"),
        capabilities,
        families: families.into_iter().filter_map(family).collect(),
        ended,
        shown: message.shown,
        error: message.error,
    };
    Ok(frame::page(status, &page))
}

async fn refused(app: &AppState, member: &TenantVisit, error: &str) -> PageResult {
    page(app, member, Message { error: Some(error), ..Message::default() }).await
}

async fn with_secret(app: &AppState, member: &TenantVisit, secret: &Secret) -> PageResult {
    page(app, member, Message { shown: Some(secret), ..Message::default() }).await
}

fn to_keys(app: &AppState, member: &TenantVisit) -> PageResponse {
    redirect(app, &format!("/tenants/{}/keys", member.tenant.tenant))
}

/// `GET …/keys`.
pub(super) async fn show(State(app): State<AppState>, member: TenantVisit) -> PageResult {
    page(&app, &member, Message::default()).await
}

/// `POST …/keys`: Generate Credentials.
pub(super) async fn generate(
    State(app): State<AppState>,
    member: TenantVisit,
    Extension(form): Extension<Form>,
) -> PageResult {
    let name = form.get("name").trim();
    if !is_line(name, 1, MAX_KEY_NAME) {
        return refused(&app, &member, &format!("Give the key a name of at most {MAX_KEY_NAME} characters."))
            .await;
    }
    let capabilities: Result<Vec<Capability>, _> = form.all("capabilities").map(str::parse).collect();
    let Some(capabilities) = capabilities.ok().filter(|capabilities| !capabilities.is_empty()) else {
        return refused(&app, &member, "Choose at least one capability.").await;
    };
    let capabilities = tenant_keys::in_order(&capabilities);
    let allowed = allowed(&app.store.keys(&member.tenant.tenant).await?);
    if let Some(other) = capabilities.iter().find(|capability| !allowed.contains(capability)) {
        let error =
            format!("No key of yours has `{}` yet: ask the operator for one that has it.", other.as_str());
        return refused(&app, &member, &error).await;
    }
    let actor = Actor::Account(&member.visit.session.email);
    let new = NewKey { tenant: &member.tenant.tenant, name: Some(name), capabilities: &capabilities, actor };
    match tenant_keys::generate(&app, &new).await {
        Ok(generated) => {
            let secret = Secret {
                title: format!("Your new key: {name}"),
                label: "Tenant key",
                value: generated.key,
                text: "Store it in your secret manager now. It is shown this once: the service keeps no \
                       copy. It belongs on \
                       your backend only.",
            };
            with_secret(&app, &member, &secret).await
        }
        Err(ApiError::InvalidRequest(error)) => refused(&app, &member, &format!("{error}.")).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST …/keys/{key}/rotate`.
pub(super) async fn rotate(
    State(app): State<AppState>,
    member: TenantVisit,
    Path((_, key)): Path<(String, String)>,
) -> PageResult {
    let actor = Actor::Account(&member.visit.session.email);
    match tenant_keys::rotate(&app, &member.tenant.tenant, &key, actor).await? {
        Rotation::Rotated { key, .. } => {
            let secret = Secret {
                title: "The key's successor".to_owned(),
                label: "Tenant key",
                value: key,
                text: "Both keys work now. Store the new one in your secret manager: it is shown this once. Deploy it \
                       everywhere, then come back to promote it.",
            };
            with_secret(&app, &member, &secret).await
        }
        Rotation::UnderWay => {
            refused(
                &app,
                &member,
                "The key has a successor already, which is in use: promote that one first.",
            )
            .await
        }
        Rotation::TooMany => {
            let error = format!("There are {MAX_LIVE_KEYS} keys: revoke one first.");
            refused(&app, &member, &error).await
        }
        Rotation::Unknown => Err(Problem::NotFound),
    }
}

/// `POST …/keys/{key}/promote`.
pub(super) async fn promote(
    State(app): State<AppState>,
    member: TenantVisit,
    Path((_, key)): Path<(String, String)>,
) -> PageResult {
    let actor = Actor::Account(&member.visit.session.email);
    match app.store.promote_key(&member.tenant.tenant, &key, actor, false).await? {
        Promotion::Promoted { .. } => Ok(to_keys(&app, &member)),
        Promotion::Unused => {
            let error = "Nobody has used the new key yet. Deploy it first: promoting it now would \
                 lock your backend out.";
            refused(&app, &member, error).await
        }
        Promotion::NoSuccessor => refused(&app, &member, "The key has no successor: rotate it first.").await,
        Promotion::Unknown => Err(Problem::NotFound),
    }
}

/// `POST …/keys/{key}/revoke`.
pub(super) async fn revoke(
    State(app): State<AppState>,
    member: TenantVisit,
    Path((_, key)): Path<(String, String)>,
) -> PageResult {
    let actor = Actor::Account(&member.visit.session.email);
    match app.store.revoke_tenant_key(&member.tenant.tenant, &key, false, actor).await? {
        Revocation::Revoked => Ok(to_keys(&app, &member)),
        Revocation::Last => {
            let error =
                "This is the last key. Generate or rotate one first, so that your backend is not locked out.";
            refused(&app, &member, error).await
        }
        Revocation::Unknown => Err(Problem::NotFound),
    }
}

/// `POST …/keys/{key}/mcp-url`.
pub(super) async fn mint_mcp_url(
    State(app): State<AppState>,
    member: TenantVisit,
    Path((_, key)): Path<(String, String)>,
) -> PageResult {
    let actor = Actor::Account(&member.visit.session.email);
    match app.store.mint_tenant_mcp_url(&member.tenant.tenant, &key, actor).await? {
        Minted::Minted(token) => {
            let secret = Secret {
                title: "The key's MCP URL".to_owned(),
                label: "MCP URL",
                value: mcp::address(&app.public_url, &token),
                text: "For clients that cannot send headers, such as Claude Desktop and Cursor. Whoever has it \
                       acts as your \
                       own account. It is shown this once; an earlier one works no more.",
            };
            with_secret(&app, &member, &secret).await
        }
        Minted::NoEmail => {
            let error = "The product has no account that the URL could act for. Whoever runs the service can set one.";
            refused(&app, &member, error).await
        }
        Minted::Unknown => Err(Problem::NotFound),
    }
}

/// `POST …/keys/{key}/mcp-url/revoke`.
pub(super) async fn revoke_mcp_url(
    State(app): State<AppState>,
    member: TenantVisit,
    Path((_, key)): Path<(String, String)>,
) -> PageResult {
    let actor = Actor::Account(&member.visit.session.email);
    match app.store.revoke_tenant_mcp_url(&member.tenant.tenant, &key, actor).await? {
        true => Ok(to_keys(&app, &member)),
        false => Err(Problem::NotFound),
    }
}
