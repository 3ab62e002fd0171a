//! Failures of a refresh: they are remembered, end, and harm nobody else.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::Config;
use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Answer, Call, Platform, Provider, Reply};

const DAY: u64 = 24 * 60 * 60;

/// A service where this provider stands in for Gmail's, with room for many calls.
async fn platform_of(provider: &Provider) -> Platform {
    let mut config = Config::default();
    config.apps.insert("gmail".into(), provider.registration());
    (config.budgets.token, config.budgets.default) = (100_000, 100_000);
    Platform::with(config).await
}

/// The seconds that a 503 tells to wait.
fn wait(answer: &Answer) -> u64 {
    answer.is_error(503, "upstream_unavailable");
    answer.header("retry-after").parse().unwrap()
}

async fn connection(platform: &Platform, id: &str) -> Value {
    platform.call("GET", &format!("/connections/{id}")).send().await.data().clone()
}

/// Two thousand calls in ten seconds, while the provider is throttled.
#[tokio::test]
async fn a_throttled_provider_is_asked_once_while_the_token_is_good() {
    let provider = Provider::start().await;
    let platform = platform_of(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(600)).await;
    provider.will(Reply::Throttle(600));
    platform.advance(541);
    for _ in 0..10 {
        for answer in join_all((0..200).map(|_| platform.token(&id))).await {
            assert_eq!(answer.data()["access_token"], "canary-access-0");
        }
        platform.refreshes_end().await;
    }
    assert_eq!(provider.seen().len(), 1);
    // The token has expired, and the pause has not.
    platform.advance(59);
    let left = wait(&platform.token(&id).await);
    assert!((300..=541).contains(&left), "{left}");
    assert_eq!(provider.seen().len(), 1);
    provider.will(Reply::Rotate(Some(3600)));
    platform.advance(left);
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-access-2");
}

#[tokio::test]
async fn a_hanging_refresh_delays_no_good_token() {
    let provider = Provider::start().await;
    let platform = platform_of(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(600)).await;
    platform.advance(570);
    provider.hold();
    for _ in 0..5 {
        assert_eq!(platform.token(&id).await.data()["access_token"], "canary-access-0");
    }
    provider.has_seen(1).await;
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-access-0");
    provider.release();
    platform.refreshes_end().await;
    // The response that hung is the one that counts.
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-access-1");
    assert_eq!(provider.seen().len(), 1);
}

#[tokio::test]
async fn pauses_grow_and_a_success_ends_them() {
    let provider = Provider::start().await;
    let platform = platform_of(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    provider.will(Reply::Say(500, "text/plain", ""));
    for (failures, longest) in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].into_iter().enumerate() {
        let told = wait(&platform.token(&id).await);
        assert!((longest / 2..=longest).contains(&told), "{failures}: {told}");
        assert_eq!(provider.seen().len(), failures + 1);
        for answer in join_all((0..5).map(|_| platform.token(&id))).await {
            assert!(wait(&answer) <= longest);
        }
        assert_eq!(provider.seen().len(), failures + 1, "it is left alone");
        platform.advance(longest);
    }
    provider.will(Reply::Rotate(Some(60)));
    platform.token(&id).await.data();
    platform.advance(60);
    provider.will(Reply::Say(500, "text/plain", ""));
    assert_eq!(wait(&platform.token(&id).await), 1);
}

#[tokio::test]
async fn a_failure_is_remembered_by_all_processes() {
    let provider = Provider::start().await;
    let first = platform_of(&provider).await;
    let second = first.another().await;
    let id = first.authorised(Some("canary-refresh-0"), Some(60)).await;
    first.advance(60);
    provider.will(Reply::Throttle(3600));
    let callers = (0..30).map(|n| [&first, &second][n % 2].token(&id));
    for answer in join_all(callers).await {
        assert!((3500..=3600).contains(&wait(&answer)));
    }
    assert_eq!(provider.seen().len(), 1);
    first.advance(1800);
    assert!((1700..=1800).contains(&wait(&second.token(&id).await)), "what is left");

    // No provider is left alone for longer than a day.
    first.advance(1800);
    provider.will(Reply::Throttle(DAY * 365));
    assert_eq!(wait(&second.token(&id).await), DAY);
    provider.will(Reply::Rotate(Some(60)));
    first.advance(DAY);
    first.token(&id).await.data();
}

