//! An endpoint that notes what it gets and responds as it is told, and calls about endpoints.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use connect_service::webhooks;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Platform, text};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) event: Value,
}

/// How the endpoint responds.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    body: &'static str,
    retry_after: Option<&'static str>,
    hangs: bool,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    address: String,
    state: Arc<Mutex<Inner>>,
}

struct Inner {
    received: Vec<Received>,
    reply: Reply,
    /// Names of connections whose events are refused.
    refused: BTreeSet<String>,
    /// So many requests are taken before the reply is given again.
    accepts: usize,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Self { status, body: "", retry_after: None, hangs: false }
    }

    /// Never.
    pub(crate) fn hang() -> Self {
        Self { hangs: true, ..Self::status(200) }
    }

    pub(crate) fn body(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    pub(crate) fn retry_after(self, value: &'static str) -> Self {
        Self { retry_after: Some(value), ..self }
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let inner =
            Inner { received: Vec::new(), reply: Reply::status(200), refused: BTreeSet::new(), accepts: 0 };
        let state = Arc::new(Mutex::new(inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(receive).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn reply(&self, reply: Reply) {
        self.state.lock().unwrap().reply = reply;
    }

    /// Answers events of connections with this name by a 500.
    pub(crate) fn refuse(&self, name: &str) {
        self.state.lock().unwrap().refused.insert(name.to_owned());
    }

    pub(crate) fn accept(&self, name: &str) {
        self.state.lock().unwrap().refused.remove(name);
    }

    /// Takes the next requests, whatever the reply is.
    pub(crate) fn accept_next(&self, number: usize) {
        self.state.lock().unwrap().accepts = number;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().received.len()
    }

    pub(crate) fn types(&self) -> Vec<String> {
        let received = self.received();
        received.iter().map(|request| request.event["type"].as_str().unwrap().to_owned()).collect()
    }
}

async fn receive(
    State(state): State<Arc<Mutex<Inner>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let event: Value = serde_json::from_str(&body).unwrap();
    let reply = {
        let mut inner = state.lock().unwrap();
        let name = event["data"]["connection"]["name"].as_str().unwrap_or_default();
        let is_refused = inner.refused.contains(name);
        let reply = match inner.accepts.checked_sub(1) {
            Some(left) => {
                inner.accepts = left;
                Reply::status(200)
            }
            None if is_refused => Reply::status(500),
            None => inner.reply.clone(),
        };
        inner.received.push(Received { path: uri.path().to_owned(), headers, body, event });
        reply
    };
    if reply.hangs {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let mut response = (reply.status, reply.body).into_response();
    if let Some(value) = reply.retry_after {
        response.headers_mut().insert(RETRY_AFTER, value.parse().unwrap());
    }
    response
}

/// What is queued for any endpoint.
pub(crate) async fn queued(platform: &Platform) -> i64 {
    let count = platform.database.connect().await.text("SELECT COUNT(*) FROM webhook_deliveries").await;
    count.parse().unwrap()
}

pub(crate) async fn deliver(platform: &Platform) {
    webhooks::deliver_ready(&platform.app).await.unwrap();
}

/// Registers an endpoint; gives the answer's `data`.
pub(crate) async fn register(platform: &Platform, body: Value) -> Value {
    let answer = platform.call("POST", "/webhooks").json(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["data"].clone()
}

pub(crate) async fn read(platform: &Platform, id: &str) -> Value {
    let answer = platform.call("GET", &format!("/webhooks/{id}")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["data"].clone()
}

pub(crate) async fn attempts(platform: &Platform, id: &str) -> Vec<Value> {
    let answer = platform.call("GET", &format!("/webhooks/{id}/attempts?limit=100")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["data"]["attempts"].as_array().unwrap().clone()
}

/// The oldest first.
pub(crate) async fn statuses(platform: &Platform, id: &str) -> Vec<Option<i64>> {
    attempts(platform, id).await.iter().rev().map(|attempt| attempt["status"].as_i64()).collect()
}

pub(crate) async fn rename(platform: &Platform, connection: &str, name: &str) {
    let call = platform.call("PATCH", &format!("/connections/{connection}"));
    assert_eq!(call.json(&json!({"name": name})).await.status, 200);
}

/// The names that `connection.updated` events told of, in the order of their arrival.
pub(crate) fn names(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received();
    let updates = received.iter().filter(|request| request.event["type"] == "connection.updated");
    updates.map(|request| text(&request.event["data"]["connection"]["name"])).collect()
}
