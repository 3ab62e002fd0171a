//! Connections in the dashboard: those of all customers for a tenant's members, and a customer's own, whichever tenants
//! made them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::store::{Actor, Capability, Role};
use serde_json::{Value, json};
use support::{ALICE, Answer, Platform, between, text};

const OWNER: &str = "owner@acme.example";

fn page(platform: &Platform) -> String {
    format!("/dashboard/tenants/{}/connections", platform.tenant)
}

/// An active connection of this customer, by the tenant of this key; gives its id.
async fn connect(platform: &Platform, key: &str, customer: &str) -> String {
    let body = json!({"app_id": "brevo", "name": "Mail", "allow_multiple_connections": true});
    let call = platform.call("POST", "/connections/request-link").key(key).customer(customer);
    let link = call.json(&body).await.data().clone();
    let id = text(&link["connection_id"]);
    let body = json!({"auth_option_key": "header", "fields": {"api_key": "canary-field"}});
    let submit = format!("/connections/{id}/submit");
    platform.public("POST", &submit, &text(&link["request_token"])).json(&body).await.data();
    id
}

/// The data of the events of deletion, of the tenant of this key.
async fn deletions(platform: &Platform, key: &str) -> Vec<Value> {
    let call = platform.call("GET", "/events?types=connection.deleted").key(key).without("x-user-email");
    let answer = call.send().await;
    answer.data()["events"].as_array().unwrap().iter().map(|event| event["data"].clone()).collect()
}

/// The guide's identity convergence: whoever signs in with the email that tenants named inherits what they made for it.
#[tokio::test]
async fn an_account_inherits_its_connections_of_all_tenants() {
    let platform = Platform::start().await;
    let other = platform.another_key(&Capability::ALL).await;
    let (acme, others) = (
        connect(&platform, &platform.key, ALICE).await,
        connect(&platform, &other, "ALICE@example.com").await,
    );
    let bobs = connect(&platform, &other, "bob@example.com").await;
    let usage = platform.call("PUT", &format!("/connections/{acme}/usages/workflow-1"));
    usage.send().await.data();

    let mut alice = platform.signed_in(ALICE).await;
    assert_eq!(alice.get("/dashboard").await.header("location"), "/dashboard/my-connections");
    let list = alice.get("/dashboard/my-connections").await;
    assert!(list.text.contains("Acme") && list.text.contains(">Other<"), "{}", list.text);
    assert!(list.text.contains(&acme) && list.text.contains(&others) && !list.text.contains(&bobs));
    // Neither tenant learns of the other's.
    for (key, theirs) in [(&platform.key, &others), (&other, &acme)] {
        let call = platform.call("GET", &format!("/connections/{theirs}")).key(key);
        call.send().await.is_error(404, "connection_deleted");
    }

    // What the tenant does with it does not keep the customer from ending it.
    platform.call("DELETE", &format!("/connections/{acme}")).send().await.is_error(409, "connection_in_use");
    let withdraw = |id: &str| format!("/dashboard/my-connections/{id}/withdraw");
    let asked = alice.get(&withdraw(&acme)).await;
    assert!(asked.text.contains("Withdraw Brevo from Acme? <small>Mail</small>"), "{}", asked.text);
    assert_eq!(alice.submit(&withdraw(&acme), &withdraw(&acme), &[]).await.status, 303);
    let list = alice.get("/dashboard/my-connections").await;
    assert!(!list.text.contains(&acme) && list.text.contains(&others), "{}", list.text);
    platform
        .call("POST", &format!("/connections/{acme}/token"))
        .send()
        .await
        .is_error(404, "connection_deleted");
    let event = deletions(&platform, &platform.key).await.remove(0);
    assert_eq!((&event["by"], &event["connection"]["id"]), (&json!("customer"), &json!(acme)));
    assert!(deletions(&platform, &other).await.is_empty());

    // Nor is there anything yet of one that is pending: only the link makes it hers.
    let call = platform.call("POST", "/connections/request-link").customer("carol@example.com");
    let link = call.json(&json!({"app_id": "brevo", "name": "Mail"})).await.data().clone();
    let pending = text(&link["connection_id"]);
    assert!(!platform.app.store.is_account("carol@example.com").await.unwrap());
    assert!(platform.app.store.is_account(ALICE).await.unwrap());
    let mut carol = platform.signed_in("carol@example.com").await;
    assert!(carol.get("/dashboard/my-connections").await.text.contains("There is none."));
    assert_eq!(carol.get(&withdraw(&pending)).await.status, 404);
    assert_eq!(carol.submit("/dashboard/sessions", &withdraw(&pending), &[]).await.status, 404);

    // Bob's is not Alice's to end, nor to look at.
    assert_eq!(alice.get(&withdraw(&bobs)).await.status, 404);
    assert_eq!(alice.submit("/dashboard/sessions", &withdraw(&bobs), &[]).await.status, 404);
    platform
        .call("GET", &format!("/connections/{bobs}"))
        .key(&other)
        .customer("bob@example.com")
        .send()
        .await
        .data();
}

