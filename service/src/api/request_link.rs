//! `POST /connections/request-link`: the start of every connection.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use serde::Serialize;

use super::body::{Body, is_line};
use super::connections::AppRef;
use super::header::IdempotencyKey;
use super::path::is_id;
use super::web_address::{self, is_origin, is_return_url};
use crate::access::Customer;
use crate::catalogue::{App, AuthType};
use crate::clock::rfc3339;
use crate::envelope::Success;
use crate::error::ApiError;
use crate::ids;
use crate::state::AppState;
use crate::store::{Connection, Created, LinkOptions, NewAnswer, NewLink, Operation, Owner, Target};

const DEFAULT_LIFETIME: u64 = 600;
const MAX_APPS: usize = 50;
const MAX_SCOPES: usize = 50;

/// What the body asks for, each member well-formed.
struct Wanted {
    app_id: Option<String>,
    name: Option<String>,
    connection_id: Option<String>,
    auth_option_key: Option<String>,
    expires_in: u64,
    allow_multiple_connections: bool,
    options: LinkOptions,
}

#[derive(Serialize)]
struct RequestLink {
    connection_id: String,
    request_token: String,
    request_link: String,
    expires_at: String,
    app: Option<AppRef>,
    status_url: String,
    operation: Operation,
}

pub(super) async fn create(
    State(app): State<AppState>,
    Customer(owner): Customer,
    IdempotencyKey(key): IdempotencyKey,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted = Wanted::read(&body)?;
    let Some(key) = key else {
        let answer = make(&app, &owner, wanted, None).await?;
        return answer
            .map(json)
            .ok_or_else(|| ApiError::internal("a link was refused without a key"));
    };
    // Keys are the customer's own, and so are their answers.
    let key = format!("{}\n{key}", owner.customer);
    let fingerprint = ids::digest(&body.canonical());
    if let Some(answer) = kept(&app, &owner, &key, &fingerprint).await? {
        return Ok(answer);
    }
    if let Some(answer) = make(&app, &owner, wanted, Some((&key, &fingerprint))).await? {
        return Ok(json(answer));
    }
    // The same request came at the same time and was first.
    let answer = kept(&app, &owner, &key, &fingerprint).await?;
    answer.ok_or_else(|| ApiError::internal("an idempotency key is taken but has no answer"))
}

