//! One tenant, one customer: whatever is another's does not exist.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::ids;
use connect_service::store::{Capability, Owner, Revocation};
use serde_json::json;
use support::{Answer, Platform};

/// Every call that names a connection.
const CALLS: [(&str, &str); 9] = [
    ("GET", ""),
    ("PATCH", ""),
    ("POST", "/token"),
    ("POST", "/verify"),
    ("DELETE", ""),
    ("PUT", "/usages/workflow-1"),
    ("DELETE", "/usages/workflow-1"),
    ("GET", "/proxy/x"),
    ("POST", "/proxy"),
];

/// All that a caller can see of an answer, but the request's own id and the state of the caller's own budget.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let own = ["x-request-id", "ratelimit"];
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text.clone())
}

#[tokio::test]
async fn anothers_connection_is_an_unknown_one_byte_for_byte() {
    let platform = Platform::start().await;
    let other_key = platform.another_key(&Capability::ALL).await;
    let id = platform.connected().await;
    let unknown = ids::connection();

    for (method, rest) in CALLS {
        let call = |id: &str| {
            let call = platform.call(method, &format!("/connections/{id}{rest}"));
            let body = if method == "PATCH" { r#"{"name": "Theirs", "metadata": {"a": 1}}"# } else { "" };
            call.header("content-type", "application/json").body(body)
        };
        let of_nobody = call(&unknown).send().await;
        of_nobody.is_error(404, "connection_deleted");
        let strangers = [
            call(&id).key(&other_key).send().await,
            call(&id).customer("bob@example.com").send().await,
            call(&id).key(&other_key).customer("bob@example.com").send().await,
            call("nonsense").send().await,
            call("%FF%00..%2F").send().await,
        ];
        for stranger in &strangers {
            assert_eq!(seen(stranger), seen(&of_nobody), "{method} {rest}");
        }
    }
    let reauth = async |id: &str, key: &str, customer: &str| {
        let call = platform.call("POST", "/connections/request-link").key(key).customer(customer);
        call.json(&json!({"connection_id": id})).await
    };
    let of_nobody = reauth(&unknown, &platform.key, support::ALICE).await;
    of_nobody.is_error(404, "connection_deleted");
    assert_eq!(seen(&reauth(&id, &other_key, support::ALICE).await), seen(&of_nobody));
    assert_eq!(seen(&reauth(&id, &platform.key, "bob@example.com").await), seen(&of_nobody));

    let contacts = async |id: &str, key: &str, customer: &str| {
        let path = format!("/contacts?connection_id={id}");
        platform.call("GET", &path).key(key).customer(customer).send().await
    };
    let of_nobody = contacts(&unknown, &platform.key, support::ALICE).await;
    of_nobody.is_error(404, "connection_deleted");
    assert_eq!(seen(&contacts(&id, &other_key, support::ALICE).await), seen(&of_nobody));
    assert_eq!(seen(&contacts(&id, &platform.key, "bob@example.com").await), seen(&of_nobody));
    assert_ne!(contacts(&id, &platform.key, support::ALICE).await.status, 404);

    // What is wrong with a body is told before anything is told of the connection.
    let wrong = async |id: &str, key: &str| {
        let call = platform.call("PATCH", &format!("/connections/{id}")).key(key);
        call.json(&json!({"name": 1})).await
    };
    let own = wrong(&id, &platform.key).await;
    own.is_error(400, "invalid_request");
    assert_eq!(seen(&wrong(&id, &other_key).await), seen(&own));
    assert_eq!(seen(&wrong("nonsense", &platform.key).await), seen(&own));

    // After all that it is as it was, and nothing of it can be had past the checks either.
    let read = platform.call("GET", &format!("/connections/{id}")).send().await;
    assert_eq!(read.data()["usages"], json!([]));
    assert_eq!((&read.data()["name"], &read.data()["metadata"]), (&json!("Mail"), &json!({})));
    let bob = Owner { customer: "bob@example.com".into(), ..platform.owner() };
    assert!(platform.app.store.credential(&bob, &id).await.unwrap().is_none());
    assert_eq!(platform.token(&id).await.data()["fields"]["api_key"], "canary-field");
}

#[tokio::test]
async fn lists_hold_ones_own_connections_alone() {
    let platform = Platform::start().await;
    let other_key = platform.another_key(&Capability::ALL).await;
    platform.connected().await;
    let total = async |key: &str, customer: &str| {
        let answer = platform.call("GET", "/connections").key(key).customer(customer).send().await;
        (answer.data()["total"].clone(), answer.data()["connections"].as_array().unwrap().len())
    };
    assert_eq!(total(&platform.key, support::ALICE).await, (json!(1), 1));
    assert_eq!(total(&platform.key, "ALICE@Example.com").await, (json!(1), 1), "case does not matter");
    assert_eq!(total(&platform.key, "bob@example.com").await, (json!(0), 0));
    assert_eq!(total(&other_key, support::ALICE).await, (json!(0), 0));

    // No filter reaches further.
    let labelled = json!({"app_id": "brevo", "name": "Mail", "customer_id": "cus_1"});
    platform.link(labelled).await;
    for query in ["customer_id=cus_1", "status=active", "needs_reconnection=false"] {
        for (key, customer, expected) in [
            (&platform.key, "bob@example.com", false),
            (&other_key, support::ALICE, false),
            (&platform.key, support::ALICE, true),
        ] {
            let path = format!("/connections?{query}");
            let answer = platform.call("GET", &path).key(key).customer(customer).send().await;
            assert_eq!(answer.data()["total"] != json!(0), expected, "{query} for {customer}");
        }
    }
}

#[tokio::test]
async fn a_request_token_opens_its_own_link_alone() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    let other = platform.link(json!({"app_id": "brevo", "name": "Mail"})).await;
    let path = |link: &serde_json::Value, rest: &str| {
        format!("/connections/{}/{rest}", support::text(&link["connection_id"]))
    };
    let token = support::text(&link["request_token"]);
    platform.public("GET", &path(&link, "status"), &token).send().await.data();

    let unknown = json!({"connection_id": ids::connection()});
    for (method, rest) in [("GET", "status"), ("GET", "auth-options"), ("POST", "submit")] {
        let of_nobody = platform.public(method, &path(&unknown, rest), &token).send().await;
        of_nobody.is_error(404, "connection_deleted");
        for answer in [
            platform.public(method, &path(&other, rest), &token).send().await,
            platform.public(method, &path(&link, rest), "rt_wrong").send().await,
            platform.public(method, &path(&link, rest), "").send().await,
            platform.bare(method, &path(&link, rest)).send().await,
            platform.bare(method, &path(&link, rest)).header_bytes("x-request-token", b"\xff").send().await,
            platform.public(method, &path(&link, rest), &token).also("x-request-token", &token).send().await,
            platform.public(method, &path(&link, rest), &token[3..]).send().await,
            // A tenant's key is no request token.
            platform.call(method, &path(&link, rest)).send().await,
        ] {
            assert_eq!(seen(&answer), seen(&of_nobody), "{method} {rest}");
        }
    }
}

