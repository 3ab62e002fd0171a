//! Vending and refreshing: what a caller gets is valid now, and a refresh token is used once.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::time::Duration;

use connect_service::clock::Clock;
use connect_service::store::{ReconnectionReason, Tokens};
use futures_util::future::join_all;
use secrecy::ExposeSecret;
use serde_json::json;
use support::{Platform, Provider, Reply};
use tokio::time::timeout;

async fn stored_refresh_token(platform: &Platform, id: &str) -> Option<String> {
    let credential = platform.app.store.credential(&platform.owner(), id).await.unwrap().unwrap();
    let refresh_token = credential.grant.tokens.unwrap().refresh_token?;
    Some(refresh_token.expose_secret().to_owned())
}

#[tokio::test]
async fn a_form_connection_vends_its_fields() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let answer = platform.token(&id).await;
    let data = answer.data();
    assert_eq!(data["auth_type"], "header");
    assert_eq!(data["fields"]["api_key"], "canary-field");
    assert_eq!(data["expires_in"], json!(null));
    assert!(data.as_object().unwrap().contains_key("expires_in"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("ratelimit").starts_with("\"token\""));
}

#[tokio::test]
async fn a_fresh_token_is_vended_as_it_is() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    platform.advance(1000);
    let answer = platform.token(&id).await;
    let data = answer.data();
    assert_eq!(data["access_token"], "canary-access-0");
    assert_eq!((&data["token_type"], &data["auth_type"]), (&json!("Bearer"), &json!("o_auth")));
    let left = data["expires_in"].as_i64().unwrap();
    assert!((2590..=2600).contains(&left), "{left}");
    assert!(provider.seen().is_empty());
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_what_came_is_saved() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    for round in 1..=3 {
        platform.advance(3600);
        let answer = platform.token(&id).await;
        assert_eq!(answer.data()["access_token"], format!("canary-access-{round}"));
        assert_eq!(stored_refresh_token(&platform, &id).await, Some(format!("canary-refresh-{round}")));
    }
    let request = &provider.seen()[2];
    assert_eq!(request["grant_type"], "refresh_token");
    assert_eq!(request["refresh_token"], "canary-refresh-2");
}

#[tokio::test]
async fn a_refresh_token_that_is_not_replaced_is_kept() {
    let provider = Provider::start().await;
    provider.will(Reply::Keep);
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    platform.advance(3600);
    platform.token(&id).await.data();
    assert_eq!(stored_refresh_token(&platform, &id).await.as_deref(), Some("canary-refresh-0"));
}

#[tokio::test]
async fn many_callers_share_one_refresh() {
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(100));
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    for answer in join_all((0..50).map(|_| platform.token(&id))).await {
        assert_eq!(answer.data()["access_token"], "canary-access-1");
    }
    assert_eq!(provider.seen().len(), 1);
}

#[tokio::test]
async fn many_processes_share_one_refresh() {
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(100));
    let first = Platform::with_provider(&provider).await;
    let (second, third) = (first.another().await, first.another().await);
    let id = first.authorised(Some("canary-refresh-0"), Some(60)).await;
    first.advance(60);
    let callers = (0..30).map(|n| [&first, &second, &third][n % 3].token(&id));
    for answer in join_all(callers).await {
        assert_eq!(answer.data()["access_token"], "canary-access-1");
    }
    assert_eq!(provider.seen().len(), 1);
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_take_the_refresh_along() {
    let provider = Provider::start().await;
    provider.takes(Duration::from_millis(200));
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    // Gone as soon as the provider was asked.
    tokio::select! {
        _ = platform.token(&id) => panic!("the provider takes longer"),
        () = async { while provider.seen().is_empty() { tokio::time::sleep(Duration::from_millis(5)).await } } => {}
    }
    platform.app.ending.cancel();
    platform.app.tasks.close();
    platform.app.tasks.wait().await;
    assert_eq!(stored_refresh_token(&platform, &id).await.as_deref(), Some("canary-refresh-1"));
}

