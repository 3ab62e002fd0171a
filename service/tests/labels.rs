//! What a tenant says of a connection: name, labels and metadata, and lists that are filtered.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::collections::BTreeSet;

use connect_service::store::ReconnectionReason;
use serde_json::{Value, json};
use support::{Answer, Platform, text};

async fn patch(platform: &Platform, id: &str, body: &Value) -> Answer {
    platform.call("PATCH", &format!("/connections/{id}")).json(body).await
}

async fn read(platform: &Platform, id: &str) -> Value {
    platform.call("GET", &format!("/connections/{id}")).send().await.data().clone()
}

async fn with_key(platform: &Platform, key: &str, body: String) -> Answer {
    let call = platform.call("POST", "/connections/request-link").header("idempotency-key", key);
    call.header("content-type", "application/json").body(body).send().await
}

#[tokio::test]
async fn a_connection_has_no_labels_by_itself() {
    let platform = Platform::start().await;
    let connection = read(&platform, &platform.connected().await).await;
    assert_eq!(connection["metadata"], json!({}));
    for member in ["customer_id", "customer_name", "reconnection", "last_refreshed_at", "last_used_at"] {
        assert_eq!(connection.get(member), Some(&json!(null)), "{member}");
    }
    assert_eq!(connection["needs_reconnection"], json!(false));
}

#[tokio::test]
async fn a_change_changes_what_it_names_alone() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let first = json!({
        "name": "Büro {{name}}", "customer_id": "cus_1", "customer_name": "Example {0} Ltd",
        "metadata": {"plan": "pro", "seats": [1, -2, 0.5, true, null], "text": "{{x}} \u{0}\u{202e}\n"},
    });
    let mut expected = read(&platform, &id).await;
    let mut change = async |body: Value| {
        platform.advance(1);
        let changed = patch(&platform, &id, &body).await.data().clone();
        assert_eq!(changed, read(&platform, &id).await);
        assert_ne!(changed["updated_at"], expected["updated_at"]);
        expected["updated_at"] = changed["updated_at"].clone();
        for (member, value) in body.as_object().unwrap() {
            expected[member] = value.clone();
        }
        assert_eq!(changed, expected);
    };
    change(first).await;
    change(json!({"customer_name": "Other"})).await;
    change(json!({"metadata": {"only": {"this": "is left"}}})).await;
    change(json!({"customer_id": null})).await;
    change(json!({"name": "x".repeat(200), "customer_name": null, "metadata": {}})).await;
    platform.token(&id).await.data();

    // What the database holds is no empty text, which a filter could find.
    let nulls = "SELECT COUNT(*) FROM connections WHERE customer_id IS NULL AND customer_name IS NULL";
    assert_eq!(platform.database.connect().await.text(nulls).await, "1");
}

#[tokio::test]
async fn an_empty_change_changes_nothing() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let before = read(&platform, &id).await;
    platform.advance(1);
    assert_eq!(patch(&platform, &id, &json!({})).await.data(), &before);
    assert_eq!(read(&platform, &id).await, before);
    let unknown = connect_service::ids::connection();
    patch(&platform, &unknown, &json!({})).await.is_error(404, "connection_deleted");
}

#[tokio::test]
async fn a_change_leaves_an_open_link_open() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let id = text(&link["connection_id"]);
    let changed = patch(&platform, &id, &json!({"name": "y"})).await;
    assert_eq!((&changed.data()["status"], &changed.data()["name"]), (&json!("pending"), &json!("y")));
    assert_eq!(changed.data()["expires_at"], link["expires_at"]);
    assert!(platform.app.store.decline_link(&platform.stored_link(&link).await, None).await.unwrap());
    assert_eq!(read(&platform, &id).await["status"], "rejected");
}

/// Of the largest and deepest that is allowed, everything comes back.
#[tokio::test]
async fn metadata_may_be_16_kib_and_8_deep() {
    let platform = Platform::start().await;
    let deepest = json!({"1": [{"3": [{"5": [{"7": [1]}]}]}]});
    let largest = json!({"a": "é".repeat((16 * 1024 - 8) / 2)});
    assert_eq!(largest.to_string().len(), 16 * 1024);
    for metadata in [deepest, largest] {
        let body = json!({"app_id": "brevo", "name": "x", "metadata": metadata});
        let id = text(&platform.link(body).await["connection_id"]);
        assert_eq!(read(&platform, &id).await["metadata"], metadata);
        patch(&platform, &id, &json!({"metadata": {}})).await.data();
        let changed = patch(&platform, &id, &json!({"metadata": metadata})).await;
        assert_eq!(changed.data()["metadata"], metadata);
    }
}

