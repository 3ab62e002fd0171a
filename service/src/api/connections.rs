//! `GET /connections`, and `GET`, `PATCH` and `DELETE /connections/{id}`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use super::labels::{MAX_LENGTH, read_update};
use super::long_poll::{self, LongPoll, applied};
use crate::auth::tenant_key::Customer;
use crate::catalogue::{Account, AuthType, ProviderData};
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::{Body, is_line};
use crate::extract::header::Wait;
use crate::extract::path::{ConnectionId, is_id};
use crate::extract::query::Query;
use crate::oauth_clients::ClientSource;
use crate::state::AppState;
use crate::store::{
    Connection, ConnectionFilter, Deletion, LastError, LinkError, Operation, Organization, Origin, Owner,
    Reconnection, Status,
};

/// A connection on the wire.
#[derive(Serialize)]
pub(super) struct ConnectionView {
    id: String,
    name: String,
    status: Status,
    app: Option<AppRef>,
    auth_type: Option<AuthType>,
    operation: Operation,
    origin: Origin,
    created_at: String,
    updated_at: String,
    expires_at: Option<String>,
    user_email: String,
    usages: Vec<String>,
    last_error: Option<LastErrorView>,
    needs_reconnection: bool,
    reconnection: Option<ReconnectionView>,
    last_refreshed_at: Option<String>,
    last_used_at: Option<String>,
    metadata: Map<String, Value>,
    customer_id: Option<String>,
    customer_name: Option<String>,
    account: Option<Account>,
    provider_data: ProviderData,
    api_base_url: Option<String>,
    scopes: Option<Vec<String>>,
    client_source: Option<ClientSource>,
    organization: Option<OrganizationView>,
}

/// An organization of the tenant's.
#[derive(Serialize)]
pub(super) struct OrganizationView {
    id: String,
    name: String,
}

/// Why the customer could not be connected so far, for anybody.
#[derive(Serialize)]
pub(super) struct LinkErrorView {
    code: &'static str,
    message: &'static str,
}

/// The same for the backend, with the provider's own words.
#[derive(Serialize)]
struct LastErrorView {
    #[serde(flatten)]
    error: LinkErrorView,
    provider_message: Option<String>,
}

/// Why and since when the customer has to connect again.
#[derive(Serialize)]
struct ReconnectionView {
    reason: &'static str,
    since: String,
}

/// An app in brief.
#[derive(Serialize)]
pub(super) struct AppRef {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct Connections {
    connections: Vec<ConnectionView>,
    page: u32,
    limit: u32,
    total: u64,
}

/// What is left of a connection.
#[derive(Serialize)]
pub(super) struct Deleted {
    revocation: &'static str,
}

impl AppRef {
    /// An app that has left the catalogue is still called by its id.
    pub(super) fn new(app: &AppState, id: &str) -> Self {
        let name = app.catalogue.get(id).map_or(id, |app| &app.name);
        Self { id: id.to_owned(), name: name.to_owned() }
    }
}

impl From<Organization> for OrganizationView {
    fn from(Organization { id, name, .. }: Organization) -> Self {
        Self { id, name }
    }
}

impl From<LinkError> for LinkErrorView {
    fn from(error: LinkError) -> Self {
        Self { code: error.code(), message: error.message() }
    }
}

impl From<LastError> for LastErrorView {
    fn from(LastError { error, provider_message }: LastError) -> Self {
        Self { error: error.into(), provider_message }
    }
}

impl From<Reconnection> for ReconnectionView {
    fn from(reconnection: Reconnection) -> Self {
        Self { reason: reconnection.reason.as_str(), since: rfc3339(reconnection.since) }
    }
}

impl ConnectionView {
    pub(super) fn new(app: &AppState, owner: &Owner, connection: Connection) -> Self {
        let pending = connection.status == Status::Pending;
        let details = connection.details;
        let made_by = connection.app_id.as_deref().zip(connection.auth_option_key.as_deref());
        let configured = || made_by.and_then(|(id, _)| app.config.apps.get(id));
        let sandbox = match &connection.oauth_client {
            Some(client) => client.sandbox,
            None => configured().is_some_and(|client| client.sandbox),
        };
        let api_base_url = made_by.and_then(|(id, key)| app.public_base_url(id, key, &details, sandbox));
        let client_source = connection.auth_type.filter(|kind| *kind == AuthType::OAuth);
        let client_source = client_source.zip(made_by).map(|_| match &connection.oauth_client {
            Some(client) if client.is_organizations => ClientSource::Organization,
            Some(_) => ClientSource::Tenant,
            None => ClientSource::Operator,
        });
        Self {
            app: connection.app_id.map(|id| AppRef::new(app, &id)),
            status: connection.status,
            auth_type: connection.auth_type,
            operation: connection.operation,
            origin: connection.origin,
            created_at: rfc3339(connection.created_at),
            updated_at: rfc3339(connection.updated_at),
            expires_at: pending.then(|| rfc3339(connection.link_expires_at)),
            user_email: owner.customer.clone(),
            last_error: connection.last_error.map(LastErrorView::from),
            needs_reconnection: connection.reconnection.is_some(),
            reconnection: connection.reconnection.map(ReconnectionView::from),
            last_refreshed_at: connection.last_refreshed_at.map(rfc3339),
            last_used_at: connection.last_used_at.map(rfc3339),
            metadata: connection.metadata,
            customer_id: connection.customer_id,
            customer_name: connection.customer_name,
            name: connection.name,
            id: connection.id,
            usages: connection.usages,
            account: details.account,
            provider_data: details.provider_data,
            api_base_url,
            scopes: details.scopes,
            client_source,
            organization: connection.organization.map(OrganizationView::from),
        }
    }
}

pub(super) async fn list(
    State(app): State<AppState>,
    Customer(owner): Customer,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let page = query.page()?;
    let filter = filter(&query)?;
    let (connections, total) = app.store.connections(&owner, &filter, page.limit, page.offset()).await?;
    let view = |connection| ConnectionView::new(&app, &owner, connection);
    let connections = connections.into_iter().map(view).collect();
    Ok(Success::new(Connections { connections, page: page.page, limit: page.limit, total }))
}

fn filter(query: &Query) -> Result<ConnectionFilter<'_>, ApiError> {
    let wrong = |message: &str| Err(ApiError::invalid(message));
    let app_id = query.get("app_id")?;
    if !app_id.is_none_or(is_id) {
        return wrong("app_id must be an app's id");
    }
    let customer_id = query.get("customer_id")?;
    if !customer_id.is_none_or(|id| is_line(id, 1, MAX_LENGTH)) {
        return wrong("customer_id must be at most 200 characters without control characters");
    }
    let status = match query.get("status")?.map(str::parse) {
        Some(Err(_)) => return wrong("status must be pending, active, rejected or expired"),
        Some(Ok(status)) => Some(status),
        None => None,
    };
    let needs_reconnection = match query.get("needs_reconnection")? {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return wrong("needs_reconnection must be true or false"),
        None => None,
    };
    Ok(ConnectionFilter { app_id, status, customer_id, needs_reconnection })
}

