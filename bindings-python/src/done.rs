//! What a call gives when it succeeds, and how Python gets it.

use std::sync::Arc;

use pabbly_connect::bindings::Bytes;
use pabbly_connect::{Error, ExposeSecret, SecretString};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use crate::errors::exception;
use crate::pages::{Pages, Rest};
use crate::proxy::{Reader, Reading};
use crate::token::Token;

static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// What a call gives.
pub(crate) enum Done {
    /// The `data` of an answer, as the JSON text that came.
    Json(SecretString),
    /// A page and those that follow it.
    Page(SecretString, Arc<Rest>),
    /// A credential. It never exists as a dictionary.
    Token(Box<pabbly_connect::Token>),
    /// The head of a provider's response, as JSON text, and its body.
    Response(String, Reading),
    /// A part of such a body; `None` at its end.
    Part(Option<Bytes>),
    /// Whether a part was wanted.
    Flag(bool),
    /// The end of a list, or that something was deleted.
    Nothing,
}

/// How a call ends.
pub(crate) type Outcome = Result<Done, Error>;

/// A dictionary, a pair of a dictionary and [`Pages`], a [`Token`], the head of a response and its [`Reader`], bytes, a
/// flag, or `None`; or the exception.
pub(crate) fn into_python(py: Python<'_>, outcome: Outcome) -> PyResult<Py<PyAny>> {
    match outcome.map_err(|error| exception(py, &error))? {
        Done::Json(text) => loads(py, &text)?.into_py_any(py),
        Done::Page(text, rest) => (loads(py, &text)?, Pages::new(rest)).into_py_any(py),
        Done::Token(token) => Token::new(*token).into_py_any(py),
        Done::Response(head, reading) => (head, Reader::new(reading)).into_py_any(py),
        Done::Part(part) => part.map(|part| PyBytes::new(py, &part)).into_py_any(py),
        Done::Flag(flag) => flag.into_py_any(py),
        Done::Nothing => Ok(py.None()),
    }
}

/// Python's own parser makes dictionaries faster than they could be made from here.
fn loads<'py>(py: Python<'py>, text: &SecretString) -> PyResult<Bound<'py, PyAny>> {
    LOADS.import(py, "json", "loads")?.call1((text.expose_secret(),))
}
