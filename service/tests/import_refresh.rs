//! Imported refresh tokens: proved by a refresh, and never lost once the provider answered.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod fixture_support;

use std::time::Duration;

use connect_service::store::Capability;
use fixture_support::{Answer, Platform, Provider, text};
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
"#;

/// Calls need a value that the provider does not tell.
const WITH_REALM: &str = r#"
    [auth.provider_data]
    realm = { from = "callback", pointer = "/realm", required = true }
"#;

const TENANTS: &str = "/apps/fixture/oauth-client";
const ORGANIZATIONS: &str = "/organizations/org_42/apps/fixture/oauth-client";

fn tokens(name: &str) -> Value {
    json!({
        "access_token": format!("canary-at-{name}"),
        "refresh_token": format!("canary-rt-{name}"),
        "expires_in": 3600,
    })
}

fn body(source: &str) -> Value {
    let mut body = json!({
        "app_id": "fixture",
        "name": "Mail",
        "refresh_token": "canary-rt-brought",
        "client_source": source,
    });
    if source == "organization" {
        body["organization"] = json!({"id": "org_42", "name": "Example Ltd"});
    }
    body
}

fn with(mut body: Value, members: Value) -> Value {
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

async fn import(platform: &Platform, body: &Value) -> Answer {
    let answer = platform.call("POST", "/connections/import").json(body).await;
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    answer
}

async fn count(platform: &Platform, table: &str) -> String {
    platform.database.connect().await.text(&format!("SELECT COUNT(*) FROM {table}")).await
}

async fn put_clients(platform: &Platform) {
    for (path, id) in [(TENANTS, "tenants"), (ORGANIZATIONS, "theirs")] {
        let client = json!({"client_id": id, "client_secret": format!("canary-{id}")});
        platform.call("PUT", path).json(&client).await.data();
    }
}

#[tokio::test]
async fn what_the_provider_gives_is_stored_with_its_client() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    put_clients(&platform).await;
    for (source, client, secret) in [
        ("operator", "the client", "canary-client-secret"),
        ("tenant", "tenants", "canary-tenants"),
        ("organization", "theirs", "canary-theirs"),
    ] {
        provider.will_say(&[(200, tokens("first"))]);
        let imported = import(&platform, &body(source)).await;
        let seen = provider.seen();
        assert_eq!(seen.len(), 1);
        let asked = |name: &str| seen[0].form[name].as_str();
        assert_eq!((asked("grant_type"), asked("refresh_token")), ("refresh_token", "canary-rt-brought"));
        assert_eq!((asked("client_id"), asked("client_secret")), (client, secret));

        let connection = imported.data();
        let told = (&connection["status"], &connection["origin"], &connection["client_source"]);
        assert_eq!(told, (&json!("active"), &json!("import"), &json!(source)));
        let id = text(&connection["id"]);
        let read = platform.call("GET", &format!("/connections/{id}")).send().await;
        assert_eq!(read.data(), connection, "as it is read from then on");
        let organization = (source == "organization").then(|| json!({"id": "org_42", "name": "Example Ltd"}));
        assert_eq!(connection["organization"], json!(organization));

        let token = platform.token(&id).await;
        assert_eq!(token.data()["access_token"], "canary-at-first");
        assert_eq!(token.data()["api_headers"]["Client-Id"], client);
        platform.advance(3600);
        provider.will_say(&[(200, tokens("second"))]);
        assert_eq!(platform.token(&id).await.data()["access_token"], "canary-at-second");
        let seen = provider.seen();
        assert_eq!(seen[0].form["refresh_token"], "canary-rt-first");
        assert_eq!(seen[0].form["client_secret"], secret);
    }
    assert_eq!(count(&platform, "import_tokens").await, "0");
    let stored = platform.database.contents().await;
    assert!(!stored.windows(6).any(|bytes| bytes == b"canary"));

    // The organization's connection ends with its client, like any other.
    platform.call("DELETE", ORGANIZATIONS).send().await.data();
    let listed = platform.call("GET", "/connections?needs_reconnection=true").send().await;
    assert_eq!(listed.data()["connections"][0]["reconnection"]["reason"], "client_changed");
    assert_eq!(listed.data()["total"], 1);
}

