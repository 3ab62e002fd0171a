//! Each key of `[auth.oauth]`, with a provider that demands it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use fixture_support::{Provider, Visit, connect, param};
use serde_json::json;

/// An option for OAuth with these keys.
fn oauth(keys: &str) -> String {
    fields_and_oauth("", keys)
}

fn fields_and_oauth(fields: &str, keys: &str) -> String {
    format!(
        "type = \"o_auth\"\n{fields}\n[auth.oauth]\nauthorization_url = \"PROVIDER/authorize\"\n\
         token_url = \"PROVIDER/token\"\npkce = false\n{keys}"
    )
}

const SHOP: &str = r#"
    [[auth.fields]]
    name = "shop"
    title = "Shop"
    [[auth.fields]]
    name = "area"
    title = "Area"
    required = false
"#;

#[tokio::test]
async fn further_parameters_go_where_the_file_says() {
    let provider = Provider::start().await;
    let platform = provider
        .platform(&fields_and_oauth(
            SHOP,
            r#"
            refresh_url = "PROVIDER/refresh"
            scope_params = { user_scope = ["search:read", "files:read"], none = [] }
            authorize_params = { shop = "{shop}", area = "{area}", nonce = "{nonce}", tenant = "{app.tenant}" }
            token_params = { expiring = "1", redirect_uri = "", shop = "{shop}", area = "{area}" }
            refresh_params = { grant_type = "renew", expires_in = "1800", key = "{app.key}", client = "{client_id}" }
            token_headers = { X-Version = "2026-01 {app.tenant}", user-agent = "fixture/1", X-Area = "{area}" }
            "#,
        ))
        .await;
    provider.will_say(&[
        (200, json!({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 60})),
        (200, json!({"access_token": "at-2", "expires_in": 60})),
    ]);
    // Braces in a value stand for themselves.
    let (id, left) = connect(&platform, &[("shop", "a&b={area}{app.key}")]).await;
    assert_eq!(param(&left, "shop").as_deref(), Some("a&b={area}{app.key}"));
    assert_eq!(param(&left, "area"), None, "what was left empty is left out");
    assert!(param(&left, "nonce").unwrap().len() >= 32);
    assert_eq!(param(&left, "tenant").as_deref(), Some("the-tenant"));
    assert_eq!(param(&left, "user_scope").as_deref(), Some("search:read files:read"));
    assert_eq!(param(&left, "none"), None);
    assert!(!left.as_str().contains("canary"));

    let exchange = provider.seen().remove(0);
    assert_eq!((exchange.method.as_str(), exchange.path.as_str()), ("POST", "/token"));
    assert_eq!(exchange.form["grant_type"], "authorization_code");
    assert_eq!(exchange.form["expiring"], "1");
    assert_eq!(exchange.form["shop"], "a&b={area}{app.key}");
    assert!(!exchange.form.contains_key("redirect_uri") && !exchange.form.contains_key("area"));
    assert_eq!(exchange.headers["x-version"], "2026-01 the-tenant");
    assert_eq!(exchange.headers["user-agent"], "fixture/1");
    assert!(!exchange.headers.contains_key("x-area"));

    platform.advance(60);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-2");
    let refresh = provider.seen().remove(0);
    assert_eq!(refresh.path, "/refresh");
    assert_eq!(refresh.form["grant_type"], "renew");
    assert_eq!(refresh.form["expires_in"], "1800");
    assert_eq!(refresh.form["key"], "canary-param");
    assert_eq!(refresh.form["client"], "the client");
    assert!(!refresh.form.contains_key("expiring"));
    assert_eq!(refresh.headers["x-version"], "2026-01 the-tenant");
}

