//! What the bindings share and nobody else needs: calls and options by name, lists of any kind, and events, polls and
//! errors as JSON text. Behind the feature `bindings`, and no part of the public interface.

mod by_name;
mod value;

use std::error::Error as StdError;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json, json};

use crate::api_request::ApiRequest;
use crate::error::Error;
use crate::event::Event;
use crate::token::Token;
use crate::wait::Poll;

pub use by_name::{AnyList, AnyPages, PreparedCall, prepare, settings};
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
pub fn event_json(event: &Event) -> String {
    let json = match event {
        Event::Request { call, method, path, attempt } => {
            json!({"event": "request", "call": call, "method": method, "path": path, "attempt": attempt})
        }
        Event::Response { call, attempt, status, elapsed, request_id } => json!({
            "event": "response", "call": call, "attempt": attempt, "status": status,
            "elapsedMs": milliseconds(*elapsed), "requestId": request_id,
        }),
        Event::Retry { call, attempt, delay } => {
            json!({"event": "retry", "call": call, "attempt": attempt, "delayMs": milliseconds(*delay)})
        }
        Event::Wait { connection_id, status, delay } => {
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
