//! A connection form of the product's own: what it has to ask for, what is wrong with what was entered, and the way from
//! the product's page to the provider.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod connect_support;

use connect_service::store::LinkOptions;
use connect_support::{ApiReply, Browser, Made, Seen, Stage};
use http::header::{CONTENT_TYPE, ORIGIN};
use serde_json::{Value, json};

const PRODUCT: &str = "https://product.example";

/// A stage whose tenant's website is the product, as the operator has entered it.
async fn stage() -> Stage {
    let stage = Stage::start().await;
    enter_website(&stage, Some(PRODUCT)).await;
    stage
}

async fn enter_website(stage: &Stage, url: Option<&str>) {
    assert!(stage.app.store.set_tenant_website(&stage.owner.tenant, url).await.unwrap());
}

/// What a page of the product, or of somebody else, sends with a link's request token.
async fn submit_from(stage: &Stage, made: &Made, origin: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/connections/{}/submit", stage.app.base_url(), made.connection_id);
    let request = stage.http().post(url).header("x-request-token", &made.token).header(ORIGIN, origin);
    let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

async fn submit(stage: &Stage, made: &Made, body: Value) -> (u16, Value) {
    submit_from(stage, made, PRODUCT, body).await
}

async fn auth_options(stage: &Stage, made: &Made) -> Vec<Value> {
    let url = format!("{}/connections/{}/auth-options", stage.app.base_url(), made.connection_id);
    let seen = Browser::new().get_with(&url, "x-request-token", &made.token).await;
    let body: Value = serde_json::from_str(&seen.html).unwrap();
    body["data"]["auth_options"].as_array().unwrap().clone()
}

fn options(allowed_apps: &[&str]) -> LinkOptions {
    LinkOptions {
        allowed_apps: allowed_apps.iter().map(|id| (*id).to_owned()).collect(),
        allowed_origin: Some(PRODUCT.into()),
        ..LinkOptions::default()
    }
}

/// A link of the product, and where its form for OAuth leads.
async fn link(stage: &Stage) -> (Made, String) {
    let made = stage.link_with(Some("gmail"), options(&[])).await;
    let url = authorize_url(stage, &made, json!({"auth_option_key": "oauth"})).await;
    (made, url)
}

async fn authorize_url(stage: &Stage, made: &Made, body: Value) -> String {
    let (status, answer) = submit(stage, made, body).await;
    assert_eq!((status, &answer["data"]["status"]), (200, &json!("pending")), "{answer}");
    answer["data"]["authorize_url"].as_str().unwrap().to_owned()
}

/// It asks, and says whose link it is.
fn assert_asks(stage: &Stage, seen: &Seen) {
    assert_eq!((seen.status, &seen.location), (200, &None), "{}", seen.url);
    assert!(seen.url.contains("/connect/"), "{}", seen.url);
    assert!(seen.html.contains(&stage.owner.customer), "{}", seen.html);
    assert!(seen.hidden("csrf_token").is_some());
}

fn assert_leads_to_provider(seen: &Seen) -> String {
    assert_eq!(seen.status, 303, "{} {}", seen.url, seen.html);
    assert!(seen.location.as_ref().unwrap().path().ends_with("/authorize"), "{:?}", seen.location);
    assert_eq!(seen.param("code_challenge_method").unwrap(), "S256");
    seen.param("state").unwrap()
}

#[tokio::test]
async fn the_options_of_all_allowed_apps_are_listed() {
    let stage = Stage::start().await;
    // Slack has no client here, so it is not offered.
    let made = stage.link_with(None, options(&["github", "insightly", "slack"])).await;
    let options = auth_options(&stage, &made).await;
    let listed: Vec<_> =
        options.iter().map(|option| (option["app"]["id"].clone(), option["key"].clone())).collect();
    let expected = [("github", "oauth"), ("github", "token"), ("insightly", "api_key")];
    assert_eq!(listed, expected.map(|(app, key)| (json!(app), json!(key))));
    assert_eq!(options[2]["app"]["name"], "Insightly");
    assert!(options[2]["input_schema"]["properties"]["api_key"].is_object());

    let one = stage.link_with(Some("insightly"), LinkOptions::default()).await;
    let options = auth_options(&stage, &one).await;
    assert_eq!((options.len(), &options[0]["app"]["id"]), (1, &json!("insightly")));
}

#[tokio::test]
async fn one_of_several_apps_is_named() {
    let stage = Stage::start().await;
    let made = stage.link_with(None, options(&["github", "insightly"])).await;
    let fields = json!({"api_key": "k3y", "api_url": "https://api.na1.insightly.com/v3.1"});
    for (app_id, key) in [
        (Value::Null, "api_key"),
        (json!("github"), "api_key"),
        (json!("brevo"), "api_key"),
        (json!("insightly"), "oauth"),
        (json!(7), "api_key"),
    ] {
        let body = json!({"app_id": app_id, "auth_option_key": key, "fields": fields});
        let (status, answer) = submit(&stage, &made, body).await;
        assert_eq!((status, &answer["data"]["code"]), (400, &json!("invalid_request")), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains("app_id"), "{answer}");
    }
    let body = json!({"app_id": "insightly", "auth_option_key": "api_key", "fields": fields});
    let (status, answer) = submit(&stage, &made, body).await;
    assert_eq!((status, &answer["data"]["status"]), (200, &json!("active")), "{answer}");
    assert_eq!(stage.connection(&made).await["app"]["id"], "insightly");
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("insightly"), options(&[])).await;
    let fields = json!({"api_url": "http://s3cret.example"});
    let (status, answer) =
        submit(&stage, &made, json!({"auth_option_key": "api_key", "fields": fields})).await;
    assert_eq!((status, &answer["data"]["code"]), (400, &json!("invalid_request")));
    let expected = json!({
        "api_key": "API key is required.",
        "api_url": "API URL must be an address that starts with https://",
    });
    assert_eq!(answer["data"]["fields"], expected);
    assert!(!answer.to_string().contains("s3cret"));
    assert_eq!(stage.status(&made).await, "pending");
    let (_, other) = submit(&stage, &made, json!({"auth_option_key": "nonsense"})).await;
    assert!(other["data"].get("fields").is_none(), "{other}");
}

