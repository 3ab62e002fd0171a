//! A service whose catalogue has one more app, `fixture`, and a provider for it that answers as it is told.

#![allow(dead_code, reason = "each test binary uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support/mod.rs"]
pub(crate) mod support;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use connect_service::config::Config;
use connect_service::oauth::OAuthClient;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
#[allow(unused_imports, reason = "each test binary uses its own part of it")]
pub(crate) use support::{Answer, Log, Platform, text};
use tokio::net::TcpListener;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use url::{Url, form_urlencoded};

/// Statuses with bodies.
type Responses = VecDeque<(u16, Vec<u8>)>;

/// Takes every request, and answers as it is told.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) url: String,
    responses: Arc<Mutex<Responses>>,
    retry_after: Arc<Mutex<Option<&'static str>>>,
    gate: Arc<RwLock<()>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// Those of the query.
    pub(crate) query: HashMap<String, String>,
    /// Those of the body.
    pub(crate) form: HashMap<String, String>,
    pub(crate) body: String,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            responses: Arc::default(),
            retry_after: Arc::default(),
            gate: Arc::default(),
            seen: Arc::default(),
        };
        let router = Router::new().fallback(take).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    /// Says these, one after the other, and the last one from then on.
    pub(crate) fn will_say(&self, responses: &[(u16, Value)]) {
        let responses = responses.iter().map(|(status, body)| (*status, body.to_string().into()));
        *self.responses.lock().unwrap() = responses.collect();
    }

    /// Says this, whatever it is.
    pub(crate) fn will_say_text(&self, status: u16, body: impl Into<Vec<u8>>) {
        *self.responses.lock().unwrap() = VecDeque::from([(status, body.into())]);
    }

    /// Says when to come back, with every response.
    pub(crate) fn will_retry_after(&self, value: Option<&'static str>) {
        *self.retry_after.lock().unwrap() = value;
    }

    /// Answers nothing until this is dropped.
    pub(crate) async fn pause(&self) -> OwnedRwLockWriteGuard<()> {
        self.gate.clone().write_owned().await
    }

    /// The requests since it was asked the last time.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// A service whose catalogue has this app; `PROVIDER` in the text stands for this provider's address.
    pub(crate) async fn platform(&self, auth: &str) -> Platform {
        self.platform_configured(auth, |_| {}).await
    }

    pub(crate) fn registration() -> OAuthClient {
        let params = [("tenant", "the-tenant"), ("key", "canary-param")];
        OAuthClient {
            params: params.map(|(name, value)| (name.to_owned(), value.into())).into(),
            ..OAuthClient::new("the client", "canary-client-secret")
        }
    }

    /// The same without the operator's client.
    pub(crate) async fn platform_without_client(&self, auth: &str) -> Platform {
        self.platform_configured(auth, |config| config.apps.clear()).await
    }

    /// The same with another configuration.
    pub(crate) async fn platform_configured(
        &self,
        auth: &str,
        configure: impl FnOnce(&mut Config),
    ) -> Platform {
        let head = "id = \"fixture\"\nname = \"Fixture\"\ndescription = \"\"\ncategories = []\n";
        let auth = auth.replace("PROVIDER", &self.url);
        let file = format!("{head}[[auth]]\nkey = \"main\"\ntitle = \"Connect\"\n{auth}");
        let folder = support::folder();
        std::fs::write(folder.join("fixture.toml"), file).unwrap();
        let mut config = Config { catalogue_dir: Some(folder.clone()), ..Config::default() };
        config.apps.insert("fixture".to_owned(), Self::registration());
        configure(&mut config);
        let platform = Platform::with_apis(config, &self.url).await;
        std::fs::remove_dir_all(folder).unwrap();
        platform
    }
}