#[tokio::test]
async fn what_the_provider_refuses_is_not_imported() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    put_clients(&platform).await;
    for (status, says, member, sentence) in [
        (
            400,
            json!({"error": "invalid_grant", "error_description": "canary"}),
            "refresh_token",
            "used before",
        ),
        (401, json!({"error": "invalid_client"}), "client_source", "does not accept this OAuth client"),
        (400, json!({"error": "canary_odd"}), "refresh_token", "does not say in known words"),
    ] {
        provider.will_say(&[(status, says)]);
        let refused = import(&platform, &body("tenant")).await;
        refused.is_error(400, "invalid_request");
        assert!(text(&refused.json["data"]["fields"][member]).contains(sentence), "{}", refused.text);
        assert_eq!(provider.seen().len(), 1);
    }
    for (status, retry_after) in [(500, None), (429, Some("17"))] {
        provider.will_say(&[(status, json!({}))]);
        provider.will_retry_after(retry_after);
        let refused = import(&platform, &body("tenant")).await;
        refused.is_error(503, "upstream_unavailable");
        assert_eq!(refused.header("retry-after"), retry_after.unwrap_or("1"));
    }
    assert_eq!(
        (count(&platform, "connections").await, count(&platform, "import_tokens").await),
        ("0".into(), "0".into())
    );
    // Then it may work.
    provider.will_retry_after(None);
    provider.will_say(&[(200, tokens("first"))]);
    import(&platform, &body("tenant")).await.data();
}

#[tokio::test]
async fn a_client_that_is_not_there_is_refused_unasked() {
    let provider = Provider::start().await;
    let platform = provider
        .platform_configured(APP, |config| {
            let client = config.apps.get_mut("fixture").unwrap();
            client.allowed_scopes = Some(vec!["read".into()]);
        })
        .await;
    for source in ["tenant", "organization"] {
        import(&platform, &body(source)).await.is_error(404, "oauth_client_not_found");
    }
    put_clients(&platform).await;
    // Those of another tenant are not there, nor is another organization's.
    let other = platform.another_key(&Capability::ALL).await;
    for source in ["tenant", "organization"] {
        let answer = platform.call("POST", "/connections/import").key(&other).json(&body(source)).await;
        answer.is_error(404, "oauth_client_not_found");
    }
    let elsewhere = with(body("organization"), json!({"organization": {"id": "org_43"}}));
    import(&platform, &elsewhere).await.is_error(404, "oauth_client_not_found");

    let mut nameless = body("tenant");
    nameless.as_object_mut().unwrap().remove("client_source");
    for (body, said) in [
        (nameless, "client_source is missing"),
        (with(body("organization"), json!({"organization": null})), "organization"),
        (with(body("tenant"), json!({"client_source": "organization"})), "organization is missing"),
        (with(body("tenant"), json!({"client_source": "mine"})), "client_source must be"),
        (
            with(body("tenant"), json!({"organization": {"id": "ann@north.example"}})),
            "organization: id must be",
        ),
        (with(body("tenant"), json!({"refresh_token": "with space"})), "refresh_token must be"),
        (with(body("tenant"), json!({"refresh_token": "x".repeat(32 * 1024 + 1)})), "refresh_token must be"),
        (with(body("operator"), json!({"scopes": ["write"]})), "scopes has write"),
        (
            json!({"app_id": "brevo", "name": "Mail", "refresh_token": "canary", "client_source": "tenant"}),
            "for OAuth options",
        ),
    ] {
        let refused = import(&platform, &body).await;
        refused.is_error(400, "invalid_request");
        assert!(text(&refused.json["message"]).contains(said), "{said}: {}", refused.text);
    }
    assert!(provider.seen().is_empty());
    assert_eq!(count(&platform, "connections").await, "0");

    // Without a client, the operator has none either.
    let bare = provider.platform_without_client(APP).await;
    import(&bare, &body("operator")).await.is_error(404, "oauth_client_not_found");
}

