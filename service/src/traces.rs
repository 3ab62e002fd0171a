//! Traces, sent to an OpenTelemetry collector (OTLP over HTTP, in JSON). Off unless an endpoint is configured.
//!
//! A request is one span, and what it asked of the database and of providers are its children. A caller's `traceparent`
//! (W3C Trace Context) is taken in; nothing of it is ever given out, to providers or to webhook endpoints.
//!
//! What a span says is chosen here and nowhere else: names, route patterns, statements without their values, and numbers.
//! No address, header, email, id of a customer's or credential has a way into one. No request waits for a collector: spans
//! go through a bounded queue (`traces/export.rs`), and what it has no room for is dropped and counted.

mod export;
mod parent;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use http::{HeaderMap, Method, StatusCode};
use tokio::sync::mpsc;

use crate::config::TraceConfig;
use crate::state::SetupError;

use export::Collector;
pub use export::export;
use parent::Parent;

/// Spans that wait to be sent at most.
const MAX_QUEUED: usize = 2048;

/// Maximum length of a statement in a span.
const MAX_STATEMENT: usize = 500;

tokio::task_local! {
    /// The span that the running task works for.
    static CURRENT: Option<Context>;
}

/// Where spans go; nowhere unless that is configured. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<Queue>>);

struct Queue {
    spans: mpsc::Sender<Span>,
    /// For the one task that sends them.
    queued: Mutex<Option<mpsc::Receiver<Span>>>,
    dropped: AtomicU64,
    /// Which part of the requests is traced that come without a `traceparent`.
    sample: f64,
    collector: Collector,
}

/// A span that is under way.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    queue: Arc<Queue>,
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

/// A span that ended.
#[derive(Debug)]
struct Span {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent_id: Option<[u8; 8]>,
    name: Cow<'static, str>,
    kind: Kind,
    started: SystemTime,
    ended: SystemTime,
    attributes: Vec<(&'static str, Value)>,
    has_failed: bool,
}

/// Who asked whom, by the numbers of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// This service was asked.
    Server = 2,
    /// Somebody else was asked by it.
    Client = 3,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

/// A span until it is dropped; nothing where the request is not traced.
#[derive(Debug)]
pub(crate) struct OpenSpan(Option<Box<Open>>);

#[derive(Debug)]
struct Open {
    context: Context,
    parent_id: Option<[u8; 8]>,
    name: Cow<'static, str>,
    kind: Kind,
    started: SystemTime,
    began: Instant,
    attributes: Vec<(&'static str, Value)>,
    has_failed: bool,
}

impl Traces {
    /// # Errors
    ///
    /// When TLS cannot be set up for the endpoint.
    pub(crate) fn new(config: &TraceConfig) -> Result<Self, SetupError> {
        let Some(endpoint) = &config.endpoint else { return Ok(Self(None)) };
        let (spans, queued) = mpsc::channel(MAX_QUEUED);
        Ok(Self(Some(Arc::new(Queue {
            spans,
            queued: Mutex::new(Some(queued)),
            dropped: AtomicU64::new(0),
            sample: config.sample,
            collector: Collector::new(endpoint, &config.headers)?,
        }))))
    }

    /// How many spans were lost: those that the queue had no room for, and those that could not be sent.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.as_ref().map_or(0, |queue| queue.dropped.load(Ordering::Relaxed))
    }

    /// The span of a request. The sender of a `traceparent` decides whether it is traced.
    pub(crate) fn request(&self, method: &Method, route: &str, headers: &HeaderMap) -> OpenSpan {
        let Some(queue) = &self.0 else { return OpenSpan(None) };
        let parent = Parent::of(headers);
        let is_traced = parent.as_ref().map_or_else(|| queue.samples(), |parent| parent.is_sampled);
        if !is_traced {
            return OpenSpan(None);
        }
        let method = if is_known(method) { method.as_str().to_owned() } else { "_OTHER".to_owned() };
        let Some(context) = queue.clone().context(parent.as_ref().map(|parent| parent.trace_id)) else {
            return OpenSpan(None);
        };
        let name = Cow::Owned(format!("{method} {route}"));
        let mut span = OpenSpan::new(context, parent.map(|parent| parent.span_id), name, Kind::Server);
        span.set("http.request.method", method);
        span.set("http.route", route.to_owned());
        span
    }
}

impl Queue {
    fn samples(&self) -> bool {
        self.sample >= 1.0
            || getrandom::u32().is_ok_and(|random| f64::from(random) < self.sample * f64::from(u32::MAX))
    }

