//! Request links: what they answer, how they lapse, and what authorising again does.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::store::{
    AddedUsage, ConnectionFilter, Labels, LinkOptions, NewLink, Owner, Phase, Status, Target,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Platform, Provider, text};

async fn with_key(platform: &Platform, key: &str, body: &Value) -> support::Answer {
    platform.call("POST", "/connections/request-link").header("idempotency-key", key).json(body).await
}

async fn public_status(platform: &Platform, link: &Value) -> Value {
    let path = format!("/connections/{}/status", text(&link["connection_id"]));
    platform.public("GET", &path, &text(&link["request_token"])).send().await.data().clone()
}

#[tokio::test]
async fn a_link_has_all_that_the_guide_names() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Work", "expires_in": 900})).await;
    let id = text(&link["connection_id"]);
    assert!(id.starts_with("conn_") && text(&link["request_token"]).starts_with("rt_"));
    assert_eq!(link["app"], json!({"id": "brevo", "name": "Brevo"}));
    assert_eq!(link["operation"], "creation");
    let base = "http://127.0.0.1:8080/platform/v1";
    assert!(text(&link["request_link"]).starts_with(&format!("{base}/connect/")));
    assert_eq!(link["status_url"], format!("{base}/connections/{id}/status"));
    assert!(!text(&link["request_link"]).contains(&text(&link["request_token"])));

    let answer = platform.call("GET", &format!("/connections/{id}")).send().await;
    let connection = answer.data();
    assert_eq!((&connection["id"], &connection["name"]), (&json!(id), &json!("Work")));
    assert_eq!((&connection["status"], &connection["auth_type"]), (&json!("pending"), &json!(null)));
    assert_eq!((&connection["app"], &connection["expires_at"]), (&link["app"], &link["expires_at"]));
    assert_eq!((&connection["user_email"], &connection["usages"]), (&json!(support::ALICE), &json!([])));

    let status = public_status(&platform, &link).await;
    assert_eq!((&status["status"], &status["phase"]), (&json!("pending"), &json!("created")));
    assert!((895..=900).contains(&status["expires_in"].as_i64().unwrap()), "{status}");
}

/// The browser helper has to know in the click whether the flow comes back, and there it has nothing but the address.
#[tokio::test]
async fn the_address_says_whether_there_is_a_return_url() {
    let platform = Platform::start().await;
    let without = platform.link(json!({"app_id": "brevo", "name": "Work"})).await;
    assert!(!text(&without["request_link"]).contains('?'));

    let with = platform
        .link(json!({"app_id": "brevo", "name": "Work", "return_url": "https://app.example.com/canary"}))
        .await;
    let address = text(&with["request_link"]);
    let (page, query) = address.split_once('?').unwrap();
    assert_eq!(query, "has_return_url=true");
    let path = page.split_once("/platform/v1").unwrap().1;
    for path in [path, &format!("{path}?{query}")] {
        let answer = platform.bare("GET", path).send().await;
        assert_eq!(answer.status, 200);
        assert!(answer.text.contains("Connect Brevo"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_link_lapses_by_itself() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "Work", "expires_in": 60})).await;
    let id = text(&link["connection_id"]);
    platform.advance(58);
    assert_eq!(platform.status(&id).await, "pending");
    platform.advance(3);
    assert_eq!(platform.status(&id).await, "expired");
    let status = public_status(&platform, &link).await;
    assert_eq!((&status["status"], &status["expires_in"]), (&json!("expired"), &json!(0)));
    let list = platform.call("GET", "/connections").send().await;
    assert_eq!(list.data()["connections"][0]["status"], "expired");
    assert_eq!(list.data()["connections"][0]["expires_at"], json!(null));

    let submit = format!("/connections/{id}/submit");
    let body = json!({"auth_option_key": "header", "fields": {"api_key": "k"}});
    let late = platform.public("POST", &submit, &text(&link["request_token"])).json(&body).await;
    late.is_error(409, "connection_not_active");
    let stored = platform.stored_link(&link).await;
    assert!(!platform.app.store.decline_link(&stored, None).await.unwrap());
    assert_eq!(platform.status(&id).await, "expired");
}

