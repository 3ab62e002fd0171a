//! Events: each change has exactly one, in its order, and the feed gives each to the tenant alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::announcements::announce_once;
use connect_service::clock::rfc3339;
use connect_service::config::Config;
use connect_service::store::{
    Actor, Details, EventPayload, LinkError, Promotion, ReconnectionReason, Rotation, Tokens,
};
use serde_json::{Value, json};
use support::{ALICE, Answer, Platform, Provider, text};

const DAY: u64 = 24 * 60 * 60;

async fn get(platform: &Platform, query: &str) -> Answer {
    platform.call("GET", &format!("/events?{query}")).without("x-user-email").send().await
}

/// The events of a page.
fn events(answer: &Answer) -> Vec<Value> {
    answer.data()["events"].as_array().unwrap().clone()
}

/// The cursor of now.
async fn now(platform: &Platform) -> String {
    text(&get(platform, "after=latest").await.data()["next_cursor"])
}

/// What came after a cursor, which goes on behind it.
async fn news(platform: &Platform, cursor: &mut String) -> Vec<Value> {
    let answer = get(platform, &format!("after={cursor}&limit=100")).await;
    *cursor = text(&answer.data()["next_cursor"]);
    assert_eq!(answer.data()["has_more"], false);
    events(&answer)
}

/// The type and what it has beside the connection.
fn brief(event: &Value) -> Value {
    let mut data = event["data"].clone();
    data.as_object_mut().unwrap().remove("connection");
    json!([event["type"], data])
}

/// Asserts that exactly these came, each of this connection.
async fn assert_news(platform: &Platform, cursor: &mut String, connection: &str, expected: Value) {
    let news = news(platform, cursor).await;
    assert_eq!(Value::from(news.iter().map(brief).collect::<Vec<_>>()), expected);
    for event in &news {
        assert_eq!(event["data"]["connection"]["id"], connection, "{event}");
    }
}

/// A new link of the API key app: the connection's id and the response.
async fn pending(platform: &Platform) -> (String, Value) {
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    (text(&link["connection_id"]), link)
}

#[tokio::test]
async fn an_event_has_the_form_of_the_contract() {
    let platform = Platform::start().await;
    let mut cursor = now(&platform).await;
    let body =
        json!({"app_id": "brevo", "name": "Mail", "metadata": {"plan": "pro"}, "customer_id": "cus_1"});
    let link = platform.link(body).await;
    let id = text(&link["connection_id"]);
    assert!(platform.app.store.decline_link(&platform.stored_link(&link).await, Some("no")).await.unwrap());
    let event = news(&platform, &mut cursor).await.remove(0);
    let expected = json!({
        "id": event["id"],
        "type": "connection.rejected",
        "timestamp": event["timestamp"],
        "cursor": cursor,
        "data": {
            "operation": "creation",
            "error": {"code": "access_denied", "message": LinkError::AccessDenied.message()},
            "connection": {
                "id": id,
                "status": "rejected",
                "app_id": "brevo",
                "origin": "link",
                "name": "Mail",
                "user_email": ALICE,
                "customer_id": "cus_1",
                "customer_name": null,
                "account": null,
                "metadata": {"plan": "pro"},
            },
        },
    });
    assert_eq!(event, expected);
    assert!(text(&event["id"]).starts_with("evt_") && text(&event["timestamp"]).ends_with('Z'));
}

