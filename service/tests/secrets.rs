//! Secrets: sealed where they are stored, bound to their place, and in no log.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::os::unix::fs::PermissionsExt;

use connect_service::clock::Clock;
use connect_service::config::Config;
use connect_service::store::{Store, StoreError};
use connect_service::vault::{KeyRing, VaultError};
use serde_json::json;
use support::{Database, Log, Platform, Provider, Reply, text};

#[tokio::test]
async fn a_ciphertext_moved_to_another_row_or_column_does_not_open() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let mine = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let other = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let database = platform.database.connect().await;
    let read = async |id: &str| {
        let query = format!("SELECT access_token FROM credentials WHERE connection_id = '{id}'");
        database.text(&query).await
    };
    let put = async |column: &str, value: &str| {
        let change = format!("UPDATE credentials SET {column} = '{value}' WHERE connection_id = '{other}'");
        database.execute(&change).await;
    };
    let (sealed, own) = (read(&mine).await, read(&other).await);

    put("access_token", &sealed).await;
    let result = platform.app.store.credential(&platform.owner(), &other).await;
    assert!(matches!(result, Err(StoreError::Vault(VaultError::Sealed))), "{result:?}");
    platform.token(&other).await.is_error(500, "internal_error");

    // Not even within the row.
    put("access_token", &own).await;
    platform.token(&other).await.data();
    put("refresh_token", &own).await;
    // It is opened when it is needed.
    platform.token(&other).await.data();
    platform.advance(3600);
    platform.token(&other).await.is_error(500, "internal_error");
    platform.token(&mine).await.data();
}

/// Whoever can write to the database cannot give one customer, or one tenant, what belongs to another.
#[tokio::test]
async fn a_ciphertext_of_another_customer_or_tenant_does_not_open() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let mine = platform.authorised(Some("canary-refresh-0"), Some(3600)).await;
    let database = platform.database.connect().await;

    let give = async |tenant: &str, customer: &str| {
        let ids = format!("tenant_id = '{tenant}', customer = '{customer}' WHERE");
        let change = format!(
            "UPDATE connections SET {ids} id = '{mine}'; UPDATE links SET {ids} connection_id = '{mine}';
            UPDATE credentials SET tenant_id = '{tenant}' WHERE connection_id = '{mine}'"
        );
        database.execute(&change).await;
    };
    let token = || platform.call("POST", &format!("/connections/{mine}/token"));
    give(&platform.tenant, "bob@example.com").await;
    token().header("x-user-email", "bob@example.com").send().await.is_error(500, "internal_error");

    let thief = platform.another_key(&connect_service::store::Capability::ALL).await;
    let tenants = platform.app.store.tenants().await.unwrap();
    let other = &tenants.iter().find(|tenant| tenant.id != platform.tenant).unwrap().id;
    give(other, support::ALICE).await;
    token().key(&thief).send().await.is_error(500, "internal_error");
    // Nor with the data key of the tenant that it is from: it opens for that one alone.
    let moved = format!(
        "UPDATE data_keys SET sealed = (SELECT sealed FROM data_keys WHERE tenant_id = '{}')
         WHERE tenant_id = '{other}'",
        platform.tenant
    );
    database.execute(&moved).await;
    let fresh = platform.another().await;
    let stolen = fresh.call("POST", &format!("/connections/{mine}/token")).key(&thief);
    stolen.send().await.is_error(500, "internal_error");

    give(&platform.tenant, support::ALICE).await;
    token().send().await.data();
}

