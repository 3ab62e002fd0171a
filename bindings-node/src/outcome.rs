//! How calls end, as JSON, for the TypeScript layer to make values and errors of.

use pabbly_connect::bindings::error_json;
use pabbly_connect::{Error, SecretString};

/// How a call ends: with the JSON text of its answer, or with an error.
pub(crate) type Outcome = Result<SecretString, Error>;

/// What is refused before anything is sent is thrown, with the error's JSON as its message.
pub(crate) fn thrown(error: &Error) -> napi::Error {
    napi::Error::from_reason(error_json(error))
}
