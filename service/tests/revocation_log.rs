//! What the log says about revocations. A program of its own, since what is logged is decided once for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use connect_service::log;
use connect_service::revocation::revoke_due;
use fixture_support::{Log, Provider, connect};
use serde_json::json;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

const APP: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
    [auth.account]
    id = "token:/user"
    [auth.revoke]
    url = "PROVIDER/revoke"
"#;

/// Neither of a success nor of a failure.
#[tokio::test]
async fn no_token_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    tracing_subscriber::registry().with(layer.with_filter(filter_fn(log::is_discreet))).init();

    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let issued = json!({"access_token": "canary-at", "refresh_token": "canary-rt", "user": "canary-account"});
    provider.will_say(&[(200, issued)]);
    let (connected, _) = connect(&platform, &[]).await;
    platform.call("DELETE", &format!("/connections/{connected}")).send().await.data();
    for status in [503, 400] {
        provider.will_say(&[(status, json!({"error": "canary-answer"}))]);
        provider.seen();
        revoke_due(&platform.app).await.unwrap();
        assert_eq!(provider.seen().len(), 1);
        platform.advance(60);
    }
    let logged = log.text();
    assert!(logged.contains(r#""outcome":"refused""#) && logged.contains(r#""app":"fixture""#));
    assert!(logged.contains(r#""host":"127.0.0.1""#));
    assert!(!logged.contains("canary"));
}
