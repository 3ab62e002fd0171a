//! Whose OAuth client an app is connected, refreshed and revoked with.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use connect_service::revocation::{end_sessions, revoke_due};
use connect_service::store::Capability;
use fixture_support::{Answer, Platform, Provider, Visit, param, text};
use serde_json::{Value, json};

const APP: &str = r#"
    type = "o_auth"
    [auth.oauth]
    authorization_url = "PROVIDER/authorize"
    token_url = "PROVIDER/token"
    pkce = false
    [auth.api]
    base_url = "https://api.fixture.example"
    headers = { Client-Id = "{client_id}" }
    [auth.account]
    id = "token:/user"
    [auth.revoke]
    url = "PROVIDER/revoke"
"#;

const OWN: &str = "/apps/fixture/oauth-client";

fn tokens(name: &str) -> Value {
    json!({
        "access_token": format!("canary-at-{name}"),
        "refresh_token": format!("canary-rt-{name}"),
        "expires_in": 3600,
        "user": name,
    })
}

async fn put(platform: &Platform, path: &str, client_id: &str, secret: &str) -> Answer {
    platform.call("PUT", path).json(&json!({"client_id": client_id, "client_secret": secret})).await
}

/// Goes the whole way; gives the connection's id, and the client that the customer was sent to the provider with.
async fn connect(platform: &Platform, provider: &Provider, name: &str) -> (String, String) {
    provider.will_say(&[(200, tokens(name))]);
    let visit = Visit::begin(platform).await;
    let left = visit.to_provider(&[]).await;
    visit.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(platform.status(&visit.connection_id).await, "active");
    let seen = provider.seen();
    let asked = param(&left, "client_id").unwrap();
    assert_eq!(seen[0].form["client_id"], asked, "the code is redeemed by the same client");
    (visit.connection_id, asked)
}

/// Lets a connection's token run out; gives the client and its secret with which it is refreshed.
async fn refreshed_by(platform: &Platform, provider: &Provider, id: &str, name: &str) -> (String, String) {
    platform.advance(3600);
    provider.will_say(&[(200, tokens(name))]);
    let token = platform.token(id).await;
    assert_eq!(token.data()["access_token"], format!("canary-at-{name}"));
    let seen = provider.seen();
    assert_eq!(seen.len(), 1);
    let client = (seen[0].form["client_id"].clone(), seen[0].form["client_secret"].clone());
    assert_eq!(token.data()["api_headers"]["Client-Id"], client.0, "calls carry it, too");
    client
}

fn pair(id: &str, secret: &str) -> (String, String) {
    (id.to_owned(), secret.to_owned())
}

#[tokio::test]
async fn a_connection_keeps_the_client_it_was_made_with() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let (first, asked) = connect(&platform, &provider, "a0").await;
    assert_eq!(asked, "the client");

    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    let (second, asked) = connect(&platform, &provider, "b0").await;
    assert_eq!(asked, "own-1");

    put(&platform, OWN, "own-2", "canary-own-2").await.data();
    let (third, asked) = connect(&platform, &provider, "c0").await;
    assert_eq!(asked, "own-2");

    let operators = pair("the client", "canary-client-secret");
    assert_eq!(refreshed_by(&platform, &provider, &first, "a1").await, operators);
    assert_eq!(refreshed_by(&platform, &provider, &second, "b1").await, pair("own-1", "canary-own-1"));
    assert_eq!(refreshed_by(&platform, &provider, &third, "c1").await, pair("own-2", "canary-own-2"));

    for (id, client) in [(&first, "the client"), (&second, "own-1"), (&third, "own-2")] {
        let deleted = platform.call("DELETE", &format!("/connections/{id}")).send().await;
        assert_eq!(deleted.data(), &json!({"revocation": "requested"}));
        revoke_due(&platform.app).await.unwrap();
        let seen = provider.seen();
        assert_eq!((seen.len(), seen[0].form["client_id"].as_str()), (1, client));
    }
}

