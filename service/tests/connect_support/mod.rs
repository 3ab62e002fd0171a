//! A service, a provider that says what it is told to say, and a browser that runs no script.

#![allow(dead_code, reason = "each test binary uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support/database.rs"]
mod database;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{any, post};
use connect_service::catalogue::{Catalogue, Inputs};
use connect_service::clock::Clock;
use connect_service::config::Config;
use connect_service::ids;
use connect_service::oauth::OAuthClient;
use connect_service::state::{AppState, Service};
use connect_service::store::{Labels, Link, LinkOptions, NewLink, Owner, Target};
use database::Database;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, REFERER, SET_COOKIE};
use reqwest::redirect::Policy;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use url::{Url, form_urlencoded};

/// An app whose provider sends `iss` with every answer.
const STRICT: &str = r#"
    id = "strict"
    name = "Strict"
    description = ""
    categories = []
    [[auth]]
    key = "oauth"
    type = "o_auth"
    title = "Sign in"
    [auth.oauth]
    authorization_url = "https://strict.example/authorize"
    token_url = "https://strict.example/token"
    issuer = "https://strict.example"
"#;

/// A running service with one tenant, and a provider for its OAuth apps.
pub(crate) struct Stage {
    pub(crate) app: AppState,
    pub(crate) clock: Clock,
    pub(crate) provider: Provider,
    pub(crate) owner: Owner,
    pub(crate) database: Database,
    /// One of the tenant's keys, once it is needed: there are a hundred at most.
    key: OnceCell<String>,
}

