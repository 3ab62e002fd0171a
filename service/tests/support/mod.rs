//! A service in this process, called as a tenant's backend calls it, and a token endpoint that does as it is told.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod browser;
mod database;
mod home;
mod log;
mod provider;
mod provider_api;
mod request;
mod smtp;

use std::time::Duration;

use axum::Router;
use connect_service::catalogue::Catalogue;
use connect_service::clock::Clock;
use connect_service::config::Config;
use connect_service::state::{AppState, Service};
use connect_service::store::{
    Capability, Details, Grant, GrantOutcome, Link, NewSignIn, Origin, Owner, Store, Tokens,
};
use connect_service::{api, server};
use serde_json::{Value, json};

pub(crate) use browser::{Browser, between, csrf_token};
pub(crate) use database::{Connection, Database, KEY, folder};
pub(crate) use home::Home;
pub(crate) use log::Log;
pub(crate) use provider::{Provider, Reply};
pub(crate) use provider_api::{Api, SeenCall};
pub(crate) use request::{Answer, Call};
pub(crate) use smtp::{MailServer, ReceivedMail};

/// The customer of a [`Call`] that names no other.
pub(crate) const ALICE: &str = "alice@example.com";

/// A service with one tenant and its key.
pub(crate) struct Platform {
    pub(crate) app: AppState,
    pub(crate) clock: Clock,
    pub(crate) tenant: String,
    pub(crate) key: String,
    pub(crate) database: Database,
    router: Router,
}

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn service(config: Config, catalogue: Catalogue, store: Store, clock: &Clock) -> AppState {
    Service::with_catalogue(config, catalogue, store, clock.clone(), "127.0.0.1:8080").unwrap()
}

impl Platform {
    /// A service as it comes, but that providers may be on loopback.
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    /// A service where this provider stands in for Gmail's.
    pub(crate) async fn with_provider(provider: &Provider) -> Self {
        let mut config = Config::default();
        config.apps.insert("gmail".into(), provider.registration());
        Self::with(config).await
    }

    /// A service that calls no app's API.
    pub(crate) async fn with(config: Config) -> Self {
        Self::with_apis(config, NOWHERE).await
    }

    /// A service to which all apps' APIs are here.
    pub(crate) async fn with_apis(mut config: Config, apis: &str) -> Self {
        config.allow_private_networks = true;
        let (database, clock) = (Database::new().await, Clock::default());
        let store = database.open(&clock).await.with_event_payload(config.events.payload);
        let tenant = store.create_tenant("Acme", Some("owner@acme.example")).await.unwrap();
        let key = store.create_key(&tenant, &Capability::ALL).await.unwrap().unwrap();
        let mut catalogue = Catalogue::load(config.catalogue_dir.as_deref()).unwrap();
        catalogue.redirect_calls(apis);
        let app = service(config, catalogue, store, &clock);
        app.tasks.spawn(api::look_for_changes(app.clone()));
        let router = server::router(app.clone());
        Self { app, clock, tenant, key, database, router }
    }

    /// One more process over the same database.
    pub(crate) async fn another(&self) -> Self {
        let payload = self.app.config.events.payload;
        let store = self.database.open(&self.clock).await.with_event_payload(payload);
        let app = service(self.app.config.clone(), self.app.catalogue.clone(), store, &self.clock);
        app.tasks.spawn(api::look_for_changes(app.clone()));
        let router = server::router(app.clone());
        Self {
            app,
            router,
            clock: self.clock.clone(),
            tenant: self.tenant.clone(),
            key: self.key.clone(),
            database: self.database.clone(),
        }
    }

