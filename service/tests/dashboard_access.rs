//! Who may use which address of the dashboard, for every address that there is; and what holds for every page.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use connect_service::config::Config;
use connect_service::dashboard::{Access, Endpoint, endpoints};
use connect_service::store::{Actor, Role};
use http::Method;
use serde_json::json;
use support::{ALICE, Answer, Browser, Platform, csrf_token};

const OWNER: &str = "owner@acme.example";

/// Whom a browser belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    /// Signed in, and no member.
    Stranger,
    Member(Role),
}

const EVERYBODY: [Who; 5] = [
    Who::Nobody,
    Who::Stranger,
    Who::Member(Role::Viewer),
    Who::Member(Role::Member),
    Who::Member(Role::Owner),
];

/// A service with something for each variable part of an address.
struct World {
    platform: Platform,
    connection: String,
    key: String,
}

impl World {
    async fn new() -> Self {
        let mut config = Config::default();
        config.dashboard.self_service = true;
        let platform = Platform::with(config).await;
        let connection = platform.connected().await;
        let store = &platform.app.store;
        for role in Role::ALL {
            store
                .put_member(&platform.tenant, &email(Who::Member(role)), role, Actor::CommandLine)
                .await
                .unwrap();
        }
        let key = store.keys(&platform.tenant).await.unwrap().remove(0).id;
        Self { platform, connection, key }
    }

    async fn browser(&self, who: Who) -> Browser {
        match who {
            Who::Nobody => self.platform.browser(),
            who => self.platform.signed_in(&email(who)).await,
        }
    }

    fn path(&self, endpoint: &Endpoint) -> String {
        let connection = match endpoint.access {
            // Of the customer's own.
            Access::Account => "conn_000000000000000000000000",
            _ => &self.connection,
        };
        endpoint
            .path
            .replace("{tenant}", &self.platform.tenant)
            .replace("{connection_id}", connection)
            .replace("{key}", &self.key)
            .replace("{session}", "ses_unknown")
            .replace("{secret}", "unknown")
    }

    /// What could have been changed.
    async fn state(&self) -> String {
        let count = |table: &str| format!("(SELECT COUNT(*) FROM {table})");
        let tables = ["audit", "keys", "connections", "links", "members", "tenants", "sign_ins", "sessions"];
        let query = format!("SELECT {}", tables.map(count).join(" || ' ' || "));
        self.platform.database.connect().await.text(&query).await
    }
}

fn email(who: Who) -> String {
    match who {
        Who::Nobody => unreachable!(),
        Who::Stranger => "stranger@example.com".into(),
        Who::Member(role) => format!("{}@acme.example", role.as_str()),
    }
}

/// A token that belongs to the browser: signed in or not, every page has a form.
async fn token(browser: &mut Browser) -> String {
    let page = browser.get("/dashboard/sessions").await;
    let page = if page.status == 303 { browser.get("/dashboard/sign-in").await } else { page };
    if page.text.contains("csrf_token") { csrf_token(&page) } else { csrf_token(&forms(browser).await) }
}

/// A page with a form for somebody who is not signed in, where no mail is configured.
async fn forms(browser: &mut Browser) -> Answer {
    browser.get("/dashboard/sign-in").await
}

async fn send(browser: &mut Browser, endpoint: &Endpoint, path: &str, token: &str) -> Answer {
    if endpoint.method == Method::GET {
        return browser.get(path).await;
    }
    let fields = [
        ("csrf_token", token),
        ("name", "Name"),
        ("capabilities", "apps"),
        ("email", "new@example.com"),
        ("role", "viewer"),
    ];
    browser.post(path, &fields).await
}

fn is_sign_in(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location").starts_with("/dashboard/sign-in")
}