#[tokio::test]
async fn the_catalogue_tells_whose_client_it_is() {
    let provider = Provider::start().await;
    let platform = provider.platform_without_client(APP).await;
    let told = async || {
        let app = platform.call("GET", "/apps/fixture").send().await.data().clone();
        let listed = platform.call("GET", "/apps?search=fixture").send().await.data()["apps"][0].clone();
        assert_eq!(app, listed);
        (app["connectable"].clone(), app["client_source"].clone(), text(&app["redirect_uri"]))
    };
    let redirect_uri = "http://127.0.0.1:8080/platform/v1/oauth/callback/fixture".to_owned();
    assert_eq!(told().await, (json!(false), json!(null), redirect_uri.clone()));
    let link = json!({"app_id": "fixture", "name": "Work"});
    let refused = platform.call("POST", "/connections/request-link").json(&link).await;
    refused.is_error(409, "app_not_configured");

    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    assert_eq!(told().await, (json!(true), json!("tenant"), redirect_uri));
    let (id, _) = connect(&platform, &provider, "a").await;
    let connection = platform.call("GET", &format!("/connections/{id}")).send().await;
    assert_eq!(connection.data()["client_source"], "tenant");

    // Another tenant has nothing of it.
    let other = platform.another_key(&Capability::ALL).await;
    let seen = platform.call("GET", "/apps/fixture").key(&other).send().await;
    assert_eq!(seen.data()["connectable"], false);
    platform.call("GET", OWN).key(&other).send().await.is_error(404, "oauth_client_not_found");
    platform.call("DELETE", OWN).key(&other).send().await.is_error(404, "oauth_client_not_found");
    assert_eq!(platform.call("GET", OWN).send().await.data()["client_id"], "own-1");

    // One that needs no client never had one.
    let brevo = platform.call("GET", "/apps/brevo").send().await;
    let told = (&brevo.data()["connectable"], &brevo.data()["client_source"], &brevo.data()["redirect_uri"]);
    assert_eq!(told, (&json!(true), &json!(null), &json!(null)));
}

#[tokio::test]
async fn a_client_that_is_removed_ends_its_connections() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let (operators, _) = connect(&platform, &provider, "a").await;
    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    let (old, _) = connect(&platform, &provider, "b").await;
    put(&platform, OWN, "own-2", "canary-own-2").await.data();
    let (new, _) = connect(&platform, &provider, "c").await;
    assert_eq!(platform.call("GET", OWN).send().await.data()["connections"], 2);

    assert_eq!(platform.call("DELETE", OWN).send().await.data(), &json!({"connections": 2}));
    for id in [&old, &new] {
        let connection = platform.call("GET", &format!("/connections/{id}")).send().await.data().clone();
        assert_eq!(connection["reconnection"]["reason"], "client_changed", "{connection}");
        assert_eq!(connection["status"], "expired");
        platform.token(id).await.is_error(401, "needs_reconnection");
    }
    platform.token(&operators).await.data();
    platform.call("GET", OWN).send().await.is_error(404, "oauth_client_not_found");
    platform.call("DELETE", OWN).send().await.is_error(404, "oauth_client_not_found");

    // Each is ended by the client that it was granted to.
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    let mut by: Vec<_> =
        seen.iter().map(|request| (&*request.form["client_id"], &*request.form["token"])).collect();
    by.sort_unstable();
    assert_eq!(by, [("own-1", "canary-rt-b"), ("own-2", "canary-rt-c")]);

    // They connect again, by the operator's client now.
    provider.will_say(&[(200, tokens("b"))]);
    let link = platform.link(json!({"connection_id": old})).await;
    let visit = Visit::open(&platform, &link).await;
    let left = visit.to_provider(&[]).await;
    assert_eq!(param(&left, "client_id").unwrap(), "the client");
    visit.come_back(&left, &[("code", "c0de")]).await;
    end_sessions(&platform.app).await.unwrap();
    platform.token(&old).await.data();
}

/// What is removed is kept for as long as something has to be revoked by it, and then gone with its secret.
#[tokio::test]
async fn a_client_is_forgotten_once_nothing_needs_it() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    let (id, _) = connect(&platform, &provider, "a").await;
    put(&platform, OWN, "own-2", "canary-own-2").await.data();
    let clients = async || {
        platform.app.store.clean_up().await.unwrap();
        platform.database.connect().await.text("SELECT COUNT(*) FROM oauth_clients").await
    };
    platform.advance(26 * 3600);
    assert_eq!(clients().await, "2", "a connection needs the old one");
    platform.call("DELETE", &format!("/connections/{id}")).send().await.data();
    assert_eq!(clients().await, "2", "its revocation does");
    revoke_due(&platform.app).await.unwrap();
    assert_eq!(clients().await, "1");
    platform.call("DELETE", OWN).send().await.data();
    assert_eq!(clients().await, "1", "an authorization may be under way");
    platform.advance(26 * 3600);
    assert_eq!(clients().await, "0");
}