/// What a tenant has beside connections: signing secrets of endpoints, and secrets of OAuth clients.
#[tokio::test]
async fn a_tenants_own_secrets_do_not_open_elsewhere() {
    let platform = Platform::start().await;
    let thief = platform.another_key(&connect_service::store::Capability::ALL).await;
    for (key, secret) in [(&platform.key, "canary-own-1"), (&thief, "canary-own-2")] {
        let client = json!({"client_id": "own", "client_secret": secret});
        for app in ["gmail", "slack"] {
            let put = platform.call("PUT", &format!("/apps/{app}/oauth-client")).key(key);
            put.json(&client).await.data();
        }
        let webhook = json!({"url": "https://example.com/events"});
        platform.call("POST", "/webhooks").key(key).json(&webhook).await.data();
    }
    let database = platform.database.connect().await;
    let tenants = platform.app.store.tenants().await.unwrap();
    let other = &tenants.iter().find(|tenant| tenant.id != platform.tenant).unwrap().id;
    for (table, column) in [("oauth_clients", "sealed"), ("webhooks", "secrets")] {
        let theft = format!(
            "UPDATE {table} SET {column} = (SELECT v.{column} FROM {table} v WHERE v.tenant_id = '{}' ORDER BY id LIMIT 1)
             WHERE tenant_id = '{other}'",
            platform.tenant
        );
        database.execute(&theft).await;
    }
    let view = async |app: &str, key: &str| {
        platform.call("GET", &format!("/apps/{app}/oauth-client")).key(key).send().await
    };
    view("gmail", &thief).await.is_error(500, "internal_error");
    view("gmail", &platform.key).await.data();
    let webhook = platform.app.store.webhooks(other).await.unwrap().remove(0);
    let stolen = platform.app.store.webhook_with_secrets(other, &webhook.id).await;
    assert!(matches!(stolen, Err(StoreError::Vault(VaultError::Sealed))), "{stolen:?}");
    // Not from one app of the tenant to another either.
    let swap = format!(
        "UPDATE oauth_clients SET sealed = (SELECT v.sealed FROM oauth_clients v WHERE v.app_id = 'gmail'
            AND v.tenant_id = '{0}') WHERE app_id = 'slack' AND tenant_id = '{0}'",
        platform.tenant
    );
    database.execute(&swap).await;
    view("slack", &platform.key).await.is_error(500, "internal_error");
}

#[tokio::test]
async fn nothing_secret_is_stored_in_the_clear() {
    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let form = platform.connected().await;
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    platform.token(&id).await.data();
    let link = platform
        .call("POST", "/connections/request-link")
        .header("idempotency-key", "k")
        .json(&json!({"app_id": "brevo", "name": "canary-name"}))
        .await;
    let link = link.data();
    platform.token(&form).await.data();

    let stored = platform.database.contents().await;
    let holds = |text: &str| stored.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("canary-name"), "what is no secret can be found");
    let secret = text(&link["request_link"]).rsplit('/').next().unwrap().to_owned();
    for canary in [
        "canary-field",
        "canary-access",
        "canary-refresh",
        &platform.key,
        &text(&link["request_token"]),
        &secret,
    ] {
        assert!(!holds(canary), "{canary:.16}");
    }
}

#[tokio::test]
async fn a_database_opens_with_its_own_key_alone() {
    let (database, clock) = (Database::new().await, Clock::default());
    database.open(&clock).await;
    let other = KeyRing::from_base64("//////////////////////////////////////////8=", "a test").unwrap();
    let result = Store::open(&database.url, other, clock).await;
    assert!(matches!(result, Err(StoreError::WrongKey(_))));
}

