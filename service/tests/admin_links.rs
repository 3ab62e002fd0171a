//! The page on which an organisation's OAuth clients are looked after.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use connect_service::config::Config;
use fixture_support::{Answer, Platform, Provider, Visit, param, text};
use serde_json::{Value, json};
use url::form_urlencoded;

const APP: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
"#;

const CLIENT: &str = "/organizations/north/apps/fixture/oauth-client";

/// A service with a client for the organisation, and a connection that depends on it.
async fn stage(provider: &Provider) -> (Platform, String) {
    stage_with(provider, |_| {}).await
}

async fn stage_with(provider: &Provider, configure: impl FnOnce(&mut Config)) -> (Platform, String) {
    let platform = provider.platform_configured(APP, configure).await;
    let client = json!({"client_id": "client-north", "client_secret": "canary-old"});
    platform.call("PUT", CLIENT).json(&client).await.data();
    let tokens = json!({"access_token": "canary-at", "refresh_token": "canary-rt", "expires_in": 3600});
    provider.will_say(&[(200, tokens)]);
    let link = json!({"app_id": "fixture", "name": "Work", "organization": {"id": "north"}});
    let link = platform.link(link).await;
    let visit = Visit::open(&platform, &link).await;
    let left = visit.to_provider(&[]).await;
    visit.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(platform.status(&visit.connection_id).await, "active");
    let id = visit.connection_id.clone();
    provider.seen();
    (platform, id)
}

/// An admin's browser with the page open.
struct Admin<'a> {
    platform: &'a Platform,
    path: String,
    cookie: String,
    csrf_token: String,
    page: Answer,
}

async fn link(platform: &Platform) -> String {
    let call = platform.call("POST", "/organizations/north/admin-link").customer("ann@north.example");
    let made = call.json(&json!({"name": "North Ltd"})).await;
    let url = text(&made.data()["admin_link"]);
    format!("//{}", url.split_once("127.0.0.1:8080/").unwrap().1)
}

impl<'a> Admin<'a> {
    async fn open(platform: &'a Platform) -> Self {
        let path = link(platform).await;
        let page = platform.bare("GET", &path).send().await;
        assert_eq!(page.status, 200, "{}", page.text);
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        let (_, rest) = page.text.split_once(r#"name="csrf_token" value=""#).unwrap();
        let csrf_token = rest.split('"').next().unwrap().to_owned();
        Self { platform, path, cookie, csrf_token, page }
    }

    async fn submit(&self, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf_token", &self.csrf_token)
            .append_pair("app_id", "fixture")
            .extend_pairs(fields);
        let call = self.platform.bare("POST", &self.path).header("cookie", &self.cookie);
        call.header("content-type", "application/x-www-form-urlencoded").body(form.finish()).send().await
    }

    async fn change(&self, id: &str, secret: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("action", "change"), ("oauth_client_id", id), ("oauth_client_secret", secret)];
        fields.extend_from_slice(more);
        self.submit(&fields).await
    }
}

async fn reason(platform: &Platform, id: &str) -> Value {
    let connection = platform.call("GET", &format!("/connections/{id}")).send().await;
    connection.data()["reconnection"]["reason"].clone()
}

