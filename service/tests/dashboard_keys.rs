//! Settings, Platform API Keys: in the dashboard, and under `/tenant/keys`.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::store::{Actor, Capability, Key};
use serde_json::{Value, json};
use support::{Answer, Browser, Platform, between, text};

const OWNER: &str = "owner@acme.example";

fn keys_page(platform: &Platform) -> String {
    format!("/dashboard/tenants/{}/keys", platform.tenant)
}

/// The secret that a page shows.
#[track_caller]
fn shown(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.text);
    between(&page.text, "<input id=\"secret\" value=\"", "\"").expect("a secret").to_owned()
}

async fn live_keys(platform: &Platform) -> Vec<Key> {
    let keys = platform.app.store.keys(&platform.tenant).await.unwrap();
    keys.into_iter().filter(|key| key.revoked_at.is_none()).collect()
}

/// Presses a button of the page of keys.
async fn press(platform: &Platform, browser: &mut Browser, key: &str, action: &str) -> Answer {
    let page = keys_page(platform);
    browser.submit(&page, &format!("{page}/{key}/{action}"), &[]).await
}

async fn opens(platform: &Platform, key: &str) -> u16 {
    platform.bare("GET", "/apps").key(key).send().await.status
}

#[tokio::test]
async fn credentials_are_generated_rotated_promoted_and_revoked() {
    let platform = Platform::start().await;
    let (mut browser, page) = (platform.signed_in(OWNER).await, keys_page(&platform));
    let fields = [("name", "Production"), ("capabilities", "apps"), ("capabilities", "connections")];
    let made = browser.submit(&page, &page, &fields).await;
    let first = shown(&made);
    assert!(first.starts_with("pk_live_"), "{first}");
    assert_eq!(opens(&platform, &first).await, 200);
    let refused = platform.call("GET", "/keys").key(&first).send().await;
    refused.is_error(403, "capability_disabled");
    let id = live_keys(&platform)
        .await
        .into_iter()
        .find(|key| key.name.as_deref() == Some("Production"))
        .unwrap()
        .id;

    // Not safe yet: nobody uses the successor.
    let second = shown(&press(&platform, &mut browser, &id, "rotate").await);
    let listed = browser.get(&page).await;
    assert!(listed.text.contains("not safe to retire the old key"), "{}", listed.text);
    assert!(!listed.text.contains("Promote: retire"), "{}", listed.text);
    let early = press(&platform, &mut browser, &id, "promote").await;
    assert_eq!(early.status, 400);
    assert!(early.text.contains("lock your backend out"), "{}", early.text);
    assert_eq!((opens(&platform, &first).await, opens(&platform, &second).await), (200, 200));

    // It was used just now.
    let listed = browser.get(&page).await;
    assert!(listed.text.contains("Promote: retire"), "{}", listed.text);
    assert_eq!(press(&platform, &mut browser, &id, "promote").await.status, 303);
    assert_eq!((opens(&platform, &first).await, opens(&platform, &second).await), (401, 200));

    let successor =
        live_keys(&platform).await.into_iter().find(|key| key.name.as_deref() == Some("Production")).unwrap();
    assert_eq!(successor.capabilities, [Capability::Apps, Capability::Connections]);
    assert_eq!(press(&platform, &mut browser, &successor.id, "revoke").await.status, 303);
    assert_eq!(opens(&platform, &second).await, 401);

    // No key is on a page twice, in the audit, or stored.
    let listed = browser.get(&page).await;
    let stored = String::from_utf8_lossy(&platform.database.contents().await).into_owned();
    for key in [&first, &second] {
        assert!(!listed.text.contains(key.as_str()) && !stored.contains(key.as_str()));
    }
    let audit = platform.app.store.audit(&platform.tenant).await.unwrap();
    let by_owner: Vec<_> =
        audit.iter().filter(|line| line.actor == OWNER).map(|line| line.action.as_str()).collect();
    let expected = ["key.created", "key.rotated", "key.promoted", "key.retired", "key.revoked"];
    for action in expected {
        assert!(by_owner.contains(&action), "{by_owner:?}");
    }
    let events = events(&platform).await;
    let created =
        events.iter().find(|(kind, data)| kind == "key.created" && data["by"] == "dashboard").unwrap();
    assert_eq!(created.1["key"]["name"], "Production");
}

