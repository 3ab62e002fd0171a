//! "Finish my link for me": a customer sends a link of their own to somebody else, who consents in good faith. A link with
//! `confirm` is what a product has against it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connect_support;

use connect_service::catalogue::Inputs;
use connect_service::hosted::submit_custom;
use connect_service::store::{LinkOptions, Owner, Target};
use connect_support::{Browser, Made, Seen, Stage};
use serde_json::{Value, json};

const RETURN_URL: &str = "https://product.example/connected?tab=1";

fn options(confirm: bool) -> LinkOptions {
    LinkOptions { return_url: Some(RETURN_URL.into()), confirm, ..LinkOptions::default() }
}

/// Somebody opens the link, consents at the provider and is sent back.
async fn consent(stage: &Stage, browser: &Browser, made: &Made) -> Seen {
    let page = browser.get(&made.url).await;
    let left = browser.post(&made.url, &page, &[("action", "connect")]).await;
    let state = left.param("state").unwrap();
    browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await
}

fn code(seen: &Seen) -> String {
    assert_eq!(seen.status, 303, "{}", seen.html);
    assert!(seen.location.as_ref().unwrap().as_str().starts_with(RETURN_URL));
    assert_eq!(seen.param("status").unwrap(), "pending");
    seen.param("confirmation_code").unwrap()
}

/// What anybody with the request token can read.
async fn public(stage: &Stage, made: &Made) -> String {
    let mut all = String::new();
    for part in ["status", "auth-options"] {
        let url = format!("{}/connections/{}/{part}", stage.app.base_url(), made.connection_id);
        let seen = Browser::new().get_with(&url, "x-request-token", &made.token).await;
        assert_eq!(seen.status, 200);
        all += &format!("{}{:?}", seen.html, seen.headers);
    }
    all
}

/// A product that waits for its customer's confirmation must not show them a failure that is over.
#[tokio::test]
async fn a_consent_clears_what_failed_before() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("gmail"), options(true)).await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let left = browser.post(&made.url, &page, &[("action", "connect")]).await;
    let state = left.param("state").unwrap();
    browser.visit(&stage.callback(&[("error", "server_error"), ("state", &state)])).await;
    assert_eq!(stage.connection(&made).await["last_error"]["code"], "provider_refused");

    code(&consent(&stage, &browser, &made).await);
    let connection = stage.connection(&made).await;
    assert_eq!((&connection["status"], &connection["last_error"]), (&json!("pending"), &Value::Null));
}

