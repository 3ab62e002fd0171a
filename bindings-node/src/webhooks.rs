//! Webhooks, which need no client.

use napi::Result;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use pabbly_connect::bindings;

use crate::outcome::thrown;

/// Throws where a request is no webhook. `headers` are names and values in turn; `receivedAt` is in seconds since 1970.
#[napi]
#[allow(dead_code, unreachable_pub, reason = "napi exports it")]
pub fn verify_webhook(
    headers: Vec<String>,
    body: Uint8Array,
    secrets: Vec<String>,
    received_at: Option<f64>,
) -> Result<()> {
    let headers = headers.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
    bindings::verify_webhook(headers, &body, &secrets, received_at).map_err(|error| thrown(&error))
}
