//! Grants that no connection needs any more are ended at their providers.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use std::time::Duration;

use connect_service::revocation::revoke_due;
use connect_service::store::{Capability, GrantOutcome};
use fixture_support::{Platform, Provider, Seen, Visit, text};
use serde_json::{Value, json};

/// An app whose provider ends single tokens.
const ONE_TOKEN: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
    [auth.account]
    id = "token:/user"
    [auth.revoke]
    url = "PROVIDER/revoke"
"#;

/// One whose provider ends all that an account granted to the client.
fn whole_grant() -> String {
    format!("{ONE_TOKEN}\nends_whole_grant = true")
}

/// What the provider issues: tokens called after `name`, for this account.
fn tokens(name: &str, account: &str) -> Value {
    json!({
        "access_token": format!("canary-at-{name}"),
        "refresh_token": format!("canary-rt-{name}"),
        "expires_in": 3600,
        "user": account,
    })
}

/// Goes through a link; gives its connection's id.
async fn go(platform: &Platform, provider: &Provider, link: &Value, issued: Value) -> String {
    provider.will_say(&[(200, issued)]);
    let visit = Visit::open(platform, link).await;
    let left = visit.to_provider(&[]).await;
    visit.come_back(&left, &[("code", "c0de")]).await;
    provider.seen();
    visit.connection_id
}

async fn connect(platform: &Platform, provider: &Provider, issued: Value) -> String {
    let link = platform.link(json!({"app_id": "fixture", "name": "Work"})).await;
    let id = go(platform, provider, &link, issued).await;
    assert_eq!(platform.status(&id).await, "active");
    id
}

async fn reconnect(platform: &Platform, provider: &Provider, id: &str, members: Value, issued: Value) {
    let mut body = json!({"connection_id": id});
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let link = platform.link(body).await;
    go(platform, provider, &link, issued).await;
}

async fn delete(platform: &Platform, id: &str) -> Value {
    platform.call("DELETE", &format!("/connections/{id}")).send().await.data().clone()
}

/// Works the queue off; gives the requests that came of it.
async fn revoke(platform: &Platform, provider: &Provider) -> Vec<Seen> {
    revoke_due(&platform.app).await.unwrap();
    provider.seen()
}

/// The tokens that were revoked.
async fn revoked(platform: &Platform, provider: &Provider) -> Vec<String> {
    let seen = revoke(platform, provider).await;
    assert!(seen.iter().all(|request| request.path == "/revoke"));
    seen.iter().map(|request| request.form["token"].clone()).collect()
}

async fn queued(platform: &Platform) -> i64 {
    let count = platform.database.connect().await.text("SELECT COUNT(*) FROM revocations").await;
    count.parse().unwrap()
}

#[tokio::test]
async fn a_deleted_connections_grant_is_ended() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    assert_eq!(delete(&platform, &id).await, json!({"revocation": "requested"}));
    assert_eq!(queued(&platform).await, 1);
    let contents = platform.database.contents().await;
    assert!(!contents.windows(6).any(|bytes| bytes == b"canary"), "it waits sealed");

    let seen = revoke(&platform, &provider).await;
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", "/revoke"));
    let form = json!({
        "token": "canary-rt-1",
        "client_id": "the client",
        "client_secret": "canary-client-secret",
    });
    assert_eq!(json!(seen[0].form), form);
    assert_eq!(queued(&platform).await, 0);
    assert!(revoke(&platform, &provider).await.is_empty());
}

/// A refresh may be on its way while the connection is deleted: what it brings has spent the refresh token that was found.
#[tokio::test]
async fn tokens_that_come_after_the_deletion_are_ended() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    platform.advance(3600);
    provider.will_say(&[(200, tokens("2", "ann"))]);
    let paused = provider.pause().await;
    let deletion = async {
        while provider.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        delete(&platform, &id).await;
        drop(paused);
    };
    let path = format!("/connections/{id}/token");
    let (vended, ()) = tokio::join!(platform.call("POST", &path).send(), deletion);
    assert_eq!(vended.status, 404);
    let mut revoked = revoked(&platform, &provider).await;
    revoked.sort();
    assert_eq!(revoked, ["canary-rt-1", "canary-rt-2"]);
}

