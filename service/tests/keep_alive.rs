//! Keep-alive: refresh tokens that would die unused are refreshed in time.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use std::time::Duration;

use connect_service::vending::keep_alive_once;
use fixture_support::{Platform, Provider, Visit, connect};
use serde_json::json;

const DAY: u64 = 24 * 60 * 60;

fn oauth(keys: &str) -> String {
    format!(
        "type = \"o_auth\"\n[auth.oauth]\nauthorization_url = \"PROVIDER/authorize\"\n\
         token_url = \"PROVIDER/token\"\npkce = false\n{keys}"
    )
}

/// What a look at all grants refreshes.
async fn kept_alive(platform: &Platform) -> u64 {
    keep_alive_once(&platform.app, Duration::ZERO).await.unwrap()
}

/// A connection whose tokens live for an hour.
async fn connected(platform: &Platform, provider: &Provider) -> String {
    provider.will_say(&[(200, json!({"access_token": "at", "refresh_token": "rt", "expires_in": 3600}))]);
    let (id, _) = connect(platform, &[]).await;
    provider.seen();
    id
}

#[tokio::test]
async fn a_grant_is_refreshed_at_three_quarters_of_its_idle_time() {
    let provider = Provider::start().await;
    let platform = provider.platform(&oauth("refresh_idle_days = 60")).await;
    for _ in 0..12 {
        connected(&platform, &provider).await;
    }
    platform.advance(60 * DAY / 10 * 7 - DAY);
    assert_eq!(kept_alive(&platform).await, 0);
    // Those of one day are spread over some.
    let mut days = Vec::new();
    for _ in 0..8 {
        platform.advance(DAY);
        let refreshed = kept_alive(&platform).await;
        assert_eq!(provider.seen().len() as u64, refreshed);
        days.push(refreshed);
    }
    assert_eq!(days.iter().sum::<u64>(), 12, "{days:?}");
    assert!(days.iter().filter(|day| **day > 0).count() > 1, "{days:?}");
    // From then on the time counts anew.
    platform.advance(30 * DAY);
    assert_eq!(kept_alive(&platform).await, 0);
    platform.advance(30 * DAY);
    assert_eq!(kept_alive(&platform).await, 12);
}

#[tokio::test]
async fn two_processes_refresh_each_grant_once() {
    let provider = Provider::start().await;
    let first = provider.platform(&oauth("refresh_idle_days = 60")).await;
    let second = first.another().await;
    for _ in 0..4 {
        connected(&first, &provider).await;
    }
    first.advance(50 * DAY);
    tokio::join!(kept_alive(&first), kept_alive(&second));
    assert_eq!(provider.seen().len(), 4);
}

#[tokio::test]
async fn only_what_is_used_and_would_die_is_kept_alive() {
    let provider = Provider::start().await;
    for (keys, unused_days, is_on, expected) in [
        ("refresh_idle_days = 60", 180, true, 1),
        ("refresh_idle_days = 60", 0, true, 0),
        ("refresh_idle_days = 60", 49, true, 0),
        ("refresh_idle_days = 60", 180, false, 0),
        ("", 180, true, 0),
    ] {
        let platform = provider
            .platform_configured(&oauth(keys), |config| {
                config.keep_alive_unused_days = unused_days;
                config.apps.get_mut("fixture").unwrap().keep_alive = is_on;
            })
            .await;
        connected(&platform, &provider).await;
        platform.advance(50 * DAY);
        assert_eq!(kept_alive(&platform).await, expected, "{keys} {unused_days} {is_on}");
    }
    // A call counts as use.
    let platform = provider
        .platform_configured(&oauth("refresh_idle_days = 60"), |config| config.keep_alive_unused_days = 40)
        .await;
    let id = connected(&platform, &provider).await;
    platform.advance(20 * DAY);
    platform.token(&id).await.data();
    platform.app.store.write_vendings().await.unwrap();
    platform.advance(30 * DAY);
    assert_eq!(kept_alive(&platform).await, 0, "the call has refreshed it");
    platform.advance(5 * DAY);
    platform.call("POST", &format!("/connections/{id}/token")).send().await.data();
    platform.app.store.write_vendings().await.unwrap();
    provider.seen();
    platform.advance(48 * DAY);
    assert_eq!(kept_alive(&platform).await, 0, "nobody used it for 48 days");
}

#[tokio::test]
async fn a_failure_is_remembered_and_a_refusal_ends_the_grant() {
    let provider = Provider::start().await;
    let platform = provider.platform(&oauth("refresh_idle_days = 60")).await;
    let id = connected(&platform, &provider).await;
    platform.advance(50 * DAY);
    provider.will_say(&[(503, json!({})), (400, json!({"error": "invalid_grant"}))]);
    assert_eq!(kept_alive(&platform).await, 0);
    assert_eq!(kept_alive(&platform).await, 0);
    assert_eq!(provider.seen().len(), 1, "it is left alone");
    platform.advance(1);
    assert_eq!(kept_alive(&platform).await, 0);
    assert_eq!(platform.status(&id).await, "expired");
    assert_eq!(kept_alive(&platform).await, 0);
    assert_eq!(provider.seen().len(), 1);

    // One that was never finished, or is being renewed, has nothing to keep.
    Visit::begin(&platform).await;
    assert_eq!(kept_alive(&platform).await, 0);
}