#[tokio::test]
async fn the_page_shows_all_but_the_secret() {
    let provider = Provider::start().await;
    let (platform, _) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    for shown in [
        "OAuth clients of North Ltd",
        "Acme",
        "client-north",
        "Connections that depend on it: 1.",
        "/oauth/callback/fixture",
        "will invalidate existing sessions for all users",
        "1 connection ends",
        "Entered by Acme on ",
    ] {
        assert!(admin.page.text.contains(shown), "{shown}: {}", admin.page.text);
    }
    // The id of the key that entered it tells nobody here anything.
    assert!(!admin.page.text.contains("canary") && !admin.page.text.contains("key_"), "{}", admin.page.text);
    assert_eq!(admin.page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_new_secret_is_tried_first_and_ends_nothing() {
    let provider = Provider::start().await;
    let (platform, id) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    provider.will_say(&[(401, json!({"error": "invalid_client"}))]);
    let refused = admin.change("client-north", "canary-wrong", &[]).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains("does not accept this secret") && !refused.text.contains("canary"));
    assert_eq!(provider.seen()[0].form["client_secret"], "canary-wrong");

    // A provider that knows the client blames the code.
    provider.will_say(&[(400, json!({"error": "invalid_grant"}))]);
    let stored = admin.change("client-north", "canary-new", &[]).await;
    assert!(stored.text.contains("No connection ended"), "{}", stored.text);
    assert_eq!(reason(&platform, &id).await, json!(null));
    provider.seen();
    platform.advance(3600);
    provider.will_say(&[(200, json!({"access_token": "canary-at-2"}))]);
    platform.token(&id).await.data();
    assert_eq!(provider.seen()[0].form["client_secret"], "canary-new");
    let client = platform.call("GET", CLIENT).send().await;
    assert_eq!(client.data()["set_by"], "ann@north.example");
}

#[tokio::test]
async fn another_client_ends_the_sessions_once_that_is_confirmed() {
    let provider = Provider::start().await;
    let (platform, id) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    let refused = admin.change("client-new", "canary-new", &[]).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("Confirm it here"), "{}", refused.text);
    assert!(
        refused.text.contains("value=\"client-new\"") && !refused.text.contains("canary"),
        "{}",
        refused.text
    );
    assert_eq!(platform.call("GET", CLIENT).send().await.data()["client_id"], "client-north");
    assert_eq!(reason(&platform, &id).await, json!(null));

    let stored = admin.change("client-new", "canary-new", &[("confirm", "yes")]).await;
    assert!(stored.text.contains("Everybody has to connect again"), "{}", stored.text);
    assert_eq!(reason(&platform, &id).await, "client_changed");
    assert_eq!(platform.call("GET", CLIENT).send().await.data()["client_id"], "client-new");
}

#[tokio::test]
async fn a_client_is_removed_once_that_is_confirmed() {
    let provider = Provider::start().await;
    let (platform, id) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    assert_eq!(admin.submit(&[("action", "remove")]).await.status, 400);
    platform.call("GET", CLIENT).send().await.data();
    let removed = admin.submit(&[("action", "remove"), ("confirm", "yes")]).await;
    assert!(removed.text.contains("Connections that ended: 1"), "{}", removed.text);
    assert_eq!(reason(&platform, &id).await, "client_changed");
    platform.call("GET", CLIENT).send().await.is_error(404, "oauth_client_not_found");
    // A page that is still open changes nothing any more.
    let late = admin.change("evil", "canary", &[("confirm", "yes")]).await;
    assert!(late.text.contains("has no OAuth client any more"), "{}", late.text);
    platform.call("GET", CLIENT).send().await.is_error(404, "oauth_client_not_found");
}

#[tokio::test]
async fn the_link_is_for_one_browser_and_ten_minutes() {
    let provider = Provider::start().await;
    let (platform, _) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    let again = platform.bare("GET", &admin.path).header("cookie", &admin.cookie).send().await;
    assert_eq!(again.status, 200, "the same browser may load it again");
    let other = platform.bare("GET", &admin.path).send().await;
    assert_eq!(other.status, 403);
    assert!(!other.text.contains("client-north"), "{}", other.text);

    // What is fetched in advance opens nothing.
    let path = link(&platform).await;
    let prefetched = platform.bare("GET", &path).header("sec-purpose", "prefetch").send().await;
    assert_eq!((prefetched.status, prefetched.header("set-cookie")), (403, ""));
    assert_eq!(platform.bare("GET", &path).send().await.status, 200);

    // A request with neither the cookie nor the form's token changes nothing.
    let fields = [("action", "remove"), ("confirm", "yes")];
    for forged in [
        Admin { cookie: "connect=".to_owned() + &"x".repeat(43), ..copy(&admin) },
        Admin { csrf_token: "x".repeat(43), ..copy(&admin) },
        Admin { path: "//platform/v1/admin/".to_owned() + &"x".repeat(43), ..copy(&admin) },
    ] {
        let refused = forged.submit(&fields).await;
        assert!([403, 404].contains(&refused.status), "{}", refused.status);
    }
    platform.advance(10 * 60);
    assert_eq!(admin.submit(&fields).await.status, 410);
    let late = platform.bare("GET", &admin.path).header("cookie", &admin.cookie).send().await;
    assert_eq!(late.status, 410);
    platform.call("GET", CLIENT).send().await.data();
}