#[tokio::test]
async fn what_cannot_be_ended_is_not_queued_and_told() {
    let provider = Provider::start().await;
    let without = ONE_TOKEN.split("[auth.revoke]").next().unwrap();
    let platform = provider.platform(without).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    assert_eq!(delete(&platform, &id).await, json!({"revocation": "none"}));
    assert!(revoke(&platform, &provider).await.is_empty());
    assert_eq!(queued(&platform).await, 0);
    let key = platform.connected().await;
    assert_eq!(delete(&platform, &key).await, json!({"revocation": "none"}));
    let link = platform.link(json!({"app_id": "fixture", "name": "Never finished"})).await;
    assert_eq!(delete(&platform, &text(&link["connection_id"])).await, json!({"revocation": "none"}));
    assert_eq!(queued(&platform).await, 0);
}

#[tokio::test]
async fn each_kind_of_request_is_made_as_the_file_says() {
    for (keys, method, line, body, authorization) in [
        ("auth = \"none\"", "POST", "", json!({"token": "canary-rt-1"}), ""),
        (
            "auth = \"none\"\nrequest = \"query\"\ntoken = \"access\"",
            "POST",
            "token=canary-at-1",
            json!({}),
            "",
        ),
        (
            "auth = \"basic\"\nmethod = \"DELETE\"\nrequest = \"json\"\nparam = \"access_token\"\ntoken = \"access\"",
            "DELETE",
            "",
            json!({"access_token": "canary-at-1"}),
            "Basic dGhlJTIwY2xpZW50OmNhbmFyeS1jbGllbnQtc2VjcmV0",
        ),
        ("auth = \"api\"\nmethod = \"DELETE\"", "DELETE", "", json!({}), "Bearer canary-at-1"),
        ("auth = \"api\"", "POST", "", json!({}), "Bearer canary-at-1"),
    ] {
        let provider = Provider::start().await;
        let address = "url = \"PROVIDER/apps/{client_id}/grant\"";
        let auth = ONE_TOKEN.replace("url = \"PROVIDER/revoke\"", &format!("{address}\n{keys}"));
        let platform = provider.platform(&auth).await;
        let id = connect(&platform, &provider, tokens("1", "ann")).await;
        delete(&platform, &id).await;
        let seen = revoke(&platform, &provider).await;
        assert_eq!(seen.len(), 1, "{keys}");
        let query: Vec<_> = seen[0].query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            (seen[0].method.as_str(), seen[0].path.as_str(), query.concat().as_str()),
            (method, "/apps/the%20client/grant", line),
            "{keys}"
        );
        assert_eq!((json!(seen[0].form), seen[0].authorization()), (body, authorization), "{keys}");
    }
}

/// Shopify's tokens live for an hour, and nothing but a token ends its grants.
#[tokio::test]
async fn an_access_token_that_has_expired_is_refreshed_first() {
    let provider = Provider::start().await;
    let platform = provider.platform(&format!("{ONE_TOKEN}\nauth = \"api\"")).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    platform.advance(3600);
    delete(&platform, &id).await;
    provider.will_say(&[(200, tokens("2", "ann")), (503, json!({})), (200, json!({}))]);
    let seen = revoke(&platform, &provider).await;
    let lines: Vec<_> = seen.iter().map(|request| (request.path.as_str(), request.authorization())).collect();
    assert_eq!(lines, [("/token", ""), ("/revoke", "Bearer canary-at-2")]);
    assert_eq!(seen[0].form["refresh_token"], "canary-rt-1");
    // What came is kept for the next attempt.
    platform.advance(60);
    let seen = revoke(&platform, &provider).await;
    assert_eq!((seen.len(), seen[0].authorization()), (1, "Bearer canary-at-2"));
    assert_eq!(queued(&platform).await, 0);

    // The grant may have ended meanwhile, or the provider be away.
    for (status, left) in [(400, 0), (503, 1)] {
        let id = connect(&platform, &provider, tokens("1", "ann")).await;
        platform.advance(3600);
        delete(&platform, &id).await;
        provider.will_say(&[(status, json!({"error": "invalid_grant"}))]);
        let seen = revoke(&platform, &provider).await;
        assert_eq!((seen.len(), seen[0].path.as_str()), (1, "/token"));
        assert_eq!(queued(&platform).await, left, "{status}");
    }
}