#[tokio::test]
async fn the_same_key_and_body_give_the_same_answer() {
    let platform = Platform::start().await;
    let body = json!({"app_id": "brevo", "name": "Work"});
    let first = with_key(&platform, "k1", &body).await;
    let id = text(&first.data()["connection_id"]);
    // The order of the members and white space are no part of what is meant.
    let again = platform
        .call("POST", "/connections/request-link")
        .header("idempotency-key", "k1")
        .header("content-type", "application/json")
        .body("{ \"name\": \"Work\",\n \"app_id\": \"brevo\" }")
        .send()
        .await;
    assert_eq!(again.text, first.text);
    with_key(&platform, "k1", &json!({"app_id": "brevo", "name": "Other"}))
        .await
        .is_error(422, "idempotency_key_reused");

    // Another key, customer or tenant is another request.
    let other_key = platform.another_key(&connect_service::store::Capability::ALL).await;
    let call = || platform.call("POST", "/connections/request-link").header("idempotency-key", "k1");
    for other in [
        with_key(&platform, "k2", &body).await,
        call().customer("bob@example.com").json(&body).await,
        call().key(&other_key).json(&body).await,
    ] {
        assert_ne!(other.data()["connection_id"], json!(id));
    }
    let total = platform.call("GET", "/connections").send().await.data()["total"].clone();
    assert_eq!(total, json!(2));

    platform.advance(24 * 60 * 60);
    let next_day = with_key(&platform, "k1", &body).await;
    assert_ne!(next_day.data()["connection_id"], json!(id));
}

#[tokio::test]
async fn requests_at_the_same_time_with_one_key_make_one_link() {
    let platform = Platform::start().await;
    let body = json!({"app_id": "brevo", "name": "Work"});
    let answers = join_all((0..20).map(|_| with_key(&platform, "k", &body))).await;
    for answer in &answers {
        answer.data();
        assert_eq!(answer.text, answers[0].text);
    }
    assert_eq!(platform.call("GET", "/connections").send().await.data()["total"], json!(1));
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key() {
    let platform = Platform::start().await;
    with_key(&platform, "k", &json!({"app_id": "nope", "name": "x"})).await.is_error(404, "app_not_found");
    with_key(&platform, "k", &json!({"app_id": "brevo", "name": "x"})).await.data();
}

#[tokio::test]
async fn authorising_again_keeps_a_working_connection_working() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.authorised(None, None).await;

    let lapsing = platform.link(json!({"connection_id": id, "name": "New name", "expires_in": 60})).await;
    assert_eq!((&lapsing["operation"], &lapsing["app"]["id"]), (&json!("reauth"), &json!("gmail")));
    assert_eq!(platform.status(&id).await, "active");
    assert_eq!(public_status(&platform, &lapsing).await["status"], "pending");
    platform.token(&id).await.data();
    platform.advance(61);
    assert_eq!(platform.status(&id).await, "active");
    assert_eq!(public_status(&platform, &lapsing).await["status"], "expired");

    let declined = platform.link(json!({"connection_id": id})).await;
    assert!(platform.app.store.decline_link(&platform.stored_link(&declined).await, None).await.unwrap());
    assert_eq!(platform.status(&id).await, "active");
    assert_eq!(public_status(&platform, &declined).await["status"], "rejected");
    platform.token(&id).await.data();

    let list = platform.call("GET", "/connections").send().await;
    assert_eq!(list.data()["total"], json!(1));
    assert_eq!(list.data()["connections"][0]["name"], "New name");
}