#[tokio::test]
async fn each_end_of_a_link_has_its_event() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let mut cursor = now(&platform).await;
    let creation = json!({"operation": "creation"});

    let id = platform.connected().await;
    assert_news(&platform, &mut cursor, &id, json!([["connection.active", creation]])).await;

    let (id, link) = pending(&platform).await;
    let stored = platform.stored_link(&link).await;
    store.fail_link(&stored, LinkError::MissingValue).await.unwrap();
    let error = json!({"code": "required_value_missing", "message": LinkError::MissingValue.message()});
    let failed = json!({"operation": "creation", "error": error});
    assert_news(&platform, &mut cursor, &id, json!([["connection.failed", failed]])).await;
    assert!(store.decline_link(&stored, None).await.unwrap());
    let error = json!({"code": "access_denied", "message": LinkError::AccessDenied.message()});
    let rejected = json!({"operation": "creation", "error": error});
    assert_news(&platform, &mut cursor, &id, json!([["connection.rejected", rejected]])).await;
    // It has ended.
    assert!(!store.decline_link(&stored, None).await.unwrap());
    store.fail_link(&stored, LinkError::MissingValue).await.unwrap();
    assert_news(&platform, &mut cursor, &id, json!([])).await;

    let link = platform.link(json!({"connection_id": id})).await;
    platform.grant_tokens(&link, "gmail", tokens(&platform, None, None)).await;
    let reauth = json!([["connection.active", {"operation": "reauth"}]]);
    assert_news(&platform, &mut cursor, &id, reauth).await;
}

fn tokens(platform: &Platform, refresh_token: Option<&str>, lifetime: Option<i64>) -> Tokens {
    let now = platform.clock.now();
    Tokens {
        access_token: "canary-access-0".into(),
        refresh_token: refresh_token.map(Into::into),
        token_type: "Bearer".into(),
        obtained_at: now,
        expires_at: lifetime.map(|seconds| now + seconds * 1000),
    }
}

#[tokio::test]
async fn a_link_that_expires_has_one_event_of_all_processes() {
    let platform = Platform::start().await;
    let other = platform.another().await;
    let mut cursor = now(&platform).await;
    let (id, _) = pending(&platform).await;
    // One that a newer link replaces ends without a word.
    platform.link(json!({"connection_id": id})).await;
    announce_once(&platform.app, true).await.unwrap();
    assert_news(&platform, &mut cursor, &id, json!([])).await;
    platform.advance(601);
    let (one, two) = tokio::join!(announce_once(&platform.app, true), announce_once(&other.app, true));
    one.and(two).unwrap();
    announce_once(&platform.app, true).await.unwrap();
    let expired = json!([["connection.expired", {"operation": "reauth"}]]);
    assert_news(&platform, &mut cursor, &id, expired).await;
    assert_eq!(platform.status(&id).await, "expired");
}

#[tokio::test]
async fn a_grant_that_ends_and_works_again_has_two_events() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let (store, owner) = (&platform.app.store, platform.owner());
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    let mut cursor = now(&platform).await;
    // A refresh is no event.
    platform.advance(60);
    platform.token(&id).await.data();
    assert_news(&platform, &mut cursor, &id, json!([])).await;

    let credential = store.credential(&owner, &id).await.unwrap().unwrap();
    for _ in 0..2 {
        let refused = ReconnectionReason::GrantRefused;
        assert!(store.mark_broken(&owner, &id, credential.version, refused).await.unwrap());
    }
    let events = news(&platform, &mut cursor).await;
    assert_eq!(events.len(), 1, "it ended once");
    assert_eq!(events[0]["type"], "connection.needs_reconnection");
    assert_eq!(events[0]["data"]["reason"], "grant_refused");
    assert!(text(&events[0]["data"]["since"]) <= text(&events[0]["timestamp"]));
    assert_eq!(events[0]["data"]["connection"]["status"], "expired");

    let tokens = credential.grant.tokens.unwrap();
    let details = Details { scopes: Some(vec!["a".into()]), ..credential.grant.details };
    assert!(store.save_tokens(&owner, &id, credential.version, &tokens, Some(&details)).await.unwrap());
    let updated = json!(["connection.updated", {"changed": ["scopes"]}]);
    let active = json!(["connection.active", {"operation": "creation"}]);
    assert_news(&platform, &mut cursor, &id, json!([updated, active])).await;
}

