//! Connecting: the guide's five steps, and what customers and attackers do in between.

use std::collections::HashMap;

use connect_tests::browser::{Browser, Page, query};
use futures_util::future::join_all;
use pabbly_connect::ExposeSecret as _;
use pabbly_connect::{ConnectionStatus, Error, RequestLink};
use reqwest::Method;

use crate::support::{
    ALICE, KEY_APP, OAUTH_APP, Raw, Stage, access_token, answer, api_status, approve, to_provider,
};

async fn status(stage: &Stage, id: &str) -> ConnectionStatus {
    stage.alice().get_connection(id).await.unwrap().status
}

#[tokio::test]
async fn the_guides_five_steps() {
    let stage = Stage::start().await;
    let client = stage.client();
    let apps = client.list_apps().search("gmail").await.unwrap();
    assert_eq!(apps.items[0].id, OAUTH_APP);
    let alice = client.customer(ALICE).unwrap();
    let link = alice.create_request_link(&apps.items[0].id, "Work Gmail").await.unwrap();
    assert_eq!(status(&stage, &link.connection_id).await, ConnectionStatus::Pending);

    let done = approve(&Browser::new().unwrap(), &link).await;
    assert_eq!(done.status, 200);
    let connection = alice.wait_for_connection(&link.connection_id).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Active);

    let token = alice.get_token(&link.connection_id).await.unwrap();
    assert!(token.expires_in.is_some_and(|seconds| (1..=3600).contains(&seconds)));
    let access_token = token.access_token.unwrap().expose_secret().to_owned();
    assert_eq!(api_status(&stage.provider, &access_token).await, 200);
}

#[tokio::test]
async fn an_api_key_app_vends_its_fields_and_only_the_first_submit_counts() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    let link = alice.create_request_link(KEY_APP, "Mail").await.unwrap();
    let browser = Browser::new().unwrap();
    let form = browser.open(&link.request_link).await.unwrap();
    let first = browser.press(&form, CONNECT, &[(KEY_FIELD, "SG.first")]).await.unwrap();
    let second = browser.press(&form, CONNECT, &[(KEY_FIELD, "SG.second")]).await.unwrap();
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(second.text(), first.text(), "both see that it is done");

    let token = alice.get_token(&link.connection_id).await.unwrap();
    assert_eq!(token.fields.unwrap().get("api_key").unwrap().expose_secret(), "SG.first");
    assert!(token.access_token.is_none() && token.expires_in.is_none());
}

/// A customer fills in an API-key app's form.
pub(crate) async fn connect_with_key(link: &RequestLink, value: &str) {
    let browser = Browser::new().unwrap();
    let form = browser.open(&link.request_link).await.unwrap();
    let done = browser.press(&form, CONNECT, &[(KEY_FIELD, value)]).await.unwrap();
    assert_eq!(done.status, 200, "{}", done.text());
}

#[tokio::test]
async fn two_submits_at_once_make_one_connection() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    let link = alice.create_request_link(KEY_APP, "Mail").await.unwrap();
    let browser = Browser::new().unwrap();
    let form = browser.open(&link.request_link).await.unwrap();
    let values: Vec<_> = (0..8).map(|n| format!("SG.{n}")).collect();
    let fills: Vec<_> = values.iter().map(|value| [(KEY_FIELD, value.as_str())]).collect();
    let pages = join_all(fills.iter().map(|fill| browser.press(&form, CONNECT, fill))).await;
    for page in pages {
        assert_eq!(page.unwrap().status, 200);
    }
    let vended = || async {
        let fields = alice.get_token(&link.connection_id).await.unwrap().fields.unwrap();
        fields.get("api_key").unwrap().expose_secret().to_owned()
    };
    let stored = vended().await;
    assert!(values.contains(&stored));
    assert_eq!(vended().await, stored);
    assert_eq!(alice.list_connections().await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_customer_who_declines_at_the_provider_is_rejected() {
    let stage = Stage::start().await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let browser = Browser::new().unwrap();
    let consent = to_provider(&browser, &link.request_link).await;
    browser.press(&consent, "Deny", &[]).await.unwrap();
    assert_eq!(status(&stage, &link.connection_id).await, ConnectionStatus::Rejected);
    stage.raw().token(&link.connection_id).await.assert_error(409, "connection_not_active");
}

#[tokio::test]
async fn a_customer_who_declines_on_the_hosted_page_is_rejected() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    let link = alice.create_request_link(OAUTH_APP, "Work Gmail");
    let link = link.return_url("https://product.example/back?tab=2").await.unwrap();
    let browser = Browser::new().unwrap();
    let hosted = browser.open(&link.request_link).await.unwrap();
    let back = browser.press(&hosted, DECLINE, &[]).await.unwrap();
    assert_eq!(status(&stage, &link.connection_id).await, ConnectionStatus::Rejected);
    assert_returned(&back, &link.connection_id, "rejected");
}