fn copy<'a>(admin: &Admin<'a>) -> Admin<'a> {
    let page = Answer { status: 0, headers: http::HeaderMap::new(), text: String::new(), json: Value::Null };
    Admin {
        platform: admin.platform,
        path: admin.path.clone(),
        cookie: admin.cookie.clone(),
        csrf_token: admin.csrf_token.clone(),
        page,
    }
}

#[tokio::test]
async fn a_page_is_for_its_own_tenant_and_organization() {
    let provider = Provider::start().await;
    let (platform, _) = stage(&provider).await;
    let south = json!({"client_id": "client-south", "client_secret": "canary"});
    platform.call("PUT", "/organizations/south/apps/fixture/oauth-client").json(&south).await.data();
    let admin = Admin::open(&platform).await;
    assert!(!admin.page.text.contains("client-south"));

    let other = platform.another_key(&connect_service::store::Capability::ALL).await;
    let call = platform.call("POST", "/organizations/north/admin-link").key(&other);
    let made = call.json(&json!({})).await;
    let url = text(&made.data()["admin_link"]);
    let path = format!("//{}", url.split_once("127.0.0.1:8080/").unwrap().1);
    let page = platform.bare("GET", &path).send().await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("client-north"), "{}", page.text);

    for (path, body) in [
        ("/organizations/ann@north.example/admin-link", json!({})),
        ("/organizations/north/admin-link", json!({"name": "a\nb"})),
        ("/organizations/north/admin-link", json!({"email": "ann@north.example"})),
    ] {
        platform.call("POST", path).json(&body).await.is_error(400, "invalid_request");
    }
    let nobody = platform.call("POST", "/organizations/north/admin-link").without("x-user-email");
    nobody.json(&json!({})).await.is_error(400, "invalid_user_email");
}

#[tokio::test]
async fn what_is_no_client_stays_on_the_page() {
    let provider = Provider::start().await;
    let (platform, id) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    let long = "canary".repeat(1700);
    for (client_id, secret) in [
        ("", "canary"),
        ("client-north", ""),
        ("client-north", "canary\u{7}"),
        ("client-north", "can\r\nary"),
        ("client-north", "can\u{e9}ary"),
        ("client-north", long.as_str()),
        ("cli\nent", "canary"),
        ("<script>", ""),
    ] {
        let page = admin.change(client_id, secret, &[("confirm", "yes")]).await;
        assert_eq!(page.status, 400, "{client_id} {secret:.20}");
        assert!(!page.text.contains("canary") && !page.text.contains("<script>"), "{}", page.text);
    }
    // A secret in the address is none, and comes back in nothing.
    let address = format!("{}?oauth_client_secret=canary&oauth_client_id=evil&action=change", admin.path);
    let page = platform.bare("GET", &address).header("cookie", &admin.cookie).send().await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("canary") && !page.text.contains("evil"), "{}", page.text);
    assert!(provider.seen().is_empty());
    assert_eq!(platform.call("GET", CLIENT).send().await.data()["client_id"], "client-north");
    assert_eq!(reason(&platform, &id).await, json!(null));
}

/// The page of one link, with the form of another: neither changes anything.
#[tokio::test]
async fn a_form_belongs_to_its_own_link() {
    let provider = Provider::start().await;
    let (platform, _) = stage(&provider).await;
    let (one, two) = (Admin::open(&platform).await, Admin::open(&platform).await);
    let fields = [("action", "remove"), ("confirm", "yes")];
    let swapped = Admin { csrf_token: two.csrf_token.clone(), ..copy(&one) };
    assert_eq!(swapped.submit(&fields).await.status, 403);
    let elsewhere = Admin { path: two.path.clone(), ..copy(&one) };
    assert_eq!(elsewhere.submit(&fields).await.status, 403);
    platform.call("GET", CLIENT).send().await.data();
}

/// Otherwise the page would tell the holder of a link which secret is right.
#[tokio::test]
async fn a_link_tries_ten_secrets() {
    let provider = Provider::start().await;
    let (platform, _) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    provider.will_say(&[(401, json!({"error": "invalid_client"}))]);
    for _ in 0..10 {
        assert_eq!(admin.change("client-north", "canary-wrong", &[]).await.status, 400);
    }
    assert_eq!(provider.seen().len(), 10);
    let refused = admin.change("client-north", "canary-wrong", &[]).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert!(provider.seen().is_empty());
    // Another link begins anew.
    let next = Admin::open(&platform).await;
    assert_eq!(next.change("client-north", "canary-wrong", &[]).await.status, 400);
}