#[tokio::test]
async fn an_update_names_what_changed() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let mut cursor = now(&platform).await;
    let patch = async |body: Value| {
        platform.call("PATCH", &format!("/connections/{id}")).json(&body).await.data();
    };
    patch(json!({"name": "Post", "metadata": {"a": 1}})).await;
    patch(json!({"name": "Post"})).await;
    patch(json!({})).await;
    patch(json!({"customer_id": "cus_1", "customer_name": "Alice"})).await;
    patch(json!({"customer_name": null})).await;
    let expected =
        [json!(["name", "metadata"]), json!(["customer_id", "customer_name"]), json!(["customer_name"])];
    let expected: Vec<_> =
        expected.into_iter().map(|changed| json!(["connection.updated", {"changed": changed}])).collect();
    assert_news(&platform, &mut cursor, &id, expected.into()).await;
    platform.link(json!({"connection_id": id, "name": "Mail again", "customer_id": "cus_1"})).await;
    let renamed = json!([["connection.updated", {"changed": ["name"]}]]);
    assert_news(&platform, &mut cursor, &id, renamed).await;
    // Another customer's call changes nothing.
    let call = platform.call("PATCH", &format!("/connections/{id}")).customer("bob@example.com");
    call.json(&json!({"name": "Mine"})).await.is_error(404, "connection_deleted");
    assert_news(&platform, &mut cursor, &id, json!([])).await;
}

#[tokio::test]
async fn a_deletion_tells_who_deleted_what() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let id = platform.connected().await;
    let mut cursor = now(&platform).await;
    let delete = |email: &str| platform.call("DELETE", &format!("/connections/{id}")).customer(email);
    delete("bob@example.com").send().await.is_error(404, "connection_deleted");
    store.add_usage(&platform.owner(), &id, "w").await.unwrap();
    delete(ALICE).send().await.is_error(409, "connection_in_use");
    store.remove_usage(&platform.owner(), &id, "w").await.unwrap();
    assert_news(&platform, &mut cursor, &id, json!([])).await;
    delete(ALICE).send().await.data();
    let events = news(&platform, &mut cursor).await;
    assert_eq!(brief(&events[0]), json!(["connection.deleted", {"by": "tenant"}]));
    let connection = &events[0]["data"]["connection"];
    assert_eq!((&connection["id"], &connection["status"]), (&json!(id), &json!("active")), "as it was");
    assert_eq!(events.len(), 1);

    // Nobody finished this one, and no process looked for a week.
    let (id, _) = pending(&platform).await;
    platform.advance(7 * DAY + 601);
    store.clean_up().await.unwrap();
    let expired = json!(["connection.expired", {"operation": "creation"}]);
    let deleted = json!(["connection.deleted", {"by": "operator"}]);
    assert_news(&platform, &mut cursor, &id, json!([expired, deleted])).await;
}

#[tokio::test]
async fn an_import_is_an_active_connection() {
    let platform = Platform::start().await;
    let mut cursor = now(&platform).await;
    let body = json!({"app_id": "brevo", "name": "Mail", "fields": {"api_key": "canary-field"}});
    let imported = platform.call("POST", "/connections/import").json(&body).await;
    let id = text(&imported.data()["id"]);
    let events = news(&platform, &mut cursor).await;
    assert_eq!(brief(&events[0]), json!(["connection.active", {"operation": "creation"}]));
    let connection = &events[0]["data"]["connection"];
    assert_eq!((&connection["id"], &connection["origin"]), (&json!(id), &json!("import")));
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn a_confirmation_is_the_event_and_wrong_codes_end_the_link() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let mut cursor = now(&platform).await;
    let held = async || {
        let link = platform.link(json!({
            "app_id": "brevo", "name": "Mail", "confirm": true, "return_url": "https://app.example.com/done",
        }));
        let link = link.await;
        let id = text(&link["connection_id"]);
        let grant = {
            let other = platform.connected().await;
            store.credential(&platform.owner(), &other).await.unwrap().unwrap().grant
        };
        let stored = platform.stored_link(&link).await;
        store.hold_grant(&stored, &grant, "right").await.unwrap();
        id
    };
    let confirm = async |id: &str, code: &str| {
        let call = platform.call("POST", &format!("/connections/{id}/confirm"));
        call.json(&json!({"code": code})).await.status
    };
    let (first, second) = (held().await, held().await);
    let of = |events: &[Value], id: &str| -> Vec<Value> {
        let of = events.iter().filter(|event| event["data"]["connection"]["id"] == id);
        of.map(|event| event["type"].clone()).collect()
    };
    let events = news(&platform, &mut cursor).await;
    assert!(of(&events, &first).is_empty(), "it waits: {events:?}");
    for _ in 0..2 {
        assert_eq!(confirm(&first, "right").await, 200);
    }
    for _ in 0..6 {
        assert_ne!(confirm(&second, "wrong").await, 200);
    }
    platform.advance(3600);
    announce_once(&platform.app, true).await.unwrap();
    let events = news(&platform, &mut cursor).await;
    assert_eq!(of(&events, &first), ["connection.active"]);
    assert_eq!(of(&events, &second), ["connection.expired"]);
}

