//! Rotation: two keys at most, never none, and a line in the audit for every change.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::store::{Actor, Capability, Promotion, Revocation, Rotation};
use serde_json::json;
use support::{Answer, Platform, text};

async fn rotate(platform: &Platform, key: &str) -> Answer {
    platform.call("POST", "/keys/rotate").key(key).send().await
}

async fn promote(platform: &Platform, key: &str) -> Answer {
    platform.call("POST", "/keys/promote").key(key).send().await
}

async fn works(platform: &Platform, key: &str) -> bool {
    let answer = platform.call("GET", "/apps").key(key).send().await;
    assert!([200, 401].contains(&answer.status), "{}", answer.text);
    answer.status == 200
}

fn key_of(rotated: &Answer) -> String {
    text(&rotated.data()["api_key"])
}

#[tokio::test]
async fn rotate_deploy_promote() {
    let platform = Platform::start().await;
    let old = platform.key.clone();
    let rotated = rotate(&platform, &old).await;
    let new = key_of(&rotated);
    assert!(works(&platform, &old).await && works(&platform, &new).await);

    let promoted = promote(&platform, &new).await;
    assert_eq!(promoted.data()["key_id"], rotated.data()["key_id"]);
    assert_eq!(promoted.data()["retired"], rotated.data()["replaces"]);
    assert!(!works(&platform, &old).await && works(&platform, &new).await);

    // The successor opens what the first one did, and can be rotated in turn.
    let keys = platform.call("GET", "/keys").key(&new).send().await;
    let keys = keys.data()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0]["capabilities"], keys[1]["capabilities"]);
    assert_eq!(keys[0]["family"], keys[1]["id"]);
    assert_eq!((&keys[0]["current"], &keys[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!((keys[0]["revoked_at"].is_null(), keys[1]["revoked_at"].is_null()), (true, false));
    rotate(&platform, &new).await.data();
}

/// Nothing of a key is remembered: the next call finds it ended, whichever process it reaches, and however often that one
/// has just seen it.
#[tokio::test]
async fn a_revoked_key_opens_nothing_in_any_process() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let processes = [platform.another().await, platform.another().await];
    let path = format!("/connections/{id}/token");
    let token = async |process: &Platform| process.call("POST", &path).key(&platform.key).send().await;
    for process in processes.iter().chain(&processes) {
        token(process).await.data();
        assert!(works(process, &platform.key).await);
    }
    let store = &platform.app.store;
    let keys = store.keys(&platform.owner().tenant).await.unwrap();
    let revoked = store.revoke_key(&keys[0].id, true).await.unwrap();
    assert_eq!(revoked, Revocation::Revoked);
    for process in &processes {
        token(process).await.is_error(401, "invalid_api_key");
        assert!(!works(process, &platform.key).await);
    }
}

#[tokio::test]
async fn a_body_without_a_type_is_not_taken_for_none() {
    let platform = Platform::start().await;
    let answer =
        platform.call("POST", "/keys/rotate").key(&platform.key).body(r#"{"key_id":"another"}"#).send().await;
    assert_eq!(answer.status, 415, "{}", answer.text);
}

#[tokio::test]
async fn there_are_never_three_keys_nor_none() {
    let platform = Platform::start().await;
    let old = platform.key.clone();
    promote(&platform, &old).await.is_error(409, "rotation_conflict");
    let lost = key_of(&rotate(&platform, &old).await);
    // Nobody has the new key yet, so the old one cannot be ended …
    promote(&platform, &old).await.is_error(409, "rotation_conflict");
    // … and if its answer was lost on its way, it is replaced.
    let new = key_of(&rotate(&platform, &old).await);
    assert!(!works(&platform, &lost).await);
    assert!(works(&platform, &new).await);
    rotate(&platform, &old).await.is_error(409, "rotation_conflict");
    rotate(&platform, &new).await.is_error(409, "rotation_conflict");
    assert!(works(&platform, &old).await, "a refusal changes nothing");
    // From now on the old one can promote the new one, too.
    promote(&platform, &old).await.data();
    assert!(!works(&platform, &old).await && works(&platform, &new).await);
    promote(&platform, &new).await.is_error(409, "rotation_conflict");

    let store = &platform.app.store;
    let keys = store.keys(&platform.tenant).await.unwrap();
    let last = keys.iter().find(|key| key.revoked_at.is_none()).unwrap();
    assert_eq!(store.revoke_key(&last.id, false).await.unwrap(), Revocation::Last);
    assert!(works(&platform, &new).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_rotates_and_promotes_at_once_ends_with_one_or_two_keys() {
    let platform = Platform::start().await;
    let id = platform.app.store.keys(&platform.tenant).await.unwrap()[0].id.clone();
    for _ in 0..5 {
        let calls = (0..8).map(|number| {
            let (store, tenant, id) = (platform.app.store.clone(), platform.tenant.clone(), id.clone());
            tokio::spawn(async move {
                if number % 2 == 0 {
                    let rotated = store.rotate_key(&tenant, &id, Actor::CommandLine).await.unwrap();
                    assert_ne!(rotated, Rotation::UnderWay, "nobody uses these keys");
                } else {
                    store.promote_key(&tenant, &id, Actor::CommandLine, true).await.unwrap();
                }
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
        let keys = platform.app.store.keys(&platform.tenant).await.unwrap();
        let live = keys.iter().filter(|key| key.revoked_at.is_none()).count();
        assert!((1..=2).contains(&live), "{live}");
    }
}

#[tokio::test]
async fn an_admin_key_manages_its_tenants_other_keys_and_no_other_tenants() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let narrow = store.create_key(&platform.tenant, &[Capability::Apps]).await.unwrap().unwrap();
    let keys = store.keys(&platform.tenant).await.unwrap();
    let narrow_id = keys.iter().find(|key| key.capabilities == [Capability::Apps]).unwrap().id.clone();
    rotate(&platform, &narrow).await.is_error(403, "capability_disabled");

    let body = json!({"key_id": narrow_id});
    let stranger = platform.another_key(&[Capability::Admin]).await;
    for path in ["/keys/rotate", "/keys/promote"] {
        let unknown = platform.call("POST", path).json(&json!({"key_id": "key_unknown"})).await;
        unknown.is_error(404, "key_not_found");
        let foreign = platform.call("POST", path).key(&stranger).json(&body).await;
        assert_eq!((foreign.status, &foreign.text), (404, &unknown.text));
        for wrong in [json!({"key_id": 1}), json!({"key_id": null}), json!({"key_id": "a b"}), json!([])] {
            platform.call("POST", path).json(&wrong).await.is_error(400, "invalid_request");
        }
    }
    let rotated = platform.call("POST", "/keys/rotate").json(&body).await;
    let new = key_of(&rotated);
    assert!(works(&platform, &narrow).await && works(&platform, &new).await);
    platform.call("POST", "/keys/promote").json(&body).await.data();
    assert!(!works(&platform, &narrow).await && works(&platform, &new).await);
    // It opens no more than the one before it.
    let answer = platform.call("GET", "/connections").key(&new).send().await;
    answer.is_error(403, "capability_disabled");
}

#[tokio::test]
async fn every_change_leaves_a_line_and_no_secret() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let admin = store.keys(&platform.tenant).await.unwrap()[0].id.clone();
    let new = key_of(&rotate(&platform, &platform.key).await);
    assert!(works(&platform, &new).await);
    promote(&platform, &new).await.data();
    let current = store.keys(&platform.tenant).await.unwrap()[0].id.clone();
    store.mint_mcp_url(&current).await.unwrap();
    store.revoke_mcp_url(&current).await.unwrap();
    store.set_tenant_email(&platform.tenant, "new@acme.example").await.unwrap();
    let unused = store.rotate_key(&platform.tenant, &current, Actor::CommandLine).await.unwrap();
    let Rotation::Rotated { id: unused, .. } = unused else {
        panic!("{unused:?}");
    };
    let promotion = store.promote_key(&platform.tenant, &unused, Actor::CommandLine, true).await.unwrap();
    assert!(matches!(promotion, Promotion::Promoted { .. }));
    assert_eq!(store.revoke_key(&unused, true).await.unwrap(), Revocation::Revoked);

    let audit = store.audit(&platform.tenant).await.unwrap();
    let mut lines: Vec<_> =
        audit.iter().map(|line| (line.action.as_str(), line.key.as_deref(), line.actor.as_str())).collect();
    lines.sort_unstable();
    let cli = "command line";
    let mut expected = [
        ("tenant.created", None, cli),
        ("key.created", Some(admin.as_str()), cli),
        ("key.rotated", Some(&current), admin.as_str()),
        ("key.promoted", Some(&current), &current),
        ("key.retired", Some(&admin), &current),
        ("mcp_url.minted", Some(&current), cli),
        ("mcp_url.revoked", Some(&current), cli),
        ("tenant.email_changed", None, cli),
        ("key.rotated", Some(&unused), cli),
        ("key.promoted", Some(&unused), cli),
        ("key.retired", Some(&current), cli),
        ("key.revoked", Some(&unused), cli),
    ];
    expected.sort_unstable();
    assert_eq!(lines, expected);
    let printed = format!("{audit:?}");
    assert!(!printed.contains("pk_live_") && !printed.contains("mcp_live") && !printed.contains('@'));
    assert_eq!(
        platform.call("GET", "/keys").key(&new).send().await.json["data"],
        json!({"code": "invalid_api_key"})
    );
}

/// Counted by key: nobody can use up the attempts of a right one.
#[tokio::test]
async fn a_wrong_key_is_told_to_slow_down() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let key_id = &store.keys(&platform.tenant).await.unwrap()[0].id;
    store.mint_mcp_url(key_id).await.unwrap();
    let by_key = |key: &str| platform.call("GET", "/apps").key(key).send();
    let by_url = |token: &str| platform.bare("POST", &format!("/mcp/{token}")).send();
    for n in 0..62 {
        let (key, url) = (by_key("pk_live_wrong").await, by_url("mcp_wrong").await);
        for answer in [key, url] {
            if n < 60 {
                answer.is_error(401, "invalid_api_key");
            } else {
                answer.is_error(429, "rate_limited");
                let retry_after: u64 = answer.header("retry-after").parse().unwrap();
                assert!((1..=60).contains(&retry_after));
            }
        }
    }
    by_key("pk_live_another").await.is_error(401, "invalid_api_key");
    by_url("mcp_another").await.is_error(401, "invalid_api_key");
    // A right key in the wrong place is wrong there alone.
    for _ in 0..62 {
        by_url(&platform.key).await;
    }
    by_key(&platform.key).await.data();

    // A revoked key is a wrong one.
    store.revoke_key(key_id, true).await.unwrap();
    for _ in 0..60 {
        by_key(&platform.key).await.is_error(401, "invalid_api_key");
    }
    by_key(&platform.key).await.is_error(429, "rate_limited");
}

#[tokio::test]
async fn a_test_key_is_refused_by_name() {
    let platform = Platform::start().await;
    let answer = platform.call("GET", "/apps").key("pk_test_x").send().await;
    answer.is_error(401, "invalid_api_key");
    assert!(answer.text.contains("test key"), "{}", answer.text);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}
