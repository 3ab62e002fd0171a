//! A connection that can be used: what is kept beside a token, and how the provider's API is called with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connect_support;

use connect_service::catalogue::Catalogue;
use connect_service::oauth::OAuthClient;
use connect_service::store::{LinkOptions, Target};
use connect_support::{ApiReply, Browser, Made, Seen, Stage};
use serde_json::{Value, json};
use url::Url;

/// Consents; gives the page that the way back from the provider leads to.
async fn consent(
    stage: &Stage,
    made: &Made,
    app: &str,
    fields: &[(&str, &str)],
    back: &[(&str, &str)],
) -> Seen {
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let fields = [&[("action", "connect")], fields].concat();
    let left = browser.post(&made.url, &page, &fields).await;
    assert_eq!(left.status, 303, "{}", left.html);
    let state = left.param("state").unwrap();
    browser
        .visit(&stage.callback_of(app, &[&[("code", "c"), ("state", state.as_str())], back].concat()))
        .await
}

/// Lets the token endpoint say this beside the token.
fn will_grant(stage: &Stage, beside: Value) {
    let mut response = json!({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600});
    response.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
    stage.provider.will_say(200, "application/json", &response.to_string());
}

fn lines(stage: &Stage) -> Vec<String> {
    stage.provider.calls().into_iter().map(|call| call.line).collect()
}

#[tokio::test]
async fn quickbooks_needs_the_company_of_the_callback() {
    let stage = Stage::with_apis().await;
    let company = json!({"CompanyInfo": {"CompanyName": "Acme Ltd"}});
    let path = "/quickbooks/v3/company/4620816365/companyinfo/4620816365";
    stage.provider.api_will_say(path, ApiReply::Json(200, company));
    let made = stage.link("quickbooks").await;
    let back = consent(&stage, &made, "quickbooks", &[], &[("realmId", "4620816365")]).await;
    assert_eq!(back.status, 200, "{}", back.html);

    let base_url = format!("{}/quickbooks/v3/company/4620816365", stage.provider.api_url());
    let account = json!({"id": "4620816365", "label": "Acme Ltd", "url": null});
    let connection = stage.connection(&made).await;
    assert_eq!(connection["provider_data"], json!({"realm_id": "4620816365"}));
    assert_eq!((&connection["api_base_url"], &connection["account"]), (&json!(base_url), &account));
    assert_eq!(connection["scopes"], json!(["com.intuit.quickbooks.accounting"]), "those asked for");
    let token = stage.token(&made).await;
    assert_eq!(token["api_headers"], json!({"Accept": "application/json", "Authorization": "Bearer at-1"}));
    assert_eq!((&token["api_base_url"], &token["account"]), (&json!(base_url), &account));
    assert_eq!((&token["api_query"], &token["scopes"]), (&json!({}), &connection["scopes"]));

    let calls = stage.provider.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].line, format!("GET /api{path}"));
    assert_eq!(
        (&calls[0].headers["authorization"], &calls[0].headers["accept"]),
        (&"Bearer at-1".parse().unwrap(), &"application/json".parse().unwrap())
    );
}

/// Without the company's number nothing at QuickBooks can be called, and nobody could find it out later.
#[tokio::test]
async fn a_callback_without_a_required_value_fails_the_link() {
    let stage = Stage::with_apis().await;
    let made = stage.link("quickbooks").await;
    let long = "1".repeat(2049);
    for back in [
        &[][..],
        &[("realmId", "")],
        &[("realmId", "1"), ("realmId", "2")],
        &[("realmId", &long)],
        &[("realmid", "1")],
    ] {
        let page = consent(&stage, &made, "quickbooks", &[], back).await;
        assert_eq!(page.status, 502, "{}", page.html);
        let connection = stage.connection(&made).await;
        assert_eq!(connection["status"], "pending");
        assert_eq!(connection["last_error"]["code"], "required_value_missing", "{back:?}");
    }
    stage.provider.api_will_say("/quickbooks/v3/company/1/companyinfo/1", ApiReply::Json(200, json!({})));
    let page =
        consent(&stage, &made, "quickbooks", &[], &[("realmId", "1"), ("other", "1"), ("other", "2")]).await;
    assert_eq!(page.status, 200, "{}", page.html);
    assert_eq!(stage.connection(&made).await["last_error"], json!(null));
}