/// The brought token may be spent once the provider answered: what fails afterwards can be repeated with it.
#[tokio::test]
async fn a_failure_after_the_refresh_loses_nothing() {
    let provider = Provider::start().await;
    let platform = provider.platform(&format!("{APP}{WITH_REALM}")).await;
    provider.will_say(&[(200, tokens("first")), (400, json!({"error": "invalid_grant"}))]);
    let refused = import(&platform, &body("operator")).await;
    refused.is_error(400, "invalid_request");
    assert!(text(&refused.json["message"]).contains("provider_data.realm is missing"), "{}", refused.text);
    assert_eq!((provider.seen().len(), count(&platform, "connections").await), (1, "0".into()));
    let stored = platform.database.contents().await;
    assert!(!stored.windows(6).any(|bytes| bytes == b"canary"));

    // Nobody but this customer's import goes on with them.
    let whole = with(body("operator"), json!({"provider_data": {"realm": "7"}}));
    let stranger =
        platform.call("POST", "/connections/import").customer("bob@example.com").json(&whole).await;
    stranger.is_error(400, "invalid_request");
    provider.seen();
    let imported = import(&platform, &whole).await;
    assert!(provider.seen().is_empty(), "it is not asked again");
    let id = text(&imported.data()["id"]);
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-at-first");
    assert_eq!(count(&platform, "import_tokens").await, "0");
    platform.advance(3600);
    provider.will_say(&[(200, tokens("second"))]);
    platform.token(&id).await.data();
    assert_eq!(provider.seen()[0].form["refresh_token"], "canary-rt-first");
}

#[tokio::test]
async fn an_old_failure_goes_on_with_the_newest_token() {
    let provider = Provider::start().await;
    let platform = provider.platform(&format!("{APP}{WITH_REALM}")).await;
    provider.will_say(&[(200, tokens("first"))]);
    import(&platform, &body("operator")).await.is_error(400, "invalid_request");
    provider.seen();
    platform.advance(3600);
    provider.will_say(&[(503, json!({}))]);
    let whole = with(body("operator"), json!({"provider_data": {"realm": "7"}}));
    import(&platform, &whole).await.is_error(503, "upstream_unavailable");
    provider.will_say(&[(200, tokens("second"))]);
    let id = text(&import(&platform, &whole).await.data()["id"]);
    let seen = provider.seen();
    let used: Vec<_> = seen.iter().map(|request| request.form["refresh_token"].as_str()).collect();
    assert_eq!(used, ["canary-rt-first", "canary-rt-first"]);
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-at-second");

    // What nobody repeats is forgotten: after a week, or with the customer or the tenant.
    let held = async |refresh_token: &str| {
        let body = with(body("operator"), json!({"refresh_token": refresh_token}));
        provider.will_say(&[(200, tokens("third"))]);
        import(&platform, &body).await.is_error(400, "invalid_request");
        assert_eq!(count(&platform, "import_tokens").await, "1");
    };
    held("canary-2").await;
    platform.advance(7 * 24 * 3600);
    platform.app.store.clean_up().await.unwrap();
    assert_eq!(count(&platform, "import_tokens").await, "0");
    held("canary-3").await;
    platform.call("DELETE", "/customers").send().await.data();
    assert_eq!(count(&platform, "import_tokens").await, "0");
    held("canary-4").await;
    assert!(platform.app.store.delete_tenant(&platform.tenant).await.unwrap());
    assert_eq!(count(&platform, "import_tokens").await, "0");
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_nothing_along() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    provider.will_say(&[(200, tokens("first")), (400, json!({"error": "invalid_grant"}))]);
    let gate = provider.pause().await;
    let asked = async {
        while provider.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let body = body("operator");
    tokio::select! {
        _ = import(&platform, &body) => panic!("the provider has not answered"),
        () = asked => {}
    }
    // Meanwhile nobody else asks with the same token.
    let meanwhile = import(&platform, &body).await;
    meanwhile.is_error(503, "upstream_unavailable");
    assert_eq!(meanwhile.header("retry-after"), "1");
    drop(gate);
    let kept = "import_tokens WHERE sealed IS NOT NULL";
    while count(&platform, kept).await == "0" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = text(&import(&platform, &body).await.data()["id"]);
    assert!(provider.seen().is_empty());
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-at-first");
}

#[tokio::test]
async fn a_database_that_is_away_loses_nothing() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    provider.will_say(&[(200, tokens("first")), (400, json!({"error": "invalid_grant"}))]);
    let gate = provider.pause().await;
    let away = async {
        while provider.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        platform.database.connect().await.execute("ALTER TABLE import_tokens RENAME TO away").await;
        drop(gate);
    };
    let (failed, ()) = tokio::join!(async { import(&platform, &body("operator")).await }, away);
    assert!(failed.status >= 500, "{}", failed.text);
    platform.database.connect().await.execute("ALTER TABLE away RENAME TO import_tokens").await;
    let kept = "import_tokens WHERE sealed IS NOT NULL";
    while count(&platform, kept).await == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let id = text(&import(&platform, &body("operator")).await.data()["id"]);
    assert!(provider.seen().is_empty());
    assert_eq!(platform.token(&id).await.data()["access_token"], "canary-at-first");
}

