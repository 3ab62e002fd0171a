//! Removing everything of a customer, or of an organisation's app.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use connect_service::revocation::revoke_due;
use connect_service::store::Capability;
use fixture_support::{Answer, Platform, Provider, Visit, text};
use serde_json::{Value, json};

const APP: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
    [auth.revoke]
    url = "PROVIDER/revoke"
"#;

const BO: &str = "bo@north.example";

async fn connect(
    platform: &Platform,
    provider: &Provider,
    customer: &str,
    organization: Option<&str>,
) -> String {
    let tokens = json!({"access_token": "canary-at", "refresh_token": format!("canary-rt-{customer}")});
    provider.will_say(&[(200, tokens)]);
    let mut body = json!({"app_id": "fixture", "name": "Work"});
    if let Some(organization) = organization {
        body["organization"] = json!({"id": organization});
    }
    let link = platform.call("POST", "/connections/request-link").customer(customer).json(&body).await;
    let visit = Visit::open(platform, link.data()).await;
    let left = visit.to_provider(&[]).await;
    visit.come_back(&left, &[("code", "c0de")]).await;
    provider.seen();
    visit.connection_id
}

async fn total(platform: &Platform, customer: &str) -> Value {
    platform.call("GET", "/connections").customer(customer).send().await.data()["total"].clone()
}

async fn erase(platform: &Platform, customer: &str, query: &str) -> Answer {
    platform.call("DELETE", &format!("/customers{query}")).customer(customer).send().await
}

#[tokio::test]
async fn nothing_of_a_customer_is_left() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    for _ in 0..2 {
        connect(&platform, &provider, BO, None).await;
    }
    let other = connect(&platform, &provider, "cy@north.example", None).await;
    let open = json!({"app_id": "fixture", "name": "Never finished"});
    platform.call("POST", "/connections/request-link").customer(BO).json(&open).await.data();
    platform.call("POST", "/organizations/north/admin-link").customer(BO).json(&json!({})).await.data();

    assert_eq!(erase(&platform, BO, "").await.data(), &json!({"connections": 3}));
    assert_eq!(total(&platform, BO).await, 0);
    assert_eq!(total(&platform, "cy@north.example").await, 1);
    for table in ["connections", "links", "usages", "admin_links"] {
        let count = format!("SELECT COUNT(*) FROM {table} WHERE customer = '{BO}'");
        assert_eq!(platform.database.connect().await.text(&count).await, "0", "{table}");
    }
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|request| request.form["token"] == format!("canary-rt-{BO}")));
    let path = format!("/connections/{other}/token");
    platform.call("POST", &path).customer("cy@north.example").send().await.data();
    // The feed goes on to tell what happened, and not to whom.
    let feed = platform.call("GET", "/events?limit=100").send().await;
    assert!(!feed.text.contains(BO) && feed.text.contains("cy@north.example"), "{}", feed.text);
    let events = feed.data()["events"].as_array().unwrap();
    let deleted = events.iter().filter(|event| event["type"] == "connection.deleted");
    assert_eq!(deleted.count(), 3);
    // Again: there is nothing.
    assert_eq!(erase(&platform, BO, "").await.data(), &json!({"connections": 0}));
}

#[tokio::test]
async fn what_is_in_use_is_removed_only_by_force() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let used = connect(&platform, &provider, BO, None).await;
    connect(&platform, &provider, BO, None).await;
    let usage = format!("/connections/{used}/usages/workflow-1");
    platform.call("PUT", &usage).customer(BO).send().await.data();
    for query in ["", "?force=false"] {
        erase(&platform, BO, query).await.is_error(409, "connection_in_use");
    }
    erase(&platform, BO, "?force=1").await.is_error(400, "invalid_request");
    assert_eq!(total(&platform, BO).await, 2, "nothing was removed");
    assert_eq!(erase(&platform, BO, "?force=true").await.data(), &json!({"connections": 2}));
    assert_eq!(total(&platform, BO).await, 0);
}

#[tokio::test]
async fn a_customer_is_one_of_this_tenant_alone() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    connect(&platform, &provider, BO, None).await;
    let other = platform.another_key(&Capability::ALL).await;
    let call = platform.call("DELETE", "/customers").customer(BO);
    assert_eq!(call.key(&other).send().await.data(), &json!({"connections": 0}));
    assert_eq!(total(&platform, BO).await, 1);
    let nobody = platform.call("DELETE", "/customers").without("x-user-email").send().await;
    nobody.is_error(400, "invalid_user_email");
    for granted in Capability::ALL {
        let key = platform.another_key(&[granted]).await;
        for path in ["/customers", "/organizations/north/apps/fixture"] {
            let answer = platform.call("DELETE", path).key(&key).send().await;
            assert_eq!(answer.status == 403, granted != Capability::Delete, "{path} with {granted}");
        }
    }
}

/// "Clear platform info": one app of one organisation, with its client.
#[tokio::test]
async fn an_organizations_app_is_cleared_alone() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let client = |name: &str| json!({"client_id": name, "client_secret": "canary"});
    for organization in ["north", "south"] {
        let path = format!("/organizations/{organization}/apps/fixture/oauth-client");
        platform.call("PUT", &path).json(&client(organization)).await.data();
    }
    connect(&platform, &provider, BO, Some("north")).await;
    connect(&platform, &provider, "cy@north.example", Some("north")).await;
    connect(&platform, &provider, BO, Some("south")).await;
    connect(&platform, &provider, BO, None).await;
    let clear = async |key: &str| {
        platform.call("DELETE", "/organizations/north/apps/fixture").key(key).send().await.data().clone()
    };
    let other = platform.another_key(&Capability::ALL).await;
    assert_eq!(clear(&other).await, json!({"connections": 0}));
    assert_eq!(clear(&platform.key).await, json!({"connections": 2}));
    assert_eq!(total(&platform, BO).await, 2);
    assert_eq!(total(&platform, "cy@north.example").await, 0);
    let north = platform.call("GET", "/organizations/north/apps/fixture/oauth-client").send().await;
    north.is_error(404, "oauth_client_not_found");
    let south = platform.call("GET", "/organizations/south/apps/fixture/oauth-client").send().await;
    assert_eq!(text(&south.data()["client_id"]), "south");
    let changes = platform.call("GET", "/events?types=oauth_client.changed").send().await;
    let changes = changes.data()["events"].as_array().unwrap().clone();
    let last = &changes.last().unwrap()["data"];
    assert_eq!((&last["change"], &last["organization_id"]), (&json!("removed"), &json!("north")));
    assert_eq!(changes.len(), 3);
    // Each grant is ended by the client that it was granted to.
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|request| request.form["client_id"] == "north"));
}