#[tokio::test]
async fn each_role_reaches_what_it_may_and_nothing_else() {
    let mut checked = 0;
    for endpoint in endpoints() {
        if endpoint.access == Access::Anyone {
            continue;
        }
        let mut world = World::new().await;
        for who in EVERYBODY {
            let (mut browser, path) = (world.browser(who).await, world.path(&endpoint));
            let token = if who == Who::Nobody { String::new() } else { token(&mut browser).await };
            let before = world.state().await;
            let answer = send(&mut browser, &endpoint, &path, &token).await;
            let what = format!("{who:?} {} {path}: {} {}", endpoint.method, answer.status, answer.text);
            let may = match (endpoint.access, who) {
                (_, Who::Nobody) => {
                    assert!(is_sign_in(&answer), "{what}");
                    false
                }
                (Access::Tenant(_), Who::Stranger) => {
                    assert_eq!(answer.status, 404, "{what}");
                    false
                }
                (Access::Tenant(needed), Who::Member(role)) if role < needed => {
                    assert_eq!(answer.status, 403, "{what}");
                    assert!(answer.text.contains("Your role does not allow this"), "{what}");
                    false
                }
                (Access::Tenant(_), Who::Member(_)) => {
                    // Promotion and MCP URLs that there are not, which a page says.
                    assert!([200, 303, 400, 404].contains(&answer.status), "{what}");
                    assert!(!is_sign_in(&answer), "{what}");
                    if answer.status == 404 {
                        assert!(
                            path.ends_with("/mcp-url/revoke") || path.ends_with("/members/remove"),
                            "{what}"
                        );
                    }
                    true
                }
                _ => {
                    // Where no mail is configured, nobody can be sent a link.
                    let is_told = answer.status == 403 && path.ends_with("/sign-in/again");
                    assert!([200, 303, 404].contains(&answer.status) || is_told, "{what}");
                    true
                }
            };
            if !may || endpoint.method == Method::GET {
                assert_eq!(world.state().await, before, "{what}");
            } else {
                world = World::new().await;
            }
            checked += 1;
        }
    }
    assert!(checked >= 5 * 25, "{checked}");
}

#[tokio::test]
async fn every_form_needs_the_token_of_its_browser() {
    let forms: Vec<_> = endpoints().into_iter().filter(|one| one.method == Method::POST).collect();
    assert!(forms.len() >= 15);
    for endpoint in forms {
        let world = World::new().await;
        let path = world.path(&endpoint);
        let (mut browser, mut other) =
            (world.browser(Who::Member(Role::Owner)).await, world.browser(Who::Member(Role::Owner)).await);
        let foreign = token(&mut other).await;
        let before = world.state().await;
        for token in ["", "x", &foreign] {
            let answer = send(&mut browser, &endpoint, &path, token).await;
            assert_eq!(answer.status, 403, "{path}: {}", answer.text);
            assert!(answer.text.contains("The form is out of date"), "{path}: {}", answer.text);
        }
        // As a page of another site could send it.
        let answer = browser.post(&path, &[("email", OWNER)]).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
        assert_eq!(world.state().await, before, "{path}");
    }
}

#[tokio::test]
async fn keys_members_and_deletion_need_a_fresh_sign_in() {
    let fresh: Vec<_> = endpoints().into_iter().filter(|one| one.fresh).collect();
    for part in ["/keys", "/members", "/delete", "/withdraw"] {
        assert!(fresh.iter().any(|one| one.path.contains(part)), "{part}");
    }
    // No form about one of these is left out.
    for endpoint in endpoints().iter().filter(|one| one.method == Method::POST && !one.fresh) {
        for part in ["/keys", "/members", "/delete", "/withdraw"] {
            assert!(!endpoint.path.contains(part), "{}", endpoint.path);
        }
    }
    for endpoint in fresh {
        let world = World::new().await;
        let (mut browser, path) = (world.browser(Who::Member(Role::Owner)).await, world.path(&endpoint));
        let token = token(&mut browser).await;
        world.platform.advance(10 * 60 + 1);
        let before = world.state().await;
        let answer = send(&mut browser, &endpoint, &path, &token).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.text.contains("Sign in once more"), "{path}: {}", answer.text);
        assert_eq!(world.state().await, before, "{path}");
    }
}