pub(super) async fn read(
    State(app): State<AppState>,
    Customer(owner): Customer,
    ConnectionId(id): ConnectionId,
    Wait(wait): Wait,
) -> Result<Response, ApiError> {
    let long_poll = LongPoll::begin(&app, wait, &owner.tenant, None);
    let connection = wait_until_not_pending(&app, &owner, &id, long_poll.as_ref()).await?;
    Ok(applied(long_poll.as_ref(), Success::new(ConnectionView::new(&app, &owner, connection))))
}

/// The connection once it is not pending any more, or as it is when the long poll is over.
pub(crate) async fn wait_until_not_pending(
    app: &AppState,
    owner: &Owner,
    id: &str,
    long_poll: Option<&LongPoll<'_>>,
) -> Result<Connection, ApiError> {
    let read = async |_| {
        let found = app.store.connection(owner, id).await?;
        found.ok_or(ApiError::ConnectionDeleted)
    };
    let waiter = || app.store.waiter(id, None);
    long_poll::wait_until(long_poll, waiter, |found| found.status != Status::Pending, read).await
}

/// The body is looked at before the connection, as the contract orders the checks.
pub(super) async fn update(
    State(app): State<AppState>,
    Customer(owner): Customer,
    id: Result<ConnectionId, ApiError>,
    body: Body,
) -> Result<Success<ConnectionView>, ApiError> {
    let update = read_update(&body)?;
    let ConnectionId(id) = id?;
    if !update.is_empty() {
        app.store.update_connection(&owner, &id, &update).await?;
    }
    let connection = app.store.connection(&owner, &id).await?;
    let connection = connection.ok_or(ApiError::ConnectionDeleted)?;
    Ok(Success::new(ConnectionView::new(&app, &owner, connection)))
}

/// What becomes of a deleted connection's grant is said without a look at other tenants' connections of the same account,
/// whose existence is none of this one's business.
pub(super) async fn remove(
    State(app): State<AppState>,
    Customer(owner): Customer,
    ConnectionId(id): ConnectionId,
) -> Result<Success<Deleted>, ApiError> {
    match app.store.delete_connection(&owner, &id).await? {
        Deletion::Deleted { revoked } => {
            let can_revoke = match revoked {
                Some(grant) => app.can_revoke(&owner.tenant, &grant).await?,
                None => false,
            };
            Ok(Success::new(Deleted { revocation: if can_revoke { "requested" } else { "none" } }))
        }
        Deletion::InUse => Err(ApiError::ConnectionInUse),
        Deletion::Unknown => Err(ApiError::ConnectionDeleted),
    }
}