async fn events(platform: &Platform) -> Vec<(String, Value)> {
    let answer = platform.call("GET", "/events?types=key.created").without("x-user-email").send().await;
    let events = answer.data()["events"].as_array().unwrap().iter();
    events.map(|event| (text(&event["type"]), event["data"].clone())).collect()
}

/// However many ask at once, a tenant has no more keys than it may; and the list shows all that work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_has_a_hundred_keys_at_most() {
    let platform = Platform::start().await;
    let (store, tenant) = (&platform.app.store, &platform.tenant);
    for _ in 0..97 {
        store.create_key(tenant, &[Capability::Apps]).await.unwrap().unwrap();
    }
    let ids: Vec<_> = live_keys(&platform).await.into_iter().map(|key| key.id).collect();
    assert_eq!(ids.len(), 98);
    let calls = (0..8).map(|number| {
        let (store, tenant, id) = (store.clone(), tenant.clone(), ids[number].clone());
        tokio::spawn(async move {
            if number % 2 == 0 {
                store.create_key(&tenant, &[Capability::Apps]).await.unwrap();
            } else {
                store.rotate_key(&tenant, &id, Actor::CommandLine).await.unwrap();
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(live_keys(&platform).await.len(), 100);
    let body = json!({"name": "More", "capabilities": ["apps"]});
    platform.call("POST", "/tenant/keys").json(&body).await.is_error(400, "invalid_request");
    let body = json!({"key_id": ids[90]});
    platform.call("POST", "/keys/rotate").json(&body).await.is_error(400, "invalid_request");
    let mut owner = platform.signed_in(OWNER).await;
    let refused = press(&platform, &mut owner, &ids[90], "rotate").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("There are 100 keys"), "{}", refused.text);
    // One that ended makes room for another, and takes no place in the list from those that work.
    assert_eq!(press(&platform, &mut owner, &ids[90], "revoke").await.status, 303);
    store.create_key(tenant, &[Capability::Apps]).await.unwrap().unwrap();
    assert_eq!(live_keys(&platform).await.len(), 100);
    assert_eq!(store.keys(tenant).await.unwrap().len(), 101);
}

#[tokio::test]
async fn the_last_key_stays() {
    let platform = Platform::start().await;
    let mut browser = platform.signed_in(OWNER).await;
    let id = live_keys(&platform).await.remove(0).id;
    let refused = press(&platform, &mut browser, &id, "revoke").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("This is the last key"), "{}", refused.text);
    assert_eq!(opens(&platform, &platform.key).await, 200);
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let platform = Platform::start().await;
    let (mut browser, page) = (platform.signed_in(OWNER).await, keys_page(&platform));
    for (fields, expected) in [
        (vec![("name", ""), ("capabilities", "apps")], "Give the key a name"),
        (vec![("name", "a\u{202e}b"), ("capabilities", "apps")], "Give the key a name"),
        (vec![("name", "Production")], "Choose at least one capability"),
        (vec![("name", "Production"), ("capabilities", "everything")], "Choose at least one capability"),
    ] {
        let answer = browser.submit(&page, &page, &fields).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains(expected), "{}", answer.text);
    }
    assert_eq!(live_keys(&platform).await.len(), 1);
}

#[tokio::test]
async fn an_mcp_url_is_shown_once_and_ends() {
    let platform = Platform::start().await;
    let mut browser = platform.signed_in(OWNER).await;
    let id = live_keys(&platform).await.remove(0).id;
    let url = shown(&press(&platform, &mut browser, &id, "mcp-url").await);
    assert!(url.starts_with("http://127.0.0.1:8080/platform/v1/mcp/mcp_"), "{url}");
    let listed = browser.get(&keys_page(&platform)).await;
    assert!(!listed.text.contains(&url) && listed.text.contains("Replace the MCP URL"), "{}", listed.text);
    assert_eq!(press(&platform, &mut browser, &id, "mcp-url/revoke").await.status, 303);
    assert!(!live_keys(&platform).await[0].has_mcp_url);
}

/// Another tenant's keys do not exist.
#[tokio::test]
async fn keys_of_another_tenant_are_unknown() {
    let platform = Platform::start().await;
    platform.another_key(&Capability::ALL).await;
    let tenants = platform.app.store.tenants().await.unwrap();
    let other = &tenants.iter().find(|tenant| tenant.id != platform.tenant).unwrap().id;
    let foreign = platform.app.store.keys(other).await.unwrap().remove(0).id;
    let mut browser = platform.signed_in(OWNER).await;
    for action in ["rotate", "promote", "revoke", "mcp-url", "mcp-url/revoke"] {
        assert_eq!(press(&platform, &mut browser, &foreign, action).await.status, 404, "{action}");
    }
    let path = format!("/tenant/keys/{foreign}");
    platform.call("DELETE", &path).send().await.is_error(404, "key_not_found");
    platform.call("POST", &format!("{path}/mcp-url")).send().await.is_error(404, "key_not_found");
    platform.call("DELETE", &format!("{path}/mcp-url")).send().await.is_error(404, "key_not_found");
    assert_eq!(platform.app.store.keys(other).await.unwrap()[0].revoked_at, None);
}

#[tokio::test]
async fn keys_are_made_and_ended_by_a_key() {
    let platform = Platform::start().await;
    let body = json!({"name": "Worker", "capabilities": ["token", "connections", "token"]});
    let made = platform.call("POST", "/tenant/keys").json(&body).await;
    let (id, key) = (text(&made.data()["key_id"]), text(&made.data()["api_key"]));
    let listed = platform.call("GET", "/keys").send().await;
    let listed =
        listed.data()["keys"].as_array().unwrap().iter().find(|key| key["id"] == *id).unwrap().clone();
    assert_eq!(
        (&listed["name"], &listed["capabilities"]),
        (&json!("Worker"), &json!(["connections", "token"]))
    );
    assert_eq!(listed["last_used_at"], Value::Null);
    platform.call("GET", "/connections").key(&key).send().await.data();
    let minted = platform.call("POST", &format!("/tenant/keys/{id}/mcp-url")).send().await;
    assert!(text(&minted.data()["mcp_url"]).contains("/mcp/mcp_"));
    platform.call("DELETE", &format!("/tenant/keys/{id}/mcp-url")).send().await.data();
    assert_eq!(platform.call("DELETE", &format!("/tenant/keys/{id}")).send().await.data()["key_id"], *id);
    platform.call("GET", "/connections").key(&key).send().await.is_error(401, "invalid_api_key");
    let last = platform.app.store.keys(&platform.tenant).await.unwrap();
    let last = &last.iter().find(|key| key.revoked_at.is_none()).unwrap().id;
    platform.call("DELETE", &format!("/tenant/keys/{last}")).send().await.is_error(409, "rotation_conflict");

    for body in [
        json!({}),
        json!({"name": "x"}),
        json!({"name": "x", "capabilities": []}),
        json!({"name": "x", "capabilities": ["everything"]}),
        json!({"name": "", "capabilities": ["apps"]}),
        json!({"name": "x", "capabilities": ["apps"], "other": 1}),
    ] {
        platform.call("POST", "/tenant/keys").json(&body).await.is_error(400, "invalid_request");
    }
}

/// With a stolen key, nobody comes by another that opens more.
#[tokio::test]
async fn no_key_makes_or_rotates_one_that_opens_more() {
    let platform = Platform::start().await;
    let store = &platform.app.store;
    let full = live_keys(&platform).await.remove(0).id;
    let small =
        store.create_key(&platform.tenant, &[Capability::Admin, Capability::Apps]).await.unwrap().unwrap();
    let call = |method: &str, path: &str| platform.call(method, path).key(&small);

    let body = json!({"name": "More", "capabilities": ["apps", "token"]});
    call("POST", "/tenant/keys").json(&body).await.is_error(403, "capability_disabled");
    call("POST", "/keys/rotate").json(&json!({"key_id": full})).await.is_error(403, "capability_disabled");
    call("POST", &format!("/tenant/keys/{full}/mcp-url")).send().await.is_error(403, "capability_disabled");
    assert_eq!(live_keys(&platform).await.len(), 2);

    let body = json!({"name": "Same", "capabilities": ["apps", "admin"]});
    call("POST", "/tenant/keys").json(&body).await.data();
    call("POST", "/keys/rotate").send().await.data();
    let none = platform.another_key(&[Capability::Apps]).await;
    let body = json!({"name": "Same", "capabilities": ["apps"]});
    platform.call("POST", "/tenant/keys").key(&none).json(&body).await.is_error(403, "capability_disabled");
}