/// Of a disabled tenant, its members see what there is, and change nothing.
#[tokio::test]
async fn no_form_of_a_disabled_tenant_is_carried_out() {
    let world = World::new().await;
    let mut browser = world.browser(Who::Member(Role::Owner)).await;
    let token = token(&mut browser).await;
    world.platform.app.store.disable_tenant(&world.platform.tenant).await.unwrap();
    let before = world.state().await;
    let of_tenant = endpoints().into_iter().filter(|one| matches!(one.access, Access::Tenant(_)));
    for endpoint in of_tenant {
        let answer = send(&mut browser, &endpoint, &world.path(&endpoint), &token).await;
        if endpoint.method == Method::GET {
            assert!([200, 303].contains(&answer.status), "{}", endpoint.path);
        } else {
            assert_eq!(answer.status, 403, "{}", endpoint.path);
            assert!(answer.text.contains("The product is disabled"), "{}", answer.text);
        }
    }
    assert_eq!(world.state().await, before);
}

#[tokio::test]
async fn the_first_page_is_found_with_a_slash_too() {
    let platform = Platform::start().await;
    let answer = platform.browser().get("/dashboard/").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/dashboard"));
}

/// Somebody else's session is no way in to the API.
#[tokio::test]
async fn the_api_takes_no_cookie() {
    let world = World::new().await;
    let browser = world.browser(Who::Member(Role::Owner)).await;
    let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let contract = include_str!("../../openapi/platform.yaml");
    let (_, paths) = contract.split_once("\npaths:\n").unwrap();
    let paths = paths.lines().filter_map(|line| line.strip_prefix("  /")?.strip_suffix(':'));
    let paths: Vec<_> = paths.map(|path| format!("/{path}")).collect();
    assert!(paths.iter().any(|path| path == "/tenant/connections"), "{paths:?}");
    for path in paths {
        let path = path.replace("{connectionId}", &world.connection).replace("{keyId}", &world.key);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let call = world.platform.bare(method, &path).header("cookie", &cookies.join("; "));
            let answer = call.header("x-user-email", ALICE).send().await;
            assert!(
                [400, 401, 403, 404, 405, 406, 415].contains(&answer.status),
                "{method} {path}: {} {}",
                answer.status,
                answer.text
            );
        }
    }
}

/// Connections of all customers are under an address of their own.
#[tokio::test]
async fn connections_without_a_customer_stay_refused() {
    let platform = Platform::start().await;
    platform
        .call("GET", "/connections")
        .without("x-user-email")
        .send()
        .await
        .is_error(400, "invalid_user_email");
}

/// Pages as an owner sees them, each with something on it.
async fn pages(world: &World) -> Vec<(String, Answer)> {
    let mut browser = world.browser(Who::Member(Role::Owner)).await;
    let mut pages = Vec::new();
    for endpoint in endpoints().iter().filter(|one| one.method == Method::GET) {
        let path = world.path(endpoint);
        let answer = browser.get(&path).await;
        pages.push((path, answer));
    }
    let mut customer = world.platform.signed_in(ALICE).await;
    for path in [
        "/dashboard/my-connections".to_owned(),
        format!("/dashboard/my-connections/{}/withdraw", world.connection),
    ] {
        let answer = customer.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        pages.push((path, answer));
    }
    let keys = format!("/dashboard/tenants/{}/keys", world.platform.tenant);
    let generated = browser.submit(&keys, &keys, &[("name", "Backend"), ("capabilities", "apps")]).await;
    pages.push((format!("POST {keys}"), generated));
    let link = format!("/dashboard/tenants/{}/connections/{}/link", world.platform.tenant, world.connection);
    let linked = browser.submit("/dashboard/sessions", &link, &[]).await;
    assert_eq!(linked.status, 200, "{}", linked.text);
    pages.push((format!("POST {link}"), linked));
    pages
}