#[tokio::test]
async fn a_link_labels_the_connection_that_it_names() {
    let platform = Platform::start().await;
    let labels = |n: u32| json!({"customer_id": format!("cus_{n}"), "customer_name": format!("Customer {n}"), "metadata": {"n": n}});
    let with = |mut body: Value, labels: &Value| {
        body.as_object_mut().unwrap().extend(labels.as_object().unwrap().clone());
        body
    };
    let labels_of = async |id: &str| {
        let found = read(&platform, id).await;
        json!({"customer_id": found["customer_id"], "customer_name": found["customer_name"], "metadata": found["metadata"]})
    };
    let link = platform.link(with(json!({"app_id": "brevo", "name": "x"}), &labels(1))).await;
    let id = text(&link["connection_id"]);
    assert_eq!(labels_of(&id).await, labels(1));
    let path = format!("/connections/{id}/submit");
    let body = json!({"auth_option_key": "header", "fields": {"api_key": "k"}});
    platform.public("POST", &path, &text(&link["request_token"])).json(&body).await.data();
    assert_eq!(labels_of(&id).await, labels(1), "the credential leaves them");

    platform.link(json!({"connection_id": id})).await;
    assert_eq!(labels_of(&id).await, labels(1), "absent members leave them");
    let one = json!({"app_id": "brevo", "name": "x", "allow_multiple_connections": false});
    let again = platform.link(with(one, &labels(2))).await;
    assert_eq!(again["connection_id"], json!(id));
    assert_eq!(labels_of(&id).await, labels(1), "who did not name the connection does not label it");
    platform.link(with(json!({"connection_id": id}), &labels(3))).await;
    assert_eq!(labels_of(&id).await, labels(3));
}

