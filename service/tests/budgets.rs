//! Rate budgets, as a caller sees them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::budget::{Budgets, Group};
use connect_service::config::{BudgetConfig, Config};
use connect_service::store::{Caller, Capability, TenantBudgets};
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

/// Several processes over PostgreSQL have one budget, and each takes a twentieth of it at a time. Over SQLite each process
/// counts alone.
#[tokio::test]
async fn processes_share_a_tenants_budget() {
    const BUDGET: u32 = 40;
    let platform = platform(BUDGET, BUDGET, 120).await;
    let processes = [&platform, &platform.another().await, &platform.another().await];
    let is_shared = platform.database.file().is_none();
    let mut allowed = 0;
    let mut refused = 0;
    for n in 0..3 * BUDGET as usize {
        // One of them gets most of the calls.
        let process = processes[if n % 3 == 0 { n % 9 / 3 } else { 0 }];
        let answer = process.call("GET", "/apps").send().await;
        if answer.status == 200 {
            allowed += 1;
            assert!(left(&answer, "default", BUDGET) < BUDGET);
        } else {
            refused += 1;
            is_limited(&answer, "default", BUDGET);
        }
    }
    assert_eq!(allowed + refused, 3 * BUDGET);
    if is_shared {
        // Lots are of two calls: two processes may have one left each.
        assert!((BUDGET - 2..=BUDGET).contains(&allowed), "{allowed}");
    } else {
        assert!(allowed > BUDGET, "{allowed}");
    }
}

/// Callers that ask at once take no more lots than are needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_once_never_exceed_the_budget() {
    const BUDGET: u32 = 60;
    let platform = platform(BUDGET, BUDGET, 120).await;
    let other = platform.another().await;
    let is_shared = platform.database.file().is_none();
    // The first use of a key is noted, for which all others would wait.
    platform.call("GET", "/apps").send().await.data();
    let calls = (0..100).map(|n| if n % 2 == 0 { &platform } else { &other });
    let calls = calls.map(|process| process.call("GET", "/apps").send());
    let answers = futures_util::future::join_all(calls).await;
    let allowed = 1 + answers.iter().filter(|answer| answer.status == 200).count();
    let others = answers.iter().find(|answer| ![200, 429].contains(&answer.status));
    assert!(others.is_none(), "{others:?}");
    if is_shared {
        // A lot is three calls.
        assert!((BUDGET as usize - 4..=BUDGET as usize).contains(&allowed), "{allowed}");
    } else {
        assert_eq!(allowed, 101);
    }
}

/// What the operator gave the tenant counts from the next request on.
#[tokio::test]
async fn a_tenants_own_budget_replaces_the_configured_one() {
    let platform = platform(2, 2, 120).await;
    let store = &platform.app.store;
    let own = TenantBudgets { token: Some(7), ..TenantBudgets::default() };
    assert!(store.set_tenant_budgets(&platform.tenant, own).await.unwrap());
    assert_eq!(left(&platform.token("x").await, "token", 7), 6);
    assert_eq!(left(&platform.call("GET", "/apps").send().await, "default", 2), 1);
    assert_eq!(store.tenants().await.unwrap()[0].budgets, own);
    assert!(store.set_tenant_budgets(&platform.tenant, TenantBudgets::default()).await.unwrap());
    let answer = platform.token("x").await;
    assert!(answer.header("ratelimit-policy").contains("q=2;"), "{:?}", answer.headers);
    assert!(!store.set_tenant_budgets("ten_unknown", own).await.unwrap());
}

/// Such a call fails by itself, with a 503 and not a 429.
#[tokio::test]
async fn without_the_database_no_call_is_one_too_many() {
    let platform = platform(2, 2, 120).await;
    let store = platform.app.store.clone();
    store.close().await;
    let budgets = Budgets::new(&platform.app.config.budgets, Some(store));
    let caller = Caller {
        tenant: platform.tenant.clone(),
        key: "key_x".into(),
        capabilities: Vec::new(),
        budgets: TenantBudgets::default(),
    };
    let calls = (0..10).map(|_| budgets.take(Group::Token, &caller));
    for standing in futures_util::future::join_all(calls).await {
        assert!(standing.check().is_ok());
    }
    platform.call("GET", "/apps").send().await.is_error(503, "upstream_unavailable");
}

#[tokio::test]
async fn a_tenant_reads_its_budgets() {
    let platform = platform(600, 120, 120).await;
    let own = TenantBudgets { events: Some(7), proxy: Some(9), ..TenantBudgets::default() };
    assert!(platform.app.store.set_tenant_budgets(&platform.tenant, own).await.unwrap());
    let id = platform.connected().await;
    for _ in 0..3 {
        platform.token(&id).await.data();
    }
    assert_eq!(left(&platform.call("GET", "/events").send().await, "events", 7), 6);
    let read = async |platform: &Platform| {
        let answer = platform.call("GET", "/budgets").send().await;
        let budgets = answer.data()["budgets"].as_array().unwrap().clone();
        for budget in &budgets {
            assert_eq!(budget["window"], 60);
            assert!((1..=60).contains(&budget["resets_in"].as_u64().unwrap()), "{budget}");
        }
        let number = |budget: &serde_json::Value, name| budget[name].as_u64().unwrap();
        let of = |budget: &serde_json::Value| {
            (text(&budget["name"]), number(budget, "limit"), number(budget, "remaining"))
        };
        budgets.iter().map(of).collect::<Vec<_>>()
    };
    let calls =
        |names: [(&str, u64, u64); 4]| names.map(|(name, limit, left)| (name.to_owned(), limit, left));
    // Its own call counts, and the link before.
    let expected = calls([("default", 120, 118), ("token", 600, 597), ("events", 7, 6), ("proxy", 9, 9)]);
    let first = read(&platform).await;
    assert_eq!(first, expected);
    // On PostgreSQL another process knows of them, too, and of the lots that were taken for them.
    let other = platform.another().await;
    let there = read(&other).await;
    if platform.database.file().is_none() {
        let left_there = |name: &str| there.iter().find(|(found, ..)| found == name).unwrap().2;
        assert_eq!((left_there("token"), left_there("events")), (570, 6), "{there:?}");
    }

    let limited = platform.another_key(&[Capability::Token]).await;
    platform.call("GET", "/budgets").key(&limited).send().await.is_error(403, "capability_disabled");
}
