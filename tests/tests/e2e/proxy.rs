//! A call through the platform, from the SDK over the service in a process of its own to the emulator's provider.

use connect_tests::service_process::binary;
use futures_util::future::join_all;
use pabbly_connect::testing::{Emulator, EmulatorOptions};
use pabbly_connect::{Client, Customer, Error};
use serde_json::Value;

async fn connected(dev: &Emulator) -> (Customer, String) {
    let client = Client::builder().api_key(dev.tenant_key()).base_url(dev.base_url()).build().unwrap();
    let alice = client.customer("alice@example.com").unwrap();
    let link = alice.create_request_link("gmail", "Work Gmail").await.unwrap();
    assert_eq!(dev.ctl(&["connect", &link.request_link]).unwrap()["status"], "active");
    (alice, link.connection_id)
}

fn start() -> Emulator {
    Emulator::start_with(EmulatorOptions { binary: Some(binary().unwrap()), args: Vec::new() }).unwrap()
}

#[tokio::test]
async fn a_call_goes_through_sdk_service_and_provider() {
    let dev = start();
    let (alice, id) = connected(&dev).await;
    let call =
        alice.proxy(&id, "POST", "/gmail/v1/users/me/messages").query("q", "a b").header("x-mine", "1");
    let response = call.json(&serde_json::json!({"raw": "x"})).await.unwrap();
    assert_eq!(response.status(), 200);
    let echo: Value = response.into_body().json().await.unwrap();
    assert_eq!((&echo["method"], &echo["query"]["q"]), (&Value::from("POST"), &Value::from("a b")));
    assert_eq!(echo["path"], "/gmail/v1/users/me/messages");
    assert_eq!(
        (&echo["headers"]["x-mine"], &echo["headers"]["content-type"]),
        (&"1".into(), &"application/json".into())
    );
    let text = echo.to_string();
    assert!(!text.contains("pk_test_") && !text.contains("alice@example.com"), "{text}");

    // Many at once, each with its own response.
    let calls = join_all((0..100).map(|n| {
        let path = format!("items/{n}");
        let call = alice.proxy(&id, "GET", &path);
        async move { (path, call.await.unwrap().into_body().json::<Value>().await.unwrap()) }
    }));
    for (path, echo) in calls.await {
        assert_eq!(echo["path"], format!("/{path}"));
    }
}

/// The platform tells of a grant that is gone, and not the provider's 401.
#[tokio::test]
async fn a_revoked_grant_needs_reconnection() {
    let dev = start();
    let (alice, id) = connected(&dev).await;
    dev.ctl(&["revoke", &id]).unwrap();
    let refused = alice.proxy(&id, "GET", "x").await;
    assert!(
        matches!(refused, Err(Error::NeedsReconnection(_))),
        "{:?}",
        refused.map(|response| response.status())
    );
}
