//! What a client tells while it works, as JSON.

use std::time::Duration;

use pabbly_connect::{Event, Poll};
use serde_json::{Value, json};

/// The event, its members named as in JavaScript; `None` for a kind that is newer than this layer.
pub(crate) fn event_json(event: &Event) -> Option<String> {
    let value = match event {
        Event::Request {
            call,
            method,
            path,
            attempt,
            ..
        } => {
            json!({"event": "request", "call": call, "method": method, "path": path, "attempt": attempt})
        }
        Event::Response {
            call,
            attempt,
            status,
            elapsed,
            request_id,
            ..
        } => json!({
            "event": "response", "call": call, "attempt": attempt, "status": status,
            "elapsedMs": milliseconds(*elapsed), "requestId": request_id,
        }),
        Event::Retry {
            call, attempt, delay, ..
        } => {
            json!({"event": "retry", "call": call, "attempt": attempt, "delayMs": milliseconds(*delay)})
        }
        Event::Wait {
            connection_id,
            status,
            delay,
            ..
        } => json!({
            "event": "wait", "connectionId": connection_id,
            "status": status.as_ref().map(|status| status.as_str()), "delayMs": milliseconds(*delay),
        }),
        _ => return None,
    };
    Some(value.to_string())
}

/// What a wait has just learned.
pub(crate) fn poll_json(poll: &Poll) -> String {
    let status = poll.status.as_ref().map(|status| status.as_str());
    json!({"status": status, "nextInMs": milliseconds(poll.next_in)}).to_string()
}

fn milliseconds(duration: Duration) -> Value {
    json!(duration.as_micros() as f64 / 1000.0)
}
