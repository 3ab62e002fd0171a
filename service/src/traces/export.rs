//! Sends spans to a collector, many at once. A collector that hangs or fails loses them, and nothing else.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use tokio::time::{sleep, timeout};
use url::Url;

use super::{Queue, Span, Value};
use crate::oauth::{request_cause, trusted_http};
use crate::state::{AppState, SetupError};

/// Spans of one request to the collector.
const MAX_BATCH: usize = 512;

/// How long spans are collected before they are sent.
const COLLECT: Duration = Duration::from_secs(2);

/// Maximum duration of a request to the collector.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum duration of the last one, when the service ends.
const LAST_TIMEOUT: Duration = Duration::from_secs(2);

/// Minimum time between two lines in the log that it fails.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Where spans are sent.
pub(super) struct Collector {
    http: reqwest::Client,
    endpoint: Url,
    headers: HeaderMap,
}

impl Collector {
    pub(super) fn new(endpoint: &Url, headers: &BTreeMap<String, SecretString>) -> Result<Self, SetupError> {
        let mut all = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        for (name, value) in headers {
            let wrong = || format!("traces.headers.{name}: it is no header");
            let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(value.expose_secret()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            all.insert(name, value);
        }
        Ok(Self { http: trusted_http()?.timeout(TIMEOUT).build()?, endpoint: endpoint.clone(), headers: all })
    }

    /// Why it failed, in a word.
    async fn send(&self, spans: &[Span]) -> Result<(), String> {
        let body = serde_json::to_vec(&message(spans)).map_err(|_| "unwritable".to_owned())?;
        let request = self.http.post(self.endpoint.clone()).headers(self.headers.clone()).body(body);
        let response = request.send().await.map_err(|error| request_cause(&error).to_owned())?;
        // Its body is not read: what the collector says is for its own log.
        if response.status().is_success() { Ok(()) } else { Err(response.status().as_u16().to_string()) }
    }
}

/// Sends what is traced until the service ends, and then a last batch.
pub async fn export(app: AppState) {
    let Some(queue) = &app.traces.0 else { return };
    let queued = queue.queued.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut queued) = queued else { return };
    let mut complained = None;
    while let Some(Some(first)) = app.closing.run_until_cancelled(queued.recv()).await {
        let mut batch = vec![first];
        let collect = async {
            while batch.len() < MAX_BATCH
                && let Some(span) = queued.recv().await
            {
                batch.push(span);
            }
        };
        app.closing.run_until_cancelled(timeout(COLLECT, collect)).await;
        let end = async {
            app.closing.cancelled().await;
            sleep(LAST_TIMEOUT).await;
        };
        tokio::select! {
            () = send(queue, &batch, &mut complained) => {}
            () = end => lose(queue, batch.len()),
        }
    }
    let mut rest = Vec::new();
    while rest.len() < MAX_BATCH
        && let Ok(span) = queued.try_recv()
    {
        rest.push(span);
    }
    if !rest.is_empty() && timeout(LAST_TIMEOUT, send(queue, &rest, &mut complained)).await.is_err() {
        lose(queue, rest.len());
    }
    lose(queue, queued.len());
}

async fn send(queue: &Arc<Queue>, spans: &[Span], complained: &mut Option<Instant>) {
    let Err(problem) = queue.collector.send(spans).await else { return };
    lose(queue, spans.len());
    if complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
        *complained = Some(Instant::now());
        tracing::warn!(problem, "spans cannot be sent to the collector and are dropped");
    }
}

fn lose(queue: &Queue, spans: usize) {
    queue.dropped.fetch_add(u64::try_from(spans).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// `ExportTraceServiceRequest` of OTLP, in its JSON.
fn message(spans: &[Span]) -> Json {
    let resource = [
        ("service.name", Value::from("connect-service")),
        ("service.version", Value::from(env!("CARGO_PKG_VERSION"))),
    ];
    json!({
        "resourceSpans": [{
            "resource": { "attributes": attributes(&resource) },
            "scopeSpans": [{
                "scope": { "name": "connect_service" },
                "spans": spans.iter().map(span).collect::<Vec<_>>(),
            }],
        }],
    })
}

fn span(span: &Span) -> Json {
    let mut json = json!({
        "traceId": crate::ids::hex(&span.trace_id),
        "spanId": crate::ids::hex(&span.span_id),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": nanoseconds(span.started),
        "endTimeUnixNano": nanoseconds(span.ended),
        "attributes": attributes(&span.attributes),
        // 2 is an error.
        "status": if span.has_failed { json!({ "code": 2 }) } else { json!({}) },
    });
    if let Some(parent) = &span.parent_id {
        json["parentSpanId"] = crate::ids::hex(parent).into();
    }
    json
}

fn attributes(attributes: &[(&'static str, Value)]) -> Vec<Json> {
    let value = |value: &Value| match value {
        Value::Text(text) => json!({ "stringValue": text }),
        // Numbers of 64 bits are text in the JSON of protocol buffers.
        Value::Number(number) => json!({ "intValue": number.to_string() }),
    };
    attributes.iter().map(|(name, of)| json!({ "key": name, "value": value(of) })).collect()
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