#[tokio::test]
async fn connecting_again_ends_a_pause() {
    let provider = Provider::start().await;
    let platform = platform_of(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    provider.will(Reply::Say(503, "text/plain", ""));
    wait(&platform.token(&id).await);
    let link = platform.link(json!({"connection_id": id})).await;
    platform.grant(&link, Some("canary-refresh-0"), Some(0)).await;
    provider.will(Reply::Rotate(Some(3600)));
    platform.token(&id).await.data();
}

/// Fails so often, in so many days; gives the last response.
async fn run(platform: &Platform, provider: &Provider, id: &str, replies: &[Reply], days: u64) -> Answer {
    let step = days * DAY / (replies.len() as u64 - 1);
    let mut last = None;
    for (n, reply) in replies.iter().enumerate() {
        if n > 0 {
            assert_eq!(connection(platform, id).await["status"], "active");
            platform.advance(step);
        }
        provider.will(reply.clone());
        last = Some(platform.token(id).await);
    }
    last.unwrap()
}

#[tokio::test]
async fn refusals_for_days_end_a_connection() {
    let provider = Provider::start().await;
    let platform = platform_of(&provider).await;
    let refusal = Reply::Say(400, "application/json", r#"{"message":"Location is not active"}"#);
    for (others, replies, days, ends) in [
        (&[][..], 10, 4, true),
        (&[][..], 9, 8, false),
        (&[][..], 20, 3, false),
        // None of these ends a grant, and each breaks the run.
        (&[Reply::Say(500, "text/plain", "")][..], 10, 4, false),
        (&[Reply::Throttle(1)][..], 10, 4, false),
        (&[Reply::Say(403, "text/html", "<html>Blocked</html>")][..], 10, 4, false),
        (&[Reply::Say(401, "application/json", r#"{"error":"invalid_client"}"#)][..], 10, 4, false),
        (&[Reply::Say(408, "text/plain", "")][..], 10, 4, false),
    ] {
        let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
        platform.advance(DAY);
        let mut all = vec![refusal.clone(); replies];
        all.splice(5..5, others.iter().cloned());
        let last = run(&platform, &provider, &id, &all, days).await;
        let shown = connection(&platform, &id).await;
        if ends {
            last.is_error(401, "needs_reconnection");
            assert_eq!(shown["reconnection"]["reason"], "refresh_failed");
        } else {
            assert!(wait(&last) >= 1, "{others:?} {replies} {days}");
            assert_eq!(shown["needs_reconnection"], false, "{others:?} {replies} {days}");
        }
    }
    // For weeks, what is no refusal ends nothing.
    for reply in [
        Reply::Say(401, "application/json", r#"{"error":"invalid_client"}"#),
        Reply::Say(503, "text/plain", ""),
        Reply::Throttle(1),
        Reply::Say(403, "text/html", "<html>Blocked</html>"),
    ] {
        let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
        platform.advance(DAY);
        wait(&run(&platform, &provider, &id, &vec![reply; 15], 30).await);
    }
}

/// A second tenant of the same service, with a connection of its own.
struct Tenant<'a> {
    platform: &'a Platform,
    key: String,
    connection: String,
}

impl<'a> Tenant<'a> {
    async fn new(platform: &'a Platform, lifetime: i64) -> Self {
        let key = platform.another_key(&connect_service::store::Capability::ALL).await;
        let link = platform
            .call("POST", "/connections/request-link")
            .header("authorization", &format!("Bearer {key}"))
            .json(&json!({"app_id": "gmail", "name": "Mail"}))
            .await;
        platform.grant(link.data(), Some("canary-refresh-0"), Some(lifetime)).await;
        Self { platform, key, connection: support::text(&link.data()["connection_id"]) }
    }

    async fn token(&self) -> Answer {
        let call: Call = self.platform.call("POST", &format!("/connections/{}/token", self.connection));
        call.header("authorization", &format!("Bearer {}", self.key)).send().await
    }
}

#[tokio::test]
async fn one_tenants_throttling_is_anothers_for_a_minute_at_most() {
    let provider = Provider::start().await;
    let platform = platform_of(&provider).await;
    let loud = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    let (second, third, valid) = (
        Tenant::new(&platform, 60).await,
        Tenant::new(&platform, 60).await,
        Tenant::new(&platform, 600).await,
    );
    platform.advance(570);
    provider.will(Reply::Throttle(3600));
    wait(&platform.token(&loud).await);
    // The second tenant's probe is throttled too, so the third one waits; a token that is good does not.
    assert!(wait(&second.token().await) > 3500);
    assert_eq!(provider.seen().len(), 2);
    for _ in 0..3 {
        let left = wait(&third.token().await);
        assert!((50..=60).contains(&left), "{left}");
        assert_eq!(valid.token().await.data()["access_token"], "canary-access-0");
        platform.refreshes_end().await;
    }
    assert_eq!(provider.seen().len(), 2);
    platform.advance(60);
    provider.will(Reply::Rotate(Some(3600)));
    third.token().await.data();
}

#[tokio::test]
async fn a_probe_that_succeeds_frees_all_others() {
    let provider = Provider::start().await;
    let platform = platform_of(&provider).await;
    let loud = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    let (second, third) = (Tenant::new(&platform, 60).await, Tenant::new(&platform, 60).await);
    platform.advance(60);
    provider.will(Reply::Throttle(3600));
    wait(&platform.token(&loud).await);
    provider.will(Reply::Keep);
    second.token().await.data();
    third.token().await.data();
    assert_eq!(provider.seen().len(), 3);
    assert!(wait(&platform.token(&loud).await) > 3500, "its own pause goes on");
}