fn json(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn kept(
    app: &AppState,
    owner: &Owner,
    key: &str,
    fingerprint: &str,
) -> Result<Option<Response>, ApiError> {
    match app.store.answer(&owner.tenant, key).await? {
        Some((same, body)) if same == fingerprint => Ok(Some(json(body.expose_secret().to_owned()))),
        Some(_) => Err(ApiError::IdempotencyKeyReused),
        None => Ok(None),
    }
}

/// Makes the link and gives the answer's body; `None` where the idempotency key is taken.
async fn make(
    app: &AppState,
    owner: &Owner,
    mut wanted: Wanted,
    key: Option<(&str, &str)>,
) -> Result<Option<String>, ApiError> {
    let existing = existing(app, owner, &wanted).await?;
    let apps = wanted.apps(app, existing.as_ref())?;
    let app_id = match apps.as_slice() {
        [only] => Some(only.id.as_str()),
        several => {
            wanted.options.allowed_apps = several.iter().map(|app| app.id.clone()).collect();
            None
        }
    };
    let existing = match (existing, app_id) {
        (None, Some(app_id)) if !wanted.allow_multiple_connections => {
            app.store.connection_for_app(owner, app_id).await?
        }
        (existing, _) => existing,
    };
    let new_id = ids::connection();
    let (target, connection_id, operation) = match &existing {
        Some(connection) => {
            // Only who names a connection can mean to rename it.
            let name = wanted.connection_id.as_ref().and(wanted.name.as_deref());
            (
                Target::Existing {
                    id: &connection.id,
                    name,
                },
                &connection.id,
                Operation::Reauth,
            )
        }
        None => {
            let name = wanted
                .name
                .as_deref()
                .ok_or_else(|| ApiError::invalid("name is missing"))?;
            (Target::New { id: &new_id, name }, &new_id, Operation::Creation)
        }
    };
    let (secret, request_token) = (ids::secret(), ids::request_token());
    let lifetime = i64::try_from(wanted.expires_in).unwrap_or_default() * 1000;
    // Whole seconds, so that what is told is exactly what holds.
    let expires_at = (app.clock.now() + lifetime + 999) / 1000 * 1000;
    let answer = RequestLink {
        connection_id: connection_id.clone(),
        request_link: format!("{}/connect/{secret}", app.base_url()),
        expires_at: rfc3339(expires_at),
        app: app_id.map(|id| AppRef::new(app, id)),
        status_url: format!("{}/connections/{connection_id}/status", app.base_url()),
        operation,
        request_token: request_token.clone(),
    };
    let answer = serde_json::to_string(&Success::new(answer)).map_err(ApiError::internal)?;
    let new = NewLink {
        owner,
        target,
        app_id,
        auth_option_key: wanted.auth_option_key.as_deref(),
        secret: &secret,
        request_token: &request_token,
        options: &wanted.options,
        expires_at,
    };
    let kept = key.map(|(key, fingerprint)| NewAnswer {
        key,
        fingerprint,
        body: &answer,
    });
    match app.store.create_link(&new, kept.as_ref()).await? {
        Created::Created => Ok(Some(answer)),
        Created::KeyUsed => Ok(None),
        Created::UnknownConnection => Err(ApiError::ConnectionDeleted),
    }
}

/// The connection that the body names.
async fn existing(app: &AppState, owner: &Owner, wanted: &Wanted) -> Result<Option<Connection>, ApiError> {
    let Some(id) = wanted.connection_id.as_deref() else {
        return Ok(None);
    };
    let connection = app
        .store
        .connection(owner, id)
        .await?
        .ok_or(ApiError::ConnectionDeleted)?;
    Ok(Some(connection))
}

impl Wanted {
    fn read(body: &Body) -> Result<Self, ApiError> {
        let text = |name, form: &str, accepts: &dyn Fn(&str) -> bool| -> Result<_, ApiError> {
            Ok(body.text(name, form, accepts)?.map(str::to_owned))
        };
        let id = |name| text(name, "an id", &is_id);
        let line = |name, max| {
            let form = format!("1 to {max} characters without control characters");
            text(name, &form, &|value| is_line(value, 1, max))
        };
        let allowed_apps = body.texts("allowed_apps", MAX_APPS, "an id", is_id)?;
        if allowed_apps.as_ref().is_some_and(Vec::is_empty) {
            return Err(ApiError::invalid("allowed_apps must not be empty"));
        }
        let wanted = Self {
            app_id: id("app_id")?,
            name: line("name", 200)?,
            connection_id: id("connection_id")?,
            auth_option_key: id("auth_option_key")?,
            expires_in: body.number("expires_in", 60, 86_400)?.unwrap_or(DEFAULT_LIFETIME),
            allow_multiple_connections: body.flag("allow_multiple_connections")?.unwrap_or(true),
            options: LinkOptions {
                allowed_apps: allowed_apps.unwrap_or_default(),
                return_url: text("return_url", web_address::RETURN_URL, &is_return_url)?,
                allowed_origin: text("allowed_origin", web_address::ORIGIN, &is_origin)?
                    .map(web_address::as_sent),
                display_name: line("display_name", 120)?,
                scopes: body
                    .texts("scopes", MAX_SCOPES, "an OAuth scope", is_scope)?
                    .unwrap_or_default(),
            },
        };
        if wanted.connection_id.is_none() {
            if wanted.name.is_none() {
                return Err(ApiError::invalid("name is missing"));
            }
            if wanted.app_id.is_none() && wanted.options.allowed_apps.is_empty() {
                return Err(ApiError::invalid(
                    "app_id is missing; allowed_apps or connection_id can stand for it",
                ));
            }
        }
        Ok(wanted)
    }

    /// The apps that the link is for, one or several to pick from: all are known and can be connected.
    fn apps(&self, app: &AppState, existing: Option<&Connection>) -> Result<Vec<Arc<App>>, ApiError> {
        let fixed = existing.and_then(|connection| connection.app_id.as_deref());
        let mut named: Vec<&str> = Vec::new();
        for id in self.app_id.iter().chain(&self.options.allowed_apps) {
            if !named.contains(&id.as_str()) {
                named.push(id);
            }
        }
        let ids = match fixed {
            Some(id) if named.is_empty() || named == [id] => vec![id],
            Some(_) => return Err(ApiError::invalid("The connection is for another app")),
            None if named.is_empty() => {
                return Err(ApiError::invalid(
                    "The connection has no app yet: app_id or allowed_apps is missing",
                ));
            }
            None => named,
        };
        let mut apps = Vec::with_capacity(ids.len());
        for id in ids {
            let found = app.catalogue.get(id).ok_or(ApiError::AppNotFound)?;
            if let Some(key) = &self.auth_option_key {
                found.auth_option(key).ok_or(ApiError::AppNotFound)?;
            }
            if self.is_connectable(app, found) {
                apps.push(found.clone());
            }
        }
        if apps.is_empty() {
            Err(ApiError::AppNotConfigured)
        } else {
            Ok(apps)
        }
    }

    /// OAuth needs a client of the operator's; a form needs nothing.
    fn is_connectable(&self, app: &AppState, found: &App) -> bool {
        let mut options = found
            .auth_options
            .iter()
            .filter(|option| self.auth_option_key.as_ref().is_none_or(|key| *key == option.key));
        options.any(|option| option.auth_type != AuthType::OAuth || app.registration(found).is_some())
    }
}

/// RFC 6749: visible ASCII without quotes and backslashes.
fn is_scope(text: &str) -> bool {
    (1..=200).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
}
