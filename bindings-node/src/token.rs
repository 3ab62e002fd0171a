//! What a credential is for: JavaScript keeps it, the core says where it goes.

use napi::Result;
use napi_derive::napi;
use pabbly_connect::ExposeSecret;
use pabbly_connect::bindings;

use crate::outcome::thrown;

/// Applies a credential, as the JSON text that came, to a path, and gives the URL and headers as JSON text.
#[napi]
#[allow(dead_code, unreachable_pub, reason = "napi exports it")]
pub fn apply_token(token: String, path: String) -> Result<String> {
    let token = bindings::token(&token).map_err(|error| thrown(&error))?;
    let request = token.apply(&path).map_err(|error| thrown(&error))?;
    Ok(bindings::request_json(&request).expose_secret().to_owned())
}
