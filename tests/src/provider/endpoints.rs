//! The provider's HTTP side: consent page, token endpoint, revocation, API.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::Url;

use super::answers::{error, invalid_grant};
use super::grants::Request;
use super::{Mode, Shared};

type Fields = HashMap<String, String>;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/authorize", get(authorize))
        .route("/consent", post(consent))
        .route("/token", post(token))
        .route("/revoke", post(revoke))
        .route("/api/me", get(me))
        .with_state(shared)
}

/// The consent page; what is wrong with a request is said here and never sent on to an address that it names.
async fn authorize(State(shared): State<Arc<Shared>>, Query(query): Query<Fields>) -> Response {
    let field = |name: &str| query.get(name).cloned().unwrap_or_default();
    let complaint = if field("response_type") != "code" {
        "response_type must be code"
    } else if field("client_id") != shared.options.client_id {
        "the client is not known"
    } else if field("code_challenge_method") != "S256" || field("code_challenge").len() != 43 {
        "PKCE with S256 is required"
    } else if Url::parse(&field("redirect_uri")).is_err() {
        "redirect_uri is not an address"
    } else {
        ""
    };
    if !complaint.is_empty() {
        return (StatusCode::BAD_REQUEST, Html(page("Cannot continue", complaint))).into_response();
    }
    let id = shared.ledger().ask(Request {
        redirect_uri: field("redirect_uri"),
        state: field("state"),
        scope: field("scope"),
        challenge: field("code_challenge"),
    });
    let form = format!(
        r#"<p>A product wants to act for you here.</p>
<form method="post" action="/consent">
<input type="hidden" name="request" value="{id}">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>"#
    );
    Html(page("Allow access?", &form)).into_response()
}

/// Sends the customer back with a code or with `access_denied`.
async fn consent(State(shared): State<Arc<Shared>>, Form(form): Form<Fields>) -> Response {
    let mut ledger = shared.ledger();
    let Some(request) = form.get("request").and_then(|id| ledger.take_request(id)) else {
        return (StatusCode::BAD_REQUEST, Html(page("Cannot continue", "this was answered before")))
            .into_response();
    };
    let Ok(mut back) = Url::parse(&request.redirect_uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    back.query_pairs_mut().append_pair("state", &request.state);
    if form.get("decision").is_some_and(|decision| decision == "allow") {
        let code = ledger.issue_code(request);
        back.query_pairs_mut().append_pair("code", &code);
    } else {
        back.query_pairs_mut().append_pair("error", "access_denied");
    }
    Redirect::to(back.as_str()).into_response()
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if !client_is_known(&shared, &headers, &form) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mode = {
        let mut ledger = shared.ledger();
        ledger.counts.refreshes += u32::from(field("grant_type") == "refresh_token");
        ledger.mode
    };
    if let Mode::Slow(pause) = mode {
        tokio::time::sleep(pause).await;
    }
    if let Some(refusal) = mode.refusal() {
        return refusal;
    }
    let issued = match field("grant_type") {
        "authorization_code" => {
            shared.ledger().exchange(field("code"), field("code_verifier"), field("redirect_uri"))
        }
        "refresh_token" => shared.ledger().refresh(field("refresh_token")),
        _ => return error(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    };
    issued.map_or_else(invalid_grant, |issued| mode.tokens(issued))
}

async fn revoke(State(shared): State<Arc<Shared>>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    if !client_is_known(&shared, &headers, &form) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if let Some(token) = form.get("token") {
        shared.ledger().revoke(token);
    }
    StatusCode::OK.into_response()
}

async fn me(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let good = bearer
        .and_then(|value| value.strip_prefix("Bearer "))
        .is_some_and(|token| shared.ledger().accepts(token));
    if good {
        Json(json!({"name": "Alice", "email": "alice@example.com"})).into_response()
    } else {
        let challenge = [(header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)];
        (StatusCode::UNAUTHORIZED, challenge, Json(json!({"error": "invalid_token"}))).into_response()
    }
}

/// Takes the client's id and secret from the body or from HTTP Basic.
fn client_is_known(shared: &Shared, headers: &HeaderMap, form: &Fields) -> bool {
    let basic = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|encoded| String::from_utf8(STANDARD.decode(encoded).ok()?).ok());
    let (id, secret) = match basic.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (form.get("client_id").map(String::as_str), form.get("client_secret").map(String::as_str)),
    };
    id == Some(&*shared.options.client_id) && secret == Some(&*shared.options.client_secret)
}

fn page(title: &str, content: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 1.1rem/1.5 system-ui; max-width: 24rem; margin: 3rem auto; padding: 0 1rem }}</style></head>
<body><h1>{title}</h1>
{content}
</body></html>"#
    )
}