#[tokio::test]
async fn each_change_of_a_key_has_its_event() {
    let platform = Platform::start().await;
    let (store, tenant) = (&platform.app.store, &platform.tenant);
    let first = events(&get(&platform, "").await);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["type"], "key.created");
    assert_eq!(first[0]["data"]["by"], "command_line");
    let id = text(&first[0]["data"]["key"]["id"]);
    let capabilities = &first[0]["data"]["key"]["capabilities"];
    assert!(
        capabilities.as_array().unwrap().contains(&json!("events"))
            && capabilities.as_array().unwrap().len() > 6
    );

    let mut cursor = now(&platform).await;
    let rotated = platform.call("POST", "/keys/rotate").send().await.data().clone();
    let Rotation::Rotated { id: third, .. } =
        store.rotate_key(tenant, &id, Actor::CommandLine).await.unwrap()
    else {
        panic!("the successor was never used");
    };
    let promoted = store.promote_key(tenant, &third, Actor::CommandLine, true).await.unwrap();
    assert!(matches!(promoted, Promotion::Promoted { .. }));
    store.revoke_key(&third, true).await.unwrap();
    // All keys have ended: the feed is read past them.
    let key = store.create_key(tenant, &connect_service::store::Capability::ALL).await.unwrap().unwrap();
    let answer = platform.call("GET", &format!("/events?after={cursor}")).key(&key).send().await;
    cursor = text(&answer.data()["next_cursor"]);
    let seen: Vec<_> = events(&answer)
        .iter()
        .map(|event| json!([event["type"], event["data"]["key"]["id"], event["data"]["by"]]))
        .collect();
    let second = &rotated["key_id"];
    assert_eq!(
        seen[..seen.len() - 1],
        [
            json!(["key.rotated", second, "api"]),
            json!(["key.revoked", second, "command_line"]),
            json!(["key.rotated", third, "command_line"]),
            json!(["key.promoted", third, "command_line"]),
            json!(["key.revoked", id, "command_line"]),
            json!(["key.revoked", third, "command_line"]),
        ]
    );
    assert_eq!(seen[seen.len() - 1][0], "key.created");
    assert!(!answer.text.contains(&key) && !answer.text.contains(&text(&rotated["api_key"])));
    assert!(cursor.starts_with("cur_"));
}