/// Its grants are ended by its client, which says no longer whose it was, and then goes as well.
#[tokio::test]
async fn a_deleted_tenants_grants_are_ended_by_its_client() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let store = &platform.app.store;
    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    connect(&platform, &provider, "a").await;
    assert!(store.delete_tenant(&platform.tenant).await.unwrap());
    store.clean_up().await.unwrap();
    let database = platform.database.connect().await;
    assert_eq!(database.text("SELECT state || set_by FROM oauth_clients").await, "removed");
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    let by: Vec<_> =
        seen.iter().map(|request| (&*request.form["client_id"], &*request.form["token"])).collect();
    assert_eq!(by, [("own-1", "canary-rt-a")]);
    platform.advance(26 * 3600);
    store.clean_up().await.unwrap();
    assert_eq!(database.text("SELECT COUNT(*) FROM oauth_clients").await, "0");
}

#[tokio::test]
async fn a_new_secret_of_the_same_client_ends_nothing() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    put(&platform, OWN, "own-1", "canary-old").await.data();
    let (id, _) = connect(&platform, &provider, "a0").await;
    put(&platform, OWN, "own-1", "canary-new").await.data();
    assert_eq!(provider.seen().len(), 1, "it was tried");
    assert_eq!(refreshed_by(&platform, &provider, &id, "a1").await, pair("own-1", "canary-new"));
    let connection = platform.call("GET", &format!("/connections/{id}")).send().await;
    assert_eq!(connection.data()["needs_reconnection"], false);
}

/// By both ways, the provider is asked before anything is stored. Whatever it says beside that it does not accept the
/// client is no reason to keep the old secret: the code of the trial is made up.
#[tokio::test]
async fn a_new_secret_that_the_provider_refuses_is_not_stored() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    for path in [OWN, "/organizations/org_1/apps/fixture/oauth-client"] {
        put(&platform, path, "own-1", "canary-old").await.data();
        assert!(provider.seen().is_empty(), "a first client is not tried");
        let organization = json!({"id": "org_1"});
        let mut link = json!({"app_id": "fixture", "name": "Work"});
        if path != OWN {
            link["organization"] = organization;
        }
        provider.will_say(&[(200, tokens("a0"))]);
        let link = platform.link(link).await;
        let visit = Visit::open(&platform, &link).await;
        let left = visit.to_provider(&[]).await;
        visit.come_back(&left, &[("code", "c0de")]).await;
        let id = visit.connection_id.clone();
        let before = platform.call("GET", path).send().await;
        provider.seen();

        provider.will_say(&[(401, json!({"error": "invalid_client", "error_description": "canary"}))]);
        let refused = put(&platform, path, "own-1", "canary-wrong").await;
        refused.is_error(400, "invalid_request");
        let said = text(&refused.json["data"]["fields"]["client_secret"]);
        assert!(said.contains("does not accept this secret"), "{}", refused.text);
        assert!(!refused.text.contains("canary"), "{}", refused.text);
        let seen = provider.seen();
        assert_eq!((seen.len(), seen[0].form["client_secret"].as_str()), (1, "canary-wrong"));
        assert_eq!(platform.call("GET", path).send().await.data(), before.data());
        assert_eq!(refreshed_by(&platform, &provider, &id, "a1").await, pair("own-1", "canary-old"));

        for (status, says) in [
            (400, json!({"error": "invalid_grant"})),
            (400, json!({"error": "invalid_request"})),
            (400, json!({"error": "redirect_uri_mismatch"})),
            (429, json!({})),
            (500, json!({})),
        ] {
            provider.will_say(&[(status, says.clone())]);
            put(&platform, path, "own-1", "canary-new").await.data();
            assert_eq!(provider.seen().len(), 1, "{says}");
        }
        assert_eq!(refreshed_by(&platform, &provider, &id, "a2").await, pair("own-1", "canary-new"));
        let connection = platform.call("GET", &format!("/connections/{id}")).send().await;
        assert_eq!(connection.data()["needs_reconnection"], false);
        platform.call("DELETE", &format!("/connections/{id}")).send().await.data();
    }
}

