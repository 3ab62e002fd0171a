//! The OAuth provider that plays every OAuth app of the catalogue: consent, tokens, and an API that takes the tokens.
//!
//! It is as strict as each app's catalogue file says: PKCE where the app uses it, the client's secret in the place where
//! the app wants it, a form or JSON, the exact redirect address. It fails on purpose where a preset is set.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::api;
use super::ledger::{Consent, Issued, Ledger};
use super::presets::Preset;
use crate::catalogue::{
    AuthOption, Catalogue, ClientAuth, OAuth, RevokeAuth, RevokeMethod, Source, TokenRequest,
};
use crate::clock::{Clock, Millis};
use crate::hosted::Look;
use crate::hosted::html::{FormTargets, Outcome, PageResponse, Severity};
use crate::ids;
use crate::oauth::OAuthClient;
use crate::server;

type Fields = HashMap<String, String>;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// See the module.
pub(super) struct Provider {
    apps: BTreeMap<String, ProviderApp>,
    /// Whether everybody consents at once, without a page.
    auto: bool,
    clock: Clock,
    ledger: Mutex<Ledger>,
    failures: Mutex<HashMap<Scope, Failure>>,
}

/// One app and the client that the service has there.
struct ProviderApp {
    name: String,
    option: AuthOption,
    oauth: OAuth,
    client: OAuthClient,
    redirect_uri: String,
}

/// Whose requests fail. The narrowest one that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Grant(u64),
    App(String),
    All,
}

/// A failure that is set.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// The preset's name.
    pub(super) name: String,
    pub(super) preset: Preset,
    /// How many more requests fail; none means all of them.
    pub(super) times: Option<u32>,
    /// Instead of the preset's.
    pub(super) delay_ms: Option<u64>,
}

/// The consent page.
#[derive(Template)]
#[template(path = "dev_consent.html")]
struct ConsentPage<'a> {
    look: &'a Look,
    app_id: &'a str,
    app: &'a str,
    scopes: Vec<&'a str>,
    consent: &'a str,
}

