//! `GET /contacts`: the contacts of a customer's CRMs, in one shape. The catalogue's `[contacts]` says how each is
//! asked.
//!
//! This file is the way of one request: which connections, one after the other, and what becomes of those that fail.
//! One page of one connection is in `source.rs`, where the next page begins in `position.rs`.
//!
//! It must never hide that a connection failed, nor call a provider more often than a request is bounded to.

mod position;
mod source;

use std::collections::HashSet;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use crate::auth::tenant_key::{self, Customer};
use crate::budget::Group;
use crate::catalogue::{Contacts, Record};
use crate::envelope::Success;
use crate::error::ApiError;
use crate::extract::body::is_line;
use crate::extract::query::Query;
use crate::ids;
use crate::state::AppState;
use crate::store::{Caller, Owner};
use position::{ContactsCursor, Position};
use source::{Failure, Source};

/// Calls to providers for one request.
const MAX_CALLS: usize = 10;
/// No further call is made after that long.
const CALLS_UNTIL: Duration = Duration::from_secs(8);
/// The last call ends by then. SDKs wait 30 s.
const ENDS_BY: Duration = Duration::from_secs(25);
/// Maximum length of a search, in characters.
const MAX_SEARCH: usize = 200;
/// Maximum length of a cursor.
const MAX_CURSOR: usize = 8192;

/// A page of contacts.
#[derive(Default, Serialize)]
struct Page {
    contacts: Vec<Contact>,
    next_cursor: Option<String>,
    errors: Vec<ConnectionError>,
}

/// A contact on the wire.
#[derive(Serialize)]
struct Contact {
    id: String,
    connection_id: String,
    app_id: String,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
    emails: Vec<String>,
    phones: Vec<String>,
    company: Option<String>,
    title: Option<String>,
    url: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

/// Why the contacts of a connection, or the rest of them, are missing.
#[derive(Serialize)]
struct ConnectionError {
    connection_id: String,
    app_id: String,
    code: &'static str,
    message: String,
    retry_after: Option<u64>,
    provider_status: Option<u16>,
    /// Goes on where it failed, with this connection alone.
    cursor: Option<String>,
}

/// What is asked for.
struct Request<'a> {
    app: &'a AppState,
    caller: &'a Caller,
    owner: &'a Owner,
    key_digest: String,
    search: Option<&'a str>,
    limit: u32,
    /// What a cursor is bound to.
    binding: String,
}

/// The endpoint.
pub(crate) async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Customer(owner): Customer,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, ApiError> {
    let app_id = app_id(&app, &query)?;
    let connection_id = query.get("connection_id")?;
    if app_id.is_some() && connection_id.is_some() {
        return Err(ApiError::invalid("app_id and connection_id exclude each other"));
    }
    let search = query.get("search")?;
    if !search.is_none_or(|search| is_line(search, 1, MAX_SEARCH)) {
        return Err(ApiError::invalid("search must be at most 200 characters without control characters"));
    }
    let binding = format!(
        "contacts\n{}\n{}\n{}",
        app_id.unwrap_or_default(),
        connection_id.unwrap_or_default(),
        search.unwrap_or_default()
    );
    let cursor = match query.get("cursor")? {
        None => None,
        Some(text) => {
            let opened = match text.len() <= MAX_CURSOR {
                true => app.store.open_cursor(&owner, &binding, text).await?,
                false => None,
            };
            Some(opened.ok_or_else(|| {
                ApiError::invalid("cursor must be one that a response gave for the same customer and query")
            })?)
        }
    };
    let key_digest = tenant_key::key_digest(&app, &headers)?;
    let request = Request {
        app: &app,
        caller: &caller,
        owner: &owner,
        key_digest,
        search,
        limit: query.limit()?,
        binding,
    };
    let page = request.page(app_id, connection_id, cursor).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Success::new(page)).into_response())
}

/// The app that is asked for, by either name of the parameter.
fn app_id<'a>(app: &AppState, query: &'a Query) -> Result<Option<&'a str>, ApiError> {
    let (app_id, provider) = (query.get("app_id")?, query.get("provider")?);
    if app_id.is_some() && provider.is_some() {
        return Err(ApiError::invalid("app_id and provider are the same: send one of them"));
    }
    let Some(id) = app_id.or(provider) else { return Ok(None) };
    let found = app.catalogue.get(id).ok_or(ApiError::AppNotFound)?;
    if found.contacts.is_none() { Err(no_contacts(app)) } else { Ok(Some(id)) }
}

fn no_contacts(app: &AppState) -> ApiError {
    let known = apps_with_contacts(app).join(", ");
    ApiError::invalid(format!("Contacts are read of these apps alone: {known}"))
}

fn apps_with_contacts(app: &AppState) -> Vec<&str> {
    let apps = app.catalogue.search("").into_iter().filter(|app| app.contacts.is_some());
    apps.map(|app| app.id.as_str()).collect()
}