#[tokio::test]
async fn somebody_elses_link_does_not_become_active() {
    let stage = Stage::start().await;
    // Without `confirm` the account of whoever consents is the attacker's to use.
    let (attacker, victim) = (Browser::new(), Browser::new());
    let made = stage.link_with(Some("gmail"), options(false)).await;
    attacker.get(&made.url).await;
    consent(&stage, &victim, &made).await;
    assert_eq!(stage.status(&made).await, "active");

    let made = stage.link_with(Some("gmail"), options(true)).await;
    attacker.get(&made.url).await;
    let back = consent(&stage, &victim, &made).await;
    let code = code(&back);
    assert_eq!(stage.status(&made).await, "pending");
    assert!(stage.stored(&made).await.is_none());

    // All that the attacker has: the link, the request token, a browser that opened the link, a session of their own.
    let told = public(&stage, &made).await;
    assert!(told.contains(r#""confirmation_required":true"#) && told.contains(r#""phase":"returned""#));
    assert!(!told.contains(&code));
    for browser in [&attacker, &Browser::new()] {
        let page = browser.get(&made.url).await;
        assert_eq!((page.status, &page.location), (200, &None));
        assert!(page.html.contains("not connected yet") && !page.html.contains(&code));
        assert!(page.hidden("csrf_token").is_none());
    }
    let link = stage.stored_link(&made).await;
    let submitted = submit_custom(&stage.app, &link, None, "oauth", &Inputs::new()).await;
    let submitted = submitted.unwrap();
    assert_eq!((submitted.status.as_str(), submitted.authorize_url), ("pending", None));
    assert_eq!(stage.confirm(&made, "guess").await.0, 400);

    // The victim's browser brings the code into the victim's session, whose customer has no such connection.
    let victims = Owner { customer: "victim@example.com".into(), ..stage.owner.clone() };
    let (status, body) = stage.confirm_as(&victims, &made, &code).await;
    assert_eq!((status, &body["data"]["code"]), (404, &json!("connection_deleted")));

    // A wrong session has shown what happened: a code that the victim is talked out of afterwards is worth nothing.
    assert_eq!(stage.status(&made).await, "expired");
    assert_eq!(stage.confirm(&made, &code).await.0, 409);
    assert!(stage.stored(&made).await.is_none());
}

#[tokio::test]
async fn the_customers_own_session_confirms() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("gmail"), options(true)).await;
    let browser = Browser::new();
    assert_eq!(stage.confirm(&made, "early").await.0, 409, "nobody has consented");
    let back = consent(&stage, &browser, &made).await;
    let code = code(&back);
    let (status, body) = stage.confirm(&made, &code).await;
    assert_eq!((status, &body["data"]["status"]), (200, &json!("active")), "{body}");
    assert_eq!(stage.stored(&made).await.unwrap().1.unwrap(), "at-1");
    let repeated = stage.confirm(&made, &code).await;
    assert_eq!(repeated.0, 200, "a repeat says the same");
    let (status, body) = stage.confirm(&made, "wrong").await;
    assert_eq!(status, 409);
    // Not "The connection is active", which it is.
    assert!(body["message"].as_str().unwrap().contains("waits for a confirmation"), "{body}");
    let page = browser.get(&back.url).await;
    assert_eq!(page.param("status").unwrap(), "active");
    assert_eq!(page.param("confirmation_code"), None);
    stage.advance(3600);
    stage.app.store.drop_unconfirmed().await.unwrap();
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn a_repeat_brings_the_same_code() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("gmail"), options(true)).await;
    let browser = Browser::new();
    let back = consent(&stage, &browser, &made).await;
    let first = code(&back);
    assert_eq!(code(&browser.get(&back.url).await), first);
    assert_eq!(code(&browser.get(&made.url).await), first);
    assert_eq!(stage.provider.seen().len(), 1);
    let csrf = Browser::new().get(&stage.link("gmail").await.url).await;
    assert_ne!(csrf.hidden("csrf_token").unwrap(), first);
    assert_eq!(stage.confirm(&made, &first).await.0, 200);
}

#[tokio::test]
async fn wrong_codes_are_bounded() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("gmail"), options(true)).await;
    let (other, browser) = (stage.link_with(Some("gmail"), options(true)).await, Browser::new());
    let right = code(&consent(&stage, &browser, &made).await);
    let others = code(&consent(&stage, &browser, &other).await);
    assert_ne!(right, others, "a code is for one link");
    for wrong in ["w", &right[1..], &others, "", &right.to_lowercase()] {
        assert_eq!(stage.confirm(&made, wrong).await.0, 400);
    }
    // An empty code is none at all.
    assert_eq!(stage.confirm(&made, "last").await.0, 400);
    assert_eq!(stage.confirm(&made, &right).await.0, 409);
    assert_eq!(stage.status(&made).await, "expired");
    assert_eq!(stage.confirm(&other, &others).await.0, 200);
}

#[tokio::test]
async fn what_is_entered_waits_as_well() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("brevo"), options(true)).await;
    let fields = Inputs::from_iter([("api_key".to_owned(), "k3y".to_owned())]);
    let link = stage.stored_link(&made).await;
    let refused = submit_custom(&stage.app, &link, None, "header", &fields).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_request");

    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let done = browser.post(&made.url, &page, &[("api_key", "k3y")]).await;
    let code = code(&done);
    assert_eq!(stage.status(&made).await, "pending");
    let again = browser.post(&made.url, &page, &[("api_key", "other")]).await;
    assert_eq!(again.param("confirmation_code").unwrap(), code);
    assert_eq!(stage.confirm(&made, &code).await.0, 200);
    assert_eq!(stage.stored(&made).await.unwrap().0["api_key"], "k3y");
}