/// Two products of one platform connected the same account: ending it for one would end it for the other.
#[tokio::test]
async fn a_whole_grant_ends_with_its_last_connection() {
    let provider = Provider::start().await;
    let platform = provider.platform(&whole_grant()).await;
    let first = connect(&platform, &provider, tokens("1", "ann")).await;
    let key = platform.another_key(&Capability::ALL).await;
    let body = json!({"app_id": "fixture", "name": "Work"});
    let link = platform.call("POST", "/connections/request-link").key(&key).json(&body).await;
    let second = go(&platform, &provider, link.data(), tokens("2", "ann")).await;
    // An account of somebody else does not count.
    connect(&platform, &provider, tokens("3", "bob")).await;

    // What this tenant is told does not depend on the other one.
    let told = delete(&platform, &first).await;
    assert_eq!(told, json!({"revocation": "requested"}));
    assert!(revoked(&platform, &provider).await.is_empty());
    assert_eq!(queued(&platform).await, 0);
    let deletion = platform.call("DELETE", &format!("/connections/{second}")).key(&key).send().await;
    assert_eq!(deletion.data(), &told);
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-2"]);
}

#[tokio::test]
async fn a_whole_grant_of_an_unknown_account_is_left_alone() {
    let provider = Provider::start().await;
    let platform = provider.platform(&whole_grant()).await;
    let unknown = connect(&platform, &provider, json!({"access_token": "canary-at-1"})).await;
    let known = connect(&platform, &provider, tokens("2", "ann")).await;
    // As a version of the service left it that knew of no revocation.
    let forget = format!("UPDATE credentials SET account_digest = NULL WHERE connection_id = '{known}'");
    platform.database.connect().await.execute(&forget).await;
    for id in [unknown, known] {
        assert_eq!(delete(&platform, &id).await, json!({"revocation": "requested"}));
        assert!(revoked(&platform, &provider).await.is_empty());
        assert_eq!(queued(&platform).await, 0);
    }
}

/// Nobody knows whose account such a connection is for: it may be the one whose grant would end.
#[tokio::test]
async fn a_whole_grant_outlives_what_may_be_a_part_of_it() {
    let provider = Provider::start().await;
    let platform = provider.platform(&whole_grant()).await;
    // The same connection, authorised again without a word about the account.
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    reconnect(&platform, &provider, &id, json!({}), json!({"access_token": "canary-at-2"})).await;
    assert_eq!(queued(&platform).await, 1);
    assert!(revoked(&platform, &provider).await.is_empty());
    assert_eq!(queued(&platform).await, 0);
    delete(&platform, &id).await;
    assert!(revoked(&platform, &provider).await.is_empty());

    // Another tenant's, without an account, or as an earlier version left it.
    let key = platform.another_key(&Capability::ALL).await;
    let body = json!({"app_id": "fixture", "name": "Work"});
    let link = platform.call("POST", "/connections/request-link").key(&key).json(&body).await;
    let unknown = go(&platform, &provider, link.data(), json!({"access_token": "canary-at-3"})).await;
    for digest in ["account_digest", "NULL"] {
        let change =
            format!("UPDATE credentials SET account_digest = {digest} WHERE connection_id = '{unknown}'");
        platform.database.connect().await.execute(&change).await;
        let id = connect(&platform, &provider, tokens("4", "ann")).await;
        delete(&platform, &id).await;
        assert!(revoked(&platform, &provider).await.is_empty(), "{digest}");
        assert_eq!(queued(&platform).await, 0);
    }
    let deletion = platform.call("DELETE", &format!("/connections/{unknown}")).key(&key).send().await;
    assert_eq!(deletion.status, 200);
    let id = connect(&platform, &provider, tokens("5", "ann")).await;
    delete(&platform, &id).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-5"]);
}

/// A customer disconnects and connects again at once: the deletion's turn may come before the new grant is stored.
#[tokio::test]
async fn a_whole_grant_waits_for_one_that_is_being_made() {
    let provider = Provider::start().await;
    let platform = provider.platform(&whole_grant()).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    delete(&platform, &id).await;
    provider.will_say(&[(200, tokens("2", "ann"))]);
    let link = platform.link(json!({"app_id": "fixture", "name": "Work"})).await;
    let visit = Visit::open(&platform, &link).await;
    let left = visit.to_provider(&[]).await;
    provider.seen();
    let paused = provider.pause().await;
    let revocation = async {
        while provider.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        revoke_due(&platform.app).await.unwrap();
        drop(paused);
    };
    tokio::join!(visit.come_back(&left, &[("code", "c0de")]), revocation);
    assert_eq!(platform.status(&visit.connection_id).await, "active");
    platform.advance(3600);
    assert!(revoked(&platform, &provider).await.is_empty());
    assert_eq!(queued(&platform).await, 0);
}

