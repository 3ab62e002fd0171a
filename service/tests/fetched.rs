//! Tokens that the service fetches with what a customer entered: client credentials, a provider's own exchange, signed
//! JSON Web Tokens.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fixture_support::{Answer, Platform, Provider, Visit};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

const CLIENT: &str = r#"
    type = "client_credentials"
    [[auth.fields]]
    name = "client_id"
    title = "Client ID"
    [[auth.fields]]
    name = "client_secret"
    title = "Client secret"
    format = "password"
    [[auth.fields]]
    name = "account"
    title = "Account"
    required = false
    [auth.client_credentials]
    token_url = "PROVIDER/token"
"#;

const ENTERED: [(&str, &str); 2] = [("client_id", "the id"), ("client_secret", "canary-secret")];

const EXCHANGE: &str = r#"
    type = "token_exchange"
    [[auth.fields]]
    name = "user"
    title = "User"
    [[auth.fields]]
    name = "key"
    title = "Key"
    format = "password"
    [auth.token_exchange]
    url = "PROVIDER/session"
"#;

const JWT: &str = r#"
    type = "jwt_bearer"
    [[auth.fields]]
    name = "email"
    title = "Service account"
    format = "email"
    [[auth.fields]]
    name = "private_key"
    title = "Private key"
    format = "private_key"
    [auth.jwt_bearer]
    algorithm = "ES256"
"#;

/// Connects with the page's form; gives the connection's id.
async fn connect(platform: &Platform, fields: &[(&str, &str)]) -> String {
    let visit = Visit::begin(platform).await;
    let page = visit.submit(fields).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(platform.status(&visit.connection_id).await, "active");
    visit.connection_id
}

/// Sends the form of the product's own.
async fn submit(platform: &Platform, visit: &Visit<'_>, fields: Value) -> Answer {
    let path = format!("/connections/{}/submit", visit.connection_id);
    let body = json!({"auth_option_key": "main", "fields": fields});
    platform.public("POST", &path, &visit.request_token).json(&body).await
}

#[tokio::test]
async fn a_customers_own_client_gets_tokens() {
    let provider = Provider::start().await;
    let keys = r#"
        scopes = ["read", "write"]
        token_params = { audience = "https://api.example", account = "{account}", scope = "all" }
        token_headers = { X-Account = "{client_id}" }
    "#;
    let platform = provider.platform_without_client(&format!("{CLIENT}{keys}")).await;
    provider.will_say(&[
        (200, json!({"access_token": "at-1", "token_type": "bearer", "expires_in": 600})),
        (200, json!({"access_token": "at-2"})),
        (200, json!({"access_token": "at-3"})),
    ]);
    let id = connect(&platform, &ENTERED).await;
    let request = provider.seen().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/token"));
    assert_eq!(request.form["grant_type"], "client_credentials");
    assert_eq!(
        (request.form["client_id"].as_str(), request.form["client_secret"].as_str()),
        ("the id", "canary-secret")
    );
    assert_eq!(
        (request.form["scope"].as_str(), request.form["audience"].as_str()),
        ("all", "https://api.example")
    );
    assert!(!request.form.contains_key("account"), "it was left empty");
    assert_eq!(request.headers["x-account"], "the id");

    let vended = platform.token(&id).await;
    assert_eq!(vended.data()["access_token"], "at-1");
    assert_eq!(vended.data()["token_type"], "Bearer");
    // The shape is that of OAuth, and so is its name; how it came about is the connection's to tell.
    assert_eq!(vended.data()["auth_type"], "o_auth");
    assert!(vended.data()["expires_in"].as_i64().unwrap() > 590);
    assert!(!vended.text.contains("canary-secret"), "{}", vended.text);
    let connection = platform.call("GET", &format!("/connections/{id}")).send().await;
    assert_eq!(connection.data()["auth_type"], "client_credentials", "{}", connection.text);
    assert!(provider.seen().is_empty(), "it is still good");

    platform.advance(600);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-2");
    // 55 minutes are assumed where nothing is told.
    platform.advance(3200);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-2");
    platform.advance(95);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-3");
    assert_eq!(provider.seen().len(), 2);
}

