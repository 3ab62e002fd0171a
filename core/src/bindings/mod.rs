//! What the bindings share and nobody else needs: calls and options by name, lists of any kind, bodies of proxied calls part
//! by part, and events, polls and errors as JSON text. Behind the feature `bindings`, and no part of the public interface.

mod by_name;
mod proxy;
mod value;

use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json, json};

use crate::api_request::ApiRequest;
use crate::client_event::ClientEvent;
use crate::error::Error;
use crate::token::Token;
use crate::wait::Poll;
use crate::webhooks;

pub use bytes::Bytes;

pub use by_name::{AnyList, AnyPages, PreparedCall, prepare, settings};
pub use proxy::{BodyReader, BodySender, ProxyResponse, body_in_parts, library_request, proxy};
pub use value::{Options, Value};

/// The error of a value that the binding itself refuses.
pub fn invalid_argument(message: &str) -> Error {
    Error::invalid_argument(message)
}

/// A credential, of the JSON text that the service sends.
///
/// # Errors
/// Where it is none.
pub fn token(json: &str) -> Result<Token, Error> {
    serde_json::from_str(json)
        .map_err(|_| invalid_argument("an OAuth token needs its access_token, every other its fields"))
}

/// Verifies a webhook, whose body then is the JSON text of an event. `received_at` is in seconds since 1970; without it, the
/// request came now.
///
/// # Errors
/// Where it is none of this endpoint's, or a secret is none.
pub fn verify_webhook<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    body: &[u8],
    secrets: &[String],
    received_at: Option<f64>,
) -> Result<(), Error> {
    let headers = headers.map(|(name, value)| (name, value.as_bytes()));
    let since_1970 = received_at.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let at = |time| SystemTime::UNIX_EPOCH.checked_add(time).unwrap_or(SystemTime::UNIX_EPOCH);
    let received_at = since_1970.map_or_else(SystemTime::now, at);
    webhooks::event(headers, body, secrets, received_at).map(drop)
}

/// The URL and headers of a request.
pub fn request_json(request: &ApiRequest) -> SecretString {
    let text = |value: &[u8]| Json::String(String::from_utf8_lossy(value).into_owned());
    let headers = request.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    json!({"url": request.url.expose_secret(), "headers": headers.collect::<Map<_, _>>()}).to_string().into()
}

/// Everything that an error carries. Times are in seconds.
pub fn error_json(error: &Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    json!({
        "class": error.kind().class(),
        "message": error.message(),
        "status": error.status(),
        "code": error.code(),
        "response": error.response(),
        "attempts": error.attempts(),
        "retryAfter": error.retry_after().map(|wait| wait.as_secs_f64()),
        "connection": error.connection(),
        "fields": error.fields(),
        "oldestCursor": error.oldest_cursor(),
        "causes": causes,
    })
    .to_string()
}

/// For a call that ended in a bug of the SDK.
pub fn panic_json() -> String {
    json!({
        "class": "PabblyConnectError",
        "message": "internal error of the SDK; please report it",
        "attempts": 0,
        "causes": [],
    })
    .to_string()
}

/// Something that a call does. Times are in milliseconds.
pub fn event_json(event: &ClientEvent) -> String {
    let json = match event {
        ClientEvent::Request { call, method, path, attempt } => {
            json!({"event": "request", "call": call, "method": method, "path": path, "attempt": attempt})
        }
        ClientEvent::Response { call, attempt, status, elapsed, request_id } => json!({
            "event": "response", "call": call, "attempt": attempt, "status": status,
            "elapsedMs": milliseconds(*elapsed), "requestId": request_id,
        }),
        ClientEvent::Retry { call, attempt, delay } => {
            json!({"event": "retry", "call": call, "attempt": attempt, "delayMs": milliseconds(*delay)})
        }
        ClientEvent::Wait { connection_id, status, delay } => {
            json!({"event": "wait", "connectionId": connection_id, "status": status, "delayMs": milliseconds(*delay)})
        }
    };
    json.to_string()
}

/// What a wait has just learned. Times are in milliseconds.
pub fn poll_json(poll: &Poll) -> String {
    json!({"status": poll.status, "phase": poll.phase, "nextInMs": milliseconds(poll.next_in)}).to_string()
}

fn milliseconds(duration: Duration) -> Json {
    json!(duration.as_micros() as f64 / 1000.0)
}
