//! One connection of a tenant: what is known of it, what happened to it, and what a member can do about it.

use askama::Template;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Map, Value};

use super::connections::{MAX_ACCOUNT, app_name};
use super::frame::{self, Frame, Moment};
use super::guard::{NamedConnection, TenantVisit, redirect};
use super::problem::{PageResult, Problem};
use crate::api;
use crate::error::ApiError;
use crate::hosted::html::PageResponse;
use crate::state::AppState;
use crate::store::{Connection, ConnectionState, DeletedBy, Deletion, Event, Owner, Role};

#[derive(Template)]
#[template(path = "connection.html")]
struct ConnectionPage<'a> {
    frame: Frame,
    connection: &'a Connection,
    state: ConnectionState,
    customer: &'a str,
    app: &'a str,
    account: Option<String>,
    metadata: Option<String>,
    events: &'a [ShownEvent],
    can_change: bool,
    /// A link that was just made.
    link: Option<&'a NewLink>,
    error: Option<&'a str>,
}

/// A link to connect again, which is shown this once.
struct NewLink {
    url: String,
    expires_at: String,
}

/// An event, in a line.
struct ShownEvent {
    at: Moment,
    event_type: String,
    detail: String,
}

impl From<Event> for ShownEvent {
    fn from(event: Event) -> Self {
        let data: Map<String, Value> = serde_json::from_str(event.data.get()).unwrap_or_default();
        // What is said beside the connection, which the page shows as it is now.
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Object(members) => {
                members.get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        };
        let details = data.iter().filter(|(name, _)| *name != "connection");
        let details = details.map(|(name, value)| format!("{}: {}", name.replace('_', " "), text(value)));
        Self {
            at: Moment(event.created_at),
            event_type: event.event_type,
            detail: details.collect::<Vec<_>>().join("; "),
        }
    }
}

/// `GET /dashboard/tenants/{tenant}/connections/{connection_id}`.
pub(super) async fn show(
    State(app): State<AppState>,
    member: TenantVisit,
    NamedConnection(id): NamedConnection,
) -> PageResult {
    let (owner, connection) = find(&app, &member, &id).await?;
    page(&app, &member, &owner, &connection, None, None).await
}

async fn find(app: &AppState, member: &TenantVisit, id: &str) -> Result<(Owner, Connection), Problem> {
    app.store.tenant_connection(&member.tenant.tenant, id).await?.ok_or(Problem::NotFound)
}

async fn page(
    app: &AppState,
    member: &TenantVisit,
    owner: &Owner,
    connection: &Connection,
    link: Option<&NewLink>,
    error: Option<&str>,
) -> Result<PageResponse, Problem> {
    let events = app.store.connection_events(&owner.tenant, &connection.id).await?;
    let events: Vec<_> = events.into_iter().map(ShownEvent::from).collect();
    let account = connection.details.account.as_ref();
    let metadata = (!connection.metadata.is_empty())
        .then(|| serde_json::to_string_pretty(&connection.metadata).unwrap_or_default());
    let page = ConnectionPage {
        frame: Frame::new(app, &member.visit, "connections"),
        connection,
        state: connection.state(),
        customer: &owner.customer,
        app: &app_name(app, connection.app_id.as_deref()),
        account: account.and_then(|account| account.name(MAX_ACCOUNT)),
        metadata,
        events: &events,
        can_change: member.tenant.role >= Role::Member,
        link,
        error,
    };
    let status = if error.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok(frame::page(status, &page))
}

/// `POST …/link`: a link by which the customer connects again.
pub(super) async fn link(
    State(app): State<AppState>,
    member: TenantVisit,
    NamedConnection(id): NamedConnection,
) -> PageResult {
    let (owner, connection) = find(&app, &member, &id).await?;
    let mut members = Map::new();
    members.insert("connection_id".to_owned(), id.as_str().into());
    match api::new_link(&app, &owner, members).await {
        Ok(made) => {
            let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
            let link = NewLink { url: text("request_link"), expires_at: text("expires_at") };
            page(&app, &member, &owner, &connection, Some(&link), None).await
        }
        Err(error) if error.status().is_server_error() => Err(error.into()),
        Err(error) => {
            let error = format!("{error}.");
            page(&app, &member, &owner, &connection, None, Some(&error)).await
        }
    }
}

/// `POST …/delete`.
pub(super) async fn delete(
    State(app): State<AppState>,
    member: TenantVisit,
    NamedConnection(id): NamedConnection,
) -> PageResult {
    let (owner, connection) = find(&app, &member, &id).await?;
    match app.store.delete_connection_by(&owner, &id, DeletedBy::Dashboard).await? {
        Deletion::Deleted { .. } | Deletion::Unknown => {
            Ok(redirect(&app, &format!("/tenants/{}/connections", owner.tenant)))
        }
        Deletion::InUse => {
            let error = format!("{}. Remove its usages first.", ApiError::ConnectionInUse);
            page(&app, &member, &owner, &connection, None, Some(&error)).await
        }
    }
}