/// Why there are no tokens, as RFC 6749 writes it.
struct TokenError(StatusCode, &'static str);

impl Provider {
    /// A provider at `url` that knows the service at `service_url`, with a client id and a secret for each app.
    pub(super) fn new(
        catalogue: &Catalogue,
        url: &str,
        service_url: &str,
        auto: bool,
        clock: Clock,
        ledger: Ledger,
    ) -> Arc<Self> {
        let app = |app: &crate::catalogue::App| {
            let option = app.auth_options.iter().find(|option| option.oauth.is_some())?;
            let oauth = option.oauth.clone()?;
            let id = &app.id;
            let client = OAuthClient {
                authorization_url: Some(format!("{url}/provider/{id}/authorize")),
                token_url: Some(format!("{url}/provider/{id}/token")),
                revocation_url: Some(format!("{url}/provider/{id}/revoke")),
                ..OAuthClient::new(format!("dev-client-{id}"), ids::secret())
            };
            let app = ProviderApp {
                name: app.name.clone(),
                option: option.clone(),
                oauth,
                client,
                redirect_uri: format!("{service_url}{}/oauth/callback/{id}", server::PREFIX),
            };
            Some((id.clone(), app))
        };
        let apps = catalogue.search("").into_iter();
        Arc::new(Self {
            apps: apps.filter_map(|found| app(found)).collect(),
            auto,
            clock,
            ledger: Mutex::new(ledger),
            failures: Mutex::default(),
        })
    }

    /// The service's clients, for its configuration.
    pub(super) fn oauth_clients(&self) -> BTreeMap<String, OAuthClient> {
        let apps = self.apps.iter();
        apps.map(|(id, app)| (id.clone(), app.client.clone())).collect()
    }

    /// Whether the app's API takes this token.
    pub(super) fn accepts(&self, app: &str, access_token: &str) -> bool {
        // Its claims are for others.
        let (token, _) = access_token.split_once('.').unwrap_or((access_token, ""));
        self.ledger().accepts(app, token, self.clock.now())
    }

    /// Whether it plays this app.
    pub(super) fn has_app(&self, id: &str) -> bool {
        self.apps.contains_key(id)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The failures that are set.
    pub(super) fn failures(&self) -> MutexGuard<'_, HashMap<Scope, Failure>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The failure for this request of an app, of a grant perhaps; counts it. Those of the authorisation are for
    /// authorisations alone.
    fn next_failure(&self, app: &str, grant: Option<u64>, at_authorize: bool) -> Option<Failure> {
        let mut failures = self.failures();
        let scopes = [grant.map(Scope::Grant), Some(Scope::App(app.to_owned())), Some(Scope::All)];
        for scope in scopes.into_iter().flatten() {
            let Some(failure) = failures.get_mut(&scope) else {
                continue;
            };
            if failure.preset.authorize_error.is_some() != at_authorize {
                continue;
            }
            if let Some(times) = &mut failure.times {
                *times -= 1;
                if *times == 0 {
                    return failures.remove(&scope);
                }
            }
            return Some(failure.clone());
        }
        None
    }

    /// What an authorisation request asks for, or what is wrong with it.
    fn consent_of(&self, app_id: &str, query: &Fields) -> Result<(&ProviderApp, Consent), &'static str> {
        let field = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let app = self.apps.get(app_id).ok_or("There is no such app.")?;
        let has_pkce = field("code_challenge_method") == "S256" && field("code_challenge").len() == 43;
        if field("response_type") != "code" {
            return Err("response_type must be code.");
        }
        let names = &app.oauth.names;
        if field(&names.client_id).is_empty() {
            return Err("The client id is missing.");
        }
        if field(&names.redirect_uri) != app.redirect_uri {
            return Err("redirect_uri is not the one that is registered.");
        }
        if app.oauth.pkce && !has_pkce {
            return Err("PKCE with S256 is required.");
        }
        let consent = Consent {
            app: app_id.to_owned(),
            redirect_uri: app.redirect_uri.clone(),
            state: field("state").to_owned(),
            scope: field(&app.oauth.scope_param).to_owned(),
            challenge: app.oauth.pkce.then(|| field("code_challenge").to_owned()),
        };
        Ok((app, consent))
    }

    /// Where a customer goes who allows or denies.
    fn decide(&self, consent: Consent, allow: bool) -> Option<Url> {
        let mut url = Url::parse(&consent.redirect_uri).ok()?;
        let app = self.apps.get(&consent.app)?;
        let oauth = &app.oauth;
        let further = api::callback_parameters(&app.option);
        let (issuer, code_name) = (oauth.issuer.clone(), oauth.names.callback_code.clone());
        url.query_pairs_mut().append_pair("state", &consent.state);
        if let Some(issuer) = issuer {
            url.query_pairs_mut().append_pair("iss", &issuer);
        }
        let failure = self.next_failure(&consent.app, None, true);
        let failure = failure.as_ref().map(|failure| &failure.preset);
        let error = failure.and_then(|preset| preset.authorize_error.as_deref());
        match error.or((!allow).then_some("access_denied")) {
            None => {
                let code = self.ledger().issue_code(consent);
                url.query_pairs_mut().append_pair(&code_name, &code).extend_pairs(further);
            }
            Some(error) => {
                url.query_pairs_mut().append_pair("error", error);
                if let Some(description) = failure.and_then(|preset| preset.description.as_deref()) {
                    url.query_pairs_mut().append_pair("error_description", description);
                }
            }
        }
        Some(url)
    }

    /// Does what a customer would do on the consent page of this authorisation request; gives the way back.
    pub(super) fn consent(&self, authorize_url: &Url, allow: bool) -> Result<Url, &'static str> {
        let path: Vec<_> = authorize_url.path_segments().into_iter().flatten().collect();
        let ["provider", app_id, "authorize"] = path[..] else {
            return Err("This is no authorisation request.");
        };
        let query = authorize_url.query_pairs().into_owned().collect();
        let (_, consent) = self.consent_of(app_id, &query)?;
        self.decide(consent, allow).ok_or("redirect_uri is no address.")
    }

    fn exchange(&self, app: &str, fields: &Fields) -> Result<Issued, TokenError> {
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let oauth = self.apps.get(app).map(|app| &app.oauth);
        let names = oauth.map(|oauth| oauth.names.clone()).unwrap_or_default();
        let idle = oauth.and_then(|oauth| oauth.refresh_idle_days).map(|days| DAY * Millis::from(days));
        let now = self.clock.now();
        let mut ledger = self.ledger();
        let issued = match field("grant_type") {
            "authorization_code" => {
                let (code, redirect_uri) = (field(&names.code), field(&names.redirect_uri));
                ledger.exchange(app, code, redirect_uri, field("code_verifier"), now)
            }
            "refresh_token" => ledger.refresh(app, field(&names.refresh_token), idle, now),
            _ => return Err(TokenError(StatusCode::BAD_REQUEST, "unsupported_grant_type")),
        };
        issued.ok_or(TokenError(StatusCode::BAD_REQUEST, "invalid_grant"))
    }
}