    /// A new span of this trace, or of a new one.
    fn context(self: Arc<Self>, trace_id: Option<[u8; 16]>) -> Option<Context> {
        let mut random = [0; 24];
        getrandom::fill(&mut random).ok()?;
        let (mut new_trace, mut span_id) = ([0; 16], [0; 8]);
        new_trace.copy_from_slice(&random[..16]);
        span_id.copy_from_slice(&random[16..]);
        Some(Context { queue: self, trace_id: trace_id.unwrap_or(new_trace), span_id })
    }
}

/// A child of the span that the running task works for.
pub(crate) fn child(name: &'static str) -> OpenSpan {
    let child = CURRENT.try_with(|current| {
        let parent = current.as_ref()?;
        let context = parent.queue.clone().context(Some(parent.trace_id))?;
        Some(OpenSpan::new(context, Some(parent.span_id), Cow::Borrowed(name), Kind::Client))
    });
    child.ok().flatten().unwrap_or(OpenSpan(None))
}

/// Runs a future as part of a span.
pub(crate) fn within<F: Future>(context: Option<Context>, future: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(context, future)
}

/// Runs a future as part of the span that the running task works for, in a task of its own.
pub(crate) fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    within(CURRENT.try_with(Clone::clone).ok().flatten(), future)
}

impl OpenSpan {
    fn new(context: Context, parent_id: Option<[u8; 8]>, name: Cow<'static, str>, kind: Kind) -> Self {
        Self(Some(Box::new(Open {
            context,
            parent_id,
            name,
            kind,
            started: SystemTime::now(),
            began: Instant::now(),
            attributes: Vec::new(),
            has_failed: false,
        })))
    }

    /// For what is done as part of it.
    pub(crate) fn context(&self) -> Option<Context> {
        self.0.as_ref().map(|open| open.context.clone())
    }

    /// Adds what is known of it. Callers may pass words of this program, and numbers.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(open) = &mut self.0 {
            open.attributes.push((name, value.into()));
        }
    }

    /// Adds a statement. Its values are not part of it.
    pub(crate) fn set_statement(&mut self, statement: &str) {
        if let Some(open) = &mut self.0 {
            let words = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            let text: String = words.chars().take(MAX_STATEMENT).collect();
            open.attributes.push(("db.query.text", text.into()));
        }
    }

    /// Notes how a request was answered.
    pub(crate) fn set_status(&mut self, status: StatusCode) {
        self.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            self.fail();
        }
    }

    pub(crate) fn fail(&mut self) {
        if let Some(open) = &mut self.0 {
            open.has_failed = true;
        }
    }
}

impl Drop for OpenSpan {
    fn drop(&mut self) {
        let Some(open) = self.0.take() else { return };
        let Context { queue, trace_id, span_id } = open.context;
        let span = Span {
            trace_id,
            span_id,
            parent_id: open.parent_id,
            name: open.name,
            kind: open.kind,
            started: open.started,
            ended: open.started + open.began.elapsed(),
            attributes: open.attributes,
            has_failed: open.has_failed,
        };
        if queue.spans.try_send(span).is_err() {
            queue.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Context {
    /// The trace's id, in hexadecimal.
    pub(crate) fn trace_id(&self) -> String {
        crate::ids::hex(&self.trace_id)
    }
}

/// Callers may invent methods.
fn is_known(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        .contains(method)
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue(…)")
    }
}