#[tokio::test]
async fn a_client_proves_itself_as_the_file_says() {
    let provider = Provider::start().await;
    for (keys, authorization, query, form) in [
        ("client_auth = \"basic\"", "Basic dGglMjBpZDp4", "", "grant_type=client_credentials"),
        (
            "token_request = \"query\"\ntoken_params = { grant_type = \"account_credentials\" }",
            "",
            "account_credentials",
            "",
        ),
    ] {
        let platform = provider.platform_without_client(&format!("{CLIENT}{keys}")).await;
        connect(&platform, &[("client_id", "th id"), ("client_secret", "x")]).await;
        let request = provider.seen().remove(0);
        assert_eq!(request.authorization(), authorization, "{keys}");
        assert_eq!(request.query.get("grant_type").map_or("", String::as_str), query, "{keys}");
        assert_eq!(request.body, form, "{keys}");
    }
}

#[tokio::test]
async fn what_the_provider_refuses_is_an_error_of_its_field() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(CLIENT).await;
    for (status, body) in [
        (401, json!({"error": "invalid_client", "error_description": "canary <b>words</b>"})),
        (400, json!({"error": "invalid_client"})),
        (400, json!({"error": "unauthorized_client"})),
        (401, json!("nothing at all")),
    ] {
        provider.will_say(&[(status, body.clone())]);
        let visit = Visit::begin(&platform).await;
        let page = visit.submit(&ENTERED).await;
        assert_eq!(page.status, 400, "{body}");
        assert!(page.text.contains("Fixture does not accept this"), "{}", page.text);
        assert!(page.text.contains(r##"href="#field-client_secret""##), "{}", page.text);
        assert!(!page.text.contains("canary"), "{}", page.text);

        let refused = submit(&platform, &visit, json!({"client_id": "i", "client_secret": "canary-s"})).await;
        refused.is_error(400, "invalid_request");
        assert!(
            refused.json["data"]["fields"]["client_secret"].as_str().unwrap().contains("does not accept")
        );
        assert!(!refused.text.contains("canary"), "{}", refused.text);
        assert_eq!(platform.status(&visit.connection_id).await, "pending");
    }
}

#[tokio::test]
async fn a_link_is_no_place_to_try_stolen_secrets_at() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(CLIENT).await;
    provider.will_say(&[(401, json!({"error": "invalid_client"}))]);
    let visit = Visit::begin(&platform).await;
    for _ in 0..15 {
        visit.submit(&ENTERED).await;
    }
    assert_eq!(provider.seen().len(), 10);
    assert_eq!(platform.status(&visit.connection_id).await, "pending");
}

#[tokio::test]
async fn what_could_not_be_checked_is_fetched_later() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(CLIENT).await;
    for (status, body) in [
        (503, json!({"error": "invalid_client"})),
        (429, json!({})),
        (400, json!({"error": "invalid_scope"})),
        (200, json!({"access_token": "error: none"})),
        (302, json!({"access_token": "at"})),
    ] {
        provider.will_say(&[(status, body.clone())]);
        let id = connect(&platform, &ENTERED).await;
        let failed = platform.token(&id).await;
        failed.is_error(503, "upstream_unavailable");
        assert!(!failed.text.contains("canary"), "{}", failed.text);
        provider.will_say(&[(200, json!({"access_token": "at", "expires_in": 600}))]);
        platform.advance(1);
        assert_eq!(platform.token(&id).await.data()["access_token"], "at", "{body}");
    }
}

#[tokio::test]
async fn a_client_that_is_revoked_needs_a_new_connection() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(CLIENT).await;
    provider.will_say(&[
        (200, json!({"access_token": "at", "expires_in": 60})),
        (503, json!({})),
        (401, json!({"error": "invalid_client"})),
    ]);
    let id = connect(&platform, &ENTERED).await;
    platform.advance(60);
    platform.token(&id).await.is_error(503, "upstream_unavailable");
    assert_eq!(platform.status(&id).await, "active");
    platform.advance(1);
    platform.token(&id).await.is_error(401, "needs_reconnection");
    assert_eq!(platform.status(&id).await, "expired");
}

