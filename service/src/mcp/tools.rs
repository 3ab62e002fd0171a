//! The four tools: what they take, what they give, what they do. There is deliberately none for tokens, and no output
//! has a member that could hold one.

use std::time::Duration;

use rmcp::model::ToolAnnotations;
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};

use super::schema::{ToolSpec, describe};
use super::server::ToolError;
use crate::api::{self, LongPoll};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::ids;
use crate::state::AppState;
use crate::store::{Capability, Connection, ConnectionFilter, Owner, Status};

pub(super) const SEARCH_APPS: &str = "search_apps";
pub(super) const LIST_CONNECTIONS: &str = "list_connections";
pub(super) const CREATE_CONNECTION_LINK: &str = "create_connection_link";
pub(super) const CHECK_CONNECTION_STATUS: &str = "check_connection_status";

const MAX_SEARCH: usize = 200;
const MAX_PAGE: u32 = 1_000_000;
const MAX_LIMIT: u32 = 100;
/// Shorter than what clients allow a tool.
const MAX_WAIT: u64 = 30;

/// All tools, in the order in which they are used.
pub(super) fn all() -> [ToolSpec; 4] {
    let reads = |title| {
        ToolAnnotations::with_title(title)
            .read_only(true)
            .destructive(false)
            .idempotent(true)
            .open_world(false)
    };
    [
        describe::<SearchApps, Apps>(
            SEARCH_APPS,
            "Finds apps that can be connected, by name, id or category. Gives their ids for create_connection_link.",
            reads("Search apps"),
            Capability::Apps,
        ),
        describe::<ListConnections, Connections>(
            LIST_CONNECTIONS,
            "Lists the user's connections, the newest first, with their status.",
            reads("List connections"),
            Capability::Connections,
        ),
        describe::<CreateConnectionLink, Link>(
            CREATE_CONNECTION_LINK,
            "Makes a link at which the user connects an app in a browser, or connects it again. Give the link to the \
             user and to nobody else: whoever opens it first can complete it.",
            ToolAnnotations::with_title("Create a connection link")
                .read_only(false)
                .destructive(false)
                .idempotent(false)
                .open_world(true),
            Capability::Connections,
        ),
        describe::<CheckConnectionStatus, Check>(
            CHECK_CONNECTION_STATUS,
            "Tells how a connection stands: pending until the user has finished, then active, rejected or expired. \
             Can wait for the user to finish.",
            reads("Check a connection's status"),
            Capability::Connections,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchApps {
    /// Part of an app's name, id or category; all apps without it.
    #[serde(default)]
    #[schemars(length(max = 200))]
    search: Option<String>,
    /// Only apps that can be connected now.
    #[serde(default)]
    connectable: bool,
    /// Which page, from 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000000))]
    page: Option<u32>,
    /// How many on a page; 20 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListConnections {
    /// Only connections of this app.
    #[serde(default)]
    app_id: Option<String>,
    /// Which page, from 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1000000))]
    page: Option<u32>,
    /// How many on a page; 20 unless told.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateConnectionLink {
    /// The app's id, from search_apps. May be left out where connection_id is given.
    #[serde(default)]
    app_id: Option<String>,
    /// What to call the connection, such as "Work Gmail"; the app's name unless told.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    /// An existing connection that the user is to authorise again in place, from list_connections.
    #[serde(default)]
    connection_id: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckConnectionStatus {
    /// From create_connection_link or list_connections.
    connection_id: String,
    /// How long to wait, while it is pending, for the user to finish; 0 unless told.
    #[serde(default)]
    #[schemars(range(min = 0, max = 30))]
    wait_seconds: u64,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Apps {
    apps: Vec<AppView>,
    page: u32,
    limit: u32,
    /// How many there are on all pages.
    total: u64,
}

#[derive(Serialize, JsonSchema)]
struct AppView {
    id: String,
    name: String,
    description: String,
    categories: Vec<String>,
    /// The kind of credential: o_auth, api_key, basic or header.
    auth_type: String,
    /// Whether a link for it can be made.
    connectable: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Connections {
    connections: Vec<ConnectionView>,
    page: u32,
    limit: u32,
    /// How many there are on all pages.
    total: u64,
}

#[derive(Serialize, JsonSchema)]
struct ConnectionView {
    id: String,
    name: String,
    /// pending, active, rejected or expired.
    status: String,
    /// None until the user has picked one.
    app: Option<AppName>,
    /// link where the user connected it, import where the product brought the credential.
    origin: &'static str,
    created_at: String,
    updated_at: String,
    /// When the link lapses, while the connection is pending.
    expires_at: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct AppName {
    id: String,
    name: String,
}

/// Of the answer to a backend, what an agent may see. The request token stays behind.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Link {
    /// For check_connection_status.
    connection_id: String,
    /// For the user alone, to open in a browser.
    request_link: String,
    /// When the link lapses.
    expires_at: String,
    app: Option<AppName>,
    /// creation, or reauth where an existing connection is authorised again.
    operation: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Check {
    connection: ConnectionView,
    /// Why the user could not finish so far; none where nothing failed.
    last_error: Option<Failure>,
    /// What to do now.
    next_step: String,
}

/// In the service's own words: an agent might take a provider's for instructions.
#[derive(Serialize, JsonSchema)]
struct Failure {
    code: &'static str,
    message: &'static str,
}

pub(super) async fn search_apps(
    app: &AppState,
    owner: &Owner,
    wanted: SearchApps,
) -> Result<Apps, ToolError> {
    let search = wanted.search.unwrap_or_default();
    if search.chars().count() > MAX_SEARCH {
        return Err(tell("search must be at most 200 characters."));
    }
    let (page, limit) = page_of(wanted.page, wanted.limit)?;
    let clients = app.clients(&owner.tenant, None).await.map_err(ApiError::from)?;
    let mut found = app.catalogue.search(&search);
    if wanted.connectable {
        found.retain(|found| clients.can_connect(found, None));
    }
    let view = |found: &crate::catalogue::App| AppView {
        id: found.id.clone(),
        name: found.name.clone(),
        description: found.description.clone(),
        categories: found.categories.clone(),
        auth_type: found.auth_options[0].auth_type.as_str().to_owned(),
        connectable: clients.can_connect(found, None),
    };
    let offset = usize::try_from(offset(page, limit)).unwrap_or(usize::MAX);
    Ok(Apps {
        apps: found.iter().skip(offset).take(limit as usize).map(|app| view(app)).collect(),
        page,
        limit,
        total: found.len() as u64,
    })
}

pub(super) async fn list_connections(
    app: &AppState,
    owner: &Owner,
    wanted: ListConnections,
) -> Result<Connections, ToolError> {
    let (page, limit) = page_of(wanted.page, wanted.limit)?;
    if wanted.app_id.as_deref().is_some_and(|id| !crate::extract::path::is_id(id)) {
        return Err(ToolError::Tell("app_id is not an app's id; search_apps tells them.".into()));
    }
    let filter = ConnectionFilter { app_id: wanted.app_id.as_deref(), ..ConnectionFilter::default() };
    let found = app.store.connections(owner, &filter, limit, offset(page, limit)).await;
    let (connections, total) = found.map_err(ApiError::from)?;
    Ok(Connections {
        connections: connections.into_iter().map(|connection| view(app, connection)).collect(),
        page,
        limit,
        total,
    })
}

pub(super) async fn create_connection_link(
    app: &AppState,
    owner: &Owner,
    wanted: CreateConnectionLink,
) -> Result<Link, ToolError> {
    let name = match (wanted.name, &wanted.app_id, &wanted.connection_id) {
        (_, None, None) => {
            return Err(tell("app_id is missing; search_apps tells the apps and their ids."));
        }
        (None, Some(id), None) => Some(name_of(app, id)),
        (name, ..) => name,
    };
    let members = [("app_id", wanted.app_id), ("name", name), ("connection_id", wanted.connection_id)];
    let given = members.map(|(member, value)| value.map(|value| (member.to_owned(), value.into())));
    let data = api::new_link(app, owner, given.into_iter().flatten().collect()).await?;
    serde_json::from_value(data).map_err(|_| ToolError::Internal)
}

pub(super) async fn check_connection_status(
    app: &AppState,
    owner: &Owner,
    wanted: CheckConnectionStatus,
) -> Result<Check, ToolError> {
    let id = &wanted.connection_id;
    if wanted.wait_seconds > MAX_WAIT {
        return Err(tell("wait_seconds must be at most 30; call again to wait longer."));
    }
    if !ids::is_connection(id) {
        return Err(ApiError::ConnectionDeleted.into());
    }
    let wait = Duration::from_secs(wanted.wait_seconds).min(app.config.max_long_poll());
    let long_poll = LongPoll::begin(app, (!wait.is_zero()).then_some(wait), &owner.tenant, None);
    let connection = api::wait_until_not_pending(app, owner, id, long_poll.as_ref()).await?;
    let last_error = connection.last_error.as_ref().map(|last| last.error);
    let last_error = last_error.map(|error| Failure { code: error.code(), message: error.message() });
    let next_step = next_step(connection.status).to_owned();
    Ok(Check { last_error, next_step, connection: view(app, connection) })
}

fn next_step(status: Status) -> &'static str {
    match status {
        Status::Pending => {
            "The user has not finished: remind them of the link, and check again, perhaps with wait_seconds."
        }
        Status::Active => "Connected: there is nothing left to do.",
        Status::Rejected => "The user declined. If they change their mind, make a new link.",
        Status::Expired => {
            "The link lapsed, or the access was withdrawn: make a new link with this connection_id."
        }
    }
}

fn view(app: &AppState, connection: Connection) -> ConnectionView {
    let pending = connection.status == Status::Pending;
    let named = |id: String| AppName { name: name_of(app, &id), id };
    ConnectionView {
        id: connection.id,
        name: connection.name,
        status: connection.status.as_str().to_owned(),
        app: connection.app_id.map(named),
        origin: connection.origin.as_str(),
        created_at: rfc3339(connection.created_at),
        updated_at: rfc3339(connection.updated_at),
        expires_at: pending.then(|| rfc3339(connection.link_expires_at)),
    }
}

/// An app that the catalogue does not have is called by its id.
fn name_of(app: &AppState, id: &str) -> String {
    app.catalogue.get(id).map_or(id, |app| &app.name).to_owned()
}

/// The schema says the bounds; clients need not heed it.
fn page_of(page: Option<u32>, limit: Option<u32>) -> Result<(u32, u32), ToolError> {
    let (page, limit) = (page.unwrap_or(1), limit.unwrap_or(20));
    if !(1..=MAX_PAGE).contains(&page) {
        return Err(tell("page must be between 1 and 1000000."));
    }
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(tell("limit must be between 1 and 100."));
    }
    Ok((page, limit))
}

fn offset(page: u32, limit: u32) -> u64 {
    u64::from(page - 1) * u64::from(limit)
}

fn tell(message: &str) -> ToolError {
    ToolError::Tell(message.to_owned())
}