/// As TikTok and Amazon name them.
#[tokio::test]
async fn parameters_may_have_other_names() {
    let provider = Provider::start().await;
    let names = r#"names = { client_id = "client_key", client_secret = "app_secret", redirect_uri = "redirect_url",
        code = "auth_code", refresh_token = "renewal", callback_code = "spapi_oauth_code" }"#;
    let platform = provider.platform(&oauth(names)).await;
    provider.will_say(&[(200, json!({"access_token": "at", "refresh_token": "rt", "expires_in": 60}))]);
    let visit = Visit::begin(&platform).await;
    let left = visit.to_provider(&[]).await;
    assert_eq!(param(&left, "client_key").as_deref(), Some("the client"));
    assert!(param(&left, "redirect_url").unwrap().ends_with("/oauth/callback/fixture"));
    assert!(param(&left, "client_id").is_none() && param(&left, "redirect_uri").is_none());

    // What the standard calls the code is something else here.
    visit.come_back(&left, &[("code", "other"), ("spapi_oauth_code", "c0de")]).await;
    assert_eq!(platform.status(&visit.connection_id).await, "active");
    let exchange = &provider.seen()[0].form;
    assert_eq!((exchange["auth_code"].as_str(), exchange["client_key"].as_str()), ("c0de", "the client"));
    assert_eq!(exchange["app_secret"], "canary-client-secret");
    assert!(exchange["redirect_url"].ends_with("/oauth/callback/fixture"));
    assert!(
        ["code", "client_id", "client_secret", "redirect_uri"]
            .iter()
            .all(|name| !exchange.contains_key(*name))
    );

    platform.advance(60);
    platform.token(&visit.connection_id).await.data();
    let refresh = &provider.seen()[0].form;
    assert_eq!(refresh["renewal"], "rt");
    assert!(!refresh.contains_key("refresh_token"));
}

#[tokio::test]
async fn a_client_proves_itself_as_the_file_says() {
    let provider = Provider::start().await;
    for (keys, authorization, id, secret) in [
        ("client_auth = \"body\"", "", Some("the client"), Some("canary-client-secret")),
        // the%20client:canary-client-secret
        ("client_auth = \"basic\"", "Basic dGhlJTIwY2xpZW50OmNhbmFyeS1jbGllbnQtc2VjcmV0", None, None),
        // canary-client-secret:
        ("client_auth = \"secret_as_user\"", "Basic Y2FuYXJ5LWNsaWVudC1zZWNyZXQ6", None, None),
        ("client_auth = \"none\"", "", Some("the client"), None),
    ] {
        let platform = provider.platform(&oauth(keys)).await;
        connect(&platform, &[]).await;
        let exchange = provider.seen().remove(0);
        assert_eq!(exchange.authorization(), authorization, "{keys}");
        let sent = |name: &str| exchange.form.get(name).map(String::as_str);
        assert_eq!((sent("client_id"), sent("client_secret")), (id, secret), "{keys}");
        assert!(secret.is_some() || !exchange.body.contains("client_secret"), "{keys}");
    }
}

#[tokio::test]
async fn a_token_request_is_written_as_the_file_says() {
    let provider = Provider::start().await;
    for (request, content_type) in [
        ("form", Some("application/x-www-form-urlencoded")),
        ("json", Some("application/json")),
        ("query", None),
    ] {
        let platform = provider.platform(&oauth(&format!("token_request = \"{request}\""))).await;
        connect(&platform, &[]).await;
        let exchange = provider.seen().remove(0);
        assert_eq!(exchange.method, "POST");
        let sent = exchange.headers.get("content-type").map(|value| value.to_str().unwrap());
        assert_eq!(sent, content_type, "{request}");
        let (params, other) = match request {
            "query" => (&exchange.query, &exchange.form),
            _ => (&exchange.form, &exchange.query),
        };
        assert_eq!((params["code"].as_str(), params["client_id"].as_str()), ("c0de", "the client"));
        assert!(other.is_empty(), "{request}");
    }
}

