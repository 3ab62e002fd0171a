//! `/apps/{appId}/oauth-client` and `/organizations/{organizationId}/apps/{appId}/oauth-client`: a tenant's own OAuth client
//! for an app, and that of one of its organizations. The secret comes in and never goes out.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use secrecy::SecretString;
use serde::Serialize;

use super::create_link::{MAX_SCOPES, is_scope};
use crate::catalogue::{App, FieldError};
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::Body;
use crate::extract::path::{AppId, OrganizationId};
use crate::language::Message;
use crate::oauth_clients::{MAX_CLIENT_ID, MAX_SECRET, SecretTrial, is_printable};
use crate::revocation;
use crate::state::AppState;
use crate::store::{Actor, Caller, ClientPlace, ClientSecrets, NewClient, StoredClient};

const MEMBERS: [&str; 5] = ["client_id", "client_secret", "scopes", "params", "sandbox"];

const MAX_PARAMS: usize = 20;

/// A client without its secrets.
#[derive(Serialize)]
pub(super) struct ClientView {
    app_id: String,
    organization_id: Option<String>,
    client_id: String,
    scopes: Option<Vec<String>>,
    /// Their names.
    params: Vec<String>,
    sandbox: bool,
    redirect_uri: String,
    connections: u64,
    set_by: String,
    created_at: String,
    updated_at: String,
}

/// What a removed client leaves behind.
#[derive(Serialize)]
pub(super) struct Removed {
    connections: u64,
}

pub(super) async fn read(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    OrganizationId(organization): OrganizationId,
    AppId(app_id): AppId,
) -> Result<Success<ClientView>, ApiError> {
    let found = app.catalogue.get(&app_id).ok_or(ApiError::AppNotFound)?;
    view(&app, place(&caller, found, organization.as_deref())).await.map(Success::new)
}

/// The body is looked at before the client, as the contract orders the checks.
pub(super) async fn set(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    OrganizationId(organization): OrganizationId,
    AppId(app_id): AppId,
    body: Body,
) -> Result<Success<ClientView>, ApiError> {
    let found = oauth_app(&app, &app_id)?;
    let place = place(&caller, found, organization.as_deref());
    let new = new_client(found, place, &body)?;
    let current = app.store.current_client(place).await?;
    if let Some(current) = current.filter(|current| current.client_id == new.client_id) {
        // A secret that does not work would end the connections later, one after the other.
        match app.try_secret(found, &new, &current).await? {
            SecretTrial::NotRefused => {}
            SecretTrial::OverBudget(retry_after) => return Err(ApiError::RateLimited { retry_after }),
            SecretTrial::Refused => {
                return Err(ApiError::InvalidMembers(vec![FieldError {
                    field: "client_secret".to_owned(),
                    message: Message::new("client-secret-refused").with("app", &found.name),
                }]));
            }
        }
    }
    app.store.put_client(&new, Actor::Key(&caller.key), &caller.key).await?;
    revocation::end_sessions(&app).await?;
    view(&app, place).await.map(Success::new)
}

pub(super) async fn remove(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    OrganizationId(organization): OrganizationId,
    AppId(app_id): AppId,
) -> Result<Success<Removed>, ApiError> {
    let found = app.catalogue.get(&app_id).ok_or(ApiError::AppNotFound)?;
    let place = place(&caller, found, organization.as_deref());
    let ended = app.store.remove_client(place, Actor::Key(&caller.key), &caller.key).await?;
    let connections = ended.ok_or(ApiError::OAuthClientNotFound)?;
    revocation::end_sessions(&app).await?;
    Ok(Success::new(Removed { connections }))
}

/// An app that has OAuth at all.
fn oauth_app<'a>(app: &'a AppState, id: &str) -> Result<&'a App, ApiError> {
    let found = app.catalogue.get(id).ok_or(ApiError::AppNotFound)?;
    if found.has_oauth() { Ok(found) } else { Err(ApiError::invalid("The app is not connected by OAuth")) }
}

fn place<'a>(caller: &'a Caller, app: &'a App, organization: Option<&'a str>) -> ClientPlace<'a> {
    ClientPlace { tenant: &caller.tenant, app_id: &app.id, organization }
}

fn new_client<'a>(app: &App, place: ClientPlace<'a>, body: &'a Body) -> Result<NewClient<'a>, ApiError> {
    body.only(&MEMBERS)?;
    let missing = |name: &str| ApiError::invalid(format!("{name} is missing"));
    let form = |max: usize| format!("1 to {max} printable ASCII characters");
    let client_id = body.text("client_id", &form(MAX_CLIENT_ID), |text| is_printable(text, MAX_CLIENT_ID))?;
    let secret = body.text("client_secret", &form(MAX_SECRET), |text| is_printable(text, MAX_SECRET))?;
    let scopes = body.texts("scopes", MAX_SCOPES, "an OAuth scope", is_scope)?;
    let params = body.fields("params", MAX_PARAMS, MAX_SECRET)?.unwrap_or_default();
    let needed = app.app_params();
    if let Some(name) = params.keys().find(|name| !needed.contains(name.as_str())) {
        return Err(ApiError::invalid(format!(
            "The app has no parameter {}",
            crate::extract::json::quoted(name)
        )));
    }
    if let Some(name) = needed.into_iter().find(|name| !params.contains_key(*name)) {
        return Err(missing(&format!("params.{name}")));
    }
    if !params.values().all(|value| is_printable(value, MAX_SECRET)) {
        return Err(ApiError::invalid(format!("params must each be {}", form(MAX_SECRET))));
    }
    let params: BTreeMap<String, SecretString> =
        params.into_iter().map(|(name, value)| (name, value.into())).collect();
    Ok(NewClient {
        place,
        client_id: client_id.ok_or_else(|| missing("client_id"))?,
        secrets: ClientSecrets {
            client_secret: secret.ok_or_else(|| missing("client_secret"))?.into(),
            params,
        },
        scopes,
        sandbox: body.flag("sandbox")?.unwrap_or_default(),
    })
}

async fn view(app: &AppState, place: ClientPlace<'_>) -> Result<ClientView, ApiError> {
    let found = app.store.current_client(place).await?.ok_or(ApiError::OAuthClientNotFound)?;
    let params = app.store.client_secrets(&found).await?.params.into_keys().collect();
    let connections = app.store.connections_of_client(place).await?;
    let StoredClient { app_id, organization, client_id, scopes, sandbox, set_by, .. } = found;
    Ok(ClientView {
        redirect_uri: app.redirect_uri(&app_id),
        app_id,
        organization_id: organization,
        client_id,
        scopes,
        params,
        sandbox,
        connections,
        set_by,
        created_at: rfc3339(found.created_at),
        updated_at: rfc3339(found.updated_at),
    })
}