#[tokio::test]
async fn many_callers_share_one_fetch() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(CLIENT).await;
    provider.will_say(&[(200, json!({"access_token": "at", "expires_in": 60}))]);
    let id = connect(&platform, &ENTERED).await;
    platform.advance(60);
    provider.seen();
    let calls = futures_util::future::join_all((0..20).map(|_| platform.token(&id))).await;
    assert!(calls.iter().all(|answer| answer.data()["access_token"] == "at"));
    assert_eq!(provider.seen().len(), 1);
}

#[tokio::test]
async fn a_provider_may_exchange_in_its_own_way() {
    let provider = Provider::start().await;
    let post = r#"
        headers = { X-Api-Key = "{key}", Accept = "application/vnd.x+json" }
        params = { login = "{user}", password = "{key}" }
        request = "json"
        token_pointer = "/session/id"
        token_type = "Session"
        expires_at = "/session/until"
    "#;
    let get = r#"
        method = "GET"
        basic = { username = "{user}/token", password = "{key}" }
        params = { user = "{user}" }
        token_pointer = "/token"
        lifetime = 120
    "#;
    let entered = [("user", "me&you"), ("key", "canary-key")];
    let platform = provider.platform_without_client(&format!("{EXCHANGE}{post}")).await;
    provider.will_say(&[(200, json!({"session": {"id": "s-1", "until": 900}}))]);
    let id = connect(&platform, &entered).await;
    let request = provider.seen().remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!((request.form["login"].as_str(), request.form["password"].as_str()), ("me&you", "canary-key"));
    assert_eq!(
        (&request.headers["x-api-key"], &request.headers["accept"]),
        (&"canary-key".parse().unwrap(), &"application/vnd.x+json".parse().unwrap())
    );
    let vended = platform.token(&id).await;
    assert_eq!(
        (&vended.data()["access_token"], &vended.data()["token_type"]),
        (&json!("s-1"), &json!("Session"))
    );
    assert!((890..=900).contains(&vended.data()["expires_in"].as_i64().unwrap()));

    let platform = provider.platform_without_client(&format!("{EXCHANGE}{get}")).await;
    provider.will_say(&[(200, json!({"token": "s-2"})), (200, json!({"token": "s-3"}))]);
    let id = connect(&platform, &entered).await;
    let request = provider.seen().remove(0);
    assert_eq!((request.method.as_str(), request.body.as_str()), ("GET", ""));
    assert_eq!(request.query["user"], "me&you");
    // me&you/token:canary-key
    assert_eq!(request.authorization(), "Basic bWUmeW91L3Rva2VuOmNhbmFyeS1rZXk=");
    platform.advance(120);
    assert_eq!(platform.token(&id).await.data()["access_token"], "s-3");
}

#[tokio::test]
async fn an_exchange_says_which_statuses_are_refusals() {
    let provider = Provider::start().await;
    for (keys, status, body, refused) in [
        ("", 401, json!({}), true),
        ("", 403, json!({}), false),
        ("invalid_statuses = [401, 403]", 403, json!({}), true),
        ("invalid_statuses = []", 401, json!({}), false),
        ("invalid_grant_text = \"wrong password\"", 400, json!({"message": "wrong password"}), true),
        ("", 400, json!({"message": "wrong password"}), false),
    ] {
        let platform = provider.platform_without_client(&format!("{EXCHANGE}{keys}")).await;
        provider.will_say(&[(status, body)]);
        let page = Visit::begin(&platform).await.submit(&[("user", "u"), ("key", "k")]).await;
        assert_eq!(page.status == 400, refused, "{keys} {status}");
    }
}

/// A key for ES256 in PEM.
fn private_key() -> String {
    let random = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}

