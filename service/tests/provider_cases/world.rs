//! The service, a customer, and a provider that sends exactly the bytes that it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_service::catalogue::Catalogue;
use connect_service::config::Config;
use connect_service::oauth::OAuthClient;
use connect_service::store::LinkOptions;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use url::form_urlencoded;

use crate::connect_support::{Browser, Made, Provider, Seen, Stage};

/// The token that customers of [`World::connected`] have, for a minute.
pub(crate) const TOKENS: &str = r#"{"access_token":"at-1","refresh_token":"rt-1","expires_in":60}"#;

/// The codes of a refresh that failed.
pub(crate) const ENDED: &str = "needs_reconnection";
pub(crate) const UNAVAILABLE: &str = "upstream_unavailable";

/// The apps with an OAuth client here.
const APPS: [&str; 7] = ["fixture", "github", "gmail", "quickbooks", "zendesk", "zoho-crm", "zoom"];

/// A provider's token endpoint.
#[derive(Clone)]
pub(crate) struct RawProvider {
    pub(crate) url: String,
    response: Arc<Mutex<Vec<u8>>>,
    /// Whether responses wait.
    held: watch::Sender<bool>,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request that came.
#[derive(Clone)]
pub(crate) struct Request {
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) form: HashMap<String, String>,
}

pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) provider: RawProvider,
}

impl RawProvider {
    pub(crate) async fn start() -> Self {
        Self::serve("http://127.0.0.1", None).await
    }

    /// Over TLS, for `localhost`.
    pub(crate) async fn start_with(acceptor: TlsAcceptor) -> Self {
        Self::serve("https://localhost", Some(acceptor)).await
    }

    async fn serve(origin: &str, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{origin}:{}/token", listener.local_addr().unwrap().port());
        let provider =
            Self { url, response: Arc::default(), held: watch::Sender::new(false), requests: Arc::default() };
        provider.will_send(ok(TOKENS));
        let own = provider.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (own, acceptor) = (own.clone(), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => own.answer(stream).await,
                        // A client that does not trust it goes away.
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => own.answer(stream).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        provider
    }

    /// One request on one connection. `None` where the client goes away.
    async fn answer(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await.ok()?;
        let form = form_urlencoded::parse(&body).into_owned().collect();
        self.requests.lock().unwrap().push(Request { head, form });
        self.held.subscribe().wait_for(|held| !held).await.ok()?;
        let response = self.response.lock().unwrap().clone();
        stream.write_all(&response).await.ok()?;
        stream.shutdown().await.ok()
    }

    /// Every request from now on is answered with these bytes, and the connection is closed.
    pub(crate) fn will_send(&self, bytes: impl Into<Vec<u8>>) {
        *self.response.lock().unwrap() = bytes.into();
    }

    /// Lets responses wait from now on, or lets those that wait go.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Request {
        self.requests().pop().expect("a request")
    }
}

/// A usual response.
pub(crate) fn response(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A usual response with JSON.
pub(crate) fn json(status: u16, body: &str) -> Vec<u8> {
    response(status, "application/json", body)
}

pub(crate) fn ok(body: &str) -> Vec<u8> {
    json(200, body)
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(RawProvider::start().await, "", |_| {}).await
    }

    /// Where the app `fixture` has these keys in `[auth.oauth]`.
    pub(crate) async fn with_fixture(keys: &str) -> Self {
        Self::with(RawProvider::start().await, keys, |_| {}).await
    }

    pub(crate) async fn with(
        provider: RawProvider,
        fixture: &str,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let mut catalogue = Catalogue::load(None).unwrap();
        let file = format!(
            "id = \"fixture\"\nname = \"Fixture\"\ndescription = \"\"\ncategories = []\n[[auth]]\nkey = \"oauth\"\n\
             type = \"o_auth\"\ntitle = \"Sign in\"\n[auth.oauth]\n\
             authorization_url = \"https://provider.example/authorize\"\n\
             token_url = \"https://provider.example/token\"\n{fixture}"
        );
        catalogue.add("fixture.toml", &file).unwrap();
        // It plays the APIs alone; what it was not told to say is a 404.
        let apis = Provider::start().await;
        catalogue.redirect_calls(&apis.api_url());
        let mut config = Config::default();
        for app in APPS {
            let client = OAuthClient {
                token_url: Some(provider.url.clone()),
                ..OAuthClient::new("the-client", "the-secret")
            };
            config.apps.insert(app.into(), client);
        }
        configure(&mut config);
        let stage = Stage::with(config, catalogue, apis).await;
        Self { stage, provider }
    }

    /// Sends a customer to the provider; gives where they went.
    pub(crate) async fn leave(&self, browser: &Browser, made: &Made, fields: &[(&str, &str)]) -> Seen {
        let page = browser.get(&made.url).await;
        let left = browser.post(&made.url, &page, &[&[("action", "connect")], fields].concat()).await;
        assert_eq!(left.status, 303, "{}", left.html);
        left
    }

    /// Sends a customer to the provider and back with these parameters; gives the last page.
    pub(crate) async fn consent(
        &self,
        made: &Made,
        app: &str,
        fields: &[(&str, &str)],
        back: &[(&str, &str)],
    ) -> Seen {
        let browser = Browser::new();
        let state = self.leave(&browser, made, fields).await.param("state").unwrap();
        let back = [&[("state", state.as_str())], back].concat();
        browser.visit(&self.stage.callback_of(app, &back)).await
    }

    /// A connection whose token the provider sends with these bytes.
    pub(crate) async fn connected_by(&self, app: &str, bytes: Vec<u8>) -> Made {
        self.provider.will_send(bytes);
        let made = self.stage.link(app).await;
        let fields: &[_] = if app == "zendesk" { &[("subdomain", "acme")] } else { &[] };
        let back = self.consent(&made, app, fields, &[("code", "c")]).await;
        assert_eq!(back.status, 200, "{}", back.html);
        made
    }

    /// A connection whose token has to be refreshed now.
    pub(crate) async fn due(&self, app: &str) -> Made {
        let made = self.connected_by(app, ok(TOKENS)).await;
        self.stage.advance(61);
        made
    }

    /// What a token call says.
    pub(crate) async fn vend(&self, made: &Made) -> (u16, Value) {
        self.vend_with(made, &json!({})).await
    }

    /// What a token call with this body says.
    pub(crate) async fn vend_with(&self, made: &Made, body: &Value) -> (u16, Value) {
        let path = format!("/connections/{}/token", made.connection_id);
        let (status, body) = self.stage.post(&path, &self.stage.owner, body).await;
        (status, body["data"].clone())
    }

    /// A refresh that is answered with these bytes: the token that is vended, or the code of the error.
    pub(crate) async fn refresh(&self, app: &str, bytes: Vec<u8>) -> String {
        let made = self.due(app).await;
        self.provider.will_send(bytes);
        let (_, data) = self.vend(&made).await;
        let told = data["access_token"].as_str().or(data["code"].as_str());
        told.unwrap_or_else(|| panic!("{data}")).to_owned()
    }

    pub(crate) fn advance(&self, time: Duration) {
        self.stage.clock.advance(time);
    }
}

/// Options of a link that leads back to the product.
pub(crate) fn returning() -> LinkOptions {
    LinkOptions { return_url: Some("https://product.example/done".into()), ..LinkOptions::default() }
}