#[tokio::test]
async fn a_return_address_gets_the_outcome_and_no_secret() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    let link = alice.create_request_link(OAUTH_APP, "Work Gmail");
    let link = link.return_url("https://product.example/back?tab=2").await.unwrap();
    let back = approve(&Browser::new().unwrap(), &link).await;
    assert_returned(&back, &link.connection_id, "active");
    for secret in stage.provider.secrets() {
        assert!(!back.url.as_str().contains(&secret));
    }
    assert!(!back.url.as_str().contains(link.request_token.expose_secret()));
}

fn assert_returned(page: &Page, id: &str, status: &str) {
    assert!(page.left, "still at {}: {}", page.url, page.text());
    assert!(page.url.as_str().starts_with("https://product.example/back?"), "{}", page.url);
    let mut query = query(&page.url);
    query.remove("operation");
    let mut expected = HashMap::from([("tab", "2"), ("connection_id", id), ("status", status)]);
    if status == "rejected" {
        let error = r#"{"code":"access_denied","message":"Access was not given"}"#;
        expected.extend([
            ("error", "access_denied"),
            ("error_description", "Access was not given"),
            ("errorData", error),
        ]);
    }
    let query: HashMap<_, _> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(query, expected);
}

/// Nobody can finish a flow with a state that is made up, was used, or belongs to another browser.
#[tokio::test]
async fn a_forged_replayed_or_stolen_state_changes_nothing() {
    let stage = Stage::start().await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let browser = Browser::new().unwrap();
    let forged = format!("{}?code=code-forged&state=forged", stage.home.redirect_uri(OAUTH_APP));
    let page = browser.open(&forged).await.unwrap();
    assert_eq!(page.status, 400, "{}", page.text());

    let consent = to_provider(&browser, &link.request_link).await;
    let state = query(&consent.url)["state"].clone();
    let stolen = format!("{}?code=code-of-the-attacker&state={state}", stage.home.redirect_uri(OAUTH_APP));
    let page = Browser::new().unwrap().open(&stolen).await.unwrap();
    assert_eq!(page.status, 400, "another browser, without the cookie: {}", page.text());
    assert_eq!(status(&stage, &link.connection_id).await, ConnectionStatus::Pending);
    assert_eq!(stage.provider.counts().exchanges, 0);

    let done = browser.press(&consent, "Allow", &[]).await.unwrap();
    assert_eq!(status(&stage, &link.connection_id).await, ConnectionStatus::Active);
    let callback = done.visited.iter().find(|url| url.path().contains("/oauth/callback/")).unwrap();
    let replayed = browser.open(callback.as_str()).await.unwrap();
    assert_eq!(replayed.url, done.url, "the same result");
    assert_eq!(replayed.html, done.html);
    assert_eq!(status(&stage, &link.connection_id).await, ConnectionStatus::Active);
    assert_eq!(stage.provider.counts().exchanges, 1);
}