async fn take(
    State(provider): State<Provider>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = |text: &[u8]| form_urlencoded::parse(text).into_owned().collect();
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| value == "application/json");
    provider.seen.lock().unwrap().push(Seen {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: fields(uri.query().unwrap_or_default().as_bytes()),
        form: if is_json { serde_json::from_slice(&body).unwrap() } else { fields(&body) },
        body: String::from_utf8(body.to_vec()).unwrap(),
        headers,
    });
    drop(provider.gate.read().await);
    let mut responses = provider.responses.lock().unwrap();
    let (status, body) = match responses.len() {
        0 => (200, json!({"access_token": "at"}).to_string().into()),
        1 => responses[0].clone(),
        _ => responses.pop_front().unwrap(),
    };
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse().unwrap())]);
    if let Some(value) = *provider.retry_after.lock().unwrap() {
        headers.insert(RETRY_AFTER, value.parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}

impl Seen {
    pub(crate) fn authorization(&self) -> &str {
        self.headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap())
    }
}

/// A link to the fixture and the browser that opened it.
pub(crate) struct Visit<'a> {
    platform: &'a Platform,
    pub(crate) connection_id: String,
    pub(crate) request_token: String,
    /// The hosted page's path.
    path: String,
    pub(crate) cookie: String,
    csrf_token: String,
    pub(crate) html: String,
}

impl<'a> Visit<'a> {
    /// Makes a link and opens it.
    pub(crate) async fn begin(platform: &'a Platform) -> Self {
        let link = platform.link(json!({"app_id": "fixture", "name": "Work"})).await;
        Self::open(platform, &link).await
    }

    /// Opens a link, of an answer's `data`.
    pub(crate) async fn open(platform: &'a Platform, link: &Value) -> Self {
        let path = format!("//{}", path_of(&text(&link["request_link"])));
        let page = platform.bare("GET", &path).send().await;
        assert_eq!(page.status, 200, "{}", page.text);
        let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
        let (_, rest) = page.text.split_once(r#"name="csrf_token" value=""#).unwrap();
        let csrf_token = rest.split('"').next().unwrap().to_owned();
        Self {
            platform,
            connection_id: text(&link["connection_id"]),
            request_token: text(&link["request_token"]),
            path,
            cookie,
            csrf_token,
            html: page.text,
        }
    }

    /// Sends the page's form.
    pub(crate) async fn submit(&self, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf_token", &self.csrf_token).append_pair("action", "connect");
        form.extend_pairs(fields);
        let call = self.platform.bare("POST", &self.path).header("cookie", &self.cookie);
        call.header("content-type", "application/x-www-form-urlencoded").body(form.finish()).send().await
    }

    /// Sends the form, and gives where it leads: to the provider.
    pub(crate) async fn to_provider(&self, fields: &[(&str, &str)]) -> Url {
        let left = self.submit(fields).await;
        assert_eq!(left.status, 303, "{}", left.text);
        Url::parse(left.header("location")).unwrap()
    }

    /// Comes back from the provider with these parameters beside `state`.
    pub(crate) async fn come_back(&self, left: &Url, params: &[(&str, &str)]) -> Answer {
        let (_, state) = left.query_pairs().find(|(name, _)| name == "state").unwrap();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", &state).extend_pairs(params);
        let path = format!("/oauth/callback/fixture?{}", query.finish());
        let back = self.platform.bare("GET", &path).header("cookie", &self.cookie).send().await;
        assert_eq!(back.status, 303, "{}", back.text);
        let path = format!("//{}", path_of(back.header("location")));
        self.platform.bare("GET", &path).header("cookie", &self.cookie).send().await
    }
}

/// Goes the whole way; gives the connection's id, and where the customer was sent.
pub(crate) async fn connect(platform: &Platform, fields: &[(&str, &str)]) -> (String, Url) {
    let visit = Visit::begin(platform).await;
    let left = visit.to_provider(fields).await;
    let page = visit.come_back(&left, &[("code", "c0de")]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(platform.status(&visit.connection_id).await, "active");
    (visit.connection_id, left)
}

/// One parameter of an address.
pub(crate) fn param(url: &Url, name: &str) -> Option<String> {
    let mut values = url.query_pairs().filter(|(found, _)| found == name);
    let (_, value) = values.next()?;
    assert!(values.next().is_none(), "{name} is there twice");
    Some(value.into_owned())
}

fn path_of(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    url.path().trim_start_matches('/').to_owned()
}
