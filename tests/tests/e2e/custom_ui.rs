//! What a link gives beyond the hosted page's usual way: the picker, the public status, a product's own form.

use connect_tests::browser::Browser;
use pabbly_connect::{ConnectionStatus, ExposeSecret as _, RequestLink};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, KEY_APP, OAUTH_APP, Raw, Stage, access_token, answer, api_status, to_provider};

/// A call as a front end makes it: with the request token and no key.
fn public(raw: &Raw, method: Method, link: &RequestLink, tail: &str) -> reqwest::RequestBuilder {
    let request = raw.keyless(method, &format!("/connections/{}/{tail}", link.connection_id));
    request.header("x-request-token", link.request_token.expose_secret())
}

async fn status(raw: &Raw, link: &RequestLink) -> Value {
    let answer = answer(public(raw, Method::GET, link, "status")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()
}

#[tokio::test]
async fn the_public_status_follows_the_customer() {
    let stage = Stage::start().await;
    let raw = stage.raw();
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    assert_eq!(
        link.status_url,
        Some(format!("{}/platform/v1/connections/{}/status", stage.home.public_url(), link.connection_id,))
    );
    let first = status(&raw, &link).await;
    assert_eq!((&first["status"], &first["phase"]), (&json!("pending"), &json!("created")));
    assert!((1..=600).contains(&first["expires_in"].as_i64().unwrap()), "{first}");

    let browser = Browser::new().unwrap();
    browser.open(&link.request_link).await.unwrap();
    assert_eq!(status(&raw, &link).await["phase"], "form");
    let consent = to_provider(&browser, &link.request_link).await;
    assert_eq!(status(&raw, &link).await["phase"], "at_provider");
    browser.press(&consent, "Allow", &[]).await.unwrap();
    let last = status(&raw, &link).await;
    assert_eq!((&last["status"], &last["phase"]), (&json!("active"), &json!("returned")));
}

#[tokio::test]
async fn the_public_status_tells_strangers_nothing() {
    let stage = Stage::start().await;
    let raw = stage.raw();
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let ask = async |id: &str, token: Option<&str>| -> Answer {
        let request = raw.keyless(Method::GET, &format!("/connections/{id}/status"));
        answer(match token {
            Some(token) => request.header("x-request-token", token),
            None => request,
        })
        .await
    };
    let token = link.request_token.expose_secret();
    let unknown = ask("conn_000000000000000000000000", Some(token)).await;
    unknown.assert_error(404, "connection_deleted");
    let wrong = ask(&link.connection_id, Some("rt_wrong")).await;
    let missing = ask(&link.connection_id, None).await;
    let key = answer(raw.request(Method::GET, &format!("/connections/{}/status", link.connection_id))).await;
    for stranger in [wrong, missing, key] {
        assert_eq!((stranger.status, &stranger.text), (404, &unknown.text));
    }
}

#[tokio::test]
async fn browsers_elsewhere_may_read_the_status_as_the_link_says() {
    let stage = Stage::start().await;
    let raw = stage.raw();
    let alice = stage.alice();
    let origin = "https://product.example";
    let bound = alice.create_request_link(OAUTH_APP, "Work Gmail").allowed_origin(origin).await.unwrap();
    let open = alice.create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    for (link, allowed) in [(&bound, origin), (&open, "*")] {
        let read = answer(public(&raw, Method::GET, link, "status").header("origin", origin)).await;
        assert_eq!(read.header("access-control-allow-origin"), Some(allowed));
        let preflight = raw.keyless(Method::OPTIONS, &format!("/connections/{}/status", link.connection_id));
        let preflight = preflight
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "x-request-token");
        let preflight = answer(preflight).await;
        assert_eq!(preflight.status, 204, "{}", preflight.text);
        assert!(
            preflight
                .header("access-control-allow-headers")
                .is_some_and(|names| names.contains("x-request-token"))
        );
    }
    let elsewhere =
        answer(public(&raw, Method::GET, &bound, "status").header("origin", "https://evil.example")).await;
    assert_ne!(elsewhere.header("access-control-allow-origin"), Some("https://evil.example"));
    assert_ne!(elsewhere.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn a_customer_picks_the_app() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    let request = stage.raw().request(Method::POST, "/connections/request-link");
    let link =
        answer(request.json(&json!({"name": "Mail", "allowed_apps": [OAUTH_APP, KEY_APP]}))).await.data();
    assert_eq!(link["app"], Value::Null);
    let id = link["connection_id"].as_str().unwrap();

    let browser = Browser::new().unwrap();
    let picker = browser.open(link["request_link"].as_str().unwrap()).await.unwrap();
    assert!(!picker.text().contains("Slack"), "{}", picker.text());
    let form = browser.click(&picker, "SendGrid").await.unwrap();
    browser.press(&form, "Connect", &[("api_key", "SG.picked")]).await.unwrap();

    let connection = alice.get_connection(id).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Active);
    assert_eq!(connection.app.unwrap().id, KEY_APP);
    let fields = alice.get_token(id).await.unwrap().fields.unwrap();
    assert_eq!(fields.get("api_key").unwrap().expose_secret(), "SG.picked");
}

#[tokio::test]
async fn a_products_own_form_submits_fields() {
    let stage = Stage::start().await;
    let (alice, raw) = (stage.alice(), stage.raw());
    let link = alice.create_request_link(KEY_APP, "Mail").await.unwrap();
    let options = answer(public(&raw, Method::GET, &link, "auth-options")).await.data();
    let option = &options["auth_options"][0];
    assert_eq!((&option["key"], &option["type"]), (&json!("api_key"), &json!("api_key")));
    assert!(option["input_schema"]["properties"]["api_key"].is_object(), "{option}");

    let submit = async |fields: Value| {
        let body = json!({"auth_option_key": "api_key", "fields": fields});
        answer(public(&raw, Method::POST, &link, "submit").json(&body)).await
    };
    submit(json!({})).await.assert_error(400, "invalid_request");
    let done = submit(json!({"api_key": "SG.own-form"})).await;
    assert_eq!(done.data(), json!({"status": "active", "authorize_url": null}));
    let again = submit(json!({"api_key": "SG.later"})).await;
    assert_eq!(again.data()["status"], "active");
    let fields = alice.get_token(&link.connection_id).await.unwrap().fields.unwrap();
    assert_eq!(fields.get("api_key").unwrap().expose_secret(), "SG.own-form", "the first one counts");
}

#[tokio::test]
async fn a_products_own_form_leads_on_to_the_provider() {
    let stage = Stage::start().await;
    let (alice, raw) = (stage.alice(), stage.raw());
    let link = alice.create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let body = json!({"auth_option_key": "oauth", "fields": {}});
    let submitted = answer(public(&raw, Method::POST, &link, "submit").json(&body)).await.data();
    assert_eq!(submitted["status"], "pending");

    let browser = Browser::new().unwrap();
    // Anybody could have sent the browser there: the customer is asked, since no page of the product did it by a form.
    let consent = to_provider(&browser, submitted["authorize_url"].as_str().unwrap()).await;
    browser.press(&consent, "Allow", &[]).await.unwrap();
    let token = access_token(&alice, &link.connection_id).await;
    assert_eq!(api_status(&stage.provider, &token).await, 200);
}
