//! From the core's errors to Python's exceptions, whose classes are in `pabbly_connect/errors.py`.

use pabbly_connect::{Error, ErrorKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception that tells the same as an error of the core.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let response = error
        .response()
        .and_then(|response| serde_json::to_string(response).ok());
    let connection = error
        .connection()
        .and_then(|connection| serde_json::to_string(connection).ok());
    let retry_after = error.retry_after().map(|wait| wait.as_secs_f64());
    make(
        py,
        (
            error.kind().class(),
            error.message(),
            error.status(),
            error.code(),
            response,
            error.attempts(),
            retry_after,
            connection,
        ),
    )
}

/// The exception for a value that the binding itself refuses.
pub(crate) fn refused(py: Python<'_>, message: &str) -> PyErr {
    let class = ErrorKind::InvalidArgument.class();
    let none = None::<String>;
    make(
        py,
        (
            class,
            message,
            None,
            Some("invalid_argument"),
            none.clone(),
            0,
            None,
            none,
        ),
    )
}

/// What an exception is made of: class, message, status, code, response (JSON), attempts, retry after, connection
/// (JSON).
type Parts<'a> = (
    &'a str,
    &'a str,
    Option<u16>,
    Option<&'a str>,
    Option<String>,
    u32,
    Option<f64>,
    Option<String>,
);

fn make(py: Python<'_>, parts: Parts<'_>) -> PyErr {
    let make = MAKE.import(py, "pabbly_connect._raise", "make");
    match make.and_then(|make| make.call1(parts)) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// Something that the package itself never does.
pub(crate) fn misuse(message: &'static str) -> PyErr {
    PyRuntimeError::new_err(message)
}
