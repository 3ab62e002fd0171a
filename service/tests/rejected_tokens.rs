//! `rejected_token_sha256`: a backend says that a provider's API refused the token that it was given.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use fixture_support::{Answer, Platform, Provider, Visit, connect};
use futures_util::future::join_all;
use serde_json::json;
use sha2::{Digest, Sha256};

const OAUTH: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
    [auth.api]
    base_url = "https://api.example"
"#;

const KEY: &str = r#"
    type = "header"
    constants = { header_name = "X-Key" }
    [[auth.fields]]
    name = "api_key"
    title = "Key"
    format = "password"
    [auth.api]
    base_url = "https://api.example"
    headers = { X-Key = "{api_key}" }
"#;

const VERIFY: &str = "[auth.verify]\npath = \"/me\"\n";

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks for a token in the place of the one with this digest.
async fn instead_of(platform: &Platform, id: &str, digest: &str) -> Answer {
    let call = platform.call("POST", &format!("/connections/{id}/token"));
    call.json(&json!({"rejected_token_sha256": digest})).await
}

async fn connected(platform: &Platform, provider: &Provider, refresh_token: Option<&str>) -> String {
    let granted = json!({"access_token": "at-0", "refresh_token": refresh_token, "expires_in": 3600});
    provider.will_say(&[(200, granted)]);
    let (id, _) = connect(platform, &[]).await;
    provider.seen();
    id
}

fn granted(n: u32) -> (u16, serde_json::Value) {
    (200, json!({"access_token": format!("at-{n}"), "refresh_token": "rt", "expires_in": 3600}))
}

#[tokio::test]
async fn all_who_name_the_current_token_cause_one_refresh() {
    let provider = Provider::start().await;
    let platform = provider.platform(OAUTH).await;
    let id = connected(&platform, &provider, Some("rt")).await;
    provider.will_say(&[granted(1), granted(2)]);
    let old = digest("at-0");
    for answer in join_all((0..50).map(|_| instead_of(&platform, &id, &old))).await {
        assert_eq!(answer.data()["access_token"], "at-1");
    }
    // Not the current one any more, or never one.
    for other in [&old, &digest("at"), &digest("")] {
        assert_eq!(instead_of(&platform, &id, other).await.data()["access_token"], "at-1");
    }
    assert_eq!(provider.seen().len(), 1);
    // The new one is refused as well: it is too early to ask again.
    assert_eq!(instead_of(&platform, &id, &digest("at-1")).await.data()["access_token"], "at-1");
    assert!(provider.seen().is_empty());
    platform.advance(60);
    assert_eq!(instead_of(&platform, &id, &digest("at-1")).await.data()["access_token"], "at-2");
    assert_eq!(provider.seen().len(), 1);
}

#[tokio::test]
async fn many_processes_refresh_a_named_token_once() {
    let provider = Provider::start().await;
    let first = provider.platform(OAUTH).await;
    let second = first.another().await;
    let id = connected(&first, &provider, Some("rt")).await;
    provider.will_say(&[granted(1), granted(2)]);
    let old = digest("at-0");
    let callers = (0..20).map(|n| instead_of([&first, &second][n % 2], &id, &old));
    for answer in join_all(callers).await {
        assert_eq!(answer.data()["access_token"], "at-1");
    }
    assert_eq!(provider.seen().len(), 1);
}

/// The token that was refused is no token that works, so it is not vended in the place of a new one.
#[tokio::test]
async fn a_refresh_that_fails_is_a_503_for_those_who_need_it() {
    let provider = Provider::start().await;
    let platform = provider.platform(OAUTH).await;
    let id = connected(&platform, &provider, Some("rt")).await;
    provider.will_say(&[(500, json!({}))]);
    for _ in 0..3 {
        instead_of(&platform, &id, &digest("at-0")).await.is_error(503, "upstream_unavailable");
        assert_eq!(platform.token(&id).await.data()["access_token"], "at-0");
        platform.advance(5);
    }
    assert_eq!(provider.seen().len(), 1, "one forced refresh a minute, also where it fails");
    platform.advance(60);
    provider.will_say(&[granted(1)]);
    assert_eq!(instead_of(&platform, &id, &digest("at-0")).await.data()["access_token"], "at-1");
}

