//! The log: one JSON line per request on stderr, and nothing in it that is anybody's secret. It names the matched
//! route, never the path, whose last part can be a link's secret; no query, header or body is ever logged.
//!
//! No request ever waits for stderr: lines go through a bounded queue to a thread of their own (`log/queue.rs`).

mod queue;

use std::io::IsTerminal as _;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue};
use tower::Service as _;
use tracing::{Instrument, Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::auth::tenant_key::LoggedCaller;
use crate::error::ApiError;
use crate::ids;
use crate::proxy;
use crate::server::PREFIX;
use crate::state::AppState;
use crate::traces;
pub use queue::LogFlush;
use queue::LogQueue;
pub(crate) use queue::dropped_lines;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether this can be logged at all. `rmcp` would put whole messages into its log, links and all, were it asked to.
pub fn is_discreet(metadata: &Metadata<'_>) -> bool {
    !metadata.target().starts_with("rmcp") || *metadata.level() <= Level::WARN
}

/// Number of lines that wait for stderr at most, about a megabyte; what comes on top is dropped and counted.
const MAX_QUEUED_LINES: usize = 4096;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// As text where stderr is a terminal, else as JSON.
    #[default]
    Auto,
    /// One JSON object for each line.
    Json,
    /// For people.
    Text,
}

/// Sends the log to stderr. `RUST_LOG` chooses what is in it; by default what this service has to say. What is still
/// queued is written when the returned value is dropped.
///
/// # Errors
///
/// When the thread that writes cannot be started.
pub fn init(format: Format) -> std::io::Result<LogFlush> {
    let is_json = match format {
        Format::Auto => !std::io::stderr().is_terminal(),
        Format::Json => true,
        Format::Text => false,
    };
    let dropped_line = if is_json { queue::dropped_as_json } else { queue::dropped_as_text };
    let queue = Arc::new(LogQueue::start(std::io::stderr(), MAX_QUEUED_LINES, dropped_line)?);
    let flush = queue.flush_on_drop();
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,connect_service=info"));
    let layer = tracing_subscriber::fmt::layer().with_writer(queue);
    let layer = if is_json {
        // The span is there already, and it is the only one.
        layer.json().with_span_list(false).boxed()
    } else {
        layer.with_ansi(false).with_target(false).boxed()
    };
    let layer = layer.with_filter(filter).with_filter(filter_fn(is_discreet));
    // A second call, as in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    std::panic::set_hook(Box::new(log_panic));
    Ok(flush)
}

/// Logs where a thread panicked. Rust's own hook would wait for stderr; the panic's message is left out, since it may
/// quote a secret.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(location, "a thread panicked");
}

/// Around every request: its id, its line in the log, its place in the metrics, an answer even if a handler panics, and
/// `no-store` on whatever does not say otherwise.
///
/// The future that is returned has no room for the request, which may be a long poll's.
pub fn observe(
    State(app): State<AppState>,
    request: Request,
    mut next: Next,
) -> impl Future<Output = Response> + Send {
    let id = ids::random(16);
    let method = request.method().clone();
    let connection = connection_of(request.uri().path()).map(str::to_owned);
    let is_proxied = proxy::is_proxied(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::info_span!("request", id, %method, route = route_name(route.as_ref()));
    let mut traced = app.traces.request(&method, route_name(route.as_ref()), request.headers());
    let started = Instant::now();
    let handled = AssertUnwindSafe(traces::within(traced.context(), next.call(request)))
        .catch_unwind()
        .instrument(span.clone());
    async move {
        let Ok(mut response) = handled.await.unwrap_or_else(|_| {
            Ok(span.in_scope(|| ApiError::internal("a handler panicked").into_response()))
        });
        if is_proxied {
            proxy::mark_source(&mut response);
        }
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::try_from(&id) {
            headers.insert(REQUEST_ID, id);
        }
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        traced.set("connect.request_id", id);
        traced.set_status(response.status());
        let trace = traced.context().map(|context| context.trace_id());
        let took = started.elapsed();
        let route = route_name(route.as_ref());
        app.metrics.request(&method, route, response.status(), response.headers(), took);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let caller = response.extensions().get::<LoggedCaller>();
        let (tenant, key) = caller.map(|caller| (&*caller.tenant, &*caller.key)).unzip();
        // What nobody was let in for is not repeated.
        let connection = connection.as_deref().filter(|_| caller.is_some());
        tracing::info!(
            parent: &span,
            status = response.status().as_u16(),
            ms,
            tenant,
            key,
            connection,
            trace,
            "answered"
        );
        response
    }
}

/// The matched route, never the path.
fn route_name(route: Option<&MatchedPath>) -> &str {
    route.map_or("none", MatchedPath::as_str)
}

/// The connection that a path under the contract's prefix names.
fn connection_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(PREFIX)?.strip_prefix("/connections/")?;
    let id = rest.split('/').next()?;
    ids::is_connection(id).then_some(id)
}
