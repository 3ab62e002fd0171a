//! The control API of `connect-service dev`: one address, with a token that nobody guesses, one command a request.
//!
//! `connect-service dev ctl` and tests post [`Command`]s as JSON; the page at the same address posts them as forms.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::command::Command;
use super::presets::Presets;
use super::provider::{Failure, Provider, Scope};
use super::redeliver;
use super::{advance, customer};
use crate::clock::rfc3339;
use crate::dashboard;
use crate::email;
use crate::hosted::Look;
use crate::hosted::html::{FormTargets, NextAction, Outcome, PageResponse, Severity};
use crate::ids;
use crate::state::{AppState, Service};
use crate::store::{Capability, Credential, NewSignIn, Owner, StoreError, Tokens};

/// How many connections are listed.
const MAX_LISTED: u32 = 200;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct ControlError {
    status: StatusCode,
    message: String,
}

impl ControlError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.message }))).into_response()
    }
}

/// What commands work on.
pub(super) struct Control {
    pub(super) service: AppState,
    pub(super) provider: Arc<Provider>,
    pub(super) presets: Presets,
    pub(super) http: reqwest::Client,
    /// In the address.
    pub(super) token: String,
}

/// One connection as the page and the API show it.
#[derive(Serialize)]
struct Row {
    connection_id: String,
    customer: String,
    name: String,
    app: String,
    status: &'static str,
    needs_reconnection: bool,
    has_tokens: bool,
    link_status: &'static str,
    link_phase: String,
    link_expires_at: String,
}

#[derive(Serialize)]
struct SetFailure {
    preset: String,
    scope: String,
    times: Option<u32>,
}

#[derive(Template)]
#[template(path = "dev_control.html")]
struct ControlPage<'a> {
    look: &'a Look,
    base_url: String,
    now: String,
    connections: Vec<Row>,
    presets: &'a Presets,
    failures: Vec<SetFailure>,
}

/// The one address.
pub(super) fn routes(control: Arc<Control>) -> Router {
    Router::new()
        .route("/control/{token}", get(show).post(post))
        .route_layer(middleware::from_fn_with_state(control.clone(), check))
        .with_state(control)
}

/// Only with the token, and never for a web page of another origin, which could have got hold of it.
async fn check(
    State(control): State<Arc<Control>>,
    Path(token): Path<String>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_own = |origin: &http::HeaderValue| origin.as_bytes() == format!("http://{host}").as_bytes();
    if headers.get(ORIGIN).is_some_and(|origin| !is_own(origin)) {
        return ControlError::new(StatusCode::FORBIDDEN, "Another web page sent this").into_response();
    }
    if ids::digest(&token) != ids::digest(&control.token) {
        return ControlError::new(StatusCode::NOT_FOUND, "The token in the address is wrong").into_response();
    }
    next.run(request).await
}