#[tokio::test]
async fn a_newer_link_ends_an_older_one() {
    let platform = Platform::start().await;
    let older = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let id = text(&older["connection_id"]);
    let newer = platform.link(json!({"connection_id": id})).await;
    assert_eq!(public_status(&platform, &older).await["status"], "expired");
    assert_eq!(public_status(&platform, &newer).await["status"], "pending");
    assert!(!platform.app.store.decline_link(&platform.stored_link(&older).await, None).await.unwrap());
    assert_eq!(platform.status(&id).await, "pending");
}

#[tokio::test]
async fn one_connection_per_app_where_that_is_wanted() {
    let platform = Platform::start().await;
    let body = json!({"app_id": "brevo", "name": "Other", "allow_multiple_connections": false});
    let pending = platform.link(body.clone()).await;
    let id = platform.connected().await;
    let link = platform.link(body.clone()).await;
    assert_eq!((&link["connection_id"], &link["operation"]), (&json!(id), &json!("reauth")));
    assert_ne!(pending["connection_id"], link["connection_id"]);
    let answer = platform.call("GET", &format!("/connections/{id}")).send().await;
    assert_eq!(answer.data()["name"], "Mail", "who did not name the connection does not rename it");
    let bobs =
        platform.call("POST", "/connections/request-link").customer("bob@example.com").json(&body).await;
    assert_eq!(bobs.data()["operation"], "creation");
}

#[tokio::test]
async fn a_picker_names_no_app_until_one_is_picked() {
    let platform = Platform::start().await;
    let body = json!({"allowed_apps": ["brevo", "gmail", "insightly", "brevo"], "name": "CRM"});
    let link = platform.link(body).await;
    assert_eq!(link["app"], json!(null));
    let stored = platform.stored_link(&link).await;
    // Gmail has no client here, so nobody is offered it.
    assert_eq!(stored.options.allowed_apps, ["brevo", "insightly"]);
    let one = platform.link(json!({"allowed_apps": ["brevo", "gmail"], "name": "x"})).await;
    assert_eq!(one["app"]["id"], "brevo", "where one is left there is nothing to pick");
}

#[tokio::test]
async fn phases_are_told_while_the_link_is_open() {
    let platform = Platform::start().await;
    let link = platform.link(json!({"app_id": "brevo", "name": "x"})).await;
    let stored = platform.stored_link(&link).await;
    let options = format!("/connections/{}/auth-options", text(&link["connection_id"]));
    let answer = platform.public("GET", &options, &text(&link["request_token"])).send().await;
    assert_eq!(answer.data()["auth_options"][0]["key"], "header");
    assert_eq!(public_status(&platform, &link).await["phase"], "form");
    platform.app.store.set_phase(&stored, Phase::AtProvider).await.unwrap();
    assert_eq!(public_status(&platform, &link).await["phase"], "at_provider");
    assert!(platform.app.store.decline_link(&stored, None).await.unwrap());
    platform.app.store.set_phase(&stored, Phase::Form).await.unwrap();
    assert_eq!(public_status(&platform, &link).await["phase"], "returned");
    assert_eq!(platform.stored_link(&link).await.status, Status::Rejected);
}

#[tokio::test]
async fn a_link_answers_the_origin_that_it_names() {
    let platform = Platform::start().await;
    let origin = "https://app.example.com";
    let link = platform.link(json!({"app_id": "brevo", "name": "x", "allowed_origin": origin})).await;
    let (id, token) = (text(&link["connection_id"]), text(&link["request_token"]));
    let status = platform.public("GET", &format!("/connections/{id}/status"), &token).send().await;
    assert_eq!(status.header("access-control-allow-origin"), origin);

    let submit = format!("/connections/{id}/submit");
    let preflight = platform.bare("OPTIONS", &submit).header("origin", "https://evil.example").send().await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-methods"), "POST");
    assert!(preflight.header("access-control-allow-headers").contains("x-request-token"));

    let body = json!({"auth_option_key": "header", "fields": {"api_key": "k"}});
    let call = || platform.public("POST", &submit, &token);
    call().header("origin", "https://evil.example").json(&body).await.is_error(400, "invalid_request");
    assert_eq!(platform.status(&id).await, "pending");
    assert_eq!(call().header("origin", origin).json(&body).await.data()["status"], "active");
    // What has gone well is answered again and changes nothing.
    let again = json!({"auth_option_key": "header", "fields": {"api_key": "other"}});
    assert_eq!(call().json(&again).await.data()["status"], "active");
    assert_eq!(platform.token(&id).await.data()["fields"]["api_key"], "k");
}