#[tokio::test]
async fn what_cannot_be_refreshed_is_checked_at_the_provider() {
    let provider = Provider::start().await;
    let with_token = format!("{OAUTH}{VERIFY}");
    let with_key = format!("{KEY}{VERIFY}");
    // The fields as canonical JSON.
    let key = r#"{"api_key":"canary é\"","header_name":"X-Key"}"#;
    for (auth, current, status, ends) in [
        (&with_token, "at-0", 200, false),
        (&with_token, "at-0", 401, true),
        (&with_token, "at-0", 500, false),
        (&with_key, key, 401, true),
        (&with_key, key, 200, false),
        (&KEY.to_owned(), key, 401, false),
    ] {
        let is_key = current == key;
        let platform =
            if is_key { provider.platform_without_client(auth).await } else { provider.platform(auth).await };
        let id = if is_key {
            provider.will_say(&[(200, json!({}))]);
            let visit = Visit::begin(&platform).await;
            let page = visit.submit(&[("api_key", "canary é\"")]).await;
            assert_eq!(page.status, 200, "{}", page.text);
            provider.seen();
            visit.connection_id
        } else {
            connected(&platform, &provider, None).await
        };
        provider.will_say(&[(status, json!({}))]);
        assert_eq!(instead_of(&platform, &id, &digest("other")).await.status, 200);
        assert!(provider.seen().is_empty(), "{current}: not the current one");
        let (first, second) = (
            instead_of(&platform, &id, &digest(current)).await,
            instead_of(&platform, &id, &digest(current)).await,
        );
        let asked = provider.seen();
        let expected = usize::from(auth.contains("auth.verify"));
        assert_eq!(asked.len(), expected, "{current} {status}: it is asked once a minute");
        assert!(asked.iter().all(|request| request.path.ends_with("/me")));
        for answer in [first, second] {
            if ends {
                answer.is_error(401, "needs_reconnection");
            } else {
                answer.data();
            }
        }
        if ends {
            let connection = platform.call("GET", &format!("/connections/{id}")).send().await;
            assert_eq!(connection.data()["reconnection"]["reason"], "grant_refused");
        }
    }
}

#[tokio::test]
async fn a_digest_is_64_digits_and_is_kept_nowhere() {
    let provider = Provider::start().await;
    let platform = provider.platform(OAUTH).await;
    let id = connected(&platform, &provider, Some("rt")).await;
    let current = digest("at-0");
    for wrong in ["", &current[1..], &current.to_uppercase(), &format!("{current}0")] {
        let answer = instead_of(&platform, &id, wrong).await;
        answer.is_error(400, "invalid_request");
        assert!(answer.text.contains("rejected_token_sha256") && !answer.text.contains(&current[2..]));
    }
    let path = format!("/connections/{id}/token");
    for (body, status) in [("{}", 200), (r#"{"rejected_token_sha256":null}"#, 400), ("[]", 400), ("{", 400)] {
        let call = platform.call("POST", &path).header("content-type", "application/json").body(body);
        assert_eq!(call.send().await.status, status, "{body}");
    }
    let call = platform.call("POST", &path).header("content-type", "application/json");
    call.send().await.data();
    let call = platform.call("POST", &path).body(r#"{"rejected_token_sha256":""}"#);
    assert_eq!(call.send().await.status, 415, "its type is not told");
    assert!(provider.seen().is_empty());

    provider.will_say(&[granted(1)]);
    instead_of(&platform, &id, &current).await.data();
    let stored = platform.database.contents().await;
    let has = |text: &str| stored.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has(&id) && !has(&current));
}
