//! A connection that is authorised again, with another account at the provider than before.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connect_support;

use connect_service::catalogue::Catalogue;
use connect_service::config::Config;
use connect_service::store::{LinkOptions, Target};
use connect_support::{ApiReply, Browser, Made, Provider, Seen, Stage};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

/// An app that says with the token whose account it is, or when a key is checked.
const APP: &str = r#"
    id = "desk"
    name = "Desk"
    description = ""
    categories = []

    [[auth]]
    key = "oauth"
    type = "o_auth"
    title = "Sign in"
    [auth.oauth]
    authorization_url = "https://desk.example/authorize"
    token_url = "https://desk.example/token"
    [auth.account]
    id = "token:/account/id"
    label = "token:/account/name"

    [[auth]]
    key = "key"
    type = "api_key"
    title = "Key"
    [[auth.fields]]
    name = "api_key"
    title = "API key"
    format = "password"
    [auth.api]
    base_url = "https://desk.example"
    headers = { X-Key = "{api_key}" }
    [auth.verify]
    path = "/me"
    [auth.account]
    id = "verify:/id"
    label = "verify:/name"
"#;

const RETURN_URL: &str = "https://product.example/connected";

async fn stage() -> Stage {
    let provider = Provider::start().await;
    let mut config = Config::default();
    config.apps.insert("desk".into(), provider.registration());
    let mut catalogue = Catalogue::load(None).unwrap();
    catalogue.add("desk.toml", APP).unwrap();
    catalogue.redirect_calls(&provider.api_url());
    Stage::with(config, catalogue, provider).await
}

fn allowed() -> LinkOptions {
    LinkOptions { allow_account_change: true, ..LinkOptions::default() }
}

fn confirmed() -> LinkOptions {
    LinkOptions { confirm: true, return_url: Some(RETURN_URL.into()), ..LinkOptions::default() }
}

/// Lets the token endpoint issue these tokens of this account.
fn will_grant(stage: &Stage, name: &str, account: Option<&str>, refresh_token: Option<&str>) {
    let mut tokens = json!({"access_token": format!("at-{name}"), "expires_in": 3600});
    if let Some(id) = account {
        tokens["account"] = json!({"id": id, "name": format!("{name} <b>& Co")});
    }
    if let Some(refresh_token) = refresh_token {
        tokens["refresh_token"] = refresh_token.into();
    }
    stage.provider.will_say(200, "application/json", &tokens.to_string());
}

async fn again(stage: &Stage, made: &Made, options: &LinkOptions) -> Made {
    stage.make(Target::Existing { id: &made.connection_id, name: None }, Some("desk"), options).await
}

/// Leaves for the provider and comes back.
async fn consent(stage: &Stage, browser: &Browser, url: &str) -> Seen {
    let page = browser.get(url).await;
    let post_to = url.split('?').next().unwrap();
    let fields = [("action", "connect"), ("app_id", "desk"), ("auth_option_key", "oauth")];
    let left = browser.post(post_to, &page, &fields).await;
    let state = left.param("state").unwrap();
    browser.visit(&stage.callback_of("desk", &[("code", "c"), ("state", &state)])).await
}

/// A connection of the account `1`, which Ann has.
async fn connected(stage: &Stage) -> Made {
    will_grant(stage, "Ann", Some("1"), Some("rt-Ann"));
    let made = stage.link("desk").await;
    assert_eq!(consent(stage, &Browser::new(), &made.url).await.status, 200);
    made
}

async fn access_token(stage: &Stage, made: &Made) -> String {
    stage.stored(made).await.unwrap().1.unwrap()
}

async fn refresh_token(stage: &Stage, made: &Made) -> Option<String> {
    let credential = stage.app.store.credential(&stage.owner, &made.connection_id).await.unwrap().unwrap();
    credential.grant.tokens.unwrap().refresh_token.map(|token| token.expose_secret().to_owned())
}