#[tokio::test]
async fn a_revoked_grant_needs_reconnection_for_good() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("revoked"), Some(60)).await;
    platform.advance(60);
    platform.token(&id).await.is_error(401, "needs_reconnection");
    platform.token(&id).await.is_error(401, "needs_reconnection");
    assert_eq!(provider.seen().len(), 1, "the provider is not asked again");
    assert_eq!(platform.status(&id).await, "expired");

    // Connecting again, in place, makes it work.
    let link = platform.link(json!({"connection_id": id})).await;
    assert_eq!((&link["operation"], &link["connection_id"]), (&json!("reauth"), &json!(id)));
    assert_eq!(platform.status(&id).await, "pending");
    platform.token(&id).await.is_error(401, "needs_reconnection");
    platform.grant(&link, None, Some(60)).await;
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-access-0");
}

#[tokio::test]
async fn without_a_refresh_token_an_expired_grant_needs_reconnection() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(None, Some(600)).await;
    platform.advance(595);
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-access-0");
    platform.advance(6);
    platform.token(&id).await.is_error(401, "needs_reconnection");
    assert!(provider.seen().is_empty());
}

#[tokio::test]
async fn a_token_without_expiry_is_vended_as_such() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(None, None).await;
    platform.advance(1_000_000);
    assert_eq!(platform.token(&id).await.data()["expires_in"], json!(null));

    let id = platform.authorised(Some("canary-refresh-0"), None).await;
    platform.token(&id).await.data();
    assert!(provider.seen().is_empty());
    platform.advance(3600);
    platform.token(&id).await.data();
    assert_eq!(provider.seen().len(), 1, "after an hour it is refreshed all the same");
}

#[tokio::test]
async fn a_provider_that_fails_is_unavailable() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    for (status, content_type, body) in [
        (500, "application/json", r#"{"error":"server_error"}"#),
        (503, "text/html", "<h1>canary-page</h1>"),
        (200, "text/html", "<h1>canary-page</h1>"),
        (200, "application/json", "{"),
        (200, "application/json", "{}"),
        (200, "application/json", ""),
        (302, "text/plain", ""),
        (429, "application/json", "{}"),
    ] {
        provider.will(Reply::Say(status, content_type, body));
        platform.advance(600);
        let answer = platform.token(&id).await;
        answer.is_error(503, "upstream_unavailable");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert!(!answer.text.contains("canary"));
    }
    // Nothing is lost by it.
    assert_eq!(provider.seen().len(), 8);
    provider.will(Reply::Rotate(Some(3600)));
    platform.advance(600);
    platform.token(&id).await.data();
}

#[tokio::test]
async fn while_the_old_token_works_a_failing_provider_does_not_matter() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(600)).await;
    provider.will(Reply::Say(500, "text/plain", ""));
    for left in [30, 5] {
        platform.advance(if left == 30 { 570 } else { 25 });
        let answer = platform.token(&id).await;
        assert_eq!(answer.data()["access_token"], "canary-access-0");
        assert!(answer.data()["expires_in"].as_i64().unwrap() <= left);
        platform.refreshes_end().await;
    }
    assert_eq!(provider.seen().len(), 2);
    platform.advance(30);
    platform.token(&id).await.is_error(503, "upstream_unavailable");
}

#[tokio::test]
async fn there_is_nothing_to_vend_before_the_customer_has_finished() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let link = platform.link(json!({"app_id": "gmail", "name": "Mail"})).await;
    let id = support::text(&link["connection_id"]);
    platform.token(&id).await.is_error(409, "connection_not_active");
    platform.advance(601);
    platform.token(&id).await.is_error(409, "connection_not_active");

    let link = platform.link(json!({"connection_id": id})).await;
    assert!(platform.app.store.decline_link(&platform.stored_link(&link).await, None).await.unwrap());
    platform.token(&id).await.is_error(409, "connection_not_active");
    assert_eq!(platform.status(&id).await, "rejected");
}

