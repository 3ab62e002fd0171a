//! A provider's token endpoint.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use connect_service::oauth::OAuthClient;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::form_urlencoded;

/// What the endpoint does with a refresh token.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A new access token that lives for so many seconds, and a new refresh token; the old one is spent.
    Rotate(Option<u64>),
    /// A new access token alone.
    Keep,
    /// This status, content type and body.
    Say(u16, &'static str, &'static str),
    /// A 429 with this `Retry-After`.
    Throttle(u64),
    /// Nothing, for so long.
    Hang(Duration),
}

/// A provider that issues `canary-refresh-0` in the mind of the tests, and from then on what [`Reply`] says.
#[derive(Clone)]
pub(crate) struct Provider {
    url: String,
    state: Arc<Mutex<Issued>>,
}

struct Issued {
    reply: Reply,
    delay: Duration,
    /// Whether responses wait for [`Provider::release`].
    held: watch::Sender<bool>,
    /// Which refresh token is good now.
    generation: u32,
    seen: Vec<HashMap<String, String>>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issued = Issued {
            reply: Reply::Rotate(Some(3600)),
            delay: Duration::ZERO,
            held: watch::Sender::new(false),
            generation: 0,
            seen: Vec::new(),
        };
        let provider = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::new(Mutex::new(issued)),
        };
        let router = Router::new().route("/token", post(token)).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn will(&self, reply: Reply) {
        self.state.lock().unwrap().reply = reply;
    }

    /// Lets every answer take so long, for others to come in between.
    pub(crate) fn takes(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// Lets every response wait from now on.
    pub(crate) fn hold(&self) {
        self.state.lock().unwrap().held.send_replace(true);
    }

    /// Lets the responses that wait go, and all later ones.
    pub(crate) fn release(&self) {
        self.state.lock().unwrap().held.send_replace(false);
    }

    /// Waits until there were so many requests.
    pub(crate) async fn has_seen(&self, requests: usize) {
        let seen = async {
            while self.seen().len() < requests {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the provider is asked");
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<HashMap<String, String>> {
        self.state.lock().unwrap().seen.clone()
    }

    pub(crate) fn registration(&self) -> OAuthClient {
        OAuthClient {
            authorization_url: Some(format!("{}/authorize", self.url)),
            token_url: Some(format!("{}/token", self.url)),
            ..OAuthClient::new("the-client", "canary-client-secret")
        }
    }
}

async fn token(State(provider): State<Provider>, body: String) -> Response {
    let params: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let (delay, mut held) = {
        let mut issued = provider.state.lock().unwrap();
        issued.seen.push(params.clone());
        (issued.delay, issued.held.subscribe())
    };
    tokio::time::sleep(delay).await;
    held.wait_for(|held| !held).await.unwrap();
    let reply = provider.state.lock().unwrap().reply.clone();
    match reply {
        Reply::Say(status, content_type, body) => {
            (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, content_type)], body).into_response()
        }
        Reply::Throttle(seconds) => {
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds.to_string())], "{}").into_response()
        }
        Reply::Hang(time) => {
            tokio::time::sleep(time).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Reply::Rotate(_) | Reply::Keep => issue(&provider, &params, &reply),
    }
}

fn issue(provider: &Provider, params: &HashMap<String, String>, reply: &Reply) -> Response {
    let mut issued = provider.state.lock().unwrap();
    let good = format!("canary-refresh-{}", issued.generation);
    if params.get("refresh_token") != Some(&good) {
        let body = r#"{"error":"invalid_grant"}"#;
        return (StatusCode::BAD_REQUEST, [(CONTENT_TYPE, "application/json")], body).into_response();
    }
    let mut answer = serde_json::json!({
        "access_token": format!("canary-access-{}", issued.seen.len()),
        "token_type": "Bearer",
    });
    match reply {
        Reply::Rotate(lifetime) => {
            issued.generation += 1;
            answer["refresh_token"] = format!("canary-refresh-{}", issued.generation).into();
            if let Some(lifetime) = lifetime {
                answer["expires_in"] = (*lifetime).into();
            }
        }
        _ => answer["expires_in"] = 3600.into(),
    }
    axum::Json(answer).into_response()
}