#[tokio::test]
async fn trying_secrets_counts_toward_the_tenants_budget() {
    let provider = Provider::start().await;
    let (platform, _) = stage_with(&provider, |config| config.budgets.verification = 2).await;
    provider.will_say(&[(401, json!({"error": "invalid_client"}))]);
    for expected in [400, 400, 429] {
        let admin = Admin::open(&platform).await;
        let refused = admin.change("client-north", "canary-wrong", &[]).await;
        assert_eq!(refused.status, expected, "{}", refused.text);
    }
    assert_eq!(provider.seen().len(), 2);

    // Where nothing is checked, it is stored as it is.
    let (platform, _) = stage_with(&provider, |config| config.budgets.verification = 0).await;
    let stored = Admin::open(&platform).await.change("client-north", "canary-new", &[]).await;
    assert!(stored.text.contains("No connection ended"), "{}", stored.text);
    assert!(provider.seen().is_empty());
}

#[tokio::test]
async fn a_link_has_a_budget() {
    let provider = Provider::start().await;
    let (platform, _) = stage_with(&provider, |config| config.budgets.status = 5).await;
    let admin = Admin::open(&platform).await;
    let load = async || platform.bare("GET", &admin.path).header("cookie", &admin.cookie).send().await;
    for _ in 0..2 {
        assert_eq!(load().await.status, 200);
        assert_eq!(admin.submit(&[("action", "remove")]).await.status, 400);
    }
    let refused = load().await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(admin.submit(&[("action", "remove"), ("confirm", "yes")]).await.status, 429);
    platform.call("GET", CLIENT).send().await.data();
}

/// What the links of a disabled tenant lead to is the same as what unknown ones lead to.
#[tokio::test]
async fn no_public_route_knows_a_disabled_tenant() {
    let provider = Provider::start().await;
    let (platform, _) = stage(&provider).await;
    let admin = Admin::open(&platform).await;
    let made = platform.link(json!({"app_id": "fixture", "name": "Work"})).await;
    let visit = Visit::open(&platform, &made).await;
    let left = visit.to_provider(&[]).await;
    let state = param(&left, "state").unwrap();
    let (id, token) = (text(&made["connection_id"]), text(&made["request_token"]));
    let page = text(&made["request_link"]);
    let secret = page.rsplit('/').next().unwrap();
    let admin_secret = admin.path.rsplit('/').next().unwrap();
    let unknown = "x".repeat(43);
    provider.seen();
    assert!(platform.app.store.disable_tenant(&platform.tenant).await.unwrap());
    for (method, route, secret) in [
        ("GET", "connect/", secret),
        ("POST", "connect/", secret),
        ("GET", "authorize/", secret),
        ("POST", "authorize/", secret),
        ("GET", "admin/", admin_secret),
        ("POST", "admin/", admin_secret),
        ("GET", "oauth/result/", &state),
        ("GET", "oauth/callback/fixture?code=c0de&state=", &state),
    ] {
        let ask = async |secret: &str| {
            let call = platform.bare(method, &format!("//platform/v1/{route}{secret}"));
            let of_admin = route.starts_with("admin");
            let call = call.header("cookie", if of_admin { &admin.cookie } else { &visit.cookie });
            let answer = match method {
                "GET" => call.send().await,
                _ => {
                    let form =
                        format!("csrf_token={}&app_id=fixture&action=remove&confirm=yes", admin.csrf_token);
                    call.header("content-type", "application/x-www-form-urlencoded").body(form).send().await
                }
            };
            (answer.status, answer.text)
        };
        assert_eq!(ask(secret).await, ask(&unknown).await, "{method} {route}");
    }
    for (method, path) in [("GET", "status"), ("GET", "auth-options"), ("POST", "submit")] {
        let call = platform.public(method, &format!("/connections/{id}/{path}"), &token);
        let refused = if method == "POST" { call.json(&json!({})).await } else { call.send().await };
        assert!([401, 404].contains(&refused.status), "{path}: {}", refused.text);
    }
    assert!(provider.seen().is_empty(), "no code is redeemed");
    assert!(platform.app.store.enable_tenant(&platform.tenant).await.unwrap());
    platform.call("GET", CLIENT).send().await.data();
}