/// A link that was just made.
pub(crate) struct Made {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) connection_id: String,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        let provider = Provider::start().await;
        let mut config = Config::default();
        for app in ["gmail", "github", "zendesk", "strict"] {
            config.apps.insert(app.into(), provider.registration());
        }
        if let Some(zendesk) = config.apps.get_mut("zendesk") {
            zendesk.authorization_url = None;
        }
        let mut catalogue = Catalogue::load(None).unwrap();
        catalogue.add("strict.toml", STRICT).unwrap();
        // No API of an app is called: nobody listens there.
        catalogue.redirect_calls("http://127.0.0.1:1");
        Self::with(config, catalogue, provider).await
    }

    /// With the apps of `tests/catalogue`, whose APIs the provider plays as well.
    pub(crate) async fn with_apis() -> Self {
        let provider = Provider::start().await;
        let mut config = Config::default();
        for app in ["quickbooks", "salesforce", "shopify", "zoho-crm", "jira"] {
            config.apps.insert(app.into(), provider.registration());
        }
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue");
        let mut catalogue = Catalogue::load(Some(&dir)).unwrap();
        catalogue.redirect_calls(&format!("{}/api", provider.url));
        Self::with(config, catalogue, provider).await
    }

    pub(crate) async fn with(mut config: Config, catalogue: Catalogue, provider: Provider) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        config.allow_private_networks = true;
        let database = Database::new().await;
        let clock = Clock::default();
        let store = database.open(&clock).await;
        let owner = Owner {
            tenant: store.create_tenant("Acme", Some("owner@acme.example")).await.unwrap(),
            customer: "alice@example.com".into(),
        };
        let app = Service::with_catalogue(config, catalogue, store, clock.clone(), &address).unwrap();
        let router = connect_service::server::router(app.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { app, clock, provider, owner, database, key: OnceCell::new() }
    }

    pub(crate) async fn link(&self, app_id: &str) -> Made {
        self.link_with(Some(app_id), LinkOptions::default()).await
    }

    pub(crate) async fn link_with(&self, app_id: Option<&str>, options: LinkOptions) -> Made {
        let id = ids::connection();
        self.make(Target::New { id: &id, name: "Work" }, app_id, &options).await
    }

    pub(crate) async fn make(&self, target: Target<'_>, app_id: Option<&str>, options: &LinkOptions) -> Made {
        let (secret, token) = (ids::secret(), ids::request_token());
        let connection_id = match target {
            Target::New { id, .. } | Target::Existing { id, .. } => id.to_owned(),
        };
        let new = NewLink {
            owner: &self.owner,
            target,
            app_id,
            auth_option_key: None,
            secret: &secret,
            request_token: &token,
            labels: &Labels::default(),
            options,
            webhook: None,
            expires_at: self.clock.now() + 600_000,
        };
        self.app.store.create_link(&new, None).await.unwrap();
        Made { url: format!("{}/connect/{secret}", self.app.base_url()), token, connection_id }
    }

    pub(crate) async fn status(&self, made: &Made) -> String {
        let connection = self.app.store.connection(&self.owner, &made.connection_id).await.unwrap();
        connection.unwrap().status.as_str().to_owned()
    }

    /// What a token call says.
    pub(crate) async fn token(&self, made: &Made) -> serde_json::Value {
        let path = format!("/connections/{}/token", made.connection_id);
        let (status, body) = self.post(&path, &self.owner, &serde_json::json!({})).await;
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }

    /// Sends a form of the product's own, from the customer's browser.
    pub(crate) async fn submit(
        &self,
        made: &Made,
        option: &str,
        fields: &serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let url = format!("{}/connections/{}/submit", self.app.base_url(), made.connection_id);
        let body = serde_json::json!({"auth_option_key": option, "fields": fields});
        let request = Browser::new().http.post(url).header("x-request-token", &made.token);
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// Calls the contract as the tenant's backend does.
    pub(crate) async fn post(
        &self,
        path: &str,
        owner: &Owner,
        body: &serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let key = self.key.get_or_init(|| async {
            let capabilities = connect_service::store::Capability::ALL;
            self.app.store.create_key(&self.owner.tenant, &capabilities).await.unwrap().unwrap()
        });
        let key = key.await;
        let url = format!("{}{path}", self.app.base_url());
        let request = Browser::new().http.post(url).bearer_auth(key);
        let request = request
            .header("x-user-email", &owner.customer)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }

    /// Confirms a grant, in the session of the link's own customer.
    pub(crate) async fn confirm(&self, made: &Made, code: &str) -> (u16, serde_json::Value) {
        self.confirm_as(&self.owner, made, code).await
    }

    /// Confirms a grant in somebody's session.
    pub(crate) async fn confirm_as(
        &self,
        owner: &Owner,
        made: &Made,
        code: &str,
    ) -> (u16, serde_json::Value) {
        let path = format!("/connections/{}/confirm", made.connection_id);
        self.post(&path, owner, &serde_json::json!({ "code": code })).await
    }

    /// Another process that writes, for as long as the connection is open.
    pub(crate) async fn block_writers(&self) -> database::Connection {
        let other = self.database.connect().await;
        let lock = match self.database.file() {
            Some(_) => "BEGIN IMMEDIATE",
            None => "BEGIN; LOCK TABLE authorizations IN EXCLUSIVE MODE",
        };
        other.execute(lock).await;
        other
    }

    /// What a query counts.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        let count = self.database.connect().await.text(query).await;
        count.parse().unwrap()
    }

    /// All that the database holds of unconfirmed grants: every byte of its files, or the rows of PostgreSQL's table.
    pub(crate) async fn stored_bytes(&self) -> Vec<u8> {
        if self.database.file().is_none() {
            let rows = "SELECT COALESCE(STRING_AGG(CAST(u AS TEXT), ' '), '') FROM unconfirmed u";
            return self.database.connect().await.text(rows).await.into_bytes();
        }
        let files = std::fs::read_dir(self.database.folder()).unwrap();
        let paths = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        paths.flat_map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// All that is stored.
    pub(crate) async fn database_contents(&self) -> Vec<u8> {
        self.database.contents().await
    }

    /// The connection as the tenant's backend reads it.
    pub(crate) async fn connection(&self, made: &Made) -> serde_json::Value {
        let capabilities = [connect_service::store::Capability::Connections];
        let key = self.app.store.create_key(&self.owner.tenant, &capabilities).await.unwrap().unwrap();
        let url = format!("{}/connections/{}", self.app.base_url(), made.connection_id);
        let request = Browser::new().http.get(url).bearer_auth(key);
        let request = request.header("x-user-email", &self.owner.customer);
        let body: serde_json::Value =
            serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        body["data"].clone()
    }

    /// What the public status tells.
    pub(crate) async fn public_status(&self, made: &Made) -> serde_json::Value {
        let url = format!("{}/connections/{}/status", self.app.base_url(), made.connection_id);
        let response = self.http().get(url).header("x-request-token", &made.token).send().await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        body["data"].clone()
    }

    /// A program that keeps no cookies and follows nothing.
    pub(crate) fn http(&self) -> reqwest::Client {
        Browser::new().http
    }

    pub(crate) async fn stored_link(&self, made: &Made) -> Link {
        self.app.store.link_by_token(&made.connection_id, &made.token).await.unwrap().unwrap()
    }

    /// What is stored for a connection: its inputs, and its access token if it has one.
    pub(crate) async fn stored(&self, made: &Made) -> Option<(Inputs, Option<String>)> {
        use secrecy::ExposeSecret;
        let credential = self.app.store.credential(&self.owner, &made.connection_id).await.unwrap()?;
        let token = credential.grant.tokens.map(|tokens| tokens.access_token.expose_secret().to_owned());
        Some((credential.grant.inputs, token))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The way back from Gmail's provider, with these parameters.
    pub(crate) fn callback(&self, params: &[(&str, &str)]) -> String {
        self.callback_of("gmail", params)
    }

    /// The way back from an app's provider.
    pub(crate) fn callback_of(&self, app: &str, params: &[(&str, &str)]) -> String {
        Url::parse_with_params(&self.app.redirect_uri(app), params).unwrap().into()
    }
}

/// A token endpoint that says what it is told to say.
#[derive(Clone)]
pub(crate) struct Provider {
    url: String,
    answer: Arc<Mutex<(u16, &'static str, String)>>,
    seen: Arc<Mutex<Vec<HashMap<String, String>>>>,
    api: Arc<Mutex<HashMap<String, ApiReply>>>,
    calls: Arc<Mutex<Vec<ApiCall>>>,
}

/// What an address of the API says.
#[derive(Clone)]
pub(crate) enum ApiReply {
    /// This status and body, as JSON.
    Json(u16, serde_json::Value),
    /// This body, as HTML.
    Html(String),
    /// Go elsewhere.
    Redirect(String),
    /// Nothing, ever.
    Hang,
}

/// A call of the service's own.
#[derive(Debug, Clone)]
pub(crate) struct ApiCall {
    /// Method, path and query.
    pub(crate) line: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answer: Arc::default(),
            seen: Arc::default(),
            api: Arc::default(),
            calls: Arc::default(),
        };
        provider.will_say(
            200,
            "application/json",
            r#"{"access_token":"at-1","token_type":"bearer","expires_in":3600,"refresh_token":"rt-1"}"#,
        );
        let router = Router::new().route("/token", post(token)).route("/api/{*path}", any(api));
        let router = router.with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn will_say(&self, status: u16, content_type: &'static str, body: &str) {
        *self.answer.lock().unwrap() = (status, content_type, body.to_owned());
    }

    /// What the API says to calls of this path, of which `/api` and the app's id are the beginning.
    pub(crate) fn api_will_say(&self, path: &str, reply: ApiReply) {
        self.api.lock().unwrap().insert(format!("/api{path}"), reply);
    }

    /// The calls of the API so far.
    pub(crate) fn calls(&self) -> Vec<ApiCall> {
        self.calls.lock().unwrap().clone()
    }

    /// Where the API is.
    pub(crate) fn api_url(&self) -> String {
        format!("{}/api", self.url)
    }

    /// The token requests so far.
    pub(crate) fn seen(&self) -> Vec<HashMap<String, String>> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn registration(&self) -> OAuthClient {
        OAuthClient {
            authorization_url: Some(format!("{}/authorize", self.url)),
            token_url: Some(format!("{}/token", self.url)),
            ..OAuthClient::new("the-client", "the-secret")
        }
    }
}

async fn token(
    State(provider): State<Provider>,
    body: String,
) -> (StatusCode, [(http::HeaderName, &'static str); 1], String) {
    let params = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    provider.seen.lock().unwrap().push(params);
    let (status, content_type, body) = provider.answer.lock().unwrap().clone();
    (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, content_type)], body)
}

async fn api(
    State(provider): State<Provider>,
    method: http::Method,
    uri: http::Uri,
    headers: http::HeaderMap,
    body: String,
) -> axum::response::Response {
    let line = format!("{method} {uri}");
    provider.calls.lock().unwrap().push(ApiCall { line, headers, body });
    let reply = provider.api.lock().unwrap().get(uri.path()).cloned();
    match reply {
        Some(ApiReply::Json(status, body)) => {
            (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
        }
        Some(ApiReply::Html(body)) => ([(CONTENT_TYPE, "text/html")], body).into_response(),
        Some(ApiReply::Redirect(to)) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        Some(ApiReply::Hang) => std::future::pending().await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Keeps cookies, follows nothing.
pub(crate) struct Browser {
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What came back.
pub(crate) struct Seen {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) location: Option<Url>,
    pub(crate) policy: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        // Plain HTTP to loopback; no TLS is set up, and none is needed.
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls())
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, cookies: Mutex::default() }
    }

    /// Has got this cookie, `name=value`.
    pub(crate) fn receive_cookie(&self, cookie: &str) {
        let (name, value) = cookie.split_once('=').unwrap();
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// The secret in its cookie.
    pub(crate) fn cookie(&self) -> String {
        self.cookies.lock().unwrap()["connect"].clone()
    }

    /// Sends a form without fields from a page of another site, such as a product's: no cookie comes with it, since they
    /// are `SameSite=Lax`. The redirects after it are requested as browsers do.
    pub(crate) async fn post_from_site(&self, url: &str, origin: Option<&str>) -> Seen {
        let mut request = self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let seen = self.receive(request).await;
        match &seen.location {
            Some(next) if next.origin() == Url::parse(url).unwrap().origin() => {
                self.visit(next.as_str()).await
            }
            _ => seen,
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Seen {
        self.send(self.http.get(url)).await
    }

    /// Opens an address as browsers do: follows redirects within the service, and reloads where the page says so.
    pub(crate) async fn visit(&self, url: &str) -> Seen {
        let mut seen = self.get(url).await;
        for _ in 0..50 {
            let url = Url::parse(url).unwrap();
            let next = match &seen.location {
                Some(next) if next.origin() == url.origin() => next.to_string(),
                None if seen.headers.contains_key("refresh") => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    seen.url.clone()
                }
                _ => return seen,
            };
            seen = self.get(&next).await;
        }
        seen
    }

    /// Requests an address with one more header.
    pub(crate) async fn get_with(&self, url: &str, header: &str, value: &str) -> Seen {
        self.send(self.http.get(url).header(header, value)).await
    }

    /// Requests the headers of an address alone.
    pub(crate) async fn head(&self, url: &str) -> Seen {
        self.send(self.http.head(url)).await
    }

    /// Follows a link on another page.
    pub(crate) async fn visit_from(&self, page: &str, url: &str) -> Seen {
        let seen = self.send(self.http.get(url).header(REFERER, page)).await;
        match &seen.location {
            Some(next) => self.visit(next.as_str()).await,
            None => seen,
        }
    }

    /// Sends a form with the token that is on this page, unless the form has one.
    pub(crate) async fn post(&self, url: &str, page: &Seen, fields: &[(&str, &str)]) -> Seen {
        let token = page.hidden("csrf_token");
        let own = fields.iter().any(|(name, _)| *name == "csrf_token");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        if !own {
            form.append_pair("csrf_token", &token.unwrap_or_default());
        }
        let request = self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(form.finish())).await
    }

    pub(crate) async fn post_raw(&self, url: &str, content_type: &str, body: String) -> Seen {
        self.send(self.http.post(url).header(CONTENT_TYPE, content_type).body(body)).await
    }

    async fn send(&self, mut request: reqwest::RequestBuilder) -> Seen {
        for (name, value) in &*self.cookies.lock().unwrap() {
            request = request.header(COOKIE, format!("{name}={value}"));
        }
        self.receive(request).await
    }

    /// Sends a request as it is, and keeps the cookies of the response.
    async fn receive(&self, request: reqwest::RequestBuilder) -> Seen {
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            match cookie.contains("Max-Age=0") {
                true => drop(cookies.remove(name)),
                false => drop(cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        let url = response.url().to_string();
        let headers = response.headers().clone();
        let text = |name| headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap());
        Seen {
            url,
            status: response.status().as_u16(),
            location: text(LOCATION).map(|url| Url::parse(url).unwrap()),
            policy: text(CONTENT_SECURITY_POLICY).unwrap_or_default().to_owned(),
            headers: headers.clone(),
            html: response.text().await.unwrap(),
        }
    }
}

impl Seen {
    /// One parameter of where the answer leads.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let url = self.location.as_ref()?;
        url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    /// The value of a hidden input.
    pub(crate) fn hidden(&self, name: &str) -> Option<String> {
        let start = format!(r#"<input type="hidden" name="{name}" value=""#);
        let (_, rest) = self.html.split_once(&start)?;
        rest.split('"').next().map(str::to_owned)
    }

    /// The first link whose text contains this.
    pub(crate) fn href(&self, text: &str) -> Option<String> {
        let links = self.html.split("<a ").skip(1).filter_map(|link| link.split_once("</a>"));
        let link = links.map(|(link, _)| link).find(|link| link.contains(text))?;
        let (_, rest) = link.split_once("href=\"")?;
        rest.split('"').next().map(|href| href.replace("&amp;", "&"))
    }
}

fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