#[tokio::test]
async fn a_connection_that_works_keeps_its_grant() {
    let stage = Stage::start().await;
    let first = stage.link_with(Some("gmail"), options(false)).await;
    consent(&stage, &Browser::new(), &first).await;
    stage.provider.will_say(200, "application/json", r#"{"access_token":"at-2"}"#);
    let again = || Target::Existing { id: &first.connection_id, name: None };
    let reauth = stage.make(again(), Some("gmail"), &options(true)).await;
    let dropped = code(&consent(&stage, &Browser::new(), &reauth).await);
    assert_eq!(stage.status(&first).await, "active");
    assert_eq!(stage.stored(&first).await.unwrap().1.unwrap(), "at-1");

    // A newer link ends what waits for an older one.
    let newer = stage.make(again(), Some("gmail"), &options(true)).await;
    assert_eq!(stage.confirm(&first, &dropped).await.0, 409);
    let right = code(&consent(&stage, &Browser::new(), &newer).await);
    assert_eq!(stage.confirm(&first, &right).await.0, 200);
    assert_eq!(stage.stored(&first).await.unwrap().1.unwrap(), "at-2");
}

#[tokio::test]
async fn what_waits_is_sealed_and_erased() {
    let stage = Stage::start().await;
    stage.provider.will_say(
        200,
        "application/json",
        r#"{"access_token":"c4nary-access","refresh_token":"c4nary-refresh"}"#,
    );
    let made = stage.link_with(Some("gmail"), options(true)).await;
    let code = code(&consent(&stage, &Browser::new(), &made).await);
    assert_eq!(stage.count("SELECT COUNT(*) FROM unconfirmed WHERE sealed <> ''").await, 1);
    let database = stage.stored_bytes().await;
    for secret in ["c4nary", code.as_str()] {
        let found = database.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "{secret}");
    }
    stage.app.store.drop_unconfirmed().await.unwrap();
    assert_eq!(stage.count("SELECT COUNT(*) FROM unconfirmed").await, 1);
    stage.advance(601);
    stage.app.store.drop_unconfirmed().await.unwrap();
    assert_eq!(stage.count("SELECT COUNT(*) FROM unconfirmed").await, 0);
}

#[tokio::test]
async fn a_grant_that_would_wait_too_long_is_not_believed() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("gmail"), options(true)).await;
    let code = code(&consent(&stage, &Browser::new(), &made).await);
    // Written by a clock that was a day ahead.
    let ahead = "UPDATE unconfirmed SET expires_at = expires_at + 86400000";
    stage.database.connect().await.execute(ahead).await;
    assert_eq!(stage.confirm(&made, &code).await.0, 409);
    stage.app.store.drop_unconfirmed().await.unwrap();
    assert_eq!(stage.count("SELECT COUNT(*) FROM unconfirmed").await, 0);
}

#[tokio::test]
async fn the_code_needs_somewhere_to_go() {
    let stage = Stage::start().await;
    let body = json!({"app_id": "gmail", "name": "x", "confirm": true});
    let (status, answer) = stage.post("/connections/request-link", &stage.owner, &body).await;
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap().contains("return_url"), "{answer}");
    let body = json!({"app_id": "gmail", "name": "x", "confirm": true, "return_url": RETURN_URL});
    let (status, answer): (u16, Value) = stage.post("/connections/request-link", &stage.owner, &body).await;
    assert_eq!(status, 200, "{answer}");
    let url = answer["data"]["request_link"].as_str().unwrap().to_owned();
    let made = Made {
        url,
        token: answer["data"]["request_token"].as_str().unwrap().to_owned(),
        connection_id: answer["data"]["connection_id"].as_str().unwrap().to_owned(),
    };
    code(&consent(&stage, &Browser::new(), &made).await);
}
