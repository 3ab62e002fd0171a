//! What the log says of OAuth clients: that one was entered, and by which key; never its secret. A program of its own, since
//! what is logged is decided once for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::log;
use serde_json::json;
use support::{Log, Platform, Provider, Reply};
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

    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let path = "/apps/gmail/oauth-client";
    let body = json!({"client_id": "own-1", "client_secret": "canary-secret"});
    platform.call("PUT", path).json(&body).await.data();
    platform.call("PUT", path).json(&json!({"client_secret": "canary\u{7}"})).await;
    platform.call("PUT", &format!("{path}?client_secret=canary")).json(&json!({})).await;
    // Who looks after the service cannot mend a tenant's client, and is not called for it.
    provider.will(Reply::Say(401, "application/json", r#"{"error": "invalid_client"}"#));
    let own = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let assign = format!(
        "UPDATE credentials SET oauth_client_id = (SELECT id FROM oauth_clients) WHERE connection_id = '{own}'"
    );
    platform.database.connect().await.execute(&assign).await;
    let refusals = || {
        let text = log.text();
        let lines = text.lines().filter(|line| line.contains("the provider refuses"));
        lines.map(|line| line.contains(r#""level":"ERROR""#)).collect::<Vec<_>>()
    };
    platform.advance(3600);
    platform.token(&own).await.is_error(503, "upstream_unavailable");
    assert_eq!(refusals(), [false], "{}", log.text());
    let operators = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    platform.advance(3600);
    platform.token(&operators).await.is_error(503, "upstream_unavailable");
    assert_eq!(refusals(), [false, true], "{}", log.text());
    platform.call("DELETE", path).send().await.data();
    let logged = log.text();
    assert!(logged.contains("oauth_client.set") && logged.contains("oauth_client.removed"), "{logged}");
    assert!(!logged.contains("canary"), "{logged}");
}
