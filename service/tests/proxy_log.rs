//! What the log says about proxied calls. A program of its own, since what is logged is decided once for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::Config;
use connect_service::log;
use http::StatusCode;
use support::{Api, Log, Platform, Provider, Reply};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Neither of a call that went well, nor of one that did not.
#[tokio::test]
async fn nothing_of_a_proxied_call_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    tracing_subscriber::registry().with(layer.with_filter(filter_fn(log::is_discreet))).init();

    let (api, provider) = (Api::start().await, Provider::start().await);
    let mut config = Config::default();
    config.apps.insert("gmail".into(), provider.registration());
    let platform = Platform::with_apis(config, &api.url).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let call = async || {
        let path = format!("/connections/{id}/proxy/canary-path/canary@example.com?q=canary-query");
        let call = platform.call("POST", &path).header("x-header", "canary-header");
        call.body("canary-body").send().await.status
    };
    api.will(|_| (StatusCode::OK, [("x-header", "canary-theirs")], "canary-answer"));
    assert_eq!(call().await, 200);
    api.will(|_| (StatusCode::UNAUTHORIZED, "canary-answer"));
    assert_eq!(call().await, 401);
    provider.will(Reply::Say(400, "application/json", r#"{"error":"invalid_grant"}"#));
    platform.advance(3600);
    assert_eq!(call().await, 401);

    let logged = log.text();
    assert!(
        logged.contains("/connections/{connection_id}/proxy/{*path}") && logged.contains(&id),
        "{logged}"
    );
    assert!(!logged.contains("canary"), "{logged}");
    assert!(!logged.contains(&platform.key));
}
