//! What is counted and measured, for Prometheus: `GET /metrics` on an address of its own (`metrics_listen`).
//!
//! No label names a tenant, a customer or a connection, and every label has few values: routes are patterns, apps are those
//! of the catalogue. What others own, such as the pool of the database, is read when somebody asks.

mod labels;

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::api::{self, PREFERENCE_APPLIED};
use crate::error::ApiError;
use crate::log;
use crate::oauth::ProviderError;
use crate::state::AppState;
use labels::{OutcomeLabels, PoolLabels, RefreshLabels, RequestLabels, RouteLabels, known_method};

pub(crate) use labels::{CallLabels, GroupLabels};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds, from what a vend takes to what a provider may take.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The outcome of a refresh that succeeded.
const GRANTED: &str = "granted";

/// Durations by label.
pub(crate) type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that one service counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_durations: Durations<RouteLabels>,
    token_calls: Family<OutcomeLabels, Counter>,
    refreshes: Family<RefreshLabels, Counter>,
    refresh_durations: Durations<labels::AppLabels>,
    long_polls: Gauge,
    running_refreshes: Gauge,
    is_ready: Gauge,
    pool: Family<PoolLabels, Gauge>,
    webhook_lag: Gauge<f64, AtomicU64>,
    dropped_lines: Counter,
    dropped_spans: Counter,
}

/// What counts for itself, and is shown with the rest.
pub(crate) struct Sources<'a> {
    /// The apps that have a client.
    pub(crate) apps: Vec<&'a str>,
    pub(crate) budget_refusals: Family<GroupLabels, Counter>,
    pub(crate) provider_calls: Durations<CallLabels>,
    pub(crate) max_long_polls: usize,
    pub(crate) max_connections: usize,
}

/// Durations that nobody measured yet.
pub(crate) fn durations<L: Clone + std::hash::Hash + Eq>() -> Durations<L> {
    Family::new_with_constructor(|| Histogram::new(BUCKETS))
}

impl Metrics {
    pub(crate) fn new(sources: Sources<'_>) -> Self {
        let mut registry = Registry::with_prefix("connect");
        let metrics = Self {
            requests: Family::default(),
            request_durations: durations(),
            token_calls: Family::default(),
            refreshes: Family::default(),
            refresh_durations: durations(),
            long_polls: Gauge::default(),
            running_refreshes: Gauge::default(),
            is_ready: Gauge::default(),
            pool: Family::default(),
            webhook_lag: Gauge::default(),
            dropped_lines: Counter::default(),
            dropped_spans: Counter::default(),
            registry: Registry::default(),
        };
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of the service", build);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let name = "start_time";
        registry.register_with_unit(
            name,
            "Start, since the Unix epoch",
            Unit::Seconds,
            ConstGauge::new(started),
        );
        registry.register("http_requests", "Requests that were answered", metrics.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time to a response, without long polls",
            Unit::Seconds,
            metrics.request_durations.clone(),
        );
        registry.register(
            "token_calls",
            "Token calls that key and budget allowed, by outcome: vended, or the error's code",
            metrics.token_calls.clone(),
        );
        registry.register("refreshes", "Refreshes that asked a provider", metrics.refreshes.clone());
        registry.register_with_unit(
            "refresh_duration",
            "Time that a provider took to refresh",
            Unit::Seconds,
            metrics.refresh_durations.clone(),
        );
        registry.register("refreshes_running", "Refreshes under way", metrics.running_refreshes.clone());
        registry.register_with_unit(
            "provider_request_duration",
            "Time that requests to providers took, by what they were for and their result",
            Unit::Seconds,
            sources.provider_calls,
        );
        registry.register(
            "budget_refusals",
            "Calls beyond a budget, those that the service itself would have made included",
            sources.budget_refusals,
        );
        registry.register("long_polls", "Long polls under way", metrics.long_polls.clone());
        let limit = ConstGauge::new(sources.max_long_polls as f64);
        registry.register("long_polls_limit", "Long polls at once at most", limit);
        let limit = ConstGauge::new(sources.max_connections as f64);
        registry.register("client_connections_limit", "Connections of clients at once at most", limit);
        registry.register_with_unit(
            "webhook_lag",
            "How long the webhook delivery that is due has waited for longest",
            Unit::Seconds,
            metrics.webhook_lag.clone(),
        );
        registry.register("database_pool", "Connections to the database", metrics.pool.clone());
        registry.register(
            "ready",
            "Whether the database can be written to and no SIGTERM came",
            metrics.is_ready.clone(),
        );
        registry.register(
            "log_lines_dropped",
            "Lines that the log had no room for",
            metrics.dropped_lines.clone(),
        );
        registry.register(
            "trace_spans_dropped",
            "Spans that the queue had no room for, or that could not be sent",
            metrics.dropped_spans.clone(),
        );
        // Shown from the start: what appears with its first failure seems never to have grown.
        for app in sources.apps {
            for outcome in [GRANTED].into_iter().chain(ProviderError::WORDS) {
                drop(metrics.refreshes.get_or_create(&RefreshLabels { app: app.to_owned(), outcome }));
            }
        }
        Self { registry, ..metrics }
    }

    /// Counts a request that was answered.
    pub(crate) fn request(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        headers: &HeaderMap,
        took: Duration,
    ) {
        let labels =
            RequestLabels { method: known_method(method), route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        // How long those take is what the client asked for.
        if !headers.contains_key(PREFERENCE_APPLIED) {
            let labels = RouteLabels { route: labels.route };
            self.request_durations.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    /// Counts a token call.
    pub(crate) fn token_call(&self, outcome: &'static str) {
        self.token_calls.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Counts a refresh for which a provider was asked.
    pub(crate) fn refresh(&self, app: &str, error: Option<&ProviderError>, took: Duration) {
        let outcome = error.map_or(GRANTED, ProviderError::as_str);
        self.refreshes.get_or_create(&RefreshLabels { app: app.to_owned(), outcome }).inc();
        let labels = labels::AppLabels { app: app.to_owned() };
        self.refresh_durations.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Everything, in the text format of OpenMetrics.
    async fn render(&self, app: &AppState) -> Result<String, std::fmt::Error> {
        self.long_polls.set(as_gauge(app.long_polls.count()));
        self.running_refreshes.set(as_gauge(app.refreshes.count()));
        self.is_ready.set(i64::from(api::is_ready(app).await));
        for (pool, state, connections) in app.store.pool() {
            self.pool.get_or_create(&PoolLabels { pool, state }).set(as_gauge(connections));
        }
        match app.store.webhook_lag().await {
            Ok(lag) => drop(self.webhook_lag.set(lag.as_secs_f64())),
            // That the database is away is told by another metric.
            Err(error) => tracing::debug!(%error, "the lag of webhooks is not known"),
        }
        let dropped = log::dropped_lines();
        self.dropped_lines.inc_by(dropped.saturating_sub(self.dropped_lines.get()));
        let dropped = app.traces.dropped();
        self.dropped_spans.inc_by(dropped.saturating_sub(self.dropped_spans.get()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The address that Prometheus asks.
pub fn router(app: AppState) -> Router {
    Router::new().route("/metrics", get(show)).with_state(app)
}

async fn show(State(app): State<AppState>) -> Response {
    match app.metrics.render(&app).await {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
