//! What every test begins with: a provider, the service, a key, a client, a customer's browser.

use std::sync::Arc;
use std::time::Duration;

use connect_tests::browser::{Browser, Page, plain_http};
use connect_tests::provider::{Options, Provider};
use connect_tests::service_process::{AppSettings, Home, Service, Settings};
use pabbly_connect::ExposeSecret as _;
use pabbly_connect::{Client, ConnectionStatus, Customer, RequestLink};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// The app whose real provider the local one stands in for.
pub(crate) const OAUTH_APP: &str = "gmail";
/// An app that takes an API key.
pub(crate) const KEY_APP: &str = "sendgrid";
/// The customer.
pub(crate) const ALICE: &str = "alice@example.com";

/// Everything that a test needs, running.
pub(crate) struct Stage {
    pub(crate) provider: Arc<Provider>,
    pub(crate) home: Home,
    pub(crate) service: Service,
    pub(crate) key: String,
}

impl Stage {
    pub(crate) async fn start() -> Stage {
        Stage::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Stage {
        Stage::with_settings(options, Settings::default()).await
    }

    pub(crate) async fn with_settings(options: Options, mut settings: Settings) -> Stage {
        let provider = Arc::new(Provider::start(options).await.expect("a provider"));
        settings.apps.push(AppSettings::local(OAUTH_APP, &provider));
        let home = Home::new(&settings).expect("an installation");
        let service = home.start().await.expect("the service");
        let key = home.tenant_key("Acme").await.expect("a tenant and a key");
        Stage { provider, home, service, key }
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.service, &self.key)
    }

    pub(crate) fn alice(&self) -> Customer {
        self.client().customer(ALICE).expect("an e-mail")
    }

    pub(crate) fn raw(&self) -> Raw {
        Raw::new(&self.service, &self.key)
    }

    /// A new connection of Alice's to the OAuth app, approved in a fresh browser.
    pub(crate) async fn connected(&self) -> String {
        connect(&self.alice()).await
    }

    /// The same after the whole service has ended and come back.
    pub(crate) async fn restarted(mut self) -> Stage {
        self.service.kill().await.expect("killed");
        self.service = self.home.start().await.expect("the service again");
        self
    }
}

/// A client without retries, so that a test sees every answer.
pub(crate) fn client(service: &Service, key: &str) -> Client {
    Client::builder().api_key(key).base_url(service.base_url()).max_retries(0).build().expect("a client")
}

/// Connects a customer to the OAuth app.
pub(crate) async fn connect(customer: &Customer) -> String {
    let link = customer.create_request_link(OAUTH_APP, "Work Gmail").await.expect("a link");
    approve(&Browser::new().expect("a browser"), &link).await;
    let connection = customer.get_connection(&link.connection_id).await.expect("the connection");
    assert_eq!(connection.status, ConnectionStatus::Active);
    link.connection_id
}

/// The customer goes through the hosted page and allows it at the provider.
pub(crate) async fn approve(browser: &Browser, link: &RequestLink) -> Page {
    let consent = to_provider(browser, &link.request_link).await;
    browser.press(&consent, "Allow", &[]).await.expect("back from the provider")
}

/// The customer goes through the hosted page up to the provider's own.
pub(crate) async fn to_provider(browser: &Browser, request_link: &str) -> Page {
    let hosted = browser.open(request_link).await.expect("the hosted page");
    assert_eq!(hosted.status, 200, "{}", hosted.text());
    let consent = browser.press(&hosted, CONTINUE, &[]).await.expect("the provider's page");
    assert_eq!(consent.status, 200, "{}", consent.text());
    consent
}

/// What the hosted page's main button says.
pub(crate) const CONTINUE: &str = "Continue";

/// The access token of a customer's connection.
pub(crate) async fn access_token(customer: &Customer, connection: &str) -> String {
    let token = customer.get_token(connection).await.expect("a token");
    token.access_token.expect("an access token").expose_secret().to_owned()
}

/// What the provider's API says to a token.
pub(crate) async fn api_status(provider: &Provider, access_token: &str) -> u16 {
    let http = plain_http().build().expect("a client");
    let response = http.get(provider.api_url()).bearer_auth(access_token).send().await.expect("the API");
    response.status().as_u16()
}

/// Lets every access token of this lifetime run out.
pub(crate) async fn outlive(lifetime: Duration) {
    tokio::time::sleep(lifetime + Duration::from_millis(100)).await;
}

/// The API without an SDK in between.
#[derive(Clone)]
pub(crate) struct Raw {
    http: reqwest::Client,
    base_url: String,
    key: String,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["data"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The contract's error, and nothing of a provider's answer in it.
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.text);
        assert_eq!(self.json()["status"], "error");
    }
}

impl Raw {
    pub(crate) fn new(service: &Service, key: &str) -> Raw {
        let http = plain_http().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Raw { http, base_url: service.base_url(), key: key.to_owned() }
    }

    /// A request of Alice's; add to it, then [`answer`] it.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request_of(ALICE, method, path)
    }

    /// The same of another customer.
    pub(crate) fn request_of(&self, email: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.keyless(method, path);
        request.bearer_auth(&self.key).header("x-user-email", email)
    }

    /// A request without a key and a customer.
    pub(crate) fn keyless(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base_url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn token(&self, connection: &str) -> Answer {
        self.try_token(connection).await.expect("an answer")
    }

    pub(crate) async fn try_token(&self, connection: &str) -> reqwest::Result<Answer> {
        try_answer(self.request(Method::POST, &format!("/connections/{connection}/token"))).await
    }

    pub(crate) async fn link(&self, idempotency_key: &str, name: &str) -> Answer {
        let body = json!({"app_id": OAUTH_APP, "name": name});
        let request = self.request(Method::POST, "/connections/request-link");
        answer(request.header("idempotency-key", idempotency_key).json(&body)).await
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    try_answer(request).await.expect("an answer")
}

pub(crate) async fn try_answer(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}