impl Request<'_> {
    async fn page(
        &self,
        app_id: Option<&str>,
        connection_id: Option<&str>,
        cursor: Option<ContactsCursor>,
    ) -> Result<Page, ApiError> {
        let (mut resumed, is_alone) =
            cursor.map_or((None, false), |cursor| (Some(cursor.position), cursor.is_alone));
        let first = resumed.as_ref().map_or("", |position| &position.connection);
        let connections = match connection_id {
            Some(id) => vec![(id.to_owned(), self.app_of(id).await?)],
            None => {
                let apps = app_id.map_or_else(|| apps_with_contacts(self.app), |id| vec![id]);
                let limit = u32::try_from(MAX_CALLS + 1).unwrap_or(u32::MAX);
                self.app.store.connections_from(self.owner, &apps, first, limit).await?
            }
        };
        let mut page = Page::default();
        if let Some(position) = &resumed
            && connections.iter().all(|(id, _)| *id != position.connection)
        {
            // It was deleted meanwhile: the rest of its contacts is missing.
            let app_id = position.app_id.clone();
            page.errors.push(ConnectionError::new(
                &position.connection,
                &app_id,
                &ApiError::ConnectionDeleted.into(),
            ));
            resumed = None;
            if is_alone {
                return Ok(page);
            }
        }
        let (begin, mut calls) = (Instant::now(), 0);
        let connections = connections.into_iter().take(if is_alone { 1 } else { usize::MAX });
        for (id, app_id) in connections {
            // An operator's catalogue may have changed.
            let Some(contacts) = self.app.catalogue.get(&app_id).and_then(|app| app.contacts.as_ref()) else {
                continue;
            };
            let resumed = resumed.take().filter(|position| position.connection == id);
            let mut position = resumed.unwrap_or_else(|| Position::start(&id, &app_id, contacts));
            loop {
                let is_over =
                    !page.contacts.is_empty() || calls == MAX_CALLS || begin.elapsed() > CALLS_UNTIL;
                // The first call was counted with the request.
                if is_over || (calls > 0 && self.is_over_budget().await) {
                    page.next_cursor = Some(self.cursor(position, is_alone).await?);
                    return Ok(page);
                }
                calls += 1;
                match self.step(contacts, &position, begin + ENDS_BY).await {
                    Ok((records, next)) => {
                        page.add(&id, &app_id, records);
                        match next {
                            Some(next) => position = next,
                            None => break,
                        }
                    }
                    // The service's own failures are those of the request.
                    Err(Failure::Api(
                        error @ (ApiError::ServiceUnavailable
                        | ApiError::Internal(_)
                        | ApiError::InvalidApiKey),
                    )) => return Err(error),
                    Err(failure) => {
                        let cursor = match failure.can_be_resumed() {
                            true => Some(self.cursor(position, true).await?),
                            false => None,
                        };
                        page.errors
                            .push(ConnectionError { cursor, ..ConnectionError::new(&id, &app_id, &failure) });
                        break;
                    }
                }
            }
        }
        Ok(page)
    }

    /// The app of a connection that is named.
    async fn app_of(&self, id: &str) -> Result<String, ApiError> {
        let id = Some(id).filter(|id| ids::is_connection(id)).ok_or(ApiError::ConnectionDeleted)?;
        let customer = Some(self.owner.customer.as_str());
        let found = self.app.store.token_lookup(&self.key_digest, Some(id), customer).await?;
        let connection =
            found.ok_or(ApiError::InvalidApiKey)?.connection.ok_or(ApiError::ConnectionDeleted)?;
        let status = connection.status.as_str();
        let app_id = connection.credential.ok_or(ApiError::ConnectionNotActive(status))?.app_id;
        let has_contacts = self.app.catalogue.get(&app_id).is_some_and(|app| app.contacts.is_some());
        if has_contacts { Ok(app_id) } else { Err(no_contacts(self.app)) }
    }

    async fn is_over_budget(&self) -> bool {
        self.app.budgets.take(Group::Proxy, self.caller).await.check().is_err()
    }

    async fn step(
        &self,
        contacts: &Contacts,
        position: &Position,
        deadline: Instant,
    ) -> Result<(Vec<Record>, Option<Position>), Failure> {
        let source = Source {
            app: self.app,
            caller: self.caller,
            owner: self.owner,
            key_digest: &self.key_digest,
            contacts,
            search: self.search,
            limit: self.limit,
        };
        match timeout_at(deadline, source.page(position)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ApiError::UpstreamUnavailable { retry_after: 1 }.into()),
        }
    }

    async fn cursor(&self, position: Position, is_alone: bool) -> Result<String, ApiError> {
        let cursor = ContactsCursor { position, is_alone };
        Ok(self.app.store.seal_cursor(self.owner, &self.binding, &cursor).await?)
    }
}

impl Page {
    fn add(&mut self, connection_id: &str, app_id: &str, records: Vec<Record>) {
        let mut ids = HashSet::new();
        let records = records.into_iter().filter(|record| ids.insert(record.id.clone()));
        self.contacts.extend(records.map(|record| Contact {
            id: record.id,
            connection_id: connection_id.to_owned(),
            app_id: app_id.to_owned(),
            first_name: record.first_name,
            last_name: record.last_name,
            display_name: record.display_name,
            emails: record.emails,
            phones: record.phones,
            company: record.company,
            title: record.title,
            url: record.url,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }));
    }
}

impl ConnectionError {
    fn new(connection_id: &str, app_id: &str, failure: &Failure) -> Self {
        Self {
            connection_id: connection_id.to_owned(),
            app_id: app_id.to_owned(),
            code: failure.code(),
            message: failure.to_string(),
            retry_after: failure.retry_after(),
            provider_status: failure.provider_status(),
            cursor: None,
        }
    }
}