#[tokio::test]
async fn every_page_is_private_and_inert() {
    for (path, answer) in pages(&World::new().await).await {
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-robots-tag"), "noindex", "{path}");
        if answer.status == 303 {
            assert!(answer.header("location").starts_with("/dashboard"), "{path}");
            continue;
        }
        let policy = answer.header("content-security-policy");
        for directive in
            ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
        {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
        // No script but the file's, and no handler in an attribute.
        for tag in answer.text.split("<script").skip(1) {
            assert!(tag.starts_with(" src=\"/dashboard/assets/"), "{path}");
        }
        let handler = |text: &str| {
            let name = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
            name > 0 && text[name..].starts_with('=')
        };
        assert!(!answer.text.split(" on").skip(1).any(handler), "{path}");
        assert!(!answer.text.contains("style=\""), "{path}");
    }
}

#[tokio::test]
async fn style_and_script_are_kept_by_browsers() {
    let platform = Platform::start().await;
    let mut browser = platform.signed_in(OWNER).await;
    let page = browser.get("/dashboard/sessions").await;
    for (start, kind) in
        [("href=\"/dashboard/assets/", "text/css"), ("src=\"/dashboard/assets/", "text/javascript")]
    {
        let name = support::between(&page.text, start, "\"").unwrap();
        let answer = platform.browser().get(&format!("/dashboard/assets/{name}")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with(kind));
        assert!(answer.header("cache-control").contains("immutable"));
    }
    assert_eq!(platform.browser().get("/dashboard/assets/other.css").await.status, 404);
}

/// Names come from tenants, customers and providers.
#[tokio::test]
async fn no_name_becomes_markup() {
    const NAME: &str = "\"'><script>x()</script><img src=x onerror=y()>&amp;{{7*7}}";
    let world = World::new().await;
    let (platform, id) = (&world.platform, &world.connection);
    let update = platform.call("PATCH", &format!("/connections/{id}"));
    let body = json!({"name": NAME, "customer_id": NAME, "customer_name": NAME, "metadata": {NAME: NAME}});
    update.json(&body).await.data();
    platform.app.store.rename_tenant(&platform.tenant, NAME).await.unwrap();
    let account = json!({"id": NAME, "label": NAME, "url": null}).to_string().replace('\'', "''");
    let (organization, usage) = (NAME.replace('\'', "''"), "usage-1");
    let statement = format!(
        "UPDATE connections SET account = '{account}', organization_id = 'org', organization_name = '{organization}',
            provider_message = '{organization}', last_error = 'provider_refused', scopes = '[\"<b>\"]';
         UPDATE sessions SET user_agent = '{organization}'"
    );
    platform.call("PUT", &format!("/connections/{id}/usages/{usage}")).send().await.data();
    let mut named = platform.signed_in(OWNER).await;
    platform.database.connect().await.execute(&statement).await;
    let keys = format!("/dashboard/tenants/{}/keys", platform.tenant);
    let name: String = NAME.chars().take(100).collect();
    let made = named.submit(&keys, &keys, &[("name", &name), ("capabilities", "apps")]).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let search = format!(
        "/dashboard/tenants/{}/connections?search=%22%3E%3Cscript%3Ex()%3C/script%3E&app=%22%3E%3Cscript%3E",
        platform.tenant
    );
    let found = named.get(&search).await;
    let refused = named.post(&keys, &[("csrf_token", &csrf_token(&found)), ("name", "")]).await;
    let sessions = named.get("/dashboard/sessions").await;
    assert!(
        sessions.text.contains("&lt;script&gt;") || sessions.text.contains("&#60;script&#62;"),
        "{}",
        sessions.text
    );
    let mut seen = pages(&world).await;
    seen.extend([
        (keys, made),
        (search, found),
        ("refused".to_owned(), refused),
        ("sessions".to_owned(), sessions),
    ]);
    for (path, page) in seen {
        for markup in ["<script>", "<img", "<b>", "onerror=y()>&amp;{{"] {
            assert!(!page.text.contains(markup), "{path}: {markup} in {}", page.text);
        }
    }
}
