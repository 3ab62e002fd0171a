//! What is connected for an account, whichever product asked for it: to see it, and to withdraw it.

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use super::connections::{MAX_ACCOUNT, app_name};
use super::frame::{self, Frame, Moment};
use super::guard::{NamedConnection, Visit, redirect};
use super::problem::{PageResult, Problem};
use crate::state::{AppState, Service};
use crate::store::{AccountConnection, ConnectionState, DeletedBy, Deletion};

#[derive(Template)]
#[template(path = "my_connections.html")]
struct ListPage<'a> {
    frame: Frame,
    connections: &'a [Shown],
}

#[derive(Template)]
#[template(path = "withdraw.html")]
struct WithdrawPage<'a> {
    frame: Frame,
    connection: &'a Shown,
}

/// A connection, as its customer sees it.
struct Shown {
    id: String,
    product: String,
    app: String,
    name: String,
    account: Option<String>,
    works: bool,
    since: Moment,
    last_used: Option<Moment>,
}

impl Shown {
    fn new(app: &Service, found: AccountConnection) -> Self {
        let connection = found.connection;
        Self {
            works: connection.state() == ConnectionState::Active,
            product: found.tenant_name,
            name: connection.name,
            app: app_name(app, connection.app_id.as_deref()),
            account: connection.details.account.and_then(|account| account.name(MAX_ACCOUNT)),
            since: Moment(connection.created_at),
            last_used: connection.last_used_at.map(Moment),
            id: connection.id,
        }
    }
}

/// `GET /dashboard/my-connections`.
pub(super) async fn show(State(app): State<AppState>, visit: Visit) -> PageResult {
    let found = app.store.account_connections(&visit.session.email).await?;
    let connections: Vec<_> = found.into_iter().map(|found| Shown::new(&app, found)).collect();
    let frame = Frame::new(&app, &visit, "my-connections");
    Ok(frame::page(StatusCode::OK, &ListPage { frame, connections: &connections }))
}

/// `GET /dashboard/my-connections/{connection_id}/withdraw`: what it means, and the button.
pub(super) async fn confirm(
    State(app): State<AppState>,
    visit: Visit,
    NamedConnection(id): NamedConnection,
) -> PageResult {
    let found = app.store.account_connection(&visit.session.email, &id).await?;
    let connection = Shown::new(&app, found.ok_or(Problem::NotFound)?);
    let frame = Frame::new(&app, &visit, "my-connections");
    Ok(frame::page(StatusCode::OK, &WithdrawPage { frame, connection: &connection }))
}

/// `POST /dashboard/my-connections/{connection_id}/withdraw`. Nothing that the product does with the connection keeps
/// its customer from ending it.
pub(super) async fn withdraw(
    State(app): State<AppState>,
    visit: Visit,
    NamedConnection(id): NamedConnection,
) -> PageResult {
    let found = app.store.account_connection(&visit.session.email, &id).await?.ok_or(Problem::NotFound)?;
    match app.store.delete_connection_by(&found.owner, &id, DeletedBy::Customer).await? {
        // Somebody else was faster.
        Deletion::Deleted { .. } | Deletion::Unknown => Ok(redirect(&app, "/my-connections")),
        Deletion::InUse => Err(Problem::Api(crate::error::ApiError::ConnectionInUse)),
    }
}
