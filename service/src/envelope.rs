//! The shape of every JSON answer.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What is in every JSON answer.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<'a, T> {
    /// `success` or `error`.
    pub(crate) status: &'static str,
    /// For people.
    pub(crate) message: &'a str,
    /// For programs.
    pub(crate) data: T,
}

/// An answer with this as its `data`; with `()` it has none, which is `null`.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Success<T>(Envelope<'static, T>);

impl<T: Serialize> Success<T> {
    /// Wraps the data.
    pub fn new(data: T) -> Self {
        Self(Envelope { status: "success", message: "ok", data })
    }
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
