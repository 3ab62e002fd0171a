//! No log line and no database file holds a secret in a form that can be read.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use connect_tests::browser::Browser;
use connect_tests::provider::{Mode, Options};
use connect_tests::service_process::Settings;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

use crate::flow::connect_with_key;
use crate::support::{ALICE, KEY_APP, OAUTH_APP, Raw, Stage, access_token, answer, approve, outlive};

const FIELD: &str = "SG.canary-value-of-a-field-71c2";
const LIFETIME: Duration = Duration::from_secs(3);

/// Everything that a careless line could print, having gone through every kind of call and failure.
async fn everything_secret(stage: &Stage) -> Vec<String> {
    let alice = stage.alice();
    let mut secrets = vec![stage.key.clone(), FIELD.to_owned()];

    let link = alice.create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let done = approve(&Browser::new().unwrap(), &link).await;
    let state =
        |url: &url::Url| url.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into());
    secrets.extend(done.visited.iter().filter_map(state));
    assert!(secrets.len() > 2, "the state was seen");
    outlive(LIFETIME).await;
    access_token(&alice, &link.connection_id).await;
    outlive(LIFETIME).await;
    for mode in [Mode::ServerError, Mode::Html, Mode::ErrorInside, Mode::InvalidGrant] {
        stage.provider.set_mode(mode);
        let answer = stage.raw().token(&link.connection_id).await;
        assert_ne!(answer.status, 200);
        // The provider is left alone for so long.
        let pause = answer.header("retry-after").map_or(0, |seconds| seconds.parse().unwrap());
        outlive(Duration::from_secs(pause)).await;
    }
    stage.provider.set_mode(Mode::Normal);

    let key_link = alice.create_request_link(KEY_APP, "Mail").await.unwrap();
    connect_with_key(&key_link, FIELD).await;
    assert_eq!(stage.raw().token(&key_link.connection_id).await.status, 200);

    let repeated = stage.raw().link("idempotency-canary", "Work Gmail").await;
    for link in
        [&link.request_link, &key_link.request_link, repeated.data()["request_link"].as_str().unwrap()]
    {
        secrets.push(link.rsplit('/').next().unwrap().to_owned());
    }
    secrets.extend([&link, &key_link].map(|link| link.request_token.expose_secret().to_owned()));
    secrets.push(repeated.data()["request_token"].as_str().unwrap().to_owned());

    secrets.extend(of_oauth_clients(stage).await);

    let wrong_key = "pk_live_canary0000000000000000000000000000000000000";
    Raw::new(&stage.service, wrong_key).get("/apps").await.assert_error(401, "invalid_api_key");
    let bad_body =
        stage.raw().request(Method::POST, "/connections/request-link").body("{\"canary-in-a-body-5d\": ");
    assert!(answer(bad_body).await.status >= 400);
    assert_eq!(stage.raw().get("/connections?app_id=canary-in-a-query-8a").await.status, 200);
    secrets.extend([wrong_key, "canary-in-a-body-5d", "canary-in-a-query-8a"].map(str::to_owned));
    secrets.extend(stage.provider.secrets());
    secrets
}