#[tokio::test]
async fn tokens_are_found_where_the_file_says() {
    let provider = Provider::start().await;
    let keys = "token_pointer = \"/data\"\ntoken_type = \"Zoho-oauthtoken\"\nexpires_at = \"/meta/until\"";
    let platform = provider.platform(&oauth(keys)).await;
    let data =
        |token: &str| json!({"data": {"access_token": token, "refresh_token": "rt"}, "meta": {"until": 120}});
    provider.will_say(&[(200, data("at-1")), (200, data("at-2"))]);
    let (id, _) = connect(&platform, &[]).await;
    let vended = platform.token(&id).await;
    assert_eq!(vended.data()["access_token"], "at-1");
    assert_eq!(vended.data()["token_type"], "Zoho-oauthtoken");
    assert!((118..=120).contains(&vended.data()["expires_in"].as_i64().unwrap()), "{}", vended.text);
    platform.advance(120);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-2");
}

#[tokio::test]
async fn a_lifetime_that_is_not_told_comes_from_the_file() {
    let provider = Provider::start().await;
    let platform = provider.platform(&oauth("lifetime = 1800\nrefresh_margin = 0")).await;
    provider.will_say(&[
        (200, json!({"access_token": "at-1", "refresh_token": "rt"})),
        (200, json!({"access_token": "at-2", "expires_in": 600})),
        (200, json!({"access_token": "at-3"})),
    ]);
    let (id, _) = connect(&platform, &[]).await;
    assert!(platform.token(&id).await.data()["expires_in"].as_i64().unwrap() > 1790);
    // This provider refuses a refresh before the token has expired, so there is no margin.
    platform.advance(1790);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-1");
    platform.advance(10);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-2");
    // What the provider tells goes before the file.
    platform.advance(600);
    assert_eq!(platform.token(&id).await.data()["access_token"], "at-3");
}

#[tokio::test]
async fn a_token_is_refreshed_before_it_expires() {
    let provider = Provider::start().await;
    // Where neither the provider nor the file tells a lifetime, an hour is assumed.
    for (keys, lifetime, due) in [("", 3600, 3540), ("", 0, 3540), ("refresh_margin = 600", 3600, 3000)] {
        let platform = provider.platform(&oauth(keys)).await;
        provider.will_say(&[
            (200, json!({"access_token": "at-1", "refresh_token": "rt", "expires_in": lifetime})),
            (200, json!({"access_token": "at-2"})),
        ]);
        let (id, _) = connect(&platform, &[]).await;
        provider.seen();
        platform.advance(due - 5);
        assert_eq!(platform.token(&id).await.data()["access_token"], "at-1", "{keys} {lifetime}");
        assert!(provider.seen().is_empty(), "{keys} {lifetime}");
        platform.advance(5);
        // One that is known to be good for a while is vended until the new one is there.
        platform.token(&id).await.data();
        platform.refreshes_end().await;
        assert_eq!(platform.token(&id).await.data()["access_token"], "at-2", "{keys} {lifetime}");
    }
}

#[tokio::test]
async fn a_refusal_in_the_apps_own_words_ends_the_grant() {
    let provider = Provider::start().await;
    let words = "invalid_grant = [\"unauthorized_client\"]\ninvalid_grant_text = \"(?i)is not active\"";
    let blamed = json!({"error": "unauthorized_client", "error_description": "no such client"});
    for (keys, status, body, ends) in [
        (words, 403, blamed.clone(), true),
        ("", 403, blamed, false),
        (words, 400, json!({"message": "Location is not active"}), true),
        ("", 400, json!({"message": "Location is not active"}), false),
        (words, 503, json!({"message": "Location is not active"}), false),
        // What is known of many providers: Jira, others, Fitbit.
        (
            "",
            403,
            json!({"error": "unauthorized_client", "error_description": "refresh_token is invalid"}),
            true,
        ),
        ("", 400, json!({"error": "invalid_token"}), true),
        ("", 401, json!({"error": "invalid_token"}), true),
        (
            "",
            400,
            json!({"errors": [{"errorType": "invalid_grant", "message": "Refresh token invalid"}]}),
            true,
        ),
        ("", 401, json!({"error": "invalid_client"}), false),
        ("", 400, json!({"error": "invalid_request"}), false),
    ] {
        let platform = provider.platform(&oauth(keys)).await;
        provider.will_say(&[
            (200, json!({"access_token": "at", "refresh_token": "rt", "expires_in": 60})),
            (status, body.clone()),
        ]);
        let (id, _) = connect(&platform, &[]).await;
        platform.advance(60);
        let (status, code) = if ends { (401, "needs_reconnection") } else { (503, "upstream_unavailable") };
        platform.token(&id).await.is_error(status, code);
    }
}