/// Whoever could try as often as they like would learn which secret is right.
#[tokio::test]
async fn trying_a_secret_counts_toward_the_tenants_budget() {
    let provider = Provider::start().await;
    let platform = provider.platform_configured(APP, |config| config.budgets.verification = 2).await;
    put(&platform, OWN, "own-1", "canary-old").await.data();
    provider.will_say(&[(401, json!({"error": "invalid_client"}))]);
    for _ in 0..2 {
        put(&platform, OWN, "own-1", "canary-wrong").await.is_error(400, "invalid_request");
    }
    let refused = put(&platform, OWN, "own-1", "canary-wrong").await;
    refused.is_error(429, "rate_limited");
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(provider.seen().len(), 2);
}

/// Where the address depends on what a customer enters, the client's connections know one.
#[tokio::test]
async fn a_secret_is_tried_where_the_clients_connections_are() {
    let provider = Provider::start().await;
    let host = provider.url.replace("http://", "");
    let fields = format!(
        "[[auth.fields]]\nname = \"host\"\ntitle = \"Host\"\nchoices = [{{ value = \"{}\", title = \"One\" }}]\n",
        host.split(':').next().unwrap()
    );
    let port = host.split(':').nth(1).unwrap();
    let app = APP
        .replace("[auth.oauth]", &format!("{fields}[auth.oauth]"))
        .replace("PROVIDER/token", &format!("http://{{host}}:{port}/token"));
    let platform = provider.platform(&app).await;
    put(&platform, OWN, "own-1", "canary-old").await.data();
    // Nobody is asked where nobody knows the address, and nothing can end.
    put(&platform, OWN, "own-1", "canary-older").await.data();
    assert!(provider.seen().is_empty());

    provider.will_say(&[(200, tokens("a"))]);
    let visit = Visit::begin(&platform).await;
    let left = visit.to_provider(&[("host", "127.0.0.1")]).await;
    visit.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(platform.status(&visit.connection_id).await, "active");
    provider.seen();
    provider.will_say(&[(401, json!({"error": "invalid_client"}))]);
    put(&platform, OWN, "own-1", "canary-wrong").await.is_error(400, "invalid_request");
    assert_eq!(provider.seen()[0].form["client_secret"], "canary-wrong");
}

/// The refresh was granted by a client that is gone when it comes back: it must not outlive that.
#[tokio::test]
async fn a_refresh_under_way_does_not_survive_its_client() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    let (id, _) = connect(&platform, &provider, "a").await;
    platform.advance(3600);
    provider.will_say(&[(200, tokens("late"))]);
    let gate = provider.pause().await;
    let asked = async {
        while platform
            .database
            .connect()
            .await
            .text("SELECT COUNT(*) FROM credentials WHERE lease_owner IS NOT NULL")
            .await
            == "0"
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        platform.call("DELETE", OWN).send().await.data();
        drop(gate);
    };
    let (token, ()) = tokio::join!(platform.token(&id), asked);
    token.is_error(401, "needs_reconnection");
    platform.refreshes_end().await;
    platform.token(&id).await.is_error(401, "needs_reconnection");
    provider.seen();
    revoke_due(&platform.app).await.unwrap();
    let seen = provider.seen();
    let mut revoked: Vec<_> = seen.iter().map(|request| request.form["token"].as_str()).collect();
    revoked.sort_unstable();
    assert_eq!(revoked, ["canary-rt-a", "canary-rt-late"]);
}