/// A connection that does not work is not harmed, and must not keep the grant alive for ever.
#[tokio::test]
async fn a_broken_connection_keeps_no_whole_grant_alive() {
    let provider = Provider::start().await;
    let platform = provider.platform(&whole_grant()).await;
    let works = connect(&platform, &provider, tokens("1", "ann")).await;
    let broken = connect(&platform, &provider, tokens("2", "ann")).await;
    platform.advance(3600);
    provider.will_say(&[(400, json!({"error": "invalid_grant"}))]);
    platform.token(&broken).await.is_error(401, "needs_reconnection");
    provider.seen();
    provider.will_say(&[(200, json!({}))]);
    delete(&platform, &works).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-1"]);
}

/// The customer connects again while a provider that is away is yet to be asked.
#[tokio::test]
async fn a_whole_grant_that_is_needed_again_is_not_ended() {
    let provider = Provider::start().await;
    let platform = provider.platform(&whole_grant()).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    delete(&platform, &id).await;
    provider.will_say(&[(503, json!({}))]);
    assert_eq!(revoked(&platform, &provider).await.len(), 1);
    let again = connect(&platform, &provider, tokens("2", "ann")).await;
    platform.advance(60);
    assert!(revoked(&platform, &provider).await.is_empty());
    assert_eq!(queued(&platform).await, 0);
    platform.token(&again).await.data();
}

#[tokio::test]
async fn a_replaced_grant_is_ended_where_that_spares_the_new_one() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    reconnect(&platform, &provider, &id, json!({}), tokens("2", "ann")).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-1"]);
    // The old refresh token goes on, or one of the tokens is the same.
    let mut kept = tokens("3", "ann");
    kept.as_object_mut().unwrap().remove("refresh_token");
    let mut same = tokens("4", "ann");
    same["refresh_token"] = "canary-rt-2".into();
    for issued in [kept, same] {
        reconnect(&platform, &provider, &id, json!({}), issued).await;
        assert!(revoked(&platform, &provider).await.is_empty());
    }

    let platform = provider.platform(&whole_grant()).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    reconnect(&platform, &provider, &id, json!({}), tokens("2", "ann")).await;
    assert!(revoked(&platform, &provider).await.is_empty(), "it would end the new one");
    reconnect(&platform, &provider, &id, json!({"allow_account_change": true}), tokens("3", "bob")).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-2"], "it is another account's");
}

#[tokio::test]
async fn a_grant_that_found_no_place_is_ended() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    // Of another account.
    reconnect(&platform, &provider, &id, json!({}), tokens("2", "bob")).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-2"]);

    // The link ended while the code was redeemed.
    let grant = store.credential(&owner, &id).await.unwrap().unwrap().grant;
    let link = platform.link(json!({"app_id": "fixture", "name": "Late"})).await;
    let link = platform.stored_link(&link).await;
    assert!(store.decline_link(&link, None).await.unwrap());
    assert_eq!(store.finish_link(&link, &grant).await.unwrap(), GrantOutcome::LinkEnded);
    assert_eq!(store.hold_grant(&link, &grant, "code").await.unwrap(), GrantOutcome::LinkEnded);
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-1", "canary-rt-1"]);
}

#[tokio::test]
async fn a_value_that_did_not_come_ends_the_grant() {
    let provider = Provider::start().await;
    let needs = r#"[auth.provider_data]
    site = { from = "token:/site", required = true }
    [auth.revoke]"#;
    let platform = provider.platform(&ONE_TOKEN.replace("[auth.revoke]", needs)).await;
    let link = platform.link(json!({"app_id": "fixture", "name": "Work"})).await;
    go(&platform, &provider, &link, tokens("1", "ann")).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-1"]);
}