async fn show(State(control): State<Arc<Control>>) -> Response {
    match control.rows().await {
        Ok(connections) => {
            let look = Look::english();
            let page = ControlPage {
                look: &look,
                base_url: control.service.base_url(),
                now: rfc3339(control.service.clock.now()),
                connections,
                presets: &control.presets,
                failures: control.set_failures(),
            };
            PageResponse::new(StatusCode::OK, &page, &look, &FormTargets::default()).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn post(State(control): State<Arc<Control>>, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match content_type.and_then(|value| value.split(';').next()) {
        Some("application/json") => match serde_json::from_slice(&body) {
            Ok(command) => match control.execute(command).await {
                Ok(result) => Json(result).into_response(),
                Err(error) => error.into_response(),
            },
            Err(error) => ControlError::wrong(format!("This is no command: {error}")).into_response(),
        },
        Some("application/x-www-form-urlencoded") => {
            let done = match of_form(&body) {
                Ok(command) => control.execute(command).await,
                Err(error) => Err(error),
            };
            let page = format!("/control/{}", control.token);
            match done {
                Ok(_) => PageResponse::redirect(&page).into_response(),
                Err(error) => failed(&error, &page),
            }
        }
        _ => {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            ControlError::new(status, "Send JSON or a form").into_response()
        }
    }
}

/// The command of a form, whose values are all text; an empty one means none.
fn of_form(body: &[u8]) -> Result<Command, ControlError> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty()) {
        let value = match name.as_ref() {
            "times" | "delay_ms" | "seconds" | "count" => value
                .parse::<u64>()
                .map(Value::from)
                .map_err(|_| ControlError::wrong(format!("{name} must be a whole number")))?,
            _ => Value::from(value),
        };
        fields.insert(name.into_owned(), value);
    }
    serde_json::from_value(fields.into())
        .map_err(|error| ControlError::wrong(format!("This is no command: {error}")))
}

fn failed(error: &ControlError, page: &str) -> Response {
    let look = Look::english();
    let outcome = Outcome {
        look: &look,
        tenant: None,
        account: None,
        severity: Severity::Bad,
        title: "Nothing was done",
        text: &error.message,
        next_action: Some(NextAction { url: page, label: "Back" }),
    };
    PageResponse::new(error.status, &outcome, &look, &FormTargets::default()).into_response()
}

impl Control {
    /// Carries a command out.
    pub(super) async fn execute(&self, command: Command) -> Result<Value, ControlError> {
        match command {
            Command::Status => Ok(json!({
                "now": rfc3339(self.service.clock.now()),
                "connections": self.rows().await?,
                "failures": self.set_failures(),
            })),
            Command::Presets => {
                let presets = self.presets.iter().map(
                    |(name, preset)| json!({"name": name, "about": preset.about, "result": preset.result}),
                );
                Ok(json!({ "presets": presets.collect::<Vec<_>>() }))
            }
            Command::Connect { request_link, deny } => {
                let visit = customer::connect(self, &request_link, !deny).await?;
                Ok(json!({
                    "connection_id": visit.link.connection_id,
                    "status": visit.status.as_str(),
                    "link_status": visit.link.status.as_str(),
                    "return_url": visit.return_url.map(String::from),
                }))
            }
            Command::Expire { connection_id } => {
                let (owner, credential) = self.credential(&connection_id).await?;
                self.expire(&owner, &connection_id, &credential).await?;
                Ok(json!({ "connection_id": connection_id }))
            }
            Command::Revoke { connection_id } => {
                let (owner, credential) = self.credential(&connection_id).await?;
                let grant = self.grant_of(&credential);
                if let Some(grant) = grant {
                    self.provider.ledger().revoke(grant);
                }
                self.expire(&owner, &connection_id, &credential).await?;
                Ok(json!({ "connection_id": connection_id }))
            }
            Command::Fail { preset: name, app, connection_id, times, delay_ms } => {
                let preset = self.presets.get(&name).cloned().ok_or_else(|| {
                    ControlError::wrong(format!("There is no preset `{name}`; `presets` lists them"))
                })?;
                if times == Some(0) {
                    return Err(ControlError::wrong("times must be at least 1"));
                }
                if preset.authorize_error.is_some() && connection_id.is_some() {
                    let message = format!("`{name}` is for customers who consent: name an app, or nothing");
                    return Err(ControlError::wrong(message));
                }
                let scope = self.scope(app, connection_id).await?;
                let failure = Failure { name, preset, times, delay_ms };
                self.provider.failures().insert(scope, failure);
                Ok(json!({ "failures": self.set_failures() }))
            }
            Command::Recover => {
                self.provider.failures().clear();
                // Otherwise the provider would still be left alone.
                self.service.store.forget_refresh_failures().await?;
                self.service.refreshes.forget_throttled();
                Ok(json!({ "failures": self.set_failures() }))
            }
            Command::Redeliver { count, shuffle, webhook_id } => {
                redeliver::redeliver(&self.service, count, shuffle, webhook_id.as_deref()).await
            }
            Command::Advance { seconds } => advance::advance(self, seconds).await,
            Command::SignIn { email } => self.sign_in(&email).await,
            Command::Key { capabilities } => self.key(&capabilities).await,
        }
    }

    async fn rows(&self) -> Result<Vec<Row>, ControlError> {
        let found = self.service.store.newest_connections(MAX_LISTED).await?;
        let rows = found.into_iter().map(|found| {
            let (connection, link) = (found.connection, found.link);
            let app = connection.app_id.unwrap_or_default();
            Row {
                has_tokens: self.provider.has_app(&app) && connection.status.as_str() == "active",
                connection_id: connection.id,
                customer: found.owner.customer,
                name: connection.name,
                app,
                status: connection.status.as_str(),
                needs_reconnection: connection.reconnection.is_some(),
                link_status: link.status.as_str(),
                link_phase: json!(link.phase).as_str().unwrap_or_default().to_owned(),
                link_expires_at: rfc3339(link.expires_at),
            }
        });
        Ok(rows.collect())
    }

    fn set_failures(&self) -> Vec<SetFailure> {
        let failures = self.provider.failures();
        let mut set: Vec<_> = failures
            .iter()
            .map(|(scope, failure)| SetFailure {
                preset: failure.name.clone(),
                scope: match scope {
                    Scope::Grant(grant) => format!("grant {grant}"),
                    Scope::App(app) => app.clone(),
                    Scope::All => "all apps".to_owned(),
                },
                times: failure.times,
            })
            .collect();
        set.sort_by(|one, other| one.scope.cmp(&other.scope));
        set
    }

    /// The credential of a connection that has tokens and works.
    async fn credential(&self, connection_id: &str) -> Result<(Owner, Credential), ControlError> {
        let store = &self.service.store;
        let owner = store.owner_of(connection_id).await?;
        let owner =
            owner.ok_or_else(|| ControlError::new(StatusCode::NOT_FOUND, "There is no such connection"))?;
        let conflict = |message| ControlError::new(StatusCode::CONFLICT, message);
        let credential = store.credential(&owner, connection_id).await?;
        let credential = credential.ok_or_else(|| conflict("The connection was never authorised"))?;
        if credential.grant.tokens.is_none() {
            return Err(conflict("The connection has a key and no tokens"));
        }
        if credential.broken {
            return Err(conflict("The connection needs reconnection already"));
        }
        Ok((owner, credential))
    }

    fn grant_of(&self, credential: &Credential) -> Option<u64> {
        use secrecy::ExposeSecret;
        let tokens = credential.grant.tokens.as_ref()?;
        self.provider.ledger().grant_of(tokens.access_token.expose_secret())
    }

    /// At the provider and in what the service knows, as if an hour had gone by.
    async fn expire(
        &self,
        owner: &Owner,
        connection_id: &str,
        credential: &Credential,
    ) -> Result<(), ControlError> {
        let now = self.service.clock.now();
        if let Some(grant) = self.grant_of(credential) {
            self.provider.ledger().expire(grant, now);
        }
        let Some(tokens) = &credential.grant.tokens else {
            return Ok(());
        };
        let expired = Tokens { expires_at: Some(now), ..tokens.clone() };
        let store = &self.service.store;
        let is_saved = store.save_tokens(owner, connection_id, credential.version, &expired, None).await?;
        if !is_saved {
            let message = "The token was refreshed meanwhile; try again";
            return Err(ControlError::new(StatusCode::CONFLICT, message));
        }
        Ok(())
    }

    async fn scope(&self, app: Option<String>, connection_id: Option<String>) -> Result<Scope, ControlError> {
        match (app, connection_id) {
            (Some(_), Some(_)) => Err(ControlError::wrong("Name an app or a connection, not both")),
            (Some(app), None) if self.provider.has_app(&app) => Ok(Scope::App(app)),
            (Some(app), None) => Err(ControlError::wrong(format!("`{app}` is no OAuth app"))),
            (None, Some(connection_id)) => {
                let (_, credential) = self.credential(&connection_id).await?;
                let grant = self.grant_of(&credential);
                grant.map(Scope::Grant).ok_or_else(|| {
                    ControlError::new(StatusCode::CONFLICT, "Its grant is from another provider")
                })
            }
            (None, None) => Ok(Scope::All),
        }
    }

    /// A key beside the printed one.
    async fn sign_in(&self, email: &str) -> Result<Value, ControlError> {
        let email = email::parse(email.as_bytes())
            .map_err(|problem| ControlError::wrong(format!("the email {problem}")))?;
        let url = sign_in_link(&self.service, &email).await?;
        Ok(json!({ "url": url, "email": email }))
    }

    async fn key(&self, capabilities: &[String]) -> Result<Value, ControlError> {
        if capabilities.is_empty() {
            return Err(ControlError::wrong("capabilities must name at least one"));
        }
        let parsed = capabilities.iter().map(|name| name.parse::<Capability>());
        let parsed: Vec<_> = parsed.collect::<Result<_, _>>().map_err(ControlError::wrong)?;
        let store = &self.service.store;
        let tenant = store.tenants().await?.into_iter().next();
        let key = match tenant {
            Some(tenant) => store.create_key(&tenant.id, &parsed).await?,
            None => None,
        };
        let key = key.ok_or_else(|| ControlError::new(StatusCode::CONFLICT, "The tenant is gone"))?;
        Ok(json!({ "api_key": key, "capabilities": capabilities }))
    }
}

/// A link that signs in, once within ten minutes.
pub(super) async fn sign_in_link(service: &Service, email: &str) -> Result<String, StoreError> {
    let secret = ids::secret();
    service.store.create_sign_in(&NewSignIn { email, secret: &secret, asker: None, return_to: "" }).await?;
    Ok(dashboard::link_address(&service.public_url, &secret))
}
