//! Connections of credentials that a tenant has already.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connect_support;

use connect_service::store::{Capability, LinkOptions, Target};
use connect_support::{ApiReply, Browser, Made, Stage};
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

const ME: &str = "/keyed/v1/me?fields=id";

async fn import(stage: &Stage, body: &Value) -> (u16, Value) {
    stage.post("/connections/import", &stage.owner, body).await
}

/// Imports what must be taken; gives the connection.
async fn imported(stage: &Stage, body: &Value) -> Value {
    let (status, answer) = import(stage, body).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

/// What is said to what must be refused.
async fn refused(stage: &Stage, body: &Value) -> Value {
    let (status, answer) = import(stage, body).await;
    assert_eq!((status, &answer["data"]["code"]), (400, &json!("invalid_request")), "{answer}");
    assert_eq!(stage.count("SELECT COUNT(*) FROM connections").await, 0, "{body}");
    answer
}

/// The connection of an answer, for the helpers.
fn made(connection: &Value) -> Made {
    let id = connection["id"].as_str().unwrap().to_owned();
    Made { url: String::new(), token: String::new(), connection_id: id }
}

fn key(api_key: &str) -> Value {
    json!({"app_id": "keyed", "auth_option_key": "query", "name": "Work", "fields": {"api_key": api_key}})
}

fn books() -> Value {
    json!({
        "app_id": "quickbooks",
        "name": "Books",
        "access_token": "canary-at",
        "provider_data": {"realm_id": "4620816365"},
    })
}

fn with(mut body: Value, members: Value) -> Value {
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

fn api_will_say(stage: &Stage, path: &str, status: u16, body: Value) {
    let path = path.split('?').next().unwrap();
    stage.provider.api_will_say(path, ApiReply::Json(status, body));
}

#[tokio::test]
async fn a_key_is_checked_and_becomes_a_connection() {
    let stage = Stage::with_apis().await;
    api_will_say(&stage, ME, 200, json!({"ok": true, "user": {"id": 7, "name": "Ann"}, "hook": "h"}));
    let labels = json!({"customer_id": "cus_42", "customer_name": "Ann Ltd", "metadata": {"plan": "pro"}});
    let connection = imported(&stage, &with(key("canary-key"), labels)).await;
    assert_eq!((&connection["status"], &connection["origin"]), (&json!("active"), &json!("import")));
    assert_eq!(connection["account"], json!({"id": "7", "label": "Ann", "url": null}));
    assert_eq!(
        (&connection["customer_id"], &connection["metadata"]),
        (&json!("cus_42"), &json!({"plan": "pro"}))
    );
    assert_eq!(connection, stage.connection(&made(&connection)).await, "as it is read from then on");
    let token = stage.token(&made(&connection)).await;
    assert_eq!(token["fields"]["api_key"], "canary-key");
    assert_eq!(token["api_query"], json!({"key": "canary-key"}));
    assert!(!connection.to_string().contains("canary"));
    let contents = stage.database_contents().await;
    assert!(!contents.windows(6).any(|bytes| bytes == b"canary"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_at_its_field() {
    let stage = Stage::with_apis().await;
    api_will_say(&stage, ME, 401, json!({}));
    let answer = refused(&stage, &key("canary-wrong")).await;
    let said = answer["data"]["fields"]["api_key"].as_str().unwrap();
    assert!(said.contains("does not accept") && !answer.to_string().contains("canary"), "{answer}");
    let answer = refused(&stage, &with(key("k"), json!({"fields": {"region": "mars"}}))).await;
    let fields: Vec<_> = answer["data"]["fields"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["api_key", "region"]);
}

#[tokio::test]
async fn a_token_needs_what_the_provider_does_not_tell() {
    let stage = Stage::with_apis().await;
    let company = "/quickbooks/v3/company/4620816365/companyinfo/4620816365";
    api_will_say(&stage, company, 200, json!({"CompanyInfo": {"CompanyName": "Acme Ltd"}}));
    for (given, said) in [
        (json!({}), "provider_data.realm_id is missing"),
        (json!({"realm": "1"}), "provider_data can have realm_id"),
        (json!({"realm_id": "1", "other": "2"}), "provider_data can have realm_id"),
        (json!({"realm_id": "1\n2"}), "provider_data.realm_id must be text"),
        (json!({"realm_id": 1}), "provider_data must be an object"),
    ] {
        let answer = refused(&stage, &with(books(), json!({"provider_data": given}))).await;
        assert!(answer["message"].as_str().unwrap().contains(said), "{answer}");
    }
    let lives = json!({"expires_in": 3600, "scopes": ["accounting"], "token_type": "bearer"});
    let connection = imported(&stage, &with(books(), lives)).await;
    assert_eq!(connection, stage.connection(&made(&connection)).await);
    assert_eq!(connection["provider_data"], json!({"realm_id": "4620816365"}));
    assert_eq!(connection["scopes"], json!(["accounting"]));
    // The number is the tenant's word; the name is what the provider told of the account that the token opens.
    assert_eq!(connection["account"], json!({"id": null, "label": "Acme Ltd", "url": null}));
    let calls = stage.provider.calls();
    assert_eq!(calls.last().unwrap().headers["authorization"], "Bearer canary-at");

    let token = stage.token(&made(&connection)).await;
    assert_eq!((&token["access_token"], &token["token_type"]), (&json!("canary-at"), &json!("bearer")));
    stage.advance(3600);
    let path = format!("/connections/{}/token", connection["id"].as_str().unwrap());
    let (status, answer) = stage.post(&path, &stage.owner, &json!({})).await;
    assert_eq!((status, &answer["data"]["code"]), (401, &json!("needs_reconnection")));
    let broken = stage.connection(&made(&connection)).await;
    assert_eq!(broken["reconnection"]["reason"], "no_refresh_token");
}

/// The token goes where the file says, whatever the tenant says.
#[tokio::test]
async fn an_address_is_held_to_the_hosts_of_the_file() {
    let stage = Stage::with_apis().await;
    let body = |url: &str| {
        json!({
            "app_id": "salesforce",
            "name": "Sales",
            "access_token": "at",
            "fields": {"login": "login"},
            "provider_data": {"instance_url": url},
        })
    };
    for url in [
        "https://evil.example",
        "https://acme.my.salesforce.com.evil.example",
        "https://acme.my.salesforce.com@evil.example",
        "https://acme.my.salesforce.com:8443",
        "http://acme.my.salesforce.com",
        "https://127.0.0.1",
        "",
    ] {
        let answer = refused(&stage, &body(url)).await;
        assert!(answer["message"].as_str().unwrap().contains(".salesforce.com"), "{answer}");
    }
    let connection = imported(&stage, &body("https://acme.my.salesforce.com")).await;
    assert_eq!(connection["provider_data"], json!({"instance_url": "https://acme.my.salesforce.com"}));
    assert_eq!(connection["account"], json!(null));
}

#[tokio::test]
async fn a_token_that_the_provider_does_not_accept_is_refused() {
    let stage = Stage::with_apis().await;
    api_will_say(&stage, "/quickbooks/v3/company/4620816365/companyinfo/4620816365", 401, json!({}));
    let answer = refused(&stage, &books()).await;
    let fields = answer["data"]["fields"].as_object().unwrap();
    assert!(fields["access_token"].as_str().unwrap().contains("does not accept this token"), "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with("access_token: "), "{message}");
    assert!(!answer.to_string().contains("canary"));
}

/// The service is no place to try stolen tokens at: beyond its budget the provider is not asked.
#[tokio::test]
async fn tries_are_counted() {
    let stage = Stage::with_apis().await;
    api_will_say(&stage, "/quickbooks/v3/company/4620816365/companyinfo/4620816365", 401, json!({}));
    for _ in 0..60 {
        let (status, _) = import(&stage, &books()).await;
        assert_eq!(status, 400);
    }
    let asked = stage.provider.calls().len();
    let (status, answer) = import(&stage, &books()).await;
    assert_eq!((status, &answer["data"]["account"]), (200, &json!(null)), "unchecked");
    assert_eq!(stage.provider.calls().len(), asked);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_a_sentence() {
    let stage = Stage::with_apis().await;
    for (body, said) in [
        (with(books(), json!({"refresh_token": "canary-rt"})), "client_source is missing"),
        (
            with(key("k"), json!({"access_token": "at"})),
            "access_token and refresh_token are for OAuth options",
        ),
        (json!({"app_id": "quickbooks", "name": "x"}), "access_token is missing"),
        (with(key("k"), json!({"expires_in": 60})), "expires_in needs an access_token"),
        (with(books(), json!({"access_token": "with space"})), "access_token must be"),
        (with(books(), json!({"expires_in": 0})), "expires_in must be"),
        (with(books(), json!({"account": {"id": "7"}})), "no member"),
        (json!({"app_id": "quickbooks", "access_token": "at"}), "name is missing"),
        (json!({"name": "x", "access_token": "at"}), "app_id is missing"),
        (with(key("k"), json!({"provider_data": {"region": "eu"}})), "provider_data can have hook"),
    ] {
        let answer = refused(&stage, &body).await;
        assert!(answer["message"].as_str().unwrap().contains(said), "{said}: {answer}");
        assert!(!answer.to_string().contains("canary"), "{answer}");
    }
    for body in [
        json!({"app_id": "nosuch", "name": "x", "access_token": "at"}),
        json!({"app_id": "quickbooks", "name": "x", "access_token": "at", "auth_option_key": "nosuch"}),
    ] {
        let (status, answer) = import(&stage, &body).await;
        assert_eq!((status, &answer["data"]["code"]), (404, &json!("app_not_found")));
    }
}

#[tokio::test]
async fn it_takes_a_capability_of_its_own() {
    let stage = Stage::with_apis().await;
    let all_others: Vec<_> =
        Capability::ALL.into_iter().filter(|capability| *capability != Capability::Import).collect();
    let key_of = async |capabilities: &[Capability]| {
        stage.app.store.create_key(&stage.owner.tenant, capabilities).await.unwrap().unwrap()
    };
    for (key, expected) in [(key_of(&all_others).await, 403), (key_of(&[Capability::Import]).await, 400)] {
        let request = stage.http().post(format!("{}/connections/import", stage.app.base_url()));
        let request = request.bearer_auth(key).header("x-user-email", &stage.owner.customer);
        let request = request.header(CONTENT_TYPE, "application/json").body("{}");
        assert_eq!(request.send().await.unwrap().status().as_u16(), expected);
    }
}

#[tokio::test]
async fn a_repeat_makes_nothing() {
    let stage = Stage::with_apis().await;
    api_will_say(&stage, ME, 200, json!({"ok": true}));
    let key_of = stage.app.store.create_key(&stage.owner.tenant, &Capability::ALL).await.unwrap().unwrap();
    let send = async |body: &Value| {
        let request = stage.http().post(format!("{}/connections/import", stage.app.base_url()));
        let request = request.bearer_auth(&key_of).header("x-user-email", &stage.owner.customer);
        let request = request.header(CONTENT_TYPE, "application/json").header("idempotency-key", "one");
        let response = request.body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let first = send(&key("canary-key")).await;
    assert_eq!(first.0, 200, "{}", first.1);
    let asked = stage.provider.calls().len();
    assert_eq!(send(&key("canary-key")).await, first);
    assert_eq!(stage.provider.calls().len(), asked);
    assert_eq!(send(&key("another")).await.0, 422);
    assert_eq!(stage.count("SELECT COUNT(*) FROM connections").await, 1);
    // What tells the request from others does not tell what it held.
    let fingerprint = stage.database.connect().await.text("SELECT fingerprint FROM answers").await;
    let digest = connect_service::ids::digest(&format!("import\n{}", key("canary-key")));
    assert_ne!(fingerprint, digest);
}

#[tokio::test]
async fn an_imported_grant_is_the_tenants_to_end() {
    let stage = Stage::with_apis().await;
    let connection = imported(&stage, &books()).await;
    let delete = async |id: &str| {
        let key = stage.app.store.create_key(&stage.owner.tenant, &Capability::ALL).await.unwrap().unwrap();
        let request = stage.http().delete(format!("{}/connections/{id}", stage.app.base_url()));
        let request = request.bearer_auth(key).header("x-user-email", &stage.owner.customer);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["data"]["revocation"].clone()
    };
    assert_eq!(delete(connection["id"].as_str().unwrap()).await, "none");
    assert_eq!(stage.count("SELECT COUNT(*) FROM revocations").await, 0);

    // Once the customer connects by a link, the grant is theirs, and what was imported is left alone.
    let first = made(&imported(&stage, &books()).await);
    let target = Target::Existing { id: &first.connection_id, name: None };
    let link = stage.make(target, Some("quickbooks"), &LinkOptions::default()).await;
    let browser = Browser::new();
    let page = browser.get(&link.url).await;
    let left = browser.post(&link.url, &page, &[("action", "connect")]).await;
    let state = left.param("state").unwrap();
    let path = "/quickbooks/v3/company/4620816365/companyinfo/4620816365";
    api_will_say(&stage, path, 200, json!({"CompanyInfo": {"CompanyName": "Acme"}}));
    let back = [("code", "c"), ("state", state.as_str()), ("realmId", "4620816365")];
    assert_eq!(browser.visit(&stage.callback_of("quickbooks", &back)).await.status, 200);
    assert_eq!(stage.connection(&first).await["origin"], "link");
    assert_eq!(stage.count("SELECT COUNT(*) FROM revocations").await, 0);
}