fn last_error(connection: &Value) -> &str {
    connection["last_error"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn another_account_is_refused_and_the_right_one_taken() {
    let stage = stage().await;
    let made = connected(&stage).await;
    let link = again(&stage, &made, &LinkOptions::default()).await;
    will_grant(&stage, "Bob", Some("2"), Some("rt-Bob"));
    let browser = Browser::new();
    let refused = consent(&stage, &browser, &link.url).await;
    assert_eq!(refused.status, 409, "{}", refused.html);
    for said in [
        "This is another Desk account",
        "You chose Bob &#60;b&#62;&#38; Co",
        "is for Ann &#60;b&#62;&#38; Co",
    ] {
        assert!(refused.html.contains(said), "{said}: {}", refused.html);
    }
    assert!(!refused.html.contains("<b>"));
    let connection = stage.connection(&made).await;
    assert_eq!((last_error(&connection), &connection["account"]["id"]), ("account_changed", &json!("1")));
    assert_eq!(connection["status"], "active");
    assert_eq!(access_token(&stage, &made).await, "at-Ann");
    // Nobody else is told of either.
    assert_eq!(Browser::new().get(&refused.url).await.status, 400);

    // The same page leads back to the choice, and the link is as open as before.
    will_grant(&stage, "Ann2", Some("1"), Some("rt-Ann2"));
    let done = consent(&stage, &browser, &refused.href("Try again").unwrap()).await;
    assert_eq!(done.status, 200, "{}", done.html);
    assert_eq!(access_token(&stage, &made).await, "at-Ann2");
    assert_eq!(stage.connection(&made).await["last_error"], json!(null));
}

#[tokio::test]
async fn a_link_can_allow_another_account() {
    let stage = stage().await;
    let made = connected(&stage).await;
    let link = again(&stage, &made, &allowed()).await;
    will_grant(&stage, "Bob", Some("2"), None);
    assert_eq!(consent(&stage, &Browser::new(), &link.url).await.status, 200);
    assert_eq!(access_token(&stage, &made).await, "at-Bob");
    assert_eq!(refresh_token(&stage, &made).await, None, "it is the other account's");
    assert_eq!(stage.connection(&made).await["account"]["id"], "2");

    // The member of the contract says the same.
    let body = json!({"connection_id": made.connection_id, "allow_account_change": true});
    let (status, answer) = stage.post("/connections/request-link", &stage.owner, &body).await;
    assert_eq!(status, 200, "{answer}");
    will_grant(&stage, "Cyd", Some("3"), None);
    let url = answer["data"]["request_link"].as_str().unwrap();
    assert_eq!(consent(&stage, &Browser::new(), url).await.status, 200);
    assert_eq!(stage.connection(&made).await["account"]["id"], "3");
}

#[tokio::test]
async fn an_unknown_account_passes() {
    let stage = stage().await;
    let made = connected(&stage).await;
    will_grant(&stage, "Unknown", None, None);
    let link = again(&stage, &made, &LinkOptions::default()).await;
    assert_eq!(consent(&stage, &Browser::new(), &link.url).await.status, 200);
    assert_eq!(refresh_token(&stage, &made).await, None, "it may be another account's");
    will_grant(&stage, "Bob", Some("2"), None);
    let link = again(&stage, &made, &LinkOptions::default()).await;
    assert_eq!(consent(&stage, &Browser::new(), &link.url).await.status, 200);
    assert_eq!(stage.connection(&made).await["account"]["id"], "2");
}

/// Google issues a refresh token with the first consent alone, unless it is asked to prompt.
#[tokio::test]
async fn the_refresh_token_of_the_same_account_is_kept() {
    let stage = stage().await;
    let made = connected(&stage).await;
    will_grant(&stage, "Ann2", Some("1"), None);
    let link = again(&stage, &made, &LinkOptions::default()).await;
    assert_eq!(consent(&stage, &Browser::new(), &link.url).await.status, 200);
    assert_eq!(access_token(&stage, &made).await, "at-Ann2");
    assert_eq!(refresh_token(&stage, &made).await.as_deref(), Some("rt-Ann"));
}

/// Somebody may have been sent the link: whose account the connection is for is not for them.
#[tokio::test]
async fn with_confirm_the_page_names_the_new_account_alone() {
    let stage = stage().await;
    let made = connected(&stage).await;
    let link = again(&stage, &made, &confirmed()).await;
    will_grant(&stage, "Bob", Some("2"), None);
    let browser = Browser::new();
    let refused = consent(&stage, &browser, &link.url).await;
    assert_eq!(refused.status, 409, "{}", refused.html);
    assert!(refused.html.contains("You chose Bob") && refused.html.contains("is for another account"));
    assert!(!refused.html.contains("Ann"), "{}", refused.html);
    assert_eq!(last_error(&stage.connection(&made).await), "account_changed");
    assert_eq!(stage.count("SELECT COUNT(*) FROM unconfirmed").await, 0);

    // The right account waits, and replaces nothing before it is confirmed.
    will_grant(&stage, "Ann2", Some("1"), None);
    let back = consent(&stage, &browser, &refused.href("Try again").unwrap()).await;
    let code = back.param("confirmation_code").unwrap();
    assert_eq!(access_token(&stage, &made).await, "at-Ann");
    assert_eq!(stage.confirm(&made, &code).await.0, 200);
    assert_eq!(access_token(&stage, &made).await, "at-Ann2");
    assert_eq!(refresh_token(&stage, &made).await.as_deref(), Some("rt-Ann"));
}

/// The connection had no known account when the grant began to wait.
#[tokio::test]
async fn a_confirmation_looks_at_the_account_again() {
    let stage = stage().await;
    will_grant(&stage, "Unknown", None, None);
    let made = stage.link("desk").await;
    consent(&stage, &Browser::new(), &made.url).await;
    let link = again(&stage, &made, &confirmed()).await;
    will_grant(&stage, "Bob", Some("2"), None);
    let back = consent(&stage, &Browser::new(), &link.url).await;
    let code = back.param("confirmation_code").unwrap();
    let told =
        format!(r#"UPDATE connections SET account = '{{"id":"1"}}' WHERE id = '{}'"#, made.connection_id);
    stage.database.connect().await.execute(&told).await;
    assert_eq!(stage.confirm(&made, &code).await.0, 409);
    assert_eq!(access_token(&stage, &made).await, "at-Unknown");
}

#[tokio::test]
async fn a_key_of_another_account_is_refused_at_its_field() {
    let stage = stage().await;
    let will_be = |id: &str, name: &str| {
        stage.provider.api_will_say("/desk/me", ApiReply::Json(200, json!({"id": id, "name": name})));
    };
    will_be("1", "Ann");
    let made = stage.link("desk").await;
    assert_eq!(stage.submit(&made, "key", &json!({"api_key": "k1"})).await.0, 200);
    let link = again(&stage, &made, &LinkOptions::default()).await;
    will_be("2", "Bob <i>");
    let (status, answer) = stage.submit(&link, "key", &json!({"api_key": "k2"})).await;
    assert_eq!(status, 400, "{answer}");
    let said = answer["data"]["fields"]["api_key"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert!(said.contains("Bob <i>") && said.contains("is for Ann"), "{said}");
    assert_eq!(last_error(&stage.connection(&made).await), "account_changed");

    let browser = Browser::new();
    let page = browser.get(&link.url).await;
    let fields = [("app_id", "desk"), ("auth_option_key", "key"), ("api_key", "k2")];
    let refused = browser.post(&link.url, &page, &fields).await;
    assert_eq!(refused.status, 400, "{}", refused.html);
    assert!(refused.html.contains("Bob &#60;i&#62;") && refused.html.contains("is for Ann"));
    assert_eq!(stage.stored(&made).await.unwrap().0["api_key"], "k1");

    will_be("1", "Ann");
    assert_eq!(browser.post(&link.url, &refused, &fields).await.status, 200);
    assert_eq!(stage.stored(&made).await.unwrap().0["api_key"], "k2");
    // OAuth of the same app brings an account by the same id, and another member of the response: it cannot be compared.
    let link = again(&stage, &made, &LinkOptions::default()).await;
    will_grant(&stage, "Cyd", Some("3"), None);
    assert_eq!(consent(&stage, &Browser::new(), &link.url).await.status, 200);
}