#[tokio::test]
async fn the_same_metadata_is_the_same_request() {
    let platform = Platform::start().await;
    let body = |metadata: &str| format!(r#"{{"app_id": "brevo", "name": "x", "metadata": {metadata}}}"#);
    let first = with_key(&platform, "k", body(r#"{"a": {"b": 1, "c": [{"d": 1, "e": 2}]}, "f": 3}"#)).await;
    first.data();
    let again = with_key(&platform, "k", body(r#"{"f":3,"a":{"c":[{"e":2,"d":1}],"b":1}}"#)).await;
    assert_eq!(again.text, first.text);
    for other in [r#"{"a": {"b": 1, "c": [{"d": 1, "e": 2}]}, "f": 4}"#, "{}"] {
        with_key(&platform, "k", body(other)).await.is_error(422, "idempotency_key_reused");
    }
    // A repeat does not undo what was changed meanwhile.
    let id = text(&first.data()["connection_id"]);
    patch(&platform, &id, &json!({"metadata": {"new": true}})).await.data();
    let again = with_key(&platform, "k", body(r#"{"f":3,"a":{"c":[{"e":2,"d":1}],"b":1}}"#)).await;
    assert_eq!(again.text, first.text);
    assert_eq!(read(&platform, &id).await["metadata"], json!({"new": true}));
}

/// An agent lists connections, and is shown nothing that is the tenant's own.
#[tokio::test]
async fn agents_see_no_metadata() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let body = json!({"customer_name": "canary-name", "metadata": {"a": "canary-metadata"}});
    patch(&platform, &id, &body).await.data();
    let params = json!({"name": "list_connections", "arguments": {}});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let listed = platform.call("POST", "/mcp").header("host", "localhost").json(&message).await;
    assert!(listed.text.contains(&id), "{}", listed.text);
    assert!(!listed.text.contains("canary"), "{}", listed.text);
}

/// Marks a connection's grant as refused.
async fn break_grant(platform: &Platform, id: &str) {
    let (store, owner) = (&platform.app.store, platform.owner());
    let version = store.credential(&owner, id).await.unwrap().unwrap().version;
    assert!(store.mark_broken(&owner, id, version, ReconnectionReason::GrantRefused).await.unwrap());
}

/// Connections in every state that there is, with and without a later link; half of them are labelled `cus_1`.
async fn one_of_each(platform: &Platform) {
    let store = &platform.app.store;
    let decline = async |link: &Value| {
        assert!(store.decline_link(&platform.stored_link(link).await, None).await.unwrap());
    };
    for later in ["none", "open", "expired", "declined"] {
        let new = json!({"app_id": "insightly", "name": "x", "expires_in": 60});
        let pending = text(&platform.link(new.clone()).await["connection_id"]);
        let link = platform.link(new).await;
        decline(&link).await;
        let rejected = text(&link["connection_id"]);
        let (active, broken) = (platform.connected().await, platform.connected().await);
        break_grant(platform, &broken).await;
        for (n, id) in [pending, rejected, active, broken].iter().enumerate() {
            if n % 2 == 0 {
                patch(platform, id, &json!({"customer_id": "cus_1"})).await.data();
            }
            match later {
                "open" => drop(platform.link(json!({"connection_id": id, "expires_in": 3600})).await),
                "expired" => drop(platform.link(json!({"connection_id": id, "expires_in": 60})).await),
                "declined" => decline(&platform.link(json!({"connection_id": id})).await).await,
                _ => {}
            }
        }
    }
    platform.link(json!({"app_id": "brevo", "name": "x", "expires_in": 3600})).await;
    platform.advance(61);
}

/// What a filter finds is what the unfiltered list shows with that status, page by page, and so is the total.
#[tokio::test]
async fn a_filter_finds_what_the_list_shows() {
    let mut config = connect_service::config::Config::default();
    config.budgets.default = 100_000;
    let platform = Platform::with(config).await;
    one_of_each(&platform).await;
    let list = async |query: &str| {
        let answer = platform.call("GET", &format!("/connections?limit=100&{query}")).send().await;
        answer.data()["connections"].as_array().unwrap().clone()
    };
    let all = list("").await;
    let ids = |found: &[Value]| found.iter().map(|one| text(&one["id"])).collect::<Vec<_>>();
    assert_eq!(all.len(), 17);
    let mut seen = BTreeSet::new();
    for status in ["", "pending", "active", "rejected", "expired"] {
        for customer_id in ["", "cus_1", "cus_2"] {
            for needs_reconnection in ["", "true", "false"] {
                for app_id in ["", "brevo", "insightly"] {
                    let fits = |one: &&Value| {
                        (status.is_empty() || one["status"] == status)
                            && (customer_id.is_empty() || one["customer_id"] == customer_id)
                            && (needs_reconnection.is_empty()
                                || one["needs_reconnection"] == (needs_reconnection == "true"))
                            && (app_id.is_empty() || one["app"]["id"] == app_id)
                    };
                    let expected: Vec<Value> = all.iter().filter(fits).cloned().collect();
                    let query = format!(
                        "status={status}&customer_id={customer_id}&needs_reconnection={needs_reconnection}&app_id={app_id}"
                    );
                    assert_eq!(ids(&list(&query).await), ids(&expected), "{query}");
                    if !expected.is_empty() {
                        seen.insert((status, customer_id, needs_reconnection));
                    }
                }
            }
            // Pages of one, and one beyond the last.
            let query = format!("status={status}&customer_id={customer_id}");
            let expected = ids(&list(&query).await);
            for page in 0..=expected.len() {
                let path = format!("/connections?limit=1&page={}&{query}", page + 1);
                let answer = platform.call("GET", &path).send().await;
                assert_eq!(answer.data()["total"], json!(expected.len()), "{path}");
                let found = ids(answer.data()["connections"].as_array().unwrap());
                assert_eq!(found.first(), expected.get(page), "{path}");
            }
        }
    }
    // Each status is there, and all but active ones both with and without a grant that does not work.
    for status in ["pending", "active", "rejected", "expired"] {
        assert!(seen.contains(&(status, "cus_1", "false")), "{status}");
        assert_eq!(seen.contains(&(status, "", "true")), status != "active", "{status}");
    }
}