#[tokio::test]
async fn the_products_form_leads_straight_to_the_provider() {
    let stage = stage().await;
    let (made, url) = link(&stage).await;
    let browser = Browser::new();
    let state = assert_leads_to_provider(&browser.post_from_site(&url, Some(PRODUCT)).await);
    let callback = stage.callback(&[("code", "c"), ("state", &state)]);
    let elsewhere = Browser::new();
    elsewhere.get(&stage.link("gmail").await.url).await;
    assert_eq!(elsewhere.visit(&callback).await.status, 400, "another browser");
    assert_eq!(stage.status(&made).await, "pending");
    assert_eq!(browser.visit(&callback).await.status, 200);
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn the_products_form_carries_app_and_inputs() {
    let stage = stage().await;
    let made = stage.link_with(None, options(&["gmail", "zendesk"])).await;
    let body = json!({"app_id": "zendesk", "auth_option_key": "oauth", "fields": {"subdomain": "acme"}});
    let url = authorize_url(&stage, &made, body).await;
    let left = Browser::new().post_from_site(&url, Some(PRODUCT)).await;
    assert_eq!(left.location.unwrap().host_str(), Some("acme.zendesk.com"));

    // Without them, as somebody could alter the address, the hosted page asks.
    let other = url.replace("zendesk", "gmail").replace("option=oauth", "option=api_token");
    assert_asks(&stage, &Browser::new().post_from_site(&other, Some(PRODUCT)).await);
    let bare = made.url.replace("/connect/", "/authorize/");
    let picker = Browser::new().post_from_site(&bare, Some(PRODUCT)).await;
    assert!(picker.html.contains("Choose an app"), "{}", picker.html);
}

#[tokio::test]
async fn a_printed_link_shows_nothing_that_was_entered() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("zendesk"), options(&[])).await;
    let body = json!({"auth_option_key": "oauth", "fields": {"subdomain": "c4nary"}});
    authorize_url(&stage, &made, body).await;
    let link = stage.stored_link(&made).await;
    assert_eq!(link.inputs.as_ref().unwrap()["subdomain"], "c4nary");
    let printed = format!("{link:?} {link:#?}");
    assert!(printed.contains(&link.id), "{printed}");
    for secret in ["c4nary", "alice@example.com"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// An address that leads on for whoever opens it would let anybody connect another person's account to a link of their own.
#[tokio::test]
async fn nobody_elses_browser_is_led_to_the_provider() {
    let stage = stage().await;
    let (made, url) = link(&stage).await;
    let victim = Browser::new();

    // A link, a redirect of the product's own page, a form of another page, or of one that keeps its origin secret.
    assert_asks(&stage, &victim.visit(&url).await);
    assert_asks(&stage, &victim.visit_from(PRODUCT, &url).await);
    for origin in
        [None, Some("null"), Some(""), Some("https://evil.example"), Some("https://product.example.")]
    {
        assert_asks(&stage, &victim.post_from_site(&url, origin).await);
    }
    let both = stage.http().post(&url).header(ORIGIN, PRODUCT).header(ORIGIN, "https://evil.example");
    let response = both.send().await.unwrap();
    assert!(response.headers().get("set-cookie").is_none());

    // A program can claim any origin. What it gets works in no other browser.
    let attacker = stage.http().post(&url).header(ORIGIN, PRODUCT).send().await.unwrap();
    let next = attacker.headers()["location"].to_str().unwrap();
    assert!(attacker.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=60"));
    assert_asks(&stage, &victim.visit(next).await);

    // A browser on the way with its own link is not led on by another's, and its own works once.
    let (_, own) = link(&stage).await;
    let response = stage.http().post(&own).header(ORIGIN, PRODUCT).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    victim.receive_cookie(&cookie);
    assert_asks(&stage, &victim.visit(&url).await);
    assert_leads_to_provider(&victim.get(&own).await);
    assert_asks(&stage, &victim.visit(&own).await);
    assert_eq!(stage.status(&made).await, "pending");
    assert!(stage.provider.seen().is_empty());
}

#[tokio::test]
async fn a_link_without_an_origin_asks() {
    let stage = stage().await;
    let made = stage.link("gmail").await;
    let url = authorize_url(&stage, &made, json!({"auth_option_key": "oauth"})).await;
    for origin in [None, Some("null"), Some(PRODUCT)] {
        assert_asks(&stage, &Browser::new().post_from_site(&url, origin).await);
    }
}

/// Whoever has a tenant key writes any `allowed_origin`, and the client at the provider may be that of all tenants.
#[tokio::test]
async fn only_the_website_that_the_operator_entered_skips_the_page() {
    let stage = Stage::start().await;
    for website in [None, Some("https://other.example"), Some("https://product.example:8443/start")] {
        enter_website(&stage, website).await;
        let (_, url) = link(&stage).await;
        assert_asks(&stage, &Browser::new().post_from_site(&url, Some(PRODUCT)).await);
        let origin = website.unwrap_or("null");
        assert_asks(&stage, &Browser::new().post_from_site(&url, Some(origin)).await);
    }
    enter_website(&stage, Some("https://Product.example:443/start")).await;
    let (_, url) = link(&stage).await;
    assert_leads_to_provider(&Browser::new().post_from_site(&url, Some(PRODUCT)).await);
    // What holds is what the operator says now.
    enter_website(&stage, None).await;
    assert_asks(&stage, &Browser::new().post_from_site(&url, Some(PRODUCT)).await);
    // A page of a developer's own machine is no product's either.
    let developer = "http://localhost:3000";
    let of_developer = LinkOptions { allowed_origin: Some(developer.into()), ..LinkOptions::default() };
    let made = stage.link_with(Some("gmail"), of_developer).await;
    let (_, answer) = submit_from(&stage, &made, developer, json!({"auth_option_key": "oauth"})).await;
    let url = answer["data"]["authorize_url"].as_str().unwrap();
    assert_asks(&stage, &Browser::new().post_from_site(url, Some(developer)).await);
}

#[tokio::test]
async fn a_page_fetched_in_advance_begins_nothing() {
    let stage = stage().await;
    let (_, url) = link(&stage).await;
    let response = stage.http().post(&url).header(ORIGIN, PRODUCT).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let browser = Browser::new();
    browser.receive_cookie(&cookie);
    for (header, value) in [("sec-purpose", "prefetch"), ("sec-fetch-dest", "iframe")] {
        let seen = browser.get_with(&url, header, value).await;
        assert_eq!((seen.status, seen.location), (403, None), "{header}");
    }
    assert_eq!(browser.head(&url).await.status, 403);
    assert_eq!(stage.count("SELECT COUNT(*) FROM authorizations").await, 0);
    assert_leads_to_provider(&browser.get_with(&url, "sec-fetch-dest", "document").await);
}

#[tokio::test]
async fn other_tabs_keep_what_they_began() {
    let stage = stage().await;
    let browser = Browser::new();
    let other = stage.link("gmail").await;
    let page = browser.get(&other.url).await;
    let state = browser.post(&other.url, &page, &[("action", "connect")]).await.param("state").unwrap();
    let before = browser.cookie();

    let (_, url) = link(&stage).await;
    assert_leads_to_provider(&browser.post_from_site(&url, Some(PRODUCT)).await);
    assert_eq!(browser.cookie(), before);
    browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    assert_eq!(stage.status(&other).await, "active");
}

#[tokio::test]
async fn a_link_with_confirm_still_waits_for_its_session() {
    let stage = stage().await;
    let return_url = Some("https://product.example/connected".into());
    let made =
        stage.link_with(Some("gmail"), LinkOptions { confirm: true, return_url, ..options(&[]) }).await;
    let url = authorize_url(&stage, &made, json!({"auth_option_key": "oauth"})).await;
    let browser = Browser::new();
    let state = assert_leads_to_provider(&browser.post_from_site(&url, Some(PRODUCT)).await);
    let back = browser.visit(&stage.callback(&[("code", "c"), ("state", &state)])).await;
    let code = back.param("confirmation_code").unwrap();
    assert_eq!(stage.status(&made).await, "pending");
    assert!(stage.stored(&made).await.is_none());
    assert_eq!(stage.confirm(&made, &code).await.0, 200);
    assert_eq!(stage.status(&made).await, "active");
}

#[tokio::test]
async fn a_link_that_ended_leads_nowhere() {
    let stage = Stage::start().await;
    let (_, url) = link(&stage).await;
    stage.advance(601);
    let seen = Browser::new().post_from_site(&url, Some(PRODUCT)).await;
    assert_eq!((seen.status, seen.location), (410, None));
    let unknown = format!("{}/authorize/{}", stage.app.base_url(), "x".repeat(43));
    assert_eq!(Browser::new().post_from_site(&unknown, Some(PRODUCT)).await.status, 404);
    assert_eq!(Browser::new().get(&unknown).await.status, 404);
}

#[tokio::test]
async fn another_origin_may_not_submit() {
    let stage = Stage::start().await;
    let made = stage.link_with(Some("gmail"), options(&[])).await;
    let body = json!({"auth_option_key": "oauth"});
    let (status, _) = submit_from(&stage, &made, "https://evil.example", body).await;
    assert_eq!(status, 400);
}

/// For the page that waits, and not for whoever finds a request token later.
#[tokio::test]
async fn the_account_is_told_for_ten_minutes() {
    let stage = Stage::with_apis().await;
    enter_website(&stage, Some(PRODUCT)).await;
    let company = json!({"CompanyInfo": {"CompanyName": "Acme Ltd"}});
    let path = "/quickbooks/v3/company/46/companyinfo/46";
    stage.provider.api_will_say(path, ApiReply::Json(200, company));
    for confirm in [false, true] {
        let return_url = Some("https://product.example/connected".into());
        let apps = options(&["quickbooks", "gmail"]);
        let made = stage.link_with(None, LinkOptions { confirm, return_url, ..apps }).await;
        let told = async || {
            let status = stage.public_status(&made).await;
            (status["app_id"].clone(), status["account"].clone())
        };
        assert_eq!(told().await, (Value::Null, Value::Null));
        let body = json!({"app_id": "quickbooks", "auth_option_key": "oauth"});
        let url = authorize_url(&stage, &made, body).await;
        let browser = Browser::new();
        let state = assert_leads_to_provider(&browser.post_from_site(&url, Some(PRODUCT)).await);
        let params = [("code", "c"), ("state", state.as_str()), ("realmId", "46")];
        let back = browser.visit(&stage.callback_of("quickbooks", &params)).await;
        assert!(!back.location.as_ref().unwrap().as_str().contains("Acme"), "{:?}", back.location);
        if confirm {
            assert_eq!(told().await, (Value::Null, Value::Null), "nothing is connected yet");
            stage.advance(300);
            assert_eq!(stage.confirm(&made, &back.param("confirmation_code").unwrap()).await.0, 200);
        }
        let account = json!({"id": "46", "label": "Acme Ltd", "url": null});
        assert_eq!(told().await, (json!("quickbooks"), account.clone()));
        stage.advance(599);
        assert_eq!(told().await, (json!("quickbooks"), account));
        stage.advance(1);
        assert_eq!(told().await, (json!("quickbooks"), Value::Null));
    }
}

#[tokio::test]
async fn a_declined_link_tells_no_account() {
    let stage = Stage::start().await;
    let made = stage.link("gmail").await;
    let browser = Browser::new();
    let page = browser.get(&made.url).await;
    browser.post(&made.url, &page, &[("action", "decline")]).await;
    let status = stage.public_status(&made).await;
    assert_eq!((&status["status"], &status["account"]), (&json!("rejected"), &Value::Null));
    assert_eq!(status["app_id"], "gmail");
}

#[tokio::test]
async fn links_get_the_origin_of_the_tenants_website() {
    let stage = Stage::start().await;
    let allowed = async |body: Value| {
        let mut members = json!({"app_id": "gmail", "name": "Mail"});
        members.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let (status, answer) = stage.post("/connections/request-link", &stage.owner, &members).await;
        assert_eq!(status, 200, "{answer}");
        let text = |name: &str| answer["data"][name].as_str().unwrap().to_owned();
        let seen =
            Browser::new().get_with(&text("status_url"), "x-request-token", &text("request_token")).await;
        assert!(!seen.html.contains("product.example"), "{}", seen.html);
        seen.headers["access-control-allow-origin"].to_str().unwrap().to_owned()
    };
    assert_eq!(allowed(json!({})).await, "*");
    let (store, tenant) = (&stage.app.store, &stage.owner.tenant);
    assert!(store.set_tenant_website(tenant, Some("https://Product.example:443/start")).await.unwrap());
    assert!(!store.set_tenant_website("ten_unknown", Some("https://evil.example")).await.unwrap());
    assert_eq!(allowed(json!({})).await, PRODUCT);
    let own = "https://app.example.com";
    assert_eq!(allowed(json!({"allowed_origin": own})).await, own);
    assert!(store.set_tenant_website(tenant, None).await.unwrap());
    assert_eq!(allowed(json!({})).await, "*");
    let audit = store.audit(tenant).await.unwrap();
    let changes = audit.iter().filter(|line| line.action == "tenant.website_changed");
    assert_eq!(changes.count(), 2);
}
