//! Webhooks, which need no client.

use pabbly_connect::bindings;
use pyo3::prelude::*;

use crate::errors::exception;

/// Raises where a request is no webhook. `received_at` is in seconds since 1970.
#[pyfunction]
#[pyo3(signature = (headers: "list[tuple[str, str]]", body, secrets: "list[str]", received_at = None))]
pub(crate) fn verify_webhook(
    py: Python<'_>,
    headers: Vec<(String, String)>,
    body: &[u8],
    secrets: Vec<String>,
    received_at: Option<f64>,
) -> PyResult<()> {
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    bindings::verify_webhook(headers, body, &secrets, received_at).map_err(|error| exception(py, &error))
}
