//! What is answered, as the contract says; made once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use serde_json::{Value, json};

/// How often a connection is pending before it is active: a wait takes six polls.
const PENDING_POLLS: u32 = 5;

pub(crate) struct Answers {
    headers: HeaderMap,
    token: Bytes,
    apps: Bytes,
    refused: Bytes,
    /// How often each connection was asked for.
    polls: Mutex<HashMap<String, u32>>,
}

impl Answers {
    pub(crate) fn new() -> Self {
        // As many and as long as the service's own, but for the state of a budget: there is none here.
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("x-request-id", HeaderValue::from_static("req_4d1f6c0a9b7e4f52a1c3e5d7"));
        let token = json!({
            "access_token": format!("ya29.{}", "a0AfH6SMBx".repeat(20)),
            "token_type": "Bearer",
            "expires_in": 3599,
            "auth_type": "o_auth",
        });
        Self {
            headers,
            token: success(&token),
            apps: success(&json!({
                "apps": (1..=50).map(app).collect::<Vec<_>>(), "page": 1, "limit": 50, "total": 50,
            })),
            refused: json!({
                "status": "error",
                "message": "A key, and for connections a customer, are needed.",
                "data": {"code": "invalid_api_key"},
            })
            .to_string()
            .into(),
            polls: Mutex::default(),
        }
    }

    pub(crate) async fn to(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (status, body) = self.choose(&request);
        // Some clients send a body with a POST; what is not read would close the connection.
        if !request.body().is_end_stream() {
            drop(request.into_body().collect().await);
        }
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        response.headers_mut().clone_from(&self.headers);
        response
    }

    /// A peer that leaves out what a call needs is told so, else it would be measured doing less.
    fn choose(&self, request: &Request<Incoming>) -> (StatusCode, Bytes) {
        let path = request.uri().path();
        let Some(path) = path.strip_prefix("/platform/v1") else {
            return (StatusCode::NOT_FOUND, Bytes::new());
        };
        let with_key = request
            .headers()
            .get(AUTHORIZATION)
            .is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
        let with_customer = request.headers().contains_key("x-user-email");
        if !with_key || (path.starts_with("/connections") && !with_customer) {
            return (StatusCode::UNAUTHORIZED, self.refused.clone());
        }
        let id = path.strip_prefix("/connections/");
        match (request.method(), id) {
            (&Method::POST, Some(id)) if id.ends_with("/token") => (StatusCode::OK, self.token.clone()),
            (&Method::GET, Some(id)) => (StatusCode::OK, self.connection(id)),
            (&Method::GET, None) if path == "/apps" => (StatusCode::OK, self.apps.clone()),
            _ => (StatusCode::NOT_FOUND, Bytes::new()),
        }
    }

    fn connection(&self, id: &str) -> Bytes {
        let mut polls = self.polls.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = polls.entry(id.to_owned()).or_default();
        *polled += 1;
        let status = if *polled > PENDING_POLLS {
            polls.remove(id);
            "active"
        } else {
            "pending"
        };
        success(&json!({
            "id": id,
            "name": "Work Gmail",
            "app": {"id": "gmail", "name": "Gmail"},
            "auth_type": "o_auth",
            "user_email": "alice@example.com",
            "status": status,
            "created_at": "2026-07-24T09:00:00.000Z",
            "updated_at": "2026-07-24T09:00:00.000Z",
        }))
    }
}

fn success(data: &Value) -> Bytes {
    json!({"status": "success", "message": "ok", "data": data}).to_string().into()
}

/// An app as the catalogue shows it, about 300 bytes.
fn app(number: u32) -> Value {
    json!({
        "id": format!("app_{number}"),
        "name": format!("Application {number}"),
        "auth_type": "o_auth",
        "description": "Mail, calendars and contacts of the whole team.",
        "categories": ["email", "productivity"],
        "auth_options": [{
            "key": "oauth",
            "type": "o_auth",
            "title": "Sign in",
            "input_schema": {"type": "object", "properties": {}, "required": [], "additionalProperties": false},
        }],
    })
}
