//! Whether a connection works: why it does not and since when, when it was refreshed, and when it was used.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::clock::{Millis, rfc3339};
use connect_service::config::{AuditMode, Config};
use connect_service::store::{Capability, Vending};
use serde_json::{Value, json};
use support::{Platform, Provider, Reply};

async fn read(platform: &Platform, id: &str) -> Value {
    let one = platform.call("GET", &format!("/connections/{id}")).send().await.data().clone();
    let list = platform.call("GET", "/connections?limit=100").send().await;
    let listed = list.data()["connections"].as_array().unwrap().clone();
    assert_eq!(listed.iter().find(|listed| listed["id"] == id), Some(&one));
    one
}

/// The time of a member, or none.
fn time(connection: &Value, member: &str) -> Option<String> {
    connection.get(member).unwrap().as_str().map(str::to_owned)
}

/// Asserts that a time, in whole seconds or more exactly, is between two.
#[track_caller]
fn is_between(time: Option<String>, from: Millis, to: Millis) {
    let time = time.expect("there is a time");
    assert!(rfc3339(from) <= time && time <= rfc3339(to), "{time}");
}

#[tokio::test]
async fn a_refused_refresh_is_told_with_its_time() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("revoked"), Some(60)).await;
    let fresh = read(&platform, &id).await;
    assert_eq!((&fresh["needs_reconnection"], &fresh["reconnection"]), (&json!(false), &json!(null)));

    platform.advance(60);
    let from = platform.clock.now();
    platform.token(&id).await.is_error(401, "needs_reconnection");
    let to = platform.clock.now();
    let broken = read(&platform, &id).await;
    assert_eq!((&broken["status"], &broken["needs_reconnection"]), (&json!("expired"), &json!(true)));
    assert_eq!(broken["reconnection"]["reason"], "grant_refused");
    is_between(time(&broken["reconnection"], "since"), from, to);

    // Neither a later call, a change nor a link to connect again changes since when.
    platform.advance(60);
    platform.token(&id).await.is_error(401, "needs_reconnection");
    let change = platform.call("PATCH", &format!("/connections/{id}")).json(&json!({"name": "New"})).await;
    assert_eq!(change.data()["reconnection"], broken["reconnection"]);
    let link = platform.link(json!({"connection_id": id})).await;
    let open = read(&platform, &id).await;
    assert_eq!((&open["status"], &open["needs_reconnection"]), (&json!("pending"), &json!(true)));
    assert_eq!(open["reconnection"], broken["reconnection"]);

    platform.grant(&link, Some("canary-refresh-0"), Some(60)).await;
    let works = read(&platform, &id).await;
    assert_eq!((&works["status"], &works["needs_reconnection"]), (&json!("active"), &json!(false)));
    assert_eq!(works["reconnection"], json!(null));
    platform.token(&id).await.data();
}

#[tokio::test]
async fn a_token_that_cannot_be_refreshed_is_another_reason() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(None, Some(60)).await;
    platform.advance(60);
    let from = platform.clock.now();
    platform.token(&id).await.is_error(401, "needs_reconnection");
    let broken = read(&platform, &id).await;
    assert_eq!(broken["reconnection"]["reason"], "no_refresh_token");
    is_between(time(&broken["reconnection"], "since"), from, platform.clock.now());
    assert!(provider.seen().is_empty());

    // The next grant may stop for another reason, at another time.
    let link = platform.link(json!({"connection_id": id})).await;
    platform.grant(&link, Some("revoked"), Some(60)).await;
    platform.advance(60);
    let from = platform.clock.now();
    platform.token(&id).await.is_error(401, "needs_reconnection");
    let broken = read(&platform, &id).await;
    assert_eq!(broken["reconnection"]["reason"], "grant_refused");
    is_between(time(&broken["reconnection"], "since"), from, platform.clock.now());
}

/// During a rolling update, a process of an earlier version notes neither reason nor time.
#[tokio::test]
async fn a_grant_that_an_earlier_version_found_broken() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let note =
        format!("UPDATE connections SET broken = 1, status = 'expired', updated_at = 1000 WHERE id = '{id}'");
    platform.database.connect().await.execute(&note).await;
    let broken = read(&platform, &id).await;
    assert_eq!(broken["reconnection"], json!({"reason": "grant_refused", "since": rfc3339(1000)}));
}

