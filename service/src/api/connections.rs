//! `GET /connections`, and `GET` and `DELETE /connections/{id}`.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::header::Wait;
use super::path::{ConnectionId, is_id};
use super::query::Query;
use crate::access::Customer;
use crate::catalogue::AuthType;
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::state::AppState;
use crate::store::{Connection, Deletion, Operation, Owner, Status};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How often a held answer looks for what another process, or the clock, changed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A connection on the wire.
#[derive(Serialize)]
pub(super) struct ConnectionView {
    id: String,
    name: String,
    status: Status,
    app: Option<AppRef>,
    auth_type: Option<AuthType>,
    operation: Operation,
    created_at: String,
    updated_at: String,
    expires_at: Option<String>,
    user_email: String,
    usages: Vec<String>,
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

impl AppRef {
    /// An app that has left the catalogue is still called by its id.
    pub(super) fn new(app: &AppState, id: &str) -> Self {
        let name = app.catalogue.get(id).map_or(id, |app| &app.name);
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl ConnectionView {
    fn new(app: &AppState, owner: &Owner, connection: Connection, usages: Vec<String>) -> Self {
        let pending = connection.status == Status::Pending;
        Self {
            app: connection.app_id.map(|id| AppRef::new(app, &id)),
            status: connection.status,
            auth_type: connection.auth_type,
            operation: connection.operation,
            created_at: rfc3339(connection.created_at),
            updated_at: rfc3339(connection.updated_at),
            expires_at: pending.then(|| rfc3339(connection.link_expires_at)),
            user_email: owner.customer.clone(),
            name: connection.name,
            id: connection.id,
            usages,
        }
    }
}

pub(super) async fn list(
    State(app): State<AppState>,
    Customer(owner): Customer,
    query: Query,
) -> Result<impl IntoResponse, ApiError> {
    let page = query.page()?;
    let app_id = query.get("app_id")?;
    if !app_id.is_none_or(is_id) {
        return Err(ApiError::invalid("app_id must be an app's id"));
    }
    let (connections, total) = app
        .store
        .connections(&owner, app_id, page.limit, page.offset())
        .await?;
    let mut usages = app.store.all_usages(&owner).await?;
    let view = |connection: Connection| {
        let usages = usages.remove(&connection.id).unwrap_or_default();
        ConnectionView::new(&app, &owner, connection, usages)
    };
    let connections = connections.into_iter().map(view).collect();
    Ok(Success::new(Connections {
        connections,
        page: page.page,
        limit: page.limit,
        total,
    }))
}

pub(super) async fn read(
    State(app): State<AppState>,
    Customer(owner): Customer,
    ConnectionId(id): ConnectionId,
    Wait(wait): Wait,
) -> Result<Response, ApiError> {
    let connection = match wait {
        Some(wait) => settled(&app, &owner, &id, Instant::now() + wait).await?,
        None => app.store.connection(&owner, &id).await?,
    };
    let connection = connection.ok_or(ApiError::ConnectionDeleted)?;
    let usages = app.store.usages(&owner, &id).await?;
    let mut response = Success::new(ConnectionView::new(&app, &owner, connection, usages)).into_response();
    if wait.is_some() {
        response
            .headers_mut()
            .insert(PREFERENCE_APPLIED, HeaderValue::from_static("wait"));
    }
    Ok(response)
}

/// The connection once it is not pending any more, or as it is at the deadline, or when the service ends.
async fn settled(
    app: &AppState,
    owner: &Owner,
    id: &str,
    deadline: Instant,
) -> Result<Option<Connection>, ApiError> {
    loop {
        // Subscribed before looking: a change in between is not missed.
        let change = app.store.change(id);
        let connection = app.store.connection(owner, id).await?;
        let pending = connection
            .as_ref()
            .is_some_and(|connection| connection.status == Status::Pending);
        let now = Instant::now();
        if !pending || now >= deadline || app.ending.is_cancelled() {
            return Ok(connection);
        }
        tokio::select! {
            () = change => {}
            () = sleep_until(deadline.min(now + LOOK_AGAIN)) => {}
            () = app.ending.cancelled() => {}
        }
    }
}

pub(super) async fn remove(
    State(app): State<AppState>,
    Customer(owner): Customer,
    ConnectionId(id): ConnectionId,
) -> Result<Success<()>, ApiError> {
    match app.store.delete_connection(&owner, &id).await? {
        Deletion::Deleted => Ok(Success::new(())),
        Deletion::InUse => Err(ApiError::ConnectionInUse),
        Deletion::Unknown => Err(ApiError::ConnectionDeleted),
    }
}