#[tokio::test]
async fn an_unconfirmed_grant_is_ended() {
    let provider = Provider::start().await;
    let platform = provider.platform(&whole_grant()).await;
    let store = &platform.app.store;
    let confirm = json!({
        "app_id": "fixture",
        "name": "Work",
        "confirm": true,
        "return_url": "https://product.example/",
    });
    let waiting = async |name: &str| {
        let link = platform.link(confirm.clone()).await;
        go(&platform, &provider, &link, tokens(name, "ann")).await
    };
    waiting("1").await;
    platform.advance(601);
    store.drop_unconfirmed().await.unwrap();
    store.drop_unconfirmed().await.unwrap();
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-1"]);

    // By a newer link, while no other grant of the account waits.
    let id = waiting("2").await;
    platform.link(json!({"connection_id": id, "app_id": "fixture"})).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-2"]);
    let (first, second) = (waiting("3").await, waiting("4").await);
    delete(&platform, &first).await;
    assert!(revoked(&platform, &provider).await.is_empty(), "the other one waits");
    delete(&platform, &second).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-4"]);

    // By too many wrong codes.
    let id = waiting("5").await;
    let owner = platform.owner();
    for _ in 0..5 {
        store.confirm(&owner, &id, "wrong").await.unwrap();
    }
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-5"]);
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_again() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    delete(&platform, &id).await;
    provider.will_say(&[(503, json!({})), (429, json!({})), (200, json!({}))]);
    provider.will_retry_after(Some("300"));
    assert_eq!(revoke(&platform, &provider).await.len(), 1);
    for wait in [60, 239] {
        platform.advance(wait);
        assert!(revoke(&platform, &provider).await.is_empty(), "the provider said when");
    }
    provider.will_retry_after(None);
    platform.advance(2);
    assert_eq!(revoke(&platform, &provider).await.len(), 1);
    platform.advance(119);
    assert!(revoke(&platform, &provider).await.is_empty());
    platform.advance(2);
    assert_eq!(revoke(&platform, &provider).await.len(), 1);
    assert_eq!(queued(&platform).await, 0);
}

#[tokio::test]
async fn it_is_given_up_after_a_day_and_at_once_where_it_is_refused() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    delete(&platform, &id).await;
    provider.will_say(&[(500, json!({}))]);
    let mut asked = 0;
    for _ in 0..9 {
        asked += revoke(&platform, &provider).await.len();
        platform.advance(4 * 60 * 60);
    }
    assert_eq!((asked, queued(&platform).await), (7, 0), "at the beginning, and six times in 24 hours");

    for status in [400, 401, 404, 302] {
        let id = connect(&platform, &provider, tokens("2", "ann")).await;
        delete(&platform, &id).await;
        provider.will_say(&[(status, json!({"error": "invalid_token"}))]);
        assert_eq!(revoke(&platform, &provider).await.len(), 1, "{status}");
        assert_eq!(queued(&platform).await, 0, "{status}");
    }
}

#[tokio::test]
async fn what_a_killed_process_took_is_taken_again() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    delete(&platform, &id).await;
    let taken = platform.app.store.take_revocations(Duration::from_secs(60), 8).await.unwrap();
    assert_eq!(taken.len(), 1);
    drop(taken);
    assert!(revoke(&platform, &provider).await.is_empty(), "it may be under way");
    platform.advance(61);
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-1"]);
}

#[tokio::test]
async fn a_row_of_a_clock_that_was_wrong_does_not_wait_for_it() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    delete(&platform, &id).await;
    let ahead = "UPDATE revocations SET next_at = next_at + 100000000, created_at = created_at + 100000000";
    platform.database.connect().await.execute(ahead).await;
    assert_eq!(revoked(&platform, &provider).await, ["canary-rt-1"]);
}

#[tokio::test]
async fn two_processes_share_the_queue() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let store = &platform.app.store;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    let grant = store.credential(&platform.owner(), &id).await.unwrap().unwrap().grant;
    for _ in 0..20 {
        store.revoke_later(&platform.tenant, &grant).await.unwrap();
    }
    let other = platform.database.open(&platform.clock).await;
    let lease = Duration::from_secs(60);
    let (one, two) = tokio::join!(store.take_revocations(lease, 20), other.take_revocations(lease, 20));
    assert_eq!(one.unwrap().len() + two.unwrap().len(), 20);
}

/// A row's content opens in that row alone; what does not open is nobody's to wait for.
#[tokio::test]
async fn a_row_that_was_changed_is_dropped() {
    let provider = Provider::start().await;
    let platform = provider.platform(ONE_TOKEN).await;
    let id = connect(&platform, &provider, tokens("1", "ann")).await;
    delete(&platform, &id).await;
    platform.database.connect().await.execute("UPDATE revocations SET id = 'another'").await;
    assert!(revoke(&platform, &provider).await.is_empty());
    assert_eq!(queued(&platform).await, 0);
}