#[tokio::test]
async fn a_repeat_asks_nobody_and_makes_nothing() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    let other = platform.another().await;
    provider.will_say(&[(200, tokens("first")), (400, json!({"error": "invalid_grant"}))]);
    let send = async |platform: &Platform| {
        let call = platform.call("POST", "/connections/import").header("idempotency-key", "one");
        call.json(&body("operator")).await
    };
    // Two processes at once: one asks, and the other gets the same or comes back.
    let (one, two) = tokio::join!(send(&platform), send(&other));
    assert!(one.status == 200 || two.status == 200, "{} {}", one.text, two.text);
    let first = if one.status == 200 { &one } else { &two };
    for answer in [&one, &two] {
        assert!(answer.text == first.text || answer.status == 503, "{}", answer.text);
    }
    for platform in [&platform, &other] {
        assert_eq!(send(platform).await.text, first.text);
    }
    assert_eq!(provider.seen().len(), 1);
    assert_eq!(count(&platform, "connections").await, "1");
    let call = platform.call("POST", "/connections/import").header("idempotency-key", "one");
    let another = call.json(&with(body("operator"), json!({"name": "Other"}))).await;
    another.is_error(422, "idempotency_key_reused");
}

/// The service is no place to try stolen tokens at.
#[tokio::test]
async fn tries_count_toward_the_tenants_budget() {
    let provider = Provider::start().await;
    let platform = provider.platform_configured(APP, |config| config.budgets.verification = 2).await;
    provider.will_say(&[(400, json!({"error": "invalid_grant"}))]);
    for expected in [400, 400, 429] {
        assert_eq!(import(&platform, &body("operator")).await.status, expected);
    }
    assert_eq!(provider.seen().len(), 2);
}

/// An access token alone can be one of the tenant's own client as well: calls carry that one's id.
#[tokio::test]
async fn an_access_token_may_name_its_client() {
    let provider = Provider::start().await;
    let platform = provider.platform(APP).await;
    put_clients(&platform).await;
    let body =
        json!({"app_id": "fixture", "name": "Mail", "access_token": "canary-at", "client_source": "tenant"});
    let id = text(&import(&platform, &body).await.data()["id"]);
    assert_eq!(platform.token(&id).await.data()["api_headers"]["Client-Id"], "tenants");
    assert!(provider.seen().is_empty());
}