impl ProviderApp {
    /// A request's fields, in the one format that is taken.
    fn fields(request: TokenRequest, headers: &HeaderMap, query: Fields, body: &[u8]) -> Option<Fields> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match (request, content_type) {
            (TokenRequest::Form, Some("application/x-www-form-urlencoded")) => {
                Some(form_urlencoded::parse(body).into_owned().collect())
            }
            (TokenRequest::Json, Some("application/json")) => serde_json::from_slice(body).ok(),
            (TokenRequest::Query, None) if body.is_empty() => Some(query),
            _ => None,
        }
    }

    /// Whether the client shows a secret, in the place where the app wants it. Any client is taken, so that tenants and
    /// organizations can have their own, but for a secret with `wrong` in it.
    fn is_client(&self, auth: ClientAuth, headers: &HeaderMap, fields: &Fields) -> bool {
        let names = &self.oauth.names;
        let has_id = |id: Option<&String>| id.is_some_and(|id| !id.is_empty());
        let has_secret = |secret: Option<&String>| {
            secret.is_some_and(|secret| !secret.is_empty() && !secret.contains("wrong"))
        };
        let (id, secret) = (fields.get(&names.client_id), fields.get(&names.client_secret));
        let (username, password) = basic(headers).unzip();
        match auth {
            ClientAuth::Body => has_id(id) && has_secret(secret),
            ClientAuth::Basic => has_id(username.as_ref()) && has_secret(password.as_ref()),
            ClientAuth::SecretAsUser => {
                has_secret(username.as_ref()) && password.is_some_and(|password| password.is_empty())
            }
            ClientAuth::None => has_id(id) && secret.is_none(),
        }
    }
}

/// The two halves of HTTP Basic authentication, as they were escaped.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// The provider's addresses.
pub(super) fn routes(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/provider/{app}/authorize", get(authorize))
        .route("/provider/consent", post(decide))
        .route("/provider/{app}/token", post(token))
        .route("/provider/{app}/revoke", post(revoke).delete(revoke))
        .route("/provider/{app}/me", get(me))
        .with_state(provider)
}

async fn authorize(
    State(provider): State<Arc<Provider>>,
    Path(app_id): Path<String>,
    Query(query): Query<Fields>,
) -> Response {
    let (app, consent) = match provider.consent_of(&app_id, &query) {
        Ok(found) => found,
        // Never sent on to an address that the request names.
        Err(problem) => return wrong(problem).into_response(),
    };
    if provider.auto {
        return go_back(provider.decide(consent, true));
    }
    let scope = consent.scope.clone();
    let id = provider.ledger().ask(consent);
    let look = Look::english();
    let page = ConsentPage {
        look: &look,
        app_id: &app_id,
        app: &app.name,
        scopes: scope.split([' ', ',']).filter(|scope| !scope.is_empty()).collect(),
        consent: &id,
    };
    PageResponse::new(StatusCode::OK, &page, &look, &FormTargets::anywhere()).into_response()
}

async fn decide(State(provider): State<Arc<Provider>>, Form(form): Form<Fields>) -> Response {
    let consent = form.get("consent").and_then(|id| provider.ledger().take_consent(id));
    let Some(consent) = consent else {
        return wrong("This was answered before.").into_response();
    };
    let allow = form.get("decision").is_some_and(|decision| decision == "allow");
    go_back(provider.decide(consent, allow))
}

async fn token(
    State(provider): State<Arc<Provider>>,
    Path(app_id): Path<String>,
    Query(query): Query<Fields>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(app) = provider.apps.get(&app_id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(fields) = ProviderApp::fields(app.oauth.token_request, &headers, query, &body) else {
        return TokenError(StatusCode::BAD_REQUEST, "invalid_request").into_response();
    };
    if !app.is_client(app.oauth.client_auth, &headers, &fields) {
        return TokenError(StatusCode::UNAUTHORIZED, "invalid_client").into_response();
    }
    let refresh_token = fields.get(&app.oauth.names.refresh_token);
    let grant = refresh_token.and_then(|token| provider.ledger().grant_of(token));
    if let Some(Failure { preset, delay_ms, .. }) = provider.next_failure(&app_id, grant, false) {
        let delay = delay_ms.or(preset.delay_ms).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(delay)).await;
        if preset.rotates {
            let _ = provider.exchange(&app_id, &fields);
        }
        if let Some(response) = preset.response() {
            return response;
        }
    }
    match provider.exchange(&app_id, &fields) {
        Ok(issued) => issued.response(
            api::document(&app.option, &Source::Token),
            &api::document(&app.option, &Source::Claims),
        ),
        Err(error) => error.into_response(),
    }
}