#[tokio::test]
async fn a_secret_comes_in_and_never_goes_out() {
    let provider = Provider::start().await;
    let app = APP.replace("[auth.oauth]", "[auth.oauth]\nauthorize_params = { key = \"{app.key}\" }");
    let platform = provider.platform_without_client(&app).await;
    let body = json!({
        "client_id": "own-1",
        "client_secret": "canary-own-1",
        "params": {"key": "canary-param"},
        "scopes": ["read"],
    });
    let set = platform.call("PUT", OWN).json(&body).await;
    let read = platform.call("GET", OWN).send().await;
    assert_eq!(set.data(), read.data());
    for (member, expected) in [
        ("app_id", json!("fixture")),
        ("organization_id", json!(null)),
        ("client_id", json!("own-1")),
        ("scopes", json!(["read"])),
        ("params", json!(["key"])),
        ("sandbox", json!(false)),
        ("connections", json!(0)),
    ] {
        assert_eq!(read.data()[member], expected, "{member}");
    }
    let visit = Visit::begin(&platform).await;
    let left = visit.to_provider(&[]).await;
    assert_eq!(param(&left, "scope").unwrap(), "read");
    assert_eq!(param(&left, "key").unwrap(), "canary-param");
    for text in [&set.text, &read.text, &visit.html] {
        assert!(!text.contains("canary"), "{text}");
    }
    let stored = platform.database.contents().await;
    assert!(!stored.windows(6).any(|bytes| bytes == b"canary"));
}

#[tokio::test]
async fn a_client_that_is_put_together_does_not_open() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    put(&platform, "/organizations/org_1/apps/fixture/oauth-client", "theirs", "canary-theirs").await.data();
    let database = platform.database.connect().await;
    for change in [
        "UPDATE oauth_clients SET organization_id = 'org_2' WHERE organization_id = 'org_1'",
        "UPDATE oauth_clients SET client_id = 'evil' WHERE organization_id = ''",
    ] {
        database.execute(change).await;
    }
    let moved = platform.call("GET", "/organizations/org_2/apps/fixture/oauth-client").send().await;
    moved.is_error(500, "internal_error");
    platform.call("GET", OWN).send().await.is_error(500, "internal_error");
    assert!(!moved.text.contains("theirs"));

    // The way out of it is a new one.
    put(&platform, OWN, "own-2", "canary-own-2").await.data();
    connect(&platform, &provider, "a").await;
}

#[tokio::test]
async fn what_is_no_client_is_refused() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let good = json!({"client_id": "own-1", "client_secret": "canary"});
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    for body in [
        json!({}),
        json!({"client_id": "own-1"}),
        json!({"client_secret": "canary"}),
        with("client_secret", json!("canary\u{7}")),
        with("client_secret", json!("canary\r\nx: y")),
        with("client_secret", json!("canary ")),
        with("client_secret", json!("")),
        with("client_secret", json!("canary".repeat(1700))),
        with("client_secret", json!("canary\u{e9}")),
        with("client_secret", json!(null)),
        with("client_id", json!("x".repeat(513))),
        with("client_id", json!("own\n1")),
        with("scopes", json!(["a b"])),
        with("params", json!({"tenant": "x"})),
        with("authorization_url", json!("https://evil.example/")),
        with("token_url", json!("https://evil.example/")),
        with("sandbox", json!("yes")),
    ] {
        let answer = platform.call("PUT", OWN).json(&body).await;
        answer.is_error(400, "invalid_request");
        assert!(!answer.text.contains("canary"), "{}", answer.text);
    }
    // A secret in an address is none.
    let address = format!("{OWN}?client_secret=canary");
    platform
        .call("PUT", &address)
        .json(&json!({"client_id": "own-1"}))
        .await
        .is_error(400, "invalid_request");

    for (path, status, code) in [
        ("/apps/nonsense/oauth-client", 404, "app_not_found"),
        ("/apps/brevo/oauth-client", 400, "invalid_request"),
        ("/organizations/org_1/apps/nonsense/oauth-client", 404, "app_not_found"),
        ("/organizations/alice@example.com/apps/fixture/oauth-client", 400, "invalid_request"),
        ("/organizations/alice%40example.com/apps/fixture/oauth-client", 400, "invalid_request"),
        ("/organizations/%2e%2e/apps/fixture/oauth-client", 400, "invalid_request"),
        ("/organizations/%ff/apps/fixture/oauth-client", 400, "invalid_request"),
    ] {
        platform.call("PUT", path).json(&good).await.is_error(status, code);
    }
    platform.call("GET", OWN).send().await.is_error(404, "oauth_client_not_found");

    // Characters that mean something elsewhere reach the provider as they are.
    let odd = "a+b&c=d%20:/?#\"'<>";
    put(&platform, OWN, "own-1", odd).await.data();
    let (id, _) = connect(&platform, &provider, "a").await;
    assert_eq!(refreshed_by(&platform, &provider, &id, "b").await, pair("own-1", odd));
}