/// As at Facebook.
#[tokio::test]
async fn a_first_token_is_exchanged_for_one_that_lasts() {
    let provider = Provider::start().await;
    let keys = r#"
        lifetime = 7
        [auth.oauth.exchange]
        url = "PROVIDER/long?v=1"
        [auth.oauth.exchange.params]
        grant_type = "fb_exchange_token"
        fb_exchange_token = "{access_token}"
        client_id = "{client_id}"
        client_secret = "{client_secret}"
    "#;
    let platform = provider.platform(&oauth(keys)).await;
    provider.will_say(&[
        (200, json!({"access_token": "short", "user_id": 7, "expires_in": 60})),
        (200, json!({"access_token": "long", "expires_in": 5_184_000})),
    ]);
    let (id, _) = connect(&platform, &[]).await;
    let vended = platform.token(&id).await;
    assert_eq!(vended.data()["access_token"], "long");
    assert!(vended.data()["expires_in"].as_i64().unwrap() > 5_000_000);
    let long = provider.seen().remove(1);
    assert_eq!((long.method.as_str(), long.path.as_str(), long.body.as_str()), ("GET", "/long", ""));
    assert_eq!((long.query["v"].as_str(), long.query["fb_exchange_token"].as_str()), ("1", "short"));
    assert_eq!(long.query["client_secret"], "canary-client-secret");

    // A token that dies within the hour would be of no use.
    provider.will_say(&[(200, json!({"access_token": "short"})), (400, json!({"error": {"code": 190}}))]);
    let visit = Visit::begin(&platform).await;
    let left = visit.to_provider(&[]).await;
    let page = visit.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(page.status, 502);
    assert_eq!(platform.status(&visit.connection_id).await, "pending");
}

#[tokio::test]
async fn a_refresh_may_prolong_the_old_token() {
    let provider = Provider::start().await;
    let keys = "lifetime = 60\nrefresh_keeps_token = { pointer = \"/result\", equals = \"0000\" }";
    let platform = provider.platform(&oauth(keys)).await;
    provider.will_say(&[
        (200, json!({"access_token": "at", "refresh_token": "rt"})),
        (200, json!({"result": "0000"})),
        (200, json!({"result": "0000"})),
        (200, json!({"result": "1001"})),
    ]);
    let (id, _) = connect(&platform, &[]).await;
    for _ in 0..2 {
        platform.advance(60);
        let vended = platform.token(&id).await;
        assert_eq!(vended.data()["access_token"], "at");
        assert!(vended.data()["expires_in"].as_i64().unwrap() > 55);
    }
    assert_eq!(provider.seen()[2].form["refresh_token"], "rt");
    platform.advance(60);
    platform.token(&id).await.is_error(503, "upstream_unavailable");
}

#[tokio::test]
async fn what_a_file_needs_of_the_operator_is_told_at_the_start() {
    use connect_service::catalogue::Catalogue;
    use connect_service::clock::Clock;
    use connect_service::config::Config;
    use connect_service::state::Service;

    let provider = Provider::start().await;
    let platform = provider.platform(&oauth("token_params = { t = \"{app.tenant}\" }")).await;
    let catalogue: Catalogue = platform.app.catalogue.clone();
    let mut config: Config = platform.app.config.clone();
    config.apps.get_mut("fixture").unwrap().params.clear();
    let store = platform.database.open(&Clock::default()).await;
    let error =
        Service::with_catalogue(config, catalogue, store, Clock::default(), "127.0.0.1:1").unwrap_err();
    assert_eq!(error.to_string(), "apps.fixture: the app needs params.tenant");
}