/// Ends a grant, or all of an app, as strictly as the app's file says. Everybody who connects is the same account here.
async fn revoke(
    State(provider): State<Arc<Provider>>,
    Path(app_id): Path<String>,
    method: Method,
    Query(query): Query<Fields>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let invalid = |error| TokenError(StatusCode::BAD_REQUEST, error).into_response();
    let app = provider.apps.get(&app_id);
    let Some((app, table)) = app.and_then(|app| Some((app, app.option.revoke.as_ref()?))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if (method == Method::DELETE) != (table.method == RevokeMethod::Delete) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let token = if table.auth == RevokeAuth::Api {
        let (names, _) = app.option.carriers();
        names.iter().find_map(|name| headers.get(*name)?.to_str().ok()).map(api::bare)
    } else {
        let Some(fields) = ProviderApp::fields(table.request, &headers, query, &body) else {
            return invalid("invalid_request");
        };
        let is_client = match table.auth {
            RevokeAuth::Client => app.is_client(app.oauth.client_auth, &headers, &fields),
            RevokeAuth::Basic => app.is_client(ClientAuth::Basic, &headers, &fields),
            RevokeAuth::Api | RevokeAuth::None => true,
        };
        if !is_client {
            return TokenError(StatusCode::UNAUTHORIZED, "invalid_client").into_response();
        }
        fields.get(&table.param).cloned()
    };
    // Its claims are for others.
    let token = token.and_then(|token| token.split('.').next().map(str::to_owned));
    let mut ledger = provider.ledger();
    match token.and_then(|token| ledger.grant_of(&token)) {
        None => invalid("invalid_token"),
        Some(_) if table.ends_whole_grant => {
            ledger.revoke_app(&app_id);
            StatusCode::OK.into_response()
        }
        Some(grant) => {
            ledger.revoke(grant);
            StatusCode::OK.into_response()
        }
    }
}

/// An API of the app, to try a token with.
async fn me(State(provider): State<Arc<Provider>>, Path(app): Path<String>, headers: HeaderMap) -> Response {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if provider.accepts(&app, token) {
        return Json(json!({"app": app, "name": "A customer of connect-service dev"})).into_response();
    }
    let challenge = [(WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)];
    let body = Json(json!({"error": "invalid_token"}));
    (StatusCode::UNAUTHORIZED, challenge, body).into_response()
}

fn go_back(url: Option<Url>) -> Response {
    match url {
        Some(url) => PageResponse::redirect(url.as_str()).into_response(),
        None => wrong("redirect_uri is no address.").into_response(),
    }
}

fn wrong(text: &str) -> PageResponse {
    let look = Look::english();
    let page = Outcome {
        look: &look,
        tenant: None,
        account: None,
        severity: Severity::Bad,
        title: "Cannot continue",
        text,
        next_action: None,
    };
    PageResponse::new(StatusCode::BAD_REQUEST, &page, &look, &FormTargets::default())
}

impl Issued {
    /// The tokens, with what stands `beside` them. Claims that the catalogue looks for stand in the access token, where a
    /// JSON Web Token has them.
    fn response(self, beside: Value, claims: &Value) -> Response {
        let mut body = beside;
        let access_token = match claims.as_object() {
            Some(claims) if !claims.is_empty() => {
                let claims = URL_SAFE_NO_PAD.encode(json!(claims).to_string());
                format!("{}.{claims}.unsigned", self.access_token)
            }
            _ => self.access_token,
        };
        let tokens = json!({
            "access_token": access_token,
            "refresh_token": self.refresh_token,
            "token_type": "Bearer",
            "scope": self.scope,
            "expires_in": self.expires_in,
        });
        if let (Some(body), Value::Object(tokens)) = (body.as_object_mut(), tokens) {
            body.extend(tokens);
        }
        ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}