/// The lease keeps two instances apart, and ends by itself if its owner dies.
#[tokio::test]
async fn one_lease_at_a_time_over_two_handles() {
    const LEASE: Duration = Duration::from_secs(30);
    let provider = Provider::start().await;
    let first = Platform::with_provider(&provider).await;
    let second = first.another().await;
    let id = first.authorised(Some("canary-refresh-0"), Some(60)).await;

    let given_up = first.app.store.lease(&id, LEASE).await.unwrap().unwrap();
    let lease = first.app.store.lease(&id, LEASE).await.unwrap().unwrap();
    first.app.store.release(&given_up).await.unwrap();
    assert!(second.app.store.lease(&id, LEASE).await.unwrap().is_none());
    first.app.store.release(&lease).await.unwrap();
    let abandoned = second.app.store.lease(&id, LEASE).await.unwrap().unwrap();
    first.advance(31);
    let current = first.app.store.lease(&id, LEASE).await.unwrap().unwrap();
    second.app.store.release(&abandoned).await.unwrap();
    assert!(second.app.store.lease(&id, LEASE).await.unwrap().is_none());
    first.app.store.release(&current).await.unwrap();
    assert!(second.app.store.lease(&id, LEASE).await.unwrap().is_some());
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[tokio::test]
async fn a_lease_of_a_wrong_clock_is_not_believed() {
    const LEASE: Duration = Duration::from_secs(20);
    let platform = Platform::with_provider(&Provider::start().await).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    for (ahead, is_believed) in [(Duration::from_secs(30), true), (YEAR, false)] {
        let clock = Clock::default();
        clock.advance(ahead);
        let other = platform.database.open(&clock).await;
        assert!(other.lease(&id, LEASE).await.unwrap().is_some());
        let mine = platform.app.store.lease(&id, LEASE).await.unwrap();
        assert_eq!(mine.is_none(), is_believed, "{ahead:?}");
        platform.advance(LEASE.as_secs() + 31);
    }
}

/// A token that a clock of next year obtained would be vended, dead, until then.
#[tokio::test]
async fn a_token_of_a_wrong_clock_is_refreshed() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let credential = platform.app.store.credential(&platform.owner(), &id).await.unwrap().unwrap();
    let ahead = i64::try_from(YEAR.as_millis()).unwrap();
    let mut tokens = credential.grant.tokens.unwrap();
    tokens.obtained_at += ahead;
    tokens.expires_at = tokens.expires_at.map(|at| at + ahead);
    let (store, owner) = (&platform.app.store, platform.owner());
    assert!(store.save_tokens(&owner, &id, credential.version, &tokens, None).await.unwrap());

    provider.will(Reply::Say(503, "text/plain", "down"));
    platform.token(&id).await.is_error(503, "upstream_unavailable");
    provider.will(Reply::Rotate(Some(3600)));
    platform.advance(1);
    let token = platform.token(&id).await;
    assert_eq!(token.data()["access_token"], "canary-access-2");
    assert!(token.data()["expires_in"].as_i64().unwrap() <= 3600);
    platform.token(&id).await.data();
    assert_eq!(provider.seen().len(), 2);
}

/// Another process, whose refresh lost against ours, may have thought that the grant is gone.
#[tokio::test]
async fn saved_tokens_end_that_a_connection_is_broken() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let credential = store.credential(&owner, &id).await.unwrap().unwrap();
    let refused = ReconnectionReason::GrantRefused;
    assert!(store.mark_broken(&owner, &id, credential.version, refused).await.unwrap());
    platform.token(&id).await.is_error(401, "needs_reconnection");
    let tokens = credential.grant.tokens.unwrap();
    assert!(store.save_tokens(&owner, &id, credential.version, &tokens, None).await.unwrap());
    assert_eq!(platform.status(&id).await, "active");
    platform.token(&id).await.data();
}

/// After `kill -9` in a refresh nobody is left who could give the lease back.
#[tokio::test]
async fn a_process_that_starts_alone_waits_for_no_dead_one() {
    const LEASE: Duration = Duration::from_secs(20);
    let platform = Platform::with_provider(&Provider::start().await).await;
    if !platform.database.url.starts_with("sqlite:") {
        return; // Only a file tells who is alive.
    }
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    assert!(platform.app.store.lease(&id, LEASE).await.unwrap().is_some());
    let (database, clock) = (platform.database.clone(), platform.clock.clone());
    let second = database.open(&clock).await;
    assert!(second.lease(&id, LEASE).await.unwrap().is_none(), "its owner lives");
    // What a process that ends does, but for the lease.
    platform.app.ending.cancel();
    platform.app.tasks.close();
    platform.app.tasks.wait().await;
    platform.app.store.close().await;
    second.close().await;
    drop((platform, second));
    let third = database.open(&clock).await;
    assert!(third.lease(&id, LEASE).await.unwrap().is_some());
}