#[tokio::test]
async fn a_key_opens_what_it_was_granted_and_nothing_once_revoked() {
    let platform = Platform::start().await;
    let id = platform.connected().await;
    let needs = [
        (Capability::Apps, "GET", "/apps".to_owned()),
        (Capability::Apps, "GET", "/apps/gmail".to_owned()),
        (Capability::Connections, "GET", "/connections".to_owned()),
        (Capability::Connections, "POST", "/connections/request-link".to_owned()),
        (Capability::Connections, "GET", format!("/connections/{id}")),
        (Capability::Connections, "PATCH", format!("/connections/{id}")),
        (Capability::Connections, "PUT", format!("/connections/{id}/usages/w")),
        (Capability::Connections, "DELETE", format!("/connections/{id}/usages/w")),
        (Capability::Token, "POST", format!("/connections/{id}/token")),
        (Capability::Delete, "DELETE", format!("/connections/{id}")),
    ];
    for granted in Capability::ALL {
        let key = platform.another_key(&[granted]).await;
        for (needed, method, path) in &needs {
            let answer = platform.call(method, path).key(&key).send().await;
            if *needed == granted {
                assert_ne!(answer.status, 403, "{method} {path} with {granted}");
            } else {
                answer.is_error(403, "capability_disabled");
                assert!(!answer.header("ratelimit").is_empty());
            }
        }
    }
    let store = &platform.app.store;
    let keys = store.keys(&platform.tenant).await.unwrap();
    platform.call("GET", "/apps").send().await.data();
    let id = &keys[0].id;
    assert_eq!(store.revoke_key(id, false).await.unwrap(), Revocation::Last);
    platform.call("GET", "/apps").send().await.data();
    assert_eq!(store.revoke_key(id, true).await.unwrap(), Revocation::Revoked);
    assert_eq!(store.revoke_key(id, true).await.unwrap(), Revocation::Unknown);
    for (_, method, path) in &needs {
        let answer = platform.call(method, path).send().await;
        answer.is_error(401, "invalid_api_key");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}