#[tokio::test]
async fn a_grant_is_told_14_days_before_its_known_end() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let other = platform.another().await;
    let store = &platform.app.store;
    let lifetime = i64::try_from(30 * DAY).unwrap();
    let ending = platform.authorised(None, Some(lifetime)).await;
    platform.authorised(Some("canary-refresh-0"), Some(lifetime)).await;
    platform.authorised(None, None).await;
    let broken = platform.authorised(None, Some(lifetime)).await;
    let version = store.credential(&platform.owner(), &broken).await.unwrap().unwrap().version;
    let refused = ReconnectionReason::GrantRefused;
    assert!(store.mark_broken(&platform.owner(), &broken, version, refused).await.unwrap());
    let credential = store.credential(&platform.owner(), &ending).await.unwrap().unwrap();
    let ends_at = credential.grant.tokens.unwrap().expires_at.unwrap();

    let mut cursor = now(&platform).await;
    platform.advance(16 * DAY - 60);
    announce_once(&platform.app, true).await.unwrap();
    assert_news(&platform, &mut cursor, &ending, json!([])).await;
    platform.advance(120);
    let (one, two) = tokio::join!(announce_once(&platform.app, true), announce_once(&other.app, true));
    one.and(two).unwrap();
    platform.advance(DAY);
    announce_once(&platform.app, true).await.unwrap();
    let events = news(&platform, &mut cursor).await;
    assert_eq!(events.len(), 1, "once, and of nothing else: {events:?}");
    assert_eq!(events[0]["type"], "connection.expiring");
    assert_eq!(events[0]["data"]["connection"]["id"], ending);
    assert_eq!(events[0]["data"]["expires_at"], rfc3339(ends_at));

    // A new grant has an end of its own.
    let link = platform.link(json!({"connection_id": ending})).await;
    platform.grant(&link, None, Some(3600)).await;
    announce_once(&platform.app, true).await.unwrap();
    let types: Vec<_> =
        news(&platform, &mut cursor).await.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["connection.active", "connection.expiring"]);
}

/// Zoom's refresh tokens die after 90 days without use.
#[tokio::test]
async fn a_refresh_token_that_dies_unused_is_told_before() {
    let provider = Provider::start().await;
    let mut config = Config::default();
    config.apps.insert("zoom".into(), provider.registration());
    let platform = Platform::with(config).await;
    let link = platform.link(json!({"app_id": "zoom", "name": "Calls"})).await;
    let id = text(&link["connection_id"]);
    platform.grant_tokens(&link, "zoom", tokens(&platform, Some("canary-refresh-0"), Some(3600))).await;
    let mut cursor = now(&platform).await;
    platform.advance(76 * DAY);
    announce_once(&platform.app, true).await.unwrap();
    assert_news(&platform, &mut cursor, &id, json!([])).await;
    platform.advance(DAY);
    for _ in 0..2 {
        announce_once(&platform.app, true).await.unwrap();
    }
    let events = news(&platform, &mut cursor).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (&events[0]["type"], &events[0]["data"]["connection"]["id"]),
        (&json!("connection.expiring"), &json!(id))
    );
}

#[tokio::test]
async fn no_event_holds_a_secret() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.connected().await;
    let link = platform.link(json!({"app_id": "gmail", "name": "canary-name"})).await;
    platform.grant(&link, Some("canary-refresh-0"), Some(60)).await;
    platform
        .app
        .store
        .rotate_key(&platform.tenant, &key_id(&platform).await, Actor::CommandLine)
        .await
        .unwrap();
    platform.call("DELETE", &format!("/connections/{id}")).send().await.data();
    let feed = get(&platform, "limit=100").await.text;
    assert!(feed.contains("canary-name"), "what is no secret can be found");
    let secret = text(&link["request_link"]).rsplit('/').next().unwrap().to_owned();
    let token = text(&link["request_token"]);
    for canary in
        ["canary-field", "canary-access", "canary-refresh", "pk_live_", &platform.key, &secret, &token]
    {
        assert!(!feed.contains(canary), "{canary}");
    }
}

async fn key_id(platform: &Platform) -> String {
    let keys = platform.call("GET", "/keys").send().await.data()["keys"].clone();
    text(&keys[0]["id"])
}

#[tokio::test]
async fn an_operator_can_leave_customers_out() {
    let mut config = Config::default();
    config.events.payload = EventPayload::Ids;
    let platform = Platform::with(config).await;
    let mut cursor = now(&platform).await;
    let id = platform.connected().await;
    let body = json!({"name": "Post", "metadata": {"a": 1}, "customer_id": "cus_1"});
    platform.call("PATCH", &format!("/connections/{id}")).json(&body).await.data();
    let events = news(&platform, &mut cursor).await;
    assert_eq!(events.len(), 2);
    for event in events {
        let connection = json!({"id": id, "status": "active", "app_id": "brevo", "origin": "link"});
        assert_eq!(event["data"]["connection"], connection);
    }
}