/// The provider may honour nothing but the tokens that it gave last, so they are saved whoever has the lease.
#[tokio::test]
async fn tokens_are_saved_over_those_that_they_replace_and_nothing_else() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let tokens = Tokens {
        access_token: "fresh".into(),
        refresh_token: Some("canary-refresh-1".into()),
        token_type: "Bearer".into(),
        obtained_at: 0,
        expires_at: None,
    };
    let version = async || store.credential(&owner, &id).await.unwrap().unwrap().version;
    let old = version().await;
    let theirs = store.lease(&id, Duration::from_secs(30)).await.unwrap();
    assert!(theirs.is_some(), "somebody else took the lease over");
    assert!(store.save_tokens(&owner, &id, old, &tokens, None).await.unwrap());
    assert!(!store.save_tokens(&owner, &id, old, &tokens, None).await.unwrap());

    let current = version().await;
    let link = platform.link(json!({"connection_id": id})).await;
    platform.grant(&link, Some("canary-refresh-2"), Some(60)).await;
    assert!(!store.save_tokens(&owner, &id, current, &tokens, None).await.unwrap());
    assert_eq!(stored_refresh_token(&platform, &id).await.as_deref(), Some("canary-refresh-2"));
}

#[tokio::test]
async fn granted_tokens_outlive_a_database_that_fails() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    let other = platform.database.connect().await;
    // An index into which no later version of this row fits, since the number overflows, in either database.
    let overflow = format!(
        "CREATE INDEX fails ON credentials (abs(
            CASE WHEN connection_id = '{id}' AND version > 1 THEN -9223372036854775807 - 1 ELSE 1 END))"
    );
    other.execute(&overflow).await;
    for _ in 0..2 {
        let answer = platform.token(&id).await;
        answer.is_error(503, "upstream_unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }
    other.execute("DROP INDEX fails").await;
    let saved = async {
        loop {
            let answer = platform.token(&id).await;
            if answer.status == 200 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let answer = timeout(Duration::from_secs(60), saved).await.expect("saved");
    assert_eq!(answer.data()["access_token"], "canary-access-1");
    assert_eq!(stored_refresh_token(&platform, &id).await.as_deref(), Some("canary-refresh-1"));
    assert_eq!(provider.seen().len(), 1);
}

/// The provider declines the old refresh token, because the customer has just given a new one.
#[tokio::test]
async fn a_refresh_that_a_new_grant_overtook_vends_that() {
    let provider = Provider::start().await;
    provider.will(Reply::Say(400, "application/json", r#"{"error":"invalid_grant"}"#));
    provider.takes(Duration::from_millis(200));
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("revoked"), Some(60)).await;
    platform.advance(60);
    let reconnect = async {
        while provider.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let link = platform.link(json!({"connection_id": id})).await;
        platform.grant(&link, Some("canary-refresh-0"), Some(3600)).await;
    };
    let (answer, ()) = tokio::join!(platform.token(&id), reconnect);
    assert_eq!(answer.data()["access_token"], "canary-access-0");
    assert_eq!(platform.status(&id).await, "active");
}

/// A refresh may learn that the grant was revoked at the very moment at which the customer renews it.
#[tokio::test]
async fn a_grant_that_is_just_being_renewed_is_not_marked_as_broken() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let (app, owner) = (platform.app.clone(), platform.owner());
    let old = app.store.credential(&owner, &id).await.unwrap().unwrap();

    let renewal = platform.database.connect().await;
    let change = format!(
        "BEGIN; UPDATE connections SET broken = 0 WHERE id = '{id}';
         UPDATE credentials SET version = version + 1 WHERE connection_id = '{id}'"
    );
    renewal.execute(&change).await;
    let refresh = tokio::spawn({
        let id = id.clone();
        async move {
            loop {
                let refused = ReconnectionReason::GrantRefused;
                match app.store.mark_broken(&owner, &id, old.version, refused).await {
                    // On a busy machine the lock may be there for longer than it is waited for.
                    Err(error) if error.is_unavailable() => {}
                    marked => return marked,
                }
            }
        }
    });
    // Long enough to arrive at the database.
    tokio::time::sleep(Duration::from_millis(300)).await;
    renewal.execute("COMMIT").await;
    assert!(!refresh.await.unwrap().unwrap());
    assert_eq!(platform.status(&id).await, "active");
}