/// Several instances that are started together over nothing end up with one key and one set of tables.
#[tokio::test(flavor = "multi_thread")]
async fn instances_can_start_together() {
    let folder = support::folder();
    let (key, database) = (folder.join("connect.key"), Database::new().await);
    let start = |_| {
        let (key, database) = (key.clone(), database.clone());
        tokio::spawn(async move {
            let ring = KeyRing::from_file(&key).unwrap();
            Store::open(&database.url, ring, Clock::default()).await.map(drop)
        })
    };
    let starting: Vec<_> = (0..8).map(start).collect();
    for started in starting {
        started.await.unwrap().unwrap();
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "the key and nothing beside it");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_key_file_is_made_once_for_its_owner_alone() {
    let folder = support::folder();
    let path = folder.join("connect.key");
    KeyRing::from_file(&path).unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    let made = std::fs::read(&path).unwrap();
    KeyRing::from_file(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), made);

    for exposed in [0o640, 0o604, 0o666] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(exposed)).unwrap();
        assert!(matches!(KeyRing::from_file(&path), Err(VaultError::ExposedKey(_))), "{exposed:o}");
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::write(&path, "canary, not a key").unwrap();
    let error = KeyRing::from_file(&path).unwrap_err();
    assert!(matches!(error, VaultError::BadKey(_)) && !error.to_string().contains("canary"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_configuration_error_repeats_no_value() {
    let folder = support::folder();
    let path = folder.join("connect.toml");
    for text in [
        "[apps.gmail]\nclient_id = \"x\"\nclient_secret = [\"canary\"]\n",
        "[apps.gmail]\nclient_secret = \"canary\"\n",
        "canary = 1\n[apps.gmail]\nclient_secret = \"canary\n",
        "database_url = \"canary\"\n",
        "public_url = \"ftp://canary/\"\n",
        "[budgets]\ndefault = 0\n",
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Config::load(Some(&path), []).unwrap_err().to_string();
        assert!(!error.replace("`canary`", "").contains("canary"), "{error}");
    }
    std::fs::write(&path, "listen = \"a:1\"\n[apps.gmail]\nclient_id = \"x\"\nclient_secret = \"canary\"\n")
        .unwrap();
    let environment = [
        ("CONNECT_LISTEN", "b:2"),
        ("CONNECT_APP_GMAIL_CLIENT_ID", "y"),
        ("CONNECT_APP_GOOGLE_SHEETS_CLIENT_ID", "z"),
        ("CONNECT_APP_GOOGLE_SHEETS_CLIENT_SECRET", "canary"),
        ("CONNECT_BUDGETS_TOKEN", "7"),
        ("CONNECT_ENCRYPTION_KEY", "canary"),
        ("CONNECT_DATABASE_URL", "postgres://connect:canary@localhost/connect"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(Some(&path), environment).unwrap();
    assert_eq!((config.listen.as_str(), config.budgets.token, config.budgets.default), ("b:2", 7, 120));
    assert_eq!(config.apps["gmail"].client_id, "y");
    assert_eq!(config.apps["google-sheets"].client_id, "z");
    assert!(!format!("{config:?}").contains("canary"));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Everything that any crate has to say, which is more than an operator can have the service log.
#[tokio::test]
async fn no_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();

    let provider = Provider::start().await;
    let platform = Platform::with_provider(&provider).await;
    let id = platform.connected().await;
    platform.token(&id).await.data();
    let id = platform.authorised(Some("canary-refresh-0"), Some(60)).await;
    platform.advance(60);
    platform.token(&id).await.data();
    platform.advance(3600);
    provider.will(Reply::Say(500, "text/plain", "canary-body"));
    platform.token(&id).await.is_error(503, "upstream_unavailable");
    provider.will(Reply::Say(
        401,
        "application/json",
        r#"{"error":"invalid_client","error_description":"canary"}"#,
    ));
    platform.advance(1);
    platform.token(&id).await.is_error(503, "upstream_unavailable");
    let link = platform.link(json!({"app_id": "brevo", "name": "canary-name"})).await;
    let secret = text(&link["request_link"]).rsplit('/').next().unwrap().to_owned();
    platform.bare("GET", &format!("/connect/{secret}?canary-query=1")).send().await;
    platform.bare("GET", "/oauth/callback/gmail?state=canary-state&code=canary-code").send().await;
    platform.bare("GET", "/canary-path").send().await;
    platform.call("GET", "/apps?search=canary-search").header("x-other", "canary-header").send().await.data();

    let logged = log.text();
    assert!(logged.contains("\"route\":\"/platform/v1/connect/{link}\""), "the log is there");
    assert!(logged.contains("the provider refuses the configured client"));
    for canary in ["canary", &secret, &text(&link["request_token"]), &platform.key, "alice@example.com"] {
        let line = logged.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary:.16}");
    }
}