#[tokio::test]
async fn only_a_key_for_it_manages_clients() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    for granted in Capability::ALL {
        let key = platform.another_key(&[granted]).await;
        for path in [OWN, "/organizations/org_1/apps/fixture/oauth-client"] {
            for method in ["GET", "PUT", "DELETE"] {
                let answer = platform.call(method, path).key(&key).send().await;
                if granted == Capability::Admin {
                    assert_ne!(answer.status, 403, "{method} {path}");
                } else {
                    answer.is_error(403, "capability_disabled");
                }
            }
        }
    }
}

/// What the operator's client may be used for, the operator says.
#[tokio::test]
async fn links_ask_for_no_more_than_the_operator_allows() {
    let provider = Provider::start().await;
    let allow = |config: &mut connect_service::config::Config| {
        let client = config.apps.get_mut("fixture").unwrap();
        client.allowed_scopes = Some(vec!["read".into()]);
    };
    let platform = provider.platform_configured(APP, allow).await;
    let link = async |scopes: Value| {
        let body = json!({"app_id": "fixture", "name": "Work", "scopes": scopes});
        platform.call("POST", "/connections/request-link").json(&body).await
    };
    link(json!(["read"])).await.data();
    let refused = link(json!(["read", "write"])).await;
    refused.is_error(400, "invalid_request");
    assert!(text(&refused.json["message"]).contains("write"), "{}", refused.text);

    // With a client of its own, the tenant asks for what that one may.
    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    let made = link(json!(["write"])).await;
    let visit = Visit::open(&platform, made.data()).await;
    assert_eq!(param(&visit.to_provider(&[]).await, "scope").unwrap(), "write");

    // A link that outlives the tenant's client is bound to the operator's again.
    platform.call("DELETE", OWN).send().await.data();
    assert_eq!(visit.submit(&[]).await.status, 409);
}

/// What the feed tells, without what every event has.
async fn told(platform: &Platform, event_type: &str) -> Vec<Value> {
    let path = format!("/events?types={event_type}&limit=100");
    let page = platform.call("GET", &path).send().await;
    assert!(!page.text.contains("canary"), "{}", page.text);
    let events = page.data()["events"].as_array().unwrap();
    events.iter().map(|event| event["data"].clone()).collect()
}

#[tokio::test]
async fn changes_of_clients_are_events_and_so_is_what_ends() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let key = platform.app.store.keys(&platform.tenant).await.unwrap()[0].id.clone();
    put(&platform, OWN, "own-1", "canary-own-1").await.data();
    let (id, _) = connect(&platform, &provider, "a").await;
    put(&platform, OWN, "own-1", "canary-own-2").await.data();
    let theirs = "/organizations/org_1/apps/fixture/oauth-client";
    put(&platform, theirs, "theirs", "canary-theirs").await.data();
    platform.call("DELETE", OWN).send().await.data();
    let event = |organization: Value, change: &str| json!({"app_id": "fixture", "organization_id": organization, "change": change, "by": key});
    let expected = [
        event(json!(null), "created"),
        event(json!(null), "updated"),
        event(json!("org_1"), "created"),
        event(json!(null), "removed"),
    ];
    assert_eq!(told(&platform, "oauth_client.changed").await, expected);
    let ended = told(&platform, "connection.needs_reconnection").await;
    assert_eq!(ended.len(), 1);
    assert_eq!((&ended[0]["connection"]["id"], &ended[0]["reason"]), (&json!(id), &json!("client_changed")));
}

/// The page says which test shows what: each is one that there is.
#[test]
fn the_page_names_tests_that_there_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    let mut folders = vec![folder.join("src"), folder.join("tests")];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let page = std::fs::read_to_string(folder.join("../docs/oauth-clients.md")).unwrap();
    let (_, table) = page.split_once("| There | Here | Tested by |").unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        let names: Vec<_> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            assert!(sources.contains(&format!("fn {name}()")), "{name}");
        }
    }
}
