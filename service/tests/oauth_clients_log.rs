//! What the log says of OAuth clients: that one was entered, and by which key; never its secret. A program of its own, since
//! what is logged is decided once for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::log;
use serde_json::json;
use support::{Log, Platform};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::test]
async fn no_secret_of_a_client_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    tracing_subscriber::registry().with(layer.with_filter(filter_fn(log::is_discreet))).init();

    let platform = Platform::start().await;
    let path = "/apps/gmail/oauth-client";
    let body = json!({"client_id": "own-1", "client_secret": "canary-secret"});
    platform.call("PUT", path).json(&body).await.data();
    platform.call("PUT", path).json(&json!({"client_secret": "canary\u{7}"})).await;
    platform.call("PUT", &format!("{path}?client_secret=canary")).json(&json!({})).await;
    platform.call("DELETE", path).send().await.data();
    let logged = log.text();
    assert!(logged.contains("oauth_client.set") && logged.contains("oauth_client.removed"), "{logged}");
    assert!(!logged.contains("canary"), "{logged}");
}