/// Secrets of OAuth clients, entered by every way that there is, and looked at by every way that there is. No response
/// has one.
async fn of_oauth_clients(stage: &Stage) -> Vec<String> {
    const TENANTS: &str = "/apps/gmail/oauth-client";
    const ORGANIZATIONS: &str = "/organizations/org_42/apps/gmail/oauth-client";
    let tenants = stage.home.run(&["--json", "tenant", "list"]).await.unwrap();
    let tenant: serde_json::Value = serde_json::from_str(tenants.lines().next().unwrap()).unwrap();
    let capabilities = "apps,connections,admin,import,events";
    let key = stage.home.key(tenant["id"].as_str().unwrap(), capabilities).await.unwrap();
    let raw = Raw::new(&stage.service, &key);
    let mut secrets = vec![key];
    let mut shown = String::new();
    let client_id = &stage.provider.options().client_id;
    let mut put = async |path: &str, name: &str| {
        let secret = format!("canary-client-secret-{name}-3f");
        let body = json!({"client_id": client_id, "client_secret": secret});
        shown += &answer(raw.request(Method::PUT, path).json(&body)).await.text;
        secrets.push(secret);
    };
    // The first are entered as they are, and the provider refuses the second.
    for path in [TENANTS, ORGANIZATIONS] {
        put(path, "entered").await;
        put(path, "refused").await;
    }
    let refused = "canary-refresh-token-brought-6b".to_owned();
    for source in ["operator", "tenant", "organization"] {
        let body = json!({
            "app_id": OAUTH_APP,
            "name": "Mail",
            "refresh_token": refused,
            "client_source": source,
            "organization": {"id": "org_42"},
        });
        let import = raw.request(Method::POST, "/connections/import").json(&body);
        let answered = answer(import).await;
        assert!(answered.status == 400 && answered.text.contains("does not accept"), "{}", answered.text);
        shown += &answered.text;
    }
    secrets.push(refused);

    // An admin's page, and what is entered there.
    let link = raw.request(Method::POST, "/organizations/org_42/admin-link").json(&json!({}));
    let link = answer(link).await.data();
    let link = link["admin_link"].as_str().unwrap();
    secrets.push(link.rsplit('/').next().unwrap().to_owned());
    let admin = Browser::new().unwrap();
    let page = admin.open(link).await.unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    for (id, name) in [(client_id.as_str(), "on-the-page"), ("another-client", "unconfirmed")] {
        let secret = format!("canary-client-secret-{name}-3f");
        let fields = [("oauth_client_id", id), ("oauth_client_secret", &secret)];
        let page = admin.press(&page, "Save", &fields).await.unwrap();
        shown += &page.html;
        secrets.push(secret);
    }

    for path in [TENANTS, ORGANIZATIONS, "/apps?search=gmail", "/events?limit=100", "/keys", "/webhooks"] {
        let read = raw.get(path).await;
        assert_eq!(read.status, 200, "{path}: {}", read.text);
        shown += &read.text;
    }
    let tenant = tenant["id"].as_str().unwrap();
    for command in
        [&["apps"][..], &["connection", "list", "--tenant", tenant], &["audit", "--tenant", tenant]]
    {
        shown += &stage.home.run(&[&["--json"], command].concat()).await.unwrap();
    }
    for path in [TENANTS, ORGANIZATIONS] {
        shown += &answer(raw.request(Method::DELETE, path)).await.text;
    }
    assert!(shown.contains(client_id.as_str()) && shown.contains("oauth_client.changed"), "{shown}");
    assert_eq!(found(shown.as_bytes(), &secrets), Vec::<&str>::new(), "in a response");
    secrets
}

/// A secret as it is, and as encoders would write it.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let hex = |upper: bool| {
        let digits =
            secret.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        digits.collect::<String>()
    };
    // Without the last characters, which depend on what follows.
    let base64 = STANDARD_NO_PAD.encode(secret);
    let base64url = URL_SAFE_NO_PAD.encode(secret);
    let whole = |text: &str| text.as_bytes()[..text.len() - 2].to_vec();
    vec![
        secret.as_bytes().to_vec(),
        hex(true).into_bytes(),
        hex(false).into_bytes(),
        whole(&base64),
        whole(&base64url),
    ]
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn found<'a>(haystack: &[u8], secrets: &'a [String]) -> Vec<&'a str> {
    let is_in = |secret: &&String| forms(secret).iter().any(|form| holds(haystack, form));
    secrets.iter().filter(is_in).map(String::as_str).collect()
}

fn database(stage: &Stage) -> Vec<u8> {
    stage.home.database_files().iter().flat_map(|file| fs::read(file).unwrap()).collect()
}

#[tokio::test]
async fn no_secret_is_in_a_log_line_or_a_database_file() {
    let options = Options { lifetime: LIFETIME, ..Options::default() };
    // An operator who looks for a fault turns everything on.
    let settings = Settings { log: Some("trace".to_owned()), ..Settings::default() };
    let stage = Stage::with_settings(options, settings).await;
    let id = stage.connected().await;
    let secrets = everything_secret(&stage).await;
    assert!(secrets.len() > 20 && secrets.iter().all(|secret| secret.len() >= 12), "{}", secrets.len());

    // While it runs, the newest pages are in the write-ahead log.
    let running = database(&stage);
    assert_eq!(found(&running, &secrets), Vec::<&str>::new(), "in the running database");
    stage.service.ask_to_end().unwrap();
    let Stage { home, service, provider, key } = stage;
    assert!(service.ended().await.unwrap().success());
    let stage = Stage { service: home.start().await.unwrap(), home, provider, key };
    let closed = database(&stage);
    assert_eq!(found(&closed, &secrets), Vec::<&str>::new(), "in the closed database");

    let logs = stage.home.logs().unwrap();
    assert_eq!(found(logs.as_bytes(), &secrets), Vec::<&str>::new(), "in the log");
    for line in logs.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "not JSON: {line}");
    }

    // The search looks where it should: what is no secret is found.
    let (id, email) = ([id], [ALICE.to_owned()]);
    assert_eq!(found(&running, &id).len() + found(&closed, &email).len(), 2);
    assert!(logs.contains("/token") && logs.contains("request-link"), "{logs}");
}