/// The callback's parameters come from the browser: another company's number would pass for the customer's.
#[tokio::test]
async fn a_company_that_the_browser_names_is_checked() {
    let stage = Stage::with_apis().await;
    let path = "/quickbooks/v3/company/999/companyinfo/999";
    let realm = [("realmId", "999")];
    for (what, reply) in [
        ("another's", ApiReply::Json(403, json!({}))),
        ("a wrong token", ApiReply::Json(401, json!({}))),
        ("the provider is down", ApiReply::Json(503, json!({}))),
        ("HTML", ApiReply::Html("<p>ok".into())),
    ] {
        stage.provider.api_will_say(path, reply);
        let made = stage.link("quickbooks").await;
        let back = consent(&stage, &made, "quickbooks", &[], &realm).await;
        assert_eq!(back.status, 502, "{what}: {}", back.html);
        let connection = stage.connection(&made).await;
        assert_eq!(
            (&connection["status"], &connection["account"]),
            (&json!("pending"), &json!(null)),
            "{what}"
        );
        assert_eq!(connection["last_error"]["code"], "account_not_verified", "{what}");
        assert!(stage.stored(&made).await.is_none(), "{what}");

        // The link is still open. No budget of the checks keeps it from being finished.
        use_up_checks(&stage, "127.0.0.1").await;
        stage.provider.api_will_say(path, ApiReply::Json(200, json!({"CompanyInfo": {}})));
        let back = consent(&stage, &made, "quickbooks", &[], &realm).await;
        assert_eq!(back.status, 200, "{what}: {}", back.html);
        assert_eq!(stage.connection(&made).await["account"]["id"], "999", "{what}");
    }
}

#[tokio::test]
async fn salesforce_is_called_at_its_instance() {
    let stage = Stage::with_apis().await;
    let made = stage.link("salesforce").await;
    let id = "https://login.salesforce.com/id/00D/005";
    will_grant(
        &stage,
        json!({"instance_url": "https://acme.my.salesforce.com", "id": id, "scope": "api refresh_token"}),
    );
    let back = consent(&stage, &made, "salesforce", &[], &[]).await;
    assert_eq!(back.status, 200, "{}", back.html);
    let token = stage.token(&made).await;
    assert_eq!(token["provider_data"], json!({"instance_url": "https://acme.my.salesforce.com"}));
    assert_eq!(token["account"], json!({"id": id, "label": null, "url": "https://acme.my.salesforce.com"}));
    assert_eq!(token["scopes"], json!(["api", "refresh_token"]));

    for foreign in [
        "https://evil.example",
        "https://acme.my.salesforce.com.evil.example",
        "https://me@acme.my.salesforce.com",
        "https://acme.my.salesforce.com@evil.example",
        "https://acme.my.salesforce.com:8443",
        "https://127.0.0.1",
        "https://[::1]",
        "http://acme.my.salesforce.com",
    ] {
        let made = stage.link("salesforce").await;
        will_grant(&stage, json!({ "instance_url": foreign }));
        let back = consent(&stage, &made, "salesforce", &[], &[]).await;
        assert_eq!(back.status, 502, "{foreign}");
        let connection = stage.connection(&made).await;
        assert_eq!(connection["last_error"]["code"], "required_value_missing", "{foreign}");
        assert_eq!(connection["provider_data"], json!({}));
    }
}

/// An instance can move, and a refresh tells; what a refresh leaves out stays.
#[tokio::test]
async fn a_refresh_replaces_only_what_it_brings() {
    let stage = Stage::with_apis().await;
    let made = stage.link("salesforce").await;
    will_grant(&stage, json!({"instance_url": "https://one.my.salesforce.com", "id": "i", "scope": "api"}));
    consent(&stage, &made, "salesforce", &[], &[]).await;
    for (beside, instance, scopes) in [
        (json!({}), "https://one.my.salesforce.com", json!(["api"])),
        (json!({"instance_url": "https://evil.example"}), "https://one.my.salesforce.com", json!(["api"])),
        (
            json!({"instance_url": "https://two.my.salesforce.com", "scope": "api,web"}),
            "https://two.my.salesforce.com",
            json!(["api", "web"]),
        ),
        (json!({"instance_url": null}), "https://two.my.salesforce.com", json!(["api", "web"])),
    ] {
        will_grant(&stage, beside);
        stage.advance(3600);
        let token = stage.token(&made).await;
        assert_eq!(token["provider_data"]["instance_url"], instance);
        assert_eq!((&token["scopes"], &token["account"]["id"]), (&scopes, &json!("i")));
        let connection = stage.connection(&made).await;
        assert_eq!(connection["provider_data"], token["provider_data"]);
        assert_eq!(connection["scopes"], scopes);
    }
    assert_eq!(stage.provider.seen().len(), 5);
}