    /// A browser that has not been here before.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// A browser in which this account has just signed in.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        self.sign_in(&mut browser, email).await;
        browser
    }

    /// Signs an account in, by a link of the command line.
    pub(crate) async fn sign_in(&self, browser: &mut Browser, email: &str) {
        let secret = connect_service::ids::secret();
        let new = NewSignIn { email, secret: &secret, asker: None, return_to: "" };
        assert!(self.app.store.create_sign_in(&new).await.unwrap());
        let path = format!("/dashboard/sign-in/link/{secret}");
        let answer = browser.submit(&path, &path, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/dashboard"), "{}", answer.text);
    }

    /// A new tenant's key with these capabilities.
    pub(crate) async fn another_key(&self, capabilities: &[Capability]) -> String {
        let tenant = self.app.store.create_tenant("Other", None).await.unwrap();
        self.app.store.create_key(&tenant, capabilities).await.unwrap().unwrap()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner { tenant: self.tenant.clone(), customer: ALICE.into() }
    }

    /// A call under the contract's prefix, with this tenant's key and Alice as the customer.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.router.clone(), method, path)
            .header("authorization", &format!("Bearer {}", self.key))
            .header("x-user-email", ALICE)
    }

    /// A call as the customer's browser makes it.
    pub(crate) fn public(&self, method: &str, path: &str, token: &str) -> Call {
        Call::new(self.router.clone(), method, path).header("x-request-token", token)
    }

    /// A call with nothing filled in.
    pub(crate) fn bare(&self, method: &str, path: &str) -> Call {
        Call::new(self.router.clone(), method, path)
    }

    /// Makes a request link; gives the answer's `data`.
    pub(crate) async fn link(&self, body: Value) -> Value {
        let answer = self.call("POST", "/connections/request-link").json(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["data"].clone()
    }

    /// An active connection with an API key; gives its id.
    pub(crate) async fn connected(&self) -> String {
        let link = self.link(json!({"app_id": "brevo", "name": "Mail"})).await;
        let id = text(&link["connection_id"]);
        let body = json!({"auth_option_key": "header", "fields": {"api_key": "canary-field"}});
        let submitted = self
            .public("POST", &format!("/connections/{id}/submit"), &text(&link["request_token"]))
            .json(&body)
            .await;
        assert_eq!(submitted.json["data"]["status"], "active", "{}", submitted.text);
        id
    }

    /// An active Gmail connection that holds this token; gives its id. `lifetime` is in seconds.
    pub(crate) async fn authorised(&self, refresh_token: Option<&str>, lifetime: Option<i64>) -> String {
        let link = self.link(json!({"app_id": "gmail", "name": "Mail"})).await;
        self.grant(&link, refresh_token, lifetime).await;
        text(&link["connection_id"])
    }

    /// What the OAuth callback does at its end.
    pub(crate) async fn grant(&self, link: &Value, refresh_token: Option<&str>, lifetime: Option<i64>) {
        let now = self.clock.now();
        let tokens = Tokens {
            access_token: "canary-access-0".into(),
            refresh_token: refresh_token.map(Into::into),
            token_type: "Bearer".into(),
            obtained_at: now,
            expires_at: lifetime.map(|seconds| now + seconds * 1000),
        };
        self.grant_tokens(link, "gmail", tokens).await;
    }

    /// The same with tokens of the first option of any app.
    pub(crate) async fn grant_tokens(&self, link: &Value, app_id: &str, tokens: Tokens) {
        let grant = self.grant_of(app_id, tokens);
        let outcome = self.app.store.finish_link(&self.stored_link(link).await, &grant).await.unwrap();
        assert_eq!(outcome, GrantOutcome::Stored);
    }

    pub(crate) fn grant_of(&self, app_id: &str, tokens: Tokens) -> Grant {
        Grant {
            app_id: app_id.into(),
            auth_type: connect_service::catalogue::AuthType::OAuth,
            auth_option_key: self.app.catalogue.get(app_id).unwrap().auth_options[0].key.clone(),
            comparable_options: Vec::new(),
            account_digest: None,
            oauth_client: None,
            origin: Origin::Link,
            inputs: std::collections::BTreeMap::new(),
            tokens: Some(tokens),
            details: Details::default(),
        }
    }

    /// The link of an answer.
    pub(crate) async fn stored_link(&self, link: &Value) -> Link {
        let (id, token) = (text(&link["connection_id"]), text(&link["request_token"]));
        self.app.store.link_by_token(&id, &token).await.unwrap().unwrap()
    }

    pub(crate) async fn token(&self, id: &str) -> Answer {
        self.call("POST", &format!("/connections/{id}/token")).send().await
    }

    /// Waits until no refresh is under way: the only task that stays looks for changes.
    pub(crate) async fn refreshes_end(&self) {
        let ended = async {
            while self.app.tasks.len() > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("refreshes end");
    }

    pub(crate) async fn status(&self, id: &str) -> String {
        let answer = self.call("GET", &format!("/connections/{id}")).send().await;
        text(&answer.json["data"]["status"])
    }
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no string: {value}")).to_owned()
}
