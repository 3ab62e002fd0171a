//! A provider's API: notes every request, and answers as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Notes requests until it is dropped.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) url: String,
    state: Arc<ApiState>,
}

struct ApiState {
    reply: Mutex<Reply>,
    /// Whether responses wait for [`Api::release`].
    held: watch::Sender<bool>,
    seen: Mutex<Vec<SeenCall>>,
}

type Reply = Arc<dyn Fn(&SeenCall) -> Response + Send + Sync>;

/// One request, as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct SeenCall {
    pub(crate) method: String,
    /// Path and query, with nothing decoded.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl SeenCall {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Api {
    /// An API that answers 200 with an empty JSON object.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let reply: Reply = Arc::new(|_| "{}".into_response());
        let state = ApiState { reply: reply.into(), held: watch::Sender::new(false), seen: Mutex::default() };
        let api = Self { url, state: Arc::new(state) };
        let router = Router::new().fallback(answer).with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        api
    }

    pub(crate) fn will<R: IntoResponse>(&self, reply: impl Fn(&SeenCall) -> R + Send + Sync + 'static) {
        *self.state.reply.lock().unwrap() = Arc::new(move |call| reply(call).into_response());
    }

    /// Lets every response wait from now on.
    pub(crate) fn hold(&self) {
        self.state.held.send_replace(true);
    }

    /// Lets the responses that wait go, and all later ones.
    pub(crate) fn release(&self) {
        self.state.held.send_replace(false);
    }

    /// The requests so far, which are forgotten.
    pub(crate) fn seen(&self) -> Vec<SeenCall> {
        std::mem::take(&mut self.state.seen.lock().unwrap())
    }

    /// The only request since the last look.
    #[track_caller]
    pub(crate) fn seen_one(&self) -> SeenCall {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    /// Waits until there were so many requests.
    pub(crate) async fn has_seen(&self, requests: usize) {
        let seen = async {
            while self.state.seen.lock().unwrap().len() < requests {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), seen).await.expect("the API is called");
    }
}

async fn answer(State(api): State<Api>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let call = SeenCall {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().unwrap().to_string(),
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    };
    let mut held = api.state.held.subscribe();
    api.state.seen.lock().unwrap().push(call.clone());
    held.wait_for(|held| !held).await.unwrap();
    let reply = api.state.reply.lock().unwrap().clone();
    reply(&call)
}