#[tokio::test]
async fn the_hosted_page_keeps_to_itself() {
    let stage = Stage::start().await;
    let alice = stage.alice();
    for app in [OAUTH_APP, KEY_APP] {
        let link = alice.create_request_link(app, "Mine").await.unwrap();
        let page = Browser::new().unwrap().open(&link.request_link).await.unwrap();
        assert_eq!(page.count("script, [onclick], [onsubmit], [style*=expression]"), 0);
        assert_eq!(page.count("html[lang]"), 1);
        assert_eq!(page.count("main h1"), 1, "{}", page.html);
        assert_eq!(page.count("input:not([type=hidden]):not([id])"), 0, "every input can have a label");
        let header =
            |name: &str| page.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
        let policy = header("content-security-policy");
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action"] {
            assert!(policy.contains(directive), "{directive} is missing: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert!(header("cache-control").contains("no-store"));
    }
}

#[tokio::test]
async fn a_link_that_does_not_exist_says_so() {
    let stage = Stage::start().await;
    let link = stage.alice().create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let wrong = format!("{}x", link.request_link);
    assert_eq!(Browser::new().unwrap().open(&wrong).await.unwrap().status, 404);
}

/// Another tenant's connection, another customer's and none at all look the same, byte for byte.
#[tokio::test]
async fn others_connections_do_not_exist() {
    let stage = Stage::start().await;
    let id = stage.connected().await;
    let other = Raw::new(&stage.service, &stage.home.tenant_key("Other").await.unwrap());
    let own = stage.raw();
    let calls = [
        (Method::GET, ""),
        (Method::POST, "/token"),
        (Method::DELETE, ""),
        (Method::PUT, "/usages/wf1"),
        (Method::DELETE, "/usages/wf1"),
    ];
    for (method, tail) in calls {
        let path = |id: &str| format!("/connections/{id}{tail}");
        let unknown = answer(own.request(method.clone(), &path(&mirrored(&id)))).await;
        unknown.assert_error(404, "connection_deleted");
        let others = answer(other.request(method.clone(), &path(&id))).await;
        let bobs = answer(own.request_of("bob@example.com", method.clone(), &path(&id))).await;
        for seen in [&others, &bobs] {
            assert_eq!((seen.status, &seen.text), (unknown.status, &unknown.text), "{method} {tail}");
            let (seen, unknown) = (header_names(seen), header_names(&unknown));
            assert_eq!(seen, unknown, "{method} {tail}");
        }
    }
    assert_eq!(status(&stage, &id).await, ConnectionStatus::Active);
}

/// An id of the same shape that nobody has.
fn mirrored(id: &str) -> String {
    let (prefix, random) = id.split_once('_').unwrap_or(("", id));
    format!("{prefix}_{}", random.chars().rev().collect::<String>())
}

fn header_names(answer: &crate::support::Answer) -> Vec<String> {
    let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_repeated_request_link_is_the_same_link() {
    let stage = Stage::start().await;
    let raw = stage.raw();
    let first = raw.link("order-1", "Work Gmail").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(raw.link("order-1", "Work Gmail").await.data(), first.data());
    raw.link("order-1", "Another name").await.assert_error(422, "idempotency_key_reused");
    assert_ne!(raw.link("order-2", "Work Gmail").await.data(), first.data());

    let at_once = join_all((0..10).map(|_| raw.link("order-3", "Work Gmail"))).await;
    let made: Vec<_> = at_once.iter().filter(|answer| answer.status == 200).collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|answer| answer.data() == made[0].data()), "ten at once made different links");

    let stage = stage.restarted().await;
    assert_eq!(stage.raw().link("order-1", "Work Gmail").await.data(), first.data(), "after kill -9");
    assert_eq!(connections(&stage).await, 3);
}

async fn connections(stage: &Stage) -> usize {
    stage.raw().get("/connections?limit=100").await.data()["connections"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_connection_in_use_cannot_be_deleted() {
    let stage = Stage::start().await;
    let id = stage.connected().await;
    let (alice, raw) = (stage.alice(), stage.raw());
    let usage = format!("/connections/{id}/usages/workflow-1");
    assert_eq!(answer(raw.request(Method::PUT, &usage)).await.status, 200);
    let error = alice.delete_connection(&id).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionInUse(_)), "{error:?}");
    access_token(&alice, &id).await;

    assert_eq!(answer(raw.request(Method::DELETE, &usage)).await.status, 200);
    alice.delete_connection(&id).await.unwrap();
    let error = alice.get_token(&id).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionDeleted(_)), "{error:?}");
}

/// A key without a capability is refused for exactly that group of calls.
#[tokio::test]
async fn capabilities_are_separate() {
    let stage = Stage::start().await;
    let id = stage.connected().await;
    let tenant = stage.home.run(&["tenant", "create", "Narrow"]).await.unwrap();
    let calls = [
        ("apps", Method::GET, "/apps".to_owned()),
        ("connections", Method::GET, "/connections".to_owned()),
        ("token", Method::POST, format!("/connections/{id}/token")),
        ("delete", Method::DELETE, format!("/connections/{id}")),
    ];
    for (capability, ..) in &calls {
        let raw = Raw::new(&stage.service, &stage.home.key(&tenant, capability).await.unwrap());
        for (needed, method, path) in &calls {
            let refused = answer(raw.request(method.clone(), path)).await.code() == "capability_disabled";
            assert_eq!(refused, needed != capability, "a key for {capability} at {method} {path}");
        }
    }
}

/// The texts on the hosted page that these tests press, and the name of its one input.
const CONNECT: &str = "Connect";
const DECLINE: &str = "Cancel";
const KEY_FIELD: &str = "api_key";
