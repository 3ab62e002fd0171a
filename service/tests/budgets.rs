//! Rate budgets, as a caller sees them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::{BudgetConfig, Config};
use connect_service::store::Capability;
use serde_json::json;
use support::{Answer, Platform, text};

async fn platform(token: u32, default: u32, status: u32) -> Platform {
    Platform::with(Config {
        budgets: BudgetConfig { token, default, status, ..BudgetConfig::default() },
        ..Config::default()
    })
    .await
}

/// Asserts the three headers of a budget, and gives what is left.
#[track_caller]
fn left(answer: &Answer, name: &str, limit: u32) -> u32 {
    assert_eq!(answer.header("ratelimit-policy"), format!("\"{name}\";q={limit};w=60"));
    let rest = answer.header("ratelimit").strip_prefix(&format!("\"{name}\";r=")).unwrap();
    let (left, reset) = rest.split_once(";t=").unwrap();
    assert!((1..=60).contains(&reset.parse::<u32>().unwrap()));
    left.parse().unwrap()
}

#[track_caller]
fn is_limited(answer: &Answer, name: &str, limit: u32) {
    answer.is_error(429, "rate_limited");
    assert_eq!(left(answer, name, limit), 0);
    let wait: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_tenants_calls_are_counted_whatever_comes_of_them() {
    let platform = platform(600, 3, 120).await;
    assert_eq!(left(&platform.call("GET", "/apps").send().await, "default", 3), 2);
    let invalid = platform.call("GET", "/connections").without("x-user-email").send().await;
    assert_eq!((invalid.status, left(&invalid, "default", 3)), (400, 1));
    let unknown = platform.call("GET", "/connections/x").send().await;
    assert_eq!((unknown.status, left(&unknown, "default", 3)), (404, 0));
    // The budget comes before the email and the rest of the request.
    is_limited(&platform.call("GET", "/connections").without("x-user-email").send().await, "default", 3);
    is_limited(&platform.call("GET", "/apps").send().await, "default", 3);

    // Another tenant has its own, another key of this one has not.
    let second = platform.app.store.create_key(&platform.tenant, &Capability::ALL).await.unwrap().unwrap();
    is_limited(&platform.call("GET", "/apps").key(&second).send().await, "default", 3);
    let other = platform.another_key(&Capability::ALL).await;
    assert_eq!(left(&platform.call("GET", "/apps").key(&other).send().await, "default", 3), 2);
    // The token endpoint has one of its own.
    assert_eq!(left(&platform.token("x").await, "token", 600), 599);
}

#[tokio::test]
async fn the_token_endpoint_has_its_own_budget() {
    let platform = platform(2, 120, 120).await;
    let id = platform.connected().await;
    assert_eq!(left(&platform.token(&id).await, "token", 2), 1);
    assert_eq!(left(&platform.token(&id).await, "token", 2), 0);
    is_limited(&platform.token(&id).await, "token", 2);
    assert_eq!(platform.status(&id).await, "active");
}

#[tokio::test]
async fn the_public_status_is_counted_per_link_and_costs_the_tenant_nothing() {
    let platform = platform(600, 2, 2).await;
    let one = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let two = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let status = async |link: &serde_json::Value| {
        let path = format!("/connections/{}/status", text(&link["connection_id"]));
        platform.public("GET", &path, &text(&link["request_token"])).send().await
    };
    assert_eq!(left(&status(&one).await, "status", 2), 1);
    assert_eq!(left(&status(&one).await, "status", 2), 0);
    let limited = status(&one).await;
    is_limited(&limited, "status", 2);
    assert_eq!(limited.header("access-control-allow-origin"), "*");
    assert!(limited.header("access-control-expose-headers").contains("retry-after"));
    status(&two).await.data();
}

#[tokio::test]
async fn the_hosted_page_is_counted_with_the_public_endpoints_of_its_link() {
    let platform = platform(600, 2, 2).await;
    let one = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let two = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let page = async |link: &serde_json::Value| {
        let url = text(&link["request_link"]);
        let path = url.split_once("/platform/v1").unwrap().1;
        platform.bare("GET", path).send().await
    };
    assert_eq!(page(&one).await.status, 200);
    let token = text(&one["request_token"]);
    let status = format!("/connections/{}/status", text(&one["connection_id"]));
    assert_eq!(left(&platform.public("GET", &status, &token).send().await, "status", 2), 0);
    let limited = page(&one).await;
    assert_eq!(limited.status, 429);
    assert!(limited.text.contains("Too many attempts"), "{}", limited.text);
    assert!((1..=60).contains(&limited.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(page(&two).await.status, 200);
}

#[tokio::test]
async fn an_unknown_key_sees_no_budget() {
    let platform = platform(600, 1, 120).await;
    for _ in 0..3 {
        let answer = platform.bare("GET", "/apps").send().await;
        answer.is_error(401, "invalid_api_key");
        assert_eq!(answer.header("ratelimit"), "");
    }
    platform.call("GET", "/apps").send().await.data();
}
