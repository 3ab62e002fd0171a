//! The emulated provider's side of an app's API: whatever the catalogue says of calls leads here.
//!
//! A call with a wrong token is a 401. Any other is told what it was - method, path, query, headers, without the credential -
//! and the requests that the service makes itself find what the catalogue looks for in their responses. CRMs have contacts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::crm::{self, CrmRequest, Person};
use super::provider::Provider;
use crate::catalogue::{App, AuthOption, Catalogue, Kept, Reference, Source};

/// What a key holds that is to be refused.
const WRONG: &str = "wrong";

/// How many contacts each CRM has, those in the archive included.
const CONTACTS: usize = 60;

/// See the module.
pub(super) struct Api {
    /// Where it is.
    url: String,
    catalogue: Catalogue,
    provider: Arc<Provider>,
    /// In each CRM.
    people: Vec<Person>,
}

/// The address of the API of an app with this id, below that of the provider.
pub(super) const PREFIX: &str = "/api";

/// The API's addresses. `catalogue` is the one whose calls lead to `url` with [`PREFIX`].
pub(super) fn routes(url: &str, catalogue: Catalogue, provider: Arc<Provider>) -> Router {
    let api = Api { url: url.to_owned(), catalogue, provider, people: crm::people(CONTACTS).collect() };
    Router::new()
        .route("/api/{app}", any(respond))
        .route("/api/{app}/{*path}", any(respond))
        .with_state(Arc::new(api))
}

async fn respond(
    State(api): State<Arc<Api>>,
    Path(params): Path<BTreeMap<String, String>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(app) = params.get("app").and_then(|id| api.catalogue.get(id)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
    let query: BTreeMap<String, String> = query.collect();
    let (secret_headers, secret_query) = carriers(app);
    let carried_by_header = secret_headers.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    let carried_by_query = secret_query.iter().filter_map(|name| query.get(*name)).map(String::as_str);
    let credentials: Vec<_> = carried_by_header.chain(carried_by_query).map(bare).collect();
    if !api.accepts(app, &credentials) {
        let challenge = [(WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)];
        return (StatusCode::UNAUTHORIZED, challenge, Json(json!({"error": "invalid_token"})))
            .into_response();
    }
    let version = headers.get("version").and_then(|value| value.to_str().ok());
    let request = CrmRequest { path: uri.path(), query: &query, version, body: &body };
    if let Some((status, document)) = crm::respond(&app.id, &api.people, &request) {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        return document
            .map_or_else(|| status.into_response(), |document| (status, Json(document)).into_response());
    }
    if let Some(document) = api.document(app, &method, uri.path()) {
        return Json(document).into_response();
    }
    let is_secret = |name: &str| secret_headers.iter().any(|secret| secret.eq_ignore_ascii_case(name));
    let headers: BTreeMap<_, _> = headers
        .iter()
        .filter(|(name, _)| !is_secret(name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let query: BTreeMap<_, _> =
        query.iter().filter(|(name, _)| !secret_query.contains(&name.as_str())).collect();
    let path = uri.path().strip_prefix(&format!("{PREFIX}/{}", app.id)).unwrap_or_default();
    let (app, method) = (&app.id, method.as_str());
    Json(json!({"app": app, "method": method, "path": path, "query": query, "headers": headers}))
        .into_response()
}

/// The headers and the query parameters that carry a credential of one of the app's options.
pub(super) fn carriers(app: &App) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (headers, query): (Vec<_>, Vec<_>) = app.auth_options.iter().map(AuthOption::carriers).unzip();
    (headers.into_iter().flatten().collect(), query.into_iter().flatten().collect())
}

/// The credential in a value: without the scheme before it, and in the open where that is HTTP Basic.
pub(super) fn bare(value: &str) -> String {
    let basic = value.strip_prefix("Basic ").and_then(|text| STANDARD.decode(text).ok());
    let basic = basic.and_then(|bytes| String::from_utf8(bytes).ok());
    basic.unwrap_or_else(|| value.rsplit(' ').next().unwrap_or(value).to_owned())
}

impl Api {
    /// Whether the call carries a token of this app that works, or a key, where the app has keys: any but a [`WRONG`] one.
    fn accepts(&self, app: &App, credentials: &[String]) -> bool {
        let is_token = |credential: &String| credential.starts_with("dev-access-");
        if credentials.iter().any(is_token) {
            return credentials.iter().any(|token| self.provider.accepts(&app.id, token));
        }
        let has_keys = app.auth_options.iter().any(|option| !option.auth_type.is_token());
        has_keys && !credentials.is_empty() && credentials.iter().all(|key| !key.contains(WRONG))
    }

    /// The response to a request of the service's own.
    fn document(&self, app: &App, method: &Method, path: &str) -> Option<Value> {
        app.auth_options.iter().find_map(|option| {
            let is_meant = |request| option.is_request(request, method, &format!("{}{path}", self.url));
            let lookup = option.lookups.iter().find(|lookup| is_meant(&lookup.request));
            let lookup = lookup.map(|lookup| Source::Lookup(lookup.name.clone()));
            let verify = || option.verify.as_ref().filter(|verify| is_meant(&verify.request));
            let source = lookup.or_else(|| verify().map(|_| Source::Verify))?;
            Some(document(option, &source))
        })
    }
}

/// A document in which the references of an option find something.
pub(super) fn document(option: &AuthOption, source: &Source) -> Value {
    let mut document = json!({});
    let verify = option.verify.as_ref().filter(|_| *source == Source::Verify);
    if let Some(expect) = verify.and_then(|verify| verify.expect.as_ref()) {
        Reference::new(source.clone(), expect).put(&mut document, true.into());
    }
    for (name, kept) in references(option) {
        if kept.reference.source() == source {
            kept.reference.put(&mut document, sample(name, kept).into());
        }
        kept.reference.put_picked(source, &mut document);
    }
    document
}

/// The parameters of a callback that an option names.
pub(super) fn callback_parameters(option: &AuthOption) -> impl Iterator<Item = (String, String)> {
    let document = document(option, &Source::Callback);
    let members = document.as_object().cloned().unwrap_or_default();
    members.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
}

fn references(option: &AuthOption) -> impl Iterator<Item = (&str, &Kept)> {
    let account = &option.account;
    let of_account = [("id", &account.id), ("label", &account.label), ("url", &account.url)];
    let of_account = of_account.into_iter().filter_map(|(name, kept)| Some((name, kept.as_ref()?)));
    // What both name has the sample that calls need.
    of_account.chain(option.provider_data.iter().map(|(name, kept)| (name.as_str(), kept)))
}

fn sample(name: &str, kept: &Kept) -> String {
    match (name, kept.hosts.first()) {
        (_, Some(suffix)) if suffix.starts_with('.') => format!("https://example{suffix}"),
        (_, Some(host)) => format!("https://{host}"),
        ("label", None) => "A customer of connect-service dev".to_owned(),
        ("url", None) => "https://example.com".to_owned(),
        (name, None) => format!("sample-{name}"),
    }
}