#[tokio::test]
async fn a_refresh_is_told_and_a_failed_one_is_not() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    platform.token(&id).await.data();
    assert_eq!(time(&read(&platform, &id).await, "last_refreshed_at"), None);

    platform.advance(3600);
    let from = platform.clock.now();
    platform.token(&id).await.data();
    let refreshed = time(&read(&platform, &id).await, "last_refreshed_at");
    is_between(refreshed.clone(), from, platform.clock.now());

    platform.advance(3600);
    for reply in [
        Reply::Say(503, "text/plain", "down"),
        Reply::Say(400, "application/json", r#"{"error":"invalid_grant"}"#),
    ] {
        provider.will(reply);
        assert_ne!(platform.token(&id).await.status, 200);
        assert_eq!(time(&read(&platform, &id).await, "last_refreshed_at"), refreshed);
    }
    // Nor is a new grant a refresh.
    let link = platform.link(json!({"connection_id": id})).await;
    platform.grant(&link, None, None).await;
    assert_eq!(time(&read(&platform, &id).await, "last_refreshed_at"), refreshed);
}

/// As `connect-service dev` does where it lets a token expire.
#[tokio::test]
async fn the_same_tokens_with_another_expiry_are_no_refresh() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let credential = store.credential(&owner, &id).await.unwrap().unwrap();
    let mut tokens = credential.grant.tokens.unwrap();
    tokens.expires_at = Some(platform.clock.now());
    assert!(store.save_tokens(&owner, &id, credential.version, &tokens, None).await.unwrap());
    assert_eq!(time(&read(&platform, &id).await, "last_refreshed_at"), None);
    platform.token(&id).await.data();
    assert_ne!(time(&read(&platform, &id).await, "last_refreshed_at"), None);
}

#[tokio::test]
async fn a_use_is_told_once_the_audit_is_written() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let store = &platform.app.store;
    let (used, other) = (platform.connected().await, platform.connected().await);
    let broken = platform.authorised(None, Some(60)).await;
    platform.advance(60);
    platform.token(&used).await.data();
    platform.advance(5);
    let from = platform.clock.now();
    platform.token(&used).await.data();
    let to = platform.clock.now();
    platform.token(&broken).await.is_error(401, "needs_reconnection");
    // Others who name it do not use it.
    let key = platform.another_key(&Capability::ALL).await;
    let token = |id: &str| platform.call("POST", &format!("/connections/{id}/token"));
    token(&other).key(&key).send().await.is_error(404, "connection_deleted");
    token(&other).customer("bob@example.com").send().await.is_error(404, "connection_deleted");
    assert_eq!(time(&read(&platform, &used).await, "last_used_at"), None, "no call waits for a write");

    let before = read(&platform, &used).await["updated_at"].clone();
    store.write_vendings().await.unwrap();
    let read_used = read(&platform, &used).await;
    is_between(time(&read_used, "last_used_at"), from, to);
    assert_eq!(read_used["updated_at"], before, "a use changes nothing");
    for unused in [&other, &broken] {
        assert_eq!(time(&read(&platform, unused).await, "last_used_at"), None);
    }
}

#[tokio::test]
async fn a_synchronous_audit_tells_a_use_at_once() {
    let platform = Platform::with(Config { audit: AuditMode::Sync, ..Config::default() }).await;
    let id = platform.connected().await;
    let from = platform.clock.now();
    platform.token(&id).await.data();
    is_between(time(&read(&platform, &id).await, "last_used_at"), from, platform.clock.now());
}

/// More connections than one statement takes, used by two keys; and a process whose audit arrives late.
#[tokio::test]
async fn the_latest_use_counts_whoever_writes_it() {
    let platform = Platform::start().await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let late = platform.database.open(&platform.clock).await;
    let used = |id: &str, key: &str| Vending {
        tenant: owner.tenant.clone(),
        key: key.into(),
        connection: id.into(),
        customer: owner.customer.clone(),
        outcome: "vended",
        request: None,
    };
    let mut ids = Vec::new();
    for _ in 0..60 {
        let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
        ids.push(support::text(&link["connection_id"]));
    }
    for id in &ids {
        late.note_vending(used(id, "key_1"), AuditMode::Batched).await.unwrap();
    }
    platform.advance(10);
    let from = platform.clock.now();
    for key in ["key_1", "key_2"] {
        for id in &ids {
            store.note_vending(used(id, key), AuditMode::Batched).await.unwrap();
        }
        platform.advance(1);
    }
    // One that is deleted meanwhile is in nobody's way.
    platform.call("DELETE", &format!("/connections/{}", ids.pop().unwrap())).send().await.data();
    store.write_vendings().await.unwrap();
    late.write_vendings().await.unwrap();
    for id in &ids {
        let last_used_at = store.connection(&owner, id).await.unwrap().unwrap().last_used_at.unwrap();
        assert!(last_used_at >= from + 1000, "{id}: {last_used_at}");
    }
}
