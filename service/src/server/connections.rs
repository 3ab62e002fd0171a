//! The connections of clients: how many there are, how long they may take, and when they are closed.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use axum::serve::Listener;
use http::HeaderValue;
use http::header::CONNECTION;
use http::request::Parts;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tower::Service as _;

use super::MAX_BODY;
use super::handled::{HandledBody, Requests};
use super::stream::{ClientStream, Timeouts};
use crate::auth::network::PeerAddress;
use crate::config::LimitConfig;
use crate::error::ApiError;
use crate::state::AppState;

/// Default of `max_connections` where the process may open twice as many files.
const DEFAULT_MAX_CONNECTIONS: usize = 20_000;

/// Connections beyond `max_connections` that are still told so; further ones are closed without a word.
const MAX_REFUSALS: usize = 64;

/// Marks a request of a connection beyond `max_connections`.
#[derive(Debug, Clone, Copy)]
struct BeyondLimit;

/// Raises the number of files that this process may open, connections among them, as far as the system lets it.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}

/// Connections that may be open at once: as configured, else half of the files that this process may open, since
/// requests need some for the database and for providers.
pub fn max_connections(limits: &LimitConfig) -> usize {
    let files = getrlimit(Resource::Nofile).current;
    let half = files.map_or(usize::MAX, |files| usize::try_from(files / 2).unwrap_or(usize::MAX));
    limits.max_connections.unwrap_or(half.clamp(1, DEFAULT_MAX_CONNECTIONS))
}

/// Accepts connections for as long as it is polled, and serves each in a task of its own.
pub(super) async fn accept(
    app: &AppState,
    router: &Router,
    mut listener: TcpListener,
    connections: &TaskTracker,
) -> Infallible {
    let http = Arc::new(http(&app.config.limits));
    let places = Arc::new(Semaphore::new(app.max_connections));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let mut is_full = false;
    loop {
        let (stream, address) = Listener::accept(&mut listener).await;
        let place = places.clone().try_acquire_owned();
        if place.is_err() && !is_full {
            tracing::warn!(max_connections = app.max_connections, "too many connections");
        }
        is_full = place.is_err();
        let Ok(place) = place.or_else(|_| refusals.clone().try_acquire_owned()) else {
            continue;
        };
        let connection = Connection {
            app: app.clone(),
            router: router.clone(),
            address: PeerAddress(address.ip()),
            is_beyond_limit: is_full,
            _place: place,
        };
        connections.spawn(connection.serve(http.clone(), stream));
    }
}

/// Refuses all requests on a connection beyond the limit.
pub(super) struct WithinLimit;

impl<S: Sync> FromRequestParts<S> for WithinLimit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<BeyondLimit>() {
            Some(BeyondLimit) => Err(ApiError::ServiceUnavailable),
            None => Ok(Self),
        }
    }
}

fn http(limits: &LimitConfig) -> http1::Builder {
    let mut http = http1::Builder::new();
    // Of the two limits on time, this one is for connections that lie idle, see `ClientStream`.
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout())
        .max_header_size(limits.max_header_size)
        .max_buf_size(limits.max_header_size.max(MAX_BODY));
    http
}

struct Connection {
    app: AppState,
    router: Router,
    address: PeerAddress,
    is_beyond_limit: bool,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// Serves requests until the client or a limit ends the connection, or the service closes.
    async fn serve(self, http: Arc<http1::Builder>, stream: TcpStream) {
        let requests = Requests::default();
        let limits = &self.app.config.limits;
        let timeouts = Timeouts { header: limits.header_timeout(), write: limits.write_timeout() };
        let stream = ClientStream::new(stream, timeouts, requests.clone());
        let service = service_fn(|request| self.answer(request, &requests));
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            // An error is the client's: there is nobody left to be told.
            _ = connection.as_mut() => return,
            () = self.app.closing.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        requests: &Requests,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<'_> {
        let handled = requests.begin();
        let mut request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(HandledBody::new(body, handled.clone())),
        });
        request.extensions_mut().insert(self.address);
        if self.is_beyond_limit {
            request.extensions_mut().insert(BeyondLimit);
        }
        // A router is always ready. Called here, and boxed, so that a long poll keeps the request in one place only.
        let response = Box::pin(self.router.clone().call(request));
        async move {
            let mut response = response.await?;
            // The client's next request finds another process, or room again.
            if self.is_beyond_limit || self.app.ending.is_cancelled() {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            drop(handled);
            Ok(response)
        }
    }
}