/// What is shown must not change the order of what stands beside it, or hide.
#[tokio::test]
async fn names_hold_no_controls() {
    let platform = Platform::start().await;
    let link = |name: &str, display_name: &str| {
        let body = json!({"app_id": "brevo", "name": name, "display_name": display_name});
        let call = platform.call("POST", "/connections/request-link");
        async move { call.json(&body).await }
    };
    for c in [
        '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}',
        '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
    ] {
        let name = format!("a{c}b");
        link(&name, "x").await.is_error(400, "invalid_request");
        link("x", &name).await.is_error(400, "invalid_request");
    }
    for name in ["نمی\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}👧", "Ärger & Söhne"] {
        link(name, name).await.data();
    }
}

/// The same address in another Unicode spelling is the same customer.
#[tokio::test]
async fn a_customer_has_one_spelling() {
    let platform = Platform::start().await;
    let (composed, decomposed) = ("jürgen@example.com", "ju\u{308}rgen@example.com");
    let body = json!({"app_id": "brevo", "name": "x"});
    let call = |method, path: &str| platform.call(method, path);
    let made = call("POST", "/connections/request-link").customer(decomposed).json(&body).await;
    let path = format!("/connections/{}", text(&made.data()["connection_id"]));
    for email in [composed, decomposed, "JU\u{308}RGEN@example.com"] {
        let found = call("GET", &path).customer(email).send().await;
        assert_eq!(found.data()["user_email"], composed);
    }
}

/// What an earlier version stored keeps the rules of this one after the database is opened.
#[tokio::test]
async fn stored_emails_and_names_are_brought_into_one_spelling() {
    let platform = Platform::start().await;
    let (composed, decomposed) = ("jürgen@example.com", "ju\u{308}rgen@example.com");
    let owner = |customer: &str| Owner { tenant: platform.tenant.clone(), customer: customer.into() };
    let mut ids = Vec::new();
    for customer in [composed, decomposed, "jür\u{200b}gen@example.com"] {
        let id = connect_service::ids::connection();
        let new = NewLink {
            owner: &owner(customer),
            target: Target::New { id: &id, name: "Wo\u{202e}rk" },
            app_id: Some("brevo"),
            auth_option_key: None,
            secret: &connect_service::ids::secret(),
            request_token: &connect_service::ids::request_token(),
            labels: &Labels::default(),
            options: &LinkOptions::default(),
            webhook: None,
            expires_at: platform.clock.now() + 600_000,
        };
        platform.app.store.create_link(&new, None).await.unwrap();
        let usage = platform.app.store.add_usage(&owner(customer), &id, "w1").await;
        assert_eq!(usage.unwrap(), AddedUsage::Added);
        ids.push(id);
    }
    let unmark = "DELETE FROM marks WHERE name = 'spelling'";
    platform.database.connect().await.execute(unmark).await;

    let store = platform.database.open(&platform.clock).await;
    let all = ConnectionFilter::default();
    let (found, total) = store.connections(&owner(composed), &all, 10, 0).await.unwrap();
    assert_eq!(total, 2, "one address is one customer");
    assert!(found.iter().all(|connection| connection.name == "Work"));
    assert!(found.iter().all(|connection| connection.usages == ["w1"]));
    let link = store.connection(&owner(decomposed), &ids[1]).await.unwrap();
    assert!(link.is_none(), "calls are made in the one spelling");
    let kept = owner("jür\u{200b}gen@example.com");
    assert!(store.connection(&kept, &ids[2]).await.unwrap().is_some(), "not given to anybody else");
}
