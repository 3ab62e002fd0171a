//! The OAuth flow against a provider that this project did not write: npm's oidc-provider, with rotating refresh
//! tokens that end the grant when a used one comes back.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use connect_tests::browser::{Browser, plain_http};
use connect_tests::service_process::{AppSettings, Home, Settings};
use pabbly_connect::{Client, ConnectionStatus, Error};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::support::{ALICE, CONTINUE, OAUTH_APP, access_token, client, outlive};

const LIFETIME: Duration = Duration::from_secs(2);
const CLIENT_ID: &str = "connect";
const CLIENT_SECRET: &str = "a secret with spaces & signs: %+/=?";

/// A running oidc-provider; it ends with its standard input.
struct OidcProvider {
    url: String,
    http: reqwest::Client,
    _process: Child,
    _stdin: ChildStdin,
}

impl OidcProvider {
    async fn start(client_auth: &str) -> OidcProvider {
        let folder = folder();
        let node = folder.join("node_modules/.bin/node");
        assert!(
            folder.join("node_modules/oidc-provider").exists(),
            "oidc-provider is not installed: run `npm ci` in tests/oidc"
        );
        // Where the pinned Node does not run on this machine, the installed one has to be new enough.
        let node = if node.exists() { node } else { PathBuf::from("node") };
        let mut process = Command::new(node)
            .arg("server.mjs")
            .current_dir(&folder)
            .env("ACCESS_TOKEN_SECONDS", LIFETIME.as_secs().to_string())
            .env("CLIENT_AUTH", client_auth)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node");
        let stdin = process.stdin.take().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("oidc-provider starts");
        let url = line.strip_prefix("listening on ").expect("its address").to_owned();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        OidcProvider { url, http: plain_http().build().unwrap(), _process: process, _stdin: stdin }
    }

    async fn register(&self, redirect_uri: &str) {
        let registration =
            json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": redirect_uri});
        let response = self.http.post(format!("{}/test/client", self.url)).json(&registration).send().await;
        assert_eq!(response.unwrap().status(), 204);
    }

    async fn revoke(&self) {
        let response = self.http.post(format!("{}/test/revoke", self.url)).send().await.unwrap();
        assert_eq!(response.status(), 204);
    }

    async fn stats(&self) -> Value {
        self.http.get(format!("{}/test/stats", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// What its user-info endpoint says to an access token.
    async fn userinfo(&self, access_token: &str) -> u16 {
        let request = self.http.get(format!("{}/me", self.url)).bearer_auth(access_token);
        request.send().await.unwrap().status().as_u16()
    }
}

fn folder() -> PathBuf {
    std::env::var_os("OIDC_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc"), PathBuf::from)
}

/// An app whose one provider this is.
fn settings(provider: &OidcProvider, client_auth: &str) -> Settings {
    let app = AppSettings {
        app_id: OAUTH_APP.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        authorization_url: format!("{}/auth", provider.url),
        token_url: format!("{}/token", provider.url),
        scopes: vec!["openid".to_owned()],
    };
    // The catalogue takes https alone; the operator's own settings above lead to loopback.
    let catalogue = format!(
        "id = \"{OAUTH_APP}\"\nname = \"Gmail\"\ndescription = \"Mail.\"\ncategories = [\"email\"]\n\n[[auth]]\n\
         key = \"oauth\"\ntype = \"o_auth\"\ntitle = \"Sign in\"\n\n[auth.oauth]\n\
         authorization_url = \"https://oidc.example/auth\"\ntoken_url = \"https://oidc.example/token\"\n\
         issuer = \"{}\"\nclient_auth = \"{client_auth}\"\n",
        provider.url,
    );
    Settings { apps: vec![app], catalogue: vec![(OAUTH_APP.to_owned(), catalogue)], ..Settings::default() }
}

/// The customer signs in and consents on oidc-provider's own pages.
async fn approve(request_link: &str) {
    let browser = Browser::new().unwrap();
    let hosted = browser.open(request_link).await.unwrap();
    let login = browser.press(&hosted, CONTINUE, &[]).await.unwrap();
    let login_fields = [("login", "alice"), ("password", "any")];
    let consent = browser.press(&login, "Sign-in", &login_fields).await.unwrap();
    let done = browser.press(&consent, "Continue", &[]).await.unwrap();
    assert_eq!(done.status, 200, "{}", done.text());
}

async fn connect_refresh_revoke(client_auth: &str, oidc_name: &str) {
    let provider = OidcProvider::start(oidc_name).await;
    let home = Home::new(&settings(&provider, client_auth)).unwrap();
    provider.register(&home.redirect_uri(OAUTH_APP)).await;
    let service = home.start().await.unwrap();
    let client: Client = client(&service, &home.tenant_key("Acme").await.unwrap());
    let alice = client.customer(ALICE).unwrap();

    let link = alice.create_request_link(OAUTH_APP, "Work Gmail").await.unwrap();
    let id = link.connection_id.clone();
    approve(&link.request_link).await;
    let connection = alice.wait_for_connection(&id).await.unwrap();
    assert_eq!(connection.status, ConnectionStatus::Active);

    let first = access_token(&alice, &id).await;
    assert_eq!(provider.userinfo(&first).await, 200);

    let mut last = first;
    for refreshes in 1..=3 {
        // Its clock counts whole seconds, so that a token may live almost one longer.
        outlive(LIFETIME + Duration::from_secs(1)).await;
        assert_eq!(provider.userinfo(&last).await, 401, "it has run out");
        let token = access_token(&alice, &id).await;
        assert_ne!(token, last);
        assert_eq!(provider.userinfo(&token).await, 200);
        assert_eq!(provider.stats().await, json!({"refreshes": refreshes, "reuses": 0}));
        last = token;
    }

    provider.revoke().await;
    outlive(LIFETIME + Duration::from_secs(1)).await;
    let error = alice.get_token(&id).await.unwrap_err();
    assert!(matches!(error, Error::NeedsReconnection(_)), "{error:?}");

    let link = alice.create_request_link(OAUTH_APP, "Work Gmail").connection_id(&id).await.unwrap();
    approve(&link.request_link).await;
    let token = access_token(&alice, &id).await;
    assert_eq!(provider.userinfo(&token).await, 200, "connected again, in place");
}

#[tokio::test]
async fn oidc_provider_with_the_secret_in_the_body() {
    connect_refresh_revoke("body", "client_secret_post").await;
}

#[tokio::test]
async fn oidc_provider_with_http_basic() {
    connect_refresh_revoke("basic", "client_secret_basic").await;
}