#[tokio::test]
async fn members_find_connections_of_all_customers() {
    let platform = Platform::start().await;
    let mut ids = Vec::new();
    for customer in ["anna@example.com", "bert_b@example.com", "100%@example.com"] {
        ids.push(connect(&platform, &platform.key, customer).await);
        platform.advance(1);
    }
    platform
        .call("PATCH", &format!("/connections/{}", ids[0]))
        .customer("anna@example.com")
        .json(&json!({"customer_id": "Cus-7"}))
        .await
        .data();
    let label = format!(
        "UPDATE connections SET account = '{{\"id\":\"1\",\"label\":\"Anna GmbH\",\"url\":null}}' WHERE id = '{}'",
        ids[0]
    );
    platform.database.connect().await.execute(&label).await;
    let foreign = platform.another_key(&Capability::ALL).await;
    let others = connect(&platform, &foreign, "anna@example.com").await;

    let mut browser = platform.signed_in(OWNER).await;
    for (query, expected) in [
        ("", vec![0, 1, 2]),
        ("search=anna", vec![0]),
        ("search=ANNA%40example", vec![0]),
        ("search=cus-7", vec![0]),
        ("search=gmbh", vec![0]),
        ("search=bert_b", vec![1]),
        ("search=_", vec![1]),
        ("search=100%25", vec![2]),
        ("search=%25", vec![2]),
        ("search=example.com", vec![0, 1, 2]),
        ("search=%27%20OR%201%3D1", vec![]),
        ("app=brevo", vec![0, 1, 2]),
        ("app=gmail", vec![]),
        ("state=active", vec![0, 1, 2]),
        ("state=needs_reconnection", vec![]),
        ("state=pending", vec![]),
        ("search=anna&app=brevo&state=active", vec![0]),
    ] {
        let answer = browser.get(&format!("{}?{query}", page(&platform))).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        for (index, id) in ids.iter().enumerate() {
            assert_eq!(answer.text.contains(id), expected.contains(&index), "{query} {index}");
        }
        assert!(!answer.text.contains(&others), "{query}");
        // The same under the contract.
        let query = query.replace("app=", "app_id=");
        let answer = platform.call("GET", &format!("/tenant/connections?{query}")).without("x-user-email");
        let answer = answer.send().await;
        let found: Vec<_> =
            answer.data()["connections"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
        let expected: Vec<_> = expected.iter().rev().map(|index| ids[*index].clone()).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn lists_are_paged_by_key() {
    let platform = Platform::start().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(connect(&platform, &platform.key, &format!("c{number}@example.com")).await);
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let answer = platform.call("GET", &format!("/tenant/connections?limit=2&after={after}")).send().await;
        let data = answer.data();
        found.extend(data["connections"].as_array().unwrap().iter().map(|one| text(&one["id"])));
        match data["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    found.sort();
    made.sort();
    assert_eq!(found, made);
    for query in ["after=x", "state=broken", "app_id=a/b", "limit=0", "search=%00"] {
        platform
            .call("GET", &format!("/tenant/connections?{query}"))
            .send()
            .await
            .is_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn states_are_told_apart() {
    let platform = Platform::start().await;
    let id = connect(&platform, &platform.key, ALICE).await;
    let list = async |state: &str| {
        let answer = platform.call("GET", &format!("/tenant/connections?state={state}")).send().await;
        answer.data()["connections"].as_array().unwrap().len()
    };
    let link = platform.link(json!({"app_id": "stripe", "name": "Pay"})).await;
    assert_eq!((list("active").await, list("pending").await, list("expired").await), (1, 1, 0), "{link}");
    platform.advance(601);
    assert_eq!((list("active").await, list("pending").await, list("expired").await), (1, 0, 1));
    let broken = format!(
        "UPDATE connections SET broken = 1, status = 'expired', broken_reason = 'grant_refused', broken_since = 1
         WHERE id = '{id}'"
    );
    platform.database.connect().await.execute(&broken).await;
    assert_eq!((list("active").await, list("needs_reconnection").await, list("expired").await), (0, 1, 1));
}

#[tokio::test]
async fn a_connection_is_shown_reconnected_and_deleted() {
    let platform = Platform::start().await;
    let id = connect(&platform, &platform.key, ALICE).await;
    let detail = format!("{}/{id}", page(&platform));
    let mut browser = platform.signed_in(OWNER).await;
    let shown = browser.get(&detail).await;
    for part in [ALICE, "Brevo", &id, "connection.active"] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    assert!(!shown.text.contains("canary"));
    assert_eq!(
        platform.call("GET", &format!("/tenant/connections/{id}")).send().await.data()["user_email"],
        ALICE
    );

    let linked = browser.submit(&detail, &format!("{detail}/link"), &[]).await;
    let link = between(&linked.text, "<input id=\"link\" value=\"", "\"").unwrap().to_owned();
    assert!(link.contains("/platform/v1/connect/"), "{link}");
    let (_, path) = link.split_once("/platform/v1").unwrap();
    assert!(platform.bare("GET", path).send().await.text.contains("Reconnect"));
    assert!(!browser.get(&detail).await.text.contains(&link));

    let usage = format!("/connections/{id}/usages/workflow-1");
    platform.call("PUT", &usage).send().await.data();
    let refused = browser.submit(&detail, &format!("{detail}/delete"), &[]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("Remove its usages first"), "{}", refused.text);
    platform.call("DELETE", &usage).send().await.data();
    assert_eq!(browser.submit(&detail, &format!("{detail}/delete"), &[]).await.status, 303);
    assert_eq!(browser.get(&detail).await.status, 404);
    assert_eq!(deletions(&platform, &platform.key).await[0]["by"], "dashboard");
}

/// An unknown connection and one of another tenant cannot be told apart.
#[tokio::test]
async fn connections_of_another_tenant_are_unknown() {
    let platform = Platform::start().await;
    let foreign = platform.another_key(&Capability::ALL).await;
    let others = connect(&platform, &foreign, ALICE).await;
    let mut browser = platform.signed_in(OWNER).await;
    let strip = |answer: &Answer| (answer.status, answer.text.clone());
    let unknown = browser.get(&format!("{}/conn_000000000000000000000000", page(&platform))).await;
    let theirs = browser.get(&format!("{}/{others}", page(&platform))).await;
    assert_eq!((theirs.status, strip(&theirs)), (404, strip(&unknown)));
    for action in ["link", "delete"] {
        let answer = browser
            .submit("/dashboard/sessions", &format!("{}/{others}/{action}", page(&platform)), &[])
            .await;
        assert_eq!(answer.status, 404, "{action}");
    }
    platform
        .call("GET", &format!("/tenant/connections/{others}"))
        .send()
        .await
        .is_error(404, "connection_deleted");
}

#[tokio::test]
async fn a_viewer_sees_no_button() {
    let platform = Platform::start().await;
    let id = connect(&platform, &platform.key, ALICE).await;
    let store = &platform.app.store;
    store
        .put_member(&platform.tenant, "viewer@acme.example", Role::Viewer, Actor::CommandLine)
        .await
        .unwrap();
    let mut viewer = platform.signed_in("viewer@acme.example").await;
    let shown = viewer.get(&format!("{}/{id}", page(&platform))).await;
    assert!(shown.text.contains(ALICE) && !shown.text.contains("Delete"), "{}", shown.text);
    assert!(!shown.text.contains("Platform API Keys") && !shown.text.contains(">Members<"));
}
