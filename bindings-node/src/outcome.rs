//! Errors as JSON, for the TypeScript layer to make real ones of.

use std::error::Error as StdError;

use pabbly_connect::{Error, SecretString};
use serde_json::json;

/// How a call ends: with the JSON text of its answer, or with an error.
pub(crate) type Outcome = Result<SecretString, Error>;

/// Everything that an error carries, named as in JavaScript.
pub(crate) fn error_json(error: &Error) -> String {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    json!({
        "class": error.kind().class(),
        "message": error.message(),
        "status": error.status(),
        "code": error.code(),
        "response": error.response(),
        "attempts": error.attempts(),
        "retryAfter": error.retry_after().map(|wait| wait.as_secs_f64()),
        "connection": error.connection(),
        "causes": causes,
    })
    .to_string()
}

/// For a call that ended in a bug of this library.
pub(crate) fn panic_json() -> String {
    json!({
        "class": "PabblyConnectError",
        "message": "internal error of the SDK; please report it",
        "attempts": 0,
        "causes": [],
    })
    .to_string()
}

/// What is refused before anything is sent is thrown, with the same JSON as its message.
pub(crate) fn thrown(error: &Error) -> napi::Error {
    napi::Error::from_reason(error_json(error))
}