fn part(jwt: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_signed_token_is_vended_or_exchanged() {
    let provider = Provider::start().await;
    let own = r#"
        header = { kid = "{email}" }
        claims = { iss = "{email}", aud = "https://api.example", jti = "{nonce}" }
        jwt_lifetime = 600
    "#;
    let key = private_key();
    let entered = [("email", "robot@example.com"), ("private_key", key.as_str())];
    let platform = provider.platform_without_client(&format!("{JWT}{own}")).await;
    let id = connect(&platform, &entered).await;
    let vended = platform.token(&id).await;
    let token = vended.data()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(part(&token, 0), json!({"alg": "ES256", "kid": "robot@example.com", "typ": "JWT"}));
    let claims = part(&token, 1);
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!("robot@example.com"), &json!("https://api.example"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert!(vended.data()["expires_in"].as_i64().unwrap() > 590);
    platform.advance(600);
    let next = platform.token(&id).await.data()["access_token"].as_str().unwrap().to_owned();
    assert_ne!(part(&next, 1)["jti"], claims["jti"]);
    assert!(part(&next, 1)["iat"].as_i64() >= claims["exp"].as_i64());
    assert!(provider.seen().is_empty(), "nobody is asked");

    let exchanged = r#"
        token_url = "PROVIDER/token"
        token_params = { scope = "read" }
        claims = { iss = "{email}" }
    "#;
    let platform = provider.platform_without_client(&format!("{JWT}{exchanged}")).await;
    provider.will_say(&[(200, json!({"access_token": "at", "expires_in": 60}))]);
    // As a text box leaves the key, without its line breaks.
    let flat = key.replace('\n', "");
    let id = connect(&platform, &[("email", "robot@example.com"), ("private_key", &flat)]).await;
    assert_eq!(platform.token(&id).await.data()["access_token"], "at");
    let request = provider.seen().remove(0);
    assert_eq!(request.form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(request.form["scope"], "read");
    assert_eq!(part(&request.form["assertion"], 1)["iss"], "robot@example.com");

    // A key that is none, and a provider that does not know it.
    let visit = Visit::begin(&platform).await;
    for bad in ["canary-key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
        let page = visit.submit(&[("email", "robot@example.com"), ("private_key", bad)]).await;
        assert_eq!(page.status, 400);
        assert!(page.text.contains("#field-private_key") && !page.text.contains(bad), "{}", page.text);
    }
    assert!(provider.seen().is_empty());
    provider.will_say(&[(400, json!({"error": "invalid_grant"}))]);
    let page = visit.submit(&entered).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("does not accept"), "{}", page.text);
    // In JSON, the line breaks are there.
    provider.will_say(&[(200, json!({"access_token": "at"}))]);
    let fields = json!({"email": "robot@example.com", "private_key": key});
    assert_eq!(submit(&platform, &visit, fields).await.data()["status"], "active");
}

#[tokio::test]
async fn a_host_that_the_customer_typed_is_called_through_the_guard() {
    let provider = Provider::start().await;
    let typed = CLIENT.replace(
        "[auth.client_credentials]",
        "[[auth.fields]]\nname = \"host\"\ntitle = \"Host\"\nformat = \"host\"\n[auth.client_credentials]",
    );
    let platform =
        provider.platform_without_client(&typed.replace("PROVIDER/token", "https://{host}/token")).await;
    let visit = Visit::begin(&platform).await;
    for host in
        ["127.0.0.1", "localhost", "crm.acme.example:8443", "me@crm.acme.example", "metadata.google.internal"]
    {
        let page = visit.submit(&[ENTERED[0], ENTERED[1], ("host", host)]).await;
        assert!(
            page.status == 400 && page.text.contains("must be the name of a host"),
            "{host} {}",
            page.text
        );
    }
    // It does not exist, so nothing can be said about the secret.
    let id = connect(&platform, &[ENTERED[0], ENTERED[1], ("host", "https://no-such-host.invalid/x")]).await;
    platform.token(&id).await.is_error(503, "upstream_unavailable");
}