#[tokio::test]
async fn shopify_takes_the_token_in_a_header_of_its_own() {
    let stage = Stage::with_apis().await;
    let shop = json!({"shop": {"id": 548_380_009, "name": "Acme's shop"}});
    stage.provider.api_will_say("/shopify/admin/api/2026-10/shop.json", ApiReply::Json(200, shop));
    let made = stage.link("shopify").await;
    will_grant(&stage, json!({"scope": "read_orders,read_products"}));
    let back = consent(&stage, &made, "shopify", &[("shop", "https://acme.myshopify.com/admin")], &[]).await;
    assert_eq!(back.status, 200, "{}", back.html);
    let token = stage.token(&made).await;
    assert_eq!(token["provider_data"], json!({"shop": "acme"}));
    assert_eq!(token["api_headers"], json!({"X-Shopify-Access-Token": "at-1"}));
    assert_eq!(token["account"], json!({"id": "548380009", "label": "Acme's shop", "url": null}));
    assert_eq!(token["scopes"], json!(["read_orders", "read_products"]));
    let calls = stage.provider.calls();
    assert_eq!(calls[0].headers["x-shopify-access-token"], "at-1");
    assert!(!calls[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn zoho_tells_the_api_of_its_data_centre() {
    let stage = Stage::with_apis().await;
    let users = json!({"users": [{"id": "111", "email": "alice@example.com"}]});
    stage.provider.api_will_say("/zoho-crm/crm/v7/users", ApiReply::Json(200, users));
    let made = stage.link("zoho-crm").await;
    will_grant(&stage, json!({"api_domain": "https://www.zohoapis.eu"}));
    // The customer left the form's default, zoho.com.
    let said = [("location", "eu"), ("accounts-server", "https://accounts.zoho.eu")];
    let back = consent(&stage, &made, "zoho-crm", &[], &said).await;
    assert_eq!(back.status, 200, "{}", back.html);
    let token = stage.token(&made).await;
    assert_eq!(
        token["provider_data"],
        json!({"api_domain": "https://www.zohoapis.eu", "location": "eu", "data_centre": "zoho.eu"})
    );
    assert_eq!(token["api_headers"], json!({"Authorization": "Zoho-oauthtoken at-1"}));
    assert_eq!(token["account"]["label"], "alice@example.com");
    assert_eq!(lines(&stage), ["GET /api/zoho-crm/crm/v7/users?type=CurrentUser"]);
}

#[tokio::test]
async fn jira_is_called_with_the_site_that_a_lookup_tells() {
    let stage = Stage::with_apis().await;
    let sites = json!([{"id": "cloud-1", "url": "https://acme.atlassian.net", "name": "acme"}]);
    stage.provider.api_will_say("/jira/oauth/token/accessible-resources", ApiReply::Json(200, sites));
    let myself = json!({"accountId": "5b1", "displayName": "Alice"});
    stage.provider.api_will_say("/jira/ex/jira/cloud-1/rest/api/3/myself", ApiReply::Json(200, myself));
    let made = stage.link("jira").await;
    let back = consent(&stage, &made, "jira", &[], &[]).await;
    assert_eq!(back.status, 200, "{}", back.html);
    let connection = stage.connection(&made).await;
    assert_eq!(connection["provider_data"], json!({"cloud_id": "cloud-1"}));
    let account = json!({"id": "5b1", "label": "Alice", "url": "https://acme.atlassian.net"});
    assert_eq!(connection["account"], account);
    let base_url = format!("{}/jira/ex/jira/cloud-1/rest/api/3", stage.provider.api_url());
    assert_eq!(connection["api_base_url"], json!(base_url));
    assert_eq!(stage.token(&made).await["api_headers"], json!({"Authorization": "Bearer at-1"}));
}

/// Each of these takes its time, or leads astray; the customer is told, and nothing is stored.
#[tokio::test]
async fn a_lookup_that_brings_nothing_fails_the_link() {
    let stage = Stage::with_apis().await;
    let site = json!([{"id": "cloud-1"}]);
    stage.provider.api_will_say("/jira/elsewhere", ApiReply::Json(200, site.clone()));
    let elsewhere = format!("{}/jira/elsewhere", stage.provider.api_url());
    let padded = json!([{"id": "cloud-1", "padding": "x".repeat(300 * 1024)}]);
    for (what, reply) in [
        ("a redirect", ApiReply::Redirect(elsewhere)),
        ("HTML", ApiReply::Html(site.to_string().replace('[', "<p>["))),
        ("300 KB", ApiReply::Json(200, padded)),
        ("an error", ApiReply::Json(500, site.clone())),
        ("several sites", ApiReply::Json(200, json!([{"id": "cloud-1"}, {"id": "cloud-2"}]))),
        ("no site", ApiReply::Json(200, json!([]))),
        ("silence", ApiReply::Hang),
    ] {
        let made = stage.link("jira").await;
        stage.provider.api_will_say("/jira/oauth/token/accessible-resources", reply);
        let back = consent(&stage, &made, "jira", &[], &[]).await;
        assert_eq!(back.status, 502, "{what}");
        assert_eq!(stage.connection(&made).await["last_error"]["code"], "required_value_missing", "{what}");
        assert!(stage.stored(&made).await.is_none(), "{what}");
    }
    let asked = lines(&stage);
    assert_eq!(asked.len(), 7, "no redirect is followed, and no path without the site: {asked:?}");
}

/// Whose account it is helps people; without it calls work all the same.
#[tokio::test]
async fn a_verification_that_fails_after_consent_is_no_obstacle() {
    let stage = Stage::with_apis().await;
    for reply in
        [ApiReply::Json(401, json!({})), ApiReply::Json(500, json!({})), ApiReply::Html("<p>".into())]
    {
        stage.provider.api_will_say("/shopify/admin/api/2026-10/shop.json", reply);
        let made = stage.link("shopify").await;
        let back = consent(&stage, &made, "shopify", &[("shop", "acme")], &[]).await;
        assert_eq!(back.status, 200, "{}", back.html);
        let connection = stage.connection(&made).await;
        assert_eq!((&connection["status"], &connection["account"]), (&json!("active"), &json!(null)));
    }
}

#[tokio::test]
async fn a_grant_that_waits_keeps_what_is_known_of_it() {
    let stage = Stage::with_apis().await;
    let options = LinkOptions {
        confirm: true,
        return_url: Some("https://product.example/done".into()),
        ..LinkOptions::default()
    };
    let made = stage.link_with(Some("salesforce"), options).await;
    will_grant(&stage, json!({"instance_url": "https://acme.my.salesforce.com", "id": "i"}));
    let back = consent(&stage, &made, "salesforce", &[], &[]).await;
    assert_eq!(stage.connection(&made).await["provider_data"], json!({}));
    let code = back.param("confirmation_code").unwrap();
    let (status, body) = stage.confirm(&made, &code).await;
    assert_eq!((status, &body["data"]["account"]["id"]), (200, &json!("i")), "{body}");
    assert_eq!(stage.token(&made).await["provider_data"]["instance_url"], "https://acme.my.salesforce.com");
}

/// Addresses as they are, without an emulator in their place.
#[tokio::test]
async fn a_sandbox_and_an_instance_have_their_own_address() {
    let provider = Stage::with_apis().await.provider;
    let mut config = connect_service::config::Config::default();
    let sandbox = OAuthClient { sandbox: true, ..provider.registration() };
    config.apps.insert("quickbooks".into(), sandbox);
    config.apps.insert("salesforce".into(), provider.registration());
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue");
    let mut catalogue = Catalogue::load(Some(&dir)).unwrap();
    let text = std::fs::read_to_string(dir.join("quickbooks.toml")).unwrap();
    // Nothing is asked at the real address, so that the company has to come from elsewhere than the callback.
    let (text, _) = text.split_once("[auth.verify]").unwrap();
    catalogue.add("quickbooks.toml", &text.replace("from = \"callback\"", "from = \"token\"")).unwrap();
    let stage = Stage::with(config, catalogue, provider).await;
    will_grant(&stage, json!({"instance_url": "https://acme.my.salesforce.com/", "realmId": 7}));
    for (app, base_url) in [
        ("quickbooks", "https://sandbox-quickbooks.api.intuit.com/v3/company/7"),
        ("salesforce", "https://acme.my.salesforce.com/services/data/v60.0"),
    ] {
        let made = stage.link(app).await;
        consent(&stage, &made, app, &[], &[]).await;
        assert_eq!(stage.connection(&made).await["api_base_url"], base_url);
        assert_eq!(stage.token(&made).await["api_base_url"], base_url);
    }
}

const KEYED: &str = "/keyed/v1/me";

#[tokio::test]
async fn a_wrong_key_is_an_error_of_its_field() {
    let stage = Stage::with_apis().await;
    let fields = json!({"api_key": "k3y"});
    for reply in [
        ApiReply::Json(401, json!({"error": "c4nary"})),
        ApiReply::Json(403, json!({})),
        ApiReply::Json(200, json!({"ok": null})),
        ApiReply::Json(200, json!({"ok": false, "error": "wrong_key", "detail": "c4nary"})),
    ] {
        stage.provider.api_will_say(KEYED, reply);
        let made = stage.link("keyed").await;
        let (status, body) = stage.submit(&made, "query", &fields).await;
        assert_eq!((status, &body["data"]["code"]), (400, &json!("invalid_request")), "{body}");
        let message = body["data"]["fields"]["api_key"].as_str().unwrap();
        assert!(message.contains("Keyed does not accept"), "{message}");
        assert!(!body.to_string().contains("c4nary") && !body.to_string().contains("k3y"), "{body}");

        let browser = Browser::new();
        let page = browser.get(&made.url).await;
        let page = browser.post(&made.url, &page, &[("auth_option_key", "query"), ("api_key", "k3y")]).await;
        assert_eq!(page.status, 400);
        assert!(
            page.html.contains("Keyed does not accept") && page.html.contains("error-api_key"),
            "{}",
            page.html
        );
        assert!(!page.html.contains("c4nary") && !page.html.contains("k3y"));
        assert_eq!(stage.status(&made).await, "pending");

        stage.provider.api_will_say(
            KEYED,
            ApiReply::Json(200, json!({"ok": true, "user": {"id": 7, "name": "Alice"}})),
        );
        let page = browser.post(&made.url, &page, &[("auth_option_key", "query"), ("api_key", "k3y")]).await;
        assert_eq!(page.status, 200, "{}", page.html);
        assert_eq!(
            stage.connection(&made).await["account"],
            json!({"id": "7", "label": "Alice", "url": null})
        );
    }
    let calls = stage.provider.calls();
    assert!(calls.iter().all(|call| call.line == "GET /api/keyed/v1/me?fields=id&key=k3y"), "{calls:?}");
    assert_eq!(calls[0].headers["x-version"], "3");
}

/// A provider that is down must not keep a customer from connecting.
#[tokio::test]
async fn what_cannot_be_checked_is_taken() {
    let stage = Stage::with_apis().await;
    for (what, reply) in [
        ("an error", ApiReply::Json(500, json!({"ok": true}))),
        ("a throttle", ApiReply::Json(429, json!({}))),
        ("a failure of its own", ApiReply::Json(200, json!({"ok": false, "error": "internal_error"}))),
        ("another shape", ApiReply::Json(200, json!({"error": "wrong_keys"}))),
        ("another path", ApiReply::Json(404, json!({}))),
        ("HTML", ApiReply::Html("<h1>ok</h1>".into())),
        ("a redirect", ApiReply::Redirect("/api/keyed/v1/other".into())),
        ("300 KB", ApiReply::Json(200, json!({"ok": false, "padding": "x".repeat(300 * 1024)}))),
        ("silence", ApiReply::Hang),
    ] {
        stage.provider.api_will_say(KEYED, reply);
        let made = stage.link("keyed").await;
        let (status, body) = stage.submit(&made, "query", &json!({"api_key": "k3y"})).await;
        assert_eq!((status, &body["data"]["status"]), (200, &json!("active")), "{what}: {body}");
        assert_eq!(stage.connection(&made).await["account"], json!(null));
    }
    assert_eq!(lines(&stage).len(), 9);
}

#[tokio::test]
async fn braces_in_a_value_stay_braces() {
    let stage = Stage::with_apis().await;
    let ok = json!({"ok": true, "hook": "{api_key}"});
    stage.provider.api_will_say(KEYED, ApiReply::Json(200, ok));
    let made = stage.link("keyed").await;
    let fields =
        json!({"api_key": "{organization}", "organization": "{api_key}{access_token}", "region": "us"});
    let (status, body) = stage.submit(&made, "query", &fields).await;
    assert_eq!(status, 200, "{body}");
    let token = stage.token(&made).await;
    assert_eq!(token["api_query"], json!({"key": "{organization}"}));
    assert_eq!(token["api_headers"], json!({"X-Organization": "{api_key}{access_token}", "X-Version": "3"}));
    let provider_data =
        json!({"hook": "{api_key}", "organization": "{api_key}{access_token}", "region": "us"});
    assert_eq!(token["provider_data"], provider_data);
    let calls = stage.provider.calls();
    assert_eq!(calls[0].line, "GET /api/keyed/v1/me?fields=id&key=%7Borganization%7D");
    assert_eq!(calls[0].headers["x-organization"], "{api_key}{access_token}");
}

#[tokio::test]
async fn secret_values_come_with_the_token_only() {
    let stage = Stage::with_apis().await;
    stage
        .provider
        .api_will_say(KEYED, ApiReply::Json(200, json!({"ok": 1, "hook": "https://hook.example/s3cret"})));
    let made = stage.link("keyed").await;
    stage.submit(&made, "query", &json!({"api_key": "k3y"})).await;
    let connection = stage.connection(&made).await;
    assert_eq!(connection["provider_data"], json!({"region": "eu"}));
    assert!(!connection.to_string().contains("s3cret"));
    assert_eq!(stage.token(&made).await["provider_data"]["hook"], "https://hook.example/s3cret");
    let stored = stage.database_contents().await;
    for secret in ["s3cret", "k3y"] {
        assert!(
            !stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()),
            "{secret} is not sealed"
        );
    }
}

/// Some APIs repeat what they were sent.
#[tokio::test]
async fn a_credential_that_an_api_repeats_is_not_made_public() {
    let stage = Stage::with_apis().await;
    let user = json!({"ok": true, "user": {"id": "of s3cret-key", "name": "Alice"}});
    stage.provider.api_will_say(KEYED, ApiReply::Json(200, user));
    let made = stage.link("keyed").await;
    let fields = json!({"api_key": "s3cret-key", "organization": "s3cret-key"});
    stage.submit(&made, "query", &fields).await;
    let connection = stage.connection(&made).await;
    assert_eq!(connection["account"], json!({"id": null, "label": "Alice", "url": null}));
    assert_eq!(connection["provider_data"], json!({"region": "eu"}));

    let made = stage.link("salesforce").await;
    let instance_url = "https://acme.my.salesforce.com";
    will_grant(
        &stage,
        json!({"access_token": "s3cret-token", "id": "s3cret-token", "instance_url": instance_url}),
    );
    consent(&stage, &made, "salesforce", &[], &[]).await;
    let account = stage.connection(&made).await["account"].clone();
    assert_eq!(account, json!({"id": null, "label": null, "url": instance_url}));
}

#[tokio::test]
async fn a_link_is_no_place_to_try_keys_at() {
    let stage = Stage::with_apis().await;
    stage.provider.api_will_say(KEYED, ApiReply::Json(401, json!({})));
    let made = stage.link("keyed").await;
    for _ in 0..10 {
        assert_eq!(stage.submit(&made, "query", &json!({"api_key": "k"})).await.0, 400);
    }
    let (status, body) = stage.submit(&made, "query", &json!({"api_key": "k"})).await;
    assert_eq!((status, &body["data"]["code"]), (429, &json!("rate_limited")));
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    let page = browser.post(&made.url, &page, &[("auth_option_key", "query"), ("api_key", "k")]).await;
    assert_eq!(page.status, 429, "{}", page.html);
    assert_eq!(lines(&stage).len(), 10);
    assert_eq!(stage.status(&made).await, "pending");
}

/// Takes all that the tenant may ask of a host in this minute.
async fn use_up_checks(stage: &Stage, host: &str) {
    let url = Url::parse(&format!("http://{host}/")).unwrap();
    while stage.app.budgets.take_verification(&stage.owner.tenant, &url).await.is_none() {}
}

/// A tenant's customers share what a provider allows; beyond it the key is taken unchecked.
#[tokio::test]
async fn a_tenant_asks_a_host_sixty_times_a_minute() {
    let stage = Stage::with_apis().await;
    stage.provider.api_will_say(KEYED, ApiReply::Json(401, json!({})));
    let made = stage.link("keyed").await;
    let host = Url::parse("http://127.0.0.1/").unwrap();
    for _ in 0..59 {
        assert_eq!(stage.app.budgets.take_verification(&stage.owner.tenant, &host).await, None);
    }
    assert_eq!(stage.submit(&made, "query", &json!({"api_key": "k"})).await.0, 400);
    let (status, body) = stage.submit(&made, "query", &json!({"api_key": "k"})).await;
    assert_eq!((status, &body["data"]["status"]), (200, &json!("active")), "{body}");
    assert_eq!(lines(&stage).len(), 1);
}

/// What one form causes is counted, whichever request it is.
#[tokio::test]
async fn lookups_and_signed_tokens_take_from_the_same_budget() {
    let stage = Stage::with_apis().await;
    stage.provider.api_will_say("/keyed/v1/site", ApiReply::Json(200, json!({"id": "s"})));
    stage.provider.api_will_say(KEYED, ApiReply::Json(401, json!({})));
    let key = json!({"api_key": "k3y"});
    assert_eq!(stage.submit(&stage.link("keyed").await, "lookup", &key).await.0, 200);
    assert_eq!(stage.submit(&stage.link("keyed").await, "signed", &key).await.0, 400);
    assert_eq!(lines(&stage).len(), 2);

    use_up_checks(&stage, "127.0.0.1").await;
    use_up_checks(&stage, "id.keyed.example").await;
    let client = json!({"client_id": "c", "client_secret": "s3cret"});
    // A value that calls need cannot be left out; it can be had later.
    for (option, fields) in [("lookup", &key), ("fetched", &client)] {
        let made = stage.link("keyed").await;
        let (status, body) = stage.submit(&made, option, fields).await;
        assert_eq!((status, &body["data"]["code"]), (429, &json!("rate_limited")), "{option}: {body}");
        let connection = stage.connection(&made).await;
        assert_eq!((&connection["status"], &connection["last_error"]), (&json!("pending"), &json!(null)));
        let browser = Browser::new();
        let page = browser.get(&made.url).await;
        let fields: Vec<_> = fields.as_object().unwrap().iter().collect();
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let page =
            browser.post(&made.url, &page, &[&[("auth_option_key", option)], &fields[..]].concat()).await;
        let seconds: u64 = page.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(page.status == 429 && (1..=60).contains(&seconds), "{option}: {}", page.html);
    }
    let (status, body) = stage.submit(&stage.link("keyed").await, "signed", &key).await;
    assert_eq!((status, &body["data"]["status"]), (200, &json!("active")), "taken unchecked: {body}");
    assert_eq!(lines(&stage).len(), 2, "nobody was asked");
}

/// Such a link takes no credentials here, and does not tell whether they are right.
#[tokio::test]
async fn a_form_that_is_refused_tries_no_key() {
    let stage = Stage::with_apis().await;
    let return_url = Some("https://product.example/back".into());
    let options = LinkOptions { confirm: true, return_url, ..LinkOptions::default() };
    let made = stage.link_with(Some("keyed"), options).await;
    let mut seen = Vec::new();
    for reply in [ApiReply::Json(200, json!({"ok": true})), ApiReply::Json(401, json!({}))] {
        stage.provider.api_will_say(KEYED, reply);
        seen.push(stage.submit(&made, "query", &json!({"api_key": "k"})).await);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].0, 400);
    assert!(lines(&stage).is_empty(), "{:?}", lines(&stage));
    assert_eq!(stage.count("SELECT SUM(verifications) FROM links").await, 0);
}

/// A customer's own key goes to the host that the same customer enters with it, and to no other.
#[tokio::test]
async fn a_changed_host_needs_the_key_again() {
    let stage = Stage::with_apis().await;
    let made = stage.link("keyed").await;
    let own = json!({"api_url": "https://api.one.example/v1", "api_key": "k3y"});
    // The emulator stands in for the host; its path is left out, as it is the customer's.
    stage.provider.api_will_say("/keyed/me", ApiReply::Json(200, json!({})));
    assert_eq!(stage.submit(&made, "basic", &own).await.0, 200);
    let basic = "Basic azN5L3Rva2VuOg==";
    assert_eq!(stage.token(&made).await["api_headers"], json!({ "Authorization": basic }));
    assert_eq!(stage.provider.calls()[0].headers["authorization"], basic);
    assert_eq!(stage.token(&made).await["provider_data"]["api_url"], "https://api.one.example/v1");

    let target = Target::Existing { id: &made.connection_id, name: None };
    let again = stage.make(target, Some("keyed"), &LinkOptions::default()).await;
    let (status, body) = stage.submit(&again, "basic", &json!({"api_url": "https://api.two.example"})).await;
    assert_eq!(status, 400);
    assert_eq!(body["data"]["fields"], json!({"api_key": "API key is required."}));
    assert_eq!(stage.token(&made).await["provider_data"]["api_url"], "https://api.one.example/v1");
    for inside in ["https://127.0.0.1/", "https://169.254.169.254/", "http://api.two.example/"] {
        let (status, body) = stage.submit(&again, "basic", &json!({"api_url": inside, "api_key": "k"})).await;
        assert_eq!((status, body["data"]["fields"]["api_url"].is_string()), (400, true), "{body}");
    }
    assert_eq!(stage.provider.calls().len(), 1);
}

#[tokio::test]
async fn a_backend_can_have_a_credential_checked() {
    let stage = Stage::with_apis().await;
    stage.provider.api_will_say(KEYED, ApiReply::Json(200, json!({"ok": true})));
    let made = stage.link("keyed").await;
    let path = format!("/connections/{}/verify", made.connection_id);
    let verify = async || stage.post(&path, &stage.owner, &json!({})).await;
    let (status, body) = verify().await;
    assert_eq!((status, &body["data"]["code"]), (409, &json!("connection_not_active")));
    stage.submit(&made, "query", &json!({"api_key": "k3y"})).await;
    for (reply, result) in [
        (ApiReply::Json(200, json!({"ok": true})), "valid"),
        (ApiReply::Json(401, json!({})), "invalid"),
        (ApiReply::Json(503, json!({})), "unknown"),
    ] {
        stage.provider.api_will_say(KEYED, reply);
        let (status, body) = verify().await;
        assert_eq!((status, &body["data"]["result"]), (200, &json!(result)), "{body}");
        assert!(body["data"]["checked_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(stage.status(&made).await, "active");
    }

    // A token is refreshed first.
    stage.provider.api_will_say("/shopify/admin/api/2026-10/shop.json", ApiReply::Json(200, json!({})));
    let made = stage.link("shopify").await;
    consent(&stage, &made, "shopify", &[("shop", "acme")], &[]).await;
    will_grant(&stage, json!({"access_token": "at-2"}));
    stage.advance(3600);
    let path = format!("/connections/{}/verify", made.connection_id);
    let (status, body) = stage.post(&path, &stage.owner, &json!({})).await;
    assert_eq!((status, &body["data"]["result"]), (200, &json!("valid")), "{body}");
    let calls = stage.provider.calls();
    assert_eq!(calls.last().unwrap().headers["x-shopify-access-token"], "at-2");
    stage.provider.will_say(400, "application/json", r#"{"error":"invalid_grant"}"#);
    stage.advance(3600);
    let (status, body) = stage.post(&path, &stage.owner, &json!({})).await;
    assert_eq!((status, &body["data"]["code"]), (401, &json!("needs_reconnection")));
}

/// Apps of which the catalogue does not tell more are called by their header, by HTTP Basic, or not at all.
#[tokio::test]
async fn an_app_without_a_table_is_called_by_what_is_known() {
    let stage = Stage::with_apis().await;
    for (option, fields, headers) in [
        ("header", json!({"api_key": "k"}), json!({"Api-Key": "k"})),
        ("basic", json!({"password": "k"}), json!({"Authorization": "Basic YXBpOms="})),
        ("api_key", json!({"api_key": "k"}), json!({})),
    ] {
        let made = stage.link("bare").await;
        let (status, body) = stage.submit(&made, option, &fields).await;
        assert_eq!(status, 200, "{option} {body}");
        let token = stage.token(&made).await;
        assert_eq!(token["api_headers"], headers, "{option}");
        let rest = ["api_query", "provider_data", "api_base_url", "account", "scopes"]
            .map(|name| token[name].clone());
        assert_eq!(rest, [json!({}), json!({}), json!(null), json!(null), json!(null)], "{option}");
    }
}
