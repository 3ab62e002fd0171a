//! What the log says about MCP. A program of its own, since what is logged is decided once for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::log;
use connect_service::store::Minted;
use serde_json::json;
use support::{Log, Platform, text};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Even if the operator asks for all that any crate has to say.
#[tokio::test]
async fn no_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    let layer = layer.with_filter(filter_fn(log::is_discreet));
    tracing_subscriber::registry().with(layer).init();

    let platform = Platform::start().await;
    let store = &platform.app.store;
    let key = store.keys(&platform.tenant).await.unwrap()[0].id.clone();
    let Minted::Minted(token) = store.mint_mcp_url(&key).await.unwrap() else {
        panic!("the tenant has an account");
    };
    let arguments = json!({"app_id": "brevo", "name": "canary-name"});
    let params = json!({"name": "create_connection_link", "arguments": arguments});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let mut secrets = vec![platform.key.clone(), token.clone()];
    for call in [platform.call("POST", "/mcp"), platform.bare("POST", &format!("/mcp/{token}"))] {
        let answer = call.header("host", "localhost").json(&message).await;
        let link = text(&answer.json["result"]["structuredContent"]["request_link"]);
        secrets.push(link.rsplit('/').next().unwrap().to_owned());
    }

    let logged = log.text();
    assert!(logged.contains("/platform/v1/mcp/{mcp_url_token}"), "the log is there");
    assert!(logged.contains("mcp_url.minted"), "and the audit is in it");
    secrets.extend(["canary-name", "owner@acme.example", support::ALICE].map(str::to_owned));
    for secret in &secrets {
        let line = logged.lines().find(|line| line.contains(secret.as_str()));
        assert_eq!(line, None, "{secret:.12}");
    }
}
