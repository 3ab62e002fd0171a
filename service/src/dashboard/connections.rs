//! The connections of all customers of a tenant.

use askama::Template;
use axum::extract::State;
use http::StatusCode;
use url::form_urlencoded;

use super::frame::{self, Frame, Moment};
use super::guard::TenantVisit;
use super::problem::PageResult;
use crate::extract::path::is_id;
use crate::extract::query::Query;
use crate::state::{AppState, Service};
use crate::store::{Connection, ConnectionCursor, ConnectionSearch, ConnectionState, MAX_SEARCH, Owner};

/// Connections on a page.
const PAGE: u32 = 50;

/// Characters of the name of an account at a provider.
pub(super) const MAX_ACCOUNT: usize = 200;

#[derive(Template)]
#[template(path = "connections.html")]
struct ConnectionsPage<'a> {
    frame: Frame,
    search: &'a str,
    apps: &'a [Choice],
    states: &'a [Choice],
    is_filtered: bool,
    connections: &'a [Listed],
    /// The addresses of the first page and of the next one.
    first: Option<String>,
    next: Option<String>,
}

/// A choice of a list.
struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

/// A connection, as a member sees it in the list.
struct Listed {
    id: String,
    customer: String,
    customer_id: Option<String>,
    app: String,
    name: String,
    account: Option<String>,
    state: ConnectionState,
    created: Moment,
    last_used: Option<Moment>,
}

impl Listed {
    fn new(app: &Service, owner: Owner, connection: Connection) -> Self {
        Self {
            state: connection.state(),
            customer: owner.customer,
            name: connection.name,
            customer_id: connection.customer_id,
            app: app_name(app, connection.app_id.as_deref()),
            account: connection.details.account.and_then(|account| account.name(MAX_ACCOUNT)),
            created: Moment(connection.created_at),
            last_used: connection.last_used_at.map(Moment),
            id: connection.id,
        }
    }
}

/// The name of an app; of one that has left the catalogue, its id.
pub(super) fn app_name(app: &Service, id: Option<&str>) -> String {
    match id {
        Some(id) => app.catalogue.get(id).map_or(id, |app| &app.name).to_owned(),
        None => "not chosen yet".to_owned(),
    }
}

/// A state in words.
pub(super) fn state_label(state: &ConnectionState) -> &'static str {
    match state {
        ConnectionState::Active => "Active",
        ConnectionState::NeedsReconnection => "Needs reconnection",
        ConnectionState::Pending => "Pending",
        ConnectionState::Rejected => "Rejected",
        ConnectionState::Expired => "Expired",
    }
}

/// `GET /dashboard/tenants/{tenant}/connections`. What makes no sense in the address is as if it were not there.
pub(super) async fn show(State(app): State<AppState>, member: TenantVisit, query: Query) -> PageResult {
    let tenant = member.tenant.tenant.as_str();
    let entered = query.get("search")?.unwrap_or_default().trim();
    let entered = entered.char_indices().nth(MAX_SEARCH).map_or(entered, |(end, _)| &entered[..end]);
    let text = Some(entered.to_lowercase()).filter(|text| !text.is_empty());
    let app_id = query.get("app")?.filter(|id| is_id(id));
    let state = query.get("state")?.and_then(|state| state.parse::<ConnectionState>().ok());
    let after = query.get("after")?.and_then(|cursor| cursor.parse::<ConnectionCursor>().ok());
    let search = ConnectionSearch { text: text.as_deref(), app_id, state, after: after.as_ref() };
    let page = app.store.search_connections(tenant, &search, PAGE).await?;
    let listed = page.connections.into_iter().map(|(owner, one)| Listed::new(&app, owner, one));
    let connections: Vec<_> = listed.collect();

    let frame = Frame::new(&app, &member.visit, "connections");
    let address = |after: Option<&ConnectionCursor>| {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        let state = state.map(ConnectionState::as_str);
        let after = after.map(ToString::to_string);
        for (name, value) in
            [("search", text.as_deref()), ("app", app_id), ("state", state), ("after", after.as_deref())]
        {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        format!("{}/connections?{}", frame.tenant_base(), pairs.finish())
    };
    let (first, next) =
        (after.is_some().then(|| address(None)), page.next.as_ref().map(|next| address(Some(next))));
    let apps = app.store.connected_apps(tenant).await?;
    let mut apps: Vec<_> = apps
        .into_iter()
        .map(|id| Choice { label: app_name(&app, Some(&id)), is_chosen: app_id == Some(&*id), value: id })
        .collect();
    apps.sort_by_key(|choice| choice.label.to_lowercase());
    let states = ConnectionState::ALL.map(|one| Choice {
        value: one.as_str().to_owned(),
        label: state_label(&one).to_owned(),
        is_chosen: state == Some(one),
    });
    let page = ConnectionsPage {
        search: entered,
        is_filtered: text.is_some() || app_id.is_some() || state.is_some(),
        apps: &apps,
        states: &states,
        connections: &connections,
        first,
        next,
        frame,
    };
    Ok(frame::page(StatusCode::OK, &page))
}
